"""The list of donations: its order, its pages in both directions, what a selection finds and comes to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import history, manual_donations
from domain.history import Place, Selection, State
from domain.manual_donations import NewManual
from domain.news import Source
from domain.payment_status import NewsStatus as N
from tests.builders import BuiltStreamer, hear, make_donation, make_streamer, open_donation

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def add(
    connection: Any, streamer: BuiltStreamer, at: datetime = NOON, left_minor: int | None = None, **fields: Any
) -> int:
    """A paid donation, of which so much is left; its id."""
    donation, payment = await open_donation(connection, streamer, **fields)
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL)
    if left_minor is not None:
        status = N.PARTIALLY_REFUNDED if left_minor else N.REFUNDED
        await hear(connection, payment, status, source=Source.POLL, amount_minor=left_minor)
    await connection.execute("UPDATE donations SET paid_at = $1 WHERE id = $2", at, donation.id)
    return donation.id


async def add_by_hand(
    connection: Any, streamer: BuiltStreamer, at: datetime = NOON, amount_minor: int = 5_000, **fields: Any
) -> int:
    values = {"donor_name": "Дядя Ваня", "message": "", "source": "наличные", **fields}
    public_id = await manual_donations.add(
        connection,
        streamer.id,
        NewManual(amount_minor=amount_minor, received_at=at, **values),
        user_id=streamer.owner_id,
        form_key=f"a-form-of-{at.timestamp()}-{amount_minor}",
    )
    assert public_id is not None
    return (await manual_donations.find(connection, streamer.id, public_id)).id


async def keys(connection: Any, streamer: BuiltStreamer, limit: int = 50, **selected: Any) -> list[int]:
    page = await history.list_page(connection, streamer.id, Selection(**selected), limit=limit)
    return [entry.key for entry in page.entries]


class TestList:
    async def test_what_brought_money_stands_in_it_the_newest_first(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        old = await add(connection, streamer, NOON - timedelta(days=1))
        by_hand = await add_by_hand(connection, streamer, NOON - timedelta(hours=1))
        new = await add(connection, streamer, NOON)
        await make_donation(connection, streamer)
        donation, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=1_00)
        await connection.execute("UPDATE payments SET confirmed_at = $1 WHERE id = $2", NOON + timedelta(1), payment.id)
        await add(connection, await make_streamer(connection))
        assert await keys(connection, streamer) == [donation.id, new, -by_hand, old]

    async def test_pages_go_both_ways_and_miss_nothing(self, connection: Any, streamer: BuiltStreamer) -> None:
        """Many at the very same moment, too."""
        for number in range(13):
            await add(connection, streamer, NOON + timedelta(minutes=number // 4))
        for number in range(4):
            await add_by_hand(connection, streamer, NOON + timedelta(minutes=number), 100 + number)
        whole = await keys(connection, streamer)
        assert len(whole) == 17
        everything = Selection()
        pages, before = [], None
        while True:
            page = await history.list_page(connection, streamer.id, everything, before=before, limit=5)
            pages.append([entry.key for entry in page.entries])
            assert page.looked_to is None
            assert (page.newer is None) == (before is None)
            if page.older is None:
                break
            before = page.older
        assert [key for page in pages for key in page] == whole
        assert [len(page) for page in pages] == [5, 5, 5, 2]
        back: list[list[int]] = []
        after = page.newer
        while after is not None:
            page = await history.list_page(connection, streamer.id, everything, after=after, limit=5)
            back.append([entry.key for entry in page.entries])
            after = page.newer
        assert back == [pages[2], pages[1], pages[0]]

    async def test_the_first_page_is_full_however_one_came_to_it(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        ids = [await add(connection, streamer, NOON + timedelta(minutes=number)) for number in range(6)]
        place = Place(NOON + timedelta(minutes=4), ids[4])
        page = await history.list_page(connection, streamer.id, Selection(), after=place, limit=3)
        assert [entry.key for entry in page.entries] == ids[:2:-1]
        assert page.newer is None

    async def test_a_long_list_is_looked_through_in_parts(
        self, connection: Any, streamer: BuiltStreamer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(history, "_LOOKS", (2, 4))
        wanted = await add(connection, streamer, NOON, message="слон")
        for number in range(1, 10):
            await add(connection, streamer, NOON + timedelta(minutes=number))
        selection = Selection(words="слон")
        page = await history.list_page(connection, streamer.id, selection, limit=3)
        assert page.entries == ()
        assert page.looked_to == NOON + timedelta(minutes=6)
        looks = 1
        while page.older is not None:
            page = await history.list_page(connection, streamer.id, selection, before=page.older, limit=3)
            looks += 1
        assert [entry.key for entry in page.entries] == [wanted]
        assert looks == 3
        sums = await history.sum_up(connection, streamer.id, selection, looked=4)
        assert (sums.donations, sums.is_whole, sums.looked_to) == (0, False, NOON + timedelta(minutes=6))
        assert (await history.sum_up(connection, streamer.id, selection, steps=None, looked=4)).donations == 1


class TestSelection:
    async def test_time_holds_its_first_moment_and_not_its_last(self, connection: Any, streamer: BuiltStreamer) -> None:
        at_noon = await add(connection, streamer, NOON)
        await add(connection, streamer, NOON + timedelta(hours=1))
        await add(connection, streamer, NOON - timedelta(microseconds=1))
        by_hand = await add_by_hand(connection, streamer, NOON)
        found = await keys(connection, streamer, since=NOON, until=NOON + timedelta(hours=1))
        assert found == [at_noon, -by_hand]

    async def test_words_are_found_in_any_case_as_written_or_as_shown(
        self, connection: Any, streamer: BuiltStreamer
    ) -> None:
        yolka = await add(connection, streamer, message="ЁЛКА 100%_\\", donor_name="Зоя")
        masked = await add(connection, streamer, NOON - timedelta(1), message="плохое слово", donor_name="Грубиян")
        await connection.execute(
            "UPDATE donations SET public_message = '***', public_donor_name = NULL WHERE id = $1", masked
        )
        by_hand = await add_by_hand(connection, streamer, NOON - timedelta(2), message="На ёлку")
        assert await keys(connection, streamer, words="елк") == [yolka, -by_hand]
        assert await keys(connection, streamer, words="Ёлка") == [yolka]
        assert await keys(connection, streamer, words="%_\\") == [yolka]
        assert await keys(connection, streamer, words="ПЛОХОЕ") == [masked]
        assert await keys(connection, streamer, words="**") == [masked]
        assert await keys(connection, streamer, words="зоя") == [yolka]
        assert await keys(connection, streamer, donor="груб") == [masked]
        assert await keys(connection, streamer, donor="елка") == []
        assert await keys(connection, streamer, is_anonymous=True) == [masked]
        assert await keys(connection, streamer, is_anonymous=False) == [yolka, -by_hand]

    async def test_amounts_hold_both_ends(self, connection: Any, streamer: BuiltStreamer) -> None:
        ids = {minor: await add(connection, streamer, amount_minor=minor) for minor in (10_000, 20_000, 30_001)}
        assert await keys(connection, streamer, least_minor=20_000) == [ids[30_001], ids[20_000]]
        assert await keys(connection, streamer, most_minor=20_000) == [ids[20_000], ids[10_000]]
        assert await keys(connection, streamer, least_minor=20_000, most_minor=20_000) == [ids[20_000]]

    async def test_states(self, connection: Any, streamer: BuiltStreamer) -> None:
        paid = await add(connection, streamer, NOON)
        part = await add(connection, streamer, NOON - timedelta(1), left_minor=10_000)
        gone = await add(connection, streamer, NOON - timedelta(2), left_minor=0)
        held = await add(connection, streamer, NOON - timedelta(3))
        await connection.execute(
            "UPDATE alerts SET status = 'held', place = NULL, playable_at = NULL WHERE donation_id = $1", held
        )
        shown = await add(connection, streamer, NOON - timedelta(4))
        await connection.execute("UPDATE alerts SET status = 'shown', shown_at = now() WHERE donation_id = $1", shown)
        by_hand = await add_by_hand(connection, streamer, NOON - timedelta(5))
        review, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=1_00)
        assert await history.set_hidden(connection, streamer.id, paid, True)
        assert not await history.set_hidden(connection, streamer.id, paid, True)
        expected = {
            State.PAID: [paid, part, held, shown],
            State.PARTLY: [part],
            State.REFUNDED: [gone],
            State.HELD: [held],
            State.SHOWN: [shown],
            State.WAITING: [paid, part],
            State.REVIEW: [review.id],
            State.HIDDEN: [paid],
            State.MANUAL: [-by_hand],
        }
        for state, wanted in expected.items():
            assert await keys(connection, streamer, state=state) == wanted, state
            assert (await history.sum_up(connection, streamer.id, Selection(state=state))).entries == len(wanted), state

    async def test_one_written_by_hand_is_shown_like_another(self, connection: Any, streamer: BuiltStreamer) -> None:
        by_hand = await add_by_hand(connection, streamer)
        public_id = await connection.fetchval("SELECT public_id FROM manual_donations WHERE id = $1", by_hand)
        assert await manual_donations.show(connection, streamer.id, public_id) is not None
        assert await keys(connection, streamer, state=State.WAITING) == [-by_hand]
        await connection.execute("UPDATE alerts SET status = 'shown', shown_at = now()")
        assert await keys(connection, streamer, state=State.SHOWN) == [-by_hand]
        assert await keys(connection, streamer, state=State.WAITING) == []

    def test_it_is_kept_as_json(self) -> None:
        selection = Selection(since=NOON, least_minor=100, words="ёлка", state=State.HELD, is_anonymous=False)
        assert Selection.from_json(selection.as_json()) == selection
        assert Selection.from_json({}).is_everything


class TestSums:
    async def test_of_everything_as_of_all_looked_at(self, connection: Any, streamer: BuiltStreamer) -> None:
        """The running totals and a look at each donation agree."""
        await add(connection, streamer, amount_minor=30_000)
        await add(connection, streamer, amount_minor=20_000, left_minor=5_000)
        await add(connection, streamer, amount_minor=70_000, left_minor=0)
        await add_by_hand(connection, streamer, amount_minor=9_900)
        _, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=1_00)
        known = await history.sum_up(connection, streamer.id, Selection())
        looked = await history.sum_up(connection, streamer.id, Selection(least_minor=0))
        assert known == looked
        assert (known.donations, known.came_minor, known.returned_minor, known.net_minor) == (
            3,
            120_000,
            85_000,
            35_000,
        )
        assert (known.in_review, known.manual, known.manual_minor, known.entries) == (1, 1, 9_900, 5)

    async def test_hiding_changes_no_money(self, connection: Any, streamer: BuiltStreamer) -> None:
        donation_id = await add(connection, streamer)
        before = await history.sum_up(connection, streamer.id, Selection())
        stranger = await make_streamer(connection)
        assert not await history.set_hidden(connection, stranger.id, donation_id, True)
        assert await history.set_hidden(connection, streamer.id, donation_id, True)
        assert await history.sum_up(connection, streamer.id, Selection()) == before
        assert await history.set_hidden(connection, streamer.id, donation_id, False)


async def test_neighbours_fit_the_selection(connection: Any, streamer: BuiltStreamer) -> None:
    ids = [await add(connection, streamer, NOON + timedelta(minutes=n), amount_minor=10_000 + n % 2) for n in range(5)]
    place = Place(NOON + timedelta(minutes=2), ids[2])
    newer, older = await history.find_neighbours(connection, streamer.id, Selection(), place)
    assert newer is not None
    assert older is not None
    assert (newer.key, older.key) == (ids[3], ids[1])
    newer, older = await history.find_neighbours(connection, streamer.id, Selection(most_minor=10_000), place)
    assert newer is not None
    assert older is not None
    assert (newer.key, older.key) == (ids[4], ids[0])
    newest = Place(NOON + timedelta(minutes=4), ids[4])
    assert (await history.find_neighbours(connection, streamer.id, Selection(), newest))[0] is None
