"""What a period adds up to: statements, their lines, drafts, filings, add-backs. Money is whole paise."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models import REASON_LIMIT, Download, Job, OwnDownload, Taxpayer, User, paise, within_bounds
from ims_portal.rules import actions, gstr2b, gstr3b
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency, TaxPeriod
from invoices.models import Record


class ReturnPeriod(models.Model):
    """A GSTIN's tax period, a month or a quarter; goes from open to filed, never back."""

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="return_periods")
    month = models.PositiveIntegerField(help_text=_("the period's last month, YYYYMM"))
    frequency = models.CharField(max_length=1, choices=[(f.value, f.name.title()) for f in Frequency])
    is_filed = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["taxpayer", "month"], name="one_return_period_per_month")]

    @property
    def period(self) -> TaxPeriod:
        """The period as the calendar knows it."""
        return TaxPeriod(self.month, Frequency(self.frequency))


class Gstr2bJob(Job):
    """A computation of a period's GSTR-2B that somebody, or the draft day, wants."""

    class Stage(models.TextChoices):
        COUNTING = "counting", _("Waiting for the lock, then counting every record")
        BUSY = "busy", _("Another change of this GSTIN is being written; trying again in a moment")

    month = models.PositiveIntegerField()
    notice = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["taxpayer", "month"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_gstr2b_job_per_period",
            ),
        ]


class Export(Download):
    """A file of a taxpayer: what of is in `kind` and `asked`, and `key` is both in short; `rows` are records.

    `left_out` names the tables of a return of which too little is kept to write them.
    """

    kind = models.CharField(max_length=16)
    asked = models.JSONField(default=dict)
    key = models.CharField(max_length=64)
    left_out = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["taxpayer", "key"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_export_of_the_same",
            ),
        ]
        indexes = [
            models.Index(fields=["taxpayer", "-created_at"], name="exports_of_a_taxpayer"),
            models.Index(fields=["made_at"], condition=~Q(path=""), name="exports_to_remove"),
        ]


class Archive(OwnDownload):
    """The files of many clients as one, for whoever asked for them under the request id `order`; `rows` are files.

    `holds` is GSTIN -> id of the Export that is in it, "" where only the cover names the client.
    """

    order = models.UUIDField()
    holds = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "order"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_archive_of_an_order",
            ),
        ]
        indexes = [
            models.Index(fields=["requested_by", "order", "-created_at"], name="archives_of_an_order"),
            models.Index(fields=["made_at"], condition=~Q(path=""), name="archives_to_remove"),
        ]


class StatementFile(Job):
    """Somebody's GSTR-2B as a file, compared with `statement`, our newest version at that time (formats 12.3).

    `counts` holds, by what came of a document, how many there are and their tax in the file and in ours, in paise;
    `sums` each block and bucket with both sides' heads. `problems` are the first documents that could not be read of
    `wrong`. Only the newest file of a month keeps its differences.
    """

    class Stage(models.TextChoices):
        COMPARING = "comparing", _("Reading the file and laying it beside GSTR-2B")

    month = models.PositiveIntegerField()
    file_name = models.CharField(max_length=200)
    path = models.CharField(max_length=300, blank=True)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    statement = models.ForeignKey("Gstr2b", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    made_on = models.DateField(null=True, blank=True)
    documents = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    sums = models.JSONField(default=list)
    problems = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["taxpayer", "month", "sha256"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_statement_file",
            ),
        ]
        indexes = [models.Index(fields=["taxpayer", "month", "-created_at"], name="statement_files_of_a_period")]


class StatementDifference(models.Model):
    """A document of somebody's GSTR-2B that ours has otherwise or not at all, or the other way round; largest first.

    `theirs` and `ours` are what each says of it, as `gstr2b_reading.Told.said`.
    """

    class Outcome(models.TextChoices):
        DIFFERS = "differs", _("Differ")
        ONLY_THEIRS = "theirs", _("Only in the file")
        ONLY_OURS = "ours", _("Only here")

    file = models.ForeignKey(StatementFile, on_delete=models.CASCADE, related_name="differences")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    list = models.CharField(max_length=16)
    ctin = models.TextField(blank=True)
    name = models.TextField(blank=True)
    number = models.TextField()
    day = models.DateField()
    record = models.ForeignKey(
        Record,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # nobody asks which differences a record has
        related_name="+",
    )
    theirs = models.JSONField(null=True)
    ours = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["file", "outcome", "id"], name="differences_of_a_file")]


