"""A large return on its way, on real connections: nobody waits for all the others (F10)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar
from uuid import uuid4

import pytest
from django.db import connection

from ims_portal import queue
from ims_portal.models import Taxpayer
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form
from invoices import actions, delivery, locking, outward, tasks
from invoices.actions import Choice, Item, Outcome, ResultStatus
from invoices.models import ActionEvent, Delivery, Inbox, Record
from returns import large_gstr1
from tests import factories
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True)
Answer = TypeVar("Answer")

RECIPIENTS, EACH = 600, 5
LONGEST = 3.0
"""Seconds a single click may wait for the filing of somebody else."""


def saved(recipients: int, each: int, *, by: str = factories.SUPPLIER) -> Taxpayer:
    """Return a supplier that saved so many invoices for each of so many recipients."""
    supplier = factories.taxpayer(by)
    to = large_gstr1.recipients(recipients)
    found = large_gstr1.documents(supplier=supplier.gstin, period=factories.OCTOBER, to=to, each=each)
    outward.save(
        supplier=supplier,
        form=Form.GSTR1,
        period=factories.OCTOBER,
        found=found,
        actor=None,
        clock=factories.clock("2025-11-05"),
        all_or_nothing=True,
    )
    return supplier


def file(supplier: Taxpayer) -> None:
    outward.file(
        supplier=supplier, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-10")
    )


def accept(record: Record) -> Outcome:
    """Accept one record, as a click does."""
    item = Item(record.pk, record.version, Choice(Action.ACCEPT))
    return actions.take(
        taxpayer=record.recipient,
        items=[item],
        actor=None,
        clock=factories.clock("2025-11-12"),
        request_id=uuid4(),
    )


def apart(work: Callable[[], Answer]) -> Callable[[], Answer]:
    """Return a work that ends its thread's connection."""

    def done() -> Answer:
        try:
            return work()
        finally:
            connection.close()

    return done


class Holds:
    """How long transactions held their inboxes' locks, and how many of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: list[tuple[float, int]] = []
        self.of = threading.local()
        self.lock, self.transact = locking.lock, locking.transact
        monkeypatch.setattr(locking, "lock", self._lock)
        monkeypatch.setattr(locking, "transact", self._transact)

    def _lock(self, taxpayer_ids: set[int]) -> dict[int, Inbox]:
        found = self.lock(taxpayer_ids)
        self.of.held = time.monotonic(), len(found)
        return found

    def _transact(self, work: Callable[[], Answer]) -> Answer:
        answer = self.transact(work)
        since, count = self.of.held
        self.seconds.append((time.monotonic() - since, count))
        return answer


def test_clicks_go_on_while_a_large_return_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    supplier = saved(RECIPIENTS, EACH)
    clicks = list(Record.objects.filter(number__endswith="000000").select_related("recipient").order_by("?"))
    holds, waits, is_over = Holds(monkeypatch), [], threading.Event()

    def clicking() -> int:
        for count, record in enumerate(clicks):
            if is_over.is_set():
                return count
            began = time.monotonic()
            assert accept(record).results[0].status is ResultStatus.SAVED
            waits.append(time.monotonic() - began)
        return len(clicks)

    with ThreadPoolExecutor(1) as pool:
        clicked = pool.submit(apart(clicking))
        file(supplier)
        (own,) = [held for held in holds.seconds if held[1] == 1][-1:] or [(0.0, 1)]
        for job_id in queue.due(Delivery):
            tasks.bring_return(job_id=job_id)
        is_over.set()
        assert clicked.result() > 0
    assert Record.objects.filter(status="F", gstr2b_month=202510).count() == RECIPIENTS * EACH
    pieces = [seconds for seconds, count in holds.seconds if count > 1]
    assert len(pieces) == -(-RECIPIENTS * EACH // delivery.PIECE), "the filing itself locked nobody but its supplier"
    assert max(pieces) < LONGEST
    assert own[0] < LONGEST
    assert max(waits) < LONGEST
    assert ActionEvent.objects.count() == len(waits)


def test_one_recipient_that_is_held_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MOST_RECIPIENTS", 5)
    monkeypatch.setattr(delivery, "PIECE", 4)
    supplier = saved(20, 2)
    records = list(Record.objects.select_related("recipient").order_by("recipient__gstin", "pk"))
    middle, last = records[20], records[-1]
    file(supplier)

    def others_click() -> None:
        assert Record.objects.filter(status="F").count() == 20, "those before it are filed"
        for record in (records[0], last):
            record.refresh_from_db()
            assert together.run(partial(accept, record))[0].results[0].status is ResultStatus.SAVED

    bring = apart(partial(tasks.bring_return, job_id=queue.due(Delivery)[0]))
    with ThreadPoolExecutor(1) as pool, together.held(middle.recipient_id, meanwhile=others_click):
        pool.submit(bring)
    assert set(Record.objects.values_list("status", flat=True)) == {"F"}
    assert Delivery.objects.get().state == Delivery.State.DONE


def test_two_workers_and_recipients_that_compute_file_each_record_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MOST_RECIPIENTS", 5)
    monkeypatch.setattr(delivery, "PIECE", 3)
    supplier = saved(30, 3)
    file(supplier)
    due = Delivery.objects.get()
    recipients = list(Taxpayer.objects.exclude(pk=supplier.pk).order_by("-gstin")[:12])
    answers = together.run(
        *(partial(delivery.carry_out, delivery=Delivery.objects.get(pk=due.pk)) for _worker in range(2)),
        *(partial(factories.computed, recipient) for recipient in recipients),
    )
    assert not together.of(answers, Exception), answers
    assert set(Record.objects.values_list("status", "gstr2b_month")) == {("F", 202510)}
    assert Delivery.objects.get().state == Delivery.State.DONE
    for computed in answers[2:]:
        assert computed.statement.line_count == 3
        assert factories.computed(computed.statement.recipient).nothing_changed


def test_a_save_beside_a_large_filing_is_in_it_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MOST_RECIPIENTS", 1)
    supplier = saved(8, 1)
    late = partial(factories.saved, factories.document(number="LATE"), on="2025-11-10")
    _filed, told = together.run(partial(file, supplier), late)
    kept = Delivery.objects.get().supplier_return
    assert kept.held[0] == (8 if isinstance(told, outward.ReturnRefusedError) else 9), told
    tasks.bring_return(job_id=str(kept.delivery.pk))
    assert Record.objects.filter(status="F").count() == Record.objects.count() == kept.held[0]
