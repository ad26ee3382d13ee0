"""The slice of `verify` inside every filing: better to stop than to file wrong (promises 2.1).

A filing is looked at before it is committed, under its own locks. Where it breaks a check nothing of it is kept, and
the GSTIN files nothing more until an administrator has put right what is wrong and lifts the hold, saying why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from ims_portal import administrators, audit, sql
from ims_portal.audit_words import ADMINISTRATOR
from ims_portal.clock import Clock
from ims_portal.models import REASON_LEAST, REASON_LIMIT, Taxpayer, User
from ims_portal.rules.periods import TaxPeriod
from returns import looking, verify_sql
from returns.looking import Broken, Only
from returns.models import Filing, Hold

log = structlog.get_logger()

SLICE = ("V03", "V05", "V10", "V11", "V12", "V20", "V21", "V22")
"""The checks of a filing's own records, lines, rows and add-backs: those that can be asked of one period in time."""


class UnsoundError(Exception):
    """A filing that is not committed yet breaks what must hold."""

    def __init__(self, broken: list[Broken]) -> None:
        self.broken = broken
        super().__init__(", ".join(one.check.name for one in broken))


class HeldError(Exception):
    """A GSTIN may not file: what is stored of it breaks what must hold. Nothing was filed."""

    code = "HELD"

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        super().__init__(self.code)

    @property
    def text(self) -> str:
        """What people are told."""
        return _(
            "Filing is stopped for this GSTIN since %(day)s: what is stored does not agree with itself (%(checks)s). "
            "Nothing was filed. The administrators see this and will lift the stop once it is put right; then file "
            "again."
        ) % {"day": f"{self.hold.at:%d-%b-%Y}", "checks": ", ".join(self.hold.found)}


class LiftRefusedError(Exception):
    """A hold cannot be lifted so; the message says why."""


def refuse(taxpayer: Taxpayer) -> None:
    """Raise HeldError where a taxpayer is held. This will join the filing's transaction, after its locks."""
    hold = Hold.objects.filter(taxpayer=taxpayer, lifted_at=None).first()
    if hold is not None:
        raise HeldError(hold)


def look(filing: Filing) -> None:
    """Raise UnsoundError where a filing breaks what must hold. This will join its transaction, after all it wrote."""
    only = Only(taxpayer=filing.taxpayer, month=filing.month)
    asked = [check for check in verify_sql.CHECKS if check.name[:3] in SLICE]
    with sql.whole_sets():
        broken = [one for check in asked for one in looking.found(check, only)]
    if broken:
        raise UnsoundError(broken)


@contextmanager
def kept(*, taxpayer: Taxpayer, period: TaxPeriod, clock: Clock) -> Iterator[None]:
    """Run a filing; where it turns out unsound keep a hold, in a transaction of its own, and raise HeldError."""
    try:
        yield
    except UnsoundError as unsound:
        raise HeldError(_hold(taxpayer, period, unsound.broken, clock.now())) from unsound


def _hold(taxpayer: Taxpayer, period: TaxPeriod, broken: list[Broken], at: datetime) -> Hold:
    found = {one.check.name: [one.count, [list(offender) for offender in one.offenders]] for one in broken}
    with transaction.atomic():
        Hold.objects.bulk_create(
            [Hold(taxpayer=taxpayer, month=period.month, found=found, at=at)], ignore_conflicts=True
        )
        audit.record(
            event="filing.held",
            at=at,
            taxpayer=taxpayer,
            subject=f"GSTR-3B {period.name}",
            details={"checks": sorted(found)},
        )
    log.error("filing_held", gstin=taxpayer.gstin, period=period.name, checks=sorted(found))
    return Hold.objects.get(taxpayer=taxpayer, lifted_at=None)


def lift(*, taxpayer: Taxpayer, actor: User, reason: str, clock: Clock) -> Hold:
    """Let a taxpayer file again. The next filing is looked at as any other.

    Raises Http404 where the actor is no administrator, LiftRefusedError without a hold or a reason.
    """
    said = reason.strip()
    if not REASON_LEAST <= len(said) <= REASON_LIMIT:
        raise LiftRefusedError(
            _("Say in %(least)s to %(most)s characters what was wrong and how it was put right.")
            % {"least": REASON_LEAST, "most": REASON_LIMIT}
        )
    with transaction.atomic():
        administrators.require(actor)
        hold = Hold.objects.select_for_update().filter(taxpayer=taxpayer, lifted_at=None).first()
        if hold is None:
            raise LiftRefusedError(_("%(gstin)s is not held.") % {"gstin": taxpayer.gstin})
        hold.lifted_at, hold.lifted_by, hold.reason = clock.now(), actor, said
        hold.save(update_fields=["lifted_at", "lifted_by", "reason"])
        audit.record(
            event="hold.lifted",
            at=hold.lifted_at,
            actor=actor,
            capacity=ADMINISTRATOR,
            taxpayer=taxpayer,
            subject=taxpayer.gstin,
            details={"hold": hold.pk},
        )
    return hold
