"""What an uploaded picture is, and the bytes of it that are served. Runs in the child (`infra/media_check.py`).

A still picture is encoded anew in its own format, not larger than an overlay shows it. Of an animation each frame is
decoded, and the file is kept without what is no picture of it (`infra/bare_pictures.py`).
"""

import io
from typing import Any

from PIL import Image, ImageOps

from infra.bare_pictures import bare
from infra.media_verdict import Checked, MediaError

STILL_PIXELS_MAX = 40_000_000
FRAME_PIXELS_MAX = 1920 * 1920
"""Of an animation: what OBS would have to hold, too."""
FRAMES_MAX = 1_000
ALL_PIXELS_MAX = 400_000_000
"""Of all frames of an animation together: some five seconds of a processor."""
SIDE_MAX = 1920
_QUALITY = 90

_FORMATS = {"image/gif": "GIF", "image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


def check_picture(content_type: str, raw: bytes) -> Checked:
    """Raises MediaError, and whatever Pillow raises for what it cannot read."""
    # Our own limits stand below, before anything is decoded.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(raw), formats=(_FORMATS[content_type],)) as opened:
        if opened.width * opened.height > STILL_PIXELS_MAX:
            raise MediaError("too_many_pixels")
        if content_type == "image/gif" or (content_type != "image/jpeg" and getattr(opened, "is_animated", False)):
            return _check_animation(content_type, raw, opened)
        return _encode_still(content_type, opened)


def _check_animation(content_type: str, raw: bytes, opened: Any) -> Checked:
    pixels = opened.width * opened.height
    if pixels > FRAME_PIXELS_MAX:
        raise MediaError("too_many_pixels")
    frames = 0
    while True:
        try:
            opened.seek(frames)
        except EOFError:
            break
        opened.load()
        frames += 1
        if frames > FRAMES_MAX or frames * pixels > ALL_PIXELS_MAX:
            raise MediaError("too_many_frames")
    return Checked(bare(content_type, raw), width=opened.width, height=opened.height, frames=frames)


def _encode_still(content_type: str, opened: Any) -> Checked:
    # A large JPEG is decoded at a half, a quarter or an eighth where that is still enough.
    opened.draft("RGB", (SIDE_MAX, SIDE_MAX))
    opened.load()
    picture = ImageOps.exif_transpose(opened)
    has_holes = content_type != "image/jpeg" and picture.has_transparency_data
    picture = picture.convert("RGBA" if has_holes else "RGB")
    picture.thumbnail((SIDE_MAX, SIDE_MAX), Image.Resampling.LANCZOS)
    # Pixels alone go on: what else the file carried, and what Pillow remembers of it, stays behind.
    bare_picture = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    encoded = io.BytesIO()
    match _FORMATS[content_type]:
        case "PNG":
            bare_picture.save(encoded, "PNG")
        case name:
            bare_picture.save(encoded, name, quality=_QUALITY)
    return Checked(encoded.getvalue(), width=picture.width, height=picture.height, frames=1)
