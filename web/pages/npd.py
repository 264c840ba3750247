"""НПД: the year's income against the limit, and cheques to issue and to annul in "Мой налог".

    GET  /dashboard/npd                     ?year=2026
    GET  /dashboard/npd/cheques.csv         what is to be issued now
    POST /dashboard/npd/issued              these cheques are issued: one, or a day's
    POST /dashboard/npd/annulled            this cheque is annulled
    POST /dashboard/npd/unmark              it was marked by mistake

In the menu only for those who are self-employed (settings).
"""

from itertools import groupby
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound, UnprocessableEntity

from domain import npd
from domain.errors import NotAllowedError
from domain.npd import DueCheque
from web.context import parts
from web.csv_files import MARK, csv_line, download, moment, rubles
from web.i18n import _
from web.pages import desk
from web.pages.money import day_name
from web.sessions import require_streamer, require_user

blueprint = Blueprint("npd", __name__)

LISTED_CHEQUES = 500
_IN_FILE = 20_000
_MARKED_AT_ONCE = 1_000


@blueprint.get("/dashboard/npd")
async def show() -> Response:
    streamer = await require_streamer()
    this_year = npd.current_year()
    year = request.args.get("year", this_year, type=int)
    if not 2020 <= year <= this_year:
        raise NotFound
    async with parts().pool.acquire() as connection:
        regime = await npd.get_regime(connection, streamer.id)
        income = await npd.read_year(connection, streamer.id, year)
        due = await npd.list_due(connection, streamer.id, regime, limit=LISTED_CHEQUES)
        due_number, due_minor = await npd.count_due(connection, streamer.id, regime)
        wrong = await npd.list_wrong(connection, streamer.id)
        issued = await npd.list_issued(connection, streamer.id, year)
    return await desk.render(
        "pages/npd.html",
        streamer,
        current="npd.show",
        regime=regime,
        income=income,
        limit_minor=npd.YEAR_LIMIT_MINOR,
        year=year,
        this_year=this_year,
        days=_by_day(due),
        due_number=due_number,
        due_minor=due_minor,
        shown=len(due),
        wrong=wrong,
        issued=issued,
        clock=npd.CLOCK,
        day_name=day_name,
    )


@blueprint.get("/dashboard/npd/cheques.csv")
async def download_cheques() -> Response:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        regime = await npd.get_regime(connection, streamer.id)
        due = await npd.list_due(connection, streamer.id, regime, limit=_IN_FILE)
    head: list[str | int] = [_("Paid"), _("Amount, ₽"), _("Payer"), _("Description"), _("Donation"), _("Name")]
    lines: list[list[str | int]] = [
        [
            moment(cheque.paid_at, npd.CLOCK),
            rubles(cheque.amount_minor),
            _("Natural person"),
            regime.item,
            cheque.donation_id,
            cheque.donor_name or _("Anonymous"),
        ]
        for cheque in due
    ]
    return download(f"npd-{streamer.slug}.csv", MARK + "".join(csv_line(line) for line in [head, *lines]))


@blueprint.post("/dashboard/npd/issued")
async def mark_issued() -> ResponseReturnValue:
    """Each `cheque` is "donation:kopecks", as it was shown: what changed since is left out, and said."""
    user, streamer = await require_user(), await require_streamer()
    cheques = [_cheque(text) for text in (await request.form).getlist("cheque")]
    if not 1 <= len(cheques) <= _MARKED_AT_ONCE:
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection, connection.transaction():
        marked = await npd.mark_issued(connection, streamer.id, cheques, user.id)
    return desk.go_to("npd.show", said="cheques-issued" if marked == len(cheques) else "cheques-changed")


@blueprint.post("/dashboard/npd/annulled")
async def mark_annulled() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    cheque_id = await _cheque_id()
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await npd.mark_annulled(connection, streamer.id, cheque_id, user.id)
    except NotAllowedError:
        return desk.go_to("npd.show", said="cheques-changed")
    return desk.go_to("npd.show", said="cheque-annulled")


@blueprint.post("/dashboard/npd/unmark")
async def unmark() -> ResponseReturnValue:
    streamer = await require_streamer()
    cheque_id = await _cheque_id()
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await npd.unmark(connection, streamer.id, cheque_id)
    except NotAllowedError:
        return desk.go_to("npd.show", said="cheques-changed")
    return desk.go_to("npd.show", said="cheque-unmarked")


def _by_day(due: list[DueCheque]) -> list[dict[str, Any]]:
    """The cheques by Moscow's days, with the day's sum."""
    days = []
    for day, cheques in groupby(due, key=lambda cheque: cheque.day):
        listed = list(cheques)
        days.append({"day": day, "cheques": listed, "sum_minor": sum(cheque.amount_minor for cheque in listed)})
    return days


def _cheque(text: str) -> tuple[int, int]:
    donation_id, colon, amount_minor = text.partition(":")
    if not colon or not donation_id.isdecimal() or not amount_minor.isdecimal():
        raise UnprocessableEntity
    found = int(donation_id), int(amount_minor)
    if found[0] >= 2**31 or found[1] >= 2**62:
        raise UnprocessableEntity
    return found


async def _cheque_id() -> int:
    cheque_id = (await request.form).get("cheque", type=int)
    if cheque_id is None or not 0 < cheque_id < 2**31:
        raise UnprocessableEntity
    return cheque_id
