"""Where things stand in a sheet of the offline tool's workbook: its columns, its rows, which rows are one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from invoices.gstr1_sheets.layouts import Layout, named
from invoices.sheet_cells import LAST_HEADING, Cell, Line, text_of

FEW_LABELS = 2
"""Labels by which a row is known for the headings."""

Row = tuple[int, dict[str, Cell]]
"""The number of a row, and its cells by the keys of its layout."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The row of labels as it stands, and where the column of each key is; empty where no row is known for it."""

    labels: tuple[Cell, ...] = ()
    columns: dict[str, int] = field(default_factory=dict)


def heading(lines: Iterator[Line], layout: Layout) -> Heading:
    """Return the headings of a sheet; what stands above them is passed over."""
    labels = {named(label): key for key, label in layout.columns.items()}
    for line in lines:
        if line.number > LAST_HEADING:
            break
        columns: dict[str, int] = {}
        for place, cell in enumerate(line.cells):
            key = labels.get(named(cell)) if isinstance(cell, str) else None
            if key is not None:
                columns.setdefault(key, place)
        if len(columns) >= FEW_LABELS:
            return Heading(tuple(line.cells), columns)
    return Heading()


def cells_of(line: Line, columns: Mapping[str, int]) -> dict[str, Cell]:
    """Return the cells of a row by their keys, none where the row says nothing."""
    cells = {key: line.cells[place] for key, place in columns.items() if place < len(line.cells)}
    return cells if any(text_of(cell) for cell in cells.values()) else {}


def rows(lines: Iterable[Line], columns: Mapping[str, int]) -> Iterator[Row]:
    """Yield the rows that say something."""
    for line in lines:
        cells = cells_of(line, columns)
        if cells:
            yield line.number, cells


def document(number: int, cells: Mapping[str, Cell], layout: Layout) -> str:
    """Return what rows of one document have in common; a row that names none is one of its own."""
    whose = "\n".join(text_of(cells.get(key)).upper() for key in layout.keys_of_document)
    return whose if whose.strip() else str(number)
