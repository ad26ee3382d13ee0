"""What a recipient's desk reads: which records are listed, how many, and one page after another."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section
from invoices import inbox, standing
from invoices.filters import SUPERSEDED, Filters
from invoices.inbox import SectionSum
from invoices.inbox_sql import Sum
from invoices.models import Record
from tests import factories

pytestmark = pytest.mark.django_db
CN = Section.CN


def sums(on: str = "2025-11-12", *, settled: bool = False) -> dict[Section, SectionSum]:
    """Return the summary of the recipient on a day, by section."""
    owner = factories.taxpayer()
    today = standing.of(owner, factories.at(on))
    return {line.section: line for line in inbox.summary(taxpayer=owner, today=today, settled=settled)}


def page(filters: Filters | None = None, *, rows: int = 50, cursor: str = "", on: str = "2025-11-12") -> inbox.Page:
    """Return one page of the recipient's list."""
    owner = factories.taxpayer()
    today = standing.of(owner, factories.at(on))
    return inbox.page(taxpayer=owner, today=today, filters=filters or Filters(), rows=rows, cursor=cursor)


def numbers(found: inbox.Page) -> list[str]:
    """Return the numbers on a page, in order."""
    return [line.record.number for line in found.lines]


def test_the_summary_counts_records_and_tax_by_section_and_action() -> None:
    factories.filed(
        factories.document(number="A", tax=18000),
        factories.document(number="B", tax=9000),
        factories.document(number="C", tax=3600, section=CN),
    )
    factories.act(Record.objects.get(number="B"), "R", reason="OTHER", remark="why")
    found = sums()
    assert found[Section.B2B].by_action == {"N": Sum(1, 18_000_00), "R": Sum(1, 9_000_00)}
    assert found[CN].by_action == {"N": Sum(1, 3_600_00)}
    assert found[Section.B2B].total == Sum(2, 27_000_00)
    assert found[Section.IMPG].total == Sum()


def test_a_lapsed_pending_counts_as_no_action() -> None:
    factories.act(factories.filed_record(section=CN, tax=18000), "P")
    assert sums("2025-12-20")[CN].by_action == {"P": Sum(1, 18_000_00)}
    assert sums("2025-12-21")[CN].by_action == {"N": Sum(1, 18_000_00)}


def test_untouched_reducing_records_and_soon_lapsing_pendings_need_you() -> None:
    factories.filed(
        factories.document(number="CN1", tax=1800, section=CN),
        factories.document(number="CN2", tax=3600, section=CN),
        factories.document(number="INV1", tax=9000),
    )
    factories.act(Record.objects.get(number="CN2"), "P")
    assert sums("2025-12-12")[CN].needs_you == Sum(1, 1_800_00)
    assert sums("2025-12-13")[CN].needs_you == Sum(2, 5_400_00)
    assert sums("2025-12-13")[Section.B2B].needs_you == Sum()


def test_records_outside_ims_are_not_listed() -> None:
    factories.filed(factories.document(number="RCM1", reverse_charge=True), factories.document(number="PLAIN"))
    assert numbers(page()) == ["PLAIN"]


def test_settled_records_leave_the_open_list_for_the_settled_one() -> None:
    factories.filed(factories.document(number="IN"), factories.document(number="OUT"))
    factories.act(Record.objects.get(number="OUT"), "R", reason="NOT_OURS")
    factories.filed_period(on="2025-11-18")
    assert numbers(page(on="2025-11-19")) == []
    assert sorted(numbers(page(Filters(settled=True), on="2025-11-19"))) == ["IN", "OUT"]
    assert sums("2025-11-19", settled=True)[Section.B2B].by_action == {"A": Sum(1, 18_000_00), "R": Sum(1, 18_000_00)}


