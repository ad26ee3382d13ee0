"""Reading GSTR-1, GSTR-1A and IFF files: samples, header, files that cannot be trusted."""

import datetime as dt
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ims_portal.rules import documents
from ims_portal.rules.documents import Document, Form, InvoiceType, Problem, Section
from ims_portal.rules.money import Tax
from invoices import gstr1_json
from invoices.gstr1_json import Header, UnreadableFileError
from tests.invoices.gstr1_files import (
    DATA,
    KAVERI,
    RECIPIENT,
    make_invoice,
    read,
    read_and_judged,
    sample,
    with_invoices,
)

BROKEN = [
    ("APP-G105", "b2b[0].inv[0]", "ctin"),
    ("APP-G106", "b2b[1].inv[0]", "inum"),
    ("APP-G103", "b2b[1].inv[1]", "idt"),
    ("APP-G108", "b2b[1].inv[2]", "idt"),
    ("APP-G104", "b2b[1].inv[3]", "pos"),
    ("APP-G109", "b2b[1].inv[4]", "rt"),
    ("APP-G110", "b2b[1].inv[5]", "iamt"),
    ("APP-G111", "b2b[2].inv[1]", "iamt"),
    ("APP-G101", "b2b[2].inv[3]", "rchrg"),
    ("APP-G102", "b2b[2].inv[4]", "val"),
    ("APP-G114", "cdnra[0].nt[0]", "ont_num"),
]
"""The twelve errors of gstr1-broken.errors.md without the number used twice, which needs the database."""


def test_the_broken_sample_has_exactly_its_errors_and_its_good_documents() -> None:
    good, wrong = read_and_judged("gstr1-broken.json")
    assert sorted((problem.code, problem.position, problem.field) for problem in wrong) == sorted(BROKEN)
    assert [document.number for document in good] == [
        "KMF/26-27/2012",
        "KMF/26-27/2001",
        "kmf/26-27/2001",
        "KMF/CN/050",
    ]
    assert good[1].number_key == good[2].number_key


GOOD_SAMPLES = [
    ("gstr1-monthly.json", Form.GSTR1, 22),
    ("gstr1a.json", Form.GSTR1A, 5),
    ("iff.json", Form.IFF, 5),
    *((f"story/{path.name}", Form.GSTR1, None) for path in sorted((DATA / "story").glob("*gstr1*"))),
]


@pytest.mark.parametrize(("name", "form", "count"), GOOD_SAMPLES)
def test_the_good_samples_have_no_problem(name: str, form: Form, count: int | None) -> None:
    good, wrong = read_and_judged(name, form)
    assert wrong == []
    assert len(good) == count or count is None


def test_documents_come_with_all_they_say() -> None:
    good, _ = read_and_judged("gstr1-monthly.json")
    by_number = {document.number: document for document in good}
    assert by_number["KMF/26-27/1004"].tax == Tax(cgst=325314, sgst=325314)
    assert by_number["KMF/26-27/1004"].taxable == 6512540
    assert by_number["KMF/26-27/1004"].value == 7163168
    assert by_number["KMF/26-27/1008"].reverse_charge
    assert by_number["KMF/26-27/1001"].irn.startswith("9ee6f0f6")
    assert by_number["KMF/26-27/1001"].irn_date == dt.date(2026, 10, 5)
    assert by_number["KMF/26-27/1009"].inv_type is InvoiceType.SEZ_WITHOUT_PAYMENT
    assert by_number["KMF/26-27/0740A"].original_number == "KMF/26-27/0740"
    assert by_number["KMF/26-27/0740A"].original_date == dt.date(2026, 8, 19)
    assert by_number["KMF/26-27/1011"].position == "b2b[0].inv[2]"
    assert {
        number: by_number[number].section
        for number in (
            "KMF/26-27/0711",
            "KMF/CN/041",
            "KMF/DN/007",
            "KMF/CN/029",
            "KMF-ECO-2209",
            "KMF-ECO-2210",
            "KMF-ECO-2087",
        )
    } == {
        "KMF/26-27/0711": Section.B2BA,
        "KMF/CN/041": Section.CN,
        "KMF/DN/007": Section.DN,
        "KMF/CN/029": Section.CNA,
        "KMF-ECO-2209": Section.ECO,
        "KMF-ECO-2210": Section.ECO,
        "KMF-ECO-2087": Section.ECOA,
    }


