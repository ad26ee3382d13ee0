"""Choices on their way: kept on the server from the moment they are made until they are saved or discarded.

Everybody has one draft per GSTIN, whatever page, tab or window its choices come from. A choice keeps the version its
person saw, so that whatever happens meanwhile is told, never overwritten; it leaves the draft when it is saved, taken
back or discarded, and after eight hours. A refused or overtaken choice stays, and so does what was typed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from ims_portal import once
from ims_portal.clock import Clock
from ims_portal.models import Command, Taxpayer, User
from ims_portal.rules.actions import Action
from invoices import actions, inbox, inbox_sql, standing
from invoices.actions import LARGEST_COMMAND, Choice, Item, Outcome, Result, ResultStatus
from invoices.inbox import Line
from invoices.models import ActionEvent, Draft, DraftChoice, Record
from invoices.standing import Standing

LASTS = timedelta(hours=8)
"""How long a choice is kept unsaved, by the real clock (portal 7.7)."""

AT_ONCE = 100
"""Questions on one page; more wait for the next (DATA_UPLOAD_MAX_NUMBER_FIELDS)."""


@dataclass(frozen=True, slots=True)
class Picked:
    """An action chosen for a record at the version its user saw."""

    record_id: int
    version: int
    action: Action


@dataclass(frozen=True, slots=True)
class Sent:
    """A page of choices as it was sent: each row's choice, and the unsaved choices the page had shown.

    `shown` has those unsaved choices by record id, None where a row showed nothing as chosen because somebody had
    overtaken it. `again` asks the questions of an unchanged choice anew; `back` is the page to return to.
    """

    picked: Sequence[Picked]
    shown: Mapping[int, Action | None] = field(default_factory=dict)
    back: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of saving: what was saved or refused at once, and how many choices of the draft wait for answers."""

    draft_id: uuid.UUID
    outcome: Outcome
    asking: int


@dataclass(frozen=True, slots=True)
class Asking:
    """The choices of a draft that wait for answers, and those somebody else overtook meanwhile."""

    draft: Draft
    lines: list[tuple[Picked, Line]]
    answers: Mapping[int, Mapping[str, str]]
    waiting: int
    overtaken: list[ActionEvent]

    @property
    def back(self) -> str:
        """The page the choices were made on."""
        return self.draft.back


def stage(*, taxpayer: Taxpayer, actor: User, sent: Sent, today: Standing, real_at: datetime) -> uuid.UUID:
    """Keep a page's changed choices in its person's draft, and return its id; nothing is saved.

    Rows left as shown change nothing.
    """
    with transaction.atomic(durable=True):
        draft, _unknown = _stage(taxpayer, actor, sent, today, real_at)
        return draft.pk


def _stage(
    taxpayer: Taxpayer, actor: User, sent: Sent, today: Standing, real_at: datetime
) -> tuple[Draft, list[Picked]]:
    """Return the draft after a page was laid into it, and choices on what is no record of the recipient."""
    draft, _made = Draft.objects.update_or_create(recipient=taxpayer, user=actor, defaults={"back": sent.back})
    draft.choices.filter(staged_at__lt=real_at - LASTS).delete()
    records = inbox.by_ids(taxpayer, [choice.record_id for choice in sent.picked])
    shown = _shown(taxpayer, records, sent, today)
    kept, taken_back = [], []
    for choice in sent.picked:
        record = records.get(choice.record_id)
        if record is None or (choice.action is shown[record.pk] and not sent.again):
            continue
        is_current = record.version == choice.version
        if is_current and choice.action is today.effective_action(record) and not sent.again:
            taken_back.append(record.pk)
        else:
            kept.append(
                DraftChoice(draft=draft, record=record, version=choice.version, action=choice.action, staged_at=real_at)
            )
    draft.choices.filter(record_id__in=taken_back).delete()
    DraftChoice.objects.bulk_create(
        kept,
        update_conflicts=True,
        unique_fields=["draft", "record"],
        update_fields=["version", "action", "answers", "staged_at"],
    )
    return draft, [choice for choice in sent.picked if choice.record_id not in records]


