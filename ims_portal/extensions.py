"""Due dates moved by notification: proposed by one administrator, approved by another, and only then in force.

A proposal is a row without an approver, which no calendar reads. What is approved is known from that moment on: days,
deadlines and banners are functions of the calendar, so nothing else is written.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ims_portal import audit, calendar, once
from ims_portal.clock import Clock, day
from ims_portal.models import DueDateExtension, User
from ims_portal.rules import extensions as law
from ims_portal.rules import words
from ims_portal.rules.extensions import Barred
from ims_portal.rules.periods import Calendar, Frequency, Return, StateGroup, TaxPeriod


class RefusedError(Exception):
    """An extension that is not possible; nothing was done. `field` is the part of it that is wrong, or ""."""

    def __init__(self, text: str, field: str = "") -> None:
        self.field = field
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a notification extends: a return of a period, for a group of States or None for all, to an Indian day."""

    form: Return
    period: TaxPeriod
    group: StateGroup | None
    due: date
    notification: str

    @property
    def group_name(self) -> str:
        """The group in the law's words, "" for every State."""
        return words.answer(self.group) if self.group else ""

    def told(self) -> dict[str, object]:
        """Return it as the log keeps it."""
        return {
            "form": self.form.value,
            "period": self.period.name,
            "group": self.group.value if self.group else "",
            "due": self.due.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """A calendar before and after an extension, on the Indian day it is asked for."""

    asked: Asked
    on: date
    before: Calendar
    after: Calendar


@dataclass(frozen=True, slots=True)
class Moved:
    """Whom an extension moves: taxpayers who have yet to file the return, and Pending records with a later last day."""

    taxpayers: int
    pending: int


@dataclass(frozen=True, slots=True)
class Preview:
    """An extension before it is proposed: the days in force now, one or one for each group, and whom it moves."""

    asked: Asked
    in_force: list[date]
    moved: Moved


@dataclass(frozen=True, slots=True)
class Line:
    """An extension as listed: the row, what it extends, and the statutory days it moves."""

    row: DueDateExtension
    asked: Asked
    statutory: list[date]


Counter = Callable[[Change], Moved]
_counters: list[Counter] = []


def serve(counter: Counter) -> None:
    """Name what counts whom a change moves: the room of records and returns, when it starts."""
    _counters[:] = [counter]


def latest(most: int) -> list[Line]:
    """Return the latest extensions and proposals, newest first: one query."""
    rows = DueDateExtension.objects.select_related("proposed_by", "approved_by").order_by("-id")[:most]
    return [_line(row) for row in rows]


def _line(row: DueDateExtension) -> Line:
    asked = _asked(row)
    return Line(row, asked, law.days_in_force(Calendar(), asked.form, asked.period, asked.group))


def _asked(row: DueDateExtension) -> Asked:
    return Asked(
        form=Return(row.form),
        period=TaxPeriod(row.month, Frequency(row.frequency)),
        group=StateGroup(row.group) if row.group else None,
        due=row.due,
        notification=row.notification,
    )


def preview(asked: Asked, at: datetime) -> Preview:
    """Return whom an extension would move at a moment. This will raise RefusedError for one that is not possible."""
    in_force = calendar.in_force(at)
    _check(asked, day(at), in_force)
    after = law.with_extension(in_force, asked.form, asked.period, asked.group, asked.due)
    moved = _counters[0](Change(asked, day(at), in_force, after))
    return Preview(asked, law.days_in_force(in_force, asked.form, asked.period, asked.group), moved)


def propose(*, asked: Asked, actor: User, clock: Clock, request_id: uuid.UUID) -> int:
    """Keep an extension that waits for a second administrator, and return its id; it moves nothing yet.

    This will raise RefusedError for one that is not possible, or whose return has another that waits.
    """
    body = {"do": "propose", **asked.told(), "notification": asked.notification}
    with transaction.atomic():
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return int(str(command.answer["extension"]))
        at = clock.now()
        _check(asked, day(at), calendar.in_force(at))
        same = _of_return(asked).filter(group=asked.group or "", approved_by=None)
        if same.exists():
            raise RefusedError(_("An extension of this return already waits for a second administrator."), "form")
        row = DueDateExtension.objects.create(
            form=asked.form.value,
            month=asked.period.month,
            frequency=asked.period.frequency.value,
            group=asked.group.value if asked.group else "",
            due=asked.due,
            notification=asked.notification,
            known_from=at,  # the row needs a moment; approval sets the one that counts
            proposed_by=actor,
        )
        _record("extension.proposed", row, actor, at, request_id)
        once.answered(command, {"extension": row.pk})
    return row.pk


def approve(*, pk: int, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Put a proposal in force from now on; approved once, it stays so.

    This will raise RefusedError for the proposer's own, for one that is gone, and for one that became impossible
    since: a later extension of the same return, or the day itself, may have come meanwhile.
    """
    with transaction.atomic():
        command = once.claim(actor=actor, key=request_id, body={"do": "approve", "extension": pk})
        if command.answer:
            return
        row = _waiting(pk)
        if row.proposed_by == actor:
            raise RefusedError(_("You proposed this extension. Another administrator approves it."))
        at = clock.now()
        _check(_asked(row), day(at), calendar.in_force(at))
        row.approved_by, row.known_from = actor, at
        row.save(update_fields=["approved_by", "known_from"])
        _record("extension.approved", row, actor, at, request_id)
        once.answered(command, {"extension": pk})


def withdraw(*, pk: int, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Take a proposal back, whoever made it; the log keeps it. This will raise RefusedError for one that is gone."""
    with transaction.atomic():
        command = once.claim(actor=actor, key=request_id, body={"do": "withdraw", "extension": pk})
        if command.answer:
            return
        row = _waiting(pk)
        _record("extension.withdrawn", row, actor, clock.now(), request_id)
        row.delete()
        once.answered(command, {"extension": pk})


def _waiting(pk: int) -> DueDateExtension:
    """Return a proposal, locked with all extensions of its return: two approvals come one after the other."""
    found = DueDateExtension.objects.filter(pk=pk).first()
    if found is not None:
        locked = {row.pk: row for row in _of_return(_asked(found)).select_for_update().order_by("pk")}
        found = locked.get(pk)
    if found is None or found.approved_by_id is not None:
        raise RefusedError(_("This extension does not wait for approval any more."))
    return found


def _of_return(asked: Asked) -> QuerySet[DueDateExtension]:
    return DueDateExtension.objects.filter(
        form=asked.form.value, month=asked.period.month, frequency=asked.period.frequency.value
    )


def _check(asked: Asked, today: date, in_force: Calendar) -> None:
    """Raise RefusedError for what the law does not extend."""
    why = law.barred(asked.form, asked.period, asked.group, asked.due, today=today, calendar=in_force)
    if why is not None:
        raise RefusedError(_sentence(why, asked, in_force), "period" if why is Barred.NO_SUCH_RETURN else "due")


def _sentence(why: Barred, asked: Asked, in_force: Calendar) -> str:
    if why is Barred.NO_SUCH_RETURN:
        return _(
            "There is no such return of this period. A quarter is named by its last month; IFF and PMT-06 are of the "
            "months before it."
        )
    if why is Barred.NOT_LATER:
        latest_now = law.days_in_force(in_force, asked.form, asked.period, asked.group)[-1]
        return _("The due day in force is %(day)s. Choose a later one.") % {"day": _written(latest_now)}
    if why is Barred.OVER:
        return _("This day is over. Choose today or a later one.")
    if why is Barred.TOO_LATE:
        last = min(law.latest_day(asked.form, asked.period, one) for one in law.groups(asked.group))
        return _("A due day moves by a year at most, here to %(day)s.") % {"day": _written(last)}
    return _("A group of States has an extension of its own already. Extend each group by itself.")


def _written(on: date) -> str:
    return on.strftime("%d/%m/%Y")


def _record(event: str, row: DueDateExtension, actor: User, at: datetime, request_id: uuid.UUID) -> None:
    audit.record(
        event=event,
        at=at,
        actor=actor,
        subject=f"extension {row.pk}",
        details=_asked(row).told(),
        request_id=request_id,
    )
