"""Feeds taken in: whole or not at all, once however often told, each where the law counts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from io import BytesIO
from typing import Any, BinaryIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.models import AuditEvent, FilingFrequency, Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.actions import Action
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency
from invoices import feeds
from invoices.feeds import FeedRefusedError, Taken
from invoices.feeds_json import bills, isd, reversals
from invoices.feeds_json.bills import Bill, BillBatch, Event, Source
from invoices.models import ActionEvent, BillOfEntry, Inbox, IsdDocument, Record, Reversal, SupplierReturn
from returns import gstr3b
from returns.models import Gstr2bLine
from tests import factories
from tests.invoices import feed_files as files

ON = "2026-11-12"
SUPPLIER = "33AASFN0000R1Z5"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cast() -> None:
    """Make two importers known, and the ISD of the same company."""
    factories.taxpayer(files.IMPORTER, first=202609)
    factories.taxpayer(files.OTHER, first=202609)
    factories.taxpayer(files.ISD, first=202609)
    Taxpayer.objects.filter(gstin=files.ISD).update(kind=Taxpayer.Kind.ISD)


def stream(file: dict[str, Any]) -> BinaryIO:
    """Return a file to read from."""
    return BytesIO(json.dumps(file).encode())


def take_bills(*records: dict[str, Any], on: str = ON, **around: object) -> Taken:
    """Return what became of a feed of bills."""
    return feeds.take_bills(found=bills.read(stream(files.bills(*records, **around))), clock=factories.clock(on))


def take_isd(file: dict[str, Any], on: str = ON) -> Taken:
    """Return what became of a GSTR-6."""
    return feeds.take_isd(found=isd.read(stream(file)), clock=factories.clock(on))


def take_reversals(*records: dict[str, Any], on: str = ON, **around: object) -> Taken:
    """Return what became of a list of reversals."""
    return feeds.take_reversals(
        found=reversals.read(stream(files.reversals(*records, **around))), clock=factories.clock(on)
    )


def refused(take: Callable[[], Taken]) -> list[tuple[str, str, str]]:
    """Return (position, field, code) of what a feed was refused for; it left nothing behind."""
    before = stored()
    with pytest.raises(FeedRefusedError) as told:
        take()
    assert stored() == before
    assert all(problem.position in problem.message for problem in told.value.problems)
    return [(problem.position, problem.field, problem.code) for problem in told.value.problems]


def stored() -> list[list[object]]:
    """Return everything a feed may write."""
    kinds = (Record, BillOfEntry, IsdDocument, Reversal, SupplierReturn, Inbox, Taxpayer, AuditEvent, ActionEvent)
    return [list(kind.objects.order_by("pk").values()) for kind in kinds]  # type: ignore[attr-defined]


def recipient() -> Taxpayer:
    """Return the importer of the files."""
    return Taxpayer.objects.get(gstin=files.IMPORTER)


def closed(month: str, on: str) -> None:
    """File the importer's period."""
    factories.filed_period(recipient(), period=month, on=on)


# Bills of entry


def test_a_new_bill_stands_in_ims_of_the_month_of_its_reference_date() -> None:
    taken = take_bills(files.bill(), files.bill("7012346", source="SEZ", sez_gstin=SUPPLIER, sez_name="Noyyal"))
    first, second = Record.objects.order_by("number")
    assert taken.record_ids == [first.pk, second.pk]
    assert (first.section, first.gstr2b_month, first.filed_on, first.bypass) == (
        "impg",
        202610,
        date(2026, 10, 8),
        "",
    )
    assert (first.tax, first.effect, first.value, first.fy) == (Tax(90000), Tax(90000), 590000, 2026)
    assert (first.form, first.port, first.supplier_id, first.chain) == ("ICEGATE", "INMAA1", None, first.pk)
    assert (second.section, second.bill.sez_name, second.bill.reference) == ("impgsez", "Noyyal", "ICG-7012346")
    assert first.detail.items == []
    assert list(AuditEvent.objects.filter(event="feed.taken").values_list("taxpayer__gstin", "details")) == [
        (files.IMPORTER, {"records": 2})
    ]