def _shown(taxpayer: Taxpayer, records: Mapping[int, Record], sent: Sent, today: Standing) -> dict[int, Action | None]:
    """Return record id -> the action its row showed as chosen when the page was made."""
    versions = {choice.record_id: choice.version for choice in sent.picked}
    moved = {
        pk: versions[pk] for pk, record in records.items() if record.version != versions[pk] and pk not in sent.shown
    }
    before = inbox_sql.shown_actions(taxpayer.pk, moved) if moved else {}
    standing_now = {pk: today.effective_action(record) for pk, record in records.items()}
    told = {pk: action for pk, action in sent.shown.items() if pk in records}
    return standing_now | {pk: Action(letter) for pk, letter in before.items()} | told


def unsaved(*, taxpayer: Taxpayer, actor: User, real_at: datetime) -> dict[int, Picked]:
    """Return record id -> a person's choice for a GSTIN that is not saved yet: one query."""
    return {choice.record_id: _picked(choice) for choice in _choices(taxpayer, actor, real_at)}


def _choices(taxpayer: Taxpayer, actor: User, real_at: datetime) -> list[DraftChoice]:
    found = DraftChoice.objects.filter(
        draft__recipient=taxpayer, draft__user=actor, staged_at__gte=real_at - LASTS
    ).order_by("pk")
    return list(found[:LARGEST_COMMAND])


def _picked(choice: DraftChoice) -> Picked:
    return Picked(choice.record_id, choice.version, Action(choice.action))


def discard(*, taxpayer: Taxpayer, actor: User) -> int:
    """Throw away a person's unsaved choices for a GSTIN, and return how many there were."""
    with transaction.atomic(durable=True):
        count, _by_model = DraftChoice.objects.filter(draft__recipient=taxpayer, draft__user=actor).delete()
    return count


def forget(*, draft_id: uuid.UUID, picked: Collection[Picked]) -> None:
    """Take choices out of a draft, each only while it is still the one named: another tab may have chosen anew."""
    with transaction.atomic(durable=True):
        rows = DraftChoice.objects.filter(draft_id=draft_id, record_id__in={choice.record_id for choice in picked})
        named = set(picked)
        gone = [row.pk for row in rows.select_for_update().order_by("pk") if _picked(row) in named]
        DraftChoice.objects.filter(pk__in=gone).delete()


def answer(*, draft_id: uuid.UUID, answers: Mapping[int, Mapping[str, str]]) -> None:
    """Keep what was typed to the questions of a draft's choices; record id -> field -> text."""
    with transaction.atomic(durable=True):
        rows = list(
            DraftChoice.objects.filter(draft_id=draft_id, record_id__in=answers).select_for_update().order_by("pk")
        )
        for row in rows:
            row.answers = dict(answers[row.record_id])
        DraftChoice.objects.bulk_update(rows, ["answers"])


def turn(*, draft_id: uuid.UUID, choice: Picked, action: Action) -> Picked:
    """Choose something else for one record of a draft, and return the new choice."""
    with transaction.atomic(durable=True):
        DraftChoice.objects.filter(draft_id=draft_id, record_id=choice.record_id, version=choice.version).update(
            action=action.value, answers={}
        )
    return Picked(choice.record_id, choice.version, action)


def save(
    *,
    taxpayer: Taxpayer,
    actor: User,
    sent: Sent,
    clock: Clock,
    real_at: datetime,
    request_id: uuid.UUID,
    only: int | None = None,
) -> Saved:
    """Stage a page, then save what of the draft asks nothing; the rest waits for answers.

    `only` leaves every other record of the draft alone. The same request again has no second effect. What is saved
    leaves the draft; what is refused or overtaken stays. Raises what `actions.take` raises; the draft is kept then.
    """
    with transaction.atomic(durable=True):
        body = {"command": "save", "gstin": taxpayer.gstin, "picked": [repr(line) for line in sent.picked]}
        command = once.claim(actor=actor, key=request_id, body=body)
        if not command.answer:
            today = standing.of(taxpayer, clock.now())
            draft, unknown = _stage(taxpayer, actor, sent, today, real_at)
            waiting = [choice for choice in _choices(taxpayer, actor, real_at) if only in (None, choice.record_id)]
            plain, asking = _split(taxpayer, today, [_picked(choice) for choice in waiting], again=sent.again)
            kept = [[line.record_id, line.version, line.action.value] for line in (*plain, *unknown)]
            once.answered(
                command,
                {"gstin": taxpayer.gstin, "draft": str(draft.pk), "plain": kept[:LARGEST_COMMAND], "asking": asking},
            )
    draft_id = uuid.UUID(command.answer["draft"])
    items = [Item(pk, version, Choice(Action(letter))) for pk, version, letter in command.answer["plain"]]
    outcome = Outcome()
    if items:
        outcome = actions.take(
            taxpayer=taxpayer, items=items, actor=actor, clock=clock, request_id=outcome_key(request_id)
        )
        settle(draft_id=draft_id, items=items, outcome=outcome)
    return Saved(draft_id, outcome, command.answer["asking"])


