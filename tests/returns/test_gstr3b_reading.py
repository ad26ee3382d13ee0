"""A GSTR-3B read from JSON: what a file says, what is wrong with a row, what is refused whole."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from returns import gstr3b_reading
from returns.gstr3b_reading import Read, UnreadableFileError
from tests.returns import story

AROUND = {"gstin": "29AAKCT0000P1Z6", "ret_period": "102026"}


def sample() -> dict[str, Any]:
    return json.loads((story.DATA / "gstr3b.json").read_text())


def read(body: object) -> Read:
    return gstr3b_reading.read(body if isinstance(body, bytes) else json.dumps(body).encode())


def refused(body: object) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read(body)
    return f"{caught.value.problem.code} {caught.value.problem.message}"


def test_a_row_says_only_the_cells_it_holds() -> None:
    found = read({**AROUND, "itc_elg": {"itc_rev": [{"ty": "RUL", "camt": 12.5, "csamt": None}]}})
    assert found == Read("29AAKCT0000P1Z6", "102026", {"t4B1": {"cgst": 1250}})


@pytest.mark.parametrize("nothing", [None, []])
def test_absent_null_and_an_empty_list_are_alike(nothing: object) -> None:
    body = {**AROUND, "itc_elg": {"itc_net": {"iamt": 1}, "itc_rev": nothing}, "sup_details": {"osup_det": nothing}}
    found = read({**body, "inter_sup": nothing, "inward_sup": {"isup_details": nothing}, "intr_ltfee": nothing})
    assert (found.cells, found.places) == ({"t4C": {"igst": 100}}, {})


def test_the_answer_to_a_filed_return_is_read_like_a_draft() -> None:
    body = sample()
    body["tx_pmt"] = {"tx_py": [{"trans_typ": 30002}], "pdcash": [], "nettaxpay": "whatever"}
    body["sup_details"]["osup_det"]["camtt"] = "unknown"
    body["liab_breakup"] = [{"ret_period": "092026", "liability": {}}]
    assert read({"status_cd": "1", "data": body}) == read(sample())


def test_small_letters_and_a_byte_order_mark_are_taken() -> None:
    body = {**sample(), "gstin": "29aakct0000p1z6"}
    assert read(b"\xef\xbb\xbf" + json.dumps(body).encode()) == read(sample())


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("5", 'iamt "5" is text, but a number is needed.'),
        (1.005, "iamt 1.005 has more than two decimals. Round it to paise."),
        (True, "iamt true is true or false, but a number is needed."),
        (99999999999999, "iamt 99999999999999 is too large."),
        ({}, "iamt This is an object, but a number is needed."),
    ],
)
def test_what_is_no_amount_is_wrong_with_its_row_alone(amount: object, said: str) -> None:
    body = sample()
    body["itc_elg"]["itc_rev"][0]["iamt"] = amount
    found = read(body)
    assert list(found.faults) == ["t4B1"]
    assert said in found.faults["t4B1"][0]
    assert found.faults["t4B1"][0].startswith("itc_elg.itc_rev[0]: ")
    assert "t4B1" not in found.cells
    assert found.cells.keys() | {"t4B1"} == read(sample()).cells.keys()


def test_every_wrong_amount_of_a_row_is_told() -> None:
    body = sample()
    body["sup_details"]["osup_det"] |= {"txval": "x", "samt": 0.001}
    assert [fault.split(" ")[1] for fault in read(body).faults["t3_1_a"]] == ["txval", "samt"]


def test_negative_amounts_and_exponents_are_exact() -> None:
    body = b'{"gstin":"x","ret_period":"y","itc_elg":{"itc_net":{"iamt":-1.5e3,"camt":0.07,"samt":-0.0,"csamt":1.10}}}'
    assert read(body).cells["t4C"] == {"igst": -150000, "cgst": 7, "sgst": 0, "cess": 110}


def test_a_wrong_or_repeated_place_is_wrong_with_3_2() -> None:
    body = sample()
    lines = body["inter_sup"]["unreg_details"]
    body["inter_sup"]["unreg_details"] = [*lines, *lines, {"pos": "7", "txval": 1}, {"txval": 1}]
    told = read(body).faults["t3_2"]
    assert told[0].startswith("inter_sup.unreg_details[1]: 33 stands in this list before.")
    assert told[1].startswith('inter_sup.unreg_details[2]: pos "7" is not a State code.')
    assert told[2].startswith("inter_sup.unreg_details[3]: pos is missing.")


def test_places_whose_sum_no_row_can_hold_are_wrong() -> None:
    lines = [{"pos": pos, "txval": 9_999_999_999_999} for pos in ("01", "02")]
    found = read({**AROUND, "inter_sup": {"unreg_details": lines}})
    assert found.faults["t3_2"] == ["inter_sup: The sum of its places is too large."]


def changed(way: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return the sample with a value put in another's place."""
    body = inside = copy.deepcopy(sample())
    for key in way[:-1]:
        inside = inside[key]
    inside[way[-1]] = value
    return body


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "APP-F01"),
        (b"{", "APP-F01"),
        (b"[]", "APP-F01 The file is not one JSON object."),
        (b"\xff\xfe{\x00}\x00", "APP-F01 The file is written in UTF-16."),
        (b'{"gstin": NaN}', "APP-F01"),
        (b'{"gstin":"a","gstin":"a"}', "APP-F02"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "APP-F01"),
        (b"{}" + b" " * 1_000_000, "APP-F04"),
        ({"fp": "102026", "b2b": []}, "APP-F03 This is no GSTR-3B of the portal: gstin and ret_period missing."),
        (AROUND, "APP-F03 This is no GSTR-3B of the portal. Choose"),
        ({**sample(), "gstin": None}, "APP-F03 This is no GSTR-3B of the portal: gstin missing."),
        ({**sample(), "gstin": 5}, "APP-G102 The gstin of the file, 5 is a number"),
        ({**sample(), "data": {"gstin": "other"}}, "APP-F02 The file says gstin twice, and not the same."),
        (changed(("sup_details",), [1]), "APP-G102 sup_details is not an object."),
        (changed(("itc_elg", "itc_avl"), {}), "APP-G102 itc_avl is not a list."),
        (changed(("itc_elg", "itc_avl"), [5]), "APP-G102 itc_elg.itc_avl[0]: This is not an object."),
        (changed(("itc_elg", "itc_rev"), [{"iamt": 1}]), "APP-G101 itc_elg.itc_rev[0]: ty is missing."),
        (changed(("itc_elg", "itc_rev"), [{"ty": "IMPG"}]), "APP-G104 itc_elg.itc_rev[0]: ty"),
        (changed(("itc_elg", "itc_rev"), [{"ty": "RUL"}] * 2), "APP-F06 itc_elg.itc_rev[1]: RUL stands in this list"),
    ],
)
def test_what_cannot_be_trusted_is_refused_whole(body: object, said: str) -> None:
    assert refused(body).startswith(said)
