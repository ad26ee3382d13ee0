"""The returns of a recipient in a browser: filing what was shown and nothing else, locks and limits, what is not there.

Journeys 10, 11 and 23 of docs/portal.md. Journey 10 is done with the keyboard alone, and with script switched off.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.periods import Frequency
from invoices import outward
from invoices.models import Record
from returns.models import Filing, Gstr2b, LedgerEntry
from tests import factories
from tests.journeys.desk import Desk, set_clock
from tests.journeys.hands import WAYS, Hand, button, link
from tests.live import wait_for

GSTIN = factories.RECIPIENT
PAGE, REVIEW = "returns/102025/gstr3b/", "returns/102025/gstr3b/review/"


@pytest.fixture
def recipient(transactional_db: None) -> Taxpayer:  # noqa: ARG001 - commits, for the processes to see
    """Return R with an invoice of 18,000 and a credit note of 9,000, GSTR-1 filed, GSTR-2B computed."""
    found = factories.taxpayer(name="Meera Traders")
    factories.member(found, "signatory", "sig")
    factories.member(found, "preparer", "r1")
    factories.filed(
        factories.document(number="INV1", tax=18000),
        factories.document(section=Section.CN, number="CN1", tax=9000, on="2025-10-20"),
    )
    outward.file(
        supplier=found, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-10")
    )
    factories.computed(found)
    set_clock("2025-11-16 10:00")
    return found


@pytest.mark.journey
@pytest.mark.parametrize(("hand", "script"), WAYS)
def test_10_filing_files_what_was_shown(
    recipient: Taxpayer, at_desk: Callable[..., Desk], hand: Hand, script: bool
) -> None:
    sig = at_desk("sig", script=script)
    # The statement is behind: filing is barred, computing is offered.
    factories.act(Record.objects.get(number="CN1"), "R", on="2025-11-15", remark="goods kept")
    sig.open(GSTIN, REVIEW)
    expect(sig.page.get_by_text("1 saved change is not in it")).to_be_visible()
    expect(sig.page.get_by_role("button", name=re.compile("^File for"))).to_have_count(0)
    sig.shoot("10-stale")
    hand.press(sig, button(sig, "Compute GSTR-2B"))
    expect(sig.page.get_by_role("heading", name="Computing GSTR-2B of 10/2025")).to_be_visible()
    wait_for(lambda: Gstr2b.objects.filter(recipient=recipient, version=2).exists())
    sig.open(GSTIN, REVIEW)
    expect(sig.page.get_by_text("1 rejection becomes final.")).to_be_visible()
    expect(sig.page.get_by_text("tax rises by ₹9,000.00")).to_be_visible()
    # In another tab somebody changes the action and computes again: what was shown is not what stands.
    factories.act(Record.objects.get(number="CN1"), "A", answer="F", on="2025-11-16")
    factories.computed(recipient, on="2025-11-16")
    with sig.page.expect_response(re.compile("/gstr3b/file/$")) as refused:
        hand.press(sig, button(sig, "^File for Meera Traders"))
    assert refused.value.status == 409
    expect(sig.page.get_by_role("heading", name="GSTR-3B of 10/2025 was not filed")).to_be_visible()
    row = sig.page.get_by_role("rowgroup").filter(has_text="4(A)(5)").filter(has_text="declared")
    expect(row).to_contain_text("18,000.00")
    expect(row).to_contain_text("9,000.00")
    assert not Filing.objects.filter(taxpayer=recipient).exists()
    sig.shoot("10-changed-since-shown")
    hand.press(sig, link(sig, "Review again"))
    # Redone with the new figures.
    digest = sig.page.locator("code.digest").inner_text()
    hand.press(sig, button(sig, "^File for Meera Traders"))
    expect(sig.page.get_by_text(re.compile("SBX-3B-102025-")).first).to_be_visible()
    assert sig.page.locator("code.digest").inner_text() == digest
    assert Filing.objects.get(taxpayer=recipient).digest == digest.replace(" ", "")
    sig.shoot("10-receipt")
    hand.press(sig, link(sig, "^GSTR-3B$"))
    expect(sig.page.get_by_text("Filed 16/11/2025")).to_be_visible()
    expect(sig.page.locator("main").get_by_role("textbox")).to_have_count(0)
    buttons = sig.page.locator("main").get_by_role("button")
    expect(buttons.filter(has_not_text="Download JSON")).to_have_count(0)
    sig.shoot("10-filed")


@pytest.mark.journey
def test_11_locks_and_limits_are_told_in_words(
    recipient: Taxpayer, person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    recipient.first_month = 202601
    recipient.save()
    recipient.inbox.open_month = 202601
    recipient.inbox.save()
    LedgerEntry.objects.create(
        taxpayer=recipient, ledger="reclaim", month=202512, cause="GSTR-3B", at=factories.at("2026-01-20"), igst=500_00
    )
    january = periods.parse("012026")
    outward.file(supplier=recipient, form=Form.GSTR1, period=january, actor=None, clock=factories.clock("2026-02-10"))
    factories.computed(recipient, period="012026", on="2026-02-14")
    set_clock("2026-02-16 10:00")
    base = start_web()
    r1 = Desk(person(), base, "r1")
    for row, lock in (("t3_1_a", "Locked from 07/2025; use GSTR-1A"), ("t3_2", "Locked from 11/2025; use GSTR-1A")):
        r1.open(GSTIN, f"returns/012026/gstr3b/table/{row}/")
        expect(r1.page.get_by_text(re.compile(lock)).first).to_be_visible()
        expect(r1.page.locator("main").get_by_role("textbox")).to_have_count(0)
        r1.shoot(f"11-{row}")
    declare(r1, "600")
    expect(r1.page.get_by_role("row", name=re.compile("^left"))).to_contain_text("-100.00")
    r1.shoot("11-above-the-balance")
    r1.open(GSTIN, "returns/012026/gstr3b/review/")
    expect(r1.page.get_by_text("4(D)(1) Integrated tax: at most ₹500.00.")).to_be_visible()
    declare(r1, "450")
    r1.open(GSTIN, "returns/012026/gstr3b/review/")
    expect(r1.page.get_by_text("at most ₹500.00")).to_have_count(0)
    r1.open(GSTIN, "returns/012026/gstr3b/")
    told = r1.page.get_by_role("rowgroup").filter(has_text="4(D)(1)")
    for part in ("derived from version 1", "+ adjustment", "= declared", "450.00"):
        expect(told).to_contain_text(part)
    r1.shoot("11-declared")


def declare(desk: Desk, amount: str) -> None:
    """Declare 4(D)(1) of January, and open its row again."""
    row = "returns/012026/gstr3b/table/t4D1/"
    desk.open(GSTIN, row)
    desk.page.get_by_label("Integrated tax").fill(amount)
    desk.press("Declare")
    desk.open(GSTIN, row)


@pytest.mark.journey
def test_23_what_is_not_there_says_why_and_what_cures_it(
    recipient: Taxpayer, person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    quarterly = factories.taxpayer("27AAACQ1234C1Z0", name="Quarterly and Sons", frequency=Frequency.QUARTERLY)
    factories.member(quarterly, "preparer", "r1")
    set_clock("2026-01-16 10:00")
    base = start_web()
    r1 = Desk(person(), base, "r1")
    r1.open(quarterly.gstin, "returns/102025/gstr2b/")
    expect(r1.page.locator("p").get_by_text("files quarterly: 10/2025 has no return of its own")).to_be_visible()
    r1.shoot("23-month-1-of-a-quarter")
    r1.page.locator("main").get_by_role("link", name=re.compile("^Open")).click()
    expect(r1.page).to_have_url(re.compile("/returns/122025/gstr2b/"))
    r1.open(recipient.gstin, "returns/122025/gstr2b/")
    expect(r1.page.locator("p").get_by_text("GSTR-3B of 10/2025 is not filed. File it first")).to_be_visible()
    unfiled = r1.page.get_by_role("listitem").filter(has_text="due")
    expect(unfiled).to_have_text(
        [re.compile("GSTR-3B of 10/2025.*due 20/11/2025"), re.compile("GSTR-3B of 11/2025.*due 20/12/2025")]
    )
    r1.shoot("23-earlier-returns-unfiled")
    unfiled.first.get_by_role("link").click()
    expect(r1.page.get_by_role("heading", name="Review GSTR-3B of 10/2025")).to_be_visible()
    r1.shoot("23-oldest-unfiled")