def test_a_superseded_record_is_listed_as_such_until_its_successor_is_settled() -> None:
    factories.filed(factories.document(number="INV1", tax=18000), on="2025-11-05")
    owner = factories.taxpayer(factories.SUPPLIER)
    amended = factories.document(section=Section.B2BA, number="INV1", tax=9000, original="INV1")
    factories.act(Record.objects.get(number="INV1", section="b2b"), "P", on="2025-11-06")
    factories.filed_period(on="2025-11-18")
    factories.computed(owner, on="2025-11-18")
    factories.gstr3b.file(taxpayer=owner, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18"))
    factories.filed(amended, period="112025", on="2025-12-10")
    old = Record.objects.get(number="INV1", section="b2b")
    assert old.superseded_by_id is not None
    assert sums("2025-12-12")[Section.B2B].by_action == {SUPERSEDED: Sum(1, 18_000_00)}
    assert sums("2025-12-12")[Section.B2B].total == Sum()
    assert numbers(page(Filters(action=SUPERSEDED), on="2025-12-12")) == ["INV1"]
    factories.filed_period(period="112025", on="2025-12-18")
    assert numbers(page(on="2025-12-19")) == []


def test_pages_follow_one_another_without_gap_or_repeat_both_ways() -> None:
    wanted = [f"I{n:03d}" for n in range(13)]
    factories.filed(
        *[factories.document(number=name, on=f"2025-10-{28 - n // 3:02d}") for n, name in enumerate(wanted)],
        factories.document(number="CN1", section=CN, on="2025-10-15"),
    )
    first = page(rows=5)
    second = page(rows=5, cursor=first.after)
    third = page(rows=5, cursor=second.after)
    together = numbers(first) + numbers(second) + numbers(third)
    assert len(set(together)) == len(together) == 14
    assert (first.first, first.last, second.first, second.last, third.first, third.last) == (1, 5, 6, 10, 11, 14)
    assert (first.before, third.after) == ("", "")
    back = page(rows=5, cursor=third.before)
    assert numbers(back) == numbers(second)
    assert (back.first, back.last) == (6, 10)
    again = page(rows=5, cursor=back.before)
    assert numbers(again) == numbers(first)
    assert again.before == ""


def test_a_cursor_of_ones_own_making_shows_the_first_page() -> None:
    factories.filed_record()
    assert numbers(page(cursor="WyIyMDI1LTEwLTA1Il0:forged")) == ["INV1"]


def test_filters_narrow_the_list_and_its_counts() -> None:
    factories.filed(factories.document(number="ABC/1"), factories.document(number="XYZ/1"))
    factories.saved(factories.document(number="LATER", on="2025-11-02"), period="112025", on="2025-11-11")
    assert numbers(page(Filters(text="abc"))) == ["ABC/1"]
    assert numbers(page(Filters(text="100%"))) == []
    assert numbers(page(Filters(status="S"))) == ["LATER"]
    assert len(numbers(page(Filters(text=factories.SUPPLIER)))) == 3
    assert len(numbers(page(Filters(text="firm aaacs")))) == 3
    assert page(Filters(status="F", action="N")).shown == Sum(2, 36_000_00)


def test_a_supplier_s_edit_after_a_choice_is_marked() -> None:
    factories.saved(factories.document(number="LATER", tax=1800, on="2025-11-02"), period="112025", on="2025-11-11")
    factories.act(Record.objects.get(number="LATER"), "A")
    factories.saved(factories.document(number="LATER", tax=3600, on="2025-11-02"), period="112025", on="2025-11-13")
    line = page(on="2025-11-14").lines[0]
    assert line.effective is Action.NONE
    assert line.record.lost_action == "A"


def test_a_page_takes_as_many_queries_for_two_records_as_for_sixty() -> None:
    factories.filed(*[factories.document(number=f"I{n:03d}") for n in range(60)])
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(rows=2)
    with CaptureQueriesContext(connection) as many:
        page(rows=50)
    assert len(few) == len(many) <= 8


def test_a_record_of_another_recipient_has_no_detail() -> None:
    record = factories.filed_record()
    other = factories.taxpayer(factories.SUPPLIER)
    today = standing.of(other, factories.at("2025-11-12"))
    assert inbox.detail(taxpayer=other, today=today, pk=record.pk) is None


def test_detail_tells_the_history_the_latest_first() -> None:
    record = factories.filed_record()
    factories.act(record, "A")
    factories.act(record, "P", on="2025-11-13", remark="not here yet")
    owner = factories.taxpayer()
    found = inbox.detail(taxpayer=owner, today=standing.of(owner, factories.at("2025-11-14")), pk=record.pk)
    assert found is not None
    assert [(line.event.old_action, line.event.action) for line in found.history if line.event] == [
        ("A", "P"),
        ("N", "A"),
    ]
    assert found.settles_in == factories.OCTOBER
