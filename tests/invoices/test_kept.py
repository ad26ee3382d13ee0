"""Kept counts: every statement adds to them, nobody waits for them, and where they are wrong they are made afresh."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from invoices import inbox, kept, kept_sql, standing
from invoices.filters import Filters
from invoices.inbox_sql import Sum, sums
from invoices.models import KeptCount, Record
from tests import factories


def counted() -> dict[tuple[str, str], Sum]:
    owner = factories.taxpayer()
    today = standing.of(owner, factories.at("2025-11-12"))
    return {place: whole for place, (whole, _needs) in sums(owner.pk, today, Filters()).items()}


@pytest.mark.django_db
def test_folding_leaves_one_row_per_kind_and_the_same_counts() -> None:
    records = factories.filed(*(factories.document(number=f"A{n}", tax=1000) for n in range(5)))
    for record in records[:3]:
        factories.act(record, "A")
    before = counted()
    owner = factories.taxpayer()
    assert KeptCount.objects.filter(recipient=owner).count() > 2
    kept.fold_one(owner.pk)
    assert counted() == before == {("b2b", "A"): Sum(3, 300_000), ("b2b", "N"): Sum(2, 200_000)}
    assert sorted(KeptCount.objects.filter(recipient=owner).values_list("records", flat=True)) == [2, 3]


@pytest.mark.django_db
def test_only_what_many_rows_were_added_to_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.filed_record()
    assert kept.fold() == 0
    monkeypatch.setattr(kept_sql, "FOLD_FROM", 1)
    assert kept.fold() == 1
    assert kept.fold() == 0


@pytest.mark.django_db
def test_a_withdrawn_record_and_a_deleted_one_are_counted_no_more() -> None:
    factories.saved(factories.document(number="A1"), factories.document(number="A2"))
    factories.saved(factories.document(number="A1", withdraw=True))
    assert counted() == {("b2b", "N"): Sum(1, 1_800_000)}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM invoices_recorddetail; DELETE FROM invoices_record WHERE number = 'A2'")
    assert counted() == {}


@pytest.mark.django_db
def test_wrong_counts_are_told_and_counted_afresh(capsys: pytest.CaptureFixture[str]) -> None:
    factories.filed_record()
    right = counted()
    KeptCount.objects.filter(records=1).update(records=7)
    assert kept.wrong() == [factories.taxpayer().pk]
    with pytest.raises(CommandError, match="1 to count afresh"):
        call_command("recount", check=True)
    with pytest.raises(CommandError, match="Not known here: X"):
        call_command("recount", "X")
    call_command("recount", factories.RECIPIENT)
    assert f"{factories.RECIPIENT} counts differ" in capsys.readouterr().out
    assert counted() == right
    call_command("recount", check=True)
    assert "all counts agree" in capsys.readouterr().out


@pytest.mark.django_db
def test_what_a_supplier_changed_after_a_decision_stays_told_until_the_next_one() -> None:
    record = factories.saved(factories.document(number="A1", tax=1000))[0]
    factories.act(record, "A", on="2025-11-06")
    for tax in (2000, 3000):
        factories.saved(factories.document(number="A1", tax=tax), on="2025-11-07")
    record.refresh_from_db()
    assert (record.action, record.lost_action) == ("N", "A")
    factories.act(record, "P", on="2025-11-08")
    record.refresh_from_db()
    assert (record.action, record.lost_action) == ("P", "")


@pytest.fixture
def other_session() -> Iterator[psycopg2.extensions.connection]:
    """A second connection to the test database."""
    settings = connection.get_connection_params()
    known = {name: settings[name] for name in ("dbname", "user", "password", "host", "port") if settings.get(name)}
    session = psycopg2.connect(**known)
    yield session
    session.close()


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_one_recipient_wait_neither_for_each_other_nor_for_folding(
    other_session: psycopg2.extensions.connection,
) -> None:
    first, second = factories.filed(factories.document(number="A1"), factories.document(number="A2"))
    with other_session.cursor() as cursor:
        cursor.execute("UPDATE invoices_record SET action = 'P' WHERE id = %s", [first.pk])
        with connection.cursor() as mine:
            mine.execute("SET lock_timeout = '200ms'")
        Record.objects.filter(pk=second.pk).update(action="A")
        kept.fold_one(first.recipient_id)
        assert counted() == {("b2b", "N"): Sum(1, 1_800_000), ("b2b", "A"): Sum(1, 1_800_000)}
        other_session.commit()
    assert counted() == {("b2b", "P"): Sum(1, 1_800_000), ("b2b", "A"): Sum(1, 1_800_000)}
    assert kept.wrong() == []


@pytest.mark.django_db
def test_the_summary_reads_counts_and_no_record() -> None:
    factories.filed_record()
    owner = factories.taxpayer()
    today = standing.of(owner, factories.at("2025-11-12"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE invoices_record RENAME TO out_of_reach")
    found = inbox.summary(taxpayer=owner, today=today)
    assert found[0].by_action == {"N": Sum(1, 1_800_000)}
