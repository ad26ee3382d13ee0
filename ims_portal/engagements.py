"""Engagements: a practitioner's dated right to act for a GSTIN, asked by one side, accepted by the other.

A row is one agreement from its request to its end. Until the other side accepts it, it gives nothing; `file` is in it
only where the taxpayer's side ticked it by name. Declined, withdrawn and ended are all `valid_to`; a row that ends
before it begins is empty: it begins and ends at that moment.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import audit, clock, once, roles
from ims_portal.access import NEVER_ENGAGED, PRACTITIONER, Right
from ims_portal.clock import Clock
from ims_portal.models import Command, Engagement, Membership, Taxpayer, User
from ims_portal.roles import RefusedError

MOST_PAST = 100
"""How many engagements that ended a page shows."""

NAMES: dict[Right, Promise] = {
    Right.VIEW: gettext_lazy("Look at pages, history and reasons"),
    Right.EXPORT: gettext_lazy("Take files out"),
    Right.ACT: gettext_lazy("Decide on records"),
    Right.SUPPLY: gettext_lazy("Report and change documents"),
    Right.COMPUTE: gettext_lazy("Compute GSTR-2B and prepare GSTR-3B"),
    Right.FILE: gettext_lazy("File returns"),
}
"""What an engagement may hold, in the order people read it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked: rights, the first Indian day, None for at once, and the last one, None for no end."""

    rights: frozenset[Right]
    first: date | None = None
    last: date | None = None

    def told(self) -> dict[str, object]:
        """Return them as the log keeps them."""
        return {
            "rights": sorted(self.rights),
            "first": self.first.isoformat() if self.first else "",
            "last": self.last.isoformat() if self.last else "",
        }


@dataclass(frozen=True, slots=True)
class Line:
    """An engagement as either side lists it at a moment."""

    row: Engagement
    at: datetime

    @property
    def waits(self) -> bool:
        """Whether one side has yet to accept it."""
        return self.row.accepted_by_id is None and self.is_open

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.row.valid_to is None or self.row.valid_to > self.at

    @property
    def is_in_force(self) -> bool:
        """Whether it gives its rights now."""
        return self.was_agreed and self.is_open and self.has_begun

    @property
    def has_begun(self) -> bool:
        """Whether its first day has come."""
        return self.row.valid_from <= self.at

    @property
    def was_agreed(self) -> bool:
        """Whether both sides ever wanted it; of what they did not, the practitioner learns no name."""
        return self.row.accepted_by_id is not None

    @property
    def is_practitioners(self) -> bool:
        """Whether the practitioner asked for it, and not the taxpayer."""
        return self.row.asked_by_id == self.row.user_id

    @property
    def is_taxpayers(self) -> bool:
        """Whether the taxpayer asked for it."""
        return not self.is_practitioners

    @property
    def tells_name(self) -> bool:
        """Whether the practitioner may read whose it is: the taxpayer asked for it, or agreed to it."""
        return self.was_agreed or not self.is_practitioners

    @property
    def rights(self) -> list[str]:
        """The names of its rights."""
        return [str(name) for right, name in NAMES.items() if right.value in self.row.rights]

    @property
    def asks_to_file(self) -> bool:
        """Whether filing is among them, which the taxpayer grants by name."""
        return Right.FILE.value in self.row.rights

    @property
    def last(self) -> date | None:
        """The last day of one that ends by itself."""
        return clock.day(self.row.valid_to - timedelta(microseconds=1)) if self.row.valid_to else None


def of(taxpayer: Taxpayer, at: datetime) -> tuple[list[Line], list[Line]]:
    """Return the engagements of a taxpayer and its requests, and the latest that ended: two queries."""
    return _listed({"taxpayer": taxpayer}, at)


def of_user(user: User, at: datetime) -> tuple[list[Line], list[Line]]:
    """Return the engagements of a practitioner and their requests, and the latest that ended: two queries."""
    return _listed({"user": user}, at)


def _listed(whose: Mapping[str, object], at: datetime) -> tuple[list[Line], list[Line]]:
    found = Engagement.objects.filter(**whose).select_related("user", "taxpayer", "asked_by", "accepted_by")
    now = found.filter(roles.still(at)).order_by("-pk")
    past = found.exclude(roles.still(at)).order_by("-valid_to", "-pk")[:MOST_PAST]
    return [Line(row, at) for row in now], [Line(row, at) for row in past]


def waiting_at(taxpayer: Taxpayer, at: datetime) -> int:
    """Return how many practitioners' requests wait for a taxpayer's answer: one query."""
    return _waiting(at).filter(taxpayer=taxpayer, asked_by=F("user")).count()


def waiting_for(user: User, at: datetime) -> int:
    """Return how many taxpayers' requests wait for a practitioner's answer: one query."""
    return _waiting(at).filter(user=user).exclude(asked_by=user).count()


def _waiting(at: datetime) -> QuerySet[Engagement]:
    return Engagement.objects.filter(roles.still(at), accepted_by=None)


def offer(*, taxpayer: Taxpayer, username: str, terms: Terms, actor: User, clock: Clock, request_id: uuid.UUID) -> User:
    """Ask the user of a name for an engagement, on the taxpayer's side, and return who it is; it gives nothing yet.

    Raises RefusedError for oneself, for nobody, for who has rights here already and for days that are over.
    """
    body = {"do": "offer engagement", "username": username, **terms.told()}
    with roles.granting(taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body) as granted:
        if granted.command.answer:
            return User.objects.get(username=username)
        user = roles.named(username)
        if user == actor:
            raise RefusedError(_("Nobody engages themselves. Name the practitioner."), "username")
        roles.refuse_twice(user, taxpayer, granted.at, "username")
        row = _new(user, taxpayer, terms, asked_by=actor, at=granted.at)
        granted.record("engagement.asked", f"engagement {row.pk}", {"user": user.pk, **terms.told()})
        return user


def accept(
    *, taxpayer: Taxpayer, engagement: int, with_file: bool, actor: User, clock: Clock, request_id: uuid.UUID
) -> User:
    """Accept what a practitioner asked for, and return who it is; filing only where it is granted by name.

    Raises RefusedError for one's own request, and for what does not wait for the taxpayer any more.
    """
    body = {"do": "accept engagement", "engagement": engagement, "with_file": with_file}
    with roles.granting(taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body) as granted:
        row = _row({"taxpayer": taxpayer}, engagement)
        if granted.command.answer:
            return row.user
        if row.user == actor:
            raise RefusedError(_("Nobody accepts their own request. Another signatory can."))
        _refuse_unless_waiting(row, granted.at, asked_by_practitioner=True)
        if not with_file:
            row.rights = [name for name in row.rights if name != Right.FILE.value]
        _begin(row, actor, granted.at)
        granted.record("engagement.accepted", f"engagement {row.pk}", {"user": row.user_id, "rights": row.rights})
        return row.user


def end(*, taxpayer: Taxpayer, engagement: int, actor: User, clock: Clock, request_id: uuid.UUID) -> User:
    """End an engagement at once on the taxpayer's side, or decline or take back a request; return whose it was.

    Raises RefusedError for one that has ended.
    """
    body = {"do": "end engagement", "engagement": engagement}
    rows = Engagement.objects.filter(taxpayer=taxpayer, pk=engagement)
    with roles.granting(
        taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body, ending=rows
    ) as granted:
        row = _row({"taxpayer": taxpayer}, engagement)
        if not granted.command.answer:
            event = _end(row, granted.at, on_practitioners_side=False)
            granted.record(event, f"engagement {row.pk}", {"user": row.user_id})
        return row.user


def ask(*, gstin: str, terms: Terms, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Ask a taxpayer for an engagement, on the practitioner's side; it gives nothing until they accept.

    Raises RefusedError where nobody here can agree for the GSTIN, known or not, for days that are over, and for an
    administrator or somebody with rights here already.
    """
    nobody = RefusedError(
        _("Nobody here can agree for %(gstin)s. Check the number, and ask whether that taxpayer uses this portal.")
        % {"gstin": gstin},
        "gstin",
    )
    taxpayer = Taxpayer.objects.filter(gstin=gstin).first()
    if taxpayer is None:
        raise nobody
    body = {"do": "ask engagement", "gstin": gstin, **terms.told()}
    with _own(taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body) as (at, command):
        if command.answer:
            return
        roles.refuse_administrator(actor, "")
        signatories = Membership.objects.filter(roles.still(at), taxpayer=taxpayer, role=roles.Role.SIGNATORY)
        if not signatories.exists():
            raise nobody
        roles.refuse_twice(actor, taxpayer, at, "gstin")
        row = _new(actor, taxpayer, terms, asked_by=actor, at=at)
        _record_own("engagement.asked", row, at, command, terms.told())


