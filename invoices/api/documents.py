"""Documents of a supplier's form for programs: listed, entered, edited and taken back as the page of entry does.

A document is known by `<section>:<year>:<number>`, the year being that in which its financial year begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock, once
from ims_portal.access import Right
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Rupees, heads, rupees
from ims_portal.api.views import Strict, asked
from ims_portal.rules import documents
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.money import HEADS, Tax
from invoices import amending, entry, outward, reported, staging
from invoices.api.outward import CODES, OutwardOut, outward_told, paged
from invoices.api.supplier_returns import FormView, refused_form
from invoices.entry import Complaint, Line, Typed
from invoices.models import Record
from invoices.outward import ChangedMeanwhileError
from invoices.outward_filters import SECTIONS
from invoices.reported import Row

MOST_LINES = 1_000
MOST_RATE = 100_00
"""Hundredths of a percent; which rates there are, the rules say."""
LARGEST_VERSION = 2**31 - 1
FIELDS = {"dated": "date", "inv_type": "type", "number": "key", "note": "key", "eco_supplier": "eco_supplier"}
"""Field of the page -> field of the wire, where they differ."""
CHANGED = "The document is another version by now. Nothing was saved. Read it again and send the version you read."


class OriginalIn(Strict):
    """The filed document an amendment replaces."""

    number = serializers.CharField(max_length=16)
    date = serializers.DateField()


class LineIn(Strict):
    """A rate line: the rate in percent, amounts in rupees; a tax left out is worked out from the rate."""

    rate = Rupees()
    taxable = Rupees()
    igst = Rupees(required=False)
    cgst = Rupees(required=False)
    sgst = Rupees(required=False)
    cess = Rupees(required=False)

    def validate_rate(self, value: int) -> int:
        """Refuse what is no percentage at all."""
        if not 0 <= value <= MOST_RATE:
            raise serializers.ValidationError("Write the rate in percent, such as “18.00”.")
        return value


class DocumentIn(Strict):
    """A document but for what its key says. `version` is what was read of it; left out, the document is a new one."""

    version = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_VERSION)
    recipient = serializers.CharField(max_length=15)
    date = serializers.DateField()
    pos = serializers.CharField(max_length=2)
    type = serializers.ChoiceField([kind.value for kind in InvoiceType], default=InvoiceType.REGULAR.value)
    reverse_charge = serializers.BooleanField(default=False)
    differential = serializers.BooleanField(default=False)
    value = Rupees(required=False)
    eco_supplier = serializers.CharField(required=False, max_length=15)
    original = OriginalIn(required=False)
    lines = LineIn(many=True, allow_empty=False, max_length=MOST_LINES)


class LineOut(serializers.Serializer[Any]):
    """A rate line as reported."""

    rate = Rupees()
    taxable = Rupees()
    igst = Rupees()
    cgst = Rupees()
    sgst = Rupees()
    cess = Rupees()


class DocumentOut(OutwardOut):
    """A document of a form, with its key, the version to send with a change, and its lines."""

    key = serializers.CharField()
    version = serializers.IntegerField()
    differential = serializers.BooleanField()
    eco_supplier = serializers.CharField()
    lines = LineOut(many=True)


class DocumentsOut(serializers.Serializer[Any]):
    """A page of a form's documents."""

    records = DocumentOut(many=True)
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class EnteredOut(serializers.Serializer[Any]):
    """What a change did: the record, whether anything changed, and warnings that stopped nothing."""

    record = serializers.IntegerField()
    changed = serializers.BooleanField()
    warnings = serializers.ListField(child=serializers.CharField())


_EXAMPLE = {
    "recipient": "27AAACR5055K1Z7",
    "date": "2026-10-05",
    "pos": "27",
    "lines": [{"rate": "18.00", "taxable": "100000.00"}],
}


