"""A donor asks that the name and the message go: nothing of them is left, and the money is as it was."""

from typing import Any

import asyncpg
import pytest

from domain import donor_requests, self_check
from domain.donations import CreatedDonation
from domain.errors import NotFoundError
from domain.moderation_log import list_decisions
from domain.payment_status import NewsStatus as N
from domain.self_check import Depth
from infra.database import look_at_one_moment
from tests.builders import BOX, BuiltStreamer, check_books, hear, make_streamer, open_donation

NAME, SAID = "Петя Секретов", "сказанное секретно"


async def give(
    connection: Any, streamer: BuiltStreamer, name: str = NAME, *, status: N = N.CONFIRMED
) -> CreatedDonation:
    donation, payment = await open_donation(connection, streamer, donor_name=name, message=SAID)
    await hear(connection, payment, status)
    await connection.execute("UPDATE payments SET payer = '430000******0777' WHERE donation_id = $1", donation.id)
    return donation


async def erase(connection: Any, streamer: BuiltStreamer, donation: CreatedDonation, *, others: bool = False) -> int:
    return await donor_requests.erase(
        connection,
        streamer.id,
        donation.id,
        with_others=others,
        user_id=streamer.owner_id,
        user_name="anna@example.org",
    )


async def places_of(connection: Any, text: str) -> set[str]:
    """The tables that hold a text anywhere."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {
        row["tablename"]
        for row in tables
        if await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {row['tablename']} AS t WHERE t::text LIKE '%' || $1 || '%')", text
        )
    }


async def test_the_words_go_everywhere_and_the_money_stays(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna = await make_streamer(connection)
        await connection.execute("INSERT INTO moderation_settings (streamer_id, mode) VALUES ($1, 'approve')", anna.id)
        async with connection.transaction():
            donation = await give(connection, anna)
        await connection.execute(
            "INSERT INTO statistics_counts (streamer_id, first_day, last_day, time_zone, counted, good_until)"
            " VALUES ($1, now(), now(), 'UTC', jsonb_build_object('best', $2::text), now() + interval '1 hour')",
            anna.id, NAME,
        )  # fmt: skip
        money = "SELECT amount_minor, status, paid_at, consent_version, consented_at FROM donations"
        before = await connection.fetchrow(money)
        assert {"donations", "holds", "statistics_counts"} <= await places_of(connection, NAME)
        async with connection.transaction():
            assert await erase(connection, anna, donation) == 1
        assert await places_of(connection, NAME) == set()
        assert await places_of(connection, SAID) == set()
        assert await places_of(connection, "430000******0777") == set()
        assert await connection.fetchrow(money) == before
        assert await connection.fetchval("SELECT erased_at IS NOT NULL FROM donations")
        (*_, last) = await list_decisions(connection, anna.id, donation.id)
        assert (last.what, last.by_kind, last.by_name) == ("erase", "owner", "anna@example.org")
        await check_books(connection)
    async with pool.acquire() as connection, look_at_one_moment(connection):
        findings = await self_check.look(connection, BOX, Depth.FULL)
    assert {finding.rule for finding in findings if finding.found} <= {"relay_missing"}


async def test_others_under_the_name_go_only_if_wished(connection: asyncpg.Connection) -> None:
    anna, bert = await make_streamer(connection), await make_streamer(connection)
    first, _same, _other = [await give(connection, anna, name) for name in (NAME, NAME.lower(), "Петя")]
    await give(connection, bert)
    assert len(await donor_requests.list_same_donor(connection, anna.id, first.id)) == 1
    assert await erase(connection, anna, first) == 1
    assert await connection.fetchval("SELECT count(*) FROM donations WHERE donor_name IS NOT NULL") == 3
    again = await give(connection, anna)
    assert await erase(connection, anna, again, others=True) == 2
    left = await connection.fetch(
        "SELECT streamer_id, donor_name FROM donations WHERE donor_name IS NOT NULL ORDER BY 1"
    )
    assert [tuple(row) for row in left] == [(anna.id, "Петя"), (bert.id, NAME)]


async def test_a_masked_name_is_not_taken_for_the_same_person(connection: asyncpg.Connection) -> None:
    anna = await make_streamer(connection)
    first, _second = [await give(connection, anna, name) for name in ("Грубый один", "Грубый два")]
    await connection.execute("UPDATE donations SET public_donor_name = '***'")
    assert await donor_requests.list_same_donor(connection, anna.id, first.id) == []


async def test_an_unpaid_one_can_be_emptied_too_and_may_still_be_paid(connection: asyncpg.Connection) -> None:
    anna = await make_streamer(connection)
    donation, payment = await open_donation(connection, anna, donor_name=NAME, message=SAID)
    await erase(connection, anna, donation)
    await hear(connection, payment, N.CONFIRMED)
    assert await connection.fetchval("SELECT coalesce(donor_name, '') || message FROM alerts") == ""
    await check_books(connection)


async def test_twice_and_anothers(connection: asyncpg.Connection) -> None:
    anna, bert = await make_streamer(connection), await make_streamer(connection)
    donation = await give(connection, anna)
    assert await erase(connection, anna, donation) == 1
    assert await erase(connection, anna, donation) == 1
    with pytest.raises(NotFoundError):
        await erase(connection, bert, await give(connection, anna))
