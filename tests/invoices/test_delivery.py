"""A large return: filed at one moment, brought to its recipients piece by piece, as if all had been done at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from django.forms.models import model_to_dict

from ims_portal import queue
from ims_portal.models import DueDateExtension
from ims_portal.queue import JobRefusedError
from ims_portal.rules import gstin
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Document, Form, Section
from invoices import delivery, locking, open_forms, outward, reported, standing, tasks, uploads
from invoices.models import Delivery, Inbox, Record, SupplierReturn, Upload
from returns import gstr2b, gstr3b, looking, verify
from returns.models import Gstr2b
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

DAY, MONTH = date(2025, 11, 10), 202510
FORM = {"form": Form.GSTR1, "period": factories.OCTOBER}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than three recipients are many, and a piece holds two records."""
    monkeypatch.setattr(delivery, "MOST_RECIPIENTS", 3)
    monkeypatch.setattr(delivery, "PIECE", 2)


def recipients(count: int) -> list[str]:
    """Return GSTINs of Maharashtra, in order; the first is the usual one's."""
    firsts = (f"27AAACR50{n:02d}K1Z" for n in range(56, 55 + count))
    return [factories.RECIPIENT, *(first + gstin.check_char(first) for first in firsts)]


def to_each(count: int = 5) -> list[Document]:
    """Return an invoice to each of so many recipients, and a second one to the first."""
    found = [factories.document(number=f"N{n}", recipient=to) for n, to in enumerate(recipients(count))]
    return [*found, factories.document(number="SECOND", tax=900)]


def filed_in_pieces(on: str = "2025-11-10", **told: object) -> Delivery:
    """Return the delivery of a return that was saved and then filed, none of it brought yet."""
    factories.saved(*to_each())
    outward.file(supplier=factories.taxpayer(factories.SUPPLIER), actor=None, clock=factories.clock(on), **FORM, **told)
    return Delivery.objects.get()


def late_filing_allowed() -> None:
    """Let GSTR-1 of October be due after the day of its draft."""
    DueDateExtension.objects.create(
        form="GSTR-1",
        month=MONTH,
        frequency="M",
        due=date(2025, 11, 18),
        notification="99/2025",
        known_from=factories.at("2025-11-01"),
        approved_by=factories.user("calendar"),
    )


def fired() -> set[str]:
    """Return the checks of `verify` that find somebody."""
    return {check.name[:3] for check in verify.checks() for _one in looking.found(check)}


def stands() -> set[tuple[str, object, object]]:
    """Return status, day and GSTR-2B month of all records, as they are there."""
    return set(Record.objects.values_list("status", "filed_on", "gstr2b_month"))


@pytest.mark.usefixtures("small_pieces")
def test_it_is_filed_at_once_and_reaches_everybody_piece_by_piece() -> None:
    told: list[SupplierReturn] = []
    due = filed_in_pieces(finishing=told.append)
    kept = due.supplier_return
    assert (kept.filed_on, kept.acknowledgement) == (DAY, f"SBX-R1-{kept.pk:08d}")
    assert told == [kept]
    assert kept.held[:2] == [6, sum(one.taxable for one in to_each())]
    assert (due.total, due.progress, due.state) == (6, 0, Delivery.State.WAITING)
    assert stands() == {("S", None, None)}
    assert fired() == set()
    pieces = list(delivery._pieces(delivery.delivery_sql.saved_of(kept.pk, most=100)))
    assert [len(piece) for piece in pieces] == [2, 2, 2]
    assert set(pieces[0].values()) == {factories.taxpayer().pk}, "in the order of GSTINs"
    locking.transact(lambda: delivery._bring(due, pieces[0]))
    assert Record.objects.filter(status="F").count() == 2
    assert fired() == set()
    delivery.carry_out(delivery=due)
    assert stands() == {("F", DAY, MONTH)}
    due = Delivery.objects.get()
    assert (due.progress, due.state, due.done) == (6, Delivery.State.DONE, due.wanted)
    assert fired() == set()


