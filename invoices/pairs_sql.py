"""Invoices a credit note may belong to, and the other way round: a note names none, so they are found by what fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from ims_portal import sql
from ims_portal.rules.documents import Section
from ims_portal.rules.money import HEADS, Tax
from ims_portal.sql import run
from invoices.models import Record
from invoices.standing import Standing

INVOICES = (Section.B2B, Section.B2BA, Section.DN, Section.DNA, Section.ECO, Section.ECOA)
NOTES = (Section.CN, Section.CNA)
NEAREST = 2_000
"""Documents of the supplier that are looked through, the nearest in date; a supplier with more has them by the day."""
LISTED = 5

_TAX = " + ".join(f"c.{head}" for head in HEADS)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that may belong to another: how it counts, and whether its tax is the same in every head."""

    record_id: int
    section: str
    number: str
    document_date: date
    tax: Tax
    action: str
    is_settled: bool
    has_same_tax: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The best candidates, how many were looked through, and the largest tax among those, in paise."""

    candidates: tuple[Candidate, ...] = ()
    count: int = 0
    largest: int = 0


def candidates(record: Record, today: Standing) -> Found:
    """Return what a record may belong to: one query over its supplier's documents to the same recipient.

    For a note: invoices, debit notes and ECO documents dated on its day or before, of its financial year or the one
    before (a note may be given until 30 November after the year of supply). For those: credit notes, accordingly.
    """
    is_note = record.section in NOTES
    if record.section not in (*INVOICES, *NOTES) or record.supplier_id is None:
        return Found()
    nearer = "DESC" if is_note else "ASC"
    same_tax = " AND ".join(f"c.{head} = %({head})s" for head in HEADS)
    rows = run(
        f"""
        SELECT id, section, number, document_date, igst, cgst, sgst, cess, action, settled, same_tax,
            count(*) OVER (), max(tax) OVER ()
        FROM (
            SELECT c.id, c.section, c.number, c.document_date, c.igst, c.cgst, c.sgst, c.cess, {_TAX} AS tax, c.pos,
                {_action(today)} AS action, c.settled_month IS NOT NULL AS settled, ({same_tax}) AS same_tax
            FROM invoices_record c WHERE {_may_belong("%({})s".format, is_note=is_note)}
            ORDER BY c.document_date {nearer}, c.id {nearer} LIMIT {NEAREST:d}) near
        ORDER BY same_tax DESC, (tax >= %(total)s) DESC, (pos = %(pos)s) DESC, document_date {nearer}, id
        LIMIT {LISTED:d}
        """,
        {
            "recipient_id": record.recipient_id,
            "supplier_id": record.supplier_id,
            "document_date": record.document_date,
            "fy": record.fy,
            "chain": record.chain,
            "reverse_charge": record.reverse_charge,
            "total": record.tax.total if is_note else 0,
            "pos": record.pos,
            **record.tax.as_dict(),
        },
    )
    if not rows:
        return Found()
    return Found(tuple(_candidate(row) for row in rows), int(str(rows[0][11])), int(str(rows[0][12])))


def twin(alias: str, today: Standing) -> str:
    """Return the SELECT of the number and action of the only document of the same tax that a record may belong to.

    For a LATERAL join to records `alias`; it gives no row where there is none, or several: which of those it is, no
    list could say. The index by supplier and tax finds it.
    """
    both = " UNION ALL ".join(
        f"""(SELECT c.number, {_action(today)} AS action FROM invoices_record c
            WHERE {alias}.section IN ({_listed(NOTES if is_note else INVOICES)}) AND {alias}.status <> 'W'
              AND {alias}.superseded_by_id IS NULL AND {_may_belong(f"{alias}.{{}}".format, is_note=is_note)}
              AND {_TAX} = {" + ".join(f"{alias}.{head}" for head in HEADS)}
              AND {" AND ".join(f"c.{head} = {alias}.{head}" for head in HEADS)} LIMIT 2)"""
        for is_note in (True, False)
    )
    return f"SELECT min(number) AS number, min(action) AS action FROM ({both}) two HAVING count(*) = 1"


def _may_belong(of: Callable[[str], str], *, is_note: bool) -> str:
    """Return whether a document `c` may be the other half of a record, whose columns `of` names in SQL."""
    first, last = (" - 1", "") if is_note else ("", " + 1")
    return f"""c.recipient_id = {of("recipient_id")} AND c.supplier_id = {of("supplier_id")}
              AND c.document_date {"<=" if is_note else ">="} {of("document_date")}
              AND c.section IN ({_listed(INVOICES if is_note else NOTES)})
              AND c.fy BETWEEN {of("fy")}{first} AND {of("fy")}{last} AND c.status <> 'W'
              AND c.superseded_by_id IS NULL AND c.chain <> {of("chain")}
              AND c.reverse_charge = {of("reverse_charge")}"""


def _action(today: Standing) -> str:
    return f"CASE WHEN c.settled_month IS NULL THEN {today.columns('c')['effective']} ELSE c.settled_as END"


def _listed(sections: Iterable[Section]) -> str:
    return ", ".join(map(sql.literal, sections))


def _candidate(row: tuple[object, ...]) -> Candidate:
    return Candidate(
        record_id=int(str(row[0])),
        section=str(row[1]),
        number=str(row[2]),
        document_date=row[3],  # type: ignore[arg-type]
        tax=Tax(*(int(str(value)) for value in row[4:8])),
        action=str(row[8]),
        is_settled=bool(row[9]),
        has_same_tax=bool(row[10]),
    )
