"""A worker killed with -9 in the middle of a batch: what was done stays, the rest follows, nothing happens twice."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from ims_portal import run
from ims_portal.children import Child
from ims_portal.models import PortalClock
from ims_portal.rules.actions import Action
from invoices import bulk
from invoices.bulk import Phase, Which, sums_of
from invoices.models import ActionEvent, Batch, Record
from tests import factories
from tests.live import wait_for

RECORDS = 4_500
"""Two whole pieces and one more."""

pytestmark = pytest.mark.fault


def waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def test_a_batch_goes_on_after_its_worker_was_killed(
    transactional_db: None,  # noqa: ARG001 - makes the test commit
    start_worker: Callable[[], Child],
    start_process: Callable[[str, list[str]], Child],
) -> None:
    PortalClock.objects.create(ahead=factories.at("2025-11-15") - timezone.now())
    factories.filed(*(factories.document(number=f"N{n}") for n in range(RECORDS)))
    recipient = factories.taxpayer()
    actor = factories.member(recipient, "preparer", "asha")
    clock = factories.clock("2025-11-15")
    batch = bulk.preview(
        taxpayer=recipient,
        which=Which("all", "", "/"),
        action=Action.ACCEPT,
        actor=actor,
        clock=clock,
        request_id=uuid.uuid4(),
    )
    bulk.find(batch=batch, clock=clock)
    last = Record.objects.order_by("pk").values_list("pk", flat=True)[bulk.PIECE + 10]
    worker = start_worker()
    with psycopg2.connect(_dsn()) as other, other.cursor() as cursor:
        # The worker has committed its first piece and waits here in the middle of its second.
        cursor.execute("SELECT 1 FROM invoices_record WHERE id = %s FOR UPDATE", [last])
        bulk.apply(batch=batch, actor=actor, clock=clock, request_id=uuid.uuid4(), remark="", reason_code="")
        wait_for(lambda: waiting_for_a_lock() == 1, child=worker)
        assert Batch.objects.get().progress == bulk.PIECE
        assert ActionEvent.objects.count() == bulk.PIECE
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait(timeout=10)
        wait_for(lambda: waiting_for_a_lock() == 0, seconds=15)
    assert ActionEvent.objects.count() == bulk.PIECE

    start_process("beat", run.beat_command())
    second = start_worker()
    wait_for(lambda: Batch.objects.get().phase == Phase.APPLIED, child=second)
    done = Batch.objects.get()
    assert (done.attempts, done.progress) == (2, RECORDS)
    assert sums_of(done.became["applied"])["will"].count == RECORDS
    assert ActionEvent.objects.count() == RECORDS
    assert set(Record.objects.values_list("action", "version")) == {("A", 1)}


def _dsn() -> str:
    settings = connection.settings_dict
    return f"dbname={settings['NAME']} host={settings['HOST']} user={settings['USER']} port={settings['PORT'] or 5432}"
