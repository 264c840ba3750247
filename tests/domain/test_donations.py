"""A form sent twice is one donation; another wish, or a finished one, is another (DESIGN 17)."""

import asyncio

import asyncpg
import pytest

from domain.donations import DonorState, list_feed, read_donor_view, retry
from domain.errors import NotAllowedError, NotFoundError
from domain.payment_status import NewsStatus as N
from domain.payments import MAX_ATTEMPTS, PaymentStatus
from tests.builders import hear, latest_payment, make_donation, make_streamer, open_donation

KEY = "the-key-of-one-form-response"


async def test_a_doubled_form_is_one_donation(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    first = await make_donation(connection, streamer, form_key=KEY)
    second = await make_donation(connection, streamer, form_key=KEY)
    assert (first.id, first.is_new, second.is_new) == (second.id, True, False)
    assert await connection.fetchval("SELECT count(*) FROM payments") == 1
    assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'donation.created'") == 1


async def test_two_submits_at_the_same_moment_are_one_donation(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)

    async def submit() -> int:
        async with pool.acquire() as connection, connection.transaction():
            return (await make_donation(connection, streamer, form_key=KEY)).id

    ids = await asyncio.gather(*(submit() for _ in range(8)))
    assert len(set(ids)) == 1
    assert await pool.fetchval("SELECT count(*) FROM donations") == 1


@pytest.mark.parametrize("changed", [{"amount_minor": 30_001}, {"donor_name": None}, {"message": "Иначе"}])
async def test_changed_fields_make_a_new_donation(connection: asyncpg.Connection, changed: dict[str, object]) -> None:
    streamer = await make_streamer(connection)
    first = await make_donation(connection, streamer, form_key=KEY)
    second = await make_donation(connection, streamer, form_key=KEY, **changed)  # type: ignore[arg-type]
    again = await make_donation(connection, streamer, form_key=KEY, **changed)  # type: ignore[arg-type]
    assert second.id != first.id
    assert again.id == second.id


async def test_a_paid_donation_is_not_found_again_by_its_form(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    first, payment = await open_donation(connection, streamer, form_key=KEY)
    await hear(connection, payment, N.CONFIRMED)
    second = await make_donation(connection, streamer, form_key=KEY)
    assert second.id != first.id


async def test_after_a_quarter_of_an_hour_it_is_a_new_wish(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    first = await make_donation(connection, streamer, form_key=KEY)
    await connection.execute("UPDATE donations SET created_at = now() - interval '16 minutes'")
    assert (await make_donation(connection, streamer, form_key=KEY)).id != first.id


async def test_the_same_key_at_another_streamer_is_another_form(connection: asyncpg.Connection) -> None:
    first = await make_donation(connection, await make_streamer(connection), form_key=KEY)
    second = await make_donation(connection, await make_streamer(connection), form_key=KEY)
    assert first.id != second.id


async def test_without_a_terminal_nothing_is_written(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    await connection.execute("UPDATE terminals SET retired_at = now()")
    with pytest.raises(NotAllowedError, match="no_terminal"):
        await make_donation(connection, streamer)
    assert await connection.fetchval("SELECT count(*) FROM donations") == 0


async def test_a_retry_keeps_a_link_that_lives(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer)
    await retry(connection, donation.public_id, link_minutes=30)
    assert (await latest_payment(connection, donation)).id == payment.id


async def test_a_retry_hurries_an_attempt_on_its_way(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation = await make_donation(connection, streamer)
    await retry(connection, donation.public_id, link_minutes=30)
    latest = await latest_payment(connection, donation)
    assert (latest.attempt, latest.status) == (1, PaymentStatus.NEW)
    assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'create_payment'") == 1


async def test_a_retry_of_nothing(connection: asyncpg.Connection) -> None:
    with pytest.raises(NotFoundError):
        await retry(connection, "no-such-donation", link_minutes=30)


async def test_attempts_have_an_end(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, _ = await open_donation(connection, streamer)
    for _ in range(MAX_ATTEMPTS - 1):
        await connection.execute("UPDATE payments SET status = 'expired', closed_at = now()")
        await retry(connection, donation.public_id, link_minutes=30)
    await connection.execute("UPDATE payments SET status = 'expired', closed_at = now()")
    with pytest.raises(NotAllowedError, match="too_many_attempts"):
        await retry(connection, donation.public_id, link_minutes=30)


async def test_the_donor_sees_the_place_in_the_queue(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donations = []
    for _ in range(3):
        donation, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED)
        donations.append(donation)
    views = [await read_donor_view(connection, donation.public_id) for donation in donations]
    assert [view.position for view in views if view] == [1, 2, 3]
    assert all(view is not None and view.state is DonorState.QUEUED for view in views)
    waits = [view.wait_seconds for view in views if view]
    assert waits == sorted(waits)
    assert waits[0] == 0 < waits[1] < waits[2]
    assert len({view.version for view in views if view}) == 3


async def test_the_feed_shows_money_only_in_the_order_it_came(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    opened = [await open_donation(connection, streamer) for _ in range(5)]
    came = [opened[number] for number in (2, 0, 3, 1)]
    under_review = came[2][0].id
    for minute, (donation, payment) in enumerate(came):
        await hear(connection, payment, N.CONFIRMED)
        at = f"now() + interval '{minute} minutes'"
        await connection.execute(f"UPDATE payments SET confirmed_at = {at} WHERE id = $1", payment.id)
        await connection.execute(f"UPDATE donations SET paid_at = {at} WHERE id = $1", donation.id)
    await connection.execute("UPDATE donations SET status = 'review', paid_at = NULL WHERE id = $1", under_review)

    newest = await list_feed(connection, streamer.id, limit=3)
    assert [row.id for row in newest] == [came[3][0].id, under_review, came[1][0].id]
    assert [row.paid_at for row in newest] == sorted((row.paid_at for row in newest), reverse=True)
    for row, older in zip(newest, ([2, 1, 0], [1, 0], [0]), strict=True):
        found = await list_feed(connection, streamer.id, before=row)
        assert [row.id for row in found] == [came[number][0].id for number in older]


async def test_of_money_that_came_at_once_the_later_wish_is_first(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donations = []
    for _ in range(3):
        donation, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED)
        donations.append(donation.id)
    newest, *_ = rows = await list_feed(connection, streamer.id)
    assert [row.id for row in rows] == donations[::-1]
    assert await list_feed(connection, streamer.id, before=newest) == rows[1:]


async def test_an_unknown_page_has_no_view(connection: asyncpg.Connection) -> None:
    assert await read_donor_view(connection, "nothing") is None


async def test_limits_are_the_databases_too(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    with pytest.raises(asyncpg.CheckViolationError):
        await make_donation(connection, streamer, amount_minor=0)
