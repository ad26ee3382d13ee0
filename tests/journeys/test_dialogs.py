"""Acting on a list in a browser: dialogs, unsaved choices, two people at once, and keys. Numbers are the journeys'."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ims_portal.rules.documents import Section
from invoices.models import DraftChoice, Record
from tests import factories
from tests.journeys import axe
from tests.journeys.desk import Desk, pass_minutes, set_clock

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
R = factories.RECIPIENT


@pytest.fixture
def notes() -> list[Record]:
    """Three credit notes of 18,000, acted on from 12 November 2025."""
    set_clock("2025-11-12")
    found = factories.filed(*[factories.document(section=Section.CN, number=f"CN{n}") for n in range(3)])
    for name in ("ravi", "bela"):
        factories.member(found[0].recipient, "preparer", name)
    return found


@pytest.fixture
def ravi(notes: list[Record], person: Callable[[], Page], start_web: Callable[[], str]) -> Desk:  # noqa: ARG001
    """Somebody who may act, at the list of credit notes."""
    desk = Desk(person(), start_web(), "ravi")
    desk.open(R, "ims/inward/b2bcn/")
    return desk


def is_told(desk: Desk, text: str) -> None:
    expect(desk.page.locator("#savebar .unsaved-count")).to_have_text(text)


def test_journey_4_one_line_per_record_and_two_of_three_are_saved(ravi: Desk) -> None:
    page = ravi.page
    for number in ("CN0", "CN1", "CN2"):
        ravi.choose(number, "Accept")
    ravi.press("Save")
    expect(page.get_by_role("heading", name="3 records ask something")).to_be_visible()
    ravi.line("CN0").get_by_role("radio", name=re.compile("^Full")).check()
    ravi.line("CN1").get_by_label(re.compile("^Integrated tax")).fill("18000.01")
    expect(ravi.line("CN1").get_by_text("At most ₹18,000.00.")).to_be_visible()
    ravi.line("CN1").get_by_label(re.compile("^Remark")).fill("half")
    ravi.line("CN2").get_by_role("radio", name=re.compile("^None")).check()
    ravi.line("CN2").get_by_label(re.compile("^Remark")).fill("never claimed")
    expect(page.get_by_text("on 2 of 3 records")).to_be_visible()
    ravi.press("Save for")
    expect(page.get_by_text("Tick that you checked the 3 answers.").first).to_be_visible()
    page.get_by_label("I checked the 3 answers").check()
    ravi.press("Save for")
    expect(page.get_by_label("Result of saving")).to_contain_text("2 records saved.")
    expect(page.get_by_text(re.compile("is above the cap ₹18,000.00")).first).to_be_visible()
    assert [row.answer for row in Record.objects.order_by("number")] == ["F", "", "N"]
    ravi.shoot("journey-4")


def test_esc_changes_nothing_and_gives_the_focus_back(ravi: Desk) -> None:
    ravi.choose("CN0", "Reject")
    ravi.page.locator("#save").press("Enter")
    expect(ravi.page.get_by_text("Firm AAACS's tax rises by ₹18,000.00")).to_be_visible()
    expect(ravi.page.get_by_role("button", name="Reject for Firm AAACR")).not_to_be_focused()
    axe.assert_clean(ravi.page)
    with ravi.page.expect_response(re.compile("/inward/b2bcn/")) as shown_anew:
        ravi.page.keyboard.press("Escape")
    shown_anew.value.finished()
    expect(ravi.page.locator("#save")).to_be_focused()
    assert not Record.objects.exclude(action="N").exists()
    is_told(ravi, "1 unsaved choice")


def test_journey_8_who_was_overtaken_reads_by_whom(ravi: Desk, person: Callable[[], Page]) -> None:
    set_clock("2025-11-12 10:31")
    ravi.page.reload()
    bela = Desk(person(), ravi.base, "bela")
    bela.open(R, "ims/inward/b2bcn/")
    bela.choose("CN1", "Reject")
    bela.press("Save")
    bela.line("CN1").get_by_label(re.compile("^Why")).select_option("DUPLICATE")
    bela.line("CN1").get_by_label(re.compile("has been told")).check()
    bela.press("Reject for")
    expect(bela.page.get_by_label("Result of saving")).to_contain_text("1 record saved.")
    for number in ("CN0", "CN1", "CN2"):
        ravi.choose(number, "Pending")
    ravi.press("Save")
    expect(ravi.page.get_by_role("heading", name="2 records ask something")).to_be_visible()
    ravi.press("Save for")
    told = re.compile(r"Bela chose Reject at 12/11/2025 10:3\d, after you opened this page\.")
    expect(ravi.row("CN1")).to_contain_text(told)
    assert [row.action for row in Record.objects.order_by("number")] == ["P", "R", "P"]
    ravi.shoot("journey-8")


def test_journey_21_choices_survive_being_signed_out(ravi: Desk) -> None:
    page = ravi.page
    for number in ("CN0", "CN1", "CN2"):
        ravi.choose(number, "Accept")
    is_told(ravi, "3 unsaved choices")
    page.wait_for_function("() => document.querySelectorAll('input[name^=\"was.\"]').length === 3")
    assert DraftChoice.objects.count() == 3
    pass_minutes(17)
    page.reload()
    expect(ravi.message("You were signed out because nothing was done for a while.")).to_be_visible()
    ravi.shoot("journey-21-signed-out")
    ravi.sign_in()
    # Back at the page they were at, with what they had chosen.
    expect(page).to_have_url(re.compile("/ims/inward/b2bcn/"))
    is_told(ravi, "3 unsaved choices")
    for number in ("CN0", "CN1", "CN2"):
        expect(ravi.row(number).get_by_role("radio", name="Accept")).to_be_checked()
    ravi.shoot("journey-21")


def test_letters_do_nothing_outside_the_table_or_switched_off(ravi: Desk) -> None:
    page = ravi.page
    page.locator("#save").focus()
    page.keyboard.press("a")
    is_told(ravi, "No unsaved choices")
    person = factories.user("ravi")
    person.uses_keys = False
    person.save()
    page.reload()
    ravi.row("CN0").get_by_role("radio", name="No action").focus()
    page.keyboard.press("a")
    expect(ravi.row("CN0").get_by_role("radio", name="Accept")).not_to_be_checked()
