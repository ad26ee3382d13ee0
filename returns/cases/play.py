"""Plays a worked case day by day: events, the default clock's drafts and filings, then the day's checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from ims_portal import calendar
from ims_portal.clock import Fixed
from ims_portal.models import DueDateExtension, FilingFrequency, RuleSwitch, Taxpayer, User
from ims_portal.rules import periods
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import Document, Form, InvoiceType, Item, Section
from ims_portal.rules.money import NIL, NotMoneyError, Tax, to_paise
from ims_portal.rules.periods import Filer, Frequency, Return, TaxPeriod
from invoices import actions, feeds, locking, outward, staging
from invoices.actions import Choice
from invoices.feeds_json.isd import Gstr6, IsdDocument
from invoices.models import Inbox, Record, SupplierReturn
from returns import draft_day, gstr2b, gstr3b, ledgers
from returns.cases.case import Case, day, tax
from returns.models import LedgerEntry

KINDS = {
    "B2B": Section.B2B,
    "B2BA": Section.B2BA,
    "B2BDN": Section.DN,
    "B2BDNA": Section.DNA,
    "B2BCN": Section.CN,
    "B2BCNA": Section.CNA,
    "ECO": Section.ECO,
    "ECOA": Section.ECOA,
    "ISD": Section.ISD,
    "ISDCN": Section.ISDCN,
}
REFUSALS = (
    outward.ReturnRefusedError,
    feeds.FeedRefusedError,
    gstr2b.StatementRefusedError,
    gstr3b.Gstr3bRefusedError,
)
Event = Mapping[str, Any]
NO_RATE = -1
"""Stands for a rate that no document can have; the check on rates refuses it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing a case asserts, with what it expects, what was found, and whether they agree."""

    where: str
    expected: object
    found: object

    @property
    def holds(self) -> bool:
        """Whether expectation and finding agree."""
        return self.expected == self.found


@dataclass(slots=True)
class Story:
    """A case being played: its parties as taxpayers, its records by ref, the clock, and today."""

    case: Case
    taxpayers: dict[str, Taxpayer] = field(default_factory=dict)
    filers: dict[str, Filer] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    clock: Fixed = field(default_factory=lambda: Fixed(timezone.now()))
    today: date = date.min

    def record(self, ref: str) -> Record:
        """Return the record of a ref, as stored now."""
        return Record.objects.select_related("recipient", "supplier", "original", "detail", "supplier_return").get(
            pk=self.records[ref]
        )

    def ref_of(self, record_id: int | None) -> str | None:
        """Return the ref of a record, None for none."""
        return next((ref for ref, pk in self.records.items() if pk == record_id), None)

    def move_to(self, today: date, hour: int = 10) -> None:
        """Set the clock to an hour of an Indian day."""
        self.today = today
        self.clock.at = timezone.make_aware(datetime.combine(today, time(hour)), timezone.get_default_timezone())


def play(case: Case, check: Callable[[Story, Event], Iterator[Kept]]) -> Iterator[Kept]:
    """Yield everything a case asserts, as it is played: refusals and notices of events, then each day's checks."""
    story = _begin(case)
    days = (case.last_day - case.start).days + 1
    for today in (case.start + timedelta(n) for n in range(days)):
        story.move_to(today)
        _draft(story)
        for event in case.events:
            if day(event["date"]) == today:
                story.clock.at += timedelta(minutes=1)
                yield from _happen(story, event)
        story.move_to(today, 22)
        _file_automatically(story)
        story.move_to(today, 23)
        for expectation in case.expect:
            if day(expectation["as_of"]) == today:
                yield from check(story, expectation)


def _begin(case: Case) -> Story:
    story = Story(case)
    story.move_to(case.start, 0)
    administrator = User.objects.create_user(username=f"calendar-{case.id.lower()}")
    for line in case.calendar:
        period = periods.parse(line["period"])
        DueDateExtension.objects.create(
            form=line["form"],
            month=period.month,
            frequency=period.frequency.value,
            due=day(line["due"]),
            notification=f"case {case.id}",
            known_from=story.clock.at,
            approved_by=administrator,
        )
    if lock := case.settings.get("table4_lock_from"):
        RuleSwitch.objects.create(name=gstr3b.TABLE4_LOCK_FROM, from_month=periods.parse(lock).month)
    for key, party in case.parties.items():
        _join(story, key, party)
    return story


