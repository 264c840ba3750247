"""CSV as Excel in Russia opens it: UTF-8 with its mark, `;` between fields, a decimal comma; a stranger's text is
never calculated."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

MARK = "\ufeff"
# What a spreadsheet takes for the beginning of a formula, wherever it comes from.
_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")


class Plain(str):
    """A field of our own making, such as a sum below zero, that is written as it is."""

    __slots__ = ()


def rubles(amount_minor: int) -> Plain:
    """Kopecks as a spreadsheet's number: `1500,00`."""
    whole, kopecks = divmod(abs(amount_minor), 100)
    return Plain(f"{'-' if amount_minor < 0 else ''}{whole},{kopecks:02}")


def local_moment(at: datetime) -> Plain:
    """`2026-11-24 21:43:05`, as its own clocks say."""
    return Plain(at.strftime("%Y-%m-%d %H:%M:%S"))


def csv_line(fields: Sequence[str | int]) -> str:
    """A line with its end. Texts that a spreadsheet would calculate get an apostrophe in front."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow([_safe(field) for field in fields])
    return text.getvalue()


def _safe(field: str | int) -> str | int:
    if isinstance(field, int | Plain):
        return field
    # Spreadsheets look past spaces.
    is_formula = field[:1] in _FORMULA or field.lstrip()[:1] in _FORMULA
    return f"'{field}" if field and is_formula else field