@pytest.mark.usefixtures("small_pieces")
def test_a_second_way_does_nothing() -> None:
    due = filed_in_pieces()
    delivery.carry_out(delivery=due)
    before = list(Record.objects.order_by("pk").values()), list(Inbox.objects.order_by("pk").values())
    assert {inbox["seq"] for inbox in before[1] if inbox["taxpayer_id"] != due.taxpayer_id} <= {1, 2}
    delivery.carry_out(delivery=Delivery.objects.get())
    tasks.bring_return(job_id=str(due.pk))
    assert (list(Record.objects.order_by("pk").values()), list(Inbox.objects.order_by("pk").values())) == before


def test_a_small_return_is_filed_in_one_transaction_as_ever() -> None:
    factories.saved(*to_each())
    outward.file(
        supplier=factories.taxpayer(factories.SUPPLIER), actor=None, clock=factories.clock("2025-11-10"), **FORM
    )
    assert stands() == {("F", DAY, MONTH)}
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("counts", "is_large"), [([5] * 200, False), ([1] * 201, True), ([1001], True), ([], False)])
def test_a_return_is_large_by_recipients_or_by_records(counts: list[int], is_large: bool) -> None:
    assert delivery.is_large(counts) == is_large


FIRST = [factories.document(number=f"I{n}", recipient=to, tax=9000) for n, to in enumerate(recipients(5))]
NOTE = factories.document(section=Section.CN, number="CN1", tax=1800)


def told_twice(supplier: str) -> None:
    """Let a supplier report originals, then amend some of them, in a month that its recipients have not filed."""
    state = {"supplier": supplier}
    factories.saved(*FIRST, NOTE, **state)
    outward.file(supplier=factories.taxpayer(supplier), actor=None, clock=factories.clock("2025-11-10"), **FORM)
    bring()
    amended = [
        factories.document(
            section=Section.B2BA, number=f"I{n}", original=f"I{n}", recipient=to, tax=12_000, on="2025-10-05"
        )
        for n, to in enumerate(recipients(5))
    ]
    factories.saved(*amended, form=Form.GSTR1A, on="2025-11-12", **state)
    outward.file(
        supplier=factories.taxpayer(supplier),
        form=Form.GSTR1A,
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-12"),
    )
    bring()


def bring() -> None:
    """Let a worker bring whatever is due."""
    for job_id in queue.due(Delivery):
        tasks.bring_return(job_id=job_id)


def rows_of(supplier: str) -> dict[tuple[str, str], dict[str, object]]:
    """Return what stands of a supplier's records, by section and number, without what names a row."""
    names = ("id", "supplier", "supplier_return", "original", "chain", "superseded_by", "filed_seq")
    found = Record.objects.filter(supplier__gstin=supplier)
    return {
        (one.section, one.number): {
            **{name: value for name, value in model_to_dict(one).items() if name not in names},
            "superseded": one.superseded_by_id is not None,
        }
        for one in found
    }


def test_amendments_in_pieces_come_to_what_they_come_to_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for to in recipients(5):
        factories.taxpayer(to, first=202511)  # in whose open period an amendment replaces its original at once
    told_twice(factories.SUPPLIER)
    assert not Delivery.objects.exists()
    monkeypatch.setattr(delivery, "MOST_RECIPIENTS", 3)
    monkeypatch.setattr(delivery, "PIECE", 2)
    other = "24AAACS2718C2Z" + gstin.check_char("24AAACS2718C2Z")
    told_twice(other)
    assert Delivery.objects.filter(state=Delivery.State.DONE).count() == 2
    at_once, in_pieces = rows_of(factories.SUPPLIER), rows_of(other)
    assert len(at_once) == 11
    assert any(row["superseded"] for row in at_once.values())
    assert in_pieces == at_once
    assert fired() == set()


