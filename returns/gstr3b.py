"""GSTR-3B: derived from the statement and the taxpayer's own returns, declared by its people, filed (R8)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet

from ims_portal import access, audit, once
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Command, RuleSwitch, Taxpayer, User
from ims_portal.rules import gstr2b as rules2b
from ims_portal.rules import gstr3b as rules
from ims_portal.rules import periods
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Form
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.gstr3b import Carried
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import Filer, Return, TaxPeriod
from invoices import actions, delivery, locking, standing
from invoices.models import Inbox, SupplierReturn
from invoices.standing import Standing
from returns import addbacks, digests, gstr2b, holds, ledgers, payment, statement_sums, table3, why
from returns.models import Adjustment, Filing, Gstr2b, ReturnPeriod
from returns.payment import Late, Payment
from returns.table3 import Entry

TABLE4_LOCK_FROM = "TABLE4_LOCK_FROM"


class Gstr3bRefusedError(Exception):
    """A row may not be edited or the return not filed; `refusal` is the rules' code."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.value)


class ChangedSinceShownError(Exception):
    """The figures are no longer those that were shown; nothing was filed. `shown_now` is the draft as it stands."""

    code = "CHANGED_SINCE_SHOWN"

    def __init__(self, shown_now: Draft) -> None:
        self.shown_now = shown_now
        super().__init__(self.code)


@dataclass(frozen=True, slots=True)
class Said:
    """Why a row is declared as it is, by whom and when."""

    reason: str
    actor: User | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A period's GSTR-3B as it stands: row -> tax in paise, derived and declared; as filed once it is.

    `taxable` and `declared_taxable` hold the taxable values of Table 3 beside them; a return filed before they were
    kept has none. `carried`: what rows owe and carry forward where they are below zero (R8.15). `digest` is what a
    signatory is shown and must send back; `refusal` what filing would answer now, `facts` what it was decided on.
    """

    taxpayer: Taxpayer
    period: TaxPeriod
    statement: Gstr2b | None
    is_out_of_date: bool
    changes_since: int
    derived: Mapping[str, Tax]
    declared: Mapping[str, Tax]
    reasons: Mapping[str, str]
    addback: Tax
    outward: list[Entry]
    locked: list[str]
    warnings: list[str]
    refusal: Refusal | None
    filing: Filing | None
    open_period: TaxPeriod
    due: date
    reclaim_room: Tax = NIL
    rcm_room: Tax = NIL
    taxable: Mapping[str, int] = field(default_factory=dict)
    declared_taxable: Mapping[str, int] = field(default_factory=dict)
    carried: Mapping[str, Carried] = field(default_factory=dict)
    facts: Mapping[str, bool] = field(default_factory=dict)
    payment: Payment | None = None
    entries: Mapping[str, Tax] = field(default_factory=dict)
    digest: str = field(default="")


def draft(*, taxpayer: Taxpayer, period: TaxPeriod, at: datetime, today: Standing | None = None) -> Draft:
    """Return a period's GSTR-3B as it stands at a moment. This will write nothing. `today` saves working it out."""
    return _draft(taxpayer, period, None, today or standing.of(taxpayer, at))


