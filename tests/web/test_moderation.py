"""The pages of moderation: what waits, the settings, blocked donors; for the streamer and nobody else."""

import re
from typing import Any

import httpx
import pytest

from domain.moderation import Act, Mode, Rule, Settings
from domain.moderation_settings import get_settings, list_words, save_settings
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.money import add_paid

HTMX = {"HX-Request": "true"}
HOSTILE = "<script>alert(1)</script> \"'>{{7*7}} <b>сука</b>"


async def hold(site: Site, streamer: Streamer, message: str = "сука, привет", **fields: Any) -> tuple[str, str]:
    """A donation that waits; its alert's id and its public id."""
    async with site.pool.acquire() as connection:
        await save_settings(connection, streamer.id, Settings(acts={Rule.WORDS: Act.HOLD, Rule.LINKS: Act.HOLD}))
    donation, _ = await add_paid(site, streamer, message=message, **fields)
    alert_id = await site.pool.fetchval("SELECT alert_id FROM alerts WHERE donation_id = $1", donation.id)
    return str(alert_id), donation.public_id


def settings_form(**changed: str) -> dict[str, str]:
    fields = {f"act-{rule}": "mask" for rule in Rule}
    fields |= {"mode": "filter", "outcome": "skip", "capitals_percent": "80", "long_over": "200", "emoji_over": "5"}
    return {**fields, "hold_minutes": "15", "message_from": "99,50", **changed}


async def test_nothing_waits(her: httpx.AsyncClient) -> None:
    page = await her.get("/dashboard/moderation")
    assert page.status_code == 200
    assert "Nothing waits" in page.text


