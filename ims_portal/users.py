"""The people of the portal as administrators list, make and suspend them: names and counts, never what they work on.

No administrator knows a password: a new user chooses one by a link, which is made only while there is none. Who is
suspended is out at once, for nobody inactive is a user of any request; sessions that are ended are those that began
before (`sessions`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404
from django.utils.translation import gettext as _

from ims_portal import administrators, audit, once, roles
from ims_portal.audit_words import ADMINISTRATOR
from ims_portal.clock import Clock, Real
from ims_portal.models import Command, Engagement, Membership, User
from ims_portal.roles import RefusedError


@dataclass(frozen=True, slots=True)
class Line:
    """A user as listed, with on how many GSTINs they hold a role or an engagement, asked for or in force."""

    row: User
    roles: int
    engagements: int

    @property
    def has_no_password(self) -> bool:
        """Whether they have yet to choose one."""
        return not self.row.has_usable_password()


def page(search: str, at: datetime, *, most: int, after: str = "") -> list[Line]:
    """Return users whose user name or name begins with `search`, by user name, after one if told: three queries."""
    found = User.objects.filter(username__gt=after)
    if search:
        found = found.filter(Q(username__istartswith=search) | Q(full_name__istartswith=search))
    rows = list(found.order_by("username")[:most])
    whose = Q(user__in=[row.pk for row in rows]) & roles.still(at)
    held = dict(Membership.objects.filter(whose).values_list("user_id").annotate(Count("pk")))
    engaged = dict(Engagement.objects.filter(whose).values_list("user_id").annotate(Count("pk")))
    return [Line(row, held.get(row.pk, 0), engaged.get(row.pk, 0)) for row in rows]


def create(*, username: str, name: str, actor: User, clock: Clock, request_id: uuid.UUID) -> User | None:
    """Make a user without a password and without rights and return them, or None where this request made them before.

    Raises RefusedError for a user name that somebody has, in small or capital letters.
    """
    with transaction.atomic(durable=True):
        administrators.require(actor)
        body = {"do": "create user", "username": username, "name": name}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return None
        # Signing in takes no notice of capital letters. Administrators come one after the other.
        if User.objects.filter(username__iexact=username).exists():
            raise RefusedError(_("Somebody has the user name %(name)s already.") % {"name": username}, "username")
        row = User.objects.create_user(username=username, full_name=name)
        _record("user.created", row, clock.now(), command)
        return row


def may_choose_password(*, pk: int, actor: User, clock: Clock, request_id: uuid.UUID) -> User | None:
    """Return who may be given another link to choose a password, None where this request was answered before.

    Raises RefusedError for who has one, or is suspended.
    """
    with _order(pk, {"do": "make link"}, actor, request_id) as (row, command):
        if command.answer:
            return None
        if row.has_usable_password() or not row.is_active:
            raise RefusedError(_("%(name)s has a password, or is suspended. No link was made.") % {"name": row})
        _record("user.link_made", row, clock.now(), command)
        return row


def suspend(*, pk: int, actor: User, clock: Clock, real: Real, request_id: uuid.UUID) -> User:
    """Let somebody sign in no more, end their sessions, and return who it is; their rights stay as they are.

    The actor stays, so an administrator does. Raises RefusedError for oneself and for who is suspended already.
    """
    with _order(pk, {"do": "suspend"}, actor, request_id) as (row, command):
        if command.answer:
            return row
        if not row.is_active:
            raise RefusedError(_("%(name)s is suspended already.") % {"name": row})
        row.is_active, row.signed_out_at = False, real()
        row.save(update_fields=["is_active", "signed_out_at"])
        _record("user.suspended", row, clock.now(), command)
        return row


def reactivate(*, pk: int, actor: User, clock: Clock, request_id: uuid.UUID) -> User:
    """Let somebody sign in again, and return who it is. This will raise RefusedError for who is not suspended."""
    with _order(pk, {"do": "reactivate"}, actor, request_id) as (row, command):
        if command.answer:
            return row
        if row.is_active:
            raise RefusedError(_("%(name)s is not suspended.") % {"name": row})
        row.is_active = True
        row.save(update_fields=["is_active"])
        _record("user.reactivated", row, clock.now(), command)
        return row


def end_sessions(*, pk: int, actor: User, clock: Clock, real: Real, request_id: uuid.UUID) -> User:
    """End every session of somebody that has begun, and return who it is; they may sign in again."""
    with _order(pk, {"do": "end sessions"}, actor, request_id) as (row, command):
        if command.answer:
            return row
        row.signed_out_at = real()
        row.save(update_fields=["signed_out_at"])
        _record("user.signed_out", row, clock.now(), command)
        return row


@contextmanager
def _order(pk: int, body: dict[str, object], actor: User, request_id: uuid.UUID) -> Iterator[tuple[User, Command]]:
    """Open the transaction of an order about somebody else, locked. This will raise RefusedError for oneself."""
    with transaction.atomic(durable=True):
        administrators.require(actor)
        command = once.claim(actor=actor, key=request_id, body=body | {"user": pk})
        row = User.objects.select_for_update(no_key=True).filter(pk=pk).first()
        if row is None:
            raise Http404("No such user.")
        if row == actor:
            raise RefusedError(_("This is you. Another administrator can do this."))
        yield row, command


def _record(event: str, row: User, at: datetime, command: Command) -> None:
    audit.record(
        event=event,
        at=at,
        actor=command.actor,
        subject=f"user {row.pk}",
        capacity=ADMINISTRATOR,
        details={"user": row.pk},
        request_id=command.key,
    )
    once.answered(command, {"done": event})
