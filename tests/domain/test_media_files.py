"""Files that streamers upload: kept once, within limits, shown when looked at, and never another's."""

from typing import Any

import pytest

from domain import media_files
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.media_files import FileState, Found, Kind, MediaFile, content_type_of
from tests.builders import make_streamer
from tests.support.pictures import picture
from tests.support.sounds import wav

PNG = picture("PNG")
WAV = wav(0.5)
SEEN = Found(b"as we wrote it", width=300, height=200, frames=1)


@pytest.fixture
async def her(connection: Any) -> int:
    return (await make_streamer(connection)).id


async def add(connection: Any, her: int, content: bytes = PNG, kind: Kind = Kind.IMAGE) -> MediaFile:
    return await media_files.add_file(connection, her, kind, "котик.png", content)


async def ready(connection: Any, her: int, content: bytes = PNG) -> MediaFile:
    file = await add(connection, her, content)
    assert await media_files.finish(connection, file.id, SEEN)
    return await media_files.find_file(connection, her, file.url)


async def asked(connection: Any) -> list[int]:
    rows = await connection.fetch("SELECT data FROM outbox WHERE name = 'check_media_file' ORDER BY id")
    return [row["data"]["argument"] for row in rows]


@pytest.mark.parametrize(
    ("begins", "expected"),
    [
        (b"GIF89a....", "image/gif"),
        (b"GIF87a....", "image/gif"),
        (b"GIF88a....", None),
        (PNG, "image/png"),
        (b"\x89PNG\n", None),
        (picture("JPEG"), "image/jpeg"),
        (picture("WEBP"), "image/webp"),
        (WAV, "audio/wav"),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"OggS\0\x02", "audio/ogg"),
        (b"ID3\x04\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xfb\xf0\x00", None),
        (b"\xff\xfb\x9c\x00", None),
        (b"\xff\xf1\x50\x80", None),  # AAC
        (b"\xff\xfb", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"<!doctype html>", None),
        (b"#EXTM3U\nhttp://127.0.0.1/", None),
        (b"\0" * 64, None),
        (b"", None),
    ],
)
def test_the_content_says_what_it_is(begins: bytes, expected: str | None) -> None:
    assert content_type_of(begins) == expected


async def test_a_file_is_shown_once_it_was_looked_at(connection: Any, her: int) -> None:
    file = await add(connection, her)
    assert (file.state, file.kind, file.content_type, file.name) == (
        FileState.WAITING,
        Kind.IMAGE,
        "image/png",
        "котик.png",
    )
    assert await asked(connection) == [file.id]
    assert await media_files.find_served(connection, file.url) is None
    assert await media_files.list_urls(connection, her) == {}
    job = await media_files.claim(connection, file.id)
    assert job is not None
    assert job.content == PNG
    assert await media_files.finish(connection, file.id, SEEN)
    assert await media_files.list_urls(connection, her) == {file.url: Kind.IMAGE}
    served = await media_files.find_served(connection, file.url)
    assert served == media_files.Served(file.id, "image/png", len(SEEN.content))
    assert await media_files.read_part(connection, file.id, 3, 2) == SEEN.content[3:5]
    seen = await media_files.find_file(connection, her, file.url)
    assert (seen.width, seen.height, seen.frames, seen.seconds) == (300, 200, 1, None)
    # A second verdict changes nothing.
    assert not await media_files.finish(connection, file.id, Found(b"other", width=1, height=1, frames=1))
    assert not await media_files.refuse(connection, file.id, "not_readable")


async def test_the_same_bytes_are_kept_once(connection: Any, her: int) -> None:
    file = await add(connection, her)
    assert await add(connection, her) == file
    assert await asked(connection) == [file.id]
    assert await media_files.finish(connection, file.id, SEEN)
    assert (await add(connection, her)).id == file.id
    other = (await make_streamer(connection)).id
    assert (await add(connection, other)).url != file.url, "another streamer's is her own"


