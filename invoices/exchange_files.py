"""The refused rows of a file of actions, as the same kind of file: to be corrected and uploaded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice

from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.sections import BILLS_OF_ENTRY, Section
from ims_portal.spreadsheet import Cell, Sheet
from invoices import exchange_words, ims_json, ims_rows, ims_workbook, json_writing
from invoices.ims_json import BillKey, Dialect, DocumentKey, Row
from invoices.models import ActionFile, ActionFileRow
from invoices.standing import Standing

AT_ONCE = 2_000


def sheets(file: ActionFile, today: Standing) -> Iterator[Sheet]:
    """Yield a sheet for each section with refused rows: as typed, with the reason in a last column.

    Rows whose section cannot be read stand on a sheet of their own. What cannot be read of a row is in its reason, and
    its cells say what stands now.
    """
    yield Sheet("Home", _home(file), widths=(34, 60))
    for section in ims_workbook.SHEETS:
        pairs = _pairs(file, today, section)
        first = next(pairs, None)
        if first is not None:
            yield ims_workbook.problem_sheet(section, _again(first, pairs))
    unread = list(islice(exchange_words.problems(file, today, section=""), AT_ONCE))
    if unread:
        lines = [("Where", "Problem"), *((one.row.position, one.text) for one in unread)]
        yield Sheet("Not read", [("Rows that could not be read",), *lines], widths=(34, 90))


def _again(first: tuple[Row, str], rest: Iterator[tuple[Row, str]]) -> Iterator[tuple[Row, str]]:
    yield first
    yield from rest


def _home(file: ActionFile) -> Iterator[tuple[Cell, ...]]:
    yield (ims_workbook.TITLE,)
    yield ("GSTIN", file.taxpayer.gstin)
    yield ("Refused rows of", file.file_name)
    yield ("What to do", "Correct what the column Problem names, and upload this workbook. Nothing else is in it.")


def json_text(file: ActionFile, today: Standing) -> Iterator[str]:
    """Yield the text of the offline utility's error file (formats 4): the refused rows, each with its `error_msg`."""
    yield '{"imsDetailsErr": '
    yield from json_writing.keyed(
        (section.value, json_writing.many(_error(file, row, text) for row, text in _again(first, pairs)))
        for section in ims_workbook.SHEETS
        for pairs in [_pairs(file, today, section)]
        for first in [next(pairs, None)]
        if first is not None
    )
    yield "}"


def _error(file: ActionFile, row: Row, text: str) -> Iterator[str]:
    told = ims_json.as_row(row, recipient=file.taxpayer.gstin, dialect=Dialect.OFFLINE)
    return json_writing.one(told | {"error_msg": text})


def _pairs(file: ActionFile, today: Standing, section: Section) -> Iterator[tuple[Row, str]]:
    """Yield the refused rows of a section as records, with what was chosen on them, and the reason."""
    found = exchange_words.problems(file, today, section=section.value)
    while piece := list(islice(found, AT_ONCE)):
        ids = [one.record.pk for one in piece if one.record is not None]
        records = ims_rows.named(file.taxpayer, today, ids)
        for one in piece:
            record = records.get(one.record.pk) if one.record is not None else None
            yield _as_typed(record or _unknown(one.row, section), one.row), one.text


def _as_typed(record: Row, row: ActionFileRow) -> Row:
    """Return a record with the choice of a row, where that could be read."""
    if row.code:
        return record
    declared = Tax(row.declared_igst, row.declared_cgst, row.declared_sgst, row.declared_cess)
    return replace(record, action=Action(row.action), answer=Answer(row.answer), declared=declared, remark=row.remark)


def _unknown(row: ActionFileRow, section: Section) -> Row:
    """Return what a row says of a document there is none of."""
    when = row.document_date or date.min
    if section in BILLS_OF_ENTRY:
        key: DocumentKey | BillKey = BillKey(port=row.port, number=row.number, day=when, sez=row.supplier_gstin)
    else:
        key = DocumentKey(supplier=row.supplier_gstin, number=row.number, day=when, form="R1", period="")
    return Row(section=section, key=key, action=Action.NONE, taxable=0, tax=NIL)
