"""What is kept how long: each rule forgets what is older, and nothing else."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain import applications, grants, retention
from domain.payment_status import NewsStatus as N
from domain.retention import RULES, Rule
from infra.settings import ROOT, KeepDays, Settings
from tasks.sweeps import forget
from tests.builders import check_books, hear, make_donation, make_streamer, open_donation

DAYS = KeepDays().model_dump()
HASH = "sha256(random()::text::bytea)"
Make = Callable[[Any, timedelta], Awaitable[None]]


async def _user(connection: Any) -> int:
    found: int = await connection.fetchval("SELECT min(id) FROM users")
    return found


async def _paid(connection: Any) -> int:
    """The number of the paid donation that all of it is about."""
    found: int = await connection.fetchval("SELECT min(id) FROM donations WHERE paid_at IS NOT NULL")
    return found


def _inserted(statement: str) -> Make:
    """`$1` is when it was, `{user}`, `{streamer}` and `{donation}` whose it is."""

    async def make(connection: Any, age: timedelta) -> None:
        whose = await connection.fetchrow("SELECT id, owner_id FROM streamers ORDER BY id LIMIT 1")
        filled = statement.format(
            user=whose["owner_id"], streamer=whose["id"], donation=await _paid(connection), hash=HASH
        )
        await connection.execute(filled, await connection.fetchval("SELECT now() - $1::interval", age))

    return make


async def _unpaid(connection: Any, age: timedelta) -> None:
    streamer = await make_streamer(connection)
    donation = await make_donation(connection, streamer, message="не оплачено")
    await connection.execute("UPDATE donations SET created_at = now() - $1::interval WHERE id = $2", age, donation.id)


async def _email(connection: Any, age: timedelta) -> None:
    donation, payment = await open_donation(connection, await make_streamer(connection))
    await hear(connection, payment, N.CONFIRMED)
    await connection.execute(
        "UPDATE donations SET donor_email = 'anya@example.org', paid_at = now() - $1::interval,"
        " created_at = now() - $1::interval WHERE id = $2", age, donation.id,
    )  # fmt: skip


async def _address(connection: Any, age: timedelta) -> None:
    donation = await make_donation(connection, await make_streamer(connection))
    await connection.execute(
        "INSERT INTO donation_addresses (donation_id, address_hash, created_at)"
        f" VALUES ($1, {HASH}, now() - $2::interval)", donation.id, age,
    )  # fmt: skip


async def _code(connection: Any, age: timedelta) -> None:
    """One that nobody exchanged."""
    streamer = await make_streamer(connection)
    fields = applications.check_fields("Bot", "https://example.org", ["https://example.org/back"])
    made = await applications.create_application(connection, streamer.owner_id, fields, is_public=True)
    await grants.allow(
        connection, made.id, streamer.owner_id, streamer.id,
        scopes=["stats:read"], challenge="x" * 43, redirect_uri="https://example.org/back",
    )  # fmt: skip
    await connection.execute(
        "UPDATE grants SET code_expires_at = now() - $1::interval WHERE application_id = $2", age, made.id
    )


MAKE: dict[str, Make] = {
    "sessions": _inserted("INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ({hash}, {user}, $1)"),
    "browsers": _inserted("INSERT INTO known_browsers (token_hash, user_id, used_at) VALUES ({hash}, {user}, $1)"),
    "confirmations": _inserted(
        "INSERT INTO confirmations (token_hash, purpose, email, locale, expires_at)"
        " VALUES ({hash}, 'email', 'a@b.ru', 'ru', $1)"
    ),
    "awaiting": _inserted(
        "INSERT INTO users (email, password_hash, awaits_code, created_at)"
        " VALUES (md5(random()::text) || '@b.ru', '', true, $1)"
    ),
    "links": _inserted("INSERT INTO one_time_links (purpose, token_hash, expires_at) VALUES ('invite', {hash}, $1)"),
    "keys": _inserted(
        "INSERT INTO access_tokens (user_id, streamer_id, name, token_hash, hint, scopes, revoked_at)"
        " VALUES ({user}, {streamer}, 'Бот', {hash}, 'abcd', '{{stats:read}}', $1)"
    ),
    "tokens": _code,
    "letters": _inserted(
        "INSERT INTO letters (kind, recipient, locale, message_id, status, next_try_at, expires_at, created_at,"
        " finished_at) VALUES ('test', 'a@b.ru', 'ru', random()::text, 'sent', NULL, $1, $1, $1)"
    ),
    "account_log": _inserted("INSERT INTO account_log (user_id, action, created_at) VALUES ({user}, 'x', $1)"),
    "exports": _inserted(
        "INSERT INTO exports (public_id, streamer_id, format, filters, words, time_zone, state, next_try_at,"
        " finished_at) VALUES (md5(random()::text), {streamer}, 'csv', '{{}}', '{{}}', 'UTC', 'done', NULL, $1)"
    ),
    "refused_files": _inserted(
        "INSERT INTO media_files (public_id, streamer_id, content_type, name, uploaded_sha256, state, refusal,"
        " created_at) VALUES (md5(random()::text), {streamer}, 'image/png', '', {hash}, 'refused', 'failed', $1)"
    ),
    "archives": _inserted(
        "INSERT INTO exports (public_id, user_id, format, filters, words, time_zone, state, next_try_at, finished_at)"
        " VALUES (md5(random()::text), {user}, 'zip', '{{}}', '{{}}', 'UTC', 'done', NULL, $1)"
    ),
    "addresses": _address,
    "unpaid_texts": _unpaid,
    "receipt_emails": _email,
    "deleted_by_hand": _inserted(
        "INSERT INTO manual_donations (public_id, streamer_id, donor_name, amount_minor, received_at, deleted_at)"
        " VALUES (md5(random()::text), {streamer}, 'Аня', 100, now(), $1)"
    ),
    "controls": _inserted(
        "INSERT INTO alert_actions (streamer_id, actor_kind, actor_id, action, created_at)"
        " VALUES ({streamer}, 'owner', {user}, 'pause', $1)"
    ),
    "custom_alerts": _inserted(
        "INSERT INTO alerts (streamer_id, kind, status, donor_name, amount_minor, duration_ms, created_at)"
        " VALUES ({streamer}, 'custom', 'dropped', 'Подписчик', 0, 5000, $1)"
    ),
    "idempotency_keys": _inserted(
        "INSERT INTO idempotency_keys (user_id, key_id, key, fingerprint, attempt, begun_at)"
        " VALUES ({user}, 0, random()::text, {hash}, gen_random_uuid(), $1)"
    ),
    "webhook_log": _inserted(
        "WITH webhook AS (INSERT INTO webhooks (streamer_id, name, url, events, secret_encrypted) VALUES"
        " ({streamer}, 'Bot', 'https://bot.example.org/', ARRAY['goal.reached'], 'x') RETURNING id)"
        " INSERT INTO webhook_deliveries (webhook_id, event_id, name, data, occurred_at, created_at, status,"
        " next_try_at)"
        " SELECT id, gen_random_uuid(), 'goal.reached', '[]', $1, $1, 'delivered', NULL FROM webhook"
    ),
    "decisions": _inserted(
        "INSERT INTO moderation_decisions (streamer_id, donation_id, what, by_kind, by_name, decided_at)"
        " VALUES ({streamer}, {donation}, 'hide', 'owner', 'anna', $1)"
    ),
    "notifications": _inserted(
        "INSERT INTO inbox (terminal_id, dedup_key, body, received_at, processed_at)"
        " SELECT id, random()::text, 'raw', $1, $1 FROM terminals WHERE streamer_id = {streamer}"
    ),
}
"""Of each rule's things, one of that age."""


