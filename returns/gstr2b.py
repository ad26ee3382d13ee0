"""GSTR-2B: asked for, computed under the inbox lock, read by version, compared (R7)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from ims_portal import access, audit, calendar, clock, once, queue
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Membership, Taxpayer, User
from ims_portal.rules import actions, periods
from ims_portal.rules import gstr2b as rules
from ims_portal.rules.actions import Refusal
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Calendar, Filer, Lapsed, TaxPeriod
from ims_portal.rules.table import fingerprint
from invoices import delivery, kept, locking, standing, why
from invoices.models import Inbox
from invoices.standing import Standing
from returns import gstr2b_sql, since_sql
from returns.models import Gstr2b, Gstr2bJob, Gstr2bLine, ReturnPeriod
from returns.since_sql import Since
from returns.statement_sums import NOTHING, Told, added, kept_by_status, kept_sums, plus

CODE = "2"
"""Counts changes of the code that computes a statement; changes of the law show by themselves."""
MANY = 5_000
"""Changes up to which a new version is made from them alone."""
LAW = (*why.BY_RECORD, rules.PLACEMENT, rules.PART, rules.STATUS, rules.CELL, rules.OWN_LIABILITY)
"""The rules a statement is computed by."""


class StatementRefusedError(Exception):
    """A GSTR-2B cannot be computed now; `refusal` is the rules' code (R7.5)."""

    def __init__(self, refusal: Refusal, period: TaxPeriod) -> None:
        self.refusal = refusal
        self.period = period
        super().__init__(refusal.value)


class TooMuchError(Exception):
    """A statement would take longer than a page may; nothing was made."""


@dataclass(frozen=True, slots=True)
class Computed:
    """The statement that holds now, and whether nothing had changed since it was made (NOTHING_CHANGED)."""

    statement: Gstr2b
    nothing_changed: bool


def request(
    *, taxpayer: Taxpayer, period: TaxPeriod, actor: User | None, clock: Clock, request_id: uuid.UUID | None = None
) -> Gstr2bJob:
    """Ask for a period's statement and return the job that will make it; a live one is reused.

    This will raise StatementRefusedError now rather than leave a job that must fail. The same `request_id` again
    returns the job it made; once.MismatchError where it was used for something else.
    """
    at = clock.now()
    if actor is not None:
        access.require(user=actor, taxpayer=taxpayer, right=Right.COMPUTE, at=at)
    locking.ensure([taxpayer])
    with transaction.atomic():
        command = None
        if actor is not None and request_id is not None:
            command = once.claim(actor=actor, key=request_id, body=_asked(taxpayer, period))
        if command is not None and command.answer:
            return Gstr2bJob.objects.get(taxpayer=taxpayer, pk=command.answer["job"])
        refuse(taxpayer=taxpayer, period=period, inbox=Inbox.objects.get(pk=taxpayer.pk), at=at)
        same = {"taxpayer": taxpayer, "month": period.month}
        job = queue.new_or_live(Gstr2bJob, same, requested_by=actor)
        queue.enqueue(job)
        if command is not None:
            once.answered(command, {"job": str(job.pk)})
        return job


def _asked(taxpayer: Taxpayer, period: TaxPeriod) -> dict[str, str]:
    return {"do": "compute", "gstin": taxpayer.gstin, "period": period.name}


def compute(
    *, taxpayer: Taxpayer, period: TaxPeriod, actor: User | None, clock: Clock, job: Gstr2bJob | None = None
) -> Computed:
    """Make the period's statement, or return the existing one when nothing changed since (R7.5).

    One transaction under the inbox lock; a fixed number of statements whatever the count. `job` is finished in it.
    Raises StatementRefusedError and locking.BusyError.
    """
    locking.ensure([taxpayer])

    def work() -> Computed:
        inbox = locking.lock([taxpayer.pk])[taxpayer.pk]
        at = clock.now()
        if actor is not None:
            access.require(user=actor, taxpayer=taxpayer, right=Right.COMPUTE, at=at)
        refuse(taxpayer=taxpayer, period=period, inbox=inbox, at=at)
        delivery.take_in(inbox)
        done = compute_under_lock(taxpayer, period, inbox, actor, at)
        if job is not None:
            job.notice = "NOTHING_CHANGED" if done.nothing_changed else ""
            queue.finish(job)
        return done

    return locking.transact(work)


