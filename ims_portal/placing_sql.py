"""From the database's own catalogue to the statements that spread it by `placing`, in order, each with its reason.

What the catalogue says already is passed over, so whatever was broken off goes on where it stood. Foreign keys that are
to stand in the end are told by the models: while tables move there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from django.apps import apps
from django.db import transaction

from ims_portal import placing
from ims_portal.sql import run


class Step(NamedTuple):
    """One statement and why it is made."""

    why: str
    sql: str


class Reference(NamedTuple):
    """A foreign key: columns of a table that name a row of another."""

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


class Key(NamedTuple):
    """A unique index: its columns (expressions left out), and the definition of its constraint or, without, its own."""

    table: str
    name: str
    kind: str
    columns: tuple[str, ...]
    is_whole: bool
    definition: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in three parts that run one after another.

    `prepare` runs in one transaction, `place` and `refer` each statement in one of its own, as Citus asks.
    """

    prepare: list[Step]
    place: list[Step]
    refer: list[Step]


class Obstacle(NamedTuple):
    """What of the schema Citus would refuse, and what is done about it; nothing where nobody foresaw it."""

    what: str
    answer: str


def extension(name: str = "citus") -> str:
    """Return how far an extension is: `ready`, `available` but not created, or `missing`."""
    if run("SELECT 1 FROM pg_extension WHERE extname = %(name)s", {"name": name}):
        return "ready"
    is_there = run("SELECT 1 FROM pg_available_extensions WHERE name = %(name)s", {"name": name})
    return "available" if is_there else "missing"


def others() -> list[str]:
    """Return who else is connected to this database: program and process id."""
    rows = run(
        """
        SELECT coalesce(nullif(application_name, ''), usename) || ' ' || pid FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY 1
        """
    )
    return [str(who) for (who,) in rows]


def plan(*, placed: frozenset[str] = frozenset()) -> Plan:
    """Return what is to be done, but for the tables that are placed already."""
    waiting = [table for table in placing.DISTRIBUTED if table not in placed]
    moved = [table for table in (*placing.REFERENCE, *waiting) if table not in placed]
    off = [*_drop_triggers(moved), *_views(), *_drop_references(placed)]
    anew = [*_fill(waiting), *_swap_keys(waiting), *_index_ids(waiting)]
    return Plan([*off, *anew], list(_place(moved)), list(_refer(placed)))


def placed() -> frozenset[str]:
    """Return the tables that Citus has distributed or copied; it must be there."""
    rows = run("SELECT logicalrelid::regclass::text FROM pg_dist_partition WHERE partmethod = 'h' OR repmodel = 't'")
    return frozenset(str(table) for (table,) in rows)


def apply(steps: Plan) -> None:
    """Carry a plan out. Must not run inside a transaction."""
    with transaction.atomic(durable=True):
        for step in steps.prepare:
            run(step.sql)
    for step in (*steps.place, *steps.refer):
        run(step.sql)


def references() -> list[Reference]:
    """Return the references that a distributed database does not check any more."""
    return [one for one in _told() if f"{one.table}.{one.columns[0]}" in placing.UNCHECKED]


def obstacles() -> Iterator[Obstacle]:
    """Yield what of the schema as it stands Citus would refuse, with the answer to it."""
    tables = _tables()
    named = {*placing.DISTRIBUTED, *placing.REFERENCE, *placing.LOCAL, *placing.VIEWS}
    yield from (Obstacle(f"table {table} is not placed", "") for table in sorted(tables - named))
    yield from (
        Obstacle(f"the name of {table} ends as a shard's does", "") for table in sorted(tables) if table[-6:].isdigit()
    )
    moved = [table for table in (*placing.DISTRIBUTED, *placing.REFERENCE) if table in tables]
    yield from (
        Obstacle(f"trigger {name} on {table}", placing.GUARDS.get(name, "")) for table, name in _triggers(moved)
    )
    yield from _obstacles_of_columns()
    yield from _obstacles_of_keys()
    wanted = set(_wanted())
    for _name, found in _references():
        if not _is_moved(found) or found in wanted:
            continue
        yield Obstacle(f"foreign key {_said(found)}", _answer(found, wanted))


def _obstacles_of_columns() -> Iterator[Obstacle]:
    rows = run(
        """
        SELECT attrelid::regclass::text, attname, attnotnull, attidentity <> '', atttypid = 'bigint'::regtype
        FROM pg_attribute WHERE attrelid::regclass::text = ANY(%(tables)s) AND attnum > 0 AND NOT attisdropped
        """,
        {"tables": list(placing.DISTRIBUTED)},
    )
    is_set = {(str(table), str(column)): bool(is_set) for table, column, is_set, *_rest in rows}
    for table, (column, _why) in placing.DISTRIBUTED.items():
        if (table, column) not in is_set:
            yield Obstacle(f"{table} has no {column}", "")
        elif not is_set[table, column]:
            yield Obstacle(f"{table}.{column} may be NULL", "filled" if table in placing.FILLED else "")
    for which, name, _set, is_identity, is_bigint in rows:
        if is_identity and not is_bigint:
            yield Obstacle(f"the identity {which}.{name} is no bigint", "")


