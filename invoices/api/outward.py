"""The supplier's side of IMS: what each recipient decided about what was reported, and what that costs (R6).

A supplier never learns what its recipient answered to the ITC question, declared, keeps in its books or claims.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal.access import Right
from ims_portal.api.fields import Heads, Period, Rupees, heads, rupees, wire
from ims_portal.api.views import TaxpayerView
from ims_portal.rules.actions import Action
from invoices import outward_filters, outward_list, reported
from invoices.api.records import LETTERS, MOST, STATES, USUAL, Original, Party
from invoices.models import Record
from invoices.outward_filters import FORMS, SECTIONS, Wanted
from invoices.reported import Effect, Row

CODES = [section.value for section in SECTIONS]
OURS = {"period": "p"}
"""What the interface calls a filter -> what the list's address does."""


class OutwardOut(serializers.Serializer[Any]):
    """A reported document as its supplier may see it.

    `action` is the recipient's as it counts today; it is not `actionable` outside IMS. `final` says that the recipient
    has filed the GSTR-3B which counts it. `effect` is what a rejection does to the supplier's tax: `addback` is added
    in `addback_period`, or would be were it final now (provisional).
    """

    id = serializers.IntegerField()
    section = serializers.ChoiceField(CODES)
    recipient = Party()
    number = serializers.CharField()
    date = serializers.DateField()
    original = Original(allow_null=True)
    pos = serializers.CharField()
    type = serializers.CharField()
    reverse_charge = serializers.BooleanField()
    value = Rupees()
    taxable = Rupees()
    tax = Heads()
    form = serializers.CharField()
    period = Period()
    status = serializers.ChoiceField(STATES)
    filed_on = serializers.DateField(allow_null=True)
    actionable = serializers.BooleanField()
    action = serializers.ChoiceField(LETTERS)
    remark = serializers.CharField()
    reason_code = serializers.CharField()
    final = serializers.BooleanField()
    effect = serializers.ChoiceField([effect.value for effect in Effect])
    addback = Heads()
    addback_period = Period(allow_null=True)


class OutwardPageOut(serializers.Serializer[Any]):
    """A page of what was reported, the newest period first; cursors as in the list of records."""

    records = OutwardOut(many=True)
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class OutwardEventOut(serializers.Serializer[Any]):
    """A change a supplier may see."""

    at = serializers.DateTimeField()
    what = serializers.CharField()
    action = serializers.ChoiceField(LETTERS)
    remark = serializers.CharField()
    reason_code = serializers.CharField()


class OneOutwardOut(OutwardOut):
    """A reported document with what happened to it, the latest first."""

    history = OutwardEventOut(many=True)


class OutwardSumOut(serializers.Serializer[Any]):
    """How many documents of a category stand with an action, and their tax."""

    section = serializers.CharField()
    action = serializers.ChoiceField(LETTERS)
    count = serializers.IntegerField()
    tax = Rupees()


class OutwardCountsOut(serializers.Serializer[Any]):
    """Documents by category and recipient's action; what rejections have added to tax, and may yet add."""

    counts = OutwardSumOut(many=True)
    addback_fixed = Heads()
    addback_provisional = Heads()


_NARROW = [
    OpenApiParameter("section", str, enum=CODES),
    OpenApiParameter("period", str, description="of the supplier's return, MMYYYY"),
    OpenApiParameter("fy", str, description="the year a financial year begins in"),
    OpenApiParameter("form", str, enum=list(FORMS)),
    OpenApiParameter("q", str, description="the begin of a number or GSTIN, a part of a name"),
    OpenApiParameter("action", str, enum=LETTERS),
    OpenApiParameter("status", str, enum=["S", "F"], description="saved or filed"),
    OpenApiParameter("recipient", str, description="a GSTIN"),
    OpenApiParameter("effect", str, enum=[effect.value for effect in Effect]),
    OpenApiParameter("in", str, description="the own period an add-back lands in, MMYYYY"),
    OpenApiParameter("filed3b", str, enum=["0", "1"], description="1 where the recipient's GSTR-3B made it final"),
]
_PAGED = [
    OpenApiParameter("rows", int, description=f"rows of a page, {MOST} at most"),
    OpenApiParameter("after", str, description="the cursor of a page, from `next` or `previous`"),
]


class Outward(TaxpayerView):
    """What a supplier reported."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="outward", parameters=[*_NARROW, *_PAGED], responses=OutwardPageOut)
    def get(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """List reported documents with their recipients' decisions, by the filters of the pages."""
        wanted = _wanted(request.query_params)
        rows, cursor = paged(request.query_params)
        page = reported.page(_found(self, wanted).select_related("original"), cursor=cursor, size=rows, at=self.at)
        return Response(
            {
                "records": [outward_told(row) for row in page.rows],
                "count": page.total,
                "next": page.after or None,
                "previous": page.before or None,
            }
        )


