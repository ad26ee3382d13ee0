"""A due date extended by two administrators in their browsers: journey 18 of docs/portal.md."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Section
from tests import factories
from tests.journeys.desk import Desk, set_clock

GSTIN = factories.RECIPIENT
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def recipient(transactional_db: None) -> Taxpayer:  # noqa: ARG001 - commits, for the processes to see
    """Return R with October's credit note of 18,000 pending and its GSTR-3B of October filed; two administrators."""
    found = factories.taxpayer(name="Meera Traders", first=202610)
    factories.taxpayer(factories.SUPPLIER, first=202610)
    factories.member(found, "preparer", "r1")
    for username in ("adm1", "adm2"):
        factories.user(username, is_staff=True)
    note = factories.document(section=Section.CN, number="CN1", tax=18000, on="2026-10-20")
    (kept,) = factories.filed(note, period="102026", on="2026-11-10")
    factories.act(kept, "P", on="2026-11-12", remark="return not agreed yet")
    factories.filed_period(found, period="102026", on="2026-11-18")
    return found


def open_calendar(desk: Desk) -> None:
    desk.page.get_by_role("navigation", name="Main").get_by_role("link", name="Calendar").click()
    expect(desk.page.get_by_role("heading", name="Calendar", level=1)).to_be_visible()


def expect_last_day(r1: Desk, day: str) -> None:
    """Look for the last day of Pending in the list and in the inbox."""
    r1.open(GSTIN, "ims/inward/b2bcn/")
    expect(r1.row("CN1")).to_contain_text(f"Pending until {day}")
    r1.open(GSTIN, "ims/deadlines/")
    lapsing = r1.page.locator(".agenda li").filter(has_text="Pending of 1 record of GSTR-2B 10/2026 lapses")
    expect(lapsing).to_contain_text(day)


def propose(adm1: Desk) -> None:
    """Have a day that is not later refused at its field, look whom a good one moves, and propose it."""
    open_calendar(adm1)
    adm1.page.get_by_label("Form").select_option("GSTR-3B")
    adm1.page.get_by_label("Period, MM/YYYY").fill("11/2026")
    adm1.page.get_by_label("Extended day").fill("20/12/2026")
    adm1.page.get_by_label("Notification").fill("Notification 99/2026-CT of 14/12/2026")
    adm1.press("Preview")
    expect(adm1.page.locator("#id_due-error")).to_contain_text("The due day in force is 20/12/2026")
    adm1.shoot("18-refused-at-its-field")
    adm1.page.get_by_label("Extended day").fill("27/12/2026")
    adm1.press("Preview")
    moves = adm1.page.locator("dl.facts")
    expect(moves).to_contain_text(re.compile(r"Taxpayers who have yet to file it\s*2"))
    expect(moves).to_contain_text(re.compile(r"Pending records whose last day moves\s*1"))
    adm1.shoot("18-preview")
    adm1.page.set_viewport_size({"width": 390, "height": 900})
    adm1.shoot("18-preview-phone")
    adm1.press("Propose")
    expect(adm1.message("It waits for a second administrator.")).to_be_visible()


@pytest.mark.journey
def test_18_an_extension_counts_once_a_second_administrator_approves_it(
    recipient: Taxpayer, person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    assert recipient.gstin == GSTIN
    set_clock("2026-12-15 10:00")
    base = start_web()
    r1, adm1, adm2 = (Desk(person(), base, username) for username in ("r1", "adm1", "adm2"))
    expect_last_day(r1, "20/12/2026")

    propose(adm1)
    line = adm1.page.get_by_role("row").filter(has_text="GSTR-3B 11/2026")
    expect(line).to_contain_text("Another administrator approves it.")
    expect(line.get_by_role("button", name="Approve")).to_have_count(0)
    adm1.shoot("18-proposed")
    assert adm1.page.evaluate(WIDER) == 0

    # Nothing has changed, and who proposed cannot approve, not even by a forged form.
    expect_last_day(r1, "20/12/2026")
    withdraw = line.locator("form")
    withdraw.evaluate("form => { form.action = form.action.replace('withdraw', 'approve') }")
    withdraw.get_by_role("button").click()
    expect(adm1.message("You proposed this extension. Another administrator approves it.")).to_be_visible()
    adm1.shoot("18-own-approval-refused")
    expect_last_day(r1, "20/12/2026")

    # The other one approves, and from now on every day follows.
    open_calendar(adm2)
    waiting = adm2.page.get_by_role("row").filter(has_text="GSTR-3B 11/2026")
    expect(waiting).to_contain_text("Waits for a second administrator")
    adm2.shoot("18-waits")
    waiting.get_by_role("button", name="Approve").click()
    expect(adm2.message("The extension is in force from now on.")).to_be_visible()
    approved = adm2.page.get_by_role("row").filter(has_text="GSTR-3B 11/2026")
    expect(approved).to_contain_text("15/12/2026")
    expect(approved.get_by_role("button")).to_have_count(0)
    adm2.shoot("18-approved")
    expect_last_day(r1, "27/12/2026")
    r1.shoot("18-inbox-follows")

    # On the 21st Pending may still be kept, on the 28th no more.
    set_clock("2026-12-21 10:00")
    r1.open(GSTIN, "ims/inward/b2bcn/")
    expect(r1.row("CN1").get_by_role("radio", name="Pending")).to_be_enabled()
    set_clock("2026-12-28 10:00")
    r1.open(GSTIN, "ims/inward/b2bcn/")
    expect(r1.row("CN1").get_by_role("radio", name="Pending")).to_be_disabled()
    expect(r1.row("CN1")).to_contain_text("could be pending until 27/12/2026")
