"""Batches beside batches, clicks and filing: every record changes once per version, and nothing happens twice."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta

import pytest

from ims_portal.clock import Fixed
from ims_portal.rules.actions import Action
from invoices import actions, bulk
from invoices.actions import Choice, Item
from invoices.bulk import BatchRefusedError, Phase, Which, sums_of
from invoices.models import ActionEvent, Batch, Record
from returns import gstr3b
from returns.models import Filing
from tests import factories
from tests.factories import act, clock, document, filed, member, taxpayer
from tests.races import together

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

NOON = "2025-11-18 12:00"
COUNT = 60


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write ten records at a time, so that much happens in between."""
    monkeypatch.setattr(bulk, "PIECE", 10)
    monkeypatch.setattr(bulk, "BREATH", 0.002)


def previewed(action: str, username: str) -> Batch:
    """Return a previewed batch of all records by a person of their own."""
    batch = bulk.preview(
        taxpayer=taxpayer(),
        which=Which("all", "", "/"),
        action=Action(action),
        actor=member(taxpayer(), "preparer", username),
        clock=clock(NOON),
        request_id=uuid.uuid4(),
    )
    bulk.find(batch=batch, clock=clock(NOON))
    return Batch.objects.get(pk=batch.pk)


def confirmed(batch: Batch) -> Batch:
    """Return a batch after one more person's click on Apply."""
    actor = batch.requested_by
    assert actor is not None
    bulk.apply(batch=batch, actor=actor, clock=clock(NOON), request_id=uuid.uuid4(), remark="", reason_code="")
    return Batch.objects.get(pk=batch.pk)


def done(batch: Batch) -> Batch:
    """Return a batch confirmed and carried out."""
    bulk.carry_out(batch=confirmed(batch), clock=clock(NOON))
    return Batch.objects.get(pk=batch.pk)


def some() -> list[Record]:
    """Return records enough for several pieces."""
    return filed(*(document(number=f"N{n}") for n in range(COUNT)))


def assert_history_is_whole() -> None:
    """Every version of every record has its event, and its last event says how it stands."""
    for record in Record.objects.all():
        told = list(ActionEvent.objects.filter(record=record).order_by("version").values_list("version", "action"))
        assert [version for version, _action in told] == list(range(1, record.version + 1))
        assert (told[-1][1] if told else "N") == record.action


def test_a_batch_confirmed_and_carried_out_by_four_at_once_happens_once() -> None:
    some()
    batch = previewed("A", "asha")
    answers = together.run(*(lambda: done(batch) for _ in range(4)))
    assert together.of(answers, Batch) == answers
    assert ActionEvent.objects.count() == COUNT
    assert sums_of(Batch.objects.get().became["applied"])["will"].count == COUNT
    assert_history_is_whole()


def test_two_batches_over_the_same_records_share_them_between_each_other() -> None:
    some()
    first, second = previewed("A", "asha"), previewed("P", "ravi")
    answers = together.run(lambda: done(first), lambda: done(second))
    assert together.of(answers, Batch) == answers
    changed = [
        {verdict: sums.count for verdict, sums in sums_of(batch.became["applied"]).items()}
        for batch in Batch.objects.order_by("created_at")
    ]
    assert sum(found.get("will", 0) for found in changed) == COUNT
    assert sum(found.get("moved", 0) for found in changed) == COUNT
    assert Counter(Record.objects.values_list("action", flat=True)) == Counter(
        {letter: found["will"] for letter, found in zip("AP", changed, strict=True) if "will" in found}
    )
    assert_history_is_whole()


def test_single_clicks_beside_a_batch_are_saved_or_told_never_lost() -> None:
    records = some()
    batch = previewed("A", "asha")
    ravi = member(taxpayer(), "preparer", "ravi")

    def click() -> actions.Outcome:
        return actions.take(
            taxpayer=taxpayer(),
            items=[Item(record.pk, 0, Choice(Action.REJECT)) for record in records[::5]],
            actor=ravi,
            clock=clock(NOON),
            request_id=uuid.uuid4(),
        )

    outcome = together.of(together.run(lambda: done(batch), click), actions.Outcome)[0]
    assert isinstance(outcome, actions.Outcome)
    found = sums_of(Batch.objects.get().became["applied"])
    saved = len(outcome.of(actions.ResultStatus.SAVED))
    assert Record.objects.filter(action="R").count() == saved
    assert found["will"].count == COUNT - saved
    assert_history_is_whole()


def test_undoing_beside_somebodys_choice_keeps_that_choice() -> None:
    records = some()
    batch = done(previewed("A", "asha"))
    ravi = member(taxpayer(), "preparer", "ravi")
    asha = batch.requested_by
    assert asha is not None

    def undo() -> Batch:
        bulk.undo(batch=batch, actor=asha, clock=clock(NOON), request_id=uuid.uuid4())
        bulk.carry_out(batch=Batch.objects.get(pk=batch.pk), clock=clock(NOON))
        return Batch.objects.get(pk=batch.pk)

    together.run(undo, undo, lambda: act(records[-1], "R", version=1, on=NOON, actor=ravi))
    undone = Batch.objects.get()
    assert undone.phase == Phase.UNDONE
    kept = sums_of(undone.became["undone"])
    records[-1].refresh_from_db()
    assert records[-1].action == ("R" if "moved" in kept else "N")
    assert kept[""].count == COUNT - ("moved" in kept)
    assert set(Record.objects.exclude(pk=records[-1].pk).values_list("action", flat=True)) == {"N"}
    assert_history_is_whole()


@pytest.mark.parametrize("step", ["apply", "undo"])
def test_filing_beside_a_batch_settles_what_was_saved_before_and_nothing_changes_after(step: str) -> None:
    some()
    recipient = taxpayer()
    batch = previewed("R", "asha")
    if step == "undo":
        batch = done(batch)
    factories.outward.file(
        supplier=recipient, form=factories.Form.GSTR1, period=factories.OCTOBER, actor=None, clock=clock(NOON)
    )

    def file() -> object:
        factories.computed(recipient, on=NOON)
        return gstr3b.file(taxpayer=recipient, period=factories.OCTOBER, actor=None, clock=clock(NOON))

    def change() -> Batch:
        if step == "apply":
            return done(batch)
        actor = batch.requested_by
        assert actor is not None
        bulk.undo(
            batch=batch, actor=actor, clock=Fixed(factories.at(NOON) + timedelta(minutes=1)), request_id=uuid.uuid4()
        )
        bulk.carry_out(batch=Batch.objects.get(pk=batch.pk), clock=clock(NOON))
        return Batch.objects.get(pk=batch.pk)

    _answer, changed = together.run(file, change)
    assert isinstance(changed, (Batch, BatchRefusedError))
    for record in Record.objects.filter(settled_month=factories.OCTOBER.month):
        assert record.settled_as == ("R" if record.action == "R" else "A")
    for filing in Filing.objects.all():
        assert not ActionEvent.objects.filter(inbox_seq__gt=filing.seq, record__settled_month__isnull=False).exists()
    assert_history_is_whole()
