"""The administrator's desk for feeds: who may open it, one job per click, and what it says of a refusal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from ims_portal import clock as portal_clock
from invoices import feed_uploads
from invoices.models import FeedBatch, Record
from tests import factories
from tests.invoices import feed_files as files

HERE = "/en/control/feeds/"
MOST_QUERIES = 15

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _portal(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand on 12 November 2026, with a folder of the test's own."""
    settings.IMS_UPLOAD_DIR = tmp_path / "feeds"
    monkeypatch.setattr(portal_clock, "portal", lambda: factories.clock("2026-11-12"))
    factories.taxpayer(files.IMPORTER, first=202609)


@pytest.fixture
def boss(client: Client) -> Client:
    """Return the client, signed in as an administrator."""
    client.force_login(factories.user("boss", name="The Boss", is_staff=True))
    return client


def sent(client: Client, file: dict[str, Any] | None, **changes: str) -> HttpResponse:
    """Return the answer to a feed of bills handed in."""
    form: dict[str, object] = {"kind": "boe", "request_id": str(uuid4())} | changes
    if file is not None:
        form["file"] = SimpleUploadedFile("bills.json", json.dumps(file).encode())
    answer: HttpResponse = client.post(HERE, form)
    return answer


def ingested() -> FeedBatch:
    """Return the one waiting job, taken."""
    batch = FeedBatch.objects.get(state="waiting")
    feed_uploads.ingest(batch=batch, clock=portal_clock.portal())
    return batch


@pytest.mark.parametrize("role", ["viewer", "preparer", "signatory"])
def test_there_is_no_such_page_for_anybody_but_administrators(client: Client, role: str) -> None:
    client.force_login(factories.member(factories.taxpayer(), role))
    batch = FeedBatch.objects.create(kind="boe", file_name="x", path="", size=1, sha256="x")
    assert client.get(HERE).status_code == 404
    assert client.get(f"{HERE}{batch.pk}/").status_code == 404
    assert sent(client, files.bills(files.bill())).status_code == 404
    assert FeedBatch.objects.count() == 1
    assert HERE not in client.get("/en/t/").text


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    assert client.get(HERE).status_code == 302


def test_the_desk_has_an_upload_for_each_kind_each_with_a_request_id_of_its_own(boss: Client) -> None:
    page = boss.get(HERE).text
    assert re.findall(r'name="kind" value="(\w+)"', page) == ["boe", "isd", "rule37a"]
    assert len(set(re.findall(r'name="request_id" value="([\w-]+)"', page))) == 3
    assert page.count("csrfmiddlewaretoken") == 4  # three uploads and the sign-out
    assert "No feed was handed in yet" in page
    assert re.search(r'href="/en/control/feeds/" aria-current="page"', page)


def test_a_form_without_its_token_is_refused(boss: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = boss.cookies
    assert sent(strict, files.bills(files.bill())).status_code == 403
    assert not FeedBatch.objects.exists()


def test_a_feed_leads_to_its_job_and_the_job_to_its_outcome(boss: Client) -> None:
    answer = sent(boss, files.bills(files.bill()))
    batch = FeedBatch.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{HERE}{batch.pk}/")
    waiting = boss.get(answer.headers["Location"]).text
    assert "Waiting" in waiting
    assert "hx-trigger" in waiting
    ingested()
    done = boss.get(answer.headers["Location"]).text
    assert "Done" in done
    assert "BOE-1" in done
    assert "hx-trigger" not in done
    assert Record.objects.count() == 1


def test_a_double_click_is_one_job(boss: Client) -> None:
    request_id = str(uuid4())
    answers = [sent(boss, files.bills(files.bill()), request_id=request_id) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert FeedBatch.objects.count() == 1
    other = sent(boss, files.bills(files.bill("7012346")), request_id=request_id)
    assert other.status_code == 409
    assert FeedBatch.objects.count() == 1


def test_a_form_without_a_request_id_or_of_no_known_kind_does_nothing(boss: Client) -> None:
    assert sent(boss, files.bills(files.bill()), request_id="x").status_code == 409
    assert sent(boss, files.bills(files.bill()), kind="gstr1").status_code == 404
    assert not FeedBatch.objects.exists()


def test_a_missing_file_is_said_beside_its_own_form(boss: Client) -> None:
    answer = sent(boss, None, kind="isd")
    assert answer.status_code == 422
    assert '<a href="#id_isd">No file was chosen. Choose the JSON file of the feed.</a>' in answer.text
    assert re.findall(r'id="(id_\w+)"[^>]*aria-invalid', answer.text) == ["id_isd"]


def test_a_refused_feed_names_every_problem_with_its_place_and_code(boss: Client) -> None:
    sent(boss, files.bills(files.bill(), files.amended("7012346")))
    batch = ingested()
    page = boss.get(f"{HERE}{batch.pk}/").text
    assert "Nothing of this feed was kept" in page
    assert "1 record has a problem" in page
    assert '<th scope="row">records[1]</th>' in page
    assert "APP-B02" in page
    assert "no such bill with this port and date is known here" in page
    fragment = boss.get(f"{HERE}{batch.pk}/", headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith('<div id="job"')
    assert "APP-B02" in fragment


def test_a_feed_told_before_says_so(boss: Client) -> None:
    sent(boss, files.bills(files.bill()))
    ingested()
    sent(boss, files.bills(files.bill()))
    batch = ingested()
    assert "This feed was taken before, as bills.json; this time it changed nothing." in (
        boss.get(f"{HERE}{batch.pk}/").text
    )


def test_the_desk_lists_the_latest_feeds_in_a_fixed_number_of_queries(boss: Client) -> None:
    counts = []
    for number in range(4):
        sent(boss, files.bills(files.bill(f"701234{number}"), files.bill(seq=number), batch_id=f"BOE-{number}"))
        ingested()
        with CaptureQueriesContext(connection) as captured:
            page = boss.get(HERE).text
        counts.append(len(captured))
    assert counts[0] == counts[-1] <= MOST_QUERIES
    assert page.count("The Boss") > 4
    assert page.count("Refused") == 3
    batch = FeedBatch.objects.latest("created_at")
    with CaptureQueriesContext(connection) as captured:
        boss.get(f"{HERE}{batch.pk}/")
    assert len(captured) <= MOST_QUERIES
