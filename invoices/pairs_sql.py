"""Invoices a credit note may belong to, and the other way round: a note names none, so they are found by what fits."""

from __future__ import annotations

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
    sections = NOTES if record.section in INVOICES else INVOICES if is_note else ()
    if not sections or record.supplier_id is None:
        return Found()
    nearer = "DESC" if is_note else "ASC"
    same_tax = " AND ".join(f"c.{head} = %({head})s" for head in HEADS)
    tax = " + ".join(f"c.{head}" for head in HEADS)
    rows = run(
        f"""
        SELECT id, section, number, document_date, igst, cgst, sgst, cess, action, settled, same_tax,
            count(*) OVER (), max(tax) OVER ()
        FROM (
            SELECT c.id, c.section, c.number, c.document_date, c.igst, c.cgst, c.sgst, c.cess, {tax} AS tax, c.pos,
                CASE WHEN c.settled_month IS NULL THEN {today.columns("c")["effective"]} ELSE c.settled_as END
                    AS action, c.settled_month IS NOT NULL AS settled, ({same_tax}) AS same_tax
            FROM invoices_record c
            WHERE c.recipient_id = %(recipient)s AND c.supplier_id = %(supplier)s
              AND c.document_date {"<=" if is_note else ">="} %(day)s
              AND c.section IN ({", ".join(map(sql.literal, sections))})
              AND c.fy BETWEEN %(first)s AND %(last)s AND c.status <> 'W' AND c.superseded_by_id IS NULL
              AND c.chain <> %(chain)s AND c.reverse_charge = %(reverse_charge)s
            ORDER BY c.document_date {nearer}, c.id {nearer} LIMIT {NEAREST:d}) near
        ORDER BY same_tax DESC, (tax >= %(total)s) DESC, (pos = %(pos)s) DESC, document_date {nearer}, id
        LIMIT {LISTED:d}
        """,
        {
            "recipient": record.recipient_id,
            "supplier": record.supplier_id,
            "day": record.document_date,
            "first": record.fy - 1 if is_note else record.fy,
            "last": record.fy if is_note else record.fy + 1,
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