def at_once(
    *, taxpayer: Taxpayer, period: TaxPeriod, actor: User, clock: Clock, request_id: uuid.UUID
) -> Gstr2bJob | None:
    """Make the period's statement now, where little is to do, and return a job that is over; else None.

    Little is up to MANY changes since the last version, or as many records. Access, refusals and the same `request_id`
    again are as with `request`; raises locking.BusyError besides.
    """
    locking.ensure([taxpayer])

    def work() -> Gstr2bJob:
        inbox = locking.lock([taxpayer.pk])[taxpayer.pk]
        at = clock.now()
        access.require(user=actor, taxpayer=taxpayer, right=Right.COMPUTE, at=at)
        command = once.claim(actor=actor, key=request_id, body=_asked(taxpayer, period))
        if command.answer:
            return Gstr2bJob.objects.get(taxpayer=taxpayer, pk=command.answer["job"])
        refuse(taxpayer=taxpayer, period=period, inbox=inbox, at=at)
        delivery.take_in(inbox)
        done = compute_under_lock(taxpayer, period, inbox, actor, at, is_quick=True)
        job = Gstr2bJob(taxpayer=taxpayer, month=period.month, requested_by=actor, attempts=1)
        job.notice = "NOTHING_CHANGED" if done.nothing_changed else ""
        queue.finish(job)
        once.answered(command, {"job": str(job.pk)})
        return job

    try:
        return locking.transact(work)
    except TooMuchError:
        return None


def compute_under_lock(
    taxpayer: Taxpayer,
    period: TaxPeriod,
    inbox: Inbox,
    actor: User | None,
    at: datetime,
    *,
    is_quick: bool = False,
    many: int | None = None,
) -> Computed:
    """Make the statement, or return the one that holds. The caller has the lock, and this joins its transaction.

    `is_quick`: raise TooMuchError instead where that would take long. `many` stands for MANY.
    """
    many = MANY if many is None else many
    today = standing.of(taxpayer, at)
    latest = current(taxpayer, period)
    if latest is not None and not is_out_of_date(latest, inbox=inbox, today=today):
        return Computed(latest, nothing_changed=True)
    row = period_row(taxpayer, period)
    version = latest.version + 1 if latest else 1
    told = _few_changes(latest, version, today, many) if latest else None
    if told is None and is_quick and kept.records_of([taxpayer.pk]).get(taxpayer.pk, 0) > many:
        raise TooMuchError
    told = told or _everything(taxpayer, period, version, today)
    pending = gstr2b_sql.left_pending(recipient_ids=[taxpayer.pk], month=period.month, today=today)
    statement = Gstr2b(
        recipient=taxpayer,
        return_period=row,
        month=period.month,
        version=version,
        seq=inbox.seq,
        as_of=today.day,
        computed_at=at,
        computed_by=actor,
        engine=engine(period.month),
        **told.kept(pending.get(taxpayer.pk, NOTHING)),
    )
    statement.save(force_insert=True)
    audit.record(
        event="gstr2b.computed",
        at=at,
        actor=actor,
        taxpayer=taxpayer,
        subject=f"GSTR-2B {period.name}",
        details={"version": version, "lines": statement.line_count},
    )
    return Computed(statement, nothing_changed=False)


def told_of_all(month: int) -> dict[int, Told]:
    """Return recipient -> what is kept with a version just written from every record; without lines it is not named."""
    liable = gstr2b_sql.liable_taxable(month=month)
    return {
        pk: Told(kept_sums(sums), kept_by_status(sums), liable.get(pk, 0)) for pk, sums in gstr2b_sql.sums().items()
    }


def told_of_nothing() -> Told:
    """Return what is kept with a version that has no line."""
    return Told({}, kept_by_status({}), 0)


def _everything(taxpayer: Taxpayer, period: TaxPeriod, version: int, today: Standing) -> Told:
    """Make the lines of a version from every record of the scope."""
    month = period.month
    if version == 1:
        gstr2b_sql.write_first(recipient_ids=[taxpayer.pk], month=month, today=today)
    else:
        gstr2b_sql.write_version(recipient_id=taxpayer.pk, month=month, version=version, today=today)
    return told_of_all(month).get(taxpayer.pk) or told_of_nothing()


def _few_changes(latest: Gstr2b, version: int, today: Standing, many: int) -> Told | None:
    """Make the lines of a version from the records that may count otherwise since the latest one, where these are few.

    It costs by what changed, not by the period; what comes of it is what `_everything` would make. None where the law
    changed, or more than `many` records did, or the latest is of before all of this was kept.
    """
    if is_of_other_law(latest) or not latest.by_status:
        return None
    since_ = since(latest, today)
    if since_sql.has_many(since_, more_than=many) or since_sql.note(since_, today) > many:
        return None
    of = {"recipient_id": latest.recipient_id, "month": latest.month}
    gstr2b_sql.write_version(**of, version=version, today=today, among=gstr2b_sql.TOUCHED)
    moved = gstr2b_sql.moved(**of, version=version)
    liable = gstr2b_sql.liable_taxable_moved(**of, version=version)
    by_status = {name: plus(latest.by_status[name], more) for name, more in kept_by_status(moved).items()}
    return Told(added(latest.sums, kept_sums(moved)), by_status, latest.liable_taxable + liable)


