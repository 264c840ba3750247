"""Accounts at other sites that belong to a user: they sign her in, or are only linked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.users import User
from infra import queries


@dataclass(frozen=True)
class Identity:
    provider: str
    name: str
    linked_at: datetime
    last_used_at: datetime | None


class Unlinked(StrEnum):
    DONE = "done"
    NOTHING = "nothing"
    ONLY_WAY_IN = "only_way_in"
    """Without a password it is how she signs in: first she sets one."""


async def find_identity_user(connection: Any, provider: str, subject: str, name: str) -> User | None:
    """The user whom this account signs in, active or not; its name is kept as it is now."""
    row = await queries.identities.find_identity_user(connection, provider=provider, subject=subject, name=name)
    return None if row is None else User(row["id"], row["email"], row["is_superuser"], row["is_active"])


async def link(connection: Any, user_id: int, provider: str, subject: str, name: str) -> bool:
    """False: that account belongs to another user here, or this user has another one there."""
    row = await queries.identities.insert_identity(
        connection, user_id=user_id, provider=provider, subject=subject, name=name
    )
    return row is not None


async def list_identities(connection: Any, user_id: int) -> list[Identity]:
    return [Identity(**row) async for row in queries.identities.list_identities(connection, user_id=user_id)]


async def unlink(
    connection: Any, user_id: int, provider: str, *, has_password: bool, signing_in: Collection[str]
) -> Unlinked:
    """`signing_in`: the providers that sign in here now."""
    rows = queries.identities.lock_identities(connection, user_id=user_id)
    linked = [row["provider"] async for row in rows]
    if provider not in linked:
        return Unlinked.NOTHING
    others = [name for name in linked if name != provider and name in signing_in]
    if provider in signing_in and not has_password and not others:
        return Unlinked.ONLY_WAY_IN
    await queries.identities.delete_identity(connection, user_id=user_id, provider=provider)
    return Unlinked.DONE
