"""A large file saved on real connections: it waits for nobody it only tells something new, and for whom it changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pytest
from django.db import connection

from ims_portal.rules import periods
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Document, Form, Section
from invoices import actions, delivery, outward
from invoices.actions import Choice, Item
from invoices.models import ActionEvent, Delivery, Record
from tests import factories
from tests.races import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("large")]

R, OTHER = factories.RECIPIENT, "29AAKCT0000P1Z6"


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one recipient are many."""
    monkeypatch.setattr(delivery, "MOST_RECIPIENTS", 1)


def save(*found: Document, period: str = "102025", on: str = "2025-11-05", form: Form = Form.GSTR1) -> outward.Saved:
    """Return what saving documents did, on a connection that ends with it."""
    try:
        return outward.save(
            supplier=factories.taxpayer(factories.SUPPLIER),
            form=form,
            period=periods.parse(period),
            found=found,
            actor=None,
            clock=factories.clock(on),
        )
    finally:
        connection.close()


def to_both(number: str, tax: int = 900, **more: object) -> tuple[Document, Document]:
    """Return a document to each of two recipients; the second one's never changes."""
    mine = factories.document(number=number, tax=tax, **more)
    return mine, factories.document(number=f"{number}/2", recipient=OTHER, tax=900)


def test_new_documents_wait_for_no_recipient() -> None:
    recipient = factories.taxpayer()
    factories.taxpayer(OTHER)
    with together.held(recipient.pk, others=0):
        saved = save(*to_both("NEW"))
    assert (saved.added, saved.refused) == (2, 0)
    assert set(Record.objects.values_list("number", "status", "effect_igst")) == {
        ("NEW", "S", 900_00),
        ("NEW/2", "S", 900_00),
    }


def waits_for(recipient_id: int, *found: Document, **told: object) -> outward.Saved:
    """Return what a save did that had to wait for a recipient; fail where it did not wait."""
    done: list[outward.Saved] = []
    with ThreadPoolExecutor(1) as pool, together.held(recipient_id, meanwhile=lambda: _not_yet(done)):
        saving = pool.submit(lambda: done.append(save(*found, **told)))
    assert saving.result() is None
    return done[0]


def _not_yet(done: list[outward.Saved]) -> None:
    assert done == []


def test_what_changes_withdraws_or_amends_waits_for_its_recipient() -> None:
    recipient = factories.taxpayer()
    save(*to_both("A"), *to_both("B"))
    changed = waits_for(recipient.pk, *to_both("A", 1800))
    assert (changed.changed, changed.unchanged) == (1, 1)
    gone = factories.document(number="B", withdraw=True)
    assert waits_for(recipient.pk, gone, to_both("A", 1800)[1]).withdrawn == 1
    outward.file(
        supplier=factories.taxpayer(factories.SUPPLIER),
        form=Form.GSTR1,
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-10"),
    )
    delivery.carry_out(delivery=Delivery.objects.get())
    amended = factories.document(section=Section.B2BA, number="A", original="A", tax=900)
    other = factories.document(number="C/2", recipient=OTHER)
    told = {"form": Form.GSTR1A, "on": "2025-11-12"}
    assert waits_for(recipient.pk, amended, other, **told).added == 2


def test_an_unchanged_file_waits_for_no_recipient() -> None:
    recipient = factories.taxpayer()
    save(*to_both("A"))
    with together.held(recipient.pk, others=0):
        assert save(*to_both("A")).unchanged == 2


def test_a_large_edit_beside_a_choice_always_leaves_no_action() -> None:
    for turn in range(10):
        save(*to_both(f"S{turn}"))
        record = Record.objects.get(number=f"S{turn}")
        choice = Item(record.pk, record.version, Choice(Action.ACCEPT))
        take = partial(
            actions.take,
            taxpayer=record.recipient,
            items=[choice],
            actor=None,
            clock=factories.clock("2025-11-05"),
            request_id=uuid4(),
        )
        answers = together.run(take, partial(save, *to_both(f"S{turn}", 1800)))
        assert not together.of(answers, Exception), answers
        record.refresh_from_db()
        assert (record.action, record.igst) == ("N", 1800_00)
    assert ActionEvent.objects.filter(cause="edited").count() == 10
