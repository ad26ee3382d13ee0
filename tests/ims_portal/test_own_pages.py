"""Pages that explain, one's own settings, and refusals that no view makes: all of them pages of the portal."""

from __future__ import annotations

import pytest
from django.test import Client

from ims_portal.models import User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["help", "glossary", "accessibility", "policies"])
def test_pages_that_explain_are_open_to_everybody_and_linked_from_every_foot(client: Client, name: str) -> None:
    page = client.get(f"/en/{name}/")
    assert page.status_code == 200
    assert "Not the Government&#x27;s GST portal" in page.text or "Not the Government's GST portal" in page.text
    assert f'href="/en/{name}/"' in client.get("/en/account/login/").text


def test_the_foot_says_who_runs_the_copy(client: Client, settings: object) -> None:
    settings.IMS_OPERATOR, settings.IMS_CONTACT = "Practice Desk, Pune", "desk@example.in"
    page = client.get("/en/policies/").text
    assert "Run by Practice Desk, Pune." in page
    assert "Write to desk@example.in." in page


def test_everybody_chooses_rows_and_keys_for_themselves(client: Client) -> None:
    me, other = factories.user("asha"), factories.user("bela")
    client.force_login(me)
    assert client.post("/en/me/", {"rows": "100"}).status_code == 303
    me.refresh_from_db()
    assert (me.rows, me.uses_keys) == (100, False)
    assert User.objects.get(pk=other.pk).uses_keys
    refused = client.post("/en/me/", {"rows": "7"})
    assert refused.status_code == 422
    assert "thing to correct" in refused.text


def test_settings_take_nothing_but_settings(client: Client) -> None:
    me = factories.user()
    client.force_login(me)
    client.post("/en/me/", {"rows": "25", "is_staff": "on", "is_superuser": "on", "username": "root"})
    me.refresh_from_db()
    assert (me.rows, me.is_staff, me.is_superuser) == (25, False, False)
    assert me.username != "root"


def test_a_forged_form_is_refused_by_a_page_that_says_what_to_do() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(factories.user())
    page = strict.post("/en/me/", {"rows": "25"})
    assert page.status_code == 403
    assert "Open the page again" in page.text
    assert "FORM_EXPIRED" in page.text


def test_an_address_that_only_takes_forms_says_so(client: Client) -> None:
    client.force_login(factories.user())
    page = client.post("/en/rules/")
    assert page.status_code == 405
    assert page.headers["Allow"] == "GET, HEAD"
    assert "only takes the form of a page" in page.text


def test_a_request_nobody_s_browser_sends_is_a_page_too(client: Client) -> None:
    client.force_login(factories.user())
    page = client.post("/en/me/", {f"f{number}": "" for number in range(1100)})
    assert page.status_code == 400
    assert "BAD_REQUEST" in page.text
