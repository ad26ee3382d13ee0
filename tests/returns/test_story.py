"""The story of the samples, played whole from its files, against the figures its README tells, to the paisa."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.money import Tax, to_paise
from invoices import standing
from invoices.models import BillOfEntry, FeedBatch, Record, Reversal
from returns import demo, gstr2b, gstr3b
from tests.returns import story

DATA = Path(__file__).resolve().parent.parent / "data"
OCTOBER = periods.parse("102026")
CELLS = {
    "nonrevsup.b2b": ("A_I", "b2b"),
    "nonrevsup.b2ba": ("A_I", "b2ba"),
    "nonrevsup.cdnr": ("A_I", "b2bdn"),
    "nonrevsup.cdnra": ("A_I", "b2bdna"),
    "nonrevsup.ecom": ("A_I", "ecom"),
    "nonrevsup.ecoma": ("A_I", "ecoma"),
    "isdsup.isd": ("A_II", "isd"),
    "revsup.b2b": ("A_III", "b2b"),
    "imports.impg": ("A_IV", "impg"),
    "imports.impgsez": ("A_IV", "impgsez"),
    "imports.impga": ("A_IV", "impga"),
    "othersup.cdnr": ("B_I", "b2bcn"),
    "othersup.cdnra": ("B_I", "b2bcna"),
    "othersup.cdnrrev": ("B_III", "b2bcn"),
    "othersup.isd": ("B_II", "isdcn"),
}
"""A cell of `itcsumm` -> the part and section of our sums (formats 5.4, R7.6)."""
BLOCKS = {"itcavl": "available", "itcunavl": "not_available", "itcrev": "reversal", "itcRejected": "rejected"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def recipient() -> Taxpayer:
    """Return the recipient on the morning of 13 November, everything of the story told so far."""
    return story.told_so_far()


def table(heading: str) -> Iterator[list[str]]:
    """Yield the cells of the rows of the first table under a heading of the samples' README."""
    text = (DATA / "README.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    yield from ([cell.strip() for cell in row] for row in rows[2:])


def amounts(cell: str) -> list[int]:
    """Return the tax of a cell `IGST / CGST / SGST / cess` in paise."""
    return [to_paise(Decimal(head.strip())) for head in cell.split("/")]


def expected(column: int) -> dict[tuple[str, str, str], list[int]]:
    """Return (placement, part, section) -> tax of a column of the README's table, without what is nil."""
    found = {}
    for block, cell, *columns in table("Expected GSTR-2B summary"):
        part, section = CELLS[cell]
        section = "r37a" if block == "itcrev" else section
        found[BLOCKS[block], part, section] = amounts(columns[column])
    return {key: tax for key, tax in found.items() if any(tax)}


def computed(recipient: Taxpayer, on: str) -> dict[tuple[str, str, str], list[int]]:
    """Return (placement, part, section) -> tax of October's statement made on a day, without what is nil."""
    at = Fixed(demo.moment(on))
    sums = gstr2b.compute(taxpayer=recipient, period=OCTOBER, actor=None, clock=at).statement.sums
    found = {
        (placement, part, row): line[1:]
        for placement, parts in sums.items()
        for part, rows in parts.items()
        for row, line in rows.items()
    }
    return {key: tax for key, tax in found.items() if any(tax)}


def test_ims_shows_every_record_of_the_samples_with_its_action_and_nothing_else(recipient: Taxpayer) -> None:
    today = standing.of(recipient, demo.moment(demo.BEGINS))
    open_records = Record.objects.filter(recipient=recipient, settled_month=None, superseded_by=None)
    found = {
        (r.section, r.number, r.taxable, (r.igst, r.cgst, r.sgst, r.cess), today.effective_action(r).value)
        for r in open_records
        if not today.bypass(r)
    }
    wanted = {
        (section, number, to_paise(Decimal(taxable)), tuple(amounts(tax)), action.split()[0])
        for section, number, taxable, tax, action, *_rest in table("IMS records of the recipient")
    }
    assert len(wanted) == 29
    assert found == wanted


def test_the_draft_the_statement_after_the_saved_actions_and_the_3b_are_those_of_the_samples(
    recipient: Taxpayer,
) -> None:
    assert computed(recipient, "2026-11-14") == expected(0)
    story.save(recipient, "2026-11-16")
    assert computed(recipient, "2026-11-16 11:00") == expected(1)
    at = Fixed(demo.moment("2026-11-17"))
    for row, cell, source in table("Expected GSTR-3B"):
        if source == "entered by hand":
            tax = Tax(*amounts(cell))
            name = row_of(row)
            gstr3b.adjust(taxpayer=recipient, period=OCTOBER, row=name, tax=tax, reason="rule 42", actor=None, clock=at)
    filing = gstr3b.file(taxpayer=recipient, period=OCTOBER, actor=None, clock=at)
    told = {row_of(row): amounts(cell) for row, cell, _source in table("Expected GSTR-3B")}
    assert len(told) == 8
    assert {name: filing.declared[name] for name in told} == told


def row_of(label: str) -> str:
    """Return our name of a row of GSTR-3B: `4(A)(1)` is t4A1."""
    return "t" + label.replace("(", "").replace(")", "")


def test_what_came_by_feed_came_from_the_files_and_is_kept_with_what_they_told(recipient: Taxpayer) -> None:
    assert list(FeedBatch.objects.order_by("created_at").values_list("file_name", "added", "state")) == [
        ("isd-gstr6-082026.json", 1, "done"),
        ("boe-icegate-092026.json", 2, "done"),
        ("boe-icegate.json", 7, "done"),
        ("rule37a.json", 1, "done"),
        ("isd-gstr6.json", 5, "done"),
    ]
    moved = BillOfEntry.objects.select_related("record", "reduction__recipient").get(event="AMEND_GSTIN")
    assert moved.reduction is not None
    assert (moved.reference, moved.record.recipient_id) == ("ICG-261013-000208", recipient.pk)
    assert (moved.reduction.recipient.gstin, moved.reduction.reduces) == (demo.GUJARAT, True)
    from_sez = Record.objects.get(recipient=recipient, section="impgseza").bill
    assert (from_sez.sez_name, from_sez.source) == ("Panchganga SEZ Electronics Private Limited", "SEZ")
    reversal = Reversal.objects.select_related("document__supplier").get()
    assert reversal.document is not None
    assert (reversal.document.number, reversal.document.supplier.gstin) == ("SVC/2526/1188", demo.SHIVNATH)
    amended = Record.objects.get(recipient__gstin=demo.GUJARAT, section="isd", chain_no=2)
    assert (amended.original.number, amended.effect.igst) == ("ISD/26-27/031", -20000)
