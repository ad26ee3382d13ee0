"""What a file would do to a draft GSTR-3B, in words and figures: a line for each row it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import complaints
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.actions import Refusal
from ims_portal.rules.money import HEADS
from ims_portal.templatetags import ims as show
from returns import entries, gstr3b_reading, payment, prefill, tables, wording
from returns.gstr3b import Draft
from returns.gstr3b_reading import TAXABLE, Read
from returns.prefill import Line, Verdict

CHIPS = {
    Verdict.SAME: ("settled", gettext_lazy("No change")),
    Verdict.FILLS: ("filed", gettext_lazy("Will be filled")),
    Verdict.LOCKED: ("pending", gettext_lazy("Locked")),
    Verdict.COMPUTED: ("provisional", gettext_lazy("Computed")),
    Verdict.NO_STATEMENT: ("pending", gettext_lazy("Not yet")),
    Verdict.WRONG: ("problem", gettext_lazy("Refused")),
    Verdict.TOO_LOW: ("problem", gettext_lazy("Refused")),
}
"""What a row comes to -> the class of its chip and its word."""

CLASSES = {
    "unregistered": gettext_lazy("Supplies made to unregistered persons"),
    "composition": gettext_lazy("Supplies made to composition taxable persons"),
    "uin": gettext_lazy("Supplies made to UIN holders"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One row of the preview: amounts in paise in the order taxable value, then heads, None where there is none."""

    row: str
    number: str
    heading: str
    chip: tuple[str, str]
    says: list[str]
    warning: str
    stands: list[int | None]
    asked: list[int | None]
    has_two: bool
    needs_reason: bool
    takes_reason: bool

    @property
    def field(self) -> str:
        """The name of the control that asks why."""
        return f"reason-{self.row}"


def lines(shown: Draft, found: Sequence[Line]) -> list[Told]:
    """Return the rows of the preview: no query."""
    then = prefill.after(shown, found)
    return [_told(shown, then, line) for line in found]


def _told(shown: Draft, then: Draft, line: Line) -> Told:
    is_row = line.row in rules.ROWS
    number, heading = wording.ROW_NAMES[line.row] if is_row else ("5.1", _("Interest"))
    fills = line.verdict is Verdict.FILLS
    style, word = CHIPS[line.verdict]
    return Told(
        row=line.row,
        number=number,
        heading=str(heading),
        chip=(style, str(word)),
        says=_says(shown, line),
        warning=tables.row(then, line.row).warning if fills and is_row else "",
        stands=_amounts(line, line.stands),
        asked=_amounts(line, line.asked),
        has_two=line.verdict is not Verdict.SAME or line.wanted != line.stands,
        needs_reason=line.needs_reason(shown.period.month),
        takes_reason=fills and is_row and not line.is_as_derived,
    )


def _amounts(line: Line, told: Mapping[str, int]) -> list[int | None]:
    nothing = HEADS if line.row in rules.VALUE_ONLY else ()
    return [None if name in nothing else told.get(name) for name in (TAXABLE, *HEADS)]


def _says(shown: Draft, line: Line) -> list[str]:
    """Return what happens to a row and why, in sentences."""
    stays = _("It stays as it is.")
    if line.verdict is Verdict.FILLS:
        said = [_("It follows what is derived again.")] if line.is_as_derived and line.row != payment.INTEREST else []
    elif line.verdict is Verdict.LOCKED:
        said = [wording.locked(line.row), stays]
    elif line.verdict is Verdict.COMPUTED:
        said = [_("Computed from the declared rows: it comes to %(tax)s.") % {"tax": _heads(line.derived)}]
    elif line.verdict is Verdict.NO_STATEMENT:
        said = [_("There is no GSTR-2B yet; this row follows it."), stays]
    elif line.verdict is Verdict.WRONG:
        said = [*(complaints.tell(fault) for fault in line.faults), stays]
    elif line.verdict is Verdict.TOO_LOW:
        least = _heads(entries.least(shown, line.row).as_dict())
        said = [_("The least that may be entered: %(least)s.") % {"least": least}, stays]
    elif line.wanted != line.stands:
        said = [_("The file tells 3.2 by place, and the places are as derived: it asks for no change.")]
    else:
        said = []
    return said + _places(line)


def _heads(amounts: Mapping[str, int]) -> str:
    return ", ".join(f"{wording.HEAD_NAMES[head]} {show.inr(amounts[head])}" for head in HEADS)


def _places(line: Line) -> list[str]:
    """Return the places of 3.2 in which a file differs."""
    said = [
        _("%(class)s, place of supply %(pos)s: value %(here)s, tax %(tax)s here; %(value)s, %(told)s in the file.")
        % {
            "class": CLASSES[name],
            "pos": pos,
            "here": show.inr(here[0]),
            "tax": show.inr(here[1]),
            "value": show.inr(told[0]),
            "told": show.inr(told[1]),
        }
        for (name, pos), (here, told) in line.places.items()
    ]
    if said and line.verdict is not Verdict.LOCKED:
        said.append(_("Only the total of 3.2 is declared; its places follow your returns."))
    return said


def left_out(asked: Read) -> list[str]:
    """Return what a file holds that a return here has no place for."""
    told = []
    inward = [asked.cells.get(name, {}) for name in (gstr3b_reading.EXEMPT, gstr3b_reading.NON_GST)]
    if any(any(amounts.values()) for amounts in inward):
        told.append(_("The file also holds Table 5, inward supplies without tax. This practice return keeps none."))
    if any(asked.cells.get(gstr3b_reading.LATE_FEE, {}).values()):
        told.append(_("The file also holds a late fee. None is charged here, so it was passed over."))
    beside = (gstr3b_reading.EXEMPT, gstr3b_reading.NON_GST, gstr3b_reading.LATE_FEE)
    return told + [complaints.tell(fault) for name in beside for fault in asked.faults.get(name, ())]


def limits(shown: Draft, found: Sequence[Line]) -> list[str]:
    """Return what filing would be refused for with the rows filled: the reclaim and the RCM limit (R8.10)."""
    then = prefill.after(shown, found)
    told = []
    for row, refusal in (("t4D1", Refusal.RECLAIM_EXCEEDS_BALANCE), ("t4A3", Refusal.RCM_ITC_EXCEEDS_LIABILITY)):
        limit = tables.limit(then, row)
        if limit is not None and limit.blocks and min(limit.left) < 0:
            told.append(wording.filing(refusal, shown=then).text)
    return told
