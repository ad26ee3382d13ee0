"""The taxpayer's own entries beside the rows of GSTR-3B: interest, cash balance, how credit is used (R8.5, R8.14)."""

from __future__ import annotations

import uuid
from datetime import datetime

from ims_portal import access, audit, once
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules import interest
from ims_portal.rules.actions import Refusal
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import locking, standing
from returns import gstr2b, gstr3b, payment
from returns.gstr3b import Draft, Gstr3bRefusedError
from returns.models import Adjustment


class EntryTooLowError(Exception):
    """An entry has a head below zero, or interest below the system's figure where that is a floor; `least` is it."""

    code = "ENTRY_TOO_LOW"

    def __init__(self, least: Tax) -> None:
        self.least = least
        super().__init__(self.code)


def enter(
    *,
    taxpayer: Taxpayer,
    period: TaxPeriod,
    row: str,
    tax: Tax | None,
    actor: User | None,
    clock: Clock,
    request_id: uuid.UUID | None = None,
) -> None:
    """Keep an entry of `payment.ENTRIES`, in paise, or (tax None) take it back. This will not touch any row.

    The same `request_id` again changes nothing. Raises once.MismatchError, Gstr3bRefusedError (ALREADY_FILED) and
    EntryTooLowError.
    """
    locking.ensure([taxpayer])

    def work() -> None:
        locking.lock([taxpayer.pk])
        at = clock.now()
        if actor is not None:
            access.require(user=actor, taxpayer=taxpayer, right=Right.COMPUTE, at=at)
        body = {
            "do": "enter",
            "gstin": taxpayer.gstin,
            "period": period.name,
            "row": row,
            "tax": None if tax is None else list(tax),
        }
        command = once.claim(actor=actor, key=request_id, body=body) if actor and request_id else None
        if command is not None and command.answer:
            return
        shown = gstr3b.draft(taxpayer=taxpayer, period=period, at=at, today=standing.of(taxpayer, at))
        keep(shown=shown, row=row, tax=tax, actor=actor, at=at)
        if command is not None:
            once.answered(command, {"row": row})

    locking.transact(work)


def keep(*, shown: Draft, row: str, tax: Tax | None, actor: User | None, at: datetime) -> None:
    """Keep an entry of a draft, or take it back. This will join the transaction that read the draft under the lock.

    Raises Gstr3bRefusedError (ALREADY_FILED) and EntryTooLowError.
    """
    _ensure(shown, row, tax)
    kept = gstr2b.period_row(shown.taxpayer, shown.period)
    if tax is None:
        Adjustment.objects.filter(return_period=kept, row=row).delete()
    else:
        told = {**tax.as_dict(), "taxpayer": shown.taxpayer, "reason": "", "actor": actor, "at": at}
        Adjustment.objects.update_or_create(return_period=kept, row=row, defaults=told)
    subject = f"GSTR-3B {shown.period.name} {row}"
    audit.record(event="gstr3b.entered", at=at, actor=actor, taxpayer=shown.taxpayer, subject=subject)


def is_too_low(shown: Draft, row: str, tax: Tax) -> bool:
    """Whether an entry of a draft would be refused: a head below zero, or interest below its floor."""
    if row == payment.INTEREST and interest.is_too_low(shown.period.month, system=least(shown, row), entered=tax):
        return True
    return min(tax) < 0


def _ensure(shown: Draft, row: str, tax: Tax | None) -> None:
    if shown.filing is not None:
        raise Gstr3bRefusedError(Refusal.ALREADY_FILED)
    if tax is not None and is_too_low(shown, row, tax):
        raise EntryTooLowError(least(shown, row))


def least(shown: Draft, row: str) -> Tax:
    """Return the least an entry of a draft may be, per head: of interest the system's figure where it is a floor."""
    behind = shown.payment.late if shown.payment else None
    if row != payment.INTEREST or behind is None or not interest.IS_FLOOR.decide(shown.period.month).outcome:
        return NIL
    return behind.interest
