"""What a record said before: the readings a supplier's edits replaced, kept for the record's history."""

from __future__ import annotations

from django.db import models


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