def test_a_quarterly_importer_counts_it_in_its_quarter() -> None:
    FilingFrequency.objects.filter(taxpayer=recipient()).update(frequency=Frequency.QUARTERLY.value)
    take_bills(files.bill())
    assert Record.objects.get().gstr2b_month == 202612


def test_a_draft_made_before_is_out_of_date_only_where_it_is_in_scope() -> None:
    take_bills(files.bill())
    closed("092026", "2026-10-20")
    before = Inbox.objects.get(pk=recipient().pk).seq
    late = files.bill("7012346", boe_date="02-11-2026", icegate_ref_date="03-11-2026")
    take_bills(late, batch_id="BOE-2", to="30-11-2026")
    assert Inbox.objects.get(pk=recipient().pk).seq == before
    take_bills(files.bill("7012347"), batch_id="BOE-3")
    assert Inbox.objects.get(pk=recipient().pk).seq == before + 1


def test_the_same_bill_again_is_passed_over_and_another_content_refuses_the_feed() -> None:
    take_bills(files.bill())
    taken = take_bills(files.bill(), files.bill("7012346"), batch_id="BOE-2")
    assert (len(taken.record_ids), taken.unchanged, Record.objects.count()) == (1, 1, 2)
    assert refused(lambda: take_bills(files.bill(ref_no="ICG-OTHER"), batch_id="BOE-3")) == [
        ("records[0]", "seq", "APP-B03")
    ]


def test_the_same_bill_twice_in_one_feed_is_one() -> None:
    assert len(take_bills(files.bill(), files.bill()).record_ids) == 1
    twice = (files.bill("7012346"), files.bill("7012346", igst=901))
    assert refused(lambda: take_bills(*twice)) == [("records[1]", "seq", "APP-B03")]


def test_bills_with_another_port_or_date_are_other_bills() -> None:
    take_bills(files.bill(), files.bill(port_code="INNSA1"), files.bill(boe_date="07-10-2026"))
    assert Record.objects.count() == 3


def test_a_problem_in_the_last_record_leaves_nothing() -> None:
    last = files.bill("7012399", importer_gstin="36AATCM0000C1Z0")
    assert refused(lambda: take_bills(files.bill(), files.amended(), last)) == [
        ("records[2]", "importer_gstin", "APP-G104")
    ]


def test_a_wrong_total_leaves_nothing() -> None:
    assert refused(lambda: take_bills(files.bill(), count=3)) == [("", "count", "APP-B01")]


def test_a_distributor_cannot_import_and_a_day_to_come_cannot_count() -> None:
    assert refused(lambda: take_bills(files.bill(importer_gstin=files.ISD))) == [
        ("records[0]", "importer_gstin", "APP-G104")
    ]
    assert refused(lambda: take_bills(files.bill(), on="2026-10-07")) == [
        ("records[0]", "icegate_ref_date", "APP-G108")
    ]


def test_an_amendment_without_its_bill_or_out_of_order_is_refused() -> None:
    assert refused(lambda: take_bills(files.amended())) == [("records[0]", "seq", "APP-B02")]
    take_bills(files.bill())
    with pytest.raises(FeedRefusedError, match="amendment 2 came before amendment 1; the last one known here is 0"):
        take_bills(files.amended(seq=2), batch_id="BOE-2")


@pytest.mark.parametrize(
    "original",
    [
        {"igst": 901},
        {"cess": 1},
        {"taxable_value": 1},
        {"icegate_ref_date": "07-10-2026"},
        {"importer_gstin": files.OTHER},
    ],
)
def test_an_original_that_is_not_what_is_stored_is_refused_with_what_is(original: dict[str, Any]) -> None:
    take_bills(files.bill())
    amendment = files.amended(original=original, importer_gstin=original.get("importer_gstin", files.IMPORTER))
    assert refused(lambda: take_bills(amendment, batch_id="BOE-2")) == [("records[0]", "original", "APP-B02")]
    with pytest.raises(FeedRefusedError, match=r"taxable value 5000\.00, IGST 900\.00, cess 0\.00"):
        take_bills(amendment, batch_id="BOE-2")


