"""Donations as a list, and one by one: what came through the bank, and what the streamer wrote down by hand."""

from typing import Any

from quart_schema import validate_querystring, validate_response

from domain import history, manual_donations
from domain.alerts import AlertStatus
from domain.bot_feed import read_horizon
from domain.donation_details import Donation, find_donation, read_details
from domain.donations import DonationStatus
from domain.errors import NotFoundError
from domain.feed import find_public_id
from domain.history import Entry, Mark, Selection
from domain.manual_donations import Manual
from domain.scopes import Scope
from domain.text import clean_name
from web.api.access import caller, callers_streamer, needs
from web.api.blueprints import new_api
from web.api.errors import Refused
from web.api.openapi import examples
from web.api.paging import links, read_cursor, write_cursor
from web.api.schemas import feed as schemas
from web.api.schemas.common import MAX_ID
from web.api.schemas.feed import FeedAlert, Kind
from web.context import parts

blueprint = new_api("feed")

CURRENCY = "RUB"
_LISTED = frozenset(
    {
        DonationStatus.PAID,
        DonationStatus.PARTIALLY_REFUNDED,
        DonationStatus.REFUNDED,
        DonationStatus.CHARGED_BACK,
        DonationStatus.REVIEW,
    }
)
_EXAMPLE = {
    "kind": "donation",
    "public_id": "k3v9Xy2LQmN0aBcDeFgHiJ",
    "donation_id": 17,
    "status": "paid",
    "came_at": "2026-11-28T18:29:58Z",
    "donor_name": "Аня",
    "message": "Привет из Омска!",
    "amount_minor": 30000,
    "currency": "RUB",
    "refunded_minor": 0,
    "charged_back_minor": 0,
    "source": "",
    "is_hidden": False,
    "is_test": False,
    "alert": {"status": "shown", "shown_at": "2026-11-28T18:30:09Z", "was_interrupted": False},
}


@blueprint.get("")
@needs(Scope.DONATIONS_READ)
@validate_querystring(schemas.FeedQuery)
@examples(
    response={"entries": [_EXAMPLE], "next": "MTc5NjA2ODU5ODAwMDAwMC4xNw", "previous": "MTc5NjA2ODU5ODAwMDAwMC4xNw"}
)
@validate_response(schemas.Feed)
async def show(query_args: schemas.FeedQuery) -> tuple[schemas.Feed, int, dict[str, str]]:
    """Donations, the newest first

    In pages: `next` goes on to older ones, as `before`. Keep `previous` and ask with it as `after` for what came since;
    what is only seconds old may come again, so drop repeats by `public_id`. Of a narrow selection a page looks at
    thousands of donations and not farther, so it may have few entries, or none, and a `next` all the same. `q` and
    `donor` search what donors wrote, and need `donations:original` too. To miss nothing in the middle of a stream,
    listen to webhooks or events instead.
    """
    if (query_args.q or query_args.donor) and not caller().may(Scope.DONATIONS_ORIGINAL):
        # Searched is what was written, too: whoever may not read it could find it out word by word.
        raise Refused(
            403, f"`q` and `donor` search what donors wrote: they need {Scope.DONATIONS_ORIGINAL}", code="scope"
        )
    streamer = await callers_streamer()
    selection = _selection(query_args)
    before, after = read_cursor("before", query_args.before), read_cursor("after", query_args.after)
    following: str | None = None
    previous: str | None = None
    async with parts().pool.acquire() as connection:
        horizon = await read_horizon(connection)
        if after is not None:
            page, mark = await history.list_newer(connection, streamer.id, selection, after, query_args.limit, horizon)
            # What is older is known already.
            previous = write_cursor(mark)
        else:
            older = None if before is None else before.place
            page = await history.list_page(connection, streamer.id, selection, before=older, limit=query_args.limit)
            newest = page.entries[0].place if page.entries else older
            following = None if page.older is None else write_cursor(Mark(page.older))
            previous = None if newest is None else write_cursor(history.go_back(newest, horizon))
    answer = schemas.Feed(entries=[_of_entry(entry) for entry in page.entries], next=following, previous=previous)
    return answer, 200, links(following=following, previous=previous)