def since(statement: Gstr2b, today: Standing) -> Since:
    """Return a statement as a point in the counting of its recipient's changes."""
    return Since(
        statement.recipient_id,
        statement.month,
        statement.seq,
        statement.as_of,
        periods.lapsed(today.filer, statement.as_of, today.calendar),
    )


def refuse(*, taxpayer: Taxpayer, period: TaxPeriod, inbox: Inbox, at: datetime) -> None:
    """Raise StatementRefusedError where the period's statement cannot be made at this moment (R7.5)."""
    refusal = refusal_of(
        taxpayer=taxpayer,
        period=period,
        inbox=inbox,
        filer=calendar.filer(taxpayer),
        in_force=calendar.in_force(at),
        day=clock.day(at),
    )
    if refusal is not None:
        raise StatementRefusedError(refusal, period)


def refusal_of(
    *,
    taxpayer: Taxpayer,
    period: TaxPeriod,
    inbox: Inbox,
    filer: Filer,
    in_force: Calendar,
    day: date,
) -> Refusal | None:
    """Return why the period's statement cannot be made, or None."""
    is_own = not taxpayer.is_isd and filer.owns(period)
    return rules.COMPUTE_REFUSALS.decide(
        period.month,
        is_own_period=is_own,
        is_filed=period.month < inbox.open_month,
        is_early=day < periods.draft_day(filer, period, in_force),
        previous_is_unfiled=period.month > inbox.open_month,
    ).outcome


def current(taxpayer: Taxpayer, period: TaxPeriod) -> Gstr2b | None:
    """Return the newest version of a period's statement."""
    return versions(taxpayer, period).first()


def version(*, taxpayer: Taxpayer, period: TaxPeriod, version: int | None = None) -> Gstr2b | None:
    """Return one version of a period's statement, the newest where none is named."""
    made = versions(taxpayer, period)
    return (made if version is None else made.filter(version=version)).first()


def versions(taxpayer: Taxpayer, period: TaxPeriod) -> QuerySet[Gstr2b]:
    """Return all versions of a period's statement, the newest first."""
    return Gstr2b.objects.filter(recipient=taxpayer, month=period.month).order_by("-version")


def is_out_of_date(statement: Gstr2b, *, inbox: Inbox, today: Standing) -> bool:
    """Whether something changed since a statement was computed, or a Pending lapsed since (R7.11).

    A filed period's statement never is.
    """
    if statement.month < inbox.open_month:
        return False
    if statement.seq != inbox.seq or is_of_other_law(statement):
        return True
    then = periods.lapsed(today.filer, statement.as_of, today.calendar)
    return then != today.lapsed and gstr2b_sql.lapsed_since(
        recipient_id=statement.recipient_id,
        open_month=inbox.open_month,
        then=then,
        now=today.lapsed,
        first=_first_specified(),
    )


def out_of_date(
    statements: Mapping[int, Gstr2b], *, inboxes: Mapping[int, Inbox], today: Mapping[int, Standing]
) -> set[int]:
    """Return the recipients whose statement of their open period `is_out_of_date`: one query at most, for all of them.

    All three are by recipient's id; whoever has a statement has an inbox.
    """
    found: set[int] = set()
    waiting: dict[tuple[Lapsed, Lapsed], list[int]] = {}
    for pk, statement in statements.items():
        then = periods.lapsed(today[pk].filer, statement.as_of, today[pk].calendar)
        if statement.seq != inboxes[pk].seq or is_of_other_law(statement):
            found.add(pk)
        elif then != today[pk].lapsed:
            waiting.setdefault((then, today[pk].lapsed), []).append(pk)
    first = _first_specified()
    alike = [gstr2b_sql.Alike(recipients, then, now, first) for (then, now), recipients in waiting.items()]
    return found | gstr2b_sql.lapsed_of_several(alike)


def _first_specified() -> int:
    """Return the first month (YYYYMM) whose Pending can lapse."""
    return min(start for start in actions.SPECIFIED.versions if start)


def engine(month: int) -> str:
    """Return the name of code and law that compute a month's statement: a draft of another is out of date."""
    return f"{CODE}-{fingerprint(LAW, month)}"


def is_of_other_law(statement: Gstr2b) -> bool:
    """Whether the code or the law by which a statement was computed has changed since."""
    return statement.engine != engine(statement.month)


def lines(statement: Gstr2b) -> QuerySet[Gstr2bLine]:
    """Return the lines of one version of a statement, not in any order."""
    return Gstr2bLine.objects.filter(
        Q(last_version=None) | Q(last_version__gte=statement.version),
        recipient_id=statement.recipient_id,
        month=statement.month,
        first_version__lte=statement.version,
    )


