"""May a GSTR-2B be made; what bypasses IMS; in which section, part and row a record counts, and how much.

Amounts are a few named expressions, each with the SQL that says the same of columns (`Twin`); property tests
compare both. Everything else is rows of tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ims_portal.rules import gstin
from ims_portal.rules.actions import YES_NO, Action, Answer, Refusal
from ims_portal.rules.documents import AMENDMENTS, CREDIT_NOTES, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.table import Dated, Facts, Table, Unit, always, otherwise, row


class Bypass(StrEnum):
    """Why a record goes straight into GSTR-2B and is never actionable (R1.5)."""

    NO = ""
    BEFORE_IMS = "EARLY"
    REVERSE_CHARGE = "RCM"
    PLACE_OF_SUPPLY = "POS"
    TIME_BARRED = "TIME"
    ISD = "ISD"
    IMPORT = "BOE"
    RULE_37A = "R37A"
    NO_IMS = "NOIMS"


class Unavailable(StrEnum):
    """Why the credit of a record is not available, by the letter of the 2B (R1.6); I is an ineligible ISD document."""

    NO = ""
    PLACE_OF_SUPPLY = "P"
    TIME_BARRED = "C"
    INELIGIBLE = "I"


class Placement(StrEnum):
    """Where a record stands in the statement."""

    AVAILABLE = "available"
    NOT_AVAILABLE = "not_available"
    REJECTED = "rejected"
    REVERSAL = "reversal"
    NOWHERE = "nowhere"


class Part(StrEnum):
    """The part of a block of GSTR-2B; B_I holds IMS credit notes, B_II ISD, B_III reverse charge."""

    A_I = "A_I"
    A_II = "A_II"
    A_III = "A_III"
    A_IV = "A_IV"
    B_I = "B_I"
    B_II = "B_II"
    B_III = "B_III"


class Measure(StrEnum):
    """How much of an accepted record's effect counts."""

    EFFECT = "effect"
    DECLARED = "declared"
    NOTHING = "nothing"


PARTS_B = frozenset({Part.B_I, Part.B_II, Part.B_III})


class Status(StrEnum):
    """What the 2B says became of the recipient's choice; bypass records have none."""

    NONE = ""
    ACCEPTED = "accepted"
    DEEMED_ACCEPTED = "deemed_accepted"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Twin:
    """A named expression twice: `python` for one record, `sql` over columns for a set. `cite` is its source."""

    name: str
    sql: str
    python: Callable[..., int]
    cite: str


def has_ims(recipient: str, *, is_isd: bool) -> bool:
    """Return whether a registration has an IMS: a normal one that is no input service distributor (R1.1)."""
    return not is_isd and gstin.kind_of(recipient) is gstin.Kind.NORMAL


def has_ims_sql(recipient: str, *, is_isd: str) -> str:
    """Return `has_ims` as SQL over columns. A tax deductor's number has the shape of a normal one too."""
    normal, deductor = (gstin.PATTERNS[kind].pattern for kind in (gstin.Kind.NORMAL, gstin.Kind.TAX_DEDUCTOR))
    return f"(NOT ({is_isd}) AND {recipient} ~ '^(?:{normal})$' AND {recipient} !~ '^(?:{deductor})$')"


_BYPASS_FACTS: Facts = {
    "section": tuple(Section),
    "recipient_has_ims": YES_NO,
    "is_reverse_charge": YES_NO,
    "is_pos_ineligible": YES_NO,
    "is_time_barred": YES_NO,
}
_FEEDS = (
    row(Bypass.ISD, section=(Section.ISD, Section.ISDCN), cite="R1.5(a); R9.1"),
    row(Bypass.RULE_37A, section=Section.RULE_37A, cite="R1.5(f); R8.9"),
    row(Bypass.NO_IMS, recipient_has_ims=False, cite="R1.1: distributors, UIN holders, deductors have no IMS"),
    row(Bypass.REVERSE_CHARGE, is_reverse_charge=True, cite="R1.5(c); FAQ on IMS 23-Sep-2024 Q8"),
    row(Bypass.PLACE_OF_SUPPLY, is_pos_ineligible=True, cite="R1.5(d); R1.6; FAQ on IMS 23-Sep-2024 Q4"),
    row(Bypass.TIME_BARRED, is_time_barred=True, cite="R1.5(e); R7.9; s.16(4)"),
)