class Gstr2b(models.Model):
    """One computed version of a statement, never updated: `sums` holds paise per placement, part and row.

    `by_status` holds count and net ITC in paise of what the recipient could decide on, by what became of it, Pending
    (left out) too; it is empty in statements of before it was kept. `liable_taxable` is the taxable value of its
    reverse-charge lines, signed as their tax in 3.1(d).
    `seq` is the inbox's counter and `as_of` the Indian day it was computed at: a later seq, or a Pending lapsed
    since, makes it out of date (R7.11).
    """

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="statements")
    return_period = models.ForeignKey(ReturnPeriod, on_delete=models.PROTECT, related_name="statements")
    month = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    seq = models.BigIntegerField()
    as_of = models.DateField()
    computed_at = models.DateTimeField()
    computed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    engine = models.CharField(max_length=20)
    sums = models.JSONField()
    by_status = models.JSONField(default=dict)
    liable_taxable = paise("", default=0)
    line_count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "month", "version"], name="one_statement_per_version"),
        ]


class Explanation(models.Model):
    """Why a line counts as it does, in words: one row for all lines decided alike, kept as it was when they were made.

    `steps` is a list of `rules.why.Step.stored()`. Append-only: an old statement explains itself by the law of its day.
    """

    digest = models.CharField(max_length=64, unique=True)
    steps = models.JSONField()

    @property
    def cite(self) -> str:
        """The sources of the rule that placed the line, in short."""
        placed = [step for step in self.steps if step["asks"] == gstr2b.PLACEMENT.name]
        return str((placed or self.steps[-1:])[0]["cite"])


class Gstr2bLine(models.Model):
    """What one record counted for, from one version of the statement until another.

    Read for version v: first_version <= v and (last_version is null or last_version >= v). Amounts are signed as
    printed: Part B positive when it reduces.
    """

    # Lines are written by one statement that reads the records themselves, under their recipient's lock, and neither is
    # ever deleted. To have the database look up, and lock, a record for each line took as long as all its indexes, and
    # rewrote every record of the period. `manage.py verify` looks at it (V23).
    recipient = models.ForeignKey(
        Taxpayer, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    month = models.PositiveIntegerField()
    record = models.ForeignKey(
        Record, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="lines"
    )
    first_version = models.PositiveIntegerField()
    last_version = models.PositiveIntegerField(null=True, blank=True)
    placement = models.CharField(max_length=14)
    reason = models.CharField(max_length=1, blank=True, default="")
    part = models.CharField(max_length=5)
    row = models.CharField(max_length=8)
    cell = models.CharField(max_length=8, blank=True, default="")
    status = models.CharField(max_length=16, blank=True, default="")
    igst = paise("IGST", default=0)
    cgst = paise("CGST", default=0)
    sgst = paise("SGST/UTGST", default=0)
    cess = paise(_("cess"), default=0)
    answer = models.CharField(max_length=1, blank=True, default="")
    remark = models.CharField(max_length=actions.REMARK_LIMIT, blank=True, default="")
    why = models.ForeignKey(
        Explanation,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        db_constraint=False,  # nothing is ever deleted there; checking 200,000 new lines one by one costs a second
        related_name="+",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "month", "record", "first_version"], name="one_line_per_record_and_version"
            ),
            models.UniqueConstraint(
                fields=["recipient", "month", "record"],
                condition=Q(last_version=None),
                name="one_open_line_per_record",
            ),
            within_bounds("igst", "cgst", "sgst", "cess", name="line_amounts_in_bounds"),
        ]
        indexes = [
            models.Index(fields=["recipient", "month", "placement", "part", "row", "id"], name="lines_of_a_statement"),
        ]

    @property
    def tax(self) -> Tax:
        """The tax as counted, with the sign of its part."""
        return Tax(self.igst, self.cgst, self.sgst, self.cess)


class Adjustment(models.Model):
    """A row of a draft GSTR-3B declared otherwise than derived, and why (R8.17); or an entry of `payment.ENTRIES`.

    `taxable` is None where the taxable value follows what is derived. `taxpayer` is that of the period, for
    `manage.py distribute`; None in rows of before it was written, so nothing may look for it.
    """

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    return_period = models.ForeignKey(ReturnPeriod, on_delete=models.PROTECT, related_name="adjustments")
    row = models.CharField(max_length=10)
    taxable = models.BigIntegerField(_("taxable value"), null=True, blank=True)
    igst = paise("IGST", default=0)
    cgst = paise("CGST", default=0)
    sgst = paise("SGST/UTGST", default=0)
    cess = paise(_("cess"), default=0)
    reason = models.CharField(max_length=gstr3b.REASON_LIMIT, blank=True, default="")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["return_period", "row"], name="one_adjustment_per_row"),
            within_bounds("igst", "cgst", "sgst", "cess", name="adjustment_amounts_in_bounds"),
            within_bounds("taxable", name="adjustment_taxable_in_bounds"),
        ]

    @property
    def tax(self) -> Tax:
        """The declared value."""
        return Tax(self.igst, self.cgst, self.sgst, self.cess)


