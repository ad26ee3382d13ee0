"""What is answered when the database cannot be reached, or gives up: 503, never an error of ours (F23).

A connection that breaks while COMMIT is under way tells nobody whether it was committed, so the answer says that the
outcome is unknown and what finds it out: the same request again, with its key.
"""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader

from ims_portal import logs

CODE, STATUS, RETRY_AFTER = "BUSY", 503, "2"
"""Retry-After in seconds."""
TEXT = (
    "The database could not be reached, or took too long. Whether this was saved is unknown. Send the same again, with "
    "its key: it has one effect."
)


def is_one(problem: BaseException | None) -> bool:
    """Whether the database was not there: stopped, restarted, its connection cut, its time up.

    A connection that breaks in the middle of an answer is told as a plain DatabaseError without a code.
    """
    if isinstance(problem, OperationalError | InterfaceError):
        return True
    return type(problem) is DatabaseError and getattr(problem.__cause__, "pgcode", None) is None


def answer(request: HttpRequest) -> HttpResponse:
    """Return what is answered where nobody else did: a view, a middleware, the session. Asks the database nothing."""
    told: HttpResponse
    if request.path.startswith(("/api/", "/gstn/", "/standard/", "/taxpayerapi/")):
        told = JsonResponse({"code": CODE, "message": TEXT, "request_id": logs.request_number()}, status=STATUS)
    else:
        told = HttpResponse(loader.get_template("503.html").render({"number": logs.request_number()}), status=STATUS)
    told.headers["Retry-After"] = RETRY_AFTER
    return told
