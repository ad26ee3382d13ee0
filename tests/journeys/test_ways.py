"""Finding one's way whatever a browser shows: languages, titles, the skip link, two ways to a page, no CSS, no images.

Rows 13 and 14 of docs/portal.md 5.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from ims_portal.rules.documents import Form
from invoices import outward
from invoices.models import Record
from tests import factories
from tests.journeys.desk import Desk, set_clock

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
R = factories.RECIPIENT
RECORD = f"t/{R}/ims/records/{{record}}/"
PAGES = (
    f"t/{R}/",
    f"t/{R}/ims/",
    f"t/{R}/ims/inward/",
    f"t/{R}/ims/inward/all/",
    f"t/{R}/ims/inward/b2b/",
    f"t/{R}/ims/find/",
    f"t/{R}/ims/deadlines/",
    f"t/{R}/ims/messages/",
    f"t/{R}/ims/outward/",
    f"t/{R}/ims/outward/forecast/",
    f"t/{R}/ims/outward/rejected/",
    f"t/{R}/returns/",
    f"t/{R}/returns/102025/gstr1/",
    f"t/{R}/returns/102025/gstr2b/",
    f"t/{R}/returns/102025/gstr3b/",
    f"t/{R}/returns/102025/gstr3b/review/",
    "t/",
    "rules/",
    "help/",
    "glossary/",
    "accessibility/",
    "policies/",
    "me/",
)
LINKS = "() => [...document.querySelectorAll('a[href]')].map(it => it.href)"

FOREIGN = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  const other = document.documentElement.lang === 'hi' ? 'en' : 'hi';
  // Other letters: Hindi in a page of English; in a page of Hindi a sentence of English, not a name or a number.
  const wanted = other === 'hi' ? /[\\u0900-\\u097f]/ : /[A-Za-z']+( [a-z][A-Za-z']+){4}/;
  for (let node; (node = walk.nextNode());) {
    const at = node.parentElement;
    if (wanted.test(node.data) && !at.closest('script, style') && at.closest('[lang]').lang !== other)
      found.push(node.data.trim().slice(0, 100));
  }
  return found;
}"""


@pytest.fixture
def base(start_web: Callable[[], str]) -> str:
    """A portal where asha prepares R: an invoice, GSTR-1 filed, GSTR-2B computed."""
    recipient = factories.taxpayer(name="Meera Traders")
    factories.member(recipient, "preparer", "asha")
    factories.filed(factories.document(number="INV1"))
    outward.file(
        supplier=recipient, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-10")
    )
    factories.computed(recipient)
    set_clock("2025-11-16 10:00")
    return start_web()


def test_13_pages_and_foreign_words_say_their_language(base: str, person: Callable[[], Page]) -> None:
    page = Desk(person(), base, "asha").page
    problems: list[Any] = []
    for language in (code for code, _name in settings.LANGUAGES):
        for path in (*PAGES, RECORD.format(record=Record.objects.get().pk)):
            page.goto(f"{base}/{language}/{path}")
            if page.locator("html").get_attribute("lang") != language:
                problems.append((path, "has another language"))
            problems += [(language, path, it) for it in page.evaluate(FOREIGN)]
    assert problems == [], "\n".join(map(str, problems))


def test_13_every_page_has_a_title_of_its_own_a_skip_link_and_two_ways_to_it(
    base: str, person: Callable[[], Page]
) -> None:
    page = Desk(person(), base, "asha").page
    ways: dict[str, set[str]] = {path: set() for path in PAGES}
    titles: dict[str, str] = {}
    for path in (*PAGES, RECORD.format(record=Record.objects.get().pk)):
        page.goto(f"{base}/en/{path}")
        assert titles.setdefault(page.title(), path) == path, page.title()
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        for link in page.evaluate(LINKS):
            to = urlsplit(urldefrag(urljoin(page.url, link)).url).path.removeprefix("/en/")
            if to in ways and to != path:
                ways[to].add(path)
    assert {path: found for path, found in ways.items() if len(found) < 2} == {}


def test_14_the_main_job_is_done_without_css_images_or_script(
    base: str, person: Callable[..., Page], complaints: list[str]
) -> None:
    page = person(script=False)
    page.context.route(re.compile(r"\.(css|woff2|js)$|^data:image"), refuse)
    desk = Desk(page, base, "asha", script=False)
    desk.open(R, "ims/inward/all/")
    assert page.locator(".practice").evaluate("it => getComputedStyle(it).backgroundColor") == "rgba(0, 0, 0, 0)"
    for told in ("Filed", "No unsaved choices", "INV1"):
        expect(page.get_by_text(told).first).to_be_visible()
    desk.choose("INV1", "Reject")
    desk.press("Save")
    expect(page.get_by_role("heading", name="1 record asks something")).to_be_visible()
    page.get_by_label("Why is it rejected?").select_option(label="Duplicate")
    page.get_by_role("button", name="Reject for Meera Traders").click()
    expect(page.get_by_label("Result of saving")).to_contain_text("1 record saved.")
    assert Record.objects.get(number="INV1").action == "R"
    desk.open(R, "returns/102025/gstr2b/")
    expect(page.get_by_role("region", name="GSTR-2B is out of date")).to_be_visible()
    complaints[:] = [said for said in complaints if "net::ERR_FAILED" not in said]


def refuse(route: Route) -> None:
    """Let a browser go without what it asks for."""
    route.abort()


def test_14_the_footer_is_complete(base: str, person: Callable[[], Page]) -> None:
    page = Desk(person(), base, "asha").page
    foot = page.locator("footer")
    for name in ("Help", "Glossary", "Accessibility", "Policies", "Feedback and contact"):
        link = foot.get_by_role("link", name=name, exact=True)
        page_of_it, _, place = (link.get_attribute("href") or "").partition("#")
        answer = page.request.get(urljoin(base, page_of_it))
        assert answer.ok
        assert not place or f'id="{place}"' in answer.text()
    expect(foot).to_contain_text("It is not run by, or connected to, the Government")
    expect(foot).to_contain_text("Run by")
