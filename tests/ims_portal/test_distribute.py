"""`manage.py distribute` without Citus: its SQL runs, and Citus's documented rules are asked of what it makes.

It is not Citus that says yes here. `RULES` stands in for its two functions and its catalogue: it refuses what Citus
documents that it refuses (a unique index without the distribution column, a trigger, a foreign key that leaves its
shard), asked of PostgreSQL's own catalogue after every step. What Citus makes of the portal's queries is not tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import StringIO

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from ims_portal import grants, grants_sql, placing, placing_sql
from ims_portal.placing_sql import Plan
from invoices import kept
from invoices.models import KeptCount, Record
from returns import demo, scratch, seals, verify
from returns.models import Adjustment
from tests import factories, live

RULES = """
CREATE SCHEMA citus_rules;
CREATE TABLE citus_rules.pg_dist_partition (
    logicalrelid regclass PRIMARY KEY, partmethod "char" NOT NULL, repmodel "char" NOT NULL, by name
);
CREATE FUNCTION citus_rules.broken() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('unique %s of %s lacks %s', i.indexrelid::regclass, p.logicalrelid, p.by)
    FROM citus_rules.pg_dist_partition p JOIN pg_index i ON i.indrelid = p.logicalrelid AND i.indisunique
    JOIN pg_attribute a ON a.attrelid = p.logicalrelid AND a.attname = p.by
    WHERE p.partmethod = 'h' AND NOT a.attnum = ANY(i.indkey)
    UNION ALL
    SELECT format('%s.%s may be NULL or is not there', p.logicalrelid, p.by) FROM citus_rules.pg_dist_partition p
    LEFT JOIN pg_attribute a ON a.attrelid = p.logicalrelid AND a.attname = p.by
    WHERE p.partmethod = 'h' AND a.attnotnull IS NOT TRUE
    UNION ALL
    SELECT format('trigger %s on %s', t.tgname, t.tgrelid::regclass) FROM citus_rules.pg_dist_partition p
    JOIN pg_trigger t ON t.tgrelid = p.logicalrelid AND NOT t.tgisinternal
    UNION ALL
    SELECT format('foreign key %s from %s to %s', c.conname, c.conrelid::regclass, c.confrelid::regclass)
    FROM pg_constraint c
    LEFT JOIN citus_rules.pg_dist_partition f ON f.logicalrelid = c.conrelid
    LEFT JOIN citus_rules.pg_dist_partition t ON t.logicalrelid = c.confrelid
    WHERE c.contype = 'f' AND (
        (t.partmethod = 'h' AND (f.partmethod IS DISTINCT FROM 'h' OR NOT EXISTS (
            SELECT FROM unnest(c.conkey, c.confkey) k (own, theirs)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own AND a.attname = f.by
            JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.theirs AND b.attname = t.by)))
        OR (f.partmethod = 'h' AND t.partmethod IS NULL))
$$;
CREATE FUNCTION citus_rules.look() RETURNS void LANGUAGE plpgsql AS $$
DECLARE found text := (SELECT string_agg(broken, '; ') FROM citus_rules.broken());
BEGIN
    IF found IS NOT NULL THEN RAISE EXCEPTION 'refused: %', found; END IF;
END $$;
CREATE FUNCTION citus_rules.create_reference_table(of text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO citus_rules.pg_dist_partition VALUES (of::regclass, 'n', 't', NULL);
    SELECT citus_rules.look();
$$;
CREATE FUNCTION citus_rules.create_distributed_table(of text, by text, colocate_with text) RETURNS void LANGUAGE plpgsql
AS $$ BEGIN
    IF colocate_with <> 'none' AND NOT EXISTS (SELECT FROM citus_rules.pg_dist_partition p JOIN pg_attribute a
        ON a.attrelid = p.logicalrelid AND a.attname = p.by JOIN pg_attribute o
        ON o.attrelid = of::regclass AND o.attname = create_distributed_table.by AND o.atttypid = a.atttypid
        WHERE p.logicalrelid = colocate_with::regclass AND p.partmethod = 'h')
    THEN RAISE EXCEPTION 'refused: % cannot stand beside %', of, colocate_with; END IF;
    INSERT INTO citus_rules.pg_dist_partition VALUES (of::regclass, 'h', 'c', by);
    PERFORM citus_rules.look();
END $$;
CREATE FUNCTION citus_rules.looked() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM citus_rules.look();
END $$;
CREATE EVENT TRIGGER looked ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE INDEX', 'CREATE TRIGGER')
    EXECUTE FUNCTION citus_rules.looked();
"""


@contextmanager
def stage() -> Iterator[None]:
    """Be connected to a migrated database of its own in which the rules are asked."""
    name = f"{connection.settings_dict['NAME']}_spread"
    with scratch.migrated(name):
        with connection.cursor() as cursor:
            cursor.execute(RULES)
            cursor.execute(f'ALTER DATABASE "{name}" SET search_path = public, citus_rules')
        connection.close()
        yield


def said(*options: str) -> str:
    """Return what the command prints."""
    out = StringIO()
    call_command("distribute", *options, stdout=out)
    return out.getvalue()


def catalogue() -> list[tuple[object, ...]]:
    """Return every key, foreign key and trigger there is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " UNION ALL SELECT tgrelid::regclass::text, tgname, '' FROM pg_trigger ORDER BY 1, 2, 3"
        )
        return cursor.fetchall()


