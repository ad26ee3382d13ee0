"""The rules in words: every fact, every answer. What a Why and the rules page are put together from.

Clauses are made to stand after "because" and after "if"; answers stand as a sentence. English; each clause is its own
text for translators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ims_portal.rules.actions import Action, Answer, BoeChange, Refusal, Remark, Sign
from ims_portal.rules.amendments import Direction
from ims_portal.rules.documents import NAMES, Form, InvoiceType, Section
from ims_portal.rules.gstr2b import Bypass, Measure, Part, Placement, Status, Unavailable
from ims_portal.rules.payment import Means
from ims_portal.rules.periods import Frequency, Return, StateGroup
from ims_portal.rules.rates import Heads, percent
from ims_portal.rules.table import Fact, plain

YOU, SUPPLIER, TIME, NOBODY = "you", "supplier", "time", ""
"""Who can change a fact of a record."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A fact in words: a clause per value, or a stem with a name per value; `mover` can change it."""

    stem: str
    names: Mapping[Fact, str]
    mover: str = NOBODY

    def clause(self, values: Sequence[Fact]) -> str:
        """Return the clause for one or several values of the fact."""
        said = " or ".join(self.names[plain(value)] for value in values)
        return f"{self.stem} {said}".strip()


def _either(yes: str, no: str, mover: str = NOBODY) -> Wording:
    return Wording("", {True: yes, False: no}, mover)


def _one_of(stem: str, names: Mapping[Any, str], mover: str = NOBODY) -> Wording:
    return Wording(stem, {plain(value): name for value, name in names.items()}, mover)


FORM_3B_ROWS: Mapping[str, str] = {
    "t3_1_a": "3.1(a)",
    "t3_1_b": "3.1(b)",
    "t3_1_c": "3.1(c)",
    "t3_1_d": "3.1(d)",
    "t3_1_e": "3.1(e)",
    "t3_1_1_i": "3.1.1(i)",
    "t3_1_1_ii": "3.1.1(ii)",
    "t3_2": "3.2",
    "t4A1": "4(A)(1)",
    "t4A2": "4(A)(2)",
    "t4A3": "4(A)(3)",
    "t4A4": "4(A)(4)",
    "t4A5": "4(A)(5)",
    "t4B1": "4(B)(1)",
    "t4B2": "4(B)(2)",
    "t4C": "4(C)",
    "t4D1": "4(D)(1)",
    "t4D2": "4(D)(2)",
}
"""Row of GSTR-3B as the worked cases name it -> its number on the form."""

_SIGNS = {Sign.NEGATIVE: "below zero", Sign.ZERO: "zero", Sign.POSITIVE: "above zero"}
PLACES = {
    Placement.AVAILABLE: "ITC available",
    Placement.NOT_AVAILABLE: "ITC not available",
    Placement.REJECTED: "ITC rejected",
    Placement.REVERSAL: "ITC reversal",
    Placement.NOWHERE: "nowhere",
}
PARTS = {part: f"Part {part.value.replace('_', ' ')}" for part in Part}
_BYPASSES = {
    Bypass.NO: "nothing",
    Bypass.BEFORE_IMS: "it is older than IMS",
    Bypass.REVERSE_CHARGE: "reverse charge",
    Bypass.PLACE_OF_SUPPLY: "its place of supply",
    Bypass.TIME_BARRED: "the time limit of section 16(4)",
    Bypass.ISD: "an input service distributor",
    Bypass.IMPORT: "an import before October 2025",
    Bypass.RULE_37A: "Rule 37A",
    Bypass.NO_IMS: "a recipient without IMS",
}
ADDED_BACK = "Rejections added back"
"""What brings a supplier's tax back that its recipients rejected a note of (R6.3)."""
_HEADS = {"igst": "IGST", "cgst": "CGST", "sgst": "SGST", "cess": "cess"}
_SUMMED = {
    "b2cs": "B2C, small (7)",
    "b2csa": "B2C, small, amended (10)",
    "b2cl": "B2C, large (5)",
    "b2cla": "B2C, large, amended (9A)",
    "cdnur": "notes to unregistered persons (9B)",
    "cdnura": "notes to unregistered persons, amended (9C)",
    "exp": "exports (6A)",
    "expa": "exports, amended (9A)",
    "nil": "nil rated and exempt (8)",
    "at": "advances received (11A)",
    "ata": "advances received, amended",
    "txpd": "advances adjusted (11B)",
    "txpda": "advances adjusted, amended",
    "supeco": "supplies through operators (14)",
    "supecoa": "supplies through operators, amended (14A)",
    "ecom.b2c": "section 9(5), B2C (15)",
    "ecoma.b2ca": "section 9(5), B2C, amended (15A)",
    "ecom.urp2c": "section 9(5), unregistered to consumer (15)",
    "ecoma.urp2ca": "section 9(5), unregistered to consumer, amended (15A)",
    "other": "other outward supplies",
}

