"""An account that is deleted: what donors wrote leaves, what they paid stays, and the books are right."""

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from domain import alerts, erasure, letters, operators, rejudging, self_check
from domain.confirmations import Mailer, begin_email, begin_password
from domain.errors import NotAllowedError
from domain.moderation import Act, Rule, Settings
from domain.moderation_settings import save_settings
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.pressers import Presser, PresserKind
from domain.self_check import Depth
from domain.streamer_cards import Extras, save_extras
from domain.streamers import is_open
from domain.user_profiles import UserProfile, save_profile
from domain.users import get_user, set_email
from infra.database import look_at_one_moment
from tasks.erasure import erase_account
from tests.builders import BOX, BuiltStreamer, check_books, hear, make_streamer, open_donation
from tests.domain.test_money_races import wait_for_a_lock


async def run(pool: asyncpg.Pool, user_id: int) -> None:
    async def after_commit(_: Any) -> None:
        pass

    parts: Any = SimpleNamespace(pool=pool, after_commit=after_commit)
    await erase_account(parts, user_id)


async def go_through(connection: Any, streamer: BuiltStreamer) -> None:
    """All steps once, a row at a time."""
    for step in erasure.STEPS:
        after_id: int | None = 0
        while after_id is not None:
            after_id = (await erasure.erase_batch(connection, step, streamer.id, after_id=after_id, limit=1)).last_id


async def let_it_be_due(connection: Any, streamer: BuiltStreamer) -> None:
    await erasure.ask_for(connection, streamer.owner_id)
    await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", streamer.owner_id)


async def words_left(connection: Any, streamer: BuiltStreamer) -> list[str]:
    """Wherever the donors' words stand: they are all "Петя" and "секрет"."""
    tables = await connection.fetch(
        "SELECT table_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND column_name = 'streamer_id' AND table_type = 'BASE TABLE' ORDER BY 1"
    )
    return [
        row["table_name"]
        for row in tables
        if await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {row['table_name']} AS line"
            " WHERE streamer_id = $1 AND (line::text LIKE '%Петя%' OR line::text LIKE '%секрет%'))",
            streamer.id,
        )
    ]


