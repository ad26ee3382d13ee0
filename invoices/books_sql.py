"""Registers and their matching as sets: documents in, pairs found, tabs counted and listed. Amounts are paise.

A pair is worked out from what both sides call themselves; how far they differ is read from both whenever it is asked,
so that a supplier's edit never leaves a verdict behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, cast

from ims_portal.rules.documents import CREDIT_NOTES, NumberClass
from ims_portal.rules.money import HEADS, LARGEST_PAISE
from ims_portal.sql import copy_in, run
from invoices.filters import IN_IMS, Match
from invoices.models import Pair, Register
from invoices.register_reading import Told, Wrong

AMOUNTS = ("taxable", *HEADS)
CLAIMED = tuple(f"claimed_{head}" for head in HEADS)
LINES = (
    "place",
    "position",
    "supplier_gstin",
    "number",
    "number_key",
    "number_class",
    "is_credit",
    "document_date",
    "fy",
    *AMOUNTS,
    *CLAIMED,
    "claimed_month",
    "is_blocked",
    "voucher",
)
CREDITS = ", ".join(f"'{section.value}'" for section in sorted(CREDIT_NOTES))
SECTIONS = ", ".join(f"'{section.value}'" for section in IN_IMS)

ONLY_IN_BOOKS = "books"
"""The tab of documents that are no record; no list of records has it."""

STEPS = ("case", "year", "zeros", "separators")
"""What is taken off a number before two are compared, in this order."""


def stages(number: str, fy: str) -> list[str]:
    """Return a number after each of `STEPS`, as SQL: in capitals, without its financial year, zeros, separators.

    `number` is SQL of a text, `fy` of the year its financial year begins in.
    """
    year, following = f"to_char(mod({fy}, 100), 'FM00')", f"to_char(mod({fy} + 1, 100), 'FM00')"
    fy_pattern = f"'(^|[^0-9A-Z])(FY)?(20)?' || {year} || '[-/]?(20)?' || {following} || '(?![0-9A-Z])'"
    upper = f"upper({number})"
    # A number that is nothing but its financial year keeps it.
    yearless = f"coalesce(nullif(regexp_replace({upper}, {fy_pattern}, '\\1', 'g'), ''), {upper})"
    zeroless = f"regexp_replace({yearless}, '(^|[^0-9])0+(?=[0-9])', '\\1', 'g')"
    return [upper, yearless, zeroless, f"regexp_replace({zeroless}, '[^0-9A-Z]', '', 'g')"]


def make_place() -> None:
    """Make the place rows are copied into; gone with the transaction."""
    run(
        """
        CREATE TEMPORARY TABLE told (
            place int, position text, supplier_gstin text, number text, number_key text, number_class text,
            is_credit boolean, document_date date, fy smallint, taxable bigint, igst bigint, cgst bigint, sgst bigint,
            cess bigint, claimed_igst bigint, claimed_cgst bigint, claimed_sgst bigint, claimed_cess bigint,
            claimed_month int, is_blocked boolean, voucher text) ON COMMIT DROP
        """
    )


def keep(rows: Iterable[tuple[int, int, Told]]) -> int:
    """Copy rows in, each with its place and its financial year, and return how many they were."""
    return copy_in("told", LINES, (_values(*row) for row in rows))


def _values(place: int, fy: int, row: Told) -> tuple[object, ...]:
    return (
        place,
        row.position[:80],
        row.supplier,
        row.number,
        row.number.upper(),
        row.kind.value,
        row.is_credit,
        row.day,
        fy,
        row.taxable,
        *row.taxes,
        *row.claimed,
        row.claimed_month,
        row.is_blocked,
        row.voucher,
    )


def complain(register: Register, rows: Iterable[Wrong]) -> int:
    """Keep rows that could not be read, and return how many they were."""
    return copy_in(
        "invoices_registerproblem",
        ("register_id", "position", "number", "message"),
        ((str(register.pk), row.position[:80], row.number, row.message) for row in rows),
    )


SUMMED = f"""
    SELECT supplier_gstin, fy, number_class, number_key, min(place) AS place,
        (array_agg(position ORDER BY place))[1] AS position, (array_agg(number ORDER BY place))[1] AS number,
        bool_or(is_credit) AS is_credit, min(document_date) AS document_date,
        {", ".join(f"sum({name}) AS {name}" for name in (*AMOUNTS, *CLAIMED))},
        max(claimed_month) AS claimed_month, bool_or(is_blocked) AS is_blocked, max(voucher) AS voucher
    FROM told GROUP BY supplier_gstin, fy, number_class, number_key
