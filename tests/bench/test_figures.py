"""Sums of what was measured, and how they are written."""

import json
from functools import partial

import pytest

from simulator.percentiles import percentile
from tests.bench.figures import Figure, as_json, percentiles, table
from tests.bench.pace import paced


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, percent) for percent in (0, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert percentile([7.0], 99) == 7


def test_nothing_measured_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_seconds_become_milliseconds() -> None:
    figures = percentiles("alert", [0.004, 0.006, 0.200], {50: "≤ 10"})
    assert figures == [Figure("alert, p50", 6.0, "ms", "≤ 10"), Figure("alert, p99", 200.0, "ms")]


def test_the_table_stands_in_columns() -> None:
    lines = table([Figure("alert, p50", 6.25, "ms", "≤ 10"), Figure("page", 6083, "bytes")]).splitlines()
    assert lines[1].split() == ["alert,", "p50", "6.25", "ms", "≤", "10"]
    assert lines[2].split() == ["page", "6", "083", "bytes"]
    assert lines[1].index("ms") == lines[2].index("bytes")


def test_the_json_says_what_kind_of_machine_it_was() -> None:
    written = json.loads(as_json([Figure("page", 6083, "bytes")], broker="RabbitMQ"))
    assert written["figures"] == [{"name": "page", "value": 6083, "unit": "bytes", "target": ""}]
    assert written["cores"] >= 1
    assert written["broker"] == "RabbitMQ"


async def test_work_is_begun_at_its_pace_and_answered_in_order() -> None:
    began: list[int] = []

    async def work(number: int) -> int:
        began.append(number)
        return number * number

    assert await paced([partial(work, number) for number in range(5)], 1000) == [0, 1, 4, 9, 16]
    assert began == [0, 1, 2, 3, 4]


async def test_work_that_fails_ends_all() -> None:
    async def fail() -> None:
        raise AssertionError("the site said no")

    with pytest.RaisesGroup(pytest.RaisesExc(AssertionError, match="the site said no")):
        await paced([fail], 1000)
