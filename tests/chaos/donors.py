"""Donors with a browser each, and the streamer's hand on their donations: what each does is planned."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx

from domain.errors import DomainError
from domain.refunds import request_refund
from simulator.donor import Donor, DonorError, Page
from tests.chaos.house import AGAIN_SECONDS, House
from tests.chaos.plan import TBANK, Act, DonorPlan

PATIENCE_SECONDS = 240.0
"""For a link, or for news of what was paid. Who waits in vain goes away, and whatever was paid is judged as it is."""
REFUND_SECONDS = 20
"""How long a streamer waits for one refund before the next."""
HURRY_SECONDS = 10.0
"""Between two presses of "try again" while the bank does not answer."""
LINK_IS_DEAD = "66 minutes"
"""So long after its end a link that the bank calls unpaid is expired (domain/payments)."""
_UNDER_WAY = "SELECT count(*) FROM refunds WHERE payment_id = $1 AND finished_at IS NULL"


class GoneAwayError(Exception):
    """A donor got no further; `str()` says where."""


def message_of(number: int) -> str:
    """What the donor writes: the alert and the donation are known by it."""
    return f"Донор номер {number}"


class DonorAtWork:
    def __init__(self, house: House, http: httpx.AsyncClient, plan: DonorPlan) -> None:
        """`http` is this donor's own browser."""
        self._house = house
        self._plan = plan
        self._streamer = house.streamers[plan.provider]
        self._donor = Donor(http, f"{house.stack.web_url}/donate/{self._streamer.built.slug}")
        self._page_url = ""

    async def go(self) -> None:
        """From the empty form to the end of the plan. Raises GoneAwayError."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS) as waiting:
                self._waiting = waiting
                rubles, kopecks = divmod(self._plan.amount_minor, 100)
                self._page_url = await self._donor.wish(
                    amount=f"{rubles},{kopecks:02}", name="Аня", message=message_of(self._plan.number)
                )
                await _ACTS[self._plan.act](self)
        except (DonorError, TimeoutError) as error:
            raise GoneAwayError(f"{type(error).__name__} {error}") from error

    # What donors do.

    async def _pays(self) -> None:
        await self._press(await self._find_link())

    async def _silent(self) -> None:
        await self._find_link()
        await self._pay_at_the_bank(notify=False)

    async def _declined_pays(self) -> None:
        link = await self._find_link()
        await self._donor.press(link, "decline")
        # At YooKassa a decline ends the payment.
        await self._press(link if self._plan.provider == TBANK else await self._find_link(but_not=link))

    async def _declined_leaves(self) -> None:
        await self._donor.press(await self._find_link(), "decline")

    async def _leaves(self) -> None:
        await self._find_link()

    async def _new_link(self) -> None:
        link = await self._find_link()
        await self._donor.press(link, "expire")
        await self._wait_for_the_end_of_the_link()
        await self._press(await self._find_link(but_not=link))

    async def _pays_both(self) -> None:
        """T-Bank: the declined payment can still be paid. YooKassa: a payment that we gave up can."""
        link = await self._find_link()
        if self._plan.provider == TBANK:
            await self._donor.press(link, "decline")
        else:
            await self._wait_for_the_end_of_the_link(LINK_IS_DEAD)
        second = await self._find_link(but_not=link)
        await self._press(second)
        await self._press(link)

    async def _pays_late(self) -> None:
        link = await self._find_link()
        payment = await self._payment()
        if self._plan.provider == TBANK:
            await self._donor.press(link, "expire")
            await self._wait_for_the_end_of_the_link()
            await self._house.act(TBANK, payment["provider_payment_id"], "pay", force=True, source=self._source)
        else:
            await self._wait_for_the_end_of_the_link(LINK_IS_DEAD)
            await self._press(link)

    async def _twin(self) -> None:
        link = await self._find_link()
        payment = await self._payment()
        await self._press(link)
        if self._plan.provider == TBANK:
            await self._house.act(TBANK, payment["provider_payment_id"], "twin", wait=False)

    # What happens to their money afterwards.

    async def _refund_all(self) -> None:
        await self._pays()
        await self._return(await self._until_booked(), self._plan.amount_minor)

    async def _refund_part(self) -> None:
        await self._pays()
        await self._return(await self._until_booked(), self._plan.first_back_minor)

    async def _refund_twice(self) -> None:
        await self._pays()
        payment = await self._until_booked()
        await self._return(payment, self._plan.first_back_minor)
        # One that is in doubt takes its time; then the streamer has to do with the first.
        for _ in range(REFUND_SECONDS):
            if not await self._house.value(_UNDER_WAY, payment["id"]):
                await self._return(payment, self._plan.second_back_minor)
                return
            await asyncio.sleep(1)

    async def _bank_refund_all(self) -> None:
        await self._pays()
        payment = await self._payment()
        await self._house.act(self._plan.provider, payment["provider_payment_id"], "refund", wait=False)

    async def _bank_refund_part(self) -> None:
        await self._pays()
        await self._bank_returns_a_part(await self._payment())

    async def _refund_race(self) -> None:
        await self._pays()
        payment = await self._until_booked()
        await asyncio.gather(self._return(payment, self._plan.first_back_minor), self._bank_returns_a_part(payment))

    async def _bank_returns_a_part(self, payment: asyncpg.Record) -> None:
        await self._house.act(
            self._plan.provider,
            payment["provider_payment_id"],
            "refund",
            amount_minor=self._plan.second_back_minor,
            wait=False,
        )

    async def _return(self, payment: asyncpg.Record, amount_minor: int) -> None:
        """The streamer's wish; its commit may have been done though nobody said so, and then the second is refused."""

        async def wish(connection: Any) -> None:
            await request_refund(
                connection,
                streamer_id=self._streamer.id,
                payment_id=payment["id"],
                amount_minor=amount_minor,
                reason="Так вышло",
                user_id=self._streamer.built.owner_id,
            )

        try:
            await self._house.patiently(wish)
        except DomainError:
            # Given back already: by a wish of ours that nobody confirmed, or in the bank's cabinet.
            pass

    # How they do it.

    @property
    def _source(self) -> str:
        return "qrsbp" if self._plan.by_sbp else "cards"

    async def _press(self, link: str) -> None:
        await self._donor.press(link, "sbp" if self._plan.by_sbp else "card")

    async def _pay_at_the_bank(self, *, notify: bool) -> None:
        payment = await self._payment()
        way = {"source": self._source}
        if self._plan.provider != TBANK:
            way = {"method": "sbp" if self._plan.by_sbp else "bank_card"}
        await self._house.act(self._plan.provider, payment["provider_payment_id"], "pay", notify=notify, **way)

    async def _find_link(self, *, but_not: str | None = None) -> str:
        """Follow the donation's page until it has a link other than `but_not`; press "try again" where there is one."""
        loop = asyncio.get_running_loop()
        pressed_at = -HURRY_SECONDS
        page = await self._donor.look(self._page_url)
        while page.bank_link is None or page.bank_link == but_not:
            if page.is_paid:
                raise DonorError("paid already")
            if page.has_form("/retry") and loop.time() - pressed_at >= HURRY_SECONDS:
                pressed_at = loop.time()
                await self._donor.ask_for_new_link(self._page_url)
                page = await self._donor.look(self._page_url)
            else:
                page = await self._next(page)
        return page.bank_link

    async def _next(self, page: Page) -> Page:
        await asyncio.sleep(AGAIN_SECONDS)
        if page.has_form("/retry"):
            # It may wait for its button rather than for us.
            return await self._donor.look(self._page_url)
        return await self._donor.wait(self._page_url, page)

    async def _payment(self) -> asyncpg.Record:
        """The newest attempt that has a link."""
        (payment,) = await self._house.fetch(
            """
            SELECT payments.id, provider_payment_id FROM payments JOIN donations ON donations.id = donation_id
            WHERE public_id = $1 AND payment_url IS NOT NULL ORDER BY attempt DESC LIMIT 1
            """,
            self._public_id,
        )
        return payment

    async def _until_booked(self) -> asyncpg.Record:
        while True:
            rows = await self._house.fetch(
                """
                SELECT payments.id, provider_payment_id FROM payments JOIN donations ON donations.id = donation_id
                WHERE public_id = $1 AND booked_as = 'donation'
                """,
                self._public_id,
            )
            if rows:
                return rows[0]
            await asyncio.sleep(1)

    async def _wait_for_the_end_of_the_link(self, ago: str = "0 minutes") -> None:
        """Until we know that the newest link is dead. Time passes quickly for this one payment."""
        payment = await self._payment()
        while True:
            ended = await self._house.value(
                """
                UPDATE payments SET due_at = least(due_at, now() - $2::text::interval), next_check_at = now()
                WHERE id = $1 AND closed_at IS NULL RETURNING false
                """,
                payment["id"],
                ago,
            )
            if ended is None:
                return
            await asyncio.sleep(3)

    @property
    def _public_id(self) -> str:
        return self._page_url.rpartition("/")[2]


_ACTS: dict[Act, Callable[[DonorAtWork], Awaitable[None]]] = {
    Act.PAYS: DonorAtWork._pays,
    Act.SILENT: DonorAtWork._silent,
    Act.DECLINED_PAYS: DonorAtWork._declined_pays,
    Act.DECLINED_LEAVES: DonorAtWork._declined_leaves,
    Act.LEAVES: DonorAtWork._leaves,
    Act.NEW_LINK: DonorAtWork._new_link,
    Act.PAYS_BOTH: DonorAtWork._pays_both,
    Act.PAYS_LATE: DonorAtWork._pays_late,
    Act.TWIN: DonorAtWork._twin,
    Act.REFUND_ALL: DonorAtWork._refund_all,
    Act.REFUND_PART: DonorAtWork._refund_part,
    Act.REFUND_TWICE: DonorAtWork._refund_twice,
    Act.BANK_REFUND_ALL: DonorAtWork._bank_refund_all,
    Act.BANK_REFUND_PART: DonorAtWork._bank_refund_part,
    Act.REFUND_RACE: DonorAtWork._refund_race,
}
