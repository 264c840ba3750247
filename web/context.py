"""What a request handler may use: `parts()` gives the app's settings, database, Redis and helpers, typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg
import httpx
from quart import current_app
from redis.asyncio import Redis

from infra.crypto import SecretBox
from infra.relay_waker import RelayWaker
from infra.settings import Settings
from providers.provider import Provider
from web.limits import Limiter
from web.waiters import Waiters

EXTENSION = "streamcash"


class DatabaseNotReadyError(ConnectionError):
    """PostgreSQL has not answered since this program started. Among `DATABASE_AWAY`, being an OSError."""


@dataclass
class Parts:
    """Opened before the first request, closed after the last."""

    settings: Settings
    box: SecretBox
    redis: Redis
    limiter: Limiter
    waiters: Waiters
    providers: Mapping[str, Provider]
    """Payment providers by name: what they send us is read here, and a streamer's keys are tried."""
    http: httpx.AsyncClient
    """For calls to strangers; each names its own time limit."""
    opened_pool: asyncpg.Pool | None = None
    """None until PostgreSQL has answered for the first time."""
    relay: RelayWaker = field(init=False)
    """`relay.wake()` after a commit that wrote to the outbox."""

    def __post_init__(self) -> None:
        self.relay = RelayWaker(lambda: self.opened_pool)

    @property
    def pool(self) -> asyncpg.Pool:
        """The database. Raises DatabaseNotReadyError, which becomes a 503 page."""
        if self.opened_pool is None:
            raise DatabaseNotReadyError
        return self.opened_pool


def parts() -> Parts:
    """The parts of the app that serves this request."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Parts)
    return found