def _join(story: Story, key: str, party: Mapping[str, Any]) -> None:
    frequency = Frequency.QUARTERLY if party.get("filing") == "quarterly" else Frequency.MONTHLY
    filer = periods.filer(party["gstin"][:2], (0, frequency))
    in_force = calendar.in_force(story.clock.at)
    period = filer.period(periods.month_of(story.case.start))
    while in_force.due(Return.GSTR3B, filer.previous(period), filer.group) >= story.case.start:
        period = filer.previous(period)
    taxpayer = Taxpayer.objects.create(
        gstin=party["gstin"], kind=party["type"], legal_name=f"Party {key}", first_month=period.month
    )
    FilingFrequency.objects.create(taxpayer=taxpayer, frequency=frequency.value)
    locking.ensure([taxpayer])
    story.taxpayers[key], story.filers[key] = taxpayer, filer


def _filing_parties(story: Story) -> Iterator[tuple[str, Taxpayer, Filer]]:
    for key, taxpayer in story.taxpayers.items():
        if not taxpayer.is_isd:
            yield key, taxpayer, story.filers[key]


def _open_months(story: Story) -> dict[int, int]:
    return dict(Inbox.objects.filter(taxpayer__in=story.taxpayers.values()).values_list("pk", "open_month"))


def _draft(story: Story) -> None:
    """Compute the drafts whose day it is, where the 3B before is filed; none is made up for later."""
    in_force, open_months = calendar.in_force(story.clock.at), _open_months(story)
    whose_day = [
        taxpayer.pk
        for _key, taxpayer, filer in _filing_parties(story)
        if periods.draft_day(filer, filer.period(open_months[taxpayer.pk]), in_force) == story.today
    ]
    if not whose_day:
        return  # as on most days of a case: asking what is due takes many queries
    draft_day.make(recipient_ids=whose_day, clock=story.clock)


def _file_automatically(story: Story) -> None:
    in_force, open_months = calendar.in_force(story.clock.at), _open_months(story)
    for key, taxpayer, filer in _filing_parties(story):
        period = filer.period(open_months[taxpayer.pk])
        while period.last_day < story.today:
            if in_force.due(Return.GSTR1, period, filer.group) <= story.today:
                _file_nil_gstr1(story, key, taxpayer, period)
            is_due = in_force.due(Return.GSTR3B, period, filer.group) <= story.today
            if not (is_due and _file_3b(story, key, taxpayer, period)):
                break  # nothing later can be filed before it: the GSTR-1 and the 3B after wait for this 3B
            period = filer.following(period)


def _file_nil_gstr1(story: Story, key: str, taxpayer: Taxpayer, period: TaxPeriod) -> None:
    is_told = any(
        event.get("form") == "GSTR-1" and event["party"] == key and event["period"] == period.name
        for event in story.case.events
    )
    filed = SupplierReturn.objects.filter(supplier=taxpayer, form="GSTR-1", month=period.month, filed_on__isnull=False)
    if not is_told and not filed.exists():
        _try(lambda: outward.file(supplier=taxpayer, form=Form.GSTR1, period=period, actor=None, clock=story.clock))


def _file_3b(story: Story, key: str, taxpayer: Taxpayer, period: TaxPeriod) -> bool:
    """File the 3B of a taxpayer's open period, unless the case does, and say whether it is filed."""
    is_told = any(
        event["type"] == "file_3b" and event["party"] == key and event["period"] == period.name
        for event in story.case.events
    )
    if is_told:
        return False
    _try(lambda: gstr2b.compute(taxpayer=taxpayer, period=period, actor=None, clock=story.clock))
    return _try(lambda: gstr3b.file(taxpayer=taxpayer, period=period, actor=None, clock=story.clock))


def _try(filing: Callable[[], object]) -> bool:
    """Say whether it could be filed: what cannot today is tried again at the end of each following day."""
    try:
        filing()
    except REFUSALS:
        return False
    return True


def _happen(story: Story, event: Event) -> Iterator[Kept]:
    where = f"{event['date']} {event['type']} {event.get('party', '')} {event.get('record', event.get('form', ''))}"
    before = dict(story.records)
    if any(event[key] not in story.records for key in ("record", "original") if key in event):
        yield Kept(where, "a record", "no document of that ref was kept")
        return
    try:
        answered = _EVENTS[event["type"]](story, event)
    except REFUSALS as refused:
        story.records = before
        answered = refused.refusal.value
    is_notice = answered == "NOTHING_CHANGED"
    yield Kept(f"{where}: refusal", event.get("expect_error"), None if is_notice else answered)
    if event["type"] == "compute_2b" and not event.get("expect_error"):
        yield Kept(f"{where}: notice", event.get("expect_notice"), answered if is_notice else None)