def settle(*, draft_id: uuid.UUID, items: Sequence[Item], outcome: Outcome) -> None:
    """Take out of a draft what a command saved or found saved already."""
    done = {result.record_id for result in outcome.results if is_done(result)}
    picked = [Picked(item.record_id, item.version, item.choice.action) for item in items if item.record_id in done]
    if picked:
        forget(draft_id=draft_id, picked=picked)


def is_done(result: Result) -> bool:
    """Whether nothing is left to do about one record of a command."""
    return result.status in (ResultStatus.SAVED, ResultStatus.UNCHANGED)


def outcome_key(request_id: uuid.UUID) -> uuid.UUID:
    """Return the request id under which a saving request saves what asks no question."""
    return uuid.uuid5(request_id, "asks nothing")


def sent_answers(*, actor: User, request_id: uuid.UUID, fields: Mapping[str, object]) -> None:
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


def asking(
    *,
    taxpayer: Taxpayer,
    actor: User,
    draft_id: uuid.UUID,
    today: Standing,
    real_at: datetime,
    only: int | None = None,
) -> Asking | None:
    """Return what a person's draft asks; None where it is not theirs. `only` asks about one record."""
    draft = Draft.objects.filter(pk=draft_id, recipient=taxpayer, user=actor).first()
    if draft is None:
        return None
    choices = [choice for choice in _choices(taxpayer, actor, real_at) if only in (None, choice.record_id)]
    records = inbox.by_ids(taxpayer, [choice.record_id for choice in choices])
    waiting, moved, answers = [], {}, {}
    for choice in choices:
        picked, record = _picked(choice), records[choice.record_id]
        if record.version != choice.version:
            moved[choice.record_id] = choice.version
            continue
        found = inbox.line(record, today)
        if found.refusals[picked.action].outcome is None and asks(found, picked.action, today):
            waiting.append((picked, found))
            answers[picked.record_id] = choice.answers
    overtaken = overtakers(taxpayer=taxpayer, actor=actor, seen=moved)
    return Asking(draft, waiting[:AT_ONCE], answers, len(waiting), overtaken)


def asks(line: Line, action: Action, today: Standing) -> bool:
    """Whether a choice asks something before it is saved: the ITC reduction, why it is rejected, a remark."""
    if action is Action.ACCEPT:
        return line.is_specified
    return action is Action.REJECT or (action is Action.PENDING and not today.remarks_blocked(line.record))


def _split(taxpayer: Taxpayer, today: Standing, picked: Sequence[Picked], *, again: bool) -> tuple[list[Picked], int]:
    """Return the choices that ask nothing, and how many do. What is refused or overtaken anyway asks nothing."""
    records = inbox.by_ids(taxpayer, [line.record_id for line in picked])
    plain = []
    for choice in picked:
        record = records[choice.record_id]
        found = inbox.line(record, today)
        is_refused = found.refusals[choice.action].outcome is not None
        is_same = found.effective is choice.action and not again
        if record.version != choice.version or is_refused or is_same or not asks(found, choice.action, today):
            plain.append(choice)
    return plain, len(picked) - len(plain)


def overtakers(*, taxpayer: Taxpayer, actor: User, seen: Mapping[int, int]) -> list[ActionEvent]:
    """Return the events by which others overtook choices made at the versions `seen`, one per record."""
    if not seen:
        return []
    events = ActionEvent.objects.filter(recipient=taxpayer, record_id__in=seen).select_related(
        "actor", "record__supplier"
    )
    next_ones = [event for event in events if event.version == seen[event.record_id] + 1]
    return [event for event in next_ones if event.actor_id != actor.pk]
