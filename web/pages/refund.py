"""Giving a donation's money back: wished, confirmed, sent to the bank (UX.md, "Words for delicate moments").

    GET  /dashboard/donations/<public_id>/refund   how much and why; ?payment= says of which attempt
    POST /dashboard/donations/<public_id>/refund   step "check" asks once more, step "confirm" wishes it

Nothing here talks to a bank: an actor does, and the donation's page shows how it gets on.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from domain import refunds
from domain.donation_details import Attempt, Details
from domain.errors import InvalidInputError, NotAllowedError
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.ledger import BookedAs
from domain.streamers import Streamer
from infra.redis import publish
from web.context import parts
from web.donate_form import parse_amount
from web.i18n import _, format_amount, format_money, ngettext
from web.pages import desk, payment_words
from web.pages.donations import find_attempt, read
from web.sessions import require_streamer, require_user

blueprint = Blueprint("refund", __name__)

_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True)
class Form:
    """As it was typed."""

    key: str
    amount: str
    reason: str


@blueprint.get("/dashboard/donations/<public_id>/refund")
async def show(public_id: str) -> Response:
    streamer = await require_streamer()
    details = await read(streamer, public_id)
    attempt = _choose(details, request.args.get("payment", ""))
    form = Form(key=_new_key(), amount="" if attempt is None else format_amount(attempt.left_minor), reason="")
    return await _page(streamer, details, attempt, form)


@blueprint.post("/dashboard/donations/<public_id>/refund")
async def wish(public_id: str) -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    details = await read(streamer, public_id)
    fields = await request.form
    attempt = find_attempt(details, fields.get("payment_id", ""))
    form = Form(key=fields.get("key", ""), amount=fields.get("amount", ""), reason=fields.get("reason", ""))
    if not _FORM_KEY.fullmatch(form.key):
        form = Form(_new_key(), form.amount, form.reason)
        return await _page(streamer, details, attempt, form, errors={"form": _form_words("form_used")}, status=422)
    amount_minor = parse_amount(form.amount)
    if amount_minor is None:
        return await _page(streamer, details, attempt, form, errors=_errors(form, attempt), status=422)
    step = "confirm" if fields.get("step") == "confirm" else "check"
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await refunds.request_refund(
                connection,
                streamer_id=streamer.id,
                payment_id=attempt.payment.id,
                amount_minor=amount_minor,
                reason=form.reason,
                user_id=user.id,
                form_key=form.key,
            )
            if step == "check":
                # All that could be wrong is known now, and nothing is written before the second step.
                raise _OnlyCheckedError
    except _OnlyCheckedError:
        return await _page(streamer, details, attempt, form, confirming_minor=amount_minor)
    except InvalidInputError as error:
        errors = {**_errors(form, attempt), **_error_words(error)}
        return await _page(streamer, details, attempt, form, errors=errors, status=422)
    except NotAllowedError as error:
        form = Form(_new_key(), form.amount, form.reason)
        errors = {"form": _form_words(error.code)}
        return await _page(streamer, await read(streamer, public_id), attempt, form, errors=errors, status=409)
    parts().relay.wake()
    wake = Wake(streamer.id, frozenset({Topic.DONATION}), details.donation.id)
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    return desk.go_to("donations.show", public_id=public_id, said="refund-wished")


class _OnlyCheckedError(Exception):
    """Undoes what was only tried."""


def _choose(details: Details, payment_id: str) -> Attempt | None:
    """The attempt of the address, else the one that paid the donation, else one of which anything is left."""
    if payment_id:
        return find_attempt(details, payment_id)
    booked = [attempt for attempt in details.attempts if attempt.left_minor > 0]
    return next((a for a in booked if a.payment.booked_as is BookedAs.DONATION), booked[0] if booked else None)


def _new_key() -> str:
    return secrets.token_urlsafe(24)


async def _page(
    streamer: Streamer,
    details: Details,
    attempt: Attempt | None,
    form: Form,
    *,
    errors: dict[str, str] | None = None,
    confirming_minor: int | None = None,
    status: int = 200,
) -> Response:
    values: dict[str, Any] = {
        "donation": details.donation,
        "attempt": attempt,
        "form": form,
        "errors": errors or {},
        "confirming_minor": confirming_minor,
        "reason_max": refunds.REASON_MAX_LENGTH,
        "words": payment_words,
    }
    return await desk.render("pages/refund.html", streamer, current="history.show", status=status, **values)


def _errors(form: Form, attempt: Attempt) -> dict[str, str]:
    """All that is wrong with it, at once."""
    errors: dict[str, str] = {}
    amount_minor = parse_amount(form.amount)
    try:
        refunds.clean_reason(form.reason)
    except InvalidInputError as error:
        errors |= _error_words(error)
    if amount_minor is None:
        return {**errors, "amount": _("We can't read this amount. Type it in digits, for example 300 or 300.50.")}
    try:
        refunds.check_amount(amount_minor, attempt.left_minor)
    except InvalidInputError as error:
        errors |= _error_words(error)
    return errors


def _error_words(error: InvalidInputError) -> dict[str, str]:
    match (error.field, error.code):
        case ("reason", "required"):
            words = _("Say why: it is kept with the payment, for you and whoever asks a year later.")
        case ("reason", _):
            limit = refunds.REASON_MAX_LENGTH
            words = ngettext("At most %(num)s character.", "At most %(num)s characters.", limit)
        case ("amount", "too_large"):
            words = _("Of this payment at most %(money)s can go back.", money=format_money(error.data["most_minor"]))
        case _:
            words = _("More than nothing, please.")
    return {error.field: words}


def _form_words(code: str) -> str:
    match code:
        case "refund_under_way":
            return _("A refund of this payment is already under way. Wait until it is over.")
        case "nothing_to_refund":
            return _("Nothing is left of this payment that could go back.")
        case _:
            return _(
                "This form was used before. Look at what the donation's page says, and press once more if need be."
            )
