"""The view every endpoint is made from: which call it is, who calls, and for which GSTIN."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils import translation
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ims_portal import clock, large_answers, sealed_sessions, tokens
from ims_portal.access import Access, Right
from ims_portal.api import bodies
from ims_portal.api.bodies import TooLargeError
from ims_portal.api.doors import Bearer, ByToken, HasToken, PerToken
from ims_portal.gstn import envelopes, sealed
from ims_portal.gstn.envelopes import GstnError
from ims_portal.gstn.sealed import BySession, Session
from ims_portal.models import Job, Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.periods import TaxPeriod

MOST_BYTES = 16 << 20
"""Of a body: 5,000 rows of actions take two megabytes, a return of that many documents three."""

NOT_SERVED, BEING_MADE, REPLAYED = "APP-N01", "RTN_24", "APP-REPLAYED"


class RawJson(BaseParser):
    """Gives the bytes of a body: each call has a reader of its own, strict and of flat memory."""

    media_type = "application/json"
    most = MOST_BYTES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> bytes:  # noqa: ANN401, ARG002 - the framework's signature
        """Return the bytes. Raises TooLargeError."""
        raw: bytes = stream.read(self.most + 1)
        if len(raw) > self.most:
            raise TooLargeError
        return raw


class Call(NamedTuple):
    """What an action of a method needs, and what answers it."""

    right: Right
    answer: Callable[[Any, Request], Mapping[str, Any]]


class Door(APIView):
    """What every address of GSTN's ways has in common: English, its own errors, no place in our schema."""

    schema = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the framework's
        """Answer in English, as GSTN does."""
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs)

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Return what wraps errors."""
        return envelopes.handler


class OpenDoor(Door):
    """An address that anybody may ask."""

    authentication_classes: ClassVar[list[type]] = []
    permission_classes: ClassVar[list[type]] = []


class GstnView(ByToken, Door):
    """An endpoint. `calls` is method and action -> call; actions known to clients but not served say so.

    `session` is that of a program which came by the sealed way; what it sent is opened before anything reads it.
    """

    authentication_classes: ClassVar[list[type]] = [Bearer, BySession]
    permission_classes: ClassVar[list[type]] = [HasToken]
    throttle_classes: ClassVar[list[type]] = [PerToken]
    parser_classes: ClassVar[list[type]] = [RawJson]
    calls: ClassVar[Mapping[tuple[str, str], Call]]
    held: Access
    raw: bytes
    session: Session | None = None
    signature = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """See by which way the request came, once it is clear who asks."""
        super().initial(request, *args, **kwargs)
        self.session = sealed.session_of(request)

    def get(self, request: Request) -> Response:
        """Answer a call that reads; the action and the GSTIN stand in the query."""
        return self._answer(request, request.query_params.get("action", ""), self._gstin(request))

    def put(self, request: Request) -> Response:
        """Answer a call that writes; the action stands in the body."""
        self.raw = request.data if isinstance(request.data, bytes) else b""  # the framework's own for an empty body
        if self.session is None:
            return self._write(request)
        self.raw, self.signature = sealed.opened(self.raw, self.session)
        with self._only_once(request, self.session):
            return self._write(request)

    def _write(self, request: Request) -> Response:
        action, gstin = self.outer(self.raw)
        return self._answer(request, action, gstin or self._gstin(request))

    @contextmanager
    def _only_once(self, request: Request, session: Session) -> Iterator[None]:
        """Let a sealed request through that was not carried out before; one that is refused may come again.

        Its seal covers the data alone, so neither method nor address make it another: only its txn does.
        """
        try:
            taken = sealed_sessions.take(session.kept, (request.headers.get("txn", ""), self.signature))
        except sealed_sessions.ReplayedError:
            raise GstnError(REPLAYED, "This request was carried out already. A new one needs a new txn.") from None
        try:
            yield
        except BaseException:
            taken.delete()
            raise

    post = put

    def outer(self, raw: bytes) -> tuple[str, str]:
        """Return action and GSTIN of a small body, "" for a GSTIN it does not say. Raises ParseError."""
        body = bodies.read(raw)
        data = body.get("data")
        if not isinstance(data, dict) or not isinstance(body.get("action"), str):
            raise ParseError("The body needs an action, and data that is an object.")
        self.data = data
        found = data.get("rtin", data.get("gstin", ""))
        return body["action"], found if isinstance(found, str) else ""

    @staticmethod
    def _gstin(request: Request) -> str:
        return str(request.query_params.get("gstin") or request.headers.get("gstin", ""))

    def _answer(self, request: Request, action: str, gstin: str) -> Response:
        method = "PUT" if request.method == "POST" else "GET" if request.method == "HEAD" else str(request.method)
        call = self.calls.get((method, action))
        if call is None:
            raise GstnError(NOT_SERVED, f"The action {action[:20]!r} is not offered here.")
        self.at = clock.portal().now()
        self.held = tokens.for_taxpayer(token=self.token, gstin=gstin, at=self.at, right=call.right)
        result = call.answer(self, request)
        return sealed.success(result, self.session) if self.session else envelopes.success(result)

    def in_parts(self, kind: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Want an answer in parts, and return what fetches them: their token, and minutes it may take as text."""
        job = large_answers.request(taxpayer=self.taxpayer, kind=kind, asked=asked, actor=self.actor, at=self.at)
        return {"token": job.pk.hex, "est": "1"}

    def parts(self, request: Request) -> Mapping[str, Any]:
        """Return where the parts of an answer lie, and what opens them (formats 7)."""
        found = large_answers.of(taxpayer=self.taxpayer, token=request.query_params.get("token", ""))
        if found is None:
            raise GstnError("APP-NOT_FOUND", "There is no such file of this GSTIN, or it is kept no more. Ask anew.")
        if found.state == Job.State.FAILED:
            raise GstnError("APP-FAILED", found.problem)
        if not found.is_over:
            raise GstnError(BEING_MADE, "The file is being made. Ask again in a minute.")
        urls = [
            {"ul": _address(request, part["name"]), "ic": part["rows"], "hash": part["sha256"]} for part in found.parts
        ]
        return {"fc": len(urls), "ek": found.seal, "urls": urls}

    @property
    def taxpayer(self) -> Taxpayer:
        """Whose GSTIN it is."""
        return self.held.taxpayer


