"""Seals over history: complete when they are made, one chain, and whatever is tampered with is named by block (F70)."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from ims_portal import clock
from invoices.models import ActionEvent
from returns import seals, verify
from returns.models import Seal
from returns.tasks import seal_history
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timedelta()


def acted(*choices: str) -> None:
    """One event per choice, on one record."""
    record = factories.filed_record()
    for choice in choices:
        record.refresh_from_db()
        factories.act(record, choice)


def broken(head: str | None = None) -> list[tuple[str, list[tuple[str, str]]]]:
    found = verify.broken(deep=True, head=head)
    return [(one.check.name, list(one.offenders)) for one in found if one.check.name.startswith("V29")]


def as_superuser(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        assert cursor.rowcount > 0, statement
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.fixture
def of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "MOST_ROWS", 2)


@pytest.mark.usefixtures("of_two")
def test_history_is_sealed_block_by_block_up_to_its_end() -> None:
    acted("A", "R", "A", "R", "A")
    factories.filed_period()
    assert seals.seal()
    first, newest = ActionEvent.objects.earliest("pk").pk, ActionEvent.objects.latest("pk").pk
    made = list(Seal.objects.order_by("pk"))
    of_events = [one for one in made if one.sealed == "events"]
    assert [one.rows for one in of_events] == [2, 2, 1]
    assert (of_events[0].from_id, of_events[0].to_id, of_events[-1].to_id) == (1, first + 1, newest)
    assert [one.prev_hash for one in made] == ["", *(one.hash for one in made[:-1])]
    assert [one.rows for one in made if one.sealed == "filings"] == [1]
    assert seals.seal()
    assert Seal.objects.count() == len(made)
    assert broken(head=made[1].hash) == []


@pytest.mark.usefixtures("of_two")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE invoices_actionevent SET remark = 'forged' WHERE id = {event}",
        "UPDATE invoices_actionevent SET at = at + interval '1 microsecond' WHERE id = {event}",
        "UPDATE invoices_actionevent SET actor_id = 1000000 WHERE id = {event}",
    ],
)
def test_a_changed_event_is_named_by_its_block(change: str) -> None:
    acted("A", "R", "A", "R")
    seals.seal()
    block = Seal.objects.order_by("pk")[1]
    as_superuser(change.format(event=block.to_id))
    where = (f"seal of events {block.from_id} to {block.to_id}, number", str(block.pk))
    assert broken() == [("V29 hashes", [where])]


@pytest.mark.usefixtures("of_two")
def test_a_removed_event_is_named_by_its_block_even_without_hashes() -> None:
    acted("A", "R", "A", "R")
    seals.seal()
    block = Seal.objects.order_by("pk")[1]
    as_superuser(f"DELETE FROM invoices_actionevent WHERE id = {block.to_id}")
    where = (f"seal of events {block.from_id} to {block.to_id}, number", str(block.pk))
    assert broken() == [("V29 seals", [where]), ("V29 hashes", [where])]


def test_a_changed_filing_is_named_by_its_block() -> None:
    factories.filed_period()
    seals.seal()
    as_superuser("UPDATE returns_filing SET declared = jsonb_set(declared, '{t4A5}', '[1, 0, 0, 0]')")
    block = Seal.objects.get(sealed="filings")
    assert broken() == [("V29 hashes", [(f"seal of filings 1 to {block.to_id}, number", str(block.pk))])]


def test_a_chain_made_anew_is_told_by_the_head_that_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    acted("A", "R")
    seals.seal()
    call_command("seals", json=True)
    kept = json.loads(capsys.readouterr().out)
    assert kept["upto"]["events"] == ActionEvent.objects.latest("pk").pk
    call_command("verify", deep=True, head=kept["head"])
    as_superuser("UPDATE invoices_actionevent SET at = at + interval '1 microsecond'")
    as_superuser("DELETE FROM returns_seal")
    seals.seal()
    assert broken() == []
    assert broken(head=kept["head"]) == [("V29 head", [("seal with the hash", kept["head"])])]
    with pytest.raises(CommandError, match="1 of"):
        call_command("verify", deep=True, head=kept["head"])


def test_an_event_committed_after_a_later_one_is_never_sealed_over() -> None:
    acted("A")
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:  # a writer that has its number and has not committed
            cursor.execute("BEGIN")
            cursor.execute("SELECT taxpayer_id FROM invoices_inbox FOR NO KEY UPDATE")
            cursor.execute("SELECT nextval(pg_get_serial_sequence('invoices_actionevent', 'id'))")
            (number,) = cursor.fetchone()
            as_superuser(
                f"""
                INSERT INTO invoices_actionevent SELECT (e).* FROM (
                    SELECT jsonb_populate_record(a, jsonb_build_object('id', {number + 1}, 'version', a.version + 1,
                        'request_id', gen_random_uuid())) AS e FROM invoices_actionevent a) t
                """
            )
            assert not seals.seal(patience=NOW)
            assert not Seal.objects.exists()
            cursor.execute("COMMIT")
        assert seals.seal()
        assert Seal.objects.get().to_id == number + 1
    finally:
        other.close()


def test_two_that_seal_at_once_make_one_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    acted("A", "R", "A", "R", "A", "R")
    monkeypatch.setattr(seals, "MOST_ROWS", 1)
    together = threading.Barrier(4)

    def run() -> None:
        together.wait()
        try:
            assert seals.seal()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Seal.objects.filter(sealed="events").count() == 6
    assert broken() == []


def test_beat_seals_once_an_hour_and_makes_good_what_it_missed() -> None:
    acted("A")
    seal_history()
    acted_on = ActionEvent.objects.get().record
    factories.act(acted_on, "R")
    seal_history()
    assert Seal.objects.count() == 1
    hours_ago = clock.real() - timedelta(hours=5)
    as_superuser(f"UPDATE returns_seal SET made_at = '{hours_ago.isoformat()}'")
    seal_history()
    assert Seal.objects.count() == 2
    assert broken() == []


def test_a_seal_is_never_changed() -> None:
    acted("A")
    seals.seal()
    with pytest.raises(Exception, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE returns_seal SET hash = repeat('0', 64)")


def test_the_command_says_when_nothing_is_sealed_and_else_the_head(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seals")
    assert capsys.readouterr().out == "Nothing is sealed yet.\n"
    acted("A")
    seals.seal()
    call_command("seals")
    said = capsys.readouterr().out
    assert said.startswith(Seal.objects.get().hash)
    assert f"events up to {ActionEvent.objects.get().pk}" in said
