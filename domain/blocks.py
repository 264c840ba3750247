"""Donors a streamer does not want: by name, by payer, or by address.

Names and masked payers are shared with strangers, so such a donation is held and a person looks. By address the form
refuses before anybody pays; mobile operators put hundreds of people behind one, so that block ends by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.moderation.folding import fold_name
from infra import queries

ADDRESS_DAYS = (1, 7, 30)
NOTE_MAX_LENGTH = 200


class BlockKind(StrEnum):
    NAME = "name"
    PAYER = "payer"
    ADDRESS = "address"


@dataclass(frozen=True)
class Block:
    """`shown` is what the list calls it; `expires_at` None: until it is lifted."""

    id: int
    kind: BlockKind
    shown: str
    note: str
    created_at: datetime
    expires_at: datetime | None
    donation_public_id: str | None


@dataclass(frozen=True)
class Blockable:
    """By what a donation's donor can be blocked: "" or None where there is nothing. `blocked` are those that are."""

    donation_id: int
    name: str
    payer: str
    address: str | None
    blocked: frozenset[BlockKind]

    def value(self, kind: BlockKind) -> str:
        """What is compared; "" when the donor cannot be blocked by it."""
        return {
            BlockKind.NAME: fold_name(self.name),
            BlockKind.PAYER: self.payer,
            BlockKind.ADDRESS: self.address or "",
        }[kind]


async def get_blockable(connection: Any, streamer_id: int, public_id: str) -> Blockable:
    """Raises NotFoundError("donation")."""
    row = await queries.blocks.get_blockable(connection, streamer_id=streamer_id, public_id=public_id)
    if row is None:
        raise NotFoundError("donation")
    found = Blockable(row["id"], row["donor_name"] or "", row["payer"], row["address"], frozenset())
    values = [f"{kind}:{found.value(kind)}" for kind in BlockKind if found.value(kind)]
    rows = queries.blocks.list_blocked_values(connection, streamer_id=streamer_id, values=values)
    blocked = frozenset([BlockKind(row["found"].split(":", 1)[0]) async for row in rows])
    return Blockable(found.donation_id, found.name, found.payer, found.address, blocked)


async def block(
    connection: Any, streamer_id: int, public_id: str, kind: BlockKind, *, note: str, days: int, user_id: int | None
) -> None:
    """Block a donation's donor. `days` counts for an address alone; `user_id` None: a moderator does it.

    Raises NotFoundError("donation"), NotAllowedError("nothing_to_block"), InvalidInputError("days" | "note", …).
    """
    note = " ".join(note.split())
    if len(note) > NOTE_MAX_LENGTH:
        raise InvalidInputError("note", "too_long", limit=NOTE_MAX_LENGTH)
    if kind is BlockKind.ADDRESS and days not in ADDRESS_DAYS:
        raise InvalidInputError("days", "range")
    found = await get_blockable(connection, streamer_id, public_id)
    value = found.value(kind)
    if not value:
        raise NotAllowedError("nothing_to_block")
    await queries.blocks.insert_block(
        connection,
        streamer_id=streamer_id,
        kind=kind,
        value=value,
        shown=found.payer if kind is BlockKind.PAYER else found.name,
        note=note,
        donation_id=found.donation_id,
        created_by=user_id,
        days=days if kind is BlockKind.ADDRESS else None,
    )


async def list_blocks(connection: Any, streamer_id: int, *, limit: int = 500) -> list[Block]:
    rows = queries.blocks.list_blocks(connection, streamer_id=streamer_id, limit=limit)
    return [Block(**{**row, "kind": BlockKind(row["kind"])}) async for row in rows]


async def unblock(connection: Any, streamer_id: int, block_id: int) -> None:
    """Raises NotFoundError("block")."""
    if await queries.blocks.delete_block(connection, streamer_id=streamer_id, block_id=block_id) is None:
        raise NotFoundError("block")


async def is_address_blocked(connection: Any, streamer_id: int, address_hashes: tuple[bytes, ...]) -> bool:
    """`address_hashes`: one for each key that may have made the block's."""
    is_blocked: bool = await queries.blocks.is_address_blocked(
        connection, streamer_id=streamer_id, values=[digest.hex() for digest in address_hashes]
    )
    return is_blocked


async def forget_expired(connection: Any) -> None:
    await queries.blocks.delete_expired(connection)
