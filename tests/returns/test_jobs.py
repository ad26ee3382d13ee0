"""Jobs that failed are retried and jobs that wait are cancelled, by an administrator; the worker's doors agree."""

from __future__ import annotations

import uuid

import pytest
from django.http import Http404
from django.utils import timezone
from django.utils.translation import override

from ims_portal import complaints, once, queue
from ims_portal.models import AuditEvent, Job, PortalClock, Taxpayer, User
from ims_portal.queue import JobRefusedError
from invoices.models import Batch, FeedBatch, FeedKind
from returns import tasks
from returns.models import Gstr2b, Gstr2bJob
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def adm() -> User:
    return factories.user("adm1", name="Portal Administrator", is_staff=True)


@pytest.fixture
def recipient() -> Taxpayer:
    """Return a recipient with a filed invoice, on the day its draft may be made."""
    PortalClock.objects.create(pk=1, ahead=factories.at("2025-11-14") - timezone.now())
    factories.filed()
    return factories.taxpayer()


def wanted(taxpayer: Taxpayer, **options: object) -> Gstr2bJob:
    return Gstr2bJob.objects.create(taxpayer=taxpayer, month=202510, **options)


def order(do: object, job: Job, adm: User, *, key: uuid.UUID | None = None, kind: str = "") -> None:
    do(
        kind=kind or queue.code(type(job)),
        job_id=job.pk,
        actor=adm,
        clock=factories.clock("2025-11-14"),
        request_id=key or uuid.uuid4(),
    )


def run(job: Gstr2bJob) -> Gstr2bJob:
    tasks.compute_gstr2b(job_id=str(job.pk))
    job.refresh_from_db()
    return job


def given_up(recipient: Taxpayer) -> Gstr2bJob:
    """Return a job that stopped before its end three times."""
    return run(wanted(recipient, state=Job.State.RUNNING, attempts=queue.MAX_ATTEMPTS))


def test_a_job_given_up_is_done_once_it_is_retried(recipient: Taxpayer, adm: User) -> None:
    job = given_up(recipient)
    assert (job.state, job.attempts) == ("failed", 3)
    assert str(job.pk) not in queue.due(Gstr2bJob)
    order(queue.retry, job, adm)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.problem) == ("waiting", 0, "")
    assert str(job.pk) in queue.due(Gstr2bJob)
    assert (run(job).state, job.attempts) == ("done", 1)
    assert Gstr2b.objects.get().line_count == 1
    event = AuditEvent.objects.get(event="job.retried")
    assert (event.actor, event.taxpayer, event.subject) == (adm, recipient, f"gstr2bjob {job.pk}")
    assert event.details == {"tries": 3}


