"""Which of a supplier's forms may be saved or filed at a moment, and why not (R6.5, R6.11, R8.12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.http import Http404
from django.utils.translation import gettext as _

from ims_portal import calendar, clock
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b, periods
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Form, Problem
from ims_portal.rules.money import to_paise, to_rupees
from ims_portal.rules.periods import Calendar, Filer, Return, TaxPeriod
from invoices import records_sql
from invoices.models import Inbox, SupplierReturn
from invoices.outward_filters import FORMS


class ReturnRefusedError(Exception):
    """A form may not be saved or filed now; `refusal` is the rules' code."""

    def __init__(self, refusal: Refusal, message: str, problems: Sequence[Problem] = ()) -> None:
        self.refusal = refusal
        self.problems = list(problems)
        super().__init__(message)


class NoSuchReturnError(Exception):
    """A taxpayer has no such form for such a month, because of how often it files."""

    def __init__(self, form: Form, month: TaxPeriod, filer: Filer) -> None:
        self.form, self.month, self.own = form, month, filer.period(month.month)
        self.has_iff = filer.is_return_of(Form.IFF, month)
        super().__init__(form.value)


def form_of(taxpayer: Taxpayer, p: str, slug: str, filer: Filer | None = None) -> tuple[Form, TaxPeriod]:
    """Return the form and the taxpayer's own period that an address names.

    This will raise Http404 for what is no form or no month, and NoSuchReturnError for a month the taxpayer does not
    file this form for.
    """
    try:
        form, month = FORMS[slug], periods.parse(p)
    except (KeyError, periods.NotAPeriodError):
        raise Http404("No such page.") from None
    if month.is_quarter:
        raise Http404("No such page.")
    filer = filer or calendar.filer(taxpayer)
    period = month if form is Form.IFF else filer.period(month.month)
    if period.month != month.month or not filer.is_return_of(form, period):
        raise NoSuchReturnError(form, month, filer)
    return form, period


@dataclass(frozen=True, slots=True)
class Open:
    """A form under the lock: its return, who files it, the portal's moment and the calendar in force."""

    supplier: Taxpayer
    form: Form
    period: TaxPeriod
    supplier_return: SupplierReturn
    filer: Filer
    calendar: Calendar
    at: datetime

    @property
    def day(self) -> date:
        """The Indian day of the moment."""
        return clock.day(self.at)


@dataclass(frozen=True, slots=True)
class Look:
    """A form as it stands at a moment: what it is, and what saving or filing it would be refused with now."""

    opened: Open
    saving: ReturnRefusedError | None
    filing: ReturnRefusedError | None

    @property
    def kept(self) -> SupplierReturn | None:
        """The form, if anything was ever saved in it."""
        return self.opened.supplier_return if self.opened.supplier_return.pk else None


def look(*, supplier: Taxpayer, form: Form, period: TaxPeriod, at: datetime, filer: Filer | None = None) -> Look:
    """Return a form as it stands. This will write nothing."""
    return looks(supplier=supplier, wanted=[(form, period)], at=at, filer=filer)[0]


def looks(
    *, supplier: Taxpayer, wanted: Sequence[tuple[Form, TaxPeriod]], at: datetime, filer: Filer | None = None
) -> list[Look]:
    """Return several forms of a supplier as they stand, with at most four queries. This will write nothing."""
    filer, in_force = filer or calendar.filer(supplier), calendar.in_force(at)
    inbox = Inbox.objects.filter(pk=supplier.pk).first() or Inbox(taxpayer=supplier, open_month=supplier.first_month)
    months = {month for _form, period in wanted for month in (period.month, filer.period(period.month).month)}
    found = SupplierReturn.objects.filter(supplier=supplier, month__in=months).select_related("filed_by")
    kept = {(Form(row.form), row.month): row for row in found}
    return [
        _look(
            Open(
                supplier=supplier,
                form=form,
                period=period,
                supplier_return=kept.get((form, period.month)) or _unsaved(supplier, form, period),
                filer=filer,
                calendar=in_force,
                at=at,
            ),
            inbox,
            kept.get((Form.GSTR1, filer.period(period.month).month)),
        )
        for form, period in wanted
    ]


def _look(opened: Open, inbox: Inbox, first: SupplierReturn | None) -> Look:
    has_first = first is not None and first.is_filed
    saving, filing = (
        refusal(opened, inbox, is_filing=is_filing, gstr1_is_filed=has_first) for is_filing in (False, True)
    )
    return Look(
        opened,
        saving=refused(saving, opened) if saving else None,
        filing=refused(filing, opened) if filing else None,
    )


