"""A credit note kept pending in a browser, to its last day and the day after: journey 6 of docs/portal.md."""

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


@pytest.fixture
def recipient(transactional_db: None) -> Taxpayer:  # noqa: ARG001 - commits, for the processes to see
    """Return R with October's credit note of 18,000 pending and its GSTR-3B of October filed."""
    found = factories.taxpayer(name="Meera Traders")
    factories.member(found, "preparer", "r1")
    factories.member(found, "viewer", "v1")
    (note,) = factories.filed(factories.document(section=Section.CN, number="CN1", tax=18000, on="2025-10-20"))
    factories.act(note, "P", remark="return not agreed yet")
    factories.filed_period(found)
    return found


@pytest.mark.journey
def test_6_pending_lapses_after_its_last_day(
    recipient: Taxpayer, person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    assert recipient.gstin == GSTIN
    set_clock("2025-12-20 10:00")
    base = start_web()
    r1 = Desk(person(), base, "r1")

    # The last day: rupees in the inbox, and Pending may still be kept.
    r1.open(GSTIN, "ims/deadlines/")
    today = r1.page.get_by_role("region", name="Today")
    lapsing = today.locator("li").filter(has_text="Pending of 1 record of GSTR-2B 10/2025 lapses")
    expect(lapsing).to_contain_text("₹18,000.00")
    expect(lapsing).to_contain_text("20/12/2025")
    expect(lapsing).to_contain_text("from 21/12/2025 as without action")
    r1.shoot("6-last-day")
    lapsing.get_by_role("link", name=re.compile("^Decide")).click()
    expect(r1.row("CN1").get_by_role("radio", name="Pending")).to_be_checked()
    expect(r1.row("CN1").get_by_role("radio", name="Pending")).to_be_enabled()

    # The day after: Pending is barred with its reason, and what was kept reads as No action.
    set_clock("2025-12-21 10:00")
    r1.open(GSTIN, "ims/inward/b2bcn/")
    pending = r1.row("CN1").get_by_role("radio", name="Pending")
    expect(pending).to_be_disabled()
    expect(r1.row("CN1")).to_contain_text("could be pending until 20/12/2025")
    expect(r1.row("CN1")).to_contain_text("Pending has lapsed: it counts as No action.")
    r1.shoot("6-day-after-list")
    r1.open(GSTIN, "ims/deadlines/")
    expect(r1.page.get_by_text("Pending of 1 record")).to_have_count(0)
    untouched = r1.page.locator(".agenda li").filter(has_text="1 record of GSTR-2B 10/2025 that reduces your ITC")
    expect(untouched).to_contain_text("₹18,000.00")
    r1.shoot("6-day-after-inbox")

    # A Viewer sees the same inbox, and may put off in their own view.
    v1 = Desk(person(), base, "v1")
    v1.open(GSTIN, "ims/deadlines/")
    seen = v1.page.locator(".agenda li").filter(has_text="that reduces your ITC")
    seen.get_by_text("Snooze").click()
    seen.get_by_label("Show it again on").fill("24/12/2025")
    seen.get_by_role("button", name="Put off").click()
    expect(v1.page.get_by_text("1 put off")).to_be_visible()
    v1.shoot("6-put-off")
    r1.page.reload()
    expect(untouched).to_be_visible()
    r1.shoot("6-still-there")
