"""Break-glass: an administrator sees one GSTIN's details of the log for half an hour, says why, and the owner is told.

How long it lasts goes by the real clock, whatever the sandbox's date says: the door hands `clock.real` in, and what is
in force is a function of it, never of a job. It lets nothing be changed, and nothing be taken out.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from ims_portal import administrators, audit, once
from ims_portal.audit_words import ADMINISTRATOR
from ims_portal.clock import Clock, Real
from ims_portal.models import GLASS_LASTS, REASON_LEAST, REASON_LIMIT, BreakGlass, Taxpayer, User
from ims_portal.roles import RefusedError

TOLD_FOR = timedelta(days=30)
"""How long the home of a GSTIN says that somebody looked; the page of its people says so for ever."""

MOST_LISTED = 200


def in_force(actor: User, now: datetime) -> BreakGlass | None:
    """Return what an administrator has open at a real moment, None where there is nothing: one query."""
    found = BreakGlass.objects.filter(actor=actor, began_at__lte=now, ends_at__gt=now)
    return found.select_related("taxpayer").first()


def recent(taxpayer: Taxpayer, now: datetime) -> list[BreakGlass]:
    """Return those of a taxpayer of which its home still tells at a real moment, newest first: one query."""
    return [row for row in of(taxpayer) if row.ends_at > now - TOLD_FOR]


def of(taxpayer: Taxpayer) -> list[BreakGlass]:
    """Return the latest of a taxpayer, newest first: one query."""
    found = BreakGlass.objects.filter(taxpayer=taxpayer).select_related("actor")
    return list(found.order_by("-pk")[:MOST_LISTED])


def begin(*, gstin: str, reason: str, actor: User, clock: Clock, real: Real, request_id: uuid.UUID) -> None:
    """Let an administrator see a GSTIN's details for half an hour from now.

    Raises RefusedError for a GSTIN that is not here, for no proper reason, and where one is open already; Http404 for
    who is no administrator any more.
    """
    taxpayer = Taxpayer.objects.filter(gstin=gstin).first()
    if taxpayer is None:
        raise RefusedError(_("No taxpayer here has the GSTIN %(gstin)s. Check the number.") % {"gstin": gstin}, "gstin")
    if not REASON_LEAST <= len(reason.strip()) <= REASON_LIMIT:
        raise RefusedError(
            _("Say why in %(least)s to %(most)s characters: the taxpayer reads it.")
            % {"least": REASON_LEAST, "most": REASON_LIMIT},
            "reason",
        )
    with transaction.atomic(durable=True):
        administrators.require(actor)
        body = {"do": "break glass", "gstin": gstin, "reason": reason}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return
        now = real()
        _refuse_second(actor, now)
        row = BreakGlass.objects.create(
            actor=actor, taxpayer=taxpayer, reason=reason.strip(), began_at=now, ends_at=now + GLASS_LASTS
        )
        until = timezone.localtime(row.ends_at).isoformat(timespec="seconds")
        _record("break_glass.opened", row, clock.now(), {"reason": row.reason, "until": until}, request_id)
        once.answered(command, {"break_glass": row.pk})


def end(*, pk: int, actor: User, clock: Clock, real: Real, request_id: uuid.UUID) -> None:
    """End one's own before its time. This will raise RefusedError where it is over, Http404 where it is another's."""
    with transaction.atomic(durable=True):
        administrators.require(actor)
        command = once.claim(actor=actor, key=request_id, body={"do": "end break glass", "break_glass": pk})
        if command.answer:
            return
        row = BreakGlass.objects.filter(actor=actor, pk=pk).select_related("taxpayer").first()
        if row is None:
            raise Http404("No such break-glass.")
        now = real()
        if row.ends_at <= now:
            raise RefusedError(_("This break-glass is over. There is nothing to end."))
        row.ends_at = now
        row.save(update_fields=["ends_at"])
        _record("break_glass.ended", row, clock.now(), {}, request_id)
        once.answered(command, {"break_glass": pk})


def look(row: BreakGlass, at: datetime) -> None:
    """Append to the log that details are shown to who has it open, at the portal's moment: before they are."""
    _record("break_glass.looked", row, at, {}, None)


def _refuse_second(actor: User, now: datetime) -> None:
    opened = in_force(actor, now)
    if opened is not None:
        raise RefusedError(
            _("You have a break-glass for %(gstin)s open until %(until)s. End it first: one at a time.")
            % {"gstin": opened.taxpayer.gstin, "until": timezone.localtime(opened.ends_at).strftime("%H:%M")}
        )


def _record(
    event: str, row: BreakGlass, at: datetime, details: Mapping[str, object], request_id: uuid.UUID | None
) -> None:
    audit.record(
        event=event,
        at=at,
        actor=row.actor,
        taxpayer=row.taxpayer,
        subject=f"break-glass {row.pk}",
        capacity=ADMINISTRATOR,
        details=details,
        request_id=request_id,
    )
