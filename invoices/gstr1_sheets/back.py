"""The rows of the offline tool's workbook that are to be mended, with what is wrong of their documents.

What comes back can be uploaded as it is. A document is stored as its file tells it, so all its rows come back, also
those that name another recipient or day by mistake; a sheet whose sums are stored comes back whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from invoices.gstr1_sheets import places
from invoices.gstr1_sheets.layouts import SHEETS, Layout
from invoices.rows_back import SAME_NUMBER, RowsBack, WrongRows
from invoices.sheet_cells import DatedLine, plain, text_of

MEND = "Mend what the last column says and upload this workbook. The rows it names are those of the first file."
WHOLE = "Mend what the last column says and upload this workbook. This sheet is whole: its sums replace those before."


def find(lines: Iterable[DatedLine], wrong: Mapping[str, WrongRows], into: RowsBack) -> None:
    """Give back, of the rows of a workbook, those of the sheets in `wrong` that belong to what is wrong there."""
    for name, rows in groupby(lines, key=lambda line: line.sheet):
        layout, here = SHEETS.get(plain(name)), wrong.get(name)
        if layout is None or here is None:
            continue
        waiting = iter(rows)
        heading = places.heading(waiting, layout)
        if not heading.columns:
            continue
        into.sheet(name, heading.labels, MEND if layout.has_documents else WHOLE)
        if layout.has_documents:
            _documents(waiting, heading.columns, layout, here, into)
        else:
            for line in waiting:
                if places.cells_of(line, heading.columns):
                    into.add(line, here.texts.get(line.number, ""))


def _documents(
    lines: Iterable[DatedLine], columns: Mapping[str, int], layout: Layout, here: WrongRows, into: RowsBack
) -> None:
    """Give back the rows of the documents whose first rows are named, and all that have a refused one's number."""
    told: dict[str, str] = {}
    for line in lines:
        cells = places.cells_of(line, columns)
        if not cells:
            continue
        whose = places.document(line.number, cells, layout)
        if line.number in here.texts:
            told[whose] = here.texts[line.number]
        if whose in told or text_of(cells.get(layout.number)).upper() in here.numbers:
            into.add(line, told.get(whose, SAME_NUMBER))
