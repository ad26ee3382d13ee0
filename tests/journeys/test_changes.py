"""Changes of actions told in rupees: from the choice to the statement, its versions and the supplier's tax.

Played by keyboard alone, or with script switched off (journey 19).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ims_portal.children import Child
from ims_portal.models import Taxpayer
from invoices.models import Record
from returns.models import Gstr2b
from tests import factories
from tests.journeys.desk import Desk, set_clock
from tests.journeys.hands import Hand, Keys, Mouse, button
from tests.live import wait_for

R, S = factories.RECIPIENT, factories.SUPPLIER
STATEMENT = "returns/102025/gstr2b/"
WAYS = [pytest.param(Keys(), True, id="by-keyboard"), pytest.param(Mouse(), False, id="without-script")]


@pytest.fixture
def recipient(transactional_db: None) -> Taxpayer:  # noqa: ARG001 - commits, for the processes to see
    """Return R with its people: r1 prepares, sig signs."""
    found = factories.taxpayer(name="Meera Traders")
    factories.member(found, "preparer", "r1")
    factories.member(found, "signatory", "sig")
    return found


def decide(desk: Desk, hand: Hand, section: str, number: str, action: str, *, remark: str = "") -> None:
    """Choose an action in the list, answer what it asks, save, and wait until it is saved."""
    desk.open(R, f"ims/inward/{section}/")
    hand.choose(desk, desk.row(number).get_by_role("radio", name=action))
    hand.press(desk, desk.page.locator("main").get_by_role("button", name="Save", exact=True).first)
    if action == "Reject":
        line = desk.line(number)
        hand.pick(desk, line.get_by_label(re.compile("^Why")), "Not our purchase")
        if remark:
            hand.write(desk, line.get_by_label(re.compile("^Remark")), remark)
        told = line.get_by_label(re.compile("has been told"))
        if told.count():
            expect(line.get_by_text("S Polymers's tax rises by ₹18,000.00")).to_be_visible()
            hand.tick(desk, told)
        hand.press(desk, button(desk, "^(Save|Reject) for"))
    wait_for(lambda: Record.objects.get(number=number).action == action[0])
    expect(desk.row(number)).to_be_visible()


def compute(desk: Desk, hand: Hand, version: int) -> None:
    """Press the banner's button, and wait for the version."""
    banner = desk.page.get_by_role("region", name="GSTR-2B is out of date")
    hand.press(desk, banner.get_by_role("button", name="Compute GSTR-2B"))
    wait_for(lambda: Gstr2b.objects.filter(recipient__gstin=R, version=version).exists())
    desk.open(R, STATEMENT)
    expect(desk.page.get_by_text(f"Version {version}").first).to_be_visible()
    expect(desk.page.get_by_role("region", name="GSTR-2B is out of date")).to_have_count(0)


def invoices_of(desk: Desk, section: str) -> str:
    """Return what a section of the statement prints in its row of invoices."""
    table = desk.page.get_by_role("region", name=section, exact=True)
    return table.get_by_role("row").filter(has_text="B2B - Invoices").first.inner_text()


@pytest.mark.journey
def test_1_what_a_supplier_files_is_deemed_accepted_by_keyboard_alone(
    recipient: Taxpayer, person: Callable[..., Page], start_web: Callable[[], str], start_worker: Callable[[], Child]
) -> None:
    factories.saved(factories.document(number="INV1", tax=18000))
    factories.member(factories.taxpayer(S), "signatory", "s1")
    set_clock("2025-11-10")
    base, hand = start_web(), Keys()
    start_worker()
    s1 = Desk(person(), base, "s1")
    s1.open(S, "returns/102025/gstr1/file/")
    hand.press(s1, button(s1, "^File for"))
    expect(s1.page.get_by_text(re.compile("SBX-R1-")).first).to_be_visible()
    s1.shoot("1-filed")
    set_clock("2025-11-14")
    r1 = Desk(person(), base, "r1")
    r1.open(R, STATEMENT)
    hand.press(r1, button(r1, "Compute GSTR-2B"))
    wait_for(lambda: Gstr2b.objects.filter(recipient=recipient).exists())
    r1.open(R, STATEMENT)
    assert "18,000.00" in invoices_of(r1, "ITC available")
    r1.shoot("1-statement")
    hand.press(r1, r1.page.get_by_role("link", name="18,000.00").first)
    expect(r1.row("INV1")).to_contain_text("Deemed accepted")
    r1.shoot("1-lines")
    r1.open(R, "returns/102025/gstr3b/")
    expect(r1.page.get_by_role("rowgroup").filter(has_text="4(A)(5)").first).to_contain_text("18,000.00")
    r1.shoot("1-gstr3b")


@pytest.mark.journey
@pytest.mark.parametrize(("hand", "script"), WAYS)
def test_2_every_change_is_told_in_rupees_and_by_version(
    recipient: Taxpayer,
    person: Callable[..., Page],
    start_web: Callable[[], str],
    start_worker: Callable[[], Child],
    hand: Hand,
    script: bool,
) -> None:
    factories.filed(factories.document(number="INV1", tax=18000))
    factories.computed(recipient)
    base = start_web()
    start_worker()
    set_clock("2025-11-16")
    r1 = Desk(person(script=script), base, "r1", script=script)
    decide(r1, hand, "b2b", "INV1", "Reject")
    says = "1 saved change is not in GSTR-2B of 10/2025 (version 1, 14/11/2025 10:00): ITC -₹18,000.00."
    expect(r1.page.get_by_text(says)).to_be_visible()
    r1.shoot("2-banner")
    compute(r1, hand, 2)
    assert "18,000.00" not in invoices_of(r1, "ITC available")
    assert "18,000.00" in invoices_of(r1, "ITC rejected")
    r1.shoot("2-version-2")
    set_clock("2025-11-18")
    decide(r1, hand, "b2b", "INV1", "Accept")
    expect(r1.page.get_by_text(re.compile(r"1 saved change .*\(version 2, .*\): ITC \+₹18,000\.00\."))).to_be_visible()
    hand.press(r1, r1.page.get_by_role("link", name="Show the changes"))
    expect(r1.row("INV1")).to_contain_text("18,000.00")
    r1.shoot("2-changes")
    compute(r1, hand, 3)
    assert "18,000.00" in invoices_of(r1, "ITC available")
    assert "18,000.00" not in invoices_of(r1, "ITC rejected")
    r1.open(R, f"{STATEMENT}diff/2/3/")
    for part in ("R1", "18/11/2025", "18,000.00", "ITC rejected", "ITC available"):
        expect(r1.row("INV1")).to_contain_text(part)
    r1.shoot("2-diff")
