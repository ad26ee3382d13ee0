"""The error report of a save in the shape of the upload (formats 2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ims_portal.rules.documents import Problem

_PLACE = re.compile(r"(?P<section>[a-z0-9_.]+?)(?:\[(?P<group>[0-9]+)\](?:\.(?P<list>inv|nt)\[(?P<index>[0-9]+)\])?)?")
_OF_GROUP = frozenset({"ctin", "rtin", "stin"})


def wire_problem_report(problems: Iterable[Problem]) -> dict[str, Any]:
    """Return an `error_report`: by section and group, each document once, its first code and all its messages.

    Warnings are left out. A problem without a place in the file stands at the top, beside the sections.
    """
    report: dict[str, Any] = {}
    known: dict[str, dict[str, Any]] = {}
    for problem in problems:
        place = _PLACE.fullmatch(problem.position)
        if not problem.is_warning:
            _complain(_target(report, known, problem, place) if place else report, problem)
    return report


def _target(
    report: dict[str, Any], known: dict[str, dict[str, Any]], problem: Problem, place: re.Match[str]
) -> dict[str, Any]:
    """Return the group or the document to complain at, put in its place when it comes up for the first time."""
    section, name = place["section"], f"{place['section']}[{place['group']}]"
    if name not in known:
        known[name] = _new_group(problem, section)
        _rows(report, section).append(known[name])
    if not place["list"]:
        return known[name]
    if problem.position not in known:
        known[problem.position] = _new_document(problem, section)
        known[name].setdefault(place["list"], []).append(known[problem.position])
    return known[name if problem.field in _OF_GROUP else problem.position]


def _rows(report: dict[str, Any], section: str) -> list[dict[str, Any]]:
    *outer, name = section.split(".")
    for part in outer:
        report = report.setdefault(part, {})
    rows: list[dict[str, Any]] = report.setdefault(name, [])
    return rows


def _new_group(problem: Problem, section: str) -> dict[str, Any]:
    if not problem.counterparty:
        return {}
    return {"rtin" if section.startswith("ecom") else "ctin": problem.counterparty}


def _new_document(problem: Problem, section: str) -> dict[str, Any]:
    number, dated = ("nt_num", "nt_dt") if section.startswith("cdn") else ("inum", "idt")
    return {key: value for key, value in ((number, problem.number), (dated, problem.dated)) if value}


def _complain(target: dict[str, Any], problem: Problem) -> None:
    """Add a complaint; of a group that refuses many documents the first one speaks for all."""
    said = target.setdefault("error_msg", problem.message)
    if target.setdefault("error_cd", problem.code) != problem.code or problem.field not in _OF_GROUP:
        target["error_msg"] = said if problem.message in said else f"{said} {problem.message}"
