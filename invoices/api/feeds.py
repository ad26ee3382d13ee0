"""Feeds for administrators' programs (formats 10): handed in as on the page Feeds, taken in whole or refused whole."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock
from ims_portal.api.errors import RefusedError
from ims_portal.api.views import Strict, TokenView, asked
from invoices import feed_uploads
from invoices.api.batches import JOB_STATES
from invoices.api.uploads import ProblemOut, refused_file
from invoices.kept_files import UploadRefusedError
from invoices.models import FeedBatch, FeedKind

MOST_PROBLEMS = 200
KIND = OpenApiParameter("kind", str, "path", enum=FeedKind.values)


class FeedIn(Strict):
    """A feed as JSON: of bills of entry, of a distributor's GSTR-6, or of Rule 37A reversals."""

    file = serializers.FileField(allow_empty_file=True)


class FeedOut(serializers.Serializer[Any]):
    """A feed, which is a job: over once `state` is done or failed; `problem` then says why it was refused whole.

    `repeats` is the feed that brought the same before, so that this one changed nothing. `problems` are the first of
    those that made it be refused.
    """

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(FeedKind.values)
    state = serializers.ChoiceField(JOB_STATES)
    problem = serializers.CharField()
    file_name = serializers.CharField()
    by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    added = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    replaced = serializers.IntegerField()
    refused = serializers.IntegerField()
    repeats = serializers.UUIDField(allow_null=True)
    problems = ProblemOut(many=True)


class FeedView(TokenView):
    """A view of feeds: only a token that may hand them in, of somebody who is an administrator still."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Let in and pace. Raises RefusedError and Http404."""
        super().initial(request, *args, **kwargs)
        if not (self.token.feeds and self.actor.is_staff):
            raise RefusedError(
                "RIGHT_MISSING",
                "This token hands in no feeds. An administrator makes one that does, on the page of tokens.",
                status=403,
            )
        if kwargs["kind"] not in FeedKind.values:
            raise Http404("No such feed.")


class Feeds(FeedView):
    """Handing a feed in."""

    parser_classes: ClassVar[list[type]] = [MultiPartParser]

    @extend_schema(
        operation_id="feed_in", parameters=[KIND], request={"multipart/form-data": FeedIn}, responses={202: FeedOut}
    )
    def post(self, request: Request, kind: str) -> Response:
        """Hand a feed in. The same file while it is being read, or the same key, is the same job."""
        told, key = asked(FeedIn, request, request.data), self.key()
        try:
            batch = feed_uploads.receive(
                kind=FeedKind(kind), file=told["file"], actor=self.actor, clock=clock.portal(), request_id=key
            )
        except UploadRefusedError as refused:
            raise refused_file(refused) from None
        return Response(_told(batch), status=202)


class OneFeed(FeedView):
    """One feed that was handed in."""

    @extend_schema(operation_id="feed", parameters=[KIND], responses=FeedOut)
    def get(self, request: Request, kind: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - the framework's signature
        """Return how far a feed is, and what came of it."""
        found = FeedBatch.objects.select_related("requested_by").filter(kind=kind, pk=pk).first()
        if found is None:
            raise Http404("No such feed.")
        return Response(_told(found))


def _told(batch: FeedBatch) -> dict[str, Any]:
    problems = batch.problems.order_by("pk")[:MOST_PROBLEMS] if batch.is_over else []
    return {
        "id": str(batch.pk),
        "kind": batch.kind,
        "state": batch.state,
        "problem": batch.problem,
        "file_name": batch.file_name,
        "by": str(batch.requested_by or ""),
        "asked_at": batch.created_at.isoformat(),
        **{name: getattr(batch, name) for name in ("added", "unchanged", "replaced", "refused")},
        "repeats": str(batch.repeats_id) if batch.repeats_id else None,
        "problems": [
            {
                "position": one.position,
                "number": one.number,
                "field": one.field,
                "code": one.code,
                "message": one.message,
                "is_warning": False,
            }
            for one in problems
        ],
    }
