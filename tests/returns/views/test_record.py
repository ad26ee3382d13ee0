"""The page of one record: what it may belong to, its history with its supplier's edits, what used it, the panel."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import pairs, standing
from invoices.models import Record, ReportedBefore
from invoices.pairs import Fits, Warned
from tests import factories
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text

CN = Section.CN


def page(desk: Desk, number: str, **query: str) -> str:
    return text(desk.get(f"ims/records/{Record.objects.get(number=number).pk}/", "preparer", **query))


def content(desk: Desk, number: str) -> str:
    return desk.get(f"ims/records/{Record.objects.get(number=number).pk}/").content.decode()


def pairs_of(number: str, on: str = "2025-11-16") -> pairs.Pairs:
    record = Record.objects.get(number=number)
    return pairs.of(record, standing.of(record.recipient, factories.at(on)))


# What it may belong to


def test_a_note_is_offered_its_suppliers_invoices_the_one_of_the_same_tax_first(desk: Desk) -> None:
    factories.filed(
        factories.document(number="INV1", tax=18000, on="2025-10-01"),
        factories.document(number="INV2", tax=9000, on="2025-10-02"),
        factories.document(number="LATER", tax=9000, on="2025-10-25"),
        factories.document(section=CN, number="CN1", tax=9000, on="2025-10-20"),
    )
    found = pairs_of("CN1")
    assert [(pair.other.number, pair.fits) for pair in found.found] == [
        ("INV2", Fits.SAME_TAX),
        ("INV1", Fits.SAME_SUPPLIER),
    ]
    shown = page(desk, "CN1")
    assert "reported without the number of its invoice (R6.9)" in shown
    assert re.search(r"INV2 Invoice 02/10/2025 No action the same tax in every head 9,000\.00", shown)
    assert "LATER" not in shown


def test_another_suppliers_invoice_is_never_offered(desk: Desk) -> None:
    factories.filed(factories.document(number="OTHER", tax=9000), supplier="24AAACT2727Q1ZW")
    factories.filed(factories.document(section=CN, number="CN1", tax=9000, on="2025-10-20"))
    assert not pairs_of("CN1").found
    assert "Ask the supplier which invoice it belongs to" in page(desk, "CN1")


@pytest.mark.parametrize(
    ("invoice", "note", "tax", "warned", "says"),
    [
        ("A", "A", 18000, Warned.NOTE_IS_LARGER, "is larger than INV1, which it seems to belong to"),
        ("R", "", 9000, Warned.INVOICE_REJECTED, "INV1 is rejected, so you took no ITC of it"),
        ("R", "A", 9000, Warned.INVOICE_REJECTED, "INV1 is rejected, so you took no ITC of it"),
        ("R", "R", 9000, Warned.BOTH_REJECTED, "INV1 and credit note CN1 are both rejected"),
        ("A", "R", 9000, None, ""),
        ("R", "P", 9000, None, ""),
    ],
)
def test_a_pair_is_warned_of(
    desk: Desk,
    invoice: str,
    note: str,
    tax: int,
    warned: Warned | None,
    says: str,
) -> None:
    factories.filed(
        factories.document(number="INV1", tax=9000),
        factories.document(section=CN, number="CN1", tax=tax, on="2025-10-20"),
    )
    desk.act("INV1", invoice)
    if note:
        desk.act("CN1", note, **({"answer": "F"} if note == "A" else {}))
    assert [pair.warned for pair in pairs_of("CN1").found] == [warned]
    is_told_of_both = warned is not Warned.NOTE_IS_LARGER  # the tax differs: the invoice's page only lists the note
    assert [pair.warned for pair in pairs_of("INV1").found] == [warned if is_told_of_both else None]
    for number in ("CN1", "INV1") if is_told_of_both else ("CN1",):
        assert ("who-pays" in content(desk, number), says in page(desk, number)) == (bool(warned), True)


def test_a_note_larger_than_every_invoice_is_said_to_be(desk: Desk) -> None:
    factories.filed(
        factories.document(number="INV1", tax=100, on="2025-10-01"),
        factories.document(number="INV2", tax=200, on="2025-10-02"),
        factories.document(section=CN, number="CN1", tax=9000, on="2025-10-20"),
    )
    assert "is as large as this credit note: the largest has tax ₹200.00" in page(desk, "CN1")


# History


def test_a_suppliers_edit_is_told_with_old_and_new_values(desk: Desk) -> None:
    (record,) = factories.saved(factories.document(number="INV1", tax=18000), on="2025-11-05")
    factories.act(record, "A", on="2025-11-06", actor=desk.people["preparer"])
    factories.saved(factories.document(number="INV1", tax=9000, on="2025-10-07"), on="2025-11-07")
    factories.saved(factories.document(number="INV1", tax=4500, on="2025-10-07"), on="2025-11-08")
    shown = page(desk, "INV1")
    assert "Integrated tax: 18,000.00 &gt; 9,000.00" in shown
    assert "Date: 05/10/2025 &gt; 07/10/2025" in shown
    assert "Integrated tax: 9,000.00 &gt; 4,500.00" in shown
    assert re.search(r"Accepted &gt; No action reset: the supplier changed the record", shown)
    assert re.search(r"06/11/2025 10:00 Preparer Preparer No action &gt; Accepted", shown)


@pytest.mark.usefixtures("desk")
def test_what_a_record_said_before_is_kept_for_each_edit_and_cannot_be_changed() -> None:
    factories.saved(factories.document(number="INV1", tax=18000))
    factories.saved(factories.document(number="INV1", tax=18000))
    assert not ReportedBefore.objects.exists()
    factories.saved(factories.document(number="INV1", tax=9000))
    kept = ReportedBefore.objects.get()
    assert (kept.version, kept.said["igst"], kept.said["document_date"]) == (1, 1800000, "2025-10-05")
    with pytest.raises(Exception, match="append-only"):
        kept.delete()


def test_the_history_names_the_versions_that_counted_it_and_the_return_that_used_it(computed: Desk) -> None:
    computed.act("CN1", "R", remark="goods kept")
    factories.computed(computed.taxpayer, on="2025-11-16")
    computed.act("CN1", "P")
    factories.computed(computed.taxpayer, on="2025-11-16")
    computed.act("CN1", "R", remark="goods kept")
    factories.computed(computed.taxpayer, on="2025-11-16")
    factories.gstr3b.file(
        taxpayer=computed.taxpayer,
        period=factories.OCTOBER,
        actor=computed.people["signatory"],
        clock=factories.clock("2025-11-18"),
    )
    shown = page(computed, "CN1")
    assert re.search(
        r"GSTR-2B of 10/2025, version 1 ITC available, Part B I, Deemed accepted, GSTR-3B 4\(A\)\(5\)", shown
    )
    assert "GSTR-2B of 10/2025, version 2 ITC rejected, Part B I, Rejected ₹9,000.00" in shown
    assert "GSTR-2B of 10/2025, version 3 Not counted any more." in shown
    assert "GSTR-2B of 10/2025, version 4 ITC rejected" in shown
    assert re.search(
        r"18/11/2025 10:00 Signatory GSTR-3B of 10/2025 Final\. It used GSTR-2B version 4; "
        r"reference SBX-3B-102025-\d+\. The rejection raises the supplier&#x27;s tax in GSTR-3B of 11/2025\.",
        shown,
    )
    assert "As GSTR-2B of 10/2025 counted it" in shown


def test_what_was_reduced_on_the_chain_before_is_shown(desk: Desk) -> None:
    desk.documents()
    desk.act("CN1", "A", answer="P", declared=Tax(igst=400000), remark="half")
    for owner in (desk.taxpayer, factories.taxpayer(factories.SUPPLIER)):
        factories.computed(owner, on="2025-11-16")
        factories.gstr3b.file(taxpayer=owner, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18"))
    factories.filed(
        factories.document(section=Section.CNA, number="CN1", tax=12000, original="CN1"),
        period="112025",
        on="2025-12-05",
    )
    desk.today("2025-12-06")
    later = Record.objects.get(section="b2bcna")
    shown = text(desk.get(f"ims/records/{later.pk}/"))
    assert re.search(r"ITC reversed on this document before .*CN1 10/2025 Part ₹4,000\.00 4,000\.00", shown)


# The panel, and how much it asks


def test_to_htmx_the_record_comes_as_a_part_that_leads_back_to_the_list(desk: Desk) -> None:
    record = factories.filed_record()
    listed = desk.url("ims/inward/all/?q=INV")
    answer = desk.as_("preparer").get(
        desk.url(f"ims/records/{record.pk}/"),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{listed}"},
    )
    content = answer.content.decode()
    assert "<html" not in content
    assert content.lstrip().startswith('<section id="record-panel"')
    assert f'name="back" value="{listed}"' in content
    assert "HX-Request" in answer["Vary"]


def test_the_page_asks_little_even_of_a_settled_amended_record(computed: Desk) -> None:
    computed.act("CN1", "R", remark="goods kept")
    factories.computed(computed.taxpayer, on="2025-11-16")
    factories.gstr3b.file(
        taxpayer=computed.taxpayer, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18")
    )
    record = Record.objects.get(number="CN1")
    client = computed.as_("preparer")
    with CaptureQueriesContext(connection) as asked:
        assert client.get(computed.url(f"ims/records/{record.pk}/")).status_code == 200
    assert len(asked) <= 15


def test_a_stranger_sees_no_record(computed: Desk) -> None:
    record = Record.objects.get(number="CN1")
    assert computed.get(f"ims/records/{record.pk}/", "stranger").status_code == 404
