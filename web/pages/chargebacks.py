"""Payments that a donor's bank took back: told privately, with what the streamer's bank asks for when she objects.

GET  /dashboard/chargebacks                        the list
GET  /dashboard/chargebacks/<payment>              the case, to read and to print
GET  /dashboard/chargebacks/<payment>/case.txt     the same in Russian, for the bank
POST /dashboard/chargebacks/<payment>/read         seen
"""

from dataclasses import dataclass
from datetime import datetime

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from domain import chargebacks
from domain.chargebacks import Case, Showing
from domain.ledger import BookedAs
from domain.registry_rows import RegistryKind
from domain.streamers import Streamer
from domain.terms import ELSEWHERE
from web.context import parts
from web.csv_files import MARK, download
from web.i18n import _, clock_words, format_money, use_locale, zone
from web.pages import desk
from web.sessions import require_streamer, require_user

blueprint = Blueprint("chargebacks", __name__)


@dataclass(frozen=True)
class Section:
    """A part of the case: names and values."""

    title: str
    facts: tuple[tuple[str, str], ...]


@blueprint.get("/dashboard/chargebacks")
async def show() -> Response:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        found = await chargebacks.list_chargebacks(connection, streamer.id)
    return await desk.render("pages/chargebacks.html", streamer, current="money.show", chargebacks=found)


@blueprint.get("/dashboard/chargebacks/<int(max=2147483647):payment_id>")
async def show_case(payment_id: int) -> Response:
    streamer = await require_streamer()
    case = await _case(streamer, payment_id)
    return await desk.render(
        "pages/chargeback.html", streamer, current="money.show", case=case, sections=sections(case, streamer)
    )


@blueprint.get("/dashboard/chargebacks/<int(max=2147483647):payment_id>/case.txt")
async def download_case(payment_id: int) -> Response:
    streamer = await require_streamer()
    case = await _case(streamer, payment_id)
    with use_locale("ru"):
        text = case_text(case, streamer)
    return download(f"chargeback-{case.order_id[:8]}.txt", MARK + text, "text/plain")


@blueprint.post("/dashboard/chargebacks/<int(max=2147483647):payment_id>/read")
async def mark_read(payment_id: int) -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    await _case(streamer, payment_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        await chargebacks.mark_read(connection, streamer.id, payment_id, user.id)
    if "back" in (await request.form):
        return desk.go_to("chargebacks.show_case", payment_id=payment_id)
    return desk.go_to("chargebacks.show")


async def _case(streamer: Streamer, payment_id: int) -> Case:
    async with parts().pool.acquire() as connection:
        return await chargebacks.get_case(connection, streamer.id, payment_id)


def case_text(case: Case, streamer: Streamer) -> str:
    """The case as plain text, in the language of the moment."""
    lines = [_("Facts of a disputed payment"), ""]
    for section in sections(case, streamer):
        lines += [section.title.upper(), *(f"{name}: {_one_line(value)}" for name, value in section.facts), ""]
    return "\r\n".join(lines)


def _moment(at: datetime, time_zone: str) -> str:
    """To the second and with its year, as a bank wants it: `24.11.2026 21:43:05`."""
    return at.astimezone(zone(time_zone)).strftime("%d.%m.%Y %H:%M:%S")


def _one_line(text: str) -> str:
    """No donor writes lines of ours."""
    return " ".join(text.split())


def sections(case: Case, streamer: Streamer) -> list[Section]:
    """The facts that a bank asks for; times on the streamer's clocks, which the first section names."""
    return [
        Section(_("Payment"), tuple(_payment(case, streamer))),
        Section(_("Dispute"), tuple(_dispute(case, streamer))),
        Section(_("What the donor asked for"), tuple(_wish(case, streamer))),
        Section(_("What was on stream"), tuple(_stream(case, streamer))),
    ]


def _payment(case: Case, streamer: Streamer) -> list[tuple[str, str]]:
    clock = streamer.time_zone
    facts = [
        (_("Recipient"), streamer.display_name),
        (_("Amount"), format_money(case.confirmed_minor)),
        (_("Paid"), _moment(case.confirmed_at, clock)),
        (_("Times are of"), clock_words(clock)),
    ]
    if case.method:
        facts.append((_("Paid by"), method_words(case.method)))
    return [
        *facts,
        (_("Payment at the provider"), case.provider_payment_id),
        (_("Order"), case.order_id),
        (_("Terminal"), case.terminal_key),
        (_("Donation"), f"{case.donation_id} ({case.public_id})"),
    ]


def _dispute(case: Case, streamer: Streamer) -> list[tuple[str, str]]:
    clock = streamer.time_zone
    facts = []
    for line in case.operations:
        words = _("%(amount)s on %(time)s", amount=format_money(line.amount_minor),
                  time=_moment(line.operated_at, clock))  # fmt: skip
        if line.reference:
            words += f" · RRN {line.reference}"
        facts.append((f"{operation_words(line.kind)} ({line.provider_kind})", words))
    held_minor = case.charged_back_minor - case.reversed_minor
    state = _("The donor's bank holds %(amount)s.", amount=format_money(held_minor))
    facts.append((_("Now"), state if held_minor > 0 else _("Everything has come back to you.")))
    if case.refunded_minor and case.booked_as is BookedAs.DONATION:
        facts.append((_("Refunded by the recipient"), format_money(case.refunded_minor)))
    return facts


def _wish(case: Case, streamer: Streamer) -> list[tuple[str, str]]:
    facts = [
        (_("Form sent"), _moment(case.created_at, streamer.time_zone)),
        (_("Name"), case.written_name or _("Anonymous")),
        (_("Message"), case.written_message or _("none")),
        (_("Terms agreed to"), _terms_words(case, streamer)),
    ]  # fmt: skip
    if case.booked_as is not BookedAs.DONATION:
        facts.append((_("Note"), _("This payment is not the one that paid the donation.")))
    return facts


def _terms_words(case: Case, streamer: Streamer) -> str:
    moment = _moment(case.consented_at, streamer.time_zone)
    if case.consent_version == ELSEWHERE:
        return _("those of the program that sent the donation, %(time)s", time=moment)
    return _("version %(version)s, %(time)s", version=case.consent_version, time=moment)


def _stream(case: Case, streamer: Streamer) -> list[tuple[str, str]]:
    facts = []
    for showing in case.showings:
        words = f"{showing.donor_name or _('Anonymous')} · {format_money(showing.amount_minor)}"
        if showing.message:
            words += f" · «{showing.message}»"
        facts.append((showing_words(showing, streamer.time_zone), words))
    return facts or [(_("Alert"), _("none"))]


def showing_words(showing: Showing, time_zone: str) -> str:
    name = _("Replay") if showing.kind == "replay" else _("Alert")
    if showing.shown_at is None:
        return _("%(alert)s, not shown", alert=name)
    time = _moment(showing.shown_at, time_zone)
    if showing.in_summary:
        return _("%(alert)s, shown in a summary %(time)s", alert=name, time=time)
    return _("%(alert)s, shown %(time)s", alert=name, time=time)


def operation_words(kind: RegistryKind) -> str:
    match kind:
        case RegistryKind.PAYMENT:
            return _("Payment")
        case RegistryKind.REFUND:
            return _("Refund")
        case RegistryKind.CHARGEBACK:
            return _("Chargeback")
        case RegistryKind.CHARGEBACK_REVERSAL:
            return _("Chargeback won back")
    raise AssertionError(kind)


def method_words(method: str) -> str:
    return {"card": _("card"), "sbp": _("SBP")}.get(method, method)
