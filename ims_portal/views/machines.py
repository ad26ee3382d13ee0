"""What machines ask: whether the process lives, whether it can serve, what it counted."""

from __future__ import annotations

import secrets
from functools import cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from ims_portal import metrics, queue


@login_not_required
@require_safe
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say that this process answers; it asks nobody else, for killing it would mend nothing of theirs."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say whether requests can be served: the database answers and has every migration of this release.

    The broker is told and does not count: no request depends on it.
    """
    broker = "resting" if queue.broker_rests() else "ok"
    try:
        missing = _needed() - set(MigrationRecorder(connection).applied_migrations())
    except DatabaseError:
        return JsonResponse({"status": "no database", "broker": broker}, status=503)
    if missing:
        return JsonResponse({"status": "not migrated", "broker": broker}, status=503)
    return JsonResponse({"status": "ready", "broker": broker})


@login_not_required
@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """Return the metrics to whoever knows the secret of the settings; without one the address does not exist."""
    wanted = settings.IMS_METRICS_TOKEN
    if not wanted:
        raise Http404
    if not secrets.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {wanted}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)


@cache
def _needed() -> frozenset[tuple[str, str]]:
    """Return the migrations of this release."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