def test_an_eco_document_goes_to_its_recipient_and_keeps_the_supplier_behind_it() -> None:
    good, _ = read_and_judged("gstr1-monthly.json")
    registered, unregistered = (document for document in good if document.section is Section.ECO)
    assert (registered.recipient, registered.eco_supplier) == ("33AAPCN0000E1Z5", "29AAUPH0000F1Z2")
    assert (unregistered.recipient, unregistered.eco_supplier) == (RECIPIENT, "")
    assert not registered.reverse_charge


def test_the_error_report_has_the_shape_of_the_upload() -> None:
    _, wrong = read_and_judged("gstr1-broken.json")
    report = gstr1_json.wire_problem_report(wrong)
    assert report.keys() == {"b2b", "cdnra"}
    first, second, third = report["b2b"]
    assert (first["ctin"], first["error_cd"]) == ("29AAKCT0000P1Z7", "APP-G105")
    assert first["inv"] == [{"inum": "KMF/26-27/2002", "idt": "04-10-2026"}]
    assert (second["ctin"], third["ctin"]) == ("33AAPCN0000E1Z5", RECIPIENT)
    assert "error_cd" not in second
    assert {(row["inum"], row["idt"], row["error_cd"]) for row in second["inv"]} >= {
        ("KMF/2026-27/10/2003", "05-10-2026", "APP-G106"),
        ("KMF/26-27/2004", "2026-10-09", "APP-G103"),
        ("KMF/26-27/2007", "11-10-2026", "APP-G109"),
    }
    assert report["cdnra"] == [
        {
            "ctin": RECIPIENT,
            "nt": [
                {
                    "nt_num": "KMF/CN/051",
                    "nt_dt": "20-10-2026",
                    "error_cd": "APP-G114",
                    "error_msg": "Note KMF/CN/051: ont_num and ont_dt missing: an amendment must say which document it "
                    "amends. Add the original's number and date.",
                }
            ],
        }
    ]
    json.dumps(report)


def test_the_error_report_leaves_warnings_out_and_nests_eco_sections() -> None:
    report = gstr1_json.wire_problem_report(
        [
            Problem("APP-G112", "odd", position="b2b[0].inv[0]", is_warning=True),
            Problem(
                "APP-G104",
                "wrong",
                position="ecom.b2b[0].inv[1]",
                field="pos",
                number="E1",
                dated="01-10-2026",
                counterparty=RECIPIENT,
            ),
            Problem("APP-G115", "not here", position="b2cs"),
        ]
    )
    assert report == {
        "ecom": {
            "b2b": [
                {
                    "rtin": RECIPIENT,
                    "inv": [{"inum": "E1", "idt": "01-10-2026", "error_cd": "APP-G104", "error_msg": "wrong"}],
                }
            ]
        },
        "b2cs": [{"error_cd": "APP-G115", "error_msg": "not here"}],
    }


