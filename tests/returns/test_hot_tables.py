"""Tables that are written all day are vacuumed sooner than others, and an inbox's counter is written in place."""

from __future__ import annotations

import importlib

import pytest

from ims_portal.models import Taxpayer
from ims_portal.sql import run
from invoices.models import Inbox
from returns import large_gstr1

pytestmark = pytest.mark.django_db
MIGRATION = importlib.import_module("returns.migrations.0014_hot_tables_are_vacuumed_sooner")
FIRMS = 2_000


@pytest.mark.parametrize("table", MIGRATION.SETTINGS)
def test_a_hot_table_has_its_settings(table: str) -> None:
    ((options,),) = run("SELECT reloptions FROM pg_class WHERE oid = %(table)s::regclass", {"table": table})
    assert {f"{name}={value}" for name, value in MIGRATION.SETTINGS[table].items()} <= set(options)


@pytest.mark.parametrize(("fillfactor", "is_in_place"), [(50, True), (100, False)])
def test_an_inbox_is_written_beside_its_old_version(fillfactor: int, is_in_place: bool) -> None:
    run(f"ALTER TABLE invoices_inbox SET (fillfactor = {fillfactor})")
    firms = [Taxpayer(gstin=gstin) for gstin in large_gstr1.recipients(FIRMS)]
    Inbox.objects.bulk_create(Inbox(taxpayer=firm, open_month=202510) for firm in Taxpayer.objects.bulk_create(firms))
    before = beside()
    run("UPDATE invoices_inbox SET seq = seq + 1")
    assert (beside() - before > 0.95 * FIRMS) is is_in_place


def beside() -> int:
    """Return how many inboxes were written beside their old version, by this session of late."""
    ((count,),) = run("SELECT pg_stat_get_xact_tuples_hot_updated('invoices_inbox'::regclass)")
    return int(str(count))
