"""Uploaded files are what they say or refused, carry nothing else, and a decoder's misfortune stays its own."""

import io
import json
import struct
import sys
from typing import Any

import pytest
from PIL import Image

from infra import apart, media_check, media_pictures, media_sounds
from infra.media_check import check, check_apart, cut, cut_apart
from infra.media_verdict import MediaError
from tests.infra.test_pictures import bomb, chunk
from tests.support.pictures import animation, opened, picture
from tests.support.sounds import encoded, wav

SCRIPT = b"<script>alert(1)</script>"
SOUNDS = {
    "audio/wav": wav(1.5),
    "audio/mpeg": encoded(1.5, "mp3", "libmp3lame", title="Anna's secret"),
    "audio/ogg": encoded(1.5, "ogg", "libopus", title="Anna's secret"),
}
STILLS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
ANIMATED = {"image/gif": "GIF", "image/webp": "WEBP", "image/png": "PNG"}


def long_gif(frames: int) -> bytes:
    """Many frames of one dot each, each in 20 bytes."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    one = b"\x21\xf9\x04\x00\x01\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + one * frames + b";"


def wide_gif() -> bytes:
    """One dot that says it is a wall."""
    raw = bytearray(long_gif(1))
    raw[6:10] = struct.pack("<HH", 6_000, 6_000)
    return bytes(raw)


REFUSED = {
    "svg as a GIF": ("image/gif", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_readable"),
    "html after a GIF's first bytes": ("image/gif", b"GIF89a" + SCRIPT, "not_readable"),
    "a GIF that is a script": ("image/gif", b"GIF89a=1;/*" + b"\0" * 50 + b"*/alert(1)", "not_readable"),
    "a PNG as a GIF": ("image/gif", picture("PNG"), "not_readable"),
    "nothing": ("image/png", b"", "not_readable"),
    "only NUL": ("image/png", b"\0" * 500, "not_readable"),
    "cut off JPEG": ("image/jpeg", picture("JPEG", (800, 800))[:900], "not_readable"),
    "cut off PNG": ("image/png", picture("PNG", (800, 800))[:-40], "not_readable"),
    "cut off GIF": ("image/gif", animation("GIF")[:-30], "not_readable"),
    "cut off WebP": ("image/webp", animation("WEBP")[:-30], "not_readable"),
    "bomb": ("image/png", bomb(), "too_many_pixels"),
    "wide GIF": ("image/gif", wide_gif(), "too_many_pixels"),
    "ten thousand frames": ("image/gif", long_gif(10_000), "too_many_frames"),
    "a playlist as a sound": ("audio/mpeg", b"#EXTM3U\nhttp://127.0.0.1:1/a.mp3\n", "not_readable"),
    "html after an MP3's first bytes": ("audio/mpeg", b"ID3\x04\0\0\0\0\0\0" + SCRIPT * 40, "not_readable"),
    "an MP3 of one frame's head": ("audio/mpeg", b"\xff\xfb\x90\x00" + b"\0" * 40, "not_readable"),
    "noise as an MP3": ("audio/mpeg", bytes(range(256)) * 400, "not_readable"),
    "a WAV of nothing": ("audio/wav", wav(0), "not_readable"),
    "a WAV's head": ("audio/wav", wav(1)[:30], "not_readable"),
    "an MP3 as an Ogg": ("audio/ogg", SOUNDS["audio/mpeg"], "not_readable"),
    "ADPCM": ("audio/wav", encoded(0.5, "wav", "adpcm_ms"), "not_playable"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused(name: str) -> None:
    content_type, raw, code = REFUSED[name]
    with pytest.raises(MediaError) as refused:
        await check_apart(content_type, raw)
    assert refused.value.code == code


@pytest.mark.parametrize("content_type", STILLS)
def test_a_still_picture_stays_what_it_is(content_type: str) -> None:
    checked = check(content_type, picture(STILLS[content_type]))
    assert (checked.width, checked.height, checked.frames, checked.seconds) == (300, 200, 1, None)
    made = opened(checked.content)
    assert (made.format, made.size) == (STILLS[content_type], (300, 200))


def test_a_large_still_is_made_as_large_as_an_overlay_shows_it() -> None:
    checked = check("image/jpeg", picture("JPEG", (5_000, 2_500)))
    assert (checked.width, checked.height) == opened(checked.content).size == (1920, 960)


def test_where_it_was_taken_goes_and_how_it_was_held_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera of Anna"
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    Image.new("RGB", (400, 200)).save(file, "JPEG", exif=exif, comment=b"secret place")
    checked = check("image/jpeg", file.getvalue())
    assert (checked.width, checked.height) == (200, 400)
    for word in (b"Camera", b"secret", b"Exif"):
        assert word in file.getvalue()
        assert word not in checked.content


def test_transparency_stays() -> None:
    for content_type, kind in (("image/png", "PNG"), ("image/webp", "WEBP")):
        file = io.BytesIO()
        Image.new("RGBA", (50, 50), (0, 255, 0, 0)).save(file, kind)
        made: Any = opened(check(content_type, file.getvalue()).content)
        assert made.convert("RGBA").getpixel((10, 10))[3] == 0


@pytest.mark.parametrize("content_type", ANIMATED)
def test_an_animation_stays_byte_for_byte(content_type: str) -> None:
    raw = animation(ANIMATED[content_type])
    checked = check(content_type, raw)
    assert (checked.width, checked.height, checked.frames) == (60, 60, 2)
    assert checked.content == raw


def test_what_hangs_on_an_animation_stays_behind() -> None:
    frames = [Image.new("RGB", (60, 60), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    gif, webp = io.BytesIO(), io.BytesIO()
    frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:], loop=3, duration=90, comment=SCRIPT)
    frames[0].save(webp, "WEBP", save_all=True, append_images=frames[1:], exif=b"Exif\0\0" + SCRIPT, xmp=SCRIPT)
    png = animation("PNG")
    secret = chunk(b"tEXt", b"Comment\0" + SCRIPT)
    carrying = {
        "image/gif": gif.getvalue() + SCRIPT,
        "image/webp": webp.getvalue() + SCRIPT,
        "image/png": png[:33] + secret + png[33:] + SCRIPT,
    }
    for content_type, raw in carrying.items():
        assert SCRIPT in raw
        checked = check(content_type, raw)
        assert SCRIPT not in checked.content, content_type
        made: Any = opened(checked.content)
        assert (made.n_frames, made.size) == (2, (60, 60))
    made = opened(check("image/gif", carrying["image/gif"]).content)
    assert (made.info["loop"], made.info["duration"]) == (3, 90)


@pytest.mark.parametrize("content_type", SOUNDS)
def test_a_sound_stays_what_it_is_and_tells_nothing_else(content_type: str) -> None:
    raw = SOUNDS[content_type]
    checked = check(content_type, raw)
    assert checked.seconds == pytest.approx(1.5, abs=0.06)
    assert b"secret" not in checked.content
    again = check(content_type, checked.content)
    assert again.seconds == checked.seconds
    # What hangs on it stays behind, too.
    if content_type != "audio/ogg":
        assert SCRIPT not in check(content_type, raw + SCRIPT * 3).content


def test_flac_in_an_ogg() -> None:
    assert check("audio/ogg", encoded(0.5, "ogg", "flac")).seconds == pytest.approx(0.5)


def test_a_sound_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_sounds, "SECONDS_MAX", 1.0)
    with pytest.raises(MediaError, match="too_long"):
        check("audio/wav", wav(1.5))


@pytest.mark.parametrize("content_type", SOUNDS)
@pytest.mark.parametrize(
    ("start", "end", "seconds"), [(0.0, None, 1.5), (0.5, 1.0, 0.5), (1.2, 9.0, 0.3), (0.0, 0.1, 0.1)]
)
def test_a_part_of_a_sound(content_type: str, start: float, end: float | None, seconds: float) -> None:
    made = cut(content_type, SOUNDS[content_type], start, end)
    assert check("audio/mpeg", made).seconds == pytest.approx(seconds, abs=0.06)


async def test_a_part_that_is_empty() -> None:
    with pytest.raises(MediaError, match="nothing"):
        await cut_apart("audio/wav", SOUNDS["audio/wav"], 5.0, 6.0)
    with pytest.raises(MediaError, match="not_readable"):
        await cut_apart("audio/wav", b"RIFF", 0.0, None)


async def test_the_process_gives_what_the_function_does() -> None:
    for content_type, raw in (("image/webp", picture("WEBP")), ("audio/ogg", SOUNDS["audio/ogg"])):
        assert await check_apart(content_type, raw) == check(content_type, raw)
    raw = SOUNDS["audio/wav"]
    assert await cut_apart("audio/wav", raw, 0.5, None) == cut("audio/wav", raw, 0.5, None)


async def test_one_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_check, "SECONDS_MAX", 0.01)
    with pytest.raises(MediaError, match="too_slow"):
        await check_apart("image/png", picture("PNG"))


LIMITED = """
import json, os, resource, sys
from infra.apart import limit_this_process
limit_this_process(cpu_seconds=1, memory_bytes=1024**3)
try:
    bytearray(2 * 1024**3)
except MemoryError:
    print(json.dumps(sorted(os.environ)))
    sys.stdout.flush()
while True:
    pass
"""


async def test_the_child_has_no_secrets_and_is_ended_when_it_wants_more(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greedy.py").write_text(LIMITED)
    monkeypatch.setattr(apart, "_ROOT", tmp_path)
    (tmp_path / "infra").symlink_to(media_check.__file__.rpartition("/")[0])
    monkeypatch.setenv("SECRET_KEYS", "of ours")
    done = await apart.run_apart("greedy", given=b"", seconds=20)
    assert done.code in (-9, -24), "by the kernel, after a second of a processor"
    assert set(json.loads(done.output)) <= {"LC_CTYPE"}
    assert sys.executable


def test_an_animation_of_too_many_pixels_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_pictures, "ALL_PIXELS_MAX", 60 * 60 + 1)
    with pytest.raises(MediaError, match="too_many_frames"):
        check("image/gif", animation("GIF"))
