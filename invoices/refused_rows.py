"""The refused rows of a file somebody handed in, found again in it: to be mended and uploaded again (portal 3.8, 3.10).

Both files are those that were read, kept for some days; what was wrong is as it was told then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from itertools import groupby
from pathlib import Path

from django.utils.translation import gettext as _

from ims_portal import workbook_reading
from ims_portal.rules.documents import Problem
from ims_portal.workbook_reading import WorkbookRefusedError
from invoices import gstr1_sheets, register_reading, registers, uploads
from invoices.gstr1_sheets import back
from invoices.json_reading import UnreadableFileError
from invoices.models import Books, Register, Upload
from invoices.rows_back import RowsBack, WrongRows

SAVED = "Saved, look at it:"
"""Stands before what does not refuse a document."""

_PLACE = re.compile(r"(?:(?P<sheet>.*), )?row (?P<row>[0-9]+)", re.DOTALL)


class NotKeptError(Exception):
    """The file can be read no more; the message says what there is instead."""


def of_return(upload: Upload) -> RowsBack:
    """Return the rows of a return's workbook that were refused, or saved with a warning. Raises NotKeptError."""
    into = RowsBack(f"Refused rows of {upload.file_name}")
    wrong: dict[str, WrongRows] = {}
    for position, few in groupby(uploads.problems(upload), key=lambda problem: problem.position):
        found = list(few)
        place = gstr1_sheets.first_row(position)
        if place is None:
            into.unread(position, _text(found))
        else:
            sheet, row = place
            wrong.setdefault(sheet, WrongRows()).add(row, _text(found), _refused_number(found))
    try:
        with closing(workbook_reading.read(Path(upload.path))) as lines:
            back.find(lines, wrong, into)
    except (FileNotFoundError, WorkbookRefusedError):
        raise NotKeptError(
            _("The workbook can be read no more, so its rows cannot be given back. Take the problems as CSV.")
        ) from None
    return into


def _text(found: list[Problem]) -> str:
    said = " ".join(problem.message for problem in found)
    return said if _refused(found) else f"{SAVED} {said}"


def _refused(found: list[Problem]) -> list[Problem]:
    return [problem for problem in found if not problem.is_warning]


def _refused_number(found: list[Problem]) -> str:
    return next((problem.number for problem in _refused(found)), "")


def of_register(register: Register) -> RowsBack:
    """Return the rows of a purchase register that could not be read. Raises NotKeptError."""
    columns = Books.objects.filter(pk=register.taxpayer_id).values_list("columns", flat=True).first() or {}
    into = RowsBack(f"Rows of {register.file_name} that could not be read")
    try:
        with registers.lines(register) as lines:
            register_reading.give_back(lines, columns, _wrong_of(register), into)
    except (FileNotFoundError, UnreadableFileError, WorkbookRefusedError):
        into = RowsBack("")
    if not into.count:
        raise NotKeptError(
            _("The register can be read no more as it was read, so its rows cannot be given back. Upload it again.")
        )
    return into


def _wrong_of(register: Register) -> Mapping[str, WrongRows]:
    """Return sheet -> what is wrong in it; the sheet of a text file has no name."""
    wrong: dict[str, WrongRows] = {}
    for problem in register.problems.order_by("id").iterator():
        place = _PLACE.fullmatch(problem.position)
        if place is not None:
            rows = wrong.setdefault(place["sheet"] or "", WrongRows())
            rows.add(int(place["row"]), problem.message, problem.number)
    return wrong
