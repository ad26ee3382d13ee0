"""GSTR-2B for programs: wanted, told version by version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Heads, Period, heads, wire
from ims_portal.api.views import Strict, nothing
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import Tax
from invoices.models import Inbox
from returns import gstr2b, wording
from returns.api.jobs import JobOut, job_told
from returns.api.periods import PeriodView
from returns.api.queries import read, version
from returns.gstr2b import StatementRefusedError
from returns.models import Gstr2b


class VersionQuery(Strict):
    """Which version of a statement."""

    version = version(required=False, help_text="an older version; the newest where left out")


class PartOut(serializers.Serializer[Any]):
    """What a row of a part of a section comes to; Part B is told positive where it takes off."""

    section = serializers.ChoiceField([placement.value for placement in Placement])
    part = serializers.ChoiceField([part.value for part in Part])
    row = serializers.CharField()
    records = serializers.IntegerField()
    tax = Heads()


class StatementOut(serializers.Serializer[Any]):
    """A version of GSTR-2B. `is_current` whether it is the newest, `is_out_of_date` whether computing would differ."""

    period = Period()
    version = serializers.IntegerField()
    versions = serializers.IntegerField()
    computed_at = serializers.DateTimeField()
    as_of = serializers.DateField()
    records = serializers.IntegerField()
    is_current = serializers.BooleanField()
    is_out_of_date = serializers.BooleanField()
    sums = PartOut(many=True)


def one(made: Iterable[Gstr2b], wanted: int | None = None) -> Gstr2b:
    """Return a version of a statement, the newest where none is named. Raises RefusedError and Http404."""
    found = list(made)
    if not found:
        raise RefusedError("GSTR2B_NOT_AVAILABLE", "There is no GSTR-2B of this period yet. Ask for it first.")
    for statement in found:
        if wanted in (None, statement.version):
            return statement
    raise Http404("No such version.")


class Statement(PeriodView):
    """A period's GSTR-2B."""

    rights = {"GET": Right.VIEW}

    @extend_schema(
        operation_id="gstr2b",
        parameters=[VersionQuery],
        responses=StatementOut,
    )
    def get(self, request: Request, gstin: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """Return the sums of a version of the statement."""
        taxpayer = self.held.taxpayer
        made = list(gstr2b.versions(taxpayer, self.period))
        found = one(made, read(VersionQuery, request).get("version"))
        inbox = Inbox.objects.get(pk=taxpayer.pk)
        is_current = found == made[0]
        return Response(
            {
                "period": wire(found.month),
                "version": found.version,
                "versions": len(made),
                "computed_at": found.computed_at.isoformat(),
                "as_of": found.as_of.isoformat(),
                "records": found.line_count,
                "is_current": is_current,
                "is_out_of_date": not is_current or gstr2b.is_out_of_date(found, inbox=inbox, today=self.today),
                "sums": list(_sums(found)),
            }
        )


def _sums(statement: Gstr2b) -> list[dict[str, Any]]:
    return [
        {"section": section, "part": part, "row": row, "records": count, "tax": heads(Tax(*tax))}
        for section, parts in statement.sums.items()
        for part, rows in parts.items()
        for row, (count, *tax) in rows.items()
    ]


class Compute(PeriodView):
    """Asking for a period's GSTR-2B."""

    rights = {"POST": Right.COMPUTE}

    @extend_schema(operation_id="compute_gstr2b", request=None, responses={202: JobOut})
    def post(self, request: Request, gstin: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """Ask for the statement; the job says when it is there. Where nothing changed it succeeds and says so."""
        nothing(request)
        key = self.key()
        taxpayer = self.held.taxpayer
        try:
            job = gstr2b.request(
                taxpayer=taxpayer, period=self.period, actor=self.actor, clock=clock.portal(), request_id=key
            )
        except StatementRefusedError as refused:
            inbox = Inbox.objects.get(pk=taxpayer.pk)
            advice = wording.statement(
                refused.refusal, taxpayer=taxpayer, period=self.period, today=self.today, open_month=inbox.open_month
            )
            raise RefusedError(refused.refusal.value, str(advice.text)) from None
        return Response(job_told(job), status=202)