class Documents(FormView):
    """The documents of a form."""

    rights = {"GET": Right.VIEW}

    @extend_schema(
        operation_id="out_records",
        parameters=[
            OpenApiParameter("section", str, enum=CODES),
            OpenApiParameter("rows", int, description="rows of a page, 200 at most"),
            OpenApiParameter("after", str, description="the cursor of a page, from `next` or `previous`"),
        ],
        responses=DocumentsOut,
    )
    def get(self, request: Request, gstin: str, form: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """List the documents of a form with their lines and their recipients' decisions."""
        query = request.query_params
        unknown = [name for name in query if name not in ("section", "rows", "after")]
        if unknown:
            raise ValidationError(dict.fromkeys(unknown, "There is no such filter. Leave it out."))
        section = query.get("section", "")
        if section and section not in CODES:
            raise ValidationError({"section": "There is no such section here."})
        rows, cursor = paged(query)
        found = _of_form(self).exclude(status=Record.Status.WITHDRAWN)
        if section:
            found = found.filter(section=section)
        page = reported.page(found.select_related("original", "detail"), cursor=cursor, size=rows, at=self.at)
        return Response(
            {
                "records": [_document(row) for row in page.rows],
                "count": page.total,
                "next": page.after or None,
                "previous": page.before or None,
            }
        )


class OneDocument(FormView):
    """One document of a form."""

    rights = {"GET": Right.VIEW, "PUT": Right.SUPPLY, "DELETE": Right.SUPPLY}

    @extend_schema(operation_id="out_record", responses=DocumentOut)
    def get(self, request: Request, gstin: str, form: str, p: str, key: str) -> Response:  # noqa: ARG002 - of the address
        """Return a document as it stands."""
        record = _stored(self, _key(key))
        if record is None:
            raise Http404("No such document.")
        return Response(_document(reported.rows([record], at=self.at)[0]))

    @extend_schema(
        operation_id="put_out_record",
        request=DocumentIn,
        responses=EnteredOut,
        examples=[OpenApiExample("A new invoice, its tax worked out", value=_EXAMPLE, request_only=True)],
    )
    def put(self, request: Request, gstin: str, form: str, p: str, key: str) -> Response:  # noqa: ARG002 - of the address
        """Save a document, a new one or in place of the version that was read. Its recipient sees it at once."""
        told, request_id, named = asked(DocumentIn, request, request.data), self.key(), _key(key)
        typed = _typed(named, told)
        replaced = self._replaced(named, told)
        self._check_amendment(typed)
        supplier = self.held.taxpayer
        try:
            done = entry.save(
                typed,
                entry.where(typed, supplier=supplier, form=self.form, period=self.period),
                actor=self.actor,
                clock=clock.portal(),
                request_id=request_id,
                replaced=replaced,
                seen=told.get("version", 0),
            )
        except entry.RefusedError as refused:
            raise _refused(refused.complaints) from None
        except outward.ReturnRefusedError as refused:
            raise refused_form(refused) from None
        except ChangedMeanwhileError as changed:
            raise RefusedError(changed.code, CHANGED, field="version") from None
        return Response({"record": done.record_id, "changed": done.has_changed, "warnings": list(done.warnings)})

    def _replaced(self, named: Key, told: dict[str, Any]) -> Record | None:
        if "version" not in told:
            return None
        record = _stored(self, named)
        if record is None:
            raise RefusedError("CONFLICT", "There is no such document by now. Leave version out to enter it anew.")
        if record.recipient.gstin != told["recipient"]:
            text = "It stands in its recipient's inbox. Delete it and enter it anew for another recipient."
            raise RefusedError(Refusal.RECIPIENT_CHANGE_NOT_ALLOWED.value, text, field="recipient")
        return record

    def _check_amendment(self, typed: Typed) -> None:
        """Refuse an amendment that the law allowed only until a day that has passed (R6.6)."""
        if not typed.original_date:
            return
        filed = Record.objects.filter(
            supplier=self.held.taxpayer,
            number_key=typed.original_number.upper(),
            fy=documents.financial_year(typed.original_date),
            status=Record.Status.FILED,
        )
        if any(amending.is_too_late(record, self.at) for record in filed):
            text = "The last day on which this document could be amended has passed."
            raise RefusedError("TIME_LIMIT", text, field="original")

    @extend_schema(
        operation_id="delete_out_record",
        parameters=[OpenApiParameter("version", int, required=True, description="the version that was read")],
        responses=EnteredOut,
    )
    def delete(self, request: Request, gstin: str, form: str, p: str, key: str) -> Response:  # noqa: ARG002 - of the address
        """Take a saved document back; its history stays, its recipient no longer sees it."""
        version = request.query_params.get("version", "")
        if not (version.isascii() and version.isdigit() and int(version[:11]) <= LARGEST_VERSION):
            raise ValidationError({"version": "Send the version that was read of the document."})
        request_id, named, actor = self.key(), _key(key), self.actor
        body = {"do": "take back", "gstin": gstin, "form": self.form.value, "month": self.period.month}
        body |= {"key": str(named), "version": int(version)}
        before = once.earlier(actor=actor, key=request_id, body=body)
        if before:
            return Response(before)
        record = _stored(self, named)
        if record is None:
            raise Http404("No such document.")
        answer = {"record": record.pk, "changed": True, "warnings": []}
        try:
            outward.delete(
                supplier=self.held.taxpayer,
                record=record,
                actor=actor,
                clock=clock.portal(),
                document=staging.document_of(record, withdraw=True),
                seen=int(version),
                finishing=lambda _saved: once.answered(once.claim(actor=actor, key=request_id, body=body), answer),
            )
        except outward.ReturnRefusedError as refused:
            raise refused_form(refused) from None
        except ChangedMeanwhileError as changed:
            raise RefusedError(changed.code, CHANGED, field="version") from None
        return Response(answer)


@dataclass(frozen=True, slots=True)
class Key:
    """What a document is known by: its section, the year its financial year begins in, its number."""

    section: Section
    year: int
    number: str

    def __str__(self) -> str:
        return f"{self.section.value}:{self.year}:{self.number}"


def _key(text: str) -> Key:
    """Return a key of an address. Raises Http404 for what can be none."""
    section, _sign, rest = text.partition(":")
    year, _sign, number = rest.partition(":")
    if section not in CODES or len(year) != 4 or not (year.isascii() and year.isdigit()) or not number:  # noqa: PLR2004
        raise Http404("No such document.")
    if documents.number_problem(number):
        raise Http404("No such document.")
    return Key(next(one for one in SECTIONS if one.value == section), int(year), number)


def _of_form(view: FormView) -> Any:  # noqa: ANN401 a set of records
    return Record.objects.filter(
        supplier=view.held.taxpayer, supplier_return__form=view.form.value, supplier_return__month=view.period.month
    )


def _stored(view: FormView, key: Key) -> Record | None:
    found = _of_form(view).filter(section=key.section.value, fy=key.year, number_key=key.number.upper())
    rows = found.exclude(status=Record.Status.WITHDRAWN)
    record: Record | None = rows.select_related("recipient", "addback", "detail", "original", "supplier_return").first()
    return record


def _typed(key: Key, told: dict[str, Any]) -> Typed:
    """Return a body as a page would have it. Raises ValidationError where key and body differ."""
    if documents.financial_year(told["date"]) != key.year:
        raise ValidationError({"date": "The date lies in another financial year than the key says."})
    is_amendment = key.section in documents.AMENDMENTS
    if is_amendment != ("original" in told):
        text = "Name the document it amends." if is_amendment else "This section amends nothing. Leave it out."
        raise ValidationError({"original": text})
    original = told.get("original", {})
    return Typed(
        section=key.section,
        recipient=told["recipient"],
        number=key.number,
        dated=told["date"],
        pos=told["pos"],
        lines=tuple(Line(line["rate"], line["taxable"], *(line.get(head) for head in HEADS)) for line in told["lines"]),
        inv_type=told["type"],
        reverse_charge=told["reverse_charge"],
        differential=told["differential"],
        value=told.get("value"),
        eco_supplier=told.get("eco_supplier", ""),
        original_number=original.get("number", ""),
        original_date=original.get("date"),
    )


def _refused(complaints: list[Complaint]) -> RefusedError:
    """Return all that is wrong with a document, the first complaint's code and field leading."""
    first = complaints[0]
    field = FIELDS.get(first.field, first.field)
    if first.line and field:
        field = f"lines[{first.line - 1}].{field}"
    return RefusedError(first.refusal, " ".join(complaint.text for complaint in complaints), field=field)


def _document(row: Row) -> dict[str, Any]:
    record = row.record
    return {
        **outward_told(row),
        "key": str(Key(Section(record.section), record.fy, record.number)),
        "version": record.version,
        "differential": record.detail.differential,
        "eco_supplier": record.detail.eco_supplier,
        "lines": [
            {"rate": rupees(rate), "taxable": rupees(taxable), **heads(Tax(*tax))}
            for rate, taxable, *tax in record.detail.items
        ],
    }
