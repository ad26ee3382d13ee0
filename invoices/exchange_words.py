"""What stands against the rows of a file of actions, in words: for its page and for the file that comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.rules.actions import Action, Refusal
from invoices import bulk_words, exchange, wording
from invoices.exchange_sql import STALE, TWICE
from invoices.models import ActionFile, ActionFileRow, Record
from invoices.standing import Standing

PIECE = 2_000

GROUPS = {
    exchange.CONFLICT: gettext_lazy("Changed by somebody since the file was made"),
    STALE: gettext_lazy("No longer as the file says"),
    TWICE: gettext_lazy("Named twice in the file"),
    "": gettext_lazy("Cannot be read"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was refused: where it stands, what it is about, why; `record` is None where there is none."""

    row: ActionFileRow
    record: Record | None
    text: str


def group(verdict: str) -> str:
    """Return what rows of a verdict, or of a code of what could not be read, have against them."""
    return str(GROUPS.get(verdict) or bulk_words.VERDICTS.get(verdict) or _refusal_name(verdict))


def _refusal_name(verdict: str) -> str:
    return str(REFUSALS[verdict]) if verdict in REFUSALS else str(GROUPS[""])


REFUSALS = {
    Refusal.ITC_REDUCTION_REQUIRED.value: gettext_lazy("ITC to be reduced is not answered"),
    Refusal.ITC_REDUCTION_ONLY_ON_ACCEPT.value: gettext_lazy("An ITC reduction without Accept"),
    Refusal.REMARKS_REQUIRED.value: gettext_lazy("A remark is missing"),
    Refusal.REMARKS_TOO_LONG.value: gettext_lazy("A remark is too long"),
    Refusal.REMARKS_NOT_ALLOWED.value: gettext_lazy("A remark where none belongs"),
    Refusal.DECLARED_EXCEEDS_DOCUMENT.value: gettext_lazy("More is declared than the document holds"),
}


def problems(file: ActionFile, today: Standing, *, section: str | None = None) -> Iterator[Problem]:
    """Yield the rows of a file that were refused, of one section or of all, in its order: a query for each 2,000."""
    after = -1
    while rows := list(refused(file, after, section)[:PIECE]):
        yield from (told(row, today) for row in rows)
        after = rows[-1].place


def told(row: ActionFileRow, today: Standing) -> Problem:
    """Return what is wrong with a row `refused` found."""
    record = _record(row)
    return Problem(row, record, problem(row, record, today))


def refused(file: ActionFile, after: int, section: str | None = None) -> QuerySet[ActionFileRow]:
    """Return the rows of a file behind a place that were refused, of one section or of all, in its order."""
    found = ActionFileRow.objects.filter(file=file, place__gt=after).exclude(code="", verdict__in=ActionFile.FINE)
    if section is not None:
        found = found.filter(section=section)
    return found.select_related("record__supplier", "record__original").order_by("place")


def _record(row: ActionFileRow) -> Record | None:
    return row.record if row.record_id is not None else None


def problem(row: ActionFileRow, record: Record | None, today: Standing) -> str:
    """Return why a row was refused, and what next."""
    if row.code:
        return row.problem
    if record is None or row.verdict == Refusal.RECORD_NOT_IN_IMS:
        return wording.refusal(Refusal.RECORD_NOT_IN_IMS, None, today, number=row.number)
    if row.verdict == TWICE:
        return _("%(number)s stands in another row of this file too. That row was taken; delete this one.") % {
            "number": record.number
        }
    if row.verdict in (STALE, exchange.CONFLICT):
        return _(
            "%(number)s is %(now)s now: it was changed after this file was made. Yours was not saved. Look at it, and "
            "choose again in a fresh file."
        ) % {"number": record.number, "now": wording.ACTIONS[Action(record.action)]}
    return wording.refusal(Refusal(row.verdict), record, today)
