"""A token made in a browser, used by a program, and revoked; the reference of the interface, read by its links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.journeys.desk import Desk, set_clock

R = factories.RECIPIENT
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def desk(transactional_db: None, person: Callable[..., Page], start_web: Callable[[], str]) -> Callable[..., Desk]:  # noqa: ARG001 - commits, for the processes to see
    """Sign the signatory of R in."""
    factories.member(factories.taxpayer(name="Meera Traders"), "signatory", "asha")
    factories.filed()
    set_clock("2025-11-12 10:00")
    base = start_web()
    return lambda **options: Desk(person(**options), base, "asha", **options)


def phone(desk: Desk, name: str) -> None:
    """Look at the page on a phone."""
    desk.page.set_viewport_size({"width": 390, "height": 900})
    desk.shoot(name)
    assert desk.page.evaluate(WIDER) == 0
    desk.page.set_viewport_size({"width": 1280, "height": 900})


def send(desk: Desk, text: str, path: str = "token") -> Any:  # noqa: ANN401 - playwright's answer
    """Send what a program with a token would."""
    return desk.page.request.get(f"{desk.base}/api/v1/{path}", headers={"Authorization": f"Bearer {text}"})


@pytest.mark.journey
def test_a_signatory_lets_a_program_in_and_out_again(desk: Callable[..., Desk]) -> None:
    asha = desk()
    page = asha.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Asha").click()
    page.locator("main").get_by_role("link", name="Tokens for programs").click()
    expect(page.get_by_label("File returns")).to_be_enabled()  # she has an app, as whoever files
    asha.shoot("programs-no-token")

    # What is wrong is said at its field, and what was filled in stays.
    page.get_by_label("Name", exact=True).fill("Accounts of Pune")
    page.get_by_label("Only from these addresses").fill("anywhere")
    page.get_by_label("Decide on records").check()
    asha.press("Make the token")
    expect(page.locator("#id_gstins-error")).to_contain_text("Choose at least one GSTIN")
    page.get_by_label("Meera Traders").check()
    asha.press("Make the token")
    expect(page.locator("#id_networks-error")).to_contain_text("Write addresses like")
    asha.shoot("programs-refused")
    page.get_by_label("Only from these addresses").fill("")
    asha.press("Make the token")

    # Shown once: copied by a click, and sent by the program.
    expect(page.get_by_role("heading", name="Your token, shown only now")).to_be_focused()
    text = page.get_by_label("Token", exact=True).input_value()
    asha.press("Copy the token")
    expect(page.get_by_role("button", name="The token is copied.")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == text
    expect(page.locator("pre")).to_contain_text(f"Bearer {text}' {asha.base}/api/v1/token")
    asha.shoot("programs-shown-once")
    phone(asha, "programs-shown-once-phone")
    assert send(asha, text).json()["taxpayers"] == [{"gstin": R, "name": "Meera Traders", "rights": ["act", "view"]}]
    assert [each["number"] for each in send(asha, text, f"t/{R}/ims/records").json()["records"]] == ["INV1"]

    # A reload sends the form again: nothing new is made, and nothing is shown.
    page.reload()
    expect(page.get_by_role("heading", name="This token was made already")).to_be_visible()
    expect(page.get_by_label("Token", exact=True)).to_have_count(0)
    assert text not in page.content()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(text[:13])
    expect(rows).not_to_contain_text("never")
    asha.shoot("programs-made-before")

    rows.get_by_role("button", name="Revoke").click()
    expect(asha.message("lets nobody in any more")).to_be_visible()
    expect(page.locator("main")).to_contain_text("No program has a token of yours")
    assert send(asha, text).status == 401


@pytest.mark.journey
def test_the_reference_is_read_by_its_links_and_needs_no_script(desk: Callable[..., Desk]) -> None:
    asha = desk(script=False)
    page = asha.page
    page.get_by_role("contentinfo").get_by_role("link", name="Interface for programs").click()
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="act", exact=True).click()
    operation = page.get_by_role("region", name="POST /api/v1/t/{gstin}/ims/actions", exact=True)
    expect(operation).to_contain_text("Decide on records.")
    expect(operation).to_contain_text("Idempotency-Key")
    expect(operation).to_contain_text("half of it was used")
    operation.get_by_role("link", name="ActionsIn").click()
    expect(page.locator("#shape-ActionsIn")).to_be_in_viewport()
    asha.shoot("programs-reference")
    phone(asha, "programs-reference-phone")
    assert page.request.get(f"{asha.base}/api/schema.yaml").text().startswith("openapi: 3.")

    # Without script a token is made as well; there is no button to copy it.
    page.locator("main").get_by_role("link", name="Tokens for programs").click()
    page.get_by_label("Name", exact=True).fill("Script")
    page.get_by_label("Meera Traders").check()
    asha.press("Make the token")
    expect(page.get_by_role("button", name="Copy the token")).to_be_hidden()
    assert send(asha, page.get_by_label("Token", exact=True).input_value()).ok
