"""Money received elsewhere, written down by hand: it counts in goals and stands in the list, marked.

GET  /dashboard/donations/new                          the form
POST /dashboard/donations/new                          write it down, and show an alert if wished
GET  /dashboard/donations/manual/<public_id>           what was written down, to change it
POST /dashboard/donations/manual/<public_id>           change it
POST /dashboard/donations/manual/<public_id>/delete    take it off; `restore` brings it back
POST /dashboard/donations/manual/<public_id>/replay    show an alert of it
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from domain import manual_donations
from domain.errors import InvalidInputError, NotFoundError
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.manual_donations import Manual, NewManual
from domain.streamers import Streamer
from infra.redis import publish
from web.context import parts
from web.donate_form import parse_amount
from web.field_words import too_long_words
from web.history_filters import FIELDS, PLACES
from web.i18n import _, format_amount, format_money, when, zone
from web.limits import Limit
from web.pages import desk
from web.pages.dashboard_view import alert_chip
from web.sessions import require_streamer, require_user

blueprint = Blueprint("manual_donations", __name__)

ENTRIES = Limit("manual-donation", 60, 60)
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")
_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True)
class Form:
    """As it was typed."""

    key: str
    amount: str
    name: str
    message: str
    source: str
    received_at: str
    shows: bool


@blueprint.get("/dashboard/donations/new")
async def new() -> Response:
    streamer = await require_streamer()
    form = Form(_new_key(), "", "", "", "", _local(datetime.now(UTC), streamer), shows=False)
    return await _page(streamer, form)


@blueprint.post("/dashboard/donations/new")
async def create() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    form = _typed(await request.form)
    checked, errors = _check(form, streamer)
    if checked is None:
        return await _page(streamer, form, errors=errors)
    await parts().limiter.take(ENTRIES, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        public_id = await manual_donations.add(connection, streamer.id, checked, user_id=user.id, form_key=form.key)
        if public_id is not None and form.shows:
            await manual_donations.show(connection, streamer.id, public_id)
    await _wake(streamer)
    if public_id is None:
        return desk.go_to("history.show", said="manual-known")
    return desk.go_to("history.show", said="manual-added-shown" if form.shows else "manual-added")


@blueprint.get("/dashboard/donations/manual/<public_id>")
async def show(public_id: str) -> Response:
    streamer = await require_streamer()
    manual = await _find(streamer, public_id)
    form = Form(
        key="",
        amount=format_amount(manual.amount_minor),
        name=manual.donor_name or "",
        message=manual.message,
        source=manual.source,
        received_at=_local(manual.received_at, streamer),
        shows=False,
    )
    return await _page(streamer, form, manual)


@blueprint.post("/dashboard/donations/manual/<public_id>")
async def change(public_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    manual = await _find(streamer, public_id)
    form = _typed(await request.form)
    checked, errors = _check(form, streamer)
    if checked is None:
        return await _page(streamer, form, manual, errors=errors)
    async with parts().pool.acquire() as connection, connection.transaction():
        changed = await manual_donations.change(connection, streamer.id, public_id, checked)
    await _wake(streamer)
    return _back(public_id, "manual-changed" if changed else "too-late")


@blueprint.post("/dashboard/donations/manual/<public_id>/delete")
async def delete(public_id: str) -> ResponseReturnValue:
    """Its page stays, with a way back."""
    streamer = await require_streamer()
    await _find(streamer, public_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        deleted = await manual_donations.delete(connection, streamer.id, public_id)
    await _wake(streamer)
    return _back(public_id, "manual-deleted" if deleted else "too-late")


@blueprint.post("/dashboard/donations/manual/<public_id>/restore")
async def restore(public_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    await _find(streamer, public_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        restored = await manual_donations.restore(connection, streamer.id, public_id)
    await _wake(streamer)
    return _back(public_id, "manual-restored" if restored else "too-late")


@blueprint.post("/dashboard/donations/manual/<public_id>/replay")
async def replay(public_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    manual = await _find(streamer, public_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        alert_id = await manual_donations.show(connection, streamer.id, public_id)
    await _wake(streamer)
    said = "replayed" if alert_id else "too-late" if manual.deleted_at else "not-replayed-waits"
    kept = {name: request.args[name] for name in (*FIELDS, *PLACES) if name in request.args}
    if (await request.form).get("from") == "list":
        return desk.go_to("history.show", **kept, said=said, _anchor=f"d-{public_id}")
    return _back(public_id, said)


def _back(public_id: str, said: str) -> ResponseReturnValue:
    return desk.go_to("manual_donations.show", public_id=public_id, said=said)


async def _find(streamer: Streamer, public_id: str) -> Manual:
    """Raises NotFoundError("donation"), also for another streamer's."""
    if not _PUBLIC_ID.fullmatch(public_id):
        raise NotFoundError("donation")
    async with parts().pool.acquire() as connection:
        return await manual_donations.find(connection, streamer.id, public_id)


