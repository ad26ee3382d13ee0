"""Add-backs: what a rejection, once frozen by its recipient's filing, adds to the supplier's liability (R6.3, R6.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ims_portal import calendar
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules import periods
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.periods import TaxPeriod
from invoices import actions_sql, locking
from invoices.actions import Rejection
from invoices.models import Inbox
from returns.models import Addback, Filing


def suppliers_charged(taxpayer: Taxpayer, period: TaxPeriod) -> set[int]:
    """Return the suppliers a filing may charge: those whose reducing records stand rejected. Re-read under the lock."""
    suppliers = actions_sql.suppliers_charged(taxpayer.pk, period.month)
    locking.ensure(list(Taxpayer.objects.filter(pk__in=suppliers, inbox__isnull=True)))
    return suppliers


def fix(filing: Filing, rejections: Sequence[Rejection], inboxes: Mapping[int, Inbox]) -> None:
    """Charge each frozen rejection to its supplier. This will join the filing's transaction, after its locks."""
    filers = calendar.filers(Taxpayer.objects.filter(pk__in={line.supplier_id for line in rejections}))
    Addback.objects.bulk_create(
        [
            Addback(
                record_id=line.record_id,
                recipient=filing.taxpayer,
                supplier_id=line.supplier_id,
                filing=filing,
                target_month=periods.addback_period(
                    filers[line.supplier_id], line.own_month, inboxes[line.supplier_id].open_month
                ).month,
                row=rules.OUTWARD_ROW.decide(
                    filing.month,
                    section=Section(line.section),
                    inv_type=InvoiceType(line.inv_type),
                    is_reverse_charge=False,  # such documents bypass IMS: nobody can reject them
                ).outcome,
                **line.cap.as_dict(),
            )
            for line in rejections
        ]
    )
