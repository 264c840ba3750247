"""Brings a donation into each state that its donor may see, by the rows that mean it."""

from typing import Any

from domain.donations import DonorState, NewDonation, create_donation
from domain.streamers import Streamer

_OPENED = "provider_payment_id = '77', payment_url = 'https://bank.example/pay/77', opened_at = now()"
_CONFIRMED = (
    f"UPDATE payments SET status = 'confirmed', {_OPENED}, confirmed_at = now(), closed_at = now(),"
    " confirmed_minor = amount_minor, booked_as = 'donation' WHERE donation_id = $1"
)
_PAID = "UPDATE donations SET status = 'paid', paid_at = now() WHERE id = $1"
_ALERT = (
    "INSERT INTO alerts (streamer_id, donation_id, kind, status, place, playable_at, donor_name, message, amount_minor,"
    " duration_ms, lease_id, leased_until, shown_at)"
    " SELECT streamer_id, id, 'donation', '{status}', {place}, {playable_at}, donor_name, message, amount_minor, 8000,"
    " {lease}, {shown_at} FROM donations WHERE id = $1"
)


_LEASE = "gen_random_uuid(), now() + interval '1 minute'"


def _alert(status: str) -> str:
    is_held = status == "held"
    return _ALERT.format(
        status=status,
        place="NULL::bigint" if is_held else "nextval('alert_places')",
        playable_at="NULL::timestamptz" if is_held else "now()",
        lease=_LEASE if status == "playing" else "NULL::uuid, NULL::timestamptz",
        shown_at="now()" if status == "shown" else "NULL::timestamptz",
    )


_STEPS: dict[DonorState, list[str]] = {
    DonorState.CREATING: [],
    DonorState.UNAVAILABLE: ["UPDATE payments SET error_code = 'timeout' WHERE donation_id = $1"],
    DonorState.OPEN: [f"UPDATE payments SET status = 'pending', {_OPENED} WHERE donation_id = $1"],
    DonorState.CHECKING: [f"UPDATE payments SET status = 'authorized', {_OPENED} WHERE donation_id = $1"],
    DonorState.DECLINED: [f"UPDATE payments SET status = 'failed', {_OPENED} WHERE donation_id = $1"],
    DonorState.EXPIRED: [
        f"UPDATE payments SET status = 'expired', {_OPENED}, closed_at = now() WHERE donation_id = $1"
    ],
    DonorState.REFUSED: [
        "UPDATE payments SET status = 'failed', error_code = '308', closed_at = now() WHERE donation_id = $1"
    ],
    DonorState.PAID_HELD: [_CONFIRMED, _PAID, _alert("held")],
    DonorState.QUEUED: [_CONFIRMED, _PAID, _alert("queued")],
    DonorState.PLAYING: [_CONFIRMED, _PAID, _alert("playing")],
    DonorState.SHOWN: [_CONFIRMED, _PAID, _alert("shown")],
    DonorState.DROPPED: [_CONFIRMED, _PAID, _alert("dropped")],
    DonorState.REVIEW: [_CONFIRMED, "UPDATE donations SET status = 'review' WHERE id = $1"],
    DonorState.RETURNED: [
        _CONFIRMED,
        "UPDATE payments SET status = 'refunded', booked_as = 'review' WHERE donation_id = $1",
        "UPDATE donations SET status = 'failed' WHERE id = $1",
    ],
    DonorState.REFUNDED: [
        _CONFIRMED,
        _PAID,
        "UPDATE donations SET status = 'refunded', refunded_minor = amount_minor WHERE id = $1",
    ],
    DonorState.PARTIALLY_REFUNDED: [
        _CONFIRMED,
        _PAID,
        "UPDATE donations SET status = 'partially_refunded', refunded_minor = 10000 WHERE id = $1",
    ],
}


async def add_donation(connection: Any, streamer: Streamer, key: str = "k" * 32) -> tuple[int, str]:
    """A new donation of 300 ₽; its id and public id."""
    new = NewDonation(
        streamer_id=streamer.id,
        form_key=key,
        amount_minor=30000,
        donor_name="Аня",
        message="Привет из Омска",
        locale="ru",
        consent_version="test",
    )
    created = await create_donation(connection, new, link_minutes=30)
    return created.id, created.public_id


async def bring_to(connection: Any, donation_id: int, state: DonorState) -> None:
    """From `creating` to `state`."""
    for step in _STEPS[state]:
        await connection.execute(step, donation_id)


async def put_before(connection: Any, streamer: Streamer, alerts: int, duration_ms: int) -> None:
    """Tests of the streamer that wait in the queue before everything else."""
    await connection.execute(
        "INSERT INTO alerts (streamer_id, kind, status, place, playable_at, amount_minor, duration_ms)"
        " SELECT $1, 'test', 'queued', -number, now(), 100, $3 FROM generate_series(1, $2) AS number",
        streamer.id,
        alerts,
        duration_ms,
    )
