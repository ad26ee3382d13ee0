"""Journey 15: a GSTR-1 of 100,000 documents, three of them broken, from the file to its recipients; and a workbook."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from ims_portal.children import Child
from ims_portal.rules.documents import Document
from ims_portal.templatetags.ims import count
from invoices.models import Record
from returns import large_gstr1
from tests import factories
from tests.invoices import gstr1_files, gstr1_workbook
from tests.journeys.desk import Desk, set_clock

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

S, R = factories.SUPPLIER, factories.RECIPIENT
EACH, OTHERS = 20_000, 4
DOCUMENTS = EACH * (OTHERS + 1)
BROKEN = ("L0000/000007", "L0002/010000", "L0004/019999")
"""Early, in the middle, the last of all."""
PATIENCE = 600_000
"""Milliseconds for what takes half a minute on a machine of its own; with its set-up the journey takes one."""


def broken(found: Iterator[Document]) -> Iterator[Document]:
    """Yield documents, three of them with something wrong."""
    late, strange, unequal = BROKEN
    for document in found:
        if document.number == late:
            yield replace(document, date=date(2025, 11, 3))
        elif document.number == strange:
            yield replace(document, pos="99")
        elif document.number == unequal:
            yield replace(document, pos=factories.SUPPLIER[:2])
        else:
            yield document


def test_a_hundred_thousand_documents_are_read_while_progress_is_seen_and_three_come_back(
    person: Callable[[], Page], start_web: Callable[[], str], start_worker: Callable[[], Child], tmp_path: Path
) -> None:
    supplier, recipient = factories.taxpayer(S, name="Shree Balaji Traders"), factories.taxpayer(name="Meera Traders")
    factories.member(supplier, "preparer", "s1")
    factories.member(recipient, "preparer", "r1")
    set_clock("2025-11-10 10:00")
    file = tmp_path / "gstr1.json"
    found = large_gstr1.documents(
        supplier=S, period=factories.OCTOBER, to=[R, *large_gstr1.recipients(OTHERS)], each=EACH
    )
    large_gstr1.write(file, supplier=S, period=factories.OCTOBER, found=broken(found))
    start_worker()
    base = start_web()

    s1 = Desk(person(), base, "s1")
    s1.open(S, "returns/102025/gstr1/")
    s1.page.set_input_files("input[type=file]", file)
    s1.press("Upload")
    progress_is_seen(s1)
    three_come_back_with_cause_and_place(s1)
    saved = Record.objects.filter(status=Record.Status.SAVED)
    assert (saved.count(), saved.filter(recipient=recipient).count()) == (DOCUMENTS - 3, EACH - 1)
    the_recipient_sees_them_as_saved(Desk(person(), base, "r1"))


def test_the_offline_tools_workbook_goes_the_same_way(at_desk: Callable[..., Desk], tmp_path: Path) -> None:
    factories.member(factories.taxpayer(S, name="Shree Balaji Traders"), "preparer", "s1")
    factories.member(factories.taxpayer(name="Meera Traders"), "preparer", "r1")
    set_clock("2025-11-10 10:00")
    day = {"idt": "05-10-2025", "pos": "27"}
    good, strange = (
        gstr1_files.make_invoice(inum="A/1", **day),
        gstr1_files.make_invoice(inum="A/2", **day | {"pos": "Maharashtra"}),
    )
    book = gstr1_workbook.write(tmp_path / "gstr1.xlsx", {"b2b": [{"ctin": R, "inv": [good, strange]}]})
    s1 = at_desk("s1")
    s1.open(S, "returns/102025/gstr1/")
    s1.page.get_by_label("JSON, or workbook of the GST offline tool").set_input_files(book)
    s1.press("Upload")
    told = s1.page.get_by_role("heading", name="1 document was refused; the others are saved.")
    expect(told).to_be_visible(timeout=PATIENCE)
    line = s1.page.get_by_role("table", name="Problems, in the order of the file").locator("tbody tr")
    expect(line).to_contain_text("b2b,sez,de row 6")
    expect(line).to_contain_text('Place Of Supply "Maharashtra-Other" is not a State code')
    expect(s1.page.get_by_role("link", name="Download problems (CSV)")).to_be_visible()
    s1.shoot("15-workbook")
    s1.press("Take the refused rows as a workbook")
    taken = s1.page.get_by_role("link", name="errors-GSTR1-102025.xlsx")
    expect(taken).to_be_visible(timeout=PATIENCE)
    with s1.page.expect_download() as download:
        taken.click()
    download.value.save_as(tmp_path / "errors.xlsx")
    mended_it_is_taken(s1, tmp_path / "errors.xlsx")
    s1.open(S, "ims/outward/")
    for number in ("A/1", "A/2"):
        expect(s1.row(number)).to_contain_text("Saved")
    s1.press("Excel")
    expect(s1.page.get_by_role("link", name=re.compile(r"_outward\.xlsx"))).to_be_visible(timeout=PATIENCE)
    s1.shoot("15-outward-file")


def mended_it_is_taken(s1: Desk, file: Path) -> None:
    """Mend the place of supply of the one row that came back, and upload the workbook as it is."""
    book = openpyxl.load_workbook(file)
    sheet = book["b2b,sez,de"]
    labels, row = ([one.value for one in line] for line in sheet.iter_rows(min_row=5, max_row=6))
    assert (row[labels.index("Invoice Number")], "not a State code" in row[-1]) == ("A/2", True)
    sheet.cell(6, labels.index("Place Of Supply") + 1).value = "27-Maharashtra"
    book.save(file)
    s1.open(S, "returns/102025/gstr1/")
    s1.page.get_by_label("JSON, or workbook of the GST offline tool").set_input_files(file)
    s1.press("Upload")
    expect(s1.page.get_by_role("heading", name="The file is saved.")).to_be_visible(timeout=PATIENCE)


def progress_is_seen(s1: Desk) -> None:
    """See a share of the documents, not yet all of them, on the page that nobody touches."""
    share = re.compile(rf"[1-9][\d,]* of {count(DOCUMENTS)} documents, [1-9]?\d %")
    expect(s1.page.locator("#job").get_by_text(share)).to_be_visible(timeout=PATIENCE)
    expect(s1.page.get_by_role("progressbar", name="Progress")).to_be_visible()
    s1.shoot("15-progress")


def three_come_back_with_cause_and_place(s1: Desk) -> None:
    told = s1.page.get_by_role("heading", name="3 documents were refused; the others are saved.")
    expect(told).to_be_visible(timeout=PATIENCE)
    lines = s1.page.get_by_role("table", name="Problems, in the order of the file").locator("tbody tr")
    expect(lines).to_have_count(3)
    late, strange, unequal = BROKEN
    for line, number, cause, place in (
        (0, late, "is dated 3 November 2025; a return for 10/2025 can't contain it.", "b2b[0].inv[7]"),
        (1, strange, 'pos "99" is not a State code', "b2b[2].inv[10000]"),
        (2, unequal, "charges IGST, but the supply stays inside Gujarat (24)", "b2b[4].inv[19999]"),
    ):
        for text in (number, "Refused", cause, place):
            expect(lines.nth(line)).to_contain_text(text)
    expect(s1.page.locator("dl.facts", has_text="Added")).to_contain_text(count(DOCUMENTS - 3))
    s1.shoot("15-refused")


def the_recipient_sees_them_as_saved(r1: Desk) -> None:
    r1.open(R, "ims/inward/b2b/?q=L0000/00000")
    expect(r1.row("L0000/000006")).to_contain_text("Saved")
    expect(r1.row(BROKEN[0])).to_have_count(0)
    r1.open(R, "ims/inward/b2b/")
    expect(r1.page.locator("main")).to_contain_text(count(EACH - 1))
    r1.shoot("15-recipient")
