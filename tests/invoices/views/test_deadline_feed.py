"""The calendar feed: a key of one's own, shown once, worth what its person's rights are, and gone once revoked."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from ims_portal import clock as portal_clock
from ims_portal.models import AuditEvent, CalendarKey, Membership, User
from ims_portal.rules.documents import Section
from tests import factories

pytestmark = pytest.mark.django_db
KEYS = f"/en/t/{factories.RECIPIENT}/ims/deadlines/feed/"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_clock, "portal", lambda: factories.clock("2025-11-14"))


@pytest.fixture
def me(client: Client) -> User:
    (note,) = factories.filed(factories.document(section=Section.CN, number="CN1", tax=18000))
    factories.act(note, "P")
    person = factories.member(factories.taxpayer(), "viewer")
    client.force_login(person)
    return person


def post(client: Client, **fields: str) -> object:
    sent = {"gstin": factories.RECIPIENT, "request_id": str(uuid.uuid4()), "do": "make"}
    return client.post(KEYS, {**sent, **fields})


def made(client: Client, **fields: str) -> str:
    page = post(client, **fields)
    assert page.status_code == 200
    return re.search(r'value="http://testserver(/en/t/[^"]+)" readonly', page.text)[1]


def lines(url: str, client: Client | None = None) -> list[str]:
    answer = (client or Client()).get(url)
    assert answer.status_code == 200
    return answer.content.decode().replace("\r\n ", "").split("\r\n")


@pytest.mark.usefixtures("me")
def test_the_feed_tells_days_and_counts_to_whoever_has_the_key_and_no_rupees(client: Client) -> None:
    url = made(client)
    found = lines(url)
    assert "SUMMARY:Pending of 1 record of GSTR-2B 10/2025 lapses" in found
    assert "DTSTART;VALUE=DATE:20251220" in found
    assert "UID:lapses-202510-27AAACR5055K1Z7@ims-portal.invalid" in found
    assert "₹" not in "".join(found)
    answer = Client().get(url)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert not answer.cookies


@pytest.mark.usefixtures("me")
def test_rupees_are_told_to_those_who_asked_for_them(client: Client) -> None:
    assert "SUMMARY:Pending of 1 record of GSTR-2B 10/2025 lapses: ₹18\\,000.00" in lines(made(client, rupees="1"))


@pytest.mark.usefixtures("me")
def test_a_key_is_shown_once_and_kept_only_as_a_hash(client: Client) -> None:
    url = made(client)
    key = url.split("key=")[1]
    assert key not in client.get(KEYS).text
    assert len(key) >= 43
    stored = CalendarKey.objects.get()
    assert key not in str(stored.__dict__)
    assert not AuditEvent.objects.filter(details__icontains=key).exists()


@pytest.mark.usefixtures("me")
def test_the_same_form_twice_makes_one_key(client: Client) -> None:
    same = str(uuid.uuid4())
    made(client, request_id=same)
    assert post(client, request_id=same).status_code == 303
    assert CalendarKey.objects.count() == 1


@pytest.mark.usefixtures("me")
def test_a_new_key_ends_the_old_one(client: Client) -> None:
    first, second = made(client), made(client)
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200


@pytest.mark.usefixtures("me")
def test_a_revoked_key_opens_nothing_and_can_be_revoked_here_or_among_the_settings(client: Client) -> None:
    url = made(client)
    assert post(client, do="revoke").status_code == 303
    assert Client().get(url).status_code == 404
    url = made(client)
    assert factories.RECIPIENT in client.get("/en/me/").text
    sent = {"gstin": factories.RECIPIENT, "request_id": str(uuid.uuid4())}
    assert client.post(f"/en/me/calendar/{factories.RECIPIENT}/revoke/", sent).status_code == 303
    assert Client().get(url).status_code == 404
    assert AuditEvent.objects.filter(event="calendar_key.revoked").count() == 2


@pytest.mark.usefixtures("me")
def test_nobody_revokes_somebody_else_s_key(client: Client) -> None:
    url = made(client)
    other = Client()
    other.force_login(factories.member(factories.taxpayer(), "signatory"))
    sent = {"gstin": factories.RECIPIENT, "request_id": str(uuid.uuid4())}
    assert other.post(f"/en/me/calendar/{factories.RECIPIENT}/revoke/", sent).status_code == 404
    assert Client().get(url).status_code == 200


def test_a_key_ends_with_the_rights_of_its_person(client: Client, me: User) -> None:
    url = made(client)
    Membership.objects.filter(user=me).update(valid_to=factories.at("2025-11-13"))
    assert Client().get(url).status_code == 404


def test_a_person_who_may_not_sign_in_has_no_feed(client: Client, me: User) -> None:
    url = made(client)
    User.objects.filter(pk=me.pk).update(is_active=False)
    assert Client().get(url).status_code == 404


def test_a_key_opens_its_own_gstin_alone(client: Client, me: User) -> None:
    url = made(client)
    other = factories.taxpayer(factories.SUPPLIER)
    Membership.objects.create(user=me, taxpayer=other, role="viewer", valid_from=factories.LONG_AGO)
    assert Client().get(url.replace(factories.RECIPIENT, factories.SUPPLIER)).status_code == 404


@pytest.mark.parametrize("query", ["", "?key=", "?key=wrong", f"?key={'x' * 5000}", "?key=%00", "?key=%F0%9F%98%80"])
def test_without_a_right_key_there_is_no_such_page(query: str) -> None:
    factories.taxpayer()
    assert Client().get(f"/en/t/{factories.RECIPIENT}/ims/deadlines.ics{query}").status_code == 404


@pytest.mark.usefixtures("me")
def test_signed_in_people_need_the_key_too(client: Client) -> None:
    assert client.get(f"/en/t/{factories.RECIPIENT}/ims/deadlines.ics").status_code == 404


@pytest.mark.usefixtures("me")
def test_the_feed_asks_a_fixed_number_of_times(client: Client, django_assert_max_num_queries: Callable) -> None:
    url = made(client)
    with django_assert_max_num_queries(12):
        Client().get(url)
