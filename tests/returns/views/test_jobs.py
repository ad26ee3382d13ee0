"""The pages of jobs: every one for administrators, with buttons; a GSTIN's own for its people, with links."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import queue
from ims_portal.models import AuditEvent, AuditExtract, Engagement
from invoices.models import ActionFile, Batch, FeedBatch, FeedKind, Upload
from returns.models import Archive, Export, Gstr2bJob
from tests import factories
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text

PAGE = "/en/control/jobs/"
FILE = {"file_name": "Secret Buyer.json", "path": "nowhere", "size": 1, "sha256": "0" * 64}


@pytest.fixture
def adm(db: None) -> Client:  # noqa: ARG001 - fixture of pytest-django
    client = Client()
    client.force_login(factories.user("adm1", is_staff=True))
    return client


def one_of_each(desk: Desk, **options: object) -> None:
    """Make a job of every kind for R."""
    of = {"taxpayer": desk.taxpayer, "requested_by": desk.people["preparer"], **options}
    Gstr2bJob.objects.create(month=202510, **of)
    Export.objects.create(kind="gstr2b-xlsx", asked={"month": 202510, "version": 1}, key="k", **of)
    Upload.objects.create(form="GSTR-1", month=202510, **FILE, **of)
    ActionFile.objects.create(kind="json", **FILE, **of)
    told = {"action": "A", "section": "b2b", "back": "/", "open_month": 202510, "remark": "secret remark"}
    Batch.objects.create(asked_at=factories.at("2025-11-16"), **told, **of)
    FeedBatch.objects.create(kind=FeedKind.ISD, **FILE, **(of | {"taxpayer": None}))
    own = {name: value for name, value in of.items() if name != "taxpayer"} | {"language": "en"}
    Archive.objects.create(order=uuid4(), holds={desk.taxpayer.gstin: ""}, **own)
    AuditExtract.objects.create(key="k", asked={"actor": "secret actor"}, **own)


def send(adm: Client, of: Any, do: str, **fields: object) -> Any:  # noqa: ANN401 - a job; a test client's answer
    body: dict[str, object] = {
        "do": do,
        "kind": queue.code(type(of)),
        "job": str(of.pk),
        "request_id": str(uuid4()),
    } | fields
    return adm.post(PAGE, body, follow=True)


@pytest.mark.parametrize("who", ["signatory", "preparer", "viewer", "stranger"])
def test_nobody_else_finds_the_administrators_page(desk: Desk, who: str) -> None:
    one_of_each(desk)
    client, job = desk.as_(who), Gstr2bJob.objects.get()
    assert client.get(PAGE).status_code == 404
    for do in ("cancel", "retry"):
        assert send(client, job, do).status_code == 404
    assert "control/jobs" not in client.get("/en/t/").content.decode()
    assert Client().get(PAGE)["Location"].startswith("/en/account/login/")
    assert Gstr2bJob.objects.get().state == "waiting"


def test_an_administrator_sees_every_kind_and_nothing_of_what_is_in_it(desk: Desk, adm: Client) -> None:
    one_of_each(desk, progress=41_200, total=200_000, attempts=2)
    page = adm.get(PAGE)
    found = text(page)
    for name in ("Upload of a return", "Feed", "File of actions", "Action on many records", "Computing GSTR-2B"):
        assert name in found
    assert "Archive of clients" in found
    assert "File of the audit log" in found
    assert found.count(desk.taxpayer.gstin) == 10  # five jobs with a GSTIN, each told twice: in its row and its button
    assert "41,200 of 2,00,000" in found
    content = page.content.decode()
    for secret in ("Meera Traders", "Secret Buyer", "secret remark", "secret actor", "Preparer", "202510"):
        assert secret not in content
    assert f'href="{PAGE}" aria-current="page"' in content


def test_jobs_are_listed_by_state(desk: Desk, adm: Client) -> None:
    one_of_each(desk)
    Gstr2bJob.objects.update(state="failed", problem="Tried 3 times and stopped each time before the end.")
    Export.objects.update(state="running")
    failed = text(adm.get(PAGE, {"state": "failed"}))
    assert "Tried 3 times" in failed
    assert "Retry" in failed
    assert "Upload of a return" not in failed
    running = text(adm.get(PAGE, {"state": "running"}))
    assert "A worker is at it; it cannot be cancelled." in running
    assert "Cancel job" not in running
    assert "No job is in this state." in text(adm.get(PAGE, {"state": "done"}))
    assert "Upload of a return" in text(adm.get(PAGE, {"state": "nonsense"}))


def test_buttons_cancel_and_retry_and_come_back_to_the_same_list(desk: Desk, adm: Client) -> None:
    one_of_each(desk)
    job = Gstr2bJob.objects.get()
    page = adm.post(
        f"{PAGE}?state=waiting",
        {"do": "cancel", "kind": "gstr2bjob", "job": job.pk, "request_id": uuid4()},
        follow=True,
    )
    assert page.redirect_chain == [(f"{PAGE}?state=waiting", 303)]
    assert "The job is cancelled." in text(page)
    own = text(desk.get(f"jobs/{job.pk}/"))
    assert "Adm1, an administrator, cancelled this while it waited." in own
    assert "The job waits again" in text(send(adm, job, "retry"))
    assert Gstr2bJob.objects.get().state == "waiting"
    assert AuditEvent.objects.filter(event__in=["job.cancelled", "job.retried"]).count() == 2


def test_what_belongs_to_a_person_is_retried_and_cancelled_too(desk: Desk, adm: Client) -> None:
    one_of_each(desk)
    for kind in (Archive, AuditExtract):
        assert "The job is cancelled." in text(send(adm, kind.objects.get(), "cancel"))
        assert kind.objects.get().state == "failed"
        assert "The job waits again" in text(send(adm, kind.objects.get(), "retry"))
        assert kind.objects.get().state == "waiting"


def test_what_cannot_be_done_is_told_in_a_message(desk: Desk, adm: Client) -> None:
    one_of_each(desk, state="running")
    page = send(adm, Export.objects.get(), "cancel")
    assert "message-error" in page.content.decode()
    assert "A worker is at this job, so it cannot be cancelled." in text(page)
    assert "Only what failed can be retried." in text(send(adm, Export.objects.get(), "retry"))


def test_what_no_page_sends_is_refused(desk: Desk, adm: Client) -> None:
    one_of_each(desk)
    job = Gstr2bJob.objects.get()
    for wrong in ({"job": "1"}, {"job": ""}, {"request_id": ""}):
        assert send(adm, job, "cancel", **wrong).status_code == 409
    assert send(adm, job, "delete").status_code == 409
    for wrong in ({"kind": "membership"}, {"kind": "export"}, {"job": str(uuid4())}):
        assert send(adm, job, "cancel", **wrong).status_code == 404
    assert Gstr2bJob.objects.get().state == "waiting"


@pytest.mark.parametrize("who", ["signatory", "preparer", "viewer"])
def test_everybody_of_a_gstin_sees_its_jobs_with_the_way_to_each(desk: Desk, who: str) -> None:
    one_of_each(desk)
    other = factories.taxpayer(factories.SUPPLIER)
    Gstr2bJob.objects.create(taxpayer=other, month=202510)
    client = desk.as_(who)
    page = client.get(desk.url("jobs/"))
    found = text(page)
    for part in ("Upload of a return", "Preparer", "just now", "File to download"):
        assert part in found
    assert found.count("Computing GSTR-2B") == 1  # the other GSTIN's is not among them, and no feed
    for others in (FeedBatch, Archive, AuditExtract):
        assert str(others.objects.get().pk) not in page.content.decode()
    content = page.content.decode()
    for job in (Gstr2bJob.objects.filter(taxpayer=desk.taxpayer).get(), Batch.objects.get(), Export.objects.get()):
        assert str(job.pk) in content
    assert "<button" not in content[content.index("<main") :]
    assert client.post(desk.url("jobs/")).status_code == 405


def test_every_link_of_a_gstin_s_jobs_leads_to_its_page(desk: Desk) -> None:
    one_of_each(desk)
    client = desk.as_("signatory")
    content = client.get(desk.url("jobs/")).content.decode()
    main = content[content.index("<main") :]
    links = [part.split('"')[0] for part in main.split('href="')[1:] if desk.taxpayer.gstin in part.split('"')[0]]
    assert len(links) == 5
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_strangers_and_ended_practitioners_find_no_jobs(desk: Desk) -> None:
    assert desk.get("jobs/", "stranger").status_code == 404
    Engagement.objects.create(
        user=desk.people["stranger"],
        taxpayer=desk.taxpayer,
        valid_from=factories.LONG_AGO,
        valid_to=factories.at("2025-11-15"),
        asked_by=desk.people["stranger"],
        accepted_by=desk.people["signatory"],
    )
    assert desk.get("jobs/", "stranger").status_code == 404
    assert "There is no job yet." in text(desk.get("jobs/"))


@pytest.mark.parametrize("is_own", [True, False])
def test_more_jobs_ask_no_more_of_the_database(desk: Desk, adm: Client, *, is_own: bool) -> None:
    client, page = (desk.as_("viewer"), desk.url("jobs/")) if is_own else (adm, PAGE)
    one_of_each(desk)
    client.get(page)
    with CaptureQueriesContext(connection) as few:
        client.get(page)
    for _round in range(4):
        one_of_each(desk, state="done")
    with CaptureQueriesContext(connection) as more:
        assert text(client.get(page)).count("Computing GSTR-2B") >= 5
    assert len(few) == len(more) <= 15
