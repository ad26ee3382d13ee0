"""A practitioner with several clients, and how an engagement comes about and ends: journey 17 of docs/portal.md."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ims_portal.models import Engagement, Taxpayer
from ims_portal.rules.documents import Section
from invoices.models import Record
from tests import factories
from tests.journeys.desk import Desk, set_clock

R, B = factories.RECIPIENT, "33AAPCN0000E1Z5"
AMBER = "acting-practitioner"
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def clients(transactional_db: None) -> dict[str, Taxpayer]:  # noqa: ARG001 - commits, for the processes to see
    """Return R with 18,000 at risk and B with 9,000, both clients of acct; sig is R's signatory."""
    found = {
        R: factories.taxpayer(name="Meera Traders"),
        B: factories.taxpayer(B, name="Ujala Traders"),
    }
    sig = factories.member(found[R], "signatory", "sig")
    documents = []
    for gstin, tax in ((B, 9000), (R, 18000)):
        documents.append(factories.document(section=Section.CN, number=f"CN-{gstin[:2]}", recipient=gstin, tax=tax))
        documents.append(factories.document(number=f"INV-{gstin[:2]}", recipient=gstin))
        Engagement.objects.create(
            user=factories.user("acct", name="Anand Joshi and Co"),
            taxpayer=found[gstin],
            rights=["view", "export", "act"],
            valid_from=factories.LONG_AGO,
            asked_by=factories.user("acct"),
            accepted_by=sig,
        )
    factories.filed(*documents)
    return found


@pytest.fixture
def desks(person: Callable[[], Page], start_web: Callable[[], str]) -> Callable[[str], Desk]:
    """Sign somebody in, by username."""
    set_clock("2025-11-12 10:00")
    base = start_web()
    return lambda username: Desk(person(), base, username)


def expect_acting_for(page: Page, name: str) -> None:
    """Look for the bar that says whose desk a tab shows, in amber and in words."""
    bar = page.locator(f".acting.{AMBER}")
    expect(bar).to_contain_text("Acting for")
    expect(bar.locator("strong")).to_have_text(name)


def status(desk: Desk, path: str) -> int:
    """Return what a page of R answers somebody's browser."""
    return desk.page.request.get(f"{desk.base}/en/t/{R}/{path}").status


@pytest.mark.journey
def test_17_two_clients_in_two_tabs_are_never_taken_for_each_other(
    clients: dict[str, Taxpayer], desks: Callable[[str], Desk]
) -> None:
    acct = desks("acct")
    acct.page.get_by_role("navigation", name="Main").get_by_role("link", name="Clients").click()
    names = acct.page.locator("tbody th a")
    expect(names).to_have_text([clients[R].name, clients[B].name])
    acct.shoot("17-clients-by-risk")

    # Each client in a tab of its own, and each tab says whose it is.
    other = acct.page.context.new_page()
    acct.open(R, "ims/inward/b2b/")
    other.goto(f"{acct.base}/en/t/{B}/ims/inward/b2b/")
    expect_acting_for(acct.page, "Meera Traders")
    expect_acting_for(other, "Ujala Traders")
    acct.shoot("17-acting-for-one")

    # The form of one client, with the GSTIN of the other in it, is refused; neither has changed.
    acct.choose("INV-27", "Accept")
    acct.page.evaluate("gstin => document.querySelectorAll('input[name=gstin]').forEach(it => it.value = gstin)", B)
    acct.press("Save")
    refused = acct.page.locator("main p", has_text="This form was opened for another GSTIN. Nothing was saved.")
    expect(refused).to_be_visible()
    acct.shoot("17-form-of-another")
    assert set(Record.objects.values_list("action", flat=True)) == {"N"}

    # The owner ends the engagement, and from the next request on there is no such page; the other client stays.
    sig = desks("sig")
    sig.open(R, "people/")
    sig.page.get_by_role("row").filter(has_text="Anand").get_by_role("button", name="End engagement").click()
    expect(sig.message("The engagement of Anand Joshi and Co")).to_be_visible()
    sig.shoot("17-engagement-ended")
    assert status(acct, "ims/inward/b2b/") == 404
    acct.page.goto(f"{acct.base}/en/clients/")
    expect(names).to_have_text([clients[B].name])
    other.reload()
    expect_acting_for(other, "Ujala Traders")


