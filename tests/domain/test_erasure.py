"""An account that is deleted: what donors wrote leaves, what they paid stays, and the books are right."""

from typing import Any

import asyncpg
import pytest

from domain import erasure, letters, operators, self_check
from domain.confirmations import Mailer, begin_email, begin_password
from domain.errors import NotAllowedError
from domain.payment_status import NewsStatus as N
from domain.self_check import Depth
from domain.streamers import is_open
from domain.users import get_user, set_email
from infra.database import look_at_one_moment
from tests.builders import BOX, check_books, hear, make_streamer, open_donation


async def run(connection: Any, user_id: int) -> None:
    """As the actor does it."""
    begun = await erasure.begin(connection, user_id)
    if begun is None:
        return
    if begun.streamer_id is not None:
        while await erasure.erase_texts(connection, begun.streamer_id, limit=1):
            pass
    await erasure.finish(connection, user_id)


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
        await run(connection, anna.owner_id)
        assert await connection.fetchval("SELECT count(*) FROM donations WHERE donor_name IS NOT NULL") == 4
        await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", anna.owner_id)
        assert await erasure.ask_due(connection) == 1
        # Stopped in the middle, and asked for again.
        assert await erasure.begin(connection, anna.owner_id) is not None
        assert await erasure.ask_due(connection) == 1
        await run(connection, anna.owner_id)
        assert await erasure.ask_due(connection) == 0
        await run(connection, anna.owner_id)

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


async def test_an_account_without_a_page(connection: Any) -> None:
    user_id = await connection.fetchval("INSERT INTO users (email, password_hash) VALUES ('x@y.z', '') RETURNING id")
    await erasure.ask_for(connection, user_id)
    await connection.execute("UPDATE users SET delete_at = now()")
    await run(connection, user_id)
    assert await connection.fetchval("SELECT erased_at IS NOT NULL FROM users WHERE id = $1", user_id)


async def test_letters_to_a_former_address_go_too(connection: Any) -> None:
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
    await run(connection, user.id)
    assert [row["recipient"] for row in await connection.fetch("SELECT recipient FROM letters")] == [other.email]


class TestTheLastSuperuser:
    async def two(self, connection: Any) -> tuple[int, int]:
        anna, bert = await make_streamer(connection), await make_streamer(connection)
        await connection.execute("UPDATE users SET is_superuser = true")
        return anna.owner_id, bert.owner_id

    async def test_who_is_leaving_does_not_stay_behind(self, connection: Any) -> None:
        anna, bert = await self.two(connection)
        await erasure.ask_for(connection, anna)
        for leave in (erasure.ask_for(connection, bert), operators.demote(connection, bert, anna)):
            with pytest.raises(NotAllowedError):
                await leave
        assert await erasure.think_again(connection, anna)
        await erasure.ask_for(connection, bert)

    async def test_is_not_erased_when_the_other_is_gone_meanwhile(self, connection: Any) -> None:
        anna, bert = await self.two(connection)
        await erasure.ask_for(connection, anna)
        await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", anna)
        # As an operator may with the database at hand.
        await connection.execute("UPDATE users SET is_superuser = false WHERE id = $1", bert)
        assert await erasure.begin(connection, anna) is None
        row = await connection.fetchrow("SELECT is_active, is_superuser, delete_at FROM users WHERE id = $1", anna)
        assert tuple(row) == (True, True, None)
        assert await connection.fetchval("SELECT action FROM account_log ORDER BY id DESC LIMIT 1") == (
            "deletion_refused"
        )
        assert await erasure.ask_due(connection) == 0

    async def test_one_of_two_is_erased_and_a_stopped_run_goes_on(self, connection: Any) -> None:
        anna, _ = await self.two(connection)
        await erasure.ask_for(connection, anna)
        await connection.execute("UPDATE users SET delete_at = now() WHERE id = $1", anna)
        assert await erasure.begin(connection, anna) is not None
        await run(connection, anna)
        assert await connection.fetchval("SELECT erased_at IS NOT NULL FROM users WHERE id = $1", anna)
