"""What suppliers report and recipients decide. Money is whole paise; a period is YYYYMM of its last month."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Job, Taxpayer, User, paise, within_bounds
from ims_portal.rules import actions, documents, gstr2b, gstr3b
from ims_portal.rules.money import Tax
from invoices import numbers
from invoices.earlier import ReportedBefore as ReportedBefore  # noqa: PLC0414 - one of the models


class SupplierReturn(models.Model):
    """One form of one supplier and period: saved until `filed_on`, frozen after."""

    supplier = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="supplier_returns")
    form = models.CharField(max_length=8, choices=[(f.value, f.value) for f in documents.Form])
    month = models.PositiveIntegerField(help_text=_("the period's last month, YYYYMM"))
    is_quarter = models.BooleanField(default=False)
    own_month = models.PositiveIntegerField(help_text=_("the supplier's GSTR-3B period it counts in, YYYYMM"))
    filed_on = models.DateField(null=True, blank=True)
    filed_at = models.DateTimeField(null=True, blank=True)
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    acknowledgement = models.CharField(max_length=24, blank=True)

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


class ReturnSummary(models.Model):
    """Outward supplies of a return that never reach IMS (B2C, exports, nil ..): sums that Table 3 needs (R8.1).

    `detail` is a `rules.table3.Detail` as written: what can be amended by number is kept document by document.
    """

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


class Inbox(models.Model):
    """A GSTIN's counter and lock: whatever can change its GSTR-2B runs one after another under this row.

    `seq` counts the changes that make a computed statement out of date (R7.11). `open_month` is the earliest of its
    own periods (last month, YYYYMM) whose GSTR-3B is not filed.
    """

    taxpayer = models.OneToOneField(Taxpayer, on_delete=models.PROTECT, primary_key=True, related_name="inbox")
    seq = models.BigIntegerField(default=0)
    open_month = models.PositiveIntegerField()


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

    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="supersedes"
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
            models.Index(fields=["recipient", "supplier", "document_date", "id"], name="inward_list_of_a_supplier"),
            models.Index(fields=["recipient", "chain", "chain_no"], name="chain_of_a_document"),
            models.Index(
                fields=["recipient", "original"], condition=Q(original__isnull=False), name="amendments_of_a_recipient"
            ),
            models.Index(fields=["supplier", "own_month", "id"], name="outward_list"),
            models.Index(fields=["supplier_return", "id"], name="documents_of_a_return"),
            models.Index(fields=["supplier", "number_key"], name="outward_by_number"),
            models.Index(F("supplier"), numbers.coarse(), name="near_numbers_of_a_supplier"),
            models.Index(fields=["recipient", "settled_month"], name="settled_by_a_period"),
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


class ActionEvent(models.Model):
    """One change of one record's action, by a person or by the supplier's edit; append-only.

    `inbox_seq` is the recipient's counter right after the change: "before the filing" is decided by it, by no clock.
    """

    class Cause(models.TextChoices):
        CHOSEN = "chosen", _("chosen by the recipient")
        EDITED = "edited", _("reset: the supplier changed the record")
        WITHDRAWN = "withdrawn", _("the supplier withdrew the record")
        UNDONE = "undone", _("undone by the recipient")

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="events")
    version = models.PositiveIntegerField()
    cause = models.CharField(max_length=10, choices=Cause.choices, default=Cause.CHOSEN)
    old_action = models.CharField(max_length=1)
    action = models.CharField(max_length=1)
    answer = models.CharField(max_length=1, blank=True, default="")
    declared_igst = paise("", default=0)
    declared_cgst = paise("", default=0)
    declared_sgst = paise("", default=0)
    declared_cess = paise("", default=0)
    remark = models.CharField(max_length=actions.REMARK_LIMIT, blank=True, default="")
    reason_code = models.CharField(max_length=12, blank=True, default="")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    capacity = models.CharField(max_length=20, blank=True, default="")
    request_id = models.UUIDField(default=uuid.uuid4)
    inbox_seq = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "record", "version"], name="one_event_per_record_version"),
            models.UniqueConstraint(fields=["recipient", "request_id", "record"], name="one_event_per_request"),
        ]


class Upload(Job):
    """A file a supplier handed in: kept on disk until ingested, its outcome kept after."""

    form = models.CharField(max_length=8, choices=[(f.value, f.value) for f in documents.Form])
    month = models.PositiveIntegerField()
    file_name = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["taxpayer", "form", "month", "sha256"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_upload_per_file",
            ),
        ]
        indexes = [models.Index(fields=["taxpayer", "-created_at"], name="uploads_of_a_taxpayer")]


class UploadProblem(models.Model):
    """Why one document of an upload was refused, or what it is warned of."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="problems")
    position = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=64, blank=True)
    field = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=30)
    message = models.TextField()
    is_warning = models.BooleanField(default=False)
    counterparty = models.CharField(max_length=64, blank=True)
    dated = models.CharField(max_length=64, blank=True)


