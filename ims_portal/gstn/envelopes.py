"""How every answer is wrapped, errors too: what clients compare literally (formats 8.1, 8.2, 8.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from ims_portal import outages
from ims_portal.access import RightMissingError
from ims_portal.api.bodies import TooLargeError
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Problem

NOT_YOURS = "APP-RIGHT_MISSING"
WIRE = {
    Refusal.ITC_REDUCTION_REQUIRED.value: "IMSSAV0054",
    "CONFLICT": "IMSSAV0010",
    "conflict": "IMSSAV0010",
}
"""Code of the rules -> the code clients know, where there is one; others go out as APP- and their name (8.5)."""

KNOWN = ("APP-", "IMS", "RET", "GTR", "RTN", "AUTH", "EVC")


class GstnError(Exception):
    """A refusal with a code of formats 8.5, answered as every other answer is: 200."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


def success(result: Mapping[str, Any]) -> Response:
    """Return the envelope of an answer. It has no key `data`: that would tell clients it is encrypted."""
    return Response({"status_cd": 1, "result": result})


def failure(code: str, message: str, status: int = 200) -> Response:
    """Return the envelope of an error."""
    return Response({"status_cd": 0, "error": {"error_cd": code, "message": message}}, status=status)


def wire_code(code: str) -> str:
    """Return a code of the rules, or of a reader of files, as it goes out."""
    return WIRE.get(code) or (code if code.startswith(KNOWN) else f"APP-{code}")


def handler(problem: Exception, context: Mapping[str, Any]) -> Response | None:  # noqa: ARG001 - the framework's signature
    """Return the envelope for whatever a view raised, None for an error of ours."""
    set_rollback()
    if isinstance(problem, GstnError):
        return failure(problem.code, problem.message)
    if isinstance(problem, RightMissingError | Http404):
        return failure(NOT_YOURS, "This token may not do this for this GSTIN.", 403)
    found = getattr(problem, "problem", None)
    if isinstance(found, Problem):
        return failure(found.code, found.message)
    if isinstance(problem, TooLargeError):
        return failure("APP-F04", "The body is larger than one may be. Send less at once.", 413)
    if getattr(problem, "code", "") == "BUSY":
        usual = "Another change for this GSTIN is being written. Send the same again."
        answer = failure("APP-BUSY", str(problem) if getattr(problem, "is_worded", False) else usual, 503)
        answer["Retry-After"] = "2"
        return answer
    if outages.is_one(problem):
        answer = failure(f"APP-{outages.CODE}", outages.TEXT, outages.STATUS)
        answer["Retry-After"] = outages.RETRY_AFTER
        return answer
    if isinstance(problem, exceptions.APIException):
        return _framework(problem)
    return None


def _framework(problem: exceptions.APIException) -> Response:
    codes = {401: "APP-NOT_AUTHENTICATED", 404: "APP-NOT_FOUND", 429: "APP-THROTTLED"}
    status = 401 if isinstance(problem, exceptions.NotAuthenticated) else problem.status_code
    answer = failure(codes.get(status, "APP-F01"), str(problem.detail), status)
    if status == 401:  # noqa: PLR2004 the status itself
        answer["WWW-Authenticate"] = "Bearer"
    if isinstance(problem, exceptions.Throttled):
        answer["Retry-After"] = str(int(problem.wait or 1))
    return answer
