"""A provider's registry of operations: the only place where its fees and chargebacks are told.

A person brings a file (`web/pages/registry.py`); its lines are stored at once, whole or not at all, and an actor reads
them: matches payments, books fees and chargebacks up to what all files say, and has the provider asked about what our
books lack. Everything is counted from the stored lines, so files may come twice, in parts and in any order. What does
not fit is in `domain/differences.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain import ledger, outbox, payments
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Actor
from domain.payments import payment_from
from domain.registry_rows import RegistryKind, RegistryRow
from domain.terminals import Terminal
from infra import queries

NAME_MAX_LENGTH = 200
FEES_AT_ONCE = 200
"""Payments whose fees are booked in one transaction."""

_ASKED_AT_ONCE = 500
# The last is a day and a half after the first.
_MAX_READS = 6
_BANKS_CLOCK = ZoneInfo("Europe/Moscow")


@dataclass(frozen=True)
class StoredFile:
    """`is_new` False: the same bytes were brought before."""

    id: int
    is_new: bool


@dataclass(frozen=True)
class FileView:
    """A stored file; sums in kopecks as it says them. `new_rows` are those that no earlier file had told."""

    id: int
    name: str
    provider: str
    terminal_key: str
    first_day: date
    last_day: date
    rows: int
    new_rows: int
    payments: int
    payments_minor: int
    refunds: int
    refunds_minor: int
    chargebacks: int
    chargebacks_minor: int
    fees_minor: int
    read_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Reading:
    """A file that is being read."""

    id: int
    streamer_id: int
    terminal_id: int


# Storing.


async def store_file(
    connection: Any,
    *,
    terminals: Sequence[Terminal],
    chosen: Terminal,
    name: str,
    sha256: bytes,
    rows: Sequence[RegistryRow],
    user_id: int | None,
) -> list[StoredFile]:
    """Store a parsed file, one for each of the streamer's terminals in it, and ask the actor to read it.

    `terminals` are all the streamer's at this provider; lines of others' terminals are left out. Raises
    InvalidInputError("file", "empty" | "other_terminal" with `terminal`).
    """
    if not rows:
        raise InvalidInputError("file", "empty")
    stored = []
    for terminal, own in (await _by_terminal(connection, terminals, chosen, rows)).items():
        file_id = await queries.registry.insert_file(
            connection,
            streamer_id=terminal.streamer_id,
            terminal_id=terminal.id,
            provider=terminal.provider,
            name=name[:NAME_MAX_LENGTH] or "registry",
            sha256=sha256,
            uploaded_by=user_id,
            rows=len(own),
            **_summary(own),
        )
        if file_id is None:
            known_id = await queries.registry.find_file(connection, terminal_id=terminal.id, sha256=sha256)
            stored.append(StoredFile(known_id, is_new=False))
            continue
        await _insert_rows(connection, file_id, own)
        await outbox.add_task(connection, Actor.READ_REGISTRY, file_id)
        stored.append(StoredFile(file_id, is_new=True))
    return stored


async def _by_terminal(
    connection: Any, terminals: Sequence[Terminal], chosen: Terminal, rows: Sequence[RegistryRow]
) -> dict[Terminal, list[RegistryRow]]:
    """Lines by the terminal they name. If none names one of ours, the name may be the bank's own for it: then the
    payments decide."""
    by_key = {terminal.terminal_key: terminal for terminal in terminals}
    found: dict[Terminal, list[RegistryRow]] = defaultdict(list)
    for row in rows:
        terminal = by_key.get(row.terminal) if row.terminal else chosen
        if terminal is not None:
            found[terminal].append(row)
    if found:
        return dict(found)
    ids = list({row.provider_payment_id for row in rows if row.provider_payment_id})
    if await queries.registry.knows_payments(connection, terminal_id=chosen.id, provider_payment_ids=ids):
        return {chosen: list(rows)}
    raise InvalidInputError("file", "other_terminal", terminal=rows[0].terminal)


def _summary(rows: Iterable[RegistryRow]) -> dict[str, Any]:
    """What a file's line of the list says."""
    number: Counter[RegistryKind] = Counter()
    amount: Counter[RegistryKind] = Counter()
    days = []
    fees_minor = 0
    for row in rows:
        number[row.kind] += 1
        amount[row.kind] += row.amount_minor
        fees_minor += row.fee_minor
        days.append(row.operated_at.astimezone(_BANKS_CLOCK).date())
    return {
        "first_day": min(days),
        "last_day": max(days),
        "payments": number[RegistryKind.PAYMENT],
        "payments_minor": amount[RegistryKind.PAYMENT],
        "refunds": number[RegistryKind.REFUND],
        "refunds_minor": amount[RegistryKind.REFUND],
        "chargebacks": number[RegistryKind.CHARGEBACK],
        "chargebacks_minor": amount[RegistryKind.CHARGEBACK],
        "fees_minor": fees_minor,
    }


async def _insert_rows(connection: Any, file_id: int, rows: Sequence[RegistryRow]) -> None:
    seen: Counter[tuple[Any, ...]] = Counter()
    occurrences = []
    for row in rows:
        key = (
            row.provider_payment_id,
            row.provider_kind,
            row.operated_at,
            row.amount_minor,
            row.fee_minor,
            row.reference,
            row.order_id,
        )
        seen[key] += 1
        occurrences.append(seen[key])
    inserted = await queries.registry.insert_rows(
        connection,
        file_id=file_id,
        numbers=[row.number for row in rows],
        kinds=[row.kind.value for row in rows],
        provider_kinds=[row.provider_kind for row in rows],
        provider_payment_ids=[row.provider_payment_id for row in rows],
        order_ids=[row.order_id for row in rows],
        operated_at=[row.operated_at for row in rows],
        settled_on=[row.settled_on for row in rows],
        amounts=[row.amount_minor for row in rows],
        fees=[row.fee_minor for row in rows],
        nets=[row.net_minor for row in rows],
        references=[row.reference for row in rows],
        occurrences=occurrences,
        raws=[row.raw for row in rows],
    )
    await queries.registry.note_new_rows(connection, file_id=file_id, new_rows=int(inserted.rsplit(" ", 1)[1]))