@pytest.mark.parametrize("last", [False, True])
def test_the_header_is_found_wherever_its_keys_stand(*, last: bool) -> None:
    file = sample("gstr1-monthly.json")
    head = {key: file.pop(key) for key in ("gstin", "fp")}
    ordered = {**file, **head} if last else {**head, **file}
    stream = io.BytesIO(json.dumps(ordered).encode())
    assert gstr1_json.header(stream) == Header(KAVERI, "102026")
    assert stream.tell() == 0
    assert sum(isinstance(found, Document) for found in gstr1_json.read(stream)) == 22


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({}, "gstin and fp missing"),
        ({"gstin": KAVERI, "fp": "102026"}, "a section missing"),
        ({"b2b": []}, "gstin and fp missing"),
        ({"gstin": KAVERI, "b2b": []}, "fp missing"),
        ({"rtin": RECIPIENT, "reqtyp": "SAVE", "invdata": {}}, "a file of IMS actions"),
        ({"data": {"docdata": {}}}, "a GSTR-2B"),
        ({"gstin": KAVERI, "ret_period": "102026", "sup_details": {}}, "a GSTR-3B"),
        ({"feed": "boe"}, "a feed"),
        ({"gstin": KAVERI, "fp": "102026", "cdn": []}, "a GSTR-2A"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_named(file: dict[str, Any], said: str) -> None:
    for way in (gstr1_json.header, lambda stream: list(gstr1_json.read(stream))):
        with pytest.raises(UnreadableFileError, match=said) as refused:
            way(io.BytesIO(json.dumps(file).encode()))
        assert refused.value.problem.code == "APP-F03"


def test_a_gstr2a_with_the_sections_of_a_gstr1_is_known_by_its_groups() -> None:
    with pytest.raises(UnreadableFileError, match="GSTR-2A"):
        read(with_invoices(make_invoice(), fldtr1="11-Nov-26"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"gstin": "29AAFCK0000M1ZZ"}, "APP-G105"),
        ({"gstin": "29"}, "APP-G103"),
        ({"gstin": 29}, "APP-G102"),
        ({"gstin": None}, "APP-G102"),
        ({"fp": "132026"}, "APP-G103"),
        ({"fp": 102026}, "APP-G103"),
        ({"fp": "2026-10"}, "APP-G103"),
        ({"b2x": []}, "APP-G116"),
    ],
)
def test_a_root_that_is_wrong_refuses_the_whole_file(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        read({**with_invoices(make_invoice()), **changes})
    assert refused.value.problem.code == code


def test_the_check_digit_can_be_switched_off() -> None:
    file = {"gstin": "29AAFCK0000M1ZZ", "fp": "102026", "b2b": [{"ctin": "29AAKCT0000P1Z7", "inv": [make_invoice()]}]}
    (document,) = read(file, check_digit=False)
    assert document.recipient == "29AAKCT0000P1Z7"
    assert gstr1_json.header(io.BytesIO(json.dumps(file).encode()), check_digit=False).gstin == "29AAFCK0000M1ZZ"


@pytest.mark.parametrize("data", [b"[]", b'"text"', b"1", b"null", b"true", b"[{}]"])
def test_a_file_that_is_not_one_object_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        read(data)
    assert refused.value.problem.code == "APP-F01"


def test_a_file_cut_at_any_byte_is_refused_whole() -> None:
    data = json.dumps(sample("gstr1-monthly.json"), separators=(",", ":")).encode()
    for length in range(len(data)):
        for way in (gstr1_json.header, lambda stream: list(gstr1_json.read(stream))):
            try:
                way(io.BytesIO(data[:length]))
            except UnreadableFileError as refused:
                assert refused.problem.code == "APP-F01"  # noqa: PT017
            else:
                assert way is gstr1_json.header, length


def test_a_key_repeated_deep_inside_refuses_the_whole_file() -> None:
    data = json.dumps(with_invoices(make_invoice())).replace('"rt": 18', '"rt": 18, "rt": 5').encode()
    with pytest.raises(UnreadableFileError) as refused:
        read(data)
    assert refused.value.problem.code == "APP-F02"


def test_a_section_that_stands_twice_refuses_the_whole_file() -> None:
    data = b'{"gstin":"%s","fp":"102026","b2b":[],"b2cs":[],"b2b":[]}' % KAVERI.encode()
    with pytest.raises(UnreadableFileError) as refused:
        read(data)
    assert refused.value.problem.code == "APP-F02"


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_damage_to_the_bytes_raises_anything_else(data: st.DataObject) -> None:
    original = (DATA / "gstr1-broken.json").read_bytes()
    begin = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(begin, min(begin + 20, len(original))))
    damaged = (
        original[:begin]
        + data.draw(st.binary(max_size=10) | st.sampled_from([b'"', b"{", b"[", b"\\u", b"1e9"]))
        + original[end:]
    )
    for way in (
        gstr1_json.header,
        lambda stream: gstr1_json.wire_problem_report(
            found for found in gstr1_json.read(stream) if isinstance(found, Problem)
        ),
    ):
        try:
            way(io.BytesIO(damaged))
        except UnreadableFileError as refused:
            assert refused.problem.message  # noqa: PT017


ANY_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["D", "R", "Y", "29", "05-10-2026", RECIPIENT, "99-99-9999"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["inv", "nt", "ctin", "flag", "itms", "itm_det", "rt", "txval", "num", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_value_at_any_place_raises_anything_else(data: st.DataObject) -> None:
    file = sample("gstr1-monthly.json")
    file |= {
        "exp": [
            {"exp_typ": "WPAY", "inv": [{"inum": "1", "idt": "01-10-2026", "val": 1, "itms": [{"txval": 1, "rt": 0}]}]}
        ],
        "supeco": {"clttx": [{"etin": "", "suppval": 1, "igst": 0, "cgst": 0, "sgst": 0}]},
    }
    node: Any = file
    while True:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.integers(0, 5)) == 0:
            break
        node = node[key]
    node[key] = data.draw(ANY_VALUE)
    try:
        found = read(file)
    except UnreadableFileError as refused:
        assert refused.problem.message  # noqa: PT017
    else:
        for document in found:
            if isinstance(document, Document):
                documents.problems(
                    document,
                    supplier=KAVERI,
                    form=Form.GSTR1,
                    period_end=dt.date(2026, 10, 31),
                    registered_on=None,
                    is_sez=False,
                    is_operator=True,
                )
        json.dumps(gstr1_json.wire_problem_report(item for item in found if isinstance(item, Problem)))
