"""The summary of the inward desk: its tabs, its numbers and where they lead, and the notice that silence accepts."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from ims_portal.clock import Fixed
from ims_portal.models import User
from ims_portal.rules.documents import Section
from invoices.models import Record
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-12"
DESK = f"/en/t/{factories.RECIPIENT}/ims/"
SUMMARY = DESK + "inward/"
CN = Section.CN


@pytest.mark.usefixtures("preparer")
def test_the_summary_links_every_number_to_its_list(client: Client) -> None:
    factories.filed(factories.document(number="INV1"), factories.document(number="CN1", section=CN, tax=1800))
    page = client.get(DESK + "inward/")
    assert page.status_code == 200
    assert f'{DESK}inward/b2b/?action=N">1</a><span class="sub">18,000.00</span>' in page.text
    assert f'{DESK}inward/b2bcn/?needs=1">1</a>' in page.text
    assert "GSTR-2B of 10/2025 can be computed from 14/11/2025" in page.text


@pytest.mark.usefixtures("preparer")
def test_the_last_row_leads_to_what_it_adds_up(client: Client) -> None:
    factories.filed(factories.document(number="INV1"), factories.document(number="CN1", section=CN, tax=1800))
    total = client.get(SUMMARY).context["total"]
    listed = client.get(total["cells"][0][1])
    assert total["cells"][0][0].count == listed.context["page"].shown.count == 2
    assert client.get(total["needs_url"]).context["page"].shown == total["needs_you"]


@pytest.mark.usefixtures("preparer")
@pytest.mark.parametrize(
    ("tab", "shown", "absent"),
    [
        ("other", "B2B invoices", "Import of goods, amendments"),
        ("import", "Import of goods, amendments", "B2B invoices"),
        ("isd", "goes straight to GSTR-2B", "B2B invoices"),
        ("settled", "Only the supplier can change one", "Needs you"),
    ],
)
def test_each_tab_shows_its_own(client: Client, tab: str, shown: str, absent: str) -> None:
    page = client.get(f"{SUMMARY}?tab={tab}").text
    assert shown in page
    assert absent not in page


@pytest.mark.usefixtures("preparer")
def test_there_is_no_other_tab(client: Client) -> None:
    assert client.get(SUMMARY + "?tab=all").status_code == 404


@pytest.mark.usefixtures("preparer")
def test_a_bill_of_entry_cannot_be_counted_as_rejected(client: Client) -> None:
    assert client.get(SUMMARY + "?tab=import").text.count("not possible") == 5


def test_the_notice_that_silence_accepts_is_shown_until_somebody_says_okay(client: Client, preparer: User) -> None:
    told = "What you leave untouched counts as accepted"
    assert told in client.get(SUMMARY).text
    assert told in client.get(SUMMARY).text
    answer = client.post(SUMMARY + "understood/", {"gstin": factories.RECIPIENT, "request_id": str(uuid4())})
    assert (answer.status_code, answer.headers["Location"]) == (303, SUMMARY)
    assert told not in client.get(SUMMARY).text
    client.force_login(factories.member(factories.taxpayer(), "viewer"))
    assert told in client.get(SUMMARY).text
    preparer.refresh_from_db()
    assert preparer.knows_silence_accepts


@pytest.mark.usefixtures("preparer")
def test_nobody_says_okay_by_looking_or_for_a_gstin_of_others(client: Client) -> None:
    assert client.get(SUMMARY + "understood/").status_code == 405
    stranger = SUMMARY.replace(factories.RECIPIENT, factories.SUPPLIER)
    assert client.post(stranger + "understood/", {"gstin": factories.SUPPLIER}).status_code == 404


@pytest.mark.usefixtures("preparer")
def test_an_emptied_section_tells_with_which_return_it_was_settled(client: Client, now: Fixed) -> None:
    factories.filed(factories.document(number="CN1", section=CN), factories.document(number="CN2", section=CN))
    factories.filed_period()
    now.at = factories.at("2025-11-19")
    page = client.get(SUMMARY + "b2bcn/").text
    assert "Nothing is open here. 2 records were settled with GSTR-3B of 10/2025." in page
    assert f'{SUMMARY}b2bcn/?settled=1">Show settled records' in page
    assert Record.objects.filter(settled_month=202510).count() == 2
