"""Feeds as jobs: what is kept, what a repeated batch does, and that a refusal leaves only its words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from pytest_django.fixtures import Settings

from ims_portal import once, queue
from ims_portal.models import AuditEvent, Taxpayer, User
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import feed_uploads, feeds, tasks
from invoices.kept_files import UploadRefusedError
from invoices.models import (
    BillOfEntry,
    FeedBatch,
    FeedKind,
    FeedProblem,
    IsdDocument,
    Record,
    Reversal,
    Upload,
)
from tests import factories
from tests.invoices import feed_files as files

ON = "2026-11-12"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Keep the test's files in a folder of its own, and know the importer."""
    settings.IMS_UPLOAD_DIR = tmp_path / "feeds"
    factories.taxpayer(files.IMPORTER, first=202609)
    return tmp_path / "feeds"


def administrator() -> User:
    """Return an administrator."""
    return factories.user("boss", is_staff=True)


def receive(
    file: dict[str, Any] | bytes,
    *,
    kind: FeedKind = FeedKind.BILLS,
    actor: User | None = None,
    request_id: UUID | None = None,
) -> FeedBatch:
    """Return the job of a feed handed in."""
    content = file if isinstance(file, bytes) else json.dumps(file).encode()
    return feed_uploads.receive(
        kind=kind,
        file=SimpleUploadedFile("feed.json", content),
        actor=actor or administrator(),
        clock=factories.clock(ON),
        request_id=request_id or uuid4(),
    )


def taken(file: dict[str, Any] | bytes, *, kind: FeedKind = FeedKind.BILLS, on: str = ON) -> FeedBatch:
    """Return the job of a feed handed in and taken."""
    batch = receive(file, kind=kind)
    feed_uploads.ingest(batch=batch, clock=factories.clock(on))
    batch.refresh_from_db()
    return batch


def test_a_good_feed_is_taken_whole_and_its_copy_is_removed(folder: Path) -> None:
    batch = taken(files.bills(files.bill(), files.bill("7012346")))
    assert (batch.state, batch.key, batch.added, batch.refused) == ("done", "BOE-1", 2, 0)
    assert set(BillOfEntry.objects.values_list("batch", "number")) == {(batch.pk, "7012345"), (batch.pk, "7012346")}
    assert list(folder.iterdir()) == []
    told = AuditEvent.objects.filter(actor__username="boss").order_by("id").values_list("event", "subject")
    assert list(told) == [("feed.received", "boe"), ("feed.taken", "boe BOE-1")]


def test_a_problem_in_the_last_record_leaves_only_its_words(folder: Path) -> None:
    batch = taken(files.bills(files.bill(), files.amended("7012346")))
    assert (batch.state, batch.refused, batch.added, batch.key) == ("failed", 1, 0, "")
    problem = FeedProblem.objects.get()
    assert (problem.position, problem.number, problem.field, problem.code) == (
        "records[1]",
        "7012346",
        "seq",
        "APP-B02",
    )
    assert batch.problem == problem.message
    assert not Record.objects.exists()
    assert list(folder.iterdir()) == []


def test_every_problem_of_every_record_is_kept_up_to_a_thousand() -> None:
    wrong = [files.bill(f"{number:07d}", event="CANCEL") for number in range(1_200)]
    batch = taken(files.bills(*wrong))
    assert (batch.refused, batch.problems.count()) == (1_200, 1_000)


def test_a_repeated_batch_changes_nothing_whatever_it_holds() -> None:
    first = taken(files.bills(files.bill()))
    again = taken(files.bills(files.bill("7012346")))
    assert (again.state, again.repeats, again.added) == ("done", first, 0)
    assert Record.objects.count() == 1


def test_a_batch_that_was_refused_may_come_again_under_its_own_name() -> None:
    taken(files.bills(files.amended()))
    good = taken(files.bills(files.bill()))
    assert (good.state, good.repeats, good.added) == ("done", None, 1)


def test_a_repeated_list_of_reversals_changes_nothing() -> None:
    told = {"gstin": factories.RECIPIENT, "ctin": factories.SUPPLIER, "supprd": "102025", "itcprd": "112025"}
    factories.filed_record(on="2025-10-05")
    factories.filed_period()
    file = files.reversals(files.reversal("INV1", docdt="05-10-2025", **told))
    first = taken(file, kind=FeedKind.RULE_37A, on="2025-12-01")
    assert (first.state, first.added) == ("done", 1), first.problem
    again = taken(file, kind=FeedKind.RULE_37A, on="2025-12-01")
    assert (again.repeats, again.added) == (first, 0)


