"""GSTR-2B beside a file, in a browser with a real worker: our own is the same, a changed one shows what differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ims_portal.models import Taxpayer
from returns import demo
from tests import english, factories
from tests.journeys.desk import Desk, set_clock
from tests.journeys.test_files import taken
from tests.returns import story
from tests.signing_in import PASSWORD

RECIPIENT = demo.RECIPIENT


@pytest.fixture
def told() -> None:
    """The story with a statement of October."""
    story.played(until=demo.BEGINS, password=PASSWORD)
    set_clock("2026-11-14 11:00")
    factories.computed(Taxpayer.objects.get(gstin=RECIPIENT), period="102026", on="2026-11-14")


def hand_in(desk: Desk, path: Path) -> None:
    """Upload a file on the page of GSTR-2B and wait for what comes of it."""
    desk.open(RECIPIENT, "returns/102026/gstr2b/")
    desk.page.get_by_role("link", name="Compare with a file").click()
    desk.page.set_input_files("input[type=file]", path)
    desk.press("Compare")
    desk.awaited(desk.page.get_by_role("heading", name="What came of it"))


@pytest.mark.parametrize(("script", "button"), [(True, "Download JSON"), (False, "Download Excel")])
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("told")
def test_a_gstr2b_from_elsewhere_is_laid_beside_ours(
    at_desk: Callable[..., Desk], tmp_path: Path, script: bool, button: str
) -> None:
    raghav = at_desk("raghav", script=script)
    raghav.open(RECIPIENT, "returns/102026/gstr2b/")
    raghav.press(button)
    path = taken(raghav, tmp_path)
    hand_in(raghav, path)
    main = raghav.page.locator("main")
    expect(main).to_contain_text("all the same")
    expect(main).to_contain_text("Nothing stands here.")
    if not script:
        return

    told = json.loads(path.read_text())
    lost = told["data"]["docdata"]["ecom"].pop()["inv"][0]["inum"]
    changed = told["data"]["docdata"]["b2b"][0]["inv"][0]
    changed["txval"], changed["pos"] = changed["txval"] + 1000, "27"
    path.write_text(json.dumps(told))
    hand_in(raghav, path)
    row = main.get_by_role("row").filter(has=raghav.page.get_by_role("link", name=changed["inum"], exact=True))
    expect(row).to_contain_text("Place of supply")
    raghav.shoot("gstr2b-beside-a-file")
    main.get_by_role("link", name="Only here").click()
    expect(main.get_by_role("link", name=lost, exact=True)).to_be_visible()
    main.get_by_role("link", name=lost, exact=True).click()
    expect(raghav.page.get_by_role("heading", level=1)).to_contain_text(lost)
    raghav.page.go_back()

    raghav.page.goto(raghav.page.url.replace("/en/", "/hi/"))
    raghav.shoot("gstr2b-beside-a-file-hi")
    names = {taxpayer.name for taxpayer in Taxpayer.objects.all()} | {path.name, "Raghavendra Rao", "json"}
    assert english.left_in(raghav.page.content(), data=frozenset(names)) == []
