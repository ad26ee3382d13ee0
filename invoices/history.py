"""The history of one record: who decided what, what its supplier changed, which statements and returns used it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from ims_portal.models import Taxpayer
from ims_portal.rules import gstr2b
from ims_portal.rules.actions import Action
from ims_portal.rules.gstr2b import Measure
from ims_portal.rules.money import HEADS, Tax
from invoices.models import ActionEvent, Batch, Record, ReportedBefore, Reversal
from invoices.uses import Use

SHOWN = ("number", "document_date", "pos", "inv_type", "reverse_charge", "value", "taxable", *HEADS)
"""Columns whose change is told, in their order; the others follow from these."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One column a supplier's edit changed; amounts in paise, days as ISO text."""

    column: str
    old: object
    new: object


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history: an event with what its edit changed, or a use by a statement or return."""

    at: datetime
    event: ActionEvent | None = None
    changes: Sequence[Changed] = ()
    use: Use | None = None
    batch: uuid.UUID | None = None


def of(record: Record, events: Sequence[ActionEvent], uses: Sequence[Use]) -> list[Entry]:
    """Return everything that happened to a record, the latest first.

    A query where anything was chosen, one where its supplier edited it.
    """
    edited = [event.version for event in events if event.cause == ActionEvent.Cause.EDITED]
    changes = _changes(record) if edited else {}
    batches = _batches(record, events) if events else {}
    told = [
        Entry(event.at, event=event, changes=changes.get(event.version, ()), batch=batches.get(event.request_id))
        for event in events
    ]
    told += [Entry(use.at, use=use) for use in uses]
    return sorted(told, key=lambda entry: (entry.at, entry.event.version if entry.event else 0), reverse=True)


def _batches(record: Record, events: Sequence[ActionEvent]) -> dict[uuid.UUID, uuid.UUID]:
    """Return request id -> the batch that was applied or undone under it."""
    asked = [event.request_id for event in events]
    found = Batch.objects.filter(taxpayer_id=record.recipient_id, pk__in=asked).only("pk")
    return {request: batch.pk for batch in found for request in (batch.pk, batch.undo_request)}


def _changes(record: Record) -> dict[int, list[Changed]]:
    """Return version -> what the edit that raised the record to it changed."""
    kept = ReportedBefore.objects.filter(recipient_id=record.recipient_id, record=record).order_by("version")
    readings = [(row.version, row.said) for row in kept]
    after = [said for _version, said in readings[1:]] + [_said(record)]
    return {version: _differences(old, new) for (version, old), new in zip(readings, after, strict=True)}


def last_changes(taxpayer: Taxpayer, records: Iterable[Record]) -> dict[int, list[Changed]]:
    """Return record id -> what the edit changed that raised a record to its version: one query, none for no record."""
    by_id = {record.pk: record for record in records}
    kept = ReportedBefore.objects.filter(recipient=taxpayer, record_id__in=by_id) if by_id else ()
    return {
        row.record_id: _differences(row.said, _said(by_id[row.record_id]))
        for row in kept
        if row.version == by_id[row.record_id].version
    }


def _said(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in SHOWN} | {"document_date": record.document_date.isoformat()}


def _differences(old: Mapping[str, object], new: Mapping[str, object]) -> list[Changed]:
    return [Changed(name, old[name], new[name]) for name in SHOWN if old[name] != new[name]]


@dataclass(frozen=True, slots=True)
class Reduced:
    """Credit that was taken back on a document before: by an earlier version of it, or under Rule 37A."""

    record: Record
    tax: Tax
    month: int | None
    is_37a: bool = False


def reversals(taxpayer: Taxpayer, record: Record, versions: Sequence[Record]) -> list[Reduced]:
    """Return what was reversed on a document's chain before: a query only where some version was settled."""
    found = [
        Reduced(version, _reduced(version), version.settled_month)
        for version in versions
        if version.pk != record.pk and version.settled_as == Action.ACCEPT and version.reduces
    ]
    if any(version.settled_month is not None for version in (record, *versions)):
        found += [Reduced(row.record, row.record.tax, row.month, is_37a=True) for row in _of_rule_37a(taxpayer, record)]
    return [line for line in found if line.tax]


def _reduced(version: Record) -> Tax:
    """Return what an accepted reduction took from ITC, by the rule that counted it (R2.14)."""
    month = version.gstr2b_month or version.earliest_month
    measure = gstr2b.COUNTED.decide(month, adds=False, answer=version.answer).outcome
    return {Measure.EFFECT: version.cap, Measure.DECLARED: version.declared, Measure.NOTHING: Tax()}[measure]


def _of_rule_37a(taxpayer: Taxpayer, record: Record) -> QuerySet[Reversal]:
    chain = Record.objects.filter(recipient=taxpayer, chain=record.chain)
    return Reversal.objects.filter(document__in=chain).select_related("record").order_by("month")