def ask(firm: Desk) -> None:
    """Come to one's engagements from the first page, have a wrong GSTIN refused at its field, and ask for R."""
    firm.page.goto(f"{firm.base}/en/t/")
    firm.page.locator("main").get_by_role("link", name="My engagements").click()
    firm.page.get_by_label("GSTIN").fill("27AAACR5055K1Z8")
    firm.press("Ask the taxpayer")
    expect(firm.page.locator("#id_gstin-error")).to_contain_text("must be 7")
    firm.page.get_by_label("GSTIN").fill(R)
    firm.page.get_by_label("Decide on records").check()
    firm.page.get_by_label("File returns").check()
    firm.shoot("17-asking")
    firm.press("Ask the taxpayer")
    expect(firm.message(f"{R} is asked.")).to_be_visible()
    expect(firm.page.locator("main")).not_to_contain_text("Meera Traders")
    firm.shoot("17-asked")


@pytest.mark.journey
@pytest.mark.usefixtures("clients")
def test_both_sides_agree_on_an_engagement_whoever_asks(desks: Callable[[str], Desk]) -> None:
    factories.user("firm", name="Firm and Co")
    firm, sig = desks("firm"), desks("sig")

    # Asked by the practitioner: it gives nothing until a signatory agrees, and filing only by a tick of its own.
    ask(firm)
    assert status(firm, "") == 404
    sig.open(R, "")
    sig.page.get_by_text("All places of this desk").click()
    sig.page.get_by_role("link", name="People").click()
    line = sig.page.get_by_role("row").filter(has_text="Firm and Co")
    expect(line).to_contain_text("Waits for your answer")
    expect(line.get_by_label("Grant filing too")).not_to_be_checked()
    sig.shoot("17-request")
    sig.page.set_viewport_size({"width": 390, "height": 900})
    sig.shoot("17-request-phone")
    assert sig.page.evaluate(WIDER) == 0
    sig.page.set_viewport_size({"width": 1280, "height": 900})
    line.get_by_role("button", name="Agree").click()
    expect(line).to_contain_text("In force")
    expect(line).not_to_contain_text("File returns")
    firm.open(R, "")
    expect_acting_for(firm.page, "Meera Traders")

    # Ended by the practitioner, then asked by the taxpayer, with filing and a last day.
    firm.page.get_by_role("navigation", name="Main").get_by_role("link", name="Engagements").click()
    firm.press("End engagement")
    expect(firm.message("It has ended.")).to_be_visible()
    sig.page.reload()
    sig.page.get_by_label("User name of the practitioner").fill("firm")
    sig.page.get_by_label("File returns").check()
    sig.page.get_by_label("Last day").fill("30/11/2025")
    sig.press("Ask them")
    expect(sig.message("Firm and Co is asked.")).to_be_visible()
    firm.page.reload()
    offered = firm.page.get_by_role("row").filter(has_text="Waits for your answer")
    expect(offered).to_contain_text("Meera Traders")
    expect(offered).to_contain_text("File returns")
    firm.shoot("17-offered")
    offered.get_by_role("button", name="Agree").click()
    expect(firm.message("The engagement is agreed.")).to_be_visible()
    firm.shoot("17-agreed")

    # The day after its last one there is no such page.
    set_clock("2025-11-30 23:00")
    firm.open(R, "")
    expect_acting_for(firm.page, "Meera Traders")
    set_clock("2025-12-01 00:01")
    assert status(firm, "") == 404
