"""Signed in for a quarter of an hour without doing anything, for a working day at most; then back to the same page."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from ims_portal import sessions
from tests import factories, signing_in

pytestmark = pytest.mark.django_db
MINUTE = 60
PAGE_OF_SESSIONS = "/en/account/sessions/"


@pytest.fixture
def somebody(client: Client) -> Client:
    """Somebody who has just signed in."""
    client.force_login(factories.user())
    return client


def pass_time(client: Client, *, idle: int = 0, since_signing_in: int = 0) -> None:
    """Let minutes pass by moving what the session remembers into the past."""
    session = client.session
    session["seen"] -= idle * MINUTE
    session["began"] -= since_signing_in * MINUTE
    session.save()


def test_doing_something_within_the_time_keeps_one_signed_in(somebody: Client) -> None:
    for _quarter in range(12):  # far more than ten times
        pass_time(somebody, idle=14)
        assert somebody.get("/en/t/").status_code == 200


def test_who_does_nothing_is_signed_out_and_led_back_to_the_page(somebody: Client) -> None:
    pass_time(somebody, idle=17)
    answer = somebody.get("/en/rules/?ours=1")
    assert answer.headers["Location"] == "/en/account/login/?next=/en/rules/%3Fours%3D1"
    assert "_auth_user_id" not in somebody.session
    assert "because nothing was done for a while" in somebody.get(answer.headers["Location"]).text


def test_a_working_day_is_the_most_whatever_one_does(somebody: Client) -> None:
    pass_time(somebody, since_signing_in=8 * 60 + 2)
    assert "/login/" in somebody.get("/en/t/").headers["Location"]


def test_a_form_that_comes_too_late_leads_back_to_its_page(somebody: Client) -> None:
    pass_time(somebody, idle=17)
    answer = somebody.post("/en/me/", {"rows": 25}, headers={"Referer": "http://testserver/en/me/?x=1"})
    assert answer.headers["Location"] == "/en/account/login/?next=/en/me/%3Fx%3D1"


def test_a_page_of_another_site_is_nowhere_to_go_back_to(somebody: Client) -> None:
    pass_time(somebody, idle=17)
    answer = somebody.post("/en/me/", {}, headers={"Referer": "http://elsewhere.example/en/me/"})
    assert answer.headers["Location"] == "/en/account/login/?next=/"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(somebody: Client) -> None:
    pass_time(somebody, idle=17)
    told = {"HX-Request": "true", "HX-Current-URL": "http://testserver/en/t/"}
    answer = somebody.get("/en/t/?part", headers=told)
    assert answer.headers["HX-Redirect"] == "/en/account/login/?next=/en/t/"


def test_asking_how_a_job_is_getting_on_is_no_doing(somebody: Client) -> None:
    pass_time(somebody, idle=10)
    before = somebody.get("/session/", headers={"X-Poll": "1"}).json()["seconds"]
    assert before <= 5 * MINUTE
    somebody.get("/en/t/", headers={"X-Poll": "1"})
    assert somebody.get("/session/", headers={"X-Poll": "1"}).json()["seconds"] <= before
    assert somebody.post("/session/").json()["seconds"] > 14 * MINUTE


def test_signing_in_gives_a_new_key_and_the_old_one_opens_nothing(client: Client) -> None:
    factories.user("asha")
    client.get(signing_in.PAGE)
    client.post(signing_in.PAGE, {"login": "asha", "password": "wrong"})
    before = client.session.session_key
    signing_in.sign_in(client, "asha")
    assert client.session.session_key != before
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = before
    assert "/login/" in thief.get("/en/t/").headers["Location"]


def test_a_key_opens_nothing_after_signing_out(client: Client) -> None:
    factories.user("asha")
    signing_in.sign_in(client, "asha")
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.session.session_key
    assert thief.get("/en/t/").status_code == 200
    client.post("/en/account/logout/")
    assert "/login/" in thief.get("/en/t/").headers["Location"]


def test_people_see_where_they_are_signed_in_and_end_the_others(client: Client) -> None:
    factories.user("asha")
    factories.user("ravi")
    there, ravi = Client(headers={"User-Agent": "Telephone 7"}), Client()
    signing_in.sign_in(client, "asha")
    signing_in.sign_in(ravi, "ravi")
    assert "You are signed in nowhere else" in client.get(PAGE_OF_SESSIONS).text
    signing_in.sign_in(there, "asha")
    page = client.get(PAGE_OF_SESSIONS).text
    assert "Telephone 7" in page
    assert page.count("This one") == 1
    client.post(PAGE_OF_SESSIONS)
    assert client.get("/en/t/").status_code == ravi.get("/en/t/").status_code == 200
    assert "/login/" in there.get("/en/t/").headers["Location"]


def test_a_page_tells_when_its_person_will_be_signed_out(somebody: Client) -> None:
    page = somebody.get("/en/t/").text
    assert "if nothing is done" in page
    assert f'data-idle="{sessions.IDLE.seconds}"' in page
    assert f'data-before="{sessions.WARNED_BEFORE.seconds}"' in page
