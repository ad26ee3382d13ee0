"""What is answered when the database cannot be reached, or gives up: 503, never an error of ours (F23).

A connection that breaks while COMMIT is under way tells nobody whether it was committed, so the answer says that the
outcome is unknown and what finds it out: the same request again, with its key.
"""

from __future__ import annotations

import sys

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views.defaults import server_error

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


def broken(request: HttpRequest) -> HttpResponse:
    """Answer what nobody else answered: 503 for an outage, 500 for an error of ours. Asks the database nothing.

    Django calls it while it handles the exception, wherever that came from: a view, a middleware, the session.
    """
    if not is_one(sys.exc_info()[1]):
        return server_error(request)
    answer: HttpResponse
    if request.path.startswith(("/api/", "/gstn/", "/standard/", "/taxpayerapi/")):
        answer = JsonResponse({"code": CODE, "message": TEXT}, status=STATUS)
    else:
        answer = HttpResponse(loader.render_to_string("503.html"), status=STATUS)
    answer.headers["Retry-After"] = RETRY_AFTER
    return answer