async def test_what_programs_knew_goes_as_well(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna, bert = await make_streamer(connection), await make_streamer(connection)
        for streamer in (anna, bert):
            name = f"name {streamer.id}"
            await save_profile(connection, streamer.owner_id, UserProfile(name, "Анна", "https://a.ru/a.png", "о себе"))
            await save_extras(connection, streamer.id, Extras("Играем", 100, "a", "b", "c"))
        await let_it_be_due(connection, anna)
    version = await pool.fetchval("SELECT token_version FROM users WHERE id = $1", anna.owner_id)
    await run(pool, anna.owner_id)
    assert await pool.fetchval("SELECT token_version FROM users WHERE id = $1", anna.owner_id) > version
    assert [row["user_id"] for row in await pool.fetch("SELECT user_id FROM user_profiles")] == [bert.owner_id]
    assert [row["streamer_id"] for row in await pool.fetch("SELECT streamer_id FROM streamer_extras")] == [bert.id]


async def test_words_go_and_money_stays(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna, bert = await make_streamer(connection), await make_streamer(connection)
        for streamer in (anna, anna, bert):
            _, payment = await open_donation(connection, streamer, donor_name="Петя", message="секрет")
            await hear(connection, payment, N.CONFIRMED)
        await connection.execute(
            "INSERT INTO manual_donations (public_id, streamer_id, donor_name, message, amount_minor, received_at)"
            " VALUES ('0123456789012345678901', $1, 'Петя', 'секрет', 100, now())",
            anna.id,
        )
        # Somebody is paying at this moment.
        _, open_one = await open_donation(connection, anna, donor_name="Петя", message="секрет")

        await erasure.ask_for(connection, anna.owner_id)
        await run(pool, anna.owner_id)
        assert await connection.fetchval("SELECT count(*) FROM donations WHERE donor_name IS NOT NULL") == 4
        await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", anna.owner_id)
        assert await erasure.ask_due(connection) == 1
        # Stopped in the middle, and asked for again.
        assert await erasure.begin(connection, anna.owner_id) is not None
        assert await erasure.ask_due(connection) == 1
        await run(pool, anna.owner_id)
        assert await erasure.ask_due(connection) == 0
        await run(pool, anna.owner_id)

        kept = await connection.fetch(
            "SELECT streamer_id, donor_name, message FROM donations WHERE donor_name IS NOT NULL OR message <> ''"
        )
        assert [row["streamer_id"] for row in kept] == [bert.id]
        for table in ("alerts", "manual_donations"):
            words = await connection.fetch(f"SELECT streamer_id FROM {table} WHERE message <> ''")
            assert {row["streamer_id"] for row in words} <= {bert.id}, table
        user = await connection.fetchrow("SELECT * FROM users WHERE id = $1", anna.owner_id)
        assert user is not None
        assert (user["email"], user["is_active"]) == (f"erased-{anna.owner_id}@erased.invalid", False)
        assert not await is_open(connection, anna.id)
        assert await is_open(connection, bert.id)

        # The late donor's money is booked all the same.
        await hear(connection, open_one, N.CONFIRMED)
        assert await connection.fetchval("SELECT net_minor FROM streamer_totals WHERE streamer_id = $1", anna.id) == (
            90_000
        )
        await check_books(connection)
    async with pool.acquire() as connection, look_at_one_moment(connection):
        findings = await self_check.look(connection, BOX, Depth.FULL)
    # No program runs here, and that is found, too.
    assert {finding.rule for finding in findings if finding.found} <= {"relay_missing"}


async def test_who_thought_again_is_not_erased(connection: Any) -> None:
    anna = await make_streamer(connection)
    await erasure.ask_for(connection, anna.owner_id)
    assert await erasure.think_again(connection, anna.owner_id)
    assert not await erasure.think_again(connection, anna.owner_id)
    assert await erasure.begin(connection, anna.owner_id) is None
    await erasure.ask_for(connection, anna.owner_id)
    await connection.execute("UPDATE users SET delete_at = now() - interval '1 second'")
    assert not await erasure.think_again(connection, anna.owner_id), "it may have begun"


async def test_an_account_without_a_page(pool: asyncpg.Pool) -> None:
    user_id = await pool.fetchval("INSERT INTO users (email, password_hash) VALUES ('x@y.z', '') RETURNING id")
    async with pool.acquire() as connection:
        await erasure.ask_for(connection, user_id)
    await pool.execute("UPDATE users SET delete_at = now()")
    await run(pool, user_id)
    assert await pool.fetchval("SELECT erased_at IS NOT NULL FROM users WHERE id = $1", user_id)


async def held_with_an_exception(connection: Any, streamer: BuiltStreamer) -> None:
    """Two donations that wait; the streamer lets a word of one through, and the other waits on for its link."""
    await save_settings(connection, streamer.id, Settings(acts={Rule.WORDS: Act.HOLD, Rule.LINKS: Act.HOLD}))
    for message in ("сука секрет", "сука секрет, kek.ru"):
        _, payment = await open_donation(connection, streamer, donor_name="Петя", message=message)
        await hear(connection, payment, N.CONFIRMED, payer="430000******0777")
    alert_id: uuid.UUID = await connection.fetchval("SELECT alert_id FROM alerts ORDER BY id LIMIT 1")
    by = Presser(PresserKind.OWNER, streamer.owner_id, "Петя")
    assert await rejudging.allow(connection, streamer.id, alert_id, 0, by)


async def test_what_she_gave_stays_and_that_it_was_she_goes(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        anna, bert = await make_streamer(connection), await make_streamer(connection)
        donation, _ = await open_donation(connection, bert)
        await connection.execute(
            "INSERT INTO api_donations (donation_id, streamer_id, user_id, payment_method) VALUES ($1, $2, $3, 'card')",
            donation.id, bert.id, anna.owner_id,
        )  # fmt: skip
        await let_it_be_due(connection, anna)
    await run(pool, anna.owner_id)
    row = await pool.fetchrow("SELECT donation_id, user_id FROM api_donations")
    assert row is not None
    assert tuple(row) == (donation.id, None)


async def test_nothing_that_moderation_wrote_down_keeps_words(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna = await make_streamer(connection)
        await held_with_an_exception(connection, anna)
        assert set(await words_left(connection, anna)) == {"alerts", "donations", "holds", "moderation_decisions"}
        await let_it_be_due(connection, anna)
        await run(pool, anna.owner_id)
        assert await words_left(connection, anna) == []
        reasons = await connection.fetch("SELECT what, reason FROM moderation_decisions ORDER BY id")
        assert [tuple(row) for row in reasons] == [("hold", "rules"), ("hold", "rules"), ("exception", "")]
        assert await connection.fetchval("SELECT count(*) FROM payments WHERE payer <> ''") == 0
        await check_books(connection)


async def test_the_payer_of_late_news_is_not_written_down(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna, bert = await make_streamer(connection), await make_streamer(connection)
        _, payment = await open_donation(connection, anna)
        _, other = await open_donation(connection, bert)
        await let_it_be_due(connection, anna)
        await run(pool, anna.owner_id)
        for late in (payment, other):
            await hear(connection, late, N.CONFIRMED, payer="430000******0777")
        payers = {row["streamer_id"]: row["payer"] for row in await connection.fetch("SELECT * FROM payments")}
        assert payers == {anna.id: "", bert.id: "430000******0777"}


async def test_a_donation_booked_meanwhile_is_erased_too_and_nobody_waits_for_it(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna = await make_streamer(connection)
        await save_settings(connection, anna.id, Settings(acts={Rule.WORDS: Act.HOLD}))
        _, before = await open_donation(connection, anna, donor_name="Петя", message="секрет")
        await hear(connection, before, N.CONFIRMED)
        _, payment = await open_donation(connection, anna, donor_name="Петя", message="сука секрет")
        await let_it_be_due(connection, anna)
    async with pool.acquire() as connection, pool.acquire() as watcher:
        booking = connection.transaction()
        await booking.start()
        await hear(connection, payment, N.CONFIRMED, payer="430000******0777")
        erasing = asyncio.create_task(run(pool, anna.owner_id))
        async with asyncio.timeout(30):
            while await watcher.fetchval("SELECT count(*) FROM donations WHERE message <> ''") > 1:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert not erasing.done(), "one donation is left, and somebody is at work on it"
        assert await watcher.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0
        await booking.commit()
        async with asyncio.timeout(30):
            await erasing
        assert await words_left(watcher, anna) == []
        assert await watcher.fetchval("SELECT status FROM payments WHERE id = $1", payment.id) == "confirmed"
        assert await watcher.fetchval("SELECT count(*) FROM alerts WHERE status IN ('held', 'queued')") == 0
        assert await watcher.fetchval("SELECT erased_at IS NOT NULL FROM users WHERE id = $1", anna.owner_id)
        await check_books(watcher)


async def test_money_that_goes_back_meanwhile(pool: asyncpg.Pool) -> None:
    """As it was, the erasure held the donations while it waited for alerts, and a refund the other way round."""
    async with pool.acquire() as connection:
        anna = await make_streamer(connection)
        _, payment = await open_donation(connection, anna, donor_name="Петя", message="секрет")
        await hear(connection, payment, N.CONFIRMED)
        await let_it_be_due(connection, anna)
    async with pool.acquire() as connection:
        refunding = connection.transaction()
        await refunding.start()
        await connection.execute("SELECT FROM alerts FOR NO KEY UPDATE")
        erasing = asyncio.create_task(run(pool, anna.owner_id))
        await asyncio.sleep(0.5)
        await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
        await refunding.commit()
        async with asyncio.timeout(30):
            await erasing
        assert await words_left(connection, anna) == []
        await check_books(connection)


async def test_words_that_came_in_after_the_steps_are_found_at_the_end(connection: Any) -> None:
    anna = await make_streamer(connection)
    _, payment = await open_donation(connection, anna, donor_name="Петя", message="секрет")
    await hear(connection, payment, N.CONFIRMED)
    await let_it_be_due(connection, anna)
    assert await erasure.begin(connection, anna.owner_id) is not None
    await go_through(connection, anna)
    await alerts.enqueue_test(connection, anna.id, 100, "Петя", "секрет")
    assert not await erasure.finish(connection, anna.owner_id, anna.id)
    assert await erasure.ask_due(connection) == 1, "it is not done"
    await go_through(connection, anna)
    assert await erasure.finish(connection, anna.owner_id, anna.id)
    assert await erasure.ask_due(connection) == 0


async def test_the_end_waits_for_a_form_that_was_sent_before(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna = await make_streamer(connection)
    async with pool.acquire() as connection:
        sending = connection.transaction()
        await sending.start()
        await open_donation(connection, anna, donor_name="Петя", message="секрет")
        async with pool.acquire() as other:
            await let_it_be_due(other, anna)
        erasing = asyncio.create_task(run(pool, anna.owner_id))
        await wait_for_a_lock(pool)
        assert not erasing.done()
        await sending.commit()
        async with asyncio.timeout(30):
            await erasing
        assert await words_left(connection, anna) == []


async def test_letters_to_a_former_address_go_too(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna, bert = await make_streamer(connection), await make_streamer(connection)
        user = await get_user(connection, anna.owner_id)
        other = await get_user(connection, bert.owner_id)
        assert user is not None
        assert other is not None
        first = user.email
        mailer = Mailer(BOX, "example.org")
        # Before there was an account, to the one it had, to one that was only wished for, and that it was changed.
        await letters.post(connection, letters.Kind.REGISTER, first, "ru", site="x", box=BOX, secret="123456")
        await begin_password(connection, mailer, first, locale="ru")
        await begin_email(connection, mailer, user, "wished@example.org", locale="ru")
        await letters.post(connection, letters.Kind.EMAIL_CHANGED, first, "ru", site="x", user_id=user.id)
        assert await set_email(connection, user.id, "second@example.org", is_confirmed=True)
        await letters.post(connection, letters.Kind.TEST, "second@example.org", "ru", site="x")
        await letters.post(connection, letters.Kind.TEST, other.email, "ru", site="x", user_id=other.id)
        await erasure.ask_for(connection, user.id)
        await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", user.id)
        await run(pool, user.id)
        assert [row["recipient"] for row in await connection.fetch("SELECT recipient FROM letters")] == [other.email]


class TestTheLastSuperuser:
    async def two(self, pool: asyncpg.Pool) -> tuple[int, int]:
        async with pool.acquire() as connection:
            anna, bert = await make_streamer(connection), await make_streamer(connection)
            await connection.execute("UPDATE users SET is_superuser = true")
            return anna.owner_id, bert.owner_id

    async def test_who_is_leaving_does_not_stay_behind(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            anna, bert = await self.two(pool)
            await erasure.ask_for(connection, anna)
            for leave in (erasure.ask_for(connection, bert), operators.demote(connection, bert, anna)):
                with pytest.raises(NotAllowedError):
                    await leave
            assert await erasure.think_again(connection, anna)
            await erasure.ask_for(connection, bert)

    async def test_is_not_erased_when_the_other_is_gone_meanwhile(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            anna, bert = await self.two(pool)
            await erasure.ask_for(connection, anna)
            await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", anna)
            # As an operator may with the database at hand.
            await connection.execute("UPDATE users SET is_superuser = false WHERE id = $1", bert)
            assert await erasure.begin(connection, anna) is None
            row: Any = await connection.fetchrow(
                "SELECT is_active, is_superuser, delete_at FROM users WHERE id = $1", anna
            )
            assert tuple(row) == (True, True, None)
            assert await connection.fetchval("SELECT action FROM account_log ORDER BY id DESC LIMIT 1") == (
                "deletion_refused"
            )
            assert await erasure.ask_due(connection) == 0

    async def test_one_of_two_is_erased_and_a_stopped_run_goes_on(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            anna, _ = await self.two(pool)
            await erasure.ask_for(connection, anna)
            await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", anna)
            assert await erasure.begin(connection, anna) is not None
            await run(pool, anna)
            assert await connection.fetchval("SELECT erased_at IS NOT NULL FROM users WHERE id = $1", anna)
