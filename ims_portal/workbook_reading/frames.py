"""What the child that parses a workbook and its parent say to each other: limits down, frames up."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

NOT_READABLE, TOO_LARGE = "APP-F01", "APP-F04"

LENGTH_BYTES = 4
LARGEST_FRAME = 1 << 25
"""Bytes; a row of the most columns, each with the longest text, in letters of four bytes, has some 26 million."""

OUT_OF_MEMORY = 3
"""Exit status of a child that has no memory left to say so."""

Cell = str | float | None
"""Text, a number, nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one workbook may have and use.

    Measured with 200,000 rows of 37 columns by our own writer: 29 MB that unpack to 356 MB, 12 times as much, and in
    the child 684 MB of memory and 19 s of processor time; with a text in every cell 573 MB, 22 times, 891 MB and 23 s.
    """

    packed_bytes: int = 100 * 2**20
    unpacked_bytes: int = 600 * 2**20
    ratio: int = 100
    parts: int = 1000
    sheets: int = 64
    memory_bytes: int = 2**30
    cpu_seconds: int = 60
    seconds: float = 180.0


class Sheet(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """The rows that follow are of this sheet."""

    name: str


class Row(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """One row that holds something, its number counted from 1, its cells from column A on; `days`: which are dates."""

    number: int
    cells: tuple[Cell, ...]
    days: tuple[int, ...] = ()


class Refusal(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """The workbook is refused; nothing follows."""

    code: str
    message: str


class End(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """All rows of all sheets were said."""


Frame = Row | Sheet | Refusal | End


class RefusedError(Exception):
    """Raised inside the child; becomes a Refusal."""

    def __init__(self, said: str, *, code: str = NOT_READABLE, then: str) -> None:
        start = "is too large" if code == TOO_LARGE else "cannot be read"
        super().__init__(f"The workbook {start}: {said}. Nothing of it was kept. {then}")
        self.code = code