def agree(*, engagement: int, gstin: str, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Accept what a taxpayer asked for, on the practitioner's side.

    Raises RefusedError for what does not wait for the practitioner any more.
    """
    taxpayer = _row({"user": actor, "taxpayer__gstin": gstin}, engagement).taxpayer
    body = {"do": "agree engagement", "engagement": engagement}
    with _own(taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body) as (at, command):
        if command.answer:
            return
        row = _row({"user": actor}, engagement)
        _refuse_unless_waiting(row, at, asked_by_practitioner=False)
        _begin(row, actor, at)
        _record_own("engagement.accepted", row, at, command, {"rights": row.rights})


def leave(*, engagement: int, gstin: str, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """End one's own engagement at once, or decline or take back a request, on the practitioner's side.

    Raises RefusedError for one that has ended.
    """
    taxpayer = _row({"user": actor, "taxpayer__gstin": gstin}, engagement).taxpayer
    body = {"do": "leave engagement", "engagement": engagement}
    with _own(taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body) as (at, command):
        if command.answer:
            return
        row = _row({"user": actor}, engagement)
        event = _end(row, at, on_practitioners_side=True)
        _record_own(event, row, at, command, {})


@contextmanager
def _own(
    *, taxpayer: Taxpayer, actor: User, clock: Clock, request_id: uuid.UUID, body: Mapping[str, object]
) -> Iterator[tuple[datetime, Command]]:
    """Open the transaction of a practitioner's command: the taxpayer's lock, then the moment, then the request."""
    with transaction.atomic(durable=True):
        roles.lock(taxpayer, Engagement.objects.filter(user=actor, taxpayer=taxpayer))
        at = clock.now()
        yield at, once.claim(actor=actor, key=request_id, body=body)


def _record_own(event: str, row: Engagement, at: datetime, command: Command, details: Mapping[str, object]) -> None:
    audit.record(
        event=event,
        at=at,
        actor=row.user,
        taxpayer=row.taxpayer,
        subject=f"engagement {row.pk}",
        capacity=PRACTITIONER,
        details={"user": row.user_id, **details},
        request_id=command.key,
    )
    once.answered(command, {"done": event})


def _row(whose: Mapping[str, object], engagement: int) -> Engagement:
    row = Engagement.objects.filter(pk=engagement, **whose).select_related("user", "taxpayer").first()
    if row is None:
        raise Http404("No such engagement.")
    return row


def _new(user: User, taxpayer: Taxpayer, terms: Terms, *, asked_by: User, at: datetime) -> Engagement:
    """Keep a request. This will raise RefusedError for terms that are not possible."""
    _check(terms, clock.day(at))
    begins = clock.midnight(terms.first) if terms.first else at
    return Engagement.objects.create(
        user=user,
        taxpayer=taxpayer,
        rights=[right.value for right in NAMES if right in terms.rights | {Right.VIEW}],
        valid_from=max(begins, at),
        valid_to=clock.midnight(terms.last + timedelta(days=1)) if terms.last else None,
        asked_by=asked_by,
    )


def _check(terms: Terms, today: date) -> None:
    if terms.rights & NEVER_ENGAGED:
        raise RefusedError(_("The right to grant is part of no engagement."), "rights")
    for field, day in (("first", terms.first), ("last", terms.last)):
        if day and day < today:
            raise RefusedError(_("This day is over. Choose today or a later one."), field)
        if day and day.year > clock.LAST_YEAR:
            raise RefusedError(_("This day is too far away. Choose an earlier one."), field)
    if terms.last and terms.last < (terms.first or today):
        raise RefusedError(_("The last day is before the first. Choose a later one."), "last")


def _refuse_unless_waiting(row: Engagement, at: datetime, *, asked_by_practitioner: bool) -> None:
    line = Line(row, at)
    if not line.waits or line.is_practitioners is not asked_by_practitioner:
        raise RefusedError(_("This request does not wait for your answer any more."))


def _begin(row: Engagement, by: User, at: datetime) -> None:
    """Put an agreement in force, from its first day on and never from before it was agreed."""
    row.accepted_by, row.valid_from = by, max(row.valid_from, at)
    row.save(update_fields=["accepted_by", "rights", "valid_from"])


def _end(row: Engagement, at: datetime, *, on_practitioners_side: bool) -> str:
    """End a row now and return the name of the event."""
    line = Line(row, at)
    if not line.is_open:
        raise RefusedError(_("This engagement, or request for one, has ended already."))
    row.valid_from, row.valid_to = min(row.valid_from, at), at
    row.save(update_fields=["valid_from", "valid_to"])
    if line.was_agreed:
        return "engagement.ended"
    return "engagement.withdrawn" if line.is_practitioners is on_practitioners_side else "engagement.declined"
