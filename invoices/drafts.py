"""Choices on their way: those that ask no question are saved at once, the others wait for answers on the server.

A draft is the kept answer of the request that staged it, under that request's id: the same form sent twice is the same
draft. Its records keep the versions their user saw, so that whatever happens meanwhile is told, never overwritten.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from ims_portal import once
from ims_portal.clock import Clock
from ims_portal.models import Command, Taxpayer, User
from ims_portal.rules.actions import Action
from invoices import actions, inbox, inbox_sql, standing
from invoices.actions import Choice, Item, Outcome
from invoices.inbox import Line
from invoices.models import ActionEvent
from invoices.standing import Standing

AT_ONCE = 100
"""Questions on one page; more wait for the next (DATA_UPLOAD_MAX_NUMBER_FIELDS)."""


@dataclass(frozen=True, slots=True)
class Picked:
    """An action chosen for a record at the version its user saw."""

    record_id: int
    version: int
    action: Action


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of a page of choices: what was saved or refused at once, and how many wait for answers."""

    request_id: uuid.UUID
    outcome: Outcome
    asking: int


@dataclass(frozen=True, slots=True)
class Draft:
    """Choices that wait for answers: the lines still to be answered, and those somebody else changed meanwhile."""

    lines: list[tuple[Picked, Line]]
    waiting: int
    overtaken: list[ActionEvent]
    back: str


def stage(
    *,
    taxpayer: Taxpayer,
    picked: Sequence[Picked],
    actor: User,
    clock: Clock,
    request_id: uuid.UUID,
    back: str,
    again: bool = False,
) -> Staged:
    """Save the choices that ask nothing and keep the others as a draft. Unchanged rows are left alone.

    `again` asks the questions of an unchanged choice anew; `back` is the page to return to. Raises what
    `actions.take` raises.
    """
    with transaction.atomic(durable=True):
        body = {"command": "stage", "gstin": taxpayer.gstin, "picked": [repr(line) for line in picked]}
        command = once.claim(actor=actor, key=request_id, body=body)
        if not command.answer:
            plain, asking = _split(taxpayer, standing.of(taxpayer, clock.now()), picked, again=again)
            once.answered(
                command,
                {
                    "gstin": taxpayer.gstin,
                    "plain": [_kept(line) for line in plain],
                    "asking": [_kept(line) for line in asking],
                    "back": back,
                },
            )
    items = [Item(line.record_id, line.version, Choice(line.action)) for line in _picked(command, "plain")]
    outcome = Outcome()
    if items:
        outcome = actions.take(
            taxpayer=taxpayer, items=items, actor=actor, clock=clock, request_id=outcome_key(request_id)
        )
    return Staged(request_id, outcome, len(command.answer["asking"]))


def outcome_key(request_id: uuid.UUID) -> uuid.UUID:
    """Return the request id under which a staging request saves what asks no question."""
    return uuid.uuid5(request_id, "asks nothing")


def sent(*, actor: User, request_id: uuid.UUID, fields: Mapping[str, object]) -> None:
    """Keep what a page of answers held. Raises once.MismatchError where its request id came with other answers (F03).

    What is saved leaves the draft, so the items alone cannot tell the same page sent twice from another one.
    """
    with transaction.atomic(durable=True):
        once.claim(actor=actor, key=uuid.uuid5(request_id, "answers"), body=fields)


def outcome_of(*, actor: User, gstin: str, request_id: uuid.UUID) -> Outcome | None:
    """Return what an earlier command of a person for a GSTIN came to; another client's stays on that client's pages."""
    command = Command.objects.filter(actor=actor, key=request_id).first()
    if command is None or "results" not in command.answer or command.answer.get("gstin") != gstin:
        return None
    return Outcome.of_answer(command.answer)


def of(*, taxpayer: Taxpayer, actor: User, draft_id: uuid.UUID, at: datetime) -> Draft | None:
    """Return a person's draft as it stands: what is answered is gone from it."""
    command = Command.objects.filter(actor=actor, key=draft_id).first()
    if command is None or command.answer.get("gstin") != taxpayer.gstin or "asking" not in command.answer:
        return None
    picked = _picked(command, "asking")
    records = inbox.by_ids(taxpayer, [line.record_id for line in picked])
    today = standing.of(taxpayer, at)
    waiting = [line for line in picked if line.record_id in records and records[line.record_id].version == line.version]
    moved = {line.record_id: line.version for line in picked if line not in waiting}
    lines = [(line, inbox.line(records[line.record_id], today)) for line in waiting[:AT_ONCE]]
    return Draft(lines, len(waiting), _by_others(taxpayer, actor, moved), command.answer["back"])


def asks(line: Line, action: Action, today: Standing) -> bool:
    """Whether a choice asks something before it is saved: the ITC reduction, why it is rejected, a remark."""
    if action is Action.ACCEPT:
        return line.is_specified
    return action is Action.REJECT or (action is Action.PENDING and not today.remarks_blocked(line.record))


def _split(
    taxpayer: Taxpayer, today: Standing, picked: Sequence[Picked], *, again: bool
) -> tuple[list[Picked], list[Picked]]:
    """Return the changed choices that ask nothing, and those that do. What is refused anyway asks nothing."""
    records = inbox.by_ids(taxpayer, [line.record_id for line in picked])
    moved = {
        line.record_id: line.version
        for line in picked
        if line.record_id in records and records[line.record_id].version != line.version
    }
    shown = inbox_sql.shown_actions(taxpayer.pk, moved) if moved else {}
    plain: list[Picked] = []
    asking: list[Picked] = []
    for choice in picked:
        record = records.get(choice.record_id)
        if record is None or choice.record_id in moved:
            # Only a choice the user made is told as overtaken; a row left as it was shown asks for nothing.
            if record is None or shown[choice.record_id] != choice.action:
                plain.append(choice)
            continue
        found = inbox.line(record, today)
        if found.effective is choice.action and not again:
            continue
        is_refused = found.refusals[choice.action].outcome is not None
        (plain if is_refused or not asks(found, choice.action, today) else asking).append(choice)
    return plain, asking


def _by_others(taxpayer: Taxpayer, actor: User, moved: dict[int, int]) -> list[ActionEvent]:
    """Return the events by which others overtook choices of a draft, one per record."""
    if not moved:
        return []
    events = ActionEvent.objects.filter(recipient=taxpayer, record_id__in=moved).select_related(
        "actor", "record__supplier"
    )
    next_ones = [event for event in events if event.version == moved[event.record_id] + 1]
    return [event for event in next_ones if event.actor_id != actor.pk]


def _kept(line: Picked) -> list[object]:
    return [line.record_id, line.version, line.action.value]


def _picked(command: Command, name: str) -> list[Picked]:
    return [Picked(pk, version, Action(letter)) for pk, version, letter in command.answer[name]]
