"""`verify --deep` is silent on the demo's data and names what was changed behind the application's back."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ims_portal.models import Taxpayer
from returns import demo, verify, verify_deep
from returns.looking import EVERYTHING, Only
from returns.models import Filing
from returns.verify_sql import FILED_LINE
from tests import kept_world
from tests.factories import PASSWORD

LINE = f"""(
    SELECT id FROM ({FILED_LINE}) l WHERE l.placement = 'available' AND l.igst + l.cgst <> 0 ORDER BY id LIMIT 1
)"""
DRAFT = "(SELECT max(id) FROM returns_gstr2bline WHERE last_version IS NULL AND igst + cgst <> 0)"
LINE_RECORD = f"(SELECT record_id FROM returns_gstr2bline WHERE id = {LINE})"
FILED = "(SELECT max(statement_id) FROM returns_filing)"

CORRUPTIONS = [
    ("D01", f"DELETE FROM returns_gstr2bline WHERE id = {LINE}"),
    ("D01", f"DELETE FROM returns_gstr2bline WHERE id = {DRAFT}"),
    (
        "D01",
        """
        INSERT INTO returns_gstr2bline (recipient_id, month, record_id, first_version, placement, reason, part, row,
            cell, status, igst, cgst, sgst, cess, answer, remark)
        SELECT r.recipient_id, s.month, r.id, s.version, 'available', '', 'A_I', 'b2b', 't4A5', 'accepted',
            0, 0, 0, 0, '', '' FROM invoices_record r JOIN returns_gstr2b s ON s.recipient_id = r.recipient_id
        WHERE r.settled_month IS NULL AND r.status = 'S' LIMIT 1
        """,
    ),
    ("D01", f"UPDATE returns_gstr2bline SET placement = 'not_available', reason = 'P' WHERE id = {LINE}"),
    ("D01", f"UPDATE returns_gstr2bline SET part = 'A_III' WHERE id = {DRAFT}"),
    ("D01", f"UPDATE returns_gstr2bline SET row = 'eco' WHERE id = {LINE}"),
    ("D01", f"UPDATE returns_gstr2bline SET cell = 't4A1' WHERE id = {LINE}"),
    ("D01", f"UPDATE returns_gstr2bline SET status = 'rejected' WHERE id = {LINE}"),
    *(("D01", f"UPDATE returns_gstr2bline SET {head} = {head} + 1 WHERE id = {LINE}") for head in ("igst", "cess")),
    ("D01", f"UPDATE returns_gstr2bline SET remark = 'forged' WHERE id = {LINE}"),
    ("D01", f"UPDATE invoices_record SET igst = igst + 100 WHERE id = {LINE_RECORD}"),
    ("D01", f"UPDATE invoices_record SET filed_seq = 1000000 WHERE id = {LINE_RECORD}"),
    ("D01", f"UPDATE invoices_record SET reverse_charge = NOT reverse_charge WHERE id = {LINE_RECORD}"),
    ("D01", f"UPDATE invoices_record SET credit_fy = 2018 WHERE id = {LINE_RECORD}"),
    (
        "D01",
        """
        UPDATE invoices_actionevent SET action = 'R', answer = ''
        WHERE action = 'A' AND record_id IN (SELECT record_id FROM returns_gstr2bline)
        """,
    ),
    ("D02", f"UPDATE returns_gstr2bline SET cgst = cgst + 1 WHERE id = {LINE}"),
    ("D02", f"UPDATE returns_gstr2b SET sums = '{{}}' WHERE id = {FILED}"),
    ("D02", "UPDATE returns_gstr2b SET line_count = line_count + 1"),
    ("D02", "UPDATE returns_gstr2b SET liable_taxable = liable_taxable + 1"),
    ("D02", "UPDATE returns_gstr2b SET by_status = jsonb_set(by_status, '{pending, 0}', '99')"),
    ("D03", "UPDATE returns_filing SET derived = jsonb_set(derived, '{t4A3}', '[1, 0, 0, 0]')"),
    ("D03", "UPDATE returns_filing SET derived = jsonb_set(derived, '{t3_1_d}', '[1, 0, 0, 0]')"),
    ("D04", "UPDATE returns_filing SET digest = repeat('0', 64)"),
    ("D04", "UPDATE returns_filing SET declared = jsonb_set(declared, '{t4A3}', '[1, 0, 0, 0]')"),
    ("D04", 'UPDATE returns_filing SET reasons = \'{"t4B1": "forged"}\''),
]


@pytest.fixture
def played() -> None:
    kept_world.world(f"demo, {PASSWORD}", lambda: demo.seed(password=PASSWORD))


def fired(only: Only = EVERYTHING) -> set[str]:
    return {one.check.name[:3] for one in verify.told_again(only)}


@pytest.mark.django_db
@pytest.mark.usefixtures("played")
def test_every_comparison_fires_on_its_own_corruptions() -> None:
    assert fired() == set()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name, corruption in CORRUPTIONS:
            cursor.execute("SAVEPOINT clean")
            cursor.execute(corruption)
            assert cursor.rowcount > 0, f"{name} is not corrupted by: {corruption}"
            assert name in fired(), f"{name} does not see: {corruption}"
            cursor.execute("ROLLBACK TO clean")
    assert {name for name, _corruption in CORRUPTIONS} == {one.name[:3] for one in verify_deep.INVARIANTS}


@pytest.mark.django_db
@pytest.mark.usefixtures("played")
def test_what_another_law_made_is_compared_by_its_sums_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE returns_gstr2b SET engine = 'older'")
        cursor.execute(f"UPDATE returns_gstr2bline SET remark = 'by another law' WHERE id = {LINE}")
        assert fired() == set()
        cursor.execute(f"UPDATE returns_gstr2bline SET igst = igst + 1 WHERE id = {LINE}")
    assert fired() == {"D02"}


@pytest.mark.django_db
@pytest.mark.usefixtures("played")
def test_a_filing_of_before_counts_were_kept_is_judged_by_its_day() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE invoices_record SET filed_seq = NULL")
        assert fired() == set()
        cursor.execute(f"UPDATE invoices_record SET filed_on = '2099-01-01' WHERE id = {LINE_RECORD}")
    assert fired() == {"D01"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("played")
def test_the_command_looks_as_deep_and_as_far_as_it_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify", deep=True)
    everything = len(verify.asked(deep=True))
    assert capsys.readouterr().out == f"{everything} of {everything} checks hold.\n"
    filing = Filing.objects.select_related("taxpayer").filter(taxpayer__gstin=demo.RECIPIENT).latest("pk")
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE returns_filing SET digest = repeat('0', 64) WHERE id = %s", [filing.pk])
        cursor.execute("SET session_replication_role = DEFAULT")
    other = Filing.objects.exclude(month=filing.month).latest("pk").month
    call_command("verify", deep=True, period=wire(other))
    call_command("verify", deep=True, gstin=Taxpayer.objects.exclude(pk=filing.taxpayer_id).earliest("pk").gstin)
    call_command("verify", deep=True, since=10**9)
    call_command("verify")
    for told in ({"period": wire(filing.month)}, {"gstin": filing.taxpayer.gstin}, {"since": 0}, {}):
        with pytest.raises(CommandError, match="1 of"):
            call_command("verify", deep=True, **told)
    assert f"D04 digest: a filed GSTR-3B is the one that was shown. 1 break this: filing {filing.pk}" in (
        capsys.readouterr().out
    )
    with pytest.raises(CommandError, match="is not a period"):
        call_command("verify", period="13-2026")


def wire(month: int) -> str:
    return f"{month % 100:02d}{month // 100}"
