"""Roles on a GSTIN: given, changed and ended by who may grant, never to oneself; the last Signatory stays.

Whatever changes who may do what on a GSTIN runs under one lock, its taxpayer's row: of two signatories who end each
other one comes second, and is refused. What ends is locked too, before the clock is read: a command that holds its
right (`access.require`) is over by then, or finds it gone.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from ims_portal import access, audit, once
from ims_portal.access import Access, Right
from ims_portal.clock import Clock
from ims_portal.models import Command, Engagement, Membership, Taxpayer, User

MOST_PAST = 100
"""How many roles that ended a page shows."""

Role = Membership.Role
NOT_IN_TIME = "55P03"
"""PostgreSQL's code for a lock that was not available within its time limit."""


class RefusedError(Exception):
    """An order about people or rights that is not possible; nothing was done. `field` is what is wrong, or ""."""

    def __init__(self, text: str, field: str = "") -> None:
        self.field = field
        super().__init__(text)


class BusyError(Exception):
    """Somebody's command runs on under a right that is to end; nothing was done."""

    code = "BUSY"


@dataclass(frozen=True, slots=True)
class Granting:
    """A command of somebody with the right to grant: their access, the moment, the request and its answer if any."""

    held: Access
    at: datetime
    command: Command

    def record(self, event: str, subject: str, details: Mapping[str, object]) -> None:
        """Append to the log what was done, and keep it as the answer. This will join the command's transaction."""
        audit.record(
            event=event,
            at=self.at,
            actor=self.held.user,
            taxpayer=self.held.taxpayer,
            subject=subject,
            capacity=self.held.capacity,
            details=details,
            request_id=self.command.key,
        )
        once.answered(self.command, {"done": event})


@contextmanager
def granting(
    *,
    taxpayer: Taxpayer,
    actor: User,
    clock: Clock,
    request_id: uuid.UUID,
    body: Mapping[str, object],
    ending: QuerySet[Membership] | QuerySet[Engagement] | None = None,
) -> Iterator[Granting]:
    """Open the transaction of a command that grants or ends, lock, and re-read that its actor may grant.

    Raises access.RightMissingError, once.MismatchError and BusyError.
    """
    with transaction.atomic(durable=True):
        lock(taxpayer, ending)
        at = clock.now()
        held = access.require(user=actor, taxpayer=taxpayer, right=Right.GRANT, at=at)
        command = once.claim(actor=actor, key=request_id, body={"gstin": taxpayer.gstin, **body})
        yield Granting(held, at, command)


def lock(taxpayer: Taxpayer, ending: QuerySet[Membership] | QuerySet[Engagement] | None = None) -> None:
    """Let one change of who may do what on a GSTIN come after the other, and after what is done under what ends.

    This will join the caller's transaction. Raises BusyError where that takes too long.
    """
    try:
        Taxpayer.objects.select_for_update(no_key=True).get(pk=taxpayer.pk)
        if ending is not None:
            list(ending.select_for_update().values_list("pk"))
    except OperationalError as problem:
        if getattr(problem.__cause__, "pgcode", None) != NOT_IN_TIME:
            raise
        raise BusyError(_("A command of theirs is under way. Nothing was changed; try again.")) from None


def still(at: datetime) -> Q:
    """Return what tells rows that have not ended at a moment, begun or not."""
    return Q(valid_to=None) | Q(valid_to__gt=at)


def of(taxpayer: Taxpayer, at: datetime) -> tuple[list[Membership], list[Membership]]:
    """Return the roles held on a taxpayer by name, and the latest that ended: two queries."""
    found = Membership.objects.filter(taxpayer=taxpayer).select_related("user", "granted_by")
    held = found.filter(still(at)).order_by("user__full_name", "user__username")
    return list(held), list(found.exclude(still(at)).order_by("-valid_to", "-pk")[:MOST_PAST])


def named(username: str) -> User:
    """Return whom a user name means. This will raise RefusedError where it means nobody who can have rights here."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise RefusedError(
            _("There is no user %(name)s here. Check the spelling, capital letters too.") % {"name": username},
            "username",
        )
    refuse_administrator(user, "username")
    return user


def refuse_administrator(user: User, field: str) -> None:
    """Raise RefusedError for an administrator, who sees no taxpayer's records."""
    if user.is_staff:
        raise RefusedError(
            _("%(name)s is an administrator of this portal and holds no rights on any GSTIN. Name somebody else.")
            % {"name": user},
            field,
        )


