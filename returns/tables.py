"""GSTR-3B as its page reads it: cards, rows with derived, adjustment and declared, locks, what a figure opens to."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import spoken
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules import words
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.gstr3b import Carried
from ims_portal.rules.money import Tax, to_rupees
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices.wording import SUPPLIES
from returns import summary, table3, wording
from returns.gstr3b import Draft
from returns.models import Addback, Filing
from returns.table3 import Entry, Place

CARDS: tuple[tuple[str, str, Promise, tuple[str, ...], str], ...] = (
    (
        "3-1",
        "3.1",
        gettext_lazy("Tax on outward and reverse charge inward supplies"),
        ("t3_1_a", "t3_1_b", "t3_1_c", "t3_1_d", "t3_1_e"),
        "",
    ),
    ("3-1-1", "3.1.1", gettext_lazy("Supplies notified under section 9(5)"), ("t3_1_1_i", "t3_1_1_ii"), ""),
    ("3-2", "3.2", gettext_lazy("Inter-State supplies"), ("t3_2",), ""),
    ("4", "4", gettext_lazy("Eligible ITC"), rules.TABLE_4, "t4C"),
)
"""Anchor, number, title, rows, and the row whose figures the tile shows (empty: the sum)."""

GROUPS = {
    "t4A1": gettext_lazy("(A) ITC available, whether in full or part"),
    "t4B1": gettext_lazy("(B) ITC reversed"),
    "t4C": gettext_lazy("(C) Net ITC"),
    "t4D1": gettext_lazy("(D) Other details"),
}
"""The heading that stands before a row of Table 4."""

OPENS = {row: f"?cell={row}" for row in ("t3_1_d", "t4A1", "t4A3", "t4A4", "t4A5", "t4B2", "t4D2")}
"""Row -> the filter of the GSTR-2B lines it is derived from."""

OUTWARD = tuple(row for row in rules.TABLE_3 if row not in rules.FROM_STATEMENT)
"""Rows with a break-up into own returns and add-backs."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the form, in words and figures."""

    name: str
    number: str
    heading: str
    group: str
    derived: Tax
    declared: Tax
    reason: str
    lock: str
    is_editable: bool
    warning: str
    opens: str
    has_breakup: bool
    is_value_only: bool
    taxable: int | None
    declared_taxable: int | None
    carried: Carried | None

    @property
    def has_taxable(self) -> bool:
        """Whether the row has a taxable value, known or not."""
        return self.name in rules.TABLE_3

    @property
    def taxable_adjustment(self) -> int:
        """Declared taxable value less derived."""
        return (self.declared_taxable or 0) - (self.taxable or 0)

    @property
    def adjustment(self) -> Tax:
        """Declared less derived."""
        return self.declared - self.derived

    @property
    def is_adjusted(self) -> bool:
        """Whether it is declared otherwise than derived."""
        return bool(self.adjustment or self.taxable_adjustment)


@dataclass(frozen=True, slots=True)
class Card:
    """One table of the form, and the figures its tile shows."""

    anchor: str
    number: str
    title: str
    rows: list[Row]
    total: Tax

    @property
    def taxable(self) -> int | None:
        """The declared taxable value of all rows, None where none was kept."""
        known = [row.declared_taxable for row in self.rows if row.declared_taxable is not None]
        return sum(known) if known else None

    @property
    def carried(self) -> list[Row]:
        """The rows that carry a negative forward or were brought one (R8.15)."""
        return [row for row in self.rows if row.carried]

    @property
    def payable(self) -> Tax:
        """What remains to be paid of its rows, none below zero."""
        return sum((row.carried.payable for row in self.rows if row.carried is not None), Tax())


def cards(shown: Draft) -> list[Card]:
    """Return the tables of a draft or filed GSTR-3B: no query."""
    found = []
    for anchor, number, title, names, tile in CARDS:
        rows = [row(shown, name) for name in names]
        total = shown.declared[tile] if tile else sum((line.declared for line in rows), Tax())
        found.append(Card(anchor, number, str(title), rows, total))
    return found


def anchor(name: str) -> str:
    """Return where on the page of GSTR-3B a row stands."""
    return next(anchor for anchor, _number, _title, rows, _tile in CARDS if name in rows)


