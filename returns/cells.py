"""The cells of a GSTR-2B as printed: which differ between two versions, by how much, and one of them by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import HEADS, Tax
from invoices.wording import HEADS as HEAD_NAMES
from returns import summary
from returns.models import Gstr2b, Gstr2bLine

ALL = "all"
"""Stands for every row of a part: the part's own sum."""
Rows = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of the statement: section, part, row ("" is the part's sum) and tax head."""

    placement: Placement
    part: Part
    row: str
    head: str

    @property
    def key(self) -> str:
        """Its name in an address; `named` reads it."""
        return ".".join((self.placement.value, self.part.value, self.row or ALL, self.head))

    @property
    def place(self) -> str:
        """Its part as the form names it: A I."""
        return f"{self.part.value[0]} {summary.PARTS[self.part][0]}"

    @property
    def heading(self) -> str:
        """The heading of its line in the statement."""
        if not self.row:
            return str(summary.PARTS[self.part][1])
        return next(str(text) for section, text in summary.ROWS.items() if section.value == self.row)

    @property
    def head_name(self) -> str:
        """Its tax head in words."""
        return str(HEAD_NAMES[self.head])

    @property
    def title(self) -> str:
        """All of it in words."""
        names = {"section": summary.SECTIONS[self.placement][0], "part": self.place}
        part = _("%(section)s, Part %(part)s") % names
        return f"{part}, {self.heading}, {self.head_name}"

    def of(self, line: Gstr2bLine | None) -> int:
        """Return what a line adds to it, in paise."""
        if line is None or (line.placement, line.part) != (self.placement, self.part) or self.row not in ("", line.row):
            return 0
        return line.tax.as_dict()[self.head]


@dataclass(frozen=True, slots=True)
class Moved:
    """A cell that differs between two versions, in paise."""

    cell: Cell
    old: int
    new: int

    @property
    def change(self) -> int:
        """New less old."""
        return self.new - self.old


def named(text: str) -> Cell | None:
    """Return the cell of a name, or None where there is none such."""
    placement, part, row, head, *more = [*text.split("."), "", "", ""]
    rows = {ALL, *(section.value for section in summary.ROWS)}
    if any(more) or placement not in set(Placement) or part not in set(Part) or row not in rows or head not in HEADS:
        return None
    return Cell(Placement(placement), Part(part), "" if row == ALL else row, head)


def moved(older: Gstr2b, newer: Gstr2b) -> list[tuple[str, list[Moved]]]:
    """Return title and differing cells of each section that has any, as printed: from sums kept with both, no query."""
    found = []
    for placement, (title, *_halves) in summary.SECTIONS.items():
        cells = [
            cell
            for part in summary.PARTS
            for cell in _moved(placement, part, *(one.sums.get(placement, {}).get(part, {}) for one in (older, newer)))
        ]
        if cells:
            found.append((str(title), cells))
    return found


def _moved(placement: Placement, part: Part, before: Rows, after: Rows) -> Iterator[Moved]:
    """Yield the differing cells of a part: those of its own sum, then those of each row."""
    rows = ["", *(section.value for section in summary.ROWS if section.value in before or section.value in after)]
    for row in rows:
        old, new = _tax(before, row).as_dict(), _tax(after, row).as_dict()
        for head in HEADS:
            if old[head] != new[head]:
                yield Moved(Cell(placement, part, row, head), old[head], new[head])


def _tax(rows: Rows, row: str) -> Tax:
    return sum((Tax(*line[1:]) for name, line in rows.items() if row in ("", name)), Tax())
