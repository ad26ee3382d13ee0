"""GSTINs: shapes, check character, State."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules import gstin

TUNGABHADRA = "29AAKCT0000P1Z6"


@pytest.mark.parametrize(("first14", "check"), [("29AAKCT0000P1Z", "6"), ("24AAQCA8719H1Z", "C")])
def test_the_check_character_is_that_of_the_published_examples(first14: str, check: str) -> None:
    assert gstin.check_char(first14) == check


@pytest.mark.parametrize("specimen", ["27AABCU9603R1ZM", "01AABCE2207R1Z5"])
def test_widely_copied_specimens_fail_unless_the_check_is_switched_off(specimen: str) -> None:
    assert "check character" in (gstin.problem(specimen) or "")
    assert gstin.problem(specimen, check_digit=False) is None


def test_a_wrong_check_character_is_named_with_the_right_one() -> None:
    assert gstin.problem("29AAKCT0000P1Z7") == "has the check character 7, which must be 6"


@given(st.integers(0, 13), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_any_single_mistyped_character_is_noticed(place: int, character: str) -> None:
    mistyped = TUNGABHADRA[:place] + character + TUNGABHADRA[place + 1 :]
    assert (gstin.problem(mistyped) is None) is (mistyped == TUNGABHADRA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "29AAKCT0000P1Z",
        "29AAKCT0000P1Z66",
        "29aakct0000p1z6",
        "29AAKCT0000P0Z6",
        "29AAKCT0000P1X6",
        "2९AAKCT0000P1Z6",
        "29AAKCT0000P1Z\n",
        " 9AAKCT0000P1Z6",
        "AAAAKCT0000P1Z6",
    ],
)
def test_what_does_not_have_the_shape_is_no_gstin(text: str) -> None:
    assert gstin.problem(text, check_digit=False)


@pytest.mark.parametrize("prefix", ["00", "39", "45", "96"])
def test_a_gstin_begins_with_a_state_code(prefix: str) -> None:
    assert "not a State code" in (gstin.problem(prefix + TUNGABHADRA[2:], check_digit=False) or "")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (TUNGABHADRA, gstin.Kind.NORMAL),
        ("2917USA00001UNZ", gstin.Kind.UIN),
        ("2917USA00001ONZ", gstin.Kind.UIN),
        ("2917USA00001NR1", gstin.Kind.NON_RESIDENT),
        ("29AAKCT0000P1D6", gstin.Kind.TAX_DEDUCTOR),
        ("29AAKCT0000P1C6", gstin.Kind.OPERATOR),
        ("29AAKCT0000P1X6", None),
    ],
)
def test_the_kind_of_registration_is_seen_from_the_number(number: str, kind: gstin.Kind | None) -> None:
    assert gstin.kind_of(number) is kind


def test_an_operators_tax_collection_number_is_no_recipient() -> None:
    assert gstin.problem("29AAKCT0000P1C6", check_digit=False) is None
    assert "TCS" in (gstin.problem("29AAKCT0000P1C6", check_digit=False, kinds=gstin.RECIPIENTS) or "")


def test_the_state_is_read_from_the_number() -> None:
    assert gstin.state_of(TUNGABHADRA) == "29"
    assert gstin.STATES[gstin.state_of(TUNGABHADRA)] == "Karnataka"


def test_places_of_supply_are_01_to_38_with_96_and_97() -> None:
    assert {f"{code:02d}" for code in range(1, 39)} | {"96", "97"} == gstin.POS_CODES