def _documents(story: Story, event: Event) -> list[Document]:
    return [_document(story, line) for line in event.get("docs", ())]


def _document(story: Story, line: Mapping[str, Any]) -> Document:
    recipient, heads = story.taxpayers[line["recipient"]], tax(line["tax"])
    taxable = to_paise(line.get("taxable_value", 0))
    has_items = "rate" in line
    return Document(
        section=KINDS[line["kind"]],
        recipient=recipient.gstin,
        number=line["no"],
        date=day(line["date"]),
        taxable=taxable,
        tax=heads,
        pos=line.get("pos", recipient.state),
        value=taxable + heads.total,
        inv_type=InvoiceType(line.get("inv_type", "R")),
        reverse_charge=line.get("reverse_charge", False),
        items=(Item(_rate(line["rate"]), taxable, heads),) if has_items else (),
        original_number=line.get("original_no", ""),
        original_date=day(line["original_date"]) if "original_date" in line else None,
        position=line["ref"],
    )


def _rate(percent: Decimal | int) -> int:
    """Return a rate in hundredths of a percent; one written finer than that was never a rate (R10.7)."""
    try:
        return to_paise(percent)
    except NotMoneyError:
        return NO_RATE


def _summaries(event: Event) -> list[staging.Summary]:
    if "other_outward_tax" not in event:
        return []
    return [staging.Summary("other", "", 0, tax(event["other_outward_tax"]))]


def _return_of(story: Story, event: Event) -> dict[str, Any]:
    return {
        "supplier": story.taxpayers[event["party"]],
        "form": Form(event["form"]),
        "period": periods.parse(event["period"]),
        "actor": None,
        "clock": story.clock,
    }


def _save(story: Story, event: Event) -> None:
    found: list[staging.Found] = [*_documents(story, event), *_summaries(event)]
    outward.save(**_return_of(story, event), found=found, keys_replace=False, all_or_nothing=True)
    _remember(story, event)


def _file(story: Story, event: Event) -> None:
    if event["form"] == Form.GSTR6.value:
        _file_isd(story, event)
        return
    found: list[staging.Found] = [*_documents(story, event), *_summaries(event)]
    outward.file(**_return_of(story, event), found=found, keys_replace=False)
    _remember(story, event)


def _file_isd(story: Story, event: Event) -> None:
    distributed = [
        IsdDocument(
            position=line["ref"],
            recipient=story.taxpayers[line["recipient"]].gstin,
            section=KINDS[line["kind"]],
            number=line["no"],
            date=day(line["date"]),
            is_eligible=True,
            tax=tax(line["tax"]),
        )
        for line in event.get("docs", ())
    ]
    told = Gstr6(story.taxpayers[event["party"]].gstin, periods.parse(event["period"]), story.today)
    feeds.take_isd(found=[*distributed, told], clock=story.clock)
    _remember(story, event)


def _remember(story: Story, event: Event) -> None:
    period = periods.parse(event["period"])
    for line in event.get("docs", ()):
        story.records[line["ref"]] = (
            Record.objects.filter(
                supplier=story.taxpayers[event["party"]],
                form=event["form"],
                return_month=period.month,
                section=KINDS[line["kind"]].value,
                number_key=line["no"].upper(),
            )
            .exclude(status="W")
            .latest("id")
            .pk
        )


def _edit_saved(story: Story, event: Event) -> None:
    record, changes = story.record(event["record"]), event["changes"]
    taxable = to_paise(changes["taxable_value"]) if "taxable_value" in changes else record.taxable
    heads = tax(changes["tax"]) if "tax" in changes else record.tax
    rate = _rate(changes["rate"]) if "rate" in changes else record.detail.items[0][0]
    told: dict[str, Any] = {
        "taxable": taxable,
        "tax": heads,
        "items": (Item(rate, taxable, heads),),
        "value": taxable + heads.total,
    }
    told |= {"number": changes["no"]} if "no" in changes else {}
    told |= {"date": day(changes["date"])} if "date" in changes else {}
    told |= {"pos": changes["pos"]} if "pos" in changes else {}
    outward.edit(
        supplier=story.taxpayers[event["party"]],
        record=record,
        actor=None,
        clock=story.clock,
        document=staging.document_of(record, **told),
    )