class Part(OpenDoor):
    """A part of a long answer. Its name is known only to whoever was told it, and what opens it is not in it."""

    def get(self, request: Request, name: str) -> FileResponse:  # noqa: ARG002 - the framework's signature
        """Return the file. Raises NotFound where there is none of that name, or none any more."""
        path = large_answers.lies(name)
        try:
            stream = path.open("rb") if path else None
        except FileNotFoundError:  # it was removed this moment
            stream = None
        if stream is None:
            raise NotFound("There is no such file, or it is kept no more.")
        return FileResponse(stream, as_attachment=True, filename=name, content_type="application/gzip")


def _address(request: Request, name: str) -> str:
    """Return where a client finds a part: over TLS all of the address, else its name alone (formats 7)."""
    return request.build_absolute_uri(reverse("gstn:file", args=[name])) if request.is_secure() else name


def as_upload(raw: bytes, name: str) -> UploadedFile[bytes]:
    """Return a body as a file that somebody handed in."""
    return UploadedFile(ContentFile(raw), name=name, size=len(raw))


def reference_of(request: Request, name: str) -> uuid.UUID | None:
    """Return the reference of an earlier request that a query asks after, None for what is none."""
    try:
        return uuid.UUID(request.query_params.get(name, ""))
    except ValueError:
        return None


def period_of(text: object) -> TaxPeriod:
    """Return the month MMYYYY of a call. Raises GstnError for anything else."""
    try:
        found = periods.parse(text) if isinstance(text, str) else None
    except periods.NotAPeriodError:
        found = None
    if found is None or found.is_quarter:
        raise GstnError("APP-G103", "A period is written MMYYYY.")
    return found
