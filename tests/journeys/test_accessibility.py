"""What axe cannot see of docs/portal.md 5: focus, forced colours, narrow windows, spaced text, the time-out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ims_portal.rules.documents import Form, Section
from invoices import outward
from tests import factories
from tests.journeys.desk import Desk, pass_minutes, set_clock

GSTIN = factories.RECIPIENT
PAGES = (
    "",
    "ims/",
    "ims/inward/",
    "ims/inward/all/",
    "ims/outward/",
    "returns/",
    "returns/102025/gstr1/",
    "returns/102025/gstr2b/",
    "returns/102025/gstr2b/all/all/",
    "returns/102025/gstr3b/",
    "returns/102025/gstr3b/review/",
)

# Adopted sheets are the browser's own; the page's content security policy is neither met nor loosened.
ADOPT = "css => { const it = new CSSStyleSheet(); it.replaceSync(css); document.adoptedStyleSheets = [it]; }"
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
            p { margin-bottom: 2em !important }"""
CLIPPED = """() => [...document.querySelectorAll('body *')].filter(it => {
  const look = getComputedStyle(it);
  return it.clientWidth > 1 && it.textContent.trim() && ['hidden', 'clip'].includes(look.overflowX)
    && !it.closest('svg, select') && (it.scrollWidth > it.clientWidth + 1 || it.scrollHeight > it.clientHeight + 1);
}).map(it => it.outerHTML.slice(0, 160))"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNNAMED_SCROLLERS = """() => [...document.querySelectorAll('main *')].filter(it => {
  const look = getComputedStyle(it);
  return it.scrollWidth > it.clientWidth + 1 && ['auto', 'scroll'].includes(look.overflowX) && it.tagName !== 'TEXTAREA'
    && !(it.tabIndex >= 0 && (it.ariaLabel || it.getAttribute('aria-labelledby')) && it.matches('[role=region]'));
}).map(it => it.outerHTML.slice(0, 160))"""
FOCUS = """() => {
  const it = document.activeElement, box = it.getBoundingClientRect();
  // A radio drawn as a button shows its focus on its label.
  const look = getComputedStyle(it.type === 'radio' && it.closest('label') || it);
  const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    name: it.outerHTML.slice(0, 120), tag: it.tagName, width: parseFloat(look.outlineWidth), style: look.outlineStyle,
    seen: !over || over === it || it.contains(over) || over.contains(it),
    inside: box.bottom > 0 && box.top < innerHeight,
  };
}"""
CHIPS = """() => [...document.querySelectorAll('.chip')].map(it => ({
  word: it.innerText.trim(),
  icon: !!it.querySelector('svg, .icon') || getComputedStyle(it, '::before').content !== 'none',
  border: parseFloat(getComputedStyle(it).borderTopWidth),
}))"""


@pytest.fixture
def desk(transactional_db: None, start_web: Callable[[], str], person: Callable[[], Page]) -> Desk:  # noqa: ARG001 - commits, for the processes to see
    """Return a preparer's window: an invoice and a credit note, GSTR-1 filed, GSTR-2B computed."""
    recipient = factories.taxpayer(name="Meera Traders")
    factories.member(recipient, "preparer", "r1")
    factories.filed(
        factories.document(number="INV1", tax=18000),
        factories.document(section=Section.CN, number="CN1", tax=9000, on="2025-10-20"),
    )
    outward.file(
        supplier=recipient, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-10")
    )
    factories.computed(recipient)
    set_clock("2025-11-16 10:00")
    return Desk(person(), start_web(), "r1")


def each_page(desk: Desk) -> list[str]:
    """Return the addresses of the pages, each opened by who reads the list."""
    return [f"{desk.base}/en/t/{GSTIN}/{path}" for path in PAGES]


@pytest.mark.journey
def test_pages_fit_a_phone_spaced_text_and_the_zoom_of_four(desk: Desk) -> None:
    problems: list[Any] = []
    for url in each_page(desk):
        desk.page.set_viewport_size({"width": 320, "height": 640})  # 1280 px at 400 %
        desk.page.goto(url)
        if (over := desk.page.evaluate(OVERFLOW)) > 0:
            problems.append(f"{url}: {over} px too wide at 320 px")
        problems += [(url, "a region that scrolls has no name", it) for it in desk.page.evaluate(UNNAMED_SCROLLERS)]
        desk.page.set_viewport_size({"width": 640, "height": 800})  # 1280 px at 200 %
        desk.page.evaluate(ADOPT, SPACED)
        problems += [(url, "spaced text is cut off", it) for it in desk.page.evaluate(CLIPPED)]
        if (over := desk.page.evaluate(OVERFLOW)) > 0:
            problems.append(f"{url}: {over} px too wide with spaced text")
    assert problems == []


@pytest.mark.journey
def test_the_focus_is_always_seen(desk: Desk) -> None:
    problems = []
    desk.page.emulate_media(reduced_motion="reduce")  # where it scrolls to is then seen at once
    for path in ("ims/inward/all/", "returns/102025/gstr3b/"):
        desk.open(GSTIN, path)
        for _press in range(60):
            desk.page.keyboard.press("Tab")
            at = desk.page.evaluate(FOCUS)
            if at["tag"] == "BODY":
                break
            if at["style"] == "none" or at["width"] < 3 or not at["seen"] or not at["inside"]:
                problems.append((path, at))
    assert problems == [], "\n".join(map(str, problems))


@pytest.mark.journey
def test_a_state_is_a_word_with_an_icon_and_a_border_whatever_the_colours(desk: Desk) -> None:
    desk.page.emulate_media(forced_colors="active")
    desk.open(GSTIN, "ims/inward/all/")
    desk.shoot("forced-colours")
    chips = desk.page.evaluate(CHIPS)
    assert chips
    assert [chip for chip in chips if not (chip["word"] and chip["icon"] and chip["border"] >= 1)] == []


@pytest.mark.journey
def test_21_the_end_of_a_session_is_announced_and_can_be_put_off(desk: Desk) -> None:
    page = desk.page
    page.clock.install()
    desk.open(GSTIN, "ims/inward/all/")
    opener = page.get_by_role("link", name="Help").first
    for _time in range(2):
        opener.focus()
        pass_minutes(13)
        page.clock.fast_forward("13:05")
        dialog = page.get_by_role("dialog", name="Still there?")
        expect(dialog).to_be_visible()
        expect(dialog).to_contain_text("2 minutes")
        desk.shoot("21-still-there")
        # Only once the portal has noted it may the minutes pass: it would be written over them.
        with page.expect_response(lambda answer: answer.request.method == "POST" and "/session/" in answer.url):
            page.get_by_role("button", name="Stay signed in").click()
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
    pass_minutes(17)
    page.reload()
    expect(desk.message("You were signed out because nothing was done for a while.")).to_be_visible()
    assert "next=" in page.url
    desk.shoot("21-signed-out")
