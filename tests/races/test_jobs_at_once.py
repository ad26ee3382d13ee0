"""A job cancelled as a worker takes it is one or the other; one retried twice at once waits once; one that a worker
is told of is there.
"""

import os
import uuid
from contextlib import closing
from functools import partial

import pytest
import redis
from django.db import transaction
from django.utils import timezone

from ims_portal import queue
from ims_portal.celery import app
from ims_portal.models import AuditEvent, PortalClock
from ims_portal.queue import JobRefusedError
from returns import tasks
from returns.models import Gstr2b, Gstr2bJob
from tests import factories
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True)


def job(**options: object) -> Gstr2bJob:
    """Return a wanted computation, on the day of the draft."""
    PortalClock.objects.create(pk=1, ahead=factories.at("2025-11-14") - timezone.now())
    factories.filed()
    return Gstr2bJob.objects.create(taxpayer=factories.taxpayer(), month=202510, **options)


def order(do: object, which: Gstr2bJob) -> None:
    adm = factories.user("adm1", is_staff=True)
    told = {"kind": "gstr2bjob", "job_id": which.pk, "actor": adm, "clock": factories.clock("2025-11-14")}
    do(**told, request_id=uuid.uuid4())


@pytest.mark.parametrize("_round", range(6))
def test_a_job_cancelled_as_a_worker_takes_it_is_done_or_cancelled_never_both(_round: int) -> None:
    wanted = job()
    factories.user("adm1", is_staff=True)
    cancelled, _done = together.run(
        partial(order, queue.cancel, wanted), partial(tasks.compute_gstr2b, job_id=str(wanted.pk))
    )
    wanted.refresh_from_db()
    if isinstance(cancelled, JobRefusedError):
        assert (wanted.state, Gstr2b.objects.count()) == ("done", 1)
    else:
        assert (wanted.state, Gstr2b.objects.count()) == ("failed", 0)
        assert "cancelled this" in wanted.problem


def test_a_failed_job_is_retried_once_however_many_press_at_once() -> None:
    failed = job(state="failed", attempts=3)
    factories.user("adm1", is_staff=True)
    answers = together.run(*[partial(order, queue.retry, failed)] * 4)
    assert len(together.of(answers, JobRefusedError)) == 3, answers
    assert AuditEvent.objects.filter(event="job.retried").count() == 1


def messages() -> int:
    """Return how many messages wait at the broker."""
    with closing(redis.Redis.from_url(os.environ["REDIS_URL"])) as broker:
        return int(broker.llen(app.conf.task_default_queue))


@pytest.mark.usefixtures("process_environment")  # with an empty broker
def test_a_message_is_sent_once_what_it_tells_of_can_be_read() -> None:
    """A worker that is told earlier looks, finds nothing, and has forgotten it when it is there."""
    wanted = job()
    with transaction.atomic():
        queue.enqueue(wanted)
        assert messages() == 0
    assert messages() == 1
    with transaction.atomic():
        queue.enqueue(wanted)
        transaction.set_rollback(True)
    assert messages() == 1
