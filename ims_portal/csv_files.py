"""CSV as spreadsheets open it: a byte order mark, lines handed on as they are read, no cell taken for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
CONTROLS = ("\t", "\r", "\n", "\0")


class _Echo:
    """What a csv writer writes to when each line is to be handed on."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


def lines(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Return the lines of a CSV file as spreadsheets open it, no cell of which they take for a formula (F43)."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(headings)
    for cells in rows:
        yield writer.writerow([_plain(cell) for cell in cells])


def _plain(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; some pass over blanks before one."""
    return f"'{cell}" if cell.startswith(CONTROLS) or cell.lstrip().startswith(FORMULA) else cell
