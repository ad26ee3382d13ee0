"""The shell: front door, signing in, list of taxpayers, home, the sandbox's date, what every answer carries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings, settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from ims_portal import clock
from ims_portal.models import AuditEvent, PortalClock
from ims_portal.templatetags import ims as show
from invoices.locking import BusyError
from invoices.models import Record
from tests import factories
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
CLOCK = "/en/control/clock/"


@pytest.mark.parametrize(
    ("paise", "text"),
    [
        (0, "₹0.00"),
        (5, "₹0.05"),
        (99999, "₹999.99"),
        (100000, "₹1,000.00"),
        (123456700, "₹12,34,567.00"),
        (-1800000, "-₹18,000.00"),
        (999999999999999, "₹99,99,99,99,99,999.99"),
        (None, ""),
    ],
)
def test_rupees_are_grouped_the_indian_way(paise: int | None, text: str) -> None:
    assert show.inr(paise) == text


@pytest.mark.parametrize(
    ("seconds", "english", "hindi"),
    [
        (-120, "just now", "अभी-अभी"),
        (0, "just now", "अभी-अभी"),
        (59, "just now", "अभी-अभी"),
        (61, "1 minute ago", "1 मिनट पहले"),
        (7500, "2 hours, 5 minutes ago", "2 घंटे, 5 मिनट पहले"),
    ],
)
def test_what_has_just_happened_is_no_0_minutes_ago(seconds: int, english: str, hindi: str) -> None:
    moment = timezone.now() - timedelta(seconds=seconds)
    assert show.ago(moment).replace("\xa0", " ") == english
    with translation.override("hi"):
        assert show.ago(moment).replace("\xa0", " ") == hindi


def test_periods_and_days_read_as_people_write_them() -> None:
    assert show.period(202610) == "10/2026"
    assert show.wire(202610) == "102026"
    assert show.day(factories.at("2026-11-05 23:59")) == "05/11/2026"
    assert show.moment(factories.at("2026-11-05 23:59")) == "05/11/2026 23:59"


def test_the_front_door_leads_to_signing_in_and_then_to_the_taxpayers(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/en/account/login/"
    client.force_login(factories.user())
    assert client.get("/").headers["Location"] == "/en/t/"


def test_the_front_door_speaks_the_browser_s_language_where_it_is_translated(client: Client) -> None:
    spoken = dict(settings.LANGUAGES)
    expected = "hi" if "hi" in spoken else "en"
    assert client.get("/", headers={"Accept-Language": "hi"}).headers["Location"] == f"/{expected}/account/login/"
    assert ("हिन्दी" in client.get("/en/account/login/").text) == ("hi" in spoken)


def test_people_sign_in_with_their_password(client: Client) -> None:
    factories.user("asha")
    page = client.get("/en/account/login/")
    assert "Not the Government&#x27;s GST portal" in page.text or "Not the Government's GST portal" in page.text
    sign_in(client, "asha")
    assert client.get("/en/t/").status_code == 200


def test_a_wrong_password_is_told_without_saying_which_half_was_wrong(client: Client) -> None:
    factories.user("asha")
    page = client.post("/en/account/login/", {"login": "asha", "password": "wrong"})
    assert "The username and/or password you specified are not correct." in page.text


def test_nobody_signs_up(client: Client) -> None:
    assert "Nobody signs up here" in client.get("/en/account/signup/").text


def test_signing_out_ends_the_session(client: Client) -> None:
    client.force_login(factories.user())
    answer = client.post("/en/account/logout/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get("/en/t/").status_code == 302


@pytest.mark.parametrize("path", ["2fa/", "password/change/", "2fa/recovery-codes/generate/"])
def test_account_pages_stand_in_the_shell(client: Client, path: str) -> None:
    factories.user("asha")
    client.post("/en/account/login/", {"login": "asha", "password": "correct horse battery"})
    page = client.get(f"/en/account/{path}", follow=True)
    assert page.status_code == 200
    assert "Practice system: nothing here reaches GSTN." in page.text


def test_people_see_their_own_taxpayers_only(client: Client) -> None:
    client.force_login(factories.member(factories.taxpayer(), "viewer"))
    factories.taxpayer(factories.SUPPLIER)
    page = client.get("/en/t/").text
    assert factories.RECIPIENT in page
    assert factories.SUPPLIER not in page


def test_home_shows_where_the_open_period_stands(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "portal", lambda: factories.clock("2025-11-12"))
    client.force_login(factories.member(factories.taxpayer(), "preparer"))
    factories.filed_record()
    factories.computed()
    factories.act(Record.objects.get(), "A", on="2025-11-14")
    with CaptureQueriesContext(connection) as found:
        page = client.get(f"/en/t/{factories.RECIPIENT}/").text
    assert len(found) <= 15
    for title in ("GSTR-1 of 10/2025", "IMS, inward", "GSTR-2B of 10/2025", "GSTR-3B of 10/2025"):
        assert title in page
    assert "0 records without action" in page
    assert "1 saved change is not in GSTR-2B of 10/2025" in page


def test_a_signed_in_page_is_kept_by_nobody(client: Client) -> None:
    client.force_login(factories.user())
    answer = client.get("/en/t/")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "style=" not in answer.text
    assert "onclick" not in answer.text


def test_a_busy_inbox_says_that_nothing_was_saved(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**_: object) -> None:
        raise BusyError

    client.force_login(factories.user())
    monkeypatch.setattr("ims_portal.access.all_of", busy)
    answer = client.get("/en/t/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert "Nothing was saved." in answer.text


def test_an_administrator_moves_the_date_forward(client: Client) -> None:
    client.force_login(factories.user("boss", is_staff=True))
    answer = client.post(CLOCK, {"on": "14/11/2090", "time": "10:00"})
    assert answer.status_code == 303
    assert show.day(clock.portal().now()) == "14/11/2090"
    assert "14/11/2090 10:00" in client.get(CLOCK).text


def test_a_double_click_on_the_date_has_one_effect_and_one_answer(client: Client) -> None:
    client.force_login(factories.user("boss", is_staff=True))
    answers = [client.post(CLOCK, {"on": "14/11/2090", "time": "10:00"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert AuditEvent.objects.filter(event="clock.set").count() == 1


@pytest.mark.parametrize(
    ("on", "told"),
    [
        ("01/01/2020", "only moves forward"),
        ("31/12/9999", "until 12/2099"),
        ("01/01/2100", "until 12/2099"),
        ("2090-11-14", "DD/MM/YYYY"),
        ("31/02/2090", "DD/MM/YYYY"),
    ],
)
def test_a_date_that_cannot_be_set_is_told_at_its_field(client: Client, on: str, told: str) -> None:
    client.force_login(factories.user("boss", is_staff=True))
    answer = client.post(CLOCK, {"on": on, "time": "10:00"})
    assert answer.status_code == 422
    assert told in answer.text
    assert not PortalClock.objects.exists()


def test_the_date_is_not_settable_by_others_or_outside_the_sandbox(client: Client, settings: LazySettings) -> None:
    client.force_login(factories.user("asha"))
    assert client.post(CLOCK, {"on": "14/11/2090", "time": "10:00"}).status_code == 404
    client.force_login(factories.user("boss", is_staff=True))
    settings.IMS_SANDBOX = False
    assert client.get(CLOCK).status_code == 404


def test_the_page_of_security_keys_stands(client: Client) -> None:
    factories.user("asha")
    sign_in(client, "asha")
    assert client.get("/en/account/2fa/webauthn/").status_code == 200


def test_what_can_be_read_can_be_asked_for_without_its_body(client: Client) -> None:
    assert client.head("/health/").status_code == 200
