"""Statements of many made together: the same as one by one, in bounded groups, past whoever is busy, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ims_portal.models import AuditEvent, FilingFrequency, Taxpayer
from ims_portal.rules import gstin
from ims_portal.rules.documents import Section
from ims_portal.rules.periods import Frequency
from invoices import locking
from returns import draft_day, gstr2b_sql, verify
from returns.bench.bare_sql import forget_statements
from returns.models import Gstr2b, Gstr2bLine
from tests import factories

ON = "2025-11-14 06:00"
LINE = ("recipient_id", "record_id", "first_version", "last_version", *gstr2b_sql.LINE[1:])
STATEMENT = ("recipient_id", "month", "version", "seq", "as_of", "engine", "sums", "by_status", "liable_taxable")
FIRMS = ("27AAPCR1234A1Z", "33AAPCN0000E1Z", "29AAPCS1111B1Z", "24AAPCT2222C1Z", "07AAPCU3333D1Z")


def firms(*, each: int = 3) -> list[Taxpayer]:
    """Return recipients with some records of October each, one of them with none, one who files quarterly."""
    found = [factories.taxpayer(first + gstin.check_char(first)) for first in FIRMS]
    for firm in found:
        factories.member(firm, username=f"owner{firm.pk}")
    FilingFrequency.objects.filter(taxpayer=found[3]).update(frequency=Frequency.QUARTERLY.value)
    documents = [
        factories.document(
            number=f"D{place}-{number}",
            recipient=firm.gstin,
            section=Section.CN if number == 2 else Section.B2B,
            tax=1_800 * (number + 1),
        )
        for place, firm in enumerate(found[:4])
        for number in range(each + place)
    ]
    records = factories.filed(*documents)
    for record in records[::3]:
        factories.act(record, "R")
    for record in records[1::5]:
        factories.act(record, "P")
    return found


def stored() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Return lines and statements without their keys."""
    lines = Gstr2bLine.objects.order_by("recipient_id", "record_id").values_list(*LINE)
    return list(lines), list(Gstr2b.objects.order_by("recipient_id").values_list(*STATEMENT, "line_count"))


@pytest.mark.django_db(transaction=True)
def test_together_they_are_what_they_are_one_by_one() -> None:
    found = firms()
    for firm in found[:3] + found[4:]:
        factories.computed(firm, on=ON)
    one_by_one = stored()
    forget_statements()
    draft_day.make(recipient_ids=[firm.pk for firm in found], clock=factories.clock(ON))
    assert stored() == one_by_one
    assert len(one_by_one[0]) > 8
    assert AuditEvent.objects.filter(event="gstr2b.computed").count() == 8
    assert not list(verify.broken(deep=True))


@pytest.mark.django_db
def test_a_second_look_makes_nothing() -> None:
    ids = [firm.pk for firm in firms()]
    assert draft_day.make(recipient_ids=ids, clock=factories.clock(ON)) == 4  # who files quarterly has none in November
    before = stored()
    assert draft_day.make(recipient_ids=ids, clock=factories.clock(ON)) == 0
    assert list(draft_day.groups(at=factories.at(ON))) == []
    assert stored() == before


@pytest.mark.django_db
def test_nobodys_draft_is_made_before_its_day() -> None:
    ids = [firm.pk for firm in firms()]
    assert draft_day.make(recipient_ids=ids, clock=factories.clock("2025-11-13 23:59")) == 0


@pytest.mark.django_db
def test_groups_hold_so_many_records_and_who_has_more_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = firms(each=3)  # 3, 4, 5 records, 6 of the one who files quarterly, none
    monkeypatch.setattr(draft_day, "RECORDS", 4)
    big, middle, small, _quarterly, none = found[2], found[1], found[0], found[3], found[4]
    assert list(draft_day.groups(at=factories.at(ON))) == [[big.pk], [middle.pk], [small.pk, none.pk]]
    monkeypatch.setattr(draft_day, "RECORDS", 9)
    assert list(draft_day.groups(at=factories.at(ON))) == [[big.pk, middle.pk], [small.pk, none.pk]]
    monkeypatch.setattr(draft_day, "RECIPIENTS", 1)
    assert [len(group) for group in draft_day.groups(at=factories.at(ON))] == [1, 1, 1, 1]


@pytest.mark.django_db
def test_a_recipient_more_asks_nothing_more() -> None:
    ids = [firm.pk for firm in firms()]
    counts = []
    for some in (ids[:1], ids[1:3]):
        with CaptureQueriesContext(connection) as asked:
            draft_day.make(recipient_ids=some, clock=factories.clock(ON))
        counts.append(len(asked))
    assert counts[1] <= counts[0]


@contextmanager
def held(taxpayer: Taxpayer) -> Iterator[None]:
    """Hold a recipient's lock in another transaction while the block runs."""
    has, may_go = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                locking.lock([taxpayer.pk])
                has.set()
                may_go.wait(20)
        finally:
            connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert has.wait(10)
    try:
        yield
    finally:
        may_go.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_whoever_is_busy_is_passed_over_and_found_by_the_next_look() -> None:
    found = firms()
    ids = [firm.pk for firm in found]
    with held(found[0]):
        assert draft_day.make(recipient_ids=ids, clock=factories.clock(ON)) == 3
        assert list(draft_day.groups(at=factories.at(ON))) == [[found[0].pk]]
    assert draft_day.make(recipient_ids=ids, clock=factories.clock(ON)) == 1
    assert Gstr2b.objects.count() == 4
