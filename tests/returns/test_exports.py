"""Files out: what a statement's workbook and JSON hold, who may have them, how long they are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from ims_portal import access, clock, downloads
from ims_portal.clock import Fixed
from ims_portal.models import AuditEvent, Taxpayer, User
from returns import demo, export_files, exports, gstr2b
from returns.export_files import Kind, NothingToWriteError
from returns.models import Export, Gstr2b
from tests.returns import story
from tests.returns.test_gstr2b_json import in_order, sample

pytestmark = pytest.mark.django_db
NOON = Fixed(demo.moment("2026-11-16 12:00"))


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:  # noqa: ANN401 pytest-django's settings
    """Keep files where the test can see them."""
    settings.IMS_EXPORT_DIR = str(tmp_path / "exports")
    return tmp_path / "exports"


@pytest.fixture
def statement() -> Gstr2b:
    """The story's statement of October after the recipient saved its actions."""
    recipient = story.told_so_far()
    story.save(recipient, "2026-11-16")
    at = Fixed(demo.moment("2026-11-16 11:00"))
    return gstr2b.compute(taxpayer=recipient, period=story.OCTOBER, actor=None, clock=at).statement


def owner(taxpayer: Taxpayer) -> User:
    """Return somebody who may export for a taxpayer."""
    return User.objects.filter(memberships__taxpayer=taxpayer).order_by("pk")[0]


def exported(statement: Gstr2b, kind: Kind) -> Export:
    """Return the written file of a statement."""
    asked = {"month": statement.month, "version": statement.version}
    firm = statement.recipient
    export = exports.request(taxpayer=firm, kind=kind, asked=asked, actor=owner(firm), clock=NOON)
    exports.write(export=export, clock=NOON)
    export.refresh_from_db()
    assert (export.state, export.problem) == (Export.State.DONE, "")
    return export


def table(sheet: Worksheet) -> Iterator[list[Any]]:
    """Yield the rows of a sheet of documents below its headings, up to the first empty one."""
    start = 8 if sheet["A5"].value == "Original Details" else 7
    for row in sheet.iter_rows(min_row=start, values_only=True):
        if not any(row):
            return
        yield list(row)