@pytest.mark.django_db
def test_every_table_is_placed_once() -> None:
    lists = (placing.DISTRIBUTED, placing.REFERENCE, placing.LOCAL, placing.VIEWS)
    named = [table for names in lists for table in names]
    assert sorted(named) == sorted(set(named)) == grants_sql.tables()
    assert set(placing.BY_ID) | set(placing.FILLED) <= set(placing.DISTRIBUTED)


@pytest.mark.django_db
def test_the_dry_run_names_every_table_once_and_says_the_same_again() -> None:
    text = said("--dry-run")
    assert text == said("--dry-run")
    for table in placing.DISTRIBUTED:
        assert text.count(f"create_distributed_table('{table}', ") == 1
    for table in placing.REFERENCE:
        assert text.count(f"create_reference_table('{table}')") == 1
    for table in placing.LOCAL:
        assert text.count(f"coordinator: {table}: ") == 1
    for table in placing.VIEWS:
        assert text.count(f"CREATE VIEW {table} ") == 1
    assert all(text.count(f"CREATE INDEX {table}_by_id ON ") == 1 for table in placing.BY_ID)
    assert all(text.count(f"UPDATE {table} t SET ") == 1 for table in placing.FILLED)
    assert "unforeseen" not in text
    assert all(text.count(f" {name} ") or text.count(f" {name} ON") for name in placing.GUARDS)


@pytest.mark.django_db
def test_without_the_extension_nothing_is_changed_and_what_is_missing_is_said() -> None:
    before = catalogue()
    with pytest.raises(CommandError, match=r"no extension citus.*Nothing was changed.*place 32 tables") as stopped:
        call_command("distribute", "--yes")
    assert stopped.value.returncode == 1
    said("--dry-run")
    assert catalogue() == before


@pytest.mark.django_db
def test_how_far_an_extension_is() -> None:
    assert [placing_sql.extension(name) for name in ("plpgsql", "citus")] == ["ready", "missing"]


