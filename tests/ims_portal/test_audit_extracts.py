"""The log as a file: asked for by administrators, written by a worker, their own, without what is a taxpayer's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.http import Http404, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from ims_portal import audit, audit_extracts, audit_log, clock, downloads, queue, tasks
from ims_portal.audit_log import Asked
from ims_portal.children import Child
from ims_portal.clock import Fixed
from ims_portal.models import AuditEvent, AuditExtract, User
from tests import factories
from tests.ims_portal import log_desk
from tests.ims_portal.log_desk import FILES, GSTIN, PAGE, SECRET, adm, as_, at, opened, record, text
from tests.live import wait_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = log_desk.TODAY
BY_HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:  # noqa: ANN401 pytest-django's settings
    """Keep files where the test can see them."""
    settings.IMS_EXPORT_DIR = str(tmp_path / "exports")
    return tmp_path / "exports"


def ask(client: Client, query: str = "", key: object = None) -> HttpResponse:
    return client.post(f"{PAGE}{query}", {"do": "take_out", "request_id": key or uuid4()}, follow=True)


def work() -> None:
    """Do what the worker would."""
    for extract in AuditExtract.objects.filter(state="waiting"):
        tasks.write_audit_extract(job_id=str(extract.pk), from_a_later_version="ignored")


def newest() -> AuditExtract:
    return AuditExtract.objects.latest("created_at")


def csv_of(client: Client, query: str = "") -> list[str]:
    """Return the lines of a file asked for, made and taken."""
    assert ask(client, query).redirect_chain == [(FILES, 303)]
    work()
    extract = newest()
    assert (extract.state, extract.problem) == ("done", "")
    answer = client.get(f"{FILES}{extract.pk}/file")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit_12112025.csv"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return answer.getvalue().decode("utf-8-sig").splitlines()


# -- What is in it


@pytest.mark.usefixtures("meera")
def test_the_file_holds_what_the_filters_show_and_each_step_is_logged() -> None:
    heading, *rows = csv_of(as_(), f"?gstin={GSTIN}")
    assert heading.startswith('"Time, IST",User name,Name')
    assert len(rows) == newest().rows == 2
    assert f"12/11/2025 10:00:00,owner,Owner,Signatory,Role given,role.given,{GSTIN},about role.given,,," in rows[0]
    steps = AuditEvent.objects.filter(event__startswith="audit.").order_by("pk")
    assert [step.event for step in steps] == ["audit.asked", "audit.made", "audit.exported"]
    assert {(step.actor, step.capacity, step.taxpayer) for step in steps} == {(adm(), "administrator", None)}
    assert (steps[0].details["gstin"], steps[2].details["gstin"], steps[2].details["rows"]) == (GSTIN, GSTIN, 2)
    assert steps[1].details["sha256"] == newest().sha256


@pytest.mark.usefixtures("meera")
def test_every_filter_is_kept_until_the_worker_reads_it() -> None:
    record("role.ended", factories.taxpayer(GSTIN), factories.user("owner"), {}, at=at("2025-11-13"))
    first, last = "?first=13/11/2025", f"?event=role.given&actor=owner&gstin={GSTIN}&last=12/11/2025"
    assert [row.split(",")[5] for row in csv_of(as_(), first)[1:]] == ["role.ended"]
    assert [row.split(",")[5] for row in csv_of(as_(), last)[1:]] == ["role.given"]


@pytest.mark.usefixtures("meera", "real")
def test_the_file_holds_nothing_of_a_taxpayer_even_under_break_glass() -> None:
    client = as_()
    opened(client)
    assert SECRET in client.get(f"{PAGE}?gstin={GSTIN}").text
    assert SECRET not in "".join(csv_of(client, f"?gstin={GSTIN}"))


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_of_the_file_is_a_formula(evil: str) -> None:
    audit.record(event="clock.set", at=at(), actor=factories.user("mallory", name=evil), subject=evil)
    row = csv_of(as_(), "?actor=mallory")[1]
    assert f",'{evil}," in row
    assert f",{evil}," not in row


@pytest.mark.usefixtures("meera")
def test_a_long_log_is_read_in_pieces_and_all_of_it_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "PIECE", 2)
    rows = csv_of(as_())[1:]
    assert len(rows) == newest().rows == 5  # that it was asked for is in it
    assert rows[0].split(",")[5] == "audit.asked"
    assert len(set(rows)) == 5


def test_the_file_speaks_the_language_it_was_asked_for_in() -> None:
    record("role.ended", factories.taxpayer(GSTIN), None, {})
    client = as_()
    client.post(PAGE.replace("/en/", "/hi/"), {"do": "take_out", "request_id": uuid4()})
    translation.activate("en")
    work()
    with translation.override("hi"):
        told = translation.gettext("Event")
    assert told != "Event"
    assert f",{told}," in Path(newest().path).read_text(encoding="utf-8-sig").splitlines()[0]
    assert ask(client).status_code == 200
    assert AuditExtract.objects.count() == 2


# -- Its page


@pytest.mark.usefixtures("meera")
def test_its_page_tells_how_far_it_is_and_then_what_it_is() -> None:
    client = as_()
    assert "There is no file yet." in text(client.get(FILES))
    page = ask(client, f"?gstin={GSTIN}&first=01/11/2025&event=role.given")
    for part in (f"GSTIN: {GSTIN}", "From day: 01/11/2025", "Event: Role given", "Waiting"):
        assert part in text(page)
    assert 'hx-trigger="every 2s"' in page.text
    AuditExtract.objects.update(state="running", progress=2_000, total=41_200)
    part = client.get(FILES, headers=BY_HTMX)
    assert (part.status_code, "<html" in part.text) == (200, False)
    assert "Working 2,000 of 41,200" in text(part)
    AuditExtract.objects.update(state="waiting")
    work()
    part, extract = client.get(FILES, headers=BY_HTMX), newest()
    assert part.status_code == 286
    assert f"Done 1 Download {extract.file_name}" in text(part)
    assert "As of 12/11/2025 10:00 IST. Kept until 19/11/2025 10:00 IST." in text(part)
    assert f"SHA-256 {hashlib.sha256(Path(extract.path).read_bytes()).hexdigest()}" in text(part)
    assert f'href="{PAGE}" aria-current="page"' in client.get(FILES).text
    assert "The whole log" in text(ask(client))


@pytest.mark.usefixtures("meera")
def test_failure_is_told_with_its_cause() -> None:
    ask(as_())
    AuditExtract.objects.update(state="failed", problem="Adm9, an administrator, cancelled this while it waited.")
    page = as_().get(FILES)
    assert "Failed Adm9, an administrator, cancelled this" in text(page)
    assert "hx-trigger" not in page.text


@pytest.mark.usefixtures("meera")
def test_more_files_ask_no_more_of_the_database() -> None:
    client = as_()
    csv_of(client)
    client.get(FILES)
    with CaptureQueriesContext(connection) as few:
        client.get(FILES)
    for _again in range(4):
        csv_of(client)
    with CaptureQueriesContext(connection) as more:
        assert client.get(FILES).text.count("Download audit_") == 5
    assert len(few) == len(more) == 3  # session, user, files


# -- Whose it is


@pytest.mark.usefixtures("meera")
def test_it_is_its_askers_alone_and_only_while_an_administrator() -> None:
    csv_of(as_())
    address = f"{FILES}{newest().pk}/file"
    assert as_("adm2").get(address).status_code == 404
    assert newest().file_name not in as_("adm2").get(FILES).text
    assert as_().get(f"{FILES}{uuid4()}/file").status_code == 404
    assert as_("stranger").get(address).status_code == 404
    assert "/login/" in Client().get(address).headers["Location"]
    User.objects.filter(username="adm1").update(is_staff=False)
    client = Client()
    client.force_login(User.objects.get(username="adm1"))
    assert client.get(address).status_code == 404


@pytest.mark.usefixtures("meera")
def test_who_is_no_administrator_any_more_gets_no_file(folder: Path) -> None:
    ask(as_())
    User.objects.filter(username="adm1").update(is_staff=False)
    work()
    assert (newest().state, newest().path) == ("failed", "")
    assert newest().problem == "Adm1 is no administrator any more, so no file was made."
    assert list(folder.glob("*")) == []
    with pytest.raises(Http404):
        audit_extracts.request(asked=Asked(), actor=newest().requested_by, clock=clock.portal(), request_id=uuid4())


@pytest.mark.usefixtures("meera")
def test_a_file_is_kept_for_seven_days(now: Fixed, folder: Path) -> None:
    csv_of(as_())
    address = f"{FILES}{newest().pk}/file"
    now.at += timedelta(days=7) - timedelta(seconds=1)
    tasks.remove_old_downloads()
    assert as_().get(address).getvalue()
    now.at += timedelta(seconds=1)
    assert as_().get(address).status_code == 404
    assert "There is no file yet." in text(as_().get(FILES))
    tasks.remove_old_downloads()
    assert (list(folder.glob("*")), newest().path) == ([], "")


@pytest.mark.usefixtures("meera")
def test_a_file_that_is_gone_from_the_disk_is_not_there() -> None:
    csv_of(as_())
    Path(newest().path).unlink()
    assert as_().get(f"{FILES}{newest().pk}/file").status_code == 404


# -- Its job


@pytest.mark.usefixtures("meera")
def test_the_same_asked_again_while_it_waits_is_one_job() -> None:
    key = uuid4()
    for _again in range(2):
        ask(as_(), "?actor=owner", key)
        ask(as_(), "?actor=owner")
    assert AuditExtract.objects.count() == 1
    assert AuditEvent.objects.filter(event="audit.asked").count() == 3  # the same request id twice is one asking
    ask(as_(), "?actor=adm9")
    ask(as_("adm2"), "?actor=owner")
    assert AuditExtract.objects.count() == 3
    work()
    ask(as_(), "?actor=owner")
    assert AuditExtract.objects.count() == 4
    assert ask(as_(), "?actor=adm9", key).status_code == 409


@pytest.mark.usefixtures("meera")
def test_a_writer_that_breaks_leaves_no_file_and_the_job_due(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(asked: Asked) -> Any:  # noqa: ANN401 the lines up to here
        yield from map(audit_log.Line, audit_log.page(asked, most=2))
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(audit_log, "lines", broken)
        ask(as_())
        with pytest.raises(OSError, match="no space"):
            work()
    assert newest().state == "running"
    assert str(newest().pk) in queue.due(AuditExtract)
    assert list(folder.glob("*")) == []
    tasks.write_audit_extract(job_id=str(newest().pk))
    assert (newest().state, newest().rows) == ("done", 5)


@pytest.mark.usefixtures("meera")
def test_a_log_too_long_for_a_worker_is_refused_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def long(asked: Asked) -> Any:  # noqa: ANN401 the lines up to here
        yield from map(audit_log.Line, audit_log.page(asked, most=2))
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(audit_log, "lines", long)
    ask(as_())
    work()
    assert (newest().state, list(folder.glob("*"))) == ("failed", [])
    assert "Ask for fewer days." in text(as_().get(FILES))


@pytest.mark.usefixtures("meera")
def test_what_a_killed_worker_left_goes_in_the_end(real: Fixed, folder: Path) -> None:
    csv_of(as_())
    left = folder / f"{uuid4()}{downloads.HALF}"
    left.write_text("half")
    for days, is_there in ((6, True), (8, False)):
        os.utime(left, ((real.now() - timedelta(days=days)).timestamp(),) * 2)
        assert downloads.remove_old(clock=clock.portal(), real=real.now) == 0
        assert left.exists() is is_there
    assert Path(newest().path).is_file()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("meera")
def test_a_worker_writes_it(start_worker: Callable[[], Child]) -> None:
    worker = start_worker()
    ask(as_(), f"?gstin={GSTIN}")
    wait_for(lambda: newest().is_over, child=worker)
    extract = newest()
    assert (extract.state, extract.problem, extract.rows, extract.total) == ("done", "", 2, 2)
    assert len(Path(extract.path).read_text(encoding="utf-8-sig").splitlines()) == 3
