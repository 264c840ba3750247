"""Running totals of a streamer, kept with the ledger and counted anew from it when they fall behind."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra import queries


@dataclass(frozen=True)
class Totals:
    """Kopecks that donations brought, less refunds; today and the month in the streamer's time zone."""

    currency: str
    today_minor: int
    month_minor: int
    all_minor: int
    today_donations: int
    donations: int


async def read_totals(connection: Any, streamer_id: int) -> Totals:
    return (await list_totals(connection, {streamer_id}))[streamer_id]


async def list_totals(connection: Any, streamer_ids: Collection[int]) -> dict[int, Totals]:
    """By streamer."""
    rows = queries.totals.list_totals(connection, streamer_ids=list(streamer_ids))
    names = Totals.__dataclass_fields__
    return {row["streamer_id"]: Totals(**{name: row[name] for name in names}) async for row in rows}


async def add_to_totals(
    connection: Any,
    *,
    streamer_id: int,
    paid_at: datetime,
    delta_minor: int,
    delta_donations: int,
    ledger_transaction_id: int,
) -> None:
    """Count a ledger transaction of `delta_minor` kopecks, in that transaction's own database transaction."""
    await queries.totals.add_to_totals(
        connection,
        streamer_id=streamer_id,
        paid_at=paid_at,
        delta_minor=delta_minor,
        delta_donations=delta_donations,
        ledger_transaction_id=ledger_transaction_id,
    )


async def are_behind(connection: Any, streamer_id: int) -> bool:
    """Whether the ledger knows more than a streamer's totals do. Locks nothing."""
    return bool(await queries.totals.are_behind(connection, streamer_id=streamer_id))


async def recount(connection: Any, streamer_id: int) -> bool:
    """Count a streamer's totals anew, unless somebody else just did. Nobody adds to them meanwhile."""
    counted = await queries.totals.lock_totals(connection, streamer_id=streamer_id)
    newest = await queries.totals.newest_transaction(connection, streamer_id=streamer_id)
    if newest <= counted:
        return False
    await queries.totals.delete_days(connection, streamer_id=streamer_id)
    await queries.totals.count_days(connection, streamer_id=streamer_id)
    await queries.totals.count_totals(connection, streamer_id=streamer_id, ledger_transaction_id=newest)
    return True
