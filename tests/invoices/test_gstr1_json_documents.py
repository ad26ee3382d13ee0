"""The documents of a GSTR-1 file: every wrong value is told, every good one read."""

from typing import Any

import pytest

from ims_portal.rules.documents import Document, Problem, Section
from ims_portal.rules.money import Tax
from invoices.gstr1_json import PassedOver
from invoices.json_reading import HELD_CHARACTERS
from tests.invoices.gstr1_files import RECIPIENT, make_file, make_invoice, make_note, problems, read, with_invoices

LINE = {"num": 1, "itm_det": {"txval": 100, "rt": 18, "camt": 9, "samt": 9}}


def line(**changes: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return lines with one changed amount."""
    return [{"num": 1, "itm_det": {**LINE["itm_det"], **changes}}]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"inum": None}, "APP-G101", "inum"),
        ({"itms": []}, "APP-G101", "itms"),
        ({"itms": [{"num": 1}]}, "APP-G101", "itm_det"),
        ({"itms": [{"num": 1, "itm_det": {"rt": 18}}]}, "APP-G101", "txval"),
        ({"inum": 1001}, "APP-G102", "inum"),
        ({"val": "118"}, "APP-G102", "val"),
        ({"val": True}, "APP-G102", "val"),
        ({"pos": 29}, "APP-G102", "pos"),
        ({"itms": "none"}, "APP-G102", "itms"),
        ({"itms": [1]}, "APP-G102", "itms"),
        ({"itms": [{"num": "1", "itm_det": LINE["itm_det"]}]}, "APP-G102", "num"),
        ({"itms": line(txval="1")}, "APP-G102", "txval"),
        ({"idt": "5-10-2026"}, "APP-G103", "idt"),
        ({"idt": "31-02-2026"}, "APP-G103", "idt"),
        ({"idt": "०५-10-2026"}, "APP-G103", "idt"),
        ({"idt": "05-10-2026\u2003"}, "APP-G103", "idt"),
        ({"irn": "abc"}, "APP-G103", "irn"),
        ({"etin": RECIPIENT}, "APP-G103", "etin"),
        ({"pos": "7"}, "APP-G104", "pos"),
        ({"pos": "99"}, "APP-G104", "pos"),
        ({"rchrg": "y"}, "APP-G104", "rchrg"),
        ({"inv_typ": "B2B"}, "APP-G104", "inv_typ"),
        ({"flag": "X"}, "APP-G104", "flag"),
        ({"diff_percent": 0.5}, "APP-G104", "diff_percent"),
        ({"itms": [{**LINE, "num": 0}]}, "APP-G104", "num"),
        ({"inum": "A" * 17}, "APP-G106", "inum"),
        ({"inum": "A B"}, "APP-G106", "inum"),
        ({"inum": "000"}, "APP-G106", "inum"),
        ({"itms": line(rt=18.125)}, "APP-G109", "rt"),
        ({"itms": line(rt=-5)}, "APP-G109", "rt"),
        ({"val": -1}, "APP-G113", "val"),
        ({"val": -0.0}, "APP-G113", "val"),
        ({"val": 1e13}, "APP-G113", "val"),
        ({"val": 118.125}, "APP-G113", "val"),
        ({"itms": line(camt=-9)}, "APP-G113", "camt"),
        ({"itms": line(txval=10**11)}, "APP-G113", "txval"),
        ({"itms": line(txval=10**29)}, "APP-G113", "txval"),
        ({"colour": "red"}, "APP-G116", "colour"),
        ({"oinum": "A1"}, "APP-G116", "oinum"),
        ({"itms": line(cess=1)}, "APP-G116", "cess"),
    ],
)
def test_one_wrong_value_is_reported_with_its_code_key_and_place(
    changes: dict[str, Any], code: str, field: str
) -> None:
    assert problems(with_invoices(make_invoice(), make_invoice(**changes))) == [(code, "b2b[0].inv[1]", field)]


def test_all_problems_of_a_document_are_reported_and_the_others_still_read() -> None:
    found = read(
        with_invoices(
            make_invoice(idt="soon", val="1", rchrg=None, colour=1, itms=line(rt="x", camt=-1)), make_invoice()
        )
    )
    assert sorted(item.code for item in found if isinstance(item, Problem)) == [
        "APP-G101",
        "APP-G102",
        "APP-G102",
        "APP-G103",
        "APP-G113",
        "APP-G116",
    ]
    assert [item.position for item in found if isinstance(item, Document)] == ["b2b[0].inv[1]"]


def test_a_document_that_is_no_object_is_reported_in_its_place() -> None:
    assert problems(with_invoices(make_invoice(), 7, None)) == [
        ("APP-G102", "b2b[0].inv[1]", "inv"),
        ("APP-G102", "b2b[0].inv[2]", "inv"),
    ]


def test_the_line_with_the_problem_is_named() -> None:
    lines = [LINE, {"num": 2, "itm_det": {"rt": 5, "txval": 1.005}}]
    (problem,) = (found for found in read(with_invoices(make_invoice(itms=lines))) if isinstance(found, Problem))
    assert problem.message == "Invoice KMF/1: line 2: txval 1.005 has more than two decimals. Round it to paise."


def test_absent_null_and_empty_are_alike() -> None:
    file = {
        **with_invoices({**make_invoice(), "etin": None, "diff_percent": None, "irn": ""}),
        "cdnr": None,
        "ecom": None,
        "b2ba": [],
        "b2cs": None,
        "nil": {},
        "hsn": None,
    }
    (document,) = read(file)
    assert not document.differential


def test_amounts_keep_every_paisa_and_numbers_their_text() -> None:
    (document,) = read(
        with_invoices(
            make_invoice(
                inum="1234567890123456",
                val=9999999999999.99,
                itms=line(txval=99999999999.99, rt=0.25, camt=0.1, samt=1e2),
            )
        )
    )
    assert (document.number, document.value, document.taxable) == (
        "1234567890123456",
        999_999_999_999_999,
        9_999_999_999_999,
    )
    assert (document.items[0].rate, document.tax) == (25, Tax(cgst=10, sgst=10_000))


def test_what_downloads_add_is_passed_over() -> None:
    extra = {"chksum": "ab", "updby": "S", "cflag": "N", "flag": "U", "p_gst": "N"}
    (document,) = read(with_invoices({**make_invoice(), **extra}, cfs="Y", cfs3b="N"))
    assert document.number == "KMF/1"


def test_small_letters_in_a_gstin_are_taken_as_capitals() -> None:
    (document,) = read(with_invoices(make_invoice(), ctin=RECIPIENT.lower()))
    assert document.recipient == RECIPIENT


def test_the_differential_share_is_read() -> None:
    (document,) = read(with_invoices(make_invoice(diff_percent=0.65)))
    assert document.differential


@pytest.mark.parametrize(
    ("group", "code", "field"),
    [
        ({"ctin": "29AAKCT0000P1Z7"}, "APP-G105", "ctin"),
        ({"ctin": "29"}, "APP-G103", "ctin"),
        ({"ctin": 1}, "APP-G102", "ctin"),
        ({"ctin": None}, "APP-G101", "ctin"),
        ({"name": "X"}, "APP-G116", "name"),
    ],
)
def test_a_problem_of_the_group_refuses_each_of_its_documents(group: dict[str, Any], code: str, field: str) -> None:
    file = with_invoices(make_invoice(), make_invoice(inum="KMF/2"), **group)
    assert problems(file) == [(code, f"b2b[0].inv[{index}]", field) for index in (0, 1)]
    assert [found.number for found in read(file)] == ["KMF/1", "KMF/2"]


def test_a_document_of_a_wrong_group_still_hears_of_its_own_problems() -> None:
    assert problems(with_invoices(make_invoice(pos="7"), ctin="29")) == [
        ("APP-G103", "b2b[0].inv[0]", "ctin"),
        ("APP-G104", "b2b[0].inv[0]", "pos"),
    ]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"ctin": RECIPIENT}, ("APP-G102", "b2b", "")),
        ([7], ("APP-G102", "b2b[0]", "")),
        ([{"ctin": RECIPIENT}], ("APP-G101", "b2b[0]", "inv")),
        ([{"ctin": RECIPIENT, "inv": {}}], ("APP-G102", "b2b[0]", "inv")),
    ],
)
def test_a_section_or_group_of_the_wrong_type_is_reported(section: object, expected: tuple[str, str, str]) -> None:
    assert problems(make_file(b2b=section)) == [expected]


def test_the_counterparty_may_stand_after_its_documents() -> None:
    (document,) = read(make_file(b2b=[{"inv": [make_invoice()], "ctin": RECIPIENT}]))
    assert document.recipient == RECIPIENT


def test_a_group_larger_than_memory_is_read_in_order() -> None:
    count = HELD_CHARACTERS // 100
    file = make_file(b2b=[{"inv": [make_invoice(inum=f"N{index}") for index in range(count)], "ctin": RECIPIENT}])
    assert [document.number for document in read(file)] == [f"N{index}" for index in range(count)]


def test_the_note_type_decides_the_section() -> None:
    notes = [make_note(), make_note(ntty="D", nt_num="DN/1")]
    found = read(make_file(cdnr=[{"ctin": RECIPIENT, "nt": notes}]))
    assert [document.section for document in found] == [Section.CN, Section.DN]


def test_an_old_refund_voucher_is_accepted_and_passed_over() -> None:
    assert read(make_file(cdnr=[{"ctin": RECIPIENT, "nt": [make_note(ntty="R")]}])) == [PassedOver("cdnr", 1)]


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ({}, [("APP-G114", "oinum")]),
        ({"oinum": "A1"}, [("APP-G114", "oidt")]),
        ({"oidt": "01-09-2026"}, [("APP-G114", "oinum")]),
        ({"oinum": "A" * 17, "oidt": "01-09-2026"}, [("APP-G106", "oinum")]),
        ({"oinum": "A1", "oidt": "9/26"}, [("APP-G103", "oidt")]),
        ({"oinum": "A1", "oidt": "01-09-2026"}, []),
    ],
)
def test_an_amendment_needs_number_and_date_of_its_original(
    original: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = problems(make_file(b2ba=[{"ctin": RECIPIENT, "inv": [make_invoice(**original)]}]))
    assert [(code, field) for code, _, field in found] == expected


@pytest.mark.parametrize(
    ("section", "key", "identity"),
    [
        ("b2b", "inv", {"inum": "A1", "idt": "05-10-2026"}),
        ("b2ba", "inv", {"inum": "A1", "idt": "05-10-2026"}),
        ("cdnr", "nt", {"nt_num": "A1", "nt_dt": "05-10-2026", "ntty": "C"}),
    ],
)
def test_a_withdrawal_needs_only_what_identifies_the_document(section: str, key: str, identity: dict[str, str]) -> None:
    (document,) = read(make_file(**{section: [{"ctin": RECIPIENT, key: [{**identity, "flag": "D", "val": "odd"}]}]}))
    assert (document.withdraw, document.number, document.taxable, document.pos) == (True, "A1", 0, "")


def test_a_withdrawal_without_its_date_or_with_an_unknown_key_is_refused() -> None:
    assert problems(with_invoices({"inum": "A1", "flag": "D", "x": 1})) == [
        ("APP-G116", "b2b[0].inv[0]", "x"),
        ("APP-G101", "b2b[0].inv[0]", "idt"),
    ]


def test_an_eco_document_needs_its_flag_and_kind_of_supply() -> None:
    eco = make_invoice(rchrg=None)
    assert problems(make_file(ecom={"urp2b": [{"rtin": RECIPIENT, "inv": [eco]}]})) == [
        ("APP-G101", "ecom.urp2b[0].inv[0]", "sply_ty"),
        ("APP-G101", "ecom.urp2b[0].inv[0]", "flag"),
    ]
    assert problems(
        make_file(ecom={"b2b": [{"rtin": RECIPIENT, "inv": [{**eco, "sply_ty": "INTRA", "flag": "N"}]}]})
    ) == [("APP-G101", "ecom.b2b[0].inv[0]", "stin")]
