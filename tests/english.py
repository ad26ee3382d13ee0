"""What a Hindi page says in Latin letters and should not: the text of its elements and attributes, read from its HTML.

Not read: what is marked as another language or as not to be translated, and code. Allowed: what people typed and what
they are called, and the words Hindi keeps in Latin letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

ALLOWED = """
    GST CGST SGST UTGST OTP IGST ITC IMS GSTN GSTIN GSTR IFF ISD SEZ HSN POS UIN ICEGATE IRN SBX IST
    B2B B2C CDNR CN DN IMPG IMPGSEZ RCM TDS TCS NRTP PAN ECO UT
    JSON CSV XLSX xlsx Excel WCAG AA Shift Enter
    II III IV DD MM YYYY HH
"""
"""Taxes, systems, and what forms, tables and documents are called, as on the GST portal's own Hindi pages and in the
tax press (docs/portal.md, section 6); kinds of file, a standard, keys; Roman numbers of parts of tables, and how a day,
a period and a time are to be typed. Single letters are allowed too.
"""
LATIN_IN_HINDI = frozenset(ALLOWED.split())
ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "label", "content", "summary")
VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
SILENT = frozenset(("script", "style", "code", "kbd"))
WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019]+")
NUMBERED = re.compile(r"\S*\d\S*|\w+_\w+|\S*\.json\b|%\(?\w+\)?[ds]?|\{\w+\}")
"""A word with a digit in it is a number: of a document, a form, a table, a rule. Also names of files and of their
keys, and places that a script fills in.
"""


class Reader(HTMLParser):
    """Gathers what a page says to a reader of Hindi, one text for each node or attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.said: list[str] = []

    @property
    def is_read(self) -> bool:
        """Whether what comes next is meant to be Hindi."""
        return all(read for _tag, read in self.open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go into an element."""
        given = {name: value or "" for name, value in attrs}
        is_hindi = given.get("lang", "hi") == "hi" and given.get("translate") != "no" and tag not in SILENT
        if is_hindi and self.is_read:
            self.said += [value for name, value in given.items() if self.is_said(tag, name, given)]
        if tag not in VOID:
            self.open.append((tag, is_hindi))

    @staticmethod
    def is_said(tag: str, name: str, given: dict[str, str]) -> bool:
        """Tell whether an attribute is read out, shown, or shown later by a script."""
        if name == "content":
            return given.get("name") == "description"
        if name == "value":
            return tag == "input" and given.get("type") in ("submit", "button", "reset")
        return name in ATTRIBUTES or (name.startswith("data-") and " " in given[name])

    def handle_endtag(self, tag: str) -> None:
        """Come out of an element."""
        while self.open and tag not in VOID and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Hear a text."""
        if self.is_read and data.strip():
            self.said.append(" ".join(data.split()))


def left_in(page: str, *, data: Iterable[str] = ()) -> list[str]:
    """Return every text of a Hindi page with a Latin word in it that is neither data nor kept in Latin letters."""
    reader = Reader()
    reader.feed(page)
    names = sorted({each for each in data if WORD.search(each)}, key=len, reverse=True)
    known = re.compile("|".join(rf"(?<!\w){re.escape(' '.join(name.split()))}(?!\w)" for name in names) or r"(?!)")
    found = []
    for text in reader.said:
        words = WORD.findall(NUMBERED.sub(" ", known.sub(" ", text)))
        if wrong := [word for word in words if word not in LATIN_IN_HINDI]:
            found.append(f"{' '.join(wrong)}: {text}")
    return found
