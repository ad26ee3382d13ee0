"""The lock of the write protocol: Inbox rows in GSTIN order, with a time limit, retried as a whole transaction.

Everything that can change a recipient's GSTR-2B runs inside `transact` and begins with `lock` (promises 0.2).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from typing import TypeVar

from django.db import OperationalError, transaction
from django.utils.translation import gettext as _

from ims_portal import calendar
from ims_portal.models import Taxpayer
from invoices.models import Inbox

Result = TypeVar("Result")

ATTEMPTS = 3
WORTH_A_RETRY = {"40P01", "40001", "55P03"}
"""Deadlock, serialization failure, lock not available in time: nothing was done, so all of it may be tried again."""


class BusyError(Exception):
    """Another change for the same GSTIN is being written; nothing of this one was saved.

    `is_worded` says of a kind that its own words are to be shown, because they say more than the usual ones.
    """

    code = "BUSY"
    is_worded = False


class LockSetChangedError(Exception):
    """The rows to be locked were not known until others were locked: begin again with them."""


def transact(work: Callable[[], Result]) -> Result:
    """Run `work` in one durable transaction and return what it returns.

    This will try again where the database gave the whole transaction back, and raise BusyError in the end.
    """
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(durable=True):
                return work()
        except LockSetChangedError:
            continue
        except OperationalError as problem:
            if getattr(problem.__cause__, "pgcode", None) not in WORTH_A_RETRY:
                raise
            time.sleep(random.uniform(0.02, 0.2) * (attempt + 1))  # noqa: S311 jitter, not a secret  # nosec B311
    raise BusyError(_("Another change for this GSTIN is being written. Nothing was saved; try again."))


def lock(taxpayer_ids: Collection[int]) -> dict[int, Inbox]:
    """Lock the inboxes of taxpayers in GSTIN order and return them by id, before anything others see is read.

    NO KEY UPDATE, because FOR UPDATE would also hold up every insert that refers to the taxpayer.
    """
    rows = Inbox.objects.filter(taxpayer_id__in=set(taxpayer_ids)).select_for_update(no_key=True, of=("self",))
    return {inbox.taxpayer_id: inbox for inbox in rows.order_by("taxpayer__gstin")}


def lock_free(taxpayer_ids: Collection[int]) -> dict[int, Inbox]:
    """Lock the inboxes of those taxpayers that nobody else holds, and return them by taxpayer id; waits for nobody."""
    rows = Inbox.objects.filter(taxpayer_id__in=set(taxpayer_ids))
    free = rows.select_for_update(no_key=True, of=("self",), skip_locked=True)
    return {inbox.taxpayer_id: inbox for inbox in free.order_by("taxpayer__gstin")}


def ensure(taxpayers: Collection[Taxpayer]) -> None:
    """Make the inboxes that are missing, open from the taxpayer's own period that holds its first month."""
    there = set(Inbox.objects.filter(pk__in=[taxpayer.pk for taxpayer in taxpayers]).values_list("pk", flat=True))
    missing = [taxpayer for taxpayer in taxpayers if taxpayer.pk not in there]
    if not missing:
        return
    filers = calendar.filers(missing)
    Inbox.objects.bulk_create(
        [
            Inbox(taxpayer=taxpayer, open_month=filers[taxpayer.pk].period(taxpayer.first_month).month)
            for taxpayer in missing
        ],
        ignore_conflicts=True,
    )
