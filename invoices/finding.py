"""Find a document: where one of a supplier stands at its recipient, and what is near it where it is not reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, QuerySet

from ims_portal.models import Taxpayer
from ims_portal.rules.documents import NumberClass
from ims_portal.rules.gstr2b import Bypass
from invoices import numbers, uses
from invoices.models import Record, Reversal
from invoices.standing import Standing
from invoices.uses import Use

LISTED = 20
"""Documents one search lists; one number has that many only over many years and amendments."""
NEAR = 10
LOOKED_THROUGH = 200
"""Numbers of one coarse form that are compared letter by letter."""


class Where(StrEnum):
    """Where a document stands."""

    OPEN = "open"
    SETTLED = "settled"
    SAVED = "saved"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    BYPASSES = "bypasses"
    BEFORE_IMS = "before IMS"


@dataclass(frozen=True, slots=True)
class Found:
    """One document: where it stands, why it bypasses IMS, how the newest GSTR-2B counts it, its Rule 37A reversals."""

    record: Record
    where: Where
    bypass: str = ""
    counted: Use | None = None
    reversed_in: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found: the documents of that number, or those whose number is nearly the same."""

    supplier: Taxpayer | None
    found: Sequence[Found] = ()
    near: Sequence[Record] = ()


def find(*, taxpayer: Taxpayer, today: Standing, gstin: str, number: str) -> Answer:
    """Return where a supplier's document stands in a recipient's records; an empty GSTIN asks for a bill of entry.

    Only the recipient's own records are ever told. Three or four queries, each by an index.
    """
    supplier = Taxpayer.objects.filter(gstin=gstin).first() if gstin else None
    if gstin and supplier is None:
        return Answer(None)
    own = Record.objects.filter(recipient=taxpayer, supplier=supplier)
    if supplier is None:
        own = own.filter(number_class=NumberClass.BILL_OF_ENTRY)
    exact = own.filter(number_key=number.upper()).select_related("supplier", "superseded_by")
    records = list(exact.order_by("-document_date", "-pk")[:LISTED])
    if not records:
        return Answer(supplier, near=_near(own, number))
    used = uses.of(taxpayer, [record.pk for record in records])
    reversed_in = _reversed(records)
    return Answer(
        supplier, [_found(record, today, used.get(record.pk, []), reversed_in.get(record.pk, ())) for record in records]
    )


def _found(record: Record, today: Standing, used: Sequence[Use], reversed_in: Sequence[tuple[int, int]]) -> Found:
    bypass = today.bypass(record)
    return Found(record, _where(record, bypass), bypass, uses.newest(used), reversed_in)


def _where(record: Record, bypass: str) -> Where:
    facts = (
        (record.status == Record.Status.WITHDRAWN, Where.WITHDRAWN),
        (bypass == Bypass.BEFORE_IMS, Where.BEFORE_IMS),
        (bypass != "", Where.BYPASSES),
        (record.superseded_by_id is not None, Where.SUPERSEDED),
        (record.settled_month is not None, Where.SETTLED),
        (record.status == Record.Status.SAVED, Where.SAVED),
    )
    return next((where for holds, where in facts if holds), Where.OPEN)


def _near(own: QuerySet[Record], number: str) -> Sequence[Record]:
    """Return documents whose number differs only in case, separators or leading zeros, the latest first."""
    alike = own.alias(coarse=numbers.coarse()).filter(coarse=numbers.coarse_of(number))
    looked = alike.exclude(status=Record.Status.WITHDRAWN).select_related("supplier").order_by("-pk")[:LOOKED_THROUGH]
    return [record for record in looked if numbers.are_near(record.number, number)][:NEAR]


def _reversed(records: Iterable[Record]) -> Mapping[int, list[tuple[int, int]]]:
    """Return document id -> the period and id of each Rule 37A reversal of it."""
    told: dict[int, list[tuple[int, int]]] = {}
    rows = Reversal.objects.filter(document__in=[record.pk for record in records]).order_by("month")
    for document, month, record in rows.values_list(F("document_id"), F("month"), F("record_id")):
        told.setdefault(document, []).append((month, record))
    return told