"""
SIZES = ", ".join(f"abs(coalesce({name}, 0))" for name in (*AMOUNTS, *CLAIMED))
IS_SOUND = f"""(greatest({SIZES}) <= {LARGEST_PAISE}
    AND (least({", ".join(AMOUNTS)}) >= 0 OR (is_credit AND greatest({", ".join(AMOUNTS)}) <= 0)))"""
ADDS_UP_BELOW = (
    "The rows of this document add up to amounts below 0, or above any document's. Correct their signs, or its type."
)


def tell_by_sign() -> None:
    """Make credit notes of the documents whose rows add up to less than nothing: of a register without types."""
    run(
        """
        UPDATE told t SET number_class = 'N', is_credit = TRUE
        FROM (SELECT supplier_gstin, fy, number_key FROM told GROUP BY supplier_gstin, fy, number_key
              HAVING sum(taxable) < 0) s
        WHERE t.supplier_gstin = s.supplier_gstin AND t.fy = s.fy AND t.number_key = s.number_key
        """
    )


def take(recipient_id: int, register: Register) -> tuple[int, int, int]:
    """Keep the documents of the rows copied in; return how many, how many were known before, how many are refused.

    A document the books told already is told anew, by the later register.
    """
    parameters = {"recipient": recipient_id, "register": str(register.pk), "why": ADDS_UP_BELOW}
    refused = run(
        f"""
        INSERT INTO invoices_registerproblem (register_id, position, number, message)
        SELECT %(register)s, position, number, %(why)s FROM ({SUMMED}) s WHERE NOT {IS_SOUND} ORDER BY place
        RETURNING 1
        """,
        parameters,
    )
    known = ("recipient_id", "supplier_gstin", "fy", "number_class", "number_key")
    rest = ("register_id", "position", "number", "is_credit", "document_date", *AMOUNTS, *CLAIMED)
    rest += ("claimed_month", "is_blocked", "voucher")
    absolute = {name: f"abs({name})" for name in AMOUNTS}
    absolute |= {name: f"CASE WHEN is_credit THEN abs({name}) ELSE {name} END" for name in CLAIMED}
    taken = {"recipient_id": "%(recipient)s", "register_id": "%(register)s"} | absolute
    kept = run(
        f"""
        INSERT INTO invoices_booked ({", ".join(known + rest)})
        SELECT {", ".join(taken.get(name, name) for name in known + rest)}
        FROM ({SUMMED}) s WHERE {IS_SOUND} ORDER BY place
        ON CONFLICT ({", ".join(known)}) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in rest)}
        RETURNING xmax <> 0
        """,
        parameters,
    )
    return len(kept), sum(1 for (was_known,) in kept if was_known), len(refused)


def forget(recipient_id: int, register: Register) -> None:
    """Drop the documents of a register with their pairs."""
    names = {"recipient": recipient_id, "register": str(register.pk)}
    run(
        """
        DELETE FROM invoices_pair p USING invoices_booked b
        WHERE p.recipient_id = %(recipient)s AND b.id = p.booked_id AND b.register_id = %(register)s
        """,
        names,
    )
    run("DELETE FROM invoices_booked WHERE recipient_id = %(recipient)s AND register_id = %(register)s", names)


# Which record a document is


BILL = NumberClass.BILL_OF_ENTRY.value


def _sides() -> str:
    """Return the two sides of a comparison, as SQL of the tables `names` and `books`.

    Of each record the newest version stands, under its own number and those it had before. Both sides are whole: told
    here to leave out what is paired, a planner that has counted a table full of pairs expects nothing to remain, and
    compares every document with every record.
    """
    return f"""
        heads AS (
            SELECT DISTINCT ON (chain) id, chain FROM invoices_record
            WHERE recipient_id = %(recipient)s AND status <> 'W' AND section IN ({SECTIONS})
            ORDER BY chain, chain_no DESC, id DESC),
        names AS MATERIALIZED (
            SELECT h.id AS record_id, r.id = h.id AS is_own, r.number_key, r.number_class, r.document_date, r.fy,
                CASE r.number_class WHEN '{BILL}' THEN 0 ELSE r.supplier_id END AS supplier,
                {stages("r.number", "r.fy")[-1]} AS plain
            FROM heads h JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.chain = h.chain
                AND r.status <> 'W'),
        books AS MATERIALIZED (
            SELECT b.id AS booked_id, b.number_key, b.number_class, b.document_date, b.fy,
                CASE b.number_class WHEN '{BILL}' THEN 0 ELSE s.id END AS supplier,
                {stages("b.number", "b.fy")[-1]} AS plain
            FROM invoices_booked b LEFT JOIN ims_portal_taxpayer s ON s.gstin = b.supplier_gstin
            WHERE b.recipient_id = %(recipient)s)"""


def _found_pairs() -> str:
    """Return the pairs of both sides that nobody spoke about, as SQL of the rows of `invoices_pair`."""
    return f"""
        WITH {_sides()},
        found AS (
            SELECT b.booked_id, n.record_id,
                min(CASE WHEN n.number_key = b.number_key THEN 0 ELSE 2 END + CASE WHEN n.is_own THEN 0 ELSE 1 END)
                    AS rank
            FROM books b JOIN names n ON n.supplier = b.supplier AND n.number_class = b.number_class AND n.fy = b.fy
                AND n.plain = b.plain AND n.plain <> ''
                AND (b.number_class <> '{BILL}' OR n.document_date = b.document_date)
            WHERE NOT EXISTS (SELECT 1 FROM invoices_pair p WHERE p.booked_id = b.booked_id AND p.kind = 'is')
                AND NOT EXISTS (SELECT 1 FROM invoices_pair p WHERE p.record_id = n.record_id
                    AND p.recipient_id = %(recipient)s AND (p.kind = 'is' OR p.booked_id = b.booked_id))
            GROUP BY b.booked_id, n.record_id),
        ranked AS (
            SELECT booked_id, record_id, rank, min(rank) OVER (PARTITION BY booked_id) AS best_of_booked,
                min(rank) OVER (PARTITION BY record_id) AS best_of_record
            FROM found),
        best AS (
            SELECT booked_id, record_id, count(*) OVER (PARTITION BY booked_id) AS records,
                count(*) OVER (PARTITION BY record_id) AS documents
            FROM ranked WHERE rank = best_of_booked AND rank = best_of_record)
        SELECT %(recipient)s, booked_id, record_id, CASE WHEN records = 1 AND documents = 1 THEN 'is' ELSE 'maybe' END
        FROM best"""


def _follow_amendments(names: Mapping[str, object]) -> None:
    """Let what somebody said of a record hold for its newest version, where nothing else was said of the document."""
    run(
        """
        UPDATE invoices_pair p SET record_id = m.head FROM (
            SELECT q.id, count(*) OVER (PARTITION BY r.chain) AS said, (
                SELECT h.id FROM invoices_record h WHERE h.recipient_id = %(recipient)s AND h.chain = r.chain
                  AND h.status <> 'W' ORDER BY h.chain_no DESC, h.id DESC LIMIT 1) AS head
            FROM invoices_pair q JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.id = q.record_id
            WHERE q.recipient_id = %(recipient)s AND q.said_at IS NOT NULL) m
        WHERE p.id = m.id AND m.said = 1 AND m.head IS NOT NULL AND p.record_id <> m.head
        """,
        names,
    )


def match(recipient_id: int) -> int:
    """Work out anew which document is which record, and return the newest record there was.

    A document is looked for among its supplier's of the same financial year and class, a bill of entry by its number
    and date. A number as it stands goes before one that is only alike, the newest version of a document before an
    older number of it. Two that claim one another alone are a pair; where several do, each only may be.
    """
    names = {"recipient": recipient_id}
    run(
        """
        DELETE FROM invoices_pair p WHERE p.recipient_id = %(recipient)s AND (p.said_at IS NULL OR EXISTS (
            SELECT 1 FROM invoices_record r WHERE r.id = p.record_id AND r.status = 'W'))
        """,
        names,
    )
    _follow_amendments(names)
    run(f"INSERT INTO invoices_pair (recipient_id, booked_id, record_id, kind) {_found_pairs()}", names)
    # Who looks at the tabs next must not be planned for empty tables.
    run("ANALYZE invoices_booked")
    run("ANALYZE invoices_pair")
    newest = run("SELECT coalesce(max(id), 0) FROM invoices_record WHERE recipient_id = %(recipient)s", names)
    return int(str(newest[0][0]))


# How far they differ


def _within(difference: str) -> str:
    return " AND ".join(f"abs(r.{name} - b.{name}) <= {difference}" for name in AMOUNTS)


IS_ALIKE = f"(r.section IN ({CREDITS})) = b.is_credit AND r.document_date = b.document_date"
TOLERANCE = "(SELECT k.tolerance FROM invoices_books k WHERE k.taxpayer_id = %(recipient)s)"
TAB = f"""(CASE WHEN p.kind = '{Pair.Kind.MAYBE.value}' THEN '{Match.AMBIGUOUS.value}'
    WHEN NOT ({IS_ALIKE}) THEN '{Match.MISMATCH.value}'
    WHEN {_within("0")} THEN '{Match.EXACT.value}'
    WHEN {_within(TOLERANCE)} THEN '{Match.TOLERANCE.value}' ELSE '{Match.MISMATCH.value}' END)"""
"""The tab of a pair `p` of a document `b` and a record `r`, as they stand now."""

PAIRS = """invoices_pair p JOIN invoices_booked b ON b.id = p.booked_id
    JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.id = p.record_id AND r.status <> 'W'"""
PAIRED = "p.recipient_id = %(recipient)s AND p.kind <> 'not'"
IMS_TAX = "(r.igst + r.cgst + r.sgst + r.cess)"
BOOKED_TAX = "(b.igst + b.cgst + b.sgst + b.cess)"
MONTH = "date_trunc('month', {}.document_date)::date"
MONTHS = f"SELECT DISTINCT {MONTH.format('o')} AS month FROM invoices_booked o WHERE o.recipient_id = %(recipient)s"
"""The months the registers hold documents of."""

MONTHS_OF_SEVERAL = f"""SELECT DISTINCT o.recipient_id, {MONTH.format("o")} AS month
    FROM invoices_booked o WHERE o.recipient_id = ANY(%(recipients)s)"""
"""The same of several recipients, by recipient."""

NO_RECORD = f"""b.recipient_id = %(recipient)s AND NOT EXISTS (
    SELECT 1 FROM invoices_pair p JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.id = p.record_id
    WHERE p.booked_id = b.id AND {PAIRED} AND r.status <> 'W')"""


def holds(match_: str) -> str:
    """Return under which condition a record `r` stands in a tab, as SQL with the parameters `recipient` and `match`.

    Only in IMS are records dated in the months of the registers: of others the books are not known.
    """
    if match_ == Match.ONLY_IN_IMS:
        return f"""(r.superseded_by_id IS NULL AND {MONTH.format("r")} IN ({MONTHS})
            AND NOT EXISTS (SELECT 1 FROM invoices_pair p WHERE p.record_id = r.id AND {PAIRED}))"""
    return f"r.id IN (SELECT p.record_id FROM {PAIRS} WHERE {in_tab(match_)})"


def in_tab(tab: str) -> str:
    """Return which pairs of `PAIRS` stand in a tab, as SQL with the parameters `recipient` and `match`."""
    if tab == Match.AMBIGUOUS:
        return f"{PAIRED} AND p.kind = '{Pair.Kind.MAYBE.value}'"
    return f"{PAIRED} AND p.kind = '{Pair.Kind.IS.value}' AND {TAB} = %(match)s"


class Tally(NamedTuple):
    """How many a tab holds, with the tax of its records and of its documents in paise."""

    number: int = 0
    ims: int = 0
    booked: int = 0


def counts(condition: str, parameters: Mapping[str, object]) -> dict[str, Tally]:
    """Return tab -> its count; `condition` is that of the list of all open records, with its parameters.

    An ambiguous document counts once, its records not at all. Records are read once, for all tabs.
    """
    rows = run(
        f"""
        WITH months AS MATERIALIZED ({MONTHS})
        SELECT tab, count(*), sum(ims), sum(booked) FROM (
            SELECT CASE WHEN p.id IS NOT NULL THEN {TAB} WHEN {condition} AND r.superseded_by_id IS NULL
                    AND {MONTH.format("r")} IN (SELECT month FROM months) THEN '{Match.ONLY_IN_IMS.value}' END AS tab,
                {IMS_TAX} AS ims, coalesce({BOOKED_TAX}, 0) AS booked
            FROM invoices_record r LEFT JOIN invoices_pair p ON p.record_id = r.id AND {PAIRED}
            LEFT JOIN invoices_booked b ON b.id = p.booked_id
            WHERE r.recipient_id = %(recipient)s AND r.status <> 'W') t
        WHERE tab <> '{Match.AMBIGUOUS.value}' GROUP BY tab
        UNION ALL
        SELECT '{Match.AMBIGUOUS.value}', count(*), 0, coalesce(sum({BOOKED_TAX}), 0) FROM invoices_booked b
        WHERE b.id IN (SELECT p.booked_id FROM {PAIRS} WHERE {PAIRED} AND p.kind = 'maybe')
        UNION ALL
        SELECT '{ONLY_IN_BOOKS}', count(*), 0, coalesce(sum({BOOKED_TAX}), 0) FROM invoices_booked b WHERE {NO_RECORD}
        """,
        parameters,
    )
    return {str(tab): Tally(*(int(str(number)) for number in numbers)) for tab, *numbers in rows}


class Place(NamedTuple):
    """Where a row stands in its tab: the dearest first."""

    tax: int
    first: int
    second: int = 0


class Found(NamedTuple):
    """One row of a tab: its place, the document and the record, where it has them, and whether somebody paired them.

    `stages` are both numbers, the document's and the record's, after each of `STEPS`, with the number itself first.
    """

    place: Place
    booked_id: int | None
    record_id: int | None
    is_said: bool = False
    stages: tuple[Sequence[str], Sequence[str]] = ((), ())


BOTH_STAGES = ", ".join(
    f"ARRAY[{', '.join([f'{side}.number', *stages(f'{side}.number', f'{side}.fy')])}]" for side in "br"
)


def of_record(recipient_id: int, record_id: int) -> tuple[str, Found] | None:
    """Return the tab and the row of one record, that of its likeliest document where there are several."""
    rows = run(
        f"""
        SELECT {TAB}, {BOOKED_TAX}, b.id, p.id, b.id, r.id, p.said_at IS NOT NULL, {BOTH_STAGES}
        FROM {PAIRS} WHERE {PAIRED} AND p.record_id = %(record)s ORDER BY p.kind, b.id LIMIT 1
        """,
        {"recipient": recipient_id, "record": record_id},
    )
    return (str(rows[0][0]), _found(rows[0][1:])) if rows else None


def page(
    recipient_id: int, tab: str, *, after: Place | None, limit: int, only: tuple[str, Mapping[str, object]]
) -> list[Found]:
    """Return at most `limit` rows of a tab after a place; `only` is the list's condition of what is only in IMS."""
    parameters: dict[str, object] = {"recipient": recipient_id, "match": tab, "limit": limit}
    booked, record, said, steps = "NULL", "NULL", "FALSE", "NULL, NULL"
    if tab == ONLY_IN_BOOKS:
        source, keys, booked = f"invoices_booked b WHERE {NO_RECORD}", (BOOKED_TAX, "b.id", "0::bigint"), "b.id"
    elif tab == Match.ONLY_IN_IMS:
        source, keys, record = f"invoices_record r WHERE {only[0]}", (IMS_TAX, "r.id", "0::bigint"), "r.id"
        parameters |= only[1]
    else:
        source = f"{PAIRS} WHERE {in_tab(tab)}"
        keys, booked, record, said = (BOOKED_TAX, "b.id", "p.id"), "b.id", "r.id", "p.said_at IS NOT NULL"
        steps = BOTH_STAGES
    place = ", ".join(keys)
    goes_on = ""
    if after is not None:
        goes_on = f"AND ({place}) < (%(tax)s, %(first)s, %(second)s)"
        parameters |= after._asdict()
    order = ", ".join(f"{key} DESC" for key in keys)
    rows = run(
        f"SELECT {place}, {booked}, {record}, {said}, {steps} FROM {source} {goes_on} ORDER BY {order} LIMIT %(limit)s",
        parameters,
    )
    return [_found(row) for row in rows]


