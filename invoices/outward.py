"""The supplier's side: save, edit, delete and file documents of GSTR-1, GSTR-1A and IFF.

Saved documents show in their recipients' IMS at once and count once filed (R1.4). Whatever arrives, from a file or
a form, goes one way: staged, checked as a set, applied under the recipients' locks, in one transaction. A return of
very many recipients is filed under its supplier's lock alone and then brought to them piece by piece (`delivery`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count
from django.utils.translation import gettext as _

from ims_portal import access, audit, calendar
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules import periods
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Document, Form
from ims_portal.rules.periods import TaxPeriod
from invoices import clashes, delivery, locking, open_forms, records_sql, reported, staging, staging_sql
from invoices.models import Record, ReturnSummary, SupplierReturn
from invoices.open_forms import Open
from invoices.open_forms import ReturnRefusedError as ReturnRefusedError  # noqa: PLC0414 raised by what stands here
from invoices.problems import Problems
from invoices.staging_sql import Reported


class ChangedSinceShownError(Exception):
    """What a form holds is no longer what its signatory was shown; nothing was filed."""

    code = "CHANGED_SINCE_SHOWN"


class ChangedMeanwhileError(Exception):
    """A saved record is no longer the version its editor saw; nothing was saved."""

    code = "CONFLICT"


@dataclass(slots=True)
class Saved:
    """What a save did: how many documents were added, changed, unchanged, withdrawn; the rest with its problem.

    `sums_changed` says whether sums that never reach IMS are others than before.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    sums_changed: bool = False
    problems: Problems = field(default_factory=Problems)
    record_ids: list[int] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many documents were refused; warnings do not count."""
        return self.problems.refused

    @property
    def changed_nothing(self) -> bool:
        """Whether everything stands as it stood."""
        return not (self.added or self.changed or self.withdrawn or self.sums_changed or self.refused)


def save(  # noqa: PLR0913 whose form of which period, and by whom
    *,
    supplier: Taxpayer,
    form: Form,
    period: TaxPeriod,
    found: Iterable[staging.Found],
    actor: User | None,
    clock: Clock,
    replacing: dict[str, int] | None = None,
    keys_replace: bool = True,
    all_or_nothing: bool = False,
    is_taking_back: bool = False,
    seen: Mapping[int, int] | None = None,
    finishing: Callable[[Saved], None] | None = None,
) -> Saved:
    """Save documents into a form. This will store every one that may stand, and say of each other why not.

    `replacing` maps a document's position to the saved record it replaces; without it the key decides (section,
    recipient, number, financial year), as for a file, or with `keys_replace` off nothing: a number saved already in
    the form is a duplicate then, as people mean it who enter a new document. `all_or_nothing` raises
    ReturnRefusedError at the first problem instead.
    `seen` gives the version of each record that its editor saw: ChangedMeanwhileError where it is another by now.
    `finishing` is `apply_staged`'s.
    Raises ReturnRefusedError when the form itself is not open, and access.RightMissingError.
    """
    staged = staging.hold(
        supplier=supplier, form=form, period=period, found=found, replacing=replacing, keys_replace=keys_replace
    )
    return apply_staged(
        supplier=supplier,
        form=form,
        period=period,
        actor=actor,
        portal_clock=clock,
        staged=staged,
        all_or_nothing=all_or_nothing,
        is_taking_back=is_taking_back,
        seen=seen,
        finishing=finishing,
    )


def apply_staged(  # noqa: PLR0913 whose form of which period, and by whom
    *,
    supplier: Taxpayer,
    form: Form,
    period: TaxPeriod,
    actor: User | None,
    portal_clock: Clock,
    staged: staging.Staged,
    all_or_nothing: bool = False,
    is_taking_back: bool = False,
    seen: Mapping[int, int] | None = None,
    finishing: Callable[[Saved], None] | None = None,
) -> Saved:
    """Apply what is staged, in one transaction under the recipients' locks.

    Of very many recipients only those are locked whose records it changes, withdraws or amends: nobody's choice, and
    no statement, has to do with a document that is new. Its supplier is locked in any case.
    `finishing` belongs to the same transaction: it is told what was saved and may run again if all is tried again.
    """
    recipients = _known_recipients(staged, period)
    is_large = len(recipients) > delivery.MOST_RECIPIENTS or staged.count > delivery.MOST_RECORDS
    locked = set() if is_large else recipients

    def work() -> Saved:
        staged.into_table()  # before the lock, which it would prolong: nobody else sees it, and it reads nothing
        opened = _open(
            supplier,
            form,
            period,
            locked,
            actor,
            portal_clock,
            Right.SUPPLY,
            is_filing=False,
            is_taking_back=is_taking_back,
        )
        if seen and dict(Record.objects.filter(pk__in=seen).values_list("pk", "version")) != seen:
            raise ChangedMeanwhileError
        saved = apply_under_lock(
            opened, staged=staged, all_or_nothing=all_or_nothing, locked=locked if is_large else None
        )
        if finishing is not None:
            finishing(saved)
        return saved

    return locking.transact(work)


def apply_under_lock(
    opened: Open, *, staged: staging.Staged, all_or_nothing: bool, locked: set[int] | None = None
) -> Saved:
    """Check staging against what is stored and apply it. This will join the caller's transaction, after its lock.

    `locked` are the recipients that are locked, None for all of them. Where it has to change records of others these
    are put into it and LockSetChangedError is raised: nothing is done then.
    """
    saved = Saved()
    reported = _reported(opened)
    staging_sql.index_staging()
    staging_sql.resolve(reported, keys_replace=staged.keys_replace)
    staging_sql.check(reported)
    found = map(clashes.problem, staging_sql.refused())
    saved.problems.extend(heapq.merge(staged.problems, found, key=lambda problem: problem.place))
    if all_or_nothing and saved.refused:
        stopped = [problem for problem in saved.problems if not problem.is_warning]
        raise ReturnRefusedError(Refusal(stopped[0].refusal), stopped[0].message, stopped)
    if locked is not None and not (changing := staging_sql.changing()) <= locked:
        locked |= changing
        raise locking.LockSetChangedError
    saved.unchanged = staging_sql.unchanged_count()
    if staged.count >= staging_sql.WORTH_LEARNING:
        staging_sql.check_at_the_end()
    changed = staging_sql.replace_changed(at=opened.at)
    withdrawn = staging_sql.withdraw(at=opened.at)
    added = staging_sql.add_new(reported)
    saved.changed, saved.withdrawn, saved.added = len(changed), len(withdrawn), len(added)
    saved.record_ids = changed + added
    staging_sql.learn(saved.added)
    if saved.record_ids:
        open_forms.refuse_over_limit(opened)
    records_sql.refresh(changed)
    saved.sums_changed = _keep_summaries(opened.supplier_return, staged.summaries)
    return saved


def file(  # noqa: PLR0913 whose form of which period, and by whom
    *,
    supplier: Taxpayer,
    form: Form,
    period: TaxPeriod,
    actor: User | None,
    clock: Clock,
    found: Iterable[staging.Found] = (),
    keys_replace: bool = True,
    shown_digest: str | None = None,
    finishing: Callable[[SupplierReturn], None] | None = None,
) -> SupplierReturn:
    """File a form with everything saved in it, and `found` besides. This will fix each record's GSTR-2B period.

    `keys_replace` reads `found` as `save` does. `finishing` belongs to the same transaction. What is returned is filed,
    but a return of very many recipients is on its way to them still: until it is there its records say saved. Where
    `found` holds documents all is done in one transaction, however many there are.

    Raises ReturnRefusedError when the form may not be filed or a document of `found` is refused, and
    ChangedSinceShownError when it no longer holds what `shown_digest` was made of: then nothing is kept.
    """

    def work() -> SupplierReturn:
        staged.into_table()  # as in `apply_staged`
        saved_for = _saved_for(supplier, form, period)
        is_large = not recipients and delivery.is_large(saved_for.values())
        locked = set() if is_large else recipients | saved_for.keys()
        opened = _open(supplier, form, period, locked, actor, clock, Right.FILE, is_filing=True)
        if not is_large and not _saved_for(supplier, form, period).keys() <= locked | {supplier.pk}:
            raise locking.LockSetChangedError
        apply_under_lock(opened, staged=staged, all_or_nothing=True)
        if shown_digest is not None and shown_digest != reported.digest(opened.supplier_return):
            raise ChangedSinceShownError
        filed = _file_under_lock(opened, actor, is_large=is_large)
        if finishing is not None:
            finishing(filed)
        return filed

    staged = staging.hold(supplier=supplier, form=form, period=period, found=found, keys_replace=keys_replace)
    recipients = _known_recipients(staged, period)
    return locking.transact(work)


def _saved_for(supplier: Taxpayer, form: Form, period: TaxPeriod) -> dict[int, int]:
    """Return recipient id -> how many records are saved for it in a form."""
    saved = Record.objects.filter(
        supplier=supplier,
        supplier_return__form=form,
        supplier_return__month=period.month,
        status=Record.Status.SAVED,
    )
    return dict(saved.values_list("recipient_id").annotate(Count("pk")))


def _file_under_lock(opened: Open, actor: User | None, *, is_large: bool) -> SupplierReturn:
    """File what a form holds: to its recipients too, whose locks are held then, or (`is_large`) to be brought later."""
    kept = opened.supplier_return
    open_forms.refuse_over_limit(opened)
    _refuse_overtaken(kept)
    month = periods.gstr2b_month(opened.form, opened.filer, opened.period, opened.day, opened.calendar)
    kept.filed_on, kept.filed_at, kept.filed_by = opened.day, opened.at, actor
    kept.held = records_sql.held(kept.pk)
    kept.acknowledgement = f"SBX-{opened.form.value.replace('GSTR-', 'R')}-{kept.pk:08d}"
    kept.save()
    records = kept.held[0]
    if is_large:
        delivery.begin(kept=kept, window_month=month, records=records, actor=actor)
    else:
        delivery.file_records(kept=kept, window_month=month)
    audit.record(
        event="return.filed",
        at=opened.at,
        actor=actor,
        taxpayer=opened.supplier,
        subject=f"{opened.form.value} {opened.period.name}",
        details={"records": records},
    )
    return kept


def _refuse_overtaken(kept: SupplierReturn) -> None:
    """Raise ReturnRefusedError for a saved amendment whose original was amended in another return meanwhile (R2.12)."""
    overtaken = [clashes.problem(row) for row in staging_sql.overtaken(kept.pk)]
    if overtaken:
        raise ReturnRefusedError(Refusal.ORIGINAL_NOT_FOUND, overtaken[0].message, overtaken)


def edit(*, supplier: Taxpayer, record: Record, document: Document, actor: User | None, clock: Clock) -> Saved:
    """Replace a saved record by another version of it. This will reset the recipient's action (R2.3).

    Raises ReturnRefusedError when it is filed (R2.4), the new version may not stand, or it names another recipient:
    that is another record, in another inbox.
    """
    if document.recipient != record.recipient.gstin:
        raise ReturnRefusedError(
            Refusal.RECIPIENT_CHANGE_NOT_ALLOWED,
            _("%(number)s stands in the inbox of %(recipient)s. Delete it and report it anew for another recipient.")
            % {"number": record.number, "recipient": record.recipient.gstin},
        )
    return _save_again(supplier, record, document, actor, clock)


def delete(
    *,
    supplier: Taxpayer,
    record: Record,
    document: Document,
    actor: User | None,
    clock: Clock,
    seen: int | None = None,
    finishing: Callable[[Saved], None] | None = None,
) -> Saved:
    """Withdraw a saved record; its history stays. `document` is the record as a withdrawal.

    `seen` is the version its supplier saw, `finishing` is `apply_staged`'s. Raises ReturnRefusedError when it is filed
    (R2.4), ChangedMeanwhileError.
    """
    return _save_again(supplier, record, document, actor, clock, seen=seen, finishing=finishing)


def _save_again(
    supplier: Taxpayer,
    record: Record,
    document: Document,
    actor: User | None,
    clock: Clock,
    *,
    seen: int | None = None,
    finishing: Callable[[Saved], None] | None = None,
) -> Saved:
    form, period = _return_of(record)
    _refuse_filed(record)
    return save(
        supplier=supplier,
        form=form,
        period=period,
        found=[document],
        actor=actor,
        clock=clock,
        replacing={document.position: record.pk},
        all_or_nothing=True,
        is_taking_back=document.withdraw,
        seen=None if seen is None else {record.pk: seen},
        finishing=finishing,
    )


def _return_of(record: Record) -> tuple[Form, TaxPeriod]:
    kept = record.supplier_return
    if kept is None:
        raise ReturnRefusedError(Refusal.FORM_NOT_OPEN, _("This record comes from a feed and has no return to edit."))
    return Form(kept.form), kept.period


def _refuse_filed(record: Record) -> None:
    if record.status == Record.Status.FILED:
        raise ReturnRefusedError(
            Refusal.ALREADY_FILED,
            _("%(number)s is filed. Change it by an amendment in GSTR-1A or in a later return.")
            % {"number": record.number},
        )


def _known_recipients(staged: staging.Staged, period: TaxPeriod) -> set[int]:
    """Return the ids of the staged recipients, made known where they were not; their inboxes exist after it."""
    gstins = staged.gstins()
    if not gstins:
        return set()
    Taxpayer.objects.bulk_create(
        [Taxpayer(gstin=gstin, first_month=period.month) for gstin in gstins], ignore_conflicts=True
    )
    known = list(Taxpayer.objects.filter(gstin__in=gstins))
    locking.ensure(known)
    return {taxpayer.pk for taxpayer in known}


def _open(  # noqa: PLR0913 whose form of which period, and by whom
    supplier: Taxpayer,
    form: Form,
    period: TaxPeriod,
    recipients: set[int],
    actor: User | None,
    portal_clock: Clock,
    right: Right,
    *,
    is_filing: bool,
    is_taking_back: bool = False,
) -> Open:
    """Lock what a save or a filing changes and return the form, or raise why it takes nothing now."""
    locking.ensure([supplier])
    inboxes = locking.lock(recipients | {supplier.pk})
    at = portal_clock.now()
    if actor is not None:
        access.require(user=actor, taxpayer=supplier, right=right, at=at)
    filer, in_force = calendar.filer(supplier), calendar.in_force(at)
    kept, _made = SupplierReturn.objects.get_or_create(
        supplier=supplier,
        form=form.value,
        month=period.month,
        defaults={"is_quarter": period.is_quarter, "own_month": filer.period(period.month).month},
    )
    opened = Open(supplier, form, period, kept, filer, in_force, at)
    refusal = open_forms.refusal(opened, inboxes[supplier.pk], is_filing=is_filing, is_taking_back=is_taking_back)
    if refusal is not None:
        raise open_forms.refused(refusal, opened)
    delivery.refuse_due(supplier)
    return opened


def _reported(opened: Open) -> Reported:
    return Reported(
        supplier_id=opened.supplier.pk,
        return_id=opened.supplier_return.pk,
        form=opened.form.value,
        return_month=opened.period.month,
        own_month=opened.supplier_return.own_month,
        earliest_month=periods.earliest_month(opened.form, opened.period),
        files_by_quarter=opened.filer.frequency(opened.period.month) is periods.Frequency.QUARTERLY,
    )


def _keep_summaries(kept: SupplierReturn, summaries: Sequence[staging.Summary]) -> bool:
    """Replace the sums of each section named, whole, and return whether any is another than before."""
    sections = {summary.section for summary in summaries}
    stored = ReturnSummary.objects.filter(supplier_return=kept, section__in=sections)
    before = {(row.section, row.detail): (row.taxable, row.igst, row.cgst, row.sgst, row.cess) for row in stored}
    after = {(line.section, line.detail): (line.taxable, *line.tax) for line in summaries}
    if before == after:
        return False
    stored.delete()
    ReturnSummary.objects.bulk_create(
        [
            ReturnSummary(
                supplier_id=kept.supplier_id,
                supplier_return=kept,
                section=line.section,
                detail=line.detail,
                taxable=line.taxable,
                **line.tax.as_dict(),
            )
            for line in summaries
        ]
    )
    return True
