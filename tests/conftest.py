"""Fixtures for everyone: real servers, databases, a browser, and a look for leftovers at the end.

Servers start when a test first asks for them, once for the whole run.

    connection     a database connection whose work is undone after the test: rules and SQL
    pool           a pool on a database of the test's own: code that commits
    stack          all our programs as processes: end to end
    page           a page in a real Chromium
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.async_api import Browser, Page, async_playwright, expect

from infra.database import DATABASE_AWAY, open_pool
from tests.support.accounts import hash_cheaply
from tests.support.chromium import chromium_arguments, find_chromium
from tests.support.databases import Databases
from tests.support.leftovers import leftover_processes, mark_this_run
from tests.support.programs import Stack, end_warm, start_warm
from tests.support.servers import TEMPLATE, Servers

mark_this_run()
hash_cheaply()
start_warm()
# A machine with other things to do may need more than Playwright's five seconds.
expect.set_options(timeout=20_000)
# Nor does an example that took long, or was long in the making, say anything of what it tries.
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")

_databases = Databases()
_leftovers = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def _servers() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.stop()


@pytest.fixture
def services(_servers: Servers) -> Iterator[Servers]:
    """PostgreSQL, Valkey, RabbitMQ: `services.postgres.restart()` and the like. Whatever a test does
    to them, the next one finds them running."""
    yield _servers
    _servers.heal()


@pytest.fixture(scope="session")
async def database_url(_servers: Servers) -> str:
    """A migrated database for the whole run. It stays empty: who commits uses `fresh_database_url`."""
    return await _servers.postgres.create_database("shared", template=TEMPLATE)


@pytest.fixture
async def fresh_database_url(services: Servers) -> AsyncIterator[str]:
    """A migrated, empty database of the test's own."""
    name = await _databases.take(services.postgres)
    yield services.postgres.url(name)
    services.heal()
    await _databases.give_back(services.postgres, name)


@pytest.fixture(scope="session")
async def _shared_pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(database_url, size=2, program="tests")
    yield pool
    # Not `close`: a test may have restarted PostgreSQL under it.
    pool.terminate()


@pytest.fixture
async def connection(_shared_pool: asyncpg.Pool) -> AsyncIterator[Any]:
    """A connection inside a transaction that is rolled back after the test."""
    connection = await _shared_pool.acquire()
    try:
        await connection.execute("SELECT 1")
    except DATABASE_AWAY:
        # The test before restarted PostgreSQL, and this connection only learns of it now.
        await _shared_pool.release(connection)
        await _shared_pool.expire_connections()
        connection = await _shared_pool.acquire()
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    if not connection.is_closed():
        await transaction.rollback()
    await _shared_pool.release(connection)


@pytest.fixture
async def pool(fresh_database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool on a database of the test's own, for code that commits."""
    pool = await open_pool(fresh_database_url, size=8, program="tests")
    yield pool
    pool.terminate()


@pytest.fixture
def redis_url(services: Servers) -> str:
    """An empty Valkey."""
    url = services.valkey.url()
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
def rabbitmq_url(services: Servers) -> str:
    """RabbitMQ. Queues of earlier tests are still there: purge what you use."""
    return services.rabbitmq.url()


@pytest.fixture
def stack(tmp_path: Path, fresh_database_url: str, redis_url: str, rabbitmq_url: str) -> Iterator[Stack]:
    """Our programs on RabbitMQ, none started yet: `stack.start()`, or `stack.start("web", "relay")`."""
    stack = Stack(tmp_path, database_url=fresh_database_url, redis_url=redis_url, rabbitmq_url=rabbitmq_url)
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for the whole run. A browser of its own, as far as pages can tell, is
    `await browser.new_context()`: own cookies, own localStorage. Close what you open."""
    executable = find_chromium()
    assert executable is not None, "no Chromium: run `python -m tests.support.install`"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=chromium_arguments())
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page in a context of its own."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process left behind fails the run, and is ended."""
    running = end_warm()
    left = leftover_processes()
    found = [*running, *(f"{process.pid}: {' '.join(process.cmdline())}" for process in left)]
    session.config.stash[_leftovers] = found
    for process in left:
        process.kill()
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in config.stash.get(_leftovers, []):
        terminalreporter.write_line(f"ERROR left behind: process {line}", red=True)