def _unsaved(supplier: Taxpayer, form: Form, period: TaxPeriod) -> SupplierReturn:
    return SupplierReturn(supplier=supplier, form=form.value, month=period.month)


def refusal(
    opened: Open,
    inbox: Inbox,
    *,
    is_filing: bool,
    is_taking_back: bool = False,
    gstr1_is_filed: bool | None = None,
) -> Refusal | None:
    """Return why a form may not be saved or filed at this moment, or None (R6.5, R6.11, R8.12).

    `is_taking_back` asks for a deletion: a document of a form that closed unfiled would else block its number.
    `gstr1_is_filed`: of the same own period, where the caller knows; else one query.
    """
    own = opened.filer.period(opened.period.month)
    first = gstr1_is_filed
    if first is None:
        first = SupplierReturn.objects.filter(
            supplier=opened.supplier, form=Form.GSTR1.value, month=own.month, filed_on__isnull=False
        ).exists()
    due = opened.calendar.due(Return.GSTR1, own, opened.filer.group)
    return gstr3b.FORM_REFUSALS.decide(
        opened.period.month,
        form=opened.form,
        is_isd=opened.supplier.is_isd,
        is_filing=is_filing,
        is_taking_back=is_taking_back,
        is_filed=opened.supplier_return.is_filed,
        is_own=opened.filer.is_return_of(opened.form, opened.period),
        has_begun=opened.day >= opened.period.first_day,
        in_days=periods.may_open(opened.form, opened.filer, opened.period, opened.day, opened.calendar),
        days_are_over=periods.has_closed(opened.form, opened.filer, opened.period, opened.day, opened.calendar),
        gstr1_is_done=first and opened.day >= due,
        own_3b_is_filed=inbox.open_month > own.month,
        previous_3b_is_unfiled=opened.filer.previous(own).month >= inbox.open_month,
    ).outcome


def refuse_over_limit(opened: Open) -> None:
    """Raise ReturnRefusedError where an IFF holds documents for more than its limit (R8.12). Other forms have none."""
    if opened.form is not Form.IFF:
        return
    limit = to_paise(gstr3b.IFF_LIMIT.decide(opened.period.month).outcome)
    value = records_sql.iff_value(opened.supplier_return.pk)
    if value > limit:
        raise ReturnRefusedError(
            Refusal.DOCUMENT_INVALID,
            _(
                "The documents of IFF %(period)s would come to Rs %(value)s with tax, credit notes not counted; an IFF "
                "takes at most Rs %(limit)s. Nothing was kept. Report the rest in GSTR-1 of the quarter."
            )
            % {"period": opened.period.label, "value": to_rupees(value), "limit": to_rupees(limit)},
        )


def refused(refusal: Refusal, opened: Open) -> ReturnRefusedError:
    """Return the refusal of a form in words: what, why, what next."""
    names = {"form": opened.form.value, "period": opened.period.label, "supplier": opened.supplier.name}
    text = {
        Refusal.ALREADY_FILED: _already_filed,
        Refusal.FORM_NOT_OPEN: _not_open,
        Refusal.PREVIOUS_3B_NOT_FILED: _waits_for_3b,
    }[refusal](opened) % names
    return ReturnRefusedError(refusal, text)


def _already_filed(opened: Open) -> str:
    if not opened.supplier_return.is_filed:
        return _(
            "GSTR-3B of %(period)s is filed, so %(form)s of %(period)s takes nothing more. Report in the return of a "
            "later period."
        )
    return _("%(form)s of %(period)s is filed. Report changes in GSTR-1A of that period, or amend in a later return.")


def _not_open(opened: Open) -> str:
    if opened.supplier.is_isd != (opened.form is Form.GSTR6):
        return _(
            "%(supplier)s has no %(form)s. An input service distributor files GSTR-6 and nothing else; everybody else "
            "files GSTR-1 or IFF, and GSTR-1A."
        )
    return _(
        "%(form)s of %(period)s is not open for %(supplier)s today. GSTR-1 and IFF can be filed once their period "
        "has ended, IFF only until its due day; GSTR-1A once, between GSTR-1 and GSTR-3B of its period."
    )


def _waits_for_3b(_opened: Open) -> str:
    return _("GSTR-3B of the period before %(period)s is not filed. File it first, then %(form)s.")
