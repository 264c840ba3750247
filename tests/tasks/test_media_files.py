"""The actor that looks at uploaded files: its verdict, twice, cut off in the middle, and whom it wakes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from domain import media_files
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.media_files import FileState, Kind, MediaFile
from infra.settings import Settings
from tasks.media_files import check_media_file
from tasks.runtime import Parts, close_parts, open_parts
from tests.builders import make_streamer
from tests.infra.test_media_check import SOUNDS
from tests.support.pictures import animation, picture


@pytest.fixture
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    parts = await open_parts(settings, pool_size=4)
    yield parts
    await close_parts(parts)


async def add(parts: Parts, content: bytes, kind: Kind = Kind.IMAGE) -> MediaFile:
    async with parts.pool.acquire() as connection, connection.transaction():
        streamer = await make_streamer(connection)
        return await media_files.add_file(connection, streamer.id, kind, "a file", content)


async def found(parts: Parts, file: MediaFile) -> MediaFile:
    async with parts.pool.acquire() as connection:
        return await media_files.find_file(connection, file.streamer_id, file.url)


async def test_what_it_is_and_who_is_told(parts: Parts) -> None:
    gif, sound = await add(parts, animation("GIF")), await add(parts, SOUNDS["audio/ogg"], Kind.AUDIO)
    async with parts.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(WAKE_CHANNEL)
        for file in (gif, sound):
            await check_media_file(parts, file.id)
        woken: list[Wake | None] = []
        while len(woken) < 2:
            message = await pubsub.get_message(timeout=5)
            if message is not None:
                woken.append(Wake.decode(message["data"]))
    assert woken == [Wake(file.streamer_id, frozenset({Topic.FILES})) for file in (gif, sound)]
    seen = await found(parts, gif)
    assert (seen.state, seen.width, seen.height, seen.frames, seen.seconds) == (FileState.READY, 60, 60, 2, None)
    heard = await found(parts, sound)
    assert (heard.state, heard.width) == (FileState.READY, None)
    assert heard.seconds == pytest.approx(1.5, abs=0.06)


async def test_one_that_is_refused_leaves_no_bytes(parts: Parts) -> None:
    file = await add(parts, b"GIF89a" + b"\0" * 50)
    await check_media_file(parts, file.id)
    seen = await found(parts, file)
    assert (seen.state, seen.refusal, seen.size) == (FileState.REFUSED, "not_readable", 0)
    assert await parts.pool.fetchval("SELECT content FROM media_files") is None


async def test_twice_and_at_once(parts: Parts) -> None:
    file = await add(parts, picture("PNG"))
    await asyncio.gather(*(check_media_file(parts, file.id) for _ in range(3)))
    first = await found(parts, file)
    assert await parts.pool.fetchval("SELECT tries FROM media_files") == 1
    await check_media_file(parts, file.id)
    assert await found(parts, file) == first
    await check_media_file(parts, 2_147_483_647)


async def until_held(parts: Parts, file: MediaFile) -> None:
    """Waits until somebody looks at it. A process has to start for that, so whatever a test does next comes in the
    middle of it."""
    async with asyncio.timeout(30):
        while not await parts.pool.fetchval("SELECT held_until > now() FROM media_files WHERE id = $1", file.id):
            await asyncio.sleep(0.005)


async def test_a_worker_that_is_stopped_lets_the_next_one_begin_at_once(parts: Parts) -> None:
    file = await add(parts, picture("PNG", (3000, 3000)))
    working = asyncio.create_task(check_media_file(parts, file.id))
    await until_held(parts, file)
    working.cancel()
    assert isinstance((await asyncio.gather(working, return_exceptions=True))[0], asyncio.CancelledError)
    assert (await found(parts, file)).state is FileState.WAITING
    await check_media_file(parts, file.id)
    assert (await found(parts, file)).state is FileState.READY


async def test_one_that_dies_in_the_middle_is_asked_for_again(parts: Parts) -> None:
    file = await add(parts, picture("PNG"))
    async with parts.pool.acquire() as connection:
        assert await media_files.claim(connection, file.id) is not None
    await check_media_file(parts, file.id)
    assert (await found(parts, file)).state is FileState.WAITING, "somebody is at it, for all we know"
    await parts.pool.execute("UPDATE media_files SET held_until = now() - interval '1 second'")
    async with parts.pool.acquire() as connection:
        assert await media_files.ask_due(connection) == 1
    await check_media_file(parts, file.id)
    assert (await found(parts, file)).state is FileState.READY


async def test_one_that_is_deleted_meanwhile(parts: Parts) -> None:
    file = await add(parts, picture("PNG", (3000, 3000)))
    working = asyncio.create_task(check_media_file(parts, file.id))
    await until_held(parts, file)
    await parts.pool.execute("DELETE FROM media_files")
    await working
    assert await parts.pool.fetchval("SELECT count(*) FROM media_files") == 0


async def test_one_that_grew_beyond_its_limit(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await add(parts, picture("PNG"))
    monkeypatch.setitem(media_files.SIZE_MAX, Kind.IMAGE, 10)
    await check_media_file(parts, file.id)
    assert (await found(parts, file)).refusal == "too_heavy"
