"""The files of many clients as one archive: what is in it, whose it is, and that no lost right is got round by it."""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import queue
from ims_portal import tasks as floor_tasks
from ims_portal.children import Child
from ims_portal.models import AuditEvent, Engagement, Taxpayer
from returns import client_archives, client_files, tasks
from returns.models import Archive, Export
from tests import factories
from tests.live import wait_for
from tests.returns.test_clients import engaged, gstin
from tests.returns.views.clients_desk import OTHER, PAGE, ask
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text

LIST = f"{PAGE}exports/"
BY_HTMX = {"HX-Request": "true"}
LONG_OVER = factories.at("2025-11-16") - timedelta(hours=1)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:  # noqa: ANN401 pytest-django's settings
    """Keep files where the test can see them."""
    settings.IMS_EXPORT_DIR = str(tmp_path / "exports")
    return tmp_path / "exports"


def make(firm: Client, page: str, key: str = "") -> HttpResponse:
    """Ask for the archive of what was asked on a page."""
    return firm.post(f"{page}archive/", {"request_id": key or str(uuid.uuid4())})


def newest() -> Archive:
    return Archive.objects.latest("created_at")


def address() -> str:
    return f"{LIST}{newest().pk}/file"


def archived(answer: HttpResponse) -> dict[str, bytes]:
    """Return the files of an archive by name."""
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == f'attachment; filename="{newest().file_name}"'
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


def made(firm: Client, page: str) -> dict[str, bytes]:
    """Ask for an archive, do the worker's work, and return the files of what is taken."""
    assert make(firm, page)["Location"] == LIST
    Desk.work()
    assert (newest().state, newest().problem) == ("done", "")
    return archived(firm.get(address()))