def _delete_saved(story: Story, event: Event) -> None:
    record = story.record(event["record"])
    outward.delete(
        supplier=story.taxpayers[event["party"]],
        record=record,
        actor=None,
        clock=story.clock,
        document=staging.document_of(record, withdraw=True),
    )


def _boe(story: Story, event: Event) -> None:
    story.records[event["ref"]] = feeds.bill_of_entry(
        importer=story.taxpayers[event["importer"]],
        section=Section(event["section"].lower()),
        number=event["no"],
        port=event["port"],
        boe_date=day(event["boe_date"]),
        taxable=to_paise(event.get("taxable_value", 0)),
        tax=tax(event["tax"]),
        clock=story.clock,
    ).pk


def _boe_amend(story: Story, event: Event) -> None:
    original = story.record(event["original"])
    taxable = to_paise(event["taxable_value"]) if "taxable_value" in event else original.taxable
    story.records[event["ref"]] = feeds.amend_value(
        original=original, taxable=taxable, tax=tax(event["tax"]), clock=story.clock
    ).pk


def _boe_change_gstin(story: Story, event: Event) -> None:
    old, new = feeds.change_gstin(
        original=story.record(event["original"]), to=story.taxpayers[event["to"]], clock=story.clock
    )
    story.records |= {event["ref_old"]: old.pk, event["ref_new"]: new.pk}


def _rule37a(story: Story, event: Event) -> None:
    feeds.rule_37a(
        recipient=story.taxpayers[event["party"]],
        period=periods.parse(event["period"]),
        tax=tax(event["tax"]),
        clock=story.clock,
    )


def _ims_action(story: Story, event: Event) -> str | None:
    record = story.record(event["record"])
    reduction = event.get("itc_reduction", {})
    declared = tax(reduction["declared"]) if "declared" in reduction else NIL
    choice = Choice(
        action=Action(event["action"]),
        answer=_answer(reduction),
        declared=declared,
        remark=actions.tidy(event.get("remarks", "")),
        reason_code=event.get("reason_code", ""),
    )
    outcome = actions.take(
        taxpayer=story.taxpayers[event["party"]],
        actor=None,
        clock=story.clock,
        items=[actions.Item(record.pk, record.version, choice)],
        request_id=uuid4(),
    )
    refusal = outcome.results[0].refusal
    return refusal.value if refusal else None


def _answer(reduction: Mapping[str, Any]) -> Answer:
    if not reduction:
        return Answer.NOT_GIVEN
    if reduction["answer"] == "N":
        return Answer.NONE
    return Answer.PART if "declared" in reduction else Answer.FULL


def _compute_2b(story: Story, event: Event) -> str | None:
    done = gstr2b.compute(
        taxpayer=story.taxpayers[event["party"]], period=periods.parse(event["period"]), actor=None, clock=story.clock
    )
    return "NOTHING_CHANGED" if done.nothing_changed else None


def _edit_3b(story: Story, event: Event) -> None:
    gstr3b.adjust(
        taxpayer=story.taxpayers[event["party"]],
        period=periods.parse(event["period"]),
        row=event["row"],
        tax=tax(event["tax"]),
        reason=event.get("reason", ""),
        actor=None,
        clock=story.clock,
    )


def _file_3b_event(story: Story, event: Event) -> None:
    gstr3b.file(
        taxpayer=story.taxpayers[event["party"]], period=periods.parse(event["period"]), actor=None, clock=story.clock
    )


def _set_ledger(story: Story, event: Event) -> None:
    taxpayer, ledger = story.taxpayers[event["party"]], LedgerEntry.Ledger(event["ledger"])
    move: Tax = tax(event["balance"]) - ledgers.balance(taxpayer, ledger)
    ledgers.record(taxpayer=taxpayer, ledger=ledger, move=move, cause="set from outside", at=story.clock.at)


_EVENTS: dict[str, Callable[[Story, Event], str | None]] = {
    "save": _save,
    "file": _file,
    "edit_saved": _edit_saved,
    "delete_saved": _delete_saved,
    "boe": _boe,
    "boe_amend": _boe_amend,
    "boe_change_gstin": _boe_change_gstin,
    "rule37a": _rule37a,
    "ims_action": _ims_action,
    "compute_2b": _compute_2b,
    "edit_3b": _edit_3b,
    "file_3b": _file_3b_event,
    "set_ledger": _set_ledger,
}
