"""What the streamer's and the operator's pages beside the live dashboard share: their frame, their menu, their notices.

A page calls `render(template, streamer, current=…)`; its template extends `pages/desk_layout.html`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from quart import Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain import first_steps, npd
from domain.streamers import Streamer
from domain.users import User
from web.context import parts
from web.i18n import _
from web.sessions import require_user


@dataclass(frozen=True)
class MenuEntry:
    endpoint: str
    label: Callable[[], str]
    icon: str
    """A name of templates/icons.html."""
    is_shown: Callable[[Streamer], Awaitable[bool]] | None = None
    """None: to every streamer."""
    tab: Callable[[], str] | None = None
    """Its name at the bottom of a phone's screen, if it stands there."""
    about: Callable[[], str] | None = None
    """What one sets there: with it the page stands on the list of all settings, too (`settings.py`)."""


@dataclass(frozen=True)
class MenuGroup:
    title: Callable[[], str] | None
    entries: tuple[MenuEntry, ...]
    for_operators: bool = False
    """About the whole site, and only for superusers. The others are about one streamer and keep `?streamer=`."""


async def _has_npd(streamer: Streamer) -> bool:
    async with parts().pool.acquire() as connection:
        return (await npd.get_regime(connection, streamer.id)).is_npd


async def _has_steps_left(streamer: Streamer) -> bool:
    async with parts().pool.acquire() as connection:
        return (await first_steps.read_progress(connection, streamer.id)).is_offered


async def _nobody_with_a_page(_streamer: Streamer) -> bool:
    return False


WITHOUT_A_PAGE = frozenset({"dashboard.show", "applications.show", "my_account.show"})
"""What is of use to who has no page. An operator's page is about nobody, too: the live page leads to a streamer."""

MENU: tuple[MenuGroup, ...] = (
    MenuGroup(
        None,
        (
            MenuEntry(
                "first_steps.show",
                lambda: _("First steps"),
                "help",
                is_shown=_has_steps_left,
                about=lambda: _("What is left to do before the first donation."),
            ),
            MenuEntry("dashboard.show", lambda: _("Live"), "feed", tab=lambda: _("Feed")),
            MenuEntry("control.show", lambda: _("Control"), "control", tab=lambda: _("Control")),
            MenuEntry("moderation.show", lambda: _("Moderation"), "shield"),
            MenuEntry(
                "moderators.show",
                lambda: _("Moderators"),
                "users",
                about=lambda: _("Who helps you on stream: links of invitation, what each may do, and until when."),
            ),
            MenuEntry("statistics.show", lambda: _("Statistics"), "chart", tab=lambda: _("Statistics")),
        ),
    ),
    MenuGroup(
        lambda: _("Donations and goals"),
        (
            MenuEntry("history.show", lambda: _("Donations"), "list"),
            MenuEntry(
                "goals.show",
                lambda: _("Goals"),
                "goal",
                about=lambda: _("What you collect for, how much, until when, and what starts next."),
            ),
        ),
    ),
    MenuGroup(
        lambda: _("Money"),
        (
            MenuEntry("money.show", lambda: _("Money"), "wallet"),
            MenuEntry("attention.show", lambda: _("Needs attention"), "bell"),
            MenuEntry(
                "terminals.show",
                lambda: _("Receiving money"),
                "link",
                about=lambda: _("The key of your bank or payment provider: without one the donation page is closed."),
            ),
            MenuEntry(
                "payee.show",
                lambda: _("Who receives the money"),
                "user",
                about=lambda: _("What to prepare as an entrepreneur, self-employed, or nobody yet."),
            ),
            MenuEntry(
                "requisites.show",
                lambda: _("Requisites"),
                "page",
                about=lambda: _(
                    "Name, INN, contacts and the rule of refunds for the legal pages; age mark, register of "
                    "Roskomnadzor, foreign agent."
                ),
            ),
            MenuEntry(
                "npd.show",
                lambda: _("Cheques"),
                "page",
                is_shown=_has_npd,
                about=lambda: _("Cheques of the self-employed: which are to be issued, and the year's limit."),
            ),
        ),
    ),
    MenuGroup(
        lambda: _("Settings"),
        (
            MenuEntry("settings.show", lambda: _("All settings"), "settings"),
            MenuEntry(
                "page.show",
                lambda: _("Donation page"),
                "page",
                about=lambda: _(
                    "Name, address, pictures, links, amounts and limits, length of a message, thanks, colour, "
                    "time zone."
                ),
            ),
            MenuEntry(
                "alert_settings.show",
                lambda: _("Alerts"),
                "sound",
                about=lambda: _(
                    "Levels by amount: text, pictures, sounds, colours, how long; from which amount donations are "
                    "shown."
                ),
            ),
            MenuEntry(
                "alert_files.show",
                lambda: _("Pictures and sounds"),
                "upload",
                about=lambda: _("Your own files for alerts: upload, listen, delete."),
            ),
            MenuEntry(
                "buttons.show",
                lambda: _("Buttons"),
                "key",
                about=lambda: _("Addresses for Stream Deck, Streamer.bot and hotkeys."),
            ),
            MenuEntry(
                "keys.show",
                lambda: _("Keys and applications"),
                "link",
                about=lambda: _("Keys of the API for bots and scripts, and which applications may act for your page."),
            ),
            MenuEntry(
                "webhooks.show",
                lambda: _("Webhooks"),
                "link",
                about=lambda: _("Your own programs are told of donations, alerts and goals."),
            ),
            # Whoever has a page finds it under "Keys and applications".
            MenuEntry("applications.show", lambda: _("My applications"), "link", is_shown=_nobody_with_a_page),
            MenuEntry(
                "my_account.show",
                lambda: _("Account"),
                "user",
                about=lambda: _("E-mail and password you sign in with."),
            ),
        ),
    ),
    MenuGroup(
        lambda: _("Operator"),
        (
            MenuEntry(
                "admin_streamers.show",
                lambda: _("Streamers"),
                "users",
                about=lambda: _("All streamers of the site, and who stands first on the public list."),
            ),
            MenuEntry(
                "admin_users.show",
                lambda: _("Users"),
                "users",
                about=lambda: _("Accounts: superusers, blocking."),
            ),
            MenuEntry(
                "admin_applications.show",
                lambda: _("Applications"),
                "link",
                about=lambda: _("Programs that ask streamers for access, and switching one off."),
            ),
            MenuEntry(
                "admin_mail.show",
                lambda: _("Mail"),
                "mail",
                about=lambda: _("Whether and how the site sends letters, and a test letter."),
            ),
            MenuEntry("attention.show_all", lambda: _("Everybody's attention"), "bell"),
            MenuEntry("admin_payments.show", lambda: _("Payments"), "search"),
            MenuEntry("self_check.show", lambda: _("Self-check"), "shield"),
        ),
        for_operators=True,
    ),
)
"""In the order shown."""