def cover(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """Return GSTIN -> its line of the cover."""
    book = openpyxl.load_workbook(io.BytesIO(files["cover.xlsx"]))
    rows = [[cell.value for cell in row] for row in book["Cover"].iter_rows()]
    start = next(number for number, row in enumerate(rows) if row[0] == "GSTIN")
    return {row[0]: dict(zip(rows[start], row, strict=True)) for row in rows[start + 1 :]}


def asked(firm: Client, do: str, *ticked: str) -> str:
    """Return the page of what was asked, once its files are written."""
    page = ask(firm, do, *ticked)["Location"]
    Desk.work()
    return page


def end(taxpayer: Taxpayer) -> None:
    """Let an engagement be over."""
    Engagement.objects.filter(taxpayer=taxpayer).update(valid_to=LONG_OVER)


# -- What is in it


def test_the_files_of_many_clients_come_as_one_archive_with_a_cover(firm: Client, desk: Desk) -> None:
    page = asked(firm, "statement", desk.taxpayer.gstin, OTHER)
    files, export = made(firm, page), Export.objects.get()
    assert set(files) == {"cover.xlsx", export.file_name}
    assert hashlib.sha256(files[export.file_name]).hexdigest() == export.sha256
    told = cover(files)
    assert told[desk.taxpayer.gstin]["File"] == export.file_name
    assert told[desk.taxpayer.gstin]["SHA-256"] == export.sha256
    assert told[OTHER]["Problem"] == "There is no GSTR-2B of 10/2025 yet. Compute it first."


def test_each_step_is_logged_and_every_taking_told_to_every_client(firm: Client, desk: Desk) -> None:
    made(firm, asked(firm, "export", desk.taxpayer.gstin, OTHER))
    archived(firm.get(address()))
    own = AuditEvent.objects.filter(taxpayer=None, event__contains="archive").order_by("pk")
    assert [row.event for row in own] == ["archive.asked", "archive.made", "export.archive", "export.archive"]
    assert own[1].details["sha256"] == newest().sha256
    for taxpayer in (desk.taxpayer, Taxpayer.objects.get(gstin=OTHER)):
        taken = AuditEvent.objects.filter(event="export.downloaded", taxpayer=taxpayer)
        export = str(Export.objects.get(taxpayer=taxpayer).pk)
        assert [(row.subject, row.actor.username, row.details["export"]) for row in taken] == [
            ("ims-xlsx", "firm", export)
        ] * 2


def test_a_file_kept_no_more_is_missing_and_said_so(firm: Client, desk: Desk) -> None:
    page = asked(firm, "export", desk.taxpayer.gstin)
    Path(Export.objects.get().path).unlink()
    files = made(firm, page)
    assert set(files) == {"cover.xlsx"}
    assert "kept no more" in cover(files)[desk.taxpayer.gstin]["Problem"]


def test_the_cover_speaks_the_language_it_was_asked_for_in(firm: Client, desk: Desk) -> None:
    page = asked(firm, "export", desk.taxpayer.gstin)
    Path(Export.objects.get().path).unlink()
    make(firm, page.replace("/en/", "/hi/"))
    desk.as_("viewer").get("/en/t/")  # a page of another language in between
    assert "kept no more" not in cover(made_again(firm))[desk.taxpayer.gstin]["Problem"]


def made_again(firm: Client) -> dict[str, bytes]:
    """Do the worker's work on what waits, and return the files of what is taken."""
    Desk.work()
    return archived(firm.get(address()))


def test_more_than_an_archive_holds_is_refused_in_words(
    firm: Client, desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = asked(firm, "export", desk.taxpayer.gstin)
    monkeypatch.setattr(client_files, "MOST_BYTES", 10)
    make(firm, page)
    desk.work()
    assert newest().state == "failed"
    for where in (page, LIST):
        assert "too large to be taken together. Take them one by one." in text(firm.get(where))
    assert firm.get(address()).status_code == 404
    assert [file.name for file in folder.iterdir()] == [Path(Export.objects.get().path).name]


# -- Its pages


def test_both_pages_tell_how_far_it_is_and_then_what_it_is(firm: Client, desk: Desk) -> None:
    page = ask(firm, "statement", desk.taxpayer.gstin, OTHER)["Location"]
    assert "0 of 1 done" in text(firm.get(page))
    for where in (page, LIST):
        assert "Make the archive" not in text(firm.get(where))
    desk.work()
    assert "1 of 1 done" in text(firm.get(page))
    for where in (page, LIST):
        assert "Make the archive: Export GSTR-2B" in text(firm.get(where)).replace(" :", ":")
        assert "hx-trigger" not in firm.get(where).text
    make(firm, page)
    Archive.objects.update(state="running", progress=10, total=27)
    for where in (page, LIST):
        part = firm.get(where, headers=BY_HTMX)
        assert (part.status_code, "<html" in part.text) == (200, False)
        assert "10 of 27" in part.text
        assert 'hx-trigger="every 2s"' in part.text
        assert "Make the archive" not in part.text
    Archive.objects.update(state="waiting")
    desk.work()
    for where in (page, LIST):
        part = firm.get(where, headers=BY_HTMX)
        assert part.status_code == 286
        for told in (
            f"Download {newest().file_name}",
            "1 file and a cover.",
            "As of 16/11/2025",
            "Kept until 23/11/2025",
        ):
            assert told in part.text
        assert hashlib.sha256(Path(newest().path).read_bytes()).hexdigest() in part.text
        assert "Make the archive anew" in part.text


def test_nothing_is_made_while_files_are_written_or_where_there_are_none(firm: Client, desk: Desk) -> None:
    page = ask(firm, "export", OTHER)["Location"]
    answer = make(firm, page)
    assert answer["Location"] == page
    assert "The files are still being written." in text(firm.get(page))
    computing = asked(firm, "compute", desk.taxpayer.gstin)
    assert make(firm, computing).status_code == 404
    assert "Make the archive" not in text(firm.get(computing))
    refused = asked(firm, "statement", OTHER)
    assert "Make the archive" not in text(firm.get(refused))
    make(firm, refused)
    assert not Archive.objects.exists()
    assert firm.post(f"{page}archive/", {}).status_code == 409
    assert firm.get(f"{page}archive/").status_code == 405


def test_more_orders_and_clients_ask_no_more_of_the_database(firm: Client) -> None:
    made(firm, asked(firm, "export", OTHER))
    firm.get(LIST)
    with CaptureQueriesContext(connection) as few:
        firm.get(LIST)
    first = address()
    with CaptureQueriesContext(connection) as taking_one:
        firm.get(first).getvalue()
    for number in range(5):
        engaged(factories.user("firm"), factories.taxpayer(gstin(f"27AAACV{number:04d}C1Z")), "export")
        page = asked(firm, "export", OTHER, *(gstin(f"27AAACV{each:04d}C1Z") for each in range(number + 1)))
        made(firm, page)
    with CaptureQueriesContext(connection) as more:
        assert firm.get(LIST).text.count("Download ") == 6
    last = address()
    with CaptureQueriesContext(connection) as taking_six:
        firm.get(last).getvalue()
    assert newest().rows == 6
    assert len(few) == len(more) <= 10
    assert len(taking_one) == len(taking_six) <= 12


# -- Whose it is


def test_an_archive_is_its_asker_s_alone(firm: Client, desk: Desk) -> None:
    page = asked(firm, "export", desk.taxpayer.gstin)
    for who in ("signatory", "stranger"):
        assert make(desk.as_(who), page).status_code == 404
    assert not Archive.objects.exists()
    made(firm, page)
    for who in ("signatory", "stranger"):
        assert desk.as_(who).get(address()).status_code == 404
        assert newest().file_name not in desk.as_(who).get(LIST).text
    assert firm.get(f"{LIST}{uuid.uuid4()}/file").status_code == 404
    assert "/login/" in Client().get(address()).headers["Location"]
    assert f'href="{PAGE}" aria-current="page"' in firm.get(LIST).text
    assert "You asked for nothing yet" in text(desk.as_("viewer").get(LIST))
    assert "/asked/" not in desk.as_("viewer").get(LIST).text


def test_nothing_of_a_client_lost_before_it_is_made_is_in_it(firm: Client, desk: Desk) -> None:
    page = asked(firm, "export", desk.taxpayer.gstin, OTHER)
    make(firm, page)
    end(desk.taxpayer)
    files = made_again(firm)
    assert [name for name in files if desk.taxpayer.gstin in name] == []
    told = cover(files)[desk.taxpayer.gstin]
    assert (told["Name"], told["Problem"]) == (None, "This GSTIN is not among your clients.")
    assert len(files) == 2
    assert "Meera Traders" not in text(firm.get(page))


def test_an_archive_with_a_client_lost_since_is_given_out_no_more_and_made_anew_without(
    firm: Client, desk: Desk
) -> None:
    page = asked(firm, "export", desk.taxpayer.gstin, OTHER)
    assert len(made(firm, page)) == 3
    taken = AuditEvent.objects.filter(event="export.downloaded").count()
    end(desk.taxpayer)
    refused = firm.get(address())
    assert refused.status_code == 403
    assert f"You may take the files of {desk.taxpayer.gstin} no more" in text(refused)
    assert "Nothing was sent. Make the archive anew, without them" in text(refused)
    assert AuditEvent.objects.filter(event="export.downloaded").count() == taken
    for where in (page, LIST):
        assert "Not given out It has something of clients whose files you may take no more." in text(firm.get(where))
        assert f"{newest().pk}/file" not in firm.get(where).text
    assert len(made(firm, page)) == 2


def test_who_may_look_but_not_export_any_more_takes_nothing(firm: Client, desk: Desk) -> None:
    made(firm, asked(firm, "export", desk.taxpayer.gstin, OTHER))
    Engagement.objects.filter(taxpayer=desk.taxpayer).update(rights=["view"])
    assert firm.get(address()).status_code == 403


def test_a_client_only_named_on_the_cover_counts_too(firm: Client, desk: Desk) -> None:
    page = asked(firm, "statement", desk.taxpayer.gstin, OTHER)
    assert cover(made(firm, page))[OTHER]["Name"] == "Ujala Traders"
    end(Taxpayer.objects.get(gstin=OTHER))
    assert firm.get(address()).status_code == 403
    assert cover(made(firm, page))[OTHER]["Name"] is None


def test_an_archive_is_kept_for_seven_days(firm: Client, desk: Desk, folder: Path) -> None:
    made(firm, asked(firm, "export", OTHER))
    desk.today("2025-11-22")
    floor_tasks.remove_old_downloads()
    assert archived(firm.get(address()))
    desk.today("2025-11-24")
    assert firm.get(address()).status_code == 404
    assert "Download" not in text(firm.get(LIST))
    floor_tasks.remove_old_downloads()
    assert (list(folder.iterdir()), newest().path) == ([], "")


# -- Its job


def test_the_same_asked_again_while_it_waits_is_one_job(firm: Client) -> None:
    page, key = asked(firm, "export", OTHER), str(uuid.uuid4())
    for _again in range(2):
        make(firm, page, key)
        make(firm, page)
    assert Archive.objects.count() == 1
    make(firm, asked(firm, "export", OTHER))
    assert Archive.objects.count() == 2
    made(firm, page)
    assert Archive.objects.count() == 3
    assert make(firm, asked(firm, "export", OTHER), key).status_code == 409


def test_a_writer_that_breaks_leaves_no_file_and_the_job_due(
    firm: Client, desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = asked(firm, "export", OTHER)
    make(firm, page)
    with monkeypatch.context() as patch:
        patch.setattr(client_files, "COVER", "no/such/folder/cover.xlsx")
        with pytest.raises(OSError, match="No such file or directory"):
            client_archives.write(archive=newest(), clock=factories.clock("2025-11-16"))
    assert str(newest().pk) in queue.due(Archive)
    assert len(list(folder.iterdir())) == 1
    desk.work()
    assert len(archived(firm.get(address()))) == 2


def test_a_message_twice_or_without_a_job_does_nothing(firm: Client) -> None:
    made(firm, asked(firm, "export", OTHER))
    tasks.write_archive(job_id=str(newest().pk), from_a_later_version="ignored")
    tasks.write_archive(job_id=str(uuid.uuid4()))
    assert (newest().attempts, Archive.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_worker_writes_the_files_and_then_their_archive(
    start_worker: Callable[[], Child], firm: Client, desk: Desk
) -> None:
    worker = start_worker()
    page = ask(firm, "export", desk.taxpayer.gstin, OTHER)["Location"]
    wait_for(lambda: Export.objects.filter(state="done").count() == 2, child=worker)
    make(firm, page)
    wait_for(lambda: newest().is_over, child=worker)
    assert (newest().state, newest().problem, newest().rows, newest().total) == ("done", "", 2, 2)
    assert len(archived(firm.get(address()))) == 3
