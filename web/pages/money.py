"""Money by months and days, by when it moved, and the ledger of a month as a file.

    GET /dashboard/money                ?year=2026, or ?month=2026-11 for its days
    GET /dashboard/money/ledger.csv     ?month=2026-11

The figures are `domain/money.py`'s, in the streamer's time zone.
"""

import calendar
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

from babel.dates import format_date as babel_format_date
from quart import Blueprint, Response, request, stream_with_context
from werkzeug.exceptions import NotFound

from domain import chargebacks, differences, money, npd, registry
from domain.money import LedgerLine, Moved
from domain.streamers import Streamer
from web.context import parts
from web.csv_files import MARK, csv_line, download, moment, rubles
from web.i18n import _, current_locale, zone
from web.limits import Limit
from web.pages import desk
from web.sessions import require_streamer

blueprint = Blueprint("money", __name__)

# A month of a large streamer costs seconds of the database.
FILES = Limit("ledger-file", 30, 10 * 60)

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_YEAR = re.compile(r"20\d\d")


@blueprint.get("/dashboard/money")
async def show() -> Response:
    streamer = await require_streamer()
    today = datetime.now(zone(streamer.time_zone)).date()
    month = month_asked()
    year = month.year if month else _year_asked(today.year)
    if month is None:
        first, last = date(year, 1, 1), date(year, 12, 31)
    else:
        first, last = month, month.replace(day=calendar.monthrange(month.year, month.month)[1])
    async with parts().pool.acquire() as connection:
        # Days that are counted for the first time are kept.
        async with connection.transaction():
            days = await money.read_days(connection, streamer, first, last)
        tests_minor = await money.sum_tests(connection, streamer, first, last)
        beginning = await money.first_day(connection, streamer)
        held = await money.read_held(connection, streamer.id)
        unread = await chargebacks.count_unread(connection, streamer.id)
        last_day = await registry.last_day(connection, streamer.id)
        open_differences = len(await differences.list_differences(connection, streamer.id))
        regime = await npd.get_regime(connection, streamer.id)
    rows = days if month else money.by_months(days)
    years = range(today.year, min(year, beginning.year if beginning else today.year) - 1, -1)
    return await desk.render(
        "pages/money.html",
        streamer,
        current="money.show",
        month=month,
        year=year,
        years=[*years] if year <= today.year else [year, *years],
        rows=rows,
        total=sum(rows.values(), Moved()),
        tests_minor=tests_minor,
        held=held,
        unread=unread,
        last_day=last_day,
        open_differences=open_differences,
        is_npd=regime.is_npd,
        month_name=month_name,
        day_name=day_name,
    )


@blueprint.get("/dashboard/money/ledger.csv")
async def download_ledger() -> Response:
    streamer = await require_streamer()
    month = month_asked()
    if month is None:
        raise NotFound
    await parts().limiter.take(FILES, str(streamer.id))

    # Written while it is read, in the language and with the database of this request.
    @stream_with_context
    async def lines() -> AsyncIterator[str]:
        async for text in _ledger(streamer, month):
            yield text

    return download(f"streamcash-{streamer.slug}-{month:%Y-%m}.csv", lines())


async def _ledger(streamer: Streamer, month: date) -> AsyncIterator[str]:
    yield MARK + csv_line(
        [
            _("Moved at"),
            _("Operation"),
            _("To you, ₽"),
            _("Held, ₽"),
            _("Donation"),
            _("Name"),
            _("Paid by"),
            _("Payment at the provider"),
            _("Order"),
            _("Terminal"),
            _("Ledger entry"),
            _("Booked at"),
            _("Test"),
        ]
    )
    async for lines in money.list_ledger_of_month(parts().pool, streamer, month):
        yield "".join(_ledger_line(line, streamer.time_zone) for line in lines)


def _ledger_line(line: LedgerLine, time_zone: str) -> str:
    return csv_line(
        [
            moment(line.moved_at, time_zone),
            ledger_kind(line.kind),
            rubles(line.net_minor),
            rubles(line.held_minor),
            line.donation_id,
            line.donor_name or _("Anonymous"),
            line.method,
            line.provider_payment_id or "",
            line.order_id,
            f"{line.provider} {line.terminal_key}",
            line.id,
            moment(line.booked_at, time_zone),
            _("yes") if line.is_test else "",
        ]
    )


def ledger_kind(kind: str) -> str:
    words = {
        "payment": _("Payment"),
        "refund": _("Refund"),
        "chargeback": _("Chargeback"),
        "chargeback_reversal": _("Chargeback won back"),
        "fee": _("Provider's fee"),
        "acceptance": _("Taken as it came"),
    }
    return words.get(kind, kind)


def month_asked() -> date | None:
    """The first day of `?month=`; None when it is not asked for. Raises NotFound for what is no month."""
    text = request.args.get("month")
    if text is None:
        return None
    found = _MONTH.fullmatch(text)
    if found is None:
        raise NotFound
    return date(int(found[1]), int(found[2]), 1)


def _year_asked(this_year: int) -> int:
    text = request.args.get("year")
    if text is None:
        return this_year
    if not _YEAR.fullmatch(text):
        raise NotFound
    return int(text)


def month_name(month: date, *, with_year: bool = True) -> str:
    """`Ноябрь 2026`, or `Ноябрь`."""
    pattern = "LLLL y" if with_year else "LLLL"
    name = str(babel_format_date(month, pattern, locale=current_locale()))
    return name[:1].upper() + name[1:]


def day_name(day: date) -> str:
    """`24 ноября, вт`; of another year, `24 ноября 2025`."""
    pattern = "d MMMM, EEE" if day.year == datetime.now(UTC).year else "d MMMM y"
    return str(babel_format_date(day, pattern, locale=current_locale()))
