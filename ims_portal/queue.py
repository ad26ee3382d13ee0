"""Wanted, not queued: work is due while a job row says so; a message to a worker only says "look" (promises 0.2, 7).

Lost, late and doubled messages change nothing: the sweep finds due rows again. A web request never depends on the
broker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from celery import current_app
from django.db import connection, models, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from ims_portal.models import Job

log = structlog.get_logger()
AnyJob = TypeVar("AnyJob", bound=Job)

MAX_ATTEMPTS = 3
BROKER_REST = 30.0
"""Seconds without publishing after the broker failed once; the sweep covers them."""

_tasks: dict[type[Job], str] = {}
_broker_bad_until = 0.0


def serve(kind: type[Job], task: str) -> None:
    """Name the task that looks after a kind of job; the domain never imports tasks."""
    _tasks[kind] = task


def tasks() -> dict[type[Job], str]:
    """Return kind -> task name, for the sweep and for the test that every name is registered."""
    return dict(_tasks)


def enqueue(job: Job) -> None:
    """Nudge a worker to look at a job, once the transaction commits. This will swallow a dead broker."""
    kind, key = type(job), str(job.pk)

    def nudge_after_commit() -> None:
        nudge(kind, key)

    transaction.on_commit(nudge_after_commit)


def nudge(kind: type[Job], key: str) -> None:
    """Send "look at this job" now; a broker that fails is left alone for a while."""
    global _broker_bad_until  # noqa: PLW0603 one circuit breaker per process
    if time.monotonic() < _broker_bad_until:
        return
    try:
        current_app.send_task(_tasks[kind], kwargs={"job_id": key}, retry=False)
    except Exception:  # noqa: BLE001 whatever the broker does, the save it follows has worked
        _broker_bad_until = time.monotonic() + BROKER_REST
        log.warning("broker_unreachable", task=_tasks[kind], job=key)


@contextmanager
def claimed(kind: type[AnyJob], job_id: str) -> Iterator[AnyJob | None]:
    """Give the job to this worker while the block runs, or None where there is nothing to do.

    The attempt is counted and committed before the work, so that a job that kills its worker is given up in the
    end. The claim is a session lock: it is gone the moment a killed worker's connection is, and only keeps two
    workers from the same work at once; correctness rests on the locks and checks of the work itself.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [job_id])
        if not cursor.fetchone()[0]:
            yield None
            return
    try:
        yield _begin(kind, job_id)
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [job_id])


def _begin(kind: type[AnyJob], job_id: str) -> AnyJob | None:
    with transaction.atomic():
        job = _rows(kind).select_for_update().filter(pk=job_id).first()
        if job is None or job.is_over:
            return None
        if job.attempts >= MAX_ATTEMPTS:
            fail(
                job,
                _("Tried %(times)s times and stopped each time before the end. An administrator can retry it.")
                % {"times": MAX_ATTEMPTS},
            )
            return None
        job.attempts += 1
        job.state = Job.State.RUNNING
        job.save(update_fields=["attempts", "state", "changed_at"])
        return job


def _rows(kind: type[AnyJob]) -> models.Manager[AnyJob]:
    return kind._default_manager  # noqa: SLF001 - the documented way to a model that is only known at run time


def finish(job: Job) -> None:
    """Mark a job done. This will join the transaction of its work, so that both hold or neither."""
    job.state, job.done = Job.State.DONE, job.wanted
    job.save()


def show(job: Job, stage: str) -> None:
    """Say what a job is at, for its page; a code of the kind's own, committed at once."""
    job.stage = stage
    job.save(update_fields=["stage", "changed_at"])


def put_back(job: Job, stage: str) -> None:
    """Let a job wait for the next look, without counting this attempt: something else was in its way."""
    job.state, job.stage, job.attempts = Job.State.WAITING, stage, max(0, job.attempts - 1)
    job.save(update_fields=["state", "stage", "attempts", "changed_at"])


def fail(job: Job, problem: str) -> None:
    """Mark a job failed for good, with what to do next."""
    job.state, job.problem = Job.State.FAILED, problem
    job.save(update_fields=["state", "problem", "changed_at"])


def due(kind: type[Job]) -> list[str]:
    """Return ids of jobs whose work is not done, the longest waiting first; a claimed one turns the nudge down."""
    rows = _rows(kind).filter(state__in=[Job.State.WAITING, Job.State.RUNNING], wanted__gt=F("done"))
    return [str(pk) for pk in rows.order_by("created_at").values_list("pk", flat=True)[:500]]


def sweep() -> int:
    """Nudge for all due work, of every kind, and return how many nudges were sent."""
    count = 0
    for kind in _tasks:
        for job_id in due(kind):
            nudge(kind, job_id)
            count += 1
    return count
