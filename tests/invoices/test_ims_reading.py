"""Files and requests of IMS actions: every dialect comes out alike, a bad row takes no other down, a bad file all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import BILLS_OF_ENTRY, InvoiceType, Problem, Section
from ims_portal.rules.money import NIL, Tax, to_paise
from invoices import ims_json, ims_reading, ims_rows, standing
from invoices.filters import Filters
from invoices.ims_json import BillKey, Dialect, DocumentKey, Row
from invoices.ims_reading import Header, Request, RowOfFile, UnreadableFileError
from returns import demo
from tests.returns import story

RTIN = "29AAKCT0000P1Z6"
NOTE = {
    "stin": "33AASFN0000R1Z5",
    "nt_num": "NCL-CN-0031",
    "nt_dt": "26-10-2026",
    "inv_typ": "R",
    "srcform": "R1",
    "rtnprd": "102026",
    "val": 11800,
    "pos": "29",
    "txval": 10000,
    "iamt": 1800,
    "camt": 0,
    "samt": 0,
    "cess": 0,
    "action": "A",
}
BILL = {
    "rgstinrefId": "ICG-261013-000208",
    "irefdt": "13-10-2026",
    "itcprd": "102026",
    "portcd": "INNSA1",
    "boenum": "6990021",
    "boedt": "11-09-2026",
    "amendType": "A",
    "txval": 80000,
    "igst": 14400,
    "cess": 0,
    "srtinprd": "102026",
    "action": "A",
}


IN_PART = Tax(igst=5_25, cess=1_00)


def stream(file: object) -> io.BytesIO:
    return io.BytesIO(file if isinstance(file, bytes) else json.dumps(file).encode())


def upload(section: str = "b2bcn", *rows: object, **around: object) -> dict[str, Any]:
    return {"rtin": RTIN, "reqtyp": "SAVE", "invdata": {section: list(rows)}} | around


def note(**changes: object) -> dict[str, Any]:
    return {key: value for key, value in (NOTE | changes).items() if value is not ...}


def bill(**changes: object) -> dict[str, Any]:
    return {key: value for key, value in (BILL | changes).items() if value is not ...}


def rows(file: object) -> list[RowOfFile]:
    found = list(ims_reading.read(stream(file)))
    assert [one for one in found if isinstance(one, Problem)] == []
    return [one for one in found if isinstance(one, RowOfFile)]


def one(file: object) -> Row:
    [found] = rows(file)
    return found.row


def problems(file: object) -> list[tuple[str, str, str]]:
    """Return code, position and key of everything wrong."""
    found = [one for one in ims_reading.read(stream(file)) if isinstance(one, Problem)]
    assert all(one.message.startswith(one.position) for one in found)
    return [(one.code, one.position, one.field) for one in found]


def refused(file: object) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        ims_reading.read(stream(file))
    return caught.value.problem.code


def said(raw: dict[str, Any], section: str) -> Row:
    """Return what a row of the samples says, in our own words."""
    number, day = ("nt_num", "nt_dt") if "nt_num" in raw else ("inum", "idt")
    key: DocumentKey | BillKey
    if "boenum" in raw:
        periods = (raw["itcprd"], raw["srtinprd"])
        day_, told = dated(raw["boedt"]), dated(raw["irefdt"])
        key = BillKey(raw["portcd"], raw["boenum"], day_, raw["rgstinrefId"], told, *periods)
    else:
        original = (raw[f"o{number}"], dated(raw[f"o{day}"])) if f"o{number}" in raw else ("", None)
        type_ = InvoiceType(raw["inv_typ"]) if "inv_typ" in raw else None
        key = DocumentKey(raw["stin"], raw[number], dated(raw[day]), raw["srcform"], raw["rtnprd"], type_, *original)
    choice = story.choice(raw)
    flags = {"N": False, "Y": True, None: None}
    return Row(
        section=Section(section),
        key=key,
        action=choice.action,
        taxable=paise(raw["txval"]),
        tax=Tax(*(paise(raw.get(a, raw.get(b, 0))) for a, b in TAX_KEYS)),
        value=paise(raw.get("val", 0)),
        pos=raw.get("pos", ""),
        answer=choice.answer,
        declared=choice.declared,
        remark=choice.remark,
        is_filed={"Filed": True, None: None}[raw.get("srcfilstatus")],
        pending_blocked=flags[raw.get("ispendactblocked")],
        reduction_blocked=flags[raw.get("itcRedReqBlocked")],
        remarks_blocked=flags[raw.get("isRemarksBlocked")],
    )


TAX_KEYS = (("iamt", "igst"), ("camt", ""), ("samt", ""), ("cess", ""))


def paise(amount: float) -> int:
    return to_paise(Decimal(str(amount)))


def dated(text: str) -> date:
    day, month, year = map(int, text.split("-"))
    return date(year, month, day)


def listed(invdata: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for section, found in invdata.items():
        yield from ((section, f"invdata.{section}[{n}]", raw) for n, raw in enumerate(found))


@pytest.mark.parametrize(("name", "is_api"), [("ims-offline-upload.json", False), ("ims-save-request.json", True)])
def test_the_samples_say_what_they_say(name: str, *, is_api: bool) -> None:
    text = (story.DATA / name).read_bytes()
    file = json.loads(text)
    told = ims_reading.header(stream(text))
    assert (told.rtin, told.request, told.is_api) == (RTIN, Request.SAVE, is_api)
    expected = [
        RowOfFile(position, place, said(raw, section), Action(raw["prev_status"]) if is_api else None)
        for place, (section, position, raw) in enumerate(listed(file.get("data", file)["invdata"]), 1)
    ]
    assert len(expected) == (12 if is_api else 5)
    assert rows(text) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("on", ["2026-11-13", "2026-11-16 11:00"])
@pytest.mark.parametrize("dialect", list(Dialect))
def test_what_we_wrote_is_read_back_as_the_same_records(dialect: Dialect, on: str) -> None:
    recipient = story.told_so_far()
    if on != "2026-11-13":
        story.save(recipient, "2026-11-16")
    today = standing.of(recipient, demo.moment(on))
    records = list(ims_rows.of(recipient, today, Filters()))
    text = "".join(ims_json.written(records, recipient=RTIN, dialect=dialect)).encode()
    assert ims_reading.header(stream(text)).request is Request.NOTHING
    found = [read.row for read in rows(text)]
    if dialect is Dialect.OFFLINE:
        plain = [replace(record, record_id=0, version=0) for record in records]  # no file names our own ids
        assert found == [record for record in plain if record.section not in BILLS_OF_ENTRY]
        return
    # Over the API a row does not name its supplier.
    assert [ims_json.digest(row, recipient=RTIN) for row in found] == [
        ims_json.digest(record, recipient=RTIN) for record in records
    ]
    assert [(row.action, row.answer, row.declared) for row in found] == [
        (record.action, record.answer, record.declared) for record in records
    ]


@pytest.mark.parametrize(
    ("answers", "answer", "declared"),
    [
        ({}, Answer.NOT_GIVEN, NIL),
        ({"itcRedReq": "N"}, Answer.NONE, NIL),
        ({"itcRedReq": "N", "declIgst": 5, "declCgst": 0, "declSgst": 0, "declCess": 0}, Answer.NONE, NIL),
        ({"itcRedReq": "N", "declIgst": "none"}, Answer.NONE, NIL),
        ({"declIgst": 5}, Answer.NOT_GIVEN, NIL),
        ({"itcRedReq": "Y"}, Answer.FULL, NIL),
        ({"itcRedReq": "Y", "declIgst": None, "declCgst": [], "declSgst": ""}, Answer.FULL, NIL),
        ({"itcRedReq": True}, Answer.FULL, NIL),
        ({"itcRedReq": ""}, Answer.NOT_GIVEN, NIL),
        ({"itcRedReq": "Y", "declIgst": 5.25, "declCgst": 0, "declSgst": 0, "declCess": 1}, Answer.PART, IN_PART),
        ({"itc_red_req": "Y", "decl_igst": 5, "decl_cgst": 0, "decl_sgst": 0, "decl_cess": 0}, Answer.PART, Tax(500)),
        ({"itcRedReq": "Y", "declIgst": 0, "declCgst": 0, "declSgst": 0, "declCess": 0}, Answer.PART, NIL),
    ],
    ids=str,
)
def test_the_itc_answer_is_read_as_the_portal_s_clients_send_it(
    answers: dict[str, Any], answer: Answer, declared: Tax
) -> None:
    found = one(upload("b2bcn", note(**answers)))
    assert (found.answer, found.declared) == (answer, declared)


def test_a_bill_declares_two_heads_and_others_mean_nothing() -> None:
    part = {"itcRedReq": "Y", "declIgst": 100, "declCess": 0}
    for declared in (part, part | {"declCgst": 0, "declSgst": 0}):
        found = one(upload("impga", bill(**declared)))
        assert (found.answer, found.declared, found.amends) == (Answer.PART, Tax(100_00), "A")
    assert problems(upload("impga", bill(itcRedReq="Y", declIgst=100))) == [
        ("APP-G101", "invdata.impga[0]", "declCess")
    ]


@pytest.mark.parametrize(
    "file",
    [
        {"b2bcn": [NOTE]},
        {"data": {"b2bcn": [NOTE]}, "status": 1},
        {"imsDetails": {"b2bcn": [NOTE], "b2b": []}},
        {"imsDetails": {"cn": [NOTE], "dn": None}},
        upload("b2bcn", NOTE),
        upload("cn", NOTE),
        {"action": "SAVE", "data": upload("cn", note(prev_status="N"))},
        {"data": upload("b2bcn", note(prev_status="N")), "action": "SAVE"},
    ],
    ids=str,
)
def test_every_wrapper_and_older_section_keys_are_read(file: dict[str, Any]) -> None:
    found = one(file)
    assert (found.section, found.key.number, found.action) == (Section.CN, "NCL-CN-0031", Action.ACCEPT)


def test_older_keys_of_all_notes() -> None:
    original = {"ont_num": "N1", "ont_dt": "01-09-2026"}
    file = {"cn": [note()], "dn": [note()], "cna": [note(**original)], "dna": [note(**original)]}
    found = [read.row for read in rows(upload() | {"invdata": file})]
    assert [row.section for row in found] == [Section.CN, Section.DN, Section.CNA, Section.DNA]
    assert found[2].key == DocumentKey(
        NOTE["stin"], "NCL-CN-0031", date(2026, 10, 26), "R1", "102026", InvoiceType.REGULAR, "N1", date(2026, 9, 1)
    )


@pytest.mark.parametrize(
    ("said_so", "is_filed"),
    [("F", True), ("FILED", True), ("filed", True), ("Not Filed", False), ("SAVED", False), ("nf", False), ("?", None)],
)
def test_whether_it_is_filed_is_read_in_any_dialect(said_so: str, *, is_filed: bool | None) -> None:
    assert one(upload("b2bcn", note(srcfilstatus=said_so))).is_filed is is_filed


def test_flags_are_read_as_texts_and_as_booleans() -> None:
    texts = one(upload("b2bcn", note(ispendactblocked="Y", itcRedReqBlocked="N", isRemarksBlocked="N")))
    booleans = one(upload("b2bcn", note(ispendactnallwd=True, isItcRedReqBlocked=False, isRemarksBlocked=False)))
    assert texts == booleans
    assert (texts.pending_blocked, texts.reduction_blocked, texts.remarks_blocked) == (True, False, False)


def test_types_of_supply_are_read_in_both_spellings_and_a_period_may_be_a_month() -> None:
    for spelled in ("SEWP", "SEZWP"):
        key = one(upload("b2bcn", note(inv_typ=spelled, rtnprd="10"))).key
        assert isinstance(key, DocumentKey)
        assert (key.inv_type, key.period) == (InvoiceType.SEZ_WITH_PAYMENT, "10")


def test_unknown_keys_are_ignored_and_letters_of_a_gstin_are_capitals() -> None:
    found = one(upload("b2bcn", note(stin="33aasfn0000r1z5", ItcAvailabilityCheck=[1], hash="x"), more={"b2b": 1}))
    assert isinstance(found.key, DocumentKey)
    assert found.key.supplier == NOTE["stin"]


def test_rows_under_no_section_are_told_of() -> None:
    file = upload() | {"invdata": {"B2BCN": [NOTE, NOTE], "note": "made by hand", "isd": [], "b2bcn": [NOTE]}}
    warning, row = list(ims_reading.read(stream(file)))
    assert isinstance(warning, Problem)
    assert (warning.code, warning.field, warning.is_warning) == ("APP-G116", "B2BCN", True)
    assert "2 rows" in warning.message
    assert isinstance(row, RowOfFile)


def test_a_reset_asks_for_no_action_and_takes_no_other() -> None:
    around = {"reqtyp": "RESET"}
    without = note(action=..., prev_status="A")
    body = {"action": "RESETIMS", "data": upload("b2bcn", without, **around)}
    assert ims_reading.header(stream(body)) == Header(RTIN, Request.RESET, is_api=True, rows_in="data.invdata")
    [found] = rows(body)
    assert (found.row.action, found.previous) == (Action.NONE, Action.ACCEPT)
    body["data"]["invdata"]["b2bcn"][0]["action"] = "A"
    assert problems(body) == [("APP-G104", "invdata.b2bcn[0]", "action")]


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"action": "X"}, "APP-G104", "action"),
        ({"action": "a"}, "APP-G104", "action"),
        ({"action": 1}, "APP-G102", "action"),
        ({"action": None}, "APP-G101", "action"),
        ({"prev_status": "Q"}, "APP-G104", "prev_status"),
        ({"iamt": Decimal("1.234")}, "APP-G113", "iamt"),
        ({"iamt": -1}, "APP-G113", "iamt"),
        ({"iamt": 10**15}, "APP-G113", "iamt"),
        ({"iamt": "1800"}, "APP-G102", "iamt"),
        ({"iamt": True}, "APP-G102", "iamt"),
        ({"iamt": {"rt": 18}}, "APP-G102", "iamt"),
        ({"iamt": ...}, "APP-G101", "iamt"),
        ({"nt_num": 31}, "APP-G102", "nt_num"),
        ({"nt_num": "No. 31"}, "APP-G106", "nt_num"),
        ({"nt_dt": "2026-10-26"}, "APP-G103", "nt_dt"),
        ({"nt_dt": "31-02-2026"}, "APP-G103", "nt_dt"),
        ({"stin": "33AASFN0000R1Z6"}, "APP-G105", "stin"),
        ({"stin": "NOYYAL"}, "APP-G103", "stin"),
        ({"stin": ""}, "APP-G101", "stin"),
        ({"inv_typ": "B2B"}, "APP-G104", "inv_typ"),
        ({"srcform": "R2"}, "APP-G104", "srcform"),
        ({"rtnprd": "132026"}, "APP-G103", "rtnprd"),
        ({"rtnprd": "Oct-26"}, "APP-G103", "rtnprd"),
        ({"pos": 29}, "APP-G102", "pos"),
        ({"remarks": ["late"]}, "APP-G102", "remarks"),
        ({"itcRedReq": "F"}, "APP-G104", "itcRedReq"),
        ({"itcRedReq": "Y", "itc_red_req": "N"}, "APP-G104", "itc_red_req"),
        ({"itcRedReq": "Y", "declIgst": "5", "declCgst": 0, "declSgst": 0, "declCess": 0}, "APP-G102", "declIgst"),
        ({"itcRedReq": "Y", "declIgst": 5, "declCgst": 0, "declSgst": 0}, "APP-G101", "declCess"),
        ({"ispendactblocked": 1}, "APP-G102", "ispendactblocked"),
    ],
    ids=str,
)
def test_a_row_that_cannot_be_read_is_told_of_and_the_others_are_read(
    changes: dict[str, Any], code: str, key: str
) -> None:
    bad, good = note(**changes), note(nt_num="GOOD")
    text = json.dumps(upload("b2bcn", bad, good), default=float).encode()
    found = list(ims_reading.read(stream(text)))
    assert problems(text) == [(code, "invdata.b2bcn[0]", key)]
    [read] = [one for one in found if isinstance(one, RowOfFile)]
    assert (read.row.key.number, read.position, read.place) == ("GOOD", "invdata.b2bcn[1]", 2)


def test_everything_wrong_with_a_row_is_told_with_what_it_is_called() -> None:
    found = list(ims_reading.read(stream(upload("b2bcn", note(action="X", iamt="1", pos=...)))))
    assert [one.code for one in found if isinstance(one, Problem)] == ["APP-G102", "APP-G104", "APP-G101"]
    assert {(one.number, one.counterparty, one.dated, one.place) for one in found if isinstance(one, Problem)} == {
        ("NCL-CN-0031", NOTE["stin"], "26-10-2026", 1)
    }


@pytest.mark.parametrize("row", [None, 5, "row", [NOTE], True], ids=str)
def test_a_row_that_is_no_object_is_told_of(row: object) -> None:
    assert problems(upload("b2bcn", row)) == [("APP-G102", "invdata.b2bcn[0]", "")]


def test_an_amendment_names_its_original_and_an_eco_document_has_no_type() -> None:
    assert problems(upload("b2bcna", NOTE)) == [
        ("APP-G101", "invdata.b2bcna[0]", "ont_num"),
        ("APP-G101", "invdata.b2bcna[0]", "ont_dt"),
    ]
    document = {"inum" if key == "nt_num" else "idt" if key == "nt_dt" else key: NOTE[key] for key in NOTE}
    key = one(upload("ecom", {k: v for k, v in document.items() if k != "inv_typ"})).key
    assert isinstance(key, DocumentKey)
    assert key.inv_type is None


def test_over_the_api_the_action_before_is_told() -> None:
    assert problems({"action": "SAVE", "data": upload("b2bcn", NOTE)}) == [
        ("APP-G101", "invdata.b2bcn[0]", "prev_status")
    ]


def test_the_second_row_of_a_record_is_refused_whatever_its_letters() -> None:
    again = note(nt_num="ncl-cn-0031", action="R")
    file = upload("b2bcn", NOTE, again, note(rtnprd="112026"))
    assert problems(file) == [("APP-F06", "invdata.b2bcn[1]", "nt_num")]
    read = [one for one in ims_reading.read(stream(file)) if isinstance(one, RowOfFile)]
    assert [(one.place, one.row.action) for one in read] == [(1, Action.ACCEPT), (3, Action.ACCEPT)]
    both = upload() | {"invdata": {"cn": [NOTE], "b2bcn": [NOTE], "b2bdn": [NOTE]}}
    assert problems(both) == [("APP-F06", "invdata.b2bcn[0]", "nt_num")]
    assert problems(upload("impga", BILL, BILL, bill(irefdt="14-10-2026"))) == [
        ("APP-F06", "invdata.impga[1]", "boenum")
    ]


def test_whose_file_it_is_is_for_the_caller_to_judge() -> None:
    other = "27AAACR5055K1Z7"
    assert ims_reading.header(stream(upload("b2bcn", NOTE, rtin=other))).rtin == other
    assert len(rows(upload("b2bcn", NOTE, rtin=other))) == 1


def test_check_characters_may_be_left_unchecked() -> None:
    file = upload("b2bcn", note(stin="33AASFN0000R1Z6"), rtin="29AAKCT0000P1Z7")
    assert refused(file) == "APP-G105"
    [found] = ims_reading.read(stream(file), check_digit=False)
    assert isinstance(found, RowOfFile)


def test_an_upload_without_changes_is_empty() -> None:
    for invdata in ({}, None, [], {"b2b": [], "b2bcn": None, "ecom": {}}):
        assert rows(upload() | {"invdata": invdata}) == []


@pytest.mark.parametrize("wrong", [{"stin": 1}, "rows", 5], ids=str)
def test_a_section_that_is_no_list_is_told_of(wrong: object) -> None:
    file = upload() | {"invdata": {"b2b": wrong, "b2bcn": [NOTE]}}
    assert problems(file) == [("APP-G102", "invdata.b2b", "")]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "APP-F01"),
        (b"{", "APP-F01"),
        (b"[]", "APP-F01"),
        (b'"SAVE"', "APP-F01"),
        (b'{"rtin": NaN}', "APP-F01"),
        (b'{"rtin": "\x00"}', "APP-F01"),
        (b'{"rtin": "\\ud800"}', "APP-F01"),
        (json.dumps(upload("b2bcn", NOTE)).encode()[:-1], "APP-F01"),
        (json.dumps(upload("b2bcn", NOTE)).encode() + b"{}", "APP-F01"),
        (json.dumps(upload("b2bcn", NOTE)).encode("utf-16"), "APP-F01"),
        (json.dumps(upload("b2bcn", NOTE)).encode().replace(b'"pos"', b'"val": 1, "pos"'), "APP-F02"),
        (b'{"rtin": "x", "rtin": "y"}', "APP-F02"),
        ({"data": upload(), "rtin": "27AAACR5055K1Z7"}, "APP-F02"),
        ({}, "APP-F03"),
        ({"rtin": RTIN, "reqtyp": "SAVE"}, "APP-F03"),
        ({"rtin": RTIN, "invdata": {}}, "APP-F03"),
        ({"reqtyp": "SAVE", "invdata": {}}, "APP-F03"),
        ({"gstin": RTIN, "fp": "102026", "b2b": []}, "APP-F03"),
        ({"chksum": "x", "data": {"docdata": {}}}, "APP-F03"),
        (upload() | {"imsDetails": {}}, "APP-F03"),
        (upload() | {"reqtyp": "DELETE"}, "APP-G104"),
        (upload() | {"reqtyp": 1}, "APP-G102"),
        (upload() | {"rtin": "29"}, "APP-G103"),
        (upload() | {"rtin": "29AAKCT0000P1Z7"}, "APP-G105"),
        ({"action": "RESETIMS", "data": upload()}, "APP-G104"),
        (upload() | {"invdata": "none"}, "APP-G102"),
    ],
    ids=str,
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(file: object, code: str) -> None:
    assert refused(file) == code


def test_a_byte_order_mark_is_no_fault_and_the_stream_is_left_where_it_was() -> None:
    text = b"\xef\xbb\xbf" + json.dumps(upload("b2bcn", NOTE)).encode()
    assert len(rows(text)) == 1
    held = io.BytesIO(b"before" + text)
    held.seek(6)
    ims_reading.header(held)
    assert held.tell() == 6


def test_amounts_are_read_as_decimals() -> None:
    text = json.dumps(upload("b2bcn", note(iamt=...))).encode().replace(b'"camt"', b'"iamt": 9999999999999.99, "camt"')
    assert one(text).tax.igst == 999_999_999_999_999
