"""How a filed document is amended: in which open forms, until when, and whether it is amended already (R2.4, R6.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ims_portal import calendar, clock
from ims_portal.models import Taxpayer
from ims_portal.rules import time_limit
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import TaxPeriod
from invoices import open_forms
from invoices.models import Record, SupplierReturn
from invoices.open_forms import Look


@dataclass(frozen=True, slots=True)
class Ways:
    """The forms that could take an amendment, the last day the law gives, and a later version where there is one.

    `is_late`: that day has passed, and no form takes it.
    """

    looks: list[Look]
    until: date
    is_late: bool
    later: Record | None


def ways(record: Record, *, supplier: Taxpayer, at: datetime) -> Ways:
    """Return how a filed record can be amended: in GSTR-1A of its period, or in the next GSTR-1 or IFF."""
    until = time_limit.last_amended_on(record.credit_fy)
    later = (
        Record.objects.filter(recipient_id=record.recipient_id, chain=record.chain, chain_no__gt=record.chain_no)
        .exclude(status=Record.Status.WITHDRAWN)
        .select_related("supplier_return")
        .order_by("-chain_no", "-id")
        .first()
    )
    found = open_forms.looks(supplier=supplier, wanted=_wanted(record, supplier, at), at=at)
    return Ways(found, until, is_too_late(record, at), later)


def is_too_late(record: Record, at: datetime) -> bool:
    """Whether the last day has passed on which a filed record may be amended (R6.6)."""
    return time_limit.is_too_late_to_amend(clock.day(at), record.credit_fy)


def _wanted(record: Record, supplier: Taxpayer, at: datetime) -> list[tuple[Form, TaxPeriod]]:
    filer = calendar.filer(supplier)
    own = filer.period(record.own_month)
    filed = set(
        SupplierReturn.objects.filter(
            supplier=supplier, form=Form.GSTR1.value, own_month__gt=own.month, filed_on__isnull=False
        ).values_list("own_month", flat=True)
    )
    following = filer.following(own)
    while following.month in filed:
        following = filer.following(following)
    today = clock.day(at)
    of_months = [
        (Form.IFF, month)
        for month in following.paid_ahead
        if filer.is_return_of(Form.IFF, month) and month.first_day <= today
    ]
    return [(Form.GSTR1A, own), *of_months, (Form.GSTR1, following)]
