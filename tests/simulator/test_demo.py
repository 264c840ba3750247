"""The demo: donations as people make them, against all programs running."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from simulator import demo
from simulator.demo import RunFile, Told
from simulator.donor import DonorError, read_page
from simulator.overlay import Overlay, OverlayRefusedError, socket_url
from tests.support.programs import Stack


@pytest.fixture
def run_file(stack: Stack, tmp_path: Path) -> Path:
    stack.start()
    seeded = json.loads(stack.manage("seed-demo", stdin=json.dumps({"password": "correct horse battery"})))
    path = tmp_path / "run.json"
    fields = {
        "donate_url": f"{stack.web_url}/donate/{seeded['slug']}",
        "realtime_url": stack.realtime_url,
        "overlay_token": seeded["overlay_token"],
        "login": "more than the demo needs",
    }
    path.write_text(json.dumps(fields), encoding="utf-8")
    return path


def wishes(**options: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"donations": 2, "every": None, "amount": None, **options})


async def donate(path: Path, **options: Any) -> list[Told]:
    return await demo.run_demo(demo.read_run_file(path), wishes(**options))


async def test_without_another_overlay_the_demo_plays_the_alerts_itself(
    run_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = await donate(run_file)
    assert [(one.number, one.amount, one.problem, one.is_ours) for one in told] == [
        (1, "150", "", True),
        (2, "300", "", True),
    ]
    for one in told:
        assert 0 < one.offer_seconds < one.confirmed_seconds
        # It keeps an overlay's promise: half of five seconds for short messages.
        assert one.confirmed_seconds - one.offer_seconds >= 2.5
    assert "the demo's own plays them" in capsys.readouterr().out


async def test_an_overlay_in_obs_plays_and_the_demo_only_watches(run_file: Path) -> None:
    run = demo.read_run_file(run_file)
    async with Overlay(run.realtime_url, run.overlay_token, in_obs=True) as obs:
        heard: list[str] = []

        async def play() -> None:
            while True:
                offer = await obs.next("offer")
                heard.append(offer.data["message"])
                lease = {"alert_id": offer.data["alert_id"], "lease_id": offer.data["lease_id"]}
                for word in ("started", "seen", "finished"):
                    assert await obs.say(word, lease) == {"ok": True, "late": False}

        playing = asyncio.create_task(play())
        told = await donate(run_file, amount="200")
        playing.cancel()
    assert [(one.amount, one.problem, one.is_ours) for one in told] == [("200", "", False)] * 2
    assert len(heard) == 2


async def test_realtime_dies_in_the_middle_and_no_donation_is_lost(stack: Stack, run_file: Path) -> None:
    demoing = asyncio.create_task(donate(run_file, donations=3, every=0.2))
    await asyncio.sleep(2)
    stack["realtime"].kill()
    await asyncio.to_thread(stack["realtime"].start)
    assert [one.problem for one in await demoing] == ["", "", ""]


async def test_a_wrong_token_is_refused(run_file: Path) -> None:
    run = demo.read_run_file(run_file)
    wrong = RunFile(run.donate_url, run.realtime_url, "wrong")
    with pytest.raises(OverlayRefusedError, match="unknown_token"):
        await demo.run_demo(wrong, wishes())


def test_without_a_running_system_the_demo_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--run", str(tmp_path / "run.json")]) == 2
    assert "Is `make run` running?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--donations", "0"], ["--every", "-1"]])
def test_wishes_that_cannot_be(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        demo.main(arguments)


def test_the_summary_counts_what_was_lost() -> None:
    told = [
        Told(1, "300", link_seconds=0.1, offer_seconds=0.02, confirmed_seconds=3.0),
        Told(2, "300", problem="waited for the alert in vain"),
    ]
    assert demo.summary(told).splitlines()[0] == "1 of 2 donations were paid and shown."
    assert demo.summary(told[1:]) == "0 of 1 donations were paid and shown."


def test_the_socket_address_follows_the_scheme() -> None:
    assert socket_url("http://127.0.0.1:8001") == "ws://127.0.0.1:8001/socket.io/?EIO=4&transport=websocket"
    assert socket_url("https://stream.example").startswith("wss://stream.example/socket.io/")


def test_a_donor_ticks_what_must_be_ticked() -> None:
    page = read_page(
        '<form action="/donate/anna"><input type="hidden" name="key" value="k">'
        '<input type="checkbox" name="anonymous" value="1"><input type="checkbox" name="consent" value="v" required>'
        '</form><a class="main" href="http://bank/pay/x">…</a>'
    )
    assert page.form("/donate/anna").fields == {"key": "k", "consent": "v"}
    assert page.bank_link == "http://bank/pay/x"
    with pytest.raises(DonorError):
        page.form("/card")


def test_a_donor_with_a_card_leaves_the_sbp_code_alone() -> None:
    page = read_page(
        '<a class="main touch" href="http://sbp/qr/x">…</a><a class="other desk" href="http://bank/pay/x">…</a>'
    )
    assert page.bank_link == "http://bank/pay/x"
