"""The supplier's outward desk in a browser: what a rejection costs, asking, repairing, and what it never shows.

What may be said about a rejection between the two, and journeys 13 and 24 of docs/portal.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ims_portal.children import Child
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import Tax
from invoices import outward
from invoices.models import Message, Record, SupplierReturn
from returns import gstr3b
from returns.models import Filing, Gstr2bJob
from tests import factories
from tests.journeys.desk import Desk, set_clock
from tests.live import wait_for

R, S = factories.RECIPIENT, factories.SUPPLIER
NOVEMBER = periods.parse("112025")
OUTWARD = (
    "ims/outward/",
    "ims/outward/b2b/",
    "ims/outward/b2bcn/",
    "ims/outward/rejected/",
    "ims/outward/rejected-notes/",
    "ims/outward/forecast/",
    "ims/outward/repair/",
)


@pytest.fixture
def supplier(transactional_db: None) -> Taxpayer:  # noqa: ARG001 - commits, for the processes to see
    """Return S, its October filed: an invoice of 50,000, one of 18,000, a credit note of 18,000."""
    recipient = factories.taxpayer(name="Meera Traders")
    factories.member(recipient, "preparer", "r1")
    found = factories.taxpayer(S, name="Shree Balaji Traders")
    factories.member(found, "signatory", "s1")
    factories.member(found, "viewer", "v1")
    factories.filed(
        factories.document(number="INV1", tax=50000),
        factories.document(number="INV2", tax=18000),
        factories.document(section=Section.CN, number="CN1", on="2025-10-20"),
    )
    set_clock("2025-11-16 10:00")
    return found


@pytest.mark.journey
@pytest.mark.usefixtures("supplier")
def test_a_supplier_asks_to_reconsider_and_is_answered_while_nothing_is_filed(
    person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    factories.act(Record.objects.get(number="CN1"), "R", remark="Nothing came back", on="2025-11-15")
    base = start_web()
    s1 = Desk(person(), base, "s1")
    s1.open(S, "ims/outward/repair/")
    s1.page.get_by_role("link", name="Request reconsideration: CN1").click()
    s1.shoot("05-supplier-asks")
    s1.press("Send")
    expect(s1.page.get_by_role("link", name="Write your message.")).to_be_visible()
    s1.shoot("05-supplier-asked-nothing")
    s1.page.get_by_label("Your message").fill("The goods came back on 18 October.\nPlease look again.")
    s1.press("Send")
    expect(s1.page.get_by_text("The goods came back on 18 October.")).to_be_visible()
    r1 = Desk(person(), base, "r1")
    r1.open(R, "ims/deadlines/")
    expect(r1.page.get_by_role("heading", name="1 supplier's request to reconsider a rejection waits")).to_be_visible()
    r1.page.get_by_role("link", name=re.compile("^Answer: 1 supplier's request")).click()
    r1.shoot("05-requests")
    r1.page.get_by_role("link", name="CN1").click()
    r1.page.locator("#messages").get_by_role("link", name="Answer").click()
    r1.page.get_by_label("Your message").fill("We kept the goods.")
    r1.press("Send")
    expect(r1.page.locator("#messages")).to_contain_text("We kept the goods.")
    assert Message.objects.count() == 2
    r1.shoot("05-answered")


@pytest.mark.journey
def test_13_a_wrong_rejection_is_repaired_and_credited_in_full(
    supplier: Taxpayer, person: Callable[[], Page], start_web: Callable[[], str], start_worker: Callable[[], Child]
) -> None:
    recipient = factories.taxpayer()
    factories.act(Record.objects.get(number="INV2"), "R", reason="NOT_OURS", on="2025-11-15")
    factories.filed_period(on="2025-11-18")
    set_clock("2025-11-19 10:00")
    base = start_web()
    s1 = Desk(person(), base, "s1")
    s1.open(S, "ims/outward/repair/")
    s1.shoot("13-repair")
    s1.page.get_by_role("link", name="Report again unchanged: INV2").click()
    expect(s1.page.get_by_text("in GSTR-1A of 10/2025", exact=False).first).to_be_visible()
    expect(s1.page.get_by_text("it gets ITC of ₹18,000.00")).to_be_visible()
    expect(s1.page.locator("#own-effect")).to_contain_text("₹0.00")
    s1.shoot("13-effects")
    s1.press("Report again unchanged")
    expect(s1.message("INV2 is saved again in GSTR-1A of 10/2025")).to_be_visible()
    again = Record.objects.get(section="b2ba")
    assert (again.number, again.tax, again.status) == ("INV2", Tax(igst=1800000), "S")
    s1.shoot("13-draft")
    s1.open(S, "returns/102025/gstr1a/file/")
    s1.press("File for")
    expect(s1.page.get_by_text(re.compile("SBX-R1A-")).first).to_be_visible()
    # The supplier's own tax is what it was; the recipient gets the whole credit in the period of reporting again.
    owed = gstr3b.draft(taxpayer=supplier, period=factories.OCTOBER, at=factories.at("2025-11-19")).derived["t3_1_a"]
    assert owed.total == (50000 + 18000 - 18000) * 100
    set_clock("2025-12-13 10:00")
    r1 = Desk(person(), base, "r1")
    r1.open(R, "ims/inward/b2ba/")
    expect(r1.page.get_by_text("Re-furnished").first).to_be_visible()
    r1.shoot("13-re-furnished")
    r1.open(R, f"ims/records/{again.pk}/")
    r1.page.locator("main").get_by_role("radio", name="Accept", exact=True).check()
    r1.press("Save")
    wait_for(lambda: Record.objects.get(pk=again.pk).action == "A")
    outward.file(supplier=recipient, form=Form.GSTR1, period=NOVEMBER, actor=None, clock=factories.clock("2025-12-10"))
    set_clock("2025-12-15 10:00")
    start_worker()
    r1.open(R, "returns/112025/gstr2b/")
    r1.press("Compute GSTR-2B")
    r1.page.get_by_role("link", name="View GSTR-2B").click(timeout=60_000)
    credited = r1.page.get_by_role("region", name="ITC available", exact=True).get_by_role("row")
    expect(credited.filter(has_text="B2B - Invoices (Amendment)").first).to_contain_text("18,000.00")
    r1.shoot("13-credited")
    r1.open(R, "returns/112025/gstr3b/")
    expect(r1.page.get_by_role("rowgroup").filter(has_text="4(A)(5)").first).to_contain_text("18,000.00")
    r1.shoot("13-gstr3b")


@pytest.mark.journey
def test_24_a_supplier_never_sees_what_is_its_recipients_alone(
    supplier: Taxpayer, person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    recipient = factories.taxpayer()
    note = Record.objects.get(number="CN1")
    factories.act(note, "A", answer="P", declared=Tax(igst=777_77), remark="As agreed", on="2025-11-15")
    factories.computed(recipient, on="2025-11-16")
    base = start_web()
    s1 = Desk(person(), base, "s1")
    pages = (*OUTWARD, f"ims/outward/records/{note.pk}/", f"ims/outward/records/{note.pk}/repair/")
    for path in (*pages, f"ims/outward/records/{note.pk}/message/"):
        s1.open(S, path)
        text = s1.page.content()
        for canary in ("777.77", "77777", "GSTR-2B of 10/2025", "Part"):
            assert not re.search(rf"\b{re.escape(canary)}\b", text), (path, canary)
        s1.shoot("24-" + path.strip("/").replace("/", "-"))
    for path in ("ims/inward/", f"ims/records/{note.pk}/", "returns/102025/gstr2b/", "ims/messages/"):
        assert s1.page.request.get(f"{base}/en/t/{R}/{path}").status == 404, path
    a_viewer_changes_nothing(supplier, Desk(person(), base, "v1"), base)


def a_viewer_changes_nothing(supplier: Taxpayer, v1: Desk, base: str) -> None:
    record = Record.objects.get(number="INV2")
    for path in (*OUTWARD, f"ims/outward/records/{record.pk}/", f"ims/outward/records/{record.pk}/message/"):
        v1.open(S, path)
        buttons = v1.page.locator("main form[method=post]:not([action$='/exports/']) button")
        expect(buttons).to_have_count(0)  # files may be taken by who looks
    token = v1.page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    forged = {"gstin": S, "request_id": "8f4f6b1e-9a57-4c36-a0f6-61b6a2f7b9c1", "csrfmiddlewaretoken": token}
    for path in (
        "ims/act/",
        "returns/102025/gstr2b/compute/",
        "returns/102025/gstr3b/file/",
        "returns/102025/gstr1a/file/",
        f"ims/outward/records/{record.pk}/repair/",
        f"ims/outward/records/{record.pk}/message/",
    ):
        address = f"{base}/en/t/{S}/{path}"
        answer = v1.page.request.post(address, form=forged, headers={"Referer": address})
        assert answer.status == 403, path
        assert "These people can" in answer.text(), path
    assert not Filing.objects.filter(taxpayer=supplier).exists()
    assert not Gstr2bJob.objects.exists()
    assert not SupplierReturn.objects.filter(supplier=supplier, form="GSTR-1A", filed_on__isnull=False).exists()
    v1.open(S, "ims/outward/")
    v1.shoot("24-viewer")
