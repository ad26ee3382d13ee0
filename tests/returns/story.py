"""The samples' story as tests of its files need it: told up to the morning of 13 November, and what is saved then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.money import NIL, Tax, to_paise
from invoices import actions
from invoices.actions import Choice
from invoices.models import Record
from returns import demo
from tests import kept_world

DATA = Path(__file__).resolve().parent.parent / "data"
OCTOBER = periods.parse("102026")


def told_so_far() -> Taxpayer:
    """Return the recipient on the morning of 13 November, everything of the story told so far."""
    return played(until=demo.BEGINS, password="a fine password")


def played(*, until: str, password: str) -> Taxpayer:
    """Return the recipient once the story was told up to a moment, its people with a password."""

    def play() -> None:
        demo.prepare(password=password)
        demo.play(until=until)

    kept_world.world(f"story until {until}, {password}", play)
    return demo._taxpayer(demo.RECIPIENT)


def requested() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the section and row of every action of the samples' save request."""
    asked = json.loads((DATA / "ims-save-request.json").read_text())["data"]["invdata"]
    yield from ((section, row) for section, rows in asked.items() for row in rows)


def choice(row: dict[str, Any]) -> Choice:
    """Return what a row of a save request chooses (formats 3.3)."""
    declared = Tax(*(to_paise(Decimal(str(row[key]))) for key in HEADS)) if "declIgst" in row else NIL
    if row.get("itcRedReq") == "N":
        answer = Answer.NONE
    elif row.get("itcRedReq") == "Y":
        answer = Answer.PART if "declIgst" in row else Answer.FULL
    else:
        answer = Answer.NOT_GIVEN
    return Choice(Action(row["action"]), answer, declared, row.get("remarks", ""))


HEADS = ("declIgst", "declCgst", "declSgst", "declCess")


def save(recipient: Taxpayer, on: str) -> None:
    """Set the actions of the samples' save request."""
    open_records = Record.objects.filter(recipient=recipient, settled_month=None, superseded_by=None)
    by_document = {(record.section, record.number): record for record in open_records}
    items = []
    for section, row in requested():
        record = by_document[section, demo.number_of(row)]
        items.append(actions.Item(record.pk, record.version, choice(row)))
    done = actions.take(taxpayer=recipient, items=items, actor=None, clock=Fixed(demo.moment(on)), request_id=uuid4())
    assert [result.refusal for result in done.results] == [None] * len(items)