def _draft(taxpayer: Taxpayer, period: TaxPeriod, locked_inbox: Inbox | None, today: Standing) -> Draft:
    """Return a draft; `locked_inbox` is the inbox of a command that holds it, else it is read with the rest."""
    beside = _beside(taxpayer, period, today)
    inbox = locked_inbox or beside.inbox
    filing = None
    if period.month < inbox.open_month:
        filed = Filing.objects.filter(taxpayer=taxpayer, month=period.month)
        filing = filed.select_related("statement", "filed_by").first()
    statement = filing.statement if filing else gstr2b.current(taxpayer, period)
    outward = table3.entries(taxpayer=taxpayer, period=period)
    adjusted = {
        row.row: row
        for row in Adjustment.objects.filter(return_period__taxpayer=taxpayer, return_period__month=period.month)
    }
    derived = rules.computed(_stored(filing.derived) if filing else derive(statement, outward))
    locked = _locked_rows(period, beside.switched_on)
    if not filing:  # what was declared before a row was locked would be filed unseen: it follows derived (R8.17)
        adjusted = {name: line for name, line in adjusted.items() if name not in locked}
    changed = {name: line.tax for name, line in adjusted.items()}
    declared = rules.computed(_stored(filing.declared) if filing else {**derived, **changed})
    stale = statement is not None and not filing and gstr2b.is_out_of_date(statement, inbox=inbox, today=today)
    held = ledgers.held(taxpayer, period.month)
    rooms = ledgers.rooms(held, declared)
    carried = rules.carried(period.month, declared, held.brought)
    owed = {**declared, **{name: line.payable for name, line in carried.items()}}
    taxable, declared_taxable = _taxable(filing, statement, outward, adjusted)
    facts = _filing_facts(period, inbox, today, statement, stale, rooms, beside.has_gstr1)
    found = Draft(
        taxpayer=taxpayer,
        period=period,
        statement=statement,
        is_out_of_date=stale,
        changes_since=inbox.seq - statement.seq if statement else 0,
        derived=derived,
        declared=declared,
        reasons={name: line.reason for name, line in adjusted.items() if name not in payment.ENTRIES},
        addback=table3.added_back(outward),
        outward=outward,
        locked=locked,
        warnings=rules.warnings(period.month, derived, declared),
        filing=filing,
        open_period=today.filer.period(inbox.open_month),
        due=_due(period, today),
        refusal=_filing_refusal(taxpayer, period, today, facts),
        reclaim_room=rooms[0],
        rcm_room=rooms[1],
        taxable=taxable,
        declared_taxable=declared_taxable,
        carried=carried,
        facts=facts,
        payment=payment.read(filing.payment) if filing else payment.of(period.month, owed, changed, beside.late),
        entries={name: tax for name, tax in changed.items() if name in payment.ENTRIES},
    )
    return replace(found, digest=digest(found))


def derive(statement: Gstr2b | None, outward: Iterable[Entry]) -> dict[str, Tax]:
    """Return the derived rows: Table 4 and 3.1(d) from the statement, outward rows from filed returns (R8.1, R8.6)."""
    rows = rules2b.table4(statement.month, _sums(statement)) if statement else {}
    for name, tax in table3.sums(outward).items():
        rows[name] = rows.get(name, Tax()) + tax
    return rows


