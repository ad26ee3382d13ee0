"""Every check of `manage.py verify` is silent on the demo's data and fires on its own corruption."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from ims_portal.models import Taxpayer
from invoices.models import Delivery, Record, Upload, UploadProblem
from returns import demo, looking, seals, verify
from returns.models import Gstr2bJob
from returns.verify_sql import FILED_LINE
from tests import kept_world
from tests.factories import PASSWORD

FILED = f"(SELECT record_id FROM ({FILED_LINE}) l WHERE l.placement = 'available' ORDER BY 1 LIMIT 1)"
REJECTED = f"(SELECT record_id FROM ({FILED_LINE}) l WHERE l.placement = 'rejected' ORDER BY 1 LIMIT 1)"
CHOSEN = "(SELECT max(id) FROM invoices_actionevent WHERE version = 1)"
SETTLED_EVENT = """(
    SELECT max(e.id) FROM invoices_actionevent e JOIN invoices_record r ON r.id = e.record_id
    WHERE r.settled_month IS NOT NULL
)"""
BROUGHT = """(
    SELECT min(r.id) FROM invoices_record r JOIN invoices_delivery d ON d.supplier_return_id = r.supplier_return_id
    WHERE r.status = 'F'
)"""
UNSETTLED = "settled_month = NULL, settled_as = ''"

CORRUPTIONS = [
    ("V01", f"UPDATE invoices_record SET version = version + 1 WHERE id = {FILED}"),
    ("V01", f"UPDATE invoices_record SET remark = 'forged' WHERE id = {FILED}"),
    ("V02", f"DELETE FROM invoices_actionevent WHERE id = {CHOSEN}; UPDATE invoices_actionevent SET version = 2"),
    ("V02", f"UPDATE invoices_actionevent SET inbox_seq = 1000000 WHERE id = {CHOSEN}"),
    ("V03", f"UPDATE invoices_record SET {UNSETTLED} WHERE id = {FILED}"),
    ("V03", f"DELETE FROM returns_gstr2bline WHERE record_id = {FILED}"),
    (
        "V04",
        f"UPDATE invoices_record SET {UNSETTLED} WHERE id = {FILED};"
        f"DELETE FROM returns_gstr2bline WHERE record_id = {FILED}",
    ),
    ("V05", f"UPDATE invoices_record SET status = 'W', filed_on = NULL, gstr2b_month = NULL WHERE id = {FILED}"),
    ("V05", f"UPDATE invoices_record SET gstr2b_month = 209912 WHERE id = {FILED}"),
    ("V06", f"UPDATE returns_gstr2bline SET placement = 'rejected' WHERE record_id = {FILED}"),
    ("V06", f"UPDATE returns_gstr2bline SET placement = 'available' WHERE record_id = {REJECTED}"),
    ("V07", f"UPDATE invoices_actionevent SET inbox_seq = 1000000 WHERE id = {SETTLED_EVENT}"),
    ("V08", f"UPDATE invoices_record SET chain_no = 3 WHERE id = {FILED}"),
    (
        "V09",
        f"""
        UPDATE invoices_record r SET chain = o.chain, chain_no = 2, gstr2b_month = o.gstr2b_month,
            settled_month = o.settled_month, settled_as = 'A'
        FROM invoices_record o WHERE o.id = {FILED} AND r.id = (
            SELECT max(x.id) FROM invoices_record x WHERE x.recipient_id = o.recipient_id AND x.status = 'F'
            AND x.id <> o.id
        )
        """,
    ),
    ("V10", "UPDATE returns_filing SET derived = jsonb_set(derived, '{t4A5}', '[1, 0, 0, 0]')"),
    ("V10", f"UPDATE returns_gstr2bline SET cgst = cgst + 1 WHERE record_id = {FILED}"),
    ("V11", "UPDATE returns_gstr2bline SET cell = 't4A5' WHERE placement = 'rejected'"),
    ("V12", "DELETE FROM returns_addback"),
    ("V12", "UPDATE returns_addback SET target_month = 201707"),
    ("V12", "UPDATE returns_addback SET supplier_id = recipient_id"),
    ("V13", f"UPDATE invoices_record SET action = 'A', answer = 'N', remark = '' WHERE id = {FILED}"),
    ("V13", f"UPDATE invoices_record SET action = 'A', answer = 'P', remark = 'so' WHERE id = {FILED}"),
    ("V14", "UPDATE returns_gstr2b SET line_count = line_count + 1"),
    ("V14", f"UPDATE returns_gstr2bline SET igst = igst - 1 WHERE record_id = {FILED}"),
    ("V16", f"UPDATE invoices_record SET igst = igst + 1 WHERE id = {FILED}"),
    ("V16", f"UPDATE invoices_record SET supplier_return_id = NULL WHERE id = {FILED}"),
    ("V16", "UPDATE invoices_supplierreturn SET held = jsonb_set(held, '{0}', '0') WHERE held ->> 0 <> '0'"),
    ("V16", "UPDATE invoices_supplierreturn SET filed_on = NULL, filed_at = NULL"),
    ("V20", "UPDATE returns_gstr2b SET seq = 900000"),
    ("V20", "UPDATE returns_gstr2b SET month = month + 1000"),
    ("V21", "UPDATE returns_returnperiod SET is_filed = NOT is_filed"),
    (
        "V21",
        """
        INSERT INTO returns_returnperiod (taxpayer_id, month, frequency, is_filed)
        SELECT taxpayer_id, 201707, 'M', false FROM returns_returnperiod WHERE is_filed LIMIT 1
        """,
    ),
    ("V22", "UPDATE returns_filing SET filed_on = to_date(month::text, 'YYYYMM')"),
    ("V22", "UPDATE returns_gstr2b SET as_of = to_date(month::text, 'YYYYMM')"),
    ("V23", f"UPDATE returns_gstr2bline SET recipient_id = recipient_id + 1 WHERE record_id = {FILED}"),
    ("V23", f"UPDATE returns_gstr2bline SET record_id = record_id + 1000000 WHERE record_id = {FILED}"),
    ("V23", f"UPDATE invoices_actionevent SET recipient_id = recipient_id + 1 WHERE id = {CHOSEN}"),
    ("V24", "UPDATE ims_portal_membership SET valid_from = '2099-01-01'"),
    ("V24", "UPDATE ims_portal_membership SET role = 'viewer'"),
    ("V24", "UPDATE invoices_actionevent SET capacity = 'practitioner' WHERE actor_id IS NOT NULL"),
    ("V25", "UPDATE returns_gstr2b SET seq = 1000000"),
    (
        "V25",
        """
        INSERT INTO returns_gstr2b (recipient_id, return_period_id, month, version, seq, as_of, computed_at, engine,
            sums, by_status, liable_taxable, line_count)
        SELECT recipient_id, return_period_id, month, version + 100, seq, as_of, computed_at, engine, sums, by_status,
            liable_taxable, line_count FROM returns_gstr2b LIMIT 1
        """,
    ),
    (
        "V26",
        """
        UPDATE invoices_record SET section = 'impg' WHERE id IN (
            SELECT record_id FROM invoices_actionevent WHERE action = 'R'
        )
        """,
    ),
    ("V27", "UPDATE invoices_upload SET total = total + 1"),
    ("V27", "UPDATE invoices_upload SET refused = refused + 1, total = total + 1 WHERE refused = 0"),
    ("V27", "DELETE FROM invoices_uploadproblem"),
    ("V27", "UPDATE invoices_feedbatch SET added = added + 1"),
    ("V27", "UPDATE invoices_feedbatch SET refused = 1"),
    ("V28", "UPDATE returns_gstr2bjob SET attempts = 4"),
    ("V28", "UPDATE returns_gstr2bjob SET state = 'waiting', changed_at = now() - interval '11 minutes'"),
    ("V29", "UPDATE returns_seal SET prev_hash = 'forged' WHERE sealed = 'filings'"),
    ("V29", "DELETE FROM returns_seal WHERE sealed = 'events'"),
    ("V29", "UPDATE returns_seal SET from_id = from_id + 1"),
    ("V29", "UPDATE returns_seal SET to_id = from_id - 1, rows = 0"),
    ("V29", f"DELETE FROM invoices_actionevent WHERE id = {CHOSEN}"),
    ("V29", "DELETE FROM returns_filing WHERE id = (SELECT min(id) FROM returns_filing)"),
    ("V30", "DELETE FROM invoices_keptcount"),
    ("V30", "UPDATE invoices_keptcount SET tax = tax + 1"),
    ("V16", f"UPDATE invoices_record SET status = 'S', filed_on = NULL, gstr2b_month = NULL WHERE id = {BROUGHT}"),
    ("V31", "UPDATE invoices_delivery SET done = 0, state = 'failed'"),
    ("V31", "UPDATE invoices_delivery SET done = 0"),
    ("V31", "UPDATE invoices_delivery SET taxpayer_id = taxpayer_id + 1"),
    ("V31", f"UPDATE invoices_record SET filed_on = filed_on + 1 WHERE id = {BROUGHT}"),
    ("V32", f"UPDATE invoices_record SET supplier_return_id = 0 WHERE id = {FILED}"),
]


@pytest.fixture
def played() -> None:
    """The demo's data, sealed, with jobs that are done, a file of which a document was refused, and one without."""
    kept_world.world(f"demo, {PASSWORD}", lambda: demo.seed(password=PASSWORD))
    assert seals.seal()
    recipient = Taxpayer.objects.get(gstin=demo.RECIPIENT)
    Gstr2bJob.objects.create(taxpayer=recipient, month=202610, state=Gstr2bJob.State.DONE, done=1)
    told = {"taxpayer": recipient, "form": "GSTR-1", "month": 202610, "size": 1, "state": Upload.State.DONE, "done": 1}
    Upload.objects.create(**told, sha256="1" * 64, total=3, added=2, unchanged=1)
    kept = Record.objects.filter(status="F", supplier_return__form="GSTR-1").latest("id").supplier_return
    Delivery.objects.create(
        taxpayer=kept.supplier, supplier_return=kept, window_month=kept.month, state=Delivery.State.DONE, done=1
    )
    refused = Upload.objects.create(**told, sha256="2" * 64, total=2, changed=1, refused=1)
    UploadProblem.objects.create(upload=refused, position="b2b 1", code="APP-1", message="It has no number.")


