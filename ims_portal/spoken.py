"""The law's sentences in the reader's language. The law itself is English and knows no framework; here it is looked up.

Rules are finite: every clause, answer and name a table can print is known beforehand (`texts`), so a catalogue of its
own, `locale/<language>/LC_MESSAGES/law.mo`, can hold them all. Citations stay as they are.
"""

from __future__ import annotations

import gettext as catalogues
import re
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ims_portal.rules import gstin, words
from ims_portal.rules.table import Dated, Row, Table

DOMAIN = "law"
LATER = re.compile(r"the rule in force from (?P<start>[0-9/]+) applied")
OURS = re.compile(r"(?P<said>.+) \(our reading, (?P<cite>R[0-9.]+)[^()]*\)")


def say(text: str) -> str:
    """Return a sentence of the law in the active language; what no catalogue knows stays English."""
    later = LATER.fullmatch(text)
    if later:
        return _("the rule in force from %(start)s applied") % {"start": later["start"]}
    spoken = _catalogue(get_language() or "en")
    found = spoken(text) if text else ""
    ours = OURS.fullmatch(text) if found == text else None
    if ours:
        return _("%(said)s (our reading, %(cite)s)") % {"said": say(ours["said"]), "cite": ours["cite"]}
    return found if found != text else ", ".join(_parts(spoken, text.split(", ")))


def _parts(spoken: Callable[[str], str], parts: list[str]) -> Iterator[str]:
    """Yield the names a name is put together from, such as a placement and its part; some have a comma themselves."""
    while parts:
        known = (end for end in range(len(parts), 0, -1) if spoken(", ".join(parts[:end])) != ", ".join(parts[:end]))
        end = next(known, 1)
        yield spoken(", ".join(parts[:end])) if parts[0] else ""
        parts = parts[end:]


@cache
def _catalogue(language: str) -> Callable[[str], str]:
    return catalogues.translation(DOMAIN, settings.LOCALE_PATHS[0], languages=[language], fallback=True).gettext


def texts(modules: tuple[ModuleType, ...]) -> list[str]:
    """Return every sentence the rules of some modules can print, for those who translate them; in order, each once."""
    found = [text for module in modules for rule in vars(module).values() for text in _of(rule)]
    for name, wording in words.FACTS.items():
        found += [words.facts(name, [value]) for value in wording.names]
    found += [*words.PLACES.values(), *words.PARTS.values(), *words.FACTS["section"].names.values()]
    found += [words.ADDED_BACK, *gstin.STATES.values()]
    return [text for text in dict.fromkeys(found) if any(letter.isalpha() for letter in text)]


def _of(rule: object) -> Iterator[str]:
    if isinstance(rule, Table):
        yield from _table(rule)
    elif isinstance(rule, Dated):
        yield from (rule.name, rule.governed_by)
        for table in rule.versions.values():
            yield from _table(table)


def _table(table: Table[object]) -> Iterator[str]:
    yield table.name
    for row in table.rows:
        yield from _row(row)


def _row(row: Row[object]) -> Iterator[str]:
    yield from (words.facts(name, values) for name, values in row.when.items())
    yield words.answer(row.outcome)
