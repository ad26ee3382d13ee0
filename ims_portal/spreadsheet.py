"""Workbooks written a row at a time: text stays text whatever it says, amounts are numbers, memory does not grow.

The writer takes one header row of different names; ours have two or three tiers in which names come back. So its own
row is a row of blanks above, and the tiers are written as the first rows of the sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain, zip_longest
from pathlib import Path
from typing import Generic, TypeVar

from rustpy_xlsxwriter import FastExcel, Format

from ims_portal.rules.periods import parse

MOST_ROWS = 1_048_576
"""What a sheet holds, headings included."""

AMOUNT = r"[>=10000000]##\,##\,##\,##0.00;[>=100000]##\,##\,##0.00;##,##0.00"
"""Rupees with Indian grouping; Excel has room for two conditions, so losses of a lakh and more group by thousands."""

TOP = 4
"""Rows above the headings of a table: its two titles, a blank one, the writer's own."""

WIDTH = 16

DAY = "dd-mmm-yyyy"
"""A date, as the offline tool's template shows it."""

Cell = str | int | float | date | None
"""Text, a whole number, rupees, a day, nothing; a float is always an amount.

Below a day in the same column a whole number is shown as a day too.
"""


Told = TypeVar("Told")

DAYS = 4096
"""Days and periods whose texts are kept."""


class TooManyRowsError(Exception):
    """A sheet would hold more rows than Excel can read."""

    def __init__(self, sheet: str) -> None:
        self.sheet = sheet
        super().__init__(f"Sheet {sheet} would have more than {MOST_ROWS} rows.")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its headings from the top tier down, and what may be chosen in its cells."""

    heads: tuple[str, ...]
    width: int = WIDTH
    is_hidden: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)  # with slots a generic class cannot be made by its alias
class Field(Generic[Told]):
    """A column that knows what to say of each thing its table is about."""

    heads: tuple[str, ...]
    of: Callable[[Told], Cell]
    width: int = WIDTH
    is_hidden: bool = False
    choices: tuple[str, ...] = ()

    @property
    def column(self) -> Column:
        """The column alone."""
        return Column(self.heads, self.width, is_hidden=self.is_hidden, choices=self.choices)


def rupees(paise: int) -> float:
    """Return paise as the number of rupees a cell holds."""
    return paise / 100


def day_as(shape: str) -> Callable[[date | None], str]:
    """Return what writes a day as text of a shape, nothing for none."""

    @lru_cache(maxsize=DAYS)
    def written(found: date | None) -> str:
        return found.strftime(shape) if found else ""

    return written


def month_as(shape: str) -> Callable[[str], str]:
    """Return what writes a period MMYYYY as text of a shape, nothing for none."""

    @lru_cache(maxsize=DAYS)
    def written(wire: str) -> str:
        return parse(wire).last_day.strftime(shape) if wire else ""

    return written


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table under its headings; without columns its rows stand as they are, the first of them as the title."""

    name: str
    rows: Iterable[Sequence[Cell]]
    columns: Sequence[Column] = ()
    titles: Sequence[str] = ()
    widths: Sequence[int] = ()

    @property
    def tiers(self) -> int:
        """How many rows of headings it has."""
        return max((len(column.heads) for column in self.columns), default=0)


def write(target: Path, sheets: Iterable[Sheet]) -> None:
    """Write a workbook; rows are read while it is written, sheet by sheet. Raises TooManyRowsError."""
    book = FastExcel(str(target)).format(float_format=AMOUNT, datetime_format=DAY)
    for sheet in sheets:
        if sheet.columns:
            _table(book, sheet)
        else:
            _page(book, sheet)
    book.save()


def _page(book: FastExcel, sheet: Sheet) -> None:
    """Add a sheet of free rows; its first row is the title."""
    rows = iter(sheet.rows)
    title = next(rows)[0]
    names = _blanks(len(sheet.widths))
    book.sheet(
        sheet.name,
        (dict(zip_longest(names, row)) for row in rows),
        header_row=1,
        merge_ranges=[(0, 0, 0, len(names) - 1, title, _title())],
        column_widths=list(sheet.widths),
    )


def _table(book: FastExcel, sheet: Sheet) -> None:
    """Add a sheet of a table: titles, tiers of headings, rows; headings stay in sight."""
    names = _blanks(len(sheet.columns))
    tiers = sheet.tiers
    last = max(1, len(names) - 1)
    merged = [(at, 0, at, last, text, _title()) for at, text in enumerate(sheet.titles[: TOP - 2])]
    choices = {
        name: {"type": "list", "values": list(column.choices), "ignore_blank": True}
        for name, column in zip(names, sheet.columns, strict=True)
        if column.choices
    }
    book.sheet(
        sheet.name,
        (dict(zip(names, row, strict=True)) for row in chain(_headings(sheet), _counted(sheet))),
        header_row=TOP - 1,
        merge_ranges=merged or None,
        row_formats={TOP + tier: _heading() for tier in range(tiers)},
        column_widths=[column.width for column in sheet.columns],
        data_validations=choices or None,
        outline=_hidden(names, sheet.columns),
    )
    book.freeze(row=TOP + tiers, sheet=sheet.name)


def _headings(sheet: Sheet) -> Iterator[list[str]]:
    """Yield the tiers; a heading over several columns stands over the first of them."""
    for tier in range(sheet.tiers):
        above: tuple[str, ...] = ()
        line = []
        for column in sheet.columns:
            here = column.heads[: tier + 1]
            is_last = tier == len(column.heads) - 1
            line.append(here[-1] if len(here) > tier and (is_last or here != above) else "")
            above = here
        yield line


def _counted(sheet: Sheet) -> Iterator[Sequence[Cell]]:
    room = MOST_ROWS - TOP - sheet.tiers
    for count, row in enumerate(sheet.rows, start=1):
        if count > room:
            raise TooManyRowsError(sheet.name)
        yield row


def _blanks(count: int) -> list[str]:
    """Return names that differ and look empty."""
    return [" " * place for place in range(1, count + 1)]


def _hidden(names: Sequence[str], columns: Sequence[Column]) -> dict[str, object] | None:
    """Return the columns to hide: they stand together, at the end."""
    hidden = [name for name, column in zip(names, columns, strict=True) if column.is_hidden]
    return {"columns": [{"from": hidden[0], "to": hidden[-1], "collapsed": True}]} if hidden else None


def _title() -> Format:
    return Format().set_bold().set_font_size(13)


def _heading() -> Format:
    return Format().set_bold().set_background_color("#D7DFEA").set_border("thin").set_text_wrap().set_align("top")
