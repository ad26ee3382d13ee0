"""The documents a version of GSTR-2B counts, a page at a time: as they are, as they count, and why."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal.access import Right
from ims_portal.api.fields import Heads, Period, heads, wire
from ims_portal.rules.actions import Answer
from ims_portal.rules.gstr2b import Part, Placement, Status, Unavailable
from returns import gstr2b, lines, summary, wording
from returns.api.documents import CountedDocumentOut, document
from returns.api.gstr2b import one
from returns.api.periods import PeriodView
from returns.api.queries import USUAL, RowsQuery, read, version
from returns.lines import Filters, Shown

PLACES = [placement.value for placement in Placement]
PARTS = [part.value for part in Part]
TABLES = [section.value for section in summary.ROWS]
STATUSES = [status.value for status in Status if status.value]
REDUCTIONS = [answer.value for answer in Answer if answer.value]
CELLS = list(wording.ROW_NAMES)


class LinesQuery(RowsQuery):
    """Which lines: of one version, and of all or one section, part, table of the form, status or row of GSTR-3B."""

    version = version(required=False, help_text="an older version; the newest where left out")
    section = serializers.ChoiceField(PLACES, required=False)
    part = serializers.ChoiceField(PARTS, required=False)
    row = serializers.ChoiceField(TABLES, required=False, help_text="a row of the part, as the sums name it")
    status = serializers.ChoiceField(STATUSES, required=False)
    feeds = serializers.ChoiceField(CELLS, required=False, help_text="the row of GSTR-3B the lines are counted in")
    after = serializers.CharField(required=False, help_text="the cursor of a page, from `next` or `previous`")

    def validate_after(self, value: str) -> str:
        """Refuse a cursor that is none of ours."""
        if not lines.is_cursor(value):
            raise serializers.ValidationError("This is no cursor of this list. Begin without one.")
        return value


class CountedOut(serializers.Serializer[Any]):
    """What a document counts for. `tax` is as printed: in Part B positive where it takes off.

    `net_itc` is what it does to net ITC: nothing where it is rejected or gives none. `reason` says why it gives none:
    P, C or I. `reduce` is the answer about ITC, F, P or N; `reduced` what was declared, of P alone.
    """

    section = serializers.ChoiceField(PLACES)
    part = serializers.ChoiceField(PARTS)
    row = serializers.ChoiceField(TABLES)
    feeds = serializers.CharField()
    status = serializers.ChoiceField(STATUSES, allow_blank=True)
    reason = serializers.ChoiceField([reason.value for reason in Unavailable if reason.value], allow_blank=True)
    tax = Heads()
    net_itc = Heads()
    reduce = serializers.ChoiceField(REDUCTIONS, allow_blank=True)
    reduced = Heads(allow_null=True)
    remark = serializers.CharField()


class StepOut(serializers.Serializer[Any]):
    """One decision: what was asked, the answer, the facts it hung on, its source; `ours` where it is our reading."""

    asks = serializers.CharField()
    says = serializers.CharField()
    because = serializers.ListField(child=serializers.CharField())
    cite = serializers.CharField()
    ours = serializers.BooleanField()


class StatementLineOut(serializers.Serializer[Any]):
    """One line of a statement: the document, what it counts for, and why, step by step."""

    document = CountedDocumentOut()
    counted = CountedOut()
    why = StepOut(many=True)


class LinesOut(serializers.Serializer[Any]):
    """A page of lines. `count` is of all of them, null where they are asked for by status, of which none is kept."""

    period = Period()
    version = serializers.IntegerField()
    lines = StatementLineOut(many=True)
    count = serializers.IntegerField(allow_null=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class Lines(PeriodView):
    """The lines of a period's GSTR-2B."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="gstr2b_lines", parameters=[LinesQuery], responses=LinesOut)
    def get(self, request: Request, gstin: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """Return the documents of a version of the statement, each as it is, as it counts, and why it counts so."""
        told = read(LinesQuery, request)
        statement = one(gstr2b.versions(self.held.taxpayer, self.period), told.get("version"))
        filters = Filters(
            section=told.get("row", ""),
            placement=told.get("section", ""),
            part=told.get("part", ""),
            status=told.get("status", ""),
            cell=told.get("feeds", ""),
        )
        page = lines.page(
            statement=statement, filters=filters, size=told.get("rows", USUAL), after=told.get("after", "")
        )
        return Response(
            {
                "period": wire(statement.month),
                "version": statement.version,
                "lines": [_line(line) for line in page.lines],
                "count": page.total,
                "next": page.following or None,
                "previous": page.previous or None,
            }
        )


def _line(shown: Shown) -> dict[str, Any]:
    line = shown.line
    steps = line.why.steps if line.why else []
    return {
        "document": document(shown.record),
        "counted": {
            "section": line.placement,
            "part": line.part,
            "row": line.row,
            "feeds": line.cell,
            "status": line.status,
            "reason": line.reason,
            "tax": heads(line.tax),
            "net_itc": heads(lines.net_itc(line)),
            "reduce": line.answer,
            "reduced": None if shown.declared is None else heads(shown.declared),
            "remark": line.remark,
        },
        "why": [{name: step[name] for name in ("asks", "says", "because", "cite", "ours")} for step in steps],
    }