FACTS: Mapping[str, Wording] = {
    "action": _one_of(
        "your action is",
        {Action.ACCEPT: "Accept", Action.REJECT: "Reject", Action.PENDING: "Pending", Action.NONE: "No action"},
        YOU,
    ),
    "answer": _one_of(
        "the ITC reduction is",
        {
            Answer.NOT_GIVEN: "not answered",
            Answer.FULL: "Yes, in full",
            Answer.PART: "Yes, in part",
            Answer.NONE: "No",
        },
        YOU,
    ),
    "remark": _one_of("the remark is", {Remark.NONE: "empty", Remark.GIVEN: "given", Remark.TOO_LONG: "too long"}, YOU),
    "has_reason": _either("a reason code is given", "no reason code is given", YOU),
    "is_withdrawn": _either("its supplier withdrew it", "it is reported", SUPPLIER),
    "bypasses": _either("it bypasses IMS", "it is in IMS"),
    "is_settled": _either("a filed GSTR-3B settled it", "no filed GSTR-3B has settled it"),
    "is_superseded": _either("a later version replaced it", "no later version replaced it"),
    "is_unfiled_amendment": _either(
        "it is an amendment its supplier has not filed", "it is no unfiled amendment", SUPPLIER
    ),
    "original_is_open": _either("its original is not settled yet", "no original waits to be settled", TIME),
    "is_bill_of_entry": _either("it is a bill of entry", "it is no bill of entry"),
    "reduces": _either("accepting it reduces ITC", "accepting it reduces no ITC"),
    "pending_lapsed": _either("the last day of Pending has passed", "the last day of Pending has not passed", TIME),
    "section": _one_of("it is reported as", {**{section: NAMES[section] for section in Section}, **_SUMMED}),
    "boe_change": _one_of(
        "its bill of entry",
        {
            BoeChange.NO: "kept its GSTIN",
            BoeChange.OLD_GSTIN: "moved to another GSTIN",
            BoeChange.NEW_GSTIN: "came from another GSTIN",
        },
    ),
    "effect": _one_of("its effect on ITC over all heads is", _SIGNS),
    "change": _one_of("its change against the version before is", _SIGNS),
    "taxable_change": _one_of("its change of taxable value against the version before is", _SIGNS),
    "has_baseline": _either("an earlier version was accepted", "no earlier version was accepted"),
    "is_specified": _either("it is a specified record", "it is no specified record"),
    "has_negative": _either("a declared amount is negative", "no declared amount is negative", YOU),
    "is_zero": _either("all declared amounts are zero", "an amount is declared", YOU),
    "exceeds_cap": _either(
        "a declared amount is above what can be reduced", "no declared amount is above what can be reduced", YOU
    ),
    "cgst_differs": _either("declared CGST and SGST differ", "declared CGST and SGST are equal", YOU),
    "recipient_has_ims": _either("its recipient has an IMS", "its recipient has no IMS"),
    "is_reverse_charge": _either("reverse charge applies", "no reverse charge applies", SUPPLIER),
    "is_pos_ineligible": _either(
        "place of supply and supplier are in one State, the recipient in another",
        "the place of supply allows credit",
        SUPPLIER,
    ),
    "is_marked_ineligible": _either(
        "the distributor marked its credit ineligible", "no distributor marked its credit ineligible", SUPPLIER
    ),
    "is_time_barred": _either(
        "its credit is past the time limit of section 16(4)", "its credit is within the time limit of section 16(4)"
    ),
    "adds_itc": _either("it adds ITC", "it adds no ITC"),
    "is_past_limit": _either(
        "the period is after 30 November following its financial year", "the period is in time for its financial year"
    ),
    "bypass": _one_of("what takes it past IMS is:", _BYPASSES),
    "unavailable": _one_of(
        "what bars its credit is:",
        {
            Unavailable.NO: "nothing",
            Unavailable.PLACE_OF_SUPPLY: "place of supply (P)",
            Unavailable.TIME_BARRED: "the time limit (C)",
            Unavailable.INELIGIBLE: "the distributor marked it ineligible (I)",
        },
    ),
    "is_barred": _either(
        "this period is past the time limit of section 16(4) for it", "this period is within the time limit for it"
    ),
    "placement": _one_of("the line stands under", PLACES),
    "part": _one_of("the line stands in", PARTS),
    "adds": _either("it adds to ITC or leaves it", "it takes from ITC"),
    "is_own_period": _either(
        "the period is one of the taxpayer's own", "the period is none of the taxpayer's own return periods"
    ),
    "is_filed": _either("it is filed", "it is not filed"),
    "is_early": _either("the draft day has not come", "the draft day has come", TIME),
    "previous_is_unfiled": _either(
        "GSTR-3B of the period before is not filed", "GSTR-3B of the period before is filed", YOU
    ),
    "inv_type": _one_of(
        "the supply is",
        {
            InvoiceType.REGULAR: "regular",
            InvoiceType.DEEMED_EXPORT: "a deemed export",
            InvoiceType.SEZ_WITH_PAYMENT: "to an SEZ with payment",
            InvoiceType.SEZ_WITHOUT_PAYMENT: "to an SEZ without payment",
            InvoiceType.BONDED_WAREHOUSE: "from a bonded warehouse",
        },
    ),
    "is_same_period": _either("both count in one GSTR-2B period", "they count in different GSTR-2B periods"),
    "open_period_has_come": _either(
        "the recipient's open period has reached the amendment's", "the recipient's open period is earlier", TIME
    ),
    "was_accepted": _either("it was settled as accepted", "it was not settled as accepted"),
    "was_available": _either("its credit was available", "its credit was not available"),
    "is_itself_unavailable": _either(
        "the later version's credit is not available either", "the later version's credit is available"
    ),
    "row": _one_of("the row is", FORM_3B_ROWS),
    "is_over_three_years": _either(
        "the return is more than three years past due", "the return is at most three years past due"
    ),
    "gstr1_is_unfiled": _either("GSTR-1 of the period is not filed", "GSTR-1 of the period is filed", YOU),
    "has_no_statement": _either("there is no GSTR-2B of the period", "GSTR-2B of the period exists", YOU),
    "is_stale": _either("GSTR-2B is out of date", "GSTR-2B holds every saved change", YOU),
    "reclaim_exceeds": _either(
        "4(D)(1) is above the reclaim balance and 4(B)(2)", "4(D)(1) is covered by the reclaim balance and 4(B)(2)", YOU
    ),
    "rcm_exceeds": _either(
        "4(A)(2) and 4(A)(3) are above 3.1(d) and the RCM balance",
        "4(A)(2) and 4(A)(3) are covered by 3.1(d) and the RCM balance",
        YOU,
    ),
    "form": _one_of("the form is", {**{form: form.value for form in Form}, **{form: form.value for form in Return}}),
    "is_isd": _either("the taxpayer is an input service distributor", "the taxpayer is no input service distributor"),
    "is_filing": _either("the form is being filed", "the form is being saved"),
    "is_taking_back": _either("a saved document is deleted", "no saved document is deleted"),
    "is_own": _either("the taxpayer has such a form for the period", "the taxpayer has no such form for the period"),
    "has_begun": _either("the period has begun", "the period has not begun"),
    "in_days": _either("today is one of its filing days", "today is none of its filing days"),
    "days_are_over": _either("its filing days are over", "its filing days are not over"),
    "gstr1_is_done": _either(
        "GSTR-1 is filed and its due date has passed", "GSTR-1 is not filed, or its due date has not passed"
    ),
    "own_3b_is_filed": _either(
        "the supplier's GSTR-3B of the period is filed", "the supplier's GSTR-3B of the period is not filed"
    ),
    "previous_3b_is_unfiled": _either(
        "the supplier's GSTR-3B of the period before is not filed",
        "the supplier's GSTR-3B of the period before is filed",
    ),
    "is_export": _either("it is an export", "it is no export"),
    "kind": _one_of(
        "the sum is of",
        {
            "": "no kind of its own",
            "nil": "nil rated supplies",
            "exempt": "exempt supplies",
            "non_gst": "supplies outside GST",
            "clttx": "supplies on which an operator collects tax at source",
            "paytx": "supplies on which an operator pays the tax",
        },
    ),
    "recipient_is_uin": _either("the recipient is a UIN holder", "the recipient is no UIN holder"),
    "original_is_kept": _either("a return kept here reports its original", "no return kept here reports its original"),
    "is_inter_state": _either("the supply is inter-State", "the supply is not inter-State"),
    "older_than_three_years": _either("it fell due more than three years ago", "it fell due at most three years ago"),
    "last_day_has_passed": _either(
        "30 November after its financial year has passed", "30 November after its financial year has not passed"
    ),
    "frequency": _one_of("the return is", {Frequency.MONTHLY: "monthly", Frequency.QUARTERLY: "quarterly"}),
    "group": _one_of(
        "the State belongs to the", {StateGroup.X: "first group (22 to 37)", StateGroup.Y: "second group"}
    ),
    "state": _one_of("the State code is", {f"{code:02d}": f"{code:02d}" for code in range(1, 100)}),
    "rate": _one_of(
        "the rate is",
        {rate: percent(rate) for rate in (0, 10, 25, 100, 150, 300, 500, 600, 750, 1200, 1800, 2800, 4000)},
    ),
    "is_sez": _either("the supply is to or by an SEZ", "no SEZ is involved"),
    "credit": _one_of("the credit is", _HEADS),
    "head": _one_of("the tax is", _HEADS),
    "is_above_share": _either(
        "ITC is above GSTR-2B by more than the percentage", "ITC is above GSTR-2B by no more than the percentage", YOU
    ),
    "is_above_amount": _either(
        "ITC is above GSTR-2B by more than the amount", "ITC is above GSTR-2B by no more than the amount", YOU
    ),
    "is_same_state": _either(
        "supplier and place of supply are in one State", "supplier and place of supply are in two States"
    ),
}
"""Name of a fact -> its words."""

