"""What an action changes stands in no index of a record, so that it is written beside the old version, on its page."""

import re

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db
CHANGED = re.compile(r"\b(action|answer|declared_\w+|remark|reason_code|version)\b")


def test_no_index_of_a_record_holds_what_an_action_changes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'invoices_record'")
        found = dict(cursor.fetchall())
    assert len(found) > 20
    assert {name: text for name, text in found.items() if CHANGED.search(text.partition(" USING ")[2])} == {}


def test_pages_of_records_keep_room_for_new_versions() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'invoices_record'")
        (options,) = cursor.fetchone()
    assert "fillfactor=55" in options
