"""Find a document: every place it may stand, and what is near it where nobody reported it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.rules import periods
from ims_portal.rules.documents import Document, Section
from ims_portal.rules.money import Tax
from invoices import feeds, finding, numbers, standing
from invoices.feeds_json.reversals import Reversal, ReversalBatch, Reversed
from invoices.models import Record
from returns import gstr3b
from tests import factories
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text

FIND = "ims/find/"


def found(desk: Desk, number: str, gstin: str = factories.SUPPLIER) -> str:
    return text(desk.get(FIND, "viewer", gstin=gstin, number=number))


def test_an_open_document_leads_to_its_page(computed: Desk) -> None:
    record = Record.objects.get(number="INV1")
    answer = computed.get(FIND, gstin=factories.SUPPLIER.lower(), number="inv1")
    assert "It counts in GSTR-2B of 10/2025 and can be decided on." in text(answer)
    assert f'/ims/records/{record.pk}/">INV1</a>' in answer.content.decode()
    assert "GSTR-2B of 10/2025, version 1 ITC available, Part A I" in text(answer)


def test_a_settled_document_names_its_return(computed: Desk) -> None:
    gstr3b.file(taxpayer=computed.taxpayer, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-16"))
    assert "Settled with GSTR-3B of 10/2025. Only Firm AAACS can change it" in found(computed, "INV1")
    assert "gstr3b/receipt/" in computed.get(FIND, gstin=factories.SUPPLIER, number="INV1").content.decode()


def test_a_saved_and_a_withdrawn_document_say_so(desk: Desk) -> None:
    factories.saved(factories.document(number="SAVED"), factories.document(number="GONE"))
    factories.saved(factories.document(number="GONE", withdraw=True))
    assert "Firm AAACS saved it and has not filed it." in found(desk, "SAVED")
    assert "Firm AAACS took it back before filing." in found(desk, "GONE")


def test_a_superseded_document_leads_to_the_version_that_counts(desk: Desk) -> None:
    quarterly = factories.taxpayer("27AAACQ1234C1Z0", frequency=periods.Frequency.QUARTERLY)
    factories.member(quarterly, "viewer", "viewer")
    supplier = factories.taxpayer(factories.SUPPLIER)
    factories.filed(factories.document(number="INV1", recipient=quarterly.gstin))
    factories.computed(supplier)
    gstr3b.file(taxpayer=supplier, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-15"))
    amended = factories.document(
        section=Section.B2BA, number="INV1", original="INV1", tax=9000, recipient=quarterly.gstin
    )
    factories.filed(amended, period="112025", on="2025-12-05")
    answer = desk.as_("viewer").get(f"/en/t/{quarterly.gstin}/{FIND}", {"gstin": factories.SUPPLIER, "number": "INV1"})
    assert "2 documents found" in text(answer)
    assert "Replaced by the later version INV1 in the same GSTR-2B." in text(answer)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (
            factories.document(number="BY1", reverse_charge=True),
            "because you pay its tax under reverse charge. Nothing is to be decided.",
        ),
        (
            replace(factories.document(number="BY1", tax=Tax(cgst=900000, sgst=900000)), pos="24"),
            "because its place of supply gives you no credit.",
        ),
    ],
)
def test_what_bypasses_ims_says_why_and_where_gstr_2b_counts_it(desk: Desk, document: Document, says: str) -> None:
    factories.filed(document)
    factories.computed(desk.taxpayer)
    shown = found(desk, "BY1")
    assert says in shown
    assert "GSTR-2B of 10/2025, version 1" in shown


def test_a_document_of_before_ims_says_when_it_began(desk: Desk) -> None:
    desk.taxpayer.first_month = 202409
    desk.taxpayer.save()
    factories.taxpayer(factories.SUPPLIER, first=202409)
    factories.filed(factories.document(number="OLD", on="2024-09-05"), period="092024", on="2024-10-10")
    assert "because its GSTR-2B period is before 10/2024, when IMS began" in found(desk, "OLD")


def test_a_reversal_under_rule_37a_stands_beside_its_document(computed: Desk) -> None:
    gstr3b.file(taxpayer=computed.taxpayer, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18"))
    told = Reversed("b2b", factories.SUPPLIER, factories.OCTOBER, "INV1", date(2025, 10, 5))
    reversal = Reversal("records[0]", factories.RECIPIENT, periods.parse("112025"), Tax(igst=100), told)
    feeds.take_reversals(found=[reversal, ReversalBatch("R37A-1")], clock=factories.clock("2025-12-01"))
    assert "Reversed under Rule 37A in GSTR-2B of 11/2025" in found(computed, "INV1")


def test_what_nobody_reported_says_what_to_do_and_what_is_near(desk: Desk) -> None:
    factories.filed(factories.document(section=Section.CN, number="CN/26/0117", tax=90))
    shown = found(desk, "cn-26-117")
    assert f"{factories.SUPPLIER} has not reported this number to you." in shown
    assert "a GSTR-1 of 11/2025, due on 11/12/2025" in shown
    assert "Nearly the same number" in shown
    assert "CN/26/0117" in shown
    assert "Nearly the same number" not in found(desk, "CN/26/1107")


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("CN/26/0117", "cn-26-117", True),
        ("CN/26/0117", "CN260117", True),
        ("INV-007", "INV7", True),
        ("INV-007", "INV70", False),
        ("A/10", "A/1", False),
        ("0", "000", True),
    ],
)
def test_numbers_are_near_by_case_separators_and_leading_zeros_alone(one: str, other: str, near: bool) -> None:
    assert numbers.are_near(one, other) is near
    if near:
        assert numbers.coarse_of(one) == numbers.coarse_of(other)


def test_a_document_of_another_recipient_is_not_told(computed: Desk) -> None:
    other = factories.taxpayer("29AAACB1234K1ZU")
    factories.saved(factories.document(number="THEIRS", recipient=other.gstin), period="112025", on="2025-12-05")
    assert "has not reported this number to you" in found(computed, "THEIRS")


def test_a_wrong_gstin_and_a_missing_number_are_told_at_their_fields(desk: Desk) -> None:
    answer = desk.get(FIND, gstin="24AAACS2718C1ZY", number="")
    assert answer.status_code == 422
    assert 'href="#id_gstin"' in answer.content.decode()
    assert 'href="#id_number"' in answer.content.decode()
    assert desk.get(FIND).status_code == 200
    assert desk.get(FIND, "stranger").status_code == 404


def test_both_searches_go_by_an_index(desk: Desk) -> None:
    factories.filed(*(factories.document(number=f"INV{number}", tax=10) for number in range(300)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE invoices_record; SET LOCAL enable_seqscan = off")
    today = standing.of(desk.taxpayer, factories.at("2025-11-16"))
    with CaptureQueriesContext(connection) as asked:
        answer = finding.find(taxpayer=desk.taxpayer, today=today, gstin=factories.SUPPLIER, number="INV-0077")
    assert [record.number for record in answer.near] == ["INV77"]
    plans = []
    for query in asked.captured_queries[-2:]:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + query["sql"])
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
    assert "outward_by_number" in plans[0] or "inward_by_number" in plans[0]
    assert "near_numbers_of_a_supplier" in plans[1]
