"""One check looked at, of all there is or of some: what `verify` and every filing have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from ims_portal import sql
from ims_portal.models import Taxpayer
from invoices.models import ActionEvent
from invoices.records_sql import adds_back
from returns import verify_sql
from returns.verify_sql import OFFENDERS, Check, Invariant


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


def asked(check: Check, only: Only = EVERYTHING) -> str:
    """Return the SQL of a check, by the law as it stands."""
    return check.sql.replace("{of}", only.restricts(check)).replace("{adds_back}", adds_back("r"))


def found(check: Check, only: Only = EVERYTHING) -> Iterator[Broken]:
    """Yield what a check found, nothing where it holds. This will join the caller's transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(asked(check, only))
        offenders = [(str(what), str(one)) for what, one in cursor.fetchmany(OFFENDERS)]
        count = len(offenders)
        while rest := cursor.fetchmany(sql.ROWS_READ):
            count += len(rest)
    if offenders:
        yield Broken(check, count, offenders)
