"""A statement as a set: every line of a period from the rule tables, written as what changed since the last version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ims_portal import sql
from ims_portal.rules import gstr2b
from ims_portal.rules.gstr2b import PARTS_B, Part, Placement
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.periods import Lapsed
from ims_portal.sql import run
from invoices import kept_sql, records_sql, why
from invoices.standing import Standing, time_barred_sql
from returns import explanations

LINE = (
    "record_id",
    "placement",
    "reason",
    "part",
    "row",
    "cell",
    "status",
    *HEADS,
    "answer",
    "remark",
    "why_id",
)
"""What makes a line; two versions share a line as long as all of it is equal."""

_LITERAL_PARTS_B = ", ".join(sql.literal(part) for part in Part if part in PARTS_B)
_SIGN = f"CASE WHEN l.part IN ({_LITERAL_PARTS_B}) THEN -1 ELSE 1 END"
CREDIT = f"""SELECT l.recipient_id, l.record_id, l.month, l.last_version IS NULL AS is_newest,
        l.placement = {sql.literal(Placement.AVAILABLE)} AS is_available,
        {", ".join(f"({_SIGN}) * l.{head} AS {head}" for head in HEADS)}
    FROM returns_gstr2bline l"""
"""Every line of every version as the credit it is; Part B prints what reduces as positive."""


def net(alias: str) -> str:
    """Return what a line does to net ITC, 4(C), over all heads, as SQL: rejected and not available ones nothing."""
    nothing = ", ".join(map(sql.literal, (Placement.REJECTED, Placement.NOT_AVAILABLE)))
    takes = f"{alias}.placement = {sql.literal(Placement.REVERSAL)} OR {alias}.part IN ({_LITERAL_PARTS_B})"
    tax = " + ".join(f"{alias}.{head}" for head in HEADS)
    return f"(CASE WHEN {alias}.placement IN ({nothing}) THEN 0 WHEN {takes} THEN -({tax}) ELSE {tax} END)"


ONE, SEVERAL = "= %(recipient)s", "= ANY(%(recipients)s)"


def wanted(today: Standing, month: int, *, among: str = "", source: str = "invoices_record r", whose: str = ONE) -> str:
    """Return the SELECT of every line the statement of a month must have, over %(recipient)s and %(month)s (R7.6).

    `trace` holds the facts each line was decided on, from which its explanation is made. `among` is SQL: the ids of
    the only records to look at; `source` stands for the records `r` as they would be. `whose` is the SQL of whose
    statements: SEVERAL, over %(recipients)s, of recipients who all stand as `today` says.
    """
    columns = today.columns("r")
    answer = f"(CASE WHEN {columns['effective']} = 'A' THEN r.answer ELSE '' END)"
    placement = {
        "bypass": "r.bypass",
        "unavailable": "r.unavailable",
        "action": columns["effective"],
        "is_barred": time_barred_sql("r", "%(month)s"),
    }
    of_part = {"section": "r.section", "is_reverse_charge": "r.reverse_charge"}
    counts = {head: records_sql.counted(head, answer) for head in HEADS}
    amounts = ", ".join(
        f"(CASE WHEN l.part IN ({_LITERAL_PARTS_B}) THEN -1 ELSE 1 END) * "
        f"(CASE WHEN l.placement = 'available' THEN l.counted_{head} ELSE l.effect_{head} END) AS {head}"
        for head in HEADS
    )
    cell = sql.case(gstr2b.CELL.at(month), {"placement": "l.placement", "part": "l.part"})
    status = sql.case(gstr2b.STATUS.at(month), {"bypass": "l.bypass", "action": "l.effective"})
    return f"""
        SELECT l.recipient_id, l.id AS record_id, l.placement, CASE WHEN l.placement <> 'not_available' THEN ''
                WHEN l.unavailable <> '' THEN l.unavailable ELSE 'C' END AS reason,
            l.part, l.section AS row, {cell} AS cell, {status} AS status, {amounts},
            CASE WHEN l.effective = 'A' THEN l.answer ELSE '' END AS answer, l.remark,
            l.trace
        FROM (
            SELECT r.recipient_id, r.id, r.section, r.bypass, r.unavailable, r.answer, r.remark, r.gstr2b_month,
                {columns["effective"]} AS effective,
                {sql.case(gstr2b.PLACEMENT.at(month), placement)} AS placement,
                {why.trace({**columns, **placement, "answer": answer})} AS trace,
                {sql.case(gstr2b.PART.at(month), of_part)} AS part,
                {", ".join(f"r.effect_{head}" for head in HEADS)},
                {", ".join(f"{expression} AS counted_{head}" for head, expression in counts.items())}
            FROM {source}
            WHERE r.recipient_id {whose} AND r.status = 'F' AND r.settled_month IS NULL
              AND r.superseded_by_id IS NULL AND r.gstr2b_month <= %(month)s
              {f"AND r.id IN ({among})" if among else ""}) l
        WHERE l.placement <> 'nowhere'
    """


TOUCHED = "SELECT t.id FROM touched_records t"
"""The ids that `since_sql.note` wrote down."""

LINES_OF_TOUCHED = """(SELECT l.* FROM touched_records t CROSS JOIN LATERAL (
    SELECT * FROM returns_gstr2bline WHERE recipient_id = %(recipient)s AND month = %(month)s AND record_id = t.id
    ORDER BY first_version) l)"""
"""The lines of those records in all versions, looked up record by record (see `_close_among`).

