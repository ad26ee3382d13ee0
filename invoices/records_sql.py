"""Stored records as sets: what a chain makes of a version, filing, superseding, and what a supplier is charged.

One statement per function.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from ims_portal import sql
from ims_portal.rules import actions, documents, gstr2b
from ims_portal.rules.documents import Section
from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices import standing

TIMED = ", ".join(
    sql.literal(s) for s in (Section.B2B, Section.B2BA, Section.DN, Section.DNA, Section.ECO, Section.ECOA)
)


def refresh(record_ids: Collection[int]) -> None:
    """Work out what a record's chain makes of it: baseline, effect, direction, kind, whether it must wait (R2.14).

    The baseline is the tax of the nearest earlier version settled as accepted; one shown as not available counts
    only for a version that is itself not available. Settled records keep what they were settled with.
    """
    effect = {
        head: gstr2b.EFFECT.sql.format(
            section="r.section", boe_change="r.boe_change", tax=f"r.{head}", baseline=f"coalesce(b.{head}, 0)"
        )
        for head in HEADS
    }
    total = " + ".join(f"({expression})" for expression in effect.values())
    sign = "(CASE WHEN {0} < 0 THEN '-' WHEN {0} > 0 THEN '+' ELSE '0' END)"
    change = sign.format(
        "(r.igst + r.cgst + r.sgst + r.cess - coalesce(b.igst + b.cgst + b.sgst + b.cess, "
        "o.igst + o.cgst + o.sgst + o.cess, 0))"
    )
    reduces = sql.case(
        actions.REDUCES, {"section": "r.section", "boe_change": "r.boe_change", "effect": sign.format(f"({total})")}
    )
    kind = sql.case(
        actions.KINDS,
        {"section": "r.section", "boe_change": "r.boe_change", "has_baseline": "b.id IS NOT NULL", "change": change},
    )
    past_limit = gstr2b.TIME_LIMIT.sql.format(period="coalesce(r.gstr2b_month, 0)", credit_fy="r.credit_fy")
    ineligible = documents.POS_INELIGIBLE_SQL.format(
        supplier_state="coalesce(left(sp.gstin, 2), '')", pos="r.pos", recipient_state="left(rc.gstin, 2)"
    )
    run(
        f"""
        UPDATE invoices_record r SET
            has_baseline = d.has_baseline, original_is_open = d.original_is_open, reduces = d.reduces, kind = d.kind,
            is_pos_ineligible = d.is_pos_ineligible, effect_igst = d.e_igst, effect_cgst = d.e_cgst,
            effect_sgst = d.e_sgst, effect_cess = d.e_cess
        FROM (
            SELECT r.id, b.id IS NOT NULL AS has_baseline,
                (o.id IS NOT NULL AND o.settled_month IS NULL AND o.superseded_by_id IS NULL) AS original_is_open,
                {reduces} AS reduces, {kind} AS kind, ({ineligible} AND r.supplier_id IS NOT NULL)
                    AS is_pos_ineligible,
                {", ".join(f"{expression} AS e_{head}" for head, expression in effect.items())}
            FROM invoices_record r
            JOIN ims_portal_taxpayer rc ON rc.id = r.recipient_id
            LEFT JOIN ims_portal_taxpayer sp ON sp.id = r.supplier_id
            LEFT JOIN invoices_record o ON o.id = r.original_id
            LEFT JOIN LATERAL (
                SELECT v.* FROM invoices_record v
                WHERE v.recipient_id = r.recipient_id AND v.chain = r.chain AND v.chain_no < r.chain_no
                  AND v.settled_as = 'A'
                  AND (v.unavailable = '' OR {ineligible} OR ({past_limit} AND r.section IN ({TIMED})))
                ORDER BY v.chain_no DESC LIMIT 1) b ON true
            WHERE r.id = ANY(%(ids)s) AND r.settled_month IS NULL AND r.status <> 'W') d
        WHERE r.id = d.id AND (r.has_baseline, r.original_is_open, r.reduces, r.kind, r.is_pos_ineligible,
                r.effect_igst, r.effect_cgst, r.effect_sgst, r.effect_cess)
            IS DISTINCT FROM (d.has_baseline, d.original_is_open, d.reduces, d.kind, d.is_pos_ineligible,
                d.e_igst, d.e_cgst, d.e_sgst, d.e_cess)
    """,
        {"ids": list(record_ids)},
    )


def successors(record_ids: Collection[int]) -> list[int]:
    """Return the ids of later live versions of the same documents."""
    rows = run(
        """
        SELECT later.id FROM invoices_record r
        JOIN invoices_record later ON later.recipient_id = r.recipient_id AND later.chain = r.chain
            AND later.chain_no > r.chain_no AND later.status <> 'W' AND later.settled_month IS NULL
        WHERE r.id = ANY(%(ids)s)
    """,
        {"ids": list(record_ids)},
    )
    return [int(str(pk)) for (pk,) in rows]


def mark_filed(*, return_id: int, day: date, window_month: int) -> list[int]:
    """File every saved record of a return: its GSTR-2B period becomes final (R7.2), in its recipient's periods."""
    rows = run(
        """
        UPDATE invoices_record r SET status = 'F', filed_on = %(day)s,
            gstr2b_month = CASE WHEN coalesce((SELECT f.frequency FROM ims_portal_filingfrequency f
                WHERE f.taxpayer_id = r.recipient_id AND f.from_month <= w.month
                ORDER BY f.from_month DESC LIMIT 1), 'M') = 'Q'
                THEN w.month + mod(3 - mod(mod(w.month, 100), 3), 3) ELSE w.month END
        FROM (SELECT %(month)s AS month) w
        WHERE r.supplier_return_id = %(return_id)s AND r.status = 'S' RETURNING r.id
    """,
        {"return_id": return_id, "day": day, "month": window_month},
    )
    return [int(str(pk)) for (pk,) in rows]


