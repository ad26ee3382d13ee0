"""What a recipient may do with a record, and why not: K1 to K10, the order of refusals, ITC reduction, remarks.

Every table is read twice: by `decide` for one record, through `ims_portal.sql.case` for a set. The same rows grey
a button with its reason, guard one click, filter a bulk update and print on the Rules page.
"""

from __future__ import annotations

from enum import StrEnum

from ims_portal.rules.documents import BILLS_OF_ENTRY, Section
from ims_portal.rules.table import Dated, Facts, Table, always, otherwise, row

YES_NO = (False, True)
REMARK_LIMIT = 250
"""Characters of a remark after trimming (R5.3)."""


class Action(StrEnum):
    """The recipient's choice, by the portal's letter (R2.1)."""

    NONE = "N"
    ACCEPT = "A"
    REJECT = "R"
    PENDING = "P"


class Answer(StrEnum):
    """The answer to "does ITC need to be reduced for this record?" (R4.1 to R4.4)."""

    NOT_GIVEN = ""
    FULL = "F"
    PART = "P"
    NONE = "N"


class ReasonCode(StrEnum):
    """Our optional reason codes of a rejection (R5.6)."""

    NOT_OURS = "NOT_OURS"
    DUPLICATE = "DUPLICATE"
    WRONG_VALUE = "WRONG_VALUE"
    WRONG_TAX = "WRONG_TAX"
    NOT_RECEIVED = "NOT_RECEIVED"
    RETURNED = "RETURNED"
    NOT_AGREED = "NOT_AGREED"
    OTHER = "OTHER"


class Remark(StrEnum):
    """What the text of a remark amounts to, after trimming."""

    NONE = "none"
    GIVEN = "given"
    TOO_LONG = "too long"


class BoeChange(StrEnum):
    """Which side of a GSTIN amendment of a bill of entry a record is (R9.4)."""

    NO = ""
    OLD_GSTIN = "O"
    NEW_GSTIN = "N"


class Sign(StrEnum):
    """The sign of the sum of a record's effect over all heads, or of its change against an earlier version."""

    NEGATIVE = "-"
    ZERO = "0"
    POSITIVE = "+"


class Refusal(StrEnum):
    """Why something is refused: the closed list of symbolic codes of the worked cases."""

    RECORD_NOT_IN_IMS = "RECORD_NOT_IN_IMS"
    RECORD_FROZEN = "RECORD_FROZEN"
    RECORD_SUPERSEDED = "RECORD_SUPERSEDED"
    AMENDMENT_NOT_FILED = "AMENDMENT_NOT_FILED"
    ORIGINAL_NOT_SETTLED = "ORIGINAL_NOT_SETTLED"
    REJECT_NOT_ALLOWED = "REJECT_NOT_ALLOWED"
    PENDING_BLOCKED = "PENDING_BLOCKED"
    PENDING_EXPIRED = "PENDING_EXPIRED"
    ITC_REDUCTION_ONLY_ON_ACCEPT = "ITC_REDUCTION_ONLY_ON_ACCEPT"
    ITC_REDUCTION_BLOCKED = "ITC_REDUCTION_BLOCKED"
    ITC_REDUCTION_REQUIRED = "ITC_REDUCTION_REQUIRED"
    DECLARED_NEGATIVE = "DECLARED_NEGATIVE"
    DECLARED_ZERO = "DECLARED_ZERO"
    DECLARED_EXCEEDS_DOCUMENT = "DECLARED_EXCEEDS_DOCUMENT"
    CGST_SGST_MISMATCH = "CGST_SGST_MISMATCH"
    REMARKS_BLOCKED = "REMARKS_BLOCKED"
    REMARKS_TOO_LONG = "REMARKS_TOO_LONG"
    REMARKS_NOT_ALLOWED = "REMARKS_NOT_ALLOWED"
    REMARKS_REQUIRED = "REMARKS_REQUIRED"
    REASON_CODE_ONLY_ON_REJECT = "REASON_CODE_ONLY_ON_REJECT"
    WRONG_PERIOD = "WRONG_PERIOD"
    TOO_EARLY = "TOO_EARLY"
    PREVIOUS_3B_NOT_FILED = "PREVIOUS_3B_NOT_FILED"
    ALREADY_FILED = "ALREADY_FILED"
    GSTR1_NOT_FILED = "GSTR1_NOT_FILED"
    GSTR2B_NOT_AVAILABLE = "GSTR2B_NOT_AVAILABLE"
    RECOMPUTE_REQUIRED = "RECOMPUTE_REQUIRED"
    RETURN_TIME_BARRED = "RETURN_TIME_BARRED"
    RECLAIM_EXCEEDS_BALANCE = "RECLAIM_EXCEEDS_BALANCE"
    RCM_ITC_EXCEEDS_LIABILITY = "RCM_ITC_EXCEEDS_LIABILITY"
    FIELD_NOT_EDITABLE = "FIELD_NOT_EDITABLE"
    FIELD_LOCKED = "FIELD_LOCKED"
    REASON_REQUIRED = "REASON_REQUIRED"
    FORM_NOT_OPEN = "FORM_NOT_OPEN"
    DUPLICATE_DOCUMENT = "DUPLICATE_DOCUMENT"
    ORIGINAL_NOT_FOUND = "ORIGINAL_NOT_FOUND"
    RECIPIENT_CHANGE_NOT_ALLOWED = "RECIPIENT_CHANGE_NOT_ALLOWED"
    DOCUMENT_INVALID = "DOCUMENT_INVALID"


