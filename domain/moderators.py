"""Moderators: people whom a streamer lets in by a link, without an account (docs/decisions/0033).

    invited ──link opened──▶ in ──new link──▶ invited
       └──────────┴── revoked, or the time is over ──▶ out

A link works once and becomes a session of one browser; both are kept as hashes. Who may what is asked of the database
at each request, so that a revocation counts at once.
"""

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.pressers import Presser, PresserKind
from domain.text import NAME_MAX_LENGTH, clean_name
from domain.tokens import hash_token, new_token
from infra import queries

MAX_MODERATORS = 50
"""Of one streamer."""
LINK_DAYS = 7
"""How long an unused link works."""
HERE_SECONDS = 30
"""Whoever did not say for so long that he looks, does not."""
DAYS = (1, 7, 30, None)
"""How long an invitation may last; None: until it is revoked."""


class Right(StrEnum):
    QUEUE = "queue"
    """See what waits, as it was written, and decide about it."""
    AMOUNTS = "amounts"
    BLOCK = "block"
    """Block the donor of what waits, and make exceptions of words."""
    CONTROLS = "controls"
    """Skip, pause, mute and replay alerts."""


@dataclass(frozen=True)
class Moderator:
    """Whose session it is, and what they may; `nick` is what others call them."""

    id: int
    public_id: str
    nick: str
    rights: frozenset[Right]
    session_id: uuid.UUID
    expires_at: datetime | None
    streamer_id: int
    streamer_name: str
    time_zone: str

    @property
    def by(self) -> Presser:
        return Presser(PresserKind.MODERATOR, self.id, self.nick)


@dataclass(frozen=True)
class Invitation:
    """What a link that is still good invites to; `nick` is empty if it is to be asked for."""

    id: int
    public_id: str
    nick: str
    rights: frozenset[Right]
    expires_at: datetime | None
    streamer_name: str
    time_zone: str


@dataclass(frozen=True)
class ListedModerator:
    """`decisions`: of the last seven days. `has_link`: one that nobody has used yet and that still works."""

    id: int
    nick: str
    rights: frozenset[Right]
    created_at: datetime
    joined_at: datetime | None
    expires_at: datetime | None
    is_expired: bool
    has_joined: bool
    has_link: bool
    seen_at: datetime | None
    is_here: bool
    decisions: int


@dataclass(frozen=True)
class NewLink:
    moderator_id: int
    token: str


# What the streamer does.


async def invite(connection: Any, streamer_id: int, *, nick: str, rights: Iterable[str], days: int | None) -> NewLink:
    """A link for one person; only its hash is kept. Raises InvalidInputError("nick" | "rights" | "days", …),
    NotAllowedError("too_many")."""
    nick, chosen = clean_nick(nick, required=False), check_rights(rights)
    _check_days(days)
    # Locked, so that two forms at once do not pass the limit together.
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    if await queries.moderators.count_moderators(connection, streamer_id=streamer_id) >= MAX_MODERATORS:
        raise NotAllowedError("too_many", limit=MAX_MODERATORS)
    token = new_token()
    moderator_id = await queries.moderators.insert_moderator(
        connection,
        streamer_id=streamer_id,
        public_id=secrets.token_urlsafe(12),
        nick=nick,
        rights=chosen,
        link_hash=hash_token(token),
        link_days=LINK_DAYS,
        days=days,
    )
    return NewLink(moderator_id, token)


async def list_moderators(connection: Any, streamer_id: int) -> list[ListedModerator]:
    """Those that were not revoked, the newest first."""
    rows = queries.moderators.list_moderators(connection, streamer_id=streamer_id, here_seconds=float(HERE_SECONDS))
    return [ListedModerator(**{**row, "rights": _rights(row)}) async for row in rows]


async def change(
    connection: Any,
    streamer_id: int,
    moderator_id: int,
    *,
    nick: str,
    rights: Iterable[str],
    keeps_expiry: bool,
    days: int | None = None,
) -> None:
    """An empty nick leaves it as it is; `days` count from now, unless `keeps_expiry`.

    Raises NotFoundError("moderator"), InvalidInputError("nick" | "rights" | "days", …).
    """
    _check_days(days)
    result = await queries.moderators.update_moderator(
        connection,
        streamer_id=streamer_id,
        moderator_id=moderator_id,
        nick=clean_nick(nick, required=False),
        rights=check_rights(rights),
        keeps_expiry=keeps_expiry,
        days=days,
    )
    _expect_one(result)