def test_an_amendment_in_the_same_month_takes_the_place_of_its_bill() -> None:
    take_bills(files.bill(), files.amended())
    old, new = Record.objects.order_by("id")
    assert (old.superseded_by_id, new.original_id, new.chain, new.chain_no) == (new.pk, old.pk, old.pk, 2)
    assert (new.section, new.effect, new.boe_change) == ("impga", Tax(72000), "")


def test_amendments_stand_in_their_order_whatever_that_of_the_file() -> None:
    second = files.amended(
        seq=2,
        igst=540,
        taxable_value=3000,
        original={"igst": 720, "taxable_value": 4000, "icegate_ref_date": "20-10-2026"},
    )
    take_bills(second, files.amended(), files.bill())
    chain = list(Record.objects.order_by("chain_no").values_list("chain_no", "igst", "original__igst"))
    assert chain == [(1, 90000, None), (2, 72000, 90000), (3, 54000, 72000)]
    take_bills(
        files.amended(
            seq=3,
            igst=0,
            taxable_value=0,
            original={"igst": 540, "taxable_value": 3000, "icegate_ref_date": "20-10-2026"},
        ),
        batch_id="BOE-2",
    )
    last = Record.objects.get(chain_no=4)
    assert (last.effect, last.original.igst, last.original.superseded_by_id) == (Tax(), 54000, last.pk)


def test_an_amendment_of_a_settled_bill_counts_the_difference() -> None:
    take_bills(
        files.bill(boe_date="06-09-2026", icegate_ref_date="08-09-2026"),
        on="2026-10-01",
        **{"from": "01-09-2026", "to": "30-09-2026"},
    )
    closed("092026", "2026-10-20")
    take_bills(files.amended(boe_date="06-09-2026", original={"icegate_ref_date": "08-09-2026"}), batch_id="BOE-2")
    amendment = Record.objects.get(chain_no=2)
    assert (amendment.has_baseline, amendment.effect, amendment.gstr2b_month) == (True, Tax(-18000), 202610)


def test_a_change_of_importer_reduces_the_old_and_credits_the_new_one() -> None:
    take_bills(
        files.bill(boe_date="06-09-2026", icegate_ref_date="08-09-2026"),
        on="2026-10-01",
        **{"from": "01-09-2026", "to": "30-09-2026"},
    )
    closed("092026", "2026-10-20")
    moved = files.amended(
        event="AMEND_GSTIN",
        boe_date="06-09-2026",
        importer_gstin=files.OTHER,
        igst=850,
        original={"icegate_ref_date": "08-09-2026"},
    )
    assert len(take_bills(moved, batch_id="BOE-2").record_ids) == 2
    bill = BillOfEntry.objects.select_related("record", "reduction").get(seq=1)
    new, old = bill.record, bill.reduction
    assert old is not None
    assert (new.recipient.gstin, new.boe_change, new.effect, new.original_id) == (
        files.OTHER,
        "N",
        Tax(85000),
        None,
    )
    assert (old.recipient.gstin, old.boe_change, old.effect, old.reduces) == (files.IMPORTER, "O", Tax(-90000), True)
    assert (old.igst, old.chain_no, old.section) == (90000, 2, "impga")
    assert factories.act(old, Action.ACCEPT, on=ON, answer="F").results[0].refusal is None


def test_a_bill_that_moved_is_amended_at_its_new_importer_in_the_same_feed() -> None:
    moved = files.amended(event="AMEND_GSTIN", importer_gstin=files.OTHER, igst=900, taxable_value=5000)
    then = files.amended(
        seq=2, importer_gstin=files.OTHER, original={"importer_gstin": files.OTHER, "icegate_ref_date": "20-10-2026"}
    )
    take_bills(files.bill(), moved, then)
    found = Record.objects.filter(recipient__gstin=files.OTHER).order_by("chain_no")
    assert list(found.values_list("chain_no", "boe_change", "igst")) == [(1, "N", 90000), (2, "", 72000)]
    reduction = Record.objects.get(boe_change="O")
    assert (reduction.recipient.gstin, reduction.effect) == (files.IMPORTER, Tax())


