"""Files of actions on many records, and what each of their rows asks."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Job, Taxpayer, paise, within_bounds
from invoices.models.records import Record


class ActionFile(Job):
    """A file of actions: read and judged, then applied once its reader confirms what was shown.

    `counts` is verdict -> how many rows, `untouched` how many ask for what stands already. `place` is the row up to
    which it is applied; it moves after each piece, and a piece done twice is done once. One that `is_direct` is a
    program's request: what may be applied is applied without asking, one request of a taxpayer at a time.
    """

    class Phase(models.TextChoices):
        READING = "reading", _("being read")
        READY = "ready", _("to be confirmed")
        APPLYING = "applying", _("being applied")
        APPLIED = "applied", _("applied")

    class Kind(models.TextChoices):
        WORKBOOK = "xlsx", "Excel"
        JSON = "json", "JSON"

    FINE = ("will", "same", "ok", "unchanged")
    """Verdicts of rows with nothing against them."""

    phase = models.CharField(max_length=8, choices=Phase.choices, default=Phase.READING)
    kind = models.CharField(max_length=4, choices=Kind.choices)
    file_name = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    counts = models.JSONField(default=dict)
    untouched = models.PositiveIntegerField(default=0)
    place = models.PositiveIntegerField(default=0)
    is_direct = models.BooleanField(default=False, db_default=False)
    is_reset = models.BooleanField(default=False, db_default=False)
    read_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)

    @property
    def refused(self) -> int:
        """How many rows are refused, as judged or as it came out."""
        return sum(count for verdict, count in self.counts.items() if verdict not in self.FINE)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["taxpayer", "sha256"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_action_file",
            ),
            models.UniqueConstraint(
                fields=["taxpayer"],
                condition=Q(state__in=["waiting", "running"], is_direct=True),
                name="one_live_direct_request",
            ),
        ]
        indexes = [models.Index(fields=["taxpayer", "-created_at"], name="action_files_of_a_taxpayer")]


class ActionFileRow(models.Model):
    """What one row of a file asks for one record, and what became of it.

    `named` is the id its file names, `record` the record it was found to be and `version` the one its writer saw; what
    its writer took the record to say is `said_…`, null where not told. `verdict` is `will`, `same`, `conflict`, `ok`
    once saved, or the code of its refusal; `code` and `problem` say why a row could not be read. `is_old_answer` and
    `is_old_remark` are those of `Asked`. Amounts are paise.
    """

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+", db_index=False)
    file = models.ForeignKey(ActionFile, on_delete=models.CASCADE, related_name="rows", db_index=False)
    place = models.PositiveIntegerField()
    position = models.CharField(max_length=80)
    section = models.CharField(max_length=8)
    supplier_gstin = models.CharField(max_length=15, blank=True, default="")
    number = models.CharField(max_length=64, blank=True, default="")
    number_key = models.CharField(max_length=64, blank=True, default="")
    document_date = models.DateField(null=True, blank=True)
    port = models.CharField(max_length=10, blank=True, default="")
    named = models.BigIntegerField(null=True, blank=True)
    # Records are never deleted; checking each of 200,000 costs seconds.
    record = models.ForeignKey(
        Record, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    version = models.PositiveIntegerField(null=True, blank=True)
    previous = models.CharField(max_length=1, blank=True, default="")
    said_taxable = models.BigIntegerField(null=True)
    said_igst = models.BigIntegerField(null=True)
    said_cgst = models.BigIntegerField(null=True)
    said_sgst = models.BigIntegerField(null=True)
    said_cess = models.BigIntegerField(null=True)
    action = models.CharField(max_length=1, blank=True, default="")
    answer = models.CharField(max_length=1, blank=True, default="")
    declared_igst = paise("IGST", default=0)
    declared_cgst = paise("CGST", default=0)
    declared_sgst = paise("SGST/UTGST", default=0)
    declared_cess = paise(_("cess"), default=0)
    remark = models.TextField(blank=True, default="")
    is_old_answer = models.BooleanField(default=False)
    is_old_remark = models.BooleanField(default=False)
    verdict = models.CharField(max_length=30, blank=True, default="")
    code = models.CharField(max_length=30, blank=True, default="")
    problem = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "place"], name="one_row_per_place_of_a_file"),
            within_bounds(
                *("said_taxable", "said_igst", "said_cgst", "said_sgst", "said_cess"),
                *("declared_igst", "declared_cgst", "declared_sgst", "declared_cess"),
                name="asked_amounts_in_bounds",
            ),
        ]
        indexes = [models.Index(fields=["file", "verdict", "place"], name="rows_of_a_file_by_verdict")]
