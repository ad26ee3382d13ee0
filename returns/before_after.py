"""What-if as its page reads it: sections of GSTR-2B, Table 4 and records, before and after; what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.models import Taxpayer
from ims_portal.rules.actions import Refusal
from ims_portal.rules.gstr2b import PARTS_B, Part, Placement
from ims_portal.rules.money import Tax
from invoices.models import Inbox, Record
from invoices.standing import Standing
from returns import summary, whatif, wording
from returns.whatif import NET, Answered, Choices
from returns.whatif_sql import LATER, SAME, WILL, Moved

TABLE_4 = ("t4A1", "t4A3", "t4A4", "t4A5", "t4B2", "t4C", "t4D2")
"""The rows of Table 4 a statement derives, and the net of them."""

VERDICTS = {
    WILL: gettext_lazy("would change"),
    SAME: gettext_lazy("stand so already"),
    LATER: gettext_lazy("count in a later GSTR-2B, so that this one stays as it is"),
    Refusal.RECORD_NOT_IN_IMS.value: gettext_lazy("cannot: they are not in IMS"),
    Refusal.RECORD_FROZEN.value: gettext_lazy("cannot: they are settled"),
    Refusal.RECORD_SUPERSEDED.value: gettext_lazy("cannot: a later version replaced them"),
    Refusal.AMENDMENT_NOT_FILED.value: gettext_lazy("cannot: amendments their suppliers have not filed yet"),
    Refusal.ORIGINAL_NOT_SETTLED.value: gettext_lazy("cannot: the original is to be decided and filed first"),
    Refusal.REJECT_NOT_ALLOWED.value: gettext_lazy("cannot: bills of entry cannot be rejected"),
    Refusal.PENDING_BLOCKED.value: gettext_lazy("cannot: the rules of their GSTR-2B bar Pending"),
    Refusal.PENDING_EXPIRED.value: gettext_lazy("cannot: the time they could be pending is over"),
    Refusal.ITC_REDUCTION_REQUIRED.value: gettext_lazy("cannot yet: say whether ITC is reduced, Full or None"),
}
"""What would become of records, as the verdicts of `whatif_sql` say it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a comparison, over all tax heads, in paise. `key` opens its records; `count` is how many there are.

    `placement` and `part` name its lines in the statement.
    """

    number: str
    name: str
    before: int
    after: int
    key: str = ""
    placement: str = ""
    part: str = ""
    is_sum: bool = False

    @property
    def change(self) -> int:
        """After less before."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Line:
    """One record that would count otherwise."""

    record: Record
    before: str
    after: str
    before_tax: int
    after_tax: int
    net: int


@dataclass(frozen=True, slots=True)
class Page:
    """An answer in words and rows."""

    answered: Answered
    verdicts: list[tuple[str, str, int, int]]
    sections: list[Row]
    table_4: list[Row]
    lines: list[Line]

    @property
    def shows_all(self) -> bool:
        """Whether every record that would change is listed."""
        return len(self.lines) < whatif.MOST_RECORDS


def page(*, taxpayer: Taxpayer, inbox: Inbox, today: Standing, choices: Choices, opened: str = "") -> Page:
    """Return what choices would come to; `opened` is the key of the figure whose records are listed, "" for all."""
    answered = whatif.ask(taxpayer=taxpayer, inbox=inbox, today=today, choices=choices)
    found = []
    if answered.changing:
        found = whatif.moved(taxpayer=taxpayer, inbox=inbox, today=today, choices=choices, opened=opened)
    records = Record.objects.select_related("supplier").filter(recipient=taxpayer)
    by_id = records.in_bulk([line.record_id for line in found])
    return Page(
        answered,
        verdicts=[
            (verdict, str(VERDICTS[verdict]), *told) for verdict, told in answered.verdicts.items() if verdict != WILL
        ],
        sections=_sections(answered),
        table_4=_table_4(answered),
        lines=[_line(line, by_id[line.record_id]) for line in found],
    )


def is_key(text: str) -> bool:
    """Whether a text is the key of a figure: a section, a part of one, a row of Table 4, or a supplier's GSTIN."""
    placement, _dot, part = text.partition(".")
    is_place = placement in set(summary.SECTIONS) and part in {"", *Part}
    return not text or is_place or text in TABLE_4 or (len(text) == 15 and text.isalnum())  # noqa: PLR2004 a GSTIN's


def _sections(answered: Answered) -> list[Row]:
    """Return each section, net of credit notes, and under it the parts that hold anything before or after."""
    before, after = _by_part(answered.before), _by_part(answered.after)
    rows = []
    for placement, (title, _a, _b) in summary.SECTIONS.items():
        parts = [part for part in Part if (placement, part) in before or (placement, part) in after]
        was, will = (
            sum(-held[placement, part] if part in PARTS_B else held[placement, part] for part in parts)
            for held in (before, after)
        )
        rows.append(Row("", str(title), was, will, placement.value, placement.value, is_sum=True))
        for part in parts:
            number, heading = summary.PARTS[part]
            key = f"{placement.value}.{part.value}"
            was, will = before[placement, part], after[placement, part]
            rows.append(Row(f"{part.value[0]} {number}", str(heading), was, will, key, placement.value, part.value))
    return rows


class _Nil(dict[tuple[Placement, Part], int]):
    """Amounts by place, nothing where there is none."""

    def __missing__(self, _key: tuple[Placement, Part]) -> int:
        return 0


def _by_part(sums: Mapping[tuple[str, str, str], tuple[int, Tax]]) -> _Nil:
    found = _Nil()
    for (placement, part, _row), (_count, tax) in sums.items():
        found[Placement(placement), Part(part)] += tax.total
    return found


def _table_4(answered: Answered) -> list[Row]:
    before, after = answered.table_4(answered.before), answered.table_4(answered.after)
    rows = []
    for name in TABLE_4:
        number, heading = wording.ROW_NAMES[name]
        rows.append(Row(number, str(heading), before[name].total, after[name].total, name, is_sum=name == NET))
    return rows


def _line(moved: Moved, record: Record) -> Line:
    return Line(
        record,
        _place(moved.before),
        _place(moved.after),
        moved.before[2] if moved.before else 0,
        moved.after[2] if moved.after else 0,
        moved.net,
    )


def _place(side: tuple[str, str, int] | None) -> str:
    return str(summary.SECTIONS[Placement(side[0])][0]) if side else _("not there: pending")