def address(endpoint: str, **values: Any) -> str:
    """An address that stays with the streamer this request is about."""
    if "streamer" in request.args:
        values.setdefault("streamer", request.args["streamer"])
    return url_for(endpoint, **values)


async def menu(user: User, streamer: Streamer | None, current: str) -> list[dict[str, Any]]:
    """What `partials/desk_menu.html` shows this user; `current` is the endpoint marked in it."""
    groups = []
    for group in MENU:
        if group.for_operators and not user.is_superuser:
            continue
        entries = [
            {
                "href": url_for(entry.endpoint) if group.for_operators else address(entry.endpoint),
                "label": entry.label(),
                "icon": entry.icon,
                "tab": entry.tab() if entry.tab is not None else "",
                "is_current": entry.endpoint == current,
            }
            for entry in group.entries
            if group.for_operators or await is_shown_to(entry, streamer)
        ]
        if entries:
            groups.append({"title": group.title() if group.title is not None else "", "entries": entries})
    return groups


async def render(
    template: str, streamer: Streamer | None, *, current: str, status: int = 200, **values: Any
) -> Response:
    """A page of the desk. `streamer` None: an operator's page; `current` is the endpoint marked in the menu."""
    user = await require_user()
    html = await render_template(
        template,
        user=user,
        streamer=streamer,
        is_guest=streamer is not None and streamer.owner_id != user.id,
        menu=await menu(user, streamer, current),
        address=address,
        said=request.args.get("said", ""),
        **values,
    )
    return Response(html, status, content_type="text/html; charset=utf-8")


async def is_shown_to(entry: MenuEntry, streamer: Streamer | None) -> bool:
    if streamer is None:
        return entry.endpoint in WITHOUT_A_PAGE
    return entry.is_shown is None or await entry.is_shown(streamer)


def go_to(endpoint: str, **values: Any) -> ResponseReturnValue:
    """After a form: the page that shows what became of it; `said` is a word of `partials/desk_said.html`."""
    return redirect(address(endpoint, **values), 303)
