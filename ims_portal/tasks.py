"""What beat asks for: look for work that is due. Nothing depends on it having run."""

from __future__ import annotations

from celery import shared_task

from ims_portal import queue


@shared_task(name="ims_portal.tasks.sweep")
def sweep(**_extra: object) -> None:
    """Nudge a worker for every job that is due; lost messages are made good here."""
    queue.sweep()
