"""The calendar's page: administrators only, a preview before anything is kept, four eyes, no effect twice."""

from __future__ import annotations

from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ims_portal.models import AuditEvent, DueDateExtension, PortalClock
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/en/control/calendar/"
ASKED = {
    "form": "GSTR-3B",
    "period": "11/2026",
    "frequency": "M",
    "group": "",
    "due": "27/12/2026",
    "notification": "Notification 99/2026-CT of 18/12/2026",
}


@pytest.fixture(autouse=True)
def _on_the_first_of_december() -> None:
    PortalClock.objects.create(pk=1, ahead=factories.at("2026-12-01") - timezone.now())


@pytest.fixture
def adm1(client: Client) -> Client:
    client.force_login(factories.user("adm1", is_staff=True))
    return client


@pytest.fixture
def adm2() -> Client:
    other = Client()
    other.force_login(factories.user("adm2", is_staff=True))
    return other


def propose(client: Client, **change: str) -> None:
    answer = client.post(PAGE, {**ASKED, **change, "request_id": uuid4()})
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)


def step(client: Client, what: str, key: object = None) -> str:
    """Press a button of the only extension and return the page it leads to."""
    pk = DueDateExtension.objects.get().pk if DueDateExtension.objects.exists() else 1
    answer = client.post(f"{PAGE}{pk}/{what}/", {"request_id": key or uuid4()}, follow=True)
    assert answer.redirect_chain == [(PAGE, 303)]
    return unescape(answer.text)


def test_others_find_no_calendar_and_no_door_to_it(client: Client, adm1: Client) -> None:
    propose(adm1)
    pk = DueDateExtension.objects.get().pk
    client = Client()
    client.force_login(factories.member(factories.taxpayer(), "signatory"))
    assert "control/calendar" not in client.get("/en/t/").text
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, {**ASKED, "request_id": uuid4()}).status_code == 404
    for door in ("approve", "withdraw"):
        assert client.post(f"{PAGE}{pk}/{door}/", {"request_id": uuid4()}).status_code == 404
    assert DueDateExtension.objects.get().approved_by is None


def test_an_administrator_comes_to_it_by_the_menu(adm1: Client) -> None:
    assert f'<a href="{PAGE}">Calendar</a>' in adm1.get("/en/t/").text
    page = adm1.get(PAGE).text
    assert f'<a href="{PAGE}" aria-current="page">Calendar</a>' in page
    assert "No due date was extended yet." in page


def test_a_preview_says_whom_it_moves_and_keeps_nothing(adm1: Client) -> None:
    factories.taxpayer()
    factories.taxpayer(factories.SUPPLIER)
    page = adm1.get(PAGE, ASKED)
    assert page.status_code == 200
    assert "<dt>Taxpayers who have yet to file it</dt><dd>2</dd>" in page.text
    assert "<dt>Pending records whose last day moves</dt><dd>0</dd>" in page.text
    assert "<dt>Due day in force</dt><dd>20/12/2026</dd>" in page.text
    assert not DueDateExtension.objects.exists()
    assert not AuditEvent.objects.filter(event__startswith="extension").exists()


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"period": "13/2026"}, "period", "MM/YYYY"),
        ({"period": ""}, "period", "MM/YYYY"),
        ({"due": "2026-12-27"}, "due", "DD/MM/YYYY"),
        ({"due": ""}, "due", "DD/MM/YYYY"),
        ({"due": "20/12/2026"}, "due", "The due day in force is 20/12/2026. Choose a later one."),
        ({"due": "31/12/9999"}, "due", "by a year at most, here to 20/12/2027"),
        ({"period": "01/2025"}, "due", "by a year at most, here to 20/02/2026"),
        ({"period": "10/2026", "due": "30/11/2026"}, "due", "This day is over."),
        ({"frequency": "Q"}, "period", "A quarter is named by its last month"),
        ({"form": "IFF", "period": "12/2026"}, "period", "There is no such return of this period."),
        ({"notification": " "}, "notification", "Name the notification"),
        ({"notification": "x" * 201}, "notification", "at most 200 characters"),
        ({"notification": "a\u202eb"}, "notification", "cannot be shown"),
        ({"form": "GSTR-9"}, "form", "Select a valid choice"),
        ({"group": "Z"}, "group", "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_before_and_after_the_preview(
    adm1: Client, change: dict[str, str], field: str, told: str
) -> None:
    wrong = {**ASKED, **change}
    for answer in (adm1.get(PAGE, wrong), adm1.post(PAGE, {**wrong, "request_id": uuid4()})):
        assert answer.status_code == 422
        page = unescape(answer.text)
        assert f'aria-describedby="id_{field}-error"' in page
        assert told in page.partition(f'id="id_{field}-error">')[2].partition("</p>")[0]
        assert "<h2>Preview</h2>" not in page
    assert not DueDateExtension.objects.exists()


