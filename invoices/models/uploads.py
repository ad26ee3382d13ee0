"""Files suppliers hand in, and what was wrong in them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ims_portal.models import Job
from ims_portal.rules import documents


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

    @property
    def is_workbook(self) -> bool:
        """Whether the file is a workbook, not JSON."""
        return self.path.endswith(".xlsx")

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