def row(shown: Draft, name: str) -> Row:
    """Return one row of a draft or filed GSTR-3B."""
    number, heading = wording.ROW_NAMES[name]
    is_locked = name in shown.locked
    has_figures = shown.statement is not None or name not in rules.FROM_STATEMENT
    may_change = rules.EDIT_REFUSALS.decide(shown.period.month, row=name).outcome is None and not is_locked
    return Row(
        name=name,
        number=number,
        heading=str(heading),
        group=str(GROUPS.get(name, "")),
        derived=shown.derived[name],
        declared=shown.declared[name],
        reason=shown.reasons.get(name, ""),
        lock=wording.locked(name) if is_locked else "",
        is_editable=may_change and has_figures and shown.filing is None,
        warning=_warning(shown, name) if name in shown.warnings else "",
        opens=OPENS.get(name, ""),
        has_breakup=name in OUTWARD,
        is_value_only=name in rules.VALUE_ONLY,
        taxable=shown.taxable.get(name),
        declared_taxable=shown.declared_taxable.get(name),
        carried=shown.carried.get(name),
    )


def _warning(shown: Draft, name: str) -> str:
    side = rules.WARNS_WHEN.decide(shown.period.month, row=name).outcome
    gaps = (shown.declared[name] - shown.derived[name]).as_dict()
    told = [
        f"{wording.HEAD_NAMES[head]} {show.inr(abs(gap))}"
        for head, gap in gaps.items()
        if (gap > 0 and side == "above") or (gap < 0 and side == "below")
    ]
    text = _("Declared above derived: %(gaps)s.") if side == "above" else _("Declared below derived: %(gaps)s.")
    return text % {"gaps": ", ".join(told)}


@dataclass(frozen=True, slots=True)
class Limit:
    """What a row may take, per head: the statement's balance and what this return adds to it, less what is declared."""

    heading: str
    balance_name: str
    adds_name: str
    takes_name: str
    balance: Tax
    adds: Tax
    takes: Tax
    blocks: bool

    @property
    def most(self) -> Tax:
        """The most that may be declared."""
        return self.balance + self.adds

    @property
    def left(self) -> Tax:
        """What is left; a head below zero is above its limit."""
        return self.most - self.takes


def limit(shown: Draft, name: str) -> Limit | None:
    """Return the reclaim or RCM limit a row is held to, None for a row without one: no query (R8.10)."""
    fact = {"t4D1": "reclaim_exceeds", "t4A2": "rcm_exceeds", "t4A3": "rcm_exceeds"}.get(name)
    if fact is None or shown.filing is not None:
        return None
    in_force = rules.FILING_REFUSALS.at(shown.period.month).rows
    blocks = any(fact in line.when for line in in_force)
    declared = shown.declared
    if fact == "reclaim_exceeds":
        adds, takes = declared["t4B2"], declared["t4D1"]
        names = (_("Limit of 4(D)(1)"), _("Reclaim balance before this return"), "4(B)(2)", "4(D)(1)")
        return Limit(*names, shown.reclaim_room + takes - adds, adds, takes, blocks)
    adds, takes = declared["t3_1_d"], declared["t4A2"] + declared["t4A3"]
    names = (_("Limit of 4(A)(2) + 4(A)(3)"), _("RCM balance before this return"), "3.1(d)", "4(A)(2) + 4(A)(3)")
    return Limit(*names, shown.rcm_room + takes - adds, adds, takes, blocks)


@dataclass(frozen=True, slots=True)
class Own:
    """One summand of an outward row from the taxpayer's own returns, in words."""

    form: str
    heading: str
    count: int
    taxable: int
    tax: Tax
    section: str


@dataclass(frozen=True, slots=True)
class Places:
    """One class of recipients of 3.2, as the form has it, with its places of supply."""

    heading: str
    places: list[Place]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Breakup:
    """What an outward row is summed from: own returns, each rejection added back; 3.2 also by class and place."""

    own: list[Own]
    addbacks: list[Addback]
    addback_count: int
    addback_tax: Tax
    places: list[Places]


def breakup(*, taxpayer: Taxpayer, period: TaxPeriod, shown: Draft, name: str) -> Breakup:
    """Return what an outward row of a draft is summed from: one query, for the add-backs by recipient and note."""
    mine = [entry for entry in shown.outward if entry.row == name]
    added = [entry for entry in mine if entry.source == table3.ADDBACK]
    return Breakup(
        own=[_own(entry) for entry in mine if entry.source != table3.ADDBACK],
        addbacks=table3.addbacks(taxpayer=taxpayer, period=period, row=name) if added else [],
        addback_count=sum(entry.count for entry in added),
        addback_tax=table3.added_back(added),
        places=_places(mine) if name == "t3_2" else [],
    )