def supersede(*, recipient_ids: Collection[int]) -> list[int]:
    """Let filed amendments replace versions that were never settled (R2.5, R2.7); return the ids replaced.

    In the same GSTR-2B period at once; in different ones as soon as the recipient's open period reaches the
    amendment's.
    """
    rows = run(
        """
        UPDATE invoices_record o SET superseded_by_id = m.id
        FROM invoices_record m JOIN invoices_inbox i ON i.taxpayer_id = m.recipient_id
        WHERE m.recipient_id = ANY(%(ids)s) AND m.original_id IS NOT NULL AND m.original_id = o.id
          AND m.recipient_id = o.recipient_id
          AND m.status = 'F' AND o.status = 'F' AND o.settled_month IS NULL AND o.superseded_by_id IS NULL
          AND (m.gstr2b_month = o.gstr2b_month OR i.open_month >= m.gstr2b_month)
        RETURNING o.id
    """,
        {"ids": list(recipient_ids)},
    )
    return [int(str(pk)) for (pk,) in rows]


def place_filed(record_ids: Collection[int]) -> None:
    """Say of records just filed whether they bypass IMS, and whether their credit is available (R1.5, R1.6)."""
    barred = standing.time_barred_sql("r", "r.gstr2b_month")
    bypass = sql.dated_case(
        gstr2b.BYPASS,
        {
            "section": "r.section",
            "is_reverse_charge": "r.reverse_charge",
            "is_pos_ineligible": "r.is_pos_ineligible",
            "is_time_barred": barred,
        },
        day="r.gstr2b_month",
    )
    unavailable = sql.case(gstr2b.UNAVAILABLE, {"is_pos_ineligible": "r.is_pos_ineligible", "is_time_barred": barred})
    run(
        f"""
        UPDATE invoices_record r SET bypass = {bypass}, unavailable = {unavailable}
        WHERE r.id = ANY(%(ids)s) AND (r.bypass, r.unavailable) IS DISTINCT FROM ({bypass}, {unavailable})
        """,
        {"ids": list(record_ids)},
    )


def charge(record_ids: Collection[int]) -> None:
    """Put each filed version's change of liability into its return (R6.12): its liability less the standing value.

    Standing is what earlier versions charged plus what rejections added back. Reverse-charge supplies carry no tax
    for the supplier, bills of entry none at all.
    """
    heads = ("taxable", *HEADS)
    sign = gstr2b.SIGN.sql.format(section="r.section")
    standing_sums = ", ".join(
        f"coalesce(sum(v.charged_{head}), 0)"
        + (
            f" + coalesce(sum(CASE WHEN v.settled_as = 'R' AND v.reduces THEN greatest(0, -v.effect_{head}) END), 0)"
            if head != "taxable"
            else ""
        )
        + f" AS {head}"
        for head in heads
    )
    sets = ", ".join(
        f"charged_{head} = (CASE WHEN r.reverse_charge AND '{head}' <> 'taxable' THEN 0 ELSE {sign} * r.{head} END) "
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
        WHERE r.id = d.id AND r.supplier_id IS NOT NULL AND r.section NOT IN ('isd', 'isdcn', 'r37a')
          AND r.section NOT LIKE 'impg%%'
    """,
        {"ids": list(record_ids)},
    )


def bump(*, record_ids: Collection[int]) -> list[int]:
    """Count a change for the recipients of filed records in scope of their open period (R7.11); return them."""
    rows = run(
        """
        UPDATE invoices_inbox i SET seq = i.seq + 1
        WHERE i.taxpayer_id IN (SELECT r.recipient_id FROM invoices_record r JOIN invoices_inbox o
            ON o.taxpayer_id = r.recipient_id WHERE r.id = ANY(%(ids)s) AND r.status = 'F'
            AND r.gstr2b_month <= o.open_month)
        RETURNING i.taxpayer_id
    """,
        {"ids": list(record_ids)},
    )
    return [int(str(pk)) for (pk,) in rows]