@pytest.mark.usefixtures("small_pieces")
def test_what_is_filed_before_midnight_of_the_last_day_stays_of_that_day() -> None:
    late_filing_allowed()
    due = filed_in_pieces(on="2025-11-18 23:59")
    late = factories.filed(factories.document(number="LATE"), supplier="29AAKCT0000P1Z6", on="2025-11-19 00:01")[0]
    assert late.gstr2b_month == 202511
    statement = factories.computed(on="2025-11-19 00:02").statement
    brought = Record.objects.filter(recipient=factories.taxpayer(), number__in=["N0", "SECOND"])
    assert set(brought.values_list("status", "filed_on", "gstr2b_month")) == {("F", date(2025, 11, 18), MONTH)}
    assert set(gstr2b.lines(statement).values_list("record_id", flat=True)) == {one.pk for one in brought}
    assert Record.objects.filter(status="S").count() == 4, "the others are still on their way"
    delivery.carry_out(delivery=due)
    assert stands() == {("F", date(2025, 11, 18), MONTH), ("F", date(2025, 11, 19), 202511)}
    assert factories.computed(on="2025-11-19 00:03").nothing_changed
    assert fired() == set()
    assert list(verify.told_again()) == []


def is_out_of_date() -> bool:
    statement = Gstr2b.objects.latest("id")
    inbox = Inbox.objects.get(pk=statement.recipient_id)
    today = standing.of(statement.recipient, factories.at("2025-11-16"))
    return gstr2b.is_out_of_date(statement, inbox=inbox, today=today)


@pytest.mark.usefixtures("small_pieces")
def test_a_statement_of_before_is_out_of_date_once_a_piece_has_come_and_its_changes_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late_filing_allowed()
    factories.filed(factories.document(number="EARLY"), supplier="29AAKCT0000P1Z6")
    factories.computed()
    due = filed_in_pieces(on="2025-11-16")
    assert not is_out_of_date()
    delivery.carry_out(delivery=due)
    assert is_out_of_date()
    monkeypatch.setattr(gstr2b, "_everything", None)  # it must be made from the changes alone
    statement = factories.computed(on="2025-11-16").statement
    assert statement.version == 2
    assert sorted(gstr2b.lines(statement).values_list("record__number", flat=True)) == ["EARLY", "N0", "SECOND"]
    assert list(verify.told_again()) == []


@pytest.mark.usefixtures("small_pieces")
def test_a_return_3b_is_not_filed_past_what_is_on_its_way_to_it() -> None:
    late_filing_allowed()
    recipient = factories.filed(factories.document(number="EARLY"), supplier="29AAKCT0000P1Z6")[0].recipient
    outward.file(supplier=recipient, actor=None, clock=factories.clock("2025-11-11"), **FORM)
    factories.computed()
    filed_in_pieces(on="2025-11-16")
    filing = {"taxpayer": recipient, "period": factories.OCTOBER, "actor": None, "clock": factories.clock("2025-11-17")}
    with pytest.raises(gstr3b.Gstr3bRefusedError) as refused:
        gstr3b.file(**filing)
    assert refused.value.refusal is Refusal.RECOMPUTE_REQUIRED
    factories.computed(on="2025-11-17")
    gstr3b.file(**filing)
    settled = Record.objects.filter(settled_month=MONTH).order_by("number")
    assert list(settled.values_list("number", flat=True)) == ["EARLY", "N0", "SECOND"]
    bring()
    assert fired() == set()


@pytest.mark.usefixtures("small_pieces")
def test_its_supplier_saves_and_files_nothing_until_it_is_there() -> None:
    due = filed_in_pieces()
    supplier, clock = due.taxpayer, factories.clock("2025-11-12")
    record = Record.objects.filter(number="N1").get()
    with pytest.raises(open_forms.ReturnRefusedError) as refused:
        outward.edit(
            supplier=supplier,
            record=record,
            document=factories.document(number="N1", recipient=record.recipient.gstin, tax=1),
            actor=None,
            clock=clock,
        )
    assert refused.value.refusal is Refusal.ALREADY_FILED
    new = {"supplier": factories.SUPPLIER, "form": Form.GSTR1A, "on": "2025-11-12"}
    with pytest.raises(delivery.DeliveryDueError, match="GSTR-1 of 10/2025 is filed and is being brought"):
        factories.saved(factories.document(number="MORE"), **new)
    with pytest.raises(delivery.DeliveryDueError):
        outward.file(supplier=supplier, form=Form.GSTR1A, period=factories.OCTOBER, actor=None, clock=clock)
    factories.computed(supplier)
    filing = {"taxpayer": supplier, "period": factories.OCTOBER, "actor": None, "clock": factories.clock("2025-11-15")}
    with pytest.raises(delivery.DeliveryDueError):
        gstr3b.file(**filing)
    assert Record.objects.count() == 6
    bring()
    factories.saved(factories.document(number="MORE"), **new)
    filed = gstr3b.file(**filing)
    assert filed.derived["t3_1_a"][0] == sum(one.tax.igst for one in to_each())