def test_a_form_without_its_request_id_is_refused(adm1: Client) -> None:
    assert adm1.post(PAGE, ASKED).status_code == 409
    assert not DueDateExtension.objects.exists()


def test_one_proposes_another_approves_and_both_are_named(adm1: Client, adm2: Client) -> None:
    propose(adm1)
    own, others = adm1.get(PAGE).text, adm2.get(PAGE).text
    assert "You proposed this extension. Another administrator approves it." in own
    assert "/approve/" not in own
    assert "Waits for a second administrator" in others
    assert "The extension is in force from now on." in step(adm2, "approve")
    page = adm1.get(PAGE).text
    assert "01/12/2026 10:0" in page.partition('<th scope="row">GSTR-3B 11/2026</th>')[2]
    assert "Adm1" in page
    assert "Adm2" in page
    assert "Waits" not in page


def test_a_forged_approval_of_one_s_own_is_refused_with_a_sentence(adm1: Client) -> None:
    propose(adm1)
    assert "message-error" in (page := step(adm1, "approve"))
    assert "You proposed this extension. Another administrator approves it." in page
    assert DueDateExtension.objects.get().approved_by is None


def test_a_proposal_is_taken_back_once(adm1: Client, adm2: Client) -> None:
    propose(adm1)
    pk, key = DueDateExtension.objects.get().pk, uuid4()
    for _press in range(2):
        answer = adm1.post(f"{PAGE}{pk}/withdraw/", {"request_id": key}, follow=True)
        assert "The proposal is withdrawn." in answer.text
    assert "does not wait for approval any more" in step(adm2, "approve")
    assert AuditEvent.objects.filter(event="extension.withdrawn").count() == 1


def test_a_group_of_states_is_told_in_the_law_s_words(adm1: Client) -> None:
    quarter = {"frequency": "Q", "period": "12/2026", "group": "Y", "due": "31/01/2027"}
    page = adm1.get(PAGE, {**ASKED, **quarter}).text
    assert "<dd>GSTR-3B 10-12/2026</dd>" in page
    assert "<dt>States</dt><dd>Second group</dd>" in page
    assert "<dt>Due day in force</dt><dd>24/01/2027</dd>" in page
    propose(adm1, **quarter)
    row = adm1.get(PAGE).text.partition('<th scope="row">GSTR-3B 10-12/2026</th>')[2]
    for told in ("<td>Quarterly</td>", "<td>Second group</td>", "<td>24/01/2027</td>", "<td>31/01/2027</td>"):
        assert told in row


def test_a_double_press_has_one_effect(adm1: Client, adm2: Client) -> None:
    form = {**ASKED, "request_id": uuid4()}
    assert [adm1.post(PAGE, form).status_code for _ in range(2)] == [303, 303]
    key = uuid4()
    for _press in range(2):
        assert "in force from now on" in step(adm2, "approve", key)
    assert list(AuditEvent.objects.order_by("id").values_list("event", flat=True)) == [
        "extension.proposed",
        "extension.approved",
    ]
    changed = {**form, "due": "28/12/2026"}
    assert adm1.post(PAGE, changed).status_code == 409


def test_one_button_is_not_found_on_another_address(adm1: Client) -> None:
    assert adm1.get(f"{PAGE}1/approve/").status_code == 405
    assert "does not wait for approval any more" in step(adm1, "approve")
    answer = adm1.post(f"{PAGE}{10**30}/withdraw/", {"request_id": uuid4()}, follow=True)
    assert "does not wait for approval any more" in answer.text


def test_the_list_asks_no_more_of_the_database_for_more_lines(adm1: Client) -> None:
    propose(adm1)
    adm1.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        adm1.get(PAGE)
    for month in ("12/2026", "01/2027", "02/2027"):
        propose(adm1, period=month, due=f"27/{int(month[:2]) % 12 + 1:02d}/2027")
    adm1.get(PAGE)
    with CaptureQueriesContext(connection) as more:
        adm1.get(PAGE)
    assert len(few) == len(more)
