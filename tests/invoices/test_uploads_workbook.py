"""The offline tool's workbook handed in: records as from JSON, problems in its own words, nothing half stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.fixtures import Settings

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from invoices import uploads
from invoices.models import Record, ReturnSummary, Upload
from tests import factories
from tests.invoices import gstr1_files, gstr1_workbook

DATA = Path(__file__).resolve().parent.parent / "data"
KAVERI = "29AAFCK0000M1ZQ"
PERIOD = periods.parse("102026")
ON = "2026-11-05"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Keep the test's files in a folder of its own."""
    settings.IMS_UPLOAD_DIR = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def kaveri() -> Taxpayer:
    """Return the supplier of the sample files, an e-commerce operator, nothing filed yet."""
    found = factories.taxpayer(KAVERI, first=202610)
    found.kind = Taxpayer.Kind.ECO
    found.save()
    return found


def ingested(owner: Taxpayer, content: bytes, *, name: str = "gstr1.xlsx") -> Upload:
    """Return the job of a file handed in and read."""
    upload = uploads.receive(
        taxpayer=owner,
        form=Form.GSTR1,
        period=PERIOD,
        file=SimpleUploadedFile(name, content),
        actor=factories.member(owner, "preparer"),
        clock=factories.clock(ON),
        request_id=uuid4(),
    )
    uploads.ingest(upload=upload, clock=factories.clock(ON))
    upload.refresh_from_db()
    return upload


def workbook(tmp_path: Path, file: dict[str, Any]) -> bytes:
    """Return the bytes of a workbook that says what a file of JSON says."""
    return gstr1_workbook.write(tmp_path / "made.xlsx", file).read_bytes()


def sample() -> dict[str, Any]:
    """Return the sample without its amendments, whose originals are not here, and without e-invoice keys."""
    file = gstr1_files.sample("gstr1-monthly.json")
    kept = {key: value for key, value in file.items() if key not in ("b2ba", "cdnra", "ecoma")}
    for group in (*kept["b2b"], *kept["cdnr"]):
        for document in (*group.get("inv", []), *group.get("nt", [])):
            for key in ("srctyp", "irn", "irngendate"):
                document.pop(key, None)
    return kept


@pytest.mark.parametrize("workbook_first", [True, False])
def test_a_workbook_and_its_json_store_the_same(kaveri: Taxpayer, tmp_path: Path, *, workbook_first: bool) -> None:
    files = [(workbook(tmp_path, sample()), "gstr1.xlsx"), (json.dumps(sample()).encode(), "gstr1.json")]
    first, second = files if workbook_first else reversed(files)
    saved = ingested(kaveri, first[0], name=first[1])
    assert (saved.state, saved.added, saved.refused) == (Upload.State.DONE, 18, 0)
    assert ReturnSummary.objects.count() == 2
    before = list(Record.objects.order_by("id").values_list("id", "version", "taxable"))
    again = ingested(kaveri, second[0], name=second[1])
    assert (again.added, again.changed, again.unchanged, again.refused) == (0, 0, 18, 0)
    assert again.stage == uploads.Stage.CHANGED_NOTHING.value
    assert list(Record.objects.order_by("id").values_list("id", "version", "taxable")) == before


def test_what_is_wrong_is_told_by_sheet_row_and_column_and_the_rest_is_saved(
    kaveri: Taxpayer, tmp_path: Path, folder: Path
) -> None:
    good = gstr1_files.make_invoice(inum="KMF/1")
    late = gstr1_files.make_invoice(inum="KMF/2", idt="05-11-2026")
    strange = gstr1_files.make_invoice(inum="KMF/3", itms=[{"num": 1, "itm_det": {"txval": 100, "rt": 17}}])
    note = gstr1_files.make_note(nt_num="CN 1")
    file = gstr1_files.with_invoices(good, late, strange, good)
    file |= {"cdnr": [{"ctin": gstr1_files.RECIPIENT, "nt": [note]}]}
    file["b2b"][0]["inv"][3] = gstr1_files.make_invoice(inum="kmf/1", idt="06-10-2026")
    upload = ingested(kaveri, workbook(tmp_path, file))
    assert (upload.state, upload.added, upload.refused) == (Upload.State.DONE, 1, 4)
    assert list(upload.problems.order_by("id").values_list("position", "field", "code")) == [
        ("b2b,sez,de row 6", "Invoice date", "APP-G108"),
        ("b2b,sez,de row 7", "Rate", "APP-G109"),
        ("b2b,sez,de row 8", "Invoice Number", "APP-G107"),
        ("cdnr row 5", "Note Number", "APP-G106"),
    ]
    assert uploads.refused_by_table([upload]) == (upload, {"b2b": 3, "cdnr": 1})
    assert [str(kept) for kept in folder.iterdir()] == [upload.path]


def test_a_supply_to_an_sez_unit_bears_igst_in_the_workbook_too(kaveri: Taxpayer, tmp_path: Path) -> None:
    unit = factories.taxpayer(gstr1_files.RECIPIENT)
    unit.kind = Taxpayer.Kind.SEZ
    unit.save()
    upload = ingested(kaveri, workbook(tmp_path, gstr1_files.with_invoices(gstr1_files.make_invoice())))
    assert (upload.added, upload.refused) == (1, 0)
    assert Record.objects.get().tax.as_dict() == {"igst": 1800, "cgst": 0, "sgst": 0, "cess": 0}


@pytest.mark.parametrize(
    ("content", "name", "code", "said"),
    [
        (b"PK\x03\x04 and then nothing", "gstr1.json", "APP-F01", "The workbook cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "gstr1.xls", "APP-F01", "old format (.xls)"),
        (b"GSTIN,Invoice Number", "gstr1.xlsx", "APP-F01", "not an .xlsx file"),
    ],
)
def test_what_is_no_workbook_fails_with_the_reason(
    kaveri: Taxpayer, folder: Path, content: bytes, name: str, code: str, said: str
) -> None:
    upload = ingested(kaveri, content, name=name)
    assert (upload.state, upload.problems.get().code) == (Upload.State.FAILED, code)
    assert said in upload.problem
    assert not Record.objects.exists()
    assert list(folder.iterdir()) == []


def test_a_workbook_of_something_else_fails_whole(kaveri: Taxpayer, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a shopping list"])
    book.save(tmp_path / "other.xlsx")
    upload = ingested(kaveri, (tmp_path / "other.xlsx").read_bytes())
    assert (upload.state, upload.problems.get().code) == (Upload.State.FAILED, "APP-F03")
