"""Wanted, not queued: work is due while a job row says so; a message to a worker only says "look" (promises 0.2, 7).

Lost, late and doubled messages change nothing: the sweep finds due rows again. A web request never depends on the
broker.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import structlog
from celery import current_app
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import override

from ims_portal import audit, logs, metrics, once
from ims_portal.clock import Clock
from ims_portal.models import Command, Job, Taxpayer, User

log = structlog.get_logger()
AnyJob = TypeVar("AnyJob", bound=Job)

MAX_ATTEMPTS = 3
BROKER_REST = 30.0
"""Seconds without publishing after the broker failed once; the sweep covers them."""


class Served(NamedTuple):
    """What a kind of job is looked after by, what people call it, and the name of its page's address, "" for none."""

    task: str
    name: Promise
    page: str


class JobRefusedError(Exception):
    """A job that cannot be retried, or cancelled, as it stands; nothing was done."""


_served: dict[type[Job], Served] = {}
_broker_bad_until = 0.0


def serve(kind: type[Job], task: str, name: Promise, page: str) -> None:
    """Name the task that looks after a kind of job, and what it is to people; the domain never imports tasks."""
    _served[kind] = Served(task, name, page)


def tasks() -> dict[type[Job], str]:
    """Return kind -> task name, for the sweep and for the test that every name is registered."""
    return {kind: served.task for kind, served in _served.items()}


def served(job: Job) -> Served:
    """Return what is known of a job's kind."""
    return _served[type(job)]


def code(kind: type[Job]) -> str:
    """Return what a form calls a kind of job."""
    return kind.__name__.lower()


def new_or_live(kind: type[AnyJob], same: Mapping[str, object], /, **rest: object) -> AnyJob:
    """Return a new job, or the one that lives and has the `same` in hand.

    The kind's table holds at most one such job that waits or runs. This will join the caller's transaction.
    """
    rows = _rows(kind)
    try:
        with transaction.atomic():
            return rows.create(**same, **rest)
    except IntegrityError:
        live = rows.filter(**same, state__in=[Job.State.WAITING, Job.State.RUNNING]).first()
        return live or new_or_live(kind, same, **rest)


def enqueue(job: Job) -> None:
    """Nudge a worker to look at a job, once the transaction commits. This will swallow a dead broker."""
    kind, key = type(job), str(job.pk)

    def nudge_after_commit() -> None:
        nudge(kind, key)

    transaction.on_commit(nudge_after_commit)


def broker_rests() -> bool:
    """Tell whether this process leaves the broker alone for a while, because it failed."""
    return time.monotonic() < _broker_bad_until


def nudge(kind: type[Job], key: str) -> None:
    """Send "look at this job" now; a broker that fails is left alone for a while."""
    send(_served[kind].task, {"job_id": key})


def send(task: str, told: Mapping[str, object]) -> None:
    """Have a worker run a task now that looks for itself what is due; a broker that fails is left alone for a while."""
    global _broker_bad_until  # noqa: PLW0603 one circuit breaker per process
    if broker_rests():
        return
    try:
        # A header, not an argument: workers of an earlier release do not know it.
        asked_by = {"asked_by": logs.request_number()}
        current_app.send_task(task, kwargs=dict(told), headers=asked_by, retry=False)
    except Exception:  # noqa: BLE001 whatever the broker does, the save it follows has worked
        _broker_bad_until = time.monotonic() + BROKER_REST
        metrics.broker_failed()
        log.warning("broker_unreachable", task=task, job=told.get("job_id"))


def begun(kind: type[AnyJob], job_id: str) -> AnyJob | None:
    """Begin a job that waits, for a web process, and return it; None where somebody is at it, or it is over.

    A page's session of the database is lent for one transaction, so it can hold no claim: a worker that looks at the
    job meanwhile joins in, and one that looks after a page was killed goes on. The work's own locks keep them apart.
    """
    return _begin(kind, job_id, only_waiting=True)


