"""Going through states of pages that no link leads to, in a language: each is looked at, and what it breaks is kept."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.journeys import axe
from tests.signing_in import CODE_PAGE, PASSWORD, code_of

BROKEN_REFERENCES = """() => [...document.querySelectorAll('[aria-describedby], [aria-labelledby], label[for]')]
  .flatMap(it => ['aria-describedby', 'aria-labelledby', 'for']
    .flatMap(name => (it.getAttribute(name) || '').split(/\\s+/).filter(Boolean))
    .filter(id => !document.getElementById(id))
    .map(id => `refers to #${id}, which is not there: ${it.outerHTML.slice(0, 120)}`))"""

SUMMARY_PROBLEMS = """is_linked => {
  const open = document.querySelector('dialog[open]') || document;
  const summary = open.querySelector('.errors[data-focus]'), found = [];
  if (!summary) return ['no summary of errors takes the focus'];
  const at = document.activeElement;
  if (at !== summary) found.push(`the focus is on ${at.outerHTML.slice(0, 120)}`);
  if (!summary.textContent.trim()) found.push('the summary says nothing');
  const links = [...summary.querySelectorAll("a[href^='#']")], linked = new Set();
  if (is_linked && !links.length) found.push('the summary links to no field');
  for (const link of links) {
    const field = document.getElementById(link.hash.slice(1));
    if (!field) { found.push(`${link.hash} is not there`); continue; }
    linked.add(field);
    field.focus();
    if (document.activeElement !== field) found.push(`${link.hash} takes no focus`);
    if (!field.matches('input, select, textarea, fieldset')) continue;
    if (field.getAttribute('aria-invalid') !== 'true') found.push(`${link.hash} is not marked aria-invalid`);
    const told = (field.getAttribute('aria-describedby') || '').split(/\\s+/).map(id => document.getElementById(id));
    if (!told.some(it => it && it.matches('.field-error, .errors') && it.textContent.trim()))
      found.push(`${link.hash} is described by no error`);
  }
  for (const field of open.querySelectorAll("[aria-invalid='true']"))
    if (is_linked && !linked.has(field)) found.push(`#${field.id} is wrong, and the summary does not lead there`);
  summary.focus();
  return found;
}"""

POST = """async ([path, fields]) => {
  const form = document.createElement('form'), token = document.querySelector('input[name=csrfmiddlewaretoken]');
  form.method = 'post'; form.action = path; form.hidden = true;
  const all = {csrfmiddlewaretoken: token.value, request_id: crypto.randomUUID(), ...fields};
  for (const [name, value] of Object.entries(all)) {
    const input = document.createElement('input');
    input.type = 'hidden'; input.name = name; input.value = value; form.append(input);
  }
  document.body.append(form);
  HTMLFormElement.prototype.submit.call(form);
}"""


class Tour:
    """One person's way through states of pages, in one language."""

    def __init__(self, page: Page, base: str, language: str, complaints: list[str]) -> None:
        self.page, self.root, self.complaints = page, f"{base}/{language}", complaints
        self.language = language
        self.problems: list[str] = []

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """Sign in by the portal's own page."""
        self.page.goto(f"{self.root}/account/login/")
        self.page.fill("input[name=login]", username)
        self.page.fill("input[name=password]", password)
        with self.page.expect_navigation():
            self.page.locator("main button[type=submit]").click()
        if CODE_PAGE.removeprefix("/en") in self.page.url:
            self.page.fill("input[name=code]", code_of(username))
            with self.page.expect_navigation():
                self.page.locator("main button[type=submit]").first.click()

    def open(self, path: str, *, status: int = 200) -> None:
        """Open a page that answers a status; what the browser says of that status is meant to be."""
        answer = self.page.goto(f"{self.root}/{path}")
        self._expect(path, answer.status if answer else 0, status)

    def post(self, path: str, status: int, **fields: str) -> None:
        """Send a form to an address from the page that is open, as it is sent without script."""
        gstin = re.match(r"t/([0-9A-Z]+)/", path)
        sent = ({"gstin": gstin[1]} if gstin else {}) | fields
        with self.page.expect_navigation() as gone:
            self.page.evaluate(POST, [f"{urlsplit(self.root).path}/{path}", sent])
        self._expect(path, gone.value.status if gone.value else 0, status)

    def _expect(self, path: str, found: int, wanted: int) -> None:
        if found != wanted:
            self.problems.append(f"{path}: answered {found}, not {wanted}")
        self.complaints[:] = [said for said in self.complaints if f"status of {wanted}" not in said]

    def look(self, state: str) -> None:
        """Look at the page as it is: axe, references within the page, its language, its notice."""
        page = self.page
        found = axe.violations(page, of_words=self.language != "en") + page.evaluate(BROKEN_REFERENCES)
        if page.locator("html").get_attribute("lang") != self.language:
            found.append("it is in another language")
        if not axe.STRIP.search(page.locator(".practice").inner_text()):
            found.append("it does not say that it is not the Government's portal")
        self._keep(state, found)

    def look_refused(self, state: str, *, is_linked: bool = True) -> None:
        """Look at a form that was refused: its summary has the focus, leads to the fields and describes them."""
        self._keep(state, self.page.evaluate(SUMMARY_PROBLEMS, is_linked))
        self.look(state)

    def _keep(self, state: str, found: list[Any]) -> None:
        self.problems += [f"{state} ({urlsplit(self.page.url).path}): {problem}" for problem in found]
