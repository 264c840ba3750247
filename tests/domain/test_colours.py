"""A streamer's colour can be read in both themes, whatever she chose."""

import re

import pytest

from domain.colours import (
    CONTRAST_MIN,
    DARK_INK,
    DARK_SURFACE,
    LIGHT_INK,
    LIGHT_SURFACE,
    accent_of,
    clean_colour,
    contrast,
)
from domain.errors import InvalidInputError
from infra.settings import ROOT

COLOURS = ["000000", "ffffff", "ffd23f", "1f5eff", "7a3ff2", "00ff00", "ff0000", "0000ff", "777777", "111318", "fefefe"]
COLOURS += [f"{red:02x}{green:02x}{blue:02x}" for red in (0, 128, 255) for green in (0, 90, 255) for blue in (40, 255)]


def test_contrast_is_as_wcag_counts_it() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("123456", "123456") == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_becomes_readable(colour: str) -> None:
    accent = accent_of(colour)
    for shown, grounds in ((accent.light, (LIGHT_SURFACE, LIGHT_INK)), (accent.dark, (DARK_SURFACE, DARK_INK))):
        for ground in grounds:
            assert contrast(shown, ground) >= CONTRAST_MIN


def test_what_can_be_read_stays_as_it_is() -> None:
    assert accent_of("174bd6").light == "174bd6"
    assert accent_of("ffd23f").dark == "ffd23f"
    assert accent_of("ffd23f").light != "ffd23f"


def test_the_surfaces_are_those_of_the_page() -> None:
    """Colours are held against what they stand on: another surface in donate.css belongs here too."""
    light, dark = (ROOT / "static/css/donate.css").read_text().split("@media (prefers-color-scheme: dark)")[:2]
    for css, hardest, darker in ((light, LIGHT_SURFACE, False), (dark.split("* {")[0], DARK_SURFACE, True)):
        surfaces = [re.search(rf"--{name}: #([0-9a-f]+)", css)[1] for name in ("page", "card", "soft")]  # type: ignore[index]
        full = [colour if len(colour) == 6 else "".join(digit * 2 for digit in colour) for colour in surfaces]
        assert hardest in full
        extreme = "ffffff" if darker else "000000"
        assert min(full, key=lambda colour: contrast(colour, extreme)) == hardest


@pytest.mark.parametrize("text", ["red", "#12345", "1234567", "#gggggg", "url(x)", "#12 456", "１２３４５６"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="malformed"):
        clean_colour(text)


def test_a_colour_as_a_browser_sends_it() -> None:
    assert clean_colour(" #7A3FF2 ") == "7a3ff2"
    assert clean_colour("") == ""
