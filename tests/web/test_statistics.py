"""The statistics of a period: what is counted, how it is said, and what the address may ask for."""

import csv
import io
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain import statistics
from domain.statistics import Donor, Hour, Period, Sum, count_period, read_days, usual_day
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from web.i18n import use_locale
from web.pages.dashboard_view import usual_words
from web.pages.statistics import compare

NBSP = "\N{NO-BREAK SPACE}"
MOSCOW = ZoneInfo("Europe/Moscow")
WEEK = Period(date(2026, 11, 16), date(2026, 11, 22))
_numbers = itertools.count(1)


async def give(
    site: Site,
    streamer: Streamer,
    moment: datetime,
    amount_minor: int = 30_000,
    name: str | None = "Аня",
    *,
    status: str = "paid",
    back_minor: int = 0,
    hidden: bool = False,
) -> None:
    """A donation as it stands after its payment was booked, with its day's totals."""
    async with site.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO donations (public_id, streamer_id, status, amount_minor, refunded_minor, public_donor_name,"
            " consent_version, paid_at, hidden_at) VALUES ($1, $2, $3, $4, $5, $6, '1', $7,"
            " CASE WHEN $8 THEN now() END)",
            f"statistics-{next(_numbers):020}", streamer.id, status, amount_minor, back_minor, name, moment, hidden,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO streamer_days (streamer_id, day, net_minor, donations) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (streamer_id, day) DO UPDATE SET net_minor = streamer_days.net_minor + $3,"
            " donations = streamer_days.donations + $4",
            streamer.id, moment.astimezone(MOSCOW).date(), amount_minor - back_minor, int(status != "refunded"),
        )  # fmt: skip


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW)


@pytest.fixture
async def streamer(kept_site: Site) -> AsyncIterator[Streamer]:
    yield await kept_site.add_streamer()
    await kept_site.pool.execute("DELETE FROM streamer_days")