async def test_what_waits_is_shown_with_its_match(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    await hold(site, streamer)
    page = await her.get("/dashboard/moderation")
    assert '<mark class="caught" title="Swearing and slurs">сука</mark>, привет' in page.text
    assert "300\N{NO-BREAK SPACE}₽" in page.text
    part = await her.get("/dashboard/moderation/queue", headers=HTMX)
    assert '<section id="queue"' in part.text
    assert "<html" not in part.text
    assert (await her.get("/dashboard/moderation/queue")).status_code == 303


async def test_deciding_and_undoing(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    alert_id, _ = await hold(site, streamer)
    answer = await her.post("/dashboard/moderation/decide", data={"alert_id": alert_id, "decision": "hide"})
    assert answer.headers["Location"] == "/dashboard/moderation?said=hold-decided"
    page = await her.get(answer.headers["Location"])
    assert "It is about to be hidden." in page.text
    assert "Undo" in page.text
    second = await her.post(
        "/dashboard/moderation/decide", data={"alert_id": alert_id, "decision": "show"}, headers=HTMX
    )
    assert "Somebody was first" in second.text
    assert "It is about to be hidden." in second.text
    undone = await her.post("/dashboard/moderation/undo", data={"alert_id": alert_id}, headers=HTMX)
    assert "Taken back" in undone.text
    assert 'value="show"' in undone.text
    again = await her.post("/dashboard/moderation/undo", data={"alert_id": alert_id})
    assert again.headers["Location"].endswith("said=too-late")
    assert await site.pool.fetchval("SELECT status FROM alerts") == "held"


async def test_one_tap_makes_an_exception(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    alert_id, public_id = await hold(site, streamer)
    answer = await her.post("/dashboard/moderation/allow", data={"alert_id": alert_id, "match": "0"}, headers=HTMX)
    assert "Added to the exceptions" in answer.text
    assert "It is about to be shown." in answer.text
    async with site.pool.acquire() as connection:
        assert [word.pattern for word in await list_words(connection, streamer.id)] == ["сука"]
    page = (await her.get(f"/dashboard/donations/{public_id}")).text
    assert "Exception added" in page
    assert "Swearing and slurs: <bdi>сука</bdi>" in page


async def test_garbage(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    alert_id, _ = await hold(site, streamer)
    no_such = "00000000-0000-0000-0000-000000000000"
    for path, data, status in (
        ("decide", {"alert_id": alert_id, "decision": "burn"}, 422),
        ("decide", {"alert_id": "x", "decision": "show"}, 422),
        ("decide", {"alert_id": no_such, "decision": "show"}, 404),
        ("undo", {}, 422),
        ("allow", {"alert_id": alert_id}, 422),
        ("allow", {"alert_id": alert_id, "match": "7"}, 404),
        ("settings", settings_form(mode="loud"), 422),
        ("settings", settings_form(**{"act-words": "shout"}), 422),
        ("words", {"kind": "thing", "words": "a"}, 422),
        ("words/1/remove", {}, 404),
    ):
        assert (await her.post(f"/dashboard/moderation/{path}", data=data)).status_code == status, (path, data)
    assert (await her.post("/dashboard/blocks/1/remove")).status_code == 404


PATHS = [
    ("GET", "/dashboard/moderation"),
    ("GET", "/dashboard/moderation/queue"),
    ("POST", "/dashboard/moderation/decide"),
    ("POST", "/dashboard/moderation/undo"),
    ("POST", "/dashboard/moderation/allow"),
    ("GET", "/dashboard/moderation/settings"),
    ("POST", "/dashboard/moderation/settings"),
    ("POST", "/dashboard/moderation/try"),
    ("POST", "/dashboard/moderation/words"),
    ("GET", "/dashboard/blocks"),
    ("POST", "/dashboard/blocks/1/remove"),
]


async def test_only_her_and_superusers(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    alert_id, public_id = await hold(site, streamer)
    await site.add_streamer("boris", "Борис")
    press = {"alert_id": alert_id, "decision": "show"}
    async with signed_in(site, "boris@example.org") as stranger:
        for method, path in PATHS:
            assert (await site.client.request(method, path)).status_code == 303, path
            assert (await stranger.request(method, f"{path}?streamer=anna")).status_code == 404, path
        # On his own pages hers are not there.
        assert (await stranger.post("/dashboard/moderation/decide", data=press)).status_code == 404
        assert (
            await stranger.post(f"/dashboard/donations/{public_id}/block", data={"kind": "name"})
        ).status_code == 404
        await site.pool.execute("UPDATE users SET is_superuser = true WHERE email = 'boris@example.org'")
        assert "сука" in (await stranger.get("/dashboard/moderation?streamer=anna")).text
        answer = await stranger.post("/dashboard/moderation/decide?streamer=anna", data=press)
        assert answer.headers["Location"] == "/dashboard/moderation?said=hold-decided&streamer=anna"
    page = (await her.get(f"/dashboard/donations/{public_id}")).text
    assert "the operator" in page
    assert "boris@example.org" not in page


async def test_settings_are_saved(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    answer = await her.post("/dashboard/moderation/settings", data=settings_form(mode="approve"))
    assert answer.headers["Location"].endswith("said=moderation-saved")
    async with site.pool.acquire() as connection:
        settings = await get_settings(connection, streamer.id)
    assert (settings.mode, settings.message_from_minor, settings.hold_minutes) == (Mode.APPROVE, 9_950, 15)
    page = (await her.get("/dashboard/moderation/settings")).text
    assert re.search(r'name="hold_minutes"[^>]* value="15"', page)
    assert re.search(r'value="approve" checked', page)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("hold_minutes", "61", "From 1 to 60."),
        ("hold_minutes", "", "A whole number, please."),
        ("long_over", "-5", "A whole number, please."),
        ("message_from", "много", "We do not understand this amount."),
    ],
)
async def test_wrong_settings_are_explained(her: httpx.AsyncClient, field: str, value: str, words: str) -> None:
    answer = await her.post("/dashboard/moderation/settings", data=settings_form(**{field: value, "emoji_over": "77"}))
    assert answer.status_code == 422
    assert words in answer.text
    # What was typed is not lost.
    assert re.search(r'name="emoji_over"[^>]* value="77"', answer.text)


async def test_own_words_by_hand(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    await her.post("/dashboard/moderation/words", data={"kind": "word", "words": "лох*\nспойлер, белый флаг"})
    page = (await her.get("/dashboard/moderation/settings")).text
    for word in ("лох*", "спойлер", "белый флаг"):
        assert f'<span translate="no">{word}</span>' in page
    refused = await her.post("/dashboard/moderation/words", data={"kind": "word", "words": "я*"})
    assert refused.status_code == 422
    assert "at least two letters" in refused.text
    async with site.pool.acquire() as connection:
        first = (await list_words(connection, streamer.id))[0]
    await her.post(f"/dashboard/moderation/words/{first.id}/remove")
    async with site.pool.acquire() as connection:
        assert len(await list_words(connection, streamer.id)) == 2


async def test_trying_a_text(her: httpx.AsyncClient) -> None:
    typed = {"name": "Аня", "text": "иди нахуй"}
    part = (await her.post("/dashboard/moderation/try", data=typed, headers=HTMX)).text
    assert '<mark class="caught" title="Swearing and slurs">нахуй</mark>' in part
    assert "иди ***" in part
    assert "<html" not in part
    assert "иди ***" in (await her.post("/dashboard/moderation/try", data=typed)).text
    hostile = (await her.post("/dashboard/moderation/try", data={"text": HOSTILE}, headers=HTMX)).text
    assert "<script" not in hostile
    assert "49" not in hostile


async def test_hostile_texts_are_only_text(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    _, public_id = await hold(site, streamer, HOSTILE, donor_name="<i>сука</i>")
    for path in ("/dashboard/moderation", f"/dashboard/donations/{public_id}"):
        page = (await her.get(path)).text
        assert "<script>alert" not in page
        assert "<i>" not in page
        assert "&lt;script&gt;" in page


async def test_blocking_from_the_page_of_a_donation(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    donation, payment = await add_paid(site, streamer, donor_name="Хам")
    await site.pool.execute("UPDATE payments SET payer = '430000******0777' WHERE id = $1", payment.id)
    address = f"/dashboard/donations/{donation.public_id}"
    page = (await her.get(address)).text
    assert "430000******0777" in page
    assert "By the address in the network" not in page
    for kind in ("name", "payer"):
        answer = await her.post(f"{address}/block", data={"kind": kind, "note": "хамит"})
        assert answer.headers["Location"].endswith("said=blocked")
    assert (
        (await her.post(f"{address}/block", data={"kind": "address"})).headers["Location"].endswith("nothing-to-block")
    )
    assert (await her.post(f"{address}/block", data={"kind": "soul"})).status_code == 422
    listed = (await her.get("/dashboard/blocks")).text
    assert "Хам" in listed
    assert "хамит" in listed
    for row in await site.rows("SELECT id FROM blocks"):
        await her.post(f"/dashboard/blocks/{row['id']}/remove")
    assert "Nobody is blocked" in (await her.get("/dashboard/blocks")).text


async def test_a_blocked_address_is_refused_before_it_pays(her: httpx.AsyncClient, site: Site) -> None:
    def form(page: str) -> dict[str, str]:
        key = re.search(r'name="key" value="([^"]+)"', page)
        consent = re.search(r'name="consent"[^>]* value="([^"]+)"', page)
        assert key is not None
        assert consent is not None
        return {"key": key[1], "amount": "300", "name": "Хам", "message": "эй", "consent": consent[1]}

    page = (await site.client.get("/donate/anna")).text
    made = await site.client.post("/donate/anna", data=form(page))
    assert made.status_code == 303
    public_id = made.headers["Location"].rsplit("/", 1)[1]
    (stored,) = await site.rows("SELECT address_hash FROM donation_addresses")
    assert b"127.0.0.1" not in stored["address_hash"]
    answer = await her.post(f"/dashboard/donations/{public_id}/block", data={"kind": "address", "days": "1"})
    assert answer.headers["Location"].endswith("said=blocked")
    page = (await site.client.get("/donate/anna")).text
    refused = await site.client.post("/donate/anna", data=form(page))
    assert refused.status_code == 403
    assert "Из вашей сети донаты сейчас не принимаются" in refused.text
    assert len(await site.rows("SELECT FROM donations")) == 1
    await site.pool.execute("DELETE FROM blocks")
    assert (await site.client.post("/donate/anna", data=form(page))).status_code == 303


async def test_the_donor_is_told_what_becomes_of_the_message(site: Site, streamer: Streamer) -> None:
    _, public_id = await hold(site, streamer)
    page = (await site.client.get(f"/d/{public_id}")).text
    assert "Сообщение смотрит модератор" in page
    assert "сука" not in page
