"""One recipient's GSTR-2B and GSTR-3B Table 4 by docs/law.md, told a second time: plain loops over whole paise.

Nothing here comes from the application, and nothing is remembered that the law says is read from the clock. Months
are counted from year 0 (`month`); a period is its last month.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

Heads = tuple[int, int, int, int]
NOTHING: Heads = (0, 0, 0, 0)
INVOICES = ("b2b", "b2ba", "b2bdn", "b2bdna", "ecom", "ecoma")
NOTES = ("b2bcn", "b2bcna", "isdcn")
BILLS = ("impg", "impga", "impgsez", "impgseza")
CELLS = {"I": "t4A5", "II": "t4A4", "III": "t4A3", "IV": "t4A1"}  # R7.6
MAY_REDUCE = ("b2bcn", "b2bcna", "b2ba", "b2bdna", "ecoma")
RCM_BLOCK_FROM = 2026 * 12  # R8.10: January 2026
LONGEST_REMARK = 250


def month(year: int, number: int) -> int:
    return year * 12 + number - 1


IMS_FROM = month(2024, 10)  # R1.2
REDUCTION_FROM = month(2025, 10)  # R3, R4, R5, R9.3


def month_of(day: date) -> int:
    return month(day.year, day.month)


def day_in(period: int, number: int) -> date:
    return date(period // 12, period % 12 + 1, number)


def plus(left: Heads, right: Heads, sign: int = 1) -> Heads:
    return tuple(a + sign * b for a, b in zip(left, right, strict=True))


@dataclass(eq=False)
class Party:
    """Who files: by month or by quarter, from which State; `open` is the first period whose 3B is unfiled."""

    state: int
    is_quarterly: bool
    open: int

    def period(self, of: int) -> int:
        return of + 2 - of % 3 if self.is_quarterly else of

    def after(self, period: int) -> int:
        return period + (3 if self.is_quarterly else 1)

    def due_3b(self, period: int) -> date:  # R8.12
        if not self.is_quarterly:
            return day_in(period + 1, 20)
        return day_in(period + 1, 22 if 22 <= self.state <= 37 else 24)


@dataclass(frozen=True)
class Choice:
    """What a recipient says of a record; `answer` is F full, P part (`declared`), N none, or nothing."""

    action: str = "N"
    answer: str = ""
    declared: Heads = NOTHING
    remark: str = ""


@dataclass(eq=False)
class Version:
    """One version of a document. `period` is its return's; `of_quarter`: GSTR-6 or a quarterly filer."""

    section: str
    tax: Heads
    taxable: int
    dated: date  # the first version's, which the time limit goes by
    period: int
    form: str
    supplier: Party | None = None
    of_quarter: bool = False
    prev: Version | None = None
    wrong_pos: bool = False
    reverse_charge: bool = False
    old_gstin: bool = False
    is_sez: bool = False
    filed_on: date | None = None
    is_deleted: bool = False
    choice: Choice = Choice()
    settled: str = ""
    was_unavailable: bool = False
    charge: Heads = NOTHING
    standing: Heads = NOTHING  # of the whole chain, kept on its first version

    @property
    def first(self) -> Version:
        return self.prev.first if self.prev else self

    @property
    def sign(self) -> int:
        return -1 if self.section in NOTES else 1

    @property
    def part(self) -> str:
        number = "I"
        if self.section in ("isd", "isdcn"):
            number = "II"
        elif self.reverse_charge:
            number = "III"
        elif self.section in BILLS:
            number = "IV"
        return ("B_" if self.section in NOTES else "A_") + number


@dataclass(frozen=True)
class Line:
    """What one version counts for in a statement, as printed: Part B positive when it reduces."""

    placement: str
    reason: str
    part: str
    section: str
    status: str
    answer: str
    tax: Heads
    cell: str


@dataclass
class Statement:
    """A computed GSTR-2B: the day, how many changes had happened, its lines."""

    day: date
    seen: int
    lines: dict[str, Line]


@dataclass(frozen=True)
class Addback:
    """What a rejection adds to its supplier's liability, and in which of the supplier's periods."""

    row: str
    tax: Heads
    target: int


