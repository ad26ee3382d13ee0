"""A recipient's big month as sets: suppliers' returns, documents of every section, amendments of the month before.

Everything is drawn by hashing a running number, so the same rows come out every time. Records are put in as their forms
would have left them; what the law makes of them is worked out by `invoices.records_sql`, as after any filing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ims_portal import sql
from ims_portal.rules.documents import NUMBER_CLASSES, ORIGINAL_OF, Form, NumberClass, Section
from ims_portal.rules.money import HEADS
from ims_portal.sql import run, stream
from invoices import feeds_sql
from invoices.feeds_json.bills import Event, Source

SUPPLIERS = ("no", "id", "state", "initials", "form", "own_month", "files_by_quarter", "is_operator", "has_filed")

SHARES = (
    (Section.B2B, 850),
    (Section.CN, 945),
    (Section.DN, 960),
    (Section.ECO, 968),
    (Section.IMPG, 990),
    (Section.IMPGSEZ, 996),
    (Section.ISD, 1000),
)
"""Sections with the share of documents, per thousand, up to which each reaches."""

BILLS = (Section.IMPG, Section.IMPGSEZ)
STEP = 100 * 100
"""Paise of which every taxable value is a multiple, so that any rate gives whole paise, halved too."""


@dataclass(frozen=True, slots=True)
class Month:
    """What all documents of a month have in common: whose, YYYYMM, its first day and length, when forms are filed.

    `rates` in hundredths of a percent: the usual one, a lower and a higher one. `year` is the financial year as numbers
    of documents write it.
    """

    recipient_id: int
    state: str
    number: int
    first_day: date
    days: int
    filed_on: date
    rates: tuple[int, int, int]
    year: str
    distributor_id: int


def draw(n: str, salt: int) -> str:
    """Return the SQL of a number from 0 to just under 1, drawn by hashing `n`."""
    return f"((hashint8extended({n}, {salt:d}) & 1048575) / 1048576.0::float8)"


def know_suppliers(rows: Iterable[Sequence[object]]) -> None:
    """Make the session's table of suppliers: number by size, the largest first, and how each of them files."""
    run("""
        DROP TABLE IF EXISTS big_suppliers;
        CREATE TEMPORARY TABLE big_suppliers (no int PRIMARY KEY, id bigint NOT NULL, state text NOT NULL,
            initials text NOT NULL, form text NOT NULL, own_month int NOT NULL, files_by_quarter boolean NOT NULL,
            is_operator boolean NOT NULL, has_filed boolean NOT NULL, return_id bigint)
    """)
    sql.copy_in("big_suppliers", SUPPLIERS, rows)


def open_returns(month: Month) -> None:
    """Put in the form of every supplier for a month, filed where it has filed."""
    run(
        """
        INSERT INTO invoices_supplierreturn (supplier_id, form, month, is_quarter, own_month, filed_on, filed_at,
            acknowledgement)
        SELECT s.id, s.form, %(month)s, false, s.own_month, CASE WHEN s.has_filed THEN %(day)s::date END,
            CASE WHEN s.has_filed THEN %(day)s::date + interval '10 hours' END, ''
        FROM big_suppliers s
        ON CONFLICT DO NOTHING
        """,
        {"month": month.number, "day": month.filed_on},
    )
    run(
        """
        UPDATE big_suppliers s SET return_id = f.id FROM invoices_supplierreturn f
        WHERE f.supplier_id = s.id AND f.form = s.form AND f.month = %(month)s;
        ANALYZE big_suppliers
        """,
        {"month": month.number},
    )


