"""What an act that a stranger at an open laptop could misuse asks for: the password, or that one signed in just now."""

from domain.users import User, has_password, verify_password
from web.account_limits import take_password
from web.context import parts
from web.i18n import _
from web.sessions import FRESH_SECONDS, current_session


async def signed_in_just_now() -> bool:
    session = await current_session()
    return session is not None and session.age_seconds <= FRESH_SECONDS


async def not_confirmed(user: User, password: str, field: str) -> dict[str, str]:
    """An error for the field of the password, or nothing. Who has none must have signed in a moment ago."""
    async with parts().pool.acquire() as connection:
        knows_password = await has_password(connection, user.id)
    if knows_password:
        return await wrong_password(user, password, field)
    if await signed_in_just_now():
        return {}
    return {field: _("The account has no password to ask for: sign out and in again, then do this within 15 minutes.")}


async def wrong_password(user: User, password: str, field: str) -> dict[str, str]:
    """An error for the field, or nothing when it is the user's password."""
    if not password:
        return {field: _("Enter your password.")}
    await take_password(user.id)
    async with parts().pool.acquire() as connection:
        found = await verify_password(connection, user.email, password)
    return {} if found is not None and found.id == user.id else {field: _("This is not your password.")}