Their order is that of the index that finds them: to a planner that expects no lines of the month any other is as good.
"""


def write_first(*, recipient_ids: Collection[int], month: int, today: Standing) -> None:
    """Make the lines of the first version of statements: of recipients who all stand as `today` says."""
    parameters: dict[str, object] = {"recipients": list(recipient_ids), "month": month, "version": 1}
    if len(recipient_ids) == 1:
        parameters["recipient"] = next(iter(recipient_ids))
    _prepare(wanted(today, month, whose=SEVERAL), month, parameters)
    _add(parameters)


def write_version(*, recipient_id: int, month: int, version: int, today: Standing, among: str = "") -> None:
    """Make the lines of a later version: close those that no longer hold, add those that are new.

    `among` is SQL: the ids of the only records whose lines may change; the others' stay. Lines that stay are marked
    first and found by record: comparing while inserting would read what it inserts.
    """
    parameters = {"recipient": recipient_id, "month": month, "version": version}
    _prepare(wanted(today, month, among=among), month, parameters)
    run("ANALYZE wanted_lines")
    if among:
        _close_among(among, parameters)
        _add(parameters)
    else:
        with sql.whole_sets():
            _close(parameters)
            _add(parameters)


OPEN = "o.recipient_id = %(recipient)s AND o.month = %(month)s AND o.last_version IS NULL"
"""Which lines `o` stand in a statement's latest version; a record has one at most."""


def _close(parameters: Mapping[str, object]) -> None:
    """Mark the lines of `wanted_lines` that stand already, and close those that stand and are not wanted."""
    run(
        f"""
        UPDATE wanted_lines w SET stays = true FROM returns_gstr2bline o, explained e
        WHERE e.trace = w.trace AND {OPEN} AND {_is_same()}
        """,
        parameters,
    )
    run(
        f"""
        UPDATE returns_gstr2bline o SET last_version = %(version)s - 1
        WHERE {OPEN} AND NOT EXISTS (SELECT 1 FROM wanted_lines w WHERE w.record_id = o.record_id AND w.stays)
        """,
        parameters,
    )


def _close_among(among: str, parameters: Mapping[str, object]) -> None:
    """Do what `_close` does for some records: their lines are looked up one by one.

    Not joined: of a month that began since it last counted, the planner expects no lines, begins with these, and reads
    all of them for few changes.
    """
    run(
        f"""
        UPDATE wanted_lines w SET stays = true FROM explained e
        WHERE e.trace = w.trace
          AND (SELECT {_is_same()} FROM returns_gstr2bline o WHERE {OPEN} AND o.record_id = w.record_id)
        """,
        parameters,
    )
    run(
        f"""
        UPDATE returns_gstr2bline c SET last_version = %(version)s - 1
        WHERE c.recipient_id = %(recipient)s AND c.id = ANY(ARRAY(
            SELECT (SELECT o.id FROM returns_gstr2bline o WHERE {OPEN} AND o.record_id = m.id) FROM ({among}) m
            WHERE NOT EXISTS (SELECT 1 FROM wanted_lines w WHERE w.record_id = m.id AND w.stays)))
        """,
        parameters,
    )


