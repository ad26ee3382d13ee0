"""A worker killed with -9 while a large return is on its way: each record is filed once, as of the filing's day."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import date

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from ims_portal import run
from ims_portal.children import Child
from ims_portal.models import PortalClock
from ims_portal.rules.documents import Form
from invoices import delivery, outward
from invoices.models import Delivery, Inbox, Record
from returns import large_gstr1, looking, verify
from tests import factories
from tests.live import wait_for

RECIPIENTS, EACH = 250, 5
"""Five pieces."""

pytestmark = pytest.mark.fault


def waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def set_clock(text: str) -> None:
    """Let the portal stand at a moment."""
    PortalClock.objects.all().delete()
    PortalClock.objects.create(ahead=factories.at(text) - timezone.now())


def test_a_return_reaches_everybody_after_its_worker_was_killed(
    transactional_db: None,  # noqa: ARG001 - makes the test commit
    start_worker: Callable[[], Child],
    start_process: Callable[[str, list[str]], Child],
) -> None:
    set_clock("2025-11-11 23:50")
    supplier = factories.taxpayer(factories.SUPPLIER)
    to = large_gstr1.recipients(RECIPIENTS)
    told = {"supplier": supplier, "form": Form.GSTR1, "period": factories.OCTOBER, "actor": None}
    found = large_gstr1.documents(supplier=supplier.gstin, period=factories.OCTOBER, to=to, each=EACH)
    outward.save(**told, found=found, clock=factories.clock("2025-11-05"))
    second = Record.objects.order_by("recipient__gstin", "pk").values_list("pk", flat=True)[delivery.PIECE + 10]
    worker = start_worker()
    with psycopg2.connect(_dsn()) as other, other.cursor() as cursor:
        # The worker has committed its first piece and waits here in the middle of its second.
        cursor.execute("SELECT 1 FROM invoices_record WHERE id = %s FOR UPDATE", [second])
        outward.file(**told, clock=factories.clock("2025-11-11 23:50"))
        wait_for(lambda: waiting_for_a_lock() == 1, child=worker)
        assert Record.objects.filter(status="F").count() == delivery.PIECE
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait(timeout=10)
        wait_for(lambda: waiting_for_a_lock() == 0, seconds=15)
    assert Record.objects.filter(status="F").count() == delivery.PIECE
    assert broken() == set()

    set_clock("2025-11-12 00:10")
    start_process("beat", run.beat_command())
    again = start_worker()
    wait_for(lambda: Delivery.objects.get().is_over, child=again)
    assert Delivery.objects.get().state == Delivery.State.DONE
    as_filed = {("F", date(2025, 11, 11), 202510)}
    assert set(Record.objects.values_list("status", "filed_on", "gstr2b_month")) == as_filed
    assert Record.objects.count() == RECIPIENTS * EACH
    # A recipient whose records lie in two pieces is counted on twice, nobody more often.
    assert set(Inbox.objects.exclude(pk=supplier.pk).values_list("seq", flat=True)) <= {1, 2}
    assert broken() == set()


def broken() -> set[str]:
    """Return the checks of `verify` that find somebody."""
    return {check.name for check in verify.checks() for _one in looking.found(check)}


def _dsn() -> str:
    settings = connection.settings_dict
    return f"dbname={settings['NAME']} host={settings['HOST']} user={settings['USER']} port={settings['PORT'] or 5432}"
