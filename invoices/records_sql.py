"""Stored records as sets: what a chain makes of a version, filing, superseding, and what a supplier is charged.

One statement per function.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from ims_portal import sql
from ims_portal.rules import actions, documents, gstr2b, gstr3b
from ims_portal.rules.gstr2b import Measure
from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices.standing import recipients_month_sql, time_barred

MONTH = "coalesce(r.gstr2b_month, r.earliest_month)"
"""The number that governs a record's rules: its GSTR-2B month; while it is only saved the earliest it can have."""

SIGN_OF = "(CASE WHEN {0} < 0 THEN '-' WHEN {0} > 0 THEN '+' ELSE '0' END)"


def refresh(record_ids: Collection[int], *, recipient_id: int | None = None) -> None:
    """Work out what a record's chain makes of it: baseline, effect, kind, whether it must wait or bypasses (R2.14).

    The baseline is the tax of the nearest earlier version settled as accepted; one shown as not available counts
    only for a version that is itself not available. Settled records keep what they were settled with. `recipient_id`
    is told where all are one recipient's.
    """
    names = ", ".join(f"r.{name}" for name in OF_CHAIN)
    told = ", ".join(f"d.{name}" for name in OF_CHAIN)
    run(
        f"""
        UPDATE invoices_record r SET {", ".join(f"{name} = d.{name}" for name in OF_CHAIN)}
        FROM ({of_chain("invoices_record")}
            WHERE {_of(recipient_id)} AND r.id = ANY(%(ids)s) AND r.settled_month IS NULL AND r.status <> 'W') d
        WHERE {_of(recipient_id)} AND r.id = d.id AND ({names}) IS DISTINCT FROM ({told})
    """,
        {"ids": list(record_ids), "recipient": recipient_id},
    )


OF_CHAIN = (
    *("has_baseline", "original_is_open", "reduces", "kind", "is_pos_ineligible", "bypass", "unavailable"),
    *(f"effect_{head}" for head in HEADS),
)
"""The columns of a record that follow from its chain."""


_ORIGINAL = """SELECT v.* FROM invoices_record v
                WHERE r.original_id IS NOT NULL AND v.recipient_id = r.recipient_id AND v.id = r.original_id LIMIT 1"""
"""The version a record `r` amends. The limit keeps it a look-up of its own, which a document that amends none never
makes: joined, a planner that counted the table when it was small reads all that is being added for each that is added.
"""


def of_chain(source: str) -> str:
    """Return the SELECT of id and OF_CHAIN of records `r`, which `source`, a table or a SELECT in brackets, stands for.

    It has its FROM, and no WHERE yet.
    """
    effect = _effect("b")
    change = SIGN_OF.format(
        "(r.igst + r.cgst + r.sgst + r.cess - coalesce(b.igst + b.cgst + b.sgst + b.cess, "
        "o.igst + o.cgst + o.sgst + o.cess, 0))"
    )
    alike = "(u.is_pos_ineligible OR u.is_time_barred OR r.is_ineligible)"
    of_record = {"section": "r.section", "boe_change": "r.boe_change"}
    sets = {
        "has_baseline": "b.id IS NOT NULL",
        "original_is_open": "(o.id IS NOT NULL AND o.settled_month IS NULL AND o.superseded_by_id IS NULL)",
        "reduces": sql.dated_case(
            actions.REDUCES, of_record | {"effect": SIGN_OF.format(f"({' + '.join(effect.values())})")}, day=MONTH
        ),
        "kind": sql.dated_case(
            actions.KINDS, of_record | {"has_baseline": "b.id IS NOT NULL", "change": change}, day=MONTH
        ),
        "is_pos_ineligible": "u.is_pos_ineligible",
        **_place_once_filed(),
        **{f"effect_{head}": expression for head, expression in effect.items()},
    }
    return f"""
            SELECT r.id, {", ".join(f"{sets[name]} AS {name}" for name in OF_CHAIN)}
            FROM {source} r
            JOIN ims_portal_taxpayer rc ON rc.id = r.recipient_id
            LEFT JOIN ims_portal_taxpayer sp ON sp.id = r.supplier_id
            LEFT JOIN LATERAL ({_ORIGINAL}) o ON true
            LEFT JOIN LATERAL ({_baseline("false")}) a ON true
            CROSS JOIN LATERAL ({_why_not_available()}) u
            LEFT JOIN LATERAL ({_baseline(alike)}) b ON true"""


