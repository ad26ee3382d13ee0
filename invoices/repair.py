"""Repairing a wrongful rejection: ask while the recipient can still change it, else report the document again (R6.6).

Once the recipient's GSTR-3B is filed nothing but the supplier's own amendment helps: the same document, unchanged, in
GSTR-1A of its period while that is open, else in the next GSTR-1. It is saved the way every document is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from ims_portal import calendar, clock
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules import documents, time_limit
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import Calendar, Filer, TaxPeriod
from invoices import open_forms, outward, reported, staging
from invoices.models import Inbox, Record, SupplierReturn
from invoices.open_forms import Open
from invoices.outward import Saved

AMENDED_IN: Mapping[Section, Section] = {
    **{original: amendment for amendment, original in documents.ORIGINAL_OF.items()},
    **{amendment: amendment for amendment in documents.ORIGINAL_OF},
}
"""Section -> the one its next version is reported in."""


class Way(StrEnum):
    """How a rejection is repaired."""

    ASK = "ask"
    REPORT = "report"


class Barred(StrEnum):
    """Why a record cannot be reported again."""

    NOT_REJECTED = "not_rejected"
    NOT_OWN = "not_own"
    REPORTED_AGAIN = "reported_again"
    TIME_LIMIT = "time_limit"
    FORM_CLOSED = "form_closed"


class RepairRefusedError(Exception):
    """A record cannot be reported again; `plan` says why."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__(plan.barred.value if plan.barred else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a record is repaired today: by asking, by a form, or not at all.

    `own` is what reporting again does to the supplier's tax: it takes back what a rejection added (R6.12). `again` is
    the later version that exists already, `last_day` the last on which a document of its year may be amended, `reason`
    the words of a form that is closed.
    """

    record: Record
    way: Way
    barred: Barred | None
    last_day: date
    form: Form | None = None
    period: TaxPeriod | None = None
    own: Tax = NIL
    again: Record | None = None
    reason: str = ""


def plan(*, supplier: Taxpayer, row: reported.Row, at: datetime) -> Plan:
    """Return how one record is repaired at a moment."""
    return plans(supplier=supplier, rows=[row], at=at)[0]


def plans(*, supplier: Taxpayer, rows: Sequence[reported.Row], at: datetime) -> list[Plan]:
    """Return how each record of a page is repaired at a moment: the same few queries for all of them."""
    filer, in_force, day = calendar.filer(supplier), calendar.in_force(at), clock.day(at)
    again = _reported_again([row.record for row in rows])
    inbox = Inbox.objects.filter(pk=supplier.pk).first() or Inbox(taxpayer=supplier, open_month=supplier.first_month)
    kept = {
        (one.form, one.month): one for one in SupplierReturn.objects.filter(supplier=supplier, month__gte=_first(rows))
    }
    forms = _Forms(supplier, filer, in_force, at, inbox, kept)
    return [_plan(row, again.get(row.record.pk), day, forms) for row in rows]


def _first(rows: Sequence[reported.Row]) -> int:
    return min((row.record.own_month for row in rows), default=0)


def _reported_again(records: Sequence[Record]) -> dict[int, Record]:
    """Return record id -> its next version, saved or filed."""
    found = Record.objects.filter(
        recipient_id__in={record.recipient_id for record in records}, original__in=[record.pk for record in records]
    ).exclude(status=Record.Status.WITHDRAWN)
    return {int(record.original_id or 0): record for record in found}


def _plan(row: reported.Row, again: Record | None, day: date, forms: _Forms) -> Plan:
    record = row.record
    way = Way.REPORT if row.is_settled else Way.ASK
    found = Plan(record, way, None, time_limit.last_amended_on(record.credit_fy), own=-row.addback, again=again)
    if record.supplier_return_id is None:
        return replace(found, barred=Barred.NOT_OWN)
    if again is not None:
        return replace(found, barred=Barred.REPORTED_AGAIN)
    if row.action is not Action.REJECT or record.status == Record.Status.WITHDRAWN or record.superseded_by_id:
        return replace(found, barred=Barred.NOT_REJECTED)
    if way is Way.ASK:
        return replace(found, own=NIL)
    if time_limit.is_too_late_to_amend(day, record.credit_fy):
        return replace(found, barred=Barred.TIME_LIMIT)
    form, period, reason = forms.taking(record)
    if reason:
        return replace(found, barred=Barred.FORM_CLOSED, reason=reason)
    return replace(found, form=form, period=period)


@dataclass(frozen=True, slots=True)
class _Forms:
    """The supplier's forms at a moment, to find the one that takes an amendment."""

    supplier: Taxpayer
    filer: Filer
    calendar: Calendar
    at: datetime
    inbox: Inbox
    kept: Mapping[tuple[str, int], SupplierReturn]

    def taking(self, record: Record) -> tuple[Form, TaxPeriod, str]:
        """Return the form and period that take a record's amendment today, and why none does, "" where one does."""
        own = self.filer.period(record.own_month)
        if not self._refused(Form.GSTR1A, own):
            return Form.GSTR1A, own, ""
        period = max(self.filer.following(own), self.filer.period(self.inbox.open_month), key=lambda one: one.month)
        while self._is_filed(Form.GSTR1, period):
            period = self.filer.following(period)
        return Form.GSTR1, period, self._refused(Form.GSTR1, period)

    def _is_filed(self, form: Form, period: TaxPeriod) -> bool:
        kept = self.kept.get((form.value, period.month))
        return kept is not None and kept.is_filed

    def _refused(self, form: Form, period: TaxPeriod) -> str:
        kept = self.kept.get((form.value, period.month)) or SupplierReturn(
            supplier=self.supplier, form=form.value, month=period.month
        )
        opened = Open(self.supplier, form, period, kept, self.filer, self.calendar, self.at)
        refusal = open_forms.refusal(
            opened, self.inbox, is_filing=False, gstr1_is_filed=self._is_filed(Form.GSTR1, period)
        )
        return str(open_forms.refused(refusal, opened)) if refusal else ""


def report_again(*, supplier: Taxpayer, record: Record, shown: str, actor: User, clock: Clock) -> tuple[Plan, Saved]:
    """Save a rejected record again, unchanged, as an amendment in the form that takes it; return how and what.

    `shown` names the form that was shown, as `Plan` gives it (`GSTR-1 202511`): where another takes it now, nothing is
    saved. Raises RepairRefusedError, outward.ReturnRefusedError, outward.ChangedSinceShownError and
    access.RightMissingError. Two at once end as one: the second is a duplicate in the same return.
    """
    at = clock.now()
    (row,) = reported.rows([record], at=at)
    found = plan(supplier=supplier, row=row, at=at)
    if found.barred is not None or found.form is None or found.period is None:
        raise RepairRefusedError(found)
    if shown != named(found):
        raise outward.ChangedSinceShownError
    document = staging.document_of(
        record,
        section=AMENDED_IN[Section(record.section)],
        original_number=record.number,
        original_date=record.document_date,
    )
    saved = outward.save(
        supplier=supplier,
        form=found.form,
        period=found.period,
        found=[document],
        actor=actor,
        clock=clock,
        keys_replace=False,
        all_or_nothing=True,
    )
    return found, saved


def named(found: Plan) -> str:
    """Return the form a plan means, as a page sends it back."""
    return f"{found.form.value} {found.period.month}" if found.form and found.period else ""