def fired() -> set[str]:
    """Return the checks that find somebody."""
    return {check.name[:3] for check in verify.checks() for _one in looking.found(check)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("played")
def test_every_check_fires_on_its_own_corruptions() -> None:
    assert fired() == set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name, corruption in CORRUPTIONS:
            cursor.execute("SAVEPOINT clean")
            for statement in filter(str.strip, corruption.split(";")):
                cursor.execute(statement)
                assert cursor.rowcount > 0, f"{name} is not corrupted by: {statement}"
            assert name in fired(), f"{name} does not see: {corruption}"
            cursor.execute("ROLLBACK TO clean")
    assert {name for name, _corruption in CORRUPTIONS} == {check.name[:3] for check in verify.checks()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("played")
def test_a_return_on_its_way_is_right_while_a_job_is_at_it() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"UPDATE invoices_record SET status = 'S', filed_on = NULL, gstr2b_month = NULL WHERE id = {BROUGHT}"
        )
        assert "V16" in fired()
        cursor.execute("UPDATE invoices_delivery SET done = 0, state = 'waiting', changed_at = now()")
        assert not fired() & {"V16", "V28", "V31"}
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("played")
def test_the_command_says_what_does_not_hold_and_of_whom(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify")
    count = len(verify.checks())
    assert capsys.readouterr().out == f"{count} of {count} checks hold.\n"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE invoices_keptcount SET tax = tax + 1 WHERE recipient_id IN (SELECT id FROM"
            " ims_portal_taxpayer WHERE gstin = %s)",
            [demo.RECIPIENT],
        )
    with pytest.raises(CommandError) as stopped:
        call_command("verify", json=True)
    assert stopped.value.returncode == 1
    told = json.loads(capsys.readouterr().out)
    recipient = Taxpayer.objects.get(gstin=demo.RECIPIENT)
    assert [(one["check"], one["count"], one["offenders"]) for one in told["broken"]] == [
        ("V30 counts", 1, [["taxpayer", str(recipient.pk)]])
    ]
    call_command("verify", gstin=demo.WARDHA)
    with pytest.raises(CommandError, match="1 of"):
        call_command("verify", gstin=demo.RECIPIENT)
    assert "V30 counts: the counts that pages show" in capsys.readouterr().out
    with pytest.raises(CommandError, match="No taxpayer here"):
        call_command("verify", gstin="29AAAAA0000A1Z5")
