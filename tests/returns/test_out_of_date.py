"""When a statement is out of date (R7.11): exactly the changes that its next computation would see."""

from datetime import date

import pytest

from ims_portal.models import DueDateExtension
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Form, Section
from invoices import feeds, outward, standing
from invoices.models import Inbox
from returns import gstr2b, gstr3b
from returns.models import Filing, Gstr2b
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def is_out_of_date(on: str) -> bool:
    statement = Gstr2b.objects.latest("id")
    inbox = Inbox.objects.get(pk=statement.recipient_id)
    return gstr2b.is_out_of_date(statement, inbox=inbox, today=standing.of(statement.recipient, factories.at(on)))


def test_a_choice_set_and_set_back_counts() -> None:
    record = factories.filed_record()
    factories.computed()
    assert not is_out_of_date("2025-11-15")
    factories.act(record, "R", on="2025-11-15")
    factories.act(record, "N", on="2025-11-15")
    assert is_out_of_date("2025-11-15")


def test_a_record_of_a_later_period_does_not_count() -> None:
    factories.filed_record()
    factories.computed()
    later = factories.filed(
        factories.document(number="NOV", on="2025-10-30"), supplier="29AAKCT0000P1Z6", on="2025-11-13"
    )[0]
    assert later.gstr2b_month == 202511
    factories.act(later, "R", on="2025-11-14")
    assert not is_out_of_date("2025-11-15")


def test_a_document_filed_into_the_period_counts() -> None:
    administrator = factories.user("calendar")
    DueDateExtension.objects.create(
        form="GSTR-1",
        month=202510,
        frequency="M",
        due=date(2025, 11, 18),
        notification="99/2025",
        known_from=factories.at("2025-11-01"),
        approved_by=administrator,
    )
    factories.filed_record()
    factories.computed()
    assert not is_out_of_date("2025-11-16")
    late = factories.filed(factories.document(number="LATE"), supplier="29AAKCT0000P1Z6", on="2025-11-16")[0]
    assert late.gstr2b_month == 202510
    assert is_out_of_date("2025-11-16")


def test_a_bypass_feed_of_the_period_counts() -> None:
    factories.filed_record()
    factories.computed()
    feeds.rule_37a(
        recipient=factories.taxpayer(),
        period=factories.OCTOBER,
        tax=factories.Tax(igst=100),
        clock=factories.clock("2025-11-15"),
    )
    assert is_out_of_date("2025-11-15")


def test_a_pending_that_lapses_counts_by_the_clock_alone() -> None:
    note = factories.filed_record(section=Section.CN, number="CN1", tax=9000)
    factories.act(note, "P")
    factories.filed_period(on="2025-11-19")
    factories.computed(period="112025", on="2025-12-14")
    assert not is_out_of_date("2025-12-20 23:59")
    assert is_out_of_date("2025-12-21 00:00")


def test_filing_from_a_statement_out_of_date_is_refused_and_files_nothing() -> None:
    record = factories.filed_record()
    outward.file(
        supplier=record.recipient,
        form=Form.GSTR1,
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-11"),
    )
    factories.computed()
    factories.act(record, "R", on="2025-11-15")
    with pytest.raises(gstr3b.Gstr3bRefusedError) as refused:
        gstr3b.file(
            taxpayer=record.recipient, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18")
        )
    assert refused.value.refusal is Refusal.RECOMPUTE_REQUIRED
    assert not Filing.objects.exists()


def test_a_statement_that_is_filed_is_never_out_of_date() -> None:
    record = factories.filed_record()
    factories.filed_period(record.recipient)
    assert not is_out_of_date("2026-03-01")


def test_an_unchanged_compute_makes_no_version_and_a_changed_one_shares_its_lines() -> None:
    first, second = factories.filed(factories.document(number="A1"), factories.document(number="A2"))
    assert factories.computed().statement.version == 1
    assert factories.computed().nothing_changed
    factories.act(first, "R", on="2025-11-15")
    statement = factories.computed(on="2025-11-15").statement
    assert statement.version == 2
    lines = {line.record_id: line for line in gstr2b.lines(statement)}
    assert (lines[first.pk].first_version, lines[second.pk].first_version) == (2, 1)
    older = Gstr2b.objects.get(version=1)
    assert {line.placement for line in gstr2b.lines(older)} == {"available"}
    change = gstr2b.diff(older, statement)[0]
    assert (change.record_id, change.older.placement, change.newer.placement) == (first.pk, "available", "rejected")
