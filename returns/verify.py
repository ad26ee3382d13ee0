"""Whether what must hold in the database holds: every check in one snapshot that locks nothing (promises 2.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.db import connection, transaction

from ims_portal import sql
from ims_portal.models import Job, Taxpayer
from returns import verify_sql
from returns.verify_sql import OFFENDERS, Check

PATIENCE = "30min"
"""How long one check may take."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A check that found somebody: how many, and the first of them as what and id."""

    check: Check
    count: int
    offenders: Sequence[tuple[str, str]]


def checks() -> tuple[Check, ...]:
    """Return every check there is."""
    models = [model._meta for model in apps.get_models() if issubclass(model, Job)]  # noqa: SLF001 Django's documented interface
    tables = {one.db_table: any(field.name == "taxpayer" for field in one.fields) for one in models}
    return (*verify_sql.CHECKS, verify_sql.jobs(tables))


def broken(*, taxpayer: Taxpayer | None = None) -> Iterator[Broken]:
    """Yield what does not hold, of everybody or of one taxpayer, as it stands at one moment.

    It must not run inside a transaction: it reads in one of its own that sees nothing of later ones.
    """
    with transaction.atomic(durable=True):
        sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        sql.run(f"SET LOCAL statement_timeout = '{PATIENCE}'")
        for check in checks():
            yield from found(check, taxpayer=taxpayer)


def found(check: Check, *, taxpayer: Taxpayer | None = None) -> Iterator[Broken]:
    """Yield what a check found, nothing where it holds. This will join the caller's transaction."""
    of = f"{check.taxpayer} = {taxpayer.pk}" if taxpayer else "TRUE"
    with connection.chunked_cursor() as cursor:
        cursor.execute(check.sql.replace("{of}", of))
        offenders = [(str(what), str(one)) for what, one in cursor.fetchmany(OFFENDERS)]
        count = len(offenders)
        while rest := cursor.fetchmany(sql.ROWS_READ):
            count += len(rest)
    if offenders:
        yield Broken(check, count, offenders)
