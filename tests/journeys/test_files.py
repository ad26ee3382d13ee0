"""Files out and in, in a browser with a real worker: journey 14, with script and without; GSTR-2B, GSTR-3B as files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from playwright.sync_api import expect

from ims_portal.models import Taxpayer
from invoices.models import Record
from returns import demo
from returns.models import Adjustment
from tests import factories
from tests.journeys.desk import Desk, set_clock
from tests.returns import story
from tests.returns.test_actions_by_file import cell
from tests.signing_in import PASSWORD

RECIPIENT = demo.RECIPIENT


@pytest.fixture
def told() -> None:
    """The story up to the morning of 13 November."""
    story.played(until=demo.BEGINS, password=PASSWORD)
    set_clock("2026-11-13 11:00")


def taken(desk: Desk, folder: Path) -> Path:
    """Wait for a file asked for, and take it; what it is called and hashed to is on its page."""
    link = desk.awaited(desk.page.get_by_role("link", name=re.compile("^Download ")))
    with desk.page.expect_download() as found:
        link.click()
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() in desk.page.content()
    return path


def finished(desk: Desk, heading: str) -> None:
    """Wait until a file of actions is read, or applied."""
    desk.awaited(desk.page.get_by_role("heading", name=heading, exact=True))


def edited(path: Path) -> Path:
    """Make the four edits of journey 14 in a workbook: a barred Pending, a formula as a remark, a note, a good one."""
    book: Workbook = openpyxl.load_workbook(path)
    cell(book["B2B-CN"], "WMA/CN/88", "Status").value = "Pending"
    cell(book["B2B"], "KMF/26-27/1004", "Status").value = "Rejected"
    remark = cell(book["B2B"], "KMF/26-27/1004", "Remarks")
    remark.value, remark.data_type = "=1+1", "s"
    cell(book["B2B-CN"], "KMF/CN/041", "Status").value = "Accepted"
    cell(book["B2B"], "NCL-26-0558", "Status").value = "Accepted"
    book.save(path)
    return path


def upload(desk: Desk, path: Path) -> None:
    desk.open(RECIPIENT, "ims/inward/")
    desk.page.get_by_role("link", name="Actions by file").click()
    desk.page.set_input_files("input[type=file]", path)
    desk.press("Upload")
    finished(desk, "What this file would do")


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("told")
def test_a_workbook_goes_out_and_comes_back_with_actions(
    at_desk: Callable[..., Desk], tmp_path: Path, script: bool
) -> None:
    set_clock("2026-12-22 11:00")  # the credit notes of October may be pending no more
    meera = at_desk("meera", script=script)
    meera.open(RECIPIENT, "ims/inward/")
    meera.press("Download IMS details (Excel)")
    path = edited(taken(meera, tmp_path))

    upload(meera, path)
    main = meera.page.locator("main")
    expect(main).to_contain_text("2 records would change")
    expect(main).to_contain_text("2 rows are refused")
    expect(main).to_contain_text("Say whether ITC is reduced for KMF/CN/041")
    expect(main).to_contain_text("WMA/CN/88 could be pending until 20/12/2026")
    meera.shoot(f"files-preview-{script}")
    assert Record.objects.get(recipient__gstin=RECIPIENT, number="KMF/26-27/1004").action == "N"
    meera.press("Save 2 actions")
    finished(meera, "Saved")
    expect(main).to_contain_text("2 records were changed")
    meera.shoot(f"files-saved-{script}")
    invoice = Record.objects.get(recipient__gstin=RECIPIENT, number="KMF/26-27/1004")
    assert (invoice.action, invoice.remark) == ("R", "=1+1")
    assert Record.objects.get(recipient__gstin=RECIPIENT, number="KMF/CN/041").action == "N"

    meera.press("Take the refused rows as a file")
    back = taken(meera, tmp_path)
    book = openpyxl.load_workbook(back)
    assert "Say whether ITC is reduced" in cell(book["B2B-CN"], "KMF/CN/041", "Problem").value
    cell(book["B2B-CN"], "KMF/CN/041", "ITC to be reduced").value = "Yes"
    book.save(back)
    upload(meera, back)
    expect(main).to_contain_text("1 record would change")
    meera.press("Save 1 action")
    finished(meera, "Saved")
    note = Record.objects.get(recipient__gstin=RECIPIENT, number="KMF/CN/041")
    assert (note.action, note.answer) == ("A", "F")
    meera.open(RECIPIENT, "ims/files/")
    expect(meera.page.get_by_role("row").filter(has_text="Applied")).to_have_count(2)
    meera.shoot(f"files-list-{script}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("told")
def test_a_statement_is_taken_as_workbook_and_json(at_desk: Callable[..., Desk], tmp_path: Path) -> None:
    set_clock("2026-11-14 10:00")
    meera = at_desk("meera")
    meera.open(RECIPIENT, "returns/102026/gstr2b/")
    if meera.page.get_by_role("button", name="Download Excel").count() == 0:
        meera.press("Compute GSTR-2B")
        expect(meera.page.get_by_role("link", name="View GSTR-2B")).to_be_visible(timeout=60_000)
        meera.page.get_by_role("link", name="View GSTR-2B").click()
    meera.press("Download Excel")
    book = openpyxl.load_workbook(taken(meera, tmp_path))
    assert len(book.sheetnames) == 29
    meera.shoot("files-gstr2b")
    meera.open(RECIPIENT, "returns/102026/gstr2b/")
    meera.press("Download JSON")
    data = json.loads(taken(meera, tmp_path).read_text())["data"]
    assert (data["gstin"], data["rtnprd"]) == (RECIPIENT, "102026")
    meera.open(RECIPIENT, "exports/")
    expect(meera.page.get_by_role("link", name=re.compile("^Download "))).to_have_count(2)
    meera.shoot("files-exports")


def changed_by_hand(path: Path) -> Path:
    """Change two rows of Table 4 and a locked one in a GSTR-3B, as the taxpayer's own program would."""
    body = json.loads(path.read_text())
    body["itc_elg"]["itc_rev"][0]["iamt"] = 2000
    body["itc_elg"]["itc_rev"][1]["iamt"] += 500.25
    body["sup_details"]["osup_det"]["iamt"] += 1
    path.write_text(json.dumps(body))
    return path


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("told")
def test_a_draft_gstr3b_goes_out_and_comes_back_filled(
    at_desk: Callable[..., Desk], tmp_path: Path, script: bool
) -> None:
    set_clock("2026-11-15 10:00")
    factories.computed(Taxpayer.objects.get(gstin=RECIPIENT), period="102026", on="2026-11-14")
    meera = at_desk("meera", script=script)
    meera.open(RECIPIENT, "returns/102026/gstr3b/")
    meera.press("Download JSON")
    path = changed_by_hand(taken(meera, tmp_path))

    meera.open(RECIPIENT, "returns/102026/gstr3b/")
    meera.page.get_by_role("link", name="Upload JSON").click()
    meera.shoot(f"files-gstr3b-upload-{script}")
    meera.page.set_input_files("input[type=file]", path)
    meera.press("Upload")
    main = meera.page.locator("main")
    expect(main).to_contain_text("2 rows would be filled. Nothing is saved yet.")
    expect(main).to_contain_text("Locked from 07/2025")
    meera.shoot(f"files-gstr3b-preview-{script}")
    assert not Adjustment.objects.exists()

    meera.press("Fill 2 rows")
    expect(main).to_contain_text("4(B)(2) is declared otherwise than derived. Say why.")
    meera.shoot(f"files-gstr3b-reason-{script}")
    meera.page.get_by_label("One reason for all rows that need one").fill("goods paid late")
    meera.press("Fill 2 rows")
    expect(meera.message("2 rows of GSTR-3B are filled from the file.")).to_be_visible()
    table = meera.page.locator("#table-4")
    expect(table.locator("tbody", has_text="4(B)(1)")).to_contain_text("2,000.00")
    expect(table.locator("tbody", has_text="4(B)(2) Others")).to_contain_text("goods paid late")
    meera.shoot(f"files-gstr3b-filled-{script}")
    assert set(Adjustment.objects.values_list("row", "reason")) == {("t4B1", ""), ("t4B2", "goods paid late")}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("told")
def test_what_is_no_file_of_actions_is_told(at_desk: Callable[..., Desk], tmp_path: Path) -> None:
    meera = at_desk("meera")
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 no workbook")
    meera.open(RECIPIENT, "ims/files/")
    meera.page.set_input_files("input[type=file]", broken)
    meera.press("Upload")
    expect(meera.page.locator("#job")).to_contain_text("Failed", timeout=60_000)
    expect(meera.page.locator("#job")).to_contain_text("Nothing was saved")
    meera.shoot("files-failed")
    wrong = tmp_path / "actions.txt"
    wrong.write_text("x")
    meera.open(RECIPIENT, "ims/files/")
    meera.page.set_input_files("input[type=file]", wrong)
    meera.press("Upload")
    expect(meera.page.locator("main")).to_contain_text("Choose the workbook (.xlsx) or the JSON file (.json)")
    meera.shoot("files-refused")
