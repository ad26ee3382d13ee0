"""The page of clients: whom it lists, where its figures lead, how many queries it takes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal.models import Engagement, Taxpayer
from tests import factories
from tests.returns.test_clients import engaged, gstin, note
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text

PAGE = "/en/clients/"


@pytest.fixture
def firm(computed: Desk) -> Client:
    """Return a practitioner engaged for R, whose October has an invoice, a note and a statement, and for another."""
    person = factories.user("firm")
    engaged(person, computed.taxpayer, "export", "compute")
    engaged(person, factories.taxpayer(gstin("24AAACU1234C1Z"), name="Ujala Traders"), "export")
    client = Client()
    client.force_login(person)
    return client


def links(page: HttpResponse) -> set[str]:
    return set(re.findall(r'href="(/en/t/[^"]+)"', page.content.decode().replace("&amp;", "&")))


def test_each_client_is_told_with_its_figures_and_its_days(firm: Client, computed: Desk) -> None:
    page = firm.get(PAGE)
    found = text(page)
    for part in ("Meera Traders", "Ujala Traders", "10/2025", "monthly", "₹9,000.00", "version 1, 14/11/2025 10:00"):
        assert part in found
    for part in ("on 10/11/2025", "due 20/11/2025", "As of 16/11/2025", "no purchase register is kept here"):
        assert part in found
    assert found.index("Meera Traders") < found.index("Ujala Traders")
    computed.act("INV1", "R")
    assert "Out of date" in text(firm.get(PAGE))


def test_every_figure_leads_to_what_it_is_made_of(firm: Client, computed: Desk) -> None:
    found = links(firm.get(PAGE))
    own = f"/en/t/{computed.taxpayer.gstin}/"
    for part in (f"{own}ims/inward/all/?action=N", f"{own}ims/inward/all/?action=N&needs=1&reduces=1"):
        assert part in found
    assert {answer for link in found if (answer := firm.get(link).status_code) != 200} == set()


def test_only_whom_it_concerns_is_shown_the_way(firm: Client, desk: Desk) -> None:
    assert f'href="{PAGE}"' in firm.get("/en/t/").content.decode()
    assert f'href="{PAGE}"' in firm.get(desk.url("")).content.decode()
    assert f'href="{PAGE}"' not in desk.as_("viewer").get("/en/t/").content.decode()
    assert f'href="{PAGE}"' not in desk.get("").content.decode()
    answer = desk.as_("viewer").get(PAGE)
    assert "people who may open several GSTINs" in text(answer)
    assert desk.taxpayer.gstin not in answer.content.decode()
    factories.member(factories.taxpayer(factories.SUPPLIER), "viewer", "viewer")
    assert f'href="{PAGE}"' in desk.as_("viewer").get("/en/t/").content.decode()
    assert factories.SUPPLIER in desk.as_("viewer").get(PAGE).content.decode()


def test_an_ended_engagement_is_gone_at_once(firm: Client, desk: Desk) -> None:
    assert desk.taxpayer.gstin in firm.get(PAGE).content.decode()
    over = factories.at("2025-11-16") - timedelta(hours=1)
    Engagement.objects.filter(taxpayer=desk.taxpayer).update(valid_to=over)
    assert desk.taxpayer.gstin not in firm.get(PAGE).content.decode()


def test_a_stranger_signs_in_first(client: Client, db: None) -> None:  # noqa: ARG001 fixture of pytest-django
    assert client.get(PAGE)["Location"].startswith("/en/account/login/")


def test_twelve_clients_take_no_more_queries_than_three(firm: Client) -> None:
    def asked(numbers: range) -> int:
        for number in numbers:
            taxpayer: Taxpayer = factories.taxpayer(gstin(f"27AAACV{number:04d}C1Z"))
            engaged(factories.user("firm"), taxpayer, "export", "compute")
            factories.filed(
                note(recipient=taxpayer.gstin, number=f"N{number}"), supplier=gstin(f"24AAACW{number:04d}C1Z")
            )
        firm.get(PAGE)
        with CaptureQueriesContext(connection) as found:
            assert text(firm.get(PAGE)).count("Not filed") >= numbers.stop
        return len(found)

    few: Any = asked(range(1))
    assert asked(range(1, 10)) == few
    assert few <= 15
