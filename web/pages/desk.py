"""What the streamer's and the operator's pages beside the live dashboard share: their frame, their menu, their notices.

A page calls `render(template, streamer, current=…)`; its template extends `pages/desk_layout.html`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quart import Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain.streamers import Streamer
from domain.users import User
from web.i18n import _
from web.sessions import require_user


@dataclass(frozen=True)
class MenuEntry:
    endpoint: str
    label: Callable[[], str]
    for_operators: bool = False


MENU: tuple[MenuEntry, ...] = (
    MenuEntry("dashboard.show", lambda: _("Live")),
    MenuEntry("terminals.show", lambda: _("Receiving money")),
    MenuEntry("attention.show", lambda: _("Needs attention")),
    MenuEntry("attention.show_all", lambda: _("Everybody's attention"), for_operators=True),
    MenuEntry("admin_payments.show", lambda: _("Payments"), for_operators=True),
)
"""In the order shown. A page of a streamer keeps `?streamer=`; an operator's page is about the whole site."""


def address(endpoint: str, **values: Any) -> str:
    """An address that stays with the streamer this request is about."""
    if "streamer" in request.args:
        values.setdefault("streamer", request.args["streamer"])
    return url_for(endpoint, **values)


def menu(user: User, current: str) -> list[dict[str, Any]]:
    """What `partials/desk_menu.html` shows this user; `current` is the endpoint marked in it."""
    return [
        {
            "href": url_for(entry.endpoint) if entry.for_operators else address(entry.endpoint),
            "label": entry.label(),
            "is_current": entry.endpoint == current,
        }
        for entry in MENU
        if user.is_superuser or not entry.for_operators
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
        menu=menu(user, current),
        address=address,
        said=request.args.get("said", ""),
        **values,
    )
    return Response(html, status, content_type="text/html; charset=utf-8")


def go_to(endpoint: str, **values: Any) -> ResponseReturnValue:
    """After a form: the page that shows what became of it; `said` is a word of `partials/desk_said.html`."""
    return redirect(address(endpoint, **values), 303)
