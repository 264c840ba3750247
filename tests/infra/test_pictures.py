"""Strangers' pictures are encoded anew or refused, and a decoder's misfortune stays its own."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from infra import pictures
from infra.pictures import PictureError, reencode, reencode_apart
from tests.support.pictures import animation, opened, picture

SIZE = (256, 256)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    """A hundred megapixels of nothing, in 120 KB."""
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (10_000 * (1 + 1250)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED = {
    "svg": (SVG, "not_a_picture"),
    "html": (b"<!doctype html><script>alert(1)</script>", "not_a_picture"),
    "html that begins like a GIF": (b"GIF89a<script>alert(1)</script>", "not_a_picture"),
    "cut off": (picture("JPEG", (800, 800))[:900], "not_a_picture"),
    "cut off PNG": (picture("PNG", (800, 800))[:-40], "not_a_picture"),
    "another format": (picture("BMP"), "not_a_picture"),
    "TIFF": (picture("TIFF"), "not_a_picture"),
    "zip": (b"PK\x03\x04" + b"\0" * 100, "not_a_picture"),
    "nothing": (b"", "not_a_picture"),
    "noise": (bytes(range(256)) * 40, "not_a_picture"),
    "bomb": (bomb(), "too_many_pixels"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_picture_of_ours_is_refused(name: str) -> None:
    raw, code = REFUSED[name]
    with pytest.raises(PictureError) as refused:
        await reencode_apart(raw, SIZE)
    assert refused.value.code == code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_each_format_becomes_a_webp_of_the_size(kind: str) -> None:
    made = opened(reencode(picture(kind), SIZE))
    assert (made.format, made.size) == ("WEBP", SIZE)
    red, green, blue = made.convert("RGB").getpixel((128, 128))  # type: ignore[misc]
    assert red > 180
    assert green < 80
    assert blue < 80


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_kept(kind: str) -> None:
    made: Any = opened(reencode(animation(kind), SIZE))
    assert getattr(made, "n_frames", 1) == 1
    assert made.convert("RGB").getpixel((128, 128))[0] > 200


async def test_the_process_gives_what_the_function_does() -> None:
    raw = picture("PNG", (1000, 300))
    assert await reencode_apart(raw, (1500, 500)) == reencode(raw, (1500, 500))


def test_where_it_was_taken_goes_and_how_it_was_held_is_applied() -> None:
    image = Image.new("RGB", (400, 200), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, 200, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn it a quarter to the right: what was left comes on top.
    exif[0x010F] = "Camera of Anna"
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, quality=95, comment=b"secret place")
    made: Any = opened(reencode(file.getvalue(), SIZE))
    assert dict(made.getexif()) == {}
    assert "exif" not in made.info
    for word in (b"Camera", b"secret", b"EXIF"):
        assert word not in reencode(file.getvalue(), SIZE)
    top, bottom = (made.convert("RGB").getpixel((128, y)) for y in (20, 236))
    assert top[0] > 200
    assert bottom[2] > 200


def test_what_hangs_on_a_picture_stays_behind() -> None:
    script = b"<script>alert(1)</script>PK\x03\x04"
    for raw in (picture("PNG") + script, picture("JPEG") + script, picture("GIF", comment=script)):
        assert b"script" not in reencode(raw, SIZE)


def test_transparency_stays() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 255, 0, 0)).save(file, "PNG")
    made: Any = opened(reencode(file.getvalue(), SIZE))
    assert made.convert("RGBA").getpixel((10, 10))[3] == 0


async def test_one_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "SECONDS_MAX", 0.01)
    with pytest.raises(PictureError, match="too_slow"):
        await reencode_apart(picture("PNG"), SIZE)
