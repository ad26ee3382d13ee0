"""A GSTIN comes to the portal with its people, and an administrator who looks at its log is seen, in browsers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ims_portal import demo_codes
from tests import factories
from tests.journeys.desk import Desk, set_clock
from tests.signing_in import PASSWORD

GSTIN = "33AAPCN0000E1Z5"
REASON = "Ticket 77: they ask who signed in last"


@pytest.fixture
def base(transactional_db: None, start_web: Callable[[], str]) -> str:  # noqa: ARG001 - commits, for the processes to see
    """Return the address of a portal with two administrators and nobody else."""
    for number in (1, 2):
        factories.user(f"adm{number}", name=f"Administrator {number}", is_staff=True)
    set_clock("2025-11-12 10:00")
    return start_web()


def to(desk: Desk, place: str) -> None:
    """Go to a page by the menu."""
    desk.page.get_by_role("navigation", name="Main").get_by_role("link", name=place, exact=True).click()


def add_user(adm: Desk) -> str:
    """Add Lakshmi and return the link by which she chooses a password."""
    to(adm, "Users")
    form = adm.page.locator("form", has_text="Add a user")
    form.get_by_label("User name").fill("lakshmi")
    form.get_by_label("Name", exact=True).fill("Lakshmi Iyer")
    adm.press("Add them")
    expect(adm.page.locator("#new-link")).to_be_focused()
    adm.shoot("users-link")
    return adm.page.get_by_label("Password link", exact=True).input_value()


def add_registration(adm: Desk) -> None:
    """Add a GSTIN and name Lakshmi its first signatory."""
    to(adm, "Registrations")
    form = adm.page.locator("form", has_text="Add a registration")
    form.get_by_label("GSTIN").fill(GSTIN.lower())
    form.get_by_label("Legal name").fill("Nilgiri Retail Stores")
    form.get_by_label("First period").fill("10/2025")
    adm.press("Add it")
    expect(adm.message("Name its first signatory.")).to_be_visible()
    form = adm.page.locator("form", has_text="Name the first signatory")
    form.get_by_label("GSTIN").fill(GSTIN)
    form.get_by_label("User name").fill("lakshmi")
    adm.press("Name them")
    expect(adm.message("It waits for a second administrator.")).to_be_visible()
    expect(adm.page.get_by_role("button", name="Confirm")).to_have_count(0)


def choose_password(page: Page, link: str) -> None:
    """Choose a password by a link, without script."""
    page.goto(link)
    for field in ("password1", "password2"):
        page.locator(f"input[name={field}]").fill(PASSWORD)
    page.get_by_role("button", name="Keep this password").click()
    expect(page.get_by_text("Your password is kept.")).to_be_visible()


def set_up_an_app(desk: Desk) -> None:
    """Be led to where a second factor is set up, and set one up with what its page tells."""
    desk.open(GSTIN, "")
    expect(desk.message("Your rights need a second step of signing in.")).to_be_visible()
    desk.shoot("second-step-needed")
    desk.page.get_by_role("link", name="Activate").click()
    secret = desk.page.locator("#authenticator_secret").input_value()
    desk.shoot("second-step-of-an-app")
    desk.page.fill("input[name=code]", demo_codes.code(secret).digits)
    desk.press("Activate")
    expect(desk.page.get_by_role("heading", name="Recovery Codes")).to_be_visible()
    desk.shoot("recovery-codes")


def look_at_the_log(adm: Desk) -> None:
    """See the GSTIN's details under break-glass, and end it."""
    to(adm, "Audit log")
    adm.page.get_by_label("GSTIN").first.fill(GSTIN)
    adm.press("Apply")
    expect(adm.page.get_by_role("row").filter(has_text="First signatory confirmed")).to_have_count(1)
    adm.page.get_by_label("Reason").fill(REASON)
    adm.press("Break the glass")
    expect(adm.message("The taxpayer is told.")).to_be_visible()
    expect(adm.page.get_by_text(f"Break-glass for {GSTIN} until")).to_be_visible()
    expect(adm.page.get_by_role("row").filter(has_text=REASON)).to_have_count(1)
    adm.shoot("audit-under-break-glass")
    adm.press("End break-glass")
    expect(adm.message("The break-glass is ended.")).to_be_visible()


@pytest.mark.journey
def test_a_gstin_gets_its_signatory_who_sees_that_an_administrator_looked(
    base: str, person: Callable[..., Page]
) -> None:
    adm1, adm2 = (Desk(person(), base, name) for name in ("adm1", "adm2"))
    link = add_user(adm1)
    add_registration(adm1)
    to(adm2, "Registrations")
    adm2.shoot("registrations-confirm")
    adm2.press("Confirm")
    expect(adm2.message("The signatory is in force from now on.")).to_be_visible()

    choose_password(person(script=False), link)
    lakshmi = Desk(person(), base, "lakshmi")
    set_up_an_app(lakshmi)
    lakshmi.open(GSTIN, "")
    expect(lakshmi.page.locator(".acting")).to_contain_text("Nilgiri Retail Stores")
    expect(lakshmi.page.get_by_text("looked at this GSTIN's log")).to_have_count(0)
    look_at_the_log(adm2)
    lakshmi.page.reload()
    expect(lakshmi.page.get_by_text("An administrator (Administrator 2) looked at this GSTIN's log")).to_be_visible()
    expect(lakshmi.page.get_by_text(REASON)).to_be_visible()
    lakshmi.shoot("home-told-of-break-glass")

    # Signed out everywhere, she is led back to the page she was at.
    to(adm1, "Users")
    adm1.page.get_by_role("row").filter(has_text="lakshmi").get_by_role("button", name="Sign out everywhere").click()
    expect(adm1.message("Lakshmi Iyer is signed out everywhere.")).to_be_visible()
    lakshmi.page.reload()
    expect(lakshmi.message("An administrator ended your sessions.")).to_be_visible()
    lakshmi.shoot("signed-out-by-administrator")
    lakshmi.sign_in()
    expect(lakshmi.page.get_by_role("heading", name="Dashboard")).to_be_visible()
