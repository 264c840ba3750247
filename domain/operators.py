"""What operators do to accounts; each act is logged, and one superuser is always left."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.errors import NotAllowedError
from domain.users import set_email
from infra import queries


@dataclass(frozen=True)
class AccountLine:
    id: int
    email: str
    is_superuser: bool
    is_active: bool
    created_at: datetime
    delete_at: datetime | None
    slug: str | None
    display_name: str | None
    seen_at: datetime | None


@dataclass(frozen=True)
class LogLine:
    action: str
    created_at: datetime
    email: str
    by_email: str | None


async def list_accounts(connection: Any, text: str, *, before_id: int = 0, limit: int) -> list[AccountLine]:
    """Newest first, those whose address, page or name contains the text."""
    rows = queries.users.list_users(connection, text=text.strip().lower(), before_id=before_id, limit=limit)
    return [AccountLine(**row) async for row in rows]


async def list_log(connection: Any, *, limit: int) -> list[LogLine]:
    return [LogLine(**row) async for row in queries.users.list_log(connection, limit=limit)]


async def lock_superusers(connection: Any) -> None:
    """Until the end of the transaction nobody else stops being one."""
    await queries.users.lock_superusers(connection)


async def is_last_superuser(connection: Any, user_id: int) -> bool:
    return bool(await queries.users.is_last_superuser(connection, user_id=user_id))


async def promote(connection: Any, user_id: int, by_user_id: int) -> bool:
    """Make a superuser. False: they are one, or are blocked."""
    done = await queries.users.make_superuser(connection, user_id=user_id)
    return await _log_if(connection, done, user_id, by_user_id, "superuser_made")


async def demote(connection: Any, user_id: int, by_user_id: int) -> bool:
    """False: they are none. Raises NotAllowedError("last_superuser")."""
    await _keep_one(connection, user_id)
    done = await queries.users.unmake_superuser(connection, user_id=user_id)
    return await _log_if(connection, done, user_id, by_user_id, "superuser_unmade")


async def block(connection: Any, user_id: int, by_user_id: int) -> bool:
    """Nobody signs in to it, and its page takes no donations. Raises NotAllowedError("last_superuser")."""
    await _keep_one(connection, user_id)
    done = await queries.users.set_active(connection, user_id=user_id, is_active=False)
    await queries.users.end_tokens(connection, user_id=user_id)
    await queries.sessions.delete_sessions_of(connection, user_id=user_id)
    return await _log_if(connection, done, user_id, by_user_id, "blocked")


async def note_made(connection: Any, user_id: int, by_user_id: int) -> None:
    """An operator made the account."""
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=by_user_id, action="account_made")


async def change_email(connection: Any, user_id: int, email: str, by_user_id: int) -> bool:
    """Another address, which nobody has proved. False: it is somebody's."""
    if not await set_email(connection, user_id, email, is_confirmed=False):
        return False
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=by_user_id, action="email_changed")
    return True


async def unblock(connection: Any, user_id: int, by_user_id: int) -> bool:
    done = await queries.users.set_active(connection, user_id=user_id, is_active=True)
    return await _log_if(connection, done, user_id, by_user_id, "unblocked")


async def _keep_one(connection: Any, user_id: int) -> None:
    await lock_superusers(connection)
    if await is_last_superuser(connection, user_id):
        raise NotAllowedError("last_superuser")


async def _log_if(connection: Any, tag: str, user_id: int, by_user_id: int, action: str) -> bool:
    if tag != "UPDATE 1":
        return False
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=by_user_id, action=action)
    return True
