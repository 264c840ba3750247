"""Pictures from strangers, decoded and encoded anew in a process of their own.

`reencode_apart` starts `python -m infra.pictures WIDTH HEIGHT`, gives it the bytes and takes a WebP back. The child has
no secrets in its environment, little memory and little time, and is killed when it wants more: a decoder that hangs,
grows or crashes over a crafted file is its own misfortune.
"""

import asyncio
import io
import resource
import sys
import warnings
from pathlib import Path

# Not from infra.settings: the child shall start quickly.
_ROOT = Path(__file__).resolve().parent.parent

PIXELS_MAX = 40_000_000
SECONDS_MAX = 15.0
_CPU_SECONDS = 10
_MEMORY_BYTES = 1024**3
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITY = 84

# The child's exit codes.
_NOT_A_PICTURE = 3
_TOO_MANY_PIXELS = 4

_turns = asyncio.Semaphore(2)
"""How many work at once; the others wait for theirs."""


class PictureError(ValueError):
    """`code`: "not_a_picture" (unreadable, cut off, of another format), "too_many_pixels" or "too_slow"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def reencode_apart(raw: bytes, size: tuple[int, int]) -> bytes:
    """The picture cut to `size`, as a WebP without any metadata. Raises PictureError."""
    async with _turns:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "infra.pictures", *map(str, size), cwd=_ROOT, env={},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(SECONDS_MAX):
                encoded, _nothing = await process.communicate(raw)
        except TimeoutError as error:
            raise PictureError("too_slow") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode == _TOO_MANY_PIXELS:
        raise PictureError("too_many_pixels")
    if process.returncode != 0 or not encoded:
        raise PictureError("not_a_picture")
    return encoded


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

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
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
