"""The administrator's page of tax periods: days in force, counts of all GSTINs, nobody else's page."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal.models import DueDateExtension
from tests import factories
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text

PAGE = "/en/control/periods/"


@pytest.fixture
def admin(computed: Desk) -> Client:  # noqa: ARG001 - what there is to be counted
    """An administrator's browser, with R's October computed."""
    client = Client()
    client.force_login(factories.user("adm", is_staff=True))
    return client


def row(client: Client, label: str) -> str:
    page = client.get(PAGE).content.decode()
    (found,) = [one for one in re.findall(r"<tr>.*?</tr>", page, flags=re.DOTALL) if f">{label}</th>" in one]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def test_a_period_tells_its_days_and_how_far_everybody_is(admin: Client) -> None:
    october = row(admin, "10/2025")
    assert "GSTR-1: 11/11/2025" in october
    assert "IFF: 13/11/2025" in october
    assert october.endswith("2 2 1 0")
    september = row(admin, "09/2025")
    assert "GSTR-1 (quarterly): 13/10/2025" in september
    assert "GSTR-3B (quarterly): 22/10/2025, 24/10/2025" in september


def test_an_extension_shows_once_it_is_in_force(admin: Client) -> None:
    proposed = DueDateExtension.objects.create(
        form="GSTR-3B",
        month=202510,
        frequency="M",
        due="2025-11-27",
        notification="1/2025",
        known_from=factories.at("2025-11-15"),
        proposed_by=factories.user("adm"),
    )
    assert "GSTR-3B: 20/11/2025" in row(admin, "10/2025")
    proposed.approved_by = factories.user("adm2", is_staff=True)
    proposed.save()
    assert "GSTR-3B: 27/11/2025 Extended" in row(admin, "10/2025")


def test_it_is_an_administrators_page_and_names_nobody(admin: Client, desk: Desk) -> None:
    for role in ("signatory", "viewer"):
        assert desk.as_(role).get(PAGE).status_code == 404
    assert Client().get(PAGE)["Location"].startswith("/en/account/login/")
    page = admin.get(PAGE)
    assert desk.taxpayer.gstin not in page.content.decode()
    assert "Meera Traders" not in text(page)


def test_it_asks_few_queries(admin: Client) -> None:
    admin.get(PAGE)
    with CaptureQueriesContext(connection) as asked:
        admin.get(PAGE)
    assert len(asked) <= 10
