"""Changes of actions told in rupees: from the choice to the statement, its versions and the supplier's tax.

Journeys 1, 2, 3 and 5 of docs/portal.md, by keyboard alone; 2 and 5 with script switched off as well (journey 19).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Form, Section
from invoices import outward
from invoices.models import Record
from returns.models import Filing, Gstr2b, Gstr2bJob
from tests import factories
from tests.journeys import axe
from tests.journeys.desk import Desk, set_clock
from tests.journeys.hands import WAYS, Hand, Keys, button, link
from tests.live import wait_for

R, S = factories.RECIPIENT, factories.SUPPLIER
STATEMENT = "returns/102025/gstr2b/"


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
        told = line.get_by_label(re.compile("has been told"))
        if told.count():
            who_pays = "Your ITC stays. S Polymers's tax rises by ₹18,000.00 in a GSTR-3B after 10/2025."
            expect(line.locator(".who-pays")).to_contain_text(who_pays)
            desk.shoot("5-who-pays")
            hand.tick(desk, told)
        if remark:
            hand.write(desk, line.get_by_label(re.compile("^Remark")), remark)
        hand.press(desk, button(desk, "^(Save|Reject) for"))
    wait_for(lambda: Record.objects.get(number=number).action == action[0])
    expect(desk.row(number)).to_be_visible()


def compute(desk: Desk, hand: Hand, version: int) -> None:
    """Press the banner's button, follow the job to its end, and open the statement from it."""
    banner = desk.page.get_by_role("region", name="GSTR-2B is out of date")
    hand.press(desk, banner.get_by_role("button", name="Compute GSTR-2B"))
    expect(desk.page.get_by_role("heading", name="Computing GSTR-2B of 10/2025")).to_be_visible()
    wait_for(lambda: not Gstr2bJob.objects.filter(state__in=["waiting", "running"]).exists())
    view = link(desk, "^View GSTR-2B")
    if not desk.has_script and not view.count():
        hand.press(desk, link(desk, "^Refresh"))
    expect(view).to_be_visible(timeout=30_000)
    expect(banner).to_have_count(0)
    hand.press(desk, view)
    expect(desk.page.get_by_text(f"Version {version}").first).to_be_visible()
    expect(banner).to_have_count(0)


def invoices_of(desk: Desk, section: str) -> str:
    """Return the integrated tax that a section of the statement prints in its row of invoices."""
    table = desk.page.get_by_role("region", name=section, exact=True)
    return table.get_by_role("row").filter(has_text="B2B - Invoices").first.locator("td.num").first.inner_text()


def amounts(desk: Desk, row: str) -> list[str]:
    """Return the four amounts that GSTR-3B prints in a row of Table 4, open on the page."""
    heading = re.compile("^" + re.escape(row))
    found = desk.page.get_by_role("rowgroup").filter(has=desk.page.get_by_role("rowheader", name=heading))
    return found.locator("td.num").all_inner_texts()


@pytest.mark.journey
def test_1_what_a_supplier_files_is_deemed_accepted_by_keyboard_alone(
    recipient: Taxpayer, at_desk: Callable[..., Desk]
) -> None:
    factories.saved(factories.document(number="INV1", tax=18000))
    factories.member(factories.taxpayer(S), "signatory", "s1")
    set_clock("2025-11-10")
    hand = Keys()
    s1 = at_desk("s1")
    s1.open(S, "returns/102025/gstr1/file/")
    hand.press(s1, button(s1, "^File for"))
    expect(s1.page.get_by_text(re.compile("SBX-R1-")).first).to_be_visible()
    s1.shoot("1-filed")
    set_clock("2025-11-14")
    r1 = at_desk("r1")
    r1.open(R, STATEMENT)
    hand.press(r1, button(r1, "Compute GSTR-2B"))
    expect(r1.page.get_by_role("heading", name="Computing GSTR-2B of 10/2025")).to_be_visible()
    wait_for(lambda: Gstr2b.objects.filter(recipient=recipient).exists())
    r1.open(R, STATEMENT)
    assert invoices_of(r1, "ITC available") == "18,000.00"
    r1.shoot("1-statement")
    hand.press(r1, r1.page.get_by_role("link", name="18,000.00").first)
    expect(r1.row("INV1")).to_contain_text("Deemed accepted")
    r1.shoot("1-lines")
    r1.open(R, "returns/102025/gstr3b/")
    assert amounts(r1, "4(A)(5)") == ["18,000.00", "0.00", "0.00", "0.00"]
    r1.shoot("1-gstr3b")


