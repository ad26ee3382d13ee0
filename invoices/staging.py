"""From a source to staging: documents checked one by one and copied in flat memory, the rest kept to be told.

A source is a file, a form on a page, a worked case; what comes after is the same for all (`outward`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from ims_portal.models import Taxpayer
from ims_portal.rules import documents
from ims_portal.rules.documents import Document, Form, Problem
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import staging_sql
from invoices.models import Record
from invoices.problems import Problems

BATCH = 5_000
"""Documents copied into staging at once; between two batches the caller may say how far it is."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Outward supplies that never reach IMS: a section of the return, its detail, taxable value and tax in paise."""

    section: str
    detail: str
    taxable: int
    tax: Tax


Found = Document | Problem | Summary
"""What the reader of a source finds: documents, what it could not read as one, and sums outside IMS."""

Row = tuple[int, Document, int | None]
"""A good document with its place in the source and the record it replaces."""


@dataclass(slots=True)
class Staged:
    """What a source held: its good documents wait in the staging table, the rest is kept here.

    `keys_replace` says how a number is read that is saved already in the same form (`fill`). `held` are the good
    documents of a source that `hold` read: they go into the table once its transaction is open.
    """

    problems: Problems = field(default_factory=Problems)
    summaries: list[Summary] = field(default_factory=list)
    count: int = 0
    keys_replace: bool = True
    held: list[Row] | None = None

    def gstins(self) -> list[str]:
        """Return the recipients of the good documents."""
        if self.held is None:
            return staging_sql.staged_gstins()
        return sorted({document.recipient for _place, document, _record_id in self.held})

    def into_table(self) -> None:
        """Put what is held into a staging table that ends with the transaction; what a file filled is there already."""
        if self.held is not None:
            staging_sql.make_staging(on_commit="DROP")
            staging_sql.stage(self.held)


def fill(
    *,
    supplier: Taxpayer,
    form: Form,
    period: TaxPeriod,
    found: Iterable[Found],
    replacing: dict[str, int] | None = None,
    keys_replace: bool = True,
    told: Callable[[int], None] | None = None,
) -> Staged:
    """Check documents one by one and COPY the good ones into staging, in flat memory; return what is left over.

    This will commit nothing of consequence: staging is the session's own, and the caller drops it. `told` hears
    after each batch how many documents have been read. `keys_replace`: a document whose key (section, recipient,
    number, financial year) is saved in the form already replaces it, as files do; else it is a duplicate.
    """
    staged = Staged(keys_replace=keys_replace)
    staging_sql.make_staging()
    rows = _good(supplier, form, period, found, replacing or {}, staged)
    while batch := list(islice(rows, BATCH)):
        staging_sql.stage(batch)
        if told is not None:
            told(staged.count)
    return staged


def hold(
    *,
    supplier: Taxpayer,
    form: Form,
    period: TaxPeriod,
    found: Iterable[Found],
    replacing: dict[str, int] | None = None,
    keys_replace: bool = True,
) -> Staged:
    """Check documents one by one as `fill` does, and keep the good ones in memory: for forms, which hold few.

    A page's session of the database is its own for one transaction only, so its staging table has to live in that.
    """
    staged = Staged(keys_replace=keys_replace)
    staged.held = list(_good(supplier, form, period, found, replacing or {}, staged))
    return staged


def _good(
    supplier: Taxpayer,
    form: Form,
    period: TaxPeriod,
    found: Iterable[Found],
    replacing: dict[str, int],
    staged: Staged,
) -> Iterator[Row]:
    for item, is_to_sez in _with_sez(found):
        if isinstance(item, Summary):
            staged.summaries.append(item)
            continue
        staged.count += 1
        if isinstance(item, Problem):
            staged.problems.append(replace(item, place=staged.count))
            continue
        told = documents.problems(
            item,
            supplier=supplier.gstin,
            form=form,
            period_end=period.last_day,
            registered_on=supplier.registered_on,
            is_sez=is_to_sez or supplier.kind == Taxpayer.Kind.SEZ,
            is_operator=supplier.kind == Taxpayer.Kind.ECO,
        )
        staged.problems.extend(replace(problem, place=staged.count) for problem in told)
        if all(problem.is_warning for problem in told):
            yield staged.count, item, replacing.get(item.position)


def _with_sez(found: Iterable[Found]) -> Iterator[tuple[Found, bool]]:
    """Yield what a source holds, each with whether its recipient is an SEZ unit: one query per batch (R10.8)."""
    waiting = iter(found)
    while batch := list(islice(waiting, BATCH)):
        gstins = {item.recipient for item in batch if isinstance(item, Document)}
        units = set(Taxpayer.objects.filter(gstin__in=gstins, kind=Taxpayer.Kind.SEZ).values_list("gstin", flat=True))
        for item in batch:
            yield item, isinstance(item, Document) and item.recipient in units


def document_of(record: Record, *, withdraw: bool = False, **changes: object) -> Document:
    """Return a stored record as the document its supplier reported, with changes; one extra query for its detail."""
    items = tuple(documents.Item(rate, taxable, Tax(*tax)) for rate, taxable, *tax in record.detail.items)
    original = record.original
    values: dict[str, object] = {
        "section": documents.Section(record.section),
        "recipient": record.recipient.gstin,
        "number": record.number,
        "date": record.document_date,
        "taxable": record.taxable,
        "tax": record.tax,
        "pos": record.pos,
        "value": record.value,
        "inv_type": documents.InvoiceType(record.inv_type),
        "reverse_charge": record.reverse_charge,
        "items": items,
        "irn": record.detail.irn,
        "irn_date": record.detail.irn_date,
        "differential": record.detail.differential,
        "original_number": original.number if original else "",
        "original_date": original.document_date if original else None,
        "eco_supplier": record.detail.eco_supplier,
        "position": f"record {record.pk}",
        "withdraw": withdraw,
    }
    return Document(**(values | changes))  # type: ignore[arg-type]
