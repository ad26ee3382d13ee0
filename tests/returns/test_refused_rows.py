"""The refused rows of a workbook come back under its own headings, and can be mended and uploaded as they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from pytest_django.fixtures import Settings

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from invoices import kept_files, registers, uploads
from invoices.models import Booked, Record, Register, ReturnSummary, Upload
from invoices.register_reading import TEMPLATE, Field
from invoices.rows_back import NOT_READ, SAME_NUMBER
from returns import exports
from returns.export_files import Kind, NothingToWriteError
from tests import factories
from tests.invoices import gstr1_files, gstr1_workbook

KAVERI = "29AAFCK0000M1ZQ"
PERIOD = periods.parse("102026")
ON = "2026-11-05"
HEADING = 5
"""The row of the headings in a workbook that comes back."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Keep the test's files in folders of its own."""
    settings.IMS_EXPORT_DIR = str(tmp_path / "exports")
    settings.IMS_UPLOAD_DIR = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def kaveri() -> Taxpayer:
    """Return a supplier with nothing filed yet."""
    return factories.taxpayer(KAVERI, first=202610)


def ingested(owner: Taxpayer, content: bytes) -> Upload:
    """Return the job of a workbook handed in and read."""
    upload = uploads.receive(
        taxpayer=owner,
        form=Form.GSTR1,
        period=PERIOD,
        file=SimpleUploadedFile("gstr1.xlsx", content),
        actor=factories.member(owner, "preparer"),
        clock=factories.clock(ON),
        request_id=uuid4(),
    )
    uploads.ingest(upload=upload, clock=factories.clock(ON))
    upload.refresh_from_db()
    assert upload.state == Upload.State.DONE, upload.problem
    return upload


def made(tmp_path: Path, file: dict[str, Any], change: Callable[[Workbook], None] | None = None) -> bytes:
    """Return a workbook of the offline tool that says what a file of JSON says, after a change."""
    path = gstr1_workbook.write(tmp_path / "made.xlsx", file)
    return changed(path, change) if change else path.read_bytes()