class TestCounting:
    async def test_hours_are_those_of_her_clocks(self, kept_site: Site, streamer: Streamer) -> None:
        await give(kept_site, streamer, datetime(2026, 11, 15, 21, 30, tzinfo=UTC))  # Monday, 0:30 in Moscow.
        await give(kept_site, streamer, at(22, 23, 59), 50_000)
        await give(kept_site, streamer, at(23, 0, 0), 70_000)  # The day after.
        async with kept_site.pool.acquire() as connection:
            counted = await count_period(connection, streamer, WEEK)
        assert counted.hours == (Hour(1, 0, 1, 30_000), Hour(7, 23, 1, 50_000))

    async def test_what_went_back_does_not_count(self, kept_site: Site, streamer: Streamer) -> None:
        await give(kept_site, streamer, at(17), 90_000, status="partially_refunded", back_minor=40_000)
        await give(kept_site, streamer, at(17), 80_000, "Борис", status="refunded", back_minor=80_000)
        async with kept_site.pool.acquire() as connection:
            counted = await count_period(connection, streamer, WEEK)
            days = await read_days(connection, streamer.id, WEEK)
        assert counted.by_sum == (Donor("Аня", 1, 50_000),)
        assert (counted.median_minor, counted.largest_minor) == (50_000, 50_000)
        assert days[date(2026, 11, 17)] == Sum(50_000, 1)
        assert len(days) == 7

    async def test_donors_by_name_whatever_its_case(self, kept_site: Site, streamer: Streamer) -> None:
        for name, amount in (("Аня", 10_000), ("АНЯ", 10_000), ("аня", 10_000), ("Борис", 50_000), (None, 900_000)):
            await give(kept_site, streamer, at(18), amount, name)
        await give(kept_site, streamer, at(18), 800_000, "Тихий", hidden=True)
        async with kept_site.pool.acquire() as connection:
            counted = await count_period(connection, streamer, WEEK)
        assert [donor.donations for donor in counted.by_count] == [3, 1]
        assert [donor.net_minor for donor in counted.by_sum] == [50_000, 30_000]
        assert counted.by_sum[0].name == "Борис"
        assert (counted.anonymous_donations, counted.anonymous_minor) == (1, 900_000)

    async def test_who_gave_before_has_returned(self, kept_site: Site, streamer: Streamer) -> None:
        other = await kept_site.add_streamer("boris", "Борис")
        await give(kept_site, streamer, at(15, 23, 59), name="Аня")
        await give(kept_site, other, at(1), name="Вера")
        for name in ("аня", "Вера", "Глеб"):
            await give(kept_site, streamer, at(16), name=name)
        async with kept_site.pool.acquire() as connection:
            counted = await count_period(connection, streamer, WEEK)
        assert (counted.named, counted.returning_named) == (3, 1)

    async def test_nothing_is_counted_as_nothing(self, kept_site: Site, streamer: Streamer) -> None:
        async with kept_site.pool.acquire() as connection:
            counted = await count_period(connection, streamer, WEEK)
            assert await statistics.sum_days(connection, streamer.id, WEEK) == Sum()
        assert (counted.hours, counted.by_sum, counted.median_minor, counted.named) == ((), (), 0, 0)
        assert Sum().average_minor == 0

    async def test_what_is_many_to_count_is_kept_for_a_while(
        self, kept_site: Site, streamer: Streamer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(statistics, "_KEEP_FROM_DONATIONS", 1)
        monkeypatch.setattr(statistics, "_GOOD_FOR", 1_000_000)
        await give(kept_site, streamer, at(17))
        async with kept_site.pool.acquire() as connection:
            first = await count_period(connection, streamer, WEEK)
            await give(kept_site, streamer, at(17), name="Борис")
            kept = await count_period(connection, streamer, WEEK)
            assert kept == first
            assert kept.counted_at is not None
            # Another period, and the same by another clock, are counted for themselves.
            month = await count_period(connection, streamer, Period(date(2026, 11, 1), date(2026, 11, 30)))
            assert month.named == 2
            await connection.execute("UPDATE streamers SET time_zone = 'Asia/Vladivostok' WHERE id = $1", streamer.id)
            moved = Streamer(**{**streamer.__dict__, "time_zone": "Asia/Vladivostok"})
            assert (await count_period(connection, moved, WEEK)).named == 2
            await connection.execute("UPDATE statistics_counts SET good_until = now() - interval '1 second'")
            assert (await count_period(connection, moved, WEEK)).counted_at is None
        # What is no longer good was thrown away.
        assert await kept_site.pool.fetchval("SELECT count(*) FROM statistics_counts") == 1

    async def test_few_are_always_counted_anew(self, kept_site: Site, streamer: Streamer) -> None:
        await give(kept_site, streamer, at(17))
        async with kept_site.pool.acquire() as connection:
            await count_period(connection, streamer, WEEK)
        assert await kept_site.pool.fetchval("SELECT count(*) FROM statistics_counts") == 0


class TestWords:
    def test_against_the_days_before(self) -> None:
        with use_locale("en"):
            assert compare(Sum(150_00, 1), Sum(100_00, 1), WEEK) == f"50 % more than in the 7 days before: 100{NBSP}₽"
            assert compare(Sum(50_00, 1), Sum(100_00, 1), WEEK) == f"50 % less than in the 7 days before: 100{NBSP}₽"
            assert compare(Sum(100_00, 1), Sum(100_00, 1), WEEK) == "As much as in the 7 days before"
            assert compare(Sum(100_00, 1), Sum(), WEEK) == ""

    def test_today_against_a_usual_day(self) -> None:
        with use_locale("en"):
            assert usual_words(150_00, 100_00) == f"50{NBSP}₽ more than on a usual day"
            assert usual_words(30_00, 100_00) == f"70{NBSP}₽ short of a usual day so far"
            assert usual_words(100_00, 100_00) == "As much as on a usual day"
            assert usual_words(100_00, 33_33) == f"67{NBSP}₽ more than on a usual day"
            assert usual_words(100_00, None) == ""
            assert usual_words(100_00, -5) == ""

    def test_a_usual_day_is_of_days_on_which_something_came(self) -> None:
        today = date(2026, 11, 24)
        days = {today: Sum(900_00, 9)} | {today - timedelta(days=number): Sum(number * 100, 1) for number in (1, 2, 3)}
        assert usual_day(days, today) == 200
        assert usual_day(days | {today - timedelta(days=4): Sum()}, today) == 200
        assert usual_day(days | {today - timedelta(days=29): Sum(10_000_00, 1)}, today) == 200
        del days[today - timedelta(days=2)]
        assert usual_day(days, today) is None

    def test_the_former_period_is_as_long(self) -> None:
        assert WEEK.former() == Period(date(2026, 11, 9), date(2026, 11, 15))
        one = Period(date(2026, 3, 1), date(2026, 3, 1))
        assert one.former() == Period(date(2026, 2, 28), date(2026, 2, 28))

    def test_days_of_other_lengths(self) -> None:
        """A day on which clocks are put back has 25 hours."""
        since, until = Period(date(2026, 10, 25), date(2026, 10, 25)).moments("Europe/Berlin")
        assert until.astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=25)


