"""The picture at the head of the README: a donor's phone, the dashboard, and the control page on another phone."""

from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageDraw

NAMES = ("donate", "dashboard", "control")
SIZE = (1640, 792)
GROUND = "#e3e8f1"
PHONE, DESK = (312, 700), (884, 675)
TOP = 40
RADIUS = 28
_FINE = 4
"""A mask is drawn so many times larger: Pillow draws no soft edges."""


def front(pages: Mapping[str, Mapping[Any, Image.Image]], locale: str) -> Image.Image:
    """`pages`: those of NAMES, each with its pictures by (locale, scheme, width)."""
    picture = Image.new("RGB", SIZE, GROUND)
    _lay(picture, _cut(pages["donate"][locale, "light", 360], PHONE), (40, TOP), RADIUS)
    _lay(picture, _cut(pages["dashboard"][locale, "dark", 1440], DESK), (373, TOP + 12), 14)
    _lay(picture, _cut(pages["control"][locale, "dark", 360], PHONE), (1278, TOP), RADIUS)
    return picture


def _cut(page: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A page made as wide as this; of a longer one the rest is left out."""
    width, height = size
    whole = page.resize((width, round(page.height * width / page.width)), Image.Resampling.LANCZOS)
    return whole.crop((0, 0, width, min(whole.height, height)))


def _lay(ground: Image.Image, picture: Image.Image, place: tuple[int, int], radius: int) -> None:
    """With round corners and an edge."""
    edge = 5
    framed = Image.new("RGB", (picture.width + 2 * edge, picture.height + 2 * edge), "#14161a")
    mask = _round(picture.size, radius)
    framed.paste(picture, (edge, edge), mask)
    ground.paste(framed, place, _round(framed.size, radius + edge))


def _round(size: tuple[int, int], radius: int) -> Image.Image:
    large = Image.new("L", (size[0] * _FINE, size[1] * _FINE), 0)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, large.width - 1, large.height - 1), radius * _FINE, fill=255)
    return large.resize(size, Image.Resampling.LANCZOS)
