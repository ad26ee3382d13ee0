"""A person at the portal with a browser: what journeys do on every page."""

from __future__ import annotations

import re
import time
from pathlib import Path

from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from ims_portal.models import PortalClock
from returns import demo
from tests.journeys import axe
from tests.signing_in import CODE_PAGE, PASSWORD, code_of

SIGN_IN = re.compile("sign in", re.IGNORECASE)
SHOTS = Path(__file__).resolve().parents[2] / "screenshots" / "journeys"


class Desk:
    """One person's window: where they are, what they see, and a picture of every station."""

    def __init__(self, page: Page, base: str, username: str, *, script: bool = True) -> None:
        self.page, self.base, self.username, self.has_script = page, base, username, script
        page.goto(f"{base}/en/account/login/")
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in on the page that asks for the password and the one that asks for the code."""
        self.page.fill("input[name=login]", self.username)
        self.page.fill("input[name=password]", PASSWORD)
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=SIGN_IN).click()
        if CODE_PAGE in self.page.url:  # who has no app is not asked
            self.page.fill("input[name=code]", code_of(self.username))
            self.page.locator("main").get_by_role("button", name=SIGN_IN).click()
        expect(self.page.get_by_text("Not the Government's GST portal")).to_be_visible()

    def open(self, gstin: str, path: str) -> None:
        """Open a page of a GSTIN."""
        self.page.goto(f"{self.base}/en/t/{gstin}/{path}")

    def shoot(self, name: str) -> None:
        """Keep a picture of the page for people to look at; a page worth a picture breaks no rule of accessibility."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        axe.assert_clean(self.page, has_script=self.has_script)

    def tab_to(self, wanted: Locator, *, most: int = 300) -> None:
        """Press Tab until something has the focus, as a person without a mouse does; fail where it never gets it."""
        for _press in range(most):
            if wanted.evaluate("it => it === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{wanted} is not reached by {most} presses of Tab")

    def press(self, name: str) -> None:
        """Press a button of the page, not of its shell, by words of its name: Save is not the Saved of a row."""
        escaped = re.escape(name).replace("/", r"\/")  # a slash would end the pattern in the browser
        words = re.compile(rf"(?<!\w){escaped}(?!\w)", re.IGNORECASE)
        self.page.locator("main").get_by_role("button", name=words).first.click()

    def awaited(self, wanted: Locator, *, seconds: int = 90) -> Locator:
        """Return what appears once a worker is done; without script the page is asked for again by its Refresh link."""
        refresh = self.page.get_by_role("link", name="Refresh")
        until = time.monotonic() + seconds
        while not self.has_script and time.monotonic() < until:
            expect(wanted.or_(refresh).first).to_be_visible(timeout=seconds * 1000)  # the answer may be on its way
            if wanted.is_visible():
                break
            with self.page.expect_navigation():
                refresh.click()
        expect(wanted).to_be_visible(timeout=seconds * 1000)
        return wanted

    def message(self, text: str) -> Locator:
        """Return what the page tells of the last step; the live region reads the same out, out of sight."""
        return self.page.locator(".message", has_text=text)

    def row(self, number: str) -> Locator:
        """Return the table row of a document."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("link", name=number, exact=True))

    def choose(self, number: str, action: str) -> None:
        """Choose an action in a document's row; nothing is saved yet."""
        self.row(number).get_by_role("radio", name=action).check()

    def line(self, number: str) -> Locator:
        """Return what the review page asks about a document."""
        return self.page.locator("section.line").filter(has=self.page.get_by_role("heading", name=number))


def set_clock(text: str) -> None:
    """Set the portal date, written YYYY-MM-DD with an optional HH:MM, for all processes at once."""
    PortalClock.objects.update_or_create(pk=1, defaults={"ahead": demo.moment(text) - timezone.now()})


def pass_minutes(count: int) -> None:
    """Let the portal believe that nobody did anything for minutes: sessions go by the real clock."""
    for kept in Session.objects.all():
        said = kept.get_decoded()
        if "seen" in said:
            said["seen"] -= count * 60
            kept.session_data = Session.objects.encode(said)
            kept.save()