def _is_same() -> str:
    """Return the condition that a line `o` says all that a wanted one `w`, explained by `e`, says."""
    return " AND ".join(f"o.{name} = {_wanted_column(name)}" for name in LINE)


def _prepare(select: str, month: int, parameters: Mapping[str, object]) -> None:
    """Make the temporary tables `wanted_lines`, of what a SELECT of `wanted` finds, their sums, and `explained`."""
    run("DROP TABLE IF EXISTS wanted_lines, wanted_sums")
    run(
        f"CREATE TEMPORARY TABLE wanted_lines ON COMMIT DROP AS SELECT w.*, false AS stays FROM ({select}) w",
        parameters,
    )
    heads = ", ".join(f"sum(w.{head}) AS {head}" for head in HEADS)
    run(
        f"""
        CREATE TEMPORARY TABLE wanted_sums ON COMMIT DROP AS
        SELECT w.recipient_id, w.placement, w.part, w.row, w.status, w.trace, count(*) AS lines, {heads}
        FROM wanted_lines w GROUP BY w.recipient_id, w.placement, w.part, w.row, w.status, w.trace
        """
    )
    explanations.prepare(month, [str(trace) for (trace,) in run("SELECT DISTINCT trace FROM wanted_sums")])


def _add(parameters: Mapping[str, object]) -> None:
    """Write the lines of `wanted_lines` that do not stand yet; of one recipient by its id, as its shard is found."""
    whose = "%(recipient)s" if "recipient" in parameters else "w.recipient_id"
    run(
        f"""
        INSERT INTO returns_gstr2bline (recipient_id, month, first_version, {", ".join(LINE)})
        SELECT {whose}, %(month)s, %(version)s, {", ".join(map(_wanted_column, LINE))}
        FROM wanted_lines w JOIN explained e ON e.trace = w.trace WHERE NOT w.stays
        """,
        parameters,
    )


def _wanted_column(name: str) -> str:
    return "e.why_id" if name == "why_id" else f"w.{name}"


ByRow = dict[tuple[str, str, str, str], tuple[int, Tax]]
"""(placement, part, row, status) -> (count, tax as printed)."""


def sums() -> dict[int, ByRow]:
    """Return recipient -> the sums of all lines of the version that was just written from every record."""
    heads = ", ".join(f"sum(w.{head})" for head in HEADS)
    rows = run(
        f"""
        SELECT w.recipient_id, w.placement, w.part, w.row, w.status, sum(w.lines), {heads} FROM wanted_sums w
        GROUP BY w.recipient_id, w.placement, w.part, w.row, w.status
        ORDER BY w.recipient_id, w.placement, w.part, w.row, w.status
        """
    )
    found: dict[int, ByRow] = {}
    for pk, *row in rows:
        found.setdefault(int(str(pk)), {}).update(_by_row([row]))
    return found


def _by_row(rows: Iterable[Sequence[object]]) -> ByRow:
    return {
        (str(r[0]), str(r[1]), str(r[2]), str(r[3])): (int(str(r[4])), Tax(*(int(str(v)) for v in r[5:9])))
        for r in rows
    }


def moved(*, recipient_id: int, month: int, version: int) -> ByRow:
    """Return the sums of the lines a version added less those it closed.

    Of the records in `touched_records` alone.
    """
    heads = ", ".join(f"sum(d.sign * d.{head})" for head in HEADS)
    rows = run(
        f"""
        SELECT d.placement, d.part, d.row, d.status, sum(d.sign), {heads} FROM (
            SELECT CASE WHEN l.last_version IS NULL THEN 1 ELSE -1 END AS sign, l.* FROM {LINES_OF_TOUCHED} l
            WHERE ({_of_version(1)}) OR ({_of_version(-1)})) d
        GROUP BY d.placement, d.part, d.row, d.status
    """,
        {"recipient": recipient_id, "month": month, "version": version},
    )
    return _by_row(rows)


def _of_version(sign: int) -> str:
    """Return the SQL of whether a version added a line `l`, or (-1) closed it."""
    return (
        "l.first_version = %(version)s AND l.last_version IS NULL" if sign > 0 else "l.last_version = %(version)s - 1"
    )


