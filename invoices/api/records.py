"""Records of IMS: counted, listed page by page, one with its history."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal.access import Right
from ims_portal.api.fields import Heads, Period, Rupees, heads, rupees, wire
from ims_portal.api.views import TaxpayerView
from ims_portal.rules.actions import Action, Answer
from invoices import filters, inbox, sorting, standing
from invoices.filters import FIELDS, IN_IMS
from invoices.history import Entry
from invoices.inbox import Line
from invoices.models import Record

USUAL, MOST = 50, 200
STATES = [status.name.lower() for status in Record.Status]
LETTERS = [action.value for action in Action]


class Party(serializers.Serializer[Any]):
    """Whom a record comes from; null of an import from overseas."""

    gstin = serializers.CharField()
    name = serializers.CharField()


class Original(serializers.Serializer[Any]):
    """The document an amendment replaces."""

    number = serializers.CharField()
    date = serializers.DateField()


class Itc(serializers.Serializer[Any]):
    """The answer to whether ITC is reduced: F fully, P by the amounts told, N not at all, "" unanswered."""

    reduce = serializers.ChoiceField([answer.value for answer in Answer], allow_blank=True)
    igst = Rupees()
    cgst = Rupees()
    sgst = Rupees()
    cess = Rupees()


class RecordOut(serializers.Serializer[Any]):
    """A record as it stands. `action` is what was decided, `counts_as` what it counts as today; both A, R, P or N.

    `barred` is action -> the code of the law that bars it; `reduces` whether accepting asks the ITC question. `version`
    goes with an action, so that nobody decides on what has changed meanwhile.
    """

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    section = serializers.ChoiceField([section.value for section in IN_IMS])
    supplier = Party(allow_null=True)
    number = serializers.CharField()
    date = serializers.DateField()
    port = serializers.CharField()
    original = Original(allow_null=True)
    pos = serializers.CharField()
    type = serializers.CharField()
    reverse_charge = serializers.BooleanField()
    value = Rupees()
    taxable = Rupees()
    tax = Heads()
    form = serializers.CharField()
    supplier_period = Period()
    status = serializers.ChoiceField(STATES)
    filed_on = serializers.DateField(allow_null=True)
    gstr2b_period = Period()
    settled_period = Period(allow_null=True)
    action = serializers.ChoiceField(LETTERS)
    counts_as = serializers.ChoiceField(LETTERS)
    itc = Itc()
    remark = serializers.CharField()
    reason_code = serializers.CharField()
    reduces = serializers.BooleanField()
    pending_until = serializers.DateField(allow_null=True)
    barred = serializers.DictField(child=serializers.CharField())


class PageOut(serializers.Serializer[Any]):
    """A page of a list; `next` and `previous` are cursors for `after`, null where there is no such page."""

    records = RecordOut(many=True)
    count = serializers.IntegerField()
    tax = Rupees()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class SumOut(serializers.Serializer[Any]):
    """How many records of a section stand with an action, and their tax; "S" are those a later version replaced."""

    section = serializers.CharField()
    action = serializers.CharField()
    count = serializers.IntegerField()
    tax = Rupees()


class CountsOut(serializers.Serializer[Any]):
    """Open records by section and action."""

    counts = SumOut(many=True)


class EntryOut(serializers.Serializer[Any]):
    """One thing that happened to a record: an action, an edit of its supplier, or its use by a statement or return."""

    at = serializers.DateTimeField()
    what = serializers.CharField()
    by = serializers.CharField()
    action = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    remark = serializers.CharField()
    text = serializers.CharField()


class HistoryOut(serializers.Serializer[Any]):
    """Everything that happened to a record, the latest first."""

    history = EntryOut(many=True)


_FILTERS = [
    OpenApiParameter(
        "section", str, many=True, enum=[section.value for section in IN_IMS], description="of these only"
    ),
    *(
        OpenApiParameter(field.name, str, description="1 for yes" if field.is_flag else "as the list's address has it")
        for field in FIELDS
    ),
    OpenApiParameter("sort", str, description="needs, tax, date, supplier or last; a minus sign turns it round"),
    OpenApiParameter("rows", int, description=f"rows of a page, {MOST} at most"),
    OpenApiParameter("after", str, description="the cursor of a page, from `next` or `previous`"),
]


class Records(TaxpayerView):
    """A recipient's records."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="records", parameters=_FILTERS, responses=PageOut)
    def get(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """List records, as the pages of IMS do and by the same filters."""
        asked = filters.parse(filters.ALL, request.query_params, beside=("sort", "rows", "after"))
        problems = dict(asked.problems) if asked else {}
        try:
            sort = sorting.parse(request.query_params.get("sort", ""))
        except sorting.NotAnOrderError:
            problems["sort"] = "No list can be sorted so. Take needs, tax, date, supplier or last."
        rows = request.query_params.get("rows", str(USUAL))
        if not (rows.isascii() and rows.isdigit() and 0 < len(rows) < 4 and 0 < int(rows) <= MOST):  # noqa: PLR2004
            problems["rows"] = f"Ask for 1 to {MOST} rows."
        cursor = request.query_params.get("after", "")
        if not problems and cursor and sorting.read(cursor, sort) is None:
            problems["after"] = "This is no cursor of this list. Begin without one."
        if problems or asked is None:
            raise ValidationError(problems)
        taxpayer, today = self.held.taxpayer, standing.for_page(self.held, self.at)
        page = inbox.page(
            taxpayer=taxpayer, today=today, filters=asked.filters, rows=int(rows), sort=sort, cursor=cursor
        )
        return Response(
            {
                "records": [told(line) for line in page.lines],
                "count": page.shown.count,
                "tax": rupees(page.shown.tax),
                "next": page.after or None,
                "previous": page.before or None,
            }
        )


class OneRecord(TaxpayerView):
    """One record of a recipient."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="record", responses=RecordOut)
    def get(self, request: Request, gstin: str, pk: int) -> Response:  # noqa: ARG002 - of the address
        """Return a record as it stands today."""
        today = standing.for_page(self.held, self.at)
        record = inbox.by_ids(self.held.taxpayer, [pk]).get(pk)
        if record is None or record.section not in IN_IMS:
            raise Http404("No such record.")
        return Response(told(inbox.line(record, today)))


class History(TaxpayerView):
    """What happened to one record."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="record_history", responses=HistoryOut)
    def get(self, request: Request, gstin: str, pk: int) -> Response:  # noqa: ARG002 - of the address
        """Return who decided what and when, what the supplier changed, and which statements and returns used it."""
        found = inbox.detail(taxpayer=self.held.taxpayer, today=standing.for_page(self.held, self.at), pk=pk)
        if found is None:
            raise Http404("No such record.")
        return Response({"history": [_entry(entry) for entry in found.history]})


class Counts(TaxpayerView):
    """The sums of IMS."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="counts", responses=CountsOut)
    def get(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """Return how many open records each section has by action, and their tax."""
        found = inbox.summary(taxpayer=self.held.taxpayer, today=standing.for_page(self.held, self.at))
        lines = [
            {"section": one.section.value, "action": letter, "count": part.count, "tax": rupees(part.tax)}
            for one in found
            for letter, part in one.by_action.items()
        ]
        return Response({"counts": lines})


def told(line: Line) -> dict[str, Any]:
    """Return a record as `RecordOut` describes it."""
    record = line.record
    supplier = {"gstin": record.supplier.gstin, "name": record.supplier.name} if record.supplier else None
    original = record.original
    return {
        "id": record.pk,
        "version": record.version,
        "section": record.section,
        "supplier": supplier,
        "number": record.number,
        "date": record.document_date.isoformat(),
        "port": record.port,
        "original": {"number": original.number, "date": original.document_date.isoformat()} if original else None,
        "pos": record.pos,
        "type": record.inv_type,
        "reverse_charge": record.reverse_charge,
        "value": rupees(record.value),
        "taxable": rupees(record.taxable),
        "tax": heads(record.tax),
        "form": record.form,
        "supplier_period": wire(record.return_month),
        "status": Record.Status(record.status).name.lower(),
        "filed_on": record.filed_on.isoformat() if record.filed_on else None,
        "gstr2b_period": wire(line.period.month),
        "settled_period": wire(record.settled_month) if record.settled_month else None,
        "action": record.action,
        "counts_as": line.effective.value,
        "itc": {"reduce": record.answer, **heads(record.declared)},
        "remark": record.remark,
        "reason_code": record.reason_code,
        "reduces": line.is_specified,
        "pending_until": line.pending_until.isoformat() if line.pending_until else None,
        "barred": {action.value: code.value for action, code in line.barred.items()},
    }


def _entry(entry: Entry) -> dict[str, Any]:
    event, use = entry.event, entry.use
    if event is not None:
        return {
            "at": entry.at.isoformat(),
            "what": event.cause,
            "by": str(event.actor or ""),
            "action": event.action,
            "version": event.version,
            "remark": event.remark,
            "text": "",
        }
    return {
        "at": entry.at.isoformat(),
        "what": use.what.value if use else "",
        "by": use.who if use else "",
        "action": "",
        "version": None,
        "remark": "",
        "text": f"{use.name}: {use.says}" if use else "",
    }