def _effect(baseline: str) -> dict[str, str]:
    """Return, per head, the SQL of a record's effect against an accepted version of its chain (R2.14)."""
    return {
        head: gstr2b.EFFECT.sql.format(
            section="r.section", boe_change="r.boe_change", tax=f"r.{head}", baseline=f"coalesce({baseline}.{head}, 0)"
        )
        for head in HEADS
    }


def _baseline(is_itself_unavailable: str) -> str:
    """Return the SELECT of the version `v` a record `r` is compared with: the nearest earlier one that counts (R2.14).

    `is_itself_unavailable` is SQL: whether the credit of `r` is not available.
    """
    counts = sql.dated_case(
        gstr2b.BASELINE,
        {
            "was_accepted": "v.settled_as = 'A'",
            "was_available": "v.unavailable = ''",
            "is_itself_unavailable": is_itself_unavailable,
        },
        day=MONTH,
    )
    return f"""SELECT v.* FROM invoices_record v
                WHERE r.chain_no > 1 AND v.recipient_id = r.recipient_id AND v.chain = r.chain
                  AND v.chain_no < r.chain_no AND v.settled_month IS NOT NULL AND {counts}
                ORDER BY v.chain_no DESC LIMIT 1"""


def _why_not_available() -> str:
    """Return the SELECT of what makes credit not available (R1.6, R7.9).

    The time limit bars what adds to the credit that was available, `a`: judged by what is shown as not available, a
    version would count against credit nobody ever had.
    """
    ineligible = documents.POS_INELIGIBLE_SQL.format(
        supplier_state="coalesce(left(sp.gstin, 2), '')", pos="r.pos", recipient_state="left(rc.gstin, 2)"
    )
    barred = time_barred(
        "r", adds_itc=f"({' + '.join(_effect('a').values())} > 0)", month="coalesce(r.gstr2b_month, 0)"
    )
    return f"""SELECT ({ineligible} AND r.supplier_id IS NOT NULL) AS is_pos_ineligible,
                    {barred} AS is_time_barred"""


def _place_once_filed() -> dict[str, str]:
    """Return the SQL of whether a filed record bypasses IMS and why its credit is not available (R1.5, R1.6).

    Both follow the chain until the record is settled: while its original is open, a reduction looks like new credit.
    What an ISD calls ineligible stays so, whatever else holds of it (formats 10.2).
    """
    facts = {"is_pos_ineligible": "u.is_pos_ineligible", "is_time_barred": "u.is_time_barred"}
    of_recipient = {"recipient_has_ims": gstr2b.has_ims_sql("rc.gstin", is_isd="rc.kind = 'isd'")}
    bypass = sql.dated_case(
        gstr2b.BYPASS,
        {"section": "r.section", "is_reverse_charge": "r.reverse_charge", **of_recipient, **facts},
        day="r.gstr2b_month",
    )
    unavailable = sql.dated_case(
        gstr2b.UNAVAILABLE, {"is_marked_ineligible": "r.is_ineligible", **facts}, day="r.gstr2b_month"
    )
    return {
        "bypass": f"(CASE WHEN r.status = 'F' THEN {bypass} ELSE r.bypass END)",
        "unavailable": f"(CASE WHEN r.status = 'F' THEN {unavailable} ELSE r.unavailable END)",
    }


def successors(record_ids: Collection[int], *, recipient_id: int | None = None) -> list[int]:
    """Return the ids of later live versions of the same documents; of one recipient's, where it is told."""
    rows = run(
        f"""
        SELECT later.id FROM invoices_record r
        JOIN invoices_record later ON later.recipient_id = r.recipient_id AND later.chain = r.chain
            AND later.chain_no > r.chain_no AND later.status <> 'W' AND later.settled_month IS NULL
        WHERE {_of(recipient_id)} AND r.id = ANY(%(ids)s)
    """,
        {"ids": list(record_ids), "recipient": recipient_id},
    )
    return [int(str(pk)) for (pk,) in rows]


