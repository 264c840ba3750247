"""What the streamer's and the operator's pages beside the live dashboard share: their frame, their menu, their notices.

A page calls `render(template, streamer, current=…)`; its template extends `pages/desk_layout.html`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from quart import Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain import npd
from domain.streamers import Streamer
from domain.users import User
from web.context import parts
from web.i18n import _
from web.sessions import require_user


@dataclass(frozen=True)
class MenuEntry:
    endpoint: str
    label: Callable[[], str]
    for_operators: bool = False
    is_shown: Callable[[Streamer], Awaitable[bool]] | None = None
    """None: to every streamer."""


async def _has_npd(streamer: Streamer) -> bool:
    async with parts().pool.acquire() as connection:
        return (await npd.get_regime(connection, streamer.id)).is_npd


MENU: tuple[MenuEntry, ...] = (
    MenuEntry("dashboard.show", lambda: _("Live")),
    MenuEntry("terminals.show", lambda: _("Receiving money")),
    MenuEntry("attention.show", lambda: _("Needs attention")),
    MenuEntry("money.show", lambda: _("Money")),
    MenuEntry("npd.show", lambda: _("Cheques"), is_shown=_has_npd),
    MenuEntry("attention.show_all", lambda: _("Everybody's attention"), for_operators=True),
    MenuEntry("admin_payments.show", lambda: _("Payments"), for_operators=True),
    MenuEntry("self_check.show", lambda: _("Self-check"), for_operators=True),
)
"""In the order shown. A page of a streamer keeps `?streamer=`; an operator's page is about the whole site."""


def address(endpoint: str, **values: Any) -> str:
    """An address that stays with the streamer this request is about."""
    if "streamer" in request.args:
        values.setdefault("streamer", request.args["streamer"])
    return url_for(endpoint, **values)


async def menu(user: User, streamer: Streamer | None, current: str) -> list[dict[str, Any]]:
    """What `partials/desk_menu.html` shows this user; `current` is the endpoint marked in it."""
    return [
        {
            "href": url_for(entry.endpoint) if entry.for_operators else address(entry.endpoint),
            "label": entry.label(),
            "is_current": entry.endpoint == current,
        }
        for entry in MENU
        if (user.is_superuser or not entry.for_operators) and await _is_shown(entry, streamer)
    ]


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


async def _is_shown(entry: MenuEntry, streamer: Streamer | None) -> bool:
    if streamer is None:
        # An operator's page is about nobody: from the live page one gets to a streamer.
        return entry.for_operators or entry.endpoint == "dashboard.show"
    return entry.is_shown is None or await entry.is_shown(streamer)


def go_to(endpoint: str, **values: Any) -> ResponseReturnValue:
    """After a form: the page that shows what became of it; `said` is a word of `partials/desk_said.html`."""
    return redirect(address(endpoint, **values), 303)
