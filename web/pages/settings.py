"""Every page where something is set, in plain words and with how it is set now: GET /dashboard/settings.

The pages and their words are those of the menu (`desk.py`); `BESIDE` adds those that the menu does not show, and
`settings_states.py` says how each is set. The search is in the page (`settings.js`): without script the list is whole.
"""

from collections.abc import Callable
from dataclasses import dataclass

from quart import Blueprint, Response, url_for

from domain.streamers import Streamer
from domain.users import User
from web.context import parts
from web.i18n import _
from web.pages import desk
from web.pages.desk import MENU, MenuGroup
from web.pages.settings_states import STATES, State
from web.sessions import require_streamer, require_user

blueprint = Blueprint("settings", __name__)


@dataclass(frozen=True)
class Beside:
    """A page, or a part of one, that the menu does not show. `place` is a part's id on its page."""

    endpoint: str
    place: str
    label: Callable[[], str]
    icon: str
    about: Callable[[], str]
    is_own: bool = False
    """Of the account of who looks, whichever streamer's settings these are."""


@dataclass(frozen=True)
class Item:
    address: str
    label: str
    icon: str
    about: str
    state: State | None


@dataclass(frozen=True)
class Group:
    title: str
    items: tuple[Item, ...]


# After which entry of the menu each stands.
BESIDE: dict[str, tuple[Beside, ...]] = {
    "dashboard.show": (
        Beside(
            "dashboard.show", "overlay", lambda: _("Overlay"), "monitor",
            lambda: _("The address for OBS: shown, copied, replaced."),
        ),
    ),
    "moderation.show": (
        Beside(
            "moderation_settings.show", "", lambda: _("Moderation rules"), "shield",
            lambda: _("Off, filter or approval first; what each rule does, your words, exceptions, the deadline."),
        ),
        Beside(
            "blocks.show", "", lambda: _("Blocked donors"), "close",
            lambda: _("Whose donations you do not want: by name, card or address."),
        ),
    ),
    "requisites.show": (
        Beside(
            "receipts.show", "", lambda: _("Receipts"), "page",
            lambda: _("None, self-employed, or a cash register by 54-FZ: taxation, VAT, what stands in the receipt."),
        ),
    ),
    "my_account.show": (
        Beside(
            "my_account.show", "identities", lambda: _("Accounts at other sites"), "link",
            lambda: _("Sign in with Yandex ID or VK ID; linked Twitch and YouTube."), is_own=True,
        ),
        Beside(
            "my_account.show", "sessions", lambda: _("Devices"), "monitor",
            lambda: _("Where you are signed in, and signing out everywhere."), is_own=True,
        ),
        Beside(
            "my_account.show", "data", lambda: _("My data"), "download",
            lambda: _("All that the site knows of you, as a file."), is_own=True,
        ),
        Beside(
            "my_account.show", "delete", lambda: _("Delete the account"), "trash",
            lambda: _("Everything goes after seven days; records of payments stay."), is_own=True,
        ),
    ),
}  # fmt: skip


@blueprint.get("/dashboard/settings")
async def show() -> Response:
    user, streamer = await require_user(), await require_streamer()
    groups = [await _group(group, user, streamer) for group in MENU if not group.for_operators or user.is_superuser]
    return await desk.render(
        "pages/settings.html", streamer, current="settings.show", groups=[group for group in groups if group.items]
    )


async def _group(group: MenuGroup, user: User, streamer: Streamer) -> Group:
    items = []
    for entry in group.entries:
        if entry.about is not None and (group.for_operators or await desk.is_shown_to(entry, streamer)):
            address = url_for(entry.endpoint) if group.for_operators else desk.address(entry.endpoint)
            state = await _state(entry.endpoint, user, streamer)
            items.append(Item(address, entry.label(), entry.icon, entry.about(), state))
        for beside in BESIDE.get(entry.endpoint, ()):
            if beside.place == "identities" and not parts().settings.identity_clients:
                continue
            address = (url_for if beside.is_own else desk.address)(beside.endpoint, _anchor=beside.place or None)
            key = f"{beside.endpoint}#{beside.place}" if beside.place else beside.endpoint
            state = await _state(key, user, streamer)
            items.append(Item(address, beside.label(), beside.icon, beside.about(), state))
    return Group(group.title() if group.title is not None else _("On the stream"), tuple(items))


async def _state(key: str, user: User, streamer: Streamer) -> State | None:
    read = STATES.get(key)
    if read is None:
        return None
    async with parts().pool.acquire() as connection:
        return await read(connection, user, streamer)