async def everything(connection: Any) -> dict[str, list[str]]:
    """What every table holds, row by row."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {
        row["tablename"]: sorted(
            json.dumps(json.loads(found["row"]), sort_keys=True)
            for found in await connection.fetch(f"SELECT to_jsonb(t)::text AS row FROM {row['tablename']} AS t")
        )
        for row in tables
    }


async def world(connection: Any) -> None:
    """A paid donation, and of each rule's things a fresh one."""
    _, payment = await open_donation(connection, await make_streamer(connection))
    await hear(connection, payment, N.CONFIRMED, raw=b'{"Pan": "430000******0777"}')


def test_the_operator_chooses_what_is_not_fixed() -> None:
    assert set(DAYS) == {rule.name for rule in RULES if rule.fixed_days is None}
    assert {rule.name for rule in RULES} == set(MAKE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_what_is_older_goes_and_nothing_else(connection: asyncpg.Connection, rule: Rule) -> None:
    days = retention.days_of(rule, DAYS)
    await world(connection)
    for name, make in MAKE.items():
        if name != rule.name:
            # What another rule keeps longer, or is just not old enough, is no business of this one.
            other = next(one for one in RULES if one.name == name)
            await make(connection, timedelta(days=retention.days_of(other, DAYS)) - timedelta(minutes=5))
    young = timedelta(days=days) - timedelta(minutes=5)
    await MAKE[rule.name](connection, young)
    assert await forget(connection, DAYS) == 0
    before = await everything(connection)
    await MAKE[rule.name](connection, timedelta(days=days) + timedelta(minutes=5))
    added = await everything(connection)
    assert await forget(connection, DAYS) == 1
    after = await everything(connection)
    for table, rows in after.items():
        gone = [row for row in added[table] if row not in rows]
        new = [row for row in rows if row not in added[table]]
        assert not [row for row in before[table] if row not in rows], table
        # A row that is emptied is another row; what is deleted leaves none.
        assert (len(gone), len(new)) in ((0, 0), (1, 0), (1, 1)), table
        assert "не оплачено" not in "".join(new)
        assert "anya@example.org" not in "".join(new)
    assert await forget(connection, DAYS) == 0
    await check_books(connection)


async def test_one_batch_at_a_time(connection: asyncpg.Connection) -> None:
    await world(connection)
    for _ in range(3):
        await MAKE["letters"](connection, timedelta(days=31))
    assert await retention.forget_old(connection, DAYS, limit=2) == 2
    assert await retention.forget_old(connection, DAYS, limit=2) == 1


async def test_the_operator_may_keep_less(connection: asyncpg.Connection) -> None:
    await world(connection)
    await MAKE["letters"](connection, timedelta(days=10))
    assert await forget(connection, {**DAYS, "letters": 7}) == 1


async def test_a_letter_that_waits_and_a_notification_nobody_acted_on_stay(connection: asyncpg.Connection) -> None:
    await world(connection)
    await MAKE["letters"](connection, timedelta(days=400))
    await connection.execute("UPDATE letters SET status = 'waiting', next_try_at = now(), finished_at = NULL")
    await MAKE["notifications"](connection, timedelta(days=500))
    await connection.execute("UPDATE inbox SET processed_at = NULL")
    assert await forget(connection, DAYS) == 0
    await connection.execute("UPDATE inbox SET processed_at = now(), outcome = 'unknown_order'")
    assert await forget(connection, DAYS) == 0, "it waits for a person"
    await connection.execute("UPDATE inbox SET settled_at = now()")
    assert await forget(connection, DAYS) == 1


async def test_a_cleared_alert_outlives_the_press_that_cleared_it(connection: asyncpg.Connection) -> None:
    await world(connection)
    await MAKE["controls"](connection, timedelta(days=200))
    await connection.execute(
        "UPDATE alerts SET status = 'dropped', finished_at = now(), cleared_by = (SELECT act_id FROM alert_actions)"
    )
    assert await forget(connection, DAYS) == 1
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert await connection.fetchval("SELECT count(*) FROM alerts WHERE status = 'dropped'") == 1


async def test_the_banks_own_message_goes_after_a_year_and_the_log_stays(connection: asyncpg.Connection) -> None:
    await world(connection)
    news = await connection.fetchrow("SELECT * FROM payment_news WHERE raw IS NOT NULL")
    assert news is not None
    with pytest.raises(asyncpg.RestrictViolationError):
        async with connection.transaction():
            await connection.execute("UPDATE payment_news SET raw = NULL")
    await connection.execute("ALTER TABLE payment_news DISABLE TRIGGER USER")
    await connection.execute("UPDATE payment_news SET created_at = created_at - interval '401 days'")
    await connection.execute("ALTER TABLE payment_news ENABLE TRIGGER USER")
    for other in ("raw = 'other'", "raw = NULL, note = 'x'", "status_after = 'failed'"):
        with pytest.raises(asyncpg.RestrictViolationError):
            async with connection.transaction():
                await connection.execute(f"UPDATE payment_news SET {other}")
    assert await forget(connection, DAYS) == 1
    after = await connection.fetchrow("SELECT * FROM payment_news WHERE id = $1", news["id"])
    assert after is not None
    assert dict(after) == {**dict(news), "raw": None, "created_at": after["created_at"]}
    await check_books(connection)


async def test_one_forgets_at_a_time(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as one, pool.acquire() as other, one.transaction(), other.transaction():
        await world(one)
        await MAKE["letters"](one, timedelta(days=31))
        assert await forget(one, DAYS) == 1
        assert await forget(other, DAYS) == 0


@pytest.mark.parametrize("name", ["law.md", "law.ru.md"])
def test_the_document_tells_the_days_of_the_code(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    told = {row[0]: int(row[1]) for row in re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)}
    assert told == DAYS


def test_the_environment_says_only_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "WEB_URL", "REALTIME_URL", "SECRET_KEYS"):
        monkeypatch.setenv(name, "http://localhost")
    monkeypatch.setenv("KEEP_DAYS", '{"letters": 14}')
    assert Settings().keep_days.model_dump() == {**DAYS, "letters": 14}
    monkeypatch.setenv("KEEP_DAYS", '{"notifications": 30}')
    with pytest.raises(ValueError, match="notifications"):
        Settings()
