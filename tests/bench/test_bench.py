"""The bench from beginning to end, in little: it must not rot between the days it is run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.__main__ import Size, measure
from tests.bench.house import ENVIRONMENT
from tests.support.programs import Stack


@pytest.fixture
def stack(tmp_path: Path, fresh_database_url: str, redis_url: str, rabbitmq_url: str) -> Iterator[Stack]:
    """The programs as the bench sets them up."""
    stack = Stack(
        tmp_path,
        database_url=fresh_database_url,
        redis_url=redis_url,
        rabbitmq_url=rabbitmq_url,
        extra=ENVIRONMENT,
    )
    yield stack
    stack.stop()


async def test_a_small_run_measures_everything_and_loses_nothing(stack: Stack) -> None:
    figures = {figure.name: figure.value for figure in await measure(stack, Size(seconds=1, overlays=20, burst=10))}
    assert figures["donations lost"] == 0
    assert figures["alerts offered twice"] == 0
    assert figures["donation page, HTML"] > 1000
    assert figures["overlays connecting"] > 0
    assert figures["notification → alert, 20/s, p50"] > 0
    assert figures["the floor, 20/s, p50"] > 0
