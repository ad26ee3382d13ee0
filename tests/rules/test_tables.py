"""The rule tables themselves: cited, reachable, in order, and read the same by Python and by SQL."""

import importlib
import itertools
import pkgutil
from collections.abc import Iterator

import pytest
from django.db import connection

from ims_portal import rulebook, rules, sql
from ims_portal.rules import actions
from ims_portal.rules.actions import Action
from ims_portal.rules.table import Dated, NoVersionInForceError, Table, otherwise, row

MODULES = tuple(module for module, _title in rulebook.CHAPTERS)
LARGEST_ENUMERATION = 20_000


def _tables() -> Iterator[tuple[str, Table]]:
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, Table):
                yield f"{module.__name__.rsplit('.', 1)[-1]}.{name}", value
            if isinstance(value, Dated):
                for start, table in value.versions.items():
                    yield f"{module.__name__.rsplit('.', 1)[-1]}.{name}@{start}", table


def _dated() -> Iterator[tuple[str, Dated]]:
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, Dated):
                yield f"{module.__name__.rsplit('.', 1)[-1]}.{name}", value


TABLES = dict(_tables())
DATED = dict(_dated())
READ_BY_SQL = {name: rule for name, rule in DATED.items() if 0 in rule.versions}
tables = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


def test_no_rule_stands_in_a_module_that_is_not_in_the_law_book() -> None:
    everywhere = [
        importlib.import_module(f"{rules.__name__}.{found.name}") for found in pkgutil.iter_modules(rules.__path__)
    ]
    written = {id(value) for module in everywhere for value in vars(module).values() if isinstance(value, Dated)}
    assert written == {id(rule) for rule in DATED.values()}


@tables
def test_every_row_decides_for_some_facts(table: Table) -> None:
    deciding = {table.decide(**facts).index for facts in table.combinations()}
    assert deciding == set(range(len(table.rows)))


@tables
def test_every_row_cites_a_rule_or_a_source(table: Table) -> None:
    assert all(len(line.cite) >= len("R1.1") for line in table.rows)


@tables
@pytest.mark.django_db
def test_sql_and_python_read_the_table_alike(table: Table) -> None:
    names = list(table.facts)
    combinations = list(table.combinations())
    assert len(combinations) <= LARGEST_ENUMERATION, "facts must stay few enough to be enumerated"
    columns = {name: f'f."{name}"' for name in names}
    values = ", ".join(
        "(" + ", ".join([str(n), *(sql.literal(facts[name]) for name in names)]) + ")"
        for n, facts in enumerate(combinations)
    )
    aliases = ", ".join(["n", *(f'"{name}"' for name in names)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {sql.case(table, columns)}, {sql.row_number(table, columns)} "
            f"FROM (VALUES {values}) AS f({aliases}) ORDER BY f.n"
        )
        answers = cursor.fetchall()
    for facts, (outcome, index) in zip(combinations, answers, strict=True):
        decided = table.decide(**facts)
        assert (outcome, index) == (sql_form(decided.outcome), decided.index), facts


def sql_form(outcome: object) -> object:
    return getattr(outcome, "value", outcome)


@pytest.mark.parametrize("rule", READ_BY_SQL.values(), ids=READ_BY_SQL.keys())
@pytest.mark.django_db
def test_sql_follows_the_version_in_force_on_both_sides_of_every_date(rule: Dated) -> None:
    table = next(iter(rule.versions.values()))
    facts = next(table.combinations())
    columns = {name: sql.literal(value) for name, value in facts.items()}
    days = sorted(
        {0, *itertools.chain.from_iterable((start - 1, start, start + 1) for start in rule.versions if start)}
    )
    for day in days:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {sql.dated_case(rule, columns, day=str(day))}")
            answer = cursor.fetchone()[0]
        assert answer == sql_form(rule.decide(day, **facts).outcome), day


def test_a_day_before_the_first_version_is_refused_never_allowed() -> None:
    rule = Dated("made up", "a day", {20300101: Table("later", {"a": (False, True)}, (otherwise(None, cite="R0.0"),))})
    with pytest.raises(NoVersionInForceError):
        rule.decide(20291231, a=True)
    with pytest.raises(ValueError, match="earliest version"):
        sql.dated_case(rule, {"a": "true"}, day="20291231")


def test_an_unknown_fact_raises_rather_than_falling_through() -> None:
    table = Table("made up", {"a": ("x", "y")}, (row(1, a="x", cite="R0.0"), otherwise(0, cite="R0.0")))
    with pytest.raises(ValueError, match="cannot be"):
        table.decide(a="z")
    with pytest.raises(ValueError, match="needs exactly"):
        table.decide(a="x", b="y")


def test_a_table_without_an_explicit_otherwise_is_no_table() -> None:
    with pytest.raises(ValueError, match="otherwise"):
        Table("made up", {"a": ("x", "y")}, (row(1, a="x", cite="R0.0"),))


def test_an_answer_given_before_is_given_again_only_to_the_same_facts() -> None:
    rule = actions.EFFECTIVE_ACTION
    lapsed = {"action": Action.PENDING, "reduces": True, "pending_lapsed": True}
    assert rule.decide(202511, **lapsed) is rule.decide(202510, **lapsed)
    assert rule.decide(202511, **lapsed).outcome is Action.NONE
    assert rule.decide(202509, **lapsed).outcome is Action.PENDING
    assert rule.decide(202511, **{**lapsed, "pending_lapsed": False}).outcome is Action.PENDING
    with pytest.raises(ValueError, match="needs exactly"):
        rule.decide(202511, action=Action.PENDING, reduces=True)
