"""Keys to the deadline feed of one GSTIN: a person's own, kept only as a hash, revocable, worth no more than they."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from ims_portal import access, audit
from ims_portal.access import Access
from ims_portal.models import CalendarKey, Taxpayer, User

OCTETS = 32
"""Random octets of a key: too many to guess, so that looking one up by its hash needs no more."""
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a key lets in, and whether its feed tells rupees."""

    held: Access
    with_rupees: bool


def live(user: User) -> QuerySet[CalendarKey]:
    """Return a person's keys that are not revoked, with their taxpayers."""
    return user.calendar_keys.filter(revoked_at=None).select_related("taxpayer").order_by("taxpayer__gstin")


def of(held: Access) -> CalendarKey | None:
    """Return the live key of a person for a GSTIN."""
    return live(held.user).filter(taxpayer=held.taxpayer).first()


def make(*, held: Access, with_rupees: bool, at: datetime) -> str:
    """Return a new key, the only time it is seen. This will join the caller's transaction and end the old key."""
    User.objects.select_for_update(no_key=True).get(pk=held.user.pk)  # of two tabs at once the later ends the former's
    revoke(user=held.user, taxpayer=held.taxpayer, at=at)
    key = secrets.token_urlsafe(OCTETS)
    CalendarKey.objects.create(
        user=held.user, taxpayer=held.taxpayer, key_hash=_hash(key), with_rupees=with_rupees, made_at=at
    )
    _record("calendar_key.made", held.user, held.taxpayer, at)
    return key


def revoke(*, user: User, taxpayer: Taxpayer, at: datetime) -> bool:
    """Revoke a person's live key for a GSTIN, and return whether there was one."""
    with transaction.atomic():
        found = CalendarKey.objects.filter(user=user, taxpayer=taxpayer, revoked_at=None).update(revoked_at=at)
        if found:
            _record("calendar_key.revoked", user, taxpayer, at)
    return bool(found)


def holder(*, key: str, gstin: str, at: datetime) -> Holder:
    """Return whom a key lets in to a GSTIN: two or three queries.

    This will raise Http404, the same for a wrong key, a revoked one, another GSTIN's, and a person whose rights ended.
    """
    found = None
    if 0 < len(key) <= LONGEST:
        live_one = CalendarKey.objects.filter(key_hash=_hash(key), revoked_at=None, taxpayer__gstin=gstin[:15])
        found = live_one.select_related("user", "taxpayer").first()
    held = access.standing(user=found.user, taxpayer=found.taxpayer, at=at) if found and found.user.is_active else None
    if found is None or held is None or found.taxpayer.gstin != gstin:
        raise Http404("No such page.")
    return Holder(held, found.with_rupees)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _record(event: str, user: User, taxpayer: Taxpayer, at: datetime) -> None:
    audit.record(event=event, at=at, actor=user, taxpayer=taxpayer)
