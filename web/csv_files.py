"""CSV files as answers; how their lines are written is in `infra/csv_text.py`."""

from collections.abc import AsyncIterable
from datetime import datetime
from urllib.parse import quote

from quart import Response

from infra.csv_text import MARK, Plain, csv_line, local_moment, rubles
from web.i18n import zone

__all__ = ["MARK", "Plain", "csv_line", "download", "moment", "rubles"]


def moment(at: datetime, time_zone: str) -> Plain:
    """`2026-11-24 21:43:05` on the clocks of the time zone."""
    return local_moment(at.astimezone(zone(time_zone)))


def download(name: str, content: AsyncIterable[str] | str, mimetype: str = "text/csv") -> Response:
    """An answer that the browser saves as a file of this name."""
    response = Response(content)
    response.content_type = f"{mimetype}; charset=utf-8"
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    # A month of a large streamer is read page by page, for as long as it takes.
    response.timeout = None
    return response