def _taxable(
    filing: Filing | None, statement: Gstr2b | None, outward: Iterable[Entry], adjusted: Mapping[str, Adjustment]
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return the taxable values of Table 3, derived and declared: as filed, once filed."""
    if filing is not None:
        return filing.taxable.get("derived", {}), filing.taxable.get("declared", {})
    derived = table3.taxable(outward, liable=statement.liable_taxable if statement else 0)
    changed = {name: line.taxable for name, line in adjusted.items() if line.taxable is not None}
    return derived, {**derived, **changed}


def why_of(shown: Draft, row: str) -> dict[str, object]:
    """Return why a row is what it is: as kept with the filing, or as it stands (`returns.why`)."""
    if shown.filing is not None and row in shown.filing.why:
        return why.kept(shown.filing.why[row])
    return why.row(shown.period.month, row, _sums(shown.statement), shown.outward)


def _sums(statement: Gstr2b | None) -> Mapping[tuple[Placement, Part], Tax]:
    return statement_sums.by_part(statement) if statement else {}


def _locked_rows(period: TaxPeriod, switched_on: bool) -> list[str]:  # noqa: FBT001 a fact of the rule
    """Return the rows that answer FIELD_LOCKED in a period (R8.2, R8.3, R8.17)."""
    return [row for row in rules.ROWS if _edit_refusal(period, row, switched_on) is Refusal.FIELD_LOCKED]


def edit_refusal(period: TaxPeriod, row: str) -> Refusal | None:
    """Return why a row cannot be edited in a period, or None; the Table 4 switch counts when it is on."""
    return _edit_refusal(period, row, _table4_switch(period).exists())


def _table4_switch(period: TaxPeriod) -> QuerySet[RuleSwitch]:
    return RuleSwitch.objects.filter(name=TABLE4_LOCK_FROM, from_month__lte=period.month)


def _edit_refusal(period: TaxPeriod, row: str, switched_on: bool) -> Refusal | None:  # noqa: FBT001 a fact of the rule
    refusal = rules.EDIT_REFUSALS.decide(period.month, row=row).outcome
    if refusal is None and switched_on and rules.TABLE_4_LOCK.decide(period.month, row=row).outcome:
        return Refusal.FIELD_LOCKED
    return refusal


def adjust(  # noqa: PLR0913 one argument per field of the form
    *,
    taxpayer: Taxpayer,
    period: TaxPeriod,
    row: str,
    tax: Tax | None,
    reason: str,
    actor: User | None,
    clock: Clock,
    taxable: int | None = None,
    request_id: uuid.UUID | None = None,
) -> Draft:
    """Declare a row otherwise than derived, or (tax None) set it back. This will keep the value and its reason.

    `taxable` is the taxable value of a row of Table 3; None leaves it as derived.
    The same `request_id` again changes nothing. Raises once.MismatchError and Gstr3bRefusedError (WRONG_PERIOD,
    ALREADY_FILED, FIELD_NOT_EDITABLE, FIELD_LOCKED, REASON_REQUIRED).
    """
    locking.ensure([taxpayer])

    def work() -> Draft:
        inbox = locking.lock([taxpayer.pk])[taxpayer.pk]
        at = clock.now()
        if actor is not None:
            access.require(user=actor, taxpayer=taxpayer, right=Right.COMPUTE, at=at)
        today = standing.of(taxpayer, at)
        command = _claim(
            actor,
            request_id,
            {
                "do": "adjust",
                "gstin": taxpayer.gstin,
                "period": period.name,
                "row": row,
                "tax": None if tax is None else list(tax),
                "reason": reason,
                **({} if taxable is None else {"taxable": taxable}),
            },
        )
        if command is None or not command.answer:
            if not _is_own(taxpayer, today.filer, period):
                raise Gstr3bRefusedError(Refusal.WRONG_PERIOD)
            derived, said = _derived_row(taxpayer, period, row), Said(reason.strip()[: rules.REASON_LIMIT], actor, at)
            declare_row(inbox=inbox, period=period, row=row, derived=derived, figures=(tax, taxable), said=said)
            if command is not None:
                once.answered(command, {"row": row})
        return _draft(taxpayer, period, inbox, today)

    return locking.transact(work)


def declare_row(
    *,
    inbox: Inbox,
    period: TaxPeriod,
    row: str,
    derived: tuple[Tax, int | None],
    figures: tuple[Tax | None, int | None],
    said: Said,
) -> None:
    """Keep what a row of one's own period is declared as. This will join the transaction that holds the inbox.

    `derived` and `figures` are tax and taxable value. Raises Gstr3bRefusedError as `adjust` does, but WRONG_PERIOD.
    """
    tax, taxable = figures
    value = derived[0] if tax is None or row in rules.VALUE_ONLY else tax
    differs = tax is not None and taxable is not None and derived[1] not in (None, taxable)
    refusal = _adjust_refusal(period, row, value != derived[0] and not said.reason, inbox)
    if refusal is not None:
        raise Gstr3bRefusedError(refusal)
    kept = gstr2b.period_row(inbox.taxpayer, period)
    if value == derived[0] and not differs:
        Adjustment.objects.filter(return_period=kept, row=row).delete()
    else:
        amounts = {**value.as_dict(), "taxable": taxable if differs else None}
        told = {"taxpayer": inbox.taxpayer, "reason": said.reason, "actor": said.actor, "at": said.at}
        Adjustment.objects.update_or_create(return_period=kept, row=row, defaults=amounts | told)
    subject = f"GSTR-3B {period.name} {row}"
    audit.record(event="gstr3b.adjusted", at=said.at, actor=said.actor, taxpayer=inbox.taxpayer, subject=subject)


def _claim(actor: User | None, request_id: uuid.UUID | None, body: Mapping[str, object]) -> Command | None:
    """Return the command of a request id, None where there is none to keep."""
    return once.claim(actor=actor, key=request_id, body=body) if actor and request_id else None


def _adjust_refusal(period: TaxPeriod, row: str, lacks_reason: bool, inbox: Inbox) -> Refusal | None:  # noqa: FBT001
    if period.month < inbox.open_month:
        return Refusal.ALREADY_FILED
    refusal = edit_refusal(period, row)
    if refusal is not None:
        return refusal
    return (
        Refusal.REASON_REQUIRED if lacks_reason and rules.NEEDS_REASON.decide(period.month, row=row).outcome else None
    )


def _derived_row(taxpayer: Taxpayer, period: TaxPeriod, row: str) -> tuple[Tax, int | None]:
    """Return the derived tax of a row and, in Table 3, its derived taxable value."""
    outward, statement = table3.entries(taxpayer=taxpayer, period=period), gstr2b.current(taxpayer, period)
    taxable = table3.taxable(outward, liable=statement.liable_taxable if statement else 0)
    return rules.computed(derive(statement, outward))[row], taxable.get(row)


def file(
    *,
    taxpayer: Taxpayer,
    period: TaxPeriod,
    actor: User | None,
    clock: Clock,
    shown_digest: str | None = None,
    request_id: uuid.UUID | None = None,
) -> Filing:
    """File a period's GSTR-3B. This will settle its records, fix add-backs, move the statements, open the next period.

    `shown_digest` is the digest the signatory was shown; where the figures differ now ChangedSinceShownError is raised
    and nothing is filed (None: whatever stands is filed). The same `request_id` again returns the filing it made.
    Raises Gstr3bRefusedError for the refusals of R8.11, holds.HeldError where it would break what must hold, and
    locking.BusyError, also while a return of the taxpayer's is on its way to its recipients: Table 3 lacks that part.
    """
    locking.ensure([taxpayer])

    def work() -> Filing:
        charged = addbacks.suppliers_charged(taxpayer, period)
        inboxes = locking.lock({taxpayer.pk} | charged)
        at = clock.now()
        if actor is not None:
            access.require(user=actor, taxpayer=taxpayer, right=Right.FILE, at=at)
        command = _claim(
            actor, request_id, {"do": "file", "gstin": taxpayer.gstin, "period": period.name, "digest": shown_digest}
        )
        if command is not None and command.answer:
            return Filing.objects.get(taxpayer=taxpayer, pk=command.answer["filing"])
        holds.refuse(taxpayer)
        delivery.refuse_due(taxpayer)
        delivery.take_in(inboxes[taxpayer.pk])
        today = standing.of(taxpayer, at)
        shown = _draft(taxpayer, period, inboxes[taxpayer.pk], today)
        if shown.refusal is not None:
            raise Gstr3bRefusedError(shown.refusal)
        if shown_digest is not None and shown_digest != shown.digest:
            raise ChangedSinceShownError(shown)
        filing = _file_under_lock(shown, inboxes, today, actor, at)
        holds.look(filing)
        if command is not None:
            once.answered(command, {"filing": filing.pk})
        return filing

    with holds.kept(taxpayer=taxpayer, period=period, clock=clock):
        return locking.transact(work)


def _file_under_lock(
    shown: Draft, inboxes: dict[int, Inbox], today: Standing, actor: User | None, at: datetime
) -> Filing:
    taxpayer, period, inbox = shown.taxpayer, shown.period, inboxes[shown.taxpayer.pk]
    rejections = actions.settle(inbox=inbox, standing_now=today, period=period)
    if not {line.supplier_id for line in rejections} <= inboxes.keys():
        raise locking.LockSetChangedError
    kept = gstr2b.period_row(taxpayer, period)
    filing = Filing.objects.create(
        taxpayer=taxpayer,
        return_period=kept,
        month=period.month,
        statement=shown.statement,
        seq=inbox.seq,
        digest=shown.digest,
        derived=_kept(shown.derived),
        declared=_kept(shown.declared),
        taxable={"derived": shown.taxable, "declared": shown.declared_taxable},
        why=why.rows(period.month, _sums(shown.statement), shown.outward),
        reasons=dict(shown.reasons),
        payment=payment.stored(shown.payment) if shown.payment else {},
        reference=f"SBX-3B-{period.wire}-{kept.pk:08d}",
        filed_on=today.day,
        filed_at=at,
        filed_by=actor,
    )
    ReturnPeriod.objects.filter(taxpayer=taxpayer, pk=kept.pk, is_filed=False).update(is_filed=True)
    addbacks.fix(filing, rejections, inboxes)
    ledgers.move_by_filing(taxpayer, period.month, shown.declared, at)
    audit.record(
        event="gstr3b.filed",
        at=at,
        actor=actor,
        taxpayer=taxpayer,
        subject=f"GSTR-3B {period.name}",
        details={"addbacks": len(rejections), "reference": filing.reference},
    )
    return filing


def _is_own(taxpayer: Taxpayer, filer: Filer, period: TaxPeriod) -> bool:
    """Whether a taxpayer files GSTR-3B for a period: a distributor never does (R7.5, R9.1)."""
    return not taxpayer.is_isd and filer.owns(period)


def _due(period: TaxPeriod, today: Standing) -> date:
    return today.calendar.due(Return.GSTR3B, period, today.filer.group)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a draft hangs on beside its figures: inbox, GSTR-1, the Table 4 switch, the return before if it was late."""

    inbox: Inbox
    has_gstr1: bool
    switched_on: bool
    late: Late | None


def _beside(taxpayer: Taxpayer, period: TaxPeriod, today: Standing) -> _Beside:
    """Return what a period's draft hangs on beside its own figures: one query."""
    gstr1 = SupplierReturn.objects.filter(
        supplier=OuterRef("pk"), form=Form.GSTR1.value, month=period.month, filed_on__isnull=False
    )
    earlier = today.filer.previous(period)
    before = FilteredRelation("filings", condition=Q(filings__month=earlier.month))
    has_gstr1, switched_on, filed_on, paid, seq, open_month = (
        Taxpayer.objects.filter(pk=taxpayer.pk)
        .annotate(before=before)
        .values_list(
            Exists(gstr1),
            Exists(_table4_switch(period)),
            "before__filed_on",
            "before__payment",
            "inbox__seq",
            "inbox__open_month",
        )
        .get()
    )
    late = payment.late(earlier.month, kept=paid, due=_due(earlier, today), filed_on=filed_on) if filed_on else None
    inbox = Inbox(taxpayer=taxpayer, seq=seq or 0, open_month=open_month or taxpayer.first_month)
    return _Beside(inbox, bool(has_gstr1), bool(switched_on), late)


def _filing_facts(
    period: TaxPeriod,
    inbox: Inbox,
    today: Standing,
    statement: Gstr2b | None,
    stale: bool,  # noqa: FBT001 a fact of the rule
    rooms: tuple[Tax, Tax],
    has_gstr1: bool,  # noqa: FBT001 a fact of the rule
) -> dict[str, bool]:
    return {
        "is_filed": period.month < inbox.open_month,
        "is_over_three_years": periods.is_time_barred(_due(period, today), today.day),
        "previous_is_unfiled": period.month > inbox.open_month,
        "gstr1_is_unfiled": not has_gstr1,
        "has_no_statement": statement is None,
        "is_stale": stale,
        "reclaim_exceeds": min(rooms[0]) < 0,
        "rcm_exceeds": min(rooms[1]) < 0,
    }


def _filing_refusal(
    taxpayer: Taxpayer, period: TaxPeriod, today: Standing, facts: Mapping[str, bool]
) -> Refusal | None:
    if not _is_own(taxpayer, today.filer, period):
        return Refusal.WRONG_PERIOD
    return rules.FILING_REFUSALS.decide(period.month, **facts).outcome


def digest(shown: Draft) -> str:
    """Return the SHA-256 of what would be filed: who, which period, which statement, every row in paise, what is paid.

    A filed return has the rows it was filed with.
    """
    names = rules.ROWS if shown.filing is None else shown.filing.derived
    return digests.of_return(
        gstin=shown.taxpayer.gstin,
        period=shown.period.name,
        statement=(shown.statement.pk, shown.statement.version) if shown.statement else None,
        derived=_kept({name: shown.derived[name] for name in names}),
        declared=_kept({name: shown.declared[name] for name in names}),
        reasons=shown.reasons,
        payment=payment.stored(shown.payment) if shown.payment else {},
        taxable=(shown.taxable, shown.declared_taxable),
    )


def _kept(rows: Mapping[str, Tax]) -> dict[str, list[int]]:
    return {name: list(tax) for name, tax in rows.items()}


def _stored(rows: Mapping[str, list[int]]) -> dict[str, Tax]:
    return {name: Tax(*heads) for name, heads in rows.items()}
