"""The record: what a supplier reported and where its recipient stands with it, and what it said before."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Taxpayer, paise, within_bounds
from ims_portal.rules import actions, documents, gstr2b, gstr3b
from ims_portal.rules.money import Tax
from invoices import numbers
from invoices.models.returns import SupplierReturn


class Record(models.Model):
    """One reported version of one document, with what its recipient decided about it.

    Reported by the supplier (written by `outward`): everything down to `filed_on`. Derived when filed, settled or
    superseded (`records_sql.refresh`): baseline, effect, `reduces`, `kind`, bypass, GSTR-2B month. Decided by the
    recipient (written by `actions` alone): action, answer, declaration, remark, reason, version.
    """

    class Status(models.TextChoices):
        SAVED = "S", _("Saved")
        FILED = "F", _("Filed")
        WITHDRAWN = "W", _("Withdrawn")

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="inward_records", db_index=False)
    supplier = models.ForeignKey(
        Taxpayer, on_delete=models.PROTECT, null=True, blank=True, related_name="outward_records", db_index=False
    )
    supplier_return = models.ForeignKey(
        SupplierReturn, on_delete=models.PROTECT, null=True, blank=True, related_name="records", db_index=False
    )
    section = models.CharField(max_length=8, choices=[(s.value, s.value) for s in documents.Section])
    form = models.CharField(max_length=8, choices=[(f.value, f.value) for f in documents.Form])
    return_month = models.PositiveIntegerField()
    own_month = models.PositiveIntegerField()
    earliest_month = models.PositiveIntegerField()
    files_by_quarter = models.BooleanField(default=False)
    status = models.CharField(max_length=1, choices=Status.choices, default=Status.SAVED)
    number = models.CharField(max_length=30)
    number_key = models.CharField(max_length=30)
    number_class = models.CharField(max_length=1, choices=[(c.value, c.name.title()) for c in documents.NumberClass])
    document_date = models.DateField()
    fy = models.PositiveSmallIntegerField()
    credit_fy = models.PositiveSmallIntegerField()
    pos = models.CharField(max_length=2)
    inv_type = models.CharField(
        max_length=5,
        default=documents.InvoiceType.REGULAR.value,
        choices=[(t.value, t.value) for t in documents.InvoiceType],
    )
    reverse_charge = models.BooleanField(default=False)
    is_ineligible = models.BooleanField(
        default=False, db_default=False, help_text=_("an ISD document whose credit its distributor calls ineligible")
    )
    boe_change = models.CharField(max_length=1, blank=True, default="")
    port = models.CharField(max_length=6, blank=True, default="")
    taxable = paise(_("taxable value"), default=0)
    value = paise(_("document value"), default=0)
    igst = paise("IGST", default=0)
    cgst = paise("CGST", default=0)
    sgst = paise("SGST/UTGST", default=0)
    cess = paise(_("cess"), default=0)
    original = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="amendments")
    chain = models.BigIntegerField(help_text=_("id of the chain's first version"))
    chain_no = models.PositiveSmallIntegerField(default=1)
    filed_on = models.DateField(null=True, blank=True)
    filed_seq = models.BigIntegerField(
        null=True, blank=True, help_text=_("its recipient's counter just before it was filed")
    )
    gstr2b_month = models.PositiveIntegerField(null=True, blank=True)

    is_pos_ineligible = models.BooleanField(default=False)
    bypass = models.CharField(
        max_length=5, blank=True, default="", choices=[(b.value, b.name.title()) for b in gstr2b.Bypass]
    )
    unavailable = models.CharField(max_length=1, blank=True, default="")
    original_is_open = models.BooleanField(default=False)
    has_baseline = models.BooleanField(default=False)
    effect_igst = paise("", default=0)
    effect_cgst = paise("", default=0)
    effect_sgst = paise("", default=0)
    effect_cess = paise("", default=0)
    reduces = models.BooleanField(default=False)
    kind = models.CharField(max_length=3, blank=True, default="")
    charged_taxable = paise("", default=0)
    charged_igst = paise("", default=0)
    charged_cgst = paise("", default=0)
    charged_sgst = paise("", default=0)
    charged_cess = paise("", default=0)

    action = models.CharField(
        max_length=1, default=actions.Action.NONE.value, choices=[(a.value, a.name.title()) for a in actions.Action]
    )
    answer = models.CharField(
        max_length=1, blank=True, default="", choices=[(a.value, a.name.title()) for a in actions.Answer]
    )
    declared_igst = paise("", default=0)
    declared_cgst = paise("", default=0)
    declared_sgst = paise("", default=0)
    declared_cess = paise("", default=0)
    remark = models.CharField(max_length=actions.REMARK_LIMIT, blank=True, default="")
    reason_code = models.CharField(
        max_length=12, blank=True, default="", choices=[(r.value, r.value) for r in actions.ReasonCode]
    )
    version = models.PositiveIntegerField(default=0)
    lost_action = models.CharField(
        max_length=1,
        blank=True,
        default="",
        db_default="",
        help_text=_("what its supplier's edit took away, while nothing has been chosen since"),
    )

    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="supersedes"
    )
    is_closed = models.BooleanField(
        default=False, db_default=False, help_text=_("superseded, and a later version is settled: no list shows it")
    )
    settled_month = models.PositiveIntegerField(null=True, blank=True)
    settled_as = models.CharField(max_length=1, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "id"], name="record_of_its_recipient"),
            models.UniqueConstraint(
                fields=["recipient", "supplier", "fy", "number_class", "number_key"],
                condition=Q(chain_no=1) & ~Q(status="W") & Q(number_class__in=["I", "N"]),
                name="one_document_per_supplier_year_and_number",
            ),
            models.UniqueConstraint(
                fields=["recipient", "chain", "chain_no"],
                condition=Q(status="F"),
                name="one_filed_record_per_place_in_its_chain",
            ),
            models.UniqueConstraint(
                fields=["recipient", "chain", "supplier_return"],
                condition=~Q(status="W"),
                name="one_record_of_a_chain_per_return",
            ),
            models.CheckConstraint(
                condition=Q(status="F", filed_on__isnull=False, gstr2b_month__isnull=False)
                | (~Q(status="F") & Q(filed_on=None, gstr2b_month=None)),
                name="filed_record_has_its_gstr2b_period",
            ),
            models.CheckConstraint(condition=Q(action__in=["N", "A", "R", "P"]), name="action_is_n_a_r_or_p"),
            models.CheckConstraint(condition=Q(lost_action="") | Q(action="N"), name="action_is_lost_until_the_next"),
            models.CheckConstraint(
                condition=Q(is_closed=False) | Q(superseded_by__isnull=False), name="only_superseded_is_closed"
            ),
            models.CheckConstraint(
                condition=Q(answer="") | Q(action="A", answer__in=["F", "P", "N"]),
                name="reduction_answered_only_on_accept",
            ),
            models.CheckConstraint(
                condition=Q(answer="P") | Q(declared_igst=0, declared_cgst=0, declared_sgst=0, declared_cess=0),
                name="amounts_declared_only_in_part",
            ),
            models.CheckConstraint(condition=Q(declared_cgst=F("declared_sgst")), name="declared_cgst_equals_sgst"),
            models.CheckConstraint(condition=Q(reason_code="") | Q(action="R"), name="reason_only_on_reject"),
            models.CheckConstraint(
                condition=Q(settled_month=None, settled_as="")
                | Q(settled_month__isnull=False, settled_as__in=["A", "R"]),
                name="settled_as_accepted_or_rejected",
            ),
            within_bounds(
                "taxable", "value", "igst", "cgst", "sgst", "cess", name="document_amounts_in_bounds", least=0
            ),
            within_bounds("effect_igst", "effect_cgst", "effect_sgst", "effect_cess", name="effects_in_bounds"),
            within_bounds(
                "charged_taxable",
                "charged_igst",
                "charged_cgst",
                "charged_sgst",
                "charged_cess",
                name="charges_in_bounds",
            ),
            within_bounds(
                "declared_igst",
                "declared_cgst",
                "declared_sgst",
                "declared_cess",
                name="declarations_in_bounds",
                least=0,
            ),
        ]
        indexes = [
            models.Index(fields=["recipient", "section", "document_date", "id"], name="inward_list"),
            models.Index(
                fields=["recipient", "gstr2b_month"],
                condition=Q(settled_month=None, status="F"),
                name="scope_of_a_statement",
            ),
            models.Index(
                fields=["recipient", "filed_seq"],
                condition=Q(settled_month=None, status="F"),
                name="filed_since_a_count",
            ),
            models.Index(
                fields=["recipient", "filed_on"],
                condition=Q(settled_month=None, status="F"),
                name="filed_since_a_statement",
            ),
            models.Index(fields=["recipient", "supplier", "document_date", "id"], name="inward_list_of_a_supplier"),
            # What may belong to an invoice are notes, few among very many documents of one supplier.
            models.Index(
                fields=["recipient", "supplier", "document_date", "id"],
                condition=Q(section__in=["b2bcn", "b2bcna"]),
                name="notes_of_a_supplier",
            ),
            # The orders of a list of all sections; the dearest by the tax people see.
            models.Index(fields=["recipient", "document_date", "id"], name="inward_by_date"),
            models.Index(F("recipient"), F("igst") + F("cgst") + F("sgst") + F("cess"), F("id"), name="inward_by_tax"),
            # A note and its invoice find one another by what they have in common, among documents of the other kind.
            *(
                models.Index(
                    F("recipient"),
                    F("supplier"),
                    F("igst") + F("cgst") + F("sgst") + F("cess"),
                    F("document_date"),
                    condition=Q(section__in=sections),
                    name=name,
                )
                for name, sections in (
                    ("invoices_by_tax", ["b2b", "b2ba", "b2bdn", "b2bdna", "ecom", "ecoma"]),
                    ("notes_by_tax", ["b2bcn", "b2bcna"]),
                )
            ),
            models.Index(fields=["recipient", "chain", "chain_no"], name="chain_of_a_document"),
            models.Index(
                fields=["recipient", "original"], condition=Q(original__isnull=False), name="amendments_of_a_recipient"
            ),
            models.Index(fields=["supplier", "own_month", "id"], name="outward_list"),
            models.Index(fields=["supplier_return", "id"], name="documents_of_a_return"),
            models.Index(fields=["supplier", "number_key"], name="outward_by_number"),
            models.Index(F("supplier"), numbers.coarse(), name="near_numbers_of_a_supplier"),
            models.Index(fields=["recipient", "settled_month"], name="settled_by_a_period"),
            models.Index(
                fields=["recipient", "chain"],
                condition=Q(superseded_by__isnull=False, is_closed=False),
                name="superseded_still_shown",
            ),
            models.Index(
                fields=["recipient"], condition=Q(settled_month=None) & ~Q(lost_action=""), name="changed_since_decided"
            ),
            models.Index(
                fields=["recipient", "gstr2b_month"],
                condition=Q(settled_month=None, reduces=True),
                name="open_records_that_reduce",
            ),
            models.Index(fields=["recipient"], condition=Q(status="S"), name="records_only_saved"),
            # What may need its recipient, in the order it is shown: the first page reads some rows, not all of them,
            # and that of one section none of the others'.
            models.Index(
                fields=["recipient", "document_date", "id", "section"],
                condition=Q(settled_month=None) & (Q(reduces=True) | ~Q(lost_action="")),
                name="may_need_its_recipient",
            ),
            # A search by how a number begins; any other operator class would serve equality alone.
            models.Index(
                fields=["recipient", "number_key"],
                opclasses=["int8_ops", "varchar_pattern_ops"],
                name="inward_by_number",
            ),
        ]

    @property
    def tax(self) -> Tax:
        """The document's tax."""
        return Tax(self.igst, self.cgst, self.sgst, self.cess)

    @property
    def effect(self) -> Tax:
        """The change in ITC if accepted in full (R2.14)."""
        return Tax(self.effect_igst, self.effect_cgst, self.effect_sgst, self.effect_cess)

    @property
    def cap(self) -> Tax:
        """The most that may be reduced (R2.14)."""
        return gstr2b.cap(self.effect)

    @property
    def declared(self) -> Tax:
        """What the recipient declared under a partial reduction."""
        return Tax(self.declared_igst, self.declared_cgst, self.declared_sgst, self.declared_cess)

    @property
    def adds_back(self) -> bool:
        """Whether rejecting this record raises its supplier's liability (R6.3)."""
        month = self.gstr2b_month or self.earliest_month
        return gstr3b.ADDS_BACK.decide(month, reduces=self.reduces).outcome

    @property
    def is_amendment(self) -> bool:
        """Whether this record amends an earlier one."""
        return self.section in documents.AMENDMENTS

    @property
    def is_filed(self) -> bool:
        """Whether its supplier has filed it."""
        return self.status == self.Status.FILED


class RecordDetail(models.Model):
    """What is rarely read of a record: its rate lines as reported, e-invoice reference."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, primary_key=True, related_name="detail")
    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    items = models.JSONField(default=list)
    irn = models.CharField(max_length=64, blank=True, default="")
    irn_date = models.DateField(null=True, blank=True)
    differential = models.BooleanField(default=False)
    eco_supplier = models.CharField(max_length=15, blank=True, default="")


class ReportedBefore(models.Model):
    """What a saved record said before its supplier changed it; append-only.

    `said` holds the columns of `staging_sql.REPORTED` as they were, amounts in paise. What the change made of them is
    the next row's `said`, or the record itself. `version` is the one the change raised the record to, its event's.
    """

    recipient = models.ForeignKey("ims_portal.Taxpayer", on_delete=models.PROTECT, related_name="+", db_index=False)
    record = models.ForeignKey("invoices.Record", on_delete=models.PROTECT, related_name="said_before", db_index=False)
    version = models.PositiveIntegerField()
    said = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "record", "version"], name="one_earlier_reading_per_record_version"
            ),
        ]