@contextmanager
def claimed(kind: type[AnyJob], job_id: str) -> Iterator[AnyJob | None]:
    """Give the job to this worker while the block runs, or None where there is nothing to do.

    The attempt is counted and committed before the work, so that a job that kills its worker is given up in the
    end. The claim is a session lock: it is gone the moment a killed worker's connection is, and only keeps two
    workers from the same work at once; correctness rests on the locks and checks of the work itself. For processes
    with a session of their own, which is what workers have and pages may not.
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


def _begin(kind: type[AnyJob], job_id: str, *, only_waiting: bool = False) -> AnyJob | None:
    with transaction.atomic():
        job = _rows(kind).select_for_update().filter(pk=job_id).first()
        if job is None or job.is_over or (only_waiting and job.state != Job.State.WAITING):
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
    for kind in _served:
        for job_id in due(kind):
            nudge(kind, job_id)
            count += 1
    return count


def latest(*, most: int, state: str = "", taxpayer: Taxpayer | None = None) -> list[Job]:
    """Return the latest jobs of every kind, newest first, of one state and one taxpayer if told: a query per kind.

    What belongs to a person alone is no taxpayer's.
    """
    told = {"state": state} if state else {}
    of_whom = {"taxpayer": taxpayer} if taxpayer else {}
    found: list[Job] = []
    for kind in _served:
        is_own = kind.taxpayer is None
        if is_own and taxpayer:
            continue
        rows = _rows(kind).filter(**told, **of_whom).select_related("requested_by", *([] if is_own else ["taxpayer"]))
        found += rows.order_by("-created_at", "-pk")[:most]
    return sorted(found, key=lambda job: job.created_at, reverse=True)[:most]


def of(*, taxpayer: Taxpayer, job_id: uuid.UUID) -> Job | None:
    """Return a job of a taxpayer, whatever its kind, None for any other: at most a query per kind."""
    for kind in _served:
        if kind.taxpayer is not None:
            found = _rows(kind).filter(taxpayer=taxpayer, pk=job_id).first()
            if found is not None:
                return found
    return None


def retry(*, kind: str, job_id: uuid.UUID, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Let a failed job wait again with all its tries, and nudge a worker; what it asked for is judged anew.

    Raises JobRefusedError for one that did not fail, and where the same is asked for again already; Http404.
    """
    with transaction.atomic(durable=True):
        command = once.claim(actor=actor, key=request_id, body={"do": "retry", "kind": kind, "job": str(job_id)})
        if command.answer:
            return
        job = _locked(kind, job_id)
        if job.state != Job.State.FAILED:
            raise JobRefusedError(_("Only what failed can be retried. This job did not fail."))
        tries = job.attempts
        job.state, job.attempts, job.problem = Job.State.WAITING, 0, ""
        try:
            with transaction.atomic():
                job.save(update_fields=["state", "attempts", "problem", "changed_at"])
        except IntegrityError:
            raise JobRefusedError(_("The same was asked for again since, and another job is at it.")) from None
        _record("job.retried", job, tries, actor, clock, command)
        enqueue(job)


def cancel(*, kind: str, job_id: uuid.UUID, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Fail a job that waits, saying who cancelled it.

    Raises JobRefusedError for one that is over or that a worker is at; Http404.
    """
    with transaction.atomic(durable=True):
        command = once.claim(actor=actor, key=request_id, body={"do": "cancel", "kind": kind, "job": str(job_id)})
        if command.answer:
            return
        job = _locked(kind, job_id)
        if job.state == Job.State.RUNNING:
            raise JobRefusedError(_("A worker is at this job, so it cannot be cancelled. It ends by itself."))
        if job.is_over:
            raise JobRefusedError(_("This job is over. There is nothing to cancel."))
        if job.is_owed:
            raise JobRefusedError(_("What this job brings to its end is final already, so it cannot be cancelled."))
        with override("en"):  # as workers write: a page finds its reader's language again (complaints)
            why = _("%(name)s, an administrator, cancelled this while it waited. Ask for it again.")
            fail(job, why % {"name": actor})
        _record("job.cancelled", job, job.attempts, actor, clock, command)


def _locked(kind: str, job_id: uuid.UUID) -> Job:
    """Return a job no worker can begin before the transaction ends."""
    found = next((each for each in _served if code(each) == kind), None)
    job = _rows(found).select_for_update(of=("self",)).filter(pk=job_id).first() if found else None
    if job is None:
        raise Http404("No such job.")
    return job


def _record(event: str, job: Job, tries: int, actor: User, clock: Clock, command: Command) -> None:
    audit.record(
        event=event,
        at=clock.now(),
        actor=actor,
        taxpayer=job.taxpayer,
        subject=f"{code(type(job))} {job.pk}",
        details={"tries": tries},
        request_id=command.key,
    )
    once.answered(command, {"done": event})
