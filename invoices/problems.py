"""Problems of a source in the order of its documents: few wait in memory, many in a file, however many there are."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator

import msgspec

from ims_portal.rules.documents import Problem

HELD_BYTES = 1 << 20
"""Bytes that wait in memory; more of them wait in a temporary file."""

_encoded = msgspec.json.Encoder().encode
_decoded = msgspec.json.Decoder(Problem).decode


class Problems:
    """Takes problems and gives them back in the same order, as often as wanted; `refused` counts their documents.

    Those of one document follow each other and name its position; one with nothing but warnings is not refused.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=HELD_BYTES)  # noqa: SIM115 - closed by the next line
        weakref.finalize(self, self._file.close)
        self._count = self.refused = 0
        self._last = ""

    def append(self, problem: Problem) -> None:
        """Take one more."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(_encoded(problem) + b"\n")
        self._count += 1
        which = problem.position or problem.number
        if not problem.is_warning and (which != self._last or not self.refused):
            self._last = which
            self.refused += 1

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take more."""
        for problem in problems:
            self.append(problem)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Problem]:
        at = 0
        for _ in range(self._count):
            self._file.seek(at)  # somebody else may have read on meanwhile
            line = self._file.readline()
            at += len(line)
            yield _decoded(line)
