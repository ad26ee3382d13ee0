"""The books' words: tabs, what a number needed to be found alike, suggestions, the message to a supplier."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.models import Taxpayer
from ims_portal.rules.documents import CREDIT_NOTES
from ims_portal.templatetags import ims as show
from invoices.books import Row, Suggestion
from invoices.books_sql import ONLY_IN_BOOKS
from invoices.filters import Match
from invoices.models import Booked
from invoices.register_reading import Field

TABS: dict[str, Promise] = {
    Match.EXACT.value: gettext_lazy("Exact"),
    Match.TOLERANCE.value: gettext_lazy("Within tolerance"),
    Match.MISMATCH.value: gettext_lazy("Mismatch"),
    Match.ONLY_IN_IMS.value: gettext_lazy("Only in IMS"),
    ONLY_IN_BOOKS: gettext_lazy("Only in books"),
    Match.AMBIGUOUS.value: gettext_lazy("Ambiguous"),
}
TOOK = {
    "case": gettext_lazy("capitals and small letters apart"),
    "year": gettext_lazy("the financial year in the number left out"),
    "zeros": gettext_lazy("leading zeros left out"),
    "separators": gettext_lazy("separators left out"),
}
SUGGESTIONS = {
    Suggestion.ACCEPT: gettext_lazy("Accept"),
    Suggestion.WAIT: gettext_lazy("Wait: only saved, not filed yet"),
    Suggestion.PENDING: gettext_lazy("Keep pending and clear it up"),
    Suggestion.BY_HAND: gettext_lazy("Decide by hand"),
    Suggestion.ASK_SUPPLIER: gettext_lazy("Ask the supplier to report it"),
    Suggestion.PICK: gettext_lazy("Pick the pair"),
    Suggestion.DONE: gettext_lazy("Done already"),
    Suggestion.SETTLED: gettext_lazy("Settled, nothing to decide"),
    Suggestion.NOTHING: gettext_lazy("Not in IMS, nothing to decide"),
}
FIELDS = {
    Field.SUPPLIER: gettext_lazy("Supplier's GSTIN"),
    Field.NUMBER: gettext_lazy("Document number"),
    Field.DATE: gettext_lazy("Document date"),
    Field.TYPE: gettext_lazy("Type: invoice, credit note, debit note, bill of entry"),
    Field.TAXABLE: gettext_lazy("Taxable value"),
    Field.IGST: "IGST",
    Field.CGST: "CGST",
    Field.SGST: "SGST/UTGST",
    Field.CESS: gettext_lazy("Cess"),
    Field.CLAIMED_IGST: gettext_lazy("ITC claimed, IGST"),
    Field.CLAIMED_CGST: gettext_lazy("ITC claimed, CGST"),
    Field.CLAIMED_SGST: gettext_lazy("ITC claimed, SGST/UTGST"),
    Field.CLAIMED_CESS: gettext_lazy("ITC claimed, cess"),
    Field.CLAIMED_MONTH: gettext_lazy("Period of the claim"),
    Field.BLOCKED: gettext_lazy("Blocked u/s 17(5)"),
    Field.VOUCHER: gettext_lazy("Voucher"),
}


def why(row: Row) -> list[str]:
    """Return why a document and a record stand together, and what of them differs besides amounts."""
    record, booked = row.record, row.booked
    if record is None or booked is None:
        return []
    told = [_("Paired by hand.")] if row.is_said else [_number(row)]
    if record.document_date != booked.document_date:
        told.append(_("The dates differ."))
    if (record.section in CREDIT_NOTES) != booked.is_credit:
        told.append(_("One is a credit note, the other is not."))
    return told


def _number(row: Row) -> str:
    if not row.took:
        return _("Same supplier, year and number.")
    return _("Same supplier and year; same number with %(steps)s.") % {
        "steps": ", ".join(str(TOOK[step]) for step in row.took)
    }


def message(document: Booked, taxpayer: Taxpayer) -> str:
    """Return the text that asks a supplier to report a document, to be sent as people send letters."""
    return _(
        "We booked your document %(number)s of %(day)s, taxable value %(taxable)s, tax %(tax)s, but it does not stand "
        "in our Invoice Management System (GSTIN %(gstin)s). Please report it in your next GSTR-1, IFF or GSTR-1A, or "
        "tell us under which number and GSTIN you reported it."
    ) % {
        "number": document.number,
        "day": show.day(document.document_date),
        "taxable": show.inr(document.taxable),
        "tax": show.inr(document.tax.total),
        "gstin": taxpayer.gstin,
    }