@blueprint.get("/<public_id>")
@needs(Scope.DONATIONS_READ)
@examples(path={"public_id": "k3v9Xy2LQmN0aBcDeFgHiJ"}, response={**_EXAMPLE, "original": None})
@validate_response(schemas.Detail)
async def show_one(public_id: str) -> schemas.Detail:
    """One donation

    By its `public_id`, or by the `donation_id` that alerts and events have. What the donor wrote is in it for a key
    that has `donations:original` beside this scope.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        if public_id.isascii() and public_id.isdigit() and int(public_id) <= MAX_ID:
            public_id = await find_public_id(connection, streamer.id, int(public_id)) or public_id
        donation = await find_donation(connection, streamer.id, public_id)
        if donation is None:
            return _of_manual(await manual_donations.find(connection, streamer.id, public_id))
        if donation.status not in _LISTED:
            raise NotFoundError("donation")
        came_at = donation.paid_at
        if came_at is None:
            details = await read_details(connection, streamer.id, public_id)
            came_at = None if details is None else details.came_at
    return _of_donation(donation, came_at or donation.created_at)


def _selection(asked: schemas.FeedQuery) -> Selection:
    return Selection(
        since=asked.since,
        until=asked.until,
        least_minor=asked.min_minor,
        most_minor=asked.max_minor,
        donor=clean_name(asked.donor or "") or None,
        words=clean_name(asked.q or "") or None,
        state=asked.state,
        is_anonymous=asked.anonymous,
    )


def _alert(status: str | None, shown_at: Any, interrupted: bool | None) -> FeedAlert | None:
    if status is None:
        return None
    return FeedAlert(status=AlertStatus(status), shown_at=shown_at, was_interrupted=bool(interrupted))


def _of_entry(entry: Entry) -> schemas.Entry:
    return schemas.Entry(
        kind=Kind.MANUAL if entry.is_manual else Kind.DONATION,
        public_id=entry.public_id,
        donation_id=None if entry.is_manual else entry.key,
        status=entry.status,
        came_at=entry.at,
        donor_name=entry.donor_name,
        message=entry.message,
        amount_minor=entry.amount_minor,
        currency=CURRENCY,
        refunded_minor=entry.refunded_minor,
        charged_back_minor=entry.charged_back_minor,
        source=entry.source,
        is_hidden=entry.is_hidden,
        is_test=entry.is_test,
        alert=_alert(entry.alert_status, entry.shown_at, entry.interrupted),
    )


def _of_donation(donation: Donation, came_at: Any) -> schemas.Detail:
    original = None
    if caller().may(Scope.DONATIONS_ORIGINAL) and donation.erased_at is None:
        original = schemas.Original(donor_name=donation.written_name, message=donation.written_message)
    return schemas.Detail(
        kind=Kind.DONATION,
        public_id=donation.public_id,
        donation_id=donation.id,
        status=donation.status,
        came_at=came_at,
        donor_name=donation.donor_name,
        message=donation.message,
        amount_minor=donation.amount_minor,
        currency=CURRENCY,
        refunded_minor=donation.refunded_minor,
        charged_back_minor=donation.charged_back_minor,
        source="",
        is_hidden=donation.hidden_at is not None,
        is_test=donation.is_test,
        alert=_alert(donation.alert_status, donation.shown_at, donation.interrupted),
        original=original,
    )


def _of_manual(manual: Manual) -> schemas.Detail:
    """Raises NotFoundError of one that was deleted."""
    if manual.deleted_at is not None:
        raise NotFoundError("donation")
    return schemas.Detail(
        kind=Kind.MANUAL,
        public_id=manual.public_id,
        donation_id=None,
        status="manual",
        came_at=manual.received_at,
        donor_name=manual.donor_name,
        message=manual.message,
        amount_minor=manual.amount_minor,
        currency=CURRENCY,
        refunded_minor=0,
        charged_back_minor=0,
        source=manual.source,
        is_hidden=False,
        is_test=False,
        alert=_alert(manual.alert_status, manual.shown_at, manual.interrupted),
        original=None,
    )
