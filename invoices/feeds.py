"""Records that have no form here: bills of entry, documents of an ISD, and Rule 37A reversals (R1.5, R9; formats 10).

Whatever brings them, a file or a worked case, they go one way: staged as a set, checked, put in as filed under the
inbox locks of all recipients, in one transaction and whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext as _

from ims_portal import audit, calendar
from ims_portal.clock import Clock, day
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Form, Problem, Section, day_in_words
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import bills_sql, feed_clashes, isd_sql, locking, records_sql, reversals_sql, staging_sql
from invoices.feeds_json.bills import Before, Bill, BillBatch, Event, Source
from invoices.feeds_json.isd import Gstr6, IsdDocument
from invoices.feeds_json.reversals import Reversal, ReversalBatch
from invoices.json_reading import UnreadableFileError
from invoices.models import BillOfEntry, FeedBatch, FeedKind, Record, SupplierReturn

MOST_PROBLEMS = 1_000
"""Problems kept of one feed; more tell nobody anything."""
Item = TypeVar("Item", Bill, IsdDocument, Reversal)
Tail = TypeVar("Tail", BillBatch, Gstr6, ReversalBatch)


class FeedRefusedError(Exception):
    """A feed cannot be taken, and nothing of it was kept: the first problems, and how many records have one."""

    def __init__(self, problems: Collection[Problem], count: int) -> None:
        self.problems = list(problems)[:MOST_PROBLEMS]
        self.count = count
        super().__init__(self.problems[0].message if self.problems else "")

    @property
    def refusal(self) -> Refusal:
        """The rules' own code of the first problem."""
        return Refusal(self.problems[0].refusal)


@dataclass(slots=True)
class Taken:
    """What became of a feed: records put in, told before, taken back; `repeats` is the batch that brought it before."""

    key: str = ""
    unchanged: int = 0
    replaced: int = 0
    record_ids: list[int] = field(default_factory=list)
    repeats: FeedBatch | None = None


Finishing = Callable[[Taken], None]


@dataclass(slots=True)
class _Source:
    """What a reader finds, on its way into COPY: records pass, problems and the batch stay here."""

    found: Iterable[object]
    problems: list[Problem] = field(default_factory=list)
    wrong: set[str] = field(default_factory=set)
    tail: object = None
    unreadable: UnreadableFileError | None = None

    def rows(self, kind: type[Item]) -> Iterator[tuple[int, Item]]:
        """Yield the records with their places. COPY would hide an exception, so a refusal of the file is kept too."""
        try:
            for place, item in enumerate(self.found):
                if isinstance(item, kind):
                    yield place, item
                elif isinstance(item, Problem):
                    self.wrong.add(item.position)  # problems of the file itself share the place ""
                    if len(self.problems) < MOST_PROBLEMS:
                        self.problems.append(item)
                else:
                    self.tail = item
        except UnreadableFileError as refused:
            self.unreadable = refused

    def end(self, kind: type[Tail]) -> Tail:
        """Return the batch. This will raise UnreadableFileError or FeedRefusedError where anything was wrong."""
        if self.unreadable is not None:
            raise self.unreadable
        if self.problems or not isinstance(self.tail, kind):
            raise FeedRefusedError(self.problems, len(self.wrong - {""}))
        return self.tail


# Bills of entry


def take_bills(
    *,
    found: Iterable[Bill | Problem | BillBatch],
    clock: Clock,
    batch: FeedBatch | None = None,
    finishing: Finishing | None = None,
) -> Taken:
    """Take in events of bills of entry (R9.3, R9.4); a change of GSTIN also reduces what the importer before it had.

    `finishing` belongs to the same transaction and may run again if all is tried again. Raises UnreadableFileError,
    FeedRefusedError and locking.BusyError; then nothing is kept.
    """
    try:
        bills_sql.make_staging()
        source = _Source(found)
        bills_sql.stage(source.rows(Bill))
        tail = source.end(BillBatch)
        recipients = _ready({pk for pk in bills_sql.parties().values() if pk is not None})

        def work() -> Taken:
            locking.lock(recipients)
            at = clock.now()
            taken = Taken(key=tail.batch_id, repeats=_told_before(batch, FeedKind.BILLS, tail.batch_id))
            if taken.repeats is None:
                bills_sql.resolve()
                bills_sql.check(today=day(at))
                _refuse([feed_clashes.bill(row) for row in bills_sql.refused()])
                bills_sql.place_in_chains()
                taken.record_ids = bills_sql.add()
                bills_sql.keep(batch_id=batch and batch.pk)
                taken.unchanged = bills_sql.known_count()
                _join(taken, recipients, at, batch, FeedKind.BILLS)
            return _finished(taken, finishing)

        return locking.transact(work)
    finally:
        _drop(bills_sql.drop_staging)


