"""Reading feeds: what the samples say, each thing that can be wrong, and that no bytes get past the refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules.documents import Problem, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices.feeds_json import bills, isd, reversals
from invoices.feeds_json.bills import BillBatch, Event, Source
from invoices.feeds_json.isd import Gstr6
from invoices.feeds_json.reversals import ReversalBatch
from invoices.json_reading import UnreadableFileError
from tests.invoices import feed_files as files

Reader = Callable[[BinaryIO], Iterator[object]]
EVERY_KIND = (bills.read, isd.read, reversals.read)
TAILS = (BillBatch, Gstr6, ReversalBatch)


def found_in(read: Reader, file: object) -> list[Any]:
    """Return everything a reader yields of a file."""
    return list(read(BytesIO(json.dumps(file).encode())))


def told(read: Reader, file: object) -> list[tuple[str, str, str]]:
    """Return (position, field, code) of what is wrong with a file; a batch at the end would mean it is taken."""
    found = found_in(read, file)
    assert not isinstance(found[-1], TAILS)
    problems = [item for item in found if isinstance(item, Problem)]
    assert all(problem.message.endswith(".") for problem in problems)
    assert all(problem.position in problem.message for problem in problems)
    return [(problem.position, problem.field, problem.code) for problem in problems]


def test_the_sample_of_bills_reads_as_its_readme_says() -> None:
    *found, batch = found_in(bills.read, files.sample("boe-icegate.json"))
    assert batch == BillBatch("BOE-20261101-0001")
    assert [(bill.event, bill.source) for bill in found] == [
        (Event.NEW, Source.OVERSEAS),
        (Event.NEW, Source.OVERSEAS),
        (Event.AMEND_GSTIN, Source.OVERSEAS),
        (Event.NEW, Source.SEZ),
        (Event.AMEND_VALUE, Source.SEZ),
        (Event.NEW, Source.OVERSEAS),
    ]
    amendment = found[4]
    assert (amendment.tax, amendment.before.tax) == (Tax(igst=900000), Tax(igst=1080000))
    assert (amendment.before.reference_date, amendment.seq) == (date(2026, 9, 18), 1)
    assert (amendment.reference, amendment.received_at.isoformat()) == (
        "ICG-261019-000359",
        "2026-10-20T06:00:00+05:30",
    )


def test_the_sample_of_the_isd_reads_as_its_readme_says() -> None:
    *found, told_ = found_in(isd.read, files.sample("isd-gstr6.json"))
    assert told_ == Gstr6(files.ISD, TaxPeriod(202610), date(2026, 11, 12))
    assert [(line.section, line.is_eligible) for line in found] == [
        (Section.ISD, True),
        (Section.ISD, False),
        (Section.ISDCN, True),
        (Section.ISD, True),
        (Section.ISD, True),
    ]
    assert (found[2].corrected_number, found[2].corrected_date) == ("ISD/26-27/038", date(2026, 9, 30))
    assert (found[4].original_number, found[4].original_date) == ("ISD/26-27/031", date(2026, 8, 31))


def test_the_sample_of_reversals_reads_as_its_readme_says() -> None:
    reversal, batch = found_in(reversals.read, files.sample("rule37a.json"))
    assert batch == ReversalBatch("R37A-20261101-0001")
    assert (reversal.period, reversal.tax) == (TaxPeriod(202610), Tax(igst=900000))
    assert (reversal.document.number, reversal.document.period) == ("SVC/2526/1188", TaxPeriod(202601))


def test_keys_nobody_knows_are_passed_over() -> None:
    file = files.bills(files.bill(colour="blue"), remarks={"a": [1]})
    assert [type(item) for item in found_in(bills.read, file)] == [bills.Bill, BillBatch]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"ref_no": None}, "ref_no", "APP-G101"),
        ({"ref_no": "x" * 31}, "ref_no", "APP-G103"),
        ({"ref_no": " "}, "ref_no", "APP-G103"),
        ({"ref_no": 7}, "ref_no", "APP-G102"),
        ({"event": "CANCEL"}, "event", "APP-G104"),
        ({"source": "MOON"}, "source", "APP-G104"),
        ({"seq": "0"}, "seq", "APP-G102"),
        ({"seq": True}, "seq", "APP-G102"),
        ({"seq": 1}, "seq", "APP-G104"),
        ({"importer_gstin": "29AAKCT0000P1Z7"}, "importer_gstin", "APP-G105"),
        ({"importer_gstin": "29AAKCT"}, "importer_gstin", "APP-G103"),
        ({"source": "SEZ", "sez_name": "Panchganga"}, "sez_gstin", "APP-G101"),
        ({"source": "SEZ", "sez_gstin": "27AANCP0000Q1Z9"}, "sez_name", "APP-G101"),
        ({"port_code": "INMAA"}, "port_code", "APP-G103"),
        ({"boe_number": "701234"}, "boe_number", "APP-G103"),
        ({"boe_number": 7012345}, "boe_number", "APP-G102"),
        ({"boe_date": "2026-10-06"}, "boe_date", "APP-G103"),
        ({"boe_date": "31-02-2026"}, "boe_date", "APP-G103"),
        ({"boe_date": "09-10-2026"}, "boe_date", "APP-G108"),
        ({"boe_date": "30-06-2017"}, "boe_date", "APP-G108"),
        ({"icegate_ref_date": "01-11-2026"}, "icegate_ref_date", "APP-G108"),
        ({"received_at": "2026-10-09T06:00:00"}, "received_at", "APP-G103"),
        ({"received_at": "yesterday"}, "received_at", "APP-G103"),
        ({"taxable_value": "5000"}, "taxable_value", "APP-G102"),
        ({"igst": 900.001}, "igst", "APP-G113"),
        ({"cess": -1}, "cess", "APP-G113"),
        ({"igst": None}, "igst", "APP-G101"),
        ({"event": "AMEND_VALUE", "seq": 1}, "original", "APP-B02"),
    ],
)
def test_each_fault_of_a_bill_is_told_with_its_place(changes: dict[str, Any], field: str, code: str) -> None:
    wrong = files.bill("7012346") | changes
    wrong = {key: value for key, value in wrong.items() if value is not None}
    file = files.bills(files.bill()) | {"records": [files.bill(), wrong], "count": 2}
    problems = told(bills.read, file)
    assert ("records[1]", field, code) in problems
    assert {position for position, *_ in problems} <= {"records[1]", ""}


@pytest.mark.parametrize(
    ("record", "field", "code"),
    [
        (files.amended(importer_gstin=files.OTHER), "importer_gstin", "APP-G118"),
        (files.amended(event="AMEND_GSTIN"), "importer_gstin", "APP-G104"),
        (files.amended(seq=0), "seq", "APP-G104"),
        (files.amended(original={"igst": "9"}), "original.igst", "APP-G102"),
        (files.amended() | {"original": {}}, "original.importer_gstin", "APP-G101"),
        (files.amended() | {"original": "none"}, "original", "APP-G102"),
    ],
)
def test_each_fault_of_an_amendment_is_told(record: dict[str, Any], field: str, code: str) -> None:
    assert ("records[0]", field, code) in told(bills.read, files.bills(record))


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"count": 2}, "count", "APP-B01"),
        ({"count": None}, "count", "APP-G101"),
        ({"totals": {"taxable_value": 5000, "igst": 900.01, "cess": 0}}, "totals.igst", "APP-B01"),
        ({"totals": {"taxable_value": 5000, "cess": 0}}, "totals.igst", "APP-G101"),
        ({"totals": None}, "totals", "APP-G101"),
        ({"batch_id": None}, "batch_id", "APP-G101"),
        ({"version": "2.0"}, "version", "APP-G104"),
        ({"generated_at": "2026-11-01"}, "generated_at", "APP-G103"),
        ({"from": "1.10.2026"}, "from", "APP-G103"),
        ({"records": []}, "records", "APP-G101"),
        ({"records": {"0": {}}}, "records", "APP-G102"),
    ],
)
def test_each_fault_around_the_bills_is_told(changes: dict[str, Any], field: str, code: str) -> None:
    assert ("", field, code) in told(bills.read, files.bills(files.bill(), **changes))


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"doctyp": "ISDX"}, "doctyp", "APP-G104"),
        ({"docnum": "ISD 1"}, "docnum", "APP-G106"),
        ({"docdt": 31}, "docdt", "APP-G102"),
        ({"itcelg": True}, "itcelg", "APP-G102"),
        ({"itcelg": "T"}, "itcelg", "APP-G104"),
        ({"igst": 1.234}, "igst", "APP-G113"),
        ({"oinvdt": "30-09-26"}, "oinvdt", "APP-G103"),
    ],
)
def test_each_fault_of_an_isd_document_is_told(changes: dict[str, Any], field: str, code: str) -> None:
    file = files.gstr6(files.isd_document()) | {
        "isd": [{"ctin": files.IMPORTER, "docs": [files.isd_document(), files.isd_document() | changes]}]
    }
    assert ("isd[0].docs[1]", field, code) in told(isd.read, file)


def test_an_isd_amendment_names_its_original_and_keeps_its_kind() -> None:
    bare = files.gstr6(amendments=(files.isd_document(),))
    wanted = {("isda[0].docs[0]", key, "APP-G101") for key in ("odoctyp", "odocnum", "odocdt")}
    assert wanted <= set(told(isd.read, bare))
    turned = files.isd_document(odoctyp="ISDC", odocnum="ISD/0", odocdt="30-09-2026")
    assert told(isd.read, files.gstr6(amendments=(turned,))) == [("isda[0].docs[0]", "doctyp", "APP-G104")]


@pytest.mark.parametrize(
    ("changes", "position", "field", "code"),
    [
        ({"gstin": "27AAKCT0000P2Z8"}, "", "gstin", "APP-G105"),
        ({"fp": "132026"}, "", "fp", "APP-G103"),
        ({"filed_on": None}, "", "filed_on", "APP-G101"),
        ({"totals": {}}, "", "totals.isd.ISDI.docs", "APP-B01"),
        ({"isd": [{"docs": []}]}, "isd[0]", "ctin", "APP-G101"),
        ({"isd": [{"ctin": files.IMPORTER, "docs": {}}]}, "isd[0]", "docs", "APP-G102"),
        ({"isd": ["none"]}, "isd[0]", "", "APP-G102"),
    ],
)
def test_each_fault_around_the_isd_documents_is_told(
    changes: dict[str, Any], position: str, field: str, code: str
) -> None:
    assert (position, field, code) in told(isd.read, files.gstr6(files.isd_document(), **changes))


def test_totals_of_a_kind_the_gstr6_does_not_hold_do_not_agree() -> None:
    file = files.gstr6(files.isd_document())
    file["totals"]["isda"] = {"ISDC": {"docs": 1, "igst": 0, "cgst": 0, "sgst": 0, "cess": 0}}
    assert told(isd.read, file) == [("", "totals.isda.ISDC.docs", "APP-B01")]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"gstin": "x"}, "gstin", "APP-G103"),
        ({"itcprd": "2026-10"}, "itcprd", "APP-G103"),
        ({"section": "impg"}, "section", "APP-G104"),
        ({"ctin": "22AAJCS0000G1Z6"}, "ctin", "APP-G105"),
        ({"supprd": 12026}, "supprd", "APP-G102"),
        ({"docnum": ""}, "docnum", "APP-G106"),
        ({"docdt": "20-01-1999"}, "docdt", "APP-G108"),
        ({"cgst": -0.01}, "cgst", "APP-G113"),
    ],
)
def test_each_fault_of_a_reversal_is_told(changes: dict[str, Any], field: str, code: str) -> None:
    file = files.reversals(files.reversal()) | {"records": [files.reversal() | changes]}
    assert ("records[0]", field, code) in told(reversals.read, file)


def test_reversals_whose_sum_is_another_are_refused() -> None:
    file = files.reversals(files.reversal(), totals={"igst": 99, "cgst": 0, "sgst": 0, "cess": 0})
    assert told(reversals.read, file) == [("", "totals.igst", "APP-B01")]


@pytest.mark.parametrize("read", EVERY_KIND)
@pytest.mark.parametrize(
    "file",
    [
        {"gstin": files.ISD, "fp": "102026", "b2b": []},
        {"feed": "SOMETHING-ELSE", "version": "1.0"},
        {"feed": None},
        {},
    ],
)
def test_another_file_is_not_taken_for_a_feed(read: Reader, file: dict[str, Any]) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        found_in(read, file)
    assert refused.value.problem.code == "APP-F03"


@pytest.mark.parametrize("read", EVERY_KIND)
@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"\xff\xfe{", b'{"feed": "ICEGATE-BOE"', b'{"feed": NaN}'])
def test_what_is_no_json_object_is_refused_whole(read: Reader, content: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        list(read(BytesIO(content)))


def test_a_key_that_stands_twice_is_refused_whole() -> None:
    text = json.dumps(files.bills(files.bill())).replace('"seq": 0', '"seq": 0, "seq": 0')
    with pytest.raises(UnreadableFileError) as refused:
        list(bills.read(BytesIO(text.encode())))
    assert refused.value.problem.code == "APP-F02"


def read_through(read: Reader, content: bytes) -> None:
    """Read to the end, or to the refusal."""
    try:
        list(read(BytesIO(content)))
    except UnreadableFileError:
        return


@given(st.sampled_from(EVERY_KIND), st.binary(max_size=200))
def test_no_bytes_get_past_the_refusal(read: Reader, content: bytes) -> None:
    read_through(read, content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WHOLE_FILES = (
    (bills.read, files.bills(files.bill(), files.amended("7012347"))),
    (isd.read, files.gstr6(files.isd_document(), amendments=(files.isd_document("ISD/2"),))),
    (reversals.read, files.reversals(files.reversal())),
)


def places(value: object, way: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the way to everything inside a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*way, key)
        yield from places(inner, (*way, key))


@given(st.data())
def test_anything_in_any_place_of_a_good_file_is_read_or_told(data: st.DataObject) -> None:
    read, good = data.draw(st.sampled_from(WHOLE_FILES))
    file = json.loads(json.dumps(good))
    *way, last = data.draw(st.sampled_from(list(places(good))))
    inner = file
    for key in way:
        inner = inner[key]
    inner[last] = data.draw(JSON)
    read_through(read, json.dumps(file).encode())
