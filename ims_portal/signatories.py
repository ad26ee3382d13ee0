"""The first signatory of a GSTIN: named by one administrator, confirmed by a second, and only then in force.

A GSTIN whose signatories cannot sign in any more is in the same case: nobody is left there who may grant.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from ims_portal import administrators, audit, once, roles
from ims_portal.audit_words import ADMINISTRATOR
from ims_portal.clock import Clock
from ims_portal.models import Command, Membership, Nomination, Taxpayer, User
from ims_portal.roles import RefusedError

MOST_LISTED = 200


def waiting() -> list[Nomination]:
    """Return who waits for a second administrator, newest first: one query."""
    found = Nomination.objects.filter(approved_by=None).select_related("user", "taxpayer", "proposed_by")
    return list(found.order_by("-pk")[:MOST_LISTED])


def propose(*, gstin: str, username: str, actor: User, clock: Clock, request_id: uuid.UUID) -> User:
    """Name a GSTIN's first signatory, and return who it is; it gives nothing until a second administrator confirms.

    Raises RefusedError for a GSTIN that is not here or has a signatory, for nobody, and where somebody waits already.
    """
    taxpayer = Taxpayer.objects.filter(gstin=gstin).first()
    if taxpayer is None:
        raise RefusedError(_("No taxpayer here has the GSTIN %(gstin)s. Check the number.") % {"gstin": gstin}, "gstin")
    with transaction.atomic(durable=True):
        administrators.require(actor)
        roles.lock(taxpayer)
        body = {"do": "name signatory", "gstin": gstin, "username": username}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return User.objects.get(username=username)
        at = clock.now()
        user = _possible(taxpayer, username, at)
        if Nomination.objects.filter(taxpayer=taxpayer, approved_by=None).exists():
            raise RefusedError(_("Somebody named for this GSTIN already waits for a second administrator."), "gstin")
        row = Nomination.objects.create(taxpayer=taxpayer, user=user, proposed_by=actor, proposed_at=at)
        _record("signatory.named", row, actor, at, command)
        return user


def confirm(*, pk: int, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Put a role in force from now on.

    Raises RefusedError for one's own proposal, for one that is gone, and for what became impossible since.
    """
    with transaction.atomic(durable=True):
        administrators.require(actor)
        command = once.claim(actor=actor, key=request_id, body={"do": "confirm signatory", "nomination": pk})
        if command.answer:
            return
        row = _waiting(pk)
        if row.proposed_by == actor:
            raise RefusedError(_("You named this signatory. Another administrator confirms."))
        at = clock.now()
        _possible(row.taxpayer, row.user.username, at)
        row.approved_by = actor
        row.save(update_fields=["approved_by"])
        Membership.objects.create(
            user=row.user, taxpayer=row.taxpayer, role=roles.Role.SIGNATORY, valid_from=at, granted_by=actor
        )
        _record("signatory.confirmed", row, actor, at, command)


def withdraw(*, pk: int, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Take a proposal back, whoever made it; the log keeps it. This will raise RefusedError for one that is gone."""
    with transaction.atomic(durable=True):
        administrators.require(actor)
        command = once.claim(actor=actor, key=request_id, body={"do": "withdraw signatory", "nomination": pk})
        if command.answer:
            return
        row = _waiting(pk)
        _record("signatory.withdrawn", row, actor, clock.now(), command)
        row.delete()


def _waiting(pk: int) -> Nomination:
    """Return a proposal under the lock of its taxpayer; administrators come one after the other already."""
    row = Nomination.objects.filter(pk=pk, approved_by=None).select_related("user", "taxpayer", "proposed_by").first()
    if row is None:
        raise RefusedError(_("This proposal does not wait any more."))
    roles.lock(row.taxpayer)
    return row


def _possible(taxpayer: Taxpayer, username: str, at: datetime) -> User:
    """Return who is to be signatory. This will raise RefusedError where the GSTIN has one, or they cannot be it."""
    signing = Membership.objects.filter(
        roles.still(at), taxpayer=taxpayer, role=roles.Role.SIGNATORY, user__is_active=True
    )
    if signing.exists():
        raise RefusedError(_("This GSTIN has a signatory, who gives all other roles."), "gstin")
    user = roles.named(username)
    roles.refuse_twice(user, taxpayer, at, "username")
    return user


def _record(event: str, row: Nomination, actor: User, at: datetime, command: Command) -> None:
    audit.record(
        event=event,
        at=at,
        actor=actor,
        taxpayer=row.taxpayer,
        subject=f"nomination {row.pk}",
        capacity=ADMINISTRATOR,
        details={"user": row.user_id},
        request_id=command.key,
    )
    once.answered(command, {"done": event})
