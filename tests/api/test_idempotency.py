"""A request that names itself happens once, whatever becomes of its answer."""

import asyncio
import hashlib
import json
import uuid
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from domain import idempotency
from domain.idempotency import ANSWER_MAX_BYTES, Name, Turn
from domain.retention import RULES
from domain.scopes import Scope
from domain.streamers import Streamer
from infra.crypto import SecretBox
from tests.api.conftest import calling
from tests.api.keys import code_of, with_key
from tests.support.hourly_tokens import hourly_tokens
from tests.support.site import Site
from web.limits import Limit

pytestmark = pytest.mark.usefixtures("kept_site")

GOAL = {"title": "Микрофон", "target_minor": 100_000}


def named(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def goals_of(client: httpx.AsyncClient) -> list[Any]:
    found: list[Any] = (await client.get("/goals")).json()["goals"]
    return found


async def test_sent_twice_it_happens_once(hers: httpx.AsyncClient) -> None:
    first = await hers.post("/goals", json=GOAL, headers=named("a"))
    again = await hers.post("/goals", json=GOAL, headers=named("a"))
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert "RateLimit-Remaining" in again.headers
    assert len(await goals_of(hers)) == 1
    await hers.post("/goals", json=GOAL, headers=named("b"))
    assert len(await goals_of(hers)) == 2


async def test_a_refusal_did_nothing_and_takes_no_name(hers: httpx.AsyncClient) -> None:
    wrong = await hers.post("/goals", json={**GOAL, "title": ""}, headers=named("a"))
    assert wrong.status_code == 422
    assert (await hers.post("/goals", json=GOAL, headers=named("a"))).status_code == 201


async def test_a_name_is_for_one_request(hers: httpx.AsyncClient) -> None:
    await hers.post("/goals", json=GOAL, headers=named("a"))
    assert code_of(await hers.post("/goals", json={**GOAL, "title": "Иное"}, headers=named("a"))) == (
        "idempotency-key-reused"
    )
    assert code_of(await hers.post("/queue/pause", headers=named("a"))) == "idempotency-key-reused"
    assert len(await goals_of(hers)) == 1


async def test_names_are_ones_own(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    await hers.post("/goals", json=GOAL, headers=named("a"))
    assert (await strangers.post("/goals", json=GOAL, headers=named("a"))).status_code == 201
    async with with_key(site, streamer, Scope.GOALS_WRITE) as bot:
        assert (await bot.post("/goals", json=GOAL, headers=named("a"))).status_code == 201
        # Who may not do it hears nothing of who did.
        assert code_of(await bot.post("/queue/pause", headers=named("a"))) == "scope"
    assert len(await goals_of(hers)) == 2


async def test_an_applications_next_token_has_its_names_and_its_limit(site: Site, streamer: Streamer) -> None:
    """It gets a new one every hour, and repeats what it asked for with the one before."""
    async with site.pool.acquire() as connection, connection.transaction():
        box = SecretBox(site.settings.secret_keys.get_secret_value())
        first, second = await hourly_tokens(connection, box, streamer, [Scope.GOALS_WRITE], hours=2)
        [another] = await hourly_tokens(connection, box, streamer, [Scope.GOALS_WRITE], hours=1)
    answers = []
    for token in (first, second, another):
        async with calling(site, token) as bot:
            answers.append(await bot.post("/goals", json=GOAL, headers=named("a")))
    assert [answer.status_code for answer in answers] == [201] * 3
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true", None]
    assert answers[0].json() == answers[1].json() != answers[2].json()
    left = [int(answer.headers["RateLimit-Remaining"]) for answer in answers]
    assert left == [left[0], left[0] - 1, left[0]]


async def test_all_at_once_make_one(hers: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(hers.post("/goals", json=GOAL, headers=named("a")) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(code_of(a) == "idempotency-in-progress" for a in answers if a.status_code == 409)
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len(await goals_of(hers)) == 1


@pytest.mark.parametrize("key", ["", "я" * 3, "x" * 201, "a\tb"])
async def test_what_is_no_name(hers: httpx.AsyncClient, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode()}
    assert code_of(await hers.post("/goals", json=GOAL, headers=headers)) == "idempotency-key"
    assert await goals_of(hers) == []


async def test_reading_needs_no_name(hers: httpx.AsyncClient, site: Site) -> None:
    assert (await hers.get("/goals", headers=named("a"))).status_code == 200
    assert await site.pool.fetchval("SELECT count(*) FROM idempotency_keys") == 0


async def test_what_died_before_it_did_anything_is_done_anew(site: Site, streamer: Streamer) -> None:
    name, asked = Name(streamer.owner_id, 0, "a"), (b"x" * 32,)
    async with site.pool.acquire() as connection:
        dead = await idempotency.begin(connection, name, asked)
        assert (await idempotency.begin(connection, name, asked)).turn is Turn.BUSY
        await connection.execute("UPDATE idempotency_keys SET begun_at = now() - interval '2 minutes'")
        second = await idempotency.begin(connection, name, asked)
        assert (dead.turn, second.turn) == (Turn.MINE, Turn.MINE)
        assert dead.attempt is not None
        assert second.attempt is not None
        # The first was only slow: what it does must be undone.
        assert not await idempotency.mark_acted(connection, name, dead.attempt)
        assert await idempotency.mark_acted(connection, name, second.attempt)


async def test_what_died_before_its_answer_says_so(hers: httpx.AsyncClient, site: Site) -> None:
    await hers.post("/goals", json=GOAL, headers=named("a"))
    await site.pool.execute(
        "UPDATE idempotency_keys"
        " SET status = NULL, headers = NULL, body = NULL, begun_at = now() - interval '2 minutes'"
    )
    assert code_of(await hers.post("/goals", json=GOAL, headers=named("a"))) == "idempotency-answer-lost"
    assert len(await goals_of(hers)) == 1


async def test_who_comes_second_undoes_what_it_did(hers: httpx.AsyncClient, site: Site) -> None:
    """Another attempt took over while this one was at it."""
    async with site.pool.acquire() as connection, connection.transaction():
        # Whoever plans a goal waits for this row.
        await connection.execute("SELECT FROM streamers FOR UPDATE")
        slow = asyncio.create_task(hers.post("/goals", json=GOAL, headers=named("a")))
        while await site.pool.fetchval("SELECT count(*) FROM idempotency_keys") == 0:
            await asyncio.sleep(0.02)
        await site.pool.execute("UPDATE idempotency_keys SET attempt = $1", uuid.uuid4())
    assert code_of(await slow) == "idempotency-in-progress"
    assert await goals_of(hers) == []


async def test_who_hangs_up_finds_it_done(hers: httpx.AsyncClient, site: Site) -> None:
    """The repeat of a broken connection is what names are for: it hears the answer."""
    async with site.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM streamers FOR UPDATE")
        broken = asyncio.create_task(hers.post("/goals", json=GOAL, headers=named("a")))
        while await site.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0:
            await asyncio.sleep(0.02)
        broken.cancel()
        await asyncio.gather(broken, return_exceptions=True)
        waiting = await hers.post("/goals", json=GOAL, headers=named("a"))
        assert (code_of(waiting), waiting.headers["Retry-After"]) == ("idempotency-in-progress", "1")
    while (again := await hers.post("/goals", json=GOAL, headers=named("a"))).status_code == 409:
        assert code_of(again) == "idempotency-in-progress"
        await asyncio.sleep(0.02)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert await goals_of(hers) == [again.json()]


async def test_who_hangs_up_before_a_refusal_leaves_the_name_free(hers: httpx.AsyncClient, site: Site) -> None:
    goal_id = (await hers.post("/goals", json=GOAL)).json()["id"]
    async with site.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM streamer_totals FOR UPDATE")
        broken = asyncio.create_task(hers.post(f"/goals/{goal_id}/end", headers=named("a")))
        while await site.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0:
            await asyncio.sleep(0.02)
        broken.cancel()
        await asyncio.gather(broken, return_exceptions=True)
    while await site.pool.fetchval("SELECT count(*) FROM idempotency_keys") == 1:
        await asyncio.sleep(0.02)


async def test_the_longer_it_takes_the_later_one_asks_again(site: Site, streamer: Streamer) -> None:
    """What has died is known to be dead after a minute; until then nobody need ask every second."""
    name, asked = Name(streamer.owner_id, 0, "a"), (b"x" * 32,)
    async with site.pool.acquire() as connection:
        await idempotency.begin(connection, name, asked)
        for age, waits in (("0 seconds", {1, 2}), ("20.5 seconds", {21, 22}), ("55 seconds", {4, 5})):
            await connection.execute(f"UPDATE idempotency_keys SET begun_at = now() - interval '{age}'")
            begun = await idempotency.begin(connection, name, asked)
            assert begun.turn is Turn.BUSY
            assert begun.wait_seconds in waits


async def test_a_day_later_it_is_forgotten(hers: httpx.AsyncClient, site: Site) -> None:
    await hers.post("/goals", json=GOAL, headers=named("a"))
    await site.pool.execute("UPDATE idempotency_keys SET begun_at = now() - interval '25 hours'")
    assert (await hers.post("/goals", json=GOAL, headers=named("a"))).status_code == 201
    assert len(await goals_of(hers)) == 2
    [rule] = [rule for rule in RULES if rule.name == "idempotency_keys"]
    async with site.pool.acquire() as connection:
        for age, left in (("23 hours", 1), ("25 hours", 0)):
            await connection.execute(f"UPDATE idempotency_keys SET begun_at = now() - interval '{age}'")
            await rule.forget[0](connection, days=rule.fixed_days, limit=10)
            assert await connection.fetchval("SELECT count(*) FROM idempotency_keys") == left


async def test_no_password_and_no_secret_is_kept_to_be_read(hers: httpx.AsyncClient, site: Site) -> None:
    """Whoever reads the table must neither try passwords on a request nor read an answer that is kept encrypted
    elsewhere."""
    settings = {"payment_settings": "terminal-password"}
    first = await hers.put("/streamers/me", json=settings, headers=named("settings"))
    assert first.status_code == 200
    assert "terminal-password" in first.text
    password = {"password": "battery horse correct"}
    assert (await hers.put("/users/me", json=password, headers=named("password"))).status_code == 200
    rows = await site.rows("SELECT * FROM idempotency_keys ORDER BY key")
    plain = f"PUT /api/v1/users/me?\n{json.dumps(password, separators=(',', ':'))}".encode()
    assert hashlib.sha256(plain).digest() not in [row["fingerprint"] for row in rows]
    for row in rows:
        assert b"{" not in row["body"]
        assert "terminal-password" not in row["body"].decode()


async def test_a_long_answer_is_not_kept_and_its_request_not_done_again(hers: httpx.AsyncClient, site: Site) -> None:
    for _ in range(20):
        await hers.post("/goals", json={**GOAL, "description": "ы" * 200})
    change = {"goes_on": True}
    first = await hers.patch("/goals/settings", json=change, headers=named("a"))
    assert len(first.content) > ANSWER_MAX_BYTES
    assert (await hers.patch("/goals/settings", json={"goes_on": False})).status_code == 200
    again = await hers.patch("/goals/settings", json=change, headers=named("a"))
    assert code_of(again) == "idempotency-answer-lost"
    assert (await hers.get("/goals")).json()["goes_on"] is False
    assert await site.pool.fetchval("SELECT length(body) FROM idempotency_keys") == 0


async def test_there_is_room_for_so_many_names_a_day(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("web.api.idempotency.NAMES", Limit("api-names", 2, 24 * 3600))
    assert (await hers.post("/goals", json=GOAL, headers=named("a"))).status_code == 201
    async with with_key(site, streamer, Scope.GOALS_WRITE) as bot:
        assert (await bot.post("/goals", json=GOAL, headers=named("b"))).status_code == 201
    refused = await hers.post("/goals", json=GOAL, headers=named("c"))
    assert (code_of(refused), int(refused.headers["Retry-After"]) > 3600) == ("too-many-names", True)
    # What was done stays known, and what has no name is done as ever.
    assert (await hers.post("/goals", json=GOAL, headers=named("a"))).headers["Idempotency-Replayed"] == "true"
    assert (await hers.post("/goals", json=GOAL)).status_code == 201
    assert (await strangers.post("/goals", json=GOAL, headers=named("a"))).status_code == 201
    assert len(await goals_of(hers)) == 3
    assert {row["key"] for row in await site.rows("SELECT key FROM idempotency_keys")} == {"a", "b"}


async def test_an_encrypted_answer_comes_back_as_it_was(hers: httpx.AsyncClient) -> None:
    body = {"stream_title": "Ночь — «Омск» 🎮", "payment_settings": '{"terminal": "пароль"}'}
    answers = [await hers.put("/streamers/me", json=body, headers=named("a")) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotency-Replayed"] == "true"


async def test_an_answer_whose_key_is_gone_is_lost(hers: httpx.AsyncClient, site: Site) -> None:
    """Its request is known and not done again."""
    await hers.post("/goals", json=GOAL, headers=named("a"))
    for body in (SecretBox(Fernet.generate_key().decode()).encrypt("{}").encode(), b'{"id": 1}', "é".encode("latin-1")):
        await site.pool.execute("UPDATE idempotency_keys SET body = $1", body)
        assert code_of(await hers.post("/goals", json=GOAL, headers=named("a"))) == "idempotency-answer-lost"
    assert len(await goals_of(hers)) == 1


async def test_another_key_in_front_keeps_names(site: Site, streamer: Streamer) -> None:
    name, old, new = Name(streamer.owner_id, 0, "a"), b"o" * 32, b"n" * 32
    async with site.pool.acquire() as connection:
        assert (await idempotency.begin(connection, name, (old,))).turn is Turn.MINE
        assert (await idempotency.begin(connection, name, (new, old))).turn is Turn.BUSY
        assert (await idempotency.begin(connection, name, (new,))).turn is Turn.ANOTHER
        await connection.execute("UPDATE idempotency_keys SET begun_at = now() - interval '2 minutes'")
        assert (await idempotency.begin(connection, name, (new, old))).turn is Turn.MINE
