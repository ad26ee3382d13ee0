"""The taxpayers of the portal as administrators list and make them: numbers, names and counts, never their records.

The room of records names what makes an inbox when it starts (`serve`); the ground floor imports none of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from ims_portal import administrators, audit, once, roles
from ims_portal.audit_words import ADMINISTRATOR
from ims_portal.clock import Clock, day
from ims_portal.models import Engagement, FilingFrequency, Membership, Taxpayer, User
from ims_portal.roles import RefusedError
from ims_portal.rules import periods, rates
from ims_portal.rules.periods import Frequency

Opener = Callable[[Collection[Taxpayer]], None]
_openers: list[Opener] = []


def serve(opener: Opener) -> None:
    """Name what makes the inboxes of taxpayers that lack one: the room of records, when it starts."""
    _openers[:] = [opener]


@dataclass(frozen=True, slots=True)
class New:
    """What an administrator says of a new taxpayer; `first` is the month of its first period, YYYYMM."""

    gstin: str
    legal_name: str
    trade_name: str
    kind: Taxpayer.Kind
    first: int
    frequency: Frequency

    def told(self) -> dict[str, object]:
        """Return it as the log keeps it: no names."""
        return {"kind": self.kind.value, "first": self.first, "frequency": self.frequency.value}


@dataclass(frozen=True, slots=True)
class Line:
    """A taxpayer as listed, with how many hold rights now: signatories, all roles, engagements in force or asked."""

    row: Taxpayer
    signatories: int
    roles: int
    engagements: int


def page(search: str, at: datetime, *, most: int, after: str = "") -> list[Line]:
    """Return taxpayers whose number or name begins with `search`, by GSTIN, after one if told: three queries."""
    found = Taxpayer.objects.filter(gstin__gt=after)
    if search:
        found = found.filter(
            Q(gstin__startswith=search.upper()) | Q(legal_name__istartswith=search) | Q(trade_name__istartswith=search)
        )
    rows = list(found.order_by("gstin")[:most])
    whose = Q(taxpayer__in=[row.pk for row in rows]) & roles.still(at)
    signs = Q(role=roles.Role.SIGNATORY, user__is_active=True)
    held = Membership.objects.filter(whose).values("taxpayer_id")
    held = held.annotate(signatories=Count("pk", filter=signs), every=Count("pk"))
    counts = {one["taxpayer_id"]: (one["signatories"], one["every"]) for one in held}
    engaged = dict(Engagement.objects.filter(whose).values_list("taxpayer_id").annotate(Count("pk")))
    return [Line(row, *counts.get(row.pk, (0, 0)), engaged.get(row.pk, 0)) for row in rows]


def create(*, new: New, actor: User, clock: Clock, request_id: uuid.UUID) -> bool:
    """Make a taxpayer with its inbox, and return whether its GSTIN was not known at all.

    One that is known only because somebody named it in a return gets its names; the rest of it stays as it is, for
    records stand on it. Raises RefusedError for one that is here already and for a first period that is none.
    """
    with transaction.atomic(durable=True):
        administrators.require(actor)
        names = {"legal_name": new.legal_name, "trade_name": new.trade_name}
        body = {"do": "create taxpayer", "gstin": new.gstin, **names, **new.told()}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return bool(command.answer["is_new"])
        at = clock.now()
        _refuse_period(new.first, at)
        others = {"kind": new.kind.value, "first_month": new.first}
        row, is_new = Taxpayer.objects.get_or_create(gstin=new.gstin, defaults=names | others)
        if is_new:
            FilingFrequency.objects.create(taxpayer=row, frequency=new.frequency.value)
            _openers[0]([row])
        else:
            _name(row, new)
        audit.record(
            event="taxpayer.created" if is_new else "taxpayer.named",
            at=at,
            actor=actor,
            taxpayer=row,
            capacity=ADMINISTRATOR,
            details=new.told() if is_new else {},
            request_id=request_id,
        )
        once.answered(command, {"is_new": is_new})
        return is_new


def _refuse_period(first: int, at: datetime) -> None:
    if not periods.month_of(rates.GST_BEGAN) <= first <= periods.month_of(day(at)):
        began = rates.GST_BEGAN.strftime("%m/%Y")
        raise RefusedError(_("Choose a period from %(began)s to the one that runs now.") % {"began": began}, "first")


def _name(row: Taxpayer, new: New) -> None:
    """Give its names to a taxpayer that has none."""
    roles.lock(row)
    row.refresh_from_db()
    if row.legal_name or row.trade_name:
        raise RefusedError(_("%(gstin)s is here already: %(name)s.") % {"gstin": row.gstin, "name": row.name}, "gstin")
    row.legal_name, row.trade_name = new.legal_name, new.trade_name
    row.save(update_fields=["legal_name", "trade_name"])