def left_pending(*, recipient_ids: Collection[int], month: int, today: Standing) -> dict[int, tuple[int, int]]:
    """Return recipient -> count and net ITC, in paise, of the records in scope that are Pending and so not counted.

    From kept counts: it costs the same whatever a recipient's size. The recipients all stand as `today` says; who has
    none such is not named.
    """
    columns = today.columns("r")
    rows = run(
        f"""
        SELECT r.recipient_id, sum(r.records), sum(r.effect) FROM {kept_sql.RECORDS_OF_SEVERAL} r
        WHERE r.status = 'F' AND r.settled_month IS NULL
          AND r.superseded_by_id IS NULL AND r.gstr2b_month <= %(month)s AND r.action = 'P' AND r.bypass = ''
          AND {columns["effective"]} = 'P'
        GROUP BY r.recipient_id
        """,
        {"recipients": list(recipient_ids), "month": month},
    )
    return {int(str(pk)): (int(str(count)), int(str(effect))) for pk, count, effect in rows}


def liable_taxable(*, month: int) -> dict[int, int]:
    """Return recipient -> the taxable value, of a version just written, whose tax is its own liability, 3.1(d) (R8.6).

    As their tax it is the change against the version accepted before, and negative for credit notes. Recipients
    without any are not named.
    """
    rows = run(_liable(month, "wanted_lines l") + "GROUP BY l.recipient_id", {"month": month})
    return {int(str(pk)): int(str(taxable)) for pk, taxable in rows}


def liable_taxable_moved(*, recipient_id: int, month: int, version: int) -> int:
    """Return the same of the lines a version added less those it closed, of the records in `touched_records` alone."""
    parameters = {"recipient": recipient_id, "month": month, "version": version}
    added, closed = (
        sum(int(str(taxable)) for _pk, taxable in run(sql_of + "GROUP BY l.recipient_id", parameters))
        for sign in (1, -1)
        for sql_of in [_liable(month, f"(SELECT * FROM {LINES_OF_TOUCHED} l WHERE {_of_version(sign)}) l")]
    )
    return added - closed


def _liable(month: int, lines: str) -> str:
    """Return the SELECT of recipient and taxable value of lines `l` whose tax is the recipient's own liability."""
    liable = sql.case(gstr2b.OWN_LIABILITY.at(month), {"placement": "l.placement", "part": "l.part"})
    change = gstr2b.EFFECT.sql.format(
        section="r.section", boe_change="r.boe_change", tax="r.taxable", baseline="coalesce(b.taxable, 0)"
    )
    of_baseline = {
        "was_accepted": "v.settled_as = 'A'",
        "was_available": "v.unavailable = ''",
        "is_itself_unavailable": "r.unavailable <> ''",
    }
    is_baseline = sql.dated_case(gstr2b.BASELINE, of_baseline, day="r.gstr2b_month")
    parts = ", ".join(sorted({sql.literal(part) for _placement, part in gstr2b.own_liability(month)}))
    return f"""
        SELECT l.recipient_id, sum({change}) FROM {lines}
        JOIN invoices_record r ON r.recipient_id = l.recipient_id AND r.id = l.record_id
        LEFT JOIN LATERAL (
            SELECT v.taxable FROM invoices_record v
            WHERE r.has_baseline AND v.recipient_id = r.recipient_id AND v.chain = r.chain
              AND v.chain_no < r.chain_no AND {is_baseline}
            ORDER BY v.chain_no DESC LIMIT 1) b ON true
        WHERE l.part IN ({parts}) AND {liable}
        """


class Told(NamedTuple):
    """A line of a record with the versions that bound it and the return that used its statement, as `told` reads it.

    `steps` is its explanation as JSON text, of a line that still holds. `dropped_*` tell of the version after its last
    one, `filed_*` of the period's GSTR-3B where this line is the last.
    """

    record_id: int
    month: int
    first_version: int
    last_version: int | None
    placement: str
    part: str
    cell: str
    status: str
    igst: int
    cgst: int
    sgst: int
    cess: int
    steps: str | None
    began_at: datetime
    began_by: str | None
    goes_on: bool
    dropped_at: datetime | None
    dropped_by: str | None
    filed_at: datetime | None
    filed_by: str | None
    filed_version: int | None
    reference: str | None
    addback_month: int | None


