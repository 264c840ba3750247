"""All donations of a streamer: searched, filtered, summed up.

    GET  /dashboard/donations                         the list; its filters are in the address (`history_filters.py`)
    GET  /dashboard/donations/totals                  the sum of a selection that the list does not wait for
    POST /dashboard/donations/<public_id>/hide        keep it out of public lists; `unhide` lets it in again
    POST /dashboard/donations/<public_id>/replay      show its alert once more

The forms of a donation are sent from its row (then the list is shown again as it was) or from its page.
"""

from typing import Any

from quart import Blueprint, Response, redirect, render_template, request
from quart.typing import ResponseReturnValue

from domain import alerts, history
from domain.donation_details import Donation, find_donation
from domain.donations import DonationStatus
from domain.errors import NotFoundError
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.history import Entry
from domain.streamers import Streamer
from infra.redis import publish
from web.context import parts
from web.history_filters import (
    FIELDS,
    PLACES,
    TEXT_MAX_LENGTH,
    Filters,
    period_words,
    read_filters,
    read_place,
    state_words,
    write_place,
)
from web.i18n import _, when
from web.pages import desk
from web.pages.dashboard_view import Chip, alert_chip, is_over, money_chip, test_chip
from web.pages.donations import is_public_id, public_id_in
from web.sessions import require_streamer

blueprint = Blueprint("history", __name__)

ROWS = 50
SUM_STEPS = 4
"""Steps of 50,000 that the sum of a selection looks at."""


@blueprint.get("/dashboard/donations")
async def show() -> Response:
    streamer = await require_streamer()
    filters = read_filters(request.args, streamer)
    before, after = read_place(request.args.get("before")), read_place(request.args.get("after"))
    async with parts().pool.acquire() as connection:
        page = await history.list_page(
            connection, streamer.id, filters.selection, before=before, after=after, limit=ROWS
        )
        sums = await _sum_up(connection, streamer, filters, whole="sums" in request.args)
        named = public_id_in(filters.typed["q"])
        is_hers = named and await find_donation(connection, streamer.id, named) is not None
    return await desk.render(
        "pages/history.html",
        streamer,
        current="history.show",
        filters=filters,
        named=named if is_hers else "",
        page=page,
        sums=sums,
        asks_sums=not sums.is_whole and "sums" not in request.args,
        is_first=before is None and after is None,
        place=write_place,
        chips=lambda entry: entry_chips(entry, streamer.time_zone),
        when=when,
        can_replay=can_replay,
        states=state_words(),
        periods=period_words(),
        text_max=TEXT_MAX_LENGTH,
    )


@blueprint.get("/dashboard/donations/totals")
async def show_sums() -> ResponseReturnValue:
    streamer = await require_streamer()
    filters = read_filters(request.args, streamer)
    if "HX-Request" not in request.headers:
        return redirect(desk.address("history.show", **filters.kept, sums="all"), 303)
    async with parts().pool.acquire() as connection:
        sums = await _sum_up(connection, streamer, filters, whole=True)
    return await render_template(
        "partials/history/sums.html",
        streamer=streamer,
        filters=filters,
        sums=sums,
        asks_sums=False,
        address=desk.address,
    )


@blueprint.post("/dashboard/donations/<public_id>/hide")
async def hide(public_id: str) -> ResponseReturnValue:
    return await _set_hidden(public_id, is_hidden=True)


@blueprint.post("/dashboard/donations/<public_id>/unhide")
async def unhide(public_id: str) -> ResponseReturnValue:
    return await _set_hidden(public_id, is_hidden=False)


@blueprint.post("/dashboard/donations/<public_id>/replay")
async def replay(public_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        donation = await _find(connection, streamer, public_id)
        alert_id = await alerts.replay(connection, streamer.id, donation.id)
    if alert_id is None:
        return await _back(public_id, said=_why_not(donation))
    wake = Wake(streamer.id, frozenset({Topic.ALERTS}))
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    return await _back(public_id, said="replayed")


async def _set_hidden(public_id: str, *, is_hidden: bool) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        donation = await _find(connection, streamer, public_id)
        await history.set_hidden(connection, streamer.id, donation.id, is_hidden)
    wake = Wake(streamer.id, frozenset({Topic.DONATION, Topic.TOTALS}), donation.id)
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    return await _back(public_id, said="hidden" if is_hidden else "unhidden")


async def _find(connection: Any, streamer: Streamer, public_id: str) -> Donation:
    """Raises NotFoundError("donation"), also for another streamer's."""
    donation = await find_donation(connection, streamer.id, public_id) if is_public_id(public_id) else None
    if donation is None:
        raise NotFoundError("donation")
    return donation


def _why_not(donation: Donation) -> str:
    """Why it is not shown again: a word of `desk_said.html`."""
    if donation.charged_back_minor or donation.status in (DonationStatus.REFUNDED, DonationStatus.CHARGED_BACK):
        return "not-replayed-returned"
    if donation.paid_at is None:
        return "not-replayed-unpaid"
    return "not-replayed-waits"


async def _back(public_id: str, said: str) -> ResponseReturnValue:
    """To where the form stood, with the filters of its address."""
    kept = {name: request.args[name] for name in (*FIELDS, *PLACES) if name in request.args}
    if (await request.form).get("from") == "list":
        return desk.go_to("history.show", **kept, said=said, _anchor=f"d-{public_id}")
    return desk.go_to("donations.show", public_id=public_id, **kept, said=said)


async def _sum_up(connection: Any, streamer: Streamer, filters: Filters, *, whole: bool) -> history.Sums:
    if whole:
        return await history.sum_up(connection, streamer.id, filters.selection, steps=SUM_STEPS, looked=50_000)
    return await history.sum_up(connection, streamer.id, filters.selection)


def entry_chips(entry: Entry, time_zone: str) -> list[Chip]:
    """The state of a line: where it came from and what became of its money first, then its alert."""
    found = [test_chip()] if entry.is_test else []
    if entry.is_manual:
        found.append(Chip("quiet", _("by hand")))
    if entry.is_hidden:
        found.append(Chip("quiet", _("hidden")))
    astray = money_chip(entry.status, entry.charged_back_minor)
    if astray is not None:
        found.append(astray)
    if entry.alert_status is not None and not is_over(entry.status):
        found.append(alert_chip(entry.alert_status, entry.shown_at, entry.interrupted, time_zone))
    return found


def can_replay(entry: Entry) -> bool:
    return entry.status in (DonationStatus.PAID, DonationStatus.PARTIALLY_REFUNDED) and not entry.charged_back_minor