def period_row(taxpayer: Taxpayer, period: TaxPeriod) -> ReturnPeriod:
    """Return the row of a taxpayer's period, made when it is first needed."""
    row, _made = ReturnPeriod.objects.get_or_create(
        taxpayer=taxpayer, month=period.month, defaults={"frequency": period.frequency.value}
    )
    return row


@dataclass(frozen=True, slots=True)
class Change:
    """One record that two versions count differently: its line in the older, in the newer, either may be missing."""

    record_id: int
    older: Gstr2bLine | None
    newer: Gstr2bLine | None

    @property
    def is_one(self) -> bool:
        """Whether anything that counts differs: what was set and set back does not, nor another reason for the same."""
        counts = [name for name in gstr2b_sql.LINE if name != "why_id"]
        return any(getattr(self.older, name, None) != getattr(self.newer, name, None) for name in counts)

    @property
    def difference(self) -> Tax:
        """Newer less older, as printed."""
        return (self.newer.tax if self.newer else Tax()) - (self.older.tax if self.older else Tax())


def diff(older: Gstr2b, newer: Gstr2b) -> list[Change]:
    """Return what changed between two versions of a period's statement: a range query over the lines' versions."""
    touched = (
        Gstr2bLine.objects.filter(recipient_id=newer.recipient_id, month=newer.month)
        .filter(
            Q(first_version__gt=older.version, first_version__lte=newer.version)
            | Q(last_version__gte=older.version, last_version__lt=newer.version)
        )
        .order_by("record_id", "first_version")
    )
    pairs: dict[int, list[Gstr2bLine | None]] = {}
    for line in touched.iterator():
        pair = pairs.setdefault(line.record_id, [None, None])
        if line.first_version <= older.version:
            pair[0] = line
        if line.last_version is None or line.last_version >= newer.version:
            pair[1] = line
    changes = [Change(pk, first, second) for pk, (first, second) in pairs.items()]
    return [change for change in changes if change.is_one]


def drafts_due(*, at: datetime, among: QuerySet[Taxpayer] | None = None) -> list[tuple[Taxpayer, TaxPeriod]]:
    """Return the periods whose draft the clock has reached: 3B before it filed in time, no statement yet (R7.1, R7.4).

    `among`: whose; without it of those somebody acts for here, the others being only named in returns.
    A period whose earlier 3B was filed only on its draft day or after it is computed by the taxpayer, not drafted; so
    is one whose draft failed. A fixed number of queries, whatever the count.
    """
    in_force, day = calendar.in_force(at), clock.day(at)
    open_inboxes = (
        Inbox.objects.exclude(taxpayer__kind=Taxpayer.Kind.ISD)
        .filter(taxpayer__in=_with_members() if among is None else among, open_month__lt=periods.month_of(day))
        .select_related("taxpayer")
    )
    filers = calendar.filers([inbox.taxpayer for inbox in open_inboxes])
    reached = []
    for inbox in open_inboxes:
        filer = filers[inbox.taxpayer_id]
        period = filer.period(inbox.open_month)
        if day >= periods.draft_day(filer, period, in_force):
            reached.append((inbox.taxpayer, period, filer))
    return _without_draft(reached, in_force)


def _with_members() -> QuerySet[Taxpayer]:
    return Taxpayer.objects.filter(Exists(Membership.objects.filter(taxpayer_id=OuterRef("pk"))))


def _without_draft(
    reached: list[tuple[Taxpayer, TaxPeriod, Filer]], in_force: Calendar
) -> list[tuple[Taxpayer, TaxPeriod]]:
    """Return those of the periods reached that have no statement, no failed draft and no earlier 3B filed too late."""
    of_these = {"taxpayer__in": [taxpayer for taxpayer, _period, _filer in reached]}
    months = {period.month for _taxpayer, period, _filer in reached}
    has_one = set(
        Gstr2b.objects.filter(recipient__in=of_these["taxpayer__in"], month__in=months).values_list(
            "recipient_id", "month"
        )
    )
    failed = Gstr2bJob.objects.filter(**of_these, month__in=months, requested_by=None, state=Gstr2bJob.State.FAILED)
    has_one |= set(failed.values_list("taxpayer_id", "month"))
    earlier = {filer.previous(period).month for _taxpayer, period, filer in reached}
    filings = ReturnPeriod.objects.filter(**of_these, month__in=earlier, is_filed=True)
    filed_on = {(pk, month): day for pk, month, day in filings.values_list("taxpayer_id", "month", "filing__filed_on")}
    found = []
    for taxpayer, period, filer in reached:
        filed = filed_on.get((taxpayer.pk, filer.previous(period).month))
        in_time = filed is None or filed < periods.draft_day(filer, period, in_force)
        if in_time and (taxpayer.pk, period.month) not in has_one:
            found.append((taxpayer, period))
    return found