def told(*, recipient_id: int, record_ids: Collection[int]) -> list[Told]:
    """Return every line any statement of a recipient held of these records, in order of time."""
    name = "coalesce(nullif({0}.full_name, ''), {0}.username)"
    rows = run(
        f"""
        SELECT l.record_id, l.month, l.first_version, l.last_version, l.placement, l.part, l.cell, l.status,
            l.igst, l.cgst, l.sgst, l.cess, w.steps, b.computed_at, {name.format("bu")},
            EXISTS (SELECT 1 FROM returns_gstr2bline n WHERE n.recipient_id = l.recipient_id AND n.month = l.month
                AND n.record_id = l.record_id AND n.first_version = l.last_version + 1),
            d.computed_at, {name.format("du")}, f.filed_at, {name.format("fu")}, v.version, f.reference, a.target_month
        FROM returns_gstr2bline l
        JOIN returns_gstr2b b ON b.recipient_id = l.recipient_id AND b.month = l.month AND b.version = l.first_version
        LEFT JOIN ims_portal_user bu ON bu.id = b.computed_by_id
        LEFT JOIN returns_gstr2b d ON d.recipient_id = l.recipient_id AND d.month = l.month
            AND d.version = l.last_version + 1
        LEFT JOIN ims_portal_user du ON du.id = d.computed_by_id
        LEFT JOIN returns_filing f ON f.taxpayer_id = l.recipient_id AND f.month = l.month AND l.last_version IS NULL
        LEFT JOIN returns_gstr2b v ON v.recipient_id = l.recipient_id AND v.id = f.statement_id
        LEFT JOIN ims_portal_user fu ON fu.id = f.filed_by_id
        LEFT JOIN returns_addback a ON a.recipient_id = l.recipient_id AND a.filing_id = f.id
            AND a.record_id = l.record_id
        LEFT JOIN returns_explanation w ON w.id = l.why_id AND l.last_version IS NULL
        WHERE l.recipient_id = %(recipient)s AND l.record_id = ANY(%(ids)s)
        ORDER BY l.month, l.first_version, l.record_id
        """,
        {"recipient": recipient_id, "ids": list(record_ids)},
    )
    return [Told(*row) for row in rows]  # type: ignore[arg-type]


class Alike(NamedTuple):
    """Recipients between whose statement and today the same lapsed; `first` is the first month whose Pending can."""

    recipients: Collection[int]
    then: Lapsed
    now: Lapsed
    first: int


def lapsed_of_several(alike: Iterable[Alike]) -> set[int]:
    """Return the recipients `lapsed_since` would be true of, each by its inbox's open period: one query.

    `alike` are recipients between whose two days the same lapsed; without any nothing is asked.
    """
    parameters: dict[str, object] = {}
    parts = []
    for place, one in enumerate(alike):
        parameters |= {f"recipients_{place}": list(one.recipients), "first": one.first}
        parts.append(
            f"""SELECT i.taxpayer_id FROM invoices_inbox i
            WHERE i.taxpayer_id = ANY(%(recipients_{place})s) AND EXISTS (SELECT 1 FROM invoices_record r
                WHERE r.recipient_id = i.taxpayer_id AND {_has_lapsed(one.then, one.now, "i.open_month")})"""
        )
    return {int(str(pk)) for (pk,) in run(" UNION ALL ".join(parts), parameters)} if parts else set()


def lapsed_since(*, recipient_id: int, open_month: int, then: Lapsed, now: Lapsed, first: int) -> bool:
    """Whether a Pending in scope lapsed between two days, or an extension notified late took its lapse back (R7.11)."""
    rows = run(
        f"""
        SELECT EXISTS (SELECT 1 FROM invoices_record r WHERE r.recipient_id = %(recipient)s
            AND {_has_lapsed(then, now, "%(open)s")})
    """,
        {"recipient": recipient_id, "open": open_month, "first": first},
    )
    return bool(rows[0][0])


def _has_lapsed(then: Lapsed, now: Lapsed, open_month: str) -> str:
    month = "r.gstr2b_month"
    return f"""r.status = 'F' AND r.settled_month IS NULL AND r.superseded_by_id IS NULL AND r.bypass = ''
            AND r.action = 'P' AND r.reduces AND {month} >= %(first)s AND {month} <= {open_month}
            AND {then.sql(month)} <> {now.sql(month)}"""