BYPASS: Dated[Bypass] = Dated(
    name="what bypasses IMS",
    governed_by="the record's GSTR-2B period",
    versions={
        0: Table("before IMS", _BYPASS_FACTS, (*_FEEDS, otherwise(Bypass.BEFORE_IMS, cite="R1.2"))),
        202410: Table(
            "IMS, imports outside",
            _BYPASS_FACTS,
            (
                *_FEEDS,
                row(
                    Bypass.IMPORT,
                    section=(Section.IMPG, Section.IMPGA, Section.IMPGSEZ, Section.IMPGSEZA),
                    cite="R1.5(b); R9.2",
                ),
                otherwise(Bypass.NO, cite="R1.3"),
            ),
        ),
        202510: Table(
            "IMS with imports", _BYPASS_FACTS, (*_FEEDS, otherwise(Bypass.NO, cite="R1.3; R9.3; advisory 30-Oct-2025"))
        ),
    },
)

UNAVAILABLE: Dated[Unavailable] = always(
    "why credit is not available",
    governed_by="the record's GSTR-2B period",
    facts={"is_marked_ineligible": YES_NO, "is_pos_ineligible": YES_NO, "is_time_barred": YES_NO},
    rows=(
        row(
            Unavailable.INELIGIBLE, is_marked_ineligible=True, cite="R9.1; formats 10.2: itcelg N of GSTR-6", ours=True
        ),
        row(Unavailable.PLACE_OF_SUPPLY, is_pos_ineligible=True, cite="R1.6; place of supply wins"),
        row(Unavailable.TIME_BARRED, is_time_barred=True, cite="R1.6; R7.9"),
        otherwise(Unavailable.NO, cite="R1.6"),
    ),
)

TIME_BAR: Dated[bool] = always(
    "is the credit of a record time-barred in a period",
    governed_by="the record's GSTR-2B period",
    facts={"section": tuple(Section), "is_reverse_charge": YES_NO, "adds_itc": YES_NO, "is_past_limit": YES_NO},
    rows=(
        row(True, is_past_limit=True, adds_itc=True, is_reverse_charge=True, cite="R7.9; s.16(4)", ours=True),
        row(
            True,
            is_past_limit=True,
            adds_itc=True,
            cite="R7.9; s.16(4)",
            ours=True,
            section=(Section.B2B, Section.B2BA, Section.DN, Section.DNA, Section.ECO, Section.ECOA),
        ),
        otherwise(False, cite="R7.9: reductions, K8, bills of entry and ISD have no bar", ours=True),
    ),
)

LIMIT_MONTH: Dated[int] = always(
    "first month, after the end of a financial year, whose GSTR-3B is too late for its credit",
    governed_by="the financial year of the document",
    unit=Unit.YEAR,
    facts={},
    rows=(otherwise(11, cite="R7.9; s.16(4): up to 30 November, tested on periods", ours=True),),
)

TIME_LIMIT = Twin(
    name="is_past_limit",
    sql="({period} >= ({credit_fy} + 1) * 100 + {limit_month})",
    python=lambda period, credit_fy: period >= (credit_fy + 1) * 100 + LIMIT_MONTH.decide(credit_fy).outcome,
    cite="R7.9; s.16(4): credit of a financial year up to 30 November after its end, tested on periods",
)

PART: Dated[Part] = always(
    "part of the 2B block",
    governed_by="the statement's tax period",
    facts={"section": tuple(Section), "is_reverse_charge": YES_NO},
    rows=(
        row(Part.B_III, section=(Section.CN, Section.CNA), is_reverse_charge=True, cite="R7.6 RCM credit notes"),
        row(Part.B_I, section=(Section.CN, Section.CNA), cite="R7.6"),
        row(Part.A_II, section=Section.ISD, cite="R7.6; R9.1"),
        row(Part.B_II, section=Section.ISDCN, cite="R7.6; R9.1"),
        row(Part.A_IV, section=(Section.IMPG, Section.IMPGA, Section.IMPGSEZ, Section.IMPGSEZA), cite="R7.6"),
        row(Part.A_III, is_reverse_charge=True, cite="R7.6 RCM"),
        otherwise(Part.A_I, cite="R7.6"),
    ),
)

PLACEMENT: Dated[Placement] = always(
    "where a record of the scope stands in GSTR-2B",
    governed_by="the statement's tax period",
    facts={"bypass": tuple(Bypass), "unavailable": tuple(Unavailable), "action": tuple(Action), "is_barred": YES_NO},
    rows=(
        row(Placement.REVERSAL, bypass=Bypass.RULE_37A, cite="R7.6; R8.9"),
        row(
            Placement.AVAILABLE,
            bypass=tuple(b for b in Bypass if b is not Bypass.NO),
            unavailable=Unavailable.NO,
            cite="R1.5; R7.6",
        ),
        row(Placement.NOT_AVAILABLE, bypass=tuple(b for b in Bypass if b is not Bypass.NO), cite="R1.6; R7.6"),
        row(Placement.NOWHERE, action=Action.PENDING, cite="R7.6; R3.3"),
        row(Placement.REJECTED, action=Action.REJECT, cite="R7.6; R7.10"),
        row(Placement.NOT_AVAILABLE, is_barred=True, cite="R7.9: carried Pending past the limit", ours=True),
        otherwise(Placement.AVAILABLE, cite="R2.1; R7.6"),
    ),
)

