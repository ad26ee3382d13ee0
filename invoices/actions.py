"""The recipient's side: choose, change, reset, and settle. The only writer of an action.

A command names records with the version their user saw, and comes back with one result per record: saved, already
so, overtaken by somebody else, or refused by the law with its reason. No record takes others down.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from ims_portal import access, audit, once
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules.actions import Action, Answer, Refusal
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import actions_sql, locking, records_sql, standing
from invoices.models import Inbox

LARGEST_COMMAND = 5000
"""Records one command may name (promises 5)."""


class TooManyRecordsError(Exception):
    """A command names more records than one may, or one record twice."""


class ResultStatus(StrEnum):
    """What became of one record of a command."""

    SAVED = "ok"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Choice:
    """An action with everything that belongs to it; saving replaces all of it as one (R2.2). Amounts in paise."""

    action: Action
    answer: Answer = Answer.NOT_GIVEN
    declared: Tax = NIL
    remark: str = ""
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One record of a command: its id, the version its user saw, and the choice."""

    record_id: int
    version: int
    choice: Choice


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record. `version` is the record's now; `current` its action now, `by` and `at` who and when.

    `asked` is the action the command chose.
    """

    record_id: int
    status: ResultStatus
    version: int
    number: str = ""
    refusal: Refusal | None = None
    current: Action = Action.NONE
    by: str = ""
    at: datetime | None = None
    asked: Action = Action.NONE


@dataclass(slots=True)
class Outcome:
    """The results of a command, in the order asked."""

    results: list[Result] = field(default_factory=list)

    def of(self, status: ResultStatus) -> list[Result]:
        """Return the results of one status."""
        return [result for result in self.results if result.status is status]

    @property
    def counts(self) -> dict[str, int]:
        """How many results of each status."""
        return dict(Counter(result.status.value for result in self.results))

    def as_answer(self) -> dict[str, object]:
        """Return the outcome as kept for the same request coming again."""
        return {"results": [asdict(result) for result in self.results]}

    @classmethod
    def of_answer(cls, answer: Mapping[str, Any]) -> Outcome:
        """Return the outcome that was kept."""
        return cls([_result_of(kept) for kept in answer["results"]])


def _result_of(kept: Mapping[str, Any]) -> Result:
    told = {
        "status": ResultStatus(kept["status"]),
        "refusal": Refusal(kept["refusal"]) if kept["refusal"] else None,
        "current": Action(kept["current"]),
        "asked": Action(kept["asked"]),
        "at": datetime.fromisoformat(kept["at"]) if kept["at"] else None,
    }
    return Result(**{**kept, **told})


def take(
    *, taxpayer: Taxpayer, items: Sequence[Item], actor: User | None, clock: Clock, request_id: uuid.UUID
) -> Outcome:
    """Record the recipient's choice on every record that allows it; the rest come back with their reason.

    This will lock the recipient's inbox, read the clock and the actor's right after it, judge all records in one
    statement, and write actions and events in another. `actor` None is the system. Raises TooManyRecordsError,
    access.RightMissingError, locking.BusyError, once.MismatchError. The same request again gives the answer it
    had, with no second effect.
    """
    if len(items) > LARGEST_COMMAND or len({item.record_id for item in items}) < len(items):
        raise TooManyRecordsError(f"One command takes at most {LARGEST_COMMAND} records, each of them once.")

    def work() -> Outcome:
        inbox = locking.lock([taxpayer.pk]).get(taxpayer.pk)
        at = clock.now()
        held = access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=at) if actor else None
        command = once.claim(actor=actor, key=request_id, body=_body(taxpayer, items)) if actor else None
        if command is not None and command.answer:
            return Outcome.of_answer(command.answer)
        judged = actions_sql.judge(taxpayer.pk, standing.of(taxpayer, at), items)
        allowed = [line for line in judged if line.is_allowed]
        if inbox is not None and allowed:
            _write(inbox, allowed, actor=actor, capacity=held.capacity if held else "", at=at, request_id=request_id)
        outcome = Outcome(_results(taxpayer, judged))
        if command is not None:
            once.answered(command, {"gstin": taxpayer.gstin, **outcome.as_answer()})
        return outcome

    return locking.transact(work)


def _body(taxpayer: Taxpayer, items: Sequence[Item]) -> dict[str, object]:
    return {"gstin": taxpayer.gstin, "items": [asdict(item) for item in items]}


def _write(
    inbox: Inbox,
    allowed: Sequence[actions_sql.Judged],
    *,
    actor: User | None,
    capacity: str,
    at: datetime,
    request_id: uuid.UUID,
) -> None:
    telling = [line for line in allowed if not line.is_silent]
    if any(line.gstr2b_month is not None and line.gstr2b_month <= inbox.open_month for line in telling):
        inbox.seq += 1
        inbox.save(update_fields=["seq"])
    written = actions_sql.write(
        inbox.taxpayer_id,
        allowed,
        actor_id=actor.pk if actor else None,
        capacity=capacity,
        at=at,
        request_id=request_id,
        inbox_seq=inbox.seq,
    )
    audit.record(
        event="records.acted",
        at=at,
        actor=actor,
        taxpayer=inbox.taxpayer,
        capacity=capacity,
        details={"records": written},
        request_id=request_id,
    )


def _results(taxpayer: Taxpayer, judged: Sequence[actions_sql.Judged]) -> list[Result]:
    overtaken = [line.item.record_id for line in judged if line.is_conflict]
    latest = actions_sql.latest_events(taxpayer.pk, overtaken) if overtaken else {}
    return [_result(line, latest) for line in judged]


def _result(line: actions_sql.Judged, latest: dict[int, tuple[str, datetime]]) -> Result:
    pk, asked = line.item.record_id, line.item.choice.action
    if line.is_conflict:
        by, at = latest.get(pk, ("", None))
        return Result(pk, ResultStatus.CONFLICT, line.version, line.number, None, line.action, by, at, asked)
    if line.refusal is not None:
        return Result(pk, ResultStatus.REFUSED, line.version, line.number, line.refusal, line.action, asked=asked)
    if line.is_same:
        return Result(pk, ResultStatus.UNCHANGED, line.version, line.number, None, line.action, asked=asked)
    return Result(pk, ResultStatus.SAVED, line.version + 1, line.number, None, asked, asked=asked)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejection that filing froze and that raises the supplier's liability: the cap, per head in paise (R6.3)."""

    record_id: int
    supplier_id: int
    own_month: int
    section: str
    inv_type: str
    cap: Tax


def settle(*, inbox: Inbox, standing_now: standing.Standing, period: TaxPeriod) -> list[Rejection]:
    """Settle what a filed 3B consumes (R7.7) and open the recipient's next period; return rejections that reduce.

    This will join the filing's transaction, after its locks, and never open one. Later versions are worked out
    again: amendments of what is settled now become actionable, and superseding follows the new open period (R2.7).
    """
    settled = actions_sql.settle(inbox.taxpayer_id, standing_now, period.month)
    inbox.open_month = standing_now.filer.following(period).month
    inbox.seq += 1
    inbox.save(update_fields=["open_month", "seq"])
    own = inbox.taxpayer_id
    replaced = records_sql.supersede(recipient_ids=[own])
    records_sql.close(own)
    later = records_sql.successors([line.record_id for line in settled] + replaced, recipient_id=own)
    records_sql.refresh(later, recipient_id=own)
    return [
        Rejection(line.record_id, line.supplier_id, line.own_month, line.section, line.inv_type, line.cap)
        for line in settled
        if line.is_reducing_rejection and line.supplier_id is not None
    ]


def tidy(remark: str) -> str:
    """Return a remark as it is stored: trimmed; an empty one is none (R5.3)."""
    return remark.strip()