def draft(month: Month, *, numbers: range, supplier_count: int, operator_count: int) -> None:
    """Draw the documents of a month into a temporary table, one for each running number.

    Three in ten come from the largest supplier, the others from ever smaller ones. A credit note takes supplier, rate
    and value from the document drawn before it, whole or a quarter of it: mostly an invoice, which it then fits.
    """
    branches = [f"WHEN d.u < {upto / 1000} THEN {sql.literal(section)}" for section, upto in SHARES[:-1]]
    section = f"(CASE {' '.join(branches)} ELSE {sql.literal(SHARES[-1][0])} END)"
    run(
        f"""
        DROP TABLE IF EXISTS big_documents;
        CREATE TEMPORARY TABLE big_documents AS
        SELECT nextval(pg_get_serial_sequence('invoices_record', 'id')) AS id, e.*,
            (5 + floor(power({draw("k", 3)}, 8) * 20000))::bigint * {STEP:d} AS whole,
            CASE WHEN {draw("k", 4)} < 0.7 THEN %(usual)s WHEN {draw("k", 4)} < 0.9 THEN %(low)s ELSE %(high)s END
                AS rate,
            least(%(days)s - 1, floor({draw("k", 5)} * %(days)s)::int + CASE WHEN n <> k THEN 3 ELSE 0 END) AS day,
            CASE WHEN section = 'ecom' THEN %(suppliers)s + floor({draw("k", 2)} * %(operators)s)::int
                WHEN {draw("k", 6)} < 0.3 THEN 0
                ELSE floor(power({draw("k", 2)}, 3) * %(suppliers)s)::int END AS supplier_no
        FROM (SELECT d.n, {section} AS section, CASE WHEN {section} = 'b2bcn' THEN d.n - 1 ELSE d.n END AS k
              FROM (SELECT n, {draw("n", 1)} AS u FROM generate_series(%(first)s::bigint, %(last)s) n) d) e
        """,
        {
            "first": numbers[0],
            "last": numbers[-1],
            "days": month.days,
            "suppliers": supplier_count,
            "operators": operator_count,
            "usual": month.rates[0],
            "low": month.rates[1],
            "high": month.rates[2],
        },
    )


def put_in(month: Month) -> list[int]:
    """Put in the records of the documents drawn, and return their ids.

    One in a hundred bears reverse charge, one in two hundred a place of supply that gives no credit.
    """
    classes = " ".join(f"WHEN {sql.literal(s)} THEN {sql.literal(c)}" for s, c in NUMBER_CLASSES.items())
    is_feed = f"d.section IN ({', '.join(sql.literal(s) for s in (*BILLS, Section.ISD))})"
    is_bill = f"d.section IN ({', '.join(sql.literal(s) for s in BILLS)})"
    taxable = f"(CASE WHEN d.n <> d.k AND mod(d.n, 2) = 0 THEN d.whole / {STEP * 4:d} * {STEP:d} ELSE d.whole END)"
    source = f"""(
        SELECT d.*, {taxable} AS taxable, {is_feed} AS is_feed, {is_bill} AS is_bill, s.id AS supplier_id,
            s.return_id, s.form, s.own_month, s.files_by_quarter, s.initials, coalesce(s.has_filed, true) AS has_filed,
            CASE WHEN s.state <> %(state)s AND mod(d.k, 200) = 7 THEN s.state ELSE %(state)s END AS pos,
            coalesce(s.state = %(state)s OR mod(d.k, 200) = 7, false) AS is_within, %(first)s::date + d.day AS day_of
        FROM big_documents d LEFT JOIN big_suppliers s ON s.no = d.supplier_no AND NOT {is_feed}) d"""
    tax = "(d.taxable * d.rate / 10000)"
    status = "(CASE WHEN d.has_filed THEN 'F' ELSE 'S' END)"
    customs, distributors = sql.literal(Form.CUSTOMS), sql.literal(Form.GSTR6)
    form = f"(CASE WHEN d.is_bill THEN {customs} WHEN d.is_feed THEN {distributors} ELSE d.form END)"
    letter = "(CASE d.section WHEN 'b2bcn' THEN 'C' WHEN 'b2bdn' THEN 'D' WHEN 'ecom' THEN 'E' ELSE '/' END)"
    number = f"""(CASE WHEN d.is_bill THEN lpad(d.n::text, 7, '0') WHEN d.is_feed THEN 'ISD/' || lpad(d.n::text, 7, '0')
        ELSE d.initials || {letter} || %(year)s || '/' || lpad(d.n::text, 7, '0') END)"""
    columns = {
        **feeds_sql.UNSET,
        "id": "d.id",
        "recipient_id": "%(recipient)s",
        "supplier_id": "CASE WHEN d.is_bill THEN NULL WHEN d.is_feed THEN %(distributor)s ELSE d.supplier_id END",
        "supplier_return_id": "d.return_id",
        "section": "d.section",
        "form": form,
        "return_month": "%(month)s",
        "own_month": "coalesce(d.own_month, %(month)s)",
        "earliest_month": "%(month)s",
        "files_by_quarter": "coalesce(d.files_by_quarter, false)",
        "status": status,
        "filed_on": f"CASE WHEN {status} = 'F' THEN CASE WHEN d.is_bill THEN d.day_of ELSE %(filed_on)s::date END END",
        "gstr2b_month": f"CASE WHEN {status} = 'F' THEN %(month)s END",
        "number": number,
        "number_key": number,
        "number_class": f"(CASE d.section {classes} END)",
        "document_date": "d.day_of",
        "fy": feeds_sql.year_of("d.day_of"),
        "credit_fy": feeds_sql.year_of("d.day_of"),
        "pos": "d.pos",
        "reverse_charge": "d.section = 'b2b' AND mod(d.k, 100) = 3",
        "port": "CASE WHEN d.is_bill THEN 'INNSA1' ELSE '' END",
        "taxable": "d.taxable",
        "value": f"d.taxable + {tax}",
        "igst": f"CASE WHEN d.is_within THEN 0 ELSE {tax} END",
        "cgst": f"CASE WHEN d.is_within THEN {tax} / 2 ELSE 0 END",
        "sgst": f"CASE WHEN d.is_within THEN {tax} / 2 ELSE 0 END",
        "chain": "d.id",
        "chain_no": "1",
    }
    return _put_in(columns, source, _parameters(month))


