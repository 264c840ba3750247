"""Limits hold on Redis and, while it is away, in the process."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from werkzeug.exceptions import TooManyRequests

from infra.addresses import address_key
from infra.redis import open_redis
from web.limits import FALLBACK_KEYS, Limit, Limiter

THREE = Limit("three", 3, 60)


async def use_up(limiter: Limiter, key: str) -> None:
    for _ in range(3):
        await limiter.take(THREE, key)


@pytest.fixture(params=["redis", "no redis"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else "redis://127.0.0.1:1"


async def test_the_fourth_of_three_is_refused_and_told_when_to_return(url: str) -> None:
    redis = open_redis(url)
    limiter = Limiter(redis)
    await use_up(limiter, "anna")
    with pytest.raises(TooManyRequests) as refused:
        await limiter.take(THREE, "anna")
    assert dict(refused.value.get_headers())["Retry-After"] == "60"
    await limiter.take(THREE, "boris")
    await limiter.take(Limit("other", 3, 60), "anna")
    await redis.aclose()


async def test_what_is_forgotten_begins_anew(url: str) -> None:
    redis = open_redis(url)
    limiter = Limiter(redis)
    await use_up(limiter, "anna")
    await limiter.forget(THREE, "anna")
    await use_up(limiter, "anna")
    await redis.aclose()


async def test_looking_counts_nothing_and_is_refused_where_counting_would_be(url: str) -> None:
    redis = open_redis(url)
    limiter = Limiter(redis)
    for _ in range(3):
        for _ in range(2):
            await limiter.refuse_beyond(THREE, "anna")
        await limiter.take(THREE, "anna")
    with pytest.raises(TooManyRequests) as refused:
        await limiter.refuse_beyond(THREE, "anna")
    assert dict(refused.value.get_headers())["Retry-After"] == "60"
    await limiter.refuse_beyond(THREE, "boris")
    await redis.aclose()


async def test_several_are_counted_as_far_as_the_first_that_is_used_up(url: str) -> None:
    redis = open_redis(url)
    limiter = Limiter(redis)
    ten = Limit("ten", 10, 600)
    for left in (2, 1, 0):
        counts = await limiter.take_all((ten, "anna"), (THREE, "anna"), (ten, "all"))
        assert [(count.limit, count.left) for count in counts] == [(ten, 7 + left), (THREE, left), (ten, 7 + left)]
    for _ in range(4):
        with pytest.raises(TooManyRequests) as refused:
            await limiter.take_all((ten, "anna"), (THREE, "anna"), (ten, "all"))
        assert dict(refused.value.get_headers())["Retry-After"] == "60"
    # What stands before the refusal is counted each time, what stands behind it is not.
    assert (await limiter.take(ten, "anna")).left == 2
    assert (await limiter.take(ten, "all")).left == 6
    await redis.aclose()


async def test_processes_count_together_on_redis(redis_url: str) -> None:
    one, two = open_redis(redis_url), open_redis(redis_url)
    await use_up(Limiter(one), "anna")
    with pytest.raises(TooManyRequests):
        await Limiter(two).take(THREE, "anna")
    await one.aclose()
    await two.aclose()


async def test_many_at_once_are_counted_on_redis(redis_url: str) -> None:
    one, two = open_redis(redis_url), open_redis(redis_url)
    many = Limit("many", 150, 60)
    limiters = Limiter(one), Limiter(two)
    taken = await asyncio.gather(
        *(limiter.take(many, "anna") for _ in range(100) for limiter in limiters), return_exceptions=True
    )
    refused = [count for count in taken if isinstance(count, TooManyRequests)]
    assert len(refused) == 50
    assert not [error for error in taken if isinstance(error, BaseException) and error not in refused]
    await one.aclose()
    await two.aclose()


@pytest.fixture
async def silent_url() -> AsyncIterator[str]:
    """Something that takes connections and never says a word."""
    talks: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: talks.append(writer), "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for writer in talks:
        writer.close()
    server.close()


async def test_many_at_once_wait_for_no_silent_redis(silent_url: str) -> None:
    redis = open_redis(silent_url)
    limiter = Limiter(redis)
    async with asyncio.timeout(20):
        taken = await asyncio.gather(
            *(limiter.take(Limit("many", 150, 60), "anna") for _ in range(200)), return_exceptions=True
        )
        assert len([count for count in taken if isinstance(count, TooManyRequests)]) == 50
        # And it is left alone for a while: whoever comes now does not wait.
        await limiter.forget(THREE, "anna")
        await use_up(limiter, "anna")
    await redis.aclose()


async def test_a_count_ends_with_its_period(redis_url: str) -> None:
    redis = open_redis(redis_url)
    await use_up(Limiter(redis), "anna")
    assert 0 < await redis.ttl("streamcash:limit:three:anna") <= 60
    await redis.aclose()


async def test_strangers_cannot_fill_the_memory() -> None:
    limiter = Limiter(open_redis("redis://127.0.0.1:1"))
    for number in range(FALLBACK_KEYS + 100):
        await limiter.take(THREE, str(number))
    assert len(limiter._counted) <= FALLBACK_KEYS


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", "unknown"),
        ("garbage", "unknown"),
    ],
)
def test_a_subscriber_is_one_address(address: str, key: str) -> None:
    assert address_key(address) == key
