"""Bills of entry taken in: whole or not at all, once however often told, each where the law counts it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.models import AuditEvent, FilingFrequency
from ims_portal.rules.actions import Action
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency
from invoices import feeds
from invoices.feeds import FeedRefusedError
from invoices.feeds_json.bills import Bill, BillBatch, Event, Source
from invoices.models import BillOfEntry, Inbox, Record
from tests import factories
from tests.invoices import feed_files as files
from tests.invoices.feed_taking import (
    ON,
    closed,
    recipient,
    refused,
    take_bills,
)

SUPPLIER = "33AASFN0000R1Z5"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("importers")]


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
