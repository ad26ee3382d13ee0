"""What people are told when something is refused: every code of portal 3.12 has its text, with what, why and next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ims_portal.rules import actions, gstr2b, gstr3b
from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from ims_portal.rules.table import Dated
from invoices import standing
from invoices import wording as of_records
from invoices.actions import Result, ResultStatus
from invoices.models import Record
from returns import gstr3b as returns3b
from returns import wording
from tests import factories

pytestmark = pytest.mark.django_db
ON = factories.at("2025-12-21")

SAID = {
    Refusal.RECORD_NOT_IN_IMS: "CN1 is not in IMS: nothing is to be decided on it.",
    Refusal.RECORD_FROZEN: ("Settled with GSTR-3B of 10/2025. Only Firm AAACS can change it, by reporting it again."),
    Refusal.RECORD_SUPERSEDED: "Replaced by a later version of CN1 in the same GSTR-2B. Decide on that one.",
    Refusal.AMENDMENT_NOT_FILED: "Firm AAACS saved this amendment but has not filed it. Act after filing.",
    Refusal.ORIGINAL_NOT_SETTLED: "Decide on the original INV1 and file GSTR-3B of 10/2025 first.",
    Refusal.REJECT_NOT_ALLOWED: "Bills of entry cannot be rejected. Accept or keep pending.",
    Refusal.PENDING_BLOCKED: "CN1 cannot be kept pending: the rules of GSTR-2B 10/2025 bar it. Accept or reject it.",
    Refusal.PENDING_EXPIRED: (
        "CN1 could be pending until 20/12/2025. Accept or reject; untouched it is accepted with full reduction."
    ),
    Refusal.ITC_REDUCTION_ONLY_ON_ACCEPT: "An ITC reduction belongs to Accept. Clear it or choose Accept.",
    Refusal.ITC_REDUCTION_BLOCKED: "CN1 does not ask for an ITC reduction. Clear it.",
    Refusal.ITC_REDUCTION_REQUIRED: "Say whether ITC is reduced for CN1.",
    Refusal.DECLARED_NEGATIVE: "No amount can be below 0.00.",
    Refusal.DECLARED_ZERO: "All four amounts are 0.00. Choose None, or write what is reduced.",
    Refusal.DECLARED_EXCEEDS_DOCUMENT: "An amount is above what this record can reduce.",
    Refusal.CGST_SGST_MISMATCH: "Central tax and State/UT tax must be equal.",
    Refusal.REMARKS_BLOCKED: "Records with a GSTR-2B period before 10/2025 take no remark. Clear it.",
    Refusal.REMARKS_TOO_LONG: "A remark has at most 250 characters. Shorten it.",
    Refusal.REMARKS_NOT_ALLOWED: "This action takes no remark. Clear it.",
    Refusal.REMARKS_REQUIRED: "Part and None need a remark.",
    Refusal.REASON_CODE_ONLY_ON_REJECT: "A reason code belongs to Reject. Clear it.",
}


def outcomes(*rules: Dated[Refusal | None]) -> set[Refusal]:
    """Return every refusal some rules can answer, in any version."""
    rows = (row for rule in rules for table in rule.versions.values() for row in table.rows)
    return {row.outcome for row in rows if row.outcome is not None}


@pytest.fixture
def note() -> Record:
    """Return a settled credit note whose original is an invoice, so that a sentence may name all of it."""
    invoice, found = factories.filed(
        factories.document(number="INV1"), factories.document(section=Section.CN, number="CN1", on="2025-10-20")
    )
    found.settled_month, found.original = 202510, invoice
    return found


def test_every_refusal_of_an_action_has_its_sentence() -> None:
    rules = (actions.ACTION_REFUSALS, actions.DECLARATION_REFUSALS, actions.REMARK_REFUSALS)
    assert outcomes(*rules) | {Refusal.REASON_CODE_ONLY_ON_REJECT} == set(SAID)


@pytest.mark.parametrize("code", SAID)
def test_a_refused_action_is_told_so(note: Record, code: Refusal) -> None:
    today = standing.of(note.recipient, ON)
    if code is Refusal.REMARKS_BLOCKED:
        note.gstr2b_month = 202509  # the law of before remarks names when they began
    assert of_records.refusal(code, note, today) == SAID[code]


def test_a_conflict_names_who_chose_what_and_when_and_what_to_do(note: Record) -> None:
    told = Result(note.pk, ResultStatus.CONFLICT, 2, "CN1", None, Action.REJECT, "Ravi", factories.at("2025-11-12"))
    assert of_records.result(told, note, standing.of(note.recipient, ON)) == (
        "Ravi chose Reject at 12/11/2025 10:00, after you opened this page. Yours was not saved. Choose again."
    )


def test_every_refusal_of_computing_has_a_cure() -> None:
    owner = factories.taxpayer()
    today = standing.of(owner, ON)
    november = today.filer.period(202511)
    found = {
        code: wording.statement(code, taxpayer=owner, period=november, today=today, open_month=202510)
        for code in outcomes(gstr2b.COMPUTE_REFUSALS)
    }
    assert {code: advice.text for code, advice in found.items() if code is not Refusal.WRONG_PERIOD} == {
        Refusal.ALREADY_FILED: (
            "GSTR-3B of 11/2025 is filed, so its GSTR-2B stays as it was filed. Changes come in a later period."
        ),
        Refusal.TOO_EARLY: (
            "GSTR-2B of 11/2025 can be computed from 14/12/2025. Until then you can decide on its records in IMS."
        ),
        Refusal.PREVIOUS_3B_NOT_FILED: (
            "GSTR-3B of 10/2025 is not filed. File it first, then compute GSTR-2B of 11/2025."
        ),
    }
    assert all(advice.page and advice.label for advice in found.values())


def test_every_refusal_of_filing_has_its_sentence_and_all_but_the_bar_of_three_years_a_cure() -> None:
    shown = replace(
        returns3b.draft(taxpayer=factories.taxpayer(), period=factories.OCTOBER, at=ON),
        reclaim_room=Tax(igst=-1_00),
        rcm_room=Tax(cgst=-2_00),
        changes_since=7,
    )
    found = {code: wording.filing(code, shown=shown) for code in outcomes(gstr3b.FILING_REFUSALS)}
    assert {code: advice.text for code, advice in found.items()} == {
        Refusal.ALREADY_FILED: "GSTR-3B of 10/2025 is filed. Nothing was filed again.",
        Refusal.RETURN_TIME_BARRED: (
            "GSTR-3B of 10/2025 was due on 20/11/2025. More than three years past due, a return cannot be filed any "
            "more."
        ),
        Refusal.PREVIOUS_3B_NOT_FILED: "GSTR-3B of 10/2025 is not filed. File it first, then GSTR-3B of 10/2025.",
        Refusal.GSTR1_NOT_FILED: "GSTR-1 of 10/2025 is not filed. File it first: Table 3 comes from it.",
        Refusal.GSTR2B_NOT_AVAILABLE: (
            "GSTR-2B of 10/2025 does not exist yet. Compute it first: Table 4 comes from it."
        ),
        Refusal.RECOMPUTE_REQUIRED: (
            "GSTR-2B of 10/2025 is out of date: 7 saved changes are not in it. Compute it again, then file."
        ),
        Refusal.RECLAIM_EXCEEDS_BALANCE: "4(D)(1) Integrated tax: at most -₹1.00.",
        Refusal.RCM_ITC_EXCEEDS_LIABILITY: "4(A)(2) + 4(A)(3) Central tax: at most -₹2.00.",
    }
    assert [code for code, advice in found.items() if not advice.page] == [Refusal.RETURN_TIME_BARRED]


def test_every_refusal_of_an_edit_has_its_sentence() -> None:
    codes = outcomes(gstr3b.EDIT_REFUSALS) | {Refusal.REASON_REQUIRED, Refusal.ALREADY_FILED}
    assert {code: wording.edit(code, period=factories.OCTOBER, row="t3_1_a") for code in codes} == {
        Refusal.FIELD_LOCKED: "Locked from 07/2025; use GSTR-1A before filing, or amend in a later return.",
        Refusal.FIELD_NOT_EDITABLE: "3.1(a) is computed from the rows above it. Change those.",
        Refusal.REASON_REQUIRED: "3.1(a) is declared otherwise than derived. Say why.",
        Refusal.ALREADY_FILED: "GSTR-3B of 10/2025 is filed and cannot be changed.",
    }


def test_a_lapsed_pending_is_no_saved_change() -> None:
    shown = returns3b.draft(taxpayer=factories.taxpayer(), period=factories.OCTOBER, at=ON)
    assert "a Pending lapsed" in wording.filing(Refusal.RECOMPUTE_REQUIRED, shown=replace(shown, changes_since=0)).text
