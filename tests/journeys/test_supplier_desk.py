"""The supplier's returns in a browser: the supplier's side of journey 9, forged forms of 24."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

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
    expect(s1.page.get_by_text("INV1 is saved anew")).to_be_visible()
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
    expect(row).to_contain_text("18,000.00")
    expect(row).to_contain_text("9,000.00")
    expect(r1.row("INV2")).to_have_count(0)
    r1.shoot("09-badge")
    r1.open(R, f"ims/records/{deleted.pk}/")
    expect(r1.page.get_by_text("took it back").first).to_be_visible()


@pytest.mark.journey
@pytest.mark.usefixtures("cast")
def test_24_a_viewer_has_no_button_and_forges_nothing(person: Callable[[], Page], start_web: Callable[[], str]) -> None:
    record = factories.saved()[0]
    viewer = Desk(person(), start_web(), "viewer")
    for path in (FORM, f"{FORM}b2b/", f"{FORM}records/{record.pk}/"):
        viewer.open(S, path)
        expect(viewer.page.locator("main").get_by_role("button")).to_have_count(0)
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
