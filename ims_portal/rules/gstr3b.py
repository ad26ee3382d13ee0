"""GSTR-3B: which rows a return or a statement feeds, what is locked when, what filing is refused for (R8, R6.3).

Row names are those of the worked cases: t3_1_a, t3_1_b, t3_1_d, t3_1_1_i, t3_2, t4A1 to t4A5, t4B1, t4B2, t4C,
t4D1, t4D2.
"""

from __future__ import annotations

from collections.abc import Mapping

from ims_portal.rules.actions import YES_NO, Refusal
from ims_portal.rules.documents import BILLS_OF_ENTRY, REPORTED_IN, Form, InvoiceType, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.table import Dated, Decision, Fact, Facts, Table, always, otherwise, row

TABLE_3 = ("t3_1_a", "t3_1_b", "t3_1_d", "t3_1_1_i", "t3_2")
TABLE_4 = ("t4A1", "t4A2", "t4A3", "t4A4", "t4A5", "t4B1", "t4B2", "t4C", "t4D1", "t4D2")
ROWS = TABLE_3 + TABLE_4
REASON_LIMIT = 250
"""Characters of the reason for declaring a row otherwise than derived; our own limit, that of a remark (R5.3)."""
FROM_STATEMENT = ("t3_1_d", *TABLE_4)
"""Rows that exist only once there is a GSTR-2B."""

OUTWARD_ROW: Dated[str] = always(
    "row of Table 3 an outward document, or its add-back, belongs to",
    governed_by="the tax period of GSTR-3B",
    facts={"section": tuple(Section), "inv_type": tuple(InvoiceType)},
    rows=(
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
                row(
                    Refusal.FIELD_LOCKED, row=("t3_1_a", "t3_1_b", "t3_1_1_i"), cite="R8.2; advisory 606 of 7-Jun-2025"
                ),
                otherwise(None, cite="R8.2; R8.17"),
            ),
        ),
        202511: Table(
            "Table 3.2 locked too",
            _EDIT_FACTS,
            (
                _NOT_EDITABLE,
                row(
                    Refusal.FIELD_LOCKED, row=("t3_1_a", "t3_1_b", "t3_1_1_i"), cite="R8.2; advisory 606 of 7-Jun-2025"
                ),
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
_FRESH_STATEMENT = (
    row(Refusal.GSTR2B_NOT_AVAILABLE, has_no_statement=True, cite="R8.11; s.39(1)", ours=True),
    row(Refusal.RECOMPUTE_REQUIRED, is_stale=True, cite="R7.11; R8.11", ours=True),
)

_STATEMENTS = "R8.10; advisory 643 of 29-Dec-2025; from which period is our reading"

FILING_REFUSALS: Dated[Refusal | None] = Dated(
    name="what filing GSTR-3B is refused for",
    governed_by="the tax period",
    versions={
        0: Table("before IMS", _FILING_FACTS, (*_FILING_ORDER, otherwise(None, cite="R8.11"))),
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


SUMMED_SECTIONS = (
    *("b2cs", "b2csa", "b2cl", "b2cla", "cdnur", "cdnura", "exp", "expa", "nil", "at", "ata", "txpd", "txpda"),
    *("supeco", "ecom.b2c", "ecom.urp2c", "other"),
)
"""Sections of a return that never reach IMS and are kept as sums; "other" is what a worked case names so."""

_SUM_FACTS: Facts = {"section": SUMMED_SECTIONS, "is_export": YES_NO, "is_inter_state": YES_NO}

SUMMARY_ROW: Dated[str] = always(
    "row of Table 3.1 that sums of a return outside IMS belong to",
    governed_by="the tax period of GSTR-3B",
    facts=_SUM_FACTS,
    rows=(
        row(
            "",
            section=("b2csa", "b2cla", "expa", "cdnura", "ata", "txpda"),
            cite="R8.1: amendments count by their change, which needs the earlier return's own lines",
            ours=True,
        ),
        row("", section=("nil", "supeco"), cite="R8.1: 3.1(c), (e) and operators' reports carry no tax here"),
        row("t3_1_b", section="exp", cite="R8.1: zero-rated, 6A"),
        row("t3_1_b", section="cdnur", is_export=True, cite="R8.1: notes of exports, 9B"),
        row("t3_1_1_i", section=("ecom.b2c", "ecom.urp2c"), cite="R8.1: section 9(5)"),
        otherwise("t3_1_a", cite="R8.1: GSTR-1 5, 7, 9, 10, 11"),
    ),
)

SUMMARY_IN_3_2: Dated[bool] = always(
    "does a sum repeat in Table 3.2, inter-State supplies to unregistered persons",
    governed_by="the tax period of GSTR-3B",
    facts=_SUM_FACTS,
    rows=(
        row(False, is_export=True, cite="R8.1: exports are no supplies to unregistered persons in India"),
        row(True, section=("b2cs", "b2cl", "cdnur"), is_inter_state=True, cite="R8.1: 3.2 by place of supply"),
        otherwise(False, cite="R8.1"),
    ),
)

SUMMARY_SIGN: Dated[int] = always(
    "does a sum add to liability or take from it",
    governed_by="the tax period of GSTR-3B",
    facts={"section": SUMMED_SECTIONS},
    rows=(
        row(-1, section="txpd", cite="R8.1: 11B, advances of earlier periods adjusted against invoices"),
        otherwise(1, cite="R8.1; credit notes of cdnur come negative already"),
    ),
)
EXPORTS = ("WPAY", "WOPAY", "EXPWP", "EXPWOP")


def deciding_summary(month: int, section: str, detail: str, name: str) -> Decision[str] | Decision[bool]:
    """Return what decided that a summed section stands in a row of Table 3."""
    rule = SUMMARY_IN_3_2 if name == "t3_2" else SUMMARY_ROW
    return rule.decide(month, **_summary_facts(section, detail))


def _summary_facts(section: str, detail: str) -> dict[str, Fact]:
    words = detail.split()
    return {
        "section": section,
        "is_export": words[-1:] != [] and words[-1] in EXPORTS,
        "is_inter_state": "INTER" in words,
    }


def rows_of_summary(month: int, section: str, detail: str) -> list[str]:
    """Return the rows of Table 3 a summed section feeds in a period; `detail` names its supply, place and kind."""
    facts = _summary_facts(section, detail)
    first = SUMMARY_ROW.decide(month, **facts).outcome
    return [name for name in (first, "t3_2" if SUMMARY_IN_3_2.decide(month, **facts).outcome else "") if name]


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