@pytest.mark.journey
@pytest.mark.parametrize(("hand", "script"), WAYS)
def test_2_every_change_is_told_in_rupees_and_by_version(
    recipient: Taxpayer, at_desk: Callable[..., Desk], hand: Hand, script: bool
) -> None:
    factories.filed(factories.document(number="INV1", tax=18000))
    factories.computed(recipient)
    set_clock("2025-11-16")
    r1 = at_desk("r1", script=script)
    decide(r1, hand, "b2b", "INV1", "Reject")
    says = "1 saved change is not in GSTR-2B of 10/2025 (version 1, 14/11/2025 10:00): ITC -₹18,000.00."
    expect(r1.page.get_by_text(says)).to_be_visible()
    r1.shoot("2-banner")
    compute(r1, hand, 2)
    assert (invoices_of(r1, "ITC available"), invoices_of(r1, "ITC rejected")) == ("0.00", "18,000.00")
    r1.shoot("2-version-2")
    set_clock("2025-11-18")
    decide(r1, hand, "b2b", "INV1", "Accept")
    expect(r1.page.get_by_text(re.compile(r"1 saved change .*\(version 2, .*\): ITC \+₹18,000\.00\."))).to_be_visible()
    hand.press(r1, r1.page.get_by_role("link", name="Show the changes"))
    expect(r1.row("INV1")).to_contain_text("18,000.00")
    r1.shoot("2-changes")
    compute(r1, hand, 3)
    assert (invoices_of(r1, "ITC available"), invoices_of(r1, "ITC rejected")) == ("18,000.00", "0.00")
    r1.open(R, f"{STATEMENT}diff/2/3/")
    for part in ("R1", "18/11/2025", "18,000.00", "ITC rejected", "ITC available"):
        expect(r1.row("INV1")).to_contain_text(part)
    # A figure that differs opens to what moved it, and to who acted.
    cell = r1.page.get_by_role("region", name="Figures that differ").get_by_role("link", name="18,000.00", exact=True)
    hand.press(r1, cell.first)
    expect(r1.page.get_by_text(re.compile("1 record behind the change of ITC available, Part A I"))).to_be_visible()
    for part in ("R1", "18/11/2025", "0.00", "18,000.00"):
        expect(r1.row("INV1")).to_contain_text(part)
    r1.shoot("2-diff")


@pytest.mark.journey
def test_3_a_part_needs_a_remark_keeps_its_amount_and_counts_for_itself_alone(
    recipient: Taxpayer, at_desk: Callable[..., Desk]
) -> None:
    factories.filed(
        factories.document(number="INV1", tax=50000),
        factories.document(section=Section.CN, number="CN1", tax=18000, on="2025-10-20"),
    )
    factories.computed(recipient)
    set_clock("2025-11-16")
    hand = Keys()
    r1 = at_desk("r1")
    r1.open(R, "ims/inward/b2bcn/")
    r1.tab_to(r1.row("CN1").get_by_role("radio", name="No action"))
    r1.page.keyboard.press("?")
    expect(r1.page.get_by_role("heading", name="Keys of a list")).to_be_visible()
    axe.assert_clean(r1.page)
    r1.page.keyboard.press("Escape")
    r1.page.keyboard.press("a")
    expect(r1.page.locator("#savebar .unsaved-count")).to_have_text("1 unsaved choice")
    r1.page.keyboard.press("Shift+S")
    expect(r1.page.get_by_role("heading", name="1 record asks something")).to_be_focused()
    line = r1.line("CN1")
    r1.tab_to(line.get_by_role("radio", name=re.compile("^Full")))
    r1.page.keyboard.press("ArrowDown")
    hand.write(r1, line.get_by_label(re.compile("^Integrated tax")), "9000")
    hand.press(r1, button(r1, "^Save for"))
    expect(r1.page.get_by_text("Part and None need a remark.").first).to_be_visible()
    expect(line.get_by_label(re.compile("^Integrated tax"))).to_have_value("9000")
    axe.assert_clean(r1.page)
    hand.write(r1, line.get_by_label(re.compile("^Remark")), "half was blocked credit")
    r1.page.keyboard.press("Enter")
    expect(r1.page.get_by_label("Result of saving")).to_contain_text("1 record saved.")
    saved = Record.objects.get(number="CN1")
    assert (saved.action, saved.answer, saved.declared_igst) == ("A", "P", 900_000)
    r1.shoot("3-saved")
    compute(r1, hand, 2)
    r1.open(R, "returns/102025/gstr3b/")
    assert amounts(r1, "4(A)(5)") == ["41,000.00", "0.00", "0.00", "0.00"]
    assert amounts(r1, "4(B)(2)") == ["0.00", "0.00", "0.00", "0.00"]
    r1.shoot("3-gstr3b")


