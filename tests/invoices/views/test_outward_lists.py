"""The lists of the outward desk: what a number opens to, what is searched, what a rejection costs, what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import outward_list
from invoices.models import Record
from invoices.outward_filters import Wanted
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-16"
DESK = f"/en/t/{factories.SUPPLIER}/ims/outward/"
OTHER = "29AAQCP0000D1ZT"
LISTS = ("", "b2b/", "b2bcn/", "rejected/", "rejected-notes/")


@pytest.fixture
def owner() -> Taxpayer:
    """Return a supplier whose October holds an invoice and a note to R, rejected, and an invoice to another."""
    factories.taxpayer(OTHER, name="Palar Systems")
    factories.filed(
        factories.document(number="INV1"),
        factories.document(number="CN1", section=Section.CN),
        factories.document(number="INV2", recipient=OTHER, tax=1800),
    )
    factories.act(Record.objects.get(number="CN1"), "R", remark="Nothing came back")
    factories.act(Record.objects.get(number="INV1"), "R", reason="NOT_OURS")
    return factories.taxpayer(factories.SUPPLIER)


@pytest.fixture
def desk(client: Client, owner: Taxpayer) -> Client:
    client.force_login(factories.member(owner, "viewer"))
    return client


def numbers(page: Any) -> list[str]:  # noqa: ANN401 - Django's answer
    """Return the documents a page lists, in its order."""
    return [line["record"].number for line in page.context["lines"]]


def test_every_number_of_a_category_opens_to_as_many_documents(desk: Client) -> None:
    page = desk.get(DESK)
    shown = 0
    for line in page.context["categories"]:
        for count, tax, url in line["cells"]:
            if count:
                found = desk.get(url).context["lines"]
                assert (len(found), sum(row["record"].tax.total for row in found)) == (count, tax), url
                shown += count
        assert len(desk.get(line["url"]).context["lines"]) == line["total"][0]
    for count, _tax, url in page.context["totals"]:
        assert len(desk.get(url).context["lines"]) == count, url
    assert shown == page.context["total"][0] == 3


def test_categories_are_six_and_an_operators_show_only_where_there_are_some(desk: Client) -> None:
    assert len(desk.get(DESK).context["categories"]) == 6


def test_a_search_finds_a_number_a_gstin_and_a_name(desk: Client) -> None:
    assert numbers(desk.get(DESK + "?q=inv2")) == ["INV2"]
    assert numbers(desk.get(DESK + "?q=29aaqcp")) == ["INV2"]
    assert numbers(desk.get(DESK + "?q=palar")) == ["INV2"]
    assert "Nothing reported matches" in desk.get(DESK + "?q=100%25").text


def test_the_financial_year_and_the_period_leave_out_the_rest(desk: Client) -> None:
    assert len(numbers(desk.get(DESK + "?fy=2025&p=102025"))) == 3
    assert "Nothing reported matches" in desk.get(DESK + "?fy=2024").text
    assert "Nothing reported matches" in desk.get(DESK + "?p=112025").text


def test_what_cannot_be_read_lists_nothing_and_says_why(desk: Client) -> None:
    for query in ("p=x", "form=y", "fy=no", "action=Q", "recipient=1", "nonsense=1", "p=102025&p=112025", "q=%00"):
        page = desk.get(f"{DESK}?{query}")
        assert page.status_code == 400, query
        assert "Nothing is listed until every filter can be read" in page.text
    assert desk.get(DESK + "impg/").status_code == 404


def test_rejections_say_what_they_cost_and_open_by_effect(desk: Client) -> None:
    page = desk.get(DESK + "rejected/")
    assert set(numbers(page)) == {"INV1", "CN1"}
    assert "1 record: your tax would rise by ₹18,000.00" in page.text
    assert "Not our purchase" in page.text
    assert numbers(desk.get(page.context["provisional_url"])) == ["CN1"]
    assert numbers(desk.get(DESK + "rejected/?effect=none")) == ["INV1"]
    notes = desk.get(DESK + "rejected-notes/")
    assert numbers(notes) == ["CN1"]
    assert "Nothing came back" in notes.text


def test_a_fixed_rejection_names_its_period_and_opens_by_it(desk: Client, now: Fixed) -> None:
    factories.filed_period()
    now.at = factories.at("2025-11-19")
    page = desk.get(DESK + "rejected-notes/")
    assert "Your tax rises by ₹18,000.00 in GSTR-3B of 11/2025" in page.text
    assert numbers(desk.get(page.context["fixed_url"])) == ["CN1"]
    assert numbers(desk.get(DESK + "rejected/?in=112025")) == ["CN1"]
    assert numbers(desk.get(DESK + "rejected/?in=122025")) == []
    assert set(numbers(desk.get(DESK + "rejected/?filed3b=1"))) == {"CN1", "INV1"}


def test_a_provisional_rejection_would_land_in_the_first_unfiled_period_after_its_own(owner: Taxpayer) -> None:
    at = factories.at("2025-11-16")
    found = outward_list.of(owner, at=at)

    def landing(month: int) -> list[str]:
        wanted = Wanted(place="rejected", into=month)
        return [record.number for record in outward_list.filtered(found, wanted, supplier=owner)]

    # 10/2025 is still unfiled, and is the note's own period: never that one.
    assert (landing(202510), landing(202511), landing(202512)) == ([], ["CN1"], [])
    owner.inbox.open_month = 202512
    owner.inbox.save()
    assert (landing(202511), landing(202512)) == ([], ["CN1"])


def test_a_lapsed_pending_counts_as_no_action(owner: Taxpayer, client: Client, now: Fixed) -> None:
    factories.act(Record.objects.get(number="CN1"), "P")
    client.force_login(factories.member(owner, "viewer"))
    assert numbers(client.get(DESK + "b2bcn/?action=P")) == ["CN1"]
    now.at = factories.at("2025-12-21")
    assert numbers(client.get(DESK + "b2bcn/?action=P")) == []
    assert numbers(client.get(DESK + "b2bcn/?action=N")) == ["CN1"]


def test_nothing_rejected_says_so_and_leads_on(client: Client) -> None:
    factories.filed_record()
    client.force_login(factories.member(factories.taxpayer(factories.SUPPLIER), "viewer"))
    assert "No recipient has rejected anything" in client.get(DESK + "rejected/").text
    assert "No recipient has rejected a credit note" in client.get(DESK + "rejected-notes/").text
    assert "You have reported nothing of this category" in client.get(DESK + "b2bdna/").text


def test_a_page_leads_to_the_next_with_its_filters(desk: Client) -> None:
    factories.saved(
        *(factories.document(number=f"N{n:02d}", on="2025-11-05", tax=18) for n in range(30)),
        period="112025",
        on="2025-11-16",
    )
    first = desk.get(DESK + "?q=N&rows=25")
    assert len(numbers(first)) == 25
    nxt = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert nxt is not None
    second = desk.get(DESK + nxt[1].replace("&amp;", "&"))
    assert len(numbers(second)) == 5
    assert not set(numbers(first)) & set(numbers(second))


@pytest.mark.parametrize("path", LISTS)
def test_members_look_and_strangers_find_nothing(client: Client, owner: Taxpayer, path: str) -> None:
    for role in ("viewer", "preparer", "signatory"):
        client.force_login(factories.member(owner, role))
        assert client.get(DESK + path).status_code == 200
    client.force_login(factories.member(factories.taxpayer(factories.RECIPIENT)))
    assert client.get(DESK + path).status_code == 404


@pytest.mark.parametrize("path", LISTS)
def test_what_the_recipient_reduced_never_shows(desk: Client, path: str) -> None:
    factories.act(
        Record.objects.get(number="CN1"),
        "A",
        answer="P",
        declared=Tax(igst=123457),
        remark="As agreed",
        on="2025-11-13",
    )
    assert "1,234.57" not in desk.get(DESK + path).text


@pytest.mark.parametrize("path", LISTS)
def test_a_list_keeps_within_its_queries(
    desk: Client,
    path: str,
    django_assert_max_num_queries: Any,  # noqa: ANN401 - pytest-django's fixture
) -> None:
    factories.act(Record.objects.get(number="CN1"), "P")
    with django_assert_max_num_queries(15):
        desk.get(DESK + path)
