"""What waits for a person: for a streamer hers, for an operator everybody's.

    GET  /dashboard/attention           a streamer's list; ?after= goes on
    POST /dashboard/attention/again     look once more at a notification nobody could place
    POST /dashboard/attention/settle    a person has dealt with it
    POST /dashboard/attention/dismiss   a person has read why a refund was refused
    GET  /admin/attention               all streamers'

The operator's list uses the same forms, with ?streamer= and `back=admin`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quart import Blueprint, Response, redirect, request, url_for
from quart.typing import ResponseReturnValue

from domain import attention, chargebacks, inbox, refunds
from domain.attention import AttentionItem, AttentionKind, Place
from domain.errors import NotFoundError
from domain.streamers import Streamer
from providers.provider import MalformedNotification, Notification
from web.context import parts
from web.i18n import when
from web.limits import Limit
from web.pages import desk, payment_words
from web.sessions import require_streamer, require_superuser, require_user
from web.terminal_words import provider_title

blueprint = Blueprint("attention", __name__)

PAGE = 30
AGAIN = Limit("notification-again", 20, 60)
_IDS_BELOW = 2**63


@dataclass(frozen=True)
class Shown:
    """An item as its template needs it; `told` is what a notification says, None when it is not understood."""

    item: AttentionItem
    told: Notification | None
    raw: str


@blueprint.get("/dashboard/attention")
async def show() -> Response:
    streamer = await require_streamer()
    return await _page("pages/attention.html", streamer, "attention.show")


@blueprint.get("/admin/attention")
async def show_all() -> Response:
    await require_superuser()
    return await _page("pages/admin_attention.html", None, "attention.show_all")


@blueprint.post("/dashboard/attention/again")
async def ask_again() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    inbox_id = _id((await request.form).get("id", ""), "notification")
    if not user.is_superuser:
        await parts().limiter.take(AGAIN, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        asked = await inbox.ask_again(connection, streamer.id, inbox_id)
    parts().relay.wake()
    return await _back("asked-again" if asked else "nothing-to-do")


@blueprint.post("/dashboard/attention/settle")
async def settle() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    form = await request.form
    inbox_id = _id(form.get("id", ""), "notification")
    async with parts().pool.acquire() as connection, connection.transaction():
        settled = await inbox.settle(connection, streamer.id, inbox_id, user.id, form.get("note", ""))
    return await _back("settled" if settled else "nothing-to-do")


@blueprint.post("/dashboard/attention/dismiss")
async def dismiss() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    refund_id = _id((await request.form).get("id", ""), "refund", below=2**31)
    async with parts().pool.acquire() as connection, connection.transaction():
        dismissed = await refunds.dismiss_refusal(connection, streamer.id, refund_id, user.id)
    return await _back("settled" if dismissed else "nothing-to-do")


async def _back(said: str) -> ResponseReturnValue:
    """To the list that the form was on."""
    user = await require_user()
    if user.is_superuser and (await request.form).get("back") == "admin":
        return redirect(url_for("attention.show_all", said=said), 303)
    return desk.go_to("attention.show", said=said)


async def _page(template: str, streamer: Streamer | None, current: str) -> Response:
    user = await require_user()
    after = _place(request.args.get("after", ""))
    async with parts().pool.acquire() as connection:
        items = await attention.list_attention(
            connection, None if streamer is None else streamer.id, limit=PAGE + 1, after=after
        )
        disputed = []
        if streamer is not None and after is None:
            disputed = await chargebacks.list_chargebacks(connection, streamer.id, limit=PAGE, only_unread=True)
    values: dict[str, Any] = {
        "shown": [_shown(item) for item in items[:PAGE]],
        "next_after": _after(items[PAGE - 1]) if len(items) > PAGE else "",
        "is_first": after is None,
        "is_admin": streamer is None,
        "kinds": AttentionKind,
        "words": payment_words,
        "provider_title": provider_title,
        "when": when,
        "shows_raw": user.is_superuser,
        "chargebacks": disputed,
    }
    return await desk.render(template, streamer, current=current, **values)


def _shown(item: AttentionItem) -> Shown:
    if item.body is None:
        return Shown(item, None, "")
    told = None
    provider = parts().providers.get(item.provider)
    if provider is not None:
        try:
            told = provider.parse(item.body)
        except MalformedNotification:
            told = None
    return Shown(item, told, payment_words.raw_words(item.body))


def _id(text: str, of: str, *, below: int = _IDS_BELOW) -> int:
    """Raises NotFoundError."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < below):
        raise NotFoundError(of)
    return int(text)


def _after(item: AttentionItem) -> str:
    return f"{item.at.isoformat()}~{item.kind}~{item.id}"


def _place(text: str) -> Place | None:
    """Where a list goes on; what is no such place is the beginning."""
    at, _, rest = text.partition("~")
    kind, _, number = rest.partition("~")
    if kind not in set(AttentionKind) or not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return None if moment.tzinfo is None else Place(moment, kind, int(number))