def test_a_retry_nudges_a_worker_once_it_is_kept(
    recipient: Taxpayer, adm: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    job = given_up(recipient)
    nudged: list[tuple[type, str]] = []
    monkeypatch.setattr(queue, "nudge", lambda kind, key: nudged.append((kind, key)))
    with django_capture_on_commit_callbacks(execute=True):
        order(queue.retry, job, adm)
        assert nudged == []
    assert nudged == [(Gstr2bJob, str(job.pk))]


def test_a_cause_that_is_still_there_fails_it_again(recipient: Taxpayer, adm: User) -> None:
    PortalClock.objects.update(ahead=factories.at("2025-11-10") - timezone.now())
    job = run(wanted(recipient))
    assert (job.state, job.notice) == ("failed", "TOO_EARLY")
    order(queue.retry, job, adm)
    assert (run(job).state, job.notice) == ("failed", "TOO_EARLY")
    order(queue.retry, job, adm)
    PortalClock.objects.update(ahead=factories.at("2025-11-14") - timezone.now())
    assert (run(job).state, job.notice) == ("done", "")


@pytest.mark.parametrize("state", ["waiting", "running", "done"])
def test_only_what_failed_is_retried(recipient: Taxpayer, adm: User, state: str) -> None:
    job = wanted(recipient, state=state, attempts=2)
    with pytest.raises(JobRefusedError, match="Only what failed can be retried"):
        order(queue.retry, job, adm)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (state, 2)


def test_what_was_asked_for_again_since_is_not_done_twice(recipient: Taxpayer, adm: User) -> None:
    job = given_up(recipient)
    live = wanted(recipient)
    with pytest.raises(JobRefusedError, match="another job is at it"):
        order(queue.retry, job, adm)
    job.refresh_from_db()
    assert job.state == "failed"
    assert Gstr2bJob.objects.get(state="waiting") == live
    assert not AuditEvent.objects.filter(event="job.retried").exists()


def test_a_job_that_waits_is_cancelled_with_the_name_of_who_did(recipient: Taxpayer, adm: User) -> None:
    job = wanted(recipient)
    with override("hi"):
        order(queue.cancel, job, adm)
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.problem.startswith("Portal Administrator, an administrator, cancelled this while it waited.")
    assert complaints.tell(job.problem) == job.problem
    assert queue.due(Gstr2bJob) == []
    assert (run(job).state, Gstr2b.objects.count()) == ("failed", 0)
    assert AuditEvent.objects.get(event="job.cancelled").taxpayer == recipient
    order(queue.retry, job, adm)
    assert run(job).state == "done"


@pytest.mark.parametrize(
    ("state", "match"), [("running", "A worker is at this job"), ("done", "is over"), ("failed", "is over")]
)
def test_what_does_not_wait_is_not_cancelled(recipient: Taxpayer, adm: User, state: str, match: str) -> None:
    job = wanted(recipient, state=state, problem="as it was")
    with pytest.raises(JobRefusedError, match=match):
        order(queue.cancel, job, adm)
    job.refresh_from_db()
    assert (job.state, job.problem) == (state, "as it was")


def test_the_same_request_twice_has_one_effect(recipient: Taxpayer, adm: User) -> None:
    job, key, other = wanted(recipient), uuid.uuid4(), uuid.uuid4()
    for _press in range(2):
        order(queue.cancel, job, adm, key=key)
    for _press in range(2):
        order(queue.retry, job, adm, key=other)
    with pytest.raises(once.MismatchError):
        order(queue.cancel, job, adm, key=other)
    told = AuditEvent.objects.filter(event__startswith="job.").order_by("id").values_list("event", flat=True)
    assert list(told) == ["job.cancelled", "job.retried"]


@pytest.mark.parametrize("do", [queue.retry, queue.cancel])
def test_what_is_no_job_of_that_kind_is_not_found(recipient: Taxpayer, adm: User, do: object) -> None:
    job = wanted(recipient)
    for kind in ("export", "user", "membership"):
        with pytest.raises(Http404):
            order(do, job, adm, kind=kind)


def test_a_feed_without_a_taxpayer_is_cancelled_and_retried_too(adm: User) -> None:
    feed = FeedBatch.objects.create(kind=FeedKind.ISD, file_name="f", path="gone", size=1, sha256="0", taxpayer=None)
    order(queue.cancel, feed, adm)
    order(queue.retry, feed, adm)
    feed.refresh_from_db()
    assert feed.state == "waiting"


def test_the_latest_of_every_kind_come_newest_first(
    recipient: Taxpayer, adm: User, django_assert_num_queries: object
) -> None:
    first = given_up(recipient)
    other = factories.taxpayer(factories.SUPPLIER)
    options = {"action": "A", "section": "b2b", "back": "/", "open_month": 202510, "requested_by": adm}
    batch = Batch.objects.create(taxpayer=other, asked_at=factories.at("2025-11-14"), **options)
    last = wanted(recipient)
    with django_assert_num_queries(len(queue.tasks())):
        assert [(job.pk, job.taxpayer) for job in queue.latest(most=9)] == [
            (last.pk, recipient),
            (batch.pk, other),
            (first.pk, recipient),
        ]
    assert [job.pk for job in queue.latest(most=2)] == [last.pk, batch.pk]
    assert [job.pk for job in queue.latest(most=9, state="failed")] == [first.pk]
    assert [job.pk for job in queue.latest(most=9, taxpayer=other)] == [batch.pk]
