"""What clients were told of their choices, laid beside the history: the oracle of races and of chaos (promises 1, a).

A client writes down what it asks before it asks, and what it was told after; how the database came to its rows is none
of its affair. A lost update leaves rows that agree with one another: only this log finds it (promises 0.3).
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Max

from invoices.models import ActionEvent


class Outcome(StrEnum):
    """What a client was told of one record."""

    OK = "ok"
    CONFLICT = "conflict"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """503, a broken connection, an end of patience: it may have been saved or not."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One record of a request: by whom (username), the version seen, the action asked (N, A, R, P)."""

    who: str
    record: int
    version: int
    action: str
    request_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Told:
    """What came back: the outcome, and where it is `ok` the record's version then."""

    outcome: Outcome
    version: int | None = None


@dataclass(slots=True)
class AckLog:
    """Attempts and what was told of them, by many threads; `check` compares with the history since this was made.

    It knows the choices of people. Events of suppliers' edits and of the system (no actor) are none of its.
    """

    after: int = -1
    """The last event there was before; -1 asks the database."""
    _told: dict[Attempt, list[Told]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.after < 0:
            self.after = ActionEvent.objects.aggregate(last=Max("id"))["last"] or 0

    def attempt(self, who: str, record: int, version: int, action: str, request_id: uuid.UUID) -> Attempt:
        """Write down what is about to be asked; the same again, with its key, is the same attempt."""
        made = Attempt(who, record, version, action, request_id)
        with self._lock:
            self._told.setdefault(made, [])
        return made

    def told(self, attempt: Attempt, outcome: Outcome, version: int | None = None) -> None:
        """Write down what came back. An attempt of which nothing is ever told is unknown."""
        with self._lock:
            self._told[attempt].append(Told(outcome, version))

    def count(self, outcome: Outcome) -> int:
        """Return how many attempts ended so."""
        return sum(_last(told) is outcome for told in self._told.values())

    def check(self) -> None:
        """Fail where what was told and the history differ."""
        faults = self.faults()
        assert not faults, "\n".join(faults)

    def faults(self) -> list[str]:
        """Return, a sentence each, where what was told and the history differ; to be asked when all is quiet."""
        events = ActionEvent.objects.filter(id__gt=self.after).exclude(actor=None).select_related("actor")
        by_request: dict[tuple[uuid.UUID, int], list[ActionEvent]] = defaultdict(list)
        for event in events:
            by_request[event.request_id, event.record_id].append(event)
        asked = {(attempt.request_id, attempt.record): attempt for attempt in self._told}
        twice = Counter((attempt.request_id, attempt.record) for attempt in self._told)
        return [
            *(f"{key} stands for two different attempts" for key, count in twice.items() if count > 1),
            *self._wrong_answers(by_request),
            *_never_asked(by_request, asked),
        ]

    def _wrong_answers(self, events: dict[tuple[uuid.UUID, int], list[ActionEvent]]) -> Iterable[str]:
        """Yield attempts that were answered in two ways, acknowledged and not done, or done and denied."""
        for attempt, answers in self._told.items():
            known = {told for told in answers if told.outcome is not Outcome.UNKNOWN}
            if len(known) > 1:
                yield f"{attempt} was answered in two ways: {known}"
                continue
            done = events.get((attempt.request_id, attempt.record), [])
            told = next(iter(known), Told(Outcome.UNKNOWN))
            if told.outcome is Outcome.OK and not (_is_that(done, told) or _was_so(attempt, told)):
                yield f"{attempt} was acknowledged at version {told.version}; the history has {done}"
            if told.outcome in (Outcome.CONFLICT, Outcome.REFUSED) and done:
                yield f"{attempt} was answered {told.outcome}; the history has {done}"


def _last(told: list[Told]) -> Outcome:
    return told[-1].outcome if told else Outcome.UNKNOWN


def _is_that(done: list[ActionEvent], told: Told) -> bool:
    return len(done) == 1 and done[0].version == told.version


def _was_so(attempt: Attempt, told: Told) -> bool:
    """Whether the record was, at the version told, what was asked: an equal choice is acknowledged, writes nothing."""
    if told.version == 0:
        return attempt.action == "N"
    same = {"record_id": attempt.record, "version": told.version, "action": attempt.action}
    return ActionEvent.objects.filter(**same).exclude(request_id=attempt.request_id).exists()


def _never_asked(
    events: dict[tuple[uuid.UUID, int], list[ActionEvent]], asked: dict[tuple[uuid.UUID, int], Attempt]
) -> Iterable[str]:
    """Yield events that nobody asked for, or not like that: of another, of another action, over an unseen version."""
    for key, found in events.items():
        if len(found) > 1:
            yield f"{asked.get(key)} has {len(found)} events"
        attempt = asked.get(key)
        for event in found:
            stands = (event.actor.username, event.action, event.version)
            if attempt is None:
                yield f"nobody asked for {stands} of record {event.record_id}"
            elif stands != (attempt.who, attempt.action, attempt.version + 1):
                yield f"{attempt} became {stands}"