@pytest.mark.django_db
def test_nothing_stands_in_the_way_that_nobody_foresaw() -> None:
    assert said("--check").splitlines()[-1].endswith(", 0 of them unforeseen.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("CREATE TABLE invoices_record_202511 ()", "the name of invoices_record_202511 ends as a shard's does"),
        ("CREATE TABLE strange ()", "table strange is not placed"),
        (
            "CREATE TRIGGER another BEFORE UPDATE ON invoices_inbox FOR EACH ROW EXECUTE FUNCTION ims_append_only()",
            "trigger another on invoices_inbox",
        ),
        (
            "CREATE UNIQUE INDEX wide ON invoices_booked (number)",
            "unique wide on invoices_booked (number)",
        ),
        (
            "ALTER TABLE returns_hold ADD batch_id uuid REFERENCES invoices_batch",
            "foreign key returns_hold (batch_id) to invoices_batch",
        ),
        ("ALTER TABLE invoices_inbox ADD n int GENERATED ALWAYS AS IDENTITY", "the identity invoices_inbox.n is no"),
        ("ALTER TABLE returns_gstr2b ALTER recipient_id DROP NOT NULL", "returns_gstr2b.recipient_id may be NULL"),
    ],
)
def test_the_check_tells_of_what_nobody_foresaw(change: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(change)
    with pytest.raises(CommandError, match=r"placing\.py"):
        call_command("distribute", "--check")
    assert any(told in line and line.endswith("UNFORESEEN") for line in capsys.readouterr().out.splitlines())


@pytest.mark.django_db(transaction=True)
def test_whoever_else_is_connected_is_named() -> None:
    assert placing_sql.others() == []
    with closing(psycopg2.connect(live.address_of(grants.APP), application_name="a worker")):
        assert [who.rpartition(" ")[0] for who in placing_sql.others()] == ["a worker"]


@pytest.mark.django_db(transaction=True)
def test_the_rules_refuse_the_schema_as_it_is() -> None:
    with stage(), connection.cursor() as cursor:
        for table, refusal in (
            ("invoices_record", "trigger counts_of_deleted"),
            ("invoices_record", "unique invoices_record_pkey of invoices_record lacks recipient_id"),
            ("returns_adjustment", "may be NULL"),
            ("invoices_pair", "foreign key invoices_pair_booked"),
        ):
            column = placing.DISTRIBUTED[table][0]
            with pytest.raises(DatabaseError, match=refusal):
                cursor.execute(f"SELECT create_distributed_table('{table}', '{column}', colocate_with => 'none')")
        with pytest.raises(DatabaseError, match="trigger append_only"):
            cursor.execute("SELECT create_reference_table('returns_explanation')")
        with pytest.raises(DatabaseError, match="cannot stand beside invoices_inbox"):
            cursor.execute("SELECT create_distributed_table('invoices_books', 'taxpayer_id', 'invoices_inbox')")


@pytest.mark.django_db(transaction=True)
def test_the_portal_works_on_what_the_printed_script_makes() -> None:
    """Data of before goes along, the demo's whole story is played on it, and every check of verify holds after."""
    with stage():
        record = factories.filed_record()
        factories.act(record, "R")
        factories.filed_period()
        counts = KeptCount.objects.aggregate(Sum("records"), Sum("tax"), Sum("effect"))
        period = factories.taxpayer().return_periods.first()
        Adjustment.objects.create(return_period=period, row="t4B1", at=factories.at("2025-11-20"))
        script = said("--dry-run")
        with connection.cursor() as cursor:
            cursor.execute(script)
            cursor.execute("SELECT count(*) FROM pg_dist_partition")
            assert cursor.fetchone() == (len(placing.DISTRIBUTED) + len(placing.REFERENCE),)
        assert Adjustment.objects.get().taxpayer == period.taxpayer
        assert KeptCount.objects.aggregate(Sum("records"), Sum("tax"), Sum("effect")) == counts
        assert not any(placing_sql.plan(placed=placing_sql.placed()).__getattribute__(part) for part in Plan.__slots__)
        grants_sql.apply({})
        demo.seed(password=factories.PASSWORD)
        assert seals.seal()
        assert list(verify.broken(deep=True)) == []
        assert kept.fold() == 0
        assert kept.wrong() == []
        assert Record.objects.count() > 50
        _keeps_what_it_says()


def _keeps_what_it_says() -> None:
    """What the swapped keys still refuse: a row of a recipient that names another's record."""
    record = Record.objects.first()
    assert record is not None
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ("invoices_message", "returns_gstr2bline", "invoices_actionevent"):
            cursor.execute(f"SELECT has_table_privilege('{grants.APP}', '{table}', 'DELETE')")
            assert cursor.fetchone() == (False,)
        cursor.execute(f"SELECT has_table_privilege('{grants.APP}', 'invoices_keptcount', 'SELECT')")
        assert cursor.fetchone() == (True,)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="invoices_record_original_id_fk"), transaction.atomic():
            cursor.execute(
                "UPDATE invoices_record SET original_id = %s WHERE recipient_id <> %s",
                [record.pk, record.recipient_id],
            )


@pytest.mark.django_db(transaction=True)
def test_what_was_broken_off_goes_on_where_it_stood() -> None:
    with stage():
        whole = placing_sql.plan(placed=placing_sql.placed())
        placing_sql.apply(Plan(whole.prepare, whole.place[:15], []))
        rest = placing_sql.plan(placed=placing_sql.placed())
        assert [step.sql for step in rest.place] == [step.sql for step in whole.place[15:]]
        assert rest.prepare == []
        assert rest.refer == whole.refer
        placing_sql.apply(Plan([], rest.place, rest.refer[:20]))
        last = placing_sql.plan(placed=placing_sql.placed())
        assert (last.prepare, last.place, last.refer) == ([], [], whole.refer[20:])
        placing_sql.apply(last)
        assert placing_sql.plan(placed=placing_sql.placed()) == Plan([], [], [])
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM citus_rules.broken()")
            assert cursor.fetchone() == (0,)
