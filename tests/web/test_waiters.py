"""Waiting requests are woken through Redis, and never only through it."""

import asyncio

from domain.events import WAKE_CHANNEL, Topic, Wake
from infra.redis import open_redis
from web.waiters import Waiters


async def test_a_wake_of_the_donation_ends_the_wait_and_of_another_does_not(redis_url: str) -> None:
    waiters, redis = Waiters(redis_url), open_redis(redis_url)
    running = asyncio.create_task(waiters.run())
    with waiters.watch(7) as watch, waiters.watch(8) as other:
        # The subscription itself wakes everybody: something may have been missed before it.
        assert await watch.wait(timeout_seconds=10)
        assert await other.wait(timeout_seconds=10)
        for text in ("garbage", "{}", "[]", Wake(1, frozenset({Topic.ALERTS})).encode()):
            await redis.publish(WAKE_CHANNEL, text)
        await redis.publish(WAKE_CHANNEL, Wake(1, frozenset({Topic.DONATION}), donation_id=7).encode())
        assert await watch.wait(timeout_seconds=10)
        assert not await watch.wait(timeout_seconds=0)
        assert not await other.wait(timeout_seconds=0)
    running.cancel()
    await redis.aclose()


async def test_without_redis_a_wait_just_ends() -> None:
    waiters = Waiters("redis://127.0.0.1:1")
    running = asyncio.create_task(waiters.run())
    with waiters.watch(7) as watch:
        assert not await watch.wait(timeout_seconds=0.05)
    running.cancel()


async def test_what_happens_between_two_waits_is_not_missed(redis_url: str) -> None:
    waiters = Waiters(redis_url)
    with waiters.watch(7) as watch, waiters.watch(7) as twin:
        watch.wake()
        assert await watch.wait(timeout_seconds=0)
        assert not await twin.wait(timeout_seconds=0)
