"""Reversals under Rule 37A taken in: whole or not at all, once however often told, in the period they name."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.money import Tax
from invoices import feeds
from invoices.feeds import FeedRefusedError
from invoices.models import Inbox, Record, Reversal
from returns import gstr3b
from tests import factories
from tests.invoices import feed_files as files
from tests.invoices.feed_taking import (
    ON,
    closed,
    recipient,
    refused,
    take_reversals,
)

SUPPLIER = "33AASFN0000R1Z5"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("importers")]


@pytest.fixture
def counted() -> Record:
    """Return an invoice of 180 rupees of IGST that September's GSTR-2B counted and its GSTR-3B settled."""
    factories.taxpayer(SUPPLIER, first=202609)
    found = factories.filed(
        factories.document(number="INV1", tax=180, recipient=files.IMPORTER, supplier=SUPPLIER, on="2026-09-05"),
        supplier=SUPPLIER,
        period="092026",
        on="2026-10-10",
    )
    closed("092026", "2026-10-20")
    return found[0]


def reversal(**changes: object) -> dict[str, Any]:
    """Return a reversal of that invoice."""
    told = {"ctin": SUPPLIER, "supprd": "092026", "docdt": "05-09-2026"}
    return files.reversal(**(told | changes))


def test_a_reversal_counts_in_the_period_it_names_and_knows_its_document(counted: Record) -> None:
    take_reversals(reversal())
    made = Reversal.objects.select_related("record").get()
    assert made.document_id == counted.pk
    record = made.record
    assert (record.section, record.gstr2b_month, record.bypass, record.tax) == ("r37a", 202610, "R37A", Tax(10000))
    assert (record.number, record.document_date) == ("INV1", date(2026, 9, 5))
    sums = factories.computed(recipient(), period="102026", on="2026-11-14").statement.sums
    assert sums["reversal"]["A_I"]["r37a"][1:] == [10000, 0, 0, 0]


def test_a_reversal_makes_the_draft_of_its_period_out_of_date(counted: Record) -> None:
    before = Inbox.objects.get(pk=counted.recipient_id).seq
    take_reversals(reversal(itcprd="112026"))
    assert Inbox.objects.get(pk=counted.recipient_id).seq == before
    take_reversals(reversal(igst=80), batch_id="R37A-2")
    assert Inbox.objects.get(pk=counted.recipient_id).seq == before + 1


def test_the_same_reversal_again_is_passed_over_and_another_content_refused(counted: Record) -> None:
    assert counted.pk
    take_reversals(reversal())
    taken = take_reversals(reversal(), batch_id="R37A-2")
    assert (taken.record_ids, taken.unchanged) == ([], 1)
    assert refused(lambda: take_reversals(reversal(igst=101), batch_id="R37A-3")) == [
        ("records[0]", "docnum", "APP-B03")
    ]
    assert refused(lambda: take_reversals(reversal(itcprd="112026"), reversal(itcprd="112026", igst=1))) == [
        ("records[0]", "", "APP-G113"),
        ("records[1]", "docnum", "APP-B03"),
    ]


def test_several_reversals_together_take_back_at_most_what_was_counted(counted: Record) -> None:
    assert counted.igst == 18000
    assert refused(lambda: take_reversals(reversal(igst=180.01))) == [("records[0]", "", "APP-G113")]
    take_reversals(reversal(igst=100))
    assert refused(lambda: take_reversals(reversal(igst=80.01, itcprd="112026"), batch_id="R37A-2")) == [
        ("records[0]", "", "APP-G113")
    ]
    parts = (reversal(igst=40, itcprd="112026"), reversal(igst=41, itcprd="122026"))
    assert refused(lambda: take_reversals(*parts, batch_id="R37A-2")) == [("records[1]", "", "APP-G113")]
    take_reversals(parts[0], reversal(igst=40, itcprd="122026"), batch_id="R37A-2")
    with pytest.raises(FeedRefusedError, match=r"at most IGST 0\.00"):
        take_reversals(reversal(igst=0.01, itcprd="012027"), batch_id="R37A-3")


def test_only_what_an_earlier_statement_counted_as_available_is_reversed(counted: Record) -> None:
    supplier, september = Taxpayer.objects.get(pk=counted.supplier_id), periods.parse("092026")
    factories.computed(supplier, period="092026", on="2026-10-20")
    gstr3b.file(taxpayer=supplier, period=september, actor=None, clock=factories.clock("2026-10-20"))
    rejected, pending = factories.filed(
        *(
            factories.document(number=number, tax=180, recipient=files.IMPORTER, supplier=SUPPLIER, on="2026-10-05")
            for number in ("NO", "LATER")
        ),
        supplier=SUPPLIER,
        period="102026",
        on="2026-11-10",
    )
    factories.computed(recipient(), period="102026", on="2026-11-14")  # counts both, but not for long
    factories.act(rejected, "R", on="2026-11-15", remark="Not ours")
    factories.act(pending, "P", on="2026-11-15")
    closed("102026", "2026-11-18")
    of_october = {"supprd": "102026", "docdt": "05-10-2026", "itcprd": "112026"}
    for number in ("NO", "LATER"):
        assert refused(lambda number=number: take_reversals(reversal(docnum=number, **of_october))) == [
            ("records[0]", "docnum", "APP-B02")
        ]


def test_what_the_statement_of_the_same_period_counts_is_no_earlier_credit() -> None:
    factories.taxpayer(SUPPLIER, first=202609)
    document = factories.document(number="INV1", tax=180, recipient=files.IMPORTER, supplier=SUPPLIER, on="2026-09-05")
    factories.filed(document, supplier=SUPPLIER, period="092026", on="2026-10-10")
    factories.computed(recipient(), period="092026", on="2026-10-14")
    assert refused(lambda: take_reversals(reversal(itcprd="092026"))) == [("records[0]", "docnum", "APP-B02")]
    assert len(take_reversals(reversal(itcprd="102026")).record_ids) == 1


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"docnum": "INV2"}, "docnum", "APP-B02"),
        ({"section": "b2ba"}, "docnum", "APP-B02"),
        ({"supprd": "082026"}, "docnum", "APP-B02"),
        ({"docdt": "06-09-2026"}, "docnum", "APP-B02"),
        ({"ctin": files.SHIVNATH}, "docnum", "APP-B02"),
        ({"gstin": files.OTHER}, "docnum", "APP-B02"),
        ({"gstin": "36AATCM0000C1Z0"}, "gstin", "APP-G104"),
        ({"itcprd": "092026"}, "itcprd", "APP-G117"),
        ({"cgst": 1}, "", "APP-G113"),
    ],
)
def test_each_thing_a_reversal_is_refused_for(counted: Record, changes: dict[str, Any], field: str, code: str) -> None:
    assert counted.pk
    assert refused(lambda: take_reversals(reversal(**changes))) == [("records[0]", field, code)]


def test_a_sum_without_documents_counts_too() -> None:
    record = feeds.rule_37a(
        recipient=recipient(), period=periods.parse("092026"), tax=Tax(700), clock=factories.clock(ON)
    )
    assert (record.number, record.gstr2b_month, record.reversal.document) == ("R37A-092026", 202609, None)
