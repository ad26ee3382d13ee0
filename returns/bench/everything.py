"""All paths in their order, each in the world it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

from ims_portal import clock
from ims_portal.models import PortalClock
from invoices import kept
from returns import bigworld, gstr2b
from returns.bench import Measured, decisions, files, measured, pages, statements
from returns.bigworld import World

NAMES = (
    *("gstr2b", "sums", "ingest", "xlsx", "summary", "list_first", "list_deep", "match"),
    *("recompute_1", "recompute_1000", "bulk_action", "month_end"),
)
RECOMPUTED = {"recompute_1": 1, "recompute_1000": 1_000}
RECIPIENTS_OF = 500
"""Records of each recipient on the draft day."""
PAGES = frozenset({"summary", "list_first", "list_deep"})


def run(*, size: int, rounds: int, only: Collection[str], folder: Path) -> Iterator[Measured]:
    """Yield what each path takes, in an empty database; the portal's clock is set two days after a draft day."""
    at = bigworld.two_days_after_a_draft()
    PortalClock.objects.create(pk=1, ahead=at - clock.real())
    if only != {"month_end"}:
        yield from _in_a_big_world(size=size, rounds=rounds, only=only, folder=folder, at=at)
    if "month_end" in only:
        day = statements.DraftDay(rows=size, recipients=max(40, size // RECIPIENTS_OF), at=at)
        yield measured(day.path(), rounds=rounds)


def _in_a_big_world(*, size: int, rounds: int, only: Collection[str], folder: Path, at: datetime) -> Iterator[Measured]:
    world = bigworld.make(rows=size, at=at, is_computed=False)
    if "gstr2b" in only:
        yield measured(statements.gstr2b_path(world, at), rounds=rounds)
    if "sums" in only:
        yield measured(statements.sums_path(world, at), rounds=rounds)
    gstr2b.compute(taxpayer=world.recipient, period=world.period, actor=None, clock=clock.portal())
    if "ingest" in only:
        yield measured(files.Ingest(world, rows=size, at=at, folder=folder).path(), rounds=rounds)
    if "xlsx" in only:
        yield measured(files.Workbook(world, at, folder).path(), rounds=min(3, rounds))
    yield from _pages(world, rounds=rounds, only=only)
    if "match" in only:
        yield measured(files.Books(world, at, folder).path(), rounds=min(3, rounds))
    yield from _changes(world, rounds=rounds, only=only, at=at)


def _changes(world: World, *, rounds: int, only: Collection[str], at: datetime) -> Iterator[Measured]:
    """Measure what changes records, last: the statement is behind afterwards."""
    for name, changes in RECOMPUTED.items():
        if name in only:
            path = statements.recompute_path(world, at, changes=changes, at_most=world.records // 20)
            yield measured(path, rounds=rounds)
    if "bulk_action" in only:
        yield measured(decisions.BulkAction(world, at).path(), rounds=rounds)


def _pages(world: World, *, rounds: int, only: Collection[str]) -> Iterator[Measured]:
    if not PAGES & set(only):
        return
    kept.fold_one(world.recipient.pk)
    for path in pages.Pages(world).paths(world.records):
        if path.name in only:
            yield measured(path, rounds=rounds * 4)
