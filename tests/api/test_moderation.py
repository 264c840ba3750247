"""Moderation by programs: the first decision counts, and may be taken back for five seconds."""

from typing import Any

import httpx
import pytest

from domain.holds import list_holds
from domain.moderation_settings import add_words
from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.keys import code_of, with_key
from tests.support.site import Site
from tests.web.money import add_paid
from tests.web.test_moderation import hold

pytestmark = pytest.mark.usefixtures("shared_site")


async def hold_one(site: Site, streamer: Streamer, **fields: Any) -> tuple[str, str]:
    """Its alert's id and its public id."""
    await hold(site, streamer, **fields)
    async with site.pool.acquire() as connection:
        held = (await list_holds(connection, streamer.id))[-1]
    return str(held.alert_id), held.public_id


async def test_what_waits(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    assert (await hers.get("/moderation/held")).json() == {"held": []}
    alert_id, public_id = await hold_one(site, streamer)
    [held] = (await hers.get("/moderation/held")).json()["held"]
    assert (held["alert_id"], held["public_id"], held["message"]) == (alert_id, public_id, "сука, привет")
    assert held["matches"] == [{"part": "message", "rule": "words", "word": "сука"}]
    assert (held["reason"], held["decision"]) == ("rules", None)


async def test_what_was_written_needs_its_own_scope(site: Site, streamer: Streamer) -> None:
    await hold_one(site, streamer)
    async with with_key(site, streamer, Scope.MODERATION_READ) as bot:
        [held] = (await bot.get("/moderation/held")).json()["held"]
        assert (held["donor_name"], held["message"], held["matches"][0]["word"]) == (None, None, None)


async def test_the_first_decision_counts(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    alert_id, _ = await hold_one(site, streamer)
    async with with_key(site, streamer, Scope.MODERATION_WRITE) as bot:
        decided = (await bot.post(f"/moderation/held/{alert_id}/hide")).json()
        assert decided == {"is_yours": True, "decision": "hide", "decided_by": "key", "undo_seconds": 5}
    late = (await hers.post(f"/moderation/held/{alert_id}/show")).json()
    assert late == {"is_yours": False, "decision": "hide", "decided_by": "key", "undo_seconds": 0}
    [held] = (await hers.get("/moderation/held")).json()["held"]
    assert (held["decision"], held["decided_by"]) == ("hide", "key")
    assert (await hers.post(f"/moderation/held/{alert_id}/undo")).json() == {"is_undone": True}
    assert (await hers.post(f"/moderation/held/{alert_id}/undo")).json() == {"is_undone": False}
    shown = (await hers.post(f"/moderation/held/{alert_id}/show-without-text")).json()
    assert (shown["is_yours"], shown["decision"], shown["decided_by"]) == (True, "show_without_text", "owner")


async def test_strangers_decide_nothing(strangers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    alert_id, public_id = await hold_one(site, streamer)
    for act in ("show", "show-without-text", "hide", "undo"):
        assert (await strangers.post(f"/moderation/held/{alert_id}/{act}")).status_code == 404
    body = {"public_id": public_id, "kind": "name"}
    assert (await strangers.post("/moderation/blocks", json=body)).status_code == 404
    assert (await strangers.get("/moderation/held")).json()["held"] == []


async def test_what_never_waited(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    donation, _ = await add_paid(site, streamer)
    alert_id = await site.pool.fetchval("SELECT alert_id FROM alerts WHERE donation_id = $1", donation.id)
    assert (await hers.post(f"/moderation/held/{alert_id}/show")).status_code == 404
    assert (await hers.post("/moderation/held/all/show")).status_code == 404


async def test_blocks_are_made_and_lifted(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    donation, _ = await add_paid(site, streamer)
    body = {"public_id": donation.public_id, "kind": "name", "note": "хам"}
    [block] = (await hers.post("/moderation/blocks", json=body)).json()["blocks"]
    assert (block["kind"], block["shown"], block["note"], block["expires_at"]) == ("name", "Аня", "хам", None)
    assert len((await hers.post("/moderation/blocks", json=body)).json()["blocks"]) == 1
    async with with_key(site, streamer, Scope.MODERATION_READ) as bot:
        assert (await bot.get("/moderation/blocks")).json()["blocks"][0]["shown"] is None
        assert code_of(await bot.delete(f"/moderation/blocks/{block['id']}")) == "scope"
    assert (await strangers.delete(f"/moderation/blocks/{block['id']}")).status_code == 404
    assert (await hers.delete(f"/moderation/blocks/{block['id']}")).json() == {"blocks": []}
    assert (await hers.delete(f"/moderation/blocks/{block['id']}")).status_code == 404


async def test_what_is_no_block(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    donation, _ = await add_paid(site, streamer, donor_name=None)
    body = {"public_id": donation.public_id, "kind": "name"}
    assert code_of(await hers.post("/moderation/blocks", json=body)) == "nothing-to-block"
    for changed in ({"kind": "aura"}, {"note": "я" * 201}, {"public_id": ""}, {"kind": "address", "days": 2}):
        assert (await hers.post("/moderation/blocks", json={**body, **changed})).status_code == 422, changed
    assert (await hers.post("/moderation/blocks", json={**body, "public_id": "no"})).status_code == 404


async def test_words(hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    async with site.pool.acquire() as connection:
        await add_words(connection, streamer.id, "word", ["спойлер*"])
    [word] = (await hers.get("/moderation/words")).json()["words"]
    assert (word["kind"], word["pattern"]) == ("word", "спойлер*")
    assert (await strangers.get("/moderation/words")).json()["words"] == []
