"""The draft day: the statements of many recipients made together, one set of SQL for some tens of thousands of records.

No row says that they are wanted: a recipient without a statement of a period whose draft day has come is (R7.1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

import structlog
from django.db.models import QuerySet

from ims_portal import audit, calendar, clock
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer
from ims_portal.rules.periods import TaxPeriod
from invoices import delivery, kept, locking, standing
from invoices.models import Inbox
from invoices.standing import Standing
from returns import gstr2b, gstr2b_sql, statement_sums
from returns.models import Gstr2b, ReturnPeriod

log = structlog.get_logger()

RECORDS = 20_000
"""Records of a transaction, about: with fewer each costs more, with more clicks of its recipients wait for longer."""
RECIPIENTS = 1_000
"""Recipients of a transaction at most, however little each of them has."""

Due = list[tuple[Taxpayer, TaxPeriod]]


def groups(*, at: datetime, among: QuerySet[Taxpayer] | None = None) -> Iterator[list[int]]:
    """Yield the recipients whose draft is due, in groups that are worth a transaction each, the largest first.

    `among`: whose; see gstr2b.drafts_due.
    """
    due = [taxpayer.pk for taxpayer, _period in gstr2b.drafts_due(at=at, among=among)]
    records = kept.records_of(due)
    group: list[int] = []
    size = 0
    for pk in sorted(due, key=lambda pk: -records.get(pk, 0)):
        if group and (size + records.get(pk, 0) > RECORDS or len(group) == RECIPIENTS):
            yield group
            group, size = [], 0
        group.append(pk)
        size += records.get(pk, 0)
    if group:
        yield group


def make(*, recipient_ids: Collection[int], clock: Clock) -> int:
    """Make the statements of those of some recipients whose draft is due, and return how many.

    One transaction under all their inbox locks; raises locking.BusyError. Whoever is busy is passed over: the next look
    finds them again. Called twice, at once or later, this will do nothing the second time.
    """

    def work() -> int:
        inboxes = locking.lock_free(recipient_ids)
        at = clock.now()
        due = gstr2b.drafts_due(at=at, among=Taxpayer.objects.filter(pk__in=inboxes))
        delivery.take_in(*(inboxes[taxpayer.pk] for taxpayer, _period in due))
        for today, alike in _alike(due, at):
            _make(alike, today, inboxes, at)
        return len(due)

    return locking.transact(work)


def want_each(*, recipient_ids: Collection[int], clock: Clock) -> None:
    """Want each of some recipients' due drafts by a job of its own, where together they failed: one cannot stop all."""
    for taxpayer, period in gstr2b.drafts_due(at=clock.now(), among=Taxpayer.objects.filter(pk__in=recipient_ids)):
        try:
            gstr2b.request(taxpayer=taxpayer, period=period, actor=None, clock=clock)
        except gstr2b.StatementRefusedError as refused:
            # Filed, or moved, between the look and the request: the next look sees it.
            log.info("draft_not_wanted", taxpayer=taxpayer.pk, period=period.name, refusal=refused.refusal.value)


def _alike(due: Due, at: datetime) -> Iterator[tuple[Standing, Due]]:
    """Yield those who stand alike and whose period is the same, together."""
    filers, in_force, day = calendar.filers([taxpayer for taxpayer, _ in due]), calendar.in_force(at), clock.day(at)
    found: dict[object, Due] = {}
    for taxpayer, period in due:
        found.setdefault((period, taxpayer.has_ims, filers[taxpayer.pk]), []).append((taxpayer, period))
    for alike in found.values():
        one = alike[0][0]
        yield standing.on_day(one, filers[one.pk], in_force, day), alike


def _make(due: Due, today: Standing, inboxes: dict[int, Inbox], at: datetime) -> None:
    """Make the first statements of a period of recipients who stand alike."""
    period, whose = due[0][1], [taxpayer.pk for taxpayer, _period in due]
    gstr2b_sql.write_first(recipient_ids=whose, month=period.month, today=today)
    told = gstr2b.told_of_all(period.month)
    pending = gstr2b_sql.left_pending(recipient_ids=whose, month=period.month, today=today)
    rows = _period_rows(due)
    made = Gstr2b.objects.bulk_create(
        Gstr2b(
            recipient_id=pk,
            return_period_id=rows[pk],
            month=period.month,
            version=1,
            seq=inboxes[pk].seq,
            as_of=today.day,
            computed_at=at,
            engine=gstr2b.engine(period.month),
            **(told.get(pk) or gstr2b.told_of_nothing()).kept(pending.get(pk, statement_sums.NOTHING)),
        )
        for pk in whose
    )
    audit.record_each(
        event="gstr2b.computed",
        at=at,
        actor=None,
        subject=f"GSTR-2B {period.name}",
        details={one.recipient_id: {"version": 1, "lines": one.line_count} for one in made},
    )


def _period_rows(due: Due) -> dict[int, int]:
    """Return recipient -> the row of its period, made where it is missing."""
    period, whose = due[0][1], [taxpayer.pk for taxpayer, _period in due]
    ReturnPeriod.objects.bulk_create(
        [ReturnPeriod(taxpayer_id=pk, month=period.month, frequency=period.frequency.value) for pk in whose],
        ignore_conflicts=True,
    )
    found = ReturnPeriod.objects.filter(taxpayer__in=whose, month=period.month)
    return dict(found.values_list("taxpayer_id", "pk"))