def test_the_very_same_gstr6_changes_nothing_even_after_a_statement_used_it() -> None:
    factories.taxpayer(files.ISD, first=202609)
    Taxpayer.objects.filter(gstin=files.ISD).update(kind=Taxpayer.Kind.ISD)
    file = files.gstr6(files.isd_document())
    first = taken(file, kind=FeedKind.ISD)
    owner = Taxpayer.objects.get(gstin=files.IMPORTER)
    factories.filed_period(owner, period="092026", on="2026-10-20")
    factories.computed(owner, period="102026", on="2026-11-14")
    again = taken(file, kind=FeedKind.ISD, on="2026-11-15")
    assert (again.state, again.repeats) == ("done", first)
    other = taken(files.gstr6(files.isd_document(igst=46)), kind=FeedKind.ISD, on="2026-11-15")
    assert other.state == "failed"


def test_a_gstr6_may_come_back_to_what_it_was_at_first() -> None:
    factories.taxpayer(files.ISD, first=202609)
    Taxpayer.objects.filter(gstin=files.ISD).update(kind=Taxpayer.Kind.ISD)
    one, two = files.gstr6(files.isd_document()), files.gstr6(files.isd_document(igst=46))
    made = [taken(file, kind=FeedKind.ISD) for file in (one, two, one)]
    assert [(batch.repeats, batch.replaced) for batch in made] == [(None, 0), (None, 1), (None, 1)]
    assert Record.objects.get(status="F").igst == 4500


def test_the_same_request_and_the_same_file_are_one_job(folder: Path) -> None:
    request_id = uuid4()
    first = receive(files.bills(files.bill()), request_id=request_id)
    assert receive(files.bills(files.bill()), request_id=request_id) == first
    assert receive(files.bills(files.bill())) == first
    assert len(list(folder.iterdir())) == 1
    with pytest.raises(once.MismatchError):
        receive(files.bills(files.bill("7012346")), request_id=request_id)
    assert len(list(folder.iterdir())) == 1


def test_nobody_but_an_administrator_hands_in_a_feed(folder: Path) -> None:
    with pytest.raises(feed_uploads.NotAnAdministratorError):
        receive(files.bills(files.bill()), actor=factories.user("visitor"))
    assert not folder.exists()
    batch = receive(files.bills(files.bill()))
    User.objects.filter(username="boss").update(is_staff=False)
    feed_uploads.ingest(batch=batch, clock=factories.clock(ON))
    assert (batch.state, batch.problems.get().code) == ("failed", "RIGHT_MISSING")
    assert not Record.objects.exists()


@pytest.mark.parametrize("content", [b"not json", b'{"feed": "GSTR6-ISD"}', b"\x00" * 9])
def test_a_file_nobody_can_read_is_refused_whole(content: bytes) -> None:
    batch = taken(content)
    assert (batch.state, batch.refused, batch.problems.count()) == ("failed", 0, 1)


def test_an_empty_file_and_none_at_all_are_no_jobs(folder: Path) -> None:
    with pytest.raises(UploadRefusedError):
        receive(b"")
    with pytest.raises(UploadRefusedError, match="No file was chosen"):
        feed_uploads.receive(
            kind=FeedKind.ISD, file=None, actor=administrator(), clock=factories.clock(ON), request_id=uuid4()
        )
    assert not FeedBatch.objects.exists()
    assert list(folder.iterdir()) == []


def test_a_file_that_is_gone_fails_its_job() -> None:
    batch = receive(files.bills(files.bill()))
    Path(batch.path).unlink()
    feed_uploads.ingest(batch=batch, clock=factories.clock(ON))
    assert (batch.state, batch.problems.get().code) == ("failed", "APP-F01")


def test_a_fault_of_the_machine_leaves_the_job_due_and_nothing_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = receive(files.bills(files.bill()))

    def stop(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(queue, "finish", stop)
        with pytest.raises(RuntimeError):
            feed_uploads.ingest(batch=batch, clock=factories.clock(ON))
    assert not Record.objects.exists()
    assert not BillOfEntry.objects.exists()
    assert queue.due(FeedBatch) == [str(batch.pk)]
    tasks.ingest_feed(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, Record.objects.count()) == ("done", 1)


def test_feeds_and_uploads_are_looked_after_by_different_tasks() -> None:
    assert queue.tasks()[FeedBatch] == "invoices.tasks.ingest_feed"
    assert queue.tasks()[Upload] == "invoices.tasks.ingest_upload"


def test_what_a_feed_told_is_neither_changed_nor_deleted() -> None:
    factories.taxpayer(files.ISD, first=202609)
    Taxpayer.objects.filter(gstin=files.ISD).update(kind=Taxpayer.Kind.ISD)
    taken(files.bills(files.bill()))
    taken(files.gstr6(files.isd_document()), kind=FeedKind.ISD)
    importer = Taxpayer.objects.get(gstin=files.IMPORTER)
    feeds.rule_37a(recipient=importer, period=TaxPeriod(202609), tax=Tax(1), clock=factories.clock(ON))
    for kind in (BillOfEntry, IsdDocument, Reversal):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            kind.objects.update(batch=None)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            kind.objects.all().delete()
        assert kind.objects.count() == 1
