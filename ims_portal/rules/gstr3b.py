"""GSTR-3B: which rows a return or a statement feeds, what is locked when, what filing is refused for (R8, R6.3).

Row names are those of the worked cases: t3_1_a, t3_1_b, t3_1_d, t3_1_1_i, t3_2, t4A1 to t4A5, t4B1, t4B2, t4C,
t4D1, t4D2; and t3_1_c, t3_1_e, t3_1_1_ii, which hold a taxable value and no tax. What Table 3 is summed from: `table3`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ims_portal.rules.actions import YES_NO, Refusal
from ims_portal.rules.documents import BILLS_OF_ENTRY, REPORTED_IN, Form, InvoiceType, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.table import Dated, Facts, Table, always, otherwise, row

TABLE_3 = ("t3_1_a", "t3_1_b", "t3_1_c", "t3_1_d", "t3_1_e", "t3_1_1_i", "t3_1_1_ii", "t3_2")
VALUE_ONLY = ("t3_1_c", "t3_1_e", "t3_1_1_ii")
"""Rows of Table 3 that hold a taxable value and no tax (formats 6.1)."""
TABLE_4 = ("t4A1", "t4A2", "t4A3", "t4A4", "t4A5", "t4B1", "t4B2", "t4C", "t4D1", "t4D2")
ROWS = TABLE_3 + TABLE_4
REASON_LIMIT = 250
"""Characters of the reason for declaring a row otherwise than derived; our own limit, that of a remark (R5.3)."""
FROM_STATEMENT = ("t3_1_d", *TABLE_4)
"""Rows that exist only once there is a GSTR-2B."""

OUTWARD_ROW: Dated[str] = always(
    "row of Table 3 an outward document, or its add-back, belongs to",
    governed_by="the tax period of GSTR-3B",
    facts={"section": tuple(Section), "inv_type": tuple(InvoiceType), "is_reverse_charge": YES_NO},
    rows=(
        row("", is_reverse_charge=True, cite="R8.1: 3.1 takes 4A, not 4B, whose tax is the recipient's"),
        row("t3_1_1_i", section=(Section.ECO, Section.ECOA), cite="R6.3; R8.1"),
        row("t3_1_b", inv_type=(InvoiceType.SEZ_WITH_PAYMENT, InvoiceType.SEZ_WITHOUT_PAYMENT), cite="R6.3; R8.1"),
        otherwise("t3_1_a", cite="R6.3; R8.1"),
    ),
)

CHARGES: Dated[bool] = always(
    "does filing a document put tax into its supplier's GSTR-3B",
    governed_by="the tax period of GSTR-3B",
    facts={"section": tuple(Section), "is_reverse_charge": YES_NO},
    rows=(
        row(
            False,
            section=(Section.ISD, Section.ISDCN, Section.RULE_37A, *sorted(BILLS_OF_ENTRY)),
            cite="R8.1; R6.12: feeds are nobody's outward supply",
        ),
        row(False, is_reverse_charge=True, cite="R8.1: outward reverse-charge supplies (4B) carry no tax"),
        otherwise(True, cite="R6.12; R8.1"),
    ),
)

_EDIT_FACTS: Facts = {"row": ROWS}
LOCKED_OUTWARD = ("t3_1_a", "t3_1_b", "t3_1_1_i", "t3_1_1_ii")
"""The outward rows R8.2 names: 3.1(a), 3.1(b), 3.1.1; it names neither 3.1(c) and (e) nor 3.1(d)."""
_NOT_EDITABLE = row(Refusal.FIELD_NOT_EDITABLE, row="t4C", cite="R8.17: 4(C) is computed")

ADDS_BACK: Dated[bool] = Dated(
    name="does a settled rejection raise its supplier's liability",
    governed_by="the record's GSTR-2B period",
    versions={
        0: Table("before IMS", {"reduces": YES_NO}, (otherwise(False, cite="R1.2: nothing could be rejected"),)),
        202410: Table(
            "rejected reductions are added back",
            {"reduces": YES_NO},
            (
                row(True, reduces=True, cite="R6.3; Additional FAQ 17-Oct-2024 Q11"),
                otherwise(False, cite="R6.3; FAQ 17-Oct-2025"),
            ),
        ),
    },
)

EDIT_REFUSALS: Dated[Refusal | None] = Dated(
    name="may a row of GSTR-3B be edited",
    governed_by="the tax period",
    versions={
        0: Table("nothing locked", _EDIT_FACTS, (_NOT_EDITABLE, otherwise(None, cite="R8.2"))),
        202507: Table(
            "Table 3.1 locked",
            _EDIT_FACTS,
            (
                _NOT_EDITABLE,
                row(Refusal.FIELD_LOCKED, row=LOCKED_OUTWARD, cite="R8.2; advisory 606 of 7-Jun-2025"),
                otherwise(None, cite="R8.2; R8.17"),
            ),
        ),
        202511: Table(
            "Table 3.2 locked too",
            _EDIT_FACTS,
            (
                _NOT_EDITABLE,
                row(Refusal.FIELD_LOCKED, row=LOCKED_OUTWARD, cite="R8.2; advisory 606 of 7-Jun-2025"),
                row(Refusal.FIELD_LOCKED, row="t3_2", cite="R8.3; advisory on Table 3.2"),
                otherwise(None, cite="R8.2; R8.17"),
            ),
        ),
    },
)

SOURCES: Dated[str] = always(
    "what a row of GSTR-3B is made of",
    governed_by="the tax period of GSTR-3B",
    facts=_EDIT_FACTS,
    rows=(
        row(
            "own filed returns, and rejections added back; mended by GSTR-1A before filing or an amendment later",
            row=("t3_1_a", "t3_1_b", "t3_1_1_i"),
            cite="R8.1; R6.4; R6.12",
        ),
        row("nil rated and exempt supplies of own filed returns, table 8", row="t3_1_c", cite="R8.1"),
        row("supplies outside GST of own filed returns, table 8", row="t3_1_e", cite="R8.1"),
        row(
            "supplies of own filed returns on which an operator pays the tax, table 14(b)",
            row="t3_1_1_ii",
            cite="R8.1; formats 6.3",
        ),
        row("inter-State supplies of own filed returns, by place of supply", row="t3_2", cite="R8.1"),
        row("A III - B III + not available A III - not available B III", row="t3_1_d", cite="R8.6; R8.7"),
        row("A IV", row="t4A1", cite="R8.6"),
        row("an entry of the taxpayer: import of services", row="t4A2", cite="R8.6"),
        row("A III - B III", row="t4A3", cite="R8.6; R8.7"),
        row("A II - B II", row="t4A4", cite="R8.6; R9.1"),
        row("A I - B I; changed by deciding otherwise in IMS and computing GSTR-2B again", row="t4A5", cite="R8.6"),
        row("an entry of the taxpayer: Rules 38, 42, 43 and section 17(5)", row="t4B1", cite="R8.6"),
        row("ITC reversal of GSTR-2B; temporary reversals are declared by hand", row="t4B2", cite="R8.6; R8.9"),
        row("4(A) - 4(B), of the declared rows", row="t4C", cite="R8.6; R8.17"),
        row("an entry of the taxpayer: reclaimed, part of 4(A)(5)", row="t4D1", cite="R8.6; R8.10"),
        otherwise("all of ITC not available: Part A - Part B", cite="R8.6; R8.8"),
    ),
)

TABLE_4_LOCK: Dated[bool] = always(
    "does the Table 4 switch lock a row, once it is on",
    governed_by="the tax period of GSTR-3B",
    facts=_EDIT_FACTS,
    rows=(
        row(True, row=("t4A1", "t4A4", "t4A5", "t4D2"), cite="R8.17: switch TABLE4_LOCK_FROM", ours=True),
        otherwise(False, cite="R8.17", ours=True),
    ),
)

NEEDS_REASON: Dated[bool] = always(
    "does a row need a reason when declared otherwise than derived",
    governed_by="the tax period of GSTR-3B",
    facts=_EDIT_FACTS,
    rows=(
        row(True, row=("t4A1", "t4A3", "t4A4", "t4A5", "t4B2", "t4D2"), cite="R8.17", ours=True),
        otherwise(False, cite="R8.17: entries, and 3.1(d)", ours=True),
    ),
)

WARNS_WHEN: Dated[str] = always(
    "which side of derived is worth a warning",
    governed_by="the tax period of GSTR-3B",
    facts=_EDIT_FACTS,
    rows=(
        row("above", row=("t4A1", "t4A3", "t4A4", "t4A5"), cite="R8.17; R8.16", ours=True),
        row("below", row=("t4B2", "t3_1_d"), cite="R8.17", ours=True),
        otherwise("never", cite="R8.17", ours=True),
    ),
)

CARRIES_NEGATIVE: Dated[bool] = always(
    "is a row's tax below zero carried forward to the same row of the next GSTR-3B",
    governed_by="the tax period of GSTR-3B",
    facts=_EDIT_FACTS,
    rows=(
        row(
            True,
            row=("t3_1_a", "t3_1_b", "t3_1_d", "t3_1_1_i"),
            cite="R8.15: payable is zero, head by head; row by row, for 3.1(d) and 3.1.1(i) are paid in cash",
            ours=True,
        ),
        otherwise(False, cite="R8.15: it speaks of liability; 3.2 repeats rows, Table 4 is credit", ours=True),
    ),
)

_FILING_FACTS: Facts = {
    "is_filed": YES_NO,
    "is_over_three_years": YES_NO,
    "previous_is_unfiled": YES_NO,
    "gstr1_is_unfiled": YES_NO,
    "has_no_statement": YES_NO,
    "is_stale": YES_NO,
    "reclaim_exceeds": YES_NO,
    "rcm_exceeds": YES_NO,
}
_FILING_ORDER = (
    row(Refusal.ALREADY_FILED, is_filed=True, cite="R8.11"),
    row(Refusal.RETURN_TIME_BARRED, is_over_three_years=True, cite="R8.13; advisory 606"),
    row(Refusal.PREVIOUS_3B_NOT_FILED, previous_is_unfiled=True, cite="R8.11; s.39(10)"),
    row(Refusal.GSTR1_NOT_FILED, gstr1_is_unfiled=True, cite="R6.11; R8.11"),
)
_STALE = row(Refusal.RECOMPUTE_REQUIRED, is_stale=True, cite="R7.11; R8.11", ours=True)
_FRESH_STATEMENT = (
    row(Refusal.GSTR2B_NOT_AVAILABLE, has_no_statement=True, cite="R8.11; s.39(1)", ours=True),
    _STALE,
)

_STATEMENTS = "R8.10; advisory 643 of 29-Dec-2025; from which period is our reading"

FILING_REFUSALS: Dated[Refusal | None] = Dated(
    name="what filing GSTR-3B is refused for",
    governed_by="the tax period",
    versions={
        0: Table("before IMS", _FILING_FACTS, (*_FILING_ORDER, _STALE, otherwise(None, cite="R8.11"))),
        202410: Table("2B first", _FILING_FACTS, (*_FILING_ORDER, *_FRESH_STATEMENT, otherwise(None, cite="R8.11"))),
        202601: Table(
            "reclaim and RCM statements",
            _FILING_FACTS,
            (
                *_FILING_ORDER,
                *_FRESH_STATEMENT,
                row(Refusal.RECLAIM_EXCEEDS_BALANCE, reclaim_exceeds=True, cite=_STATEMENTS, ours=True),
                row(Refusal.RCM_ITC_EXCEEDS_LIABILITY, rcm_exceeds=True, cite=_STATEMENTS, ours=True),
                otherwise(None, cite="R8.11"),
            ),
        ),
    },
)

_FORM_FACTS: Facts = {
    "form": (Form.GSTR1, Form.GSTR1A, Form.IFF, Form.GSTR6),
    "is_isd": YES_NO,
    "is_filing": YES_NO,
    "is_taking_back": YES_NO,
    "is_filed": YES_NO,
    "is_own": YES_NO,
    "has_begun": YES_NO,
    "in_days": YES_NO,
    "days_are_over": YES_NO,
    "gstr1_is_done": YES_NO,
    "own_3b_is_filed": YES_NO,
    "previous_3b_is_unfiled": YES_NO,
}
_FORM_ORDER = (
    row(Refusal.FORM_NOT_OPEN, form=Form.GSTR1A, is_filed=True, cite="R6.5: one filing per period"),
    row(Refusal.ALREADY_FILED, is_filed=True, cite="R2.4"),
    row(
        Refusal.ALREADY_FILED,
        form=Form.GSTR1,
        own_3b_is_filed=True,
        cite="R6.11; R8.11: GSTR-3B of a period is filed after its GSTR-1, so there is nothing to save or delete",
    ),
    row(None, is_taking_back=True, cite="R2.3: a saved document may be deleted until its form is filed", ours=True),
    row(
        Refusal.ALREADY_FILED,
        form=Form.IFF,
        own_3b_is_filed=True,
        cite="R6.11; R8.11: what a closed quarter left unfiled may be deleted, no more",
    ),
    row(Refusal.FORM_NOT_OPEN, form=(Form.GSTR1, Form.GSTR1A, Form.IFF), is_isd=True, cite="R1.1; R9.1; s.39(4)"),
    row(Refusal.FORM_NOT_OPEN, form=Form.GSTR6, is_isd=False, cite="R1.1; R9.1; Rule 65"),
    row(Refusal.FORM_NOT_OPEN, is_own=False, cite="R1.7; R8.12"),
    row(Refusal.FORM_NOT_OPEN, has_begun=False, cite="R8.12"),
    row(Refusal.FORM_NOT_OPEN, is_filing=True, in_days=False, cite="R8.12"),
    row(Refusal.FORM_NOT_OPEN, form=Form.IFF, days_are_over=True, cite="R8.12: IFF only in its days"),
)

FORM_REFUSALS: Dated[Refusal | None] = Dated(
    name="what saving or filing GSTR-1, GSTR-1A or IFF is refused for",
    governed_by="the tax period",
    versions={
        0: Table(
            "no GSTR-1A",
            _FORM_FACTS,
            (
                *_FORM_ORDER,
                row(Refusal.FORM_NOT_OPEN, form=Form.GSTR1A, cite="R6.5"),
                row(
                    Refusal.PREVIOUS_3B_NOT_FILED,
                    is_filing=True,
                    form=(Form.GSTR1, Form.IFF),
                    previous_3b_is_unfiled=True,
                    cite="R6.11; Rule 59(6)",
                ),
                otherwise(None, cite="R6.11"),
            ),
        ),
        202407: Table(
            "GSTR-1A",
            _FORM_FACTS,
            (
                *_FORM_ORDER,
                row(Refusal.FORM_NOT_OPEN, form=Form.GSTR1A, gstr1_is_done=False, cite="R6.5; Notif. 12/2024-CT"),
                row(Refusal.FORM_NOT_OPEN, form=Form.GSTR1A, own_3b_is_filed=True, cite="R6.5; Notif. 12/2024-CT"),
                row(
                    Refusal.PREVIOUS_3B_NOT_FILED,
                    is_filing=True,
                    form=(Form.GSTR1, Form.IFF),
                    previous_3b_is_unfiled=True,
                    cite="R6.11; Rule 59(6)",
                ),
                otherwise(None, cite="R6.11"),
            ),
        ),
    },
)

IFF_LIMIT: Dated[int] = always(
    "most that the documents of an IFF may come to, in rupees",
    governed_by="the tax period",
    facts={},
    rows=(otherwise(50_00_000, cite="R8.12: Rs 50 lakh a month; Rule 59(2)"),),
)

IN_IFF_LIMIT: Dated[bool] = always(
    "does the value of a document count towards the limit of an IFF",
    governed_by="the tax period",
    facts={"section": tuple(sorted(REPORTED_IN[Form.IFF]))},
    rows=(
        row(
            False,
            section=(Section.CN, Section.CNA),
            cite="R8.12: a credit note reports no supply, and makes no room for one",
            ours=True,
        ),
        otherwise(True, cite="R8.12: the value of a document, tax included", ours=True),
    ),
)


@dataclass(frozen=True, slots=True)
class Carried:
    """What a row makes of a negative brought forward, in paise per head, none below zero (R8.15).

    `used` is taken from `brought`, `added` is what the row itself carries forward, `payable` what remains to be paid.
    """

    brought: Tax
    used: Tax
    added: Tax
    payable: Tax

    @property
    def forward(self) -> Tax:
        """What goes to the next GSTR-3B."""
        return self.brought + self.move

    @property
    def move(self) -> Tax:
        """What filing adds to the statement of negative liability."""
        return self.added - self.used

    def __bool__(self) -> bool:
        return bool(self.brought or self.added)


def carried(month: int, declared: Mapping[str, Tax], brought: Mapping[str, Tax]) -> dict[str, Carried]:
    """Return row -> what it owes and carries, of the rows that can carry a negative forward (R8.15)."""
    found = {}
    for name in TABLE_3:
        if CARRIES_NEGATIVE.decide(month, row=name).outcome:
            held = brought.get(name, Tax())
            owed = Tax(*(max(head, 0) for head in declared[name]))
            used = Tax(*map(min, owed, held))
            found[name] = Carried(held, used, owed - declared[name], owed - used)
    return found


def computed(rows: Mapping[str, Tax]) -> dict[str, Tax]:
    """Return the rows with 4(C) = 4(A) - 4(B) computed from them (R8.6); missing rows count as nil."""
    filled = {name: rows.get(name, Tax()) for name in ROWS}
    gained = sum((filled[name] for name in ("t4A1", "t4A2", "t4A3", "t4A4", "t4A5")), Tax())
    filled["t4C"] = gained - filled["t4B1"] - filled["t4B2"]
    return filled


def warnings(month: int, derived: Mapping[str, Tax], declared: Mapping[str, Tax]) -> list[str]:
    """Return the rows declared on the side of derived that is worth a warning in any head (R8.17)."""
    found = []
    for name in ROWS:
        side = WARNS_WHEN.decide(month, row=name).outcome
        gaps = [d - e for d, e in zip(declared[name], derived[name], strict=True)]
        if (side == "above" and max(gaps) > 0) or (side == "below" and min(gaps) < 0):
            found.append(name)
    return found


def reclaim_room(declared: Mapping[str, Tax], balance: Tax) -> Tax:
    """Return, per head in paise, how far 4(D)(1) is below its limit; negative where it exceeds it (R8.10)."""
    return balance + declared["t4B2"] - declared["t4D1"]


def rcm_room(declared: Mapping[str, Tax], balance: Tax) -> Tax:
    """Return, per head in paise, how far 4(A)(2) + 4(A)(3) is below its limit; negative beyond it (R8.10)."""
    return balance + declared["t3_1_d"] - declared["t4A2"] - declared["t4A3"]