@pytest.fixture
def supplier(recipient: Taxpayer) -> Taxpayer:
    """Return S with s1, its October filed: an invoice of 50,000, a credit note of 18,000; both have their GSTR-2B."""
    found = factories.taxpayer(S, name="S Polymers")
    factories.member(found, "signatory", "s1")
    factories.filed(
        factories.document(number="INV1", tax=50000),
        factories.document(section=Section.CN, number="CN1", tax=18000, on="2025-10-20"),
    )
    day = factories.clock("2025-11-11")
    outward.file(supplier=recipient, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=day)
    for each in (recipient, found):
        factories.computed(each)
    set_clock("2025-11-16 10:00")
    return found


@pytest.mark.journey
@pytest.mark.usefixtures("supplier")
@pytest.mark.parametrize(("hand", "script"), WAYS)
def test_5_a_rejected_credit_note_is_paid_for_in_the_suppliers_next_return(
    at_desk: Callable[..., Desk], hand: Hand, script: bool
) -> None:
    r1 = at_desk("r1", script=script)
    decide(r1, hand, "b2bcn", "CN1", "Reject", remark="Nothing came back")
    r1.shoot("5-rejected")
    s1 = at_desk("s1", script=script)
    sees_it(s1, hand, "Provisional", "Your tax rises by ₹18,000.00 in a later GSTR-3B")
    s1.open(S, "ims/outward/forecast/")
    expect(s1.page.get_by_text("Not in this return, but in GSTR-3B of 11/2025: ₹18,000.00")).to_be_visible()
    s1.shoot("5-forecast")
    set_clock("2025-11-18 10:00")
    sig = at_desk("sig", script=script)
    sig.open(R, "returns/102025/gstr3b/review/")
    compute(sig, hand, 2)
    files(sig, hand, R)
    created = sig.page.get_by_role("region", name="Add-backs created").get_by_role("row").filter(has_text="CN1")
    for part in ("S Polymers", "11/2025", "18,000.00"):
        expect(created).to_contain_text(part)
    sees_it(s1, hand, "Fixed", "Your tax rises by ₹18,000.00 in GSTR-3B of 11/2025.")
    has_no_add_back(s1, "102025")
    files(s1, hand, S)
    has_no_add_back(s1, "102025")
    s1.open(S, "ims/outward/forecast/")
    expect(s1.page.get_by_text("comes to ₹18,000.00 at the least and to ₹18,000.00")).to_be_visible()
    s1.shoot("5-forecast-fixed")
    s1.open(S, "returns/112025/gstr3b/")
    expect(s1.page.get_by_role("row").filter(has_text="3.1(a)").first).to_contain_text("18,000.00")
    hand.press(s1, link(s1, r"^Break-up of 3\.1\(a\)"))
    note = s1.page.get_by_role("region", name="Rejections added back").get_by_role("row").filter(has_text="CN1")
    for part in ("Meera Traders", "10/2025", "18,000.00"):
        expect(note).to_contain_text(part)
    s1.shoot("5-next-period")


def sees_it(s1: Desk, hand: Hand, chip: str, effect: str) -> None:
    """Open the supplier's desk and, from it, what recipients rejected: the remark is there, and what it costs."""
    s1.open(S, "ims/outward/")
    hand.press(s1, link(s1, "^Rejected credit notes"))
    for part in ("Rejected", "Nothing came back", chip, effect):
        expect(s1.row("CN1")).to_contain_text(part)
    s1.shoot(f"5-{chip.lower()}")


def files(desk: Desk, hand: Hand, gstin: str) -> None:
    """Review GSTR-3B of October and file it."""
    desk.open(gstin, "returns/102025/gstr3b/review/")
    hand.press(desk, button(desk, "^File for"))
    expect(desk.page.get_by_text(re.compile("SBX-3B-102025-")).first).to_be_visible()
    assert Filing.objects.filter(taxpayer__gstin=gstin, month=202510).exists()
    desk.shoot(f"5-receipt-{desk.username}")


def has_no_add_back(s1: Desk, period: str) -> None:
    """Open the break-up of 3.1(a) of a period: nothing that a recipient rejected is in it."""
    s1.open(S, f"returns/{period}/gstr3b/table/t3_1_a/")
    expect(s1.page.get_by_text("No rejection lands in this period.")).to_be_visible()
    expect(s1.page.get_by_role("region", name="Rejections added back")).not_to_contain_text("18,000.00")
