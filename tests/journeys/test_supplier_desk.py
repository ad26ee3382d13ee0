"""The supplier's returns in a browser: journey 1 by keyboard alone, the supplier's side of 9, forged forms of 24."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Form
from invoices import outward
from invoices.models import Record, SupplierReturn
from tests import factories
from tests.journeys.desk import Desk, set_clock

S, R = factories.SUPPLIER, factories.RECIPIENT
FORM = "returns/102025/gstr1/"


@pytest.fixture
def cast(transactional_db: None) -> None:  # noqa: ARG001 - commits, for the processes to see
    """Set up S with its signatory and a viewer, R with its preparer, and stand on 10 November 2025."""
    supplier, recipient = factories.taxpayer(S, name="Shree Balaji Traders"), factories.taxpayer(name="Meera Traders")
    factories.member(supplier, "signatory", "s1")
    factories.member(supplier, "viewer", "viewer")
    factories.member(recipient, "preparer", "r1")
    set_clock("2025-11-10 10:00")


def by_key(desk: Desk, wanted: Locator) -> None:
    """Go to something with Tab and press Enter on it."""
    desk.tab_to(wanted)
    desk.page.keyboard.press("Enter")


def type_in(desk: Desk, label: str, text: str) -> None:
    """Go to a field with Tab and type; a list of choices takes what is typed as well."""
    desk.tab_to(desk.page.locator("main").get_by_label(label, exact=True).first)
    desk.page.keyboard.type(text)


def button(desk: Desk, name: str) -> Locator:
    return desk.page.locator("main").get_by_role("button", name=re.compile(name)).first


def link(desk: Desk, name: str) -> Locator:
    return desk.page.locator("main").get_by_role("link", name=re.compile(name)).first


@pytest.mark.journey
@pytest.mark.usefixtures("cast")
def test_01_an_invoice_goes_from_the_keyboard_into_the_recipients_gstr3b(
    person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    base = start_web()
    s1 = Desk(person(), base, "s1")
    s1.open(S, FORM)
    s1.shoot("01-form")
    by_key(s1, link(s1, "^Enter new: B2B invoices$"))
    type_in(s1, "GSTIN of the recipient", "27AAACR5055K1Z8")
    s1.page.keyboard.press("Tab")
    expect(s1.page.get_by_text("The check character at the end does not fit")).to_be_visible()
    s1.page.keyboard.press("Shift+Tab")
    s1.page.keyboard.press("Control+a")
    s1.page.keyboard.type(R)
    type_in(s1, "Number", "INV/25-26/001")
    expect(s1.page.get_by_text("Meera Traders")).to_be_visible(timeout=30_000)
    expect(s1.page.get_by_label("Place of supply")).to_have_value("27")
    type_in(s1, "Date", "05/10/2025")
    type_in(s1, "Rate", "18")
    type_in(s1, "Taxable value", "1,00,000")
    s1.page.keyboard.press("Tab")
    expect(s1.page.locator("#sums")).to_contain_text("18,000.00", timeout=30_000)
    expect(s1.page.get_by_text("From Gujarat to Maharashtra: IGST.")).to_be_visible()
    s1.shoot("01-entry")
    by_key(s1, button(s1, "^Save$").and_(s1.page.locator(".btn-primary")))
    expect(s1.message("INV/25-26/001 is saved in GSTR-1 of 10/2025")).to_be_visible()
    s1.shoot("01-saved")
    s1.open(S, f"{FORM}file/")
    s1.shoot("01-file")
    by_key(s1, button(s1, "^File for"))
    expect(s1.page.get_by_text(re.compile("SBX-R1-")).first).to_be_visible()

    outward.file(
        supplier=Taxpayer.objects.get(gstin=R),
        form=Form.GSTR1,
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-11"),
    )
    set_clock("2025-11-14 10:00")
    factories.computed()  # what the draft of the day does by itself; its schedule is proved by test_main_job
    r1 = Desk(person(), base, "r1")
    r1.open(R, "returns/102025/gstr2b/")
    part = r1.page.get_by_role("row").filter(has_text="18,000.00").first
    expect(part).to_be_visible()
    r1.shoot("01-gstr2b")
    by_key(r1, link(r1, "18,000.00"))
    expect(r1.row("INV/25-26/001")).to_contain_text("Deemed accepted")
    expect(r1.row("INV/25-26/001")).to_contain_text("18,000.00")
    r1.open(R, "returns/102025/gstr3b/")
    expect(r1.page.get_by_role("row").filter(has_text="4(A)(5)").first).to_contain_text("18,000.00")
    r1.shoot("01-gstr3b")


@pytest.mark.journey
@pytest.mark.usefixtures("cast")
def test_09_an_edit_resets_the_action_and_a_deletion_leaves_only_history(
    person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    edited, deleted = factories.saved(factories.document(number="INV1"), factories.document(number="INV2"))
    factories.act(edited, "A", on="2025-11-09")
    base = start_web()
    s1 = Desk(person(), base, "s1")
    s1.open(S, f"{FORM}b2b/")
    s1.page.get_by_role("link", name="Edit INV1").click()
    s1.shoot("09-edit")
    s1.page.get_by_label("Taxable value").fill("50,000")
    s1.page.get_by_label("Taxable value").blur()
    expect(s1.page.locator("#sums")).to_contain_text("9,000.00", timeout=30_000)
    s1.page.locator("main .btn-primary").click()
    expect(s1.message("INV1 is saved anew")).to_be_visible()
    s1.page.get_by_role("link", name="Delete INV2").click()
    s1.press("Delete INV2")
    s1.open(S, f"{FORM}records/{deleted.pk}/")
    expect(s1.page.get_by_text("only its history stays")).to_be_visible()
    s1.shoot("09-deleted")
    assert Record.objects.get(pk=edited.pk).action == "N"

    r1 = Desk(person(), base, "r1")
    r1.open(R, "ims/inward/b2b/")
    row = r1.row("INV1")
    expect(row.get_by_role("radio", name="No action")).to_be_checked()
    badge = row.locator(".badge-line")
    expect(badge).to_contain_text("Changed since decided")
    expect(badge).to_contain_text("You had chosen Accept.")
    for change in ("1,00,000.00 > 50,000.00", "18,000.00 > 9,000.00"):
        expect(badge).to_contain_text(change)
    expect(r1.row("INV2")).to_have_count(0)
    r1.shoot("09-badge")
    # What was deleted is in no list of any tab; its own page keeps its history.
    for path in ("ims/inward/all/", "ims/inward/all/?settled=1", "ims/inward/all/?q=INV2"):
        r1.open(R, path)
        expect(r1.row("INV2")).to_have_count(0)
    r1.open(R, f"ims/records/{deleted.pk}/")
    expect(r1.page.get_by_text("only its history stays")).to_be_visible()
    expect(r1.page.get_by_text("took it back").first).to_be_visible()
    expect(r1.page.locator("main").get_by_role("radio")).to_have_count(0)
    r1.shoot("09-history")


@pytest.mark.journey
@pytest.mark.usefixtures("cast")
def test_24_a_viewer_has_no_button_and_forges_nothing(person: Callable[[], Page], start_web: Callable[[], str]) -> None:
    record = factories.saved()[0]
    viewer = Desk(person(), start_web(), "viewer")
    for path in (FORM, f"{FORM}b2b/", f"{FORM}records/{record.pk}/"):
        viewer.open(S, path)
        deciding = viewer.page.locator("main button:not(form[action$='/exports/'] button)")
        expect(deciding).to_have_count(0)  # files may be taken by who looks
        expect(
            viewer.page.locator("main").get_by_role("link", name=re.compile("Enter|Edit|Delete|Amend|^File"))
        ).to_have_count(0)
    token = next(cookie for cookie in viewer.page.context.cookies() if "csrf" in cookie["name"])["value"]
    forged = {"gstin": S, "request_id": str(uuid4()), "csrfmiddlewaretoken": token, "version": "0", "shown": ""}
    for path in ("b2b/new/", f"records/{record.pk}/edit/", f"records/{record.pk}/delete/", "file/"):
        address = f"{viewer.base}/en/t/{S}/{FORM}{path}"
        answer = viewer.page.request.post(address, form=forged, headers={"Referer": address})
        assert answer.status == 403, path
        assert "S1" in answer.text()
    assert Record.objects.get().status == "S"
    assert not SupplierReturn.objects.filter(filed_on__isnull=False).exists()