STATUS: Dated[Status] = always(
    "status a 2B line prints",
    governed_by="the statement's tax period",
    facts={"bypass": tuple(Bypass), "action": tuple(Action)},
    rows=(
        row(Status.NONE, bypass=tuple(b for b in Bypass if b is not Bypass.NO), cite="R1.5"),
        row(Status.REJECTED, action=Action.REJECT, cite="R7.6"),
        row(Status.ACCEPTED, action=Action.ACCEPT, cite="R2.1"),
        otherwise(Status.DEEMED_ACCEPTED, cite="R2.1; R3.5"),
    ),
)

_CELL_FACTS: Facts = {"placement": tuple(Placement), "part": tuple(Part)}

CELL: Dated[str] = Dated(
    name="row of GSTR-3B Table 4 a line feeds",
    governed_by="the statement's tax period",
    versions={
        0: Table("the form before 2023", _CELL_FACTS, (otherwise("", cite="R8.6: that form is not derived here"),)),
        202301: Table(
            "credit notes netted inside 4(A)",
            _CELL_FACTS,
            (
                row("", placement=(Placement.REJECTED, Placement.NOWHERE), cite="R7.10"),
                row("t4B2", placement=Placement.REVERSAL, cite="R8.6; R8.9"),
                row("t4D2", placement=Placement.NOT_AVAILABLE, cite="R8.6; R8.8"),
                row("t4A1", part=Part.A_IV, cite="R8.6"),
                row("t4A3", part=(Part.A_III, Part.B_III), cite="R8.6; R8.7"),
                row("t4A4", part=(Part.A_II, Part.B_II), cite="R8.6; R9.1"),
                otherwise("t4A5", cite="R8.6; credit notes netted since Jan-2023"),
            ),
        ),
    },
)

OWN_LIABILITY: Dated[bool] = always(
    "is the tax of a line also the recipient's own liability, 3.1(d)",
    governed_by="the statement's tax period",
    facts=_CELL_FACTS,
    rows=(
        row(
            True,
            part=(Part.A_III, Part.B_III),
            placement=(Placement.AVAILABLE, Placement.NOT_AVAILABLE),
            cite="R8.6; R8.7: whether or not its credit is available",
        ),
        otherwise(False, cite="R8.6"),
    ),
)

COMPUTE_REFUSALS: Dated[Refusal | None] = always(
    "may a GSTR-2B be computed",
    governed_by="the statement's tax period",
    facts={"is_own_period": YES_NO, "is_filed": YES_NO, "is_early": YES_NO, "previous_is_unfiled": YES_NO},
    rows=(
        row(Refusal.WRONG_PERIOD, is_own_period=False, cite="R7.5; R7.8; portal codes GTR2B-001, IMS2B007"),
        row(Refusal.ALREADY_FILED, is_filed=True, cite="R7.5; portal code IMS2B007"),
        row(Refusal.TOO_EARLY, is_early=True, cite="R7.5; R7.1; portal code RET2B1018"),
        row(Refusal.PREVIOUS_3B_NOT_FILED, previous_is_unfiled=True, cite="R7.4"),
        otherwise(None, cite="R7.5"),
    ),
)

SIGN = Twin(
    name="sign",
    sql="(CASE WHEN {section} IN ("
    + ", ".join(f"'{s.value}'" for s in Section if s in CREDIT_NOTES)
    + ") THEN -1 ELSE 1 END)",
    python=lambda section: -1 if section in CREDIT_NOTES else 1,
    cite="R2.14: +1 for invoices, debit notes, ECO documents, bills of entry, -1 for credit notes",
)

EFFECT = Twin(
    name="effect",
    sql=SIGN.sql + " * ((CASE WHEN {boe_change} = 'O' THEN 0 ELSE {tax} END) - {baseline})",
    python=lambda section, boe_change, tax, baseline: (
        SIGN.python(section) * ((0 if boe_change == "O" else tax) - baseline)
    ),
    cite="R2.14: the change in ITC, per head; of the old GSTIN's bill of entry only what it had",
)

CAP = Twin(
    name="cap",
    sql="greatest(0, -{effect})",
    python=lambda effect: max(0, -effect),
    cite="R2.14: the most that may be reduced, per head",
)

