"""The end of a run: wait until nothing moves any more. Time is brought forward where only time is waited for.

Nothing is done for the programs: what is due later is made due now, by its time alone, and they do it as ever. The
bank's clock goes first, so that no link which could still be paid is called dead.
"""

import asyncio
from collections.abc import Callable

from tests.chaos.house import House

BANK_AHEAD_SECONDS = 2 * 3600
"""Every link of the banks is dead afterwards (T-Bank's live for minutes, YooKassa's an hour)."""
LOOK_SECONDS = 1.0

_MOVING = {
    "payments not over": "SELECT count(*) FROM payments WHERE closed_at IS NULL OR next_check_at IS NOT NULL",
    "notifications not acted on": "SELECT count(*) FROM inbox WHERE processed_at IS NULL",
    "refunds not over": "SELECT count(*) FROM refunds WHERE finished_at IS NULL",
    "rows in the outbox": "SELECT count(*) FROM outbox",
    "alerts not over": "SELECT count(*) FROM alerts WHERE status IN ('held', 'queued', 'playing')",
    "totals behind the ledger": """
        SELECT count(*) FROM streamers LEFT JOIN streamer_totals AS totals ON totals.streamer_id = streamers.id
        WHERE coalesce(totals.ledger_transaction_id, 0) < coalesce(
            (SELECT max(id) FROM ledger_transactions WHERE streamer_id = streamers.id), 0)
    """,
}

_MADE_DUE = (
    "UPDATE provider_health SET rest_until = now() WHERE rest_until > now()",
    "UPDATE payments SET next_check_at = now() WHERE next_check_at > now()",
    "UPDATE inbox SET next_ask_at = now() WHERE processed_at IS NULL AND next_ask_at > now()",
    # Who looks at one holds it for a minute: to let another ask meanwhile would be our own fault. After a call through
    # SBP that got no answer the bank has ten minutes to show whether it did it; this one needs two seconds.
    """
    UPDATE refunds SET next_try_at = now(), called_at = called_at - interval '10 minutes'
    WHERE finished_at IS NULL AND next_try_at > now() AND asked_at < now() - interval '60 seconds'
    """,
    "UPDATE outbox SET available_at = now() WHERE available_at > now()",
)
_LINKS_DEAD = """
    UPDATE payments SET due_at = now() - interval '66 minutes'
    WHERE closed_at IS NULL AND payment_url IS NOT NULL AND due_at > now() - interval '66 minutes'
"""


async def wait_for_quiet(house: House, *, seconds: float, say: Callable[[str], None]) -> dict[str, int]:
    """What still moves after so many seconds; empty when nothing does.

    Steps: first all that was paid is told and booked; then every link dies, at the bank and with us.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    await _until_the_bank_has_told(house, deadline)
    await house.control("POST", "clock", advance_seconds=BANK_AHEAD_SECONDS)
    await _until_the_bank_has_told(house, deadline)
    said = ""
    while True:
        for statement in (*_MADE_DUE, _LINKS_DEAD):
            await house.value(statement)
        moving = await count_moving(house)
        if not moving or asyncio.get_running_loop().time() > deadline:
            return moving
        now = ", ".join(f"{count} {what}" for what, count in moving.items())
        if now != said:
            say(f"waiting for quiet: {now}")
            said = now
        await asyncio.sleep(LOOK_SECONDS)


async def count_moving(house: House) -> dict[str, int]:
    counts = {what: await house.value(query) for what, query in _MOVING.items()}
    return {what: count for what, count in counts.items() if count}


async def _until_the_bank_has_told(house: House, deadline: float) -> None:
    while asyncio.get_running_loop().time() < deadline:
        health = await house.control("GET", "health")
        assert health is not None
        if health["waiting_notifications"] == 0:
            return
        await asyncio.sleep(LOOK_SECONDS)