ACTION_FACTS: Facts = {
    "action": tuple(Action),
    "is_withdrawn": YES_NO,
    "bypasses": YES_NO,
    "is_settled": YES_NO,
    "is_superseded": YES_NO,
    "is_unfiled_amendment": YES_NO,
    "original_is_open": YES_NO,
    "is_bill_of_entry": YES_NO,
    "reduces": YES_NO,
    "pending_lapsed": YES_NO,
}

_STATE_ROWS = (
    row(Refusal.RECORD_NOT_IN_IMS, is_withdrawn=True, cite="R2.15; R2.3"),
    row(Refusal.RECORD_NOT_IN_IMS, bypasses=True, cite="R1.5; FAQ on IMS 23-Sep-2024 Q4, Q8"),
    row(Refusal.RECORD_FROZEN, is_settled=True, cite="R7.7; FAQ on IMS 23-Sep-2024 Q5"),
    row(Refusal.RECORD_SUPERSEDED, is_superseded=True, cite="R2.5; revised advisory on IMS"),
    row(Refusal.AMENDMENT_NOT_FILED, is_unfiled_amendment=True, cite="R2.9; Additional FAQ 17-Oct-2024 Q8", ours=True),
    row(Refusal.ORIGINAL_NOT_SETTLED, original_is_open=True, cite="R2.7; revised advisory on IMS"),
    row(Refusal.REJECT_NOT_ALLOWED, is_bill_of_entry=True, action=Action.REJECT, cite="R9.3; advisory 30-Oct-2025"),
)

ACTION_REFUSALS: Dated[Refusal | None] = Dated(
    name="what is refused when a recipient acts",
    governed_by="the record's GSTR-2B period",
    versions={
        0: Table(
            "before IMS",
            ACTION_FACTS,
            (otherwise(Refusal.RECORD_NOT_IN_IMS, cite="R1.2; Additional FAQ 17-Oct-2024 Q1"),),
        ),
        202410: Table(
            "IMS actions",
            ACTION_FACTS,
            (
                *_STATE_ROWS,
                row(
                    Refusal.PENDING_BLOCKED,
                    action=Action.PENDING,
                    reduces=True,
                    cite="R3.1 K2, K4, K6, K7; Additional FAQ 17-Oct-2024 Q10",
                ),
                otherwise(None, cite="R2.2; R2.10"),
            ),
        ),
        202510: Table(
            "Pending of specified records for one period",
            ACTION_FACTS,
            (
                *_STATE_ROWS,
                row(
                    Refusal.PENDING_EXPIRED,
                    action=Action.PENDING,
                    reduces=True,
                    pending_lapsed=True,
                    cite="R3.5; FAQ 17-Oct-2025 Q4, Q5",
                ),
                otherwise(None, cite="R2.2; R2.10; advisory 624 of 23-Sep-2025"),
            ),
        ),
    },
)