class FeedKind(models.TextChoices):
    """What comes by feed (formats 10)."""

    BILLS = "boe", _("Bills of entry (ICEGATE)")
    ISD = "isd", _("ISD distribution (GSTR-6)")
    RULE_37A = "rule37a", _("Rule 37A reversals")


class FeedBatch(Job):
    """A feed an administrator handed in: kept on disk until taken in whole or refused whole, its outcome kept after.

    `key` tells a batch from another of its kind: its batch_id, or GSTIN and period of a GSTR-6. `repeats` is the batch
    that brought the same before, so that this one changed nothing.
    """

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, null=True, blank=True, related_name="+")  # type: ignore[assignment]
    kind = models.CharField(max_length=8, choices=FeedKind.choices)
    key = models.CharField(max_length=60, blank=True)
    file_name = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    added = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    replaced = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    repeats = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "sha256"], condition=Q(state__in=["waiting", "running"]), name="one_live_batch_per_feed"
            ),
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=Q(state="done", repeats=None, kind__in=["boe", "rule37a"]),
                name="one_batch_per_key",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="latest_feeds"),
            models.Index(fields=["kind", "key"], name="feeds_by_key"),
        ]


class FeedProblem(models.Model):
    """Why a feed was refused, record by record."""

    batch = models.ForeignKey(FeedBatch, on_delete=models.CASCADE, related_name="problems")
    position = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=64, blank=True)
    field = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=30)
    message = models.TextField()


class BillOfEntry(models.Model):
    """One event of a bill of entry as customs told it, with what held after it; append-only.

    `record` is what the importer got by it, `reduction` what the importer before a change of GSTIN got (R9.4).
    """

    record = models.OneToOneField(Record, on_delete=models.PROTECT, related_name="bill")
    reduction = models.OneToOneField(
        Record, on_delete=models.PROTECT, null=True, blank=True, related_name="bill_given_up"
    )
    batch = models.ForeignKey(FeedBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="bills")
    port = models.CharField(max_length=6)
    number = models.CharField(max_length=30)
    boe_date = models.DateField()
    seq = models.PositiveIntegerField()
    event = models.CharField(max_length=11)
    source = models.CharField(max_length=8)
    reference = models.CharField(max_length=30, blank=True)
    importer_gstin = models.CharField(max_length=15)
    importer_name = models.CharField(max_length=200, blank=True)
    sez_gstin = models.CharField(max_length=15, blank=True)
    sez_name = models.CharField(max_length=200, blank=True)
    reference_date = models.DateField()
    received_at = models.DateTimeField()
    taxable = paise(_("taxable value"))
    igst = paise("IGST")
    cess = paise(_("cess"))
    original_gstin = models.CharField(max_length=15, blank=True)
    original_reference_date = models.DateField(null=True, blank=True)
    original_taxable = paise("")
    original_igst = paise("")
    original_cess = paise("")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["port", "number", "boe_date", "seq"], name="one_event_per_bill_and_seq"),
            models.CheckConstraint(condition=Q(seq=0) ^ ~Q(event="NEW"), name="only_a_new_bill_has_seq_0"),
        ]


class IsdDocument(models.Model):
    """What an ISD said of a document besides the record's own columns; append-only."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, primary_key=True, related_name="isd")
    batch = models.ForeignKey(FeedBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="isd_documents")
    corrected_number = models.CharField(max_length=16, blank=True)
    corrected_date = models.DateField(null=True, blank=True)


class Reversal(models.Model):
    """A Rule 37A reversal and the document it is of; append-only. Worked cases tell only the sum."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, primary_key=True, related_name="reversal")
    document = models.ForeignKey(Record, on_delete=models.PROTECT, null=True, blank=True, related_name="reversals")
    batch = models.ForeignKey(FeedBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="reversals")
    month = models.PositiveIntegerField(help_text=_("the GSTR-2B period that shows it, YYYYMM"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "month"], name="one_reversal_per_document_and_period"),
        ]
