"""The append-only log of who did what. Ids and counts, never remarks or amounts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from ims_portal.models import AuditEvent, Taxpayer, User


def record(  # noqa: PLR0913 - the columns of the log
    *,
    event: str,
    at: datetime,
    actor: User | None = None,
    taxpayer: Taxpayer | None = None,
    subject: str = "",
    capacity: str = "",
    details: Mapping[str, object] | None = None,
    request_id: uuid.UUID | None = None,
) -> None:
    """Append one event. This will join the caller's transaction and never open one."""
    AuditEvent.objects.create(
        event=event,
        at=at,
        actor=actor,
        taxpayer=taxpayer,
        subject=subject,
        capacity=capacity,
        details=dict(details or {}),
        request_id=request_id,
    )


def record_each(
    *, event: str, at: datetime, actor: User | None, subject: str, details: Mapping[int, Mapping[str, object]]
) -> None:
    """Append one event for each taxpayer id of `details`, in one statement. This will join the caller's transaction."""
    AuditEvent.objects.bulk_create(
        AuditEvent(event=event, at=at, actor=actor, taxpayer_id=taxpayer_id, subject=subject, details=dict(told))
        for taxpayer_id, told in details.items()
    )
