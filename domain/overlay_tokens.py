"""The secret in an overlay's address, `/overlay#<token>` (DESIGN 16).

Hashed to be found, encrypted to be shown again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.terminals import Box
from domain.tokens import hash_token, new_token
from infra import queries


@dataclass(frozen=True)
class OverlayToken:
    """What a token says: whose overlay it opens, unless it was revoked."""

    id: int
    streamer_id: int
    revoked: bool


async def rotate_overlay_token(connection: Any, box: Box, streamer_id: int) -> str:
    """Make a new token, the streamer's first or in place of the former one, which opens nothing any more.

    After the commit a wake-up with Topic.CONTROLS makes realtime disconnect its overlays at once.
    """
    token = new_token()
    await queries.overlay_tokens.revoke_overlay_tokens(connection, streamer_id=streamer_id)
    await queries.overlay_tokens.insert_overlay_token(
        connection, streamer_id=streamer_id, token_hash=hash_token(token), token_encrypted=box.encrypt(token)
    )
    return token


async def reveal_overlay_token(connection: Any, box: Box, streamer_id: int) -> str | None:
    """The streamer's token in clear, or None while there is none, or none that any key of ours reads."""
    encrypted = await queries.overlay_tokens.get_encrypted_token(connection, streamer_id=streamer_id)
    return None if encrypted is None else box.try_decrypt(encrypted)


async def find_overlay_token(connection: Any, token: str) -> OverlayToken | None:
    """What a token stands for; None when it never was one of ours."""
    row = await queries.overlay_tokens.find_overlay_token(connection, token_hash=hash_token(token))
    return None if row is None else OverlayToken(**row)


async def list_valid_tokens(connection: Any, token_ids: Iterable[int]) -> set[int]:
    """Of these tokens, those that were not revoked."""
    rows = queries.overlay_tokens.list_valid_tokens(connection, token_ids=list(token_ids))
    return {row["id"] async for row in rows}
