"""Books are matched in one pass over both sides, also where the planner has counted that all of it is paired."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from invoices import books_sql
from invoices.models import Pair
from returns import bigworld
from returns.bench.files import Books
from tests import factories

pytestmark = pytest.mark.django_db
AT = factories.at("2026-11-16")


def test_matching_again_joins_both_sides_by_what_they_call_themselves(tmp_path: Path) -> None:
    world = bigworld.make(rows=2_000, at=AT)
    Books(world, AT, tmp_path)
    paired = Pair.objects.filter(recipient=world.recipient).count()
    assert paired > 1_000
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        books_sql.match(world.recipient.pk)
    assert Pair.objects.filter(recipient=world.recipient).count() == paired
    (found,) = [query["sql"] for query in asked if query["sql"].startswith("INSERT INTO invoices_pair")]
    Pair.objects.filter(recipient=world.recipient).delete()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {found}")
        plan = [str(line) for (line,) in cursor.fetchall()]
    by_name = [line.strip() for line in plan if "n.plain" in line and "b.plain" in line]
    assert by_name != []
    assert [line for line in by_name if not line.startswith(("Hash Cond", "Merge Cond"))] == []
