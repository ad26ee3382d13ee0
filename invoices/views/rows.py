"""Records as the inward pages print them: every value worked out here, so that a row is one flat piece of template."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ims_portal import clock
from ims_portal.access import Access
from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from ims_portal.templatetags import ims as show
from invoices import drafts, inbox, wording
from invoices.actions import Outcome, Result, ResultStatus
from invoices.drafts import Picked
from invoices.forms import NOTHING_CHOSEN
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
    """One record of a list; `pk` and `key`, with its version, are its names in the page, as text.

    `radios` are its choices as controls: of all of a row the most to print, and the same in many rows.
    """

    line: Line
    pk: str
    key: str
    legend: str
    kind: str
    choices: list[Choice]
    radios: SafeString
    reasons: list[str]
    told: str
    is_unsaved: bool
    was: str
    reduction: str
    until: str
    lost: str
    direction: str

    @property
    def record(self) -> Record:
        """The record."""
        return self.line.record


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A person's draft as a page of records shows it: the choices of its rows, and how many are of other pages."""

    choices: Mapping[int, Picked] = field(default_factory=dict)
    overtaken: Mapping[int, ActionEvent] = field(default_factory=dict)
    here: int = 0

    @property
    def count(self) -> int:
        """How many choices are not saved."""
        return len(self.choices)

    @property
    def elsewhere(self) -> int:
        """How many of them are of records this page does not show."""
        return self.count - self.here


NO_DRAFT = Unsaved()


def unsaved(held: Access, lines: Sequence[Line]) -> Unsaved:
    """Return what of a person's draft belongs to a page of records: one query, one more where others overtook it."""
    choices = drafts.unsaved(taxpayer=held.taxpayer, actor=held.user, real_at=clock.real())
    here = {line.record.pk: line.record.version for line in lines if line.record.pk in choices}
    moved = {pk: choices[pk].version for pk, version in here.items() if choices[pk].version != version}
    events = drafts.overtakers(taxpayer=held.taxpayer, actor=held.user, seen=moved)
    return Unsaved(choices, {event.record_id: event for event in events}, len(here))


def rows(lines: list[Line], today: Standing, outcome: Outcome | None = None, draft: Unsaved = NO_DRAFT) -> list[Row]:
    """Return rows for lines, with what an earlier save said of them and what of them is not saved yet."""
    told = {result.record_id: result for result in outcome.results} if outcome else {}
    return [row(line, today, told.get(line.record.pk), draft) for line in lines]


def row(line: Line, today: Standing, told: Result | None = None, draft: Unsaved = NO_DRAFT) -> Row:
    """Return the row of one line. An unsaved choice stays chosen, an overtaken one is to be made again (portal 7.3)."""
    record = line.record
    kept = draft.choices.get(record.pk)
    is_overtaken = kept is not None and kept.version != record.version
    chosen = line.effective if kept is None else None if is_overtaken else kept.action
    shown = [action for action in inbox.ORDER if line.barred.get(action) is not Refusal.REJECT_NOT_ALLOWED]
    choices = [
        Choice(action.value, str(wording.ACTIONS[action]), action is chosen, action in line.barred)
        for action in shown
        if line.is_open
    ]
    key = f"{record.pk}.{record.version}"
    return Row(
        line=line,
        pk=str(record.pk),
        key=key,
        legend=_("Action for %(number)s of %(supplier)s")
        % {"number": record.number, "supplier": wording.supplier(record)},
        kind=str(wording.TYPES[Section(record.section)]),
        choices=choices,
        radios=_radios(choices, key, line.effective.value),
        reasons=_reasons(line, today),
        told=_trouble(line, today, told, draft),
        is_unsaved=kept is not None,
        was="" if kept is None else NOTHING_CHOSEN if is_overtaken else kept.action.value,
        reduction=_reduction(line),
        until=_until(line),
        lost=_lost(record),
        direction=str(wording.DIRECTIONS[line.direction]) if line.direction else "",
    )


def _radios(choices: Sequence[Choice], key: str, saved: str) -> SafeString:
    """Return the controls of a row's choices; `key` names the row, `saved` is the action that stands."""
    around = (_radio(choice, is_saved=choice.letter == saved) for choice in choices)
    return format_html_join("", "{}{}{}", ((before, key, after) for before, after in around))


@lru_cache(maxsize=256)
def _radio(choice: Choice, *, is_saved: bool) -> tuple[SafeString, SafeString]:
    """Return what stands before and after the row's name in the control of a choice."""
    states = {
        "data-saved": is_saved,
        "checked": choice.is_checked,
        "disabled": choice.is_barred and not choice.is_checked,
    }
    set_ = format_html_join("", " {}", ((name,) for name, is_set in states.items() if is_set))
    return (
        format_html('<label title="{}"><input type="radio" name="a.', choice.word),
        format_html('" value="{}" aria-label="{}"{}>{}</label>', choice.letter, choice.word, set_, choice.letter),
    )


def _until(line: Line) -> str:
    """Return until when a record is or may be pending; once it may not, the reason says until when it could."""
    is_waiting = line.is_open and line.effective in (Action.PENDING, Action.NONE)
    if line.pending_until is None or not is_waiting or Action.PENDING in line.barred:
        return ""
    return _("Pending until %(day)s") % {"day": show.day(line.pending_until)}


def _lost(record: Record) -> str:
    if not record.lost_action:
        return ""
    action = wording.ACTIONS[Action(record.lost_action)]
    return _("The supplier changed it after you chose %(action)s.") % {"action": action}


def _trouble(line: Line, today: Standing, told: Result | None, draft: Unsaved) -> str:
    """Return why a row's choice is not saved: overtaken, refused just now, or barred since it was made."""
    record, kept = line.record, draft.choices.get(line.record.pk)
    if kept is not None and kept.version != record.version:
        return wording.overtaken_choice(draft.overtaken.get(record.pk), kept.action)
    if told is not None and _is_trouble(told):
        return wording.result(told, record, today)
    if kept is not None and kept.action in line.barred:
        return wording.refusal(line.barred[kept.action], record, today)
    return ""


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
    troubles: list[tuple[int, bool, str, str]]


def told(outcome: Outcome, records: dict[int, Record], today: Standing, here: Collection[int] = ()) -> Told:
    """Return the result of a save in words; `records` holds the recipient's own among those not saved.

    `here` are the records whose rows stand on the page, to be jumped to.
    """
    troubles = [
        (
            result.record_id if result.record_id in records else 0,
            result.record_id in here,
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
