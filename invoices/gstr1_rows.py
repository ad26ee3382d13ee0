"""What a saved or filed return of a supplier holds, as its file writes it; read a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Case, Value, When

from ims_portal.rules.documents import Document
from ims_portal.rules.money import Tax
from ims_portal.rules.table3 import Detail
from invoices import gstr1_out, reported, staging
from invoices.gstr1_json import SummaryLine
from invoices.models import SupplierReturn

PIECE = 2000
"""Documents read at a time, so that memory does not grow with the return."""

ORDER = list(dict.fromkeys(gstr1_out.TABLE.values()))
TABLE = Case(
    *(When(section=section.value, then=Value(ORDER.index(table))) for section, table in gstr1_out.TABLE.items())
)


def documents(kept: SupplierReturn) -> Iterator[Document]:
    """Yield what a form holds and its supplier has not withdrawn, in the order a file of it is written.

    One query, read in pieces: by table, supplier behind an operator's document and recipient, then as reported.
    """
    found = reported.of(kept).select_related("recipient", "original", "detail")
    # Descending, because documents with nobody behind them stand after the others.
    order = (TABLE, "-detail__eco_supplier", "recipient__gstin", "id")
    for record in found.order_by(*order).iterator(chunk_size=PIECE):
        yield staging.document_of(record)


def sums(kept: SupplierReturn) -> dict[str, list[SummaryLine]]:
    """Return what a form reports outside IMS and a file can repeat: section -> its lines in paise. One query."""
    found: dict[str, list[SummaryLine]] = {}
    for row in kept.summaries.filter(section__in=gstr1_out.KEPT_WHOLE).order_by("id"):
        line = SummaryLine(Detail.read(row.detail), row.taxable, Tax(row.igst, row.cgst, row.sgst, row.cess))
        found.setdefault(row.section, []).append(line)
    return found


def left_out(kept: SupplierReturn) -> list[str]:
    """Return the sections of sums that a form reports and its file lacks, by name. One query.

    A file needs the rate of each, and of documents the value; neither is kept.
    """
    found = kept.summaries.exclude(section__in=gstr1_out.KEPT_WHOLE)
    return list(found.order_by("section").values_list("section", flat=True).distinct())
