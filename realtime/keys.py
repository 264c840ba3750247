"""Who may listen: API tokens and applications' tokens (`sc_…`), people's signed tokens, overlay tokens.

A key is looked at once when it connects and, for as long as it is connected, every two seconds.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.access_tokens import PREFIX, find_access, list_good_tokens
from domain.overlay_tokens import find_overlay_token, list_valid_tokens
from domain.scopes import Scope
from domain.streamers import Streamer, find_by_owner, find_by_slug, get_streamer
from domain.tokens import hash_token
from domain.users import get_token_holder, list_token_holders
from infra.crypto import SecretBox
from infra.jwt import read_jwt

LISTENED = frozenset({Scope.DONATIONS_READ, Scope.ALERTS_READ, Scope.GOALS_READ, Scope.STATS_READ})
"""What decides which events come; other scopes open nothing here."""


class KeyKind(StrEnum):
    ACCESS = "access"
    PERSON = "person"
    OVERLAY = "overlay"


@dataclass(frozen=True)
class Key:
    """`id` is the access token's, the user's or the overlay token's; `program_id` that of all tokens of an access."""

    kind: KeyKind
    id: int
    streamer_id: int
    slug: str
    scopes: frozenset[Scope]
    signed: str = field(default="", repr=False)
    """A person's token, which tells when it is over."""
    is_owner: bool = True
    program_id: int | None = None

    @property
    def name(self) -> str:
        """Whose connections are counted together."""
        return f"{self.kind}-{self.id if self.program_id is None else self.program_id}"


class WrongStreamerError(Exception):
    """The key is good, but not for that streamer, or for none."""


async def find_listener(connection: Any, box: SecretBox, token: str, slug: str | None = None) -> Key | None:
    """What an API token or a person's token opens; None: nothing (any more). `slug`: the streamer meant, if one is
    named. Raises WrongStreamerError."""
    if not token.startswith(PREFIX):
        return await _find_person(connection, box, token, slug)
    access = await find_access(connection, hash_token(token))
    if access is None:
        return None
    streamer = await get_streamer(connection, access.streamer_id)
    if slug not in (None, streamer.slug):
        raise WrongStreamerError
    return _key(KeyKind.ACCESS, access.token_id, streamer, access.scopes, program_id=access.program_id)


async def _find_person(connection: Any, box: SecretBox, token: str, slug: str | None) -> Key | None:
    signed = read_jwt(box, token)
    holder = None if signed is None else await get_token_holder(connection, signed.user_id)
    if signed is None or holder is None or holder.token_version != signed.version or not holder.user.is_active:
        return None
    streamer = await find_by_owner(connection, holder.user.id)
    is_owner = streamer is not None and slug in (None, streamer.slug)
    if not is_owner:
        streamer = await find_by_slug(connection, slug) if slug is not None and holder.user.is_superuser else None
    if streamer is None:
        raise WrongStreamerError
    return _key(KeyKind.PERSON, holder.user.id, streamer, LISTENED, signed=token, is_owner=is_owner)


async def find_overlay_key(connection: Any, token: str) -> Key | None:
    """What an overlay token opens for programs of version 1: donations, as they are shown anyhow."""
    found = await find_overlay_token(connection, token)
    if found is None or found.revoked:
        return None
    streamer = await get_streamer(connection, found.streamer_id)
    return _key(KeyKind.OVERLAY, found.id, streamer, frozenset({Scope.DONATIONS_READ}))


def _key(kind: KeyKind, id: int, streamer: Streamer, scopes: frozenset[Scope], **more: Any) -> Key:  # noqa: A002
    return Key(kind, id, streamer.id, streamer.slug, scopes, **more)


async def list_ended(connection: Any, box: SecretBox, keys: Collection[Key]) -> set[Key]:
    """Of keys that are connected, those that open nothing any more: revoked, over, of another version."""

    def of(kind: KeyKind) -> list[Key]:
        return [key for key in keys if key.kind is kind]

    ended: set[Key] = set()
    if tokens := of(KeyKind.ACCESS):
        good = await list_good_tokens(connection, {key.id for key in tokens})
        ended |= {key for key in tokens if key.id not in good}
    if overlays := of(KeyKind.OVERLAY):
        valid = await list_valid_tokens(connection, {key.id for key in overlays})
        ended |= {key for key in overlays if key.id not in valid}
    if people := of(KeyKind.PERSON):
        holders = await list_token_holders(connection, {key.id for key in people})
        for key in people:
            signed, (version, is_superuser) = read_jwt(box, key.signed), holders.get(key.id, (None, False))
            if signed is None or signed.version != version or not (key.is_owner or is_superuser):
                ended.add(key)
    return ended
