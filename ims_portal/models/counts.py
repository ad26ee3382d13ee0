"""Where Django's cache in the database keeps its counts (settings.CACHES)."""

from __future__ import annotations

from django.db import models


class SharedCount(models.Model):
    """A count all processes share: failures to sign in, codes that were used up. Django's cache reads and writes it."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "ims_portal_shared_count"