def amend(month: Month, *, before: int) -> list[int]:
    """Put in amendments of half the documents of an earlier month, of all the rarer ones, and return their ids.

    By turns a fifth less and a quarter more.
    """
    sections = " ".join(f"WHEN {sql.literal(o)} THEN {sql.literal(a)}" for a, o in ORIGINAL_OF.items())
    originals = ", ".join(sql.literal(o) for o in ORIGINAL_OF.values())
    bills = ", ".join(sql.literal(s) for s in BILLS)
    changed = f"o.taxable * (CASE WHEN mod(o.id, 4) = 0 THEN 80 ELSE 125 END) / 100 / {STEP:d} * {STEP:d}"
    taxable = f"greatest({STEP:d}, {changed})"
    source = f"""(
        SELECT nextval(pg_get_serial_sequence('invoices_record', 'id')) AS id, o.id AS original, {taxable} AS now,
            o.section IN ({bills}) AS is_bill, s.return_id, s.own_month AS counts_in,
            s.files_by_quarter AS is_quarterly, s.form AS by_form, o.*
        FROM invoices_record o LEFT JOIN big_suppliers s ON s.id = o.supplier_id
        WHERE o.recipient_id = %(recipient)s AND o.gstr2b_month = %(before)s AND o.section IN ({originals})
          AND o.chain_no = 1 AND (mod(o.id, 2) = 0 OR o.section NOT IN ('b2b', 'b2bcn'))
          AND (s.has_filed OR o.supplier_id IS NULL)) d"""
    source = source.replace("o.*", ", ".join(f"o.{name}" for name in _KEPT))
    columns = {
        **feeds_sql.UNSET,
        **{name: f"d.{name}" for name in _KEPT},
        "id": "d.id",
        "recipient_id": "%(recipient)s",
        "section": f"(CASE d.section {sections} END)",
        "supplier_return_id": "d.return_id",
        "form": f"CASE WHEN d.is_bill THEN {sql.literal(Form.CUSTOMS)} ELSE d.by_form END",
        "return_month": "%(month)s",
        "own_month": "coalesce(d.counts_in, %(month)s)",
        "earliest_month": "%(month)s",
        "files_by_quarter": "coalesce(d.is_quarterly, false)",
        "filed_on": "CASE WHEN d.is_bill THEN %(first)s::date + 5 ELSE %(filed_on)s::date END",
        "gstr2b_month": "%(month)s",
        "taxable": "d.now",
        "value": "d.now + " + " + ".join(f"d.{head} * d.now / d.taxable" for head in HEADS),
        **{head: f"d.{head} * d.now / d.taxable" for head in HEADS},
        "original_id": "d.original",
        "chain": "d.chain",
        "chain_no": "2",
    }
    return _put_in(columns, source, _parameters(month) | {"before": before})