def _obstacles_of_keys() -> Iterator[Obstacle]:
    """Yield the unique indexes without the distribution column.

    With it in front they say the same where they hold an id of one sequence, or name a row that has one recipient.
    """
    same = {(one.table, one.columns[1]) for one in _wanted() if len(one.columns) > 1}
    same |= {(table, "record_id") for table in placing.DISTRIBUTED}
    for key in _keys(list(placing.DISTRIBUTED)):
        column = placing.DISTRIBUTED[key.table][0]
        if column in key.columns:
            continue
        keeps = key.columns == ("id",) or any((key.table, one) in same for one in key.columns)
        answer = f"gets {column} in front" if keeps else placing.SPANNING.get(key.name, "")
        yield Obstacle(f"unique {key.name} on {key.table} ({', '.join(key.columns)})", answer)


def _answer(found: Reference, wanted: set[Reference]) -> str:
    """Return what becomes of a foreign key that Citus would refuse."""
    column = found.columns[0]
    if any(one.table == found.table and one.columns[-1] == column and len(one.columns) > 1 for one in wanted):
        return "replaced by one with the recipient"
    why = placing.UNCHECKED.get(f"{found.table}.{column}")
    return f"no longer checked by the database, but by manage.py verify: {why}" if why else ""


def _fill(tables: list[str]) -> Iterator[Step]:
    """Yield what gives rows of before a column was written what it should hold."""
    for table in tables:
        column, by, target = placing.FILLED.get(table, ("", "", ""))
        if not _may_be_null(table, column):
            continue
        of = placing.DISTRIBUTED[target][0]
        yield Step(
            "rows of before this column was written",
            f"UPDATE {table} t SET {column} = o.{of} FROM {target} o WHERE o.id = t.{by} AND t.{column} IS NULL",
        )
        yield Step("a shard is chosen by it", f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")


def _drop_triggers(tables: list[str]) -> Iterator[Step]:
    for table, name in _triggers(tables):
        yield Step(placing.GUARDS.get(name, "unforeseen: see --check"), f"DROP TRIGGER {name} ON {table}")


def _views() -> Iterator[Step]:
    """Yield what makes a view of each table that a trigger kept, which counts as the table's own function does."""
    for table, (counts, of_one, keeps) in placing.VIEWS.items():
        found = run(
            """
            SELECT p.oid::regprocedure::text, p.prosrc, pg_get_functiondef(p.oid), (
                SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            )
            FROM pg_class c, pg_proc p WHERE c.oid = to_regclass(%(table)s) AND c.relkind = 'r' AND p.proname = %(name)s
            """,
            {"table": table, "name": counts},
        )
        for signature, source, definition, columns in found:
            selected = str(source).replace(of_one, "true").strip().rstrip(";")
            yield Step("its row type is the table's", f"DROP FUNCTION {signature}")
            yield Step("nothing keeps it without triggers", f"DROP TABLE {table}")
            yield Step("no trigger calls it any more", f"DROP FUNCTION {keeps}()")
            yield Step("counted when asked, in one shard", f"CREATE VIEW {table} ({columns}) AS {selected}")
            yield Step("as it was", str(definition).strip())


def _drop_references(placed: frozenset[str]) -> Iterator[Step]:
    """Yield what takes off every foreign key from or to a table that has to move; those that may stand come back."""
    wanted = set(_wanted())
    for name, found in _references():
        if not _is_moved(found) or (found in wanted and found.table in placed):
            continue
        comes_back = found in wanted or _answer(found, wanted).startswith("replaced")
        why = "comes back once tables stand" if comes_back else _answer(found, wanted) or "unforeseen: see --check"
        yield Step(why, f"ALTER TABLE {found.table} DROP CONSTRAINT {name}")


def _swap_keys(tables: list[str]) -> Iterator[Step]:
    """Yield what puts the distribution column in front of every unique index without it; of two alike one stays."""
    for table in tables:
        column = placing.DISTRIBUTED[table][0]
        keys = _keys([table])
        swapped = [key for key in keys if column not in key.columns]
        alike = {frozenset((column, *key.columns)) for key in swapped if key.is_whole}
        for key in keys:
            if key not in swapped and key.is_whole and key.kind == "u" and frozenset(key.columns) in alike:
                yield Step("the primary key says it", f"ALTER TABLE {table} DROP CONSTRAINT {key.name}")
        for key in swapped:
            fresh = key.definition.replace("(", f"({column}, ", 1)
            why = f"unique within {column} alone, which is in its shard"
            if key.kind:
                yield Step(why, f"ALTER TABLE {table} DROP CONSTRAINT {key.name}")
                yield Step(why, f"ALTER TABLE {table} ADD CONSTRAINT {key.name} {fresh}")
            else:
                yield Step(why, f"DROP INDEX {key.name}")
                yield Step(why, fresh)


def _index_ids(tables: list[str]) -> Iterator[Step]:
    for table in tables:
        if table in placing.BY_ID and run("SELECT 1 WHERE to_regclass(%(name)s) IS NULL", {"name": f"{table}_by_id"}):
            yield Step(placing.BY_ID[table], f"CREATE INDEX {table}_by_id ON {table} (id)")


def _place(tables: list[str]) -> Iterator[Step]:
    for table in tables:
        if table in placing.REFERENCE:
            yield Step(placing.REFERENCE[table], f"SELECT create_reference_table('{table}')")
            continue
        column, why = placing.DISTRIBUTED[table]
        beside = "none" if table == placing.ANCHOR else placing.ANCHOR
        yield Step(why, f"SELECT create_distributed_table('{table}', '{column}', colocate_with => '{beside}')")


def _refer(placed: frozenset[str]) -> Iterator[Step]:
    """Yield what makes the foreign keys that are to stand in the end and do not."""
    there = {found for _name, found in _references() if found.table in placed}
    for one in _wanted():
        if one in there:
            continue
        why = "into its own shard" if one.target in placing.DISTRIBUTED else "a copy is on every machine"
        columns, named = ", ".join(one.columns), ", ".join(one.target_columns)
        yield Step(
            why,
            f"ALTER TABLE {one.table} ADD CONSTRAINT {one.table}_{one.columns[-1]}_fk FOREIGN KEY ({columns})"
            f" REFERENCES {one.target} ({named}) DEFERRABLE INITIALLY DEFERRED",
        )


def _wanted() -> list[Reference]:
    """Return the foreign keys of distributed tables that Citus can check: to copies, and within a recipient."""
    found = []
    for one in _told():
        if one.table not in placing.DISTRIBUTED or f"{one.table}.{one.columns[0]}" in placing.UNCHECKED:
            continue
        if one.target in placing.REFERENCE:
            found.append(one)
        elif one.target in placing.DISTRIBUTED:
            own, other = placing.DISTRIBUTED[one.table][0], placing.DISTRIBUTED[one.target][0]
            found.append(Reference(one.table, (own, *one.columns), one.target, (other, *one.target_columns)))
    return found


def _told() -> list[Reference]:
    """Return every foreign key that the models ask the database to check."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta  # noqa: SLF001 Django's documented interface
        for field in cast("list[Any]", meta.local_concrete_fields):
            if field.is_relation and field.db_constraint:
                target = field.target_field
                found.append(Reference(meta.db_table, (field.column,), target.model._meta.db_table, (target.column,)))  # noqa: SLF001
    return found


def _is_moved(found: Reference) -> bool:
    """Whether a foreign key is from or to a table that is cut into shards."""
    return found.table in placing.DISTRIBUTED or found.target in placing.DISTRIBUTED


def _said(found: Reference) -> str:
    return f"{found.table} ({', '.join(found.columns)}) to {found.target}"


def _tables() -> set[str]:
    rows = run(
        """
        SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
        """
    )
    return {str(table) for (table,) in rows}


def _may_be_null(table: str, column: str) -> bool:
    found = (
        "SELECT 1 FROM pg_attribute WHERE attrelid = %(table)s::regclass AND attname = %(column)s AND NOT attnotnull"
    )
    return bool(run(found, {"table": table, "column": column}))


def _triggers(tables: list[str]) -> list[tuple[str, str]]:
    rows = run(
        """
        SELECT tgrelid::regclass::text, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%(tables)s) ORDER BY 1, 2
        """,
        {"tables": tables},
    )
    return [(str(table), str(name)) for table, name in rows]


def _keys(tables: list[str]) -> list[Key]:
    """Return the unique indexes of tables; of a constraint `kind` is `p` or `u`."""
    rows = run(
        """
        SELECT i.indrelid::regclass::text, c.relname, coalesce(o.contype, ''),
            ARRAY(SELECT attname::text FROM unnest(i.indkey) WITH ORDINALITY k (num, place)
                  JOIN pg_attribute ON attrelid = i.indrelid AND attnum = k.num ORDER BY place),
            i.indpred IS NULL AND i.indexprs IS NULL,
            coalesce(pg_get_constraintdef(o.oid), pg_get_indexdef(i.indexrelid))
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        LEFT JOIN pg_constraint o ON o.conindid = i.indexrelid AND o.contype IN ('p', 'u')
        WHERE i.indisunique AND i.indrelid::regclass::text = ANY(%(tables)s) ORDER BY 1, 2
        """,
        {"tables": tables},
    )
    return [
        Key(str(table), str(name), str(kind), tuple(cast("list[str]", columns)), bool(is_whole), str(definition))
        for table, name, kind, columns, is_whole, definition in rows
    ]


def _references() -> list[tuple[str, Reference]]:
    """Return every foreign key there is, with its name."""
    rows = run(
        """
        SELECT conname, conrelid::regclass::text, confrelid::regclass::text,
            ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k (num, place)
                  JOIN pg_attribute ON attrelid = conrelid AND attnum = k.num ORDER BY place),
            ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY k (num, place)
                  JOIN pg_attribute ON attrelid = confrelid AND attnum = k.num ORDER BY place)
        FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 2, 1
        """
    )
    return [
        (
            str(name),
            Reference(str(table), tuple(cast("list[str]", own)), str(target), tuple(cast("list[str]", theirs))),
        )
        for name, table, target, own, theirs in rows
    ]
