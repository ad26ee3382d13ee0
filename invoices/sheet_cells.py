"""What stands in the cells of somebody else's workbook: labels found leniently, values read strictly (formats 9)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

LAST_HEADING = 10
"""Headings stand in the first rows, down to this one."""

DATES = ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d", "%d-%b-%Y", "%d-%b-%y")

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")

Cell = str | int | float | bool | None


class Line(Protocol):
    """A row of a sheet: `number` as Excel shows it, `cells` from column A on."""

    @property
    def sheet(self) -> str:
        """The sheet's name."""

    @property
    def number(self) -> int:
        """The row's number, from 1."""

    @property
    def cells(self) -> Sequence[Cell]:
        """What its cells hold."""


class DatedLine(Line, Protocol):
    """A row of which is known which texts are dates in truth."""

    @property
    def days(self) -> Sequence[int]:
        """The places of the cells that hold a date, which are texts YYYY-MM-DD."""


def plain(text: object) -> str:
    """Return a label without case, blanks and signs."""
    return re.sub(r"[^a-z0-9]", "", str(text or "").casefold())


def text_of(cell: Cell) -> str:
    """Return the text of a cell, "" of an empty one; a number with the 15 digits a spreadsheet shows of it."""
    if cell is None:
        return ""
    return f"{cell:.15g}" if isinstance(cell, float) else str(cell).strip()


def number(text: str) -> Decimal | None:
    """Return a number, grouped or with the sign of the rupee as people write it; None for anything else."""
    bare = text.replace(",", "").replace("₹", "").strip()
    return Decimal(bare) if _NUMBER.fullmatch(bare) else None


@lru_cache(maxsize=4096)
def day(text: str) -> date | None:
    """Return a day however its cell was written, None for anything else."""
    for shape in DATES:
        try:
            return datetime.strptime(text[:11], shape).date()  # noqa: DTZ007 a day has no zone
        except ValueError:
            continue
    return None