_KEPT = (
    "section",
    "supplier_id",
    "number",
    "number_key",
    "number_class",
    "document_date",
    "fy",
    "credit_fy",
    "pos",
    "reverse_charge",
    "port",
    "taxable",
    *HEADS,
    "chain",
)
"""What an amendment keeps of its original, or is worked out from."""


def _parameters(month: Month) -> dict[str, object]:
    return {
        "recipient": month.recipient_id,
        "state": month.state,
        "month": month.number,
        "first": month.first_day,
        "filed_on": month.filed_on,
        "year": month.year,
        "distributor": month.distributor_id,
    }


def _put_in(columns: Mapping[str, str], source: str, parameters: Mapping[str, object]) -> list[int]:
    rows = run(
        f"""
        WITH added AS (
            INSERT INTO invoices_record ({", ".join(columns)}) SELECT {", ".join(columns.values())} FROM {source}
            RETURNING id, recipient_id, taxable, igst, cgst, sgst, cess
        ), detailed AS (
            INSERT INTO invoices_recorddetail (record_id, recipient_id, items, irn, differential, eco_supplier)
            SELECT id, recipient_id, jsonb_build_array(jsonb_build_array(
                (igst + cgst + sgst) * 10000 / taxable, taxable, igst, cgst, sgst, cess)), '', false, ''
            FROM added
        )
        SELECT id FROM added
        """,
        parameters,
    )
    return [int(str(pk)) for (pk,) in rows]


def keep_feeds(record_ids: Collection[int], *, importer: str, sez: str) -> None:
    """Keep what customs and the distributor told besides of new records that came by feed."""
    from_sez = ", ".join(sql.literal(s) for s in (Section.IMPGSEZ, Section.IMPGSEZA))
    run(
        f"""
        INSERT INTO invoices_billofentry (record_id, port, number, boe_date, seq, event, source, reference,
            importer_gstin, importer_name, sez_gstin, sez_name, reference_date, received_at, taxable, igst, cess,
            original_gstin, original_reference_date, original_taxable, original_igst, original_cess)
        SELECT r.id, r.port, r.number, r.document_date, r.chain_no - 1,
            CASE WHEN o.id IS NULL THEN {sql.literal(Event.NEW)} ELSE {sql.literal(Event.AMEND_VALUE)} END,
            CASE WHEN r.section IN ({from_sez}) THEN {sql.literal(Source.SEZ)} ELSE {sql.literal(Source.OVERSEAS)} END,
            'ICE' || lpad(r.id::text, 9, '0'), %(importer)s, '',
            CASE WHEN r.section IN ({from_sez}) THEN %(sez)s ELSE '' END, '', r.filed_on,
            r.filed_on + interval '12 hours', r.taxable, r.igst, r.cess,
            CASE WHEN o.id IS NULL THEN '' ELSE %(importer)s END, o.filed_on, coalesce(o.taxable, 0),
            coalesce(o.igst, 0), coalesce(o.cess, 0)
        FROM invoices_record r LEFT JOIN invoices_record o ON o.recipient_id = r.recipient_id AND o.id = r.original_id
        WHERE r.id = ANY(%(ids)s) AND r.number_class = {sql.literal(NumberClass.BILL_OF_ENTRY)}
        """,
        {"ids": list(record_ids), "importer": importer, "sez": sez},
    )
    run(
        f"""
        INSERT INTO invoices_isddocument (record_id, corrected_number)
        SELECT r.id, '' FROM invoices_record r WHERE r.id = ANY(%(ids)s) AND r.section = {sql.literal(Section.ISD)}
        """,
        {"ids": list(record_ids)},
    )


