"""Paid donations: prepared through the public form and the bank, then paid by notifications that we sign as the bank.

An overlay here confirms at once what it was offered, so that no alert waits for the one before it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import aiohttp
import httpx

from domain.payments import Payment, payment_from
from simulator.donor import Donor
from simulator.overlay import OVERLAY_AWAY, Overlay
from tests.bench.house import BenchStreamer, House, until
from tests.bench.pace import paced
from tests.builders import check_books, notification_body

DONORS = 16
"""How many fill in forms at once while donations are prepared."""
IN_FLIGHT = 32
"""How many notifications the bank sends at once in a burst."""


@dataclass(frozen=True)
class Prepared:
    """A donation that its donor is about to pay: the bank's notification of it, signed."""

    donation_id: int
    notification: bytes


async def prepare(house: House, streamers: Sequence[BenchStreamer], count: int) -> list[Prepared]:
    """`count` donations with open payments, the streamers taking turns.

    The checker is told to look at them later: it would ask the bank about payments the bank knows to be unpaid.
    """
    wishes = [(number, streamers[number % len(streamers)]) for number in range(count)]
    waiting = iter(wishes)
    public_ids: dict[int, str] = {}

    async def fill_in(donor_number: int) -> None:
        address = {"X-Forwarded-For": f"198.51.100.{donor_number}"}
        async with httpx.AsyncClient(headers=address, timeout=60, trust_env=False, verify=False) as http:
            for number, streamer in waiting:
                donor = Donor(http, f"{house.stack.web_url}/donate/{streamer.built.slug}")
                page = await donor.wish(amount="300", name="Аня", message=f"Привет из Омска, {number}")
                await donor.find_bank(page)
                public_ids[number] = page.rpartition("/")[2]

    async with asyncio.TaskGroup() as donors:
        for donor_number in range(DONORS):
            donors.create_task(fill_in(donor_number))
    await house.until_empty_outbox()
    await house.pool.execute("UPDATE payments SET next_check_at = now() + interval '1 hour' WHERE closed_at IS NULL")
    rows = await house.pool.fetch(
        """
        SELECT donations.public_id, payments.* FROM payments JOIN donations ON donations.id = payments.donation_id
        WHERE donations.public_id = ANY($1)
        """,
        list(public_ids.values()),
    )
    payments = {row["public_id"]: payment_from({k: v for k, v in row.items() if k != "public_id"}) for row in rows}
    return [_prepared(streamer, payments[public_ids[number]]) for number, streamer in wishes]


def _prepared(streamer: BenchStreamer, payment: Payment) -> Prepared:
    return Prepared(payment.donation_id, notification_body(streamer.built.terminal_key, payment, "CONFIRMED"))


@dataclass
class Audience:
    """Connected overlays, one a streamer, and when each donation's alert came to one of them (`perf_counter`)."""

    offered_at: dict[int, float] = field(default_factory=dict)
    repeats: int = 0

    async def watch(self, overlay: Overlay) -> None:
        try:
            while True:
                offer = await overlay.next("offer")
                donation_id = offer.data["donation_id"]
                self.repeats += donation_id in self.offered_at
                self.offered_at.setdefault(donation_id, offer.at)
                lease = {"alert_id": offer.data["alert_id"], "lease_id": offer.data["lease_id"]}
                for word in ("started", "seen", "finished"):
                    answer = await overlay.say(word, lease)
                    assert answer == {"ok": True, "late": False}, (word, answer)
        except OVERLAY_AWAY as error:
            raise AssertionError("an overlay lost its connection") from error

    async def until_offered(self, donations: Sequence[Prepared]) -> None:
        async def all_came() -> bool:
            return all(donation.donation_id in self.offered_at for donation in donations)

        await until(all_came, "all alerts came")


@asynccontextmanager
async def audience(house: House, streamers: Sequence[BenchStreamer]) -> AsyncIterator[Audience]:
    watching = Audience()
    async with AsyncExitStack() as stack:
        overlays = [await stack.enter_async_context(house.overlay(streamer)) for streamer in streamers]
        tasks = [asyncio.create_task(watching.watch(overlay)) for overlay in overlays]
        try:
            yield watching
        finally:
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
        for result in done:
            if isinstance(result, AssertionError):
                raise result


class Bank:
    """Sends notifications to the site, as the bank does."""

    def __init__(self, http: aiohttp.ClientSession, web_url: str) -> None:
        self._http = http
        self._url = f"{web_url}/api/v1/payments/webhook/tbank"

    async def notify(self, donation: Prepared) -> float:
        """Returns when the sending began (`perf_counter`)."""
        began_at = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        async with self._http.post(self._url, data=donation.notification, headers=headers) as answer:
            text = await answer.text()
        assert (answer.status, text) == (200, "OK"), (answer.status, text)
        return began_at


async def measure_latency(
    house: House, watching: Audience, donations: Sequence[Prepared], *, per_second: float
) -> list[float]:
    """Seconds from the sending of each notification to its alert in the overlay's socket."""
    async with aiohttp.ClientSession() as http:
        bank = Bank(http, house.stack.web_url)
        began_at = await paced([partial(bank.notify, donation) for donation in donations], per_second)
    await watching.until_offered(donations)
    return [watching.offered_at[donation.donation_id] - at for donation, at in zip(donations, began_at, strict=True)]


async def measure_burst(house: House, watching: Audience, donations: Sequence[Prepared]) -> float:
    """All notifications as fast as the site takes them; donations a second from the first to the last alert."""
    waiting = iter(donations)

    async def send(bank: Bank) -> None:
        for donation in waiting:
            await bank.notify(donation)

    async with aiohttp.ClientSession() as http:
        bank = Bank(http, house.stack.web_url)
        began_at = time.perf_counter()
        async with asyncio.TaskGroup() as sending:
            for _ in range(IN_FLIGHT):
                sending.create_task(send(bank))
    await watching.until_offered(donations)
    return len(donations) / (max(watching.offered_at[one.donation_id] for one in donations) - began_at)


async def count_lost(house: House, donations: Sequence[Prepared]) -> int:
    """How many of these are not paid and shown in the end; the books must balance."""

    async def nothing_plays() -> bool:
        return not await house.pool.fetchval("SELECT EXISTS (SELECT FROM alerts WHERE status IN ('queued', 'playing'))")

    await until(nothing_plays, "all alerts are over")
    await house.until_empty_outbox()
    async with house.pool.acquire() as connection, connection.transaction():
        await check_books(connection)
        return int(
            await connection.fetchval(
                """
                SELECT count(*) FROM unnest($1::integer[]) AS wished (id)
                WHERE NOT EXISTS (SELECT FROM donations WHERE donations.id = wished.id AND status = 'paid')
                   OR NOT EXISTS (SELECT FROM alerts WHERE donation_id = wished.id AND status = 'shown')
                """,
                [donation.donation_id for donation in donations],
            )
        )
