"""Why a record counts as it does: the rules in the order in which they decide, from the facts of one record.

The same steps explain a record as it stands today and a line as a statement counted it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ims_portal import sql
from ims_portal.rules import actions, gstr2b
from ims_portal.rules.actions import Action
from ims_portal.rules.gstr2b import Placement
from ims_portal.rules.money import HEADS
from ims_portal.rules.table import Fact
from ims_portal.rules.why import Step, explain
from invoices import standing
from invoices.models import Record
from invoices.standing import Standing

BY_RECORD = (gstr2b.BYPASS, gstr2b.UNAVAILABLE, gstr2b.COUNTED, actions.EFFECTIVE_ACTION, actions.SPECIFIED)
"""The rules governed by the record's own GSTR-2B period, not by the statement's."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules of a line are asked about one record; `month` is its GSTR-2B month or a month alike in law."""

    month: int
    section: str
    is_reverse_charge: bool
    is_pos_ineligible: bool
    bypass: str
    unavailable: str
    action: str
    reduces: bool
    pending_lapsed: bool
    effective: str
    answer: str
    is_barred: bool
    adds: bool

    @classmethod
    def read(cls, trace: str) -> Facts:
        """Return the facts a trace holds (`trace` writes them)."""
        month, section, charge, pos, bypass, unavailable, action, reduces, lapsed, effective, answer, barred, adds = (
            trace.split("|")
        )
        return cls(
            month=int(month),
            section=section,
            is_reverse_charge=charge == "1",
            is_pos_ineligible=pos == "1",
            bypass=bypass,
            unavailable=unavailable,
            action=action,
            reduces=reduces == "1",
            pending_lapsed=lapsed == "1",
            effective=effective,
            answer=answer,
            is_barred=barred == "1",
            adds=adds == "1",
        )


def trace(columns: Mapping[str, str]) -> str:
    """Return the SQL of the facts of a record `r` as one text, equal for records decided alike.

    `columns` are those of `Standing.columns` with bypass, unavailable, action (as it counts), answer and is_barred.
    """
    effect = " + ".join(f"r.effect_{head}" for head in HEADS)
    parts = (
        sql.version_in_force(BY_RECORD, day="r.gstr2b_month"),
        "r.section",
        "r.reverse_charge::int",
        "r.is_pos_ineligible::int",
        columns["bypass"],
        columns["unavailable"],
        "r.action",
        "r.reduces::int",
        f"({columns['pending_lapsed']})::int",
        columns["effective"],
        columns["answer"],
        f"({columns['is_barred']})::int",
        f"({effect} >= 0)::int",
    )
    return f"concat_ws('|', {', '.join(parts)})"


def facts(record: Record, today: Standing, month: int) -> Facts:
    """Return the facts of a record as it stands today, for a statement of a month."""
    effective = today.effective_action(record)
    return Facts(
        month=today.gstr2b_period(record).month,
        section=record.section,
        is_reverse_charge=record.reverse_charge,
        is_pos_ineligible=record.is_pos_ineligible,
        bypass=today.bypass(record),
        unavailable=record.unavailable,
        action=record.action,
        reduces=record.reduces,
        pending_lapsed=today.pending_lapsed(record),
        effective=effective,
        answer=record.answer if effective is Action.ACCEPT else "",
        is_barred=standing.is_time_barred(record, month),
        adds=record.effect.total >= 0,
    )


def of_record(record: Record, today: Standing, month: int) -> list[Step]:
    """Return why a record is what it is and counts as it would in the statement of a month, were it computed today."""
    changed = record.tax.total - (record.original.tax.total if record.original else 0)
    if record.has_baseline:
        changed = gstr2b.SIGN.python(record.section) * record.effect.total
    kind = explain(
        actions.KINDS,
        today.gstr2b_period(record).month,
        section=record.section,
        boe_change=record.boe_change,
        has_baseline=record.has_baseline,
        change=actions.sign(changed),
    )
    return [kind, *steps(month, facts(record, today, month))]


def steps(month: int, known: Facts) -> list[Step]:
    """Return why a record counts as it does in the statement of a month, in the order in which the rules decide."""
    found = [
        explain(
            gstr2b.BYPASS,
            known.month,
            section=known.section,
            recipient_has_ims=known.bypass != gstr2b.Bypass.NO_IMS,
            is_reverse_charge=known.is_reverse_charge,
            is_pos_ineligible=known.is_pos_ineligible,
            is_time_barred=known.unavailable == gstr2b.Unavailable.TIME_BARRED,
        )
    ]
    found += _of_bypass(known) if known.bypass else _of_choice(known)
    placed: dict[str, Fact] = {
        "bypass": known.bypass,
        "unavailable": known.unavailable,
        "action": known.effective,
        "is_barred": known.is_barred,
    }
    found.append(explain(gstr2b.PLACEMENT, month, **placed))
    placement = gstr2b.PLACEMENT.decide(month, **placed).outcome
    if placement is Placement.AVAILABLE and not known.bypass:
        found.append(explain(gstr2b.COUNTED, known.month, adds=known.adds, answer=known.answer))
    return found + _where(month, placement, known)


def _of_bypass(known: Facts) -> list[Step]:
    if not known.unavailable:
        return []
    is_barred = known.unavailable == gstr2b.Unavailable.TIME_BARRED
    return [
        explain(
            gstr2b.UNAVAILABLE,
            known.month,
            is_marked_ineligible=known.unavailable == gstr2b.Unavailable.INELIGIBLE,
            is_pos_ineligible=known.is_pos_ineligible,
            is_time_barred=is_barred,
        )
    ]


def _of_choice(known: Facts) -> list[Step]:
    lapses = {"reduces": known.reduces, "pending_lapsed": known.pending_lapsed}
    found = [explain(actions.EFFECTIVE_ACTION, known.month, action=known.action, **lapses)]
    if known.reduces:
        found.append(explain(actions.SPECIFIED, known.month, reduces=True))
    return found


def _where(month: int, placement: Placement, known: Facts) -> list[Step]:
    if placement is Placement.NOWHERE:
        return []
    of_part: dict[str, Fact] = {"section": known.section, "is_reverse_charge": known.is_reverse_charge}
    part = gstr2b.PART.decide(month, **of_part).outcome
    found = [
        explain(gstr2b.PART, month, **of_part),
        explain(gstr2b.CELL, month, placement=placement, part=part),
    ]
    if gstr2b.OWN_LIABILITY.decide(month, placement=placement, part=part).outcome:
        found.append(explain(gstr2b.OWN_LIABILITY, month, placement=placement, part=part))
    return found
