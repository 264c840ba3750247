"""The two kinds of file a selection of donations becomes, written row by row in little memory.

A row is what `tasks/exports.py` makes of a donation: texts, moments on the streamer's clocks, `Kopecks`. A stranger's
text is written as text and is never calculated.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import IO, Any, Protocol

import xlsxwriter

from infra.csv_text import MARK, csv_line, local_moment, rubles

SHEET_ROWS = 1_000_000
"""Rows of one sheet: a spreadsheet has 1,048,576."""


class Kopecks(int):
    """An amount, written as roubles."""


Field = str | Kopecks | datetime | None


class File(Protocol):
    def write(self, rows: Iterable[Sequence[Field]]) -> None: ...
    def close(self) -> None: ...


class CsvFile:
    """For Excel in Russia: `infra/csv_text.py`."""

    def __init__(self, file: IO[bytes], columns: Sequence[str], _sheet: str) -> None:
        self._file = file
        self._file.write((MARK + csv_line(columns)).encode())

    def write(self, rows: Iterable[Sequence[Field]]) -> None:
        self._file.write("".join(csv_line([_csv_field(field) for field in row]) for row in rows).encode())

    def close(self) -> None:
        self._file.flush()


class XlsxFile:
    """Numbers are numbers, moments are moments; the title row stays in sight and filters. A full sheet is followed by
    another."""

    def __init__(self, file: IO[bytes], columns: Sequence[str], sheet: str, *, sheet_rows: int = SHEET_ROWS) -> None:
        # A row is written out when the next begins. Texts never become formulas, numbers or links.
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        }
        self._book = xlsxwriter.Workbook(file, options)
        self._book.use_zip64()
        self._title = self._book.add_format({"bold": True})
        self._money = self._book.add_format({"num_format": "#,##0.00"})
        self._moment = self._book.add_format({"num_format": "dd.mm.yyyy hh:mm:ss"})
        self._columns, self._name, self._sheet_rows = columns, sheet, sheet_rows
        self._sheets = 0
        self._begin_sheet()

    def write(self, rows: Iterable[Sequence[Field]]) -> None:
        for row in rows:
            if self._row > self._sheet_rows:
                self._end_sheet()
                self._begin_sheet()
            for column, field in enumerate(row):
                self._write(column, field)
            self._row += 1

    def close(self) -> None:
        self._end_sheet()
        self._book.close()

    def _write(self, column: int, field: Field) -> None:
        match field:
            case Kopecks():
                self._sheet.write_number(self._row, column, field / 100, self._money)
            case datetime():
                self._sheet.write_datetime(self._row, column, field.replace(tzinfo=None), self._moment)
            case str() if field:
                self._sheet.write_string(self._row, column, field)

    def _begin_sheet(self) -> None:
        self._sheets += 1
        name = self._name if self._sheets == 1 else f"{self._name} {self._sheets}"
        self._sheet: Any = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._columns) - 1, 16)
        for column, title in enumerate(self._columns):
            self._sheet.write_string(0, column, title, self._title)
        self._row = 1

    def _end_sheet(self) -> None:
        self._sheet.autofilter(0, 0, self._row - 1, len(self._columns) - 1)


def _csv_field(field: Field) -> str:
    match field:
        case Kopecks():
            return rubles(field)
        case datetime():
            return local_moment(field)
    return field or ""