async def renew_link(connection: Any, streamer_id: int, moderator_id: int) -> NewLink:
    """Another link; whoever came by the former is out. Raises NotFoundError("moderator")."""
    token = new_token()
    result = await queries.moderators.renew_link(
        connection,
        streamer_id=streamer_id,
        moderator_id=moderator_id,
        link_hash=hash_token(token),
        link_days=LINK_DAYS,
    )
    _expect_one(result)
    return NewLink(moderator_id, token)


async def revoke(connection: Any, streamer_id: int, moderator_id: int) -> None:
    """Out, for good; what they decided stays in the log. Raises NotFoundError("moderator")."""
    _expect_one(
        await queries.moderators.revoke_moderator(connection, streamer_id=streamer_id, moderator_id=moderator_id)
    )


# What the invited person does.


async def find_invitation(connection: Any, token: str) -> Invitation | None:
    """None when the link was used, is too old, was replaced, or never was one. Looking uses nothing."""
    row = await queries.moderators.find_invitation(connection, link_hash=hash_token(token))
    return None if row is None else Invitation(**{**row, "rights": _rights(row)})


async def join(connection: Any, token: str, *, nick: str) -> tuple[int, str] | None:
    """Exchange the link for a session: the streamer's id and the session's token. None: somebody was first.

    `nick` counts only if the streamer gave none. Raises InvalidInputError("nick", "required" | "too_long").
    """
    invitation = await find_invitation(connection, token)
    if invitation is None:
        return None
    if not invitation.nick:
        nick = clean_nick(nick)
    session = new_token()
    streamer_id = await queries.moderators.use_link(
        connection, link_hash=hash_token(token), session_hash=hash_token(session), nick=nick
    )
    return None if streamer_id is None else (streamer_id, session)


async def find_moderator(connection: Any, public_id: str, session: str) -> Moderator | None:
    """Whose session this is; None when it ended."""
    row = await queries.moderators.find_moderator(connection, public_id=public_id, session_hash=hash_token(session))
    return None if row is None else Moderator(**{**row, "rights": _rights(row)})


async def leave(connection: Any, moderator: Moderator) -> None:
    """They sign out; only a new link lets them in again."""
    await queries.moderators.end_session(connection, moderator_id=moderator.id)


async def list_good_sessions(connection: Any, session_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these sessions that still let in."""
    rows = queries.moderators.list_good_sessions(connection, session_ids=list(session_ids))
    return {row["session_id"] async for row in rows}


# Who looks at what waits.


async def note_here(connection: Any, streamer_id: int, by: Presser) -> bool:
    """This person looks now. True: the others did not know, and are to be told."""
    is_new: bool = await queries.moderators.note_here(
        connection,
        streamer_id=streamer_id,
        by_kind=by.kind,
        by_id=by.id,
        by_name=by.name[:NAME_MAX_LENGTH],
        here_seconds=float(HERE_SECONDS),
    )
    return is_new


async def list_here(connection: Any, streamer_id: int) -> list[Presser]:
    """Who looks now: whoever said so in the last half minute, so that a crash is forgotten by itself."""
    rows = queries.moderators.list_here(connection, streamer_id=streamer_id, here_seconds=float(HERE_SECONDS))
    return [Presser(PresserKind(row["by_kind"]), row["by_id"], row["by_name"]) async for row in rows]


# Rules.


def clean_nick(text: str, *, required: bool = True) -> str:
    """Raises InvalidInputError("nick", "required" | "too_long")."""
    nick = clean_name(text)
    if required and not nick:
        raise InvalidInputError("nick", "required")
    if len(nick) > NAME_MAX_LENGTH:
        raise InvalidInputError("nick", "too_long", over=len(nick) - NAME_MAX_LENGTH, limit=NAME_MAX_LENGTH)
    return nick


def check_rights(chosen: Iterable[str]) -> list[str]:
    """In the order of `Right`. Raises InvalidInputError("rights", "unknown" | "required"): without the queue and the
    controls there is nothing to open."""
    wanted = set(chosen)
    if not wanted <= set(Right):
        raise InvalidInputError("rights", "unknown")
    if not wanted & {Right.QUEUE, Right.CONTROLS}:
        raise InvalidInputError("rights", "required")
    return [right.value for right in Right if right in wanted]


def _check_days(days: int | None) -> None:
    if days not in DAYS:
        raise InvalidInputError("days", "range")


def _rights(row: Any) -> frozenset[Right]:
    return frozenset(Right(right) for right in row["rights"])


def _expect_one(result: str) -> None:
    if result != "UPDATE 1":
        raise NotFoundError("moderator")