async def _wake(streamer: Streamer) -> None:
    wake = Wake(streamer.id, frozenset({Topic.ALERTS, Topic.DONATION, Topic.TOTALS}))
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])


def _typed(fields: Mapping[str, str]) -> Form:
    key = fields.get("key", "")
    return Form(
        key=key if _FORM_KEY.fullmatch(key) else _new_key(),
        amount=fields.get("amount", ""),
        name=fields.get("name", ""),
        message=fields.get("message", ""),
        source=fields.get("source", ""),
        received_at=fields.get("received_at", ""),
        shows=fields.get("shows") == "yes",
    )


def _check(form: Form, streamer: Streamer) -> tuple[NewManual | None, dict[str, str]]:
    """What may be written down, or what is wrong with it in words: all that cannot be read at once, else the first rule
    that it breaks."""
    errors = {}
    amount_minor = parse_amount(form.amount)
    if amount_minor is None:
        errors["amount"] = _("Write an amount like 300 or 300,50.")
    received_at = _moment(form.received_at, streamer)
    if received_at is None:
        errors["received_at"] = _("Write day and time as 2026-11-24 21:30.")
    if amount_minor is None or received_at is None:
        return None, errors
    try:
        return (
            manual_donations.check(
                amount_minor=amount_minor,
                donor_name=form.name,
                message=form.message,
                source=form.source,
                received_at=received_at,
                now=datetime.now(UTC),
            ),
            {},
        )
    except InvalidInputError as error:
        return None, {error.field: _error_words(error)}


def _error_words(error: InvalidInputError) -> str:
    match error.code:
        case "too_small":
            return _("The amount is at least one kopeck.")
        case "too_large":
            return _("At most %(money)s.", money=format_money(error.data["limit"]))
        case "future":
            return _("This moment is still to come.")
        case "too_early":
            return _("Not earlier than 2010.")
    return too_long_words(error.data["over"], error.data["limit"])


def _moment(text: str, streamer: Streamer) -> datetime | None:
    """A minute on the streamer's clocks; None when it cannot be understood."""
    for pattern in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"):
        try:
            # Their own clocks: no zone is written.
            return (
                datetime.strptime(text.strip()[:30], pattern).replace(tzinfo=zone(streamer.time_zone)).astimezone(UTC)
            )
        except (ValueError, OverflowError):
            continue
    return None


def _local(moment: datetime, streamer: Streamer) -> str:
    return moment.astimezone(zone(streamer.time_zone)).strftime("%Y-%m-%dT%H:%M")


def _new_key() -> str:
    return secrets.token_urlsafe(24)


async def _page(
    streamer: Streamer, form: Form, manual: Manual | None = None, *, errors: dict[str, str] | None = None
) -> Response:
    return await desk.render(
        "pages/manual_donation.html",
        streamer,
        current="history.show",
        status=422 if errors else 200,
        form=form,
        manual=manual,
        errors=errors or {},
        first_error=next(iter(errors), "") if errors else "",
        latest=_local(datetime.now(UTC), streamer),
        when=when,
        alert=alert_chip(manual.alert_status, manual.shown_at, manual.interrupted, streamer.time_zone)
        if manual is not None and manual.alert_status is not None
        else None,
    )
