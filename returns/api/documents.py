"""A document of a statement as its supplier or a feed reported it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ims_portal.api.fields import Heads, Period, Rupees, heads, rupees, wire
from ims_portal.rules.documents import Section
from invoices.models import Record


class SupplierOut(serializers.Serializer[Any]):
    """Whom a document comes from."""

    gstin = serializers.CharField()
    name = serializers.CharField()


class CountedDocumentOut(serializers.Serializer[Any]):
    """A document as its supplier or a feed reported it; `record` is its id among the records of IMS."""

    record = serializers.IntegerField()
    supplier = SupplierOut(allow_null=True)
    number = serializers.CharField()
    date = serializers.DateField()
    pos = serializers.CharField()
    type = serializers.CharField()
    reverse_charge = serializers.BooleanField()
    supplier_period = Period()
    filed_on = serializers.DateField(allow_null=True)
    value = Rupees()
    taxable = Rupees()
    tax = Heads()


def document(record: Record) -> dict[str, Any]:
    """Return a `CountedDocumentOut`; the supplier of a reversal is the one who has not paid."""
    unpaid = record.reversal.document if record.section == Section.RULE_37A else record
    party = unpaid.supplier if unpaid else None
    return {
        "record": record.pk,
        "supplier": {"gstin": party.gstin, "name": party.name} if party else None,
        "number": record.number,
        "date": record.document_date.isoformat(),
        "pos": record.pos,
        "type": record.inv_type,
        "reverse_charge": record.reverse_charge,
        "supplier_period": wire(record.return_month),
        "filed_on": record.filed_on.isoformat() if record.filed_on else None,
        "value": rupees(record.value),
        "taxable": rupees(record.taxable),
        "tax": heads(record.tax),
    }
