"""How a person works a page: with the mouse, or with the keyboard alone."""

from __future__ import annotations

import re
from typing import Protocol

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.desk import Desk


class Hand(Protocol):
    """What somebody does with a control of a page."""

    def press(self, desk: Desk, wanted: Locator) -> None:
        """Press a button or follow a link."""

    def choose(self, desk: Desk, radio: Locator) -> None:
        """Choose one of a group."""

    def pick(self, desk: Desk, select: Locator, word: str) -> None:
        """Pick a word of a list."""

    def write(self, desk: Desk, field: Locator, text: str) -> None:
        """Write into a field."""

    def tick(self, desk: Desk, box: Locator) -> None:
        """Tick a box."""


class Mouse:
    """The mouse, as most people."""

    def press(self, _desk: Desk, wanted: Locator) -> None:
        """Click."""
        wanted.click()

    def choose(self, _desk: Desk, radio: Locator) -> None:
        """Click the radio button."""
        radio.check()

    def pick(self, _desk: Desk, select: Locator, word: str) -> None:
        """Open the list and click the word."""
        select.select_option(label=word)

    def write(self, _desk: Desk, field: Locator, text: str) -> None:
        """Click into the field and type."""
        field.fill(text)

    def tick(self, _desk: Desk, box: Locator) -> None:
        """Click the box."""
        box.check()


class Keys:
    """The keyboard alone: Tab to a control, then the key it answers to."""

    def press(self, desk: Desk, wanted: Locator) -> None:
        """Tab there, Enter."""
        desk.tab_to(wanted)
        desk.page.keyboard.press("Enter")

    def choose(self, desk: Desk, radio: Locator) -> None:
        """Tab into the group, where one button has the focus for all, then go on by arrow until it is chosen."""
        name = radio.get_attribute("name")
        group = desk.page.locator(f"input[type=radio][name='{name}']")
        checked = desk.page.locator(f"input[type=radio][name='{name}']:checked")
        desk.tab_to(checked if checked.count() else group.first)
        if not checked.count():
            desk.page.keyboard.press("Space")
        for _step in range(group.count()):
            if radio.is_checked():
                return
            desk.page.keyboard.press("ArrowDown")
        expect(radio).to_be_checked()

    def pick(self, desk: Desk, select: Locator, word: str) -> None:
        """Tab there and type the word; again where the machine was too slow for the letters to count as one word."""
        desk.tab_to(select)
        for _attempt in range(3):
            desk.page.keyboard.type(word)
            if (select.locator("option:checked").text_content() or "").strip() == word:
                return
            desk.page.wait_for_timeout(1_200)
        expect(select.locator("option:checked")).to_have_text(word)

    def write(self, desk: Desk, field: Locator, text: str) -> None:
        """Tab there and type."""
        desk.tab_to(field)
        desk.page.keyboard.type(text)

    def tick(self, desk: Desk, box: Locator) -> None:
        """Tab there, Space."""
        desk.tab_to(box)
        desk.page.keyboard.press("Space")


def button(desk: Desk, name: str) -> Locator:
    """Return a button of the page, not of its shell."""
    return desk.page.locator("main").get_by_role("button", name=re.compile(name)).first


def link(desk: Desk, name: str) -> Locator:
    """Return a link of the page, not of its shell."""
    return desk.page.locator("main").get_by_role("link", name=re.compile(name)).first


WAYS = [pytest.param(Keys(), True, id="by-keyboard"), pytest.param(Mouse(), False, id="without-script")]
"""How journey 19 plays a journey again: the keyboard alone with script on, the mouse with script off."""