def _of(recipient_id: int | None) -> str:
    """Return the condition that keeps records `r` to one recipient, so that they are looked for in its shard alone."""
    return "TRUE" if recipient_id is None else "r.recipient_id = %(recipient)s"


def mark_filed(
    *, return_id: int, day: date, window_month: int, record_ids: Collection[int] | None = None
) -> dict[int, int]:
    """File what is saved of a return, all or some: its GSTR-2B period becomes final (R7.2), in its recipient's periods.

    Returns record id -> recipient id of what was filed now; what was filed before is left alone.
    `filed_seq` is the recipient's counter before `bump`: every statement of a higher one was computed after the filing.
    """
    rows = run(
        f"""
        UPDATE invoices_record r SET status = 'F', filed_on = %(day)s, filed_seq = i.seq,
            gstr2b_month = {recipients_month_sql("r.recipient_id", "w.month")}
        FROM (SELECT %(month)s AS month) w, invoices_inbox i
        WHERE i.taxpayer_id = r.recipient_id AND r.supplier_return_id = %(return_id)s AND r.status = 'S'
          AND (%(ids)s::bigint[] IS NULL OR r.id = ANY(%(ids)s)) RETURNING r.id, r.recipient_id
    """,
        {
            "return_id": return_id,
            "day": day,
            "month": window_month,
            "ids": None if record_ids is None else list(record_ids),
        },
    )
    return {int(str(pk)): int(str(recipient)) for pk, recipient in rows}


def held(return_id: int) -> list[int]:
    """Return what a filed return holds: how many documents, taxable value, tax by head, in paise.

    Saved ones count: they are on their way to their recipients (`delivery`).
    """
    rows = run(
        f"""
        SELECT count(*), {", ".join(f"coalesce(sum(r.{head}), 0)" for head in ("taxable", *HEADS))}
        FROM invoices_record r WHERE r.supplier_return_id = %(return_id)s AND r.status <> 'W'
    """,
        {"return_id": return_id},
    )
    return [int(str(amount)) for amount in rows[0]]


def iff_value(return_id: int) -> int:
    """Return what the documents of an IFF come to in paise, as its limit counts them (R8.12)."""
    counts = sql.dated_case(gstr3b.IN_IFF_LIMIT, {"section": "r.section"}, day="r.return_month")
    rows = run(
        f"""
        SELECT coalesce(sum(r.value), 0) FROM invoices_record r
        WHERE r.supplier_return_id = %(return_id)s AND r.status <> 'W' AND {counts}
    """,
        {"return_id": return_id},
    )
    return int(str(rows[0][0]))


def supersede(*, recipient_ids: Collection[int]) -> list[int]:
    """Let filed amendments replace versions that were never settled (R2.5, R2.7); return the ids replaced.

    In the same GSTR-2B period at once; in different ones as soon as the recipient's open period reaches the
    amendment's.
    """
    replaces = sql.dated_case(
        gstr2b.SUPERSEDES,
        {
            "is_same_period": "m.gstr2b_month = o.gstr2b_month",
            "open_period_has_come": "i.open_month >= m.gstr2b_month",
        },
        day="m.gstr2b_month",
    )
    rows = run(
        f"""
        UPDATE invoices_record o SET superseded_by_id = m.id
        FROM invoices_record m JOIN invoices_inbox i ON i.taxpayer_id = m.recipient_id
        WHERE m.recipient_id = ANY(%(ids)s) AND m.original_id IS NOT NULL AND m.original_id = o.id
          AND m.recipient_id = o.recipient_id
          AND m.status = 'F' AND o.status = 'F' AND o.settled_month IS NULL AND o.superseded_by_id IS NULL
          AND {replaces}
        RETURNING o.id
    """,
        {"ids": list(recipient_ids)},
    )
    return [int(str(pk)) for (pk,) in rows]


