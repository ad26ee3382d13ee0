"""The house rules that a machine can check: size, names, clocks, money, markup. Reasons stand beside exceptions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("ims_portal", "invoices", "returns")
LONGEST_FILE, LONGEST_FUNCTION = 500, 60
DRAWERS = {"utils", "helpers", "common", "misc", "services", "managers", "util", "helper"}
MACHINE_TIME = {
    "ims_portal/clock.py": "it is the portal's clock",
    "ims_portal/queue.py": "ages of jobs are machine time",
    "returns/cases/play.py": "a placeholder until the case sets its own day",
    "returns/demo.py": "places the sandbox clock relative to the real one",
}
REAL_NOW = re.compile(r"date\.today\(|datetime\.now\(|timezone\.now\(|datetime\.utcnow\(")
NOT_EXACT = re.compile(r"(?<![\w.])(float|round)\(")


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from (path for path in (PROJECT / room).rglob("*.py") if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


every_source = pytest.mark.parametrize("path", list(sources()), ids=name_of)


@every_source
def test_a_file_stays_short_enough_to_hold_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@every_source
def test_a_function_stays_short_enough_to_read_at_once(path: Path) -> None:
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
    too_long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= LONGEST_FUNCTION]
    assert too_long == []


@every_source
def test_a_file_is_named_for_its_subject(path: Path) -> None:
    assert path.stem not in DRAWERS


@every_source
def test_only_the_clock_reads_the_real_time(path: Path) -> None:
    if name_of(path) not in MACHINE_TIME:
        assert REAL_NOW.findall(path.read_text()) == []


@every_source
def test_amounts_are_never_rounded_or_made_binary(path: Path) -> None:
    assert NOT_EXACT.findall(path.read_text()) == []


@every_source
def test_work_is_sent_only_by_the_queue(path: Path) -> None:
    assert not re.search(r"\.delay\(|\.apply_async\(|delay_on_commit", path.read_text())


@every_source
def test_nothing_switches_escaping_off(path: Path) -> None:
    assert not re.search(r"mark_safe|SafeData|__html__|SafeString\((?!\"\")|autoescape\s*=\s*False", path.read_text())


@every_source
def test_no_filter_takes_its_names_from_a_request(path: Path) -> None:
    """Lookups are written here, never sent (F49): what is spread into a query was named by us."""
    text = path.read_text()
    spread = r"\.(filter|exclude|get|create|update|annotate|order_by|values|extra)\(\*\*?\s*(self\.)?request\b"
    assert not re.search(spread, text)
    for call in (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)):
        spread_in = [ast.unparse(word.value) for word in call.keywords if word.arg is None]
        assert not [one for one in spread_in if re.search(r"\.(GET|POST|data|query_params|cleaned_data)\b", one)], path


@every_source
def test_nothing_is_run_or_unpacked_from_what_was_sent(path: Path) -> None:
    text = path.read_text()
    assert not re.search(
        r"(?<![\w.])(eval|exec)\(|\bpickle\b|\bmarshal\b|\bshelve\b|yaml\.load\((?!.*SafeLoader)|shell=True", text
    )
    assert not re.search(r"csrf_exempt|ensure_csrf|requests\.get\(|urlopen\(", text)


@pytest.mark.parametrize("path", sorted((PROJECT / "static").glob("*.js")), ids=name_of)
def test_a_script_of_ours_makes_no_markup_of_texts(path: Path) -> None:
    text = re.sub(r'swap: "(inner|outer)HTML"', "", path.read_text())  # how htmx puts in what our own pages answered
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.srcdoc", text)
    assert not re.search(r"set(Timeout|Interval)\(\s*[\"'`]", text)


@pytest.mark.parametrize("path", sorted((PROJECT / "templates").rglob("*.html")), ids=name_of)
def test_a_template_has_no_inline_script_style_or_handler(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=|\son\w+\s*=\s*[\"']|hx-on|\bjs:|\|\s*safe\b|autoescape off", text)
    assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", text))


def test_no_engine_but_postgresql_is_ever_named() -> None:
    assert not [name_of(path) for path in sources() if "sqlite" in path.read_text().lower()]


def test_the_rules_hold_no_import_beyond_the_standard_library() -> None:
    for path in (PROJECT / "ims_portal" / "rules").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert node.module.split(".")[0] not in {"django", "celery", "rest_framework", "psycopg2"}, path.name
