"""What two versions of a GSTR-2B count differently, and what computing it now would change."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal.access import Right
from ims_portal.api.fields import Heads, Period, Rupees, heads, rupees, wire
from ims_portal.rules.money import HEADS
from invoices import standing
from returns import cells, gstr2b, lines, summary
from returns.api.documents import CountedDocumentOut, document
from returns.api.gstr2b import one
from returns.api.lines import PARTS, PLACES, TABLES
from returns.api.periods import PeriodView
from returns.api.queries import USUAL, RowsQuery, read, version
from returns.cells import Moved
from returns.lines import Difference
from returns.models import Gstr2bLine


class DiffQuery(RowsQuery):
    """Two versions, the older first; records of all of it or of one cell."""

    older = version()
    newer = version()
    cell = serializers.CharField(required=False, help_text="a cell's name, of `cells`: its records only, dearest first")
    after = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="the cursor of a page, from `next`"
    )

    def validate_cell(self, value: str) -> str:
        """Refuse what names no cell."""
        if cells.named(value) is None:
            raise serializers.ValidationError("There is no such cell. Take a name from `cells`.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse versions that are not an older one and a newer one."""
        if attrs["older"] >= attrs["newer"]:
            raise serializers.ValidationError({"older": "Name the older version here and the newer one in `newer`."})
        return attrs


class SectionOut(serializers.Serializer[Any]):
    """What a section comes to in both versions, net of credit notes."""

    section = serializers.ChoiceField(PLACES)
    older = Heads()
    newer = Heads()
    change = Heads()


class CellOut(serializers.Serializer[Any]):
    """A figure that differs, as printed; `row` is "" for the sum of the part, `cell` its name for the query."""

    cell = serializers.CharField()
    section = serializers.ChoiceField(PLACES)
    part = serializers.ChoiceField(PARTS)
    row = serializers.ChoiceField(TABLES, allow_blank=True)
    head = serializers.ChoiceField(HEADS)
    older = Rupees()
    newer = Rupees()
    change = Rupees()


class SideOut(serializers.Serializer[Any]):
    """Where a document counts, and with how much, as printed."""

    section = serializers.ChoiceField(PLACES)
    part = serializers.ChoiceField(PARTS)
    row = serializers.ChoiceField(TABLES)
    status = serializers.CharField()
    tax = Heads()


class DifferenceOut(serializers.Serializer[Any]):
    """A document that counts differently: before and after, null where it does not count; what that does to net ITC.

    `cause` says what happened to it; where somebody acted, `by` and `at` say who and when.
    """

    document = CountedDocumentOut()
    older = SideOut(allow_null=True)
    newer = SideOut(allow_null=True)
    net_itc = Heads()
    cause = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class DiffOut(serializers.Serializer[Any]):
    """What changed between two versions; `count` is of all documents, `next` a cursor for `after`, null at the end."""

    period = Period()
    older = serializers.IntegerField()
    newer = serializers.IntegerField()
    sections = SectionOut(many=True)
    cells = CellOut(many=True)
    count = serializers.IntegerField()
    records = DifferenceOut(many=True)
    next = serializers.IntegerField(allow_null=True)


class Diff(PeriodView):
    """Two versions of a period's GSTR-2B."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="gstr2b_diff", parameters=[DiffQuery], responses=DiffOut)
    def get(self, request: Request, gstin: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """Return the cells that moved between two versions, and the documents that moved them."""
        told = read(DiffQuery, request)
        made = list(gstr2b.versions(self.held.taxpayer, self.period))
        found = lines.compare(
            older=one(made, told["older"]),
            newer=one(made, told["newer"]),
            cell=cells.named(told["cell"]) if "cell" in told else None,
            after=told.get("after", 0),
            most=told.get("rows", USUAL),
        )
        return Response(
            {
                "period": wire(found.newer.month),
                "older": found.older.version,
                "newer": found.newer.version,
                "sections": [
                    {"section": place, "older": heads(older), "newer": heads(newer), "change": heads(change)}
                    for place, (_title, older, newer, change) in zip(summary.SECTIONS, found.totals, strict=True)
                ],
                "cells": [_cell(moved) for _title, of_section in found.cells for moved in of_section],
                "count": found.count,
                "records": [_difference(line) for line in found.records],
                "next": found.records[-1].record.pk if found.has_more else None,
            }
        )


class ChangesOut(serializers.Serializer[Any]):
    """What computing the newest version again now would change: documents, the dearest first, of all `count` of them.

    `gain` and `loss` are what all of them add to net ITC and take from it.
    """

    period = Period()
    version = serializers.IntegerField()
    is_out_of_date = serializers.BooleanField()
    count = serializers.IntegerField()
    gain = Rupees()
    loss = Rupees()
    records = DifferenceOut(many=True)


class Changes(PeriodView):
    """What a period's GSTR-2B lacks."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="gstr2b_changes", parameters=[RowsQuery], responses=ChangesOut)
    def get(self, request: Request, gstin: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """Return the documents that changed since the newest version, each as it counts and as it would count now."""
        told = read(RowsQuery, request)
        statement = one(gstr2b.versions(self.held.taxpayer, self.period))
        inbox = standing.inbox(self.held, self.at)
        behind = gstr2b.is_out_of_date(statement, inbox=inbox, today=self.today)
        found = lines.Changes(statement, [], 0, 0, 0)
        if behind:
            found = lines.changes(statement=statement, today=self.today, most=told.get("rows", USUAL))
        return Response(
            {
                "period": wire(statement.month),
                "version": statement.version,
                "is_out_of_date": behind,
                "count": found.count,
                "gain": rupees(found.gain),
                "loss": rupees(found.loss),
                "records": [_difference(line) for line in found.records],
            }
        )


def _cell(moved: Moved) -> dict[str, Any]:
    cell = moved.cell
    return {
        "cell": cell.key,
        "section": cell.placement.value,
        "part": cell.part.value,
        "row": cell.row,
        "head": cell.head,
        "older": rupees(moved.old),
        "newer": rupees(moved.new),
        "change": rupees(moved.change),
    }


def _difference(found: Difference) -> dict[str, Any]:
    event = found.event
    return {
        "document": document(found.record),
        "older": _side(found.change.older),
        "newer": _side(found.change.newer),
        "net_itc": heads(found.difference),
        "cause": found.cause,
        "by": str(event.actor or "") if event else "",
        "at": event.at.isoformat() if event else None,
    }


def _side(line: Gstr2bLine | None) -> dict[str, Any] | None:
    if line is None:
        return None
    return {
        "section": line.placement,
        "part": line.part,
        "row": line.row,
        "status": line.status,
        "tax": heads(line.tax),
    }
