"""How many records stand where, and their tax: kept by the database with every statement that changes a record."""

from __future__ import annotations

from django.db import models

from ims_portal.models import Taxpayer, paise


class KeptCount(models.Model):
    """A number of records of one recipient that are alike in all a count may ask, added by one statement or taken off.

    What holds is the sum of all rows with the same facts; `invoices.kept.fold` puts them together now and then. The
    facts are a record's own columns, under their names, as far as they matter: what depends on the day (an effective
    action, a provisional period) is worked out from them on reading, by the same SQL as from records.
    """

    FACTS = (
        "section",
        "status",
        "bypass",
        "gstr2b_month",
        "earliest_month",
        "files_by_quarter",
        "credit_fy",
        "reverse_charge",
        "is_pos_ineligible",
        "adds_itc",
        "reduces",
        "original_is_open",
        "is_superseded",
        "action",
        "lost_action",
        "pending_dated",
        "settled_month",
        "settled_as",
    )
    SUMS = ("records", "tax", "effect", "cap")

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+", db_index=False)
    section = models.CharField(max_length=8)
    status = models.CharField(max_length=1)
    bypass = models.CharField(max_length=5)
    gstr2b_month = models.PositiveIntegerField(null=True)
    earliest_month = models.PositiveIntegerField()
    files_by_quarter = models.BooleanField()
    credit_fy = models.PositiveSmallIntegerField()
    reverse_charge = models.BooleanField()
    is_pos_ineligible = models.BooleanField()
    adds_itc = models.BooleanField()
    reduces = models.BooleanField()
    original_is_open = models.BooleanField()
    is_superseded = models.BooleanField()
    action = models.CharField(max_length=1)
    lost_action = models.CharField(max_length=1)
    pending_dated = models.DateField(null=True)
    settled_month = models.PositiveIntegerField(null=True)
    settled_as = models.CharField(max_length=1)
    is_folded = models.BooleanField(default=False, db_default=False)
    records = models.BigIntegerField()
    tax = paise("")
    effect = paise("")
    cap = paise("")

    class Meta:
        indexes = [
            models.Index(fields=["recipient"], name="counts_of_a_recipient"),
            models.Index(fields=["recipient"], condition=models.Q(is_folded=False), name="counts_to_fold"),
        ]
