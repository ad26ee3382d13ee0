"""A filing that breaks what must hold is not kept; its GSTIN files nothing until an administrator lifts the hold."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.http import Http404

from ims_portal.models import AuditEvent, Taxpayer
from ims_portal.rules.documents import Form
from invoices import outward
from invoices.models import Record
from returns import gstr3b, holds, wording
from returns.models import Filing, Gstr2b, Hold, ReturnPeriod
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = "2025-11-18"
WHY = "A line was changed by hand; restored from the backup of that day."


@pytest.fixture
def owner() -> Taxpayer:
    """R, whose GSTR-2B of October holds an invoice; GSTR-1 is filed."""
    factories.filed()
    found = factories.taxpayer()
    outward.file(supplier=found, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock(TODAY))
    factories.computed()
    return found


def change_lines(by: int) -> None:
    """Change what a statement's lines say, as only a superuser can."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE returns_gstr2bline SET igst = igst + %s", [by])


def file(taxpayer: Taxpayer) -> Filing:
    return gstr3b.file(taxpayer=taxpayer, period=factories.OCTOBER, actor=None, clock=factories.clock(TODAY))


def test_a_sound_filing_is_not_held(owner: Taxpayer) -> None:
    assert file(owner).taxpayer == owner
    assert not Hold.objects.exists()


def test_an_unsound_filing_leaves_nothing_but_a_hold(owner: Taxpayer) -> None:
    change_lines(1)
    with pytest.raises(holds.HeldError) as held:
        file(owner)
    assert not Filing.objects.exists()
    assert not ReturnPeriod.objects.filter(taxpayer=owner, is_filed=True).exists()
    assert not Record.objects.filter(settled_month__isnull=False).exists()
    hold = Hold.objects.get(taxpayer=owner, month=202510)
    assert hold.found == {"V10 Table 4": [1, [["filing", hold.found["V10 Table 4"][1][0][1]]]]}
    told = AuditEvent.objects.get(event="filing.held")
    assert (told.taxpayer, told.details) == (owner, {"checks": ["V10 Table 4"]})
    said = wording.held(held.value)
    assert said.code == "HELD"
    assert "Filing is stopped for this GSTIN since 18-Nov-2025" in said.text
    assert "(V10 Table 4)" in said.text


def test_who_is_held_files_nothing_and_nobody_else_is_held(owner: Taxpayer) -> None:
    change_lines(1)
    with pytest.raises(holds.HeldError):
        file(owner)
    change_lines(-1)
    with pytest.raises(holds.HeldError):
        file(owner)
    assert Hold.objects.count() == AuditEvent.objects.filter(event="filing.held").count() == 1
    supplier = Taxpayer.objects.get(gstin="24AAACS2718C1ZX")
    factories.computed(supplier)
    assert file(supplier).taxpayer == supplier


def test_an_administrator_lifts_a_hold_with_a_reason(owner: Taxpayer, capsys: pytest.CaptureFixture[str]) -> None:
    factories.user("admin1", is_staff=True)
    asha = factories.user("asha")
    change_lines(1)
    with pytest.raises(holds.HeldError):
        file(owner)
    call_command("holds")
    assert f"{owner.gstin} 202510 since 18-Nov-2025" in capsys.readouterr().out
    with pytest.raises(Http404):
        holds.lift(taxpayer=owner, actor=asha, reason=WHY, clock=factories.clock(TODAY))
    for told in ({"by": "asha", "reason": WHY}, {"by": "admin1"}, {"by": "nobody", "reason": WHY}):
        with pytest.raises(CommandError):
            call_command("holds", lift=owner.gstin, **told)
    call_command("holds", lift=owner.gstin, by="admin1", reason=WHY)
    lifted = AuditEvent.objects.get(event="hold.lifted")
    assert (lifted.actor.username, lifted.capacity, lifted.taxpayer) == ("admin1", "administrator", owner)
    assert Hold.objects.get().reason == WHY
    with pytest.raises(holds.HeldError):  # nothing was put right: the next look finds it again
        file(owner)
    change_lines(-1)
    call_command("holds", lift=owner.gstin, by="admin1", reason=WHY)
    with pytest.raises(CommandError, match="is not held"):
        call_command("holds", lift=owner.gstin, by="admin1", reason=WHY)
    assert file(owner).statement == Gstr2b.objects.get()
    assert Hold.objects.count() == 2
