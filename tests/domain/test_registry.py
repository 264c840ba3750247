"""The registry in the books: whole, in parts, twice and in any order; what does not fit is a difference."""

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain import differences, registry
from domain.differences import Difference
from domain.differences import DifferenceKind as D
from domain.errors import InvalidInputError, NotFoundError
from domain.ledger import BookedAs
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import Payment, PaymentStatus, list_payments_of_donation
from domain.registry_rows import RegistryKind as K
from domain.registry_rows import RegistryRow
from domain.terminals import set_terminal
from domain.totals import are_behind
from tests.builders import BOX, BuiltStreamer, hear, make_streamer, open_donation
from tests.registry_files import bring, bring_and_read, check_all, line, read

SHA = bytes(32)


async def confirmed(connection: Any, streamer: BuiltStreamer, amount_minor: int = 30_000) -> Payment:
    _, payment = await open_donation(connection, streamer, amount_minor=amount_minor)
    await hear(connection, payment, N.CONFIRMED)
    return payment


async def make_old(connection: Any, days: int = 3) -> None:
    """All that happened, happened days ago: the registry may be expected to know it."""
    await connection.execute("UPDATE payments SET confirmed_at = confirmed_at - make_interval(days => $1)", days)


async def fees(connection: Any) -> int:
    return int(
        await connection.fetchval("SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries WHERE account = 'fees'")
    )


async def found(connection: Any, streamer: BuiltStreamer) -> list[tuple[D, int | None, int | None]]:
    listed = await differences.list_differences(connection, streamer.id)
    return sorted((one.kind, one.ours_minor, one.theirs_minor) for one in listed)