def _found(row: Sequence[Any]) -> Found:
    tax, first, second, booked, record, said, of_booked, of_record = row
    return Found(Place(int(tax), first, second), booked, record, said, (of_booked or (), of_record or ()))


def candidates(recipient_id: int, booked_id: int, *, limit: int) -> list[int]:
    """Return its supplier's records a document can be: those it may be first, then the nearest by tax and date."""
    rows = run(
        f"""
        SELECT r.id FROM invoices_booked b LEFT JOIN ims_portal_taxpayer s ON s.gstin = b.supplier_gstin
        JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.supplier_id IS NOT DISTINCT FROM s.id
        WHERE b.recipient_id = %(recipient)s AND b.id = %(booked)s AND r.status <> 'W' AND r.section IN ({SECTIONS})
          AND (s.id IS NOT NULL OR (b.supplier_gstin = '' AND r.number_class = b.number_class))
          AND NOT EXISTS (SELECT 1 FROM invoices_record l WHERE l.recipient_id = %(recipient)s AND l.chain = r.chain
              AND l.chain_no > r.chain_no AND l.status <> 'W')
          AND NOT EXISTS (SELECT 1 FROM invoices_pair p WHERE p.record_id = r.id AND p.recipient_id = %(recipient)s
              AND p.kind = 'is' AND p.booked_id <> b.id)
        ORDER BY EXISTS (SELECT 1 FROM invoices_pair p WHERE p.booked_id = b.id AND p.record_id = r.id
                AND p.kind <> 'not') DESC,
            r.number_class = b.number_class DESC, abs({IMS_TAX} - {BOOKED_TAX}), abs(r.document_date - b.document_date),
            r.id
        LIMIT %(limit)s
        """,
        {"recipient": recipient_id, "booked": booked_id, "limit": limit},
    )
    return [int(str(pk)) for (pk,) in rows]


def span(recipient_id: int) -> tuple[date, date] | None:
    """Return the first and the last day of the months the registers are of, None where there are none."""
    ((first, last),) = run(
        f"""
        SELECT min(month), (max(month) + interval '1 month - 1 day')::date FROM ({MONTHS}) m
        """,
        {"recipient": recipient_id},
    )
    return None if first is None else (cast("date", first), cast("date", last))
