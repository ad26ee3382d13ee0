"""Asking what choices would come to, in a browser: the price is told, and nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Section
from invoices.models import ActionEvent, Record
from tests import factories
from tests.journeys.desk import Desk, set_clock

R, S = factories.RECIPIENT, factories.SUPPLIER


@pytest.fixture
def recipient(transactional_db: None) -> Taxpayer:  # noqa: ARG001 - commits, for the processes to see
    """Return R with r1, who prepares."""
    found = factories.taxpayer(name="Meera Traders")
    factories.member(found, "preparer", "r1")
    return found


@pytest.mark.journey
def test_12_asking_what_if_tells_the_price_and_changes_nothing(
    recipient: Taxpayer, person: Callable[..., Page], start_web: Callable[[], str]
) -> None:
    factories.taxpayer(S, name="S Polymers")
    factories.filed(
        factories.document(number="INV1", tax=50000),
        *(factories.document(section=Section.CN, number=f"CN{n}", tax=1000 * n) for n in range(1, 6)),
    )
    factories.computed(recipient)
    base = start_web()
    set_clock("2025-11-16")
    r1 = Desk(person(), base, "r1")
    r1.open(R, "ims/inward/b2bcn/")
    for number in range(1, 6):
        r1.page.get_by_role("checkbox", name=re.compile(f"CN{number}\\b")).first.check()
    r1.page.locator("main").get_by_role("combobox", name="Action", exact=True).select_option("R")
    r1.press("What if")
    expect(r1.page.get_by_role("heading", name="Nothing is saved")).to_be_visible()
    expect(r1.page.get_by_text("5 records would change. Before is version 1.")).to_be_visible()
    net = r1.page.get_by_role("row").filter(has_text="4(A)(5)")
    for amount in ("35,000.00", "50,000.00", "15,000.00"):
        expect(net).to_contain_text(amount)
    pays = r1.page.get_by_role("region", name="Suppliers whose tax changes").get_by_role("row").filter(has_text=S)
    expect(pays).to_contain_text("15,000.00")
    r1.shoot("12-what-if")
    net.get_by_role("link", name="15,000.00").click()
    expect(r1.row("CN5")).to_contain_text("5,000.00")
    r1.shoot("12-records")
    r1.open(R, "ims/inward/b2bcn/")
    for number in range(1, 6):
        expect(r1.row(f"CN{number}").get_by_role("radio", name="No action")).to_be_checked()
    expect(r1.page.get_by_role("region", name="GSTR-2B is out of date")).to_have_count(0)
    assert not ActionEvent.objects.exists()
    assert set(Record.objects.values_list("action", "version")) == {("N", 0)}
    r1.shoot("12-left")
