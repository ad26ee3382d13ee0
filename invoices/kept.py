"""Kept counts looked after: put together, compared with the records, counted afresh where they differ."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from invoices import kept_sql


def fold() -> int:
    """Put together the counts to which many rows were added, and return of how many recipients.

    Nothing depends on it having run: reading sums all rows, however many.
    """
    due = kept_sql.to_fold()
    for recipient_id in due:
        fold_one(recipient_id)
    return len(due)


def fold_one(recipient_id: int) -> None:
    """Put one recipient's counts together."""
    with transaction.atomic():
        kept_sql.lock(recipient_id)
        kept_sql.fold(recipient_id)


def records_of(recipient_ids: Collection[int]) -> dict[int, int]:
    """Return recipient -> how many of its records no GSTR-3B has settled; who has none is not named."""
    return kept_sql.records_of(recipient_ids)


def wrong(recipient_ids: list[int] | None = None) -> list[int]:
    """Return the recipients, of these or of all, whose kept counts differ from what their records come to."""
    asked = kept_sql.recipients() if recipient_ids is None else recipient_ids
    return [recipient_id for recipient_id in asked if kept_sql.differing(recipient_id)]


def repair(recipient_id: int) -> None:
    """Count one recipient's records afresh and keep that."""
    with transaction.atomic():
        kept_sql.lock(recipient_id)
        kept_sql.count_afresh(recipient_id)
