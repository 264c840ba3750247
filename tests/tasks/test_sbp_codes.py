"""The link of an SBP code is asked for when a payment is opened, and a payment opens without it all the same."""

from typing import Any

import httpx
import pytest

from domain.donations import DonorState, DonorView, read_donor_view
from domain.payments import PaymentStatus
from tasks.payments import SBP_LEAST_MINOR, create_payment
from tests.builders import check_books, latest_payment, make_donation
from tests.tasks.conftest import World


async def open_one(world: World, *, amount_minor: int = 30_000) -> DonorView:
    """A wish of this amount, opened at the bank; what its donor sees then."""
    async with world.parts.pool.acquire() as connection, connection.transaction():
        donation = await make_donation(connection, world.streamer, amount_minor=amount_minor)
        payment = await latest_payment(connection, donation)
    await create_payment(world.parts, payment.id)
    async with world.parts.pool.acquire() as connection:
        payment = await latest_payment(connection, donation)
        view = await read_donor_view(connection, donation.public_id)
        await check_books(connection)
    assert view is not None
    assert (payment.status, view.state) == (PaymentStatus.PENDING, DonorState.OPEN)
    assert payment.payment_url == view.payment_url is not None
    return view


async def offers_sbp(world: World) -> bool | None:
    """What is known of the terminal."""
    offers: bool | None = await world.parts.pool.fetchval("SELECT offers_sbp FROM terminals")
    return offers


async def test_the_code_is_kept_with_the_payment(world: World) -> None:
    view = await open_one(world)
    assert view.sbp_payload is not None
    assert view.sbp_payload.startswith(f"{world.bank.url}/qr/")
    async with httpx.AsyncClient() as phone:
        assert (await phone.get(view.sbp_payload)).status_code == 200
    assert await offers_sbp(world) is True


async def test_below_ten_rubles_there_is_no_sbp(world: World) -> None:
    # Were it asked for, this would still be there for the next.
    await world.bank.fail("GetQr", "error_code", code="3001", times=1)
    assert (await open_one(world, amount_minor=SBP_LEAST_MINOR - 1)).sbp_payload is None
    assert await offers_sbp(world) is None
    assert (await open_one(world, amount_minor=SBP_LEAST_MINOR)).sbp_payload is None
    assert (await open_one(world, amount_minor=SBP_LEAST_MINOR)).sbp_payload is not None


async def test_a_terminal_without_sbp(world: World) -> None:
    await world.bank.fail("GetQr", "error_code", code="3001", times=1)
    assert (await open_one(world)).sbp_payload is None
    assert await offers_sbp(world) is False
    # Switched on at the bank meanwhile.
    assert (await open_one(world)).sbp_payload is not None
    assert await offers_sbp(world) is True


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("error_code", {"code": "9999"}),
        ("error_code", {"code": "204"}),
        ("error_500", {}),
        ("invalid_json", {}),
        ("reset", {}),
        ("timeout_after", {"seconds": 30}),
        ("delay", {"seconds": 30}),
    ],
)
async def test_a_bank_in_trouble_costs_the_code_alone(world: World, kind: str, options: dict[str, Any]) -> None:
    await world.bank.fail("GetQr", kind, times=1, **options)
    assert (await open_one(world)).sbp_payload is None
    assert await offers_sbp(world) is None
    assert (await open_one(world)).sbp_payload is not None
