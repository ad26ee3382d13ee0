"""What-if: what choices would change of the open period's GSTR-2B, of Table 4 and of suppliers' tax. Nothing is saved.

Asked by the very statements that compute a GSTR-2B, so that what is told is what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ims_portal.models import Taxpayer
from ims_portal.rules import gstr2b as rules
from ims_portal.rules import gstr3b as gstr3b_rules
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import filters_sql
from invoices.filters import Filters
from invoices.models import Inbox
from invoices.standing import Standing
from returns import gstr2b, whatif_sql
from returns.whatif_sql import LATER, SAME, WILL, AllCharged, Moved, Sums, Wish

MOST_SUPPLIERS = 50
"""Suppliers a page names; the sums are of all."""

NET = "t4C"
"""The row of Table 4 that every record that counts ends in."""

MOST_RECORDS = 200
"""Records a page lists behind a figure, the dearest first."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What would be chosen: for some records, or for all that a list's filters show."""

    filters: Filters
    action: Action
    answer: Answer = Answer.NOT_GIVEN
    records: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What choices would come to. `before` is the statement as computed now, `after` the same with the choices made.

    `version` is the stored one that is `before`, None where none is current. `verdicts` is what would become of the
    records: `whatif_sql.WILL`, `SAME`, `LATER`, or the code of a refusal, with count and tax.
    """

    period: TaxPeriod
    version: int | None
    verdicts: Mapping[str, tuple[int, int]]
    before: Sums
    after: Sums
    charged: AllCharged

    @property
    def changing(self) -> int:
        """How many records would count otherwise, or say otherwise why they count so."""
        return self.verdicts.get(WILL, (0, 0))[0]

    @property
    def refused(self) -> dict[str, tuple[int, int]]:
        """Refusal -> count and tax of the records the law keeps from it."""
        return {code: told for code, told in self.verdicts.items() if code not in (WILL, SAME, LATER)}

    def table_4(self, sums: Sums) -> dict[str, Tax]:
        """Return row -> tax of Table 4 and 3.1(d), derived from sums (R8.6)."""
        parts: dict[tuple[Placement, Part], Tax] = {}
        for (placement, part, _row), (_count, tax) in sums.items():
            key = Placement(placement), Part(part)
            parts[key] = parts.get(key, Tax()) + tax
        return gstr3b_rules.computed(rules.table4(self.period.month, parts))


def ask(*, taxpayer: Taxpayer, inbox: Inbox, today: Standing, choices: Choices) -> Answered:
    """Return what choices would come to in the open period: five queries at most, whatever the count."""
    period = today.filer.period(inbox.open_month)
    wish = _wish(taxpayer, today, inbox, choices)
    version, before = _before(taxpayer, period, inbox, today)
    verdicts = whatif_sql.verdicts(wish, today)
    if WILL not in verdicts:
        return Answered(period, version, verdicts, before, before, AllCharged([]))
    after = dict(before)
    for key, (count, tax) in whatif_sql.differences(wish, today).items():
        held, amount = after.get(key, (0, Tax()))
        after[key] = held + count, amount + tax
    return Answered(
        period,
        version,
        verdicts,
        before,
        {key: line for key, line in sorted(after.items()) if line[0]},
        whatif_sql.charged(wish, today, limit=MOST_SUPPLIERS),
    )


def moved(*, taxpayer: Taxpayer, inbox: Inbox, today: Standing, choices: Choices, opened: str = "") -> list[Moved]:
    """Return the records that would count otherwise, what changes net ITC most first.

    `opened` narrows them to one figure: a section or `section.part` of the statement, a row of Table 4 (its net, 4(C),
    is every one), or a supplier's GSTIN.
    """
    wish = _wish(taxpayer, today, inbox, choices)
    return whatif_sql.moved(wish, today, opened="" if opened == NET else opened, limit=MOST_RECORDS)


def _wish(taxpayer: Taxpayer, today: Standing, inbox: Inbox, choices: Choices) -> Wish:
    condition, parameters = filters_sql.where(taxpayer.pk, today, choices.filters)
    if choices.records:
        condition, parameters = f"{condition} AND r.id = ANY(%(ids)s)", {**parameters, "ids": list(choices.records)}
    return Wish(taxpayer.pk, inbox.open_month, condition, choices.action, choices.answer, parameters)


def _before(taxpayer: Taxpayer, period: TaxPeriod, inbox: Inbox, today: Standing) -> tuple[int | None, Sums]:
    """Return the sums of the statement as it would be computed now: those kept, with their version, where current."""
    statement = gstr2b.current(taxpayer, period)
    if statement is None or gstr2b.is_out_of_date(statement, inbox=inbox, today=today):
        return None, whatif_sql.now(recipient_id=taxpayer.pk, month=period.month, today=today)
    return statement.version, {
        (placement, part, row): (line[0], Tax(*line[1:]))
        for placement, parts in statement.sums.items()
        for part, rows in parts.items()
        for row, line in rows.items()
    }