@dataclass
class Recipient:
    """One recipient's inbox and returns. Every method answers None or the law's refusal."""

    party: Party
    versions: dict[str, Version] = field(default_factory=dict)
    gstr1_filed: set[int] = field(default_factory=set)
    statements: dict[int, Statement] = field(default_factory=dict)
    changes: list[int] = field(default_factory=list)  # the 2B period of each thing that happened, R7.11
    addbacks: dict[str, Addback] = field(default_factory=dict)
    rcm_balance: Heads = NOTHING

    # --- what a record is, R7.2, R1.5, R2.14 ---
    def p2b(self, v: Version, today: date) -> int:
        day = v.filed_on or today
        if v.section in BILLS or v.section == "r37a":
            return self.party.period(v.period)
        window = month_of(day) - (day.day <= (13 if v.of_quarter else 11))
        return self.party.period(max(window, v.period + (v.form == "GSTR-1A")))

    def effect(self, v: Version, *, unavailable: bool) -> Heads:
        baseline, earlier = NOTHING, v.prev
        while earlier and not (earlier.settled == "A" and (unavailable or not earlier.was_unavailable)):
            earlier = earlier.prev
        if earlier:
            baseline = earlier.tax
        gross = NOTHING if v.old_gstin else v.tax
        return plus(NOTHING, plus(gross, baseline, -1), v.sign)

    def unavailable(self, v: Version, period: int) -> str:
        if v.wrong_pos:
            return "P"
        year = v.first.dated.year - (v.first.dated.month < 4)
        has_limit = v.section in INVOICES or v.reverse_charge
        is_late = has_limit and period >= month(year + 1, 11)
        return "C" if is_late and sum(self.effect(v, unavailable=False)) > 0 else ""

    def bypasses(self, v: Version, p2b: int) -> bool:
        outside = v.section in ("isd", "isdcn", "r37a") or v.reverse_charge
        early = p2b < (REDUCTION_FROM if v.section in BILLS else IMS_FROM)
        return outside or early or self.unavailable(v, p2b) != ""

    def reduces(self, v: Version) -> bool:
        return (v.section in MAY_REDUCE or v.old_gstin) and sum(self.effect(v, unavailable=False)) < 0

    def cap(self, v: Version) -> Heads:
        return tuple(max(0, -head) for head in self.effect(v, unavailable=False))

    def specified(self, v: Version, today: date) -> bool:
        return self.reduces(v) and self.p2b(v, today) >= REDUCTION_FROM

    def pending_until(self, v: Version, today: date) -> date | None:
        if not self.specified(v, today):
            return None
        return self.party.due_3b(self.party.after(self.p2b(v, today)))

    def action(self, v: Version, today: date) -> str:
        until = self.pending_until(v, today)
        return "N" if v.choice.action == "P" and until and today > until else v.choice.action

    def superseded(self, v: Version, today: date) -> bool:
        if v.settled:
            return False
        later = [m for m in self.versions.values() if m.prev is v and m.filed_on]
        return any(self.p2b(m, today) == self.p2b(v, today) or self.party.open >= self.p2b(m, today) for m in later)

    def kind(self, v: Version) -> str:  # R2.10
        if v.section in BILLS:
            return "K10" if v.section in ("impga", "impgseza") else "K9"
        if not v.prev:
            return "K2" if v.section in NOTES else "K1"
        earlier = v.prev
        while earlier and not (earlier.settled == "A" and not earlier.was_unavailable):
            earlier = earlier.prev
        against = earlier or v.prev
        up = (sum(v.tax), v.taxable) > (sum(against.tax), against.taxable)
        same = (sum(v.tax), v.taxable) == (sum(against.tax), against.taxable)
        if v.section in NOTES:
            return "K6" if up else "K8" if earlier else "K7"
        return "K3" if up or (same and earlier) else "K4" if earlier else "K5"

    # --- the recipient acts, R2.15 ---
    def act(self, ref: str, choice: Choice, today: date) -> str | None:
        v = self.versions[ref]
        refusal = self.locked(v, today) or self._action_refused(v, choice, today)
        refusal = refusal or self._answer_refused(v, choice, today) or self._remark_refused(v, choice, today)
        if refusal:
            return refusal
        if choice.answer == "P" and choice.declared == self.cap(v):
            choice = replace(choice, answer="F", declared=NOTHING)  # R4.3
        if choice != v.choice:
            v.choice = choice
            if v.filed_on:
                self.changes.append(self.p2b(v, today))
        return None

    def locked(self, v: Version, today: date) -> str | None:
        if v.is_deleted or self.bypasses(v, self.p2b(v, today)):
            return "RECORD_NOT_IN_IMS"
        if v.settled:
            return "RECORD_FROZEN"
        if self.superseded(v, today):
            return "RECORD_SUPERSEDED"
        if v.prev and not v.filed_on:
            return "AMENDMENT_NOT_FILED"
        if v.prev and not v.prev.settled and not self.superseded(v.prev, today):
            return "ORIGINAL_NOT_SETTLED"
        return None

    def _action_refused(self, v: Version, choice: Choice, today: date) -> str | None:
        if choice.action == "R" and v.section in BILLS:
            return "REJECT_NOT_ALLOWED"
        if choice.action == "P" and self.reduces(v):
            until = self.pending_until(v, today)
            if not until:
                return "PENDING_BLOCKED"
            if today > until:
                return "PENDING_EXPIRED"
        return None

    def _answer_refused(self, v: Version, choice: Choice, today: date) -> str | None:  # R4.6
        if choice.answer and choice.action != "A":
            return "ITC_REDUCTION_ONLY_ON_ACCEPT"
        if not self.specified(v, today):
            return "ITC_REDUCTION_BLOCKED" if choice.answer else None
        if choice.action == "A" and not choice.answer:
            return "ITC_REDUCTION_REQUIRED"
        if choice.answer != "P":
            return None
        if min(choice.declared) < 0:
            return "DECLARED_NEGATIVE"
        if not any(choice.declared):
            return "DECLARED_ZERO"
        if min(plus(self.cap(v), choice.declared, -1)) < 0:
            return "DECLARED_EXCEEDS_DOCUMENT"
        return "CGST_SGST_MISMATCH" if choice.declared[1] != choice.declared[2] else None

    def _remark_refused(self, v: Version, choice: Choice, today: date) -> str | None:  # R5
        is_full = choice.answer == "F" or (choice.answer == "P" and choice.declared == self.cap(v))
        wants = choice.action == "A" and choice.answer != "" and not is_full
        if not choice.remark:
            return "REMARKS_REQUIRED" if wants else None
        if self.p2b(v, today) < REDUCTION_FROM:
            return "REMARKS_BLOCKED"
        if len(choice.remark) > LONGEST_REMARK:
            return "REMARKS_TOO_LONG"
        return None if wants or choice.action in "RP" else "REMARKS_NOT_ALLOWED"

    # --- the supplier, or a feed, reports, R6.12 ---
    def filed(self, ref: str, today: date) -> None:
        v = self.versions[ref]
        v.filed_on = today
        is_charged = v.section in (*INVOICES, "b2bcn", "b2bcna") and not v.reverse_charge
        liability = plus(NOTHING, v.tax, v.sign) if is_charged else NOTHING
        v.charge = plus(liability, v.first.standing, -1)
        v.first.standing = liability
        self.changes.append(self.p2b(v, today))

    # --- the statement, R7.5, R7.6 ---
    def compute(self, period: int, today: date) -> str | None:
        if period < self.party.open:
            return "ALREADY_FILED"
        if today < day_in(period + 1, 14):
            return "TOO_EARLY"
        if period > self.party.open:
            return "PREVIOUS_3B_NOT_FILED"
        if not self.out_of_date(period, today):
            return "NOTHING_CHANGED"
        lines = {ref: self.line(v, period, today) for ref, v in self.scope(period, today).items()}
        self.statements[period] = Statement(today, len(self.changes), lines)
        return None

    def out_of_date(self, period: int, today: date) -> bool:  # R7.11; so is what was never computed
        last = self.statements.get(period)
        if not last or any(p2b <= period for p2b in self.changes[last.seen :]):
            return True
        waiting = [v for v in self.versions.values() if v.filed_on and not v.settled and v.choice.action == "P"]
        waiting = [v for v in waiting if self.p2b(v, today) <= period and not self.superseded(v, today)]
        untils = [self.pending_until(v, today) for v in waiting]
        return any(until and last.day <= until < today for until in untils)

    def scope(self, period: int, today: date) -> dict[str, Version]:
        """Everything filed that this period takes up; what stays Pending is no part of it."""
        found = {}
        for ref, v in self.versions.items():
            if not v.filed_on or v.settled or self.superseded(v, today):
                continue
            p2b = self.p2b(v, today)
            outside = self.bypasses(v, p2b)
            if (p2b == period) if outside else (p2b <= period and self.action(v, today) != "P"):
                found[ref] = v
        return found

    def line(self, v: Version, period: int, today: date) -> Line:
        outside = self.bypasses(v, self.p2b(v, today))
        action = "" if outside else self.action(v, today)
        reason = "" if action == "R" else self.unavailable(v, period)
        effect = self.effect(v, unavailable=reason != "")
        placement = "rejected" if action == "R" else "not_available" if reason else "available"
        if placement == "available" and v.choice.answer in ("P", "N"):
            effect = tuple(
                head if head >= 0 else -declared for head, declared in zip(effect, v.choice.declared, strict=True)
            )
        if v.section == "r37a":
            return Line("reversal", "", v.part, v.section, "", "", v.tax, "t4B2")
        status = {"A": "accepted", "N": "deemed_accepted", "R": "rejected"}.get(action, "")
        answer = v.choice.answer if action == "A" else ""
        cell = {"available": CELLS[v.part[2:]], "not_available": "t4D2", "rejected": ""}[placement]
        printed = plus(NOTHING, effect, v.sign)
        return Line(placement, reason, v.part, v.section, status, answer, printed, cell)

    def table4(self, period: int) -> dict[str, Heads]:  # R8.6
        rows = dict.fromkeys(("t4A1", "t4A3", "t4A4", "t4A5", "t4B2", "t4D2", "t3_1_d"), NOTHING)
        for line in self.statements[period].lines.values():
            letter, number = line.part.split("_")
            fed = line.cell
            sign = -1 if letter == "B" else 1
            if fed:
                rows[fed] = plus(rows[fed], line.tax, sign)
            if number == "III" and line.placement in ("available", "not_available"):
                rows["t3_1_d"] = plus(rows["t3_1_d"], line.tax, sign)
        credit = plus(plus(rows["t4A1"], rows["t4A3"]), plus(rows["t4A4"], rows["t4A5"]))
        return rows | {"t4C": plus(credit, rows["t4B2"], -1)}

    # --- the return, R8.11, R7.7, R6.3, R6.4 ---
    def file_3b(self, period: int, today: date) -> str | None:
        refusal = self._filing_refused(period, today)
        if refusal:
            return refusal
        if period in self.statements:
            self._move_rcm(period)
        frozen = [
            (ref, v, self.action(v, today), self.bypasses(v, self.p2b(v, today)), self.unavailable(v, period))
            for ref, v in self.scope(period, today).items()
        ]
        for ref, v, action, outside, _reason in frozen:
            if action == "R" and not outside and self.reduces(v):
                self._add_back(ref, v)
        for _ref, v, action, outside, reason in frozen:
            v.settled = "R" if action == "R" and not outside else "A"
            v.was_unavailable = reason != ""
        self.party.open = self.party.after(period)
        return None

    def _filing_refused(self, period: int, today: date) -> str | None:
        if period != self.party.open:
            return "ALREADY_FILED" if period < self.party.open else "PREVIOUS_3B_NOT_FILED"
        if period not in self.gstr1_filed:
            return "GSTR1_NOT_FILED"
        if period not in self.statements:
            return "GSTR2B_NOT_AVAILABLE" if period >= IMS_FROM else None
        if self.out_of_date(period, today):
            return "RECOMPUTE_REQUIRED"
        rows = self.table4(period)
        room = plus(plus(rows["t3_1_d"], self.rcm_balance), rows["t4A3"], -1)
        return "RCM_ITC_EXCEEDS_LIABILITY" if period >= RCM_BLOCK_FROM and min(room) < 0 else None

    def _move_rcm(self, period: int) -> None:
        rows = self.table4(period)
        self.rcm_balance = plus(self.rcm_balance, plus(rows["t3_1_d"], rows["t4A3"], -1))

    def _add_back(self, ref: str, v: Version) -> None:
        row = "t3_1_1_i" if v.section == "ecoma" else "t3_1_b" if v.is_sez else "t3_1_a"
        supplier = v.supplier
        target = max(supplier.open, supplier.after(supplier.period(v.period)))
        self.addbacks[ref] = Addback(row, self.cap(v), target)
        v.first.standing = plus(v.first.standing, self.cap(v))
