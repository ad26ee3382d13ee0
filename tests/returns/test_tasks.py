"""The worker's doors: harmless twice, honest about refusals, and every name a task."""

from __future__ import annotations

import pytest
from celery import current_app
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from ims_portal import queue, sql
from ims_portal import tasks as floor_tasks
from ims_portal.models import Membership, PortalClock, Taxpayer
from invoices import locking
from returns import gstr2b, tasks
from returns.models import Gstr2b, Gstr2bJob
from tests import factories
from tests.factories import OCTOBER, RECIPIENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def recipient() -> Taxpayer:
    return factories.taxpayer(RECIPIENT)


def today(text: str) -> None:
    PortalClock.objects.update_or_create(pk=1, defaults={"ahead": factories.at(text) - timezone.now()})


def wanted(taxpayer: Taxpayer, **options: object) -> Gstr2bJob:
    return Gstr2bJob.objects.create(taxpayer=taxpayer, month=202510, **options)


def run(job: Gstr2bJob) -> Gstr2bJob:
    tasks.compute_gstr2b(job_id=str(job.pk), from_a_later_version="ignored")
    job.refresh_from_db()
    return job


def test_every_served_and_scheduled_name_is_a_registered_task() -> None:
    current_app.loader.import_default_modules()
    names = {*queue.tasks().values(), *(entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values())}
    assert names <= set(current_app.tasks)
    assert "returns.tasks.compute_gstr2b" in names


def test_a_wanted_statement_is_computed_and_the_job_done(recipient: Taxpayer) -> None:
    factories.filed()
    today("2025-11-14")
    job = run(wanted(recipient))
    assert (job.state, job.notice, job.attempts) == ("done", "", 1)
    assert Gstr2b.objects.get().line_count == 1


def test_a_second_message_does_nothing(recipient: Taxpayer) -> None:
    factories.filed()
    today("2025-11-14")
    job = run(wanted(recipient))
    run(job)
    assert (Gstr2b.objects.count(), job.attempts) == (1, 1)


def test_a_message_without_a_job_does_nothing() -> None:
    tasks.compute_gstr2b(job_id="00000000-0000-0000-0000-000000000000")


def test_nothing_changed_is_a_success_with_a_notice(recipient: Taxpayer) -> None:
    factories.filed()
    today("2025-11-15")
    factories.computed(recipient)
    job = run(wanted(recipient))
    assert (job.state, job.notice) == ("done", "NOTHING_CHANGED")
    assert Gstr2b.objects.count() == 1


def test_a_refusal_fails_the_job_with_why_and_what_next(recipient: Taxpayer) -> None:
    today("2025-11-10")
    job = run(wanted(recipient))
    assert (job.state, job.notice) == ("failed", "TOO_EARLY")
    assert "can be computed from 14/11/2025" in job.problem


def test_a_right_lost_meanwhile_fails_the_job(recipient: Taxpayer) -> None:
    today("2025-11-14")
    ravi = factories.member(recipient, "preparer", "ravi")
    job = wanted(recipient, requested_by=ravi)
    Membership.objects.update(valid_to=factories.at("2025-11-13"))
    run(job)
    assert job.state == "failed"
    assert "Ravi may not compute GSTR-2B" in job.problem
    assert not Gstr2b.objects.exists()


def test_a_busy_inbox_leaves_the_job_waiting_for_the_next_look(
    recipient: Taxpayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    today("2025-11-14")
    job = wanted(recipient)

    def busy(**_options: object) -> None:
        raise locking.BusyError

    with monkeypatch.context() as patch:
        patch.setattr(gstr2b, "compute", busy)
        for _attempt in range(queue.MAX_ATTEMPTS + 2):
            run(job)
    assert (job.state, job.attempts) == ("waiting", 0)
    assert str(job.pk) in queue.due(Gstr2bJob)
    assert run(job).state == "done"


def test_drafts_are_wanted_once_their_day_has_come(recipient: Taxpayer) -> None:
    factories.member(recipient)
    factories.filed()
    today("2025-11-13")
    tasks.draft_some(recipient_ids=[recipient.pk])
    assert not Gstr2b.objects.exists()
    today("2025-11-14")
    tasks.draft_some(recipient_ids=[recipient.pk])
    tasks.draft_some(recipient_ids=[recipient.pk])
    made = Gstr2b.objects.get()
    assert (made.computed_by, made.month, made.line_count) == (None, OCTOBER.month, 1)
    assert not Gstr2bJob.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_where_drafts_fail_together_each_is_wanted_by_itself(recipient: Taxpayer) -> None:
    other = factories.taxpayer("33AAPCN0000E1Z5")
    for taxpayer in (recipient, other):
        factories.member(taxpayer, username=f"u{taxpayer.pk}")
    factories.filed(factories.document(), factories.document(number="B-2", recipient=other.gstin))
    today("2025-11-14")
    sql.run(
        f"""
        CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER refuse_one BEFORE INSERT ON returns_gstr2bline FOR EACH ROW
            WHEN (NEW.recipient_id = {other.pk}) EXECUTE FUNCTION refuse_one()
        """
    )
    try:
        tasks.draft_some(recipient_ids=[recipient.pk, other.pk])
        jobs = {job.taxpayer_id: job for job in Gstr2bJob.objects.all()}
        assert (set(jobs), Gstr2b.objects.count()) == ({recipient.pk, other.pk}, 0)
        assert run(jobs[recipient.pk]).state == "done"
        with pytest.raises(DatabaseError):
            run(jobs[other.pk])
    finally:
        sql.run("DROP FUNCTION refuse_one CASCADE")


def test_the_sweep_nudges_for_what_is_due(recipient: Taxpayer, monkeypatch: pytest.MonkeyPatch) -> None:
    job = wanted(recipient)
    nudged: list[tuple[type, str]] = []
    monkeypatch.setattr(queue, "nudge", lambda kind, key: nudged.append((kind, key)))
    floor_tasks.sweep()
    assert (Gstr2bJob, str(job.pk)) in nudged
