"""How a recipient's records stand today: the facts the rules ask for, in Python for one record, in SQL for a set.

A record's own columns are facts already, except those that depend on the clock: the provisional GSTR-2B period of
a saved record, and whether a Pending has lapsed. Both come from a few numbers worked out once per recipient and day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from ims_portal import calendar, clock, sql
from ims_portal.access import Access
from ims_portal.models import Taxpayer
from ims_portal.rules import actions, documents, gstr2b, periods
from ims_portal.rules.actions import Action, Answer, Refusal, Remark
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Calendar, Filer, Frequency, Lapsed, TaxPeriod
from ims_portal.rules.table import Decision, Fact
from invoices.models import Inbox, Record

MONTHLY = periods.filer("27", (0, Frequency.MONTHLY))
QUARTERLY = periods.filer("27", (0, Frequency.QUARTERLY))
BILLS = ", ".join(f"'{s.value}'" for s in documents.Section if s in documents.BILLS_OF_ENTRY)
AMENDED = ", ".join(f"'{s.value}'" for s in documents.Section if s in documents.AMENDMENTS)
REMARK_ON_REJECTION = {"action": Action.REJECT, "answer": Answer.NOT_GIVEN, "remark": Remark.GIVEN}
"""A remark where one may be given if anywhere: what bars it bars every remark (R5.5)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One recipient on one Indian day: whether it has an IMS, its own periods, the calendar, and what has lapsed.

    `saved_monthly` and `saved_quarterly` are the months in whose filing window the day lies, for forms filed by the
    month and by the quarter; `lapsed` says of which GSTR-2B months Pending has lapsed.
    """

    has_ims: bool
    filer: Filer
    calendar: Calendar
    day: date
    saved_monthly: int
    saved_quarterly: int
    lapsed: Lapsed
    _columns: dict[str, Mapping[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def gstr2b_period(self, record: Record) -> TaxPeriod:
        """Return the recipient's period a record counts in; provisional while it is only saved (R7.2)."""
        if record.gstr2b_month is not None:
            return self.filer.period(record.gstr2b_month)
        window = self.saved_quarterly if record.files_by_quarter else self.saved_monthly
        return self.filer.period(max(window, record.earliest_month))

    def bypass(self, record: Record) -> str:
        """Return why a record goes straight into GSTR-2B, or "" for one in IMS (R1.5)."""
        if record.gstr2b_month is not None:
            return record.bypass
        month = self.gstr2b_period(record).month
        return gstr2b.BYPASS.decide(
            month,
            section=record.section,
            recipient_has_ims=self.has_ims,
            is_reverse_charge=record.reverse_charge,
            is_pos_ineligible=record.is_pos_ineligible,
            is_time_barred=is_time_barred(record, month),
        ).outcome.value

    def facts(self, record: Record) -> dict[str, Fact]:
        """Return the facts of ACTION_REFUSALS for a record, all but the action."""
        return {
            "is_withdrawn": record.status == Record.Status.WITHDRAWN,
            "bypasses": self.bypass(record) != "",
            "is_settled": record.settled_month is not None,
            "is_superseded": record.superseded_by_id is not None,
            "is_unfiled_amendment": record.is_amendment and not record.is_filed,
            "original_is_open": record.original_is_open,
            "is_bill_of_entry": record.section in documents.BILLS_OF_ENTRY,
            "reduces": record.reduces,
            "pending_lapsed": self.pending_lapsed(record),
        }

    def refusal(self, record: Record, action: Action) -> Decision[Refusal | None]:
        """Return what the law says to an action on a record, with the row that decided."""
        return actions.ACTION_REFUSALS.decide(self.gstr2b_period(record).month, action=action, **self.facts(record))

    def allowed(self, record: Record) -> list[Action]:
        """Return the actions that would not be refused, in the order A, R, P, N."""
        order = (Action.ACCEPT, Action.REJECT, Action.PENDING, Action.NONE)
        return [action for action in order if self.refusal(record, action).outcome is None]

    def is_specified(self, record: Record) -> bool:
        """Whether a record asks the ITC-reduction question and may be pending for one period only (R2.14)."""
        return actions.SPECIFIED.decide(self.gstr2b_period(record).month, reduces=record.reduces).outcome

    def pending_lapsed(self, record: Record) -> bool:
        """Whether the last day of Pending has passed for a specified record; no job has to have run (R3.5)."""
        return self.is_specified(record) and self.lapsed.holds(self.gstr2b_period(record).month)

    def pending_until(self, record: Record) -> date | None:
        """Return the last day a specified record may be pending, None for any other (R3.4)."""
        if not self.is_specified(record):
            return None
        return periods.pending_until(self.filer, self.gstr2b_period(record), self.calendar)

    def effective_action(self, record: Record) -> Action:
        """Return the action as it counts today: a lapsed Pending reads as No action (R3.5)."""
        if record.settled_month is not None and record.action == Action.PENDING:
            return Action.NONE
        return actions.EFFECTIVE_ACTION.decide(
            self.gstr2b_period(record).month,
            action=record.action,
            reduces=record.reduces,
            pending_lapsed=self.pending_lapsed(record),
        ).outcome

    def may_add_back(self, record: Record) -> bool:
        """Whether a rejection that nothing has settled yet would raise its supplier's liability (R6.4).

        Saved records too: the outward view shows what would be added back, and it is gone once the record changes.
        """
        is_open = record.settled_month is None and record.superseded_by_id is None and not self.bypass(record)
        return is_open and record.adds_back and self.effective_action(record) is Action.REJECT

    def remarks_blocked(self, record: Record) -> bool:
        """Whether no remark may be given at all (R5.5)."""
        month = self.gstr2b_period(record).month
        given = actions.REMARK_REFUSALS.decide(month, **REMARK_ON_REJECTION)
        return self.bypass(record) != "" or given.outcome is not None

    def columns(self, alias: str = "r") -> Mapping[str, str]:
        """Return fact -> SQL over a record `alias`, the same facts as `facts`, plus `month` and `effective`.

        Put together once: a page of a list asks a dozen times.
        """
        if alias not in self._columns:
            self._columns[alias] = self._columns_of(alias)
        return self._columns[alias]

    def _columns_of(self, alias: str) -> Mapping[str, str]:
        month = self.month_sql(alias)
        specified = sql.dated_case(actions.SPECIFIED, {"reduces": f"{alias}.reduces"}, day=month)
        lapsed = f"({specified} AND {self.lapsed.sql(month)})"
        effective = sql.dated_case(
            actions.EFFECTIVE_ACTION,
            {"action": f"{alias}.action", "reduces": f"{alias}.reduces", "pending_lapsed": lapsed},
            day=month,
        )
        return {
            "is_withdrawn": f"{alias}.status = 'W'",
            "bypasses": f"{self._bypass_sql(alias, month)} <> ''",
            "is_settled": f"{alias}.settled_month IS NOT NULL",
            "is_superseded": f"{alias}.superseded_by_id IS NOT NULL",
            "is_unfiled_amendment": f"({alias}.section IN ({AMENDED}) AND {alias}.status <> 'F')",
            "original_is_open": f"{alias}.original_is_open",
            "is_bill_of_entry": f"{alias}.section IN ({BILLS})",
            "reduces": f"{alias}.reduces",
            "pending_lapsed": lapsed,
            "month": month,
            "specified": specified,
            "effective": effective,
        }

    def pending_blocked_sql(self, alias: str = "r") -> str:
        """Return whether `refusal` has anything against Pending, as SQL over a record `alias`."""
        columns = self.columns(alias)
        facts = {name: columns[name] for name in actions.ACTION_FACTS if name != "action"}
        pending = {"action": sql.literal(Action.PENDING), **facts}
        return f"({sql.dated_case(actions.ACTION_REFUSALS, pending, day=columns['month'])} IS NOT NULL)"

    def remarks_blocked_sql(self, alias: str = "r") -> str:
        """Return `remarks_blocked` as SQL over a record `alias`."""
        columns = self.columns(alias)
        given = {name: sql.literal(fact) for name, fact in REMARK_ON_REJECTION.items()}
        refusal = sql.dated_case(actions.REMARK_REFUSALS, given, day=columns["month"])
        return f"({columns['bypasses']} OR {refusal} IS NOT NULL)"

    def month_sql(self, alias: str) -> str:
        """Return the GSTR-2B month of a record as SQL, provisional while it is only saved."""
        window = f"(CASE WHEN {alias}.files_by_quarter THEN {self.saved_quarterly:d} ELSE {self.saved_monthly:d} END)"
        saved = own_month_sql(self.filer, f"greatest({window}, {alias}.earliest_month)")
        return f"coalesce({alias}.gstr2b_month, {saved})"

    def _bypass_sql(self, alias: str, month: str) -> str:
        while_saved = sql.dated_case(
            gstr2b.BYPASS,
            {
                "section": f"{alias}.section",
                "recipient_has_ims": sql.literal(self.has_ims),
                "is_reverse_charge": f"{alias}.reverse_charge",
                "is_pos_ineligible": f"{alias}.is_pos_ineligible",
                "is_time_barred": time_barred_sql(alias, month),
            },
            day=month,
        )
        return f"(CASE WHEN {alias}.status = 'F' THEN {alias}.bypass ELSE {while_saved} END)"