def test_twenty_thousand_bills_take_as_many_statements_as_two_thousand() -> None:
    few, many = (statements(many_bills(count, start)) for count, start in ((2_000, 1), (20_000, 10_000)))
    assert few == many <= 45
    assert Record.objects.count() == 22_000


def many_bills(count: int, start: int) -> Iterable[Bill | BillBatch]:
    """Yield new bills of two importers, and the batch."""
    at = factories.at("2026-10-09")
    for number in range(start, start + count):
        yield Bill(
            position=f"records[{number}]",
            event=Event.NEW,
            source=Source.OVERSEAS,
            seq=0,
            importer=(files.IMPORTER, files.OTHER)[number % 2],
            port="INMAA1",
            number=f"{number:07d}",
            date=date(2026, 10, 6),
            reference_date=date(2026, 10, 8),
            received_at=at,
            taxable=500000,
            tax=Tax(90000),
        )
    yield BillBatch(f"BOE-{start}")


def statements(found: Iterable[Bill | BillBatch]) -> int:
    """Return how many statements a feed takes."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        feeds.take_bills(found=found, clock=factories.clock(ON))
    return len(captured)


# Documents of an ISD


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


# Rule 37A


@pytest.fixture
def counted() -> Record:
    """Return an invoice of 180 rupees of IGST that September's GSTR-2B counted and its GSTR-3B settled."""
    factories.taxpayer(SUPPLIER, first=202609)
    found = factories.filed(
        factories.document(number="INV1", tax=180, recipient=files.IMPORTER, supplier=SUPPLIER, on="2026-09-05"),
        supplier=SUPPLIER,
        period="092026",
        on="2026-10-10",
    )
    closed("092026", "2026-10-20")
    return found[0]


def reversal(**changes: object) -> dict[str, Any]:
    """Return a reversal of that invoice."""
    told = {"ctin": SUPPLIER, "supprd": "092026", "docdt": "05-09-2026"}
    return files.reversal(**(told | changes))


def test_a_reversal_counts_in_the_period_it_names_and_knows_its_document(counted: Record) -> None:
    take_reversals(reversal())
    made = Reversal.objects.select_related("record").get()
    assert made.document_id == counted.pk
    record = made.record
    assert (record.section, record.gstr2b_month, record.bypass, record.tax) == ("r37a", 202610, "R37A", Tax(10000))
    assert (record.number, record.document_date) == ("INV1", date(2026, 9, 5))
    sums = factories.computed(recipient(), period="102026", on="2026-11-14").statement.sums
    assert sums["reversal"]["A_I"]["r37a"][1:] == [10000, 0, 0, 0]


def test_a_reversal_makes_the_draft_of_its_period_out_of_date(counted: Record) -> None:
    before = Inbox.objects.get(pk=counted.recipient_id).seq
    take_reversals(reversal(itcprd="112026"))
    assert Inbox.objects.get(pk=counted.recipient_id).seq == before
    take_reversals(reversal(igst=80), batch_id="R37A-2")
    assert Inbox.objects.get(pk=counted.recipient_id).seq == before + 1


def test_the_same_reversal_again_is_passed_over_and_another_content_refused(counted: Record) -> None:
    assert counted.pk
    take_reversals(reversal())
    taken = take_reversals(reversal(), batch_id="R37A-2")
    assert (taken.record_ids, taken.unchanged) == ([], 1)
    assert refused(lambda: take_reversals(reversal(igst=101), batch_id="R37A-3")) == [
        ("records[0]", "docnum", "APP-B03")
    ]
    assert refused(lambda: take_reversals(reversal(itcprd="112026"), reversal(itcprd="112026", igst=1))) == [
        ("records[0]", "", "APP-G113"),
        ("records[1]", "docnum", "APP-B03"),
    ]


