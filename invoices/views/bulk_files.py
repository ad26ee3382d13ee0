"""The records of a batch as a file: which, and what the batch says of each group of them."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ims_portal import csv_files
from ims_portal.access import Access, Right
from ims_portal.rules.documents import Section
from ims_portal.rules.money import to_rupees
from invoices import bulk, bulk_sql, inbox, wording
from invoices.models import Batch, Record
from invoices.views.bulk import Listing, listing, of_a_batch

PIECE = 2000
"""Records read at a time, so that memory stays flat."""


@require_safe
@of_a_batch(Right.EXPORT)
def batch_file(request: HttpRequest, held: Access, batch: Batch) -> HttpResponseBase:
    """Return the records of a batch that share a verdict, as CSV."""
    asked = listing(batch, request.GET)
    lines = csv_files.lines(
        [_("Number"), _("Date"), _("GSTIN"), _("Supplier"), _("Type"), _("Tax"), _("What happened")],
        _cells(held, batch, asked),
    )
    headers = {"Content-Disposition": f'attachment; filename="ims-batch-{batch.pk}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _cells(held: Access, batch: Batch, asked: Listing) -> Iterator[list[str]]:
    which = dict(asked.which)
    while found := bulk_sql.page(bulk.order_of(batch), limit=PIECE, **which):
        records = inbox.by_ids(held.taxpayer, found)
        yield from (_line(records[pk], asked.heading) for pk in found if pk in records)
        which["after"] = found[-1]


def _line(record: Record, heading: str) -> list[str]:
    return [
        record.number,
        record.document_date.strftime("%d/%m/%Y"),
        record.supplier.gstin if record.supplier else "",
        wording.supplier(record),
        str(wording.TYPES[Section(record.section)]),
        str(to_rupees(record.tax.total)),
        heading,
    ]
