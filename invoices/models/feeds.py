"""What reaches IMS from elsewhere than a supplier's return: bills of entry, ISD, Rule 37A."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Job, Taxpayer, paise, within_bounds
from invoices.models.records import Record


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
            within_bounds(
                *("taxable", "igst", "cess", "original_taxable", "original_igst", "original_cess"),
                name="bill_amounts_in_bounds",
                least=0,
            ),
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