def test_several_reversals_together_take_back_at_most_what_was_counted(counted: Record) -> None:
    assert counted.igst == 18000
    assert refused(lambda: take_reversals(reversal(igst=180.01))) == [("records[0]", "", "APP-G113")]
    take_reversals(reversal(igst=100))
    assert refused(lambda: take_reversals(reversal(igst=80.01, itcprd="112026"), batch_id="R37A-2")) == [
        ("records[0]", "", "APP-G113")
    ]
    parts = (reversal(igst=40, itcprd="112026"), reversal(igst=41, itcprd="122026"))
    assert refused(lambda: take_reversals(*parts, batch_id="R37A-2")) == [("records[1]", "", "APP-G113")]
    take_reversals(parts[0], reversal(igst=40, itcprd="122026"), batch_id="R37A-2")
    with pytest.raises(FeedRefusedError, match=r"at most IGST 0\.00"):
        take_reversals(reversal(igst=0.01, itcprd="012027"), batch_id="R37A-3")


def test_only_what_an_earlier_statement_counted_as_available_is_reversed(counted: Record) -> None:
    supplier, september = Taxpayer.objects.get(pk=counted.supplier_id), periods.parse("092026")
    factories.computed(supplier, period="092026", on="2026-10-20")
    gstr3b.file(taxpayer=supplier, period=september, actor=None, clock=factories.clock("2026-10-20"))
    rejected, pending = factories.filed(
        *(
            factories.document(number=number, tax=180, recipient=files.IMPORTER, supplier=SUPPLIER, on="2026-10-05")
            for number in ("NO", "LATER")
        ),
        supplier=SUPPLIER,
        period="102026",
        on="2026-11-10",
    )
    factories.computed(recipient(), period="102026", on="2026-11-14")  # counts both, but not for long
    factories.act(rejected, "R", on="2026-11-15", remark="Not ours")
    factories.act(pending, "P", on="2026-11-15")
    closed("102026", "2026-11-18")
    of_october = {"supprd": "102026", "docdt": "05-10-2026", "itcprd": "112026"}
    for number in ("NO", "LATER"):
        assert refused(lambda number=number: take_reversals(reversal(docnum=number, **of_october))) == [
            ("records[0]", "docnum", "APP-B02")
        ]


def test_what_the_statement_of_the_same_period_counts_is_no_earlier_credit() -> None:
    factories.taxpayer(SUPPLIER, first=202609)
    document = factories.document(number="INV1", tax=180, recipient=files.IMPORTER, supplier=SUPPLIER, on="2026-09-05")
    factories.filed(document, supplier=SUPPLIER, period="092026", on="2026-10-10")
    factories.computed(recipient(), period="092026", on="2026-10-14")
    assert refused(lambda: take_reversals(reversal(itcprd="092026"))) == [("records[0]", "docnum", "APP-B02")]
    assert len(take_reversals(reversal(itcprd="102026")).record_ids) == 1


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"docnum": "INV2"}, "docnum", "APP-B02"),
        ({"section": "b2ba"}, "docnum", "APP-B02"),
        ({"supprd": "082026"}, "docnum", "APP-B02"),
        ({"docdt": "06-09-2026"}, "docnum", "APP-B02"),
        ({"ctin": files.SHIVNATH}, "docnum", "APP-B02"),
        ({"gstin": files.OTHER}, "docnum", "APP-B02"),
        ({"gstin": "36AATCM0000C1Z0"}, "gstin", "APP-G104"),
        ({"itcprd": "092026"}, "itcprd", "APP-G117"),
        ({"cgst": 1}, "", "APP-G113"),
    ],
)
def test_each_thing_a_reversal_is_refused_for(counted: Record, changes: dict[str, Any], field: str, code: str) -> None:
    assert counted.pk
    assert refused(lambda: take_reversals(reversal(**changes))) == [("records[0]", field, code)]


def test_a_sum_without_documents_counts_too() -> None:
    record = feeds.rule_37a(
        recipient=recipient(), period=periods.parse("092026"), tax=Tax(700), clock=factories.clock(ON)
    )
    assert (record.number, record.gstr2b_month, record.reversal.document) == ("R37A-092026", 202609, None)
