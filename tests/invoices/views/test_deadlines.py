"""The deadline inbox as a page: groups, rupees, who may see it, putting off in one's own view, and how it asks."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from ims_portal.models import AuditEvent, Snooze, User
from ims_portal.rules.documents import Section
from tests import factories

pytestmark = pytest.mark.django_db
LAPSING = "?action=P&amp;period=10/2025&amp;reduces=1"
INBOX = f"/en/t/{factories.RECIPIENT}/ims/deadlines/"


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Stand the portal's clock at a moment."""

    def stand(text: str) -> None:
        monkeypatch.setattr("ims_portal.clock.portal", lambda: factories.clock(text))

    return stand


@pytest.fixture
def pending() -> None:
    note, untouched = factories.filed(
        factories.document(section=Section.CN, number="CN1", tax=18000),
        factories.document(section=Section.CN, number="CN2", tax=9000),
    )
    factories.act(note, "P")
    assert untouched.action == "N"


def signed_in(client: Client, role: str = "preparer") -> User:
    person = factories.member(factories.taxpayer(), role)
    client.force_login(person)
    return person


def post(client: Client, **fields: str) -> object:
    sent = {"gstin": factories.RECIPIENT, "request_id": str(uuid.uuid4())}
    return client.post(INBOX, {**sent, **fields})


@pytest.mark.usefixtures("pending")
def test_it_groups_what_falls_due_with_rupees_and_what_happens_otherwise(client: Client, on: Callable) -> None:
    signed_in(client)
    on("2025-11-14")
    page = client.get(INBOX).text
    week, later = page.split(">Later</h2>")
    assert "₹9,000.00" in week
    assert "₹18,000.00" in later
    assert "from 21/12/2025 as without action" in later
    assert 'href="/en/t/27AAACR5055K1Z7/ims/inward/all/?action=P&amp;period=10/2025&amp;reduces=1"' in later


@pytest.mark.usefixtures("pending")
def test_on_the_last_day_it_stands_under_today(client: Client, on: Callable) -> None:
    signed_in(client)
    on("2025-12-20")
    today = client.get(INBOX).text.split("Today</h2>")[1].split("<h2")[0]
    assert "₹18,000.00" in today
    assert "today" in today


def test_with_nothing_to_decide_it_says_what_comes_next(client: Client, on: Callable) -> None:
    factories.taxpayer()
    signed_in(client)
    on("2025-11-05")
    page = client.get(INBOX).text
    assert "Nothing lapses in 30 days." in page
    assert "Next: Your GSTR-1 of 10/2025 is due, 11/11/2025." in page
    assert "Not checked" in page


@pytest.mark.usefixtures("pending")
def test_putting_off_hides_an_item_from_one_person_only_until_its_day(client: Client, on: Callable) -> None:
    person = signed_in(client)
    on("2025-11-14")
    assert post(client, item="lapses:202510", until="10/12/2025").status_code == 303
    page = client.get(INBOX).text
    assert "Put off until 10/12/2025, in your own view: Pending of 1 record of GSTR-2B 10/2025 lapses." in page
    assert "1 put off" in page
    assert LAPSING not in page
    assert LAPSING in client.get(f"{INBOX}?snoozed=1").text
    other = Client()
    signed_in(other, "viewer")
    assert LAPSING in other.get(INBOX).text
    on("2025-12-10")
    assert LAPSING in client.get(INBOX).text
    assert Snooze.objects.filter(user=person).count() == 1
    assert AuditEvent.objects.filter(event="deadline.snoozed", actor=person).count() == 1


@pytest.mark.usefixtures("pending")
def test_what_was_put_off_can_be_shown_again(client: Client, on: Callable) -> None:
    signed_in(client)
    on("2025-11-14")
    post(client, item="lapses:202510", until="10/12/2025")
    assert post(client, item="lapses:202510", wake="1").status_code == 303
    assert LAPSING in client.get(INBOX).text
    assert not Snooze.objects.exists()


@pytest.mark.usefixtures("pending")
@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("21/12/2025", "Choose a day after today and not after 20/12/2025."),
        ("14/11/2025", "Choose a day after today and not after 20/12/2025."),
        ("soon", "Write the day as DD/MM/YYYY"),
        ("", "Write the day as DD/MM/YYYY"),
    ],
)
def test_nothing_is_put_off_past_its_own_day(client: Client, on: Callable, until: str, told: str) -> None:
    signed_in(client)
    on("2025-11-14")
    refused = post(client, item="lapses:202510", until=until)
    assert refused.status_code == 422
    assert f'<a href="#until-lapses:202510">{told}' in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert not Snooze.objects.exists()


def test_what_is_gone_cannot_be_put_off(client: Client, on: Callable) -> None:
    factories.taxpayer()
    signed_in(client)
    on("2025-11-14")
    assert post(client, item="lapses:202510", until="10/12/2025").status_code == 303
    assert "This deadline is gone" in client.get(INBOX).text
    assert not Snooze.objects.exists()


@pytest.mark.usefixtures("pending")
def test_a_viewer_looks_and_puts_off_a_stranger_gets_nothing(client: Client, on: Callable) -> None:
    signed_in(client, "viewer")
    on("2025-11-14")
    assert client.get(INBOX).status_code == 200
    assert post(client, item="lapses:202510", until="10/12/2025").status_code == 303
    stranger = Client()
    stranger.force_login(factories.user("stranger"))
    assert stranger.get(INBOX).status_code == 404
    assert post(stranger, item="lapses:202510", until="10/12/2025").status_code == 404


def test_a_form_of_another_gstin_changes_nothing(client: Client, on: Callable) -> None:
    signed_in(client)
    on("2025-11-14")
    sent = {
        "gstin": factories.SUPPLIER,
        "request_id": str(uuid.uuid4()),
        "item": "gstr3b:202510",
        "until": "15/11/2025",
    }
    assert client.post(INBOX, sent).status_code == 409
    assert not Snooze.objects.exists()


@pytest.mark.usefixtures("pending")
def test_it_asks_the_database_a_fixed_number_of_times(
    client: Client, on: Callable, django_assert_max_num_queries: Callable
) -> None:
    signed_in(client)
    on("2025-11-14")
    client.get(INBOX)
    with django_assert_max_num_queries(14):
        client.get(INBOX)
