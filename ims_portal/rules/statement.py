"""A GSTR-2B told again, document by document: what a version ought to count for, from what was reported and chosen.

The application makes its lines as one set in SQL; this is the same law by `decide`, in plain Python over integer paise.
`manage.py verify --deep` lays both side by side, so nothing here may be taken from what the SQL worked out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ims_portal.rules import actions, gstr2b
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section, is_pos_ineligible
from ims_portal.rules.gstr2b import Bypass, Part, Placement, Status, Unavailable
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import Lapsed


@dataclass(frozen=True, slots=True)
class Version:
    """One filed version of a document as its supplier reported it; `month` is its GSTR-2B month, amounts are paise.

    `settled_as` is A or R where a GSTR-3B before the statement's period settled it, else empty; then
    `was_unavailable` says whether its credit was not available.
    """

    number: int
    chain_no: int
    original: int | None
    section: Section
    boe_change: str
    is_reverse_charge: bool
    is_ineligible: bool
    pos: str
    supplier_state: str
    credit_fy: int
    month: int
    taxable: int
    tax: Tax
    settled_as: str = ""
    was_unavailable: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What its recipient chose for a version last, as the history has it."""

    action: Action = Action.NONE
    answer: str = ""
    declared: Tax = NIL
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose statement of which month, and of which GSTR-2B months Pending had lapsed on its day."""

    month: int
    state: str
    has_ims: bool
    lapsed: Lapsed


@dataclass(frozen=True, slots=True)
class Line:
    """What a version counts for, as printed: Part B is positive when it reduces."""

    placement: Placement
    reason: str
    part: Part
    row: Section
    cell: str
    status: Status
    tax: Tax
    answer: str
    remark: str


@dataclass(frozen=True, slots=True)
class Counted:
    """The line of a version, None where it stays Pending; its effect on ITC, and on the value of 3.1(d), in paise."""

    line: Line | None
    effect: Tax
    liable: int


def is_superseded(version: Version, others: Iterable[Version], month: int) -> bool:
    """Whether a later version counts instead, while GSTR-3B of `month` is the first that is not filed (R2.5, R2.7)."""
    return any(
        gstr2b.SUPERSEDES.decide(
            later.month, is_same_period=later.month == version.month, open_period_has_come=month >= later.month
        ).outcome
        for later in others
        if later.original == version.number
    )


def counted(version: Version, others: Sequence[Version], choice: Choice, scope: Scope) -> Counted:
    """Return what a version of the scope counts for; `others` are the filed versions of its document (R7.6)."""
    earlier = sorted((v for v in others if v.chain_no < version.chain_no), key=lambda v: -v.chain_no)
    pos_ineligible = is_pos_ineligible(
        supplier_state=version.supplier_state, pos=version.pos, recipient_state=scope.state
    )
    # The limit bars what adds to credit that was available: with this baseline first, then with its own.
    against = _baseline(version, earlier, is_unavailable=False)
    barred = _is_barred(version, _effect(version, against), version.month)
    is_unavailable = pos_ineligible or barred or version.is_ineligible
    against = _baseline(version, earlier, is_unavailable=is_unavailable)
    effect = _effect(version, against)
    bypass = gstr2b.BYPASS.decide(
        version.month,
        section=version.section,
        recipient_has_ims=scope.has_ims,
        is_reverse_charge=version.is_reverse_charge,
        is_pos_ineligible=pos_ineligible,
        is_time_barred=barred,
    ).outcome
    unavailable = gstr2b.UNAVAILABLE.decide(
        version.month,
        is_marked_ineligible=version.is_ineligible,
        is_pos_ineligible=pos_ineligible,
        is_time_barred=barred,
    ).outcome
    line = _line(version, effect, (bypass, unavailable), choice, scope)
    is_liable = (
        line is not None and gstr2b.OWN_LIABILITY.decide(scope.month, placement=line.placement, part=line.part).outcome
    )
    return Counted(line, effect, _change(version, against) if is_liable else 0)


def _baseline(version: Version, earlier: Iterable[Version], *, is_unavailable: bool) -> Version | None:
    """Return the version a later one is compared with: the nearest earlier one that counts (R2.14)."""
    for one in earlier:
        is_one = gstr2b.BASELINE.decide(
            version.month,
            was_accepted=one.settled_as == Action.ACCEPT,
            was_available=not one.was_unavailable,
            is_itself_unavailable=is_unavailable,
        ).outcome
        if one.settled_as and is_one:
            return one
    return None


def _effect(version: Version, against: Version | None) -> Tax:
    return gstr2b.effect(version.section, version.boe_change, version.tax, against.tax if against else NIL)


def _change(version: Version, against: Version | None) -> int:
    baseline = against.taxable if against else 0
    return gstr2b.EFFECT.python(version.section, version.boe_change, version.taxable, baseline)


def _is_barred(version: Version, effect: Tax, month: int) -> bool:
    """Whether the credit of a version is time-barred in a month (R7.9)."""
    return gstr2b.TIME_BAR.decide(
        month,
        section=version.section,
        is_reverse_charge=version.is_reverse_charge,
        adds_itc=effect.total > 0,
        is_past_limit=bool(gstr2b.TIME_LIMIT.python(month, version.credit_fy)),
    ).outcome


def _action(version: Version, effect: Tax, choice: Choice, scope: Scope) -> Action:
    """Return the action as it counted on the statement's day (R3.5)."""
    reduces = actions.REDUCES.decide(
        version.month, section=version.section, boe_change=version.boe_change, effect=actions.sign(effect.total)
    ).outcome
    is_specified = actions.SPECIFIED.decide(version.month, reduces=reduces).outcome
    return actions.EFFECTIVE_ACTION.decide(
        version.month,
        action=choice.action,
        reduces=reduces,
        pending_lapsed=is_specified and scope.lapsed.holds(version.month),
    ).outcome


def _line(
    version: Version, effect: Tax, place: tuple[Bypass, Unavailable], choice: Choice, scope: Scope
) -> Line | None:
    bypass, unavailable = place
    action = _action(version, effect, choice, scope)
    placement = gstr2b.PLACEMENT.decide(
        scope.month,
        bypass=bypass,
        unavailable=unavailable,
        action=action,
        is_barred=_is_barred(version, effect, scope.month),
    ).outcome
    if placement is Placement.NOWHERE:
        return None
    part = gstr2b.PART.decide(scope.month, section=version.section, is_reverse_charge=version.is_reverse_charge).outcome
    answer = choice.answer if action is Action.ACCEPT else ""
    is_available = placement is Placement.AVAILABLE
    taken = gstr2b.counted(version.month, effect=effect, answer=answer, declared=choice.declared)
    amount = taken if is_available else effect
    barred = unavailable or Unavailable.TIME_BARRED
    return Line(
        placement=placement,
        reason=barred.value if placement is Placement.NOT_AVAILABLE else "",
        part=part,
        row=version.section,
        cell=gstr2b.CELL.decide(scope.month, placement=placement, part=part).outcome,
        status=gstr2b.STATUS.decide(scope.month, bypass=bypass, action=action).outcome,
        tax=-amount if part in gstr2b.PARTS_B else amount,
        answer=answer,
        remark=choice.remark,
    )
