"""A large return in the browser and for programs: filed at once, then shown on its way until it is there."""

from __future__ import annotations

import uuid
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from ims_portal.access import Right
from ims_portal.models import User
from invoices import delivery, tasks
from invoices.models import Delivery, Record, SupplierReturn
from tests import factories
from tests.api.client import USUAL, Program, one_time_code, token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("now", "large")]
TODAY = "2025-11-12"
S = factories.SUPPLIER
HERE = f"/en/t/{S}/returns/102025/gstr1/"
POLLS = 'hx-trigger="every 2s"'
POLLED = {"HX-Request": "true", "X-Poll": "1"}


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two records saved in a return, of which more than one are many."""
    monkeypatch.setattr(delivery, "MOST_RECORDS", 1)
    factories.saved(factories.document(number="A1"), factories.document(number="A2"))


@pytest.fixture
def kiran() -> User:
    """A signatory of the supplier."""
    return factories.member(factories.taxpayer(S), "signatory", "kiran")


@pytest.fixture
def desk(client: Client, kiran: User) -> Client:
    """The browser of the signatory, who filed the return."""
    client.force_login(kiran)
    shown = client.get(HERE + "file/").context["shown"]
    client.post(HERE + "file/", {"gstin": S, "request_id": str(uuid4()), "shown": shown})
    return client


def test_the_page_of_a_filed_return_says_how_far_it_is_until_it_is_there(desk: Client) -> None:
    due = Delivery.objects.get()
    page = desk.get(HERE)
    assert SupplierReturn.objects.get().acknowledgement in page.text
    assert POLLS in page.text
    assert "0 of 2 documents, 0 %" in page.text
    address = reverse("invoices:delivery", args=[S, due.pk])
    assert address in page.text
    part = desk.get(address, headers=POLLED)
    assert (POLLS in part.text, "<html" in part.text) == (True, False)
    tasks.bring_return(job_id=str(due.pk))
    for answer in (desk.get(address, headers=POLLED), desk.get(address)):
        assert POLLS not in answer.text
        assert "All 2 documents are filed with their recipients." in answer.text
    after = desk.get(HERE)
    assert address not in after.text
    assert 'id="job"' not in after.text


def test_a_delivery_that_failed_says_that_the_return_is_filed(desk: Client) -> None:
    Delivery.objects.update(state=Delivery.State.FAILED, problem="The worker stopped.")
    page = desk.get(HERE)
    assert "The return is filed all the same." in page.text
    assert POLLS not in page.text


def test_a_delivery_of_another_gstin_is_not_there(desk: Client) -> None:
    foreign = factories.taxpayer()
    factories.member(foreign, "signatory", "kiran")
    assert desk.get(reverse("invoices:delivery", args=[foreign.gstin, Delivery.objects.get().pk])).status_code == 404
    assert desk.get(reverse("invoices:delivery", args=[S, uuid4()])).status_code == 404


def test_a_second_click_on_file_leads_to_the_filed_return(desk: Client) -> None:
    answer = desk.post(HERE + "file/", {"gstin": S, "request_id": str(uuid4()), "shown": "0" * 64})
    assert (answer.status_code, answer.headers["Location"]) == (303, HERE)
    assert Delivery.objects.count() == 1


def test_the_jobs_of_the_gstin_name_it_and_an_administrator_has_no_button_to_cancel_it(
    desk: Client, client: Client
) -> None:
    address = reverse("invoices:delivery", args=[S, Delivery.objects.get().pk])
    assert address in desk.get(reverse("jobs", args=[S])).text
    client.force_login(factories.user("boss", is_staff=True))
    page = client.get(reverse("control-jobs"))
    assert "Return to its recipients" in page.text
    assert 'value="cancel"' not in page.text


def test_programs_file_once_and_are_told_to_come_again_meanwhile(kiran: User) -> None:
    program = Program(token(kiran, S, rights=[*USUAL, Right.FILE]))
    october = f"t/{S}/out/gstr1/102025"
    body, key = {"digest": program.get(october).json()["digest"]}, uuid.uuid4()
    filed = program.post(f"{october}/file", body, key, code=one_time_code(kiran))
    assert filed.status_code == 200, filed.json()
    assert program.post(f"{october}/file", body, key).json() == filed.json()
    due = Delivery.objects.get()
    read = program.get(october).json()
    assert (read["state"], read["filing"]) == ("filed", filed.json())
    assert (read["tables"][0]["saved"], read["tables"][0]["filed"]) == (2, 0)
    job = program.get(f"t/{S}/jobs/{due.pk}").json()
    assert (job["kind"], job["state"], job["total"]) == ("delivery", "waiting", 2)
    new = {
        "recipient": factories.RECIPIENT,
        "date": "2025-10-05",
        "pos": "27",
        "lines": [{"rate": "18.00", "taxable": "1000.00"}],
    }
    address = f"t/{S}/out/gstr1a/102025/records/b2b:2025:MORE"
    answer = program.send("put", address, new)
    assert (answer.status_code, answer.json()["code"]) == (503, "BUSY")
    assert "is being brought to its recipients" in answer.json()["message"]
    tasks.bring_return(job_id=str(due.pk))
    assert program.get(october).json()["tables"][0]["filed"] == 2
    assert program.send("put", address, new).status_code == 200
    assert set(Record.objects.exclude(number="MORE").values_list("status", flat=True)) == {"F"}


def test_a_page_that_comes_too_soon_says_what_is_in_its_way(desk: Client) -> None:
    amended = f"/en/t/{S}/returns/102025/gstr1a/file/"
    sent = {"gstin": S, "request_id": str(uuid4()), "shown": desk.get(amended).context["shown"]}
    answer = desk.post(amended, sent)
    assert answer.status_code == 503
    assert "GSTR-1 of 10/2025 is filed and is being brought to its recipients." in answer.text
    tasks.bring_return(job_id=str(Delivery.objects.get().pk))
    assert desk.post(amended, sent).status_code == 303
    assert SupplierReturn.objects.filter(form="GSTR-1A", filed_on__isnull=False).exists()