REFUSALS: Mapping[Refusal, str] = {
    Refusal.RECORD_NOT_IN_IMS: "Refused: it is not in IMS",
    Refusal.RECORD_FROZEN: "Refused: it is settled",
    Refusal.RECORD_SUPERSEDED: "Refused: a later version replaced it",
    Refusal.AMENDMENT_NOT_FILED: "Refused until the amendment is filed",
    Refusal.ORIGINAL_NOT_SETTLED: "Refused until the original is settled",
    Refusal.REJECT_NOT_ALLOWED: "Refused: bills of entry cannot be rejected",
    Refusal.PENDING_BLOCKED: "Refused: it cannot be kept pending",
    Refusal.PENDING_EXPIRED: "Refused: the time for Pending is over",
    Refusal.ITC_REDUCTION_ONLY_ON_ACCEPT: "Refused: an ITC reduction belongs to Accept",
    Refusal.ITC_REDUCTION_BLOCKED: "Refused: no ITC reduction is asked here",
    Refusal.ITC_REDUCTION_REQUIRED: "Refused until the ITC reduction is answered",
    Refusal.DECLARED_NEGATIVE: "Refused: a declared amount is negative",
    Refusal.DECLARED_ZERO: "Refused: nothing is declared; the answer is No then",
    Refusal.DECLARED_EXCEEDS_DOCUMENT: "Refused: more is declared than can be reduced",
    Refusal.CGST_SGST_MISMATCH: "Refused: CGST and SGST must be equal",
    Refusal.REMARKS_BLOCKED: "Refused: no remark can be given",
    Refusal.REMARKS_TOO_LONG: "Refused: the remark is too long",
    Refusal.REMARKS_NOT_ALLOWED: "Refused: this choice takes no remark",
    Refusal.REMARKS_REQUIRED: "Refused until a remark is given",
    Refusal.REASON_CODE_ONLY_ON_REJECT: "Refused: a reason code belongs to Reject",
    Refusal.WRONG_PERIOD: "Refused: not one of the taxpayer's periods",
    Refusal.TOO_EARLY: "Refused before the draft day",
    Refusal.PREVIOUS_3B_NOT_FILED: "Refused until GSTR-3B of the period before is filed",
    Refusal.ALREADY_FILED: "Refused: it is filed already",
    Refusal.GSTR1_NOT_FILED: "Refused until GSTR-1 of the period is filed",
    Refusal.GSTR2B_NOT_AVAILABLE: "Refused until there is a GSTR-2B",
    Refusal.RECOMPUTE_REQUIRED: "Refused until GSTR-2B is computed again",
    Refusal.RETURN_TIME_BARRED: "Refused: more than three years past due",
    Refusal.RECLAIM_EXCEEDS_BALANCE: "Refused: more is reclaimed than was reversed",
    Refusal.RCM_ITC_EXCEEDS_LIABILITY: "Refused: more reverse-charge ITC than liability",
    Refusal.FIELD_NOT_EDITABLE: "Refused: the row is computed",
    Refusal.FIELD_LOCKED: "Refused: the row is locked",
    Refusal.REASON_REQUIRED: "Refused until a reason is given",
    Refusal.FORM_NOT_OPEN: "Refused: the form is not open",
    Refusal.DUPLICATE_DOCUMENT: "Refused: the number was used before",
    Refusal.ORIGINAL_NOT_FOUND: "Refused: no such original",
    Refusal.RECIPIENT_CHANGE_NOT_ALLOWED: "Refused: an amendment keeps its recipient",
    Refusal.DOCUMENT_INVALID: "Refused: the document is not valid",
}

