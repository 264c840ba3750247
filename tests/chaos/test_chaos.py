"""A short run of `make chaos`: sixty donors while every program, PostgreSQL and RabbitMQ are killed or restarted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.house import ENVIRONMENT
from tests.chaos.plan import make_plan
from tests.chaos.run import run
from tests.support.programs import Stack
from tests.support.servers import Servers

SEED = 17


@pytest.fixture
def stack(tmp_path: Path, fresh_database_url: str, redis_url: str, rabbitmq_url: str) -> Iterator[Stack]:
    """The programs as a long run sets them up."""
    stack = Stack(
        tmp_path, database_url=fresh_database_url, redis_url=redis_url, rabbitmq_url=rabbitmq_url, extra=ENVIRONMENT
    )
    yield stack
    stack.stop()


# A busy machine takes its time, and nothing here depends on it; a minute is usual.
@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_while_everything_is_killed(stack: Stack, services: Servers, tmp_path: Path) -> None:
    report = run(make_plan(SEED, payments=60, kills=8), services, stack, tmp_path, print)
    print(report.text())
    assert report.problems == []
    assert sum(report.blows.values()) >= 8
    assert sum(sum(kinds.values()) for kinds in report.struck.values()) > 0
    assert sum(len(journal.seen) for journal in report.journals.values()) > 30
