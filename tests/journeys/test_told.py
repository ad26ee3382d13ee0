"""What pages tell whoever does not see them: names of tables and groups, news, and what to correct.

Rows 8, 9 and 10 of docs/portal.md 5; every refused form of test_states.py is held to row 10 too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from invoices import outward
from invoices.models import Record, Upload
from tests import factories
from tests.journeys.desk import Desk, set_clock

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
R = factories.RECIPIENT
PAGES = (
    "",
    "ims/inward/",
    "ims/inward/all/",
    "ims/find/?gstin=24AAACS2718C1ZX&number=INV1",
    "ims/records/{record}/",
    "ims/deadlines/",
    "ims/outward/",
    "ims/outward/forecast/",
    "returns/",
    "returns/102025/gstr1/",
    "returns/102025/gstr2b/",
    "returns/102025/gstr2b/all/all/",
    "returns/102025/gstr3b/",
    "returns/102025/gstr3b/table/t3_1_a/",
    "returns/102025/gstr3b/review/",
)

UNNAMED = """() => [
  ...[...document.querySelectorAll('main table')].filter(it => !it.caption || !it.caption.textContent.trim()),
  ...[...document.querySelectorAll('main th')].filter(it => !/^(row|col)(group)?$/.test(it.scope)),
  ...[...document.querySelectorAll('main table')].filter(it => !it.querySelector('th')),
  ...[...document.querySelectorAll('main input[type=radio]')].filter(it => {
    const legend = it.closest('fieldset') && it.closest('fieldset').querySelector('legend');
    return !legend || !legend.textContent.trim();
  }),
].map(it => it.outerHTML.slice(0, 160))"""
LIVE = """() => [...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log], output')]
  .map(it => `${it.id} ${it.getAttribute('aria-live')}`)"""
LISTEN = """() => {
  window.said = [];
  new MutationObserver(() => window.said.push(document.getElementById('live').textContent))
    .observe(document.getElementById('live'), {childList: true, characterData: true, subtree: true});
}"""


@pytest.fixture
def asha(person: Callable[[], Page], start_web: Callable[[], str]) -> Desk:
    """A preparer of R: an invoice, two credit notes, GSTR-1 filed, GSTR-2B computed."""
    recipient = factories.taxpayer(name="Meera Traders")
    factories.member(recipient, "preparer", "asha")
    factories.taxpayer(factories.SUPPLIER, name="Shree Balaji Traders")
    notes = (factories.document(section=Section.CN, number=f"CN{n}", on="2025-10-20") for n in (1, 2))
    factories.filed(factories.document(number="INV1"), *notes)
    outward.file(
        supplier=recipient, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-10")
    )
    factories.computed(recipient)
    set_clock("2025-11-16 10:00")
    return Desk(person(), start_web(), "asha")


def live(desk: Desk) -> Locator:
    """Return the page's one live region."""
    expect(desk.page.locator("#live")).to_have_count(1)
    assert desk.page.evaluate(LIVE) == ["live polite"], desk.page.url
    return desk.page.locator("#live")


def test_8_tables_have_captions_and_scopes_and_a_row_of_choices_names_its_document(asha: Desk) -> None:
    problems: list[Any] = []
    record = Record.objects.get(number="CN1")
    for path in PAGES:
        asha.open(R, path.format(record=record.pk))
        problems += [(path, it) for it in asha.page.evaluate(UNNAMED)]
    assert problems == []
    asha.open(R, "ims/inward/all/")
    group = asha.page.get_by_role("group", name="Action for CN1 of Shree Balaji Traders", exact=True)
    expect(group.get_by_role("radio")).to_have_count(4)


def test_9_saves_and_errors_are_told_in_one_polite_region(asha: Desk) -> None:
    page = asha.page
    asha.open(R, "ims/inward/all/")
    asha.choose("INV1", "Accept")
    expect(live(asha)).to_have_text("1 unsaved choice")
    asha.press("Save")
    expect(live(asha)).to_contain_text("1 record saved.")
    asha.press("Save")
    expect(live(asha)).to_contain_text("Nothing was changed")
    asha.choose("CN1", "Accept")
    asha.press("Save")
    expect(live(asha)).to_have_text("1 record asks something")
    page.locator("#answers .savebar button[type=submit]").click()
    expect(live(asha)).to_contain_text("1 thing to correct CN1: ")
    page.goto(f"{asha.base}/en/me/")
    page.locator("main").get_by_role("button", name="Save", exact=True).click()
    expect(live(asha)).to_have_text("Your settings are saved.")


def test_9_progress_is_told_by_tenths_and_at_its_end(asha: Desk) -> None:
    job = Upload.objects.create(
        taxpayer=factories.taxpayer(R),
        form=Form.GSTR1.value,
        month=periods.parse("112025").month,
        file_name="gstr1.json",
        size=4096,
        state=Upload.State.RUNNING,
        total=1000,
        progress=420,
        requested_by=factories.user("asha"),
        created_at=timezone.now(),
    )
    asha.open(R, f"uploads/{job.pk}/")
    asha.page.evaluate(LISTEN)
    for progress in (425, 449, 510):
        Upload.objects.filter(pk=job.pk).update(progress=progress)
        expect(asha.page.get_by_text(f"{progress} of 1,000 documents")).to_be_visible()
    Upload.objects.filter(pk=job.pk).update(state=Upload.State.DONE, progress=1000, added=1000)
    expect(live(asha)).to_contain_text("The file is saved.")
    said = asha.page.evaluate("window.said")
    assert said[:2] == ["40 % done", "50 % done"]
    assert len(said) == 3


def test_10_the_summary_leads_to_the_field_names_the_cure_and_takes_the_focus_once(asha: Desk) -> None:
    page = asha.page
    asha.open(R, "returns/112025/gstr1/b2b/new/")
    page.get_by_label("Date").fill("2025-11-05")
    page.get_by_label("Number", exact=True).fill("A/1")
    page.get_by_role("button", name="Save", exact=True).click()
    summary = page.locator("#errors")
    expect(summary).to_be_focused()
    wrong_day = summary.get_by_role("link", name="Write the date as DD/MM/YYYY, as it stands on the document.")
    expect(summary.get_by_role("link", name="Write the GSTIN of the recipient.")).to_be_visible()
    asha.tab_to(wrong_day)
    page.keyboard.press("Enter")
    day = page.get_by_label("Date")
    expect(day).to_be_focused()
    expect(day).to_have_attribute("aria-invalid", "true")
    expect(day).to_have_accessible_description(re.compile("Write the date as DD/MM/YYYY"))
    # What is worked out while somebody types takes the focus from nobody.
    with page.expect_response(re.compile("/b2b/new/")) as worked_out:
        page.get_by_label("Taxable value").fill("1000")
        page.keyboard.press("Tab")
    worked_out.value.finished()
    expect(page.locator(".htmx-settling, .htmx-swapping, .htmx-request")).to_have_count(0)
    expect(summary).not_to_be_focused()
    expect(page.get_by_label("IGST")).to_be_focused()
