"""Repairing a rejection: who asks, who reports again, in which form, what it does to both sides, what refuses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from invoices import outward
from invoices.models import Record, SupplierReturn
from returns import gstr3b
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-16"
S = factories.SUPPLIER
DESK = f"/en/t/{S}/ims/outward/"


@pytest.fixture
def owner() -> Taxpayer:
    """Return a supplier of an invoice and a credit note, both rejected, the recipient's GSTR-3B not filed."""
    factories.filed(factories.document(number="INV1"), factories.document(number="CN1", section=Section.CN))
    factories.act(Record.objects.get(number="INV1"), "R", reason="NOT_OURS")
    factories.act(Record.objects.get(number="CN1"), "R", remark="Nothing came back")
    return factories.taxpayer(S)


@pytest.fixture
def desk(client: Client, owner: Taxpayer) -> Client:
    client.force_login(factories.member(owner, "preparer"))
    return client


def path(number: str) -> str:
    return f"{DESK}records/{Record.objects.get(number=number, original=None).pk}/repair/"


def sent(page: Any, **more: str) -> dict[str, str]:  # noqa: ANN401 - Django's answer
    return {
        "gstin": S,
        "request_id": "8f4f6b1e-9a57-4c36-a0f6-61b6a2f7b9c1",
        "shown": str(page.context.get("shown", "")),
    } | more


def again() -> list[tuple[str, str, int, str]]:
    """Return what was reported again: section, form, period, state."""
    found = Record.objects.exclude(original=None).order_by("pk")
    return list(found.values_list("section", "form", "return_month", "status"))


def test_while_the_recipient_has_not_filed_the_supplier_asks(desk: Client) -> None:
    page = desk.get(path("CN1"))
    assert "Request reconsideration" in page.text
    assert "Report again unchanged" not in page.text
    assert desk.post(path("CN1"), sent(page)).status_code == 409
    assert again() == []
    listed = desk.get(DESK + "repair/").text
    assert listed.count("Request reconsideration</a>") == 2


def test_an_invoice_is_reported_again_in_gstr_1a_while_that_is_open(desk: Client, now: Fixed) -> None:
    factories.filed_period()
    now.at = factories.at("2025-11-19")
    page = desk.get(path("INV1"))
    assert "in GSTR-1A of 10/2025" in page.text
    assert "it gets ITC of ₹18,000.00" in page.text
    assert "Your tax changes by ₹0.00" in page.text
    answer = desk.post(path("INV1"), sent(page))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/en/t/{S}/returns/102025/gstr1a/")
    assert again() == [("b2ba", "GSTR-1A", 202510, "S")]
    kept, first = Record.objects.exclude(original=None).get(), Record.objects.get(number="INV1", original=None)
    assert (kept.number, kept.tax, kept.taxable, kept.value, kept.pos) == (
        first.number,
        first.tax,
        first.taxable,
        first.value,
        first.pos,
    )
    assert kept.detail.items == first.detail.items


def test_a_note_is_reported_again_in_the_next_gstr_1_and_takes_the_add_back_with_it(
    desk: Client, owner: Taxpayer, now: Fixed
) -> None:
    factories.filed_period()
    _file_3b(owner)
    now.at = factories.at("2025-11-25")
    page = desk.get(path("CN1"))
    assert "in GSTR-1 of 11/2025" in page.text
    assert "its ITC falls by ₹18,000.00" in page.text
    assert "Your tax changes by -₹18,000.00" in page.text
    assert desk.post(path("CN1"), sent(page)).status_code == 303
    assert again() == [("b2bcna", "GSTR-1", 202511, "S")]
    november = SupplierReturn.objects.get(form="GSTR-1", month=202511)
    outward.file(
        supplier=owner,
        form=Form.GSTR1,
        period=periods.parse("112025"),
        actor=None,
        clock=factories.clock("2025-12-05"),
    )
    filed = Record.objects.get(supplier_return=november)
    # What the page said is what filing did: minus the whole tax, once more.
    assert filed.charged_igst == -1800000


def _file_3b(owner: Taxpayer) -> None:
    factories.computed(owner, on="2025-11-20")
    gstr3b.file(taxpayer=owner, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-20"))


def test_the_same_click_twice_reports_once(desk: Client, now: Fixed) -> None:
    factories.filed_period()
    now.at = factories.at("2025-11-19")
    page = desk.get(path("INV1"))
    assert desk.post(path("INV1"), sent(page)).status_code == 303
    second = desk.post(path("INV1"), sent(page))
    kept = Record.objects.exclude(original=None).get()
    assert (second.status_code, second.headers["Location"]) == (303, f"{DESK}records/{kept.pk}/")
    assert "It is reported again already: INV1 in GSTR-1A of 10/2025" in desk.get(path("INV1")).text
    assert "The later version" in desk.get(DESK + "repair/").text


def test_after_30_november_of_the_next_year_nothing_is_reported_again(desk: Client, now: Fixed) -> None:
    factories.filed_period()
    now.at = factories.at("2026-11-30 23:00")
    page = desk.get(path("INV1"))
    assert "could be amended until" not in page.text
    shown = sent(page)
    now.at = factories.at("2026-12-01")
    assert "could be amended until 30/11/2026" in desk.get(path("INV1")).text
    assert desk.post(path("INV1"), shown).status_code == 409
    assert again() == []


def test_a_form_that_has_not_opened_says_why(desk: Client, owner: Taxpayer, now: Fixed) -> None:
    factories.filed_period()
    _file_3b(owner)
    now.at = factories.at("2025-11-25")
    outward.file(
        supplier=owner,
        form=Form.GSTR1,
        period=periods.parse("112025"),
        actor=None,
        clock=factories.clock("2025-12-02"),
    )
    page = desk.get(path("CN1"))
    assert "No form takes it today" in page.text
    assert "GSTR-1 of 12/2025" in page.text


def test_another_form_than_the_one_shown_saves_nothing(desk: Client, owner: Taxpayer, now: Fixed) -> None:
    factories.filed_period()
    now.at = factories.at("2025-11-19")
    shown = sent(desk.get(path("INV1")))
    _file_3b(owner)
    now.at = factories.at("2025-11-25")
    answer = desk.post(path("INV1"), shown)
    assert answer.status_code == 409
    assert "Another form takes the document now" in answer.text
    assert again() == []


def test_what_is_not_rejected_is_not_repaired(desk: Client, now: Fixed) -> None:
    factories.act(Record.objects.get(number="INV1"), "A")
    factories.filed_period()
    now.at = factories.at("2025-11-19")
    assert "there is nothing to repair" in desk.get(path("INV1")).text


def test_viewers_look_and_strangers_find_nothing(client: Client, owner: Taxpayer, now: Fixed) -> None:
    factories.filed_period()
    now.at = factories.at("2025-11-19")
    client.force_login(factories.member(owner, "viewer"))
    page = client.get(path("INV1"))
    assert page.status_code == 200
    assert 'name="shown"' not in page.text
    assert client.get(DESK + "repair/").status_code == 200
    assert client.post(path("INV1"), sent(page)).status_code == 403
    client.force_login(factories.member(factories.taxpayer(factories.RECIPIENT)))
    assert client.get(path("INV1")).status_code == 404
    assert client.get(DESK + "repair/").status_code == 404
    assert again() == []


def test_the_list_asks_the_same_few_questions(
    desk: Client,
    django_assert_max_num_queries: Any,  # noqa: ANN401 - pytest-django's fixture
) -> None:
    with django_assert_max_num_queries(15):
        desk.get(DESK + "repair/")
    with django_assert_max_num_queries(15):
        desk.get(path("INV1"))
