"""The bench from beginning to end, in little: it must not rot between the days it is run."""

from tests.bench.__main__ import Size, measure
from tests.bench.house import ENVIRONMENT
from tests.support.programs import Stack


async def test_a_small_run_measures_everything_and_loses_nothing(stack: Stack) -> None:
    stack.environment.update(ENVIRONMENT)
    figures = {figure.name: figure.value for figure in await measure(stack, Size(seconds=1, overlays=20, burst=10))}
    assert figures["donations lost"] == 0
    assert figures["alerts offered twice"] == 0
    assert figures["donation page, HTML"] > 1000
    assert figures["overlays connecting"] > 0
    assert figures["notification → alert, 20/s, p50"] > 0
    assert figures["the floor, 20/s, p50"] > 0
