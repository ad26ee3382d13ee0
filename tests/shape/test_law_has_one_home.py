"""No date of law, no rate, no threshold stands outside `ims_portal/rules/`: a change of law is a change of one file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("ims_portal", "invoices", "returns")
NOT_LAW = {
    "returns/demo.py": "the days of a made-up story",
    "returns/budgets.py": "milliseconds and kilobytes a page may take",
    "ims_portal/clock.py": "the last day the sandbox can go to",
    "ims_portal/gstn/certificate.py": "the length of a key",
    "ims_portal/forms.py": "an example of how a day is written",
    "ims_portal/api/fields.py": "an example of how a period is written",
    "invoices/api/documents.py": "an example of how a day is written",
    "ims_portal/interface.py": "examples of how a day, a moment and a period are written",
    "invoices/gstr1_json/__init__.py": "an example of how a period is written",
    "invoices/feeds_json/fields.py": "examples of how a period and a time are written, and the last year taken",
}
FIRST_YEAR, LAST_YEAR = 2017, 2099
RATES_AND_SHARES = {750, 1800, 2800, 4000}
"""Rates in hundredths of a percent that are no round number of anything else."""

IN_WORDS = re.compile(
    r"\b(0[1-9]|1[0-2])/20\d\d\b"  # a period
    r"|\b20\d\d-(0[1-9]|1[0-2])\b"
    r"|\b(0[1-9]|1[0-2])20[12]\d\b"
    r"|\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*[ -]20\d\d\b"
    r"|\b\d{1,2}(st|nd|rd|th)\b"  # a due day
    r"|\b\d+(\.\d+)?\s?(%(?!\})|percent|per cent|lakh|crore)"
    r"|\b250\b|\b0\.65\b"
)


def python() -> Iterator[Path]:
    for room in ROOMS:
        for path in (PROJECT / room).rglob("*.py"):
            if not {"migrations", "rules"} & set(path.parts) and name_of(path) not in NOT_LAW:
                yield path


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def is_day_or_period(number: int) -> bool:
    year, rest = (number // 10_000, number % 10_000) if number > 10**7 else (number // 100, number % 100)
    month = rest // 100 if number > 10**7 else rest
    return FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12


def found_in(source: str) -> list[str]:
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    docstrings |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool):
            is_date = is_day_or_period(value) or FIRST_YEAR <= value <= LAST_YEAR
            if is_date or value in RATES_AND_SHARES or value in (250, 65):
                found.append(f"line {node.lineno}: {value}")
        if isinstance(value, str) and (said := IN_WORDS.search(value)):
            found.append(f"line {node.lineno}: {said[0]}")
    return found


@pytest.mark.parametrize("path", list(python()), ids=name_of)
def test_no_date_rate_or_threshold_of_law_stands_outside_the_rules(path: Path) -> None:
    assert found_in(path.read_text()) == []


@pytest.mark.parametrize("path", sorted((PROJECT / "templates").rglob("*.html")), ids=name_of)
def test_no_template_tells_a_date_rate_or_threshold_of_law(path: Path) -> None:
    without_tags = re.sub(r"\{#.*?#\}", "", path.read_text())
    assert [said[0] for said in IN_WORDS.finditer(without_tags)] == []


@pytest.mark.parametrize("path", [PROJECT / "static" / "app.js"], ids=name_of)
def test_no_script_holds_a_date_rate_or_threshold_of_law(path: Path) -> None:
    text = path.read_text()
    assert [said[0] for said in IN_WORDS.finditer(text)] == []
    assert [number for number in re.findall(r"\b20\d{4}\b", text) if is_day_or_period(int(number))] == []


@pytest.mark.parametrize(
    "law",
    [
        "SINCE = 202510",
        "if day >= date(2025, 10, 1): pass",
        "text = _('only from 10/2025')",
        "rate = 1800",
        "due = 'the 20th'",
        "cap = 'Rs 50 lakh'",
        "share = Decimal('0.65')",
        "sql = 'WHERE month >= 2025-10'",
    ],
)
def test_the_search_finds_law_where_it_stands(law: str) -> None:
    assert found_in(law)