class Filing(models.Model):
    """The filed GSTR-3B of a period: derived and declared rows as filed, and the digest that was shown.

    `taxable` holds the taxable values of Table 3, derived and declared; it is empty where they were not kept yet.
    """

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="filings")
    return_period = models.OneToOneField(ReturnPeriod, on_delete=models.PROTECT, related_name="filing")
    month = models.PositiveIntegerField()
    statement = models.ForeignKey(Gstr2b, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    seq = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    derived = models.JSONField()
    declared = models.JSONField()
    taxable = models.JSONField(default=dict)
    why = models.JSONField(default=dict)
    reasons = models.JSONField(default=dict)
    payment = models.JSONField(default=dict)
    reference = models.CharField(max_length=24, unique=True)
    filed_on = models.DateField()
    filed_at = models.DateTimeField()
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["taxpayer", "month"], name="one_filing_per_period")]


class Addback(models.Model):
    """A supplier's liability from a rejection that the recipient's filed GSTR-3B froze (R6.3, R6.4)."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, related_name="addback")
    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    supplier = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="addbacks")
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="addbacks")
    target_month = models.PositiveIntegerField()
    row = models.CharField(max_length=8)
    igst = paise("IGST", default=0)
    cgst = paise("CGST", default=0)
    sgst = paise("SGST/UTGST", default=0)
    cess = paise(_("cess"), default=0)

    class Meta:
        constraints = [
            within_bounds("igst", "cgst", "sgst", "cess", name="addback_amounts_in_bounds", least=0),
        ]
        indexes = [models.Index(fields=["supplier", "target_month"], name="addbacks_of_a_period")]

    @property
    def tax(self) -> Tax:
        """What is added to the supplier's liability."""
        return Tax(self.igst, self.cgst, self.sgst, self.cess)


class LedgerEntry(models.Model):
    """One movement of a statement; the balance is the sum. Append-only.

    Reclaim and RCM (R8.10) have no rows; negative liability is carried forward row by row of Table 3 (R8.15).
    """

    class Ledger(models.TextChoices):
        RECLAIM = "reclaim", _("reclaim statement")
        RCM = "rcm", _("RCM statement")
        NEGATIVE = "negative", _("negative liability statement")

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="ledger_entries")
    ledger = models.CharField(max_length=8, choices=Ledger.choices)
    row = models.CharField(max_length=10, blank=True, default="")
    month = models.PositiveIntegerField(null=True, blank=True)
    cause = models.CharField(max_length=40)
    igst = paise("IGST", default=0)
    cgst = paise("CGST", default=0)
    sgst = paise("SGST/UTGST", default=0)
    cess = paise(_("cess"), default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [within_bounds("igst", "cgst", "sgst", "cess", name="ledger_amounts_in_bounds")]
        indexes = [models.Index(fields=["taxpayer", "ledger"], name="ledger_of_a_taxpayer")]


class Seal(models.Model):
    """A hash over a block of history that was complete when it was sealed; append-only (promises 2.4).

    `hash` covers `prev_hash`, so the seals are one chain, and every row with an id from `from_id` to `to_id`. `made_at`
    is a machine's time.
    """

    class Sealed(models.TextChoices):
        EVENTS = "events", _("changes of actions")
        FILINGS = "filings", _("filed returns")

    sealed = models.CharField(max_length=8, choices=Sealed.choices)
    prev_hash = models.CharField(max_length=64, blank=True, unique=True)
    from_id = models.BigIntegerField()
    to_id = models.BigIntegerField()
    rows = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sealed", "from_id"], name="one_seal_per_block")]


class Hold(models.Model):
    """What keeps a taxpayer from filing: a check that its filing broke, until an administrator lifts it.

    `found` is check -> [how many, the first of them as what and id]. Never removed; at most one is not lifted.
    """

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="holds")
    month = models.PositiveIntegerField(help_text=_("the period that was to be filed, its last month YYYYMM"))
    found = models.JSONField()
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=REASON_LIMIT, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["taxpayer"], condition=Q(lifted_at=None), name="one_hold_of_a_taxpayer"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None, reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(reason="")),
                name="hold_is_lifted_by_somebody_who_says_why",
            ),
        ]
