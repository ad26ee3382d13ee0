"""Table 6.1: which credit pays which tax in which order, what is left for cash (R8.14, R8.15, R10.9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules import payment
from ims_portal.rules.money import HEADS, NIL, Tax
from ims_portal.rules.payment import Use

BEFORE, SINCE = 202601, 202602
MONTHS = st.sampled_from([202410, BEFORE, SINCE, 202610])
AMOUNTS = st.integers(-3_000, 3_000)
TAXES = st.builds(Tax, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
ROWS = st.fixed_dictionaries(dict.fromkeys(("t3_1_a", "t3_1_b", "t3_1_d", "t3_1_1_i", "t3_2", "t4C"), TAXES))
WISHES = st.dictionaries(
    st.sampled_from([("igst", "cgst"), ("igst", "sgst"), ("cgst", "igst"), ("sgst", "igst")]), st.integers(0, 3_000)
)


def rupees(igst: int = 0, cgst: int = 0, sgst: int = 0, cess: int = 0) -> Tax:
    return Tax(igst * 100, cgst * 100, sgst * 100, cess * 100)


def paid(month: int, owed: Tax, credit: Tax, wish: dict[Use, int] | None = None) -> dict[Use, int]:
    found = payment.set_off(month, {"t3_1_a": owed, "t4C": credit}, wish)
    return {use: amount // 100 for use, amount in found.uses.items()}


@pytest.mark.parametrize(
    ("owed", "credit", "uses"),
    [
        (rupees(igst=100), rupees(igst=60), {("igst", "igst"): 60}),
        (
            rupees(igst=10, cgst=50, sgst=50),
            rupees(igst=80),
            {("igst", "igst"): 10, ("igst", "cgst"): 50, ("igst", "sgst"): 20},
        ),
        (
            rupees(cgst=50, sgst=50),
            rupees(igst=50, cgst=50),
            {("igst", "cgst"): 50},
        ),
        (rupees(cgst=50, sgst=50), rupees(cgst=90), {("cgst", "cgst"): 50}),
        (rupees(igst=30, cgst=50), rupees(cgst=90), {("cgst", "cgst"): 50, ("cgst", "igst"): 30}),
        (rupees(igst=30, cess=5), rupees(cess=9), {("cess", "cess"): 5}),
    ],
)
def test_credit_is_used_in_the_order_of_the_law(owed: Tax, credit: Tax, uses: dict[Use, int]) -> None:
    assert paid(SINCE, owed, credit) == uses


def test_igst_credit_left_over_goes_to_cgst_and_sgst_in_the_proportion_chosen() -> None:
    owed, credit = rupees(cgst=50, sgst=50), rupees(igst=60)
    chosen = paid(BEFORE, owed, credit, {("igst", "cgst"): 1_500, ("igst", "sgst"): 4_500})
    assert chosen == {("igst", "cgst"): 15, ("igst", "sgst"): 45}
    wholly = paid(BEFORE, owed, credit, {("igst", "cgst"): 0, ("igst", "sgst"): 0})
    assert sum(wholly.values()) == 60


@pytest.mark.parametrize(
    ("month", "uses"),
    [(BEFORE, {("cgst", "igst"): 40, ("sgst", "igst"): 10}), (SINCE, {("cgst", "igst"): 10, ("sgst", "igst"): 40})],
)
def test_sgst_credit_pays_igst_before_cgst_credit_only_since_february_2026(month: int, uses: dict[Use, int]) -> None:
    wish = {("cgst", "igst"): 0, ("sgst", "igst"): 4_000}
    assert paid(month, rupees(igst=50), rupees(cgst=40, sgst=40), wish) == uses


def test_reverse_charge_and_section_9_5_are_paid_in_cash() -> None:
    rows = {"t3_1_d": rupees(igst=100), "t3_1_1_i": rupees(cgst=7, sgst=7), "t4C": rupees(igst=500, cgst=50)}
    found = payment.set_off(SINCE, rows)
    assert found.uses == {}
    assert found.cash_only_paid == rupees(igst=100, cgst=7, sgst=7)


def test_a_row_below_zero_is_payable_as_zero_and_takes_nothing_from_another_row() -> None:
    rows = {"t3_1_a": rupees(igst=-40, cgst=10), "t3_1_b": rupees(igst=30), "t3_2": rupees(igst=99)}
    assert payment.set_off(SINCE, rows).payable == rupees(igst=30, cgst=10)


def test_net_itc_below_zero_pays_nothing() -> None:
    found = payment.set_off(SINCE, {"t3_1_a": rupees(igst=10, cgst=10), "t4C": rupees(igst=-5, cgst=4)})
    assert found.credit == rupees(cgst=4)
    assert found.cash == rupees(igst=10, cgst=6)


@pytest.mark.parametrize(("paise", "rupees_paid"), [(0, 0), (49, 0), (50, 1), (149, 1), (150, 2)])
def test_cash_is_whole_rupees_half_a_rupee_up_per_head(paise: int, rupees_paid: int) -> None:
    found = payment.set_off(SINCE, {"t3_1_a": Tax(igst=paise), "t3_1_d": Tax(cgst=paise)})
    assert found.cash == rupees(igst=rupees_paid)
    assert found.cash_only_paid == rupees(cgst=rupees_paid)


@given(MONTHS, ROWS, WISHES)
def test_no_credit_is_used_twice_and_no_head_is_overpaid(
    month: int, rows: dict[str, Tax], wish: dict[Use, int]
) -> None:
    found = payment.set_off(month, rows, wish)
    assert all(amount > 0 for amount in found.uses.values())
    assert min(found.credit - found.used) >= 0
    assert min(found.payable - found.covered) >= 0


@given(MONTHS, ROWS, WISHES)
def test_every_use_is_one_the_law_allows(month: int, rows: dict[str, Tax], wish: dict[Use, int]) -> None:
    for gives, head in payment.set_off(month, rows, wish).uses:
        assert (gives, head) not in {("cgst", "sgst"), ("sgst", "cgst")}
        assert (gives == "cess") is (head == "cess")
        assert payment.CREDIT_PAYS.decide(month, credit=gives, head=head).outcome


@given(MONTHS, ROWS, WISHES)
def test_credit_and_cash_make_up_the_liability_rounded_per_head(
    month: int, rows: dict[str, Tax], wish: dict[Use, int]
) -> None:
    found = payment.set_off(month, rows, wish)
    left = zip(found.payable, found.covered, found.cash, found.cash_only, found.cash_only_paid, strict=True)
    for owed, credit, cash, alone, alone_paid in left:
        assert cash % 100 == alone_paid % 100 == 0
        assert -50 < owed - credit - cash + 1 <= 50
        assert -50 < alone - alone_paid + 1 <= 50
    assert found.net == found.payable + found.cash_only - found.covered


@given(MONTHS, ROWS, WISHES)
def test_igst_credit_is_used_wholly_before_any_other_tax_is_paid_by_its_own(
    month: int, rows: dict[str, Tax], wish: dict[Use, int]
) -> None:
    found = payment.set_off(month, rows, wish)
    if found.used.igst < found.credit.igst:
        three = ("igst", "cgst", "sgst")
        assert all(found.covered.as_dict()[head] == found.payable.as_dict()[head] for head in three)
        assert not {gives for gives, _head in found.uses} & {"cgst", "sgst"}


@given(ROWS, WISHES)
def test_before_february_2026_sgst_credit_pays_igst_only_once_cgst_credit_is_gone(
    rows: dict[str, Tax], wish: dict[Use, int]
) -> None:
    found = payment.set_off(BEFORE, rows, wish)
    if ("sgst", "igst") in found.uses:
        assert found.used.cgst == found.credit.cgst


def test_nothing_owed_is_nothing_paid() -> None:
    found = payment.set_off(SINCE, {})
    assert (found.cash, found.cash_only_paid, found.net) == (NIL, NIL, NIL)
    assert len(HEADS) == len(list(found.cash))
