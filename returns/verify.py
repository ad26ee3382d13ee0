"""Whether what must hold in the database holds: every check in one snapshot that locks nothing (promises 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.db import connection, transaction
from django.db.models import QuerySet

from ims_portal import sql
from ims_portal.models import Job, Taxpayer
from invoices.models import ActionEvent
from returns import seals, seals_sql, verify_deep, verify_sql
from returns.verify_sql import OFFENDERS, Check, Invariant

PATIENCE = "30min"
"""How long one check may take."""


@dataclass(frozen=True, slots=True)
class Only:
    """What is looked at: all there is, or what is of one taxpayer, of one period (its last month, YYYYMM).

    With `since` what is of the taxpayers in whose history of actions an event with a higher id stands.
    """

    taxpayer: Taxpayer | None = None
    month: int | None = None
    since: int | None = None

    @property
    def taxpayers(self) -> QuerySet[Taxpayer] | None:
        """The taxpayers that are looked at, None where it is everybody."""
        if self.taxpayer is None and self.since is None:
            return None
        found = Taxpayer.objects.all()
        if self.taxpayer is not None:
            found = found.filter(pk=self.taxpayer.pk)
        if self.since is not None:
            found = found.filter(pk__in=ActionEvent.objects.filter(pk__gt=self.since).values("recipient"))
        return found

    def restricts(self, check: Check) -> str:
        """Return the SQL that restricts a check."""
        conditions = ["TRUE"]
        if self.taxpayer is not None:
            conditions.append(f"{check.taxpayer} = {self.taxpayer.pk:d}")
        if self.since is not None:
            conditions.append(f"{check.taxpayer} IN ({verify_sql.TOUCHED.format(self.since)})")
        if self.month is not None:
            conditions.append(check.period.replace("{month}", f"{self.month:d}"))
        return " AND ".join(conditions)

    def asks(self, check: Check) -> bool:
        """Whether a check can be restricted so; one of everybody alike, or of no period, is left out."""
        of_some = self.taxpayer is not None or self.since is not None
        return bool((check.taxpayer or not of_some) and (check.period or self.month is None))


EVERYTHING = Only()


@dataclass(frozen=True, slots=True)
class Broken:
    """A check that found somebody: how many, and the first of them as what and id."""

    check: Invariant
    count: int
    offenders: Sequence[tuple[str, str]]


def checks(only: Only = EVERYTHING) -> list[Check]:
    """Return the checks that are a query, all or those of which some can be asked."""
    models = [model._meta for model in apps.get_models() if issubclass(model, Job)]  # noqa: SLF001 Django's documented interface
    tables = {one.db_table: any(field.name == "taxpayer" for field in one.fields) for one in models}
    every = (*verify_sql.CHECKS, verify_sql.jobs(tables), seals_sql.CHAIN)
    return [check for check in every if only.asks(check)]


def asked(only: Only = EVERYTHING, *, deep: bool = False, head: str | None = None) -> list[Invariant]:
    """Return everything `broken` looks at."""
    found: list[Invariant] = [*checks(only)]
    if deep:
        found += [*verify_deep.INVARIANTS, *([seals.HASHES] if only == EVERYTHING else [])]
    return [*found, *([seals.HEAD] if head else [])]


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


def found(check: Check, only: Only = EVERYTHING) -> Iterator[Broken]:
    """Yield what a check found, nothing where it holds. This will join the caller's transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(check.sql.replace("{of}", only.restricts(check)))
        offenders = [(str(what), str(one)) for what, one in cursor.fetchmany(OFFENDERS)]
        count = len(offenders)
        while rest := cursor.fetchmany(sql.ROWS_READ):
            count += len(rest)
    if offenders:
        yield Broken(check, count, offenders)


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
