"""Celery: the nudge that makes due work start sooner. A worker is started with: celery -A ims_portal.celery worker."""

import logging.config
import os
import sys
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ims_portal.settings")
for role in ("worker", "beat"):
    if role in sys.argv[1:]:
        os.environ.setdefault("IMS_ROLE", role)

app = Celery("ims_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def use_our_logs(**_: Any) -> None:  # noqa: ANN401 - Celery's signature
    """Keep Celery from putting its own log format over ours."""
    from django.conf import settings  # noqa: PLC0415 - settings may be read only once Django is set up

    logging.config.dictConfig(settings.LOGGING)


@task_prerun.connect  # type: ignore[untyped-decorator]  # Celery has no types
def begin_telling(task: Any, kwargs: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - Celery's signature
    """Have every line of a task say which task it is, of which job, and which request asked for it."""
    asked_by = (task.request.headers or {}).get("asked_by", "")
    told = {"task": task.name, "job": kwargs.get("job_id"), "request": asked_by}
    structlog.contextvars.bind_contextvars(**{name: value for name, value in told.items() if value})


@task_postrun.connect  # type: ignore[untyped-decorator]  # Celery has no types
def end_telling(**_: Any) -> None:  # noqa: ANN401 - Celery's signature
    """What comes next is of another task."""
    structlog.contextvars.clear_contextvars()


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def look_at_once(**_: Any) -> None:  # noqa: ANN401 - Celery's signature
    """Look for due work as soon as a worker is back: what its predecessor was killed in need not wait for beat."""
    app.send_task("ims_portal.tasks.sweep", retry=False)
