"""Files of GSTR-2B, read back: ours say the same documents as the statement, the sample's are those of the story."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ims_portal import workbook_reading
from ims_portal.clock import Fixed
from ims_portal.rules.documents import Problem
from ims_portal.rules.money import Tax
from ims_portal.workbook_reading import Line
from returns import demo, gstr2b, gstr2b_reading, gstr2b_rows, gstr2b_sheets
from returns.export_files import Kind
from returns.gstr2b_json import BLOCKS, BUCKET_OF
from returns.gstr2b_reading import Head, Told, UnreadableFileError
from returns.models import Gstr2b
from tests.returns import story
from tests.returns.test_exports import exported, folder, statement  # noqa: F401 fixtures

pytestmark = pytest.mark.django_db


def ours(made: Gstr2b) -> dict[str, Told]:
    """Return the documents of a statement by key, told as a file tells them."""
    told = [gstr2b_reading.of_row(row) for row in gstr2b_rows.of(made)]
    found = {one.key: one for one in told}
    assert len(found) == len(told) == made.line_count
    return found


def documents(told: Iterator[Told | Problem]) -> dict[str, Told]:
    """Return what a file tells by key; it has no problem."""
    found = list(told)
    assert [one for one in found if isinstance(one, Problem)] == []
    return {one.key: one for one in found if isinstance(one, Told)}


def sums(made: Gstr2b) -> dict[tuple[str, str], Tax]:
    """Return the sums of a statement by block and bucket."""
    found: dict[tuple[str, str], Tax] = {}
    for placement, parts in made.sums.items():
        for part, rows in parts.items():
            place = BLOCKS[placement], BUCKET_OF[part]
            found[place] = found.get(place, Tax()) + sum((Tax(*row[1:]) for row in rows.values()), Tax())
    return found


def test_our_files_say_every_document_and_sum_as_the_statement_has_it(statement: Gstr2b) -> None:  # noqa: F811
    mine = ours(statement)
    content, head = io.BytesIO(Path(exported(statement, Kind.GSTR2B_JSON).path).read_bytes()), Head()
    theirs = documents(gstr2b_reading.read(content, head))
    assert {key: (told.said, told.name) for key, told in theirs.items()} == {
        key: (told.said, told.name) for key, told in mine.items()
    }
    lines, of_book = workbook_reading.read(Path(exported(statement, Kind.GSTR2B_XLSX).path)), Head()
    told_by_book = documents(gstr2b_sheets.read(lines, of_book))
    assert told_by_book.keys() == mine.keys()
    for key, told in told_by_book.items():
        assert told.said == {name: value for name, value in mine[key].said.items() if name in told.said}, key
        assert {"igst", "day"} <= told.said.keys(), key
    for found in (head, of_book):
        assert (found.gstin, found.period) == (statement.recipient.gstin, "102026")
        assert found.made_on == statement.as_of
        assert {place: tax for place, tax in found.sums.items() if tax.total} == sums(statement)


def test_the_samples_read_back_to_the_records_of_the_story() -> None:
    recipient = story.told_so_far()
    for name, on in (("gstr2b.json", "2026-11-14"), ("gstr2b-recomputed.json", "2026-11-16 11:00")):
        at = Fixed(demo.moment(on))
        made = gstr2b.compute(taxpayer=recipient, period=story.OCTOBER, actor=None, clock=at).statement
        theirs = documents(gstr2b_reading.read(io.BytesIO((story.DATA / name).read_bytes()), Head()))
        assert {key: told.said for key, told in theirs.items()} == {key: told.said for key, told in ours(made).items()}
        assert all(told.record for told in ours(made).values())
        if on == "2026-11-14":
            story.save(recipient, "2026-11-16")


def sheet(name: str, *rows: list[Any], start: int = 5) -> list[Line]:
    """Return rows of a sheet as the child gives them."""
    return [Line(name, start + place, tuple(row)) for place, row in enumerate(rows)]


TAXES = ("Integrated Tax(₹)", "Central Tax(₹)", "State/UT Tax(₹)", "Cess(₹)")
READ_ME = sheet(
    "Read me",
    [None, "Financial Year", "2026-27"],
    [None, "Tax Period", "October"],
    [None, "GSTIN", "29AAKCT0000P1Z6"],
    start=4,
)


def test_the_portal_s_sheet_with_headings_too_far_left_is_read_by_its_columns() -> None:
    note, back = (
        ["Note type", "Note number", "Note date"],
        ["Whether ITC to be reversed", "Amount of ITC to be reversed"],
    )
    amounts = [1000.5, 180.09, 1.0, 2.0, 3.0, "Yes", 180.09]
    lines = sheet(
        "B2B-DNRA",
        ["Original Details", None, None, "Revised Details"],
        [*note, "GSTIN of supplier", "Credit note/Debit note details", None, None, "Taxable Value", *[None] * 4, *back],
        [*[None] * 4, "Note number", "Note type", "Note date", *TAXES, None, None, "Integrated Tax(₹)"],
        ["Debit Note", "D/1", "01/10/2026", "29AAFCK0000M1ZQ", "D/2", "Debit Note", "02/10/2026", *amounts],
    )
    (told,) = gstr2b_sheets.read([*READ_ME, *lines], Head())
    assert isinstance(told, Told)
    read = {name: told.said[name] for name in ("taxable", "igst", "cgst", "sgst", "cess")}
    assert read == {"taxable": 100050, "igst": 18009, "cgst": 100, "sgst": 200, "cess": 300}
    assert (told.list, told.number, told.said["was_number"]) == ("itcrev.cdnra", "D/2", "D/1")
    assert told.said["placement"] == "reversal"


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({2: None}, "number"),
        ({4: "31/02/2026"}, "day"),
        ({8: 1000.005}, "taxable"),
        ({9: "eighteen"}, "igst"),
        ({3: "Retail"}, "type"),
    ],
)
def test_a_row_that_cannot_be_read_takes_no_other_down(cells: dict[int, Any], problem: str) -> None:
    head = ["GSTIN of supplier", "Trade/Legal name", "Invoice Details", None, None, None, "Place of supply"]
    below = [None, None, "Invoice number", "Invoice type", "Invoice Date", "Invoice Value(₹)", None, None, None]
    good = ["29AAFCK0000M1ZQ", "Kaveri", "KMF/1", "Regular", "05/10/2026", 1180.0, "Karnataka", "No", 1000.0, 180.0]
    broken = [cells.get(place, cell) for place, cell in enumerate(good)]
    lines = sheet(
        "B2B",
        [*head, "Supply Attract Reverse Charge", "Taxable Value (₹)", "Tax Amount"],
        [*below, "Integrated Tax(₹)"],
        broken,
        good,
    )
    wrong, right = gstr2b_sheets.read([*READ_ME, *lines], Head())
    assert isinstance(wrong, Problem)
    assert wrong.position == "B2B row 7"
    assert problem in f"{wrong.field} {wrong.message}"
    assert isinstance(right, Told)
    assert (right.said["pos"], right.said["type"], right.said["igst"]) == ("29", "R", 18000)


def statement_json(**changed: Any) -> io.BytesIO:  # noqa: ANN401 JSON
    """Return a small statement with an invoice, in which something was changed."""
    invoice = {"inum": "KMF/1", "typ": "R", "dt": "05-10-2026", "val": 1180, "pos": "29", "rev": "N", "itcavl": "Y"}
    invoice |= {"rsn": "", "txval": 1000, "igst": 180.5, "cgst": 0, "sgst": 0, "cess": 0} | changed
    data = {"docdata": {"b2b": [{"inv": [invoice], "ctin": "29AAFCK0000M1ZQ", "supprd": "102026"}]}}
    around = {"gstin": "29AAKCT0000P1Z6", "rtnprd": "102026"}
    return io.BytesIO(json.dumps({"chksum": "x", "data": {**data, **around, "new key": [1]}}).encode())


def test_older_files_say_amounts_rate_by_rate() -> None:
    lines = [{"num": 1, "txval": 600, "igst": 108}, {"num": 2, "txval": 400, "igst": 72.5}]
    (told,) = documents(
        gstr2b_reading.read(statement_json(items=lines, txval=None, igst=None, cgst=None, sgst=None, cess=None), Head())
    ).values()
    assert {name: told.said.get(name) for name in ("taxable", "igst", "cgst")} == {
        "taxable": 100000,
        "igst": 18050,
        "cgst": None,
    }


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"igst": "180"}, "igst"),
        ({"igst": 180.005}, "igst"),
        ({"txval": True}, "txval"),
        ({"dt": "2026-10-05"}, "dt"),
        ({"inum": ""}, "inum"),
        ({"pos": 29}, "pos"),
    ],
)
def test_a_document_of_json_that_cannot_be_read_is_told_by_its_place(changed: dict[str, Any], field: str) -> None:
    (wrong,) = gstr2b_reading.read(statement_json(**changed), Head())
    assert isinstance(wrong, Problem)
    assert (wrong.position, wrong.field) == ("docdata.b2b[0].inv[0]", field)


@pytest.mark.parametrize(
    "content",
    [b"[]", b"{}", b'{"gstin": "29AAKCT0000P1Z6", "fp": "102026", "b2b": []}', b'{"data": {"docdata": {}}}', b"nope"],
)
def test_what_is_no_statement_is_refused_whole(content: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        list(gstr2b_reading.read(io.BytesIO(content), Head()))


def test_a_workbook_that_is_no_statement_is_refused_whole() -> None:
    with pytest.raises(UnreadableFileError):
        list(gstr2b_sheets.read(sheet("b2b,sez,de", ["GSTIN/UIN of Recipient"]), Head()))
