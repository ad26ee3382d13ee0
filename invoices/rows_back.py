"""Rows of somebody's workbook given back under their headings, each with what is wrong: mended, it is uploaded again.

They wait in a temporary file until all are found: a workbook is written only once every sheet of it is known.
"""

from __future__ import annotations

import re
import tempfile
import weakref
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from ims_portal import spreadsheet
from ims_portal.spreadsheet import Column, Sheet
from invoices.sheet_cells import Cell, DatedLine, day, plain, text_of

LABEL = "Problem"
NOT_READ = "Not read"
SAME_NUMBER = "Not refused. It is here because a refused row has its number; leave it as it is."

LONGEST_TEXT, LONGEST_NAME = 32_000, 31
"""Characters of a cell and of a sheet's name that every spreadsheet program reads."""
FIRST_YEAR = 1900
"""Spreadsheets count days from here."""
EXACT = 2**53
"""Below it a number without a fraction is the whole number it looks like."""
HELD_BYTES = 1 << 20
WIDTHS = (34, 90)
"""Of where something stands, and of what is wrong there."""

_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_encoded = msgspec.json.Encoder().encode
_decoded = msgspec.json.Decoder(tuple[list[str | float | bool | None], list[int], str]).decode


@dataclass(slots=True)
class WrongRows:
    """What is wrong in one sheet: row -> text, of a document of several rows the first; numbers of what was refused."""

    texts: dict[int, str] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)

    def add(self, row: int, text: str, number: str) -> None:
        """Take what is wrong with a row; `number` is its document's where that was refused, else empty."""
        before = self.texts.get(row)
        self.texts[row] = f"{before} {text}" if before else text
        if number:
            self.numbers.add(number.upper())


@dataclass(slots=True)
class _Part:
    """A sheet as far as it is known: its headings and which of them are given back, where its rows wait, how many."""

    name: str
    labels: Sequence[Cell]
    places: Sequence[int]
    note: str
    start: int
    count: int = 0


class RowsBack:
    """Takes rows sheet by sheet in the order of their file, and gives the sheets of a workbook of them."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._file = tempfile.SpooledTemporaryFile(max_size=HELD_BYTES)  # noqa: SIM115 - closed by the next line
        weakref.finalize(self, self._file.close)
        self._parts: list[_Part] = []
        self._unread: list[tuple[str, str]] = []

    @property
    def count(self) -> int:
        """How many rows are given back."""
        return sum(part.count for part in self._parts) + len(self._unread)

    def sheet(self, name: str, labels: Sequence[Cell], note: str) -> None:
        """Begin a sheet under its headings; a column of an earlier report gives way to the new one's."""
        places = [place for place, label in enumerate(labels) if plain(label) != plain(LABEL)]
        self._parts.append(_Part(name, labels, places, note, self._file.tell()))

    def add(self, line: DatedLine, problem: str) -> None:
        """Take a row of the sheet that was begun last."""
        self._file.write(_encoded([line.cells, line.days, problem[:LONGEST_TEXT]]) + b"\n")
        self._parts[-1].count += 1

    def unread(self, where: str, problem: str) -> None:
        """Take what is wrong with no row of its own, such as a whole sheet."""
        self._unread.append((where, problem[:LONGEST_TEXT]))

    def sheets(self) -> Iterator[Sheet]:
        """Yield the sheets that have rows, then one of what has no row; their rows are read while they are written."""
        taken: set[str] = set()
        for part in filter(lambda part: part.count, self._parts):
            labels = [Column((text_of(part.labels[place]),)) for place in part.places]
            yield Sheet(
                _name(part.name, taken),
                self._rows(part),
                columns=[*labels, Column((LABEL,), width=WIDTHS[-1])],
                titles=(self._title, part.note),
            )
        if self._unread:
            lines = [(self._title,), ("Where", LABEL), *self._unread]
            yield Sheet(_name(NOT_READ, taken), lines, widths=WIDTHS)

    def _rows(self, part: _Part) -> Iterator[list[spreadsheet.Cell]]:
        at = part.start
        dated: set[int] = set()
        for _ in range(part.count):
            self._file.seek(at)
            line = self._file.readline()
            at += len(line)
            cells, days, problem = _decoded(line)
            dated.update(days)
            yield [*_written(cells, days, dated, part.places), problem]


def _written(
    cells: Sequence[str | float | bool | None], days: Collection[int], dated: Collection[int], places: Sequence[int]
) -> Iterator[spreadsheet.Cell]:
    """Yield the cells of a row: days as days, texts as texts, numbers as numbers, whole ones without decimals.

    Below a day (`dated`) a whole number keeps its decimals, or it would be shown as a day itself.
    """
    for place in places:
        cell = cells[place] if place < len(cells) else None
        found = day(cell) if place in days and isinstance(cell, str) else None
        if found is not None and found.year >= FIRST_YEAR:
            yield found
        elif isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT and place not in dated:
            yield int(cell)
        else:
            yield cell


def _name(wanted: str, taken: set[str]) -> str:
    """Return a sheet's name as its file had it, where programs read that and no other sheet has it."""
    name = first = _FORBIDDEN.sub(" ", wanted)[:LONGEST_NAME].strip("' ") or "Sheet"
    while name.casefold() in taken:
        name = f"{first[: LONGEST_NAME - 5]} ({len(taken) + 1})"
    taken.add(name.casefold())
    return name
