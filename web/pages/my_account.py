"""One's own account: how one signs in, from where, and how to leave. What its buttons do is in `my_account_acts.py`.

GET /account         the page
GET /account/email   where the code is typed that went to a new address
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quart import Blueprint, Response, redirect, url_for
from quart.typing import ResponseReturnValue

from domain import archives, erasure
from domain.access_tokens import list_keys
from domain.confirmations import Purpose
from domain.grants import list_allowed
from domain.identities import list_identities
from domain.operators import is_last_superuser
from domain.sessions import list_sessions
from domain.streamers import Streamer, find_by_owner
from domain.users import User, get_consent, has_password
from web.code_form import CodeForm
from web.context import parts
from web.devices import device_words, is_phone
from web.identity.providers import configured
from web.pages import desk
from web.pages.exports import size_words
from web.sessions import current_session, require_user

blueprint = Blueprint("my_account", __name__)

CODE = CodeForm(Purpose.EMAIL, "pages/email_code.html", "my_account.show_code", "my_account.show")
TIME_ZONE = "Europe/Moscow"


@dataclass(frozen=True)
class Device:
    session_id: int
    words: str
    is_phone: bool
    created_at: datetime
    seen_at: datetime
    is_this: bool


@blueprint.get("/account")
async def show() -> ResponseReturnValue:
    return await account_page(await require_user())


@blueprint.get("/account/email")
async def show_code() -> ResponseReturnValue:
    await require_user()
    asked = await CODE.find()
    if asked is None:
        return redirect(url_for("my_account.show"), 303)
    return await CODE.page(asked)


async def account_page(user: User, *, errors: dict[str, str] | None = None, new_email: str = "") -> Response:
    """The page; `errors` by the names of its fields."""
    session = await current_session()
    async with parts().pool.acquire() as connection:
        streamer = await find_by_owner(connection, user.id)
        lines = await list_sessions(connection, user.id)
        is_last = await is_last_superuser(connection, user.id)
        others = await _sites(connection, user)
        archive = await archives.get_latest(connection, user.id)
        consent = await get_consent(connection, user.id)
        has_keys = bool(await list_keys(connection, user.id) or await list_allowed(connection, user.id))
    devices = [
        Device(
            line.id,
            device_words(line.user_agent),
            is_phone(line.user_agent),
            line.created_at,
            line.seen_at,
            session is not None and line.id == session.id,
        )
        for line in lines
    ]
    devices.sort(key=lambda device: not device.is_this)
    return await desk.render(
        "pages/my_account.html",
        streamer,
        current="my_account.show",
        status=422 if errors else 200,
        account=user,
        devices=devices,
        errors=errors or {},
        new_email=new_email,
        is_last_superuser=is_last,
        sends_mail=parts().settings.sends_mail,
        time_zone=zone_of(streamer),
        days=erasure.DAYS,
        archive=archive,
        consent=consent,
        has_keys=has_keys,
        archive_days=parts().settings.keep_days.archives,
        size_words=size_words,
        **others,
    )


async def _sites(connection: Any, user: User) -> dict[str, Any]:
    """What the page shows of other sites."""
    providers = configured(parts().settings)
    linked = {identity.provider: identity for identity in await list_identities(connection, user.id)}
    return {
        "identities": [(provider, linked.get(name)) for name, provider in providers.items()],
        "has_password": await has_password(connection, user.id),
    }


def zone_of(streamer: Streamer | None) -> str:
    return TIME_ZONE if streamer is None else streamer.time_zone
