"""Donations of REST API v1 (contract: contracts/api-v1.md, "Donations").

    POST /donations/             a donation, answered once its payment can be paid
    GET  /donations/             those that the caller sent or received
    GET  /donations/my           the received, or the sent
    GET  /donations/<id>         one of them
    GET  /donations/stats/<id>   the caller's own sums

What is told of one to whom: web/api/donation_answers.py.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from quart_schema import validate_querystring, validate_request, validate_response

from domain import statistics, totals
from domain.api_donations import find_recipient
from domain.api_lines import OrderBy, Selection, get_line, list_lines
from domain.scopes import Scope
from domain.streamers import Streamer, find_by_owner, get_streamer
from web.api import wishes
from web.api.access import caller, needs, person_id_if_any, public
from web.api.blueprints import old_api
from web.api.donation_answers import Reader, details_of, fields_of, is_sender_of
from web.api.errors import Refused
from web.api.openapi import examples, may_refuse
from web.api.schemas.common import MAX_ID
from web.api.schemas.donations import (
    CreatedDonation,
    DonationCreate,
    DonationDetails,
    DonationsQuery,
    DonationStats,
    MyDonationsQuery,
)
from web.api.wishes import Wish, payment_url, status_url
from web.context import parts
from web.limits import Limit

blueprint = old_api("donations")

SLOW_LIMIT = Limit("api-donations-slow", 30, 60)
"""Pages that are far down, or sorted otherwise than by time: after a million donations one takes a second."""
FAR = 5_000

_DONATION = {
    "id": 17,
    "amount": 150.5,
    "message": "Привет из Омска",
    "donor_name": "Аня",
    "is_anonymous": False,
    "is_public": True,
    "donor_id": None,
    "recipient_id": 3,
    "streamer_id": 2,
    "payment_method": "tbank",
    "payment_id": "5f0c3a9e4b7d41d2a8e6f3b1c9d07e42",
    "payment_url": None,
    "status": "completed",
    "is_alert_shown": True,
    "created_at": "2026-11-28T18:40:00Z",
    "updated_at": "2026-11-28T18:41:12Z",
    "order_id": None,
}
_DETAILS = {
    **_DONATION,
    "recipient_username": "anna",
    "donor_username": None,
    "original_name": None,
    "original_message": None,
}


@blueprint.post("/")
@public
@examples(
    request={
        "recipient_id": 3,
        "amount": 150.5,
        "payment_method": "tbank",
        "donor_name": "Аня",
        "message": "Привет из Омска",
    },
    response={
        **_DONATION,
        "status": "pending",
        "is_alert_shown": False,
        "updated_at": None,
        "payment_url": "https://securepay.tinkoff.ru/new/fU1ppgqa",
        "confirmation_url": "https://securepay.tinkoff.ru/new/fU1ppgqa",
        "status_url": "https://example.org/d/dUVq9m0m3bUu4rGzB0m1zA",
    },
)
@may_refuse(wishes.ERRORS)
@validate_request(DonationCreate)
@validate_response(CreatedDonation)
async def create(data: DonationCreate) -> CreatedDonation:
    """Make a donation.

    Send the donor to `payment_url`. Until the money has come the donation is `pending`, and no alert is shown. 504: the
    bank is slow to open the payment; the donation is kept and can be paid at the page that the answer names.

    Give it an `order_id`, so that you may send it again when an answer is lost: the same order is the same donation,
    as it is by then, also when it comes twice at once; the same order id with anything that differs is refused.

    `recipient_id` is a user's id; where no user of this id has a page it is taken for a streamer's. Say `streamer_id`
    to mean nobody else. A front end shows its donors the streamer's terms, and has their consent before it calls.
    """
    wish = Wish(
        amount_minor=data.amount,
        method=data.payment_method,
        donor_name=data.donor_name,
        message=data.message,
        is_anonymous=data.is_anonymous,
        donor_email=data.donor_email,
        is_public=data.is_public,
        order_id=data.order_id,
    )
    line = await wishes.make(await _recipient(data), wish)
    fields = fields_of(line, is_sender=True, name=line.original_name, message=line.original_message)
    if line.donor_id != person_id_if_any():
        # Who sends an order again need not be signed in as the one who made it.
        fields["donor_id"] = None
    fields["payment_url"] = payment_url(line)
    return CreatedDonation(**fields, confirmation_url=fields["payment_url"], status_url=status_url(line))


async def _recipient(data: DonationCreate) -> int | None:
    if data.streamer_id is not None:
        return data.streamer_id
    if not 1 <= data.recipient_id <= MAX_ID:
        return None
    async with parts().pool.acquire() as connection:
        return await find_recipient(connection, data.recipient_id)


# Reading.


@blueprint.get("/")
@needs(Scope.DONATIONS_READ)
@examples(response=[_DETAILS])
@validate_querystring(DonationsQuery)
@validate_response(list[DonationDetails])
async def list_donations(query_args: DonationsQuery) -> list[DonationDetails]:
    """List donations.

    Those that the caller sent or received, whatever the filters say; a key has those that its streamer received.
    `skip` goes as far as 100,000: to read on, ask by `date_to`.
    """
    query, reader = query_args, await _reader()
    selection = await _select(reader, query)
    if selection is None:
        return []
    return await _list(
        reader,
        selection,
        order_by=query.order_by,
        is_ascending=query.order_direction == "asc",
        skip=query.skip,
        limit=query.limit,
    )


@blueprint.get("/my")
@needs(Scope.DONATIONS_READ)
@examples(response=[_DETAILS])
@validate_querystring(MyDonationsQuery)
@validate_response(list[DonationDetails])
async def list_mine(query_args: MyDonationsQuery) -> list[DonationDetails]:
    """List donations that the caller received, or, `as_donor`, sent; the newest first."""
    reader = await _reader()
    sent, received = Selection(sent_by=reader.user_id), Selection(received_by=reader.streamer_id)
    selection = sent if query_args.as_donor else received
    return await _list(reader, selection, skip=query_args.skip, limit=query_args.limit)


@blueprint.get("/<id:donation_id>")
@needs(Scope.DONATIONS_READ)
@examples(response=_DETAILS, path={"donation_id": 17})
@validate_response(DonationDetails)
async def show(donation_id: int) -> DonationDetails:
    """Read a donation that the caller sent or received."""
    reader = await _reader()
    async with parts().pool.acquire() as connection:
        line = await get_line(connection, donation_id)
    if line is None:
        raise Refused(404, "Donation not found")
    if line.streamer_id != reader.streamer_id and not is_sender_of(reader, line):
        raise Refused(403, "Not enough permissions")
    return details_of(reader, line)


@blueprint.get("/stats/<id:user_id>")
@needs(Scope.STATS_READ)
@examples(
    response={
        "total_amount": 10150.5,
        "total_count": 31,
        "today_amount": 150.5,
        "today_count": 1,
        "this_month_amount": 2300.0,
        "this_month_count": 9,
    },
    path={"user_id": 3},
)
@validate_response(DonationStats)
async def show_stats(user_id: int) -> DonationStats:
    """Sum up what the caller's page was given.

    Refunds are off; days and months are those of the streamer's time zone.
    """
    async with parts().pool.acquire() as connection:
        streamer = await _callers_streamer(connection)
        if user_id != (caller().user.id if streamer is None else streamer.owner_id):
            raise Refused(403, "Not enough permissions")
        if streamer is None:
            return DonationStats(
                total_amount=0, total_count=0, today_amount=0, today_count=0, this_month_amount=0, this_month_count=0
            )
        found = await totals.read_totals(connection, streamer.id)
        today = datetime.now(ZoneInfo(streamer.time_zone)).date()
        month = await statistics.sum_days(connection, streamer.id, statistics.Period(today.replace(day=1), today))
    return DonationStats(
        total_amount=found.all_minor,
        total_count=found.donations,
        today_amount=found.today_minor,
        today_count=found.today_donations,
        this_month_amount=found.month_minor,
        this_month_count=month.donations,
    )


async def _callers_streamer(connection: Any) -> Streamer | None:
    who = caller()
    if who.streamer_id is not None:
        return await get_streamer(connection, who.streamer_id)
    return await find_by_owner(connection, who.user.id)


async def _reader() -> Reader:
    who = caller()
    async with parts().pool.acquire() as connection:
        streamer = await _callers_streamer(connection)
    return Reader(
        user_id=person_id_if_any(),
        streamer_id=None if streamer is None else streamer.id,
        sees_originals=who.may(Scope.DONATIONS_ORIGINAL),
    )


async def _select(reader: Reader, query: DonationsQuery) -> Selection | None:
    """None: there can be none."""
    received_by, sent_by, sent_to, named_only = reader.streamer_id, reader.user_id, None, False
    if query.recipient_id is not None:
        sent_to = None
        if 1 <= query.recipient_id <= MAX_ID:
            async with parts().pool.acquire() as connection:
                sent_to = await find_recipient(connection, query.recipient_id)
        if sent_to is None:
            return None
        if sent_to == received_by:
            sent_by = None
        else:
            received_by = None
    if query.donor_id is not None:
        if not 1 <= query.donor_id <= MAX_ID:
            return None
        if query.donor_id == reader.user_id:
            received_by, sent_by = None, reader.user_id
        elif received_by is None:
            return None
        else:
            received_by, sent_by, sent_to, named_only = None, query.donor_id, received_by, True
    return Selection(
        received_by=received_by,
        sent_by=sent_by,
        sent_to=sent_to,
        named_only=named_only,
        since=query.date_from,
        until=query.date_to,
        least_minor=query.min_amount,
        most_minor=query.max_amount,
        told=query.status,
        is_anonymous=query.is_anonymous,
    )


async def _list(
    reader: Reader,
    selection: Selection,
    *,
    order_by: OrderBy = OrderBy.CREATED_AT,
    is_ascending: bool = False,
    skip: int,
    limit: int,
) -> list[DonationDetails]:
    if order_by is not OrderBy.CREATED_AT or skip > FAR:
        await parts().limiter.take(SLOW_LIMIT, str(caller().user.id))
    async with parts().pool.acquire() as connection:
        lines = await list_lines(
            connection, selection, order_by=order_by, is_ascending=is_ascending, skip=skip, limit=limit
        )
    return [details_of(reader, line) for line in lines]
