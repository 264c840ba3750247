"""Money under whatever may happen, in any order: donors, a bank whose answers get lost, messages twice, late or never.

Hypothesis plays: it wishes, pays, refunds, delivers, loses, lets time pass and workers die, with our real actors on a
real database and two model banks (`model_bank.py`). After every move no rule of the self-check may find the books
broken. In the end everything is delivered and asked, and our books must say what the banks say.

The same games each time; `MONEY_GAMES=1000` plays other ones, as many as that.
"""

import asyncio
import dataclasses
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from cryptography.fernet import Fernet
from dramatiq.errors import Retry
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain import donations, inbox, ledger, outbox, payments, refunds, returns, self_check
from domain.errors import InvalidInputError, NotAllowedError
from domain.events import Actor
from domain.payment_status import NewsStatus as N
from domain.payments import TAKEN, Payment, PaymentStatus, payment_from
from domain.review import accept
from domain.self_check import Scope, Severity
from domain.terminals import choose_terminal, set_terminal
from infra import queries
from infra.broker import TaskMessage
from infra.settings import Settings
from providers.provider import Provider
from tasks.checks import check_payment
from tasks.notifications import apply_notification
from tasks.payments import create_payment
from tasks.publishing import messages_of
from tasks.refunds import make_refund
from tasks.runtime import Parts, close_parts, open_parts
from tasks.sweeps import sweep
from tasks.totals import update_totals
from tests.builders import BOX, BuiltStreamer, make_donation, make_streamer
from tests.domain.model_bank import BankPayment, ModelBank, Trouble, WorkerDiedError

GAMES = int(os.environ.get("MONEY_GAMES", "0"))
MOVES = 40

BANKS = st.sampled_from(["signing", "asking"])
RUBLES = st.sampled_from([10, 300])
FATES = st.sampled_from(["paid", "told", "booked", "booked", "left", "late"])
WHICH = st.integers(0, 99)
OFTEN = st.sampled_from([True, True, True, False])
TROUBLES = st.sampled_from([*[None] * 6, *Trouble])
LOST = [Trouble.LOST, Trouble.DEADLY, Trouble.SLOW]
REFUND_TROUBLES = st.sampled_from([None, None, None, *LOST, *LOST, *Trouble])
SHARES = st.sampled_from([0.3, 0.5, 1.0])

T = TypeVar("T")
ACTORS: dict[Actor, Callable[[Parts, int], Coroutine[Any, Any, None]]] = {
    Actor.CREATE_PAYMENT: create_payment,
    Actor.APPLY_NOTIFICATION: apply_notification,
    Actor.CHECK_PAYMENT: check_payment,
    Actor.MAKE_REFUND: make_refund,
    Actor.UPDATE_TOTALS: update_totals,
}