class TestStoring:
    async def test_the_same_bytes_are_the_same_file(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        rows = [line(payment, fee_minor=700)]
        [first] = await bring(connection, streamer, rows, sha256=SHA)
        [again] = await bring(connection, streamer, rows, sha256=SHA)
        assert (first.is_new, again.is_new, first.id) == (True, False, again.id)
        assert await connection.fetchval("SELECT count(*) FROM registry_rows") == 1
        assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'read_registry'") == 1

    async def test_an_operation_in_two_files_is_one(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        row = line(payment, fee_minor=700)
        await bring_and_read(connection, streamer, row)
        again = await bring_and_read(connection, streamer, dataclasses.replace(row, number=9, raw="9;…"))
        assert await fees(connection) == 700
        [newest, _] = await registry.list_files(connection, streamer.id)
        assert (newest.id, newest.rows, newest.new_rows) == (again.id, 1, 0)

    async def test_two_alike_in_one_file_are_two(self, connection: asyncpg.Connection) -> None:
        """Equal refunds within a second carry nothing that tells them apart."""
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=10_000)
        row = line(payment, K.REFUND, 10_000)
        await bring_and_read(connection, streamer, line(payment), row, dataclasses.replace(row, number=99))
        assert await found(connection, streamer) == []

    async def test_an_empty_file(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        with pytest.raises(InvalidInputError, match="empty"):
            await bring(connection, streamer, [])

    async def test_a_file_of_another_terminal_is_refused(self, connection: asyncpg.Connection) -> None:
        streamer, stranger = await make_streamer(connection), await make_streamer(connection)
        payment = await confirmed(connection, stranger)
        with pytest.raises(InvalidInputError) as caught:
            await bring(connection, streamer, [line(payment, terminal=stranger.terminal_key)])
        assert (caught.value.code, caught.value.data) == ("other_terminal", {"terminal": stranger.terminal_key})
        assert await connection.fetchval("SELECT count(*) FROM registry_files") == 0

    async def test_lines_of_others_are_left_out(self, connection: asyncpg.Connection) -> None:
        streamer, stranger = await make_streamer(connection), await make_streamer(connection)
        mine, theirs = await confirmed(connection, streamer), await confirmed(connection, stranger)
        stored = await bring_and_read(
            connection,
            streamer,
            line(mine, fee_minor=700, terminal=streamer.terminal_key),
            line(theirs, fee_minor=900, terminal=stranger.terminal_key),
            line(theirs, K.CHARGEBACK, terminal=stranger.terminal_key),
        )
        assert await fees(connection) == 700
        assert await connection.fetchval("SELECT rows FROM registry_files WHERE id = $1", stored.id) == 1
        assert await connection.fetchval("SELECT count(*) FROM chargebacks") == 0

    async def test_a_strangers_payment_under_my_terminal_is_only_unknown(self, connection: asyncpg.Connection) -> None:
        """Whatever a file says, it books nothing on somebody else's payment."""
        streamer, stranger = await make_streamer(connection), await make_streamer(connection)
        theirs = await confirmed(connection, stranger)
        await bring_and_read(connection, streamer, line(theirs, K.CHARGEBACK, fee_minor=900))
        assert await fees(connection) == 0
        assert await connection.fetchval("SELECT count(*) FROM chargebacks") == 0
        assert await found(connection, streamer) == [(D.UNKNOWN_PAYMENT, None, 30_000)]
        assert await found(connection, stranger) == []

    async def test_the_banks_own_name_for_a_terminal(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        await bring_and_read(connection, streamer, line(payment, fee_minor=700, terminal="StreamShop"))
        assert await fees(connection) == 700

    async def test_two_terminals_in_one_file_are_two_files(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        old = await confirmed(connection, streamer)
        await set_terminal(connection, BOX, streamer.id, "tbank", "NEWER", "secret")
        new = await confirmed(connection, streamer)
        stored = await bring(
            connection,
            streamer,
            [line(old, terminal=streamer.terminal_key, fee_minor=1), line(new, terminal="NEWER", fee_minor=2)],
        )
        assert len(stored) == 2
        for file in stored:
            await read(connection, file.id)
        assert await fees(connection) == 3

    async def test_somebody_elses_file_is_not_read_again(self, connection: asyncpg.Connection) -> None:
        streamer, stranger = await make_streamer(connection), await make_streamer(connection)
        stored = await bring_and_read(connection, streamer, line(await confirmed(connection, streamer)))
        with pytest.raises(NotFoundError):
            await registry.read_again(connection, stranger.id, stored.id)
        await registry.read_again(connection, streamer.id, stored.id)


class TestFees:
    async def test_every_fee_of_a_payment_is_its(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
        await bring_and_read(
            connection,
            streamer,
            line(payment, fee_minor=700),
            line(payment, K.REFUND, 10_000, fee_minor=50),
            line(payment, K.FEE, 0, fee_minor=5),
        )
        assert await fees(connection) == 755
        assert await found(connection, streamer) == []
        await check_all(connection)

    async def test_fees_do_not_make_totals_look_old(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        await bring_and_read(connection, streamer, line(payment, fee_minor=700))
        assert not await are_behind(connection, streamer.id)

    async def test_many_payments_are_booked_in_pieces(
        self, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(registry, "FEES_AT_ONCE", 2)
        streamer = await make_streamer(connection)
        payments = [await confirmed(connection, streamer) for _ in range(5)]
        without = await confirmed(connection, streamer)
        await bring_and_read(connection, streamer, *(line(payment, fee_minor=7) for payment in payments), line(without))
        assert await fees(connection) == 35
        assert await found(connection, streamer) == []

    async def test_a_refused_authorisation_costs_its_fee_alone(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        await bring_and_read(connection, streamer, line(payment, K.FEE, fee_minor=100, provider_kind="AUTH_FAIL"))
        assert await fees(connection) == 100
        assert await found(connection, streamer) == []
        await check_all(connection)


class TestDifferences:
    async def test_a_payment_nobody_knows_until_it_does(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        unknown = dataclasses.replace(line(payment), provider_payment_id="555", order_id="of-another-shop")
        await bring_and_read(connection, streamer, unknown)
        assert await found(connection, streamer) == [(D.UNKNOWN_PAYMENT, None, 30_000)]
        # It waits for it, ever longer, and not for ever.
        for _ in range(10):
            await read(connection, await connection.fetchval("SELECT id FROM registry_files"))
        assert await connection.fetchval("SELECT next_read_at FROM registry_files") is None

    async def test_the_second_payment_of_an_order_becomes_known(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        twin_row = dataclasses.replace(line(payment, fee_minor=700), provider_payment_id="777")
        stored = await bring_and_read(connection, streamer, line(payment), twin_row)
        [_, twin] = await list_payments_of_donation(connection, payment.donation_id)
        assert (twin.twin_of, twin.status, twin.provider_payment_id) == (payment.id, PaymentStatus.PENDING, "777")
        assert await found(connection, streamer) == [(D.NOT_BOOKED, None, 30_000)]
        assert await connection.fetchval("SELECT next_check_at <= now() FROM payments WHERE id = $1", twin.id)

        await hear(connection, twin, N.CONFIRMED, source=Source.POLL)
        [_, twin] = await list_payments_of_donation(connection, payment.donation_id)
        assert twin.booked_as is BookedAs.SURPLUS
        assert await found(connection, streamer) == []
        await read(connection, stored.id)
        assert await fees(connection) == 700
        await check_all(connection)

    async def test_a_payment_we_think_unpaid_is_asked_about(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.EXPIRED, source=Source.POLL)
        await bring_and_read(connection, streamer, line(payment))
        assert await found(connection, streamer) == [(D.NOT_BOOKED, None, 30_000)]
        assert await connection.fetchval("SELECT next_check_at <= now() FROM payments")
        await hear(connection, payment, N.CONFIRMED, source=Source.POLL)
        assert await found(connection, streamer) == []

    async def test_another_amount(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        await bring_and_read(connection, streamer, line(payment, amount_minor=29_000))
        assert await found(connection, streamer) == [(D.AMOUNT, 30_000, 29_000)]

    async def test_a_refund_of_the_banks_cabinet_is_asked_about_and_vanishes(
        self, connection: asyncpg.Connection
    ) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        await bring_and_read(connection, streamer, line(payment), line(payment, K.REFUND, 10_000))
        assert await found(connection, streamer) == [(D.REFUND, 0, 10_000)]
        assert await connection.fetchval("SELECT next_check_at <= now() FROM payments")
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
        assert await found(connection, streamer) == []

    async def test_a_payment_of_ours_that_a_days_file_lacks(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        first, lacking = await confirmed(connection, streamer), await confirmed(connection, streamer, 20_000)
        # Not before its time: the bank may list it tomorrow.
        await bring_and_read(connection, streamer, line(first))
        assert await found(connection, streamer) == []
        await make_old(connection)
        moment = await connection.fetchval("SELECT confirmed_at FROM payments WHERE id = $1", lacking.id)
        await bring_and_read(connection, streamer, line(first, operated_at=moment, reference="the same day"))
        assert (D.MISSING, 20_000, None) in await found(connection, streamer)
        # The next day's file has it.
        await bring_and_read(connection, streamer, line(lacking, operated_at=moment + timedelta(days=1)))
        assert D.MISSING not in [kind for kind, _, _ in await found(connection, streamer)]

    async def test_a_payment_of_a_day_without_a_file_is_no_difference(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        await confirmed(connection, streamer)
        await make_old(connection, days=9)
        await bring_and_read(connection, streamer, line(await confirmed(connection, streamer)))
        assert await found(connection, streamer) == []

    async def test_our_refund_that_the_registry_lacks(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            streamer = await make_streamer(connection)
            payment = await confirmed(connection, streamer)
            await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
            # The ledger is append only, and this test wants a refund of last week.
            await connection.execute("ALTER TABLE ledger_transactions DISABLE TRIGGER append_only")
            await connection.execute("UPDATE ledger_transactions SET created_at = created_at - interval '3 days'")
            await make_old(connection)
            moment = await connection.fetchval("SELECT max(created_at) FROM ledger_transactions")
            await bring_and_read(connection, streamer, line(payment, operated_at=moment))
            assert await found(connection, streamer) == [(D.REFUND_MISSING, 30_000, 0)]
            await bring_and_read(connection, streamer, line(payment, K.REFUND))
            assert await found(connection, streamer) == []
            await check_all(connection)

    async def test_what_a_person_has_to_look_at(self, connection: asyncpg.Connection) -> None:
        streamer = await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        service = line(
            payment, K.FEE, 0, fee_minor=9_900, provider_kind="ServiceFee", provider_payment_id="", order_id=""
        )
        await bring_and_read(
            connection, streamer, line(payment), service, line(payment, K.OTHER, 1_000, provider_kind="DebitCorrection")
        )
        assert await found(connection, streamer) == [(D.OTHER, None, 1_000), (D.UNLINKED, None, 9_900)]
        assert await fees(connection) == 0

    async def test_settled_with_a_note_until_its_sums_change(self, connection: asyncpg.Connection) -> None:
        streamer, stranger = await make_streamer(connection), await make_streamer(connection)
        payment = await confirmed(connection, streamer)
        await bring_and_read(connection, streamer, line(payment, amount_minor=29_000))
        [one] = await differences.list_differences(connection, streamer.id)
        with pytest.raises(InvalidInputError, match="required"):
            await differences.settle(connection, streamer.id, one.key, "  ", streamer.owner_id)
        # A stranger's mark is a mark on his own page.
        await differences.settle(connection, stranger.id, one.key, "не моё", stranger.owner_id)
        assert len(await differences.list_differences(connection, streamer.id)) == 1
        await differences.settle(connection, streamer.id, one.key, "банк пересчитал курс", streamer.owner_id)
        assert await differences.list_differences(connection, streamer.id) == []
        [settled] = await differences.list_differences(connection, streamer.id, settled=True)
        assert (settled.key, settled.note, settled.settled_by) == (
            one.key, "банк пересчитал курс", f"{streamer.slug}@example.org"
        )  # fmt: skip
        await bring_and_read(connection, streamer, line(payment, amount_minor=500, reference="another"))
        assert await found(connection, streamer) == [(D.AMOUNT, 30_000, 29_500)]
        await differences.unsettle(connection, streamer.id, one.key)


class TestAnyOrder:
    """What is in the books depends on the lines, never on how they came."""

    @staticmethod
    async def world(connection: asyncpg.Connection) -> tuple[BuiltStreamer, list[RegistryRow]]:
        streamer = await make_streamer(connection)
        first, second, third = [await confirmed(connection, streamer) for _ in range(3)]
        return streamer, [
            line(first, fee_minor=700),
            line(first, K.CHARGEBACK, fee_minor=100),
            line(second, fee_minor=300),
            line(second, K.CHARGEBACK, 20_000),
            line(second, K.CHARGEBACK_REVERSAL, 20_000),
            line(second, K.CHARGEBACK, 5_000, provider_kind="2Chargeback"),
            line(third, fee_minor=10),
            line(third, K.FEE, 0, fee_minor=20),
            line(third, K.OTHER, 100),
        ]

    @staticmethod
    async def books(connection: asyncpg.Connection) -> dict[str, Any]:
        await check_all(connection)
        return {
            "accounts": [tuple(row) for row in await connection.fetch(
                "SELECT payment_id - (SELECT min(id) FROM payments), account, sum(entries.amount_minor)"
                " FROM ledger_entries AS entries JOIN ledger_transactions ON id = transaction_id"
                " GROUP BY 1, 2 ORDER BY 1, 2")],
            "donations": [tuple(row) for row in await connection.fetch(
                "SELECT status, charged_back_minor FROM donations ORDER BY id")],
            "alerts": [tuple(row) for row in await connection.fetch("SELECT status FROM alerts ORDER BY id")],
            "reached": [tuple(row) for row in await connection.fetch(
                "SELECT payment_id - (SELECT min(id) FROM payments), kind, max(reached_minor)"
                " FROM ledger_transactions GROUP BY 1, 2 ORDER BY 1, 2")],
            "totals": [tuple(row) for row in await connection.fetch(
                "SELECT net_minor, donations FROM streamer_totals")],
            "rows": await connection.fetchval("SELECT count(*) FROM registry_rows"),
            "registry": [tuple(row) for row in await connection.fetch(
                "SELECT registry_minor FROM payments ORDER BY id")],
        }  # fmt: skip

    async def through(self, connection: asyncpg.Connection, files: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Bring files made of these lines, by their numbers, one after another; then forget it all."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            streamer, rows = await self.world(connection)
            for numbers in files:
                if numbers:
                    await bring_and_read(connection, streamer, *(rows[number] for number in numbers))
            return await self.books(connection)
        finally:
            await transaction.rollback()

    @pytest.mark.parametrize(
        "files",
        [
            [[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8]],
            [[0, 1, 2, 3], [4, 5, 6, 7, 8]],
            [[4, 5, 6, 7, 8], [0, 1, 2, 3]],
            [[4], [3], [5], [1], [0], [2], [8], [7], [6]],
            [[0, 3], [8, 1, 4], [0, 3, 5], [2, 6, 7], [1]],
        ],
        ids=["twice", "halves", "the second half first", "a line at a time", "overlapping"],
    )
    async def test_the_books_are_the_same(self, connection: asyncpg.Connection, files: list[list[int]]) -> None:
        whole = await self.through(connection, [range(9)])
        assert await self.through(connection, files) == whole

    async def test_any_cut_in_any_order(self, connection: asyncpg.Connection) -> None:
        whole = await self.through(connection, [range(9)])
        for cut, order in itertools.product((1, 4, 8), ("forward", "backward", "shuffled")):
            lines = list(range(9))
            if order == "backward":
                lines.reverse()
            elif order == "shuffled":
                lines = [(number * 4 + cut) % 9 for number in lines]
            assert await self.through(connection, [lines[:cut], lines[cut:]]) == whole, (cut, order)


async def test_differences_say_whose_they_are(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    payment = await confirmed(connection, streamer)
    stored = await bring_and_read(connection, streamer, line(payment, amount_minor=29_000))
    [one] = await differences.list_differences(connection, streamer.id)
    assert one == Difference(
        key=f"amount:{payment.id}:30000:29000",
        kind=D.AMOUNT,
        payment_id=payment.id,
        file_id=stored.id,
        provider_payment_id=payment.provider_payment_id,
        order_id=payment.order_id,
        provider_kind="",
        ours_minor=30_000,
        theirs_minor=29_000,
        happened_at=one.happened_at,
        donation_public_id=one.donation_public_id,
        donor_name="Аня",
        note=None,
        settled_at=None,
        settled_by=None,
    )
