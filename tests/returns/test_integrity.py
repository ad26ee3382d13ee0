"""What the database itself refuses, whatever code runs: history rewritten, money out of bounds, foreign records."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from ims_portal.models import AuditEvent, Taxpayer
from ims_portal.rules.money import LARGEST_PAISE
from tests import factories

GUARDED = (
    "invoices_actionevent",
    "invoices_reportedbefore",
    "ims_portal_auditevent",
    "returns_gstr2b",
    "returns_gstr2bline",
    "returns_filing",
    "returns_addback",
    "returns_ledgerentry",
    "returns_seal",
)


@pytest.mark.django_db
@pytest.mark.parametrize("table", GUARDED)
def test_append_only_tables_cannot_be_emptied(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER never_emptied")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(f"TRUNCATE {table} CASCADE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER never_emptied")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", ["UPDATE ims_portal_auditevent SET event = 'other'", "DELETE FROM ims_portal_auditevent"]
)
def test_an_audit_event_is_never_changed_or_removed(change: str) -> None:
    factories.audit_event()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_history_of_an_action_is_never_rewritten() -> None:
    record = factories.filed_record()
    factories.act(record, "R")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE invoices_actionevent SET action = 'A'")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        f"igst = {LARGEST_PAISE + 1}",
        "igst = -1",
        "action = 'X'",
        "answer = 'F'",
        "declared_igst = 5",
        "reason_code = 'OTHER'",
        "settled_month = 202510",
        "gstr2b_month = NULL",
    ],
)
def test_a_record_out_of_shape_is_refused_even_to_raw_sql(change: str) -> None:
    record = factories.filed_record()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE invoices_record SET {change} WHERE id = %s", [record.pk])


@pytest.mark.django_db(transaction=True)
def test_a_history_entry_of_another_recipients_record_cannot_exist() -> None:
    record = factories.filed_record()
    factories.act(record, "R")
    stranger = factories.taxpayer("24AAACS2718C1ZX") if record.recipient.gstin != "24AAACS2718C1ZX" else None
    other = stranger or Taxpayer.objects.exclude(pk=record.recipient_id).first()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO invoices_actionevent (recipient_id, record_id, version, cause, old_action, action, answer, "
            "declared_igst, declared_cgst, declared_sgst, declared_cess, remark, reason_code, capacity, request_id, "
            "inbox_seq, at) SELECT %s, record_id, version + 1, cause, old_action, action, answer, 0, 0, 0, 0, '', '', "
            "'', gen_random_uuid(), inbox_seq, at FROM invoices_actionevent",
            [other.pk],
        )


@pytest.mark.django_db(transaction=True)
def test_a_filed_period_never_opens_again() -> None:
    filing = factories.filed_period()
    with pytest.raises(DatabaseError, match="never opens again"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE returns_returnperiod SET is_filed = false WHERE id = %s", [filing.return_period_id])