def learn() -> None:
    """Let the planner see what has been put in. A bare ANALYZE would lock what all databases of a server share."""
    run(
        """
        ANALYZE invoices_record, invoices_recorddetail, invoices_supplierreturn, invoices_actionevent,
            invoices_keptcount, invoices_billofentry, ims_portal_taxpayer, returns_gstr2bline
        """
    )


class Wish(NamedTuple):
    """What a recipient would choose on a record; `draw`, from 0 to just under 1, decides what goes with the choice."""

    record_id: int
    version: int
    action: str
    draw: float
    reduces: bool
    effects: list[int]


def wishes(record_ids: Collection[int], *, accepts: float, rejects: float, pends: float) -> list[Wish]:
    """Return choices on a share of records each."""
    effects = ", ".join(f"r.effect_{head}" for head in HEADS)
    rows = run(
        f"""
        SELECT w.* FROM (
            SELECT r.id, r.version, CASE WHEN {draw("r.id", 11)} < {accepts} THEN 'A'
                WHEN {draw("r.id", 11)} < {accepts + rejects} THEN 'R'
                WHEN {draw("r.id", 11)} < {accepts + rejects + pends} THEN 'P' ELSE '' END AS action,
                {draw("r.id", 12)} AS draw, r.reduces, ARRAY[{effects}] AS effects
            FROM invoices_record r WHERE r.id = ANY(%(ids)s)) w
        WHERE w.action <> '' ORDER BY w.id
        """,
        {"ids": list(record_ids)},
    )
    return [Wish(*row) for row in rows]  # type: ignore[arg-type]


def records_of(recipient_id: int, month: int) -> list[int]:
    """Return the ids of a recipient's records of one month of GSTR-2B."""
    rows = run(
        "SELECT r.id FROM invoices_record r WHERE r.recipient_id = %(recipient)s AND r.gstr2b_month = %(month)s",
        {"recipient": recipient_id, "month": month},
    )
    return [int(str(pk)) for (pk,) in rows]


def untouched(recipient_id: int, month: int, *, limit: int) -> list[tuple[int, int]]:
    """Return (id, version) of some filed invoices on which nothing was chosen."""
    rows = run(
        f"""
        SELECT r.id, r.version FROM invoices_record r
        WHERE r.recipient_id = %(recipient)s AND r.gstr2b_month = %(month)s AND r.action = 'N' AND r.status = 'F'
          AND r.settled_month IS NULL
          AND r.bypass = '' AND r.section = {sql.literal(Section.B2B)}
        ORDER BY r.id LIMIT %(limit)s
        """,
        {"recipient": recipient_id, "month": month, "limit": limit},
    )
    return [(int(str(pk)), int(str(version))) for pk, version in rows]


def booked(recipient_id: int) -> Iterator[tuple[object, ...]]:
    """Yield nine of ten invoices and notes of a recipient as rows of a purchase register, amounts in rupees."""
    kinds = {"b2b": "Invoice", "b2bcn": "Credit note", "b2bdn": "Debit note"}
    branches = " ".join(f"WHEN '{section}' THEN '{name}'" for section, name in kinds.items())
    amounts = ", ".join(f"r.{name} / 100.0" for name in ("taxable", *HEADS))
    return stream(
        f"""
        SELECT s.gstin, r.number, to_char(r.document_date, 'DD-MM-YYYY'), CASE r.section {branches} END, {amounts}
        FROM invoices_record r JOIN ims_portal_taxpayer s ON s.id = r.supplier_id
        WHERE r.recipient_id = %(recipient)s AND r.section = ANY(%(sections)s) AND r.settled_month IS NULL
          AND r.status <> 'W' AND r.id %% 10 <> 0
        """,
        {"recipient": recipient_id, "sections": list(kinds)},
    )
