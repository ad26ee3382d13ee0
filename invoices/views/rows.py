"""Records as the inward pages print them: every value worked out here, so that a row is one flat piece of template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import inbox, wording
from invoices.actions import Outcome, Result, ResultStatus
from invoices.inbox import Line
from invoices.models import ActionEvent, Record
from invoices.standing import Standing


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a row's radio buttons."""

    letter: str
    word: str
    is_checked: bool
    is_barred: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a list."""

    line: Line
    legend: str
    kind: str
    choices: list[Choice]
    reasons: list[str]
    told: str
    is_unsaved: bool
    reduction: str
    until: date | None
    lost: str
    direction: str

    @property
    def record(self) -> Record:
        """The record."""
        return self.line.record


def rows(lines: list[Line], today: Standing, outcome: Outcome | None = None) -> list[Row]:
    """Return rows for lines, with what an earlier save said of them."""
    told = {result.record_id: result for result in outcome.results} if outcome else {}
    return [row(line, today, told.get(line.record.pk)) for line in lines]


def row(line: Line, today: Standing, told: Result | None = None) -> Row:
    """Return the row of one line. A refused choice stays chosen, so that nothing typed is lost (portal 7.3)."""
    record = line.record
    is_refused = told is not None and told.status is ResultStatus.REFUSED
    chosen = told.asked if told is not None and is_refused else line.effective
    shown = [action for action in inbox.ORDER if line.barred.get(action) is not Refusal.REJECT_NOT_ALLOWED]
    return Row(
        line=line,
        legend=_("Action for %(number)s of %(supplier)s")
        % {"number": record.number, "supplier": wording.supplier(record)},
        kind=str(wording.TYPES[Section(record.section)]),
        choices=[
            Choice(action.value, str(wording.ACTIONS[action]), action is chosen, action in line.barred)
            for action in shown
        ]
        if line.is_open
        else [],
        reasons=_reasons(line, today),
        told=wording.result(told, record, today) if told is not None and _is_trouble(told) else "",
        is_unsaved=is_refused,
        reduction=_reduction(line),
        until=line.pending_until if line.is_open and line.effective in (Action.PENDING, Action.NONE) else None,
        lost=str(wording.ACTIONS[Action(line.record.lost_action)]) if line.record.lost_action else "",
        direction=str(wording.DIRECTIONS[line.direction]) if line.direction else "",
    )


def _reasons(line: Line, today: Standing) -> list[str]:
    found = [wording.refusal(code, line.record, today) for code in line.reasons]
    if line.has_lapsed:
        found.append(_("Pending has lapsed: it counts as No action."))
    return list(dict.fromkeys(found))


def _reduction(line: Line) -> str:
    stored = wording.answer(line.record)
    if stored:
        return stored
    return _("asked on Accept") if line.is_specified and line.is_open else ""


def _is_trouble(told: Result) -> bool:
    return told.status in (ResultStatus.CONFLICT, ResultStatus.REFUSED)


@dataclass(frozen=True, slots=True)
class Told:
    """The result of a save as the next page tells it: how many, and each that was not saved with its reason."""

    saved: int
    unchanged: int
    troubles: list[tuple[int, str, str]]


def told(outcome: Outcome, records: dict[int, Record], today: Standing) -> Told:
    """Return the result of a save in words; `records` holds the recipient's own among those not saved."""
    troubles = [
        (
            result.record_id if result.record_id in records else 0,
            records[result.record_id].number if result.record_id in records else result.number,
            wording.result(result, records.get(result.record_id), today),
        )
        for result in outcome.results
        if _is_trouble(result)
    ]
    return Told(len(outcome.of(ResultStatus.SAVED)), len(outcome.of(ResultStatus.UNCHANGED)), troubles)


def troubled(outcome: Outcome | None) -> list[int]:
    """Return the ids of records whose choice was not saved."""
    return [result.record_id for result in outcome.results if _is_trouble(result)] if outcome else []


def declared(event: ActionEvent) -> Tax:
    """Return what an event declared."""
    return Tax(event.declared_igst, event.declared_cgst, event.declared_sgst, event.declared_cess)
