"""Jobs of a GSTIN for programs: how far each is, and what came of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import queue
from ims_portal.access import Right
from ims_portal.api.views import TaxpayerView
from ims_portal.models import Job

STATES = Job.State.values


class JobOut(serializers.Serializer[Any]):
    """A job. It is over once `done` or `failed`; `problem` then says what and what next; `notice` is a code."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    progress = serializers.IntegerField()
    total = serializers.IntegerField()
    notice = serializers.CharField()
    problem = serializers.CharField()
    asked_at = serializers.DateTimeField()


class JobView(TaxpayerView):
    """A job of a GSTIN."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="job", responses=JobOut)
    def get(self, request: Request, gstin: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - of the address
        """Return how far a job is."""
        found = queue.of(taxpayer=self.held.taxpayer, job_id=pk)
        if found is None:
            raise Http404("No such job.")
        return Response(job_told(found))


def job_told(job: Job) -> dict[str, Any]:
    """Return a job as `JobOut` describes it."""
    return {
        "id": str(job.pk),
        "kind": queue.code(type(job)),
        "state": job.state,
        "progress": job.progress,
        "total": job.total,
        "notice": getattr(job, "notice", ""),
        "problem": job.problem,
        "asked_at": job.created_at.isoformat(),
    }
