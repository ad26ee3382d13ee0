"""What a supplier reported, as a workbook: its documents, what each recipient decided, what that costs (R6.1 to R6.4).

It holds what the pages of the outward desk show and nothing else: never what a recipient answered to the ITC question,
what it declared, its books, its GSTR-2B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet

from ims_portal.models import Taxpayer
from ims_portal.rules.actions import Action, ReasonCode
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.gstin import STATES
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.periods import TaxPeriod
from ims_portal.spreadsheet import Cell, Field, Sheet, rupees
from invoices import outward_list, reported, wording
from invoices.ims_workbook import FLAG, HEAD_NAMES, TITLE, TYPES, day, month
from invoices.models import Record
from invoices.outward_list import Counted
from invoices.reported import Effect, Row

BATCH = 2_000
"""Documents read at once: their recipients' standing is one query for all of them."""

SHEET = "Documents"
COLUMNS = (Action.NONE, Action.ACCEPT, Action.REJECT, Action.PENDING)
EFFECTS = {Effect.NONE: "None", Effect.PROVISIONAL: "Provisional", Effect.FIXED: "Fixed"}

Said = Field[Row]


def _of_record(of: Callable[[Record], Cell]) -> Callable[[Row], Cell]:
    return lambda row: of(row.record)


def _taxes(group: str, of: Callable[[Row], Tax | None]) -> Iterator[Said]:
    for head in HEADS:
        yield Said((group, HEAD_NAMES[head]), _amount(of, head))


def _amount(of: Callable[[Row], Tax | None], head: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        tax = of(row)
        return None if tax is None else rupees(getattr(tax, head))

    return cell


def _reason(row: Row) -> str:
    code = row.record.reason_code if row.action is Action.REJECT else ""
    return str(wording.REASONS[ReasonCode(code)]) if code else ""


def _lands_in(row: Row) -> str:
    return month(TaxPeriod(row.target_month).wire) if row.target_month else ""


FIELDS: tuple[Said, ...] = (
    Said(("Category",), _of_record(lambda record: str(wording.SECTIONS[Section(record.section)])), 26),
    Said(("GSTIN of recipient",), _of_record(lambda record: record.recipient.gstin), 18),
    Said(("Trade/Legal name",), _of_record(lambda record: record.recipient.name), 34),
    Said(("Document", "Number"), _of_record(lambda record: record.number), 20),
    Said(("Document", "Date"), _of_record(lambda record: day(record.document_date)), 12),
    Said(("Document", "Type of supply"), _of_record(lambda record: TYPES[InvoiceType(record.inv_type)]), 16),
    Said(("Document", "Value (₹)"), _of_record(lambda record: rupees(record.value))),
    Said(("Original", "Number"), _of_record(lambda record: record.original.number if record.original else ""), 20),
    Said(
        ("Original", "Date"),
        _of_record(lambda record: day(record.original.document_date if record.original else None)),
        12,
    ),
    Said(("Place of supply",), _of_record(lambda record: f"{record.pos}-{STATES.get(record.pos, '')}"), 20),
    Said(("Reverse charge",), _of_record(lambda record: FLAG[record.reverse_charge]), 10),
    Said(("Taxable value (₹)",), _of_record(lambda record: rupees(record.taxable))),
    *_taxes("Tax amount", lambda row: row.record.tax),
    Said(("Return", "Form"), _of_record(lambda record: record.form), 10),
    Said(("Return", "Period"), _of_record(lambda record: month(TaxPeriod(record.return_month).wire)), 10),
    Said(
        ("Return", "Filing status"),
        _of_record(lambda record: "Filed" if record.status == Record.Status.FILED else "Saved"),
        12,
    ),
    Said(("Recipient", "Action"), lambda row: str(wording.STATES[row.action]), 14),
    Said(("Recipient", "Can act on it"), lambda row: "Yes" if row.is_actionable else "No", 10),
    Said(("Recipient", "Remark"), lambda row: row.remark, 40),
    Said(("Recipient", "Reason"), _reason, 26),
    Said(("Recipient", "GSTR-3B"), lambda row: "Filed" if row.is_settled else "Not filed", 10),
    Said(("Effect on you", "Effect"), lambda row: EFFECTS[row.effect], 12),
    *_taxes("Effect on you", lambda row: None if row.effect is Effect.NONE else row.addback),
    Said(("Effect on you", "In GSTR-3B of"), _lands_in, 12),
)


@dataclass(frozen=True, slots=True)
class Head:
    """Whose documents they are, made when (IST), under which filter in words, and how many by category and action."""

    taxpayer: Taxpayer
    made_on: str
    shown: str
    counted: Sequence[Counted]

    @property
    def count(self) -> int:
        """How many documents there are."""
        return outward_list.all_of(self.counted)[0]


def rows(records: QuerySet[Record], *, at: datetime) -> Iterator[Row]:
    """Yield documents as their supplier sees them, the newest period first, read some at a time."""
    wanted = records.select_related("recipient", "addback", "original").order_by("-own_month", "-id")
    waiting = wanted.iterator(chunk_size=BATCH)
    while batch := list(islice(waiting, BATCH)):
        yield from reported.rows(batch, at=at)


def sheets(head: Head, told: Iterable[Row]) -> Iterator[Sheet]:
    """Yield the home sheet and that of the documents; amounts are rupees, those of credit notes positive too."""
    yield Sheet("Home", _home(head), widths=(34, 40, 14, 14, 14, 14))
    yield Sheet(
        SHEET,
        ([field.of(row) for field in FIELDS] for row in told),
        columns=[field.column for field in FIELDS],
        titles=(TITLE, "Outward supplies"),
    )


def _home(head: Head) -> Iterator[tuple[Cell, ...]]:
    yield (TITLE,)
    yield ("GSTIN", head.taxpayer.gstin)
    yield ("Legal name", head.taxpayer.legal_name)
    yield ("Trade name", head.taxpayer.trade_name)
    yield ("Made on", head.made_on)
    yield ("Documents shown", head.shown)
    yield ()
    yield (
        "Not final",
        "A recipient can change its action until it files GSTR-3B; a rejection that raises your tax is provisional "
        "until then.",
    )
    yield ()
    yield ("Documents by the recipient's action", "", *(str(wording.STATES[action]) for action in COLUMNS))
    for line in head.counted:
        counts = (line.by_action.get(action.value, (0, 0))[0] for action in COLUMNS)
        yield (str(wording.SECTIONS[line.section]), "", *counts)
