"""What a batch says of itself: whom it is for, what stands against its records, how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.documents import Section
from ims_portal.templatetags import ims as show
from invoices import bulk, filters, wording
from invoices.bulk_sql import APART, LEFT, MOVED, SAME, UNANSWERED, WILL, Sums
from invoices.models import Batch

VERDICTS = {
    WILL: gettext_lazy("Will change"),
    SAME: gettext_lazy("Already so"),
    MOVED: gettext_lazy("Changed since they were shown"),
    LEFT: gettext_lazy("Left out"),
    APART: gettext_lazy("Decided one by one"),
    UNANSWERED: gettext_lazy("Needs an answer"),
    "": gettext_lazy("Not reached before it stopped"),
    Refusal.RECORD_NOT_IN_IMS.value: gettext_lazy("Not in IMS: nothing is to be decided"),
    Refusal.RECORD_FROZEN.value: gettext_lazy("Settled with a filed GSTR-3B"),
    Refusal.RECORD_SUPERSEDED.value: gettext_lazy("Replaced by a later version"),
    Refusal.AMENDMENT_NOT_FILED.value: gettext_lazy("Amendment saved by its supplier, not filed yet"),
    Refusal.ORIGINAL_NOT_SETTLED.value: gettext_lazy("Original undecided: settle it first"),
    Refusal.REJECT_NOT_ALLOWED.value: gettext_lazy("Bills of entry cannot be rejected"),
    Refusal.PENDING_BLOCKED.value: gettext_lazy("May not be kept pending"),
    Refusal.PENDING_EXPIRED.value: gettext_lazy("The last date for Pending has passed"),
}
"""Verdict -> why records are told together."""

REST = "rest"
"""Stands for what was not reached, in the address of its list."""

DONE = {
    WILL: gettext_lazy("Changed"),
    SAME: gettext_lazy("Stood so already"),
    MOVED: gettext_lazy("Changed by somebody after the preview"),
}
"""The same, once it is applied; the others read as before."""

KEPT = {
    "": gettext_lazy("Put back"),
    MOVED: gettext_lazy("Changed by somebody since: left as it is"),
    LEFT: gettext_lazy("Not reached before it stopped"),
}
"""Why undoing left records as they are."""

STOPS = {
    Batch.Stop.ASKED.value: gettext_lazy(
        "It was stopped before the end. What was done stays, the rest was left as it was."
    ),
    Batch.Stop.RIGHT_LOST.value: gettext_lazy(
        "The right to act for this GSTIN ended on the way. What was done stays, the rest was left as it was."
    ),
    Batch.Stop.FILED.value: gettext_lazy(
        "GSTR-3B was filed on the way, so the rest could not be put back. What was put back stays."
    ),
}

REFUSED = {
    "confirmed": gettext_lazy("This preview was confirmed already. Below is what came of it."),
    "foreign": gettext_lazy("Only who made a preview can confirm it. Make one of your own from the list."),
    "unanswered": gettext_lazy("Answer the question on the ITC reduction first. Nothing was changed."),
    "nothing": gettext_lazy("Nothing of this set would change, so nothing was done."),
    "late": gettext_lazy(
        "The time to undo is over. Each record can still be changed on its own until GSTR-3B is filed."
    ),
    "filed": gettext_lazy("GSTR-3B of the period is filed, so nothing can be undone. What was settled stays."),
    "unreadable": gettext_lazy("A filter of this list could not be read. Choose again from the list."),
    "many_apart": gettext_lazy(
        "These are too many to decide one by one. Tick fewer, or decide all alike. Nothing was changed."
    ),
    "too_many": gettext_lazy("More rows are ticked than a page shows. Choose all matching instead."),
}
"""Why a batch refuses -> its sentence."""


@dataclass(frozen=True, slots=True)
class Group:
    """Records told together: why, how many, how much, and the query of their list."""

    why: str
    sums: Sums
    query: str


def title(batch: Batch, count: int) -> str:
    """Return what a batch is about to do, in one line."""
    names = {"count": show.count(count)}
    return {
        Action.ACCEPT: ngettext("Accept %(count)s record", "Accept %(count)s records", count),
        Action.REJECT: ngettext("Reject %(count)s record", "Reject %(count)s records", count),
        Action.PENDING: ngettext("Keep %(count)s record pending", "Keep %(count)s records pending", count),
        Action.NONE: ngettext(
            "Put %(count)s record back to No action", "Put %(count)s records back to No action", count
        ),
    }[Action(batch.action)] % names


def chosen_from(batch: Batch) -> str:
    """Return which list the records of a batch were chosen from, and how."""
    asked = filters.parse(batch.section, QueryDict(batch.query))
    where = str(wording.SECTIONS[Section(batch.section)]) if batch.section != filters.ALL else _("All inward records")
    if batch.is_ticked:
        return _("ticked rows of %(list)s") % {"list": where}
    if asked is None or not asked.filters.active:
        return where
    state = asked.filters.action
    others = len(asked.filters.active) - bool(state)
    told = [where]
    if state:
        told.append(str(wording.STATES[Action(state)]) if state in set(Action) else _("Superseded"))
    if others:
        told.append(ngettext("%(count)s more filter", "%(count)s more filters", others) % {"count": others})
    return ", ".join(told)


def groups(sums: dict[str, Sums], *, is_done: bool) -> list[Group]:
    """Return why records do not change, the most of them first: refusals and those that changed meanwhile."""
    told_apart = (WILL, SAME, UNANSWERED, LEFT, APART)
    told = VERDICTS | DONE if is_done else VERDICTS
    rest = [(verdict, found) for verdict, found in sums.items() if verdict not in told_apart]
    rest.sort(key=lambda line: (-line[1].count, line[0]))
    return [Group(str(told.get(verdict, verdict)), found, f"verdict={verdict or REST}") for verdict, found in rest]


def kept_groups(sums: dict[str, Sums]) -> list[Group]:
    """Return why undoing left records as they are, the most of them first."""
    rest = [(why, found) for why, found in sums.items() if why]
    rest.sort(key=lambda line: (-line[1].count, line[0]))
    return [Group(str((VERDICTS | KEPT).get(why, why)), found, f"kept={why}") for why, found in rest]


def time_left(batch: Batch) -> str:
    """Return how much longer a job takes, "" while that cannot be said."""
    milliseconds = (batch.total - batch.progress) * batch.pace // 1000
    if not batch.progress or batch.progress * batch.pace // 1000 < bulk.TOLD_AFTER:
        return ""
    minutes = -(-milliseconds // 60_000)
    if milliseconds < 60_000:  # noqa: PLR2004 a minute
        return _("less than a minute left")
    return ngettext("about %(count)s min left", "about %(count)s min left", minutes) % {"count": minutes}
