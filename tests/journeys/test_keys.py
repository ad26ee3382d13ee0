"""The single keys of a list, one by one: docs/portal.md 3.1. Journey 3 plays A, ? and Shift+S."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from ims_portal.rules.documents import Section
from invoices.models import Record
from tests import factories
from tests.journeys.desk import Desk, set_clock

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
R = factories.RECIPIENT


@pytest.fixture
def ravi(person: Callable[[], Page], start_web: Callable[[], str]) -> Desk:
    """Somebody who may act, at the list of three credit notes; the focus is in the first one's row."""
    set_clock("2025-11-12")
    (first, *_others) = factories.filed(*[factories.document(section=Section.CN, number=f"CN{n}") for n in range(3)])
    factories.member(first.recipient, "preparer", "ravi")
    desk = Desk(person(), start_web(), "ravi")
    desk.open(R, "ims/inward/b2bcn/?sort=date")
    rows(desk).first.get_by_role("radio", name="No action").focus()
    return desk


def rows(desk: Desk) -> Locator:
    return desk.page.locator("table.records tbody tr")


def chosen(row: Locator) -> str:
    return row.locator("input[type=radio]:checked").input_value()


def focus_is_in(row: Locator) -> None:
    expect(row.locator(":focus")).to_have_count(1)


def test_every_key_of_the_table_does_what_the_list_of_keys_says(ravi: Desk) -> None:
    press = ravi.page.keyboard.press
    first, second, third = rows(ravi).all()
    rows_are_walked(press, first, second, third)
    choices_are_made_and_taken_back(ravi, first, second)
    a_row_is_ticked(press, first)
    why_opens_beside_and_enter_opens_the_record(ravi, first)


def rows_are_walked(press: Callable[[str], None], first: Locator, second: Locator, third: Locator) -> None:
    """J goes to the next row, K to the one before; at the ends both stay."""
    press("k")
    focus_is_in(first)
    for row in (second, third, third):
        press("j")
        focus_is_in(row)
    for row in (second, first):
        press("k")
        focus_is_in(row)
    expect(first).to_have_class(re.compile(r"\bhere\b"))


def choices_are_made_and_taken_back(desk: Desk, first: Locator, second: Locator) -> None:
    """R, P, N and A choose in the row with the focus; Z takes back the last choice, then the one before."""
    press, told = desk.page.keyboard.press, desk.page.locator("#savebar .unsaved-count")
    for key in "rpna":
        press(key)
        assert chosen(first) == key.upper()
    press("j")
    press("r")
    expect(told).to_have_text("2 unsaved choices")
    press("k")
    press("n")
    press("z")  # the first row was chosen back by hand: the last unsaved choice is the second's
    assert (chosen(first), chosen(second)) == ("N", "N")
    focus_is_in(second)
    expect(told).to_have_text("No unsaved choices")
    press("k")
    press("a")
    press("j")
    press("r")
    press("z")
    assert (chosen(first), chosen(second)) == ("A", "N")
    focus_is_in(second)
    press("z")
    assert (chosen(first), chosen(second)) == ("N", "N")
    focus_is_in(first)
    expect(told).to_have_text("No unsaved choices")
    press("z")
    expect(told).to_have_text("No unsaved choices")
    assert not Record.objects.exclude(action="N").exists()


def a_row_is_ticked(press: Callable[[str], None], first: Locator) -> None:
    """X ticks the row with the focus, and unticks it."""
    box = first.get_by_role("checkbox")
    press("x")
    expect(box).to_be_checked()
    press("x")
    expect(box).not_to_be_checked()


def why_opens_beside_and_enter_opens_the_record(desk: Desk, first: Locator) -> None:
    """W shows the record beside the list and moves the focus there; Enter opens its own page."""
    number = first.get_by_role("link", name=re.compile("^CN")).inner_text()
    desk.page.keyboard.press("w")
    panel = desk.page.get_by_role("region", name=re.compile(number))
    expect(panel).to_be_focused()
    expect(panel.get_by_role("heading", name="Why", exact=True)).to_be_visible()
    assert "/inward/b2bcn/" in desk.page.url
    first.get_by_role("radio", name="No action").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.page).to_have_url(re.compile(r"/ims/records/[0-9]+/$"))
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text(number)


def test_a_barred_choice_is_told_and_not_made(ravi: Desk) -> None:
    set_clock("2025-12-21")
    ravi.page.reload()
    row = rows(ravi).first
    row.get_by_role("radio", name="No action").focus()
    ravi.page.keyboard.press("p")
    assert chosen(row) == "N"
    expect(ravi.page.locator("#live")).to_contain_text("could be pending until 20/12/2025")
