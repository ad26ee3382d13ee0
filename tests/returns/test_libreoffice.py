"""Every kind of workbook opened by LibreOffice, where that is present: text is shown as text, nothing is worked out."""

from __future__ import annotations

import csv
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pytest

from ims_portal import workbook_reading
from ims_portal.models import Taxpayer
from invoices import ims_sheets
from invoices.models import Record
from returns import client_archives, client_files, client_orders, exports, gstr2b
from returns.client_orders import What
from returns.export_files import Kind
from returns.models import Gstr2b
from tests.returns import story
from tests.returns.test_actions_by_file import changed, edits, handed_in, written
from tests.returns.test_exports import NOON, owner, wanted

pytestmark = pytest.mark.django_db
SOFFICE = shutil.which("soffice")
EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
"""Comma, quotation mark, UTF-8, from the first row on, numbers as stored, each sheet into a file of its own."""

HOSTILE = '=HYPERLINK("http://evil.example","pay here")'


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:  # noqa: ANN401 pytest-django's settings
    """Keep files where the test can see them."""
    settings.IMS_EXPORT_DIR = str(tmp_path / "exports")
    return tmp_path


@pytest.fixture
def statement() -> Gstr2b:
    """The story's statement of October after the recipient saved its actions."""
    recipient = story.told_so_far()
    story.save(recipient, "2026-11-16")
    return gstr2b.compute(taxpayer=recipient, period=story.OCTOBER, actor=None, clock=NOON).statement


def convert(book: Path, to: str, out: Path) -> None:
    """Let LibreOffice save a workbook as something else, under a profile of its own."""
    command = [str(SOFFICE), "--headless", f"-env:UserInstallation=file://{out.parent}/profile", "--convert-to", to]
    subprocess.run([*command, "--outdir", str(out), str(book)], check=True, capture_output=True, timeout=180)


def converted(book: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Return sheet -> its rows as LibreOffice shows them."""
    out = folder / f"converted-{book.stem}"
    convert(book, EVERY_SHEET, out)
    found = {}
    for path in out.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            found[path.stem.removeprefix(f"{book.stem}-")] = list(csv.reader(stream))
    return found


def shown_as_written(book: Path, folder: Path) -> int:
    """Check that every text of a workbook is shown where it was written, hostile ones too; return how many."""
    shown = converted(book, folder)
    written_ = openpyxl.load_workbook(book)
    assert set(shown) == set(written_.sheetnames)
    texts = 0
    for sheet in written_:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", "no cell is a formula"
                if isinstance(cell.value, str) and cell.value.strip():
                    texts += 1
                    seen = shown[sheet.title][cell.row - 1][cell.column - 1]
                    assert " ".join(seen.split()) == " ".join(cell.value.split()), (sheet.title, cell.coordinate)
    everything = "\n".join(cell for rows in shown.values() for row in rows for cell in row)
    assert any(hostile in everything for hostile in (HOSTILE, "@SUM", "+Tunga"))
    return texts


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not on this machine")
@pytest.mark.parametrize("kind", [Kind.GSTR2B_XLSX, Kind.IMS_XLSX, Kind.OUTWARD_XLSX], ids=str)
def test_libreoffice_shows_text_where_text_was(statement: Gstr2b, folder: Path, kind: Kind) -> None:
    firm = statement.recipient
    Taxpayer.objects.filter(pk__in=[statement.recipient_id]).update(trade_name="+Tungabhadra")
    Taxpayer.objects.filter(gstin__startswith="29AAFCK").update(legal_name=HOSTILE, trade_name="")
    Record.objects.filter(recipient=firm).update(remark="@SUM(A1:A9)\t-1")
    asked: dict[Kind, tuple[Taxpayer, dict[str, object]]] = {
        Kind.GSTR2B_XLSX: (firm, {"month": statement.month, "version": statement.version}),
        Kind.IMS_XLSX: (firm, {"section": "all", "query": ""}),
        Kind.OUTWARD_XLSX: (Taxpayer.objects.get(gstin__startswith="29AAFCK"), {"section": "all", "query": ""}),
    }
    taxpayer, of = asked[kind]
    book = Path(wanted(taxpayer, kind, NOON, **of).path)
    assert shown_as_written(book, folder) > 100


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not on this machine")
@pytest.mark.django_db(transaction=True)
def test_refused_rows_and_the_cover_of_an_archive_are_text_too(folder: Path) -> None:
    firm = story.told_so_far()
    Taxpayer.objects.filter(gstin__startswith="29AAFCK").update(legal_name=HOSTILE, trade_name="")
    Taxpayer.objects.filter(pk=firm.pk).update(trade_name="+Tungabhadra")
    file = handed_in(firm, changed(written(firm), edits))
    assert shown_as_written(written(firm, Kind.REFUSED_XLSX, file=str(file.pk)), folder) > 30
    key = uuid4()
    order = client_orders.ask(user=owner(firm), what=What.EXPORT, gstins=[firm.gstin, HOSTILE], key=key, clock=NOON)
    (asked,) = order.jobs().values()
    exports.write(export=asked, clock=NOON)
    archive = client_archives.request(user=owner(firm), key=key, clock=NOON, request_id=uuid4())
    client_archives.write(archive=archive, clock=NOON)
    with zipfile.ZipFile(archive.path) as packed:
        cover = Path(packed.extract(client_files.COVER, folder))
    assert shown_as_written(cover, folder) > 10


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not on this machine")
def test_a_workbook_saved_by_libreoffice_is_read_again_and_says_no_change(folder: Path) -> None:
    recipient = story.told_so_far()
    book = Path(wanted(recipient, Kind.IMS_XLSX, NOON, section="all", query="").path)
    convert(book, "xlsx", folder / "saved")
    found = ims_sheets.Found()
    changed = list(ims_sheets.read(workbook_reading.read(folder / "saved" / book.name), found))
    assert changed == []
    assert found.gstin == recipient.gstin
    assert found.untouched > 20
