"""GSTR-2B: asked for, computed, versioned, compared, out of date, drafted."""

from __future__ import annotations

import uuid

import pytest

from ims_portal import access, once
from ims_portal.models import DueDateExtension, Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Section
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency
from invoices import locking, standing
from invoices.models import Inbox, Record
from returns import gstr2b, lines, statement_sums, summary
from returns.gstr2b import StatementRefusedError
from returns.models import Gstr2b, Gstr2bJob, Gstr2bLine
from tests import factories
from tests.factories import OCTOBER, RECIPIENT, Document

pytestmark = pytest.mark.django_db

RUPEES = 100


@pytest.fixture
def recipient() -> Taxpayer:
    return factories.taxpayer(RECIPIENT, name="Meera Traders")


def three_documents() -> list[Record]:
    return factories.filed(
        factories.document(number="INV1", tax=18000),
        factories.document(number="INV2", tax=700),
        factories.document(section=Section.CN, number="CN1", tax=9000),
    )


def sums(statement: Gstr2b) -> dict[tuple[Placement, Part], int]:
    return {key: tax.total // RUPEES for key, tax in statement_sums.by_part(statement).items()}


def refused(taxpayer: Taxpayer, period: str, on: str) -> Refusal:
    with pytest.raises(StatementRefusedError) as caught:
        gstr2b.request(taxpayer=taxpayer, period=periods.parse(period), actor=None, clock=factories.clock(on))
    return caught.value.refusal


def test_untouched_records_count_as_accepted(recipient: Taxpayer) -> None:
    three_documents()
    statement = factories.computed(recipient).statement
    assert sums(statement) == {(Placement.AVAILABLE, Part.A_I): 18700, (Placement.AVAILABLE, Part.B_I): 9000}
    assert set(gstr2b.lines(statement).values_list("status", flat=True)) == {"deemed_accepted"}


def test_computing_again_without_a_change_returns_the_same_version(recipient: Taxpayer) -> None:
    three_documents()
    first = factories.computed(recipient)
    again = factories.computed(recipient, on="2025-11-15")
    assert not first.nothing_changed
    assert again.nothing_changed
    assert again.statement == first.statement
    assert Gstr2b.objects.count() == 1


def test_versions_share_the_lines_that_did_not_change(recipient: Taxpayer) -> None:
    _invoice, second, _note = three_documents()
    first = factories.computed(recipient).statement
    factories.act(second, "R", on="2025-11-15")
    newer = factories.computed(recipient, on="2025-11-15").statement
    assert newer.version == 2
    assert Gstr2bLine.objects.count() == 4
    assert {line.pk for line in gstr2b.lines(first)} & {line.pk for line in gstr2b.lines(newer)} == set(
        Gstr2bLine.objects.exclude(record=second).values_list("pk", flat=True)
    )


def test_an_older_version_reads_as_it_was(recipient: Taxpayer) -> None:
    _invoice, second, _note = three_documents()
    first = factories.computed(recipient).statement
    factories.act(second, "R", on="2025-11-15")
    factories.computed(recipient, on="2025-11-15")
    assert gstr2b.lines(first).get(record=second).placement == Placement.AVAILABLE.value
    assert sums(first)[Placement.AVAILABLE, Part.A_I] == 18700


def test_a_diff_names_the_record_that_changed_and_who_acted(recipient: Taxpayer) -> None:
    _invoice, second, _note = three_documents()
    first = factories.computed(recipient).statement
    ravi = factories.member(recipient, "preparer", "ravi")
    factories.act(second, "R", on="2025-11-15", actor=ravi)
    newer = factories.computed(recipient, on="2025-11-15").statement
    compared = lines.compare(older=first, newer=newer)
    assert [line.record.number for line in compared.records] == ["INV2"]
    found = compared.records[0]
    assert found.event is not None
    assert found.event.actor == ravi
    assert (found.older_place, found.newer_place) == ("ITC available", "ITC rejected")
    assert found.difference == Tax(igst=-700 * RUPEES)


def test_a_diff_over_several_versions_sees_first_and_last_only(recipient: Taxpayer) -> None:
    invoice, second, _note = three_documents()
    first = factories.computed(recipient).statement
    factories.act(second, "R", on="2025-11-15")
    factories.computed(recipient, on="2025-11-15")
    factories.act(second, "N", on="2025-11-16")
    factories.act(invoice, "P", on="2025-11-16")
    third = factories.computed(recipient, on="2025-11-16").statement
    assert [line.record.number for line in lines.compare(older=first, newer=third).records] == ["INV1"]


def test_a_record_set_and_set_back_is_no_difference(recipient: Taxpayer) -> None:
    _invoice, second, _note = three_documents()
    first = factories.computed(recipient).statement
    factories.act(second, "R", on="2025-11-15")
    factories.computed(recipient, on="2025-11-15")
    factories.act(second, "N", on="2025-11-16")
    third = factories.computed(recipient, on="2025-11-16").statement
    assert gstr2b.diff(first, third) == []


def test_a_changed_action_makes_a_statement_out_of_date(recipient: Taxpayer) -> None:
    invoice, *_others = three_documents()
    statement = factories.computed(recipient).statement
    today = standing.of(recipient, factories.at("2025-11-15"))
    assert not gstr2b.is_out_of_date(statement, inbox=Inbox.objects.get(pk=recipient.pk), today=today)
    factories.act(invoice, "A", on="2025-11-15")
    assert gstr2b.is_out_of_date(statement, inbox=Inbox.objects.get(pk=recipient.pk), today=today)


def test_a_pending_that_lapsed_makes_a_statement_out_of_date(recipient: Taxpayer) -> None:
    _invoice, _second, note = three_documents()
    factories.act(note, "P")
    factories.filed_period(recipient)
    statement = factories.computed(recipient, period="112025", on="2025-12-15").statement
    inbox = Inbox.objects.get(pk=recipient.pk)
    last, after = (standing.of(recipient, factories.at(day)) for day in ("2025-12-20", "2025-12-21"))
    assert not gstr2b.is_out_of_date(statement, inbox=inbox, today=last)
    assert gstr2b.is_out_of_date(statement, inbox=inbox, today=after)


def test_a_statement_is_refused_before_its_draft_day_and_made_on_it(recipient: Taxpayer) -> None:
    three_documents()
    assert refused(recipient, "102025", "2025-11-13 23:59") is Refusal.TOO_EARLY
    assert factories.computed(recipient, on="2025-11-14 00:01").statement.version == 1


def test_a_statement_waits_for_the_earlier_3b(recipient: Taxpayer) -> None:
    assert refused(recipient, "112025", "2025-12-15") is Refusal.PREVIOUS_3B_NOT_FILED


def test_a_filed_period_is_not_computed_again(recipient: Taxpayer) -> None:
    factories.filed_period(recipient)
    assert refused(recipient, "102025", "2025-11-19") is Refusal.ALREADY_FILED


def test_a_month_is_no_period_of_a_quarterly_filer() -> None:
    quarterly = factories.taxpayer("27AAACQ1234C1Z5", frequency=Frequency.QUARTERLY)
    assert refused(quarterly, "102025", "2026-01-15") is Refusal.WRONG_PERIOD
    assert factories.computed(quarterly, period="Q3-2025-26", on="2026-01-14").statement.month == 202512


def test_a_request_reuses_the_live_job(recipient: Taxpayer) -> None:
    three_documents()
    clock = factories.clock("2025-11-14")
    first = gstr2b.request(taxpayer=recipient, period=OCTOBER, actor=None, clock=clock)
    assert gstr2b.request(taxpayer=recipient, period=OCTOBER, actor=None, clock=clock) == first


def test_the_same_request_id_returns_its_job_even_when_it_is_over(recipient: Taxpayer) -> None:
    three_documents()
    ravi, key, clock = factories.member(recipient, "preparer"), uuid.uuid4(), factories.clock("2025-11-14")
    first = gstr2b.request(taxpayer=recipient, period=OCTOBER, actor=ravi, clock=clock, request_id=key)
    gstr2b.compute(taxpayer=recipient, period=OCTOBER, actor=ravi, clock=clock, job=first)
    assert gstr2b.request(taxpayer=recipient, period=OCTOBER, actor=ravi, clock=clock, request_id=key).pk == first.pk
    assert Gstr2bJob.objects.count() == 1
    with pytest.raises(once.MismatchError):
        gstr2b.request(taxpayer=recipient, period=periods.parse("112025"), actor=ravi, clock=clock, request_id=key)


def test_a_viewer_may_not_ask_for_a_statement(recipient: Taxpayer) -> None:
    viewer = factories.member(recipient, "viewer")
    with pytest.raises(access.RightMissingError):
        gstr2b.request(taxpayer=recipient, period=OCTOBER, actor=viewer, clock=factories.clock("2025-11-14"))


def test_printed_sections_add_up_to_the_kept_sums(recipient: Taxpayer) -> None:
    _invoice, second, note = three_documents()
    factories.act(second, "R")
    factories.act(note, "A", answer="P", declared=Tax(igst=4000 * RUPEES), remark="half")
    statement = factories.computed(recipient).statement
    printed = {
        (section.placement, part.part): part.tax for section in summary.sections(statement) for part in section.parts
    }
    for key, tax in statement_sums.by_part(statement).items():
        assert printed[key] == tax
    assert summary.net_available(statement) == Tax(igst=14000 * RUPEES)


def test_every_part_names_the_tables_its_rule_feeds() -> None:
    assert summary.cells(202510, Placement.AVAILABLE, Part.A_I) == "4(A)(5)"
    assert summary.cells(202510, Placement.AVAILABLE, Part.A_III) == "3.1(d), 4(A)(3)"
    assert summary.cells(202510, Placement.NOT_AVAILABLE, Part.A_III) == "3.1(d), 4(D)(2)"
    assert summary.cells(202510, Placement.REVERSAL, Part.A_I) == "4(B)(2)"
    assert summary.cells(202510, Placement.REJECTED, Part.B_I) == ""


def documents(count: int) -> list[Document]:
    return [factories.document(number=f"INV{number}", tax=100) for number in range(count)]


def test_pages_of_lines_go_there_and_back_without_losing_one(recipient: Taxpayer) -> None:
    factories.filed(*documents(7), factories.document(section=Section.CN, number="CN1", tax=9000))
    statement = factories.computed(recipient).statement
    seen, page = [], lines.page(statement=statement, filters=lines.Filters(), size=3)
    assert (page.total, page.first, page.last, page.previous) == (8, 1, 3, "")
    while True:
        seen += [line.record.number for line in page.lines]
        if not page.following:
            break
        page = lines.page(statement=statement, filters=lines.Filters(), size=3, after=page.following)
    assert sorted(seen) == ["CN1", *(f"INV{number}" for number in range(7))]
    assert (page.first, page.last) == (7, 8)
    back = lines.page(statement=statement, filters=lines.Filters(), size=3, after=page.previous)
    assert [line.record.number for line in back.lines] == seen[3:6]
    assert (back.first, back.last) == (4, 6)


def test_a_forged_cursor_begins_at_the_start(recipient: Taxpayer) -> None:
    factories.filed(*documents(2))
    statement = factories.computed(recipient).statement
    page = lines.page(statement=statement, filters=lines.Filters(), size=50, after="eyJrZXkiOltdfQ:1:x")
    assert page.first == 1
    assert len(page.lines) == 2


def test_lines_of_a_3b_cell_are_those_its_figure_counts(recipient: Taxpayer) -> None:
    three_documents()
    statement = factories.computed(recipient).statement
    page = lines.page(statement=statement, filters=lines.Filters(cell="t4A5"), size=50)
    assert page.total == 3
    assert page.tax == Tax(igst=9700 * RUPEES)


def test_drafts_are_due_on_the_14th_for_members_only(recipient: Taxpayer) -> None:
    factories.member(recipient)
    factories.taxpayer("24AAACS2718C1ZX")  # nobody signs in for it
    assert gstr2b.drafts_due(at=factories.at("2025-11-13 23:59")) == []
    assert gstr2b.drafts_due(at=factories.at("2025-11-14 00:00")) == [(recipient, OCTOBER)]


def test_a_drafted_period_is_not_due_again(recipient: Taxpayer) -> None:
    factories.member(recipient)
    factories.computed(recipient)
    assert gstr2b.drafts_due(at=factories.at("2025-11-20")) == []


def test_an_extended_draft_day_is_waited_for(recipient: Taxpayer) -> None:
    factories.member(recipient)
    DueDateExtension.objects.create(
        form="GSTR-2B",
        month=202510,
        frequency="M",
        due="2025-11-16",
        notification="test",
        known_from=factories.at("2025-11-10"),
        proposed_by=factories.user("adm1"),
        approved_by=factories.user("adm2"),
    )
    assert gstr2b.drafts_due(at=factories.at("2025-11-15")) == []
    assert gstr2b.drafts_due(at=factories.at("2025-11-16")) == [(recipient, OCTOBER)]


def test_a_period_whose_earlier_3b_was_filed_late_is_left_to_its_taxpayer(recipient: Taxpayer) -> None:
    factories.member(recipient)
    factories.filed_period(recipient, on="2025-12-15")
    assert gstr2b.drafts_due(at=factories.at("2025-12-16")) == []


@pytest.mark.parametrize(("filed_on", "is_drafted"), [("2025-12-13", True), ("2025-12-14", False)])
def test_a_3b_filed_on_the_draft_day_itself_is_no_day_too_early(
    recipient: Taxpayer, filed_on: str, *, is_drafted: bool
) -> None:
    factories.member(recipient)
    factories.filed_period(recipient, on=filed_on)
    due = [(recipient, periods.parse("112025"))] if is_drafted else []
    assert gstr2b.drafts_due(at=factories.at("2025-12-14 23:00")) == due


def test_a_draft_that_failed_is_not_tried_for_ever(recipient: Taxpayer) -> None:
    factories.member(recipient)
    Gstr2bJob.objects.create(taxpayer=recipient, month=202510, state="failed")
    assert gstr2b.drafts_due(at=factories.at("2025-11-14")) == []


@pytest.mark.parametrize("count", [1, 6])
def test_looking_for_due_drafts_asks_as_much_for_many_as_for_one(
    count: int,
    django_assert_max_num_queries,  # noqa: ANN001
) -> None:
    for number in range(count):
        made = Taxpayer.objects.create(gstin=f"27AAACR{number:04d}K1Z7", first_month=202510)
        locking.ensure([made])
        factories.member(made)
    with django_assert_max_num_queries(7):
        assert len(gstr2b.drafts_due(at=factories.at("2025-11-14"))) == count
