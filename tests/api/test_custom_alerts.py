"""Alerts of one's own: shown like others, counted nowhere, judged by the streamer's rules."""

import asyncio
from typing import Any

import httpx
import pytest

from domain import missed, overlays, showing
from domain.custom_alerts import WAITING_MAX
from domain.media_files import Kind, add_file
from domain.moderation import Act, Mode, Rule, Settings
from domain.moderation_settings import save_settings
from domain.retention import RULES
from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.keys import code_of, with_key
from tests.api.test_overlays import connect
from tests.support.site import Site
from tests.web.conftest import signed_in

pytestmark = pytest.mark.usefixtures("kept_site")

FOLLOW = {"title": "Новый подписчик", "message": "Котофей теперь с нами"}


async def make(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/custom-alerts", json={**FOLLOW, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_it_waits_in_the_queue_and_counts_nowhere(hers: httpx.AsyncClient) -> None:
    made = await make(hers)
    assert (made["status"], made["title"], made["amount_minor"]) == ("queued", "Новый подписчик", 0)
    [alert] = (await hers.get("/queue")).json()["alerts"]
    assert (alert["alert_id"], alert["kind"], alert["name"]) == (made["alert_id"], "custom", "Новый подписчик")
    assert (await hers.get("/totals")).json()["donations"] == 0
    assert (await hers.get("/feed")).json()["entries"] == []
    assert (await hers.post(f"/queue/{made['alert_id']}/skip")).json()["outcome"] == "done"
    assert (await hers.get(f"/custom-alerts/{made['alert_id']}")).json()["status"] == "skipped"


async def test_the_overlay_is_offered_it(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    await make(hers, amount_minor=25_000, duration_ms=7_000)
    await connect(site, streamer)
    async with site.pool.acquire() as connection:
        overlay_ids = [overlay.id for overlay in await overlays.list_overlays(connection, streamer.id)]
        offer = await showing.pick(connection, streamer.id, overlay_ids)
    assert offer is not None
    assert (offer.kind, offer.donor_name, offer.amount_minor) == ("custom", "Новый подписчик", 25_000)
    assert offer.duration_ms == 7_000
    assert offer.look is not None
    assert (offer.look.text, offer.look.elements) == (None, None)


async def test_its_own_picture_and_sound(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    async with site.pool.acquire() as connection, connection.transaction():
        image = await add_file(connection, streamer.id, Kind.IMAGE, "кот.png", b"\x89PNG\r\n\x1a\n cat")
        waiting = await add_file(connection, streamer.id, Kind.IMAGE, "рыба.png", b"\x89PNG\r\n\x1a\n fish")
        await connection.execute(
            "UPDATE media_files SET state = 'ready', width = 1, height = 1, frames = 1 WHERE id = $1", image.id
        )
    assert (await make(hers, image_url=image.url))["image_url"] == image.url
    await connect(site, streamer)
    async with site.pool.acquire() as connection:
        overlay_ids = [overlay.id for overlay in await overlays.list_overlays(connection, streamer.id)]
        offer = await showing.pick(connection, streamer.id, overlay_ids)
    assert offer is not None
    assert offer.look is not None
    assert offer.look.image_url == image.url
    for field, url in (
        ("image_url", waiting.url),
        ("sound_url", image.url),
        ("image_url", f"/static/uploads/{'0' * 32}.png"),
        ("image_url", "https://evil.example.org/a.png"),
    ):
        answer = await hers.post("/custom-alerts", json={**FOLLOW, field: url})
        assert answer.status_code == 422, url
        assert answer.json()["errors"][0]["loc"] == ["body", field]


async def test_strangers_may_not_use_a_file(strangers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    async with site.pool.acquire() as connection, connection.transaction():
        image = await add_file(connection, streamer.id, Kind.IMAGE, "кот.png", b"\x89PNG\r\n\x1a\n cat")
        await connection.execute("UPDATE media_files SET state = 'ready', width = 1, height = 1, frames = 1")
    answer = await strangers.post("/custom-alerts", json={**FOLLOW, "image_url": image.url})
    assert code_of(answer) == "foreign-file"


async def test_the_same_name_is_the_same_alert(hers: httpx.AsyncClient, strangers: httpx.AsyncClient) -> None:
    first = await make(hers, external_id="follow-1")
    again = await hers.post("/custom-alerts", json={"message": "Другое", "external_id": "follow-1"})
    assert (again.status_code, again.json()) == (200, first)
    assert (await make(strangers, external_id="follow-1"))["alert_id"] != first["alert_id"]
    at_once = await asyncio.gather(
        *(hers.post("/custom-alerts", json={**FOLLOW, "external_id": "follow-2"}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in at_once) == [200, 200, 200, 201]
    assert (await hers.get("/queue")).json()["waiting"] == 2


async def test_no_more_wait_than_may(hers: httpx.AsyncClient) -> None:
    for _ in range(WAITING_MAX):
        await make(hers)
    assert code_of(await hers.post("/custom-alerts", json=FOLLOW)) == "too-many-waiting"
    await hers.post("/queue/clear")
    await make(hers)


async def test_words_are_masked_and_what_is_held_is_refused(
    hers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    assert (await make(hers, message="вот сука"))["message"] == "вот ***"
    async with site.pool.acquire() as connection:
        await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE, acts={Rule.WORDS: Act.HOLD}))
    answer = await hers.post("/custom-alerts", json={**FOLLOW, "message": "вот сука"})
    assert code_of(answer) == "caught"
    assert answer.json()["errors"] == [{"loc": ["body", "message"], "msg": "words", "type": "caught"}]
    # Who approves donors' words is not asked about her own program's.
    assert (await make(hers))["status"] == "queued"


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "", "message": ""},
        {"title": "\N{RIGHT-TO-LEFT OVERRIDE}", "message": "\x00"},
        {"title": "я" * 61},
        {"message": "я" * 1001},
        {"amount_minor": -1},
        {"amount_minor": "много"},
        {"duration_ms": 999},
        {"duration_ms": 300_001},
        {"external_id": ""},
        {"external_id": "я"},
        {"external_id": "x" * 101},
    ],
)
async def test_garbage(hers: httpx.AsyncClient, fields: dict[str, Any]) -> None:
    answer = await hers.post("/custom-alerts", json={**FOLLOW, **fields})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]
    assert (await hers.get("/queue")).json()["waiting"] == 0


async def test_it_goes_with_what_was_missed(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    """Nobody is asked about it, and it is of its moment."""
    await make(hers)
    await site.pool.execute(
        "INSERT INTO speakers (streamer_id, asking_since) VALUES ($1, now())"
        " ON CONFLICT (streamer_id) DO UPDATE SET asking_since = now()",
        streamer.id,
    )
    async with site.pool.acquire() as connection, connection.transaction():
        assert await missed.get_missed(connection, streamer.id) is None
        assert await missed.answer_missed(connection, streamer.id, missed.Answer.SUMMARY)
    assert (await hers.get("/queue")).json()["waiting"] == 0


async def test_its_text_is_forgotten(hers: httpx.AsyncClient, site: Site) -> None:
    shown, waits = await make(hers, external_id="one"), await make(hers)
    await site.pool.execute("UPDATE alerts SET created_at = now() - interval '31 days'")
    await site.pool.execute("UPDATE alerts SET status = 'dropped' WHERE alert_id = $1", shown["alert_id"])
    [rule] = [rule for rule in RULES if rule.name == "custom_alerts"]
    async with site.pool.acquire() as connection:
        await rule.forget[0](connection, days=rule.fixed_days, limit=10)
    gone = (await hers.get(f"/custom-alerts/{shown['alert_id']}")).json()
    assert (gone["title"], gone["message"], gone["external_id"]) == (None, "", "one")
    assert (await hers.get(f"/custom-alerts/{waits['alert_id']}")).json()["title"] == "Новый подписчик"


async def test_whose_it_is(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    made = await make(hers)
    assert (await strangers.get(f"/custom-alerts/{made['alert_id']}")).status_code == 404
    async with with_key(site, streamer, Scope.ALERTS_CREATE) as bot:
        await make(bot)
        assert code_of(await bot.get(f"/custom-alerts/{made['alert_id']}")) == "scope"
        assert code_of(await bot.post(f"/queue/{made['alert_id']}/skip")) == "scope"


async def test_pages_name_it_without_a_sum(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    """The control page: what waits, and which program took it off."""
    await make(hers)
    await make(hers, title="")
    async with signed_in(site, f"{streamer.slug}@example.org") as desk:
        page = (await desk.get("/dashboard/control")).text
        assert "Новый подписчик" in page
        assert "Your own alert" in page
        assert "0\N{NO-BREAK SPACE}₽</span> <span" not in page
        alert_id = (await hers.get("/queue")).json()["alerts"][0]["alert_id"]
        async with with_key(site, streamer, Scope.ALERTS_CONTROL, name="Пульт") as bot:
            await bot.post(f"/queue/{alert_id}/skip")
        assert "program “Пульт”" in (await desk.get("/dashboard/control")).text
