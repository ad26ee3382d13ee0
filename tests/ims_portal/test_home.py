"""The home of a GSTIN: tiles, days to come, the dearest deadlines, charts, and how often it asks the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from ims_portal import clock as portal_clock
from ims_portal.models import Engagement
from ims_portal.rules.documents import Section
from invoices.models import Record
from tests import factories

pytestmark = pytest.mark.django_db
HOME = f"/en/t/{factories.RECIPIENT}/"


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Stand the portal's clock at a moment."""

    def stand(text: str) -> None:
        monkeypatch.setattr(portal_clock, "portal", lambda: factories.clock(text))

    return stand


def sign_in(client: Client, role: str = "preparer") -> None:
    client.force_login(factories.member(factories.taxpayer(), role))


def test_the_days_to_come_stand_on_top_and_lead_to_their_pages(client: Client, on: Callable) -> None:
    factories.taxpayer()
    sign_in(client)
    on("2025-11-05")
    strip = client.get(HOME).text.split('<ol class="days"')[1].split("</ol>")[0]
    assert [day for day in ("11/11/2025", "14/11/2025", "20/11/2025") if day in strip] == [
        "11/11/2025",
        "14/11/2025",
        "20/11/2025",
    ]
    assert "Your GSTR-1 of 10/2025 is due" in strip


def test_the_five_dearest_deadlines_come_with_rupees_the_dearest_first(client: Client, on: Callable) -> None:
    note, _other = factories.filed(
        factories.document(section=Section.CN, number="CN1", tax=9000),
        factories.document(section=Section.CN, number="CN2", tax=18000),
    )
    factories.act(note, "P")
    sign_in(client, "viewer")
    on("2025-11-12")
    page = client.get(HOME).text
    dearest = page.split('id="dearest"')[1].split("</section>")[0]
    assert dearest.index("₹18,000.00") < dearest.index("₹9,000.00")
    assert dearest.count("<li>") == 5
    assert f'href="{HOME}ims/deadlines/"' in dearest


def test_charts_appear_once_there_is_something_to_draw(client: Client, on: Callable) -> None:
    factories.filed()
    sign_in(client)
    on("2025-11-13")
    page = client.get(HOME).text
    assert 'id="c2"' in page
    assert 'id="c1"' not in page
    factories.computed()
    on("2025-11-15")
    assert 'id="c1"' in client.get(HOME).text


def test_home_asks_a_fixed_number_of_times_in_the_worst_case(
    client: Client, on: Callable, django_assert_max_num_queries: Callable
) -> None:
    """Everything that may ask more: a lapse, the time limit in November, a practitioner, own notes rejected."""
    old, note = factories.filed(
        factories.document(number="OLD", on="2025-03-05"),
        factories.document(section=Section.CN, number="CN1", tax=9000),
        on="2025-11-08",
    )
    factories.act(old, "P")
    factories.act(note, "P")
    factories.computed(factories.taxpayer(), on="2025-11-14")
    customer = factories.taxpayer(factories.SUPPLIER)
    (own,) = factories.filed(
        factories.document(
            section=Section.CN,
            number="OWN1",
            supplier=factories.RECIPIENT,
            recipient=customer.gstin,
        ),
        supplier=factories.RECIPIENT,
    )
    factories.act(own, "R")
    assert Record.objects.count() == 3
    practitioner = factories.user("acct")
    Engagement.objects.create(
        user=practitioner,
        taxpayer=factories.taxpayer(),
        rights=["view"],
        valid_from=factories.LONG_AGO,
        asked_by=practitioner,
        accepted_by=factories.user("owner"),
    )
    client.force_login(practitioner)
    on("2026-11-12")
    client.get(HOME)
    with django_assert_max_num_queries(15):
        page = client.get(HOME)
    for told in ("of 2024-25", "out of date", "rejected and will raise your tax"):
        assert told in page.text
