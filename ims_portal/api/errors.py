"""What goes wrong, as programs are told: a stable code, what is wrong and what next, the field, and a number to quote.

Whatever the domain raises with a `code` of its own is a refusal of the law or of a state, never an error of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from ims_portal import logs, outages
from ims_portal.access import RightMissingError
from ims_portal.api.bodies import TooLargeError
from ims_portal.once import MismatchError

log = structlog.get_logger()

NOT_FOUND = "There is no such thing, or it is not among what this token may see."
STATES = frozenset(
    {"CONFLICT", "CHANGED_SINCE_SHOWN", "RECOMPUTE_REQUIRED", "ALREADY_FILED", "RECORD_FROZEN", "IN_PROGRESS"}
)
"""Codes that say the state has moved: read again and decide again (409); any other refusal is 422."""

BUSY_SECONDS = "2"


class RefusedError(Exception):
    """A refusal a view words itself: a code of the law or of promises 5, a sentence, the field it is about.

    `more` is what the answer holds beside them, as the view describes it.
    """

    def __init__(
        self, code: str, message: str, *, field: str = "", status: int = 0, more: Mapping[str, Any] | None = None
    ) -> None:
        self.code, self.message, self.field, self.more = code, message, field, more or {}
        self.status = status or (409 if code in STATES else 422)
        super().__init__(message)


def handler(problem: Exception, context: Mapping[str, Any]) -> Response | None:  # noqa: ARG001 - the framework's signature
    """Return the answer for whatever a view raised, None for an error of ours."""
    set_rollback()
    told = _told(problem)
    if told is None:
        return None
    status, code, message, field, headers = told
    body = {
        "code": code,
        "message": message,
        **({"field": field} if field else {}),
        "request_id": logs.request_number(),
    }
    if isinstance(problem, RefusedError):
        body |= problem.more
    log.info("api_refused", code=code, status=status)
    return Response(body, status=status, headers=headers)


Told = tuple[int, str, str, str, dict[str, str]]


OURS: Mapping[type[Exception], tuple[int, str, str]] = {
    MismatchError: (422, "IDEMPOTENCY_MISMATCH", "This Idempotency-Key came before with another body. Send a new one."),
    TooLargeError: (413, "TOO_LARGE", "The body is larger than one may be. Send less at once, or upload a file."),
    Http404: (404, "NOT_FOUND", NOT_FOUND),
    SuspiciousOperation: (
        400,
        "INVALID",
        "The request holds more fields or files than it may. Send one file.",
    ),
    PermissionDenied: (403, "RIGHT_MISSING", "This is not for this token."),
}
BUSY = "Another change for this GSTIN is being written. Nothing was saved. Send the same again, with its key."


def _told(problem: Exception) -> Told | None:
    """Return status, code, message, field and headers."""
    if isinstance(problem, RefusedError):
        return problem.status, problem.code, problem.message, problem.field, {}
    if isinstance(problem, RightMissingError):
        who = f" These people can: {', '.join(problem.who_may)}." if problem.who_may else ""
        return 403, "RIGHT_MISSING", f"This needs the right “{problem.right}”, which the token lacks.{who}", "", {}
    if getattr(problem, "code", "") == "BUSY":
        text = str(problem) if getattr(problem, "is_worded", False) else BUSY
        return 503, "BUSY", text, "", {"Retry-After": BUSY_SECONDS}
    if outages.is_one(problem):
        return outages.STATUS, outages.CODE, outages.TEXT, "", {"Retry-After": outages.RETRY_AFTER}
    if isinstance(problem, exceptions.APIException):
        return _framework(problem)
    ours = next((told for kind, told in OURS.items() if isinstance(problem, kind)), None)
    return (*ours, "", {}) if ours else None


def _framework(problem: exceptions.APIException) -> Told | None:
    """Return what the framework refuses: a body, a field, a method, a pace."""
    if isinstance(problem, exceptions.ValidationError):
        field, message = _first(problem.detail)
        return 400, "INVALID", message, field, {}
    codes = {
        exceptions.ParseError: "INVALID",
        exceptions.NotAuthenticated: "NOT_AUTHENTICATED",
        exceptions.AuthenticationFailed: "NOT_AUTHENTICATED",
        exceptions.PermissionDenied: "RIGHT_MISSING",
        exceptions.MethodNotAllowed: "METHOD_NOT_ALLOWED",
        exceptions.UnsupportedMediaType: "NOT_JSON",
        exceptions.NotAcceptable: "NOT_ACCEPTABLE",
        exceptions.Throttled: "THROTTLED",
        exceptions.NotFound: "NOT_FOUND",
    }
    code = next((code for kind, code in codes.items() if isinstance(problem, kind)), "")
    if not code:
        return None
    headers = {}
    if isinstance(problem, exceptions.Throttled):
        headers["Retry-After"] = str(int(problem.wait or 1))
    if problem.status_code == 401:  # noqa: PLR2004 the status itself
        headers["WWW-Authenticate"] = "Bearer"
    return problem.status_code, code, str(problem.detail), "", headers


def _first(detail: Any, field: str = "") -> tuple[str, str]:  # noqa: ANN401 - whatever serializers nest
    """Return the first complaint of a body with the way to its field: items[3].version."""
    if isinstance(detail, dict):
        key, inner = next(iter(detail.items()))
        if key == "non_field_errors":
            return _first(inner, field)
        way = f"{field}[{key}]" if isinstance(key, int) else f"{field}.{key}" if field else str(key)
        return _first(inner, way)
    if isinstance(detail, list):
        place, inner = next((at, one) for at, one in enumerate(detail) if one)
        return _first(inner, field if isinstance(inner, str) else f"{field}[{place}]")
    return field, str(detail)
