"""A worked case as read from its file: validated against the schema, amounts in paise, days as dates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from ims_portal.rules.money import HEADS, Tax, to_paise, to_rupees

SCHEMA = Path(__file__).with_name("case.schema.json")


class UnreadableCaseError(Exception):
    """A file is no worked case; says where and why."""


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario: parties by key, events and checks as their JSON objects, in the order of the file."""

    path: Path
    id: str
    title: str
    start: date
    parties: Mapping[str, Mapping[str, Any]]
    events: list[Mapping[str, Any]]
    expect: list[Mapping[str, Any]]
    settings: Mapping[str, Any]
    calendar: list[Mapping[str, Any]]

    @property
    def last_day(self) -> date:
        """The last day anything happens or is asked."""
        return max(
            [day(item[key]) for items, key in ((self.events, "date"), (self.expect, "as_of")) for item in items]
            or [self.start]
        )


def read(path: Path) -> Case:
    """Return the case of a file; raise UnreadableCaseError where it breaks the format."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise UnreadableCaseError(f"{path}: {problem}") from problem
    problems = sorted(_validator().iter_errors(raw), key=lambda error: list(map(str, error.absolute_path)))
    if problems:
        where = "/".join(map(str, problems[0].absolute_path)) or "the file"
        raise UnreadableCaseError(f"{path}: {where}: {problems[0].message[:300]}")
    _refuse_before_start(path, raw)
    return Case(
        path=path,
        id=raw["id"],
        title=raw["title"],
        start=day(raw["start"]),
        parties=raw["parties"],
        events=raw["events"],
        expect=raw["expect"],
        settings=raw.get("settings", {}),
        calendar=raw.get("calendar", []),
    )


def _refuse_before_start(path: Path, raw: Mapping[str, Any]) -> None:
    """Raise UnreadableCaseError for what is dated before the story: it would never be played, and so never fail."""
    for items, key in (("events", "date"), ("expect", "as_of")):
        for number, item in enumerate(raw[items]):
            if day(item[key]) < day(raw["start"]):
                raise UnreadableCaseError(
                    f"{path}: {items}/{number}: {key} {item[key]} lies before the start {raw['start']}, so it would "
                    "never be played"
                )


@cache
def _validator() -> jsonschema.protocols.Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"), parse_float=Decimal)
    return jsonschema.Draft202012Validator(schema)


def day(text: str) -> date:
    """Return the day of a text YYYY-MM-DD."""
    return date.fromisoformat(text)


def tax(heads: Mapping[str, Any]) -> Tax:
    """Return the tax of an object of heads in rupees; missing heads are nil."""
    return Tax.of({head: to_paise(amount) for head, amount in heads.items()})


def written(amount: Tax) -> dict[str, str]:
    """Return a tax as people compare it: the heads that are not nil, in rupees."""
    return {head: str(to_rupees(getattr(amount, head))) for head in HEADS if getattr(amount, head)} or {"all": "0.00"}
