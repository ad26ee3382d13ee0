"""Filling a draft GSTR-3B from a file: what each row of the file would do, and doing it, all or nothing (R8.17).

Only rows that may be typed by hand are filled, under the same checks; what is locked, computed or wrong stays as it
is. What the file does not say of a row stays too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, auto

from django.utils.translation import gettext as _

from ims_portal import access, once
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Problem
from ims_portal.rules.money import HEADS, NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import locking, standing
from invoices.json_reading import shown as printable
from invoices.models import Inbox
from returns import entries, gstr3b, gstr3b_reading, payment, table3
from returns.gstr3b import ChangedSinceShownError, Draft, Gstr3bRefusedError, Said
from returns.gstr3b_reading import TAXABLE, Read, UnreadableFileError

WRONG_GSTIN, WRONG_PERIOD = "APP-F05", "APP-G117"
ORDER = (*rules.ROWS, payment.INTEREST)


class ReasonsMissingError(Exception):
    """Rows would be declared otherwise than derived without their reason; nothing was kept. `rows` names them."""

    code = "REASON_REQUIRED"

    def __init__(self, rows: Sequence[str]) -> None:
        self.rows = rows
        super().__init__(self.code)


class Verdict(Enum):
    """What a row of a file comes to."""

    SAME = auto()
    FILLS = auto()
    LOCKED = auto()
    COMPUTED = auto()
    NO_STATEMENT = auto()
    WRONG = auto()
    TOO_LOW = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """A row the file speaks of: amounts in paise by name, as the draft stands and as the file holds them.

    `derived` is what the row follows where nobody declares it; `places` are the places of 3.2 that differ: class and
    place of supply -> [taxable value, IGST], here and in the file. `faults` is what is wrong with it, in English.
    """

    row: str
    verdict: Verdict
    stands: Mapping[str, int]
    asked: Mapping[str, int]
    derived: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[tuple[str, str], tuple[list[int], list[int]]] = field(default_factory=dict)
    faults: Sequence[str] = ()

    @property
    def wanted(self) -> Mapping[str, int]:
        """The row once filled: what the file does not hold stays."""
        return {**self.stands, **self.asked}

    @property
    def tax(self) -> Tax:
        """The tax of the row once filled."""
        return Tax(*(self.wanted.get(head, 0) for head in HEADS))

    @property
    def is_as_derived(self) -> bool:
        """Whether the row, once filled, follows what is derived again."""
        return self.wanted == self.derived

    def needs_reason(self, month: int) -> bool:
        """Whether filling it needs a reason (R8.17)."""
        if self.verdict is not Verdict.FILLS or self.row not in rules.ROWS:
            return False
        is_other = self.tax != Tax(*(self.derived[head] for head in HEADS))
        return is_other and rules.NEEDS_REASON.decide(month, row=self.row).outcome


def read(content: bytes, *, taxpayer: Taxpayer, period: TaxPeriod) -> Read:
    """Return what a file says of a taxpayer's GSTR-3B. Raises UnreadableFileError, for another's file too."""
    found = gstr3b_reading.read(content)
    names = {"found": printable(found.gstin), "wanted": taxpayer.gstin}
    if found.gstin != taxpayer.gstin:
        text = _(
            "The file is of %(found)s, but you are uploading for %(wanted)s. Nothing of it was kept. Choose the "
            "right file, or change to the other GSTIN."
        )
        raise UnreadableFileError(Problem(WRONG_GSTIN, text % names, field="gstin"))
    if found.period != period.wire:
        text = _(
            "The file is the GSTR-3B of %(found)s, but you are uploading for %(wanted)s. Nothing of it was kept. "
            "Choose the right file, or open the other period."
        )
        names = {"found": printable(found.period), "wanted": period.wire}
        raise UnreadableFileError(Problem(WRONG_PERIOD, text % names, field="ret_period"))
    return found


def judge(shown: Draft, asked: Read) -> list[Line]:
    """Return what a file would do to each row it speaks of, in the order of the form: no query."""
    lines = [_line(shown, asked, row) for row in ORDER if row != gstr3b_reading.NET and _tells(asked, row)]
    if _tells(asked, gstr3b_reading.NET):
        lines.append(_net(shown, asked, lines))
    return sorted(lines, key=lambda line: ORDER.index(line.row))


def _tells(asked: Read, row: str) -> bool:
    return row in asked.cells or row in asked.faults or (row == gstr3b_reading.PLACES and bool(asked.places))


def _line(shown: Draft, asked: Read, row: str) -> Line:
    stands, derived = _amounts(shown, row, of_declared=True), _amounts(shown, row, of_declared=False)
    if row in asked.faults:
        return Line(row, Verdict.WRONG, stands, {}, faults=asked.faults[row])
    places = _places(shown, asked) if row == gstr3b_reading.PLACES else {}
    told = _totals(shown, asked) if row == gstr3b_reading.PLACES else asked.cells[row]
    found = Line(row, Verdict.FILLS, stands, told, derived, places)
    return replace(found, verdict=_verdict(shown, found))


def _verdict(shown: Draft, line: Line) -> Verdict:
    """Return what becomes of a row whose amounts can be read."""
    row, month = line.row, shown.period.month
    # Our own file tells 3.2 by places, and these as derived whatever total is declared: that asks for nothing.
    if (row == gstr3b_reading.PLACES and not line.places) or line.wanted == line.stands:
        return Verdict.LOCKED if row in shown.locked and line.places else Verdict.SAME
    if row == payment.INTEREST:
        return Verdict.TOO_LOW if entries.is_too_low(shown, row, line.tax) else Verdict.FILLS
    if row in shown.locked or rules.EDIT_REFUSALS.decide(month, row=row).outcome is not None:
        return Verdict.LOCKED
    if shown.statement is None and row in rules.FROM_STATEMENT:
        return Verdict.NO_STATEMENT
    return Verdict.FILLS


def _net(shown: Draft, asked: Read, lines: Iterable[Line]) -> Line:
    """Return what becomes of 4(C), which is computed: `wanted` is what it comes to with the other rows filled."""
    row = gstr3b_reading.NET
    stands = _amounts(shown, row, of_declared=True)
    if row in asked.faults:
        return Line(row, Verdict.WRONG, stands, {}, faults=asked.faults[row])
    comes_to = after(shown, lines).declared[row].as_dict()
    told = asked.cells[row]
    is_same = stands == comes_to == {**comes_to, **told}
    return Line(row, Verdict.SAME if is_same else Verdict.COMPUTED, stands, told, derived=comes_to)


def _amounts(shown: Draft, row: str, *, of_declared: bool) -> Mapping[str, int]:
    """Return the amounts of a row, of interest what the system works out as derived."""
    if row == payment.INTEREST:
        behind = shown.payment.late if shown.payment else None
        system = behind.interest if behind else NIL
        return (shown.payment.interest if of_declared and shown.payment else system).as_dict()
    tax, taxable = (shown.declared, shown.declared_taxable) if of_declared else (shown.derived, shown.taxable)
    value = {TAXABLE: taxable.get(row, 0)} if row in rules.TABLE_3 else {}
    return value | tax[row].as_dict()


def _own_places(shown: Draft) -> Mapping[str, Mapping[str, list[int]]]:
    """Return the places of 3.2 as our own file writes them (`gstr3b_rows`)."""
    found = table3.by_place(shown.outward)
    by_class = {"unregistered": found[False], "composition": [], "uin": found[True]}
    return {name: {one.pos: [one.taxable, one.igst] for one in places} for name, places in by_class.items()}


def _places(shown: Draft, asked: Read) -> Mapping[tuple[str, str], tuple[list[int], list[int]]]:
    """Return the places of the classes a file tells of that differ from ours, here and in the file."""
    nothing = [0, 0]
    ours = _own_places(shown)
    return {
        (name, pos): pair
        for name, told in asked.places.items()
        for pos in sorted(told.keys() | ours[name].keys())
        if (pair := (ours[name].get(pos, nothing), told.get(pos, nothing))) and pair[0] != pair[1]
    }


def _totals(shown: Draft, asked: Read) -> Mapping[str, int]:
    """Return the total of 3.2 in a file; a class it does not tell of counts as ours."""
    lines = [pair for places in {**_own_places(shown), **asked.places}.values() for pair in places.values()]
    return {TAXABLE: sum(taxable for taxable, _igst in lines), "igst": sum(igst for _taxable, igst in lines)}


def after(shown: Draft, lines: Iterable[Line]) -> Draft:
    """Return a draft as it would stand with the rows filled, with its warnings and limits; not its payment."""
    fills = [line for line in lines if line.verdict is Verdict.FILLS and line.row in rules.ROWS]
    taxed = {line.row: line.tax for line in fills if line.row not in rules.VALUE_ONLY}
    declared = rules.computed({**shown.declared, **taxed})
    values = {line.row: line.wanted[TAXABLE] for line in fills if line.row in rules.TABLE_3}
    reclaim = shown.reclaim_room - rules.reclaim_room(shown.declared, NIL)
    rcm = shown.rcm_room - rules.rcm_room(shown.declared, NIL)
    return replace(
        shown,
        declared=declared,
        declared_taxable={**shown.declared_taxable, **values},
        warnings=rules.warnings(shown.period.month, shown.derived, declared),
        reclaim_room=rules.reclaim_room(declared, reclaim),
        rcm_room=rules.rcm_room(declared, rcm),
    )


@dataclass(frozen=True, slots=True)
class Preview:
    """What somebody was shown of a file: the draft's digest, the rows that would be filled, and what the file says."""

    digest: str
    fills: list[str]
    asked: Read


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why rows differ from what is derived: row -> its own reason, and one for those that need it and have none."""

    own: Mapping[str, str] = field(default_factory=dict)
    for_all: str = ""

    def of(self, line: Line, month: int) -> str:
        """Return the reason of a row of a period, empty where nobody gave one."""
        return self.own.get(line.row, "").strip() or (self.for_all.strip() if line.needs_reason(month) else "")


def preview(shown: Draft, asked: Read) -> Preview:
    """Return what is to be sent back with the order to fill."""
    return Preview(shown.digest, _filled(judge(shown, asked)), asked)


def _filled(lines: Iterable[Line]) -> list[str]:
    return [line.row for line in lines if line.verdict is Verdict.FILLS]


def fill(
    *,
    taxpayer: Taxpayer,
    period: TaxPeriod,
    seen: Preview,
    reasons: Reasons,
    actor: User,
    clock: Clock,
    request_id: uuid.UUID,
) -> int:
    """Fill the rows somebody was shown, each with its reason, or none of them; return how many.

    The same `request_id` again changes nothing. Raises once.MismatchError, ChangedSinceShownError where the draft or
    what the file would do is not as shown, ReasonsMissingError, access.RightMissingError, and Gstr3bRefusedError
    (WRONG_PERIOD, ALREADY_FILED).
    """
    locking.ensure([taxpayer])
    asked = {"do": "prefill", "gstin": taxpayer.gstin, "period": period.name}
    body = {**asked, "seen": asdict(seen), "reasons": asdict(reasons)}

    def work() -> int:
        inbox = locking.lock([taxpayer.pk])[taxpayer.pk]
        at = clock.now()
        access.require(user=actor, taxpayer=taxpayer, right=Right.COMPUTE, at=at)
        command = once.claim(actor=actor, key=request_id, body=body)
        if not command.answer:
            shown = gstr3b.draft(taxpayer=taxpayer, period=period, at=at, today=standing.of(taxpayer, at))
            for line in _as_seen(shown, seen, reasons):
                _fill_row(inbox, shown, line, Said(reasons.of(line, period.month), actor, at))
            once.answered(command, {"rows": seen.fills})
        return len(seen.fills)

    return locking.transact(work)


def _as_seen(shown: Draft, seen: Preview, reasons: Reasons) -> list[Line]:
    """Return the rows to be filled, where everything is as it was shown."""
    if shown.filing is not None:
        raise Gstr3bRefusedError(Refusal.ALREADY_FILED)
    if shown.refusal is Refusal.WRONG_PERIOD:
        raise Gstr3bRefusedError(shown.refusal)
    lines = judge(shown, seen.asked)
    if shown.digest != seen.digest or _filled(lines) != seen.fills:
        raise ChangedSinceShownError(shown)
    fills = [line for line in lines if line.verdict is Verdict.FILLS]
    month = shown.period.month
    bare = [line.row for line in fills if line.needs_reason(month) and not reasons.of(line, month)]
    if bare:
        raise ReasonsMissingError(bare)
    return fills


def _fill_row(inbox: Inbox, shown: Draft, line: Line, said: Said) -> None:
    """Keep a row as it would be kept when typed by hand. This will join the caller's transaction."""
    if line.row == payment.INTEREST:
        entries.keep(shown=shown, row=line.row, tax=line.tax, actor=said.actor, at=said.at)
        return
    gstr3b.declare_row(
        inbox=inbox,
        period=shown.period,
        row=line.row,
        derived=(shown.derived[line.row], shown.taxable.get(line.row)),
        figures=(line.tax, line.wanted.get(TAXABLE)),
        said=said,
    )
