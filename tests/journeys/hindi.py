"""Journey 20 of docs/portal.md: on a Hindi page nothing of the portal's own is left in English.

Names, numbers and remarks keep the writer's language, the law's citations are marked as English, and what the field
writes in Latin letters everywhere (GSTIN, ITC, forms and tables) stays.
"""

from __future__ import annotations

import re

from playwright.sync_api import Page

from ims_portal.models import Taxpayer, User
from invoices.models import ActionEvent

TEXTS = """() => {
  const said = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const holder = walk.currentNode.parentElement;
    if (!holder.closest('[lang]:not([lang=hi]), script, style, code, bdi')) said.push(walk.currentNode.data);
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
    for (const holder of document.querySelectorAll(`[${name}]`)) said.push(holder.getAttribute(name));
  return said.concat(document.title);
}"""
WORD = re.compile(r"[A-Za-z][A-Za-z'-]*[a-z]")
CITATION = re.compile(r"\bR\d+\.\d+|advisory")
"""The law is cited in English: rule ids of docs/law.md, advisories and sections."""
AS_EVERYWHERE = {"axe-core", "Enter", "Shift", "Esc", "Tab", "Rs", "Excel", "seq", "isda", "or", "json"}
"""Keys of the keyboard, names of programs and of fields of files."""


def data_words() -> set[str]:
    """Return the words people wrote themselves: names and remarks."""
    texts = [
        *Taxpayer.objects.values_list("legal_name", flat=True),
        *Taxpayer.objects.values_list("trade_name", flat=True),
        *User.objects.values_list("full_name", flat=True),
        *User.objects.values_list("username", flat=True),
        *ActionEvent.objects.values_list("remark", flat=True),
    ]
    return {word for text in texts for word in WORD.findall(text)}


def english(page: Page, data: set[str]) -> list[str]:
    """Return the English left on an open Hindi page, one line for each text with some."""
    found = []
    for text in page.evaluate(TEXTS):
        if CITATION.search(text):
            continue
        # A token with a digit or a slash is a number, a file or an address, not a word.
        words = [word for token in text.split() if not re.search(r"[0-9/@.]\w", token) for word in WORD.findall(token)]
        if [word for word in words if word not in data and word not in AS_EVERYWHERE]:
            found.append(f"{page.url}: {text.strip()[:160]}")
    return found
