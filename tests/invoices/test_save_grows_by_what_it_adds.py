"""What a large save reads of the records' table goes by what it adds, whatever the planner last knew of the table."""

from __future__ import annotations

import pytest
from django.db import connection

from tests import factories
from tests.races.test_filings_in_pieces import saved

pytestmark = pytest.mark.django_db(transaction=True)

ADDED = 3_000
OTHERS = "24AARCM0001B1Z8"
MOST_READ_EACH = 20
"""Rows and entries of indexes read for each document; read for each again they are a thousand and more."""


def counted_while_small() -> None:
    """Let the planner count the tables as they are."""
    for table in ("invoices_record", "invoices_recorddetail", "ims_portal_taxpayer"):
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM ANALYZE {table}")


def read_of_records() -> int:
    """Return how many rows and index entries of records this test's database has read so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("""
            SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = 'invoices_record')
                + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'invoices_record')
        """)
        return int(cursor.fetchone()[0])


def times_counted() -> int:
    """Return how often records were counted for the planner by a statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'invoices_record'")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "before", ["nothing counted", "counted empty", "one record each, its look-ups planned", "more than are added"]
)
def test_a_large_save_reads_each_document_a_few_times(before: str) -> None:
    if before == "more than are added":
        saved(1, ADDED + 500, by=OTHERS)
    if before == "one record each, its look-ups planned":
        saved(6, 1)
    if before != "nothing counted":
        counted_while_small()
    if before == "one record each, its look-ups planned":
        for number in "1234567":
            factories.saved(factories.document(number=number))
    read, counted = read_of_records(), times_counted()
    saved(1, ADDED)
    assert read_of_records() - read < MOST_READ_EACH * ADDED
    assert times_counted() - counted == (0 if before == "more than are added" else 1)
