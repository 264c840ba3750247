"""Receipts: whether any are sent for a streamer's donations, and what a fiscal one says (`contracts/ru-rules.md` 2, 3).

We decide nothing about taxes: a streamer says how she is to be taxed, and the provider is told so.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.errors import InvalidInputError
from infra import queries

ITEM_MAX_LENGTH = 128


class Receipts(StrEnum):
    NONE = "none"
    NPD = "npd"
    """The streamer makes her cheques herself, in «Мой налог»; the provider is sent none."""
    FISCAL = "fiscal"
    """54-ФЗ: the provider's cash register makes one for each payment, and the donor gives an e-mail for it."""


TAXATIONS = ("usn_income", "usn_income_outcome", "patent", "osn", "esn")
VATS = ("none", "vat22", "vat122", "vat10", "vat110", "vat5", "vat105", "vat7", "vat107", "vat0")
"""T-Bank's words, in the order they are offered."""


@dataclass(frozen=True)
class ReceiptSettings:
    kind: Receipts
    since: datetime | None
    taxation: str
    vat: str
    item: str


def clean_item(text: str) -> str:
    """What stands in the receipt. Raises InvalidInputError("receipt_item", "required" | "too_long" | "malformed")."""
    item = " ".join(text.split())
    if not item:
        raise InvalidInputError("receipt_item", "required")
    if len(item) > ITEM_MAX_LENGTH:
        raise InvalidInputError("receipt_item", "too_long", limit=ITEM_MAX_LENGTH, over=len(item) - ITEM_MAX_LENGTH)
    if not item.isprintable():
        raise InvalidInputError("receipt_item", "malformed")
    return item


async def get_settings(connection: Any, streamer_id: int) -> ReceiptSettings:
    row = await queries.receipts.get_settings(connection, streamer_id=streamer_id)
    return ReceiptSettings(
        Receipts(row["receipts"]), row["receipts_since"], row["taxation"], row["vat"], row["receipt_item"]
    )


async def set_settings(
    connection: Any, streamer_id: int, *, kind: Receipts, taxation: str, vat: str, item: str
) -> None:
    """Raises InvalidInputError of "taxation", "vat" or "receipt_item"."""
    if taxation not in TAXATIONS:
        raise InvalidInputError("taxation", "unknown")
    if vat not in VATS:
        raise InvalidInputError("vat", "unknown")
    await queries.receipts.set_settings(
        connection,
        streamer_id=streamer_id,
        receipts=kind,
        taxation=taxation,
        vat=vat,
        receipt_item=clean_item(item),
    )


async def start_npd(connection: Any, streamer_id: int) -> bool:
    """List her cheques from now on, if nothing else was chosen about receipts. False: something was."""
    started = await queries.receipts.start_npd(connection, streamer_id=streamer_id)
    return bool(started == "UPDATE 1")


async def asks_email(connection: Any, streamer_id: int) -> bool:
    """Whether a donor's e-mail is needed: for a fiscal receipt only."""
    return bool(await queries.receipts.asks_email(connection, streamer_id=streamer_id))
