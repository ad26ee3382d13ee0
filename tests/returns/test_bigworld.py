"""The made-up big world holds what lists, statements and budgets are measured on, and nothing the law forbids."""

from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ims_portal.models import Taxpayer
from ims_portal.rules import gstin
from ims_portal.rules.documents import Section
from invoices import inbox, pairs, standing
from invoices.models import BillOfEntry, Inbox, Record
from returns import bigworld, gstr2b
from returns.bigworld import World
from returns.models import Filing, Gstr2b
from tests import factories

pytestmark = pytest.mark.django_db
AT = factories.at("2026-11-16")
ROWS = 3000


@pytest.fixture
def world() -> World:
    return bigworld.make(rows=ROWS, at=AT)


def test_the_open_period_holds_documents_of_every_section_decided_and_not(world: World) -> None:
    today = standing.of(world.recipient, AT)
    sums = {line.section: line for line in inbox.summary(taxpayer=world.recipient, today=today)}
    assert world.period.name == "102026"
    assert all(line.total.count for line in sums.values()), sums
    assert set(sums[Section.B2B].by_action) == {"N", "A", "R", "P", "S"}
    assert {"N", "A", "R", "P"} <= set(sums[Section.CN].by_action)
    assert set(sums[Section.IMPG].by_action) - {"S"} == {"N", "A", "P"}
    found = Record.objects.filter(recipient=world.recipient)
    assert ROWS < found.filter(return_month=world.period.month).count() == world.records < ROWS * 1.1
    assert found.filter(status="S").exists()
    assert {"", "RCM", "POS", "ISD"} <= set(found.values_list("bypass", flat=True))


def test_a_few_suppliers_have_most_and_many_have_little(world: World) -> None:
    per_supplier = Counter(
        Record.objects.filter(recipient=world.recipient, supplier__isnull=False).values_list("supplier_id", flat=True)
    )
    (largest, most), *_others = per_supplier.most_common()
    assert largest == world.supplier.pk
    assert most > sum(per_supplier.values()) * 0.25
    assert len(per_supplier) >= 30
    assert not [firm for firm in Taxpayer.objects.all() if gstin.problem(firm.gstin)]


def test_notes_fit_invoices_and_some_pending_lapses_within_a_week(world: World) -> None:
    today = standing.of(world.recipient, AT)
    notes = Record.objects.filter(recipient=world.recipient, section="b2bcn", return_month=world.period.month)
    likely = [pairs.of(note, today) for note in notes.select_related("supplier", "recipient")[:20]]
    assert sum(bool(found.found) for found in likely) > 5
    pending = Record.objects.filter(recipient=world.recipient, action="P", gstr2b_month=202609, settled_month=None)
    until = {today.pending_until(record) for record in pending if record.reduces}
    assert factories.at("2026-11-20").date() in until


def test_the_period_before_is_filed_and_the_statement_of_this_one_is_behind(world: World) -> None:
    assert Filing.objects.get(taxpayer=world.recipient).month == 202609
    statement = Gstr2b.objects.get(recipient=world.recipient, month=world.period.month)
    today = standing.of(world.recipient, AT)
    kept = Inbox.objects.get(pk=world.recipient.pk)
    assert kept.open_month == world.period.month
    assert gstr2b.is_out_of_date(statement, inbox=kept, today=today)
    assert statement.line_count > ROWS * 0.8


def test_amendments_follow_originals_of_the_month_before(world: World) -> None:
    amended = Record.objects.filter(recipient=world.recipient, original__isnull=False).select_related("original")
    assert {record.original.gstr2b_month for record in amended} == {202609}
    assert {record.original.settled_as for record in amended} >= {"A", "R", ""}
    bills = BillOfEntry.objects.filter(seq=1).select_related("record")
    assert bills
    assert all(bill.record.section in ("impga", "impgseza") for bill in bills)


def test_the_command_makes_it_once_and_in_a_sandbox_only(settings: object, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("bigworld", rows=100)
    assert "Sign in as bigworld" in capsys.readouterr().out
    with pytest.raises(CommandError, match="made once"):
        call_command("bigworld", rows=100)
    settings.IMS_SANDBOX = False
    with pytest.raises(CommandError, match="sandbox only"):
        call_command("bigworld", rows=100)


def test_amounts_add_up_line_by_line(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM invoices_record r JOIN invoices_recorddetail d ON d.record_id = r.id
            WHERE r.recipient_id = %s AND ((d.items->0->>1)::bigint * (d.items->0->>0)::bigint / 10000
                <> r.igst + r.cgst + r.sgst OR r.value <> r.taxable + r.igst + r.cgst + r.sgst OR r.cgst <> r.sgst)""",
            [world.recipient.pk],
        )
        assert cursor.fetchone() == (0,)
