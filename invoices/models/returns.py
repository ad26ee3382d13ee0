"""A supplier's return and what of it never reaches IMS."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Job, Taxpayer, User, paise, within_bounds
from ims_portal.rules import documents
from ims_portal.rules.periods import Frequency, TaxPeriod


class SupplierReturn(models.Model):
    """One form of one supplier and period: saved until `filed_on`, frozen after.

    `held` is what it said when it was filed: [documents, taxable value, igst, cgst, sgst, cess] in paise over all that
    recipients hold; None in returns of before it was kept.
    """

    supplier = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="supplier_returns")
    form = models.CharField(max_length=8, choices=[(f.value, f.value) for f in documents.Form])
    month = models.PositiveIntegerField(help_text=_("the period's last month, YYYYMM"))
    is_quarter = models.BooleanField(default=False)
    own_month = models.PositiveIntegerField(help_text=_("the supplier's GSTR-3B period it counts in, YYYYMM"))
    filed_on = models.DateField(null=True, blank=True)
    filed_at = models.DateTimeField(null=True, blank=True)
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    acknowledgement = models.CharField(max_length=24, blank=True)
    held = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "form", "month"], name="one_return_per_supplier_form_period"),
            models.CheckConstraint(
                condition=Q(filed_on=None, filed_at=None) | Q(filed_on__isnull=False, filed_at__isnull=False),
                name="filed_return_has_day_and_moment",
            ),
        ]

    @property
    def is_filed(self) -> bool:
        """Whether the form is filed and its documents frozen."""
        return self.filed_on is not None

    @property
    def period(self) -> TaxPeriod:
        """The period it is of."""
        return TaxPeriod(self.month, Frequency.QUARTERLY if self.is_quarter else Frequency.MONTHLY)


class Delivery(Job):
    """The way of a filed return to its recipients, where these are too many for one transaction.

    While it is due (`done` behind `wanted`), records of the return that are still saved are filed by law: a worker, or
    whoever computes one recipient's GSTR-2B, has yet to file them, on the day of the return, into the GSTR-2B of
    `window_month` (YYYYMM). `total` and `progress` count records.
    """

    is_owed = True

    supplier_return = models.OneToOneField(SupplierReturn, on_delete=models.PROTECT, related_name="delivery")
    window_month = models.PositiveIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["taxpayer"], condition=Q(done__lt=F("wanted")), name="deliveries_due"),
        ]


class ReturnSummary(models.Model):
    """Outward supplies of a return that never reach IMS (B2C, exports, nil ..): sums that Table 3 needs (R8.1).

    `detail` is a `rules.table3.Detail` as written: what can be amended by number is kept document by document.
    `supplier` is that of the return, for `manage.py distribute`; None in rows of before it was written.
    """

    supplier = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    supplier_return = models.ForeignKey(SupplierReturn, on_delete=models.PROTECT, related_name="summaries")
    section = models.CharField(max_length=20)
    detail = models.CharField(max_length=80, blank=True)
    taxable = paise(_("taxable value"), default=0)
    igst = paise("IGST", default=0)
    cgst = paise("CGST", default=0)
    sgst = paise("SGST/UTGST", default=0)
    cess = paise(_("cess"), default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier_return", "section", "detail"], name="one_summary_per_section"),
            within_bounds("taxable", "igst", "cgst", "sgst", "cess", name="summary_amounts_in_bounds"),
        ]