SPECIFIED: Dated[bool] = Dated(
    name="is it a specified record, with the ITC-reduction question and Pending for one period",
    governed_by="the record's GSTR-2B period",
    versions={
        0: Table("no specified records", {"reduces": YES_NO}, (otherwise(False, cite="R3.1; R4.10"),)),
        202510: Table(
            "specified records",
            {"reduces": YES_NO},
            (
                row(True, reduces=True, cite="R2.14; advisory 624 of 23-Sep-2025"),
                otherwise(False, cite="R2.14; R4.9"),
            ),
        ),
    },
)

REDUCES: Dated[bool] = always(
    "does accepting the record reduce ITC",
    governed_by="the record's GSTR-2B period",
    facts={"section": tuple(Section), "boe_change": tuple(BoeChange), "effect": tuple(Sign)},
    rows=(
        row(
            True,
            section=(Section.CN, Section.CNA, Section.B2BA, Section.DNA, Section.ECOA),
            effect=Sign.NEGATIVE,
            cite="R2.14 K2, K4, K6, K7; FAQ 17-Oct-2025",
        ),
        row(True, boe_change=BoeChange.OLD_GSTIN, effect=Sign.NEGATIVE, cite="R2.14 K10; R9.4; advisory 30-Oct-2025"),
        otherwise(False, cite="R2.14"),
    ),
)

KINDS: Dated[str] = always(
    "kind of a record in the permission matrix",
    governed_by="the record's GSTR-2B period",
    facts={"section": tuple(Section), "boe_change": tuple(BoeChange), "has_baseline": YES_NO, "change": tuple(Sign)},
    rows=(
        row("K10", section=(Section.IMPGA, Section.IMPGSEZA), cite="R2.10 K10; R9.4"),
        row("K9", section=tuple(s for s in Section if s in BILLS_OF_ENTRY), cite="R2.10 K9; R9.3"),
        row("K1", section=(Section.B2B, Section.DN, Section.ECO), cite="R2.10 K1"),
        row("K2", section=Section.CN, cite="R2.10 K2"),
        row("K6", section=Section.CNA, change=Sign.POSITIVE, cite="R2.10 K6"),
        row("K8", section=Section.CNA, has_baseline=True, cite="R2.10 K8"),
        row("K7", section=Section.CNA, cite="R2.10 K7"),
        row("K3", section=(Section.B2BA, Section.DNA, Section.ECOA), change=Sign.POSITIVE, cite="R2.10 K3"),
        row(
            "K4",
            section=(Section.B2BA, Section.DNA, Section.ECOA),
            has_baseline=True,
            change=Sign.NEGATIVE,
            cite="R2.10 K4",
        ),
        row("K3", section=(Section.B2BA, Section.DNA, Section.ECOA), has_baseline=True, cite="R2.10 K3, unchanged"),
        row("K5", section=(Section.B2BA, Section.DNA, Section.ECOA), cite="R2.10 K5"),
        otherwise("", cite="R1.5: not in IMS"),
    ),
)

EFFECTIVE_ACTION: Dated[Action] = Dated(
    name="the action as it counts today",
    governed_by="the record's GSTR-2B period",
    versions={
        0: Table(
            "as chosen",
            {"action": tuple(Action), "reduces": YES_NO, "pending_lapsed": YES_NO},
            (
                row(Action.ACCEPT, action=Action.ACCEPT, cite="R2.1"),
                row(Action.REJECT, action=Action.REJECT, cite="R2.1"),
                row(Action.PENDING, action=Action.PENDING, cite="R2.1"),
                otherwise(Action.NONE, cite="R2.1"),
            ),
        ),
        202510: Table(
            "a lapsed Pending reads as No action",
            {"action": tuple(Action), "reduces": YES_NO, "pending_lapsed": YES_NO},
            (
                row(
                    Action.NONE,
                    action=Action.PENDING,
                    reduces=True,
                    pending_lapsed=True,
                    cite="R3.5: the stored Pending reads as No action; FAQ 17-Oct-2025 Q5",
                    ours=True,
                ),
                row(Action.ACCEPT, action=Action.ACCEPT, cite="R2.1"),
                row(Action.REJECT, action=Action.REJECT, cite="R2.1"),
                row(Action.PENDING, action=Action.PENDING, cite="R2.1"),
                otherwise(Action.NONE, cite="R2.1"),
            ),
        ),
    },
)

