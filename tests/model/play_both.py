"""Plays histories through the application's commands and through the model, side by side, and keeps what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import uuid4

from django.utils import timezone

from ims_portal.clock import Fixed
from ims_portal.models import FilingFrequency, Taxpayer
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import Document, Form, InvoiceType, Item, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency, TaxPeriod
from invoices import actions, feeds, locking, outward
from invoices.models import Record, SupplierReturn
from returns import gstr2b, gstr3b
from returns.models import Addback, Filing, Gstr2b, Gstr2bLine
from tests.model.histories import Event, History, Paper, Slot, World
from tests.model.law_model import NOTHING, REDUCTION_FROM, Choice, Heads, Line, Party, Recipient, Version

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TRY_AGAIN = ("RECOMPUTE_REQUIRED", "GSTR2B_NOT_AVAILABLE")
LINE = ("placement", "reason", "part", "row", "status", "answer", "igst", "cgst", "sgst", "cess", "cell")


def gstin(state: int, number: int) -> str:
    """Return a GSTIN whose check digit holds (R10.2)."""
    letters = "".join(chr(65 + number // 26**place % 26) for place in range(5))
    body = f"{state:02d}{letters}1234Q1Z"
    total = 0
    for place, character in enumerate(body):
        value = ALPHABET.index(character) * (1 + place % 2)
        total += value // 36 + value % 36
    return body + ALPHABET[-total % 36]


def yyyymm(period: int) -> int:
    return period // 12 * 100 + period % 12 + 1


@dataclass
class Both:
    """One history being played: its taxpayer and records here, its inbox there, and what the two disagreed on."""

    history: History
    taxpayer: Taxpayer
    model: Recipient
    ids: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    computed: dict[tuple[int, int], dict[str, Line]] = field(default_factory=dict)
    filed: dict[int, dict[str, Heads]] = field(default_factory=dict)

    def period(self, month: int) -> TaxPeriod:
        return TaxPeriod(yyyymm(month), Frequency.QUARTERLY if self.history.is_quarterly else Frequency.MONTHLY)

    def same(self, what: str, law: object, found: object) -> None:
        self.told.append(f"{what} -> {law}")
        if law != found:
            self.differences.append(f"{what}: the law says {law}, the application {found}")


class Play:
    """A world's calendar, played day by day for all its histories."""

    def __init__(self, world: World, histories: Iterable[History], salt: int) -> None:
        self.world, self.seen, self.clock = world, Counter[str](), Fixed(timezone.now())
        self.numbers = iter(range(salt * 1000, salt * 1000 + 1000))
        self.suppliers = {s.key: self._join(s.state, is_quarterly=s.is_quarterly) for s in world.suppliers.values()}
        for key, supplier in self.suppliers.items():  # any but the distributor may be an e-commerce operator
            supplier.kind = Taxpayer.Kind.ISD if key == "I" else Taxpayer.Kind.ECO
            supplier.save()
        self.parties = {key: self._party(s.state, s.is_quarterly) for key, s in world.suppliers.items()}
        self.others = [self._join(27, is_quarterly=False) for _ in range(2)]
        self.all = [self._begin(history) for history in histories]
        SupplierReturn.objects.bulk_create([line for both in self.all for line in self._own_gstr1(both)])

    def _join(self, state: int, *, is_quarterly: bool) -> Taxpayer:
        number = next(self.numbers)
        made = Taxpayer.objects.create(
            gstin=gstin(state, number), legal_name=f"Firm {number}", first_month=yyyymm(self.world.start)
        )
        FilingFrequency.objects.create(taxpayer=made, frequency="Q" if is_quarterly else "M")
        locking.ensure([made])
        return made

    def _party(self, state: int, is_quarterly: bool) -> Party:
        party = Party(state, is_quarterly, 0)
        party.open = party.period(self.world.start)
        return party

    def _begin(self, history: History) -> Both:
        party = self._party(history.state, history.is_quarterly)
        return Both(history, self._join(history.state, is_quarterly=history.is_quarterly), Recipient(party))

    def _own_gstr1(self, both: Both) -> Iterable[SupplierReturn]:
        party = both.model.party
        periods = {party.period(self.world.start + n) for n in range(self.world.months + 3)}
        for period in sorted(periods - set(both.history.late_gstr1)):
            both.model.gstr1_filed.add(period)
            month, on = yyyymm(period), date(period // 12, period % 12 + 1, 28)
            yield SupplierReturn(
                supplier=both.taxpayer, form="GSTR-1", month=month, own_month=month, filed_on=on, filed_at=_at(on)
            )

    # --- the days ---

    def run(self) -> list[Both]:
        """Play everything to the last day, compare what is kept, and return the histories."""
        steps = [step for step in self._steps() if step[0] <= self.world.last_day]
        for day, _order, step in sorted(steps, key=lambda line: line[:2]):
            self.clock.at = _at(day)
            step(day)
        self._compare()
        return self.all

    def _steps(self) -> Iterable[tuple[date, int, Callable[[date], None]]]:
        for key, supplier in self.world.suppliers.items():
            for at, slot in enumerate(supplier.slots):
                yield slot.saved_on, 1, lambda _day, k=key, n=at: self._save(k, n, is_second=False)
                yield slot.edited_on, 2, lambda _day, k=key, n=at: self._save(k, n, is_second=True)
                if slot.filed_on:
                    yield slot.filed_on, 3, lambda day, k=key, n=at: self._file(k, n, day)
            for day, period in supplier.filings:
                yield day, 5, lambda _day, k=key, p=period: self._close_supplier(k, p)
        for both in self.all:
            yield from self._steps_of(both)

    def _steps_of(self, both: Both) -> Iterable[tuple[date, int, Callable[[date], None]]]:
        for paper in both.history.papers:
            if paper.arrives:
                yield paper.arrives, 4, lambda day, p=paper: self._feed(both, p, day)
        for event in both.history.events:
            yield event.day, 6, lambda day, e=event: self._happen(both, e, day)

    # --- suppliers ---

    def _papers(self, key: str, at: int, *ways: str) -> list[tuple[Both, Paper]]:
        return [
            (both, paper)
            for both in self.all
            for paper in both.history.papers
            if paper.supplier == key and paper.slot == at and paper.how in ways
        ]

    def _save(self, key: str, at: int, *, is_second: bool) -> None:
        chosen = self._papers(key, at, *(("edited", "deleted") if is_second else ("saved", "edited", "deleted")))
        if not chosen:
            return
        documents = []
        for both, paper in chosen:
            as_saved = paper if is_second or paper.how == "saved" else _before_edit(paper)
            if is_second and paper.how == "deleted":
                documents.append(self._document(both, _before_edit(paper), withdraw=True))
            else:
                documents.append(self._document(both, as_saved))
            self._model_save(both, as_saved, is_second=is_second)
        outward.save(**self._form(key, at), found=documents, all_or_nothing=True)
        self._remember(key, at, chosen)

    def _model_save(self, both: Both, paper: Paper, *, is_second: bool) -> None:
        if not is_second:
            both.model.versions[paper.ref] = self._version(both, paper)
            return
        v = both.model.versions[paper.ref]
        if paper.how == "deleted":
            v.is_deleted = True
        elif v.tax != paper.tax:
            v.tax, v.taxable, v.choice = paper.tax, paper.taxable, Choice()

    def _file(self, key: str, at: int, day: date) -> None:
        new = self._papers(key, at, "filed")
        outward.file(**self._form(key, at), found=[self._document(both, paper) for both, paper in new])
        self._remember(key, at, new)
        for both, paper in new:
            both.model.versions[paper.ref] = self._version(both, paper)
        for both, paper in self._papers(key, at, "filed", "saved", "edited"):
            both.model.filed(paper.ref, day)
            both.told.append(f"{day} {key} files {paper}")

    def _form(self, key: str, at: int) -> dict[str, object]:
        slot = self.world.suppliers[key].slots[at]
        frequency = Frequency.QUARTERLY if slot.is_quarter else Frequency.MONTHLY
        period = TaxPeriod(yyyymm(slot.period), frequency)
        return {
            "supplier": self.suppliers[key],
            "form": Form(slot.form),
            "period": period,
            "actor": None,
            "clock": self.clock,
        }

    def _remember(self, key: str, at: int, chosen: list[tuple[Both, Paper]]) -> None:
        slot: Slot = self.world.suppliers[key].slots[at]
        kept = Record.objects.filter(supplier=self.suppliers[key], form=slot.form, return_month=yyyymm(slot.period))
        by_name = {(pk, number): found for pk, number, found in kept.values_list("recipient_id", "number", "id")}
        for both, paper in chosen:
            both.ids[paper.ref] = by_name[both.taxpayer.pk, paper.number]

    def _document(self, both: Both, paper: Paper, *, withdraw: bool = False) -> Document:
        state = self.suppliers[paper.supplier].state if paper.wrong_pos else both.taxpayer.state
        heads = Tax(*paper.tax)
        return Document(
            section=Section(paper.section),
            recipient=both.taxpayer.gstin,
            number=paper.number,
            date=paper.dated,
            taxable=paper.taxable,
            tax=heads,
            pos=state,
            value=paper.taxable + heads.total,
            inv_type=InvoiceType(paper.inv_type),
            reverse_charge=paper.reverse_charge,
            items=() if paper.supplier == "I" else (Item(1800, paper.taxable, heads),),
            original_number=paper.number if paper.prev else "",
            original_date=paper.dated if paper.prev else None,
            position=f"{both.taxpayer.gstin} {paper.ref}",
            withdraw=withdraw,
        )

    def _version(self, both: Both, paper: Paper) -> Version:
        supplier = self.world.suppliers.get(paper.supplier)
        slot = supplier.slots[paper.slot] if supplier else None
        return Version(
            section=paper.section,
            tax=paper.tax,
            taxable=paper.taxable,
            dated=paper.dated,
            period=slot.period if slot else paper.period,
            form=slot.form if slot else "",
            supplier=self.parties.get(paper.supplier),
            of_quarter=bool(supplier and (supplier.is_quarterly or supplier.is_isd)),
            prev=both.model.versions[paper.prev] if paper.prev else None,
            wrong_pos=paper.wrong_pos,
            reverse_charge=paper.reverse_charge,
            is_sez=paper.inv_type == "SEWP",
            old_gstin=paper.side == "old",
        )

    def _close_supplier(self, key: str, period: int) -> None:
        party = self.parties[key]
        own = TaxPeriod(yyyymm(period), Frequency.QUARTERLY if party.is_quarterly else Frequency.MONTHLY)
        told = {"taxpayer": self.suppliers[key], "period": own, "actor": None, "clock": self.clock}
        gstr2b.compute(**told)
        gstr3b.file(**told)
        party.open = party.after(period)

    # --- feeds ---

    def _feed(self, both: Both, paper: Paper, day: date) -> None:
        if is_left_out(both.model, paper):
            return
        both.model.versions[paper.ref] = self._version(both, paper)
        both.model.filed(paper.ref, day)
        both.told.append(f"{day} {paper}")
        told = {"taxable": paper.taxable, "tax": Tax(*paper.tax), "clock": self.clock}
        bill = {"number": f"{paper.number}-{both.taxpayer.pk}", "port": "INMAA1", "boe_date": paper.dated, **told}
        if paper.section == "r37a":
            period = both.period(paper.period)
            made = feeds.rule_37a(recipient=both.taxpayer, period=period, tax=told["tax"], clock=self.clock)
        elif paper.side == "new":
            section = Section(paper.section.removesuffix("a"))
            theirs = feeds.bill_of_entry(importer=self.others[0], section=section, **bill)
            made = feeds.change_gstin(original=theirs, to=both.taxpayer, clock=self.clock)[1]
        elif not paper.prev:
            made = feeds.bill_of_entry(importer=both.taxpayer, section=Section(paper.section), **bill)
        elif paper.side == "old":
            original = Record.objects.select_related("recipient").get(pk=both.ids[paper.prev])
            made = feeds.change_gstin(original=original, to=self.others[1], clock=self.clock)[0]
        else:
            original = Record.objects.select_related("recipient").get(pk=both.ids[paper.prev])
            made = feeds.amend_value(original=original, **told)
        both.ids[paper.ref] = made.pk

    # --- the recipient ---

    def _happen(self, both: Both, event: Event, day: date) -> None:
        if event.kind == "act":
            self._act(both, event, day)
        elif event.kind == "compute":
            self._compute(both, event.period, day)
        elif event.kind == "gstr1":
            self._file_own_gstr1(both, event.period)
        elif self._close(both, event.period, day) in TRY_AGAIN:
            self._compute(both, event.period, day)
            self._close(both, event.period, day)

    def _file_own_gstr1(self, both: Both, period: int) -> None:
        if period == both.model.party.open:  # R6.11: not before the 3B before it
            told = {"supplier": both.taxpayer, "period": both.period(period), "actor": None, "clock": self.clock}
            outward.file(form=Form.GSTR1, **told)
            both.model.gstr1_filed.add(period)

    def _act(self, both: Both, event: Event, day: date) -> None:
        rng = Random(event.seed)  # noqa: S311 a history, not a secret
        refs = [ref for ref in event.refs if ref in both.ids and is_worth_trying(both.model, ref, rng, day)]
        chosen = {ref: choose(both.model, ref, rng, day) for ref in refs}
        if not chosen:
            return
        ids = [both.ids[ref] for ref in chosen]
        versions = dict(Record.objects.filter(pk__in=ids).values_list("pk", "version"))
        items = [
            actions.Item(
                both.ids[ref],
                versions[both.ids[ref]],
                actions.Choice(Action(c.action), Answer(c.answer), Tax(*c.declared), c.remark),
            )
            for ref, c in chosen.items()
        ]
        outcome = actions.take(taxpayer=both.taxpayer, items=items, actor=None, clock=self.clock, request_id=uuid4())
        for (ref, choice), result in zip(chosen.items(), outcome.results, strict=True):
            kind, until = both.model.kind(v := both.model.versions[ref]), both.model.pending_until(v, day)
            law = both.model.act(ref, choice, day)
            both.same(f"{day} acts {ref} {choice}", law, result.refusal.value if result.refusal else None)
            self.seen["acts on the last day of Pending"] += until == day
            self.seen["acts on the day after"] += until == day - timedelta(days=1)
            self.seen[law or f"{kind} {choice.action}{choice.answer}"] += 1

    def _compute(self, both: Both, period: int, day: date) -> None:
        law = both.model.compute(period, day)
        if law is None:
            version = 1 + sum(month == period for month, _version in both.computed)
            both.computed[period, version] = dict(both.model.statements[period].lines)
            self._count_carried(both, period, day)
        try:
            done = gstr2b.compute(taxpayer=both.taxpayer, period=both.period(period), actor=None, clock=self.clock)
            found = "NOTHING_CHANGED" if done.nothing_changed else None
        except gstr2b.StatementRefusedError as refused:
            found = refused.refusal.value
        both.same(f"{day} computes {yyyymm(period)}", law, found)
        self.seen[f"compute {law}"] += 1

    def _count_carried(self, both: Both, period: int, day: date) -> None:
        for ref, line in both.model.statements[period].lines.items():
            v = both.model.versions[ref]
            is_carried = both.model.p2b(v, day) < period
            self.seen["carried over"] += is_carried
            self.seen["carried over past the time limit"] += is_carried and line.reason == "C"
            self.seen["lapsed"] += v.choice.action == "P" and line.status == "deemed_accepted"

    def _close(self, both: Both, period: int, day: date) -> str | None:
        law = both.model.file_3b(period, day)
        if law is None and period in both.model.statements:
            both.filed[period] = both.model.table4(period)
        try:
            gstr3b.file(taxpayer=both.taxpayer, period=both.period(period), actor=None, clock=self.clock)
            found = None
        except gstr3b.Gstr3bRefusedError as refused:
            found = refused.refusal.value
        both.same(f"{day} files 3B {yyyymm(period)}", law, found)
        self.seen[f"3B {law}"] += 1
        return law

    # --- what is kept, compared ---

    def _compare(self) -> None:
        by_pk = {both.taxpayer.pk: both for both in self.all}
        lines = self._lines(by_pk)
        made: dict[int, set[tuple[int, int]]] = {pk: set() for pk in by_pk}
        for pk, month, version in Gstr2b.objects.filter(recipient__in=by_pk).values_list(
            "recipient_id", "month", "version"
        ):
            made[pk].add((month, version))
        filings = {(line.taxpayer_id, line.month): line for line in Filing.objects.filter(taxpayer__in=by_pk).all()}
        addbacks = {line.record_id: line for line in Addback.objects.filter(recipient__in=by_pk)}
        records = Record.objects.filter(recipient__in=by_pk).in_bulk()
        for pk, both in by_pk.items():
            law = {(yyyymm(period), version) for period, version in both.computed}
            both.same("statements", law, made[pk])
            for (period, version), expected in both.computed.items():
                self._compare_lines(both, yyyymm(period), version, expected, lines)
            for period, rows in both.filed.items():
                self._compare_rows(both, period, rows, filings)
            for ref, record_id in both.ids.items():
                self._compare_record(both, ref, records[record_id], addbacks.get(record_id))

    def _lines(self, by_pk: dict[int, Both]) -> dict[tuple[int, int], list[Gstr2bLine]]:
        found: dict[tuple[int, int], list[Gstr2bLine]] = {}
        for line in Gstr2bLine.objects.filter(recipient__in=by_pk):
            found.setdefault((line.recipient_id, line.month), []).append(line)
        return found

    def _compare_lines(
        self,
        both: Both,
        month: int,
        version: int,
        expected: dict[str, Line],
        lines: dict[tuple[int, int], list[Gstr2bLine]],
    ) -> None:
        refs = {pk: ref for ref, pk in both.ids.items()}
        found = {
            refs[line.record_id]: tuple(getattr(line, name) for name in LINE)
            for line in lines.get((both.taxpayer.pk, month), ())
            if line.first_version <= version and (line.last_version is None or line.last_version >= version)
        }
        law = {ref: _flat(line) for ref, line in expected.items()}
        for ref in sorted(law.keys() | found.keys()):
            both.same(f"2B {month} v{version} {ref}", law.get(ref), found.get(ref))
        for line in expected.values():
            self.seen[f"line {line.placement} {line.reason}"] += 1
            self.seen[f"part {line.part}"] += 1

    def _compare_rows(
        self, both: Both, period: int, rows: dict[str, Heads], filings: dict[tuple[int, int], Filing]
    ) -> None:
        filing = filings.get((both.taxpayer.pk, yyyymm(period)))
        for name, law in rows.items():
            found = tuple(filing.derived.get(name, (0, 0, 0, 0))) if filing else None
            both.same(f"3B {yyyymm(period)} {name}", law, found)

    def _compare_record(self, both: Both, ref: str, record: Record, addback: Addback | None) -> None:
        v, law = both.model.versions[ref], both.model.addbacks.get(ref)
        expected = (law.row, *law.tax, yyyymm(law.target)) if law else None
        found = (addback.row, *addback.tax, addback.target_month) if addback else None
        both.same(f"add-back {ref}", expected, found)
        charged = (record.charged_igst, record.charged_cgst, record.charged_sgst, record.charged_cess)
        both.same(f"charge {ref}", v.charge, charged)
        both.same(f"settled {ref}", v.settled, record.settled_as)
        both.same(
            f"superseded {ref}",
            bool(v.filed_on) and both.model.superseded(v, self.world.last_day),
            record.superseded_by_id is not None,
        )
        if v.filed_on and v.section != "r37a" and not both.model.bypasses(v, both.model.p2b(v, self.world.last_day)):
            kind = both.model.kind(v)
            both.same(f"kind {ref}", kind, record.kind)
            self.seen[f"kind {kind}"] += 1
        self._count(both, v, law is not None)

    def _count(self, both: Both, v: Version, has_addback: bool) -> None:
        self.seen["add-back"] += has_addback
        self.seen["superseded"] += bool(v.filed_on) and both.model.superseded(v, self.world.last_day)
        self.seen["refiled after add-back"] += bool(v.prev and any(v.charge) and v.charge == v.tax)


def is_left_out(model: Recipient, paper: Paper) -> bool:
    """Whether a thing is not played because application and law are known to differ, or the law is silent, about it.

    A Rule 37A reversal fed for a period whose 3B is filed: R7.6 takes up the feeds of p only and says nothing of one
    that comes later still.
    """
    return paper.section == "r37a" and paper.period < model.party.open


def _flat(line: Line) -> tuple[object, ...]:
    return (line.placement, line.reason, line.part, line.section, line.status, line.answer, *line.tax, line.cell)


def _at(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(10)), timezone.get_default_timezone())


