"""The forecast of a supplier's next GSTR-3B: from low to high, by recipient, and what the return then says."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import Tax
from invoices import outward
from invoices.models import Record
from returns import forecast, gstr3b
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-16"
S = factories.SUPPLIER
PATH = f"/en/t/{S}/ims/outward/forecast/"
NOVEMBER = periods.parse("112025")


@pytest.fixture
def owner() -> Taxpayer:
    """Return a supplier of an invoice of 50,000 and a credit note of 18,000 tax, the note rejected."""
    factories.filed(factories.document(number="INV1", tax=50000), factories.document(number="CN1", section=Section.CN))
    factories.act(Record.objects.get(number="CN1"), "R")
    return factories.taxpayer(S)


def told(owner: Taxpayer, on: str) -> forecast.Forecast:
    return forecast.of(supplier=owner, at=factories.at(on))


def file_3b(owner: Taxpayer, period: str, on: str) -> gstr3b.Filing:
    factories.computed(owner, period=period, on=on)
    return gstr3b.file(taxpayer=owner, period=periods.parse(period), actor=None, clock=factories.clock(on))


def rupees(*amounts: int) -> list[int]:
    return [amount * 100 for amount in amounts]


def test_a_note_never_adds_to_its_own_period(owner: Taxpayer) -> None:
    found = told(owner, "2025-11-16")
    assert found.period.month == 202510
    total = found.total
    assert [total.low.total, total.high.total] == rupees(32000, 32000)
    assert found.recipients == []
    (later,) = found.later
    assert (later.period.month, later.together) == (202511, Tax(igst=1800000))
    assert gstr3b.draft(taxpayer=owner, period=found.period, at=found.at).derived["t3_1_a"] == total.low


def test_provisional_becomes_fixed_and_the_return_says_the_same(owner: Taxpayer) -> None:
    outward.file(
        supplier=owner, form=Form.GSTR1A, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-17")
    )
    file_3b(owner, "102025", "2025-11-17")
    found = told(owner, "2025-11-17")
    assert found.period == NOVEMBER
    assert [found.total.low.total, found.total.high.total] == rupees(0, 18000)
    assert [(one.fixed_count, one.provisional_count) for one in found.recipients] == [(0, 1)]
    factories.filed_period()
    found = told(owner, "2025-11-18")
    assert [found.total.low.total, found.total.high.total] == rupees(18000, 18000)
    assert [(one.fixed_count, one.provisional_count) for one in found.recipients] == [(1, 0)]
    outward.file(supplier=owner, form=Form.GSTR1, period=NOVEMBER, actor=None, clock=factories.clock("2025-12-05"))
    last = told(owner, "2025-12-15")
    filing = file_3b(owner, "112025", "2025-12-15")
    assert filing.derived["t3_1_a"] == list(last.total.low) or filing.derived["t3_1_a"] == last.total.low.as_dict()
    assert told(owner, "2025-12-16").recipients == []


def test_high_is_what_the_return_says_once_every_recipient_has_filed(owner: Taxpayer) -> None:
    file_3b(owner, "102025", "2025-11-17")
    promised = told(owner, "2025-11-17").total.high
    factories.filed_period()
    assert gstr3b.draft(taxpayer=owner, period=NOVEMBER, at=factories.at("2025-11-18")).derived["t3_1_a"] == promised


def test_the_page_opens_every_figure_and_says_as_of_when(client: Client, owner: Taxpayer, now: Fixed) -> None:
    file_3b(owner, "102025", "2025-11-17")
    now.at = factories.at("2025-11-17")
    client.force_login(factories.member(owner, "viewer"))
    page = client.get(PATH)
    assert "As of 17/11/2025 10:00 IST" in page.text
    assert "comes to ₹0.00 at the least and to ₹18,000.00" in page.text
    assert "GSTR-1 of 11/2025 is not filed" in page.text
    assert 'id="c6"' in page.text
    (row,) = page.context["recipients"]
    opened = client.get(row["provisional_url"])
    assert [line["record"].number for line in opened.context["lines"]] == ["CN1"]
    assert client.get(row["fixed_url"]).context["lines"] == []
    assert client.get(page.context["rows"][0]["url"]).status_code == 200


def test_no_open_rejection_says_so(client: Client) -> None:
    factories.filed_record()
    client.force_login(factories.member(factories.taxpayer(S), "viewer"))
    page = client.get(PATH)
    assert "No open rejection" in page.text
    assert 'id="c6"' not in page.text


def test_a_stranger_finds_nothing_and_the_page_keeps_within_its_queries(
    client: Client,
    owner: Taxpayer,
    django_assert_max_num_queries: Any,  # noqa: ANN401 - pytest-django's fixture
) -> None:
    client.force_login(factories.member(factories.taxpayer(factories.RECIPIENT)))
    assert client.get(PATH).status_code == 404
    client.force_login(factories.member(owner, "viewer"))
    with django_assert_max_num_queries(15):
        client.get(PATH)
