"""The child process: takes its own rights away, checks the workbook on its standard input, sends its rows upstairs."""

from __future__ import annotations

import codecs
import io
import math
import os
import re
import resource
import signal
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import BinaryIO

import msgspec
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from ims_portal.children import end_with_parent
from ims_portal.rules.texts import UNWELCOME
from ims_portal.workbook_reading import package
from ims_portal.workbook_reading.frames import (
    LENGTH_BYTES,
    OUT_OF_MEMORY,
    TOO_LARGE,
    Cell,
    End,
    Frame,
    Limits,
    Refusal,
    RefusedError,
    Row,
    Sheet,
)
from ims_portal.workbook_reading.package import MOST_COLUMNS, MOST_ROWS, Errors

LONGEST_TEXT = 32_767
"""Characters of one cell; Excel writes no more."""

LONGEST_NAME = 31
"""Characters of a sheet's name as Excel writes it; more are not shown in messages."""

STANDARD_STREAMS = 3
GRACE_SECONDS = 5

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

SAVE_ANEW = "Open it in a spreadsheet program, save it anew as .xlsx and upload that."


def main(limits: str) -> None:
    """Parse the workbook on standard input and write frames to standard output; `limits` is Limits in JSON."""
    end_with_parent(number=signal.SIGKILL)
    bounds = msgspec.json.decode(limits, type=Limits)
    with open(1, "wb", buffering=1 << 16, closefd=False) as target, open(0, "rb", closefd=False) as source:
        _give_up_rights(bounds)
        encoder = msgspec.msgpack.Encoder()
        try:
            for frame in _frames(source, bounds):
                packed = encoder.encode(frame)
                target.write(len(packed).to_bytes(LENGTH_BYTES, "big"))
                target.write(packed)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)


def _give_up_rights(limits: Limits) -> None:
    """Bound memory and time, and make sure that nothing can be opened, connected to or written from now on."""
    codecs.lookup("cp437")  # names in old zip files; its module could not be loaded later
    soft_and_hard = {
        resource.RLIMIT_AS: (limits.memory_bytes, limits.memory_bytes),
        resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + GRACE_SECONDS),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (STANDARD_STREAMS, STANDARD_STREAMS),
    }
    for kind, bound in soft_and_hard.items():
        resource.setrlimit(kind, bound)


def _frames(source: BinaryIO, limits: Limits) -> Iterator[Frame]:
    """Yield all there is to say about the workbook."""
    try:
        yield from _sheets(source.read(limits.packed_bytes + 1), limits)
    except RefusedError as refused:
        yield Refusal(refused.code, str(refused))
    except CalamineError:
        broken = RefusedError("a part of it is broken or ends early", then=SAVE_ANEW)
        yield Refusal(broken.code, str(broken))
    else:
        yield End()


def _sheets(data: bytes, limits: Limits) -> Iterator[Frame]:
    """Yield the worksheets, each followed by its rows; sheets of charts are passed over."""
    errors = package.check(data, limits)
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    del data  # calamine has a copy of its own
    if len(book.sheet_names) > limits.sheets:
        raise RefusedError(
            f"it has {len(book.sheet_names)} sheets, at most {limits.sheets} are read",
            code=TOO_LARGE,
            then="Remove the sheets that are not needed.",
        )
    for index, metadata in enumerate(book.sheets_metadata):
        if metadata.typ == SheetTypeEnum.WorkSheet:
            name = UNWELCOME.sub("?", metadata.name)
            yield Sheet(name)
            yield from _rows(book.get_sheet_by_index(index), name[:LONGEST_NAME], errors.get(metadata.name, {}))


def _rows(sheet: CalamineSheet, name: str, errors: Errors) -> Iterator[Row]:
    """Yield the rows of a sheet that hold something."""
    if sheet.start is None or sheet.end is None:
        return
    last_row, last_column = sheet.end
    if last_row >= MOST_ROWS or last_column >= MOST_COLUMNS:
        raise RefusedError(
            f"sheet “{name}” goes to row {last_row + 1} and column {last_column + 1}, "
            f"at most {MOST_ROWS} rows and {MOST_COLUMNS} columns are read",
            code=TOO_LARGE,
            then="Remove what stands far below or beside the table.",
        )
    left = [None] * sheet.start[1]  # calamine begins at row 1, but at the first column in use
    for number, values in enumerate(sheet.iter_rows(), start=1):
        cells: list[Cell] = [*left, *(_cell(value, name, number) for value in values)]
        for column, text in errors.get(number, {}).items():
            cells += [None] * (column + 1 - len(cells))
            cells[column] = text
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            days = tuple(place for place, value in enumerate(values, start=len(left)) if isinstance(value, date))
            yield Row(number, tuple(cells), days)


def _cell(value: object, sheet: str, row: int) -> Cell:
    """Return a value of calamine as it goes upstairs."""
    if isinstance(value, str):
        return _text(value, sheet, row) if value else None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise RefusedError(f"row {row} of sheet “{sheet}” holds a number that is none", then=SAVE_ANEW)
    if isinstance(value, date):  # a datetime too; its day is what counts
        return value.isoformat()[:10]
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, timedelta | int):
        return str(value)
    raise TypeError(type(value))


def _text(text: str, sheet: str, row: int) -> str:
    if len(text) > LONGEST_TEXT:
        raise RefusedError(
            f"a text in row {row} of sheet “{sheet}” has {len(text)} characters, at most {LONGEST_TEXT} are read",
            code=TOO_LARGE,
            then="Shorten it.",
        )
    return text if text.isprintable() else _CONTROL.sub(" ", text)
