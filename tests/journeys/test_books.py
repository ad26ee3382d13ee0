"""Journey 16: a purchase register is handed in, its six tabs read, the suggestions of Exact carried out by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from invoices.models import Booked, Pair, Record, Register
from returns import demo
from tests.journeys.desk import Desk, set_clock
from tests.returns import story
from tests.signing_in import PASSWORD

pytestmark = pytest.mark.journey
RECIPIENT = demo.RECIPIENT
REGISTER = Path(demo.__file__).parent / "story" / demo.REGISTER
TABS = {"Exact": 8, "Within tolerance": 1, "Mismatch": 1, "Only in books": 1, "Ambiguous": 2}


@pytest.fixture
def told() -> None:
    """The story up to the morning of 13 November, but for its register."""
    story.played(until=demo.DECIDED, password=PASSWORD)
    set_clock("2026-11-13 11:00")
    assert not Register.objects.exists()


def open_tab(desk: Desk, name: str) -> None:
    desk.page.locator("main ul.tabs").get_by_role("link", name=re.compile(f"^{name}")).click()
    expect(desk.page.locator("table.books caption")).to_contain_text(name)


def wait_for(desk: Desk, heading: str) -> None:
    desk.awaited(desk.page.get_by_role("heading", name=heading))


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("told")
def test_a_register_is_matched_and_nothing_is_done_but_by_hand(at_desk: Callable[..., Desk], script: bool) -> None:
    meera = at_desk("meera", script=script)
    meera.open(RECIPIENT, "ims/")
    meera.page.get_by_role("link", name="Match with books").click()
    meera.page.set_input_files("input[type=file]", REGISTER)
    meera.press("Upload")
    wait_for(meera, "Which column is what")
    expect(meera.page.get_by_label("Document number")).to_have_value("Bill No")
    meera.shoot(f"books-columns-{script}")
    meera.press("Read the register so")
    wait_for(meera, "Read and matched")
    meera.page.get_by_role("link", name="To the matches").click()
    for name, number in TABS.items():
        expect(meera.page.locator("main ul.tabs")).to_contain_text(f"{name} {number}")
        open_tab(meera, name)
        for suggested in meera.page.locator("table.books .suggestion").all_text_contents():
            assert "Reject" not in suggested
        meera.shoot(f"books-{name.lower().replace(' ', '-')}-{script}")

    open_tab(meera, "Within tolerance")
    expect(meera.page.locator("tr.difference")).to_contain_text("0.09")
    open_tab(meera, "Mismatch")
    expect(meera.page.locator("tr.difference")).to_contain_text("200.00")
    open_tab(meera, "Only in books")
    expect(meera.page.locator("main")).to_contain_text("Ask the supplier to report it")

    open_tab(meera, "Ambiguous")
    meera.page.get_by_role("link", name="Link KMF-DN-7").click()
    meera.page.get_by_role("button", name="Link with KMF/DN/007").click()
    expect(meera.message("The two are paired.")).to_be_visible()
    assert Pair.objects.get(booked__number="KMF-DN-7", kind="is").record.number == "KMF/DN/007"

    open_tab(meera, "Exact")
    expect(meera.page.locator("main")).to_contain_text("Wait: only saved, not filed yet")
    meera.press("Preview accepting all of this tab")
    # CHL/0077 is only saved, the credit notes ask how much ITC is reduced: they are not accepted without an answer.
    expect(meera.page.locator("main")).to_contain_text("KMF/CN/041")
    meera.shoot(f"books-accept-{script}")
    before = dict(Record.objects.filter(recipient__gstin=RECIPIENT).values_list("number", "action"))
    meera.page.get_by_label("Leave all of them out").check()
    meera.page.get_by_label("I checked the answer for 2 records").check()
    meera.press("Answer all but the ticked")
    meera.press("Apply to 2 for")
    expect(meera.page.locator("main")).to_contain_text("Applied by Meera Kulkarni")
    after = dict(Record.objects.filter(recipient__gstin=RECIPIENT).values_list("number", "action"))
    assert {number for number in after if after[number] != before[number]} == {"KMF/26-27/1004", "7012345"}
    assert Booked.objects.count() == 13
