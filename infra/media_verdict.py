"""What the check of an uploaded file says; without anything that takes long to import."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Checked:
    """What it is; `content` is what is served."""

    content: bytes
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    seconds: float | None = None


class MediaError(ValueError):
    """`code`: "not_readable" (cut off, damaged, something else), "not_playable" (no browser would play it),
    "too_many_pixels", "too_many_frames", "too_long", "too_heavy", "too_slow", "nothing" (of a part that is empty)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
