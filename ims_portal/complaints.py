"""What readers of files and checks of documents complain of, in the reader's language.

They write plain English and know no framework; jobs keep what they wrote, and error reports hand it on as it is. On a
page each sentence is found again by its form: `{0} is missing` is a sentence of the catalogue `law`, its hole filled by
whatever stood there. `forms` gathers the sentences from the sources, for those who translate them.
"""

from __future__ import annotations

import ast
import calendar
import gettext as catalogues
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import get_language

from ims_portal.rules import documents
from ims_portal.spoken import DOMAIN, say

MONTHS = calendar.month_name[1:]
END_OF_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")
HOLE = re.compile(r"\{[0-9]\}|%\(\w+\)[sd]")
TEXT = re.compile(r"[a-z]{2,} | [a-z]{2,}")
DAY = re.compile(rf"(?:([0-9]{{1,2}}) )?({'|'.join(MONTHS)}) ([0-9]{{4}})")
POSITION = re.compile(r"(?P<at>[a-z0-9_.]+\[\S+): (?P<rest>.+)", re.DOTALL)
STATE = re.compile(r"(?P<name>.+) (?P<code>\([0-9]{2}\))")
JOINED = re.compile(r"(?P<one>\S+) (?P<word>and|or) (?P<other>\S+)")
NAMED = re.compile(
    rf"({'|'.join(map(re.escape, sorted((*documents.NAMES.values(), 'Note'), key=len, reverse=True)))}) (\S+)"
)
WORDS = ("This", "The number", "Note", "text", "nobody", "nothing", "and", "or")
"""What stands in holes or before a clause."""
ENGLISH = re.compile("[a-z]{2,}")
SHORTEST = 12
"""Fewest letters of its own a sentence of the pages needs, to be told from another."""


class Form(NamedTuple):
    """A sentence with holes: how it is found again, its longest part without holes, what it has, its translation.

    A clause follows what it is said of: `idt`, or a number, then "is empty".
    """

    pattern: re.Pattern[str]
    core: str
    holes: int
    letters: int
    is_clause: bool
    spoken: str


def tell(text: str) -> str:
    """Return a complaint in the active language; a sentence no catalogue knows stays as it is written."""
    language = get_language() or "en"
    if language == "en" or not text:
        return text
    placed = POSITION.fullmatch(text)
    whole = _filled(placed["rest"] if placed else text, _of_pages(language))
    if whole is not None:
        return f"{placed['at']}: {whole}" if placed else whole
    told = [_sentence(each, language) for each in END_OF_SENTENCE.split(text)]
    return " ".join(told)


def _sentence(text: str, language: str) -> str:
    bare = text.removesuffix(".")
    told = _part(bare, language)
    return text if told == bare else told + ("।" if bare != text else "")


def _part(text: str, language: str) -> str:
    """Return a sentence without its full stop, or what stands in a hole of one."""
    text = text.strip()
    known = say(text) if text else ""
    if known != text:
        return known
    filled = _filled(text, _of_readers(language))
    if filled is not None:
        return filled
    head, colon, rest = text.partition(": ")
    if colon and (told := f"{_part(head, language)}: {_part(rest, language)}") != text:
        return told
    if named := NAMED.fullmatch(text):
        return f"{say(named[1])} {named[2]}"
    if joined := JOINED.fullmatch(text):
        return f"{joined['one']} {say(joined['word'])} {joined['other']}"
    if state := STATE.fullmatch(text):
        return f"{say(state['name'])} {state['code']}"
    return f"{MONTHS.index(text) + 1:02d}" if text in MONTHS else DAY.sub(_in_figures, text)


def _in_figures(day: re.Match[str]) -> str:
    month = f"{MONTHS.index(day[2]) + 1:02d}/{day[3]}"
    return f"{int(day[1]):02d}/{month}" if day[1] else month


def _filled(text: str, forms: Iterable[Form]) -> str | None:
    """Return the translation of the form a text has, its holes filled again; None where it has none.

    Of several the one that leaves least in English; of equals the first.
    """
    told = [_told(form, found) for form in forms if form.core in text and (found := form.pattern.fullmatch(text))]
    return min(told, key=lambda each: len(ENGLISH.findall(each)), default=None)


def _told(form: Form, found: re.Match[str]) -> str:
    language = get_language() or "en"
    holes = {name: _part(value or "", language) for name, value in found.groupdict().items()}
    told = HOLE.sub(lambda hole: holes[_name(hole[0])], form.spoken)
    return re.sub(" {2,}", " ", f"{holes.get('lead', '')} {told}").strip()


@cache
def _of_readers(language: str) -> list[Form]:
    """Return the sentences of the readers: those with most holes first, whole ones before clauses."""
    found = [form for form in _forms(language, DOMAIN) if form.core]
    return sorted(found, key=lambda form: (-form.holes, form.is_clause, -form.letters))


@cache
def _of_pages(language: str) -> list[Form]:
    """Return the sentences of the pages, for jobs keep some of them too, in the language of no reader."""
    return [form for form in _forms(language, "django") if len(form.core) >= SHORTEST]


def _forms(language: str, domain: str) -> Iterator[Form]:
    known = catalogues.translation(domain, settings.LOCALE_PATHS[0], languages=[language], fallback=True)
    for text, spoken in getattr(known, "_catalog", {}).items():
        if isinstance(text, str) and text and (domain == DOMAIN or "%(" in text or text.endswith(".")):
            yield _form(text, spoken)


def _form(text: str, spoken: str) -> Form:
    literals, names = HOLE.split(text), [_name(hole) for hole in HOLE.findall(text)]
    seen: set[str] = set()
    parts = [re.escape(literals[0])]
    for name, literal in zip(names, literals[1:], strict=True):
        parts += [rf"(?P={name})" if name in seen else rf"(?P<{name}>.*?)", re.escape(literal)]
        seen.add(name)
    is_clause = text[0].islower()
    pattern = re.compile(("(?:(?P<lead>.+?) )?" if is_clause else "") + "".join(parts), re.DOTALL)
    return Form(pattern, max(literals, key=len), len(names), len("".join(literals)), is_clause, spoken)


def _name(hole: str) -> str:
    return f"_{hole[1]}" if hole[0] == "{" else hole[2:-2]


def forms(sources: Iterable[Path]) -> list[str]:
    """Return every sentence and clause that some modules write, each hole numbered; in order, each once."""
    found = list(WORDS)
    for source in sources:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        patterns = {id(part) for node in ast.walk(tree) if _makes_a_pattern(node) for part in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in inner | remarks | patterns:
                found += _sentences(node)
    return list(dict.fromkeys(found))


def _makes_a_pattern(node: ast.AST) -> bool:
    """Whether a call's texts are no sentences but the pattern of some."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "compile"


def _sentences(node: ast.JoinedStr | ast.Constant) -> Iterator[str]:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
    for sentence in END_OF_SENTENCE.split(text):
        bare = sentence.strip().removesuffix(".")
        if TEXT.search(bare.replace("{}", "")):
            pieces = bare.split("{}")
            yield pieces[0] + "".join(f"{{{number}}}{piece}" for number, piece in enumerate(pieces[1:]))