SUPERSEDES: Dated[bool] = always(
    "does a filed amendment replace an earlier version that no filed GSTR-3B has settled",
    governed_by="the amendment's GSTR-2B period",
    facts={"is_same_period": YES_NO, "open_period_has_come": YES_NO},
    rows=(
        row(True, is_same_period=True, cite="R2.5; revised advisory on IMS"),
        row(True, open_period_has_come=True, cite="R2.7: carried Pending into the amendment's period", ours=True),
        otherwise(False, cite="R2.7: the original is to be decided and settled first"),
    ),
)

BASELINE: Dated[bool] = always(
    "is an earlier version the one a later version is compared with",
    governed_by="the later version's GSTR-2B period",
    facts={"was_accepted": YES_NO, "was_available": YES_NO, "is_itself_unavailable": YES_NO},
    rows=(
        row(False, was_accepted=False, cite="R2.14: rejected and superseded versions are skipped", ours=True),
        row(True, was_available=True, cite="R2.6; R2.12; R2.14"),
        row(True, is_itself_unavailable=True, cite="R2.14; R1.6: what gave no credit counts for such a one", ours=True),
        otherwise(False, cite="R2.14", ours=True),
    ),
)
"""The nearest earlier version for which this holds is the baseline (R2.14)."""

_COUNTED_FACTS: Facts = {"adds": YES_NO, "answer": tuple(Answer)}

COUNTED: Dated[Measure] = Dated(
    name="how much of an accepted record counts, per head",
    governed_by="the record's GSTR-2B period",
    versions={
        0: Table("in full", _COUNTED_FACTS, (otherwise(Measure.EFFECT, cite="R4.10; R2.14"),)),
        202510: Table(
            "as declared",
            _COUNTED_FACTS,
            (
                row(Measure.EFFECT, adds=True, cite="R2.14: what adds to ITC counts as it is"),
                row(Measure.DECLARED, answer=Answer.PART, cite="R4.3; FAQ 17-Oct-2025"),
                row(Measure.NOTHING, answer=Answer.NONE, cite="R4.4; FAQ 17-Oct-2025"),
                row(Measure.EFFECT, answer=Answer.FULL, cite="R4.2; FAQ 17-Oct-2025"),
                otherwise(Measure.EFFECT, cite="R4.8: deemed accepted with full reduction"),
            ),
        ),
    },
)


def effect(section: Section, boe_change: str, tax: Tax, baseline: Tax) -> Tax:
    """Return the change in ITC per head, in paise, when the document is accepted (R2.14)."""
    return Tax(*(EFFECT.python(section, boe_change, t, b) for t, b in zip(tax, baseline, strict=True)))


def cap(change: Tax) -> Tax:
    """Return the most that may be reduced per head, in paise (R2.14)."""
    return Tax(*(CAP.python(head) for head in change))


def counted(month: int, *, effect: Tax, answer: str, declared: Tax) -> Tax:
    """Return what an accepted record of a GSTR-2B month adds to ITC per head, in paise (R2.14)."""
    amounts = []
    for head, said in zip(effect, declared, strict=True):
        measure = COUNTED.decide(month, adds=head >= 0, answer=answer).outcome
        amounts.append({Measure.EFFECT: head, Measure.DECLARED: -said, Measure.NOTHING: 0}[measure])
    return Tax(*amounts)


def own_liability(month: int) -> list[tuple[Placement, Part]]:
    """Return the places whose tax is also the recipient's own liability in a period, 3.1(d) (R8.6)."""
    table = OWN_LIABILITY.at(month)
    return [(p, part) for p in Placement for part in Part if table.decide(placement=p, part=part).outcome]


def table4(month: int, sums: Mapping[tuple[Placement, Part], Tax]) -> dict[str, Tax]:
    """Return the rows of GSTR-3B that a 2B of a period derives (Table 4 and 3.1(d)), from its sums per place and part.

    Sums are as printed in the 2B: Part B positive when it reduces. Entry rows are nil here (R8.6).
    """
    rows = {name: Tax() for name in ("t3_1_d", "t4A1", "t4A2", "t4A3", "t4A4", "t4A5", "t4B1", "t4B2", "t4D1", "t4D2")}
    for (placement, part), printed in sums.items():
        amount = -printed if part in PARTS_B else printed
        cell = CELL.decide(month, placement=placement, part=part).outcome
        if cell:
            rows[cell] += amount
        if OWN_LIABILITY.decide(month, placement=placement, part=part).outcome:
            rows["t3_1_d"] += amount
    return rows


def is_amendment(section: Section) -> bool:
    """Whether a section holds amendments (R1.3)."""
    return section in AMENDMENTS