def of(taxpayer: Taxpayer, at: datetime) -> Standing:
    """Return how a recipient stands at a moment: one query, for its filing frequency and the extensions."""
    return on_day(taxpayer, *calendar.of(taxpayer, at), clock.day(at))


def for_page(held: Access, at: datetime) -> Standing:
    """Return how the taxpayer of a page stands, worked out once for all parts of the page."""
    return held.once("standing", at, lambda: on_day(held.taxpayer, *held.calendar(at), clock.day(at)))


def inbox(held: Access, at: datetime) -> Inbox:
    """Return the inbox row of a page's taxpayer, read once for all its parts; an unsaved one where none is kept."""
    taxpayer = held.taxpayer
    unsaved = Inbox(taxpayer=taxpayer, open_month=taxpayer.first_month)
    return held.once("inbox", at, lambda: Inbox.objects.filter(pk=taxpayer.pk).first() or unsaved)


def on_day(taxpayer: Taxpayer, filer: Filer, in_force: Calendar, day: date) -> Standing:
    """Return how a taxpayer, whose filer is known, stands on an Indian day under a calendar."""
    return Standing(
        has_ims=taxpayer.has_ims,
        filer=filer,
        calendar=in_force,
        day=day,
        saved_monthly=periods.window(Form.GSTR1, MONTHLY, day, in_force),
        saved_quarterly=periods.window(Form.GSTR1, QUARTERLY, day, in_force),
        lapsed=periods.lapsed(filer, day, in_force),
    )