def _places(found: list[Entry]) -> list[Places]:
    by_class = table3.by_place(found)
    return [
        Places(_("Supplies made to unregistered persons"), by_class[False]),
        Places(
            _("Supplies made to composition taxable persons"),
            [],
            _("A GSTIN does not tell a composition taxable person: such supplies stand in 3.1(a) only."),
        ),
        Places(_("Supplies made to UIN holders"), by_class[True]),
    ]


def _own(entry: Entry) -> Own:
    if entry.source == table3.SUMMARY:
        heading = _("%(section)s, without recipients in IMS") % {"section": _section(entry.section)}
        return Own(entry.form, heading + _against(entry), entry.count, entry.taxable, entry.tax, "")
    heading = f"{summary.ROWS[Section(entry.section)]}" + (
        f", {SUPPLIES[InvoiceType(entry.detail)]}" if entry.detail != "R" else ""
    )
    return Own(entry.form, heading, entry.count, entry.taxable, entry.tax, entry.section)


def _section(name: str) -> str:
    """Return what a section of sums is called."""
    found = spoken.say(words.FACTS["section"].names.get(name, name))
    return found[:1].upper() + found[1:]


def _against(entry: Entry) -> str:
    """Return what an amended sum counts against, as the end of a heading; nothing of any other entry."""
    if entry.original_is_kept is None:
        return ""
    if entry.original_is_kept:
        return _(": its change against what was reported before")
    return _(": no return kept here reports its original, so it counts against nothing (our reading)")


@dataclass(frozen=True, slots=True)
class Filed:
    """One row of a filed return, with the taxable value where the row has one and it was kept."""

    number: str
    heading: str
    derived: Tax
    declared: Tax
    taxable: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A filed return with what filing made final."""

    filing: Filing
    rows: list[Filed]
    addbacks: list[Addback]
    addback_tax: int

    @property
    def digest(self) -> list[str]:
        """The digest in groups of four."""
        return grouped(self.filing.digest)


def receipt(*, taxpayer: Taxpayer, period: TaxPeriod) -> Receipt | None:
    """Return the receipt of a filed period, or None: two queries."""
    filing = (
        Filing.objects.filter(taxpayer=taxpayer, month=period.month).select_related("statement", "filed_by").first()
    )
    if filing is None:
        return None
    made = list(filing.addbacks.select_related("record", "supplier").order_by("supplier__gstin", "id"))
    values = filing.taxable.get("declared", {})
    rows = [
        Filed(
            wording.ROW_NAMES[name][0],
            str(wording.ROW_NAMES[name][1]),
            Tax(*filing.derived.get(name, ())),
            Tax(*filing.declared.get(name, ())),
            values.get(name),
            filing.reasons.get(name, ""),
        )
        for name in rules.ROWS
    ]
    return Receipt(filing, rows, made, sum(line.tax.total for line in made))


def receipt_as_json(found: Receipt, taxpayer: Taxpayer, period: TaxPeriod) -> dict[str, object]:
    """Return a receipt for a program: every figure as filed, in rupees as text with two decimals."""
    filing = found.filing
    return {
        "reference": filing.reference,
        "note": "Practice filing without legal effect; not the Government's GST portal.",
        "gstin": taxpayer.gstin,
        "name": taxpayer.name,
        "period": period.wire,
        "filed_at": filing.filed_at.astimezone(timezone.get_default_timezone()).isoformat(),
        "filed_by": str(filing.filed_by) if filing.filed_by else None,
        "gstr2b_version": filing.statement.version if filing.statement else None,
        "digest": filing.digest,
        "rows": [
            {
                "table": row.number,
                "taxable": None if row.taxable is None else _rupees(row.taxable),
                "derived": _heads_in_rupees(row.derived),
                "declared": _heads_in_rupees(row.declared),
                "reason": row.reason,
            }
            for row in found.rows
        ],
        "add_backs": [
            {
                "supplier": line.supplier.gstin,
                "document": line.record.number,
                "document_date": line.record.document_date.isoformat(),
                "lands_in": show.wire(line.target_month),
                "tax": _heads_in_rupees(line.tax),
            }
            for line in found.addbacks
        ],
    }


def _rupees(paise: int) -> str:
    return f"{to_rupees(paise):.2f}"


def _heads_in_rupees(tax: Tax) -> dict[str, str]:
    return {head: _rupees(paise) for head, paise in tax.as_dict().items()}


def grouped(digest: str) -> list[str]:
    """Return a digest in groups of four, for eyes."""
    return [digest[start : start + 4] for start in range(0, len(digest), 4)]
