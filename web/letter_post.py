"""What pages need to have letters sent."""

from typing import Any

from domain import letters
from domain.confirmations import Mailer
from domain.letters import Kind
from domain.users import User, get_user, set_email
from web.context import parts


def mailer() -> Mailer:
    return Mailer(parts().box, parts().settings.web_host)


async def take_new_address(connection: Any, user_id: int, email: str) -> bool:
    """The address whose code came back becomes the user's; the former one gets a letter. False: it is somebody's."""
    before = await get_user(connection, user_id)
    if before is None or not await set_email(connection, user_id, email, is_confirmed=True):
        return False
    await post_letter(connection, Kind.EMAIL_CHANGED, before, {"new_email": email})
    return True


async def post_letter(
    connection: Any, kind: Kind, user: User, data: dict[str, Any] | None = None, *, locale: str | None = None
) -> int | None:
    """Ask for a letter to a user, in their language or another, in the caller's transaction, who wakes the relay.

    None: this site sends no mail.
    """
    if not parts().settings.sends_mail:
        return None
    return await letters.post(
        connection,
        kind,
        user.email,
        locale or user.locale,
        site=parts().settings.web_host,
        user_id=user.id,
        data=data,
    )