def bill_of_entry(  # noqa: PLR0913 - the fields of a bill
    *,
    importer: Taxpayer,
    section: Section,
    number: str,
    port: str,
    boe_date: date,
    taxable: int,
    tax: Tax,
    clock: Clock,
    reference_date: date | None = None,
) -> Record:
    """Take in a bill of entry; `reference_date` is ICEGATE's, today where it is not given. Amounts in paise."""
    at = clock.now()
    bill = Bill(
        position=number,
        event=Event.NEW,
        source=Source.SEZ if section is Section.IMPGSEZ else Source.OVERSEAS,
        seq=0,
        importer=importer.gstin,
        port=port,
        number=number,
        date=boe_date,
        reference_date=reference_date or day(at),
        received_at=at,
        taxable=taxable,
        tax=tax,
    )
    return _take_bill(bill, clock).record


def amend_value(*, original: Record, taxable: int, tax: Tax, clock: Clock) -> Record:
    """Take in a value amendment of a bill of entry: the difference to what was taken before counts (R9.4)."""
    bill = _amendment(original, Event.AMEND_VALUE, original.recipient, taxable, tax, clock.now())
    return _take_bill(bill, clock).record


def change_gstin(*, original: Record, to: Taxpayer, clock: Clock) -> tuple[Record, Record]:
    """Take in a GSTIN amendment: a reduction for the importer, a fresh credit for `to`; return both (R9.4)."""
    bill = _amendment(original, Event.AMEND_GSTIN, to, original.taxable, original.tax, clock.now())
    kept = _take_bill(bill, clock)
    assert kept.reduction is not None  # noqa: S101 - a change of GSTIN always makes one  # nosec B101
    return kept.reduction, kept.record


def _amendment(original: Record, event: Event, importer: Taxpayer, taxable: int, tax: Tax, at: datetime) -> Bill:
    last = original.bill
    return Bill(
        position=last.number,
        event=event,
        source=Source(last.source),
        seq=last.seq + 1,
        importer=importer.gstin,
        port=last.port,
        number=last.number,
        date=last.boe_date,
        reference_date=day(at),
        received_at=at,
        taxable=taxable,
        tax=tax,
        before=Before(
            importer=last.importer_gstin,
            reference_date=last.reference_date,
            taxable=last.taxable,
            tax=Tax(igst=last.igst, cess=last.cess),
        ),
    )


def _take_bill(bill: Bill, clock: Clock) -> BillOfEntry:
    _refuse([problem for name in ("number", "port") if (problem := feed_clashes.longer(bill, name)) is not None])
    take_bills(found=[bill, BillBatch("")], clock=clock)
    kept = BillOfEntry.objects.select_related("record", "reduction")
    return kept.get(port=bill.port, number=bill.number, boe_date=bill.date, seq=bill.seq)


# Documents of an input service distributor


def take_isd(
    *,
    found: Iterable[IsdDocument | Problem | Gstr6],
    clock: Clock,
    batch: FeedBatch | None = None,
    finishing: Finishing | None = None,
) -> Taken:
    """File what an ISD distributes for a month (R9.1); the day it was filed decides the GSTR-2B period (R7.2).

    A second file of the same month takes back the first, as long as no statement used it. Raises UnreadableFileError,
    FeedRefusedError and locking.BusyError; then nothing is kept.
    """
    try:
        isd_sql.make_staging()
        source = _Source(found)
        isd_sql.stage(source.rows(IsdDocument))
        return _file_isd(source.end(Gstr6), clock, batch, finishing)
    finally:
        _drop(isd_sql.drop_staging)


