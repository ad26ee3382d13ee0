"""What a person sees on a list of records: rows with the choices they may make, the form around them, the next page."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_ROW = re.compile(r'<tr id="r(\d+)"')
_NUMBER = re.compile(r'<td><a href="[^"]*"[^>]*>([^<]+)</a><span class="sub date">')
_RADIO = re.compile(r'<input type="radio"[^>]*>')
_NAME = re.compile(r'name="a\.(\d+)\.(\d+)"')
_LETTER = re.compile(r'value="([NARP])"')
_HIDDEN = re.compile(r'<input type="hidden" name="(csrfmiddlewaretoken|gstin|request_id|back|list)" value="([^"]*)"')
_NEXT = re.compile(r'name="go" value="([^"]*)"[^>]*>Next</button>')
_RESULT = re.compile(r'<section class="([^"]*)" id="result".*?</section>', re.DOTALL)
_SAVED = re.compile(r"(\d+) records? saved")


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice a row offers that it does not show as chosen."""

    record: int
    version: int
    letter: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A list as it was shown at an address: records, their numbers, fields of its form, choices, where Next leads."""

    address: str
    records: tuple[int, ...]
    numbers: tuple[str, ...]
    fields: dict[str, str]
    choices: tuple[Choice, ...]
    next: str


def read(text: str, address: str) -> Shown:
    """Read a list. One without records has no form, no choices and no next page."""
    form = text[text.find('id="choices"') :]
    fields: dict[str, str] = {}
    for name, value in _HIDDEN.findall(form):
        fields.setdefault(name, html.unescape(value))
    after = _NEXT.search(form)
    return Shown(
        address,
        tuple(int(pk) for pk in _ROW.findall(text)),
        tuple(html.unescape(number) for number in _NUMBER.findall(text)),
        fields if "request_id" in fields else {},
        tuple(found for radio in _RADIO.findall(form) if (found := _choice(radio)) is not None),
        html.unescape(after[1]) if after else "",
    )


def _choice(radio: str) -> Choice | None:
    name, letter = _NAME.search(radio), _LETTER.search(radio)
    if not name or not letter or " disabled" in radio or " checked" in radio:
        return None
    return Choice(int(name[1]), int(name[2]), letter[1])


@dataclass(frozen=True, slots=True)
class Saved:
    """What a list says of the save before it: how many records were saved, whether any was not."""

    count: int
    has_troubles: bool


def saved(text: str) -> Saved | None:
    """Return what a list says of the save before it, None where it says nothing."""
    found = _RESULT.search(text)
    if found is None:
        return None
    count = _SAVED.search(found[0])
    return Saved(int(count[1]) if count else 0, "errors" in found[1])