class OutwardCounts(TaxpayerView):
    """The sums of what a supplier reported."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="outward_counts", parameters=_NARROW, responses=OutwardCountsOut)
    def get(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """Return how many documents each category has by recipient's action, and what rejections cost."""
        found = _found(self, _wanted(request.query_params))
        counts = [
            {"section": line.section.value, "action": letter, "count": count, "tax": rupees(tax)}
            for line in outward_list.counts(found)
            for letter, (count, tax) in sorted(line.by_action.items())
        ]
        costs = outward_list.costs(found)
        return Response(
            {
                "counts": counts,
                "addback_fixed": heads(costs.fixed),
                "addback_provisional": heads(costs.provisional),
            }
        )


class OneOutward(TaxpayerView):
    """One document a supplier reported."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="outward_record", responses=OneOutwardOut)
    def get(self, request: Request, gstin: str, pk: int) -> Response:  # noqa: ARG002 - of the address
        """Return a reported document, and every change its supplier may see."""
        record = reported.record_of(self.held.taxpayer, pk)
        if record is None or record.supplier_return is None:
            raise Http404("No such document.")
        (row,) = reported.rows([record], at=self.at)
        events = [
            {
                "at": event.at.isoformat(),
                "what": event.cause,
                "action": event.action,
                "remark": event.remark,
                "reason_code": event.reason_code,
            }
            for event in reported.history(record)
        ]
        return Response({**outward_told(row), "history": events})


def _found(view: TaxpayerView, wanted: Wanted) -> QuerySet[Record]:
    supplier = view.held.taxpayer
    return outward_list.filtered(outward_list.of(supplier, at=view.at), wanted, supplier=supplier)


def _wanted(query: QueryDict) -> Wanted:
    """Return the filters of a query. Raises ValidationError."""
    sections = query.getlist("section")
    if len(sections) > 1 or (sections and sections[0] not in CODES):
        raise ValidationError({"section": "There is no such section here. Name one, or leave it out."})
    theirs = QueryDict(mutable=True)
    for name, values in query.lists():
        if name in OURS.values():
            raise ValidationError({name: "There is no such filter. Leave it out."})
        if name != "section":
            theirs.setlist(OURS.get(name, name), values)
    asked = outward_filters.parse(theirs, section=sections[0] if sections else "")
    if asked.problems:
        back = {theirs_: ours for ours, theirs_ in OURS.items()}
        raise ValidationError({back.get(name, name): text for name, text in asked.problems.items()})
    return asked.wanted


def paged(query: QueryDict) -> tuple[int, str]:
    """Return how many rows a page has and where it begins. Raises ValidationError."""
    rows, cursor = query.get("rows", str(USUAL)), query.get("after", "")
    if not (rows.isascii() and rows.isdigit() and 0 < len(rows) < 4 and 0 < int(rows) <= MOST):  # noqa: PLR2004
        raise ValidationError({"rows": f"Ask for 1 to {MOST} rows."})
    if cursor and not reported.is_cursor(cursor):
        raise ValidationError({"after": "This is no cursor of this list. Begin without one."})
    return int(rows), cursor


def outward_told(row: Row) -> dict[str, Any]:
    """Return a document as `OutwardOut` describes it."""
    record, original = row.record, row.record.original
    return {
        "id": record.pk,
        "section": record.section,
        "recipient": {"gstin": record.recipient.gstin, "name": record.recipient.name},
        "number": record.number,
        "date": record.document_date.isoformat(),
        "original": {"number": original.number, "date": original.document_date.isoformat()} if original else None,
        "pos": record.pos,
        "type": record.inv_type,
        "reverse_charge": record.reverse_charge,
        "value": rupees(record.value),
        "taxable": rupees(record.taxable),
        "tax": heads(record.tax),
        "form": record.form,
        "period": wire(record.return_month),
        "status": Record.Status(record.status).name.lower(),
        "filed_on": record.filed_on.isoformat() if record.filed_on else None,
        "actionable": row.is_actionable,
        "action": row.action.value,
        "remark": row.remark,
        "reason_code": record.reason_code if row.action is Action.REJECT else "",
        "final": row.is_settled,
        "effect": row.effect.value,
        "addback": heads(row.addback),
        "addback_period": wire(row.target_month) if row.target_month else None,
    }
