"""Charts of statements: what became of the ITC of six periods (C1), and what made one version another (C4)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from ims_portal import charts
from ims_portal.access import Access
from ims_portal.charts import Bar, Figure, Kind, Row, Step
from ims_portal.rules.actions import Action
from ims_portal.rules.gstr2b import PARTS_B, Placement, Status
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices.models import ActionEvent
from invoices.wording import ACTIONS
from returns import statement_sums, summary
from returns.lines import Comparison, Difference
from returns.models import Gstr2b
from returns.statement_sums import PENDING

STATES = (
    (Status.ACCEPTED.value, Kind.ACCEPTED),
    (Status.DEEMED_ACCEPTED.value, Kind.NONE),
    (PENDING, Kind.PENDING),
    (Status.REJECTED.value, Kind.REJECTED),
)
"""What is stacked, in its order."""
TAKEN = (Kind.ACCEPTED, Kind.NONE)
"""What of it is in GSTR-2B as credit."""
MOST_CAUSES = 6


def itc_by_status(held: Access, at: datetime) -> Figure | None:
    """Return chart C1 of the latest periods: one query at most; None for a taxpayer without any statement.

    Statements of before sums by status were kept have no bar, which a note says.
    """
    own = summary.latest_periods(held, at)
    kept = {month: statement.by_status for month, statement in summary.latest(held, at).items()}
    if not any(kept.values()):
        return None
    name = _("ITC by what became of it")
    words = {Kind.ACCEPTED: _("Accepted"), Kind.NONE: _("No action"), Kind.PENDING: _("Pending")}
    words[Kind.REJECTED] = _("Rejected")
    drawn, rows = [], []
    for period in own:
        sums = [(kind, kept.get(period.month, {}).get(status, [0, 0])[1]) for status, kind in STATES]
        total = sum(amount for kind, amount in sums if kind in TAKEN)
        has_bar = bool(kept.get(period.month))
        drawn.append(Bar(period.label, show.inr(total) if has_bar else _("no statement"), tuple(sums)))
        url = reverse("returns:gstr2b", args=[held.taxpayer.gstin, period.wire]) if period.month in kept else ""
        cells = tuple(show.inr(amount) if has_bar else "" for amount in (*(one for _kind, one in sums), total))
        rows.append(Row(period.label, cells, url))
    finding = _finding(own, kept)
    legend = [(kind, words[kind]) for _status, kind in STATES]
    return Figure(
        "c1",
        name,
        finding,
        charts.bars("c1", name, finding, drawn, legend),
        (_("Period"), *(word for _kind, word in legend), _("ITC taken")),
        tuple(rows),
        _note(own, kept),
    )


def _finding(own: list[TaxPeriod], kept: dict[int, dict[str, list[int]]]) -> str:
    latest = next(period for period in own if kept.get(period.month))
    sums = kept[latest.month]
    names = {
        "period": latest.label,
        "none": show.inr(sums[Status.DEEMED_ACCEPTED.value][1]),
        "accepted": show.inr(sums[Status.ACCEPTED.value][1]),
        "rejected": show.inr(sums[Status.REJECTED.value][1]),
        "pending": show.inr(sums[PENDING][1]),
    }
    return (
        _(
            "In %(period)s you accepted %(accepted)s and %(none)s counts as accepted without action; %(rejected)s is "
            "rejected, %(pending)s pending."
        )
        % names
    )


def _note(own: list[TaxPeriod], kept: dict[int, dict[str, list[int]]]) -> str:
    missing = [period.label for period in own if not kept.get(period.month)]
    if not missing:
        return ""
    return _("No sums by status are kept for: %(periods)s.") % {"periods": ", ".join(missing)}


def by_cause(comparison: Comparison) -> Figure | None:
    """Return chart C4, how net ITC went from one version to the other, cause by cause; None where nothing changed.

    Beyond the records a comparison lists, the rest is one step of its own, so that both ends are always reached.
    """
    before, after = _net_itc(comparison.older), _net_itc(comparison.newer)
    causes: dict[str, tuple[int, int]] = {}
    for line in comparison.records:
        count, amount = causes.get(_cause(line), (0, 0))
        causes[_cause(line)] = (count + 1, amount + line.difference.total)
    ranked = sorted(causes.items(), key=lambda found: (-abs(found[1][1]), found[0]))
    steps = [(cause, count, amount) for cause, (count, amount) in ranked[:MOST_CAUSES]]
    if left := comparison.count - sum(count for _name, count, _amount in steps):
        other = after - before - sum(amount for _name, _count, amount in steps)
        steps.append((_("all other records"), left, other))
    return _waterfall(comparison, before, after, steps) if steps else None


def _cause(line: Difference) -> str:
    """Return what changed a record, in a few words: what was chosen, or what else happened to it."""
    if line.event is not None and line.event.cause == ActionEvent.Cause.CHOSEN:
        return _("chosen: %(action)s") % {"action": ACTIONS[Action(line.event.action)]}
    return line.cause


def _net_itc(statement: Gstr2b) -> int:
    """Return net ITC of a statement in paise: what is available less what is reversed, as its lines are told."""
    total = 0
    for (placement, part), tax in statement_sums.by_part(statement).items():
        if placement is Placement.AVAILABLE:
            total += -tax.total if part in PARTS_B else tax.total
        elif placement is Placement.REVERSAL:
            total -= tax.total
    return total


def _waterfall(comparison: Comparison, before: int, after: int, steps: list[tuple[str, int, int]]) -> Figure:
    ends = [_("Version %(version)s") % {"version": one.version} for one in (comparison.older, comparison.newer)]
    drawn = [
        Step(ends[0], show.inr(before), before, is_total=True),
        *(Step(cause, _signed(amount), amount) for cause, _count, amount in steps),
        Step(ends[1], show.inr(after), after, is_total=True),
    ]
    most = max(steps, key=lambda step: abs(step[2]))
    names = {
        "older": comparison.older.version,
        "newer": comparison.newer.version,
        "change": _signed(after - before),
        "most": _signed(most[2]),
        "cause": most[0],
    }
    finding = (
        _(
            "Net ITC changes by %(change)s from version %(older)s to version %(newer)s. The largest cause, %(most)s: "
            "%(cause)s."
        )
        % names
    )
    name = _("Net ITC by cause of change")
    rows = [
        Row(ends[0], ("", show.inr(before))),
        *(Row(cause, (show.count(count), _signed(amount))) for cause, count, amount in steps),
        Row(ends[1], ("", show.inr(after))),
    ]
    note = _("The bars do not begin at zero, so that the changes can be seen.") if charts.is_cut(drawn) else ""
    return Figure(
        "c4",
        name,
        finding,
        charts.waterfall("c4", name, finding, drawn),
        (_("Cause"), _("Records"), _("Net ITC")),
        tuple(rows),
        note,
    )


def _signed(paise: int) -> str:
    return f"+{show.inr(paise)}" if paise > 0 else show.inr(paise)