@pytest.mark.usefixtures("small_pieces")
def test_what_refuses_a_large_filing_refuses_all_of_it() -> None:
    factories.saved(*to_each())
    supplier = factories.taxpayer(factories.SUPPLIER)
    kept = SupplierReturn.objects.get()
    with pytest.raises(outward.ChangedSinceShownError):
        outward.file(supplier=supplier, actor=None, clock=factories.clock("2025-11-10"), shown_digest="0" * 64, **FORM)
    kept.refresh_from_db()
    assert not kept.is_filed
    assert not Delivery.objects.exists()
    shown = reported.digest(kept)
    outward.file(supplier=supplier, actor=None, clock=factories.clock("2025-11-10"), shown_digest=shown, **FORM)
    with pytest.raises(open_forms.ReturnRefusedError) as again:
        outward.file(supplier=supplier, actor=None, clock=factories.clock("2025-11-10"), **FORM)
    assert again.value.refusal is Refusal.ALREADY_FILED
    assert Delivery.objects.count() == 1


@pytest.mark.usefixtures("small_pieces")
def test_an_upload_of_the_same_supplier_waits_for_it() -> None:
    due = filed_in_pieces()
    upload = Upload.objects.create(
        taxpayer=due.taxpayer, form=Form.GSTR1A.value, month=MONTH, size=1, sha256="1" * 64, path="x.json"
    )

    def ingest(job: Upload) -> None:
        outward.save(
            supplier=job.taxpayer,
            form=Form.GSTR1A,
            period=factories.OCTOBER,
            found=[factories.document(number="MORE")],
            actor=None,
            clock=factories.clock("2025-11-12"),
        )

    tasks._work_on(Upload, str(upload.pk), ingest)
    upload.refresh_from_db()
    assert (upload.state, upload.stage, upload.attempts) == (Upload.State.WAITING, uploads.Stage.BUSY, 0)


@pytest.mark.usefixtures("small_pieces")
def test_nobody_cancels_what_is_filed_and_a_failed_way_is_taken_up_again() -> None:
    due = filed_in_pieces()
    admin = factories.user("admin")
    told = {"kind": "delivery", "job_id": due.pk, "actor": admin, "clock": factories.clock("2025-11-12")}
    with pytest.raises(JobRefusedError, match="final already"):
        queue.cancel(**told, request_id=uuid4())
    queue.fail(due, "The worker stopped.")
    assert fired() == {"V31"}
    queue.retry(**told, request_id=uuid4())
    bring()
    assert stands() == {("F", DAY, MONTH)}


@pytest.mark.usefixtures("small_pieces")
def test_a_busy_recipient_puts_the_rest_off_and_keeps_what_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    due = filed_in_pieces()
    lock: Callable[..., object] = locking.lock

    def busy_at_the_third(taxpayer_ids: set[int]) -> object:
        if Record.objects.filter(status="F").count() == 4:
            raise locking.BusyError
        return lock(taxpayer_ids)

    monkeypatch.setattr(locking, "lock", busy_at_the_third)
    tasks.bring_return(job_id=str(due.pk))
    due.refresh_from_db()
    assert (due.state, due.stage, due.progress, due.attempts) == (Delivery.State.WAITING, "busy", 4, 0)
    monkeypatch.setattr(locking, "lock", lock)
    bring()
    assert stands() == {("F", DAY, MONTH)}
