"""The tables of the law as in force on a day, in words: made from the very tables the portal decides by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from types import ModuleType
from typing import Any

from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from ims_portal.rules import (
    actions,
    amendments,
    excess_itc,
    gstr2b,
    gstr3b,
    interest,
    payment,
    periods,
    rates,
    table3,
    time_limit,
    words,
)
from ims_portal.rules.money import to_rupees
from ims_portal.rules.table import Dated, Row, Table, Unit
from ims_portal.rules.why import since

CHAPTERS: tuple[tuple[ModuleType, Promise], ...] = (
    (actions, _("What a recipient may do with a record")),
    (amendments, _("Labels of amendments")),
    (gstr2b, _("What GSTR-2B holds")),
    (time_limit, _("Warnings of the time limit")),
    (gstr3b, _("GSTR-3B, and forms")),
    (table3, _("What Table 3 of GSTR-3B is summed from")),
    (payment, _("Payment of tax")),
    (interest, _("Interest")),
    (excess_itc, _("ITC above GSTR-2B")),
    (periods, _("Periods and days")),
    (rates, _("Rates and heads of tax")),
)
"""The modules of the law, in the order people meet them."""
MODULES = tuple(module for module, _title in CHAPTERS)

FIGURES: tuple[tuple[Promise, str | Promise, str], ...] = (
    (_("Longest remark, in characters"), str(actions.REMARK_LIMIT), "R5.3"),
    (_("Most a head of tax may differ from rate times value, in rupees"), str(to_rupees(rates.TOLERANCE)), "R10.8"),
    (_("Part of the rate charged where a document says so, in percent"), str(rates.DIFFERENTIAL), "R10.7"),
    (_("Effect of a record on ITC, per head"), _("sign times (tax - baseline)"), gstr2b.EFFECT.cite),
    (_("Most that may be reduced, per head"), _("what the effect takes from ITC, never below zero"), gstr2b.CAP.cite),
)
"""What is a figure or a formula rather than a table: name, value, source."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table in words: when it decides, what it answers, its source."""

    when: list[str]
    answer: str
    cite: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a rule: from when it is in force, a day to look at it on, and its name."""

    since: str
    on: str
    name: str
    is_in_force: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as in force on the day; without lines where no version is in force yet, and everything is refused.

    `governed_by`: what dates it, empty where it has never changed.
    """

    slug: str
    name: str
    governed_by: str
    title: str
    lines: list[Line]
    versions: list[Version]


@dataclass(frozen=True, slots=True)
class Chapter:
    """The rules of one module of the law."""

    title: Promise
    rules: list[Rule]


def chapters(day: date, *, only_ours: bool = False) -> list[Chapter]:
    """Return every table of the law as in force on an Indian day; `only_ours`: only rows that are our own reading.

    Rules dated by period are shown for the month of the day.
    """
    found = [
        Chapter(title, [_rule(rule, day, only_ours=only_ours) for rule in _rules(module)]) for module, title in CHAPTERS
    ]
    if not only_ours:
        return found
    kept = [Chapter(chapter.title, [rule for rule in chapter.rules if rule.lines]) for chapter in found]
    return [chapter for chapter in kept if chapter.rules]


def _rules(module: ModuleType) -> Iterator[Dated[Any]]:
    for value in vars(module).values():
        if isinstance(value, Dated):
            yield value
        elif isinstance(value, Table):
            yield Dated(value.name, "", {0: value})


def _rule(rule: Dated[Any], day: date, *, only_ours: bool) -> Rule:
    at = _number(rule.unit, day)
    in_force = max((start for start in rule.versions if start <= at), default=None)
    table = None if in_force is None else rule.versions[in_force]
    return Rule(
        slug=slugify(rule.name),
        name=rule.name,
        governed_by=rule.governed_by,
        title=table.name if table else "",
        lines=[_line(row) for row in table.rows if row.ours or not only_ours] if table else [],
        versions=[
            Version(since(start), _first_day(rule.unit, start), each.name, start == in_force)
            for start, each in rule.versions.items()
        ],
    )


def _number(unit: Unit, day: date) -> int:
    month = periods.month_of(day)
    return {
        Unit.PERIOD: month,
        Unit.DAY: periods.day_number(day),
        Unit.YEAR: periods.financial_year_of(month),
    }[unit]


def _first_day(unit: Unit, start: int) -> str:
    """Return a day on which a version is in force, DD/MM/YYYY: its first, or the first of GST."""
    if not start or unit is Unit.YEAR:
        return f"{rates.GST_BEGAN:%d/%m/%Y}"
    return since(start) if unit is Unit.DAY else f"01/{since(start)}"


def _line(row: Row[Any]) -> Line:
    when = [words.facts(name, values) for name, values in row.when.items()]
    return Line(when, words.answer(row.outcome), row.cite, row.ours)
