"""What is fuzzed: every reader of what somebody else wrote, and what each may say to it (F40, F41, F45).

A target takes bytes and returns nothing. Whatever it raises is a crash: refusals that are declared are caught here.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from django import forms
from django.http import QueryDict
from rest_framework.exceptions import ParseError

from ims_portal import forms as portal_forms
from ims_portal.api import bodies
from ims_portal.rules import documents, gstin, periods
from ims_portal.rules.documents import Document, Form, Problem
from ims_portal.rules.money import NotMoneyError, to_paise
from ims_portal.rules.texts import UNWELCOME
from ims_portal.workbook_reading import child
from invoices import (
    filters,
    gstr1_json,
    gstr1_sheets,
    ims_reading,
    ims_sheets,
    outward_filters,
    register_reading,
    sheet_cells,
)
from invoices.feeds_json import bills, isd, reversals
from invoices.gstr1_json import values
from invoices.gstr1_sheets.layouts import NAMES
from invoices.ims_workbook import FIELDS, SHEETS
from invoices.json_reading import UnreadableFileError
from returns import gstr2b_reading, gstr2b_sheets, gstr2b_workbook, gstr3b_reading
from tests.fuzz import mutation
from tests.invoices import gstr1_workbook

DATA = Path(__file__).resolve().parents[1] / "data"
SUPPLIER, PERIOD_END = "29AAFCK0000M1ZQ", date(2026, 10, 31)
LARGEST = 2**63
"""What no amount may reach that the database is to hold."""


class NotFitError(Exception):
    """What was read could not be stored or shown."""


def fit(found: object) -> None:
    """Raise NotFitError where something read holds a text or a number that the database or a page cannot."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and UNWELCOME.search(one):
            raise NotFitError(f"a text holds {one[:80]!r}")
        if isinstance(one, int | float | Decimal) and not (math.isfinite(one) and abs(one) < LARGEST):
            raise NotFitError(f"a number is {str(one)[:80]}")
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += one
        elif is_dataclass(one):
            waiting += [getattr(one, field.name) for field in fields(one)]


# Files of JSON, and registers as text


def _gstr1(data: bytes, form: Form) -> None:
    gstr1_json.header(io.BytesIO(data))
    for found in gstr1_json.read(io.BytesIO(data), form=form):
        fit(found)
        _judge(found, form)


def _judge(found: object, form: Form) -> None:
    """Let the rules say what they have to say to a document."""
    if isinstance(found, Document):
        told = documents.problems(
            found,
            supplier=SUPPLIER,
            form=form,
            period_end=PERIOD_END,
            registered_on=date(2017, 7, 1),
            is_sez=False,
            is_operator=False,
        )
        fit(told)


def _all(read: Callable[[io.BytesIO], Iterable[object]], data: bytes) -> None:
    for found in read(io.BytesIO(data)):
        fit(found)


def _gstr2b(data: bytes) -> None:
    head = gstr2b_reading.Head()
    for found in gstr2b_reading.read(io.BytesIO(data), head):
        fit(found)
        fit(found.key if isinstance(found, gstr2b_reading.Told) else "")
    fit(head)


def _csv(data: bytes) -> None:
    lines = list(register_reading.of_csv(io.BytesIO(data)))
    _register(lines)


READERS: tuple[Callable[[bytes], None], ...] = (
    partial(_gstr1, form=Form.GSTR1),
    partial(_gstr1, form=Form.IFF),
    partial(_gstr1, form=Form.GSTR1A),
    partial(_all, ims_reading.read),
    partial(_all, bills.read),
    partial(_all, isd.read),
    partial(_all, reversals.read),
    _gstr2b,
    lambda data: fit(gstr3b_reading.read(data)),
    _csv,
)
"""Which reader a file goes to is said by its first byte."""
OF_FILES = {
    "gstr1": (0, 1, 2),
    "iff": (1,),
    "ims": (3,),
    "boe": (4,),
    "isd": (5,),
    "rule37a": (6,),
    "gstr2b": (7,),
    "gstr3b": (8,),
    "purchase": (9,),
}
"""What a sample's name holds -> its readers."""


def files(data: bytes) -> None:
    """Read a file as one of the kinds that are uploaded."""
    if not data:
        return
    with suppress(UnreadableFileError):
        READERS[data[0] % len(READERS)](data[1:])


