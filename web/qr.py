"""QR codes as SVG inside a page, drawn here: no picture to fetch, no script (docs/decisions/0015-qr-codes.md)."""

from functools import lru_cache

import segno
from markupsafe import Markup

QUIET_ZONE = 4
"""Empty modules around a code, as ISO/IEC 18004 wants: on a dark page a camera finds its edge by them."""
MOST_PIXELS = 270
"""The longest side; fits a phone of 320 px."""


@lru_cache(maxsize=1024)
def qr_svg(text: str) -> Markup:
    """A QR code of at least level M, dark on white whatever the page's colours, each module a whole number of pixels.

    Kept for the next look at the same page: drawing takes milliseconds. `text` is at most some hundred characters.
    """
    code = segno.make(text, error="m", micro=False)
    scale = max(1, MOST_PIXELS // code.symbol_size(border=QUIET_ZONE)[0])
    # Nothing of `text` is in it, only the numbers of its path.
    return Markup(  # noqa: S704
        code.svg_inline(scale=scale, border=QUIET_ZONE, dark="#000", light="#fff", svgclass=None, lineclass=None)
    )
