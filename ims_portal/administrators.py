"""The right of an administrator, read again in the transaction that writes; their commands come one after another."""

from __future__ import annotations

from django.http import Http404

from ims_portal.models import User


def require(actor: User) -> None:
    """Lock every administrator and return; two who act on each other come one after the other.

    This will join the writing transaction, and raise Http404 for who is no administrator any more.
    """
    rows = User.objects.select_for_update(no_key=True).filter(is_staff=True, is_active=True).order_by("pk")
    if actor.pk not in set(rows.values_list("pk", flat=True)):
        raise Http404("No such page.")


def is_one(user: User) -> bool:
    """Whether somebody is an administrator now, for a worker that is asked by them: one query."""
    return User.objects.filter(pk=user.pk, is_staff=True, is_active=True).exists()