def is_time_barred(record: Record, month: int) -> bool:
    """Whether the credit of a record is time-barred in a period given by its last month (R7.9)."""
    return gstr2b.TIME_BAR.decide(
        month,
        section=record.section,
        is_reverse_charge=record.reverse_charge,
        adds_itc=record.effect.total > 0,
        is_past_limit=bool(gstr2b.TIME_LIMIT.python(month, record.credit_fy)),
    ).outcome


def time_barred_sql(alias: str, month: str) -> str:
    """Return `is_time_barred` as SQL over a record `alias`; `month` is the SQL of the period."""
    effect = f"{alias}.effect_igst + {alias}.effect_cgst + {alias}.effect_sgst + {alias}.effect_cess"
    return time_barred(alias, adds_itc=f"({effect} > 0)", month=month)


def time_barred(alias: str, *, adds_itc: str, month: str) -> str:
    """Return whether a record `alias` is time-barred in a period, as SQL; `adds_itc` and `month` are SQL too (R7.9)."""
    limit = sql.dated_case(gstr2b.LIMIT_MONTH, {}, day=f"{alias}.credit_fy")
    return sql.dated_case(
        gstr2b.TIME_BAR,
        {
            "section": f"{alias}.section",
            "is_reverse_charge": f"{alias}.reverse_charge",
            "adds_itc": adds_itc,
            "is_past_limit": gstr2b.TIME_LIMIT.sql.format(
                period=month, credit_fy=f"{alias}.credit_fy", limit_month=limit
            ),
        },
        day=month,
    )


def frequency_sql(taxpayer: str, month: str) -> str:
    """Return how often whichever taxpayer the SQL `taxpayer` names files in a month, as SQL: M or Q.

    The first frequency holds before its month too, as for a Filer; without any a taxpayer files monthly.
    """
    of_taxpayer = f"SELECT f.frequency FROM ims_portal_filingfrequency f WHERE f.taxpayer_id = {taxpayer}"  # noqa: S608 our own names
    return (
        f"coalesce(({of_taxpayer} AND f.from_month <= {month} ORDER BY f.from_month DESC LIMIT 1), "
        f"({of_taxpayer} ORDER BY f.from_month LIMIT 1), {sql.literal(Frequency.MONTHLY)})"
    )


def recipients_month_sql(recipient: str, month: str) -> str:
    """Return `own_month_sql` for whichever taxpayer the SQL `recipient` names: its frequencies are read with it."""
    by_quarter = f"{frequency_sql(recipient, month)} = {sql.literal(Frequency.QUARTERLY)}"
    return f"(CASE WHEN {by_quarter} THEN {_period_end_sql(Frequency.QUARTERLY, month)} ELSE {month} END)"


def own_month_sql(filer: Filer, month: str) -> str:
    """Return the last month of the filer's own period that contains a month, as SQL over `month` (YYYYMM)."""
    branches = [
        f"WHEN {month} >= {start:d} THEN {_period_end_sql(frequency, month)}"
        for start, frequency in reversed(filer.changes[1:])
    ]
    final = _period_end_sql(filer.changes[0][1], month)
    return f"(CASE {' '.join(branches)} ELSE {final} END)" if branches else final


def _period_end_sql(frequency: Frequency, month: str) -> str:
    if frequency is Frequency.MONTHLY:
        return f"({month})"
    return f"(({month}) + mod(3 - mod(mod({month}, 100), 3), 3))"
