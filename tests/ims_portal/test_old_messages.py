"""Old and new side by side (F27): messages of another release are harmless, whatever they lack or have too much."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable
from datetime import date

import pytest
from celery import current_app
from django.utils import timezone

from ims_portal.celery import app
from ims_portal.children import Child
from ims_portal.models import PortalClock
from returns import gstr2b
from returns.models import Gstr2b, Gstr2bJob
from tests import factories
from tests.live import wait_for

OURS = ("ims_portal.", "invoices.", "returns.")


def names() -> list[str]:
    current_app.loader.import_default_modules()
    return sorted(name for name in current_app.tasks if name.startswith(OURS))


def test_there_are_tasks() -> None:
    assert len(names()) > 10


@pytest.mark.parametrize("name", names())
def test_a_task_takes_what_a_later_release_may_say(name: str) -> None:
    asked = inspect.signature(current_app.tasks[name].run)
    needs = {one.name for one in asked.parameters.values() if one.default is one.empty and one.kind != one.VAR_KEYWORD}
    assert needs <= {"job_id"}
    asked.bind(**dict.fromkeys(needs, str(uuid.uuid4())), from_a_later_release=1)


@pytest.mark.parametrize("name", names())
def test_a_task_of_a_job_that_is_not_there_does_nothing(name: str, db: None) -> None:  # noqa: ARG001 - it looks
    current_app.tasks[name].run(job_id=str(uuid.uuid4()), from_a_later_release=date.max)


@pytest.mark.django_db(transaction=True)
def test_a_worker_survives_messages_of_other_releases_and_works_on(start_worker: Callable[[], Child]) -> None:
    PortalClock.objects.create(ahead=factories.at("2025-11-14") - timezone.now())
    factories.filed()
    worker = start_worker()
    for name, told in (
        ("returns.tasks.of_a_later_release", {"job_id": str(uuid.uuid4())}),
        ("returns.tasks.compute_gstr2b", {}),
        ("returns.tasks.compute_gstr2b", {"job_id": "no number"}),
        ("returns.tasks.compute_gstr2b", {"job_id": str(uuid.uuid4()), "way": "of a later release"}),
    ):
        app.send_task(name, kwargs=told)
    wait_for(lambda: "of_a_later_release" in worker.log.read_text(), child=worker)
    job = gstr2b.request(
        taxpayer=factories.taxpayer(), period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-14")
    )
    wait_for(lambda: Gstr2bJob.objects.get(pk=job.pk).is_over, child=worker)
    assert Gstr2b.objects.get().engine
    assert worker.process.poll() is None