_ANSWERS: Mapping[type, Mapping[Any, str]] = {
    Refusal: REFUSALS,
    Bypass: {
        Bypass.NO: "It is in IMS",
        **{b: f"It bypasses IMS, by {name}" for b, name in _BYPASSES.items() if b is not Bypass.NO},
        Bypass.BEFORE_IMS: "It bypasses IMS: IMS had not begun",
    },
    Unavailable: {
        Unavailable.NO: "Nothing bars its credit",
        Unavailable.PLACE_OF_SUPPLY: "Its credit is not available, reason P (place of supply)",
        Unavailable.TIME_BARRED: "Its credit is not available, reason C (time limit)",
        Unavailable.INELIGIBLE: "Its credit is not available: the distributor marked it ineligible",
    },
    Placement: {
        Placement.AVAILABLE: "It stands under ITC available",
        Placement.NOT_AVAILABLE: "It stands under ITC not available",
        Placement.REJECTED: "It stands under ITC rejected",
        Placement.REVERSAL: "It stands under ITC reversal",
        Placement.NOWHERE: "It stays in IMS and is in no GSTR-2B yet",
    },
    Part: {part: f"It stands in {name}" for part, name in PARTS.items()},
    Status: {
        Status.NONE: "No status is printed",
        Status.ACCEPTED: "It is printed as accepted",
        Status.DEEMED_ACCEPTED: "It is printed as deemed accepted",
        Status.REJECTED: "It is printed as rejected",
    },
    Measure: {
        Measure.EFFECT: "Its whole effect counts",
        Measure.DECLARED: "What was declared is reduced",
        Measure.NOTHING: "Nothing is reduced",
    },
    Action: {
        Action.ACCEPT: "It counts as accepted",
        Action.REJECT: "It counts as rejected",
        Action.PENDING: "It counts as pending",
        Action.NONE: "It counts as No action, which is accepted when GSTR-2B is made",
    },
    StateGroup: {StateGroup.X: "First group", StateGroup.Y: "Second group"},
    Heads: {Heads.IGST: "IGST", Heads.CGST_AND_SGST: "CGST and SGST"},
    Means: {
        Means.CREDIT: "Credit pays it, cash the rest",
        Means.CASH: "Cash alone pays it",
        Means.NOTHING: "Nothing is paid on it",
    },
    Direction: {
        Direction.UPWARD: "It is an upward amendment",
        Direction.DOWNWARD: "It is a downward amendment",
        Direction.UNCHANGED: "It is an amendment that changes nothing",
    },
}


def facts(name: str, values: Sequence[Fact]) -> str:
    """Return the clause of a fact; a fact without words of its own is named by itself."""
    wording = FACTS.get(name)
    return wording.clause(values) if wording else f"{name} is {' or '.join(map(str, values))}"


def answer(outcome: object) -> str:
    """Return an answer of a table as a sentence without its full stop."""
    if outcome is None:
        return "Allowed"
    if isinstance(outcome, bool):
        return "Yes" if outcome else "No"
    named = _ANSWERS.get(type(outcome), {}).get(outcome)
    if named is not None:
        return named
    if isinstance(outcome, str) and outcome in FORM_3B_ROWS:
        return f"It goes to {FORM_3B_ROWS[outcome]}"
    return str(outcome) if outcome != "" else "None"
