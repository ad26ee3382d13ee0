"""Codes a program asks for and its person reads on the portal's page, after proving who they are (formats 8.3).

A code is good once, for ten real minutes and five tries. Only a signatory has them: no program gets in otherwise.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import F

from ims_portal import access, audit
from ims_portal.access import Right
from ims_portal.clock import real
from ims_portal.models import OneTimeCode, Taxpayer, User

LASTS = timedelta(minutes=10)
TRIES = 5
DIGITS = 6
Purpose = OneTimeCode.Purpose


def ask(*, user: User, taxpayer: Taxpayer, purpose: Purpose, at: datetime) -> None:
    """Make a code for a person to read; one that is not too old stays as it is, its wrong tries with it.

    So asking again gives nobody more tries, and takes no code away from who types it. Raises access.RightMissingError
    and Http404.
    """
    access.require(user=user, taxpayer=taxpayer, right=Right.GRANT, at=at)
    now = real()
    with transaction.atomic():
        if user.one_time_codes.filter(taxpayer=taxpayer, purpose=purpose, used_at=None, expires_at__gt=now).exists():
            return
        OneTimeCode.objects.update_or_create(
            user=user,
            taxpayer=taxpayer,
            purpose=purpose,
            used_at=None,
            defaults={
                "code": f"{secrets.randbelow(10**DIGITS):0{DIGITS}}",
                "asked_at": now,
                "expires_at": now + LASTS,
                "tries": 0,
            },
        )


def use(*, user: User, taxpayer: Taxpayer, purpose: Purpose, code: str, at: datetime) -> bool:
    """Use a code up, and return whether it was the one. A wrong one counts as a try, and is told in the log."""
    now = real()
    with transaction.atomic():
        of_person = OneTimeCode.objects.select_for_update().filter(user=user, taxpayer=taxpayer, purpose=purpose)
        found = of_person.filter(used_at=None, expires_at__gt=now, tries__lt=TRIES).first()
        if found is None:
            return False
        if not hmac.compare_digest(found.code.encode(), code.encode()):
            of_person.filter(pk=found.pk).update(tries=F("tries") + 1)
            audit.record(event="code.refused", at=at, actor=user, taxpayer=taxpayer, subject=purpose.value)
            return False
        found.used_at = now
        found.save(update_fields=["used_at"])
    return True


def waits(*, user: User, taxpayer: Taxpayer, purpose: Purpose) -> bool:
    """Whether a code waits to be used."""
    return waiting(user).filter(taxpayer=taxpayer, purpose=purpose).exists()


def waiting(user: User) -> models.QuerySet[OneTimeCode]:
    """Return a person's codes that can still be used, the newest first."""
    return (
        user.one_time_codes.filter(used_at=None, expires_at__gt=real(), tries__lt=TRIES)
        .select_related("taxpayer")
        .order_by("-asked_at")
    )


def taxpayers_waiting(user: User) -> list[Taxpayer]:
    """Return the taxpayers for which a code of a person waits: one query."""
    found = {code.taxpayer_id: code.taxpayer for code in waiting(user)}
    return list(found.values())
