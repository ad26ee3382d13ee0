"""The GSTR-6 of a distributor taken in: whole or not at all, each document where the law counts it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ims_portal.rules.money import Tax
from invoices.models import Inbox, Record, SupplierReturn
from returns.models import Gstr2bLine
from tests import factories
from tests.invoices import feed_files as files
from tests.invoices.feed_taking import (
    closed,
    recipient,
    refused,
    take_isd,
)

SUPPLIER = "33AASFN0000R1Z5"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("importers")]


def test_the_filing_day_of_a_gstr6_decides_the_statement_and_ims_never_sees_it() -> None:
    credit_note = files.isd_document("ISDC/1", doctyp="ISDC", igst=5, oinvnum="ISD/0", oinvdt="30-09-2026")
    take_isd(files.gstr6(files.isd_document(), files.isd_document("ISD/2", itcelg="N", igst=7), credit_note))
    found = {record.number: record for record in Record.objects.all()}
    assert {(record.gstr2b_month, record.bypass, record.form) for record in found.values()} == {
        (202610, "ISD", "GSTR-6")
    }
    assert {number: record.unavailable for number, record in found.items()} == {"ISD/1": "", "ISD/2": "I", "ISDC/1": ""}
    note = found["ISDC/1"]
    assert (note.effect, note.isd.corrected_number, note.supplier.gstin) == (Tax(-500), "ISD/0", files.ISD)
    closed("092026", "2026-10-20")
    closed("102026", "2026-11-18")
    lines = Gstr2bLine.objects.filter(month=202610).order_by("record__number")
    assert list(lines.values_list("record__number", "placement", "part", "reason", "igst")) == [
        ("ISD/1", "available", "A_II", "", 4500),
        ("ISD/2", "not_available", "A_II", "I", 700),
        ("ISDC/1", "available", "B_II", "", 500),
    ]


@pytest.mark.parametrize(("filed_on", "month"), [("13-11-2026", 202610), ("14-11-2026", 202611)])
def test_the_window_of_a_gstr6_ends_on_the_13th(filed_on: str, month: int) -> None:
    take_isd(files.gstr6(files.isd_document(), filed_on=filed_on), on="2026-11-20")
    assert Record.objects.get().gstr2b_month == month


def test_a_recipient_nobody_knew_becomes_known_and_a_refused_file_leaves_it_unknown() -> None:
    take_isd(files.gstr6(files.isd_document(), ctin="36AATCM0000C1Z0"))
    assert Record.objects.get().recipient.gstin == "36AATCM0000C1Z0"
    wrong = files.gstr6(files.isd_document("ISD/1"), ctin=SUPPLIER, fp="092026", filed_on="12-10-2026")
    assert refused(lambda: take_isd(wrong)) == [
        ("isd[0].docs[0]", "docdt", "APP-G108"),
    ]


def test_a_second_file_replaces_the_first_while_no_statement_used_it() -> None:
    take_isd(files.gstr6(files.isd_document(), files.isd_document("ISD/2")))
    taken = take_isd(files.gstr6(files.isd_document(igst=50), filed_on="13-11-2026"), on="2026-11-13")
    assert (taken.replaced, len(taken.record_ids)) == (2, 1)
    assert sorted(Record.objects.values_list("number", "status", "igst")) == [
        ("ISD/1", "F", 5000),
        ("ISD/1", "W", 4500),
        ("ISD/2", "W", 4500),
    ]
    assert SupplierReturn.objects.get().filed_on == date(2026, 11, 13)


def test_a_gstr6_may_be_replaced_by_one_that_distributes_nothing() -> None:
    closed("092026", "2026-10-20")
    take_isd(files.gstr6(files.isd_document()))
    before = Inbox.objects.get(pk=recipient().pk).seq
    taken = take_isd(files.gstr6())
    assert (taken.replaced, taken.record_ids) == (1, [])
    assert not Record.objects.filter(status="F").exists()
    assert Inbox.objects.get(pk=recipient().pk).seq == before + 1


def test_a_file_a_draft_has_used_cannot_be_replaced() -> None:
    take_isd(files.gstr6(files.isd_document()))
    closed("092026", "2026-10-20")
    factories.computed(recipient(), period="102026", on="2026-11-14")
    assert refused(lambda: take_isd(files.gstr6(files.isd_document(igst=50)), on="2026-11-15")) == [
        ("", "fp", "APP-ALREADY_FILED")
    ]


def test_an_isd_amendment_replaces_its_original_or_counts_the_difference() -> None:
    august = files.gstr6(files.isd_document(docdt="31-08-2026"), fp="082026", filed_on="11-09-2026")
    take_isd(august, on="2026-09-12")
    closed("092026", "2026-10-20")
    amendment = files.isd_document("ISD/1A", igst=40, odoctyp="ISDI", odocnum="isd/1", odocdt="31-08-2026")
    take_isd(files.gstr6(amendments=(amendment,)))
    record = Record.objects.get(number="ISD/1A")
    assert (record.chain_no, record.original.number, record.effect, record.section) == (2, "ISD/1", Tax(-500), "isd")


def test_an_amendment_that_is_ineligible_too_counts_the_difference_to_what_was_not_available() -> None:
    first = files.isd_document(docdt="31-08-2026", itcelg="N")
    take_isd(files.gstr6(first, fp="082026", filed_on="11-09-2026"), on="2026-09-12")
    closed("092026", "2026-10-20")
    amendment = {"odoctyp": "ISDI", "odocnum": "ISD/1", "odocdt": "31-08-2026"}
    take_isd(files.gstr6(amendments=(files.isd_document("ISD/1A", igst=40, itcelg="N", **amendment),)))
    assert (Record.objects.get(number="ISD/1A").effect, Record.objects.get(number="ISD/1A").unavailable) == (
        Tax(-500),
        "I",
    )
    take_isd(files.gstr6(amendments=(files.isd_document("ISD/1A", igst=40, **amendment),)))
    assert Record.objects.get(number="ISD/1A", status="F").effect == Tax(4000)


def test_a_replaced_amendment_gives_its_original_its_place_back() -> None:
    take_isd(files.gstr6(files.isd_document(docdt="30-09-2026"), fp="092026", filed_on="14-10-2026"))
    amendment = files.isd_document("ISD/1A", igst=40, odoctyp="ISDI", odocnum="ISD/1", odocdt="30-09-2026")
    take_isd(files.gstr6(amendments=(amendment,)))
    original = Record.objects.get(number="ISD/1")
    assert original.superseded_by is not None
    take_isd(files.gstr6(files.isd_document("ISD/3")))
    original.refresh_from_db()
    assert (original.superseded_by, original.effect) == (None, Tax(4500))


def test_a_file_whose_document_a_later_one_amended_cannot_be_replaced() -> None:
    september = files.gstr6(files.isd_document(docdt="30-09-2026"), fp="092026", filed_on="14-10-2026")
    take_isd(september)
    amendment = files.isd_document("ISD/1A", odoctyp="ISDI", odocnum="ISD/1", odocdt="30-09-2026")
    take_isd(files.gstr6(amendments=(amendment,)))
    assert refused(lambda: take_isd(september | {"filed_on": "15-10-2026"})) == [("", "fp", "APP-ALREADY_FILED")]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (files.gstr6(files.isd_document(), gstin=files.IMPORTER), ("", "gstin", "APP-G104")),
        (files.gstr6(files.isd_document(), ctin=files.ISD), ("isd[0].docs[0]", "ctin", "APP-G104")),
        (files.gstr6(files.isd_document(), filed_on="13-11-2026"), ("", "filed_on", "APP-G108")),
        (files.gstr6(files.isd_document(), filed_on="31-10-2026"), ("", "filed_on", "APP-G108")),
        (files.gstr6(files.isd_document(docdt="01-11-2026")), ("isd[0].docs[0]", "docdt", "APP-G108")),
        (files.gstr6(files.isd_document(), files.isd_document("isd/1")), ("isd[0].docs[1]", "docnum", "APP-G107")),
        (
            files.gstr6(
                amendments=(files.isd_document("ISD/9", odoctyp="ISDI", odocnum="ISD/8", odocdt="31-08-2026"),)
            ),
            ("isda[0].docs[0]", "odocnum", "APP-B02"),
        ),
    ],
)
def test_each_thing_a_gstr6_is_refused_for(file: dict[str, Any], told: tuple[str, str, str]) -> None:
    assert refused(lambda: take_isd(file)) == [told]


def test_a_number_used_in_an_earlier_gstr6_and_another_recipient_of_an_amendment_are_refused() -> None:
    take_isd(files.gstr6(files.isd_document(docdt="30-09-2026"), fp="092026", filed_on="12-10-2026"))
    assert refused(lambda: take_isd(files.gstr6(files.isd_document()))) == [("isd[0].docs[0]", "docnum", "APP-G107")]
    amendment = files.isd_document("ISD/9", odoctyp="ISDI", odocnum="ISD/1", odocdt="30-09-2026")
    assert refused(lambda: take_isd(files.gstr6(amendments=(amendment,), ctin=files.OTHER))) == [
        ("isda[0].docs[0]", "ctin", "APP-G118")
    ]
