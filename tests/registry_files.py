"""A provider's registry for tests: lines made by hand, brought and read as the page and the actor do."""

import hashlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from domain.payments import Payment
from domain.registry import StoredFile, store_file
from domain.registry_rows import RegistryKind, RegistryRow
from domain.self_check import ALL_RULES, Depth, Severity, look
from domain.terminals import list_terminals
from tasks.registry import read_registry
from tests.builders import BOX, BuiltStreamer, check_books

MOSCOW = ZoneInfo("Europe/Moscow")
# Test payments are confirmed now; the bank's clock goes a second after it.
_seconds = itertools.count(1)
_files = itertools.count(1)


def line(
    payment: Payment,
    kind: RegistryKind = RegistryKind.PAYMENT,
    amount_minor: int | None = None,
    *,
    fee_minor: int = 0,
    **changes: Any,
) -> RegistryRow:
    """A line about a payment of ours, over its whole sum unless said otherwise."""
    amount_minor = payment.amount_minor if amount_minor is None else amount_minor
    values: dict[str, Any] = {
        "number": next(_seconds),
        "kind": kind,
        "provider_kind": kind.value.title(),
        "order_id": payment.order_id,
        "provider_payment_id": payment.provider_payment_id or "",
        "terminal": "",
        "operated_at": payment.created_at.astimezone(MOSCOW).replace(microsecond=0) + timedelta(seconds=next(_seconds)),
        "settled_on": None,
        "amount_minor": amount_minor,
        "fee_minor": fee_minor,
        "net_minor": max(0, amount_minor - fee_minor),
        "reference": "835508576879",
        "raw": f"{kind};{payment.provider_payment_id};{amount_minor}",
    }
    return RegistryRow(**{**values, **changes})


async def bring(
    connection: Any,
    streamer: BuiltStreamer,
    rows: Sequence[RegistryRow],
    *,
    name: str = "",
    sha256: bytes | None = None,
) -> list[StoredFile]:
    """Store a file as the page does; other bytes each time unless said otherwise."""
    terminals = await list_terminals(connection, streamer.id)
    name = name or f"registry-{next(_files)}.csv"
    return await store_file(
        connection,
        terminals=terminals,
        chosen=terminals[0],
        name=name,
        sha256=sha256 or hashlib.sha256(name.encode()).digest(),
        rows=rows,
        user_id=streamer.owner_id,
    )


async def read(connection: Any, file_id: int) -> None:
    """Read a file as the actor does, in this connection's transaction."""
    await read_registry(parts_of(connection), file_id)


async def bring_and_read(connection: Any, streamer: BuiltStreamer, *rows: RegistryRow) -> StoredFile:
    [stored] = await bring(connection, streamer, rows)
    await read(connection, stored.id)
    return stored


def parts_of(connection: Any) -> Any:
    """An actor's parts, as far as it needs them, over one connection."""

    @asynccontextmanager
    async def acquire() -> AsyncIterator[Any]:
        yield connection

    async def after_commit(_wakes: Any = ()) -> None:
        return

    return SimpleNamespace(pool=SimpleNamespace(acquire=acquire), after_commit=after_commit)


async def check_all(connection: Any) -> None:
    """The books as `check_books` sees them, and as the self-check does."""
    await check_books(connection)
    async with connection.transaction():
        findings = await look(connection, BOX, Depth.FULL)
    broken = [one for one in findings if one.found and ALL_RULES[one.rule].severity is Severity.BROKEN]
    assert broken == []