def _file_isd(told: Gstr6, clock: Clock, batch: FeedBatch | None, finishing: Finishing | None) -> Taken:
    isd = Taxpayer.objects.filter(gstin=told.isd, kind=Taxpayer.Kind.ISD).first()
    if isd is None:
        text = _(
            "%(gstin)s is not known to this portal as an input service distributor. Correct it, or have it created."
        )
        problem = Problem(
            feed_clashes.NOT_KNOWN, text % {"gstin": told.isd}, refusal=Refusal.FORM_NOT_OPEN.value, field="gstin"
        )
        raise FeedRefusedError([problem], 0)

    def work() -> Taken:
        kept, everybody = _open_gstr6(isd, told)
        locking.lock(everybody)
        if not isd_sql.stored_recipients(return_id=kept.pk) <= everybody:
            raise locking.LockSetChangedError
        at = clock.now()
        taken = Taken(key=f"{told.isd} {told.period.wire}")
        taken.repeats = _same_file(batch, taken.key)
        if taken.repeats is None:
            _replace_isd(isd, told, kept, taken, at, batch)
            _join(taken, everybody, at, batch, FeedKind.ISD)
        return _finished(taken, finishing)

    return locking.transact(work)


def _open_gstr6(isd: Taxpayer, told: Gstr6) -> tuple[SupplierReturn, set[int]]:
    """Return the GSTR-6 and all whose inboxes it touches, made known where they were not.

    This belongs to the transaction, so that a refused file leaves nobody behind.
    """
    gstins = sorted(isd_sql.recipients())
    Taxpayer.objects.bulk_create(
        [Taxpayer(gstin=gstin, first_month=told.period.month) for gstin in gstins], ignore_conflicts=True
    )
    kept, _made = SupplierReturn.objects.get_or_create(
        supplier=isd, form=Form.GSTR6.value, month=told.period.month, defaults={"own_month": told.period.month}
    )
    recipients = set(Taxpayer.objects.filter(gstin__in=gstins).values_list("pk", flat=True))
    return kept, _ready({isd.pk} | recipients | isd_sql.stored_recipients(return_id=kept.pk))


def _replace_isd(
    isd: Taxpayer, told: Gstr6, kept: SupplierReturn, taken: Taken, at: datetime, batch: FeedBatch | None
) -> None:
    """Take back what an earlier file of the same GSTR-6 brought, and put in what this one brings."""
    _refuse(list(_wrong_days(told, day(at))))
    if isd_sql.is_used(return_id=kept.pk):
        text = _(
            "GSTR-6 of %(period)s of %(gstin)s was used by a GSTR-2B already and can no longer be replaced. Send "
            "changes as amendments (isda) in the GSTR-6 of a later month."
        )
        message = text % {"period": told.period.label, "gstin": told.isd}
        _refuse([Problem(f"APP-{Refusal.ALREADY_FILED}", message, field="fp")])
    earlier = isd_sql.filed(return_id=kept.pk)
    taken.replaced = len(earlier)
    records_sql.bump(record_ids=earlier)
    isd_sql.take_back(earlier)
    isd_sql.resolve(isd_id=isd.pk)
    isd_sql.check(isd_id=isd.pk, last_day=told.period.last_day)
    _refuse([feed_clashes.isd(row) for row in isd_sql.refused()])
    window = periods.gstr2b_month(Form.GSTR6, calendar.filer(isd), told.period, told.filed_on, calendar.in_force(at))
    taken.record_ids = isd_sql.add(
        isd_id=isd.pk,
        return_id=kept.pk,
        month=told.period.month,
        window=window,
        filed_on=told.filed_on,
        batch_id=batch and batch.pk,
    )
    kept.filed_on, kept.filed_at, kept.filed_by = told.filed_on, at, batch.requested_by if batch else None
    kept.held = records_sql.held(kept.pk)
    kept.acknowledgement = f"SBX-R6-{kept.pk:08d}"
    kept.save()


def _wrong_days(told: Gstr6, today: date) -> Iterator[Problem]:
    said = day_in_words(told.filed_on)
    if told.filed_on > today:
        text = _("filed_on is %(said)s, which is still to come. Correct the day, or send the file once it is filed.")
        yield Problem(feed_clashes.OUT_OF_DAYS, text % {"said": said}, field="filed_on")
    elif told.filed_on <= told.period.last_day:
        text = _("filed_on is %(said)s, before %(period)s was over. Correct the day or the period.")
        yield Problem(feed_clashes.OUT_OF_DAYS, text % {"said": said, "period": told.period.label}, field="filed_on")


