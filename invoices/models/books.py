"""The purchase register a recipient hands in, and which of its documents are which records."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Job, Taxpayer, User, paise, within_bounds
from ims_portal.rules import documents
from ims_portal.rules.money import Tax
from invoices.models.records import Record

USUAL_TOLERANCE = 1_00
"""What may differ per head within tolerance, in paise, until somebody sets it otherwise (portal 3.10)."""


class Books(models.Model):
    """How a recipient's registers are read and matched, and when they were matched last.

    `columns` is field of `register_reading.FIELDS` -> the label of its column, chosen once. `tolerance` is paise per
    head, inclusive. `matched_upto` is the newest record there was when they were matched.
    """

    taxpayer = models.OneToOneField(Taxpayer, on_delete=models.PROTECT, primary_key=True, related_name="books")
    columns = models.JSONField(default=dict)
    tolerance = paise(_("tolerance"), default=USUAL_TOLERANCE)
    matched_at = models.DateTimeField(null=True, blank=True)
    matched_upto = models.BigIntegerField(default=0)

    class Meta:
        constraints = [within_bounds("tolerance", name="tolerance_in_bounds", least=0)]


class Register(Job):
    """A purchase register as a file: read, its columns named by a person the first time, then matched.

    `heading` are the labels of its columns, for who names them; `documents` are those it told, `replaced` those of them
    that an earlier register had told already, `wrong` its rows that could not be read.
    """

    class Phase(models.TextChoices):
        READING = "reading", _("being read")
        NAMING = "naming", _("columns to be named")
        MATCHING = "matching", _("being matched")
        MATCHED = "matched", _("matched")

    class Kind(models.TextChoices):
        WORKBOOK = "xlsx", "Excel"
        CSV = "csv", "CSV"

    phase = models.CharField(max_length=8, choices=Phase.choices, default=Phase.READING)
    kind = models.CharField(max_length=4, choices=Kind.choices)
    file_name = models.CharField(max_length=200)
    path = models.CharField(max_length=300, blank=True)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    heading = models.JSONField(default=list)
    documents = models.PositiveIntegerField(default=0)
    replaced = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["taxpayer", "sha256"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_register_per_file",
            ),
        ]
        indexes = [models.Index(fields=["taxpayer", "-created_at"], name="registers_of_a_taxpayer")]


class RegisterProblem(models.Model):
    """A row of a register that could not be read, and why."""

    register = models.ForeignKey(Register, on_delete=models.CASCADE, related_name="problems")
    position = models.CharField(max_length=80)
    number = models.CharField(max_length=64, blank=True)
    message = models.TextField()


class Booked(models.Model):
    """One document as the books tell it, whose rows in a register are put together. Amounts are paise, never below 0.

    `supplier_gstin` is empty for a bill of entry. `claimed_*` are what was claimed of it, None where the register does
    not say, and `claimed_month` (YYYYMM) in which period.
    """

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+", db_index=False)
    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="booked", db_index=False)
    position = models.CharField(max_length=80)
    supplier_gstin = models.CharField(max_length=15, blank=True, default="")
    number = models.CharField(max_length=64)
    number_key = models.CharField(max_length=64)
    number_class = models.CharField(max_length=1, choices=[(c.value, c.name.title()) for c in documents.NumberClass])
    is_credit = models.BooleanField(default=False)
    document_date = models.DateField()
    fy = models.PositiveSmallIntegerField()
    taxable = paise(_("taxable value"))
    igst = paise("IGST")
    cgst = paise("CGST")
    sgst = paise("SGST/UTGST")
    cess = paise(_("cess"))
    claimed_igst = models.BigIntegerField(null=True, blank=True)
    claimed_cgst = models.BigIntegerField(null=True, blank=True)
    claimed_sgst = models.BigIntegerField(null=True, blank=True)
    claimed_cess = models.BigIntegerField(null=True, blank=True)
    claimed_month = models.PositiveIntegerField(null=True, blank=True)
    is_blocked = models.BooleanField(default=False)
    voucher = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "supplier_gstin", "fy", "number_class", "number_key"],
                name="one_document_of_the_books",
            ),
            within_bounds("taxable", "igst", "cgst", "sgst", "cess", name="booked_amounts_in_bounds", least=0),
            within_bounds("claimed_igst", "claimed_cgst", "claimed_sgst", "claimed_cess", name="claims_in_bounds"),
        ]
        indexes = [models.Index(fields=["register"], name="documents_of_a_register")]

    @property
    def tax(self) -> Tax:
        """The document's tax."""
        return Tax(self.igst, self.cgst, self.sgst, self.cess)

    @property
    def claimed(self) -> Tax | None:
        """What was claimed of it, None where the register does not say."""
        found = (self.claimed_igst, self.claimed_cgst, self.claimed_sgst, self.claimed_cess)
        return None if all(paise is None for paise in found) else Tax(*(paise or 0 for paise in found))


class Pair(models.Model):
    """A document of the books and the record it is, or may be (`maybe`), or is not, as somebody said (`not`).

    What somebody said stays when the books are matched again; the rest is worked out anew. How far the two differ is
    never kept: it is read from both.
    """

    class Kind(models.TextChoices):
        IS = "is", _("is")
        MAYBE = "maybe", _("may be")
        NOT = "not", _("is not")

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+", db_index=False)
    booked = models.ForeignKey(Booked, on_delete=models.CASCADE, related_name="pairs", db_index=False)
    # Records are never deleted; checking each of 200,000 costs seconds.
    record = models.ForeignKey(
        Record, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=5, choices=Kind.choices)
    said_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    said_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["booked", "record"], name="one_pair_of_two"),
            models.UniqueConstraint(fields=["booked"], condition=Q(kind="is"), name="booked_is_one_record"),
            models.UniqueConstraint(fields=["record"], condition=Q(kind="is"), name="record_is_one_booked"),
            models.CheckConstraint(condition=~Q(kind="not") | Q(said_at__isnull=False), name="only_people_say_not"),
            models.CheckConstraint(
                condition=Q(said_by=None, said_at=None) | Q(said_by__isnull=False, said_at__isnull=False),
                name="who_says_a_pair_says_when",
            ),
        ]
        indexes = [models.Index(F("recipient"), F("record"), F("kind"), name="pairs_by_record")]