class TestPage:
    async def test_it_says_all_of_it(self, kept_site: Site, streamer: Streamer) -> None:
        now = datetime.now(MOSCOW)
        for amount, name in ((10_000, "Аня"), (20_000, "<b>Борис</b>"), (90_000, None)):
            await give(kept_site, streamer, now - timedelta(minutes=1), amount, name)
        await give(kept_site, streamer, now - timedelta(days=40), 60_000, "Аня")
        async with signed_in(kept_site, "anna@example.org") as her:
            page = (await her.get("/dashboard/statistics")).text
        for words in (
            f"1{NBSP}200{NBSP}₽", f"100{NBSP}% more".replace(NBSP, " "), f"400{NBSP}₽", f"900{NBSP}₽",
            "new: 1, returned: 1", "&lt;b&gt;Борис&lt;/b&gt;", "Without a name", 'data-minor="120000"',
        ):  # fmt: skip
            assert words in page, words
        assert "<b>Борис</b>" not in page
        assert page.count('class="heat-5"') == 1
        assert 'aria-current="page"' in page

    async def test_nothing_yet(self, kept_site: Site, streamer: Streamer) -> None:
        async with signed_in(kept_site, f"{streamer.slug}@example.org") as her:
            page = (await her.get("/dashboard/statistics?period=7")).text
        assert "Nothing came in these days" in page
        assert "chart.umd" not in page

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"period": "own"}, "Enter both days."),
            ({"period": "own", "from": "2026-11-01"}, "Enter both days."),
            ({"period": "own", "from": "2026-02-30", "to": "2026-03-01"}, "Enter both days."),
            ({"period": "own", "from": "0001-01-01", "to": "9999-12-31"}, "Enter both days."),
            ({"period": "own", "from": "2026-11-02", "to": "2026-11-01"}, "swap them"),
            ({"period": "own", "from": "2020-01-01", "to": "2026-01-01"}, "Three years at most"),
        ],
    )
    async def test_a_period_that_is_none(
        self, kept_site: Site, streamer: Streamer, asked: dict[str, str], words: str
    ) -> None:
        async with signed_in(kept_site, f"{streamer.slug}@example.org") as her:
            page = await her.get("/dashboard/statistics", params=asked)
            assert page.status_code == 422
            assert words in page.text
            assert (await her.get("/dashboard/statistics/days.csv", params=asked)).status_code == 404
            assert (await her.get("/dashboard/statistics?period=century")).status_code == 404

    async def test_long_periods_go_by_weeks_and_months(self, kept_site: Site, streamer: Streamer) -> None:
        await give(kept_site, streamer, at(17))
        async with signed_in(kept_site, f"{streamer.slug}@example.org") as her:

            async def read(since: str) -> str:
                asked = {"period": "own", "from": since, "to": "2026-11-22"}
                return (await her.get("/dashboard/statistics", params=asked)).text

            assert "By days" in await read("2026-11-01")
            weeks = await read("2026-06-01")
            assert "By weeks" in weeks
            assert "from 16 November 2026" in weeks
            months = await read("2024-12-01")
            assert "By months" in months
            assert "November 2026" in months

    async def test_the_days_as_a_file(self, kept_site: Site, streamer: Streamer) -> None:
        await give(kept_site, streamer, at(17), 10_050)
        await give(kept_site, streamer, at(17), 20_000)
        async with signed_in(kept_site, f"{streamer.slug}@example.org") as her:
            asked = {"period": "own", "from": "2026-11-16", "to": "2026-11-18"}
            answer = await her.get("/dashboard/statistics/days.csv", params=asked)
        assert "anna-2026-11-16-2026-11-18.csv" in answer.headers["Content-Disposition"]
        rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
        assert rows[1:] == [
            ["2026-11-16", "0", "0,00", "0,00"],
            ["2026-11-17", "2", "300,50", "150,25"],
            ["2026-11-18", "0", "0,00", "0,00"],
        ]

    async def test_only_hers(self, kept_site: Site, streamer: Streamer) -> None:
        await kept_site.add_streamer("boris", "Борис")
        for page in ("/dashboard/statistics", "/dashboard/statistics/days.csv"):
            path = f"{page}?streamer={streamer.slug}"
            assert (await kept_site.client.get(path)).headers["Location"].startswith("/sign-in")
            async with signed_in(kept_site, "boris@example.org") as his:
                assert (await his.get(path)).status_code == 404

    async def test_on_air_it_says_no_sums(self, kept_site: Site, streamer: Streamer) -> None:
        await give(kept_site, streamer, datetime.now(MOSCOW) - timedelta(minutes=1), 123_400)
        async with signed_in(kept_site, f"{streamer.slug}@example.org") as her:
            assert "1\u00a0234" in (await her.get("/dashboard/statistics")).text
            await her.post("/dashboard/on-air", data={"on": "yes"})
            page = (await her.get("/dashboard/statistics")).text
        for hidden in ("1\u00a0234", "123400", "1234", "<canvas"):
            assert hidden not in page, hidden
        assert "Аня" in page
