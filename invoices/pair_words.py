"""What the page of a record says of documents it may belong to, and of what its supplier changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.templatetags import ims as show
from invoices.history import Changed
from invoices.models import Record
from invoices.pairs import Fits, Pair, Pairs, Warned
from invoices.wording import HEADS, supplier

FITS: Mapping[Fits, Promise] = {
    Fits.SAME_TAX: gettext_lazy("the same tax in every head"),
    Fits.ONLY_ONE: gettext_lazy("the only one of this supplier in these years"),
    Fits.SAME_SUPPLIER: gettext_lazy("same supplier, near in date; nothing else points to it"),
}

WARNINGS: Mapping[Warned, Promise] = {
    Warned.NOTE_IS_LARGER: gettext_lazy(
        "Credit note %(note)s is larger than %(invoice)s, which it seems to belong to: tax %(note_tax)s against "
        "%(invoice_tax)s. Ask %(supplier)s before you accept it."
    ),
    Warned.INVOICE_REJECTED: gettext_lazy(
        "%(invoice)s is rejected, so you took no ITC of it, but credit note %(note)s counts as accepted and reduces "
        "your ITC by up to %(note_tax)s. If the two belong together, accept the note with the answer None."
    ),
    Warned.BOTH_REJECTED: gettext_lazy(
        "%(invoice)s and credit note %(note)s are both rejected: you take no ITC, and the tax of %(supplier)s still "
        "rises by up to %(note_tax)s. If the two belong together, accept the note with the answer None."
    ),
}

COLUMNS: Mapping[str, Promise] = {
    "number": gettext_lazy("Number"),
    "document_date": gettext_lazy("Date"),
    "pos": gettext_lazy("Place of supply"),
    "inv_type": gettext_lazy("Type"),
    "reverse_charge": gettext_lazy("Reverse charge"),
    "value": gettext_lazy("Document value"),
    "taxable": gettext_lazy("Taxable value"),
    **HEADS,
}


def warning(record: Record, pair: Pair, *, is_note: bool) -> str:
    """Return what a record and its likely other half are warned of; empty where nothing is."""
    if pair.warned is None:
        return ""
    own, other = (record.number, record.tax.total), (pair.other.number, pair.other.tax.total)
    note, invoice = (own, other) if is_note else (other, own)
    return str(WARNINGS[pair.warned]) % {
        "note": note[0],
        "note_tax": show.inr(note[1]),
        "invoice": invoice[0],
        "invoice_tax": show.inr(invoice[1]),
        "supplier": supplier(record),
    }


def warnings(record: Record, found: Pairs) -> list[str]:
    """Return every warning of a record's pairs, each once."""
    told = [warning(record, pair, is_note=found.is_note) for pair in found.likely]
    if found.is_larger_than_all:
        told.append(
            _(
                "No document of %(supplier)s here is as large as this credit note: the largest has tax %(largest)s. It "
                "may belong to an older invoice, or be wrong. Ask before you accept it."
            )
            % {"supplier": supplier(record), "largest": show.inr(found.largest)}
        )
    return list(dict.fromkeys(text for text in told if text))


def changed(change: Changed) -> tuple[str, str, str]:
    """Return a changed column in words: its name, what it said, what it says."""
    return str(COLUMNS[change.column]), _value(change.column, change.old), _value(change.column, change.new)


def _value(column: str, value: object) -> str:
    if column == "reverse_charge":
        return _("Yes") if value else _("No")
    if column == "document_date":
        return show.day(date.fromisoformat(str(value)))
    if column in ("value", "taxable", *HEADS):
        return show.amount(int(str(value)))
    return str(value)