def _seeds_of_files() -> Iterator[bytes]:
    for path in sorted((*DATA.glob("*.json"), *DATA.glob("story/*.json"), *DATA.glob("story/*.csv"))):
        for part, readers in OF_FILES.items():
            if part in path.name:
                yield from (bytes([reader]) + path.read_bytes() for reader in readers)
    bare = {"gstin": SUPPLIER, "fp": "102026", "b2b": [{"ctin": SUPPLIER, "flprdr1": "Oct-26", "inv": []}]}
    yield b"\x07" + json.dumps(bare).encode()


# Bodies of the interface


def bodies_(data: bytes) -> None:
    """Read the body of a request."""
    with suppress(ParseError):
        found = bodies.read(data)
        waiting: list[object] = [found]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str) and UNWELCOME.search(one):
                raise NotFitError(f"a text holds {one[:80]!r}")
            if isinstance(one, dict):
                waiting += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                waiting += one
        json.dumps(found, default=str)


def _seeds_of_bodies() -> Iterator[bytes]:
    yield b'{"items":[{"record":7,"version":1,"action":"A","remark":"ok","declared":{"igst":"18.00"}}]}'
    yield (DATA / "ims-save-request.json").read_bytes()


# Cells of workbooks


@dataclass(slots=True)
class Line:
    """A row as the reader of workbooks gives it."""

    sheet: str
    number: int
    cells: list[Any]
    days: tuple[int, ...] = ()


def _register(lines: Iterable[Any]) -> None:
    lines = list(lines)
    labels, _is_whole = register_reading.heading(lines, {})
    for found in register_reading.read(lines, register_reading.guess(labels), until=date(2026, 11, 13)):
        fit(found)
    ours = {name.value: label for name, label in register_reading.TEMPLATE.items()}
    for found in register_reading.read(lines, ours, until=date(2026, 11, 13)):
        fit(found)


def _gstr1_workbook(lines: Iterable[Line]) -> None:
    own = gstr1_sheets.Own("29", PERIOD_END)
    for found in gstr1_sheets.read(lines, form=Form.GSTR1, own=own):
        fit(gstr1_sheets.told(found) if isinstance(found, Problem) else found)
        _judge(found, Form.GSTR1)


def _gstr2b_workbook(lines: Iterable[Line]) -> None:
    head = gstr2b_reading.Head()
    for found in gstr2b_sheets.read(lines, head):
        fit(found)
        fit(found.key if isinstance(found, gstr2b_reading.Told) else "")
    fit(head)


def _ims_workbook(lines: Iterable[Line]) -> None:
    told = ims_sheets.Found()
    for asked in ims_sheets.read(lines, told):
        fit(asked)
    fit(told)


SHEET_READERS = (_gstr1_workbook, _ims_workbook, _gstr2b_workbook, _register)


def cells(data: bytes) -> None:
    """Read rows of a workbook, written as JSON: [reader, [[sheet, [cell, ..]], ..]]."""
    try:
        told = json.loads(data)
        which, rows = told
        lines = _lines(rows)
        reader = SHEET_READERS[int(which) % len(SHEET_READERS)]
    except (ValueError, TypeError, RecursionError, OverflowError):
        return
    with suppress(UnreadableFileError):
        reader(lines)


def _lines(rows: Iterable[Any]) -> list[Line]:
    """Return rows told as [sheet, cells], numbered within their sheet."""
    found: list[Line] = []
    for sheet, row in rows:
        name = _cell_text(sheet)
        number = found[-1].number + 1 if found and found[-1].sheet == name else 1
        found.append(Line(name, number, [_cell(cell) for cell in row][:200]))
    return found


def _cell_text(value: object) -> str:
    return UNWELCOME.sub("?", value if isinstance(value, str) else "x")


def _cell(value: object) -> str | float | None:
    """Return a value as the child process that opens workbooks gives it; no workbook holds half a character."""
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()[: child.LONGEST_TEXT]
    elif isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, str | bool | float) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return child._cell(value, "x", 1)


