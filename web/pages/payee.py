"""Who receives the money: what each has to prepare, and where it is entered.

GET  /dashboard/payee   the three cases
POST /dashboard/payee   which of them is true
"""

from dataclasses import dataclass

from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import first_steps, npd, receipts
from domain.first_steps import Payee
from domain.requisites import get_requisites
from web.bank_state import read_bank
from web.context import parts
from web.i18n import _
from web.pages.desk import go_to, render
from web.pages.first_steps_view import payee_titles
from web.sessions import require_streamer
from web.terminal_words import ProviderWords, words_of

blueprint = Blueprint("payee", __name__)


@dataclass(frozen=True)
class Case:
    """What one of the three has to know; lists of whole sentences."""

    payee: Payee
    title: str
    lead: str
    prepare: tuple[str, ...]
    checks: tuple[str, ...]
    takes: str
    receipts: str


@blueprint.get("/dashboard/payee")
async def show() -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        progress = await first_steps.read_progress(connection, streamer.id)
        requisites = await get_requisites(connection, streamer.id)
        bank = await read_bank(connection, streamer.id)
        regime = await npd.get_regime(connection, streamer.id)
    providers: list[ProviderWords] = [words_of(provider) for provider in parts().providers.values()]
    return await render(
        "pages/payee.html",
        streamer,
        current="payee.show",
        cases=_cases(),
        chosen=progress.payee,
        progress=progress,
        has_requisites=requisites is not None and requisites.is_complete,
        bank=bank,
        is_npd=regime.is_npd,
        providers=providers,
    )


@blueprint.post("/dashboard/payee")
async def choose() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    try:
        payee = Payee(fields.get("payee", ""))
    except ValueError:
        raise UnprocessableEntity from None
    async with parts().pool.acquire() as connection, connection.transaction():
        await first_steps.choose_payee(connection, streamer.id, payee)
        starts_npd = payee is Payee.NPD and await receipts.start_npd(connection, streamer.id)
    return go_to("payee.show", said="payee-npd" if starts_npd else "payee-chosen", _anchor=payee.value)


def _cases() -> tuple[Case, ...]:
    titles = payee_titles()
    pages = _(
        "The pages a bank looks for: terms, refunds, contacts with requisites, privacy. We make them from a few fields."
    )
    asks = _("Usually: whether the requisites on the site are those of the contract, and whether the pages open.")
    neutral = _("Usually: what the money is for. Say it as it is: voluntary support of broadcasts, nothing in return.")
    content = _("Usually: what is shown on the broadcast and who may watch it.")
    return (
        Case(
            Payee.BUSINESS,
            titles[Payee.BUSINESS],
            _("The bank connects internet acquiring to the business; cards and SBP come to its account."),
            prepare=(
                _("Registration as an entrepreneur or a company, and a business account."),
                pages,
                _(
                    "An application for internet acquiring in the bank's or provider's cabinet, with this site's "
                    "address."
                ),
            ),
            checks=(
                asks,
                neutral,
                content,
                _(
                    "T-Bank: the test cases in the cabinet of the terminal, on its DEMO key. Pass the general ones, "
                    "and those "
                    "about receipts if a cash register is bound; ours answers as they expect."
                ),
            ),
            takes=_("Usually days. How many, the bank says in the application: longer when it asks for more papers."),
            receipts=_(
                "A cash register (54-FZ) concerns settlements for something. Where nothing is given in return there "
                "is usually "
                "nothing to register; where something is promised, there is. An accountant tells which case is yours."
            ),
        ),
        Case(
            Payee.NPD,
            titles[Payee.NPD],
            _("No business account and no cash register, but a limit of income and a list of what may be done."),
            prepare=(
                _("Registration as self-employed in “My tax”, and an account the bank accepts for it."),
                pages,
                _("An application at a bank or provider that connects the self-employed: ask before you apply."),
            ),
            checks=(
                asks,
                neutral,
                content,
                _("Usually: that you are registered in “My tax” on the day of the application."),
            ),
            takes=_("Usually days, like for a business; the registration in “My tax” itself is done on the phone."),
            receipts=_(
                "The bank is sent no receipts: you make each cheque in “My tax” yourself, and annul it when money "
                "goes back. "
                "We list what is to be made and count the year's income against the limit."
            ),
        ),
        Case(
            Payee.NOBODY,
            titles[Payee.NOBODY],
            _("Everything but real money works: page, overlay, test alerts, goals, moderation. You can decide later."),
            prepare=(
                _(
                    "Nothing. With a DEMO terminal of T-Bank or a test shop of YooKassa even paying can be tried, by "
                    "test cards."
                ),
            ),
            checks=(),
            takes="",
            receipts=_("None: no money comes."),
        ),
    )
