"""One donation for its streamer: what it is, the life of its payments, and what one can do about its money.

    GET  /dashboard/donations/<public_id>          the page
    GET  /dashboard/donations/<public_id>/part     its changing part, which asks for itself while a refund is under way
    POST /dashboard/donations/<public_id>/check    ask the bank about a payment now
    POST /dashboard/donations/<public_id>/accept   take money of another amount as it came

Giving money back has a page of its own (`refund.py`).
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from quart import Blueprint, Response, redirect, render_template, request
from quart.typing import ResponseReturnValue

from domain import history, payments, review
from domain.alerts import AlertStatus
from domain.donation_details import Attempt, Details, Showing, read_details
from domain.donations import DonationStatus
from domain.donor_requests import list_same_donor
from domain.errors import NotAllowedError, NotFoundError
from domain.events import WAKE_CHANNEL
from domain.history import Place
from domain.streamers import Streamer
from infra.redis import publish
from web.context import parts
from web.history_filters import PLACES, read_filters
from web.i18n import _, when
from web.limits import Limit
from web.pages import desk, payment_words
from web.pages.dashboard_view import alert_chip
from web.pages.donation_moderation import read_moderation
from web.sessions import require_streamer, require_user
from web.terminal_words import provider_title

blueprint = Blueprint("donations", __name__)

CHECKS = Limit("check-payment", 5, 60)
"""By one streamer, of one payment: banks do not like to be asked all the time."""

CHECK_SECONDS = 20
"""For how long after somebody asked the page looks for the answer by itself."""

_PASTED_ID = re.compile(r"(?:.*/(?:d|donations)/)?([A-Za-z0-9_-]{22,64})/?(?:[?#].*)?")
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")


@blueprint.get("/dashboard/donations/<public_id>")
async def show(public_id: str) -> Response:
    streamer = await require_streamer()
    details = await read(streamer, public_id)
    async with parts().pool.acquire() as connection:
        others = await list_same_donor(connection, streamer.id, details.donation.id)
    return await desk.render(
        "pages/donation.html",
        streamer,
        current="history.show",
        others=len(others),
        moderation=await read_moderation(streamer, details.donation.id, public_id),
        **await _values(streamer, details),
    )


@blueprint.get("/dashboard/donations/<public_id>/part")
async def show_part(public_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    details = await read(streamer, public_id)
    if "HX-Request" not in request.headers:
        # Opened as a page, say from the browser's history.
        return redirect(desk.address("donations.show", public_id=public_id), 303)
    values = await _values(streamer, details)
    user = await require_user()
    return await render_template(
        "partials/donation/story.html", streamer=streamer, user=user, address=desk.address, **values
    )


@blueprint.post("/dashboard/donations/<public_id>/check")
async def check(public_id: str) -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    details = await read(streamer, public_id)
    payment = find_attempt(details, (await request.form).get("payment_id", "")).payment
    if not user.is_superuser:
        await parts().limiter.take(CHECKS, f"{streamer.id}:{payment.id}")
    async with parts().pool.acquire() as connection, connection.transaction():
        await payments.check_now(connection, payment, user.id)
    parts().relay.wake()
    return desk.go_to("donations.show", public_id=public_id, said="asked-bank")


@blueprint.post("/dashboard/donations/<public_id>/accept")
async def accept(public_id: str) -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    details = await read(streamer, public_id)
    payment = find_attempt(details, (await request.form).get("payment_id", "")).payment
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            wake = await review.accept(connection, streamer_id=streamer.id, payment_id=payment.id, user_id=user.id)
    except NotAllowedError as error:
        return desk.go_to("donations.show", public_id=public_id, said=f"not-accepted-{error.code}")
    parts().relay.wake()
    if wake is not None:
        await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    return desk.go_to("donations.show", public_id=public_id, said="accepted")


def is_public_id(text: str) -> bool:
    return _PUBLIC_ID.fullmatch(text) is not None


def public_id_in(text: str) -> str:
    """The id of a donation in what a person pasted: itself, or the address of the donation's page; else empty."""
    found = _PASTED_ID.fullmatch(text.strip())
    return "" if found is None else found[1]


async def read(streamer: Streamer, public_id: str) -> Details:
    """Raises NotFoundError("donation"), also for another streamer's."""
    details = None
    if is_public_id(public_id):
        async with parts().pool.acquire() as connection:
            details = await read_details(connection, streamer.id, public_id)
    if details is None:
        raise NotFoundError("donation")
    return details


def find_attempt(details: Details, payment_id: str) -> Attempt:
    """The attempt that a form speaks of. Raises NotFoundError("payment"): it is none of this donation's."""
    for attempt in details.attempts:
        if payment_id == str(attempt.payment.id):
            return attempt
    raise NotFoundError("payment")


async def _values(streamer: Streamer, details: Details) -> dict[str, Any]:
    user = await require_user()
    donation = details.donation
    filters = read_filters(request.args, streamer)
    newer, older = None, None
    if details.came_at is not None:
        async with parts().pool.acquire() as connection:
            newer, older = await history.find_neighbours(
                connection, streamer.id, filters.selection, Place(details.came_at, donation.id)
            )
    has_alert = donation.alert_status is not None
    return {
        "donation": donation,
        "attempts": details.attempts,
        "refunds": details.refunds,
        "is_live": _is_live(details),
        "words": payment_words,
        "provider_title": provider_title,
        "when": when,
        "alert": alert_chip(donation.alert_status, donation.shown_at, donation.interrupted, streamer.time_zone)
        if has_alert
        else None,
        "shows_raw": user.is_superuser,
        "kept": {**filters.kept, **{name: request.args[name] for name in PLACES if name in request.args}},
        "newer": newer,
        "older": older,
        "showings": [(showing, _showing_words(showing, streamer.time_zone)) for showing in details.showings],
        "can_replay": donation.paid_at is not None
        and not donation.charged_back_minor
        and donation.status in (DonationStatus.PAID, DonationStatus.PARTIALLY_REFUNDED),
    }


def _showing_words(showing: Showing, time_zone: str) -> str:
    """What became of an alert."""
    match showing.status:
        case AlertStatus.HELD:
            return _("being checked")
        case AlertStatus.QUEUED:
            return _("waits")
        case AlertStatus.PLAYING:
            return _("on screen")
        case AlertStatus.SHOWN if showing.shown_at is not None:
            at = when(showing.shown_at, time_zone)
            return _("cut short %(time)s", time=at) if showing.interrupted else _("shown %(time)s", time=at)
        case AlertStatus.SKIPPED if showing.finished_at is not None:
            return _("skipped %(time)s", time=when(showing.finished_at, time_zone))
        case _ if showing.finished_at is not None:
            return _("taken off %(time)s", time=when(showing.finished_at, time_zone))
    return _("not shown")


def _is_live(details: Details) -> bool:
    """Something is about to change: a refund is under way, or the bank has just been asked."""
    if any(refund.is_open for refund in details.refunds):
        return True
    just_now = datetime.now(UTC) - timedelta(seconds=CHECK_SECONDS)
    return any(
        row.note == "check now" and row.created_at > just_now for attempt in details.attempts for row in attempt.news
    )