DECLARATION_REFUSALS: Dated[Refusal | None] = always(
    "what is refused of an ITC-reduction declaration",
    governed_by="the record's GSTR-2B period",
    facts={
        "action": tuple(Action),
        "answer": tuple(Answer),
        "is_specified": YES_NO,
        "has_negative": YES_NO,
        "is_zero": YES_NO,
        "exceeds_cap": YES_NO,
        "cgst_differs": YES_NO,
    },
    rows=(
        row(
            Refusal.ITC_REDUCTION_ONLY_ON_ACCEPT,
            action=(Action.NONE, Action.REJECT, Action.PENDING),
            answer=(Answer.FULL, Answer.PART, Answer.NONE),
            cite="R4.6",
        ),
        row(
            Refusal.ITC_REDUCTION_BLOCKED,
            is_specified=False,
            answer=(Answer.FULL, Answer.PART, Answer.NONE),
            cite="R4.6; R4.9",
        ),
        row(
            Refusal.ITC_REDUCTION_REQUIRED,
            is_specified=True,
            action=Action.ACCEPT,
            answer=Answer.NOT_GIVEN,
            cite="R4.1; R4.6; portal code IMSSAV0054",
        ),
        row(Refusal.DECLARED_NEGATIVE, answer=Answer.PART, has_negative=True, cite="R4.6"),
        row(Refusal.DECLARED_ZERO, answer=Answer.PART, is_zero=True, cite="R4.6"),
        row(Refusal.DECLARED_EXCEEDS_DOCUMENT, answer=Answer.PART, exceeds_cap=True, cite="R4.6"),
        row(Refusal.CGST_SGST_MISMATCH, answer=Answer.PART, cgst_differs=True, cite="R4.6"),
        otherwise(None, cite="R4.6"),
    ),
)

_REMARK_FACTS: Facts = {"action": tuple(Action), "answer": tuple(Answer), "remark": tuple(Remark)}

REMARK_REFUSALS: Dated[Refusal | None] = Dated(
    name="what is refused of a remark",
    governed_by="the record's GSTR-2B period",
    versions={
        0: Table(
            "no remarks yet",
            _REMARK_FACTS,
            (
                row(Refusal.REMARKS_BLOCKED, remark=(Remark.GIVEN, Remark.TOO_LONG), cite="R5.3; advisory 624"),
                otherwise(None, cite="R5.3"),
            ),
        ),
        202510: Table(
            "remarks",
            _REMARK_FACTS,
            (
                row(Refusal.REMARKS_TOO_LONG, remark=Remark.TOO_LONG, cite="R5.3; IMS Offline Utility V1.1"),
                row(Refusal.REMARKS_NOT_ALLOWED, remark=Remark.GIVEN, action=Action.NONE, cite="R5.3"),
                row(
                    Refusal.REMARKS_NOT_ALLOWED,
                    remark=Remark.GIVEN,
                    action=Action.ACCEPT,
                    answer=(Answer.NOT_GIVEN, Answer.FULL),
                    cite="R5.3",
                ),
                row(
                    Refusal.REMARKS_REQUIRED,
                    remark=Remark.NONE,
                    action=Action.ACCEPT,
                    answer=(Answer.PART, Answer.NONE),
                    cite="R5.2; FAQ 17-Oct-2025 Q7",
                ),
                otherwise(None, cite="R5.1; R5.3"),
            ),
        ),
    },
)

REASON_REFUSALS: Dated[Refusal | None] = always(
    "what is refused of a reason code",
    governed_by="the record's GSTR-2B period",
    facts={"action": tuple(Action), "has_reason": YES_NO},
    rows=(
        row(
            Refusal.REASON_CODE_ONLY_ON_REJECT,
            has_reason=True,
            action=(Action.NONE, Action.ACCEPT, Action.PENDING),
            cite="R5.6",
            ours=True,
        ),
        otherwise(None, cite="R5.6", ours=True),
    ),
)


def sign(amount: int) -> Sign:
    """Return the sign of an amount in paise."""
    return Sign.NEGATIVE if amount < 0 else Sign.POSITIVE if amount else Sign.ZERO


def remark_fact(text: str) -> Remark:
    """Return what a trimmed remark amounts to; an empty one is none (R5.3)."""
    if not text:
        return Remark.NONE
    return Remark.TOO_LONG if len(text) > REMARK_LIMIT else Remark.GIVEN
