"""A streamer's own colour on the donation page, corrected where nobody could read it (WCAG 2, contrast 4.5)."""

import re
from dataclasses import dataclass

from domain.errors import InvalidInputError

CONTRAST_MIN = 4.5

# The page's own surfaces, as static/css/donate.css has them: of each theme the one hardest to read on.
LIGHT_SURFACE = "eef1f7"
DARK_SURFACE = "262a35"
LIGHT_INK = "ffffff"
DARK_INK = "111318"
"""What is written on a button of the colour, in the light and in the dark theme."""

_STEPS = 64


@dataclass(frozen=True)
class Accent:
    """One colour as each theme shows it: links on the page's surfaces, and buttons with ink on them."""

    light: str
    dark: str


def clean_colour(text: str) -> str:
    """Six hexadecimal digits, or "" for none. Raises InvalidInputError("accent", "malformed")."""
    colour = text.strip().removeprefix("#").lower()
    if colour and not re.fullmatch("[0-9a-f]{6}", colour):
        raise InvalidInputError("accent", "malformed")
    return colour


def accent_of(colour: str) -> Accent:
    """Darker for the light theme and lighter for the dark one, no more than needed."""
    return Accent(_readable(colour, LIGHT_SURFACE, "000000"), _readable(colour, DARK_SURFACE, "ffffff"))


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, surface: str, towards: str) -> str:
    """Black and white themselves are readable on these surfaces, so a step is always found."""
    mixes = (_mix(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(mixed for mixed in mixes if contrast(mixed, surface) >= CONTRAST_MIN)


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[:2], 16), int(colour[2:4], 16), int(colour[4:], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