def _seeds_of_cells() -> Iterator[bytes]:
    for name in ("gstr1-monthly", "iff", "gstr1a"):
        file = json.loads((DATA / f"{name}.json").read_text())
        yield _packed(0, _offline_tool(file))
    row = {"Status": "Accepted", "Remarks": "ok", "Whether ITC to be reduced": "Yes", "Status ": "Rejected"}
    yield _packed(
        1,
        [["Home", ["GSTIN", SUPPLIER]]]
        + [
            [SHEETS[section], line]
            for section, columns in FIELDS.items()
            for line in ([field.heads[-1] for field in columns], [row.get(field.heads[-1], "1") for field in columns])
        ],
    )
    yield _packed(
        2,
        [["Read me", ["", "Financial Year", "2026-27"]], ["Read me", ["", "Tax Period", "October"]]]
        + [["Read me", ["", "GSTIN", SUPPLIER]]]
        + [["ITC Available", ["S.no.", "Heading", "GSTR-3B table", "Integrated Tax", "Central Tax", "Cess"]]]
        + [["ITC Available", ["I", "All other ITC - Supplies from registered persons", "4(A)(5)", 1, 2.5, "3"]]]
        + [
            [kind.name, line]
            for kind in gstr2b_workbook.KINDS
            for line in (*_tiers(kind.fields), [_said(field.heads[-1]) for field in kind.fields])
        ],
    )
    text = (DATA / "story" / "purchase-register.csv").read_text()
    yield _packed(3, [["Oct", line.split(",")] for line in text.splitlines()])


def _tiers(columns: Sequence[Any]) -> Iterator[list[str]]:
    """Yield the rows of headings over the columns of a sheet."""
    for tier in range(max(len(column.heads) for column in columns)):
        yield [column.heads[tier] if tier < len(column.heads) else "" for column in columns]


def _said(head: str) -> str | float:
    """Return what a column of GSTR-2B may say."""
    told: dict[str, str | float] = {"₹": 18.5, "date": "05/10/2026", "period": "Oct'26", "gstin": SUPPLIER, "%": "100%"}
    told |= {"taxable value": 100.0, "itc reduced": 0.0, "place": "Karnataka", "attract": "No", "availability": "Yes"}
    told |= {"note type": "Credit Note", "whether": "No", "source": "e-Invoice", "reason": "", "type": "Regular"}
    return next((value for part, value in told.items() if part in head.casefold()), "INV1")


def _offline_tool(file: dict[str, Any]) -> Iterator[list[Any]]:
    for name, layout in NAMES.items():
        yield [name, list(layout.columns.values())]
        for row in gstr1_workbook.found(file, layout):
            yield [name, [gstr1_workbook.cells(key, row[key]) if key in row else None for key in layout.columns]]


def _packed(reader: int, rows: Iterable[list[Any]]) -> bytes:
    return json.dumps([reader, list(rows)]).encode()


# Single values, and addresses of lists

_FIELDS = (
    portal_forms.RupeesField(required=False),
    portal_forms.DayField(required=False),
    portal_forms.PeriodField(required=False),
    portal_forms.PlainTextField(required=False),
)
_VALUES = (
    values.day,
    values.document_number,
    values.pos,
    values.rate,
    values.total_paise,
    values.signed_paise,
    values.differential,
    values.line_number,
    values.registration(check_digit=True, kinds=gstin.ANY_KIND),
)


def single(data: bytes) -> None:
    """Read a text as an amount, a GSTIN, a day, a period, a number, and as the address of a list."""
    text = data.decode("utf-8", "replace")
    gstin.problem(text)
    with suppress(periods.NotAPeriodError):
        fit(periods.parse(text).month)
    sheet_cells.day(text)
    found = sheet_cells.number(text)
    if found is not None:
        with suppress(NotMoneyError):
            to_paise(found)
    for field in _FIELDS:
        with suppress(forms.ValidationError):
            fit(field.clean(text))
    for one in (text, found):
        for read in _VALUES:
            with suppress(values.WrongValueError):
                read(one)
    query = QueryDict(data)
    filters.parse("all", query)
    outward_filters.parse(query)


def _seeds_of_singles() -> Iterator[bytes]:
    yield from (text.encode("utf-8", "surrogatepass") for text in mutation.TEXTS)
    yield from (text.encode() for text in mutation.NUMBERS)
    yield b"q=KMF&action=A&status=F&supplier=29AAFCK0000M1ZQ&period=10/2026&date_from=01/10/2026&tax_from=1.00&lapses=3"
    yield b"section=b2b&section=cdnr&batch=00000000-0000-0000-0000-000000000000&match=exact&settled=1&changed=1"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to fuzz: what it does with bytes, what it begins with, how many bytes stand before the JSON."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    leading: int = 0
    is_json: bool = True


TARGETS = {
    "files": Target(files, _seeds_of_files, leading=1),
    "cells": Target(cells, _seeds_of_cells),
    "bodies": Target(bodies_, _seeds_of_bodies),
    "values": Target(single, _seeds_of_singles, is_json=False),
}
