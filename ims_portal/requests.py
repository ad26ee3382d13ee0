"""Every request by a number of its own, which its answer, its log line, its errors and the work it asks for all carry.

A line of the log says which page, not which address: addresses hold GSTINs, numbers of documents and keys.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from ims_portal import logs, metrics

log = structlog.get_logger()

HEADER = "X-Request-Id"
NOWHERE = "unknown"
"""The route of an address that is none of ours: strangers choose them, and each would be a series of its own."""
POLLED = frozenset({"health", "ready", "metrics"})
"""What machines ask for every few seconds: counted, and told in the log only where it goes wrong."""


class Numbered:
    """Middleware, the outermost: numbers a request, counts it, tells the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer under a new number."""
        began = time.monotonic()
        number = str(uuid.uuid4())
        with structlog.contextvars.bound_contextvars(request=number):
            response = self.get_response(request)
            response.headers[HEADER] = number
            _tell(request, response, time.monotonic() - began)
        return response


def _tell(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    route, status = logs.route(request) or NOWHERE, response.status_code
    method = request.method if request.method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS") else "OTHER"
    metrics.answered(route=route, method=method, status=status, seconds=seconds)
    if route in POLLED and status == 200:  # noqa: PLR2004 the status itself
        return
    told = {"route": route, "method": method, "status": status, "ms": int(seconds * 1000)}
    log.info("request", **told, user=_who(request))


def _who(request: HttpRequest) -> int | None:
    """Return the id of who was found to ask; asks nobody who it is."""
    return getattr(getattr(request, "user", None), "pk", None)
