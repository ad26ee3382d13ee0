"""Whether what must hold in the database holds: every check in one snapshot that locks nothing (promises 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.apps import apps
from django.db import transaction

from ims_portal import placing_sql, sql
from ims_portal.models import Job
from returns import seals, seals_sql, verify_deep, verify_sql, verify_tables_sql
from returns.looking import EVERYTHING, Broken, Only, found
from returns.verify_sql import OFFENDERS, Check, Invariant

PATIENCE = "30min"
"""How long one check may take."""


def checks(only: Only = EVERYTHING) -> list[Check]:
    """Return the checks that are a query, all or those of which some can be asked."""
    models = [model._meta for model in apps.get_models() if issubclass(model, Job)]  # noqa: SLF001 Django's documented interface
    tables = {one.db_table: any(field.name == "taxpayer" for field in one.fields) for one in models}
    every = (
        *verify_sql.CHECKS,
        verify_tables_sql.jobs(tables),
        seals_sql.CHAIN,
        verify_tables_sql.references(placing_sql.references()),
    )
    return [check for check in every if only.asks(check)]


def asked(only: Only = EVERYTHING, *, deep: bool = False, head: str | None = None) -> list[Invariant]:
    """Return everything `broken` looks at."""
    names: list[Invariant] = [*checks(only)]
    if deep:
        names += [*verify_deep.INVARIANTS, *([seals.HASHES] if only == EVERYTHING else [])]
    return [*names, *([seals.HEAD] if head else [])]


def broken(only: Only = EVERYTHING, *, deep: bool = False, head: str | None = None) -> Iterator[Broken]:
    """Yield what does not hold, of everybody or of some, as it stands at one moment.

    `deep` tells statements and seals again, `head` is a hash of a seal that was kept elsewhere. It must not run inside
    a transaction: it reads in one of its own that sees nothing of later ones.
    """
    with transaction.atomic(durable=True):
        sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        sql.run(f"SET LOCAL statement_timeout = '{PATIENCE}'")
        for check in checks(only):
            yield from found(check, only)
        if deep:
            yield from told_again(only)
        if head and not seals.holds(head):
            yield Broken(seals.HEAD, 1, [("seal with the hash", head)])


def told_again(only: Only = EVERYTHING) -> Iterator[Broken]:
    """Yield what statements and seals told again do not agree with. This will join the caller's transaction."""
    yield from _gathered(verify_deep.look(taxpayers=only.taxpayers, month=only.month))
    if only == EVERYTHING:
        yield from _gathered(
            (seals.HASHES, f"seal of {one.sealed} {one.from_id} to {one.to_id}, number", str(one.pk))
            for one in seals.broken()
        )


def _gathered(offenders: Iterable[tuple[Invariant, str, str]]) -> list[Broken]:
    """Return offenders by what they break: how many, and the first of them."""
    first: dict[Invariant, list[tuple[str, str]]] = {}
    counts: dict[Invariant, int] = {}
    for invariant, what, which in offenders:
        named = first.setdefault(invariant, [])
        counts[invariant] = counts.get(invariant, 0) + 1
        if len(named) < OFFENDERS:
            named.append((what, which))
    return [Broken(invariant, counts[invariant], named) for invariant, named in first.items()]
