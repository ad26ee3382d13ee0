"""The inward list in a browser: what cannot be rejected, what a date means in every language, a phone.

Journey 22 of docs/portal.md, and the filter of journey 20.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from ims_portal.models import Taxpayer, User
from invoices import feeds
from invoices.feeds_json import bills
from invoices.models import ActionEvent, Record
from tests import factories
from tests.invoices import feed_files
from tests.journeys.desk import Desk, set_clock

GSTIN = feed_files.IMPORTER


@pytest.fixture
def importer(transactional_db: None) -> Taxpayer:  # noqa: ARG001 - commits, for the processes to see
    """Return an importer with a bill of entry, and two invoices of 5 and 11 November."""
    found = factories.taxpayer(GSTIN, name="Meera Traders", first=202609)
    factories.member(found, "preparer", "r1")
    factories.taxpayer(factories.SUPPLIER, first=202611)
    told = BytesIO(json.dumps(feed_files.bills(feed_files.bill())).encode())
    feeds.take_bills(found=bills.read(told), clock=factories.clock("2026-11-12"))
    factories.filed(
        factories.document(number="FIFTH", tax=1234567, on="2026-11-05", recipient=GSTIN),
        factories.document(number="ELEVENTH", tax=100, on="2026-11-11", recipient=GSTIN),
        period="112026",
        on="2026-12-02",
    )
    set_clock("2026-12-03 10:00")
    return found


@pytest.mark.journey
@pytest.mark.usefixtures("importer")
def test_22_a_bill_of_entry_offers_no_reject_and_takes_none(
    person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    r1 = Desk(person(), start_web(), "r1")
    r1.open(GSTIN, "ims/inward/?tab=import")
    expect(r1.page.get_by_text("not possible").first).to_be_visible()
    r1.shoot("22-summary")
    r1.page.locator("main").get_by_role("link", name="Import of goods", exact=True).last.click()
    row = r1.row("7012345")
    expect(row.get_by_role("radio")).to_have_count(3)
    expect(row.get_by_role("radio", name="Reject")).to_have_count(0)
    expect(r1.page.get_by_role("columnheader", name="ICEGATE date")).to_be_visible()
    expect(r1.page.get_by_role("columnheader", name="CGST")).to_have_count(0)
    r1.shoot("22-bills")
    r1.page.reload()  # axe leaves style attributes behind, which a swap would copy against the policy
    # Somebody makes the page send what it does not offer.
    row.get_by_role("radio", name="Pending").evaluate("it => { it.value = 'R'; it.checked = true; }")
    r1.press("Save")
    expect(r1.page.locator(".field-error", has_text="Bills of entry cannot be rejected.").first).to_be_visible()
    r1.shoot("22-refused")
    assert Record.objects.get(number="7012345").action == "N"
    assert not ActionEvent.objects.exists()


@pytest.mark.journey
@pytest.mark.usefixtures("importer")
@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_20_a_date_is_read_the_indian_way_in_every_language(
    person: Callable[[], Page], start_web: Callable[[], str], language: str
) -> None:
    r1 = Desk(person(), start_web(), "r1")
    r1.page.goto(f"{r1.base}/{language}/t/{GSTIN}/ims/inward/all/")
    r1.page.locator("details.more summary").click()
    r1.page.fill("#f-date_from", "05/11/2026")
    r1.page.fill("#f-date_to", "05/11/2026")
    r1.page.locator("form.filters .btn-primary").click()
    expect(r1.row("FIFTH")).to_be_visible()
    expect(r1.row("ELEVENTH")).to_have_count(0)
    expect(r1.row("FIFTH")).to_contain_text("12,34,567.00")
    expect(r1.page.locator("#records caption")).to_contain_text("₹12,34,567.00")
    expect(r1.row("FIFTH")).to_contain_text("05/11/2026")
    expect(r1.page.locator(".active-filters li")).to_have_count(2)
    expect(r1.page.locator("html")).to_have_attribute("lang", language)
    r1.shoot(f"20-filtered-{language}")
    # The address alone brings the same list back, and the form as it was filled in (and axe's traces are gone).
    r1.page.reload()
    expect(r1.row("ELEVENTH")).to_have_count(0)
    expect(r1.page.locator("#f-date_to")).to_have_value("05/11/2026")
    r1.page.fill("#f-date_from", "11/25/2026")
    r1.page.locator("form.filters .btn-primary").click()
    expect(r1.page.locator("#f-date_from")).to_have_attribute("aria-invalid", "true")
    expect(r1.row("FIFTH")).to_have_count(0)
    r1.shoot(f"20-wrong-date-{language}")


@pytest.mark.journey
@pytest.mark.usefixtures("importer")
def test_a_phone_shows_each_record_as_a_card_without_scrolling_sideways(
    person: Callable[[], Page], start_web: Callable[[], str]
) -> None:
    r1 = Desk(person(), start_web(), "r1")
    r1.page.set_viewport_size({"width": 390, "height": 844})
    r1.open(GSTIN, "ims/inward/all/")
    assert r1.page.evaluate("document.documentElement.scrollWidth") <= 390
    region = r1.page.locator("#records .wide")
    assert region.evaluate("it => it.scrollWidth <= it.clientWidth")
    r1.shoot("list-phone")


@pytest.mark.journey
@pytest.mark.usefixtures("importer")
@pytest.mark.parametrize("script", [True, False])
def test_choices_are_kept_by_tabs_orders_and_filters(
    person: Callable[..., Page], start_web: Callable[[], str], *, script: bool
) -> None:
    r1 = Desk(person(script=script), start_web(), "r1", script=script)
    page = r1.page
    r1.open(GSTIN, "ims/inward/b2b/")
    r1.choose("FIFTH", "Accept")
    page.get_by_role("button", name="Rejected 0").click()
    expect(page.get_by_text("No record matches these filters.")).to_be_visible()
    expect(page.get_by_text("1 unsaved choice").first).to_be_visible()
    page.get_by_role("button", name="All 2").click()
    expect(r1.row("FIFTH").get_by_role("radio", name="Accept")).to_be_checked()
    r1.choose("ELEVENTH", "Pending")
    page.get_by_role("navigation", name="Sort").get_by_role("button", name="Tax").click()
    expect(page.get_by_role("columnheader", name="IGST")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("#savebar .unsaved-count")).to_have_text("2 unsaved choices")
    r1.choose("FIFTH", "Reject")
    page.get_by_role("columnheader", name="IGST").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="IGST")).to_have_attribute("aria-sort", "ascending")
    expect(r1.row("FIFTH").get_by_role("radio", name="Reject")).to_be_checked()
    r1.choose("FIFTH", "Pending")
    page.fill("#f-q", "FIFTH")
    page.locator("form.filters button").first.click()
    expect(r1.row("ELEVENTH")).to_have_count(0)
    expect(r1.row("FIFTH").get_by_role("radio", name="Pending")).to_be_checked()
    page.locator(".active-filters").get_by_role("button").click()
    expect(r1.row("ELEVENTH").get_by_role("radio", name="Pending")).to_be_checked()
    # Enter in the search field applies it, and saves nothing; the address says what is shown.
    r1.choose("ELEVENTH", "Accept")
    page.fill("#f-q", "ELEV")
    page.press("#f-q", "Enter")
    expect(r1.row("FIFTH")).to_have_count(0)
    expect(r1.row("ELEVENTH").get_by_role("radio", name="Accept")).to_be_checked()
    assert parse_qsl(urlsplit(page.url).query) == [("q", "ELEV"), ("sort", "-tax")]
    r1.choose("ELEVENTH", "Reject")
    page.locator("form.filters").get_by_role("button", name="Clear").click()
    expect(r1.row("ELEVENTH").get_by_role("radio", name="Reject")).to_be_checked()
    # A supplier's GSTIN and a chip in a row are filters as well.
    r1.choose("FIFTH", "Accept")
    r1.row("FIFTH").get_by_role("button", name=factories.SUPPLIER).click()
    expect(page.locator(".active-filters li")).to_have_count(1)
    expect(r1.row("FIFTH").get_by_role("radio", name="Accept")).to_be_checked()
    r1.choose("FIFTH", "Reject")
    r1.row("FIFTH").get_by_role("button", name="Filed").click()
    expect(page.locator(".active-filters li")).to_have_count(2)
    expect(r1.row("FIFTH").get_by_role("radio", name="Reject")).to_be_checked()
    assert not ActionEvent.objects.exists()


@pytest.mark.journey
@pytest.mark.usefixtures("importer")
@pytest.mark.parametrize("script", [True, False])
def test_a_record_is_read_without_losing_the_choices_of_its_list(
    person: Callable[..., Page], start_web: Callable[[], str], *, script: bool
) -> None:
    r1 = Desk(person(script=script), start_web(), "r1", script=script)
    r1.open(GSTIN, "ims/inward/b2b/")
    r1.choose("FIFTH", "Accept")
    record = r1.row("FIFTH").get_by_role("link", name="FIFTH", exact=True)
    if script:
        record.click()
        expect(r1.page).to_have_title(re.compile("FIFTH"))
        r1.open(GSTIN, "ims/inward/b2b/")
    else:
        with r1.page.expect_popup() as opened:
            record.click()
        expect(opened.value).to_have_title(re.compile("FIFTH"))
        expect(r1.row("FIFTH").get_by_role("radio", name="Accept")).to_be_checked()
        r1.shoot("list-without-script")
        r1.press("Keep for later")
    expect(r1.page.locator("#savebar .unsaved-count")).to_have_text("1 unsaved choice")
    r1.open(GSTIN, "ims/inward/b2b/?rows=25")
    expect(r1.row("FIFTH").get_by_role("radio", name="Accept")).to_be_checked()


@pytest.mark.journey
@pytest.mark.usefixtures("importer")
@pytest.mark.parametrize("script", [True, False])
def test_enter_in_a_row_saves_with_script_and_only_keeps_without(
    person: Callable[..., Page], start_web: Callable[[], str], *, script: bool
) -> None:
    User.objects.filter(username="r1").update(uses_keys=False)  # with the keys of a list, Enter opens the record
    r1 = Desk(person(script=script), start_web(), "r1", script=script)
    r1.open(GSTIN, "ims/inward/b2b/?q=FIFTH")
    r1.choose("FIFTH", "Accept")
    r1.row("FIFTH").get_by_role("radio", name="Accept").press("Enter")
    told = "1 record saved." if script else "1 unsaved choice"
    expect(r1.page.locator("#result p, #savebar .unsaved-count").first).to_have_text(told)
    assert ActionEvent.objects.exists() is script
    assert parse_qsl(urlsplit(r1.page.url).query)[0] == ("q", "FIFTH")
