"""What a statement lacks, in rupees: what acted, filed, fed and lapsed since would change of net ITC (R7.11)."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.models import DueDateExtension
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import actions, feeds, standing
from invoices.models import Record
from returns import banner, behind, gstr2b
from returns.behind import Behind
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def found(on: str = "2025-11-16") -> Behind | None:
    return behind.of(taxpayer=factories.taxpayer(), today=standing.of(factories.taxpayer(), factories.at(on)))


def sums(on: str = "2025-11-16") -> tuple[int, int, int]:
    now = found(on)
    assert now is not None
    return now.count, now.gain, now.loss


def test_without_a_statement_nothing_is_behind() -> None:
    factories.filed_record()
    assert found() is None


def test_what_was_accepted_and_is_rejected_is_lost_and_what_was_to_be_reduced_is_gained() -> None:
    invoice, note = factories.filed(
        factories.document(number="INV1", tax=18000), factories.document(section=Section.CN, number="CN1", tax=9000)
    )
    factories.computed()
    assert found() is None
    factories.act(invoice, "R", on="2025-11-15")
    assert sums() == (1, 0, -1800000)
    factories.act(note, "R", on="2025-11-15")
    assert sums() == (2, 900000, -1800000)
    factories.computed(on="2025-11-16")
    assert found() is None


def test_a_change_back_and_forth_nets_out_to_nothing_and_still_asks_for_a_computation() -> None:
    record = factories.filed_record()
    factories.computed()
    factories.act(record, "R", on="2025-11-15")
    factories.act(record, "N", on="2025-11-15")
    assert sums() == (1, 0, 0)


def test_accepting_what_counts_as_accepted_changes_no_itc() -> None:
    record = factories.filed_record()
    factories.computed()
    factories.act(record, "A", on="2025-11-15")
    assert sums() == (1, 0, 0)


def test_a_declared_part_counts_as_declared() -> None:
    note = factories.filed_record(section=Section.CN, number="CN1", tax=9000)
    factories.computed()
    part = Tax(igst=400000)
    factories.act(note, "A", answer="P", declared=part, remark="half of it was never claimed", on="2025-11-15")
    assert sums() == (1, 500000, 0)


def test_records_of_a_later_period_and_saved_ones_are_no_changes_of_it() -> None:
    invoice = factories.filed_record()
    factories.computed()
    later = factories.filed(factories.document(number="NOV"), supplier="29AAKCT0000P1Z6", on="2025-11-13")[0]
    only_saved = factories.saved(factories.document(number="S1"), supplier="33AAACW1234F1Z5", on="2025-11-13")[0]
    factories.act(invoice, "R", on="2025-11-15")
    factories.act(later, "R", on="2025-11-15")
    factories.act(only_saved, "R", on="2025-11-15")
    assert sums() == (1, 0, -1800000)


def test_what_is_filed_into_the_period_late_counts_with_what_it_replaces() -> None:
    DueDateExtension.objects.create(
        form="GSTR-1",
        month=202510,
        frequency="M",
        due=date(2025, 11, 18),
        notification="99/2025",
        known_from=factories.at("2025-11-01"),
        approved_by=factories.user("calendar"),
    )
    factories.filed_record(tax=18000)
    factories.computed()
    factories.filed(factories.document(number="LATE", tax=500), supplier="29AAKCT0000P1Z6", on="2025-11-16")
    assert sums() == (1, 50000, 0)


def test_a_bill_of_entry_that_comes_late_counts_though_customs_dated_it_before() -> None:
    factories.filed_record()
    factories.computed()
    feeds.bill_of_entry(
        importer=factories.taxpayer(),
        section=Section.IMPG,
        number="4567123",
        port="INNSA1",
        boe_date=date(2025, 10, 20),
        reference_date=date(2025, 10, 21),
        taxable=1000000,
        tax=Tax(igst=180000),
        clock=factories.clock("2025-11-15"),
    )
    assert sums() == (1, 180000, 0)


def test_a_bill_that_is_pending_before_and_after_is_no_change() -> None:
    invoice = factories.filed_record()
    bill = feeds.bill_of_entry(
        importer=factories.taxpayer(),
        section=Section.IMPG,
        number="4567123",
        port="INNSA1",
        boe_date=date(2025, 10, 20),
        reference_date=date(2025, 10, 21),
        taxable=1000000,
        tax=Tax(igst=180000),
        clock=factories.clock("2025-11-10"),
    )
    factories.act(bill, "P", on="2025-11-12")
    factories.computed()
    factories.act(invoice, "R", on="2025-11-15")
    assert sums() == (1, 0, -1800000)


def test_a_reversal_under_rule_37a_is_lost() -> None:
    factories.filed_record()
    factories.computed()
    feeds.rule_37a(
        recipient=factories.taxpayer(),
        period=factories.OCTOBER,
        tax=Tax(igst=10000),
        clock=factories.clock("2025-11-15"),
    )
    assert sums() == (1, 0, -10000)


def test_a_pending_that_lapses_is_told_as_one_by_the_clock_alone() -> None:
    note = factories.filed_record(section=Section.CN, number="CN1", tax=9000)
    factories.act(note, "P")
    factories.filed_period(on="2025-11-19")
    factories.computed(period="112025", on="2025-12-14")
    assert found("2025-12-20 23:59") is None
    now = found("2025-12-21 00:00")
    assert now is not None
    assert (now.is_lapse, now.period.name, now.count, now.gain, now.loss) == (True, "112025", 1, 0, -900000)


def test_a_statement_by_other_rules_sums_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.filed_record()
    with monkeypatch.context() as earlier:
        earlier.setattr(gstr2b, "CODE", "0")
        factories.computed()
    now = found()
    assert now is not None
    assert (now.is_of_other_law, now.count) == (True, 0)


def test_it_asks_once_while_current_and_sums_once_after_a_change(django_assert_num_queries: object) -> None:
    record = factories.filed_record()
    factories.computed()
    owner = factories.taxpayer()
    today = standing.of(owner, factories.at("2025-11-16"))
    with django_assert_num_queries(1):
        assert behind.of(taxpayer=owner, today=today) is None
    factories.act(record, "R", on="2025-11-15")
    with django_assert_num_queries(3):
        behind.of(taxpayer=owner, today=today)
    with django_assert_num_queries(1):
        behind.of(taxpayer=owner, today=today)


def test_very_many_changes_are_not_added_up_while_a_page_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice, note = factories.filed(factories.document(number="INV1"), factories.document(number="INV2"))
    factories.computed()
    monkeypatch.setattr(behind, "MANY", 1)
    factories.act(invoice, "R", on="2025-11-15")
    assert sums() == (1, 0, -1800000)
    factories.act(note, "R", on="2025-11-15")
    now = found()
    assert now is not None
    assert now.has_many
    assert banner.text(now) == (
        "More than 1 saved changes are not in GSTR-2B of 10/2025 (version 1, 14/11/2025 10:00). The changes are added "
        "up on their page."
    )


def test_few_changes_are_found_by_index_among_many_records() -> None:
    records = factories.filed(*(factories.document(number=f"I{number}", tax=10) for number in range(300)))
    actions.take(
        taxpayer=factories.taxpayer(),
        items=[actions.Item(record.pk, 0, actions.Choice(Action.ACCEPT)) for record in records],
        actor=None,
        clock=factories.clock("2025-11-12"),
        request_id=uuid4(),
    )
    factories.computed()
    factories.act(Record.objects.get(number="I7"), "R", on="2025-11-15")
    with CaptureQueriesContext(connection) as asked:
        assert sums() == (1, 0, -1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE invoices_record; ANALYZE returns_gstr2bline; ANALYZE invoices_actionevent")
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + asked.captured_queries[-1]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    for index in ("actions_since_a_statement", "filed_since_a_statement", "record_of_its_recipient"):
        assert index in plan
