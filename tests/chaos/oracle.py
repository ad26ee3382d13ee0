"""What must be so once all is quiet again: due work done, nothing acknowledged lost or doubled, every check silent."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator

from ims_portal import clock, queue
from ims_portal.models import Job, User
from ims_portal.rules.money import to_paise
from invoices.models import ActionEvent, Record, SupplierReturn, Upload
from returns import gstr2b, verify
from returns.models import Filing
from tests.acks import Outcome
from tests.chaos.actors import Kept, Promise

DONE_WITHIN = 120
"""Seconds after the last fault within which all due work is done."""


def liveness(administrator: User) -> Iterator[str]:
    """Wait for due work; yield what is not done in time. A job that used its tries up is retried, as people do it."""
    deadline = time.monotonic() + DONE_WITHIN
    while time.monotonic() < deadline:
        for kind in queue.tasks():
            for job in _of(kind, Job.State.FAILED):
                if job.attempts >= queue.MAX_ATTEMPTS:
                    _retry(kind, job, administrator)
        if not any(_of(kind, *_UNDER_WAY) for kind in queue.tasks()) and not _drafts_missing():
            return
        time.sleep(0.5)
    for kind in queue.tasks():
        yield from (f"{kind.__name__} {job.pk} is {job.state} after {DONE_WITHIN} s" for job in _of(kind, *_UNDER_WAY))
    yield from (f"no draft for {gstin} of {period}" for gstin, period in _drafts_missing())


_UNDER_WAY = (Job.State.WAITING, Job.State.RUNNING)


def _of(kind: type[Job], *states: str) -> list[Job]:
    return list(kind._default_manager.filter(state__in=states))


def _retry(kind: type[Job], job: Job, administrator: User) -> None:
    told = {"kind": queue.code(kind), "job_id": job.pk, "actor": administrator, "clock": clock.portal()}
    try:
        queue.retry(**told, request_id=uuid.uuid4())
    except queue.JobRefusedError:
        job.delete()  # the same was asked for anew and done since: nobody waits for this one


def _drafts_missing() -> list[tuple[str, str]]:
    return [(taxpayer.gstin, period.name) for taxpayer, period in gstr2b.drafts_due(at=clock.portal().now())]


def faults(kept: Kept) -> Iterable[str]:
    """Yield, a sentence each, what was acknowledged and is not so, and what `verify --deep` finds broken."""
    yield from kept.log.faults()
    yield from _documents(kept.documents)
    yield from _references(kept.references)
    yield from _jobs(kept.jobs)
    for one in verify.broken(deep=True):
        yield f"verify: {one.check.name}: {one.count}, first {one.offenders}"


def _documents(promises: dict[tuple[str, str], Promise | None]) -> Iterator[str]:
    """Compare what suppliers were told last of each document with what is kept of it."""
    rows = Record.objects.filter(number_key__in=[number for _gstin, number in promises]).select_related("supplier")
    found: dict[tuple[str, str], list[Record]] = {}
    for row in rows:
        found.setdefault((row.supplier.gstin, row.number_key), []).append(row)
    for place, promise in promises.items():
        standing = [row for row in found.get(place, []) if row.status != Record.Status.WITHDRAWN]
        if len(standing) > 1:
            yield f"{place} stands {len(standing)} times"
        if promise is None:
            continue
        wanted = [to_paise(promise.taxable)] if promise.taxable else []
        if [row.taxable for row in standing] != wanted:
            yield f"{promise} was acknowledged; kept is {[(row.pk, row.taxable, row.status) for row in standing]}"


def _references(told: list[str]) -> Iterator[str]:
    """Find references that clients were given and that are of no filing, or of more than one."""
    kept = [*Filing.objects.values_list("reference", flat=True)]
    kept += SupplierReturn.objects.exclude(acknowledgement="").values_list("acknowledgement", flat=True)
    yield from (f"filing {one} was acknowledged; kept {kept.count(one)} times" for one in told if kept.count(one) != 1)


def _jobs(told: list[str]) -> Iterator[str]:
    """Find files that were taken in and that are no job, or did not come to an end."""
    states = {str(pk): state for pk, state in Upload.objects.values_list("pk", "state")}
    for one in told:
        if states.get(one) not in (Job.State.DONE, Job.State.FAILED):
            yield f"upload {one} was acknowledged and is {states.get(one, 'gone')}"


def counted(kept: Kept) -> dict[str, int]:
    """Return how much was done: decisions acknowledged, other commands, events in the history, filings."""
    return {
        "decisions": kept.log.count(Outcome.OK),
        "commands": kept.commands,
        "events": ActionEvent.objects.count(),
        "filings": Filing.objects.count(),
    }