def test_a_statement_s_json_is_the_sample_s(statement: Gstr2b) -> None:
    export = exported(statement, Kind.GSTR2B_JSON)
    content = Path(export.path).read_bytes()
    assert in_order(json.loads(content)["data"]) == in_order(sample("gstr2b-recomputed.json")["data"])
    assert export.file_name == "16112026_29AAKCT0000P1Z6_R2B_102026.json"
    assert (export.size, export.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert export.rows == export.progress == statement.line_count


def test_a_statement_s_workbook_holds_the_documents_of_its_json(statement: Gstr2b) -> None:
    export = exported(statement, Kind.GSTR2B_XLSX)
    book = openpyxl.load_workbook(export.path)
    assert book.sheetnames == SHEETS
    data = sample("gstr2b-recomputed.json")["data"]
    for name, half, key, rows in (
        ("B2B", "docdata", "b2b", "inv"),
        ("B2BA", "docdata", "b2ba", "inv"),
        ("B2B-CDNR", "docdata", "cdnr", "nt"),
        ("B2B-CDNRA", "docdata", "cdnra", "nt"),
        ("ECO", "docdata", "ecom", "inv"),
        ("ECOA", "docdata", "ecoma", "inv"),
        ("ISD", "docdata", "isd", "doclist"),
        ("ISDA", "docdata", "isda", "doclist"),
        ("B2B(Rejected)", "docRejdata", "b2b", "inv"),
        ("B2B-CDNR(Rejected)", "docRejdata", "cdnr", "nt"),
    ):
        told = [row for group in data[half].get(key, []) for row in group[rows]]
        found = list(table(book[name]))
        assert len(found) == len(told), name
        for head in ("igst", "cgst", "sgst", "cess"):
            column = _column(
                book[name], {"igst": "Integrated", "cgst": "Central", "sgst": "State", "cess": "Cess"}[head]
            )
            assert round(sum(row[column] for row in found), 2) == round(sum(row[head] for row in told), 2), (name, head)
    imports = data["docdata"]["impg"]
    assert [len(list(table(book[name]))) for name in ("IMPG", "IMPGA")] == [
        sum(row["isamd"] == flag for row in imports) for flag in "NY"
    ]
    assert len(list(table(book["B2B (ITC Reversal)"]))) == 1
    assert export.rows == statement.line_count


def _column(sheet: Worksheet, starts: str) -> int:
    """Return the place of the first column whose lowest heading begins so."""
    bottom = 7 if sheet["A5"].value == "Original Details" else 6
    return next(cell.column - 1 for cell in sheet[bottom] if str(cell.value or "").startswith(starts))


def test_a_workbook_is_laid_out_as_the_portal_s(statement: Gstr2b) -> None:
    book = openpyxl.load_workbook(exported(statement, Kind.GSTR2B_XLSX).path)
    read_me = book["Read me"]
    assert [read_me[f"C{row}"].value for row in range(4, 10)] == [
        "2026-27",
        "October",
        "29AAKCT0000P1Z6",
        "Tungabhadra Precision Private Limited",
        None,
        "16/11/2026",
    ]
    sheet = book["B2B"]
    assert sheet["A1"].value == "Goods and Services Tax  - GSTR-2B"
    assert [cell.value for cell in sheet[5]][:8] == [
        "GSTIN of supplier",
        "Trade/Legal name",
        "Invoice Details",
        None,
        None,
        None,
        "Place of supply",
        "Supply Attract Reverse Charge",
    ]
    assert [cell.value for cell in sheet[6]][2:6] == [
        "Invoice number",
        "Invoice type",
        "Invoice Date",
        "Invoice Value(₹)",
    ]
    assert sheet.max_column == 21
    by_number = {row[2]: row for row in table(sheet)}
    row = by_number["KMF/26-27/1001"]
    assert row[:13] == [
        "29AAFCK0000M1ZQ",
        "Kaveri Mobility and Freight Private Limited",
        "KMF/26-27/1001",
        "Regular",
        "05/10/2026",
        118000,
        "Karnataka",
        "No",
        100000,
        0,
        9000,
        9000,
        0,
    ]
    assert row[13:18] == ["Oct'26", "10/11/2026", "Yes", None, "100%"]
    assert row[18] == "E-Invoice"
    assert len(row[19]) == 64


def test_the_summary_sheets_say_what_the_page_says(statement: Gstr2b) -> None:
    book = openpyxl.load_workbook(exported(statement, Kind.GSTR2B_XLSX).path)
    rows = [list(row) for row in book["ITC Available"].iter_rows(min_row=6, values_only=True)]
    heading = "All other ITC - Supplies from registered persons other than reverse charge"
    part = next(row for row in rows if row[1] == heading)
    summed = sample("gstr2b-recomputed.json")["data"]["itcsumm"]["itcavl"]["nonrevsup"]
    assert part[2:7] == ["4(A)(5)", *(summed[head] for head in ("igst", "cgst", "sgst", "cess"))]
    assert rows[0][:2] == ["Part A", "credit may be claimed in the GSTR-3B tables named"]


def test_what_a_supplier_wrote_is_text_whatever_it_is(statement: Gstr2b) -> None:
    line = gstr2b.lines(statement).filter(placement="available", row="b2b").select_related("record__supplier").first()
    supplier = line.record.supplier
    supplier.trade_name = '=HYPERLINK("http://x.test","pay")'
    supplier.save()
    book = openpyxl.load_workbook(exported(statement, Kind.GSTR2B_XLSX).path)
    cells = [cell for row in book["B2B"].iter_rows(min_row=7) for cell in row if str(cell.value).startswith("=HYP")]
    assert cells
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.hyperlink for cell in cells} == {None}