# Rule 37A


def take_reversals(
    *,
    found: Iterable[Reversal | Problem | ReversalBatch],
    clock: Clock,
    batch: FeedBatch | None = None,
    finishing: Finishing | None = None,
) -> Taken:
    """Take in Rule 37A reversals: of documents an earlier GSTR-2B counted, at most what it counted (R8.9).

    Raises UnreadableFileError, FeedRefusedError and locking.BusyError; then nothing is kept.
    """
    try:
        reversals_sql.make_staging()
        source = _Source(found)
        reversals_sql.stage(source.rows(Reversal), day=day(clock.now()))
        tail = source.end(ReversalBatch)
        recipients = _ready({pk for pk in reversals_sql.recipients().values() if pk is not None})

        def work() -> Taken:
            locking.lock(recipients)
            at = clock.now()
            taken = Taken(key=tail.batch_id, repeats=_told_before(batch, FeedKind.RULE_37A, tail.batch_id))
            if taken.repeats is None:
                reversals_sql.resolve()
                reversals_sql.check()
                _refuse([feed_clashes.reversal(row) for row in reversals_sql.refused()])
                taken.record_ids = reversals_sql.add(day=day(at), batch_id=batch and batch.pk)
                taken.unchanged = reversals_sql.known_count()
                _join(taken, recipients, at, batch, FeedKind.RULE_37A)
            return _finished(taken, finishing)

        return locking.transact(work)
    finally:
        _drop(reversals_sql.drop_staging)


def rule_37a(*, recipient: Taxpayer, period: TaxPeriod, tax: Tax, clock: Clock) -> Record:
    """Take in the sum a recipient must give back in a period, of documents that are not told (R8.9)."""
    reversal = Reversal(position=period.wire, recipient=recipient.gstin, period=period, tax=tax)
    taken = take_reversals(found=[reversal, ReversalBatch("")], clock=clock)
    return Record.objects.get(pk=taken.record_ids[0])


# What all of them share


def _ready(taxpayer_ids: Collection[int]) -> set[int]:
    """Return the ids of taxpayers whose inboxes exist after it."""
    locking.ensure(list(Taxpayer.objects.filter(pk__in=taxpayer_ids)))
    return set(taxpayer_ids)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise FeedRefusedError(problems, len({problem.position for problem in problems} - {""}))


def _told_before(batch: FeedBatch | None, kind: FeedKind, key: str) -> FeedBatch | None:
    """Return the batch of the same batch_id that was taken before."""
    if batch is None:
        return None
    return FeedBatch.objects.filter(kind=kind, key=key, state=FeedBatch.State.DONE, repeats=None).first()


def _same_file(batch: FeedBatch | None, key: str) -> FeedBatch | None:
    """Return the latest batch of the same GSTR-6 where it brought the very same file."""
    if batch is None:
        return None
    done = FeedBatch.objects.filter(kind=FeedKind.ISD, key=key, state=FeedBatch.State.DONE, repeats=None)
    latest = done.order_by("-changed_at").first()
    return latest if latest is not None and latest.sha256 == batch.sha256 else None


def _join(taken: Taken, recipients: Collection[int], at: datetime, batch: FeedBatch | None, kind: FeedKind) -> None:
    """Let filed records take their place among the others: supersede, work out, count the change (R2.7, R7.11)."""
    made = taken.record_ids
    staging_sql.learn(len(made))
    replaced = records_sql.supersede(recipient_ids=recipients)
    records_sql.refresh([*made, *records_sql.successors(replaced)])
    records_sql.bump(record_ids=[*made, *replaced])
    counts = Record.objects.filter(pk__in=made).values_list("recipient_id").annotate(count=Count("pk"))
    audit.record_each(
        event="feed.taken",
        at=at,
        actor=batch.requested_by if batch else None,
        subject=f"{kind.value} {taken.key}".strip()[:80],
        details={int(pk): {"records": count} for pk, count in counts.order_by()},
    )


def _finished(taken: Taken, finishing: Finishing | None) -> Taken:
    if finishing is not None:
        finishing(taken)
    return taken


def _drop(drop: Callable[[], None]) -> None:
    """Drop a staging table, unless the transaction around it is lost already, and the table with it."""
    if not connection.needs_rollback:
        drop()