def close(recipient_id: int) -> None:
    """Mark superseded records of which a later version is settled: no list shows them any more (R2.5)."""
    run(
        """
        UPDATE invoices_record o SET is_closed = true
        WHERE o.recipient_id = %(recipient)s AND o.superseded_by_id IS NOT NULL AND NOT o.is_closed
          AND EXISTS (SELECT 1 FROM invoices_record later WHERE later.recipient_id = o.recipient_id
              AND later.chain = o.chain AND later.chain_no > o.chain_no AND later.settled_month IS NOT NULL)
        """,
        {"recipient": recipient_id},
    )


def charge(record_ids: Collection[int]) -> None:
    """Put each filed version's change of liability into its return (R6.12): its liability less the standing value.

    Standing is what earlier versions charged plus what rejections added back. Where the law charges no tax the
    taxable value is kept all the same, for a supplier's own documents.
    """
    of_form = {"section": "r.section"}
    charges = sql.dated_case(gstr3b.CHARGES, of_form | {"is_reverse_charge": "r.reverse_charge"}, day="r.own_month")
    is_outward = sql.dated_case(gstr3b.CHARGES, of_form | {"is_reverse_charge": "false"}, day="r.own_month")
    added_back = f"v.settled_as = 'R' AND {adds_back('v')}"
    heads = ("taxable", *HEADS)
    sign = gstr2b.SIGN.sql.format(section="r.section")
    standing_sums = ", ".join(
        f"coalesce(sum(v.charged_{head}), 0)"
        + (
            f" + coalesce(sum(CASE WHEN {added_back} THEN {gstr2b.CAP.sql.format(effect=f'v.effect_{head}')} END), 0)"
            if head != "taxable"
            else ""
        )
        + f" AS {head}"
        for head in heads
    )
    sets = ", ".join(
        f"charged_{head} = (CASE WHEN {'true' if head == 'taxable' else charges} THEN {sign} * r.{head} ELSE 0 END) "
        f"- d.{head}"
        for head in heads
    )
    run(
        f"""
        UPDATE invoices_record r SET {sets} FROM (
            SELECT n.id, s.* FROM invoices_record n CROSS JOIN LATERAL (
                SELECT {standing_sums} FROM invoices_record v WHERE v.recipient_id = n.recipient_id
                  AND v.chain = n.chain AND v.chain_no < n.chain_no AND v.status = 'F') s
            WHERE n.id = ANY(%(ids)s)) d
        WHERE r.id = d.id AND r.supplier_id IS NOT NULL AND {is_outward}
    """,
        {"ids": list(record_ids)},
    )


def adds_back(alias: str) -> str:
    """Return whether a record's settled rejection raises its supplier's liability, as SQL over a record (R6.3)."""
    return sql.dated_case(
        gstr3b.ADDS_BACK,
        {"reduces": f"{alias}.reduces"},
        day=f"coalesce({alias}.gstr2b_month, {alias}.earliest_month)",
    )


def counted(head: str, answer: str) -> str:
    """Return what a record `r`, accepted with an answer, does to the ITC of a head, in paise, as SQL (R2.14)."""
    return sql.dated_case(
        gstr2b.COUNTED,
        {"adds": f"r.effect_{head} >= 0", "answer": answer},
        day="r.gstr2b_month",
        outcomes={
            Measure.EFFECT: f"r.effect_{head}",
            Measure.DECLARED: f"-r.declared_{head}",
            Measure.NOTHING: "0",
        },
    )


def bump(*, record_ids: Collection[int]) -> list[int]:
    """Count a change for the recipients of filed records in scope of their open period (R7.11); return them.

    The recipients are found first, by the records' keys: joined with all inboxes at once, a planner that knows nothing
    yet of records just put in goes through them once per inbox.
    """
    rows = run(
        """
        WITH touched AS MATERIALIZED (
            SELECT r.recipient_id, min(r.gstr2b_month) AS earliest
            FROM unnest(%(ids)s::bigint[]) AS t(id) JOIN invoices_record r ON r.id = t.id
            WHERE r.status = 'F' GROUP BY r.recipient_id)
        UPDATE invoices_inbox i SET seq = i.seq + 1 FROM touched t
        WHERE i.taxpayer_id = t.recipient_id AND t.earliest <= i.open_month
        RETURNING i.taxpayer_id
    """,
        {"ids": list(record_ids)},
    )
    return [int(str(pk)) for (pk,) in rows]