def refuse_twice(user: User, taxpayer: Taxpayer, at: datetime, field: str) -> None:
    """Raise RefusedError for somebody with a role, an engagement or a request here: one of them at a time."""
    of_both = {"user": user, "taxpayer": taxpayer}
    member = Membership.objects.filter(still(at), **of_both).first()
    if member is not None:
        raise RefusedError(
            _("%(name)s has a role on this GSTIN already: %(role)s. Change or end it first.")
            % {"name": user, "role": member.get_role_display()},
            field,
        )
    if Engagement.objects.filter(still(at), **of_both).exists():
        raise RefusedError(
            _("%(name)s has an engagement, or a request for one, on this GSTIN already. End it first.")
            % {"name": user},
            field,
        )


def give(*, taxpayer: Taxpayer, username: str, role: Role, actor: User, clock: Clock, request_id: uuid.UUID) -> User:
    """Give a role to the user of a name from now on, and return who it is.

    Raises RefusedError for oneself, for nobody, for an administrator and for who has rights here already.
    """
    body = {"do": "give role", "username": username, "role": role.value}
    with granting(taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body) as granted:
        if granted.command.answer:
            return User.objects.get(username=username)
        user = named(username)
        if user == actor:
            raise RefusedError(_("Nobody gives a role to themselves. Another signatory can."), "username")
        refuse_twice(user, taxpayer, granted.at, "username")
        row = _begin(user, role, granted)
        granted.record("role.given", f"membership {row.pk}", {"user": user.pk, "role": role.value})
        return user


def change(
    *, taxpayer: Taxpayer, membership: int, role: Role, actor: User, clock: Clock, request_id: uuid.UUID
) -> User:
    """End a role and begin another one in its place, and return whose it is.

    Raises RefusedError for one's own, for one that ended, for the same again and for the last Signatory's.
    """
    body = {"do": "change role", "membership": membership, "role": role.value}
    rows = Membership.objects.filter(taxpayer=taxpayer, pk=membership)
    with granting(
        taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body, ending=rows
    ) as granted:
        row = _row(taxpayer, membership)
        if granted.command.answer:
            return row.user
        _refuse_ended(row, granted.at)
        if row.user == actor:
            raise RefusedError(_("Nobody changes their own role. Another signatory can."))
        if row.role == role:
            raise RefusedError(
                _("%(name)s has this role already: %(role)s.") % {"name": row.user, "role": row.get_role_display()}
            )
        _end(row, granted.at)
        begun = _begin(row.user, role, granted)
        told = {"user": row.user_id, "from": row.role, "to": role.value, "membership": begun.pk}
        granted.record("role.changed", f"membership {row.pk}", told)
        return row.user


def end(*, taxpayer: Taxpayer, membership: int, actor: User, clock: Clock, request_id: uuid.UUID) -> User:
    """End a role from now on, also one's own, and return whose it was.

    Raises RefusedError for one that ended already and for the last Signatory's.
    """
    body = {"do": "end role", "membership": membership}
    rows = Membership.objects.filter(taxpayer=taxpayer, pk=membership)
    with granting(
        taxpayer=taxpayer, actor=actor, clock=clock, request_id=request_id, body=body, ending=rows
    ) as granted:
        row = _row(taxpayer, membership)
        if granted.command.answer:
            return row.user
        _refuse_ended(row, granted.at)
        _end(row, granted.at)
        granted.record("role.ended", f"membership {row.pk}", {"user": row.user_id, "role": row.role})
        return row.user


def _row(taxpayer: Taxpayer, membership: int) -> Membership:
    row = Membership.objects.filter(taxpayer=taxpayer, pk=membership).select_related("user").first()
    if row is None:
        raise Http404("No such role.")
    return row


def _refuse_ended(row: Membership, at: datetime) -> None:
    if row.valid_to is not None and row.valid_to <= at:
        raise RefusedError(_("This role of %(name)s has ended already.") % {"name": row.user})


def _begin(user: User, role: Role, granted: Granting) -> Membership:
    return Membership.objects.create(
        user=user,
        taxpayer=granted.held.taxpayer,
        role=role.value,
        valid_from=granted.at,
        granted_by=granted.held.user,
    )


def _end(row: Membership, at: datetime) -> None:
    """End a role. This will raise RefusedError where nobody would be left who may file and grant."""
    others = Membership.objects.filter(
        still(at), taxpayer=row.taxpayer_id, role=Role.SIGNATORY, valid_from__lte=at, user__is_active=True
    )
    if row.role == Role.SIGNATORY and not others.exclude(pk=row.pk).exists():
        raise RefusedError(
            _("%(name)s is the only signatory of this GSTIN. Make somebody else a signatory first.")
            % {"name": row.user}
        )
    row.valid_to = at
    row.save(update_fields=["valid_to"])
