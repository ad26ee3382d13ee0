"""A worker killed with -9 in the middle of its work: nothing half written, and the job finishes by itself."""

import os
import signal
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from ims_portal import audit_extracts, downloads, queue, run
from ims_portal.audit_log import Asked
from ims_portal.children import Child
from ims_portal.models import AuditExtract, PortalClock
from invoices.models import Record
from returns import gstr2b
from returns.models import Gstr2b, Gstr2bJob, Gstr2bLine
from tests import factories
from tests.live import wait_for

RECORDS = 300


def blocked_statements() -> int:
    """Return how many statements of other sessions wait for a lock in the test database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def story_day(transactional_db: None) -> None:  # noqa: ARG001 - the row needs the database
    """Set the portal's clock to 14 November 2025, when the draft of October may be made."""
    PortalClock.objects.create(ahead=factories.at("2025-11-14") - timezone.now())


@pytest.mark.usefixtures("story_day")
def test_statement_finishes_after_its_worker_was_killed(
    start_worker: Callable[[], Child], start_process: Callable[[str, list[str]], Child]
) -> None:
    factories.filed(*(factories.document(number=f"N{n}") for n in range(RECORDS)))
    recipient = factories.taxpayer()
    worker = start_worker()
    with psycopg2.connect(_dsn()) as other, other.cursor() as cursor:
        # The worker has written its lines and waits here to write their statement: the middle of the work.
        cursor.execute("LOCK TABLE returns_gstr2b IN SHARE MODE")
        job = gstr2b.request(
            taxpayer=recipient, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-14")
        )
        wait_for(lambda: blocked_statements() == 1, child=worker)
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait(timeout=10)
        wait_for(lambda: blocked_statements() == 0, seconds=15)
    assert not Gstr2b.objects.exists()
    assert not Gstr2bLine.objects.exists()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Gstr2bJob.State.RUNNING, 1)

    start_process("beat", run.beat_command())
    second = start_worker()
    wait_for(lambda: Gstr2bJob.objects.get(pk=job.pk).is_over, child=second)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Gstr2bJob.State.DONE, 2)
    statement = Gstr2b.objects.get()
    assert (statement.version, statement.line_count) == (1, RECORDS)
    assert Gstr2bLine.objects.count() == RECORDS == Record.objects.count()


def _dsn() -> str:
    told = connection.settings_dict
    return f"dbname={told['NAME']} host={told['HOST']} user={told['USER']} port={told['PORT'] or 5432}"


@pytest.mark.usefixtures("story_day")
def test_a_job_that_kills_its_worker_is_given_up_after_three_tries_until_it_is_retried(
    start_worker: Callable[[], Child],
) -> None:
    factories.filed()
    job = gstr2b.request(
        taxpayer=factories.taxpayer(), period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-14")
    )
    Gstr2bJob.objects.filter(pk=job.pk).update(state=Gstr2bJob.State.RUNNING, attempts=3)
    worker = start_worker()
    wait_for(lambda: Gstr2bJob.objects.get(pk=job.pk).is_over, child=worker)
    job.refresh_from_db()
    assert job.state == Gstr2bJob.State.FAILED
    assert "Tried 3 times" in job.problem
    assert not Gstr2b.objects.exists()

    # An administrator lets it be tried again, and a worker hears of it at once.
    adm = factories.user("adm1", is_staff=True)
    told = {"kind": "gstr2bjob", "job_id": job.pk, "actor": adm, "clock": factories.clock("2025-11-14")}
    queue.retry(**told, request_id=uuid.uuid4())
    wait_for(lambda: Gstr2bJob.objects.get(pk=job.pk).is_over, child=worker)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.problem) == (Gstr2bJob.State.DONE, 1, "")
    assert Gstr2b.objects.get().line_count == 1


@pytest.mark.usefixtures("story_day")
def test_a_file_is_whole_or_not_there_when_its_worker_was_killed(start_worker: Callable[[], Child]) -> None:
    adm, now = factories.user("adm1", is_staff=True), factories.clock("2025-11-14")
    with psycopg2.connect(_dsn()) as other, other.cursor() as cursor:
        extract = audit_extracts.request(asked=Asked(), actor=adm, clock=now, request_id=uuid.uuid4())
        # The worker has begun its file and waits here to read what goes into it.
        cursor.execute("LOCK TABLE ims_portal_auditevent IN ACCESS EXCLUSIVE MODE")
        worker = start_worker()
        wait_for(lambda: blocked_statements() == 1, child=worker)
        left = Path(settings.IMS_EXPORT_DIR) / f"{extract.pk}{downloads.HALF}"
        assert left.is_file()
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait(timeout=10)
        wait_for(lambda: blocked_statements() == 0, seconds=15)
    extract.refresh_from_db()
    assert (extract.state, extract.attempts, extract.path) == (AuditExtract.State.RUNNING, 1, "")

    second = start_worker()
    wait_for(lambda: AuditExtract.objects.get(pk=extract.pk).is_over, child=second)
    extract.refresh_from_db()
    assert (extract.state, extract.attempts, extract.rows) == (AuditExtract.State.DONE, 2, 1)
    assert len(Path(extract.path).read_text(encoding="utf-8-sig").splitlines()) == 2
    assert not left.exists()
