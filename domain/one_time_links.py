"""Links that an operator hands out and that work once: the first account, an invitation, a new password."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.terminals import Box
from domain.tokens import hash_token, new_token
from domain.users import any_user_exists
from infra import queries

INVITE_HOURS = 7 * 24
PASSWORD_HOURS = 24


class LinkPurpose(StrEnum):
    FIRST = "first"
    """Makes the first account, a superuser's; good until it is used or an account exists otherwise."""
    INVITE = "invite"
    PASSWORD = "password"  # noqa: S105


@dataclass(frozen=True)
class OneTimeLink:
    id: int
    purpose: LinkPurpose
    user_id: int | None
    """Whose new password it is for."""


async def make_link(connection: Any, purpose: LinkPurpose, *, hours: int, user_id: int | None = None) -> str:
    """The token of a new link; only its hash is kept."""
    token = new_token()
    await queries.one_time_links.insert_link(
        connection, purpose=purpose, token_hash=hash_token(token), token_encrypted=None, user_id=user_id, hours=hours
    )
    return token


async def first_link(connection: Any, box: Box) -> str | None:
    """The token of the first account's link, the same at each call; None once there is an account.

    Several programs that start at once say the same.
    """
    await queries.one_time_links.lock_first_link(connection)
    if await any_user_exists(connection):
        return None
    row = await queries.one_time_links.get_first_link(connection)
    token = None if row is None else box.try_decrypt(row["token_encrypted"])
    if token is not None:
        return token
    # None yet, or one that no key reads any more.
    await queries.one_time_links.delete_first_link(connection)
    token = new_token()
    await queries.one_time_links.insert_link(
        connection,
        purpose=LinkPurpose.FIRST,
        token_hash=hash_token(token),
        token_encrypted=box.encrypt(token),
        user_id=None,
        hours=None,
    )
    return token


async def find_link(connection: Any, token: str) -> OneTimeLink | None:
    """What the link is good for; None when it was used, is too old, or never was one."""
    row = await queries.one_time_links.find_link(connection, token_hash=hash_token(token))
    return None if row is None else OneTimeLink(row["id"], LinkPurpose(row["purpose"]), row["user_id"])


async def use_link(connection: Any, link_id: int) -> bool:
    """False: somebody was first."""
    return bool(await queries.one_time_links.use_link(connection, link_id=link_id) == "UPDATE 1")
