"""Extensions: whom one would move, proposed without effect, in force once another administrator approves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from ims_portal import calendar, extensions
from ims_portal.extensions import Asked, Moved, RefusedError
from ims_portal.models import AuditEvent, DueDateExtension, User
from ims_portal.rules import periods
from ims_portal.rules.documents import Section
from ims_portal.rules.periods import Frequency, Return, StateGroup
from invoices import locking, standing
from tests import factories

pytestmark = pytest.mark.django_db
QUARTERLY = "27AAACQ1234C1Z0"
ASKED = Asked(Return.GSTR3B, periods.parse("112025"), None, date(2025, 12, 27), "Notification 99/2025-CT")
STATUTORY, EXTENDED = date(2025, 12, 20), date(2025, 12, 27)


def adm(number: int) -> User:
    return factories.user(f"adm{number}", is_staff=True)


def propose(asked: Asked = ASKED, *, on: str = "2025-12-01", by: int = 1) -> int:
    return extensions.propose(asked=asked, actor=adm(by), clock=factories.clock(on), request_id=uuid4())


def approve(pk: int, *, on: str = "2025-12-02", by: int = 2) -> None:
    extensions.approve(pk=pk, actor=adm(by), clock=factories.clock(on), request_id=uuid4())


def due(on: str, group: StateGroup = StateGroup.X) -> date:
    return calendar.in_force(factories.at(on)).due(ASKED.form, ASKED.period, group)


def note(number: str = "CN1", **options: object) -> object:
    return factories.document(section=Section.CN, number=number, tax=18000, on="2025-10-20", **options)


def moved(asked: Asked = ASKED, *, on: str = "2025-12-01") -> Moved:
    return extensions.preview(asked, factories.at(on)).moved


def test_a_proposal_moves_nothing_and_an_approval_moves_from_its_moment_on() -> None:
    pk = propose()
    assert due("2025-12-31") == STATUTORY
    approve(pk, on="2025-12-02 15:00")
    assert due("2025-12-02 14:59") == STATUTORY
    assert due("2025-12-02 15:00") == EXTENDED
    row = DueDateExtension.objects.get()
    assert (row.proposed_by, row.approved_by, row.known_from) == (adm(1), adm(2), factories.at("2025-12-02 15:00"))


def test_the_last_day_of_pending_follows_an_approval() -> None:
    (record,) = factories.filed(note())
    factories.act(record, "P")
    record.refresh_from_db()
    pk = propose()
    assert standing.of(record.recipient, factories.at("2025-12-03")).pending_until(record) == STATUTORY
    approve(pk)
    assert standing.of(record.recipient, factories.at("2025-12-03")).pending_until(record) == EXTENDED


def test_nobody_approves_their_own() -> None:
    pk = propose()
    with pytest.raises(RefusedError, match="Another administrator approves it"):
        approve(pk, by=1)
    assert due("2025-12-31") == STATUTORY
    with pytest.raises(IntegrityError), transaction.atomic():
        DueDateExtension.objects.update(approved_by=adm(1))


def test_a_withdrawn_proposal_is_gone_and_stays_in_the_log() -> None:
    pk = propose()
    extensions.withdraw(pk=pk, actor=adm(1), clock=factories.clock("2025-12-02"), request_id=uuid4())
    assert not DueDateExtension.objects.exists()
    with pytest.raises(RefusedError, match="any more"):
        approve(pk)
    told = AuditEvent.objects.values_list("event", "actor__username", "subject", "details__due")
    subject = f"extension {pk}"
    assert list(told.order_by("id")) == [
        ("extension.proposed", "adm1", subject, "2025-12-27"),
        ("extension.withdrawn", "adm1", subject, "2025-12-27"),
    ]


def test_what_is_in_force_is_neither_approved_again_nor_withdrawn() -> None:
    pk = propose()
    approve(pk)
    with pytest.raises(RefusedError, match="any more"):
        approve(pk, by=3)
    with pytest.raises(RefusedError, match="any more"):
        extensions.withdraw(pk=pk, actor=adm(1), clock=factories.clock("2025-12-03"), request_id=uuid4())
    assert due("2025-12-31") == EXTENDED


def test_the_same_request_twice_has_one_effect() -> None:
    key, other, clock = uuid4(), uuid4(), factories.clock("2025-12-01")
    first, second = (extensions.propose(asked=ASKED, actor=adm(1), clock=clock, request_id=key) for _ in range(2))
    assert first == second
    for _ in range(2):
        extensions.approve(pk=first, actor=adm(2), clock=clock, request_id=other)
    assert list(AuditEvent.objects.order_by("id").values_list("event", "request_id")) == [
        ("extension.proposed", key),
        ("extension.approved", other),
    ]


def test_one_proposal_of_a_return_waits_at_a_time() -> None:
    pk = propose()
    with pytest.raises(RefusedError, match="already waits"):
        propose(replace(ASKED, due=date(2025, 12, 30)), by=2)
    propose(replace(ASKED, group=StateGroup.Y))
    approve(pk)
    propose(replace(ASKED, due=date(2025, 12, 30)))


def test_an_approval_is_judged_by_its_own_day() -> None:
    pk = propose()
    with pytest.raises(RefusedError, match="This day is over"):
        approve(pk, on="2025-12-28")
    DueDateExtension.objects.create(
        form="GSTR-3B",
        month=202511,
        frequency="M",
        due=date(2025, 12, 29),
        notification="N",
        known_from=factories.at("2025-12-02"),
        approved_by=adm(3),
    )
    with pytest.raises(RefusedError, match="in force is 29/12/2025"):
        approve(pk, on="2025-12-03")


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"due": STATUTORY}, "due", "in force is 20/12/2025. Choose a later one"),
        ({"due": date(2026, 12, 21)}, "due", "by a year at most, here to 20/12/2026"),
        ({"period": periods.parse("072025"), "due": date(2025, 11, 30)}, "due", "This day is over"),
        ({"form": Return.IFF, "period": periods.parse("122025")}, "period", "no such return"),
    ],
)
def test_what_the_law_does_not_extend_is_refused_at_its_field(change: dict[str, object], field: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told) as refused:
        propose(replace(ASKED, **change))
    assert refused.value.field == field
    assert not DueDateExtension.objects.exists()


def test_a_preview_counts_taxpayers_and_pending_with_three_queries(django_assert_num_queries: object) -> None:
    invoice = factories.document(number="I1")
    first, second, accepted, _none, invoice = factories.filed(*map(note, ("CN1", "CN2", "CN3", "CN4")), invoice)
    for record in (first, second, invoice):
        factories.act(record, "P", on="2025-12-01")
    factories.act(accepted, "A", answer="F")
    with django_assert_num_queries(3):
        found = extensions.preview(ASKED, factories.at("2025-12-01"))
    # The recipient and its supplier, and the two notes; what is no specified record has no last day.
    assert (found.moved, found.in_force) == (Moved(taxpayers=2, pending=2), [STATUTORY])


def test_groups_and_frequencies_of_filing_are_told_apart() -> None:
    factories.taxpayer(QUARTERLY, frequency=Frequency.QUARTERLY)
    monthly, quarterly = factories.filed(note("CN1"), note("CN2", recipient=QUARTERLY))
    for record in (monthly, quarterly):
        factories.act(record, "P", on="2025-12-01")
    assert moved() == Moved(taxpayers=2, pending=1)
    assert moved(replace(ASKED, group=StateGroup.X)) == Moved(taxpayers=2, pending=1)
    assert moved(replace(ASKED, group=StateGroup.Y)) == Moved(taxpayers=0, pending=0)
    of_quarter = replace(ASKED, period=periods.parse("Q4-2025-26"), due=date(2026, 4, 30))
    assert moved(of_quarter) == Moved(taxpayers=1, pending=1)
    assert moved(replace(ASKED, form=Return.PMT06, due=date(2025, 12, 31))) == Moved(taxpayers=1, pending=0)


def test_a_gstr_1_extended_after_its_day_moves_what_is_only_saved() -> None:
    (record,) = factories.saved(note())
    factories.act(record, "P", on="2025-11-08")
    gstr1 = replace(ASKED, form=Return.GSTR1, period=periods.parse("102025"), due=date(2025, 11, 20))
    assert moved(gstr1, on="2025-11-10") == Moved(taxpayers=2, pending=0)
    assert moved(gstr1, on="2025-11-15") == Moved(taxpayers=2, pending=1)


def test_who_has_filed_the_return_is_not_moved() -> None:
    october = replace(ASKED, period=periods.parse("102025"))
    own = replace(october, form=Return.GSTR1)
    factories.taxpayer(factories.SUPPLIER)
    factories.filed_period(factories.taxpayer())
    assert moved(october, on="2025-11-18").taxpayers == 1
    assert moved(own, on="2025-11-18").taxpayers == 1
    locking.ensure([factories.taxpayer()])
    assert moved(on="2025-11-18").taxpayers == 2


def test_lines_come_newest_first_with_the_days_they_move() -> None:
    propose()
    propose(replace(ASKED, period=periods.parse("Q3-2025-26"), due=date(2026, 1, 31)))
    newest, oldest = extensions.latest(10)
    assert newest.statutory == [date(2026, 1, 22), date(2026, 1, 24)]
    assert (oldest.statutory, oldest.asked) == ([STATUTORY], ASKED)
    assert len(extensions.latest(1)) == 1
