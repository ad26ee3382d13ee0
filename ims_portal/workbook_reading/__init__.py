"""Reads an uploaded .xlsx that nobody may trust: a child with limits parses it, and its rows come one at a time.

The child has the workbook as its standard input and can open nothing else, neither file nor connection. Whatever
becomes of it, the caller gets rows or a WorkbookRefusedError; a refusal may come after rows, so nothing of a workbook
may be kept before its last row was read.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

import msgspec

from ims_portal.workbook_reading.frames import (
    LARGEST_FRAME,
    LENGTH_BYTES,
    NOT_READABLE,
    OUT_OF_MEMORY,
    TOO_LARGE,
    Cell,
    End,
    Frame,
    Limits,
    Refusal,
    Row,
    Sheet,
)

__all__ = ["NOT_READABLE", "TOO_LARGE", "Cell", "Limits", "Line", "WorkbookRefusedError", "read"]

USUAL = Limits()
CHUNK = 1 << 16
PROJECT = Path(__file__).resolve().parents[2]
START = Path(__file__).with_name("start.py")


class WorkbookRefusedError(Exception):
    """The workbook as a whole is refused: `code` is APP-F01 or APP-F04, the message says what, why and what next."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Line:
    """One row that holds something: its sheet, its number as Excel shows it (from 1), its cells from column A on.

    `days` are the places of cells that hold a date, not a text that looks like one.
    """

    sheet: str
    number: int
    cells: tuple[Cell, ...]
    days: tuple[int, ...] = ()


def read(path: Path, *, limits: Limits = USUAL) -> Generator[Line, None, None]:
    """Yield the rows of all worksheets, hidden ones too, in the order of the workbook; memory does not grow.

    A cell is text, a number as the float nearest to what the file says, or None; trailing empty cells are cut, empty
    rows left out. A formula gives the value last worked out. A date is text YYYY-MM-DD, a truth value TRUE or FALSE, an
    error its text such as #N/A, or None where the file does not say which cell it is. In texts, control characters
    other than tab and newline become blanks.

    Raises WorkbookRefusedError at the first row or any later one. The child starts with the first row and is gone when
    the iterator ends or is closed, or when the thread that started it ends.
    """
    with path.open("rb") as file, _child(file, limits) as process:
        sheet = ""
        for frame in _frames(process, limits.seconds):
            if isinstance(frame, Row):
                yield Line(sheet, frame.number, frame.cells, frame.days)
            elif isinstance(frame, Sheet):
                sheet = frame.name
            elif isinstance(frame, Refusal):
                raise WorkbookRefusedError(frame.code, frame.message)
            else:
                return
        raise _broken_off(process.wait())


@contextmanager
def _child(file: BinaryIO, limits: Limits) -> Iterator[subprocess.Popen[bytes]]:
    """Start the child and make sure that it is gone afterwards; Ctrl-C at a terminal reaches only us."""
    # Isolated: neither the environment nor the working directory can lead it to other modules.
    command = [sys.executable, "-I", str(START), str(PROJECT), msgspec.json.encode(limits).decode()]
    with subprocess.Popen(
        command, env={}, cwd="/", stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _frames(process: subprocess.Popen[bytes], seconds: float) -> Iterator[Frame]:
    """Yield what the child says until it says no more; only the time we wait for it is counted, not the caller's."""
    decoder = msgspec.msgpack.Decoder(Row | Sheet | Refusal | End)
    pipe = cast("IO[bytes]", process.stdout).fileno()
    held = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            begin = time.monotonic()
            if not selector.select(timeout=max(0.0, seconds)):
                raise _too_slow()
            seconds -= time.monotonic() - begin
            chunk = os.read(pipe, CHUNK)
            if not chunk:
                return
            held += chunk
            try:
                yield from _whole(held, decoder)
            except msgspec.DecodeError:
                raise _broken_off(0) from None


def _whole(held: bytearray, decoder: msgspec.msgpack.Decoder[Frame]) -> Iterator[Frame]:
    """Yield the frames that are there whole, and drop them from what is held."""
    at = 0
    while len(held) - at >= LENGTH_BYTES:
        begin = at + LENGTH_BYTES
        size = int.from_bytes(held[at:begin], "big")
        if size > LARGEST_FRAME:
            raise _broken_off(0)
        if len(held) - begin < size:
            break
        at = begin + size
        yield decoder.decode(held[begin:at])
    del held[:at]


def _too_slow() -> WorkbookRefusedError:
    return WorkbookRefusedError(
        TOO_LARGE,
        "The workbook takes too long to read. Nothing of it was kept. "
        "Remove sheets and columns that are not needed, or split it into several workbooks.",
    )


def _broken_off(status: int) -> WorkbookRefusedError:
    """Return the refusal for a child that ended, as its exit status says, without having said why."""
    if status in (OUT_OF_MEMORY, -signal.SIGABRT):  # calamine aborts where an allocation fails
        return WorkbookRefusedError(
            TOO_LARGE,
            "The workbook needs more memory than one upload may use: it has too many cells, or cells far apart. "
            "Nothing of it was kept. Remove what stands far below or beside the table, or split it into several "
            "workbooks.",
        )
    if status == -signal.SIGXCPU:
        return _too_slow()
    if status == -signal.SIGKILL:
        return WorkbookRefusedError(
            NOT_READABLE,
            "Reading the workbook was stopped before its end. Nothing of it was kept. "
            "Upload it again; if it is stopped again, split it into several workbooks.",
        )
    return WorkbookRefusedError(
        NOT_READABLE,
        "The workbook cannot be read: something in it is broken. Nothing of it was kept. "
        "Open it in a spreadsheet program, save it anew as .xlsx and upload that.",
    )