def test_a_running_request_for_the_same_file_is_used_again(statement: Gstr2b) -> None:
    firm, asked = statement.recipient, {"month": statement.month, "version": statement.version}
    again = [
        exports.request(taxpayer=firm, kind=Kind.GSTR2B_XLSX, asked=asked, actor=owner(firm), clock=NOON)
        for _ in range(2)
    ]
    assert again[0] == again[1]
    other = exports.request(taxpayer=firm, kind=Kind.GSTR2B_JSON, asked=asked, actor=owner(firm), clock=NOON)
    assert other != again[0]
    exports.write(export=again[0], clock=NOON)
    assert exports.request(taxpayer=firm, kind=Kind.GSTR2B_XLSX, asked=asked, actor=owner(firm), clock=NOON) != again[0]


def test_there_is_no_file_of_what_there_is_not(statement: Gstr2b) -> None:
    firm = statement.recipient
    with pytest.raises(NothingToWriteError, match="no such version"):
        exports.request(
            taxpayer=firm, kind=Kind.GSTR2B_XLSX, asked={"month": 202610, "version": 9}, actor=owner(firm), clock=NOON
        )
    assert not Export.objects.exists()


def test_who_lost_the_right_gets_no_file(statement: Gstr2b, folder: Path) -> None:
    firm, asked = statement.recipient, {"month": statement.month, "version": statement.version}
    actor = owner(firm)
    export = exports.request(taxpayer=firm, kind=Kind.GSTR2B_XLSX, asked=asked, actor=actor, clock=NOON)
    actor.memberships.filter(taxpayer=firm).update(valid_to=NOON.now() - timedelta(minutes=1))
    exports.write(export=export, clock=NOON)
    assert export.state == Export.State.FAILED
    assert "may no longer export" in export.problem
    assert list(folder.glob("*")) == []
    with pytest.raises(access.RightMissingError):
        exports.request(taxpayer=firm, kind=Kind.GSTR2B_XLSX, asked=asked, actor=actor, clock=NOON)


def test_a_writer_that_breaks_leaves_no_file_and_the_job_due(
    statement: Gstr2b, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_export: Export, target: Path, *_rest: object) -> export_files.Made:
        target.write_text("half")
        raise OSError("no space left")

    monkeypatch.setitem(export_files.WRITERS, Kind.GSTR2B_XLSX, broken)
    firm, asked = statement.recipient, {"month": statement.month, "version": statement.version}
    export = exports.request(taxpayer=firm, kind=Kind.GSTR2B_XLSX, asked=asked, actor=owner(firm), clock=NOON)
    with pytest.raises(OSError, match="no space"):
        exports.write(export=export, clock=NOON)
    export.refresh_from_db()
    assert export.state == Export.State.WAITING
    assert list(folder.glob("*")) == []


def test_files_are_removed_after_seven_days(statement: Gstr2b, folder: Path) -> None:
    export = exported(statement, Kind.GSTR2B_JSON)
    later = NOON.now() + timedelta(days=7)
    assert downloads.remove_old(clock=Fixed(later - timedelta(seconds=1)), real=clock.real) == 0
    assert exports.of(taxpayer=statement.recipient, export_id=export.pk, at=later) is None
    assert downloads.remove_old(clock=Fixed(later), real=clock.real) == 1
    assert list(folder.glob("*")) == []
    assert downloads.remove_old(clock=Fixed(later), real=clock.real) == 0


def test_who_takes_a_file_is_written_down(statement: Gstr2b) -> None:
    export = exported(statement, Kind.GSTR2B_JSON)
    actor = owner(statement.recipient)
    assert exports.downloaded(export=export, actor=actor, at=NOON.now()) == Path(export.path)
    told = AuditEvent.objects.filter(taxpayer=statement.recipient, event__startswith="export.").order_by("pk")
    assert list(told.values_list("event", "actor")) == [
        (event, actor.pk) for event in ("export.asked", "export.made", "export.downloaded")
    ]


