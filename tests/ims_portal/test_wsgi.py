"""What gunicorn serves: a request in another charset never becomes a request."""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from ims_portal.wsgi import OnlyUtf8, application


def status(kind: str) -> str:
    """Return the status line of a request with a Content-Type; what is behind the refusal says 200."""
    told: list[str] = []

    def served(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return []

    def start_response(line: str, _headers: object, _problem: object = None) -> None:
        told.append(line)

    list(OnlyUtf8(served)({"CONTENT_TYPE": kind}, start_response))  # nothing is written by hand
    return told[0]


def test_the_portal_is_served_behind_the_refusal() -> None:
    assert isinstance(application, OnlyUtf8)


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "utf-7", "zlib", "rot13", "utf-16", "idna", "undefined", "nonsense", '"utf-7"']
)
def test_another_charset_is_refused_before_anything_is_decoded(charset: str) -> None:
    assert status(f"text/plain; charset={charset}") == "415 Unsupported Media Type"


@pytest.mark.parametrize("kind", ["", "text/plain", "text/plain; charset=UTF-8", 'text/plain; charset="utf-8"', ";;="])
def test_utf_8_is_answered(kind: str) -> None:
    assert status(kind) == "200 OK"