# Reading: each step in a transaction of its own, so that donations do not wait for a large file. A step may be done
# again; what is booked is always the whole of what the lines say.


async def start_reading(connection: Any, file_id: int) -> Reading | None:
    """Hold a file; None when there is no such."""
    row = await queries.registry.start_reading(connection, file_id=file_id)
    return None if row is None else Reading(**row)


async def match(connection: Any, reading: Reading) -> int:
    """Find the lines' payments, and have the provider asked about what our books lack: how many payments.

    A payment of one of our orders under an id that is not ours becomes a payment of its own, as with any news.
    """
    touched = await _match_rows(connection, reading)
    unknown = [
        row
        async for row in queries.registry.list_unknown_of_our_orders(
            connection, file_id=reading.id, limit=_ASKED_AT_ONCE
        )
    ]
    asked = set()
    for row in unknown:
        payment = payment_from(await queries.payments.lock_payment(connection, payment_id=row["id"]))
        if payment.provider_payment_id is None:
            asked.add(payment.id)
        elif payment.provider_payment_id != row["provider_payment_id"]:
            asked.add(await payments.adopt_twin(connection, payment, row["provider_payment_id"]))
    if unknown:
        touched |= await _match_rows(connection, reading)
    for file_id in sorted(touched - {reading.id}):
        await outbox.add_task(connection, Actor.READ_REGISTRY, file_id)
    await queries.registry.note_registry_sums(connection, file_id=reading.id)
    lacking = queries.registry.list_payments_to_ask_about(connection, file_id=reading.id, limit=_ASKED_AT_ONCE)
    asked |= {row["id"] async for row in lacking}
    for payment_id in sorted(asked):
        # Not a task for each: the relay asks a terminal's bank about a few at a time.
        await queries.payments.check_soon(connection, payment_id=payment_id, delay_seconds=0.0)
    return len(asked)


async def _match_rows(connection: Any, reading: Reading) -> set[int]:
    rows = queries.registry.match_rows(connection, terminal_id=reading.terminal_id)
    return {row["file_id"] async for row in rows}


async def book_fees(connection: Any, reading: Reading, after_id: int) -> int | None:
    """Book the fees of some payments of the file, those after `after_id`; where to go on, None at the end."""
    ids = [
        row["payment_id"]
        async for row in queries.registry.list_payments_with_fees(
            connection, file_id=reading.id, after_id=after_id, limit=FEES_AT_ONCE
        )
    ]
    newest = 0
    for payment_id in ids:
        await queries.payments.lock_payment(connection, payment_id=payment_id)
        fees = await queries.registry.sum_fees(connection, payment_id=payment_id)
        transaction, _ = await ledger.book_fee(
            connection,
            streamer_id=reading.streamer_id,
            payment_id=payment_id,
            fees_minor=fees["fees_minor"],
            moved_at=fees["moved_at"],
        )
        newest = newest if transaction is None else transaction.id
    if newest:
        # Fees change no total, and the ledger must not seem ahead of them.
        await queries.totals.note_counted(connection, streamer_id=reading.streamer_id, ledger_transaction_id=newest)
    last: int | None = await queries.registry.last_payment_with_fees(
        connection, file_id=reading.id, after_id=after_id, limit=FEES_AT_ONCE
    )
    return last


async def list_disputed_payments(connection: Any, reading: Reading) -> list[int]:
    """Payments whose chargebacks or reversals our books lack; each is booked by `chargebacks.book`."""
    rows = queries.registry.list_disputed_payments(connection, file_id=reading.id)
    return [row["payment_id"] async for row in rows]


async def finish_reading(connection: Any, reading: Reading) -> None:
    """Read to the end. What waits for a payment is looked at again by itself: after a minute, and ever later."""
    is_open = await queries.registry.has_open_rows(connection, file_id=reading.id)
    await queries.registry.finish_reading(connection, file_id=reading.id, is_open=bool(is_open), max_reads=_MAX_READS)


async def read_again(connection: Any, streamer_id: int, file_id: int) -> None:
    """Raises NotFoundError("file")."""
    if await queries.registry.read_again(connection, streamer_id=streamer_id, file_id=file_id) != "UPDATE 1":
        raise NotFoundError("file")
    await outbox.add_task(connection, Actor.READ_REGISTRY, file_id)


async def ask_due(connection: Any, *, limit: int = 20) -> int:
    """Ask the actor about files whose time has come; how many."""
    due = {row["id"] async for row in queries.registry.claim_due_files(connection, limit=limit)}
    # A payment may have been booked long after the file with its chargeback was read.
    due |= {row["id"] async for row in queries.registry.list_files_with_unbooked_disputes(connection, limit=limit)}
    for file_id in sorted(due):
        await outbox.add_task(connection, Actor.READ_REGISTRY, file_id)
    return len(due)


# Looking.


async def list_files(connection: Any, streamer_id: int, *, limit: int = 60) -> list[FileView]:
    """The newest days first."""
    return [
        FileView(**row) async for row in queries.registry.list_files(connection, streamer_id=streamer_id, limit=limit)
    ]


async def last_day(connection: Any, streamer_id: int) -> date | None:
    """The newest day that a registry has told of; None while there was none."""
    day: date | None = await queries.registry.last_day(connection, streamer_id=streamer_id)
    return day