SHEETS = [
    "Read me",
    "ITC Available",
    "ITC not available",
    "ITC Reversal",
    "ITC Rejected",
    "B2B",
    "B2BA",
    "B2B-CDNR",
    "B2B-CDNRA",
    "ECO",
    "ECOA",
    "ISD",
    "ISDA",
    "IMPG",
    "IMPGA",
    "IMPGSEZ",
    "IMPGSEZA",
    "B2B (ITC Reversal)",
    "B2BA (ITC Reversal)",
    "B2B-DNR",
    "B2B-DNRA",
    "B2B(Rejected)",
    "B2BA(Rejected)",
    "B2B-CDNR(Rejected)",
    "B2B-CDNRA(Rejected)",
    "ECO(Rejected)",
    "ECOA(Rejected)",
    "ISD(Rejected)",
    "ISDA(Rejected)",
]
"""The portal's 29, in its order."""


def wanted(firm: Taxpayer, kind: Kind, now: Fixed, **asked: object) -> Export:
    """Return any written file of a taxpayer."""
    export = exports.request(taxpayer=firm, kind=kind, asked=asked, actor=owner(firm), clock=now)
    exports.write(export=export, clock=now)
    assert (export.state, export.problem) == (Export.State.DONE, "")
    return export


MORNING = Fixed(demo.moment("2026-11-13 11:00"))


def test_the_records_of_ims_are_written_in_both_dialects() -> None:
    firm = story.told_so_far()
    inward = sample("ims-inward.json")
    written = json.loads(Path(wanted(firm, Kind.IMS_JSON, MORNING, section="all", query="").path).read_bytes())
    assert in_order(written) == in_order(inward)
    offline = wanted(firm, Kind.IMS_OFFLINE, MORNING, section="b2bcn", query="")
    rows = json.loads(Path(offline.path).read_bytes())["imsDetails"]
    assert {key: len(found) for key, found in rows.items()} == {"b2bcn": len(inward["b2bcn"])}
    assert offline.file_name == "13112026_29AAKCT0000P1Z6_IMS_offline.json"


def test_the_workbook_of_ims_holds_what_its_json_holds() -> None:
    firm = story.told_so_far()
    export = wanted(firm, Kind.IMS_XLSX, MORNING, section="all", query="")
    book = openpyxl.load_workbook(export.path)
    sheets = ["B2B", "B2BA", "B2B-DN", "B2B-DNA", "B2B-CN", "B2B-CNA", "ECO", "ECOA"]
    assert book.sheetnames == ["Home", *sheets, "IMPG", "IMPGA", "IMPGSEZ", "IMPGSEZA"]
    inward = sample("ims-inward.json")
    keys = [
        "b2b",
        "b2ba",
        "b2bdn",
        "b2bdna",
        "b2bcn",
        "b2bcna",
        "ecom",
        "ecoma",
        "impg",
        "impga",
        "impgsez",
        "impgseza",
    ]
    words = {"A": "Accepted", "R": "Rejected", "P": "Pending", "N": "No Action"}
    for name, key in zip(book.sheetnames[1:], keys, strict=True):
        heads, found = _read(book[name])
        assert sorted(row[heads["Status"]] for row in found) == sorted(
            words[row["action"]] for row in inward.get(key, [])
        )
        assert sum(row[heads["Taxable value (₹)"]] for row in found) == pytest.approx(
            sum(row["txval"] for row in inward.get(key, []))
        )
    assert export.rows == sum(map(len, inward.values()))