def changed(path: Path, change: Callable[[Workbook], None]) -> bytes:
    """Return a workbook as somebody saved it after changing cells."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    return path.read_bytes()


def back(owner: Taxpayer, kind: Kind, pk: object, name: str) -> Path:
    """Return the workbook of the rows given back."""
    actor = factories.member(owner, "preparer")
    export = exports.request(taxpayer=owner, kind=kind, asked={"file": str(pk)}, actor=actor, clock=factories.clock(ON))
    exports.write(export=export, clock=factories.clock(ON))
    assert (export.problem, export.file_name) == ("", name)
    return Path(export.path)


def given_back(upload: Upload) -> Path:
    """Return the workbook of the refused rows of a return."""
    return back(upload.taxpayer, Kind.ERRORS_XLSX, upload.pk, "errors-GSTR1-102026.xlsx")


def rows(sheet: Worksheet) -> list[dict[str, Any]]:
    """Return the rows below the headings, by their labels."""
    labels, *below = sheet.iter_rows(min_row=HEADING, values_only=True)
    return [dict(zip(labels, cells, strict=True)) for cells in below]


def cell(sheet: Worksheet, row: int, label: str) -> Any:  # noqa: ANN401 openpyxl's cell
    """Return a cell of a row below the headings, counted from 0, by its label."""
    labels = [one.value for one in sheet[HEADING]]
    return sheet.cell(HEADING + 1 + row, labels.index(label) + 1)


def invoice(number: str, *taxable: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any value of JSON
    """Return an invoice with a line of each taxable value."""
    amounts = taxable or (100,)
    lines = [{"num": n, "itm_det": {"txval": value, "rt": 18}} for n, value in enumerate(amounts, start=1)]
    return gstr1_files.make_invoice(inum=number, itms=lines, **{"val": sum(amounts) * 118 / 100} | changes)


def test_refused_rows_come_back_and_mended_they_are_taken(kaveri: Taxpayer, tmp_path: Path) -> None:
    file = gstr1_files.with_invoices(invoice("KMF/1"), invoice("KMF/2", idt="05-11-2026"), invoice("KMF/3"))
    upload = ingested(kaveri, made(tmp_path, file))
    assert (upload.added, upload.refused) == (2, 1)
    path = given_back(upload)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["b2b,sez,de"]
    labels = [one.value for one in book["b2b,sez,de"][HEADING]]
    original = openpyxl.load_workbook(tmp_path / "made.xlsx")["b2b,sez,de"]
    assert labels == [*(one.value for one in original[4]), "Problem"]
    (row,) = rows(book["b2b,sez,de"])
    assert (row["Invoice Number"], row["Taxable Value"], row["Invoice date"]) == ("KMF/2", 100, "05-Nov-2026")
    assert row["Problem"] == upload.problems.get().message

    def mend(book: Workbook) -> None:
        cell(book["b2b,sez,de"], 0, "Invoice date").value = "05-Oct-2026"

    again = ingested(kaveri, changed(path, mend))
    assert (again.added, again.changed, again.refused) == (1, 0, 0)
    assert Record.objects.count() == 3


def test_as_it_came_it_is_refused_again_with_one_column_problem(kaveri: Taxpayer, tmp_path: Path) -> None:
    upload = ingested(kaveri, made(tmp_path, gstr1_files.with_invoices(invoice("KMF/2", idt="05-11-2026"))))
    again = ingested(kaveri, given_back(upload).read_bytes())
    assert again.refused == 1
    labels = [one.value for one in openpyxl.load_workbook(given_back(again))["b2b,sez,de"][HEADING]]
    assert (labels.count("Problem"), labels[-1]) == (1, "Problem")


def test_all_rows_of_a_document_come_back_however_far_apart(kaveri: Taxpayer, tmp_path: Path) -> None:
    many = invoice("KMF/1", *range(1, 7), idt="05-11-2026")
    file = gstr1_files.with_invoices(many, invoice("KMF/2", 7, 8, 9, 10, 11, 12))
    path = gstr1_workbook.write(tmp_path / "apart.xlsx", file, shuffled=True)
    upload = ingested(kaveri, path.read_bytes())
    assert upload.problems.get().position.endswith("…")
    found = rows(openpyxl.load_workbook(given_back(upload))["b2b,sez,de"])
    assert {row["Invoice Number"] for row in found} == {"KMF/1"}
    assert sorted(row["Taxable Value"] for row in found) == [1, 2, 3, 4, 5, 6]
    assert {row["Problem"] for row in found} == {upload.problems.get().message}


def test_a_row_that_names_another_recipient_by_mistake_brings_its_document_along(
    kaveri: Taxpayer, tmp_path: Path
) -> None:
    def mistake(book: Workbook) -> None:
        sheet = book["b2b,sez,de"]
        sheet.cell(6, [one.value for one in sheet[4]].index("GSTIN/UIN of Recipient") + 1).value = "27AAACR5055K1Z"

    upload = ingested(
        kaveri, made(tmp_path, gstr1_files.with_invoices(invoice("KMF/1", 100, 200, 300, val=472)), mistake)
    )
    assert (upload.added, upload.refused) == (1, 1)
    path = given_back(upload)
    assert [row["Problem"] == SAME_NUMBER for row in rows(openpyxl.load_workbook(path)["b2b,sez,de"])] == [
        True,
        False,
        True,
    ]

    def mend(book: Workbook) -> None:
        sheet, label = book["b2b,sez,de"], "GSTIN/UIN of Recipient"
        cell(sheet, 1, label).value = cell(sheet, 0, label).value

    again = ingested(kaveri, changed(path, mend))
    assert (again.changed, again.refused, Record.objects.get().taxable) == (1, 0, 600_00)


def test_a_sheet_of_sums_comes_back_whole_so_that_none_is_lost(kaveri: Taxpayer, tmp_path: Path) -> None:
    consumers = [
        {"sply_ty": "INTRA", "pos": "29", "typ": "OE", "rt": 18, "txval": value, "camt": 9, "samt": 9}
        for value in (100, 200)
    ]

    def mistake(book: Workbook) -> None:
        sheet = book["b2cs"]
        sheet.cell(6, [one.value for one in sheet[4]].index("Rate") + 1).value = "eighteen"

    file = {"gstin": KAVERI, "fp": "102026", "b2cs": consumers}
    path = given_back(ingested(kaveri, made(tmp_path, file, mistake)))
    assert ReturnSummary.objects.get().taxable == 100_00
    found = rows(openpyxl.load_workbook(path)["b2cs"])
    assert [row["Taxable Value"] for row in found] == [100, 200]
    assert (found[0]["Problem"], "is not a number" in found[1]["Problem"]) == (None, True)

    def mend(book: Workbook) -> None:
        cell(book["b2cs"], 1, "Rate").value = 18

    ingested(kaveri, changed(path, mend))
    assert ReturnSummary.objects.get().taxable == 300_00


def test_cells_come_back_as_they_were_and_never_as_formulas(kaveri: Taxpayer, tmp_path: Path) -> None:
    def change(book: Workbook) -> None:
        sheet = book["b2b,sez,de"]
        labels = [one.value for one in sheet[4]]
        at = {label: labels.index(label) + 1 for label in labels}
        sheet.cell(5, at["Invoice date"]).value = dt.date(2026, 11, 5)
        sheet.cell(6, at["Invoice date"]).value = "2026-11-05"
        sheet.cell(7, at["Invoice date"]).value = 46300
        for row in (5, 6, 7):
            one = sheet.cell(row, at["Receiver Name"])
            one.value, one.data_type = "=1+1", "s"
        sheet.cell(6, at["Invoice Number"]).value = 4711
        sheet.cell(7, at["Rate"]).value = 0.25

    file = gstr1_files.with_invoices(invoice("KMF/1"), invoice("KMF/2"), invoice("KMF/3"))
    upload = ingested(kaveri, made(tmp_path, file, change))
    assert upload.refused == 3
    sheet = openpyxl.load_workbook(given_back(upload))["b2b,sez,de"]
    first, second, third = rows(sheet)
    assert [one["Receiver Name"] for one in (first, second, third)] == ["=1+1"] * 3
    assert {cell(sheet, row, "Receiver Name").data_type for row in range(3)} == {"s"}
    assert first["Invoice date"] == dt.datetime(2026, 11, 5)  # noqa: DTZ001 a day has no zone
    assert (second["Invoice date"], third["Invoice date"]) == ("2026-11-05", 46300)
    assert (second["Invoice Number"], third["Rate"]) == (4711, 0.25)
    assert cell(sheet, 1, "Invoice Number").data_type == "n"


def test_what_has_no_row_is_told_on_a_sheet_of_its_own(kaveri: Taxpayer, tmp_path: Path) -> None:
    def change(book: Workbook) -> None:
        sheet = book["cdnr"]
        sheet.delete_cols([one.value for one in sheet[4]].index("Note Number") + 1)

    upload = ingested(kaveri, made(tmp_path, gstr1_files.with_invoices(invoice("KMF/1")), change))
    sheet = openpyxl.load_workbook(given_back(upload))[NOT_READ]
    said = [[one.value for one in row] for row in sheet.iter_rows()]
    assert ["cdnr", upload.problems.get().message] in said


def test_what_is_warned_of_says_that_it_is_saved(kaveri: Taxpayer, tmp_path: Path) -> None:
    upload = ingested(kaveri, made(tmp_path, gstr1_files.with_invoices(invoice("KMF/1", val=5))))
    assert (upload.added, upload.refused, upload.problems.get().is_warning) == (1, 0, True)
    (row,) = rows(openpyxl.load_workbook(given_back(upload))["b2b,sez,de"])
    assert row["Problem"] == f"Saved, look at it: {upload.problems.get().message}"


def test_a_workbook_is_kept_for_thirty_days_where_something_is_wrong_in_it(
    kaveri: Taxpayer, tmp_path: Path, folder: Path
) -> None:
    ingested(kaveri, made(tmp_path, gstr1_files.with_invoices(invoice("KMF/1"))))
    assert list(folder.iterdir()) == []
    upload = ingested(kaveri, made(tmp_path, gstr1_files.with_invoices(invoice("KMF/2", idt="05-11-2026"))))
    (kept,) = folder.iterdir()
    ends = dt.datetime.fromtimestamp(kept.stat().st_mtime, dt.UTC) + dt.timedelta(days=30)
    assert kept_files.remove_old(at=ends - dt.timedelta(seconds=1)) == 0
    assert uploads.is_given_back(upload)
    assert kept_files.remove_old(at=ends + dt.timedelta(seconds=1)) == 1
    assert list(folder.iterdir()) == []
    with pytest.raises(NothingToWriteError, match="Take the problems as CSV"):
        given_back(upload)


def test_another_s_workbook_is_not_given_back(kaveri: Taxpayer, tmp_path: Path) -> None:
    upload = ingested(kaveri, made(tmp_path, gstr1_files.with_invoices(invoice("KMF/2", idt="05-11-2026"))))
    for pk in (upload.pk, uuid4(), "no id"):
        with pytest.raises(NothingToWriteError):
            back(factories.taxpayer(), Kind.ERRORS_XLSX, pk, "")


def row(number: str, taxable: object, on: object = "05-10-2026") -> list[object]:
    """Return a row of a purchase register."""
    told = {Field.SUPPLIER: factories.SUPPLIER, Field.NUMBER: number, Field.DATE: on, Field.TAXABLE: taxable}
    return [(told | {Field.IGST: 0, Field.CGST: 0, Field.SGST: 0}).get(field) for field in TEMPLATE]


def register_of(owner: Taxpayer, content: bytes, name: str = "october.xlsx") -> Register:
    """Return a register handed in, its columns named, read and matched."""
    actor, clock = factories.member(owner, "preparer"), factories.clock(ON)
    file = SimpleUploadedFile(name, content)
    found = registers.receive(taxpayer=owner, file=file, actor=actor, clock=clock, request_id=uuid4())
    registers.carry_out(register=found, clock=clock)
    if found.phase == Register.Phase.NAMING:
        columns = {field.value: label for field, label in TEMPLATE.items()}
        found = registers.name_columns(register=found, columns=columns, actor=actor, clock=clock, request_id=uuid4())
        registers.carry_out(register=found, clock=clock)
    assert (found.phase, found.problem) == (Register.Phase.MATCHED, "")
    return found


def test_rows_of_a_register_come_back_with_all_of_their_document(kaveri: Taxpayer, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first, second = book.active, book.create_sheet("Rest")
    first.title = "October"
    for sheet, lines in (
        (first, [row("P/1", 100), row("P/2", "much"), row("P/3", 300, dt.date(2026, 10, 7))]),
        (second, [row("P/2", 50), row("P/4", 400)]),
    ):
        for line in ([*TEMPLATE.values()], *lines):
            sheet.append(line)
    book.save(tmp_path / "register.xlsx")
    found = register_of(kaveri, (tmp_path / "register.xlsx").read_bytes())
    assert (found.documents, found.wrong) == (4, 1)
    path = back(kaveri, Kind.REGISTER_XLSX, found.pk, f"errors_{KAVERI}_register_05112026.xlsx")
    came = openpyxl.load_workbook(path)
    assert came.sheetnames == ["October", "Rest"]
    (wrong,), (same,) = rows(came["October"]), rows(came["Rest"])
    assert wrong["Problem"] == found.problems.get().message
    assert (same["Document number"], same["Taxable value"], same["Problem"]) == ("P/2", 50, SAME_NUMBER)

    def mend(book: Workbook) -> None:
        cell(book["October"], 0, "Taxable value").value = 200

    again = register_of(kaveri, changed(path, mend))
    assert (again.documents, again.replaced, again.wrong) == (1, 1, 0)
    assert dict(Booked.objects.values_list("number", "taxable")) == {
        "P/1": 100_00,
        "P/2": 250_00,
        "P/3": 300_00,
        "P/4": 400_00,
    }


def test_a_register_of_text_comes_back_as_a_workbook_until_it_is_removed(kaveri: Taxpayer, folder: Path) -> None:
    lines = [[*TEMPLATE.values()], row("P/1", 100), row("P/2", "much")]
    text = "\r\n".join(",".join("" if one is None else str(one) for one in line) for line in lines)
    found = register_of(kaveri, text.encode(), "october.csv")
    path = back(kaveri, Kind.REGISTER_XLSX, found.pk, f"errors_{KAVERI}_register_05112026.xlsx")
    (wrong,) = rows(openpyxl.load_workbook(path)["Register"])
    assert (wrong["Document number"], wrong["Taxable value"]) == ("P/2", "much")
    actor = factories.member(kaveri, "preparer")
    registers.remove(register=found, actor=actor, clock=factories.clock(ON), request_id=uuid4())
    assert list(folder.iterdir()) == []
    with pytest.raises(NothingToWriteError, match="Upload it again"):
        back(kaveri, Kind.REGISTER_XLSX, found.pk, "")
