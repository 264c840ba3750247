"""Pictures from strangers, decoded and encoded anew in a process of their own (`infra/apart.py`).

`reencode_apart` starts `python -m infra.pictures WIDTH HEIGHT`, gives it the bytes and takes a WebP back.
"""

import io
import sys
import warnings

from infra.apart import limit_this_process, run_apart

PIXELS_MAX = 40_000_000
SECONDS_MAX = 15.0
_CPU_SECONDS = 10
_MEMORY_BYTES = 1024**3
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITY = 84

# The child's exit codes.
_NOT_A_PICTURE = 3
_TOO_MANY_PIXELS = 4


class PictureError(ValueError):
    """`code`: "not_a_picture" (unreadable, cut off, of another format), "too_many_pixels" or "too_slow"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def reencode_apart(raw: bytes, size: tuple[int, int]) -> bytes:
    """The picture cut to `size`, as a WebP without any metadata. Raises PictureError."""
    try:
        done = await run_apart("infra.pictures", *map(str, size), given=raw, seconds=SECONDS_MAX)
    except TimeoutError as error:
        raise PictureError("too_slow") from error
    if done.code == _TOO_MANY_PIXELS:
        raise PictureError("too_many_pixels")
    if done.code != 0 or not done.output:
        raise PictureError("not_a_picture")
    return done.output


def reencode(raw: bytes, size: tuple[int, int]) -> bytes:
    """The work itself. Raises whatever Pillow raises; `Image.DecompressionBombError` for too many pixels."""
    # Only the child needs Pillow.
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
        # A large JPEG is decoded at a half, a quarter or an eighth where that is still enough.
        opened.draft("RGB", (size[0] * 2, size[1] * 2))
        opened.load()
        picture = ImageOps.exif_transpose(opened)
    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    # Pixels alone go on: what else the file carried, and what Pillow remembers of it, stays behind.
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    encoded = io.BytesIO()
    bare.save(encoded, "WEBP", quality=_QUALITY, method=4)
    return encoded.getvalue()


def main() -> int:
    from PIL import Image

    limit_this_process(cpu_seconds=_CPU_SECONDS, memory_bytes=_MEMORY_BYTES)
    size = int(sys.argv[1]), int(sys.argv[2])
    try:
        encoded = reencode(sys.stdin.buffer.read(), size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _TOO_MANY_PIXELS
    except Exception:
        return _NOT_A_PICTURE
    sys.stdout.buffer.write(encoded)
    return 0


if __name__ == "__main__":
    sys.exit(main())