def test_a_row_of_the_workbook_of_ims_is_the_offline_utility_s() -> None:
    firm = story.told_so_far()
    book = openpyxl.load_workbook(wanted(firm, Kind.IMS_XLSX, MORNING, section="all", query="").path)
    heads, rows = _read(book["B2B-CN"])
    assert list(heads)[:7] == [
        "GSTIN of supplier",
        "Trade/Legal name",
        "Credit note number",
        "Credit note type",
        "Credit note date",
        "Credit note value (₹)",
        "Status",
    ]
    assert list(heads)[13:24] == [
        "ITC to be reduced",
        "Integrated tax (₹) ",
        "Central tax (₹) ",
        "State/UT tax (₹) ",
        "Cess (₹) ",
        "Remarks",
        "Source",
        "Source return period",
        "Source filing status",
        "Sheet validation errors",
        "Portal validation errors",
    ]
    row = next(row for row in rows if row[2] == "KMF/CN/041")
    assert row[:13] == [
        "29AAFCK0000M1ZQ",
        "Kaveri Mobility and Freight Private Limited",
        "KMF/CN/041",
        "Regular",
        "21-10-2026",
        23600,
        "No Action",
        "29-Karnataka",
        20000,
        0,
        1800,
        1800,
        0,
    ]
    assert row[19:22] == ["GSTR-1/IFF", "Oct-26", "Filed"]
    assert book["B2B-CN"].column_dimensions["Y"].hidden
    allowed = {rule.formula1 for rule in book["B2B-CN"].data_validations.dataValidation}
    assert allowed == {'"Accepted,Rejected,Pending,No Action"', '"Yes,No"'}


def test_a_filter_narrows_every_sheet_of_the_workbook() -> None:
    firm = story.told_so_far()
    export = wanted(firm, Kind.IMS_XLSX, MORNING, section="all", query="action=R")
    book = openpyxl.load_workbook(export.path)
    assert {
        row[heads["Status"]] for name in book.sheetnames[1:] for heads, rows in [_read(book[name])] for row in rows
    } == {"Rejected"}
    assert book["Home"]["B7"].value == "action=R"
    with pytest.raises(NothingToWriteError, match="cannot be read"):
        exports.request(
            taxpayer=firm,
            kind=Kind.IMS_XLSX,
            asked={"section": "all", "query": "x=1"},
            actor=owner(firm),
            clock=MORNING,
        )


def _read(sheet: Worksheet) -> tuple[dict[str, int], list[list[Any]]]:
    """Return the lowest heading of each column -> its place, and the rows; a heading that comes again gets a blank."""
    is_amended = any(str(cell.value or "").startswith("Original details") for cell in sheet[5])
    tiers = range(5, 8 if is_amended else 7)
    heads: dict[str, int] = {}
    for place in range(sheet.max_column):
        named = [sheet.cell(tier, place + 1).value for tier in tiers]
        name = next((text for text in reversed(named) if text), "")
        while name in heads:
            name += " "
        heads[name] = place
    rows = [list(row) for row in sheet.iter_rows(min_row=tiers.stop, values_only=True) if any(row)]
    return heads, rows


def test_a_gstr3b_is_written_as_it_stands(statement: Gstr2b) -> None:
    export = wanted(statement.recipient, Kind.GSTR3B_JSON, NOON, month=202610)
    found = json.loads(Path(export.path).read_bytes())
    assert found["itc_elg"]["itc_avl"] == sample("gstr3b.json")["itc_elg"]["itc_avl"]
    assert export.file_name == "16112026_29AAKCT0000P1Z6_R3B_102026.json"
    with pytest.raises(NothingToWriteError):
        wanted(statement.recipient, Kind.GSTR3B_JSON, NOON, month=201801)


def test_a_supplier_s_return_is_written(statement: Gstr2b) -> None:
    export = wanted(statement.recipient, Kind.GSTR1_JSON, NOON, month=202610, form="GSTR-1")
    found = json.loads(Path(export.path).read_bytes())
    assert (found["gstin"], found["fp"]) == ("29AAKCT0000P1Z6", "102026")
    assert sum(len(group["inv"]) for group in found["b2b"]) == export.rows
    assert export.left_out == ["b2cs", "exp"]
    with pytest.raises(NothingToWriteError):
        wanted(statement.recipient, Kind.GSTR1_JSON, NOON, month=202609, form="IFF")