async def test_a_refused_one_says_why_and_may_come_again(connection: Any, her: int) -> None:
    file = await add(connection, her)
    assert await media_files.refuse(connection, file.id, "not_readable")
    [seen] = await media_files.list_files(connection, her)
    assert (seen.state, seen.refusal, seen.size) == (FileState.REFUSED, "not_readable", 0)
    assert await media_files.claim(connection, file.id) is None
    assert await media_files.get_usage(connection, her) == (0, 0)
    again = await add(connection, her)
    assert [one.id for one in await media_files.list_files(connection, her)] == [again.id]


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"", Kind.IMAGE, "empty"),
        (PNG, Kind.AUDIO, "wrong_type"),
        (WAV, Kind.IMAGE, "wrong_type"),
        (b"<svg/>", Kind.IMAGE, "wrong_type"),
        (PNG + b"\0" * media_files.SIZE_MAX[Kind.IMAGE], Kind.IMAGE, "too_heavy"),
        (WAV + b"\0" * media_files.SIZE_MAX[Kind.AUDIO], Kind.AUDIO, "too_heavy"),
    ],
    ids=["nothing", "a picture as a sound", "a sound as a picture", "svg", "heavy picture", "heavy sound"],
)
async def test_what_is_not_taken_at_all(connection: Any, her: int, content: bytes, kind: Kind, code: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await add(connection, her, content, kind)
    assert (refused.value.field, refused.value.code) == ("file", code)
    assert await media_files.list_files(connection, her) == []


async def test_limits_of_a_streamer(connection: Any, her: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_files, "FILES_MAX", 2)
    await add(connection, her)
    await add(connection, her, WAV, Kind.AUDIO)
    with pytest.raises(NotAllowedError, match="too_many_files"):
        await add(connection, her, picture("GIF"))
    await add(connection, her)  # What is there already needs no room.
    monkeypatch.setattr(media_files, "FILES_MAX", 9)
    monkeypatch.setattr(media_files, "BYTES_MAX", len(PNG) + len(WAV) + 10)
    with pytest.raises(NotAllowedError, match="too_many_bytes"):
        await add(connection, her, picture("GIF"))
    await add(connection, (await make_streamer(connection)).id, picture("GIF"))  # Another has room of his own.


async def test_another_streamers_file_is_nobodys(connection: Any, her: int) -> None:
    file = await ready(connection, her)
    other = (await make_streamer(connection)).id
    for find in (media_files.find_file, media_files.lock_file):
        with pytest.raises(NotFoundError):
            await find(connection, other, file.url)
    assert await media_files.list_urls(connection, other) == {}


async def test_only_its_own_address_finds_it(connection: Any, her: int) -> None:
    file = await ready(connection, her)
    for url in (
        file.url.replace(".png", ".gif"),
        file.url + "?x",
        file.url + "\n",
        "https://example.org" + file.url,
        file.url.replace(file.public_id, file.public_id.upper()),
        "/static/uploads/../" + file.public_id + ".png",
        "\0",
        "",
    ):
        with pytest.raises(NotFoundError):
            await media_files.find_file(connection, her, url)
        assert await media_files.find_served(connection, url) is None


async def test_a_deleted_one_is_gone_and_may_come_again(connection: Any, her: int) -> None:
    file = await ready(connection, her)
    await media_files.delete_file(connection, await media_files.lock_file(connection, her, file.url))
    assert await media_files.find_served(connection, file.url) is None
    assert await media_files.read_part(connection, file.id, 0, 10) is None
    assert (await add(connection, her)).url != file.url


async def test_a_worker_that_died_is_followed_by_another(connection: Any, her: int) -> None:
    file = await add(connection, her)
    assert await media_files.claim(connection, file.id) is not None
    assert await media_files.claim(connection, file.id) is None, "one at a time"
    assert await media_files.ask_due(connection) == 0
    await connection.execute("UPDATE media_files SET held_until = now() - interval '1 second'")
    assert await media_files.ask_due(connection) == 1
    assert await asked(connection) == [file.id, file.id]
    assert await media_files.claim(connection, file.id) is not None


async def test_a_message_that_was_lost_is_asked_for_again(connection: Any, her: int) -> None:
    await add(connection, her)
    assert await media_files.ask_due(connection) == 0, "it may be on its way"
    await connection.execute("UPDATE media_files SET created_at = now() - interval '61 seconds'")
    assert await media_files.ask_due(connection) == 1


async def test_one_that_kills_its_workers_is_given_up(connection: Any, her: int) -> None:
    file = await add(connection, her)
    for _ in range(media_files.MOST_TRIES):
        assert await media_files.claim(connection, file.id) is not None
        await connection.execute("UPDATE media_files SET held_until = now() - interval '1 second'")
    assert await media_files.claim(connection, file.id) is None
    assert await media_files.ask_due(connection) == 0
    seen = await media_files.find_file(connection, her, file.url)
    assert (seen.state, seen.refusal) == (FileState.REFUSED, "failed")


async def test_one_that_is_let_go_is_free_at_once(connection: Any, her: int) -> None:
    file = await add(connection, her)
    assert await media_files.claim(connection, file.id) is not None
    await media_files.let_go(connection, file.id)
    assert await media_files.claim(connection, file.id) is not None


@pytest.mark.parametrize("name", ["", "\0", "\u202egnp.exe", "a" * 300, "<script>.png", "a\nb"])
async def test_any_name_is_kept_as_a_name(connection: Any, her: int, name: str) -> None:
    file = await media_files.add_file(connection, her, Kind.IMAGE, name, PNG)
    assert len(file.name) <= media_files.NAME_MAX_LENGTH
    assert not set(file.name) & set("\0\n\u202e")
