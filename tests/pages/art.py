"""Drawn pictures of a page: a streamer's face and the banner behind her. Nobody's rights, the same at each run."""

import math
import random
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]

DUSK: tuple[Colour, ...] = ((27, 22, 64), (88, 40, 110), (214, 92, 90), (255, 178, 102))
_FINE = 4
"""Drawn so many times larger, then made small: Pillow draws no soft edges."""


def fox() -> bytes:
    """256 × 256: a fox at dusk."""
    size = 256 * _FINE
    picture = _sky((size, size), DUSK[:3])
    pen = ImageDraw.Draw(picture)

    def at(share: float) -> float:
        return 0.5 + (share - 0.5) * 0.82

    def shape(colour: str, *points: tuple[float, float]) -> None:
        # Made a little smaller: pages cut a face to a circle.
        pen.polygon([(at(x) * size, (at(y) - 0.02) * size) for x, y in points], fill=colour)

    def both(colour: str, *points: tuple[float, float]) -> None:
        shape(colour, *points)
        shape(colour, *((1 - x, y) for x, y in points))

    both("#3a1c14", (0.17, 0.10), (0.17, 0.50), (0.46, 0.34))
    both("#f6b26b", (0.22, 0.19), (0.22, 0.44), (0.40, 0.35))
    shape("#f07f2e", (0.17, 0.46), (0.34, 0.32), (0.66, 0.32), (0.83, 0.46), (0.90, 0.60), (0.5, 0.93), (0.10, 0.60))
    both("#fff3e2", (0.10, 0.60), (0.30, 0.56), (0.46, 0.72), (0.5, 0.93))
    shape("#fff3e2", (0.46, 0.72), (0.54, 0.72), (0.5, 0.93))
    for x in (0.34, 0.66):
        _dot(pen, at(x) * size, at(0.53) * size, 0.04 * size, "#1b1640")
        _dot(pen, at(x + 0.015) * size, at(0.515) * size, 0.013 * size, "#ffffff")
    shape("#1b1640", (0.44, 0.84), (0.56, 0.84), (0.5, 0.93))
    return _small(picture, (256, 256))


def hills() -> bytes:
    """1500 × 500: hills under the evening's first stars."""
    width, height = 1500, 500
    picture = _sky((width, height), DUSK)
    pen = ImageDraw.Draw(picture)
    chance = random.Random(7)
    for _number in range(140):
        _dot(pen, chance.uniform(0, width), chance.uniform(0, height * 0.5), chance.choice((0.8, 1, 1.4)), "#fff3e2")
    _dot(pen, 1150, 210, 74, "#ffe0b0")
    for number, colour in enumerate(("#7a3566", "#4c2560", "#2a1a4c", "#17112f")):
        base, swing = 290 + number * 52, 46 - number * 6
        line = [
            (x, base + swing * (math.sin(x / (150 - number * 18) + number * 2.1) + math.sin(x / 61 + number) * 0.35))
            for x in range(0, width + 10, 10)
        ]
        pen.polygon([(0, height), *line, (width, height)], fill=colour)
    return _small(picture.filter(ImageFilter.GaussianBlur(0.6)), (width, height))


def planet(low: Colour, high: Colour, disc: str) -> bytes:
    """256 × 256: a ringed planet, in the colours of whoever wears it."""
    size = 256 * _FINE
    picture = _sky((size, size), (low, high))
    pen = ImageDraw.Draw(picture)
    _dot(pen, size * 0.5, size * 0.5, size * 0.27, disc)
    pen.arc((size * 0.1, size * 0.38, size * 0.9, size * 0.62), -20, 200, fill="#ffffff", width=round(size * 0.035))
    return _small(picture, (256, 256))


def _sky(size: tuple[int, int], colours: tuple[Colour, ...]) -> Image.Image:
    """The colours from above to below, one into the other."""
    strip = Image.new("RGB", (1, len(colours)))
    strip.putdata(colours)
    return strip.resize(size, Image.Resampling.BICUBIC)


def _dot(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _small(picture: Image.Image, size: tuple[int, int]) -> bytes:
    encoded = BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(encoded, "WEBP", quality=84)
    return encoded.getvalue()