class World:
    """The actors' parts on an event loop of its own: Hypothesis plays without one."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="money machine", daemon=True)
        self._thread.start()
        self.parts = dataclasses.replace(self.run(open_parts(settings, pool_size=2)), box=BOX)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=60)

    def close(self) -> None:
        self.run(close_parts(self.parts))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def world(fresh_database_url: str, redis_url: str) -> Iterator[World]:
    world = World(
        Settings(
            database_url=fresh_database_url,
            redis_url=redis_url,
            secret_keys=Fernet.generate_key().decode(),
            web_url="http://127.0.0.1:1",
            realtime_url="http://127.0.0.1:1",
        )
    )
    yield world
    world.close()


# Where our own clock stands is in these columns; a day passes when all of them are a day older.
CLOCKS = {
    "payments": ("due_at", "opening_at", "opened_at", "next_check_at", "asked_until", "created_at"),
    "refunds": ("next_try_at", "asked_at", "created_at", "called_at"),
    "donations": ("created_at",),
    "inbox": ("next_ask_at", "processed_at", "received_at", "last_received_at"),
    "outbox": ("available_at",),
    "provider_health": ("rest_until",),
}


class MoneyMachine(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.signing = ModelBank("signing", signs_notifications=True)
        self.asking = ModelBank("asking", signs_notifications=False)
        self.banks = {bank.name: bank for bank in (self.signing, self.asking)}
        providers: dict[str, Provider] = {bank.name: bank for bank in self.banks.values()}
        self.parts = dataclasses.replace(self.world.parts, providers=providers)
        self.terminals: dict[str, int] = {}
        self.donation_ids: list[str] = []
        self.streamer: BuiltStreamer
        self.world.run(self._begin())

    async def _begin(self) -> None:
        async with self.parts.pool.acquire() as connection:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute("TRUNCATE users, outbox, relays, provider_health RESTART IDENTITY CASCADE")
            await connection.execute("SET session_replication_role = origin")
            self.streamer = await make_streamer(connection)
            for bank in self.banks.values():
                key = f"{self.streamer.slug}-{bank.name}"
                terminal = await set_terminal(connection, BOX, self.streamer.id, bank.name, key, "secret")
                self.terminals[bank.name] = terminal.id

    # -- what donors do

    @initialize(bank=BANKS, rubles=RUBLES, fate=FATES)
    def begin(self, bank: str, rubles: int, fate: str) -> None:
        self._donate(bank, rubles, fate, None)

    @rule(bank=BANKS, rubles=RUBLES, fate=FATES, trouble=TROUBLES)
    def donate(self, bank: str, rubles: int, fate: str, trouble: Trouble | None) -> None:
        self._donate(bank, rubles, fate, trouble)

    def _donate(self, bank_name: str, rubles: int, fate: str, trouble: Trouble | None) -> None:
        """As a rule the donor pays at once; sometimes we have even heard of it."""
        bank = self.banks[bank_name]
        bank.troubles["open"] = [trouble] if trouble and trouble is not Trouble.REFUSED else []
        known = set(bank.payments)
        self.world.run(self._wish(bank_name, rubles * 100))
        opened = [payment for name, payment in bank.payments.items() if name not in known]
        if fate == "left" or not opened:
            return
        if fate == "late":
            for _ in range(3):
                self.world.run(self._let_time_pass(4000))
                self.world.run(self._sweep())
                self.world.run(self._work_on_all())
        bank.pay(opened[0], opened[0].asked_minor, "sbp" if rubles == 10 else "card")
        if fate != "paid":
            self.world.run(self._receive(bank, bank.on_their_way.pop().body))
        if fate == "booked":
            for _ in range(3):
                self.world.run(self._work(-1))

    async def _wish(self, bank: str, amount_minor: int) -> None:
        async with self.parts.pool.acquire() as connection, connection.transaction():
            await choose_terminal(connection, self.streamer.id, self.terminals[bank])
            donation = await make_donation(connection, self.streamer, amount_minor=amount_minor)
        self.donation_ids.append(donation.public_id)
        # As a rule somebody acts on it at once.
        await self._work(0)
        await self._work(0)

    @precondition(lambda self: self.donation_ids)
    @rule(which=WHICH, bank=BANKS)
    def try_again(self, which: int, bank: str) -> None:
        async def retry() -> None:
            async with self.parts.pool.acquire() as connection, connection.transaction():
                await choose_terminal(connection, self.streamer.id, self.terminals[bank])
                await donations.retry(connection, _one_of(self.donation_ids, which), link_minutes=30)

        try:
            self.world.run(retry())
        except NotAllowedError:
            return

    @precondition(lambda self: self._open())
    @rule(which=WHICH, method=st.sampled_from(["card", "sbp"]), more=st.sampled_from([0, 0, 0, 0, -100, 100]))
    def pay(self, which: int, method: str, more: int) -> None:
        bank, payment = _one_of(self._open(), which)
        bank.pay(payment, payment.asked_minor + more, method)

    @precondition(lambda self: self._open())
    @rule(which=WHICH, word=st.sampled_from([N.FAILED, N.AUTHORIZED, N.CANCELLED, N.EXPIRED]))
    def move(self, which: int, word: N) -> None:
        bank, payment = _one_of(self._open(), which)
        if word is N.CANCELLED or payment.word is not N.AUTHORIZED:
            bank.move(payment, word)

    @precondition(lambda self: self.signing.payments)
    @rule(which=WHICH)
    def pay_a_twin(self, which: int) -> None:
        twin = self.signing.make_twin(_one_of([*self.signing.payments.values()], which))
        self.signing.pay(twin, twin.asked_minor, "card")

    # -- what banks do by themselves

    @precondition(lambda self: self._told())
    @rule(which=WHICH, again=st.booleans(), heard=OFTEN)
    def deliver(self, which: int, again: bool, heard: bool) -> None:
        bank, told = _one_of(self._told(), which)
        if not again:
            bank.on_their_way.remove(told)
        self.world.run(self._receive(bank, told.body, heard=heard))

    async def _receive(self, bank: ModelBank, body: bytes, *, heard: bool = False) -> None:
        """A notification comes; `heard`: somebody acts on it at once."""
        await self._store(bank, body)
        if heard:
            await self._work(-1)
            await self._work(-1)

    async def _store(self, bank: ModelBank, body: bytes) -> None:
        incoming = bank.read(body)
        said: dict[str, Any] = {
            "dedup_key": incoming.dedup_key,
            "body": body,
            "order_id": incoming.order_id,
            "provider_payment_id": incoming.provider_payment_id,
        }
        async with self.parts.pool.acquire() as connection, connection.transaction():
            if bank.signs_notifications:
                await inbox.store_notification(connection, terminal_id=self.terminals[bank.name], **said)
                return
            told = await inbox.find_told_payment(
                connection,
                provider=bank.name,
                provider_payment_id=incoming.provider_payment_id,
                order_id=incoming.order_id,
            )
            if told is not None:
                await inbox.store_wish(connection, told, **said)

    @precondition(lambda self: self.asking.payments or self.signing.payments)
    @rule(which=WHICH, status=st.sampled_from(N), minor=st.sampled_from([None, 1, 1000, 30_000]), heard=OFTEN)
    def say_something_wrong(self, which: int, status: N, minor: int | None, heard: bool) -> None:
        """Anybody may send what the asking bank could have sent. The signing bank may repeat old words, say what means
        nothing, and tell an amount that is not ours; it does not invent money."""
        banks = [(bank, payment) for bank in self.banks.values() for payment in bank.payments.values()]
        bank, payment = _one_of(banks, which)
        if bank.signs_notifications:
            if status in (N.AUTHORIZED, N.CONFIRMED):
                minor = None if minor == payment.asked_minor else minor
            elif status not in (N.PENDING, N.PROCESSING, N.FAILED, N.UNKNOWN, N.REFUNDING):
                return
        bank.tell(payment, status=status, amount_minor=minor)
        if heard:
            self.world.run(self._receive(bank, bank.on_their_way.pop().body, heard=True))

    @precondition(lambda self: self._refundable())
    @rule(which=WHICH, share=SHARES)
    def give_back_in_the_cabinet(self, which: int, share: float) -> None:
        bank, payment = _one_of(self._refundable(), which)
        bank.give_back(payment, max(1, int((payment.left_minor - payment.refunding_minor) * share)))

    @precondition(lambda self: self._slow_refunds())
    @rule(which=WHICH, done=st.booleans())
    def end_a_slow_refund(self, which: int, done: bool) -> None:
        bank, refund = _one_of(self._slow_refunds(), which)
        bank.end_refund(refund, done=done)

    @rule(
        bank=BANKS,
        call=st.sampled_from(["open", "get_state", "list_order", "call_off", "refund", "get_refund"]),
        trouble=st.sampled_from(Trouble),
    )
    def prepare_trouble(self, bank: str, call: str, trouble: Trouble) -> None:
        """For the next such call."""
        if trouble is Trouble.REFUSED and call != "refund":
            return
        self.banks[bank].troubles[call] = [trouble]

    @precondition(lambda self: self.donation_ids)
    @rule(which=WHICH, share=SHARES, again=st.booleans())
    def charge_back(self, which: int, share: float, again: bool) -> None:
        self.world.run(self._charge_back(which, share, again))

    async def _charge_back(self, which: int, share: float, again: bool) -> None:
        """As the registry tells, long afterwards; `again`: what was charged back comes again."""
        async with self.parts.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch("SELECT id FROM payments WHERE booked_as IS NOT NULL ORDER BY id")
            if not rows:
                return
            payment_id = _one_of(rows, which)["id"]
            payment = payment_from(await queries.payments.lock_payment(connection, payment_id=payment_id))
            assert payment.booked_as is not None
            assert payment.confirmed_minor is not None
            taken, reversed_ = [
                await queries.ledger.sum_reached(connection, payment_id=payment_id, kind=kind)
                for kind in ("chargeback", "chargeback_reversal")
            ]
            names: dict[str, Any] = {
                "streamer_id": payment.streamer_id,
                "payment_id": payment_id,
                "booked_as": payment.booked_as,
            }
            if again:
                reached = min(taken, reversed_ + max(1, int((taken - reversed_) * share)))
                transaction, delta = await ledger.book_chargeback_reversal(connection, reversed_minor=reached, **names)
                delta = -delta
            else:
                reached = min(payment.confirmed_minor + reversed_, taken + max(1, int(payment.confirmed_minor * share)))
                transaction, delta = await ledger.book_chargeback(connection, charged_back_minor=reached, **names)
            if transaction is not None:
                await returns.settle_return(connection, payment, transaction, delta, payment.booked_as)

    # -- what our own people and programs do

    @precondition(lambda self: self.donation_ids)
    @rule(
        which=WHICH,
        share=SHARES,
        trouble=REFUND_TROUBLES,
        looks=st.lists(st.sampled_from([15, 90, 90, 700, 4000]), max_size=4),
    )
    def wish_a_refund(self, which: int, share: float, trouble: Trouble | None, looks: list[int]) -> None:
        """Often the bank makes trouble; whoever looks at it again and again should not mind."""
        for bank in self.banks.values():
            bank.troubles["refund"] = [trouble] if trouble else []
        try:
            self.world.run(self._wish_a_refund(which, share))
        except (NotAllowedError, InvalidInputError):
            return
        for seconds in looks:
            self.world.run(self._work(-1))
            self.world.run(self._let_time_pass(seconds))
            self.world.run(self._sweep())

    async def _wish_a_refund(self, which: int, share: float) -> None:
        async with self.parts.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch("SELECT id FROM payments WHERE booked_as IS NOT NULL ORDER BY id")
            if not rows:
                return
            payment = await payments.get_payment(connection, _one_of(rows, which)["id"])
            assert payment is not None
            await refunds.request_refund(
                connection,
                streamer_id=self.streamer.id,
                payment_id=payment.id,
                amount_minor=max(1, int(await refunds.refundable_minor(connection, payment) * share)),
                reason="просьба",
                user_id=self.streamer.owner_id,
            )

    @precondition(lambda self: self.donation_ids)
    @rule(which=WHICH)
    def accept_another_amount(self, which: int) -> None:
        try:
            self.world.run(self._accept(which))
        except NotAllowedError:
            return

    async def _accept(self, which: int) -> None:
        async with self.parts.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch("SELECT id FROM payments WHERE booked_as = 'review' ORDER BY id")
            if rows:
                payment_id, user_id = _one_of(rows, which)["id"], self.streamer.owner_id
                await accept(connection, streamer_id=self.streamer.id, payment_id=payment_id, user_id=user_id)

    @rule(which=WHICH, times=st.sampled_from([1, 1, 1, 1, 2, 0]))
    def work(self, which: int, times: int) -> None:
        """Somebody acts on a wish; or two do; or RabbitMQ loses it."""
        self.world.run(self._work(which, times))

    async def _work(self, which: int, times: int = 1) -> None:
        tasks = await self._tasks()
        if tasks:
            row_id, task = _one_of(tasks, which)
            await self.parts.pool.execute("DELETE FROM outbox WHERE id = $1", row_id)
            for _ in range(times):
                await self._act(Actor(task.actor), task.argument)

    async def _work_on_all(self) -> bool:
        """Whether there was something to do."""
        tasks = await self._tasks()
        await self.parts.pool.execute("DELETE FROM outbox WHERE available_at <= now()")
        for _, task in tasks:
            await self._act(Actor(task.actor), task.argument)
        return bool(tasks)

    async def _tasks(self) -> list[tuple[int, TaskMessage]]:
        """What the relay would send now, with its row's id."""
        rows = await self.parts.pool.fetch(
            "SELECT id, kind, name, data, event_id, created_at FROM outbox WHERE available_at <= now() ORDER BY id"
        )
        found = [(row["id"], message) for row in rows for message in messages_of(row)]
        return [(row_id, task) for row_id, task in found if isinstance(task, TaskMessage) and task.actor in ACTORS]

    async def _act(self, actor: Actor, argument: int) -> None:
        try:
            await ACTORS[actor](self.parts, argument)
        except (Retry, WorkerDiedError):
            async with self.parts.pool.acquire() as connection:
                await outbox.add_task(connection, actor, argument, delay_seconds=1)

    @precondition(lambda self: self.donation_ids)
    @rule(which=WHICH)
    def poll(self, which: int) -> None:
        async def check() -> None:
            rows = await self.parts.pool.fetch("SELECT id FROM payments ORDER BY id")
            await self._act(Actor.CHECK_PAYMENT, _one_of(rows, which)["id"])

        self.world.run(check())

    @rule()
    def look_for_what_is_due(self) -> None:
        self.world.run(self._sweep())

    async def _sweep(self) -> None:
        async with self.parts.pool.acquire() as connection, connection.transaction():
            await payments.ask_due_payments(connection)
            await sweep(connection)

    @rule(seconds=st.sampled_from([15, 90, 700, 8000, 90_000]))
    def let_time_pass(self, seconds: int) -> None:
        self.world.run(self._let_time_pass(seconds))

    async def _let_time_pass(self, seconds: int) -> None:
        for bank in self.banks.values():
            bank.clock += seconds
        async with self.parts.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            )
            known = {(row["table_name"], row["column_name"]) for row in rows}
            for table, columns in CLOCKS.items():
                older = [
                    f"{column} = {column} - make_interval(secs => $1)" for column in columns if (table, column) in known
                ]
                await connection.execute(f"UPDATE {table} SET {', '.join(older)}", float(seconds))

    # -- what must hold

    @invariant()
    def books_are_right(self) -> None:
        assert self.world.run(self._find(Severity.BROKEN)) == {}

    @invariant()
    def nothing_is_given_back_twice(self) -> None:
        assert [key for bank in self.banks.values() for key in bank.refunds if key.endswith("+")] == []

    async def _find(self, *severities: Severity) -> dict[str, list[int]]:
        found = {}
        async with self.parts.pool.acquire() as connection, connection.transaction():
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for each in self_check.RULES:
                if each.severity in severities:
                    rows = [row["example"] async for row in each.find(connection, Scope())]
                    if rows:
                        found[each.name] = rows
        return found

    def teardown(self) -> None:
        try:
            self.world.run(self._end())
        finally:
            super().teardown()

    async def _end(self) -> None:
        """Everything is delivered and asked, hours pass, and both sides agree."""
        for bank in self.banks.values():
            bank.troubles.clear()
            for refund in bank.refunds.values():
                if refund.status == "pending":
                    bank.end_refund(refund, done=True)
        for _ in range(8):
            for bank, told in self._told():
                bank.on_their_way.remove(told)
                await self._receive(bank, told.body)
            for _ in range(20):
                if not await self._work_on_all():
                    break
            else:
                raise AssertionError("work makes work without end")
            for bank, payment in self._open():
                # Whatever the donor opened is over by now, and the bank says so or goes on saying that it is unpaid.
                if payment.word is not N.PENDING:
                    bank.move(payment, N.CANCELLED if payment.word is N.AUTHORIZED else N.EXPIRED)
            await self._let_time_pass(8000)
            # A provider is asked about a few payments in one look; in hours there are many looks.
            for _ in range(6):
                await self._sweep()
        await self._compare()
        found = await self._find(*Severity)
        # Nobody publishes here, and what waits for a person does.
        for name in ("relay_missing", "surplus_waiting", "review_waiting", "refund_refused", "notification_unknown"):
            found.pop(name, None)
        assert found == {}

    async def _compare(self) -> None:
        rows = await self.parts.pool.fetch(
            """
            SELECT payments.*, terminals.provider AS bank,
                   (SELECT coalesce(max(reached_minor), 0) FROM ledger_transactions
                    WHERE payment_id = payments.id AND kind = 'refund') AS refunded_minor
            FROM payments JOIN terminals ON terminals.id = payments.terminal_id
            """
        )
        ours = {(row["bank"], row["provider_payment_id"]): row for row in rows}
        for bank in self.banks.values():
            for theirs in bank.payments.values():
                row = ours.get((bank.name, theirs.id))
                if row is None:
                    assert theirs.taken_minor == 0, f"money that nobody knows of: {theirs}"
                else:
                    _agree(payment_from(row), row["refunded_minor"], theirs)
        for row in rows:
            assert row["closed_at"] is not None, dict(row)
            if row["provider_payment_id"] is None:
                assert row["status"] in ("cancelled", "failed"), dict(row)
        wishes = await self.parts.pool.fetch("SELECT * FROM refunds")
        made = {key: refund for bank in self.banks.values() for key, refund in bank.refunds.items()}
        for wish in wishes:
            assert wish["finished_at"] is not None, dict(wish)
            if wish["public_id"] in made and made[wish["public_id"]].status == "done":
                assert wish["status"] == "done", dict(wish)

    # -- what there is

    def _open(self) -> list[tuple[ModelBank, BankPayment]]:
        return [
            (bank, payment) for bank in self.banks.values() for payment in bank.payments.values() if payment.is_open
        ]

    def _told(self) -> list[tuple[ModelBank, Any]]:
        return [(bank, told) for bank in self.banks.values() for told in bank.on_their_way]

    def _refundable(self) -> list[tuple[ModelBank, BankPayment]]:
        """Of another amount than asked for, nothing goes back before we know how much came: no bank tells it after."""
        return [
            (bank, payment)
            for bank in self.banks.values()
            for payment in bank.payments.values()
            if payment.left_minor > payment.refunding_minor and payment.taken_minor == payment.asked_minor
        ]

    def _slow_refunds(self) -> list[tuple[ModelBank, Any]]:
        return [
            (bank, refund)
            for bank in self.banks.values()
            for refund in bank.refunds.values()
            if refund.status == "pending"
        ]


def _agree(ours: Payment, refunded_minor: int, theirs: BankPayment) -> None:
    if theirs.taken_minor == 0:
        assert ours.status in (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED, PaymentStatus.FAILED), (ours, theirs)
        return
    assert ours.status in TAKEN, (ours, theirs)
    assert ours.status.value == theirs.status.value, (ours, theirs)
    assert ours.confirmed_minor == theirs.taken_minor, (ours, theirs)
    assert refunded_minor == theirs.refunded_minor, (ours, refunded_minor, theirs)


def _one_of(things: list[T], which: int) -> T:
    return things[which % len(things)]


@pytest.mark.timeout(600)
def test_books_and_banks_agree_whatever_happens(world: World) -> None:
    machine = type("Machine", (MoneyMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=GAMES or 40,
            stateful_step_count=MOVES,
            derandomize=not GAMES,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
