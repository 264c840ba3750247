"""How often somebody may do something: counted on Redis, or in this process while Redis is away."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from werkzeug.exceptions import TooManyRequests

from infra.redis import REDIS_AWAY
from web.i18n import ngettext

log = logging.getLogger(__name__)

REDIS_REST_SECONDS = 5.0
"""How long Redis is left alone after it failed, so that its silence does not slow every request."""

FALLBACK_KEYS = 10_000

# Counts in order, as far as the first limit that is used up. Arguments: the count and the period of each key.
_COUNT = """
local counted = {}
for place, name in ipairs(KEYS) do
  local times = redis.call('INCR', name)
  redis.call('EXPIRE', name, ARGV[2 * place], 'NX')
  counted[place] = {times, redis.call('TTL', name)}
  if times > tonumber(ARGV[2 * place - 1]) then break end
end
return counted
"""


@dataclass(frozen=True)
class Limit:
    """At most `count` times in `period_seconds`, counted from a key's first time."""

    name: str
    count: int
    period_seconds: int


TEST_ALERTS = Limit("test-alert", 30, 60)
"""Of a streamer, by pages and by the API."""


@dataclass(frozen=True)
class Count:
    """How often more, and in how many seconds it begins anew."""

    limit: Limit
    left: int
    left_seconds: int


def _name(limit: Limit, key: str) -> str:
    """Of the counter on Redis."""
    return f"streamcash:limit:{limit.name}:{key}"


def _too_many(left_seconds: float) -> TooManyRequests:
    return TooManyRequests(retry_after=max(1, math.ceil(left_seconds)))


class Limiter:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._count_on_redis = redis.register_script(_COUNT)
        self._resting_until = 0.0
        # Key to (times, end of the period on the monotonic clock).
        self._counted: dict[str, tuple[int, float]] = {}

    async def take(self, limit: Limit, key: str) -> Count:
        """Count one time. Raises 429 TooManyRequests, with Retry-After, beyond the limit."""
        (count,) = await self.take_all((limit, key))
        return count

    async def take_all(self, *asked: tuple[Limit, str]) -> list[Count]:
        """Count one time of each, in order and in one round trip. Raises 429 TooManyRequests, with Retry-After, at the
        first that is used up: the ones after it are not counted."""
        counts = []
        for (limit, _), (times, left_seconds) in zip(asked, await self._count(asked), strict=False):
            if times > limit.count:
                raise _too_many(left_seconds)
            counts.append(Count(limit, limit.count - times, max(0, math.ceil(left_seconds))))
        return counts

    async def refuse_beyond(self, limit: Limit, key: str) -> None:
        """Count nothing. Raises 429 TooManyRequests where one more time would be beyond the limit."""
        name = _name(limit, key)
        times, left_seconds = await self._read(name)
        if times >= limit.count:
            raise _too_many(left_seconds)

    async def forget(self, limit: Limit, key: str) -> None:
        """Begin anew for this key, for example after the right password."""
        name = _name(limit, key)
        self._counted.pop(name, None)
        if time.monotonic() >= self._resting_until:
            try:
                await self._redis.delete(name)
            except REDIS_AWAY as error:
                self._rest(error)

    async def _count(self, asked: Sequence[tuple[Limit, str]]) -> list[tuple[int, float]]:
        """Times and seconds left of each; the last may be beyond its limit, and the ones after it are not there."""
        names = [_name(limit, key) for limit, key in asked]
        if time.monotonic() >= self._resting_until:
            try:
                rules = [number for limit, _ in asked for number in (limit.count, limit.period_seconds)]
                counted = await self._count_on_redis(names, rules)
                return [(int(times), float(left_seconds)) for times, left_seconds in counted]
            except REDIS_AWAY as error:
                self._rest(error)
        counted_here = []
        for name, (limit, _) in zip(names, asked, strict=True):
            counted_here.append(self._count_here(name, limit.period_seconds))
            if counted_here[-1][0] > limit.count:
                break
        return counted_here

    async def _read(self, name: str) -> tuple[int, float]:
        if time.monotonic() >= self._resting_until:
            try:
                async with self._redis.pipeline(transaction=True) as pipeline:
                    pipeline.get(name)
                    pipeline.ttl(name)
                    times, left_seconds = await pipeline.execute()
                return int(times or 0), float(left_seconds)
            except REDIS_AWAY as error:
                self._rest(error)
        times, ends_at = self._counted.get(name, (0, 0.0))
        now = time.monotonic()
        return (times, ends_at - now) if ends_at > now else (0, 0.0)

    def _rest(self, error: BaseException) -> None:
        now = time.monotonic()
        if now >= self._resting_until:
            # Once for all that asked at the same time.
            log.warning("Redis is away, limits are counted in this process: %s", type(error).__name__)
        self._resting_until = now + REDIS_REST_SECONDS

    def _count_here(self, name: str, period_seconds: int) -> tuple[int, float]:
        now = time.monotonic()
        times, ends_at = self._counted.get(name, (0, 0.0))
        if ends_at <= now:
            self._make_room(now)
            times, ends_at = 0, now + period_seconds
        self._counted[name] = (times + 1, ends_at)
        return times + 1, ends_at - now

    def _make_room(self, now: float) -> None:
        if len(self._counted) >= FALLBACK_KEYS:
            self._counted = {key: value for key, value in self._counted.items() if value[1] > now}
        if len(self._counted) >= FALLBACK_KEYS:
            # So many strangers at once that memory matters more than their counters.
            self._counted.clear()


def retry_after(refused: TooManyRequests) -> dict[str, str]:
    """The header that says when to come again."""
    return {name: value for name, value in refused.get_headers() if name == "Retry-After"}


def wait_words(headers: Mapping[str, str]) -> str:
    """When to come again, in words, by `Retry-After`."""
    try:
        seconds = int(headers.get("Retry-After", "60"))
    except ValueError:
        seconds = 60
    if seconds < 60:
        return ngettext("Try again in %(num)s second.", "Try again in %(num)s seconds.", seconds)
    return ngettext("Try again in %(num)s minute.", "Try again in %(num)s minutes.", -(-seconds // 60))