def _before_edit(paper: Paper) -> Paper:
    heads: Heads = tuple(head * paper.before_edit for head in paper.tax)
    return replace(paper, taxable=paper.taxable * paper.before_edit, tax=heads)


def is_worth_trying(model: Recipient, ref: str, rng: Random, day: date) -> bool:
    """Whether an action on a record is to be tried: seldom where it is settled or bypasses IMS, else always."""
    is_out = model.locked(model.versions[ref], day) in ("RECORD_NOT_IN_IMS", "RECORD_FROZEN")
    return not is_out or rng.random() < 0.15


def choose(model: Recipient, ref: str, rng: Random, day: date) -> Choice:
    """Return a choice, most often one that is complete for the record as it stands, sometimes anything."""
    v = model.versions[ref]
    action = rng.choices("ARPN", (5, 4, 5, 1) if v.choice.action != "P" else (5, 1, 3, 2))[0]
    cap, is_new = model.cap(v), model.p2b(v, day) >= REDUCTION_FROM
    is_asked = action == "A" and model.specified(v, day)
    if rng.random() < (0.5 if is_asked else 0.2):
        answer = rng.choice(("", "F", "P", "P", "P", "N"))
        negative, one_head, too_much = (-1, 0, 0, 0), (cap[0], cap[1], 0, cap[3]), (cap[0] + 1, *cap[1:])
        declared = rng.choice((cap, NOTHING, negative, one_head, too_much, (*cap[:3], 10**8)))
        declared = one_head if cap[1] and rng.random() < 0.5 else declared
        remark = rng.choice(("", "", "x", "x" * 251))
        return Choice(action, answer, declared if answer == "P" else NOTHING, remark)
    if is_asked:
        answer = rng.choice("FFPPN")
        part = (cap[0] // 2, min(cap[1:3]) // 2, min(cap[1:3]) // 2, cap[3] // 2)
        return Choice(action, answer, part if answer == "P" else NOTHING, "" if answer == "F" else "in part")
    return Choice(action, remark="why" if action in "RP" and is_new and rng.random() < 0.3 else "")
