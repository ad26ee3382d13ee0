"""GSTR-2B: one large recipient's, its sums alone, a few changes of it, and everybody's on the draft day."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing import get_context

from django.db import connection

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr2b as rules
from ims_portal.rules.money import HEADS
from ims_portal.rules.periods import TaxPeriod
from invoices import locking, standing
from invoices.models import Record
from returns import bigworld, bigworld_sql, draft_day, gstr2b, practice, whatif_sql
from returns.bench import HotPath, Target, bare_sql, memory, timed
from returns.bigworld import World
from returns.models import Gstr2bLine

NAIVE_ROWS = 20_000
IN_TIME = timedelta(days=3)
"""So long before, suppliers file what the statements count: two days later would be too late for the period."""
RECOMPUTE = {1: 50, 1_000: 8}
"""Changes -> how many times quicker than from every record a new version has to be made."""


def compute_undone(world: World, at: datetime) -> None:
    """Make the first statement of a world's open period inside a transaction of the caller's."""
    inbox = locking.lock([world.recipient.pk])[world.recipient.pk]
    gstr2b.compute_under_lock(world.recipient, world.period, inbox, None, at)


def gstr2b_path(world: World, at: datetime) -> HotPath:
    """All lines of a first statement, against writing as many without a rule and against a loop in Python."""
    pk, month = world.recipient.pk, world.period.month
    rows = bare_sql.keep_lines(lambda: compute_undone(world, at), recipient_id=pk, month=month)
    return HotPath(
        "gstr2b",
        rows,
        ours=lambda: bare_sql.seconds(lambda: compute_undone(world, at)),
        naive=lambda: bare_sql.seconds(lambda: _loop(world, is_kept=True)),
        limit=lambda: bare_sql.seconds(bare_sql.insert_lines),
        targets=(Target("limit", 1.6), Target("naive", 10, is_least=True)),
        naive_share=min(1.0, NAIVE_ROWS / rows),
    )


def recompute_path(world: World, at: datetime, *, changes: int, at_most: int) -> HotPath:
    """A new version after some changes, against making it from every record, and against writing as many lines."""
    firm, month = world.recipient, world.period.month
    bigworld.change_minds(world, at, count=min(changes, at_most))

    def again(many: int) -> None:
        inbox = locking.lock([firm.pk])[firm.pk]
        gstr2b.compute_under_lock(firm, world.period, inbox, None, at, many=many)

    return HotPath(
        f"recompute_{changes}",
        changes,
        ours=lambda: bare_sql.seconds(lambda: again(gstr2b.MANY)),
        naive=lambda: bare_sql.seconds(lambda: again(0)),
        limit=lambda: bare_sql.seconds(lambda: bare_sql.insert_lines_again([firm.pk], month=month, most=changes)),
        targets=(Target("naive", RECOMPUTE[changes], is_least=True),),
    )


def sums_path(world: World, at: datetime) -> HotPath:
    """The sums a statement would have, as a what-if asks for them: against adding up, and the loop."""
    pk, month = world.recipient.pk, world.period.month
    today = standing.of(world.recipient, at)
    rows = Record.objects.filter(recipient=world.recipient, settled_month=None, status="F").count()
    return HotPath(
        "sums",
        rows,
        ours=lambda: bare_sql.seconds(lambda: whatif_sql.now(recipient_id=pk, month=month, today=today)),
        naive=lambda: bare_sql.seconds(lambda: _loop(world, is_kept=False)),
        limit=lambda: bare_sql.seconds(lambda: bare_sql.sum_records(recipient_id=pk, month=month)),
        targets=(Target("naive", 10, is_least=True),),
        naive_share=min(1.0, NAIVE_ROWS / rows),
    )


def _loop(world: World, *, is_kept: bool) -> dict[str, int]:
    """Decide record by record in Python over model objects, as one would write it first; add up, and keep lines."""
    found = Record.objects.filter(
        recipient=world.recipient,
        status="F",
        settled_month=None,
        superseded_by=None,
        gstr2b_month__lte=world.period.month,
    )
    sums: dict[str, int] = {}
    lines = []
    for record in found.order_by("pk")[:NAIVE_ROWS].iterator():
        line = _line(record, world.period.month)
        if line is None:
            continue
        sums[line.placement] = sums.get(line.placement, 0) + sum(getattr(line, head) for head in HEADS)
        lines.append(line)
    if is_kept:
        Gstr2bLine.objects.bulk_create(lines, batch_size=1_000)
    return sums


def _line(record: Record, month: int) -> Gstr2bLine | None:
    placement = rules.PLACEMENT.decide(
        month, bypass=record.bypass, unavailable=record.unavailable, action=record.action, is_barred=False
    ).outcome
    if placement is rules.Placement.NOWHERE:
        return None
    part = rules.PART.decide(month, section=record.section, is_reverse_charge=record.reverse_charge).outcome
    return Gstr2bLine(
        recipient_id=record.recipient_id,
        month=month,
        first_version=1,
        record=record,
        placement=placement.value,
        part=part.value,
        row=record.section,
        cell=rules.CELL.decide(month, placement=placement, part=part).outcome,
        status=rules.STATUS.decide(month, bypass=record.bypass, action=record.action).outcome.value,
        answer=record.answer,
        remark=record.remark,
        **{head: getattr(record, f"effect_{head}") for head in HEADS},
    )


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes that compute, as many as there are; each has asked the database once."""
    connection.close()  # a fork must not share it
    with ProcessPoolExecutor(count, mp_context=get_context("fork")) as pool:
        list(pool.map(_awake, range(count)))
        yield pool


def _awake(_number: int) -> None:
    connection.close()
    Taxpayer.objects.exists()
    time.sleep(0.2)  # so that each process takes one


def _make(told: tuple[Sequence[int], datetime]) -> int:
    """Make the statements of a group, and return the peak of this worker's memory in MB."""
    recipient_ids, at = told
    draft_day.make(recipient_ids=recipient_ids, clock=Fixed(at))
    return memory("VmHWM")


def _compute(told: tuple[int, TaxPeriod, datetime]) -> None:
    pk, period, at = told
    gstr2b.compute(taxpayer=Taxpayer.objects.get(pk=pk), period=period, actor=None, clock=Fixed(at))


class DraftDay:
    """Many recipients who have their statements made: in groups, as on the draft day, or each by itself."""

    def __init__(self, *, rows: int, recipients: int, at: datetime) -> None:
        made = practice.make(clients=recipients, documents=rows // recipients, at=at - IN_TIME, is_computed=False)
        bigworld_sql.learn()
        self.at, self.period = at, made.period
        self.ids = [firm.pk for firm in made.clients]
        self.rows = Record.objects.filter(recipient__in=self.ids).count()
        self.peak = 0
        self.together(workers=2)
        if not Gstr2bLine.objects.filter(recipient__in=self.ids).exists():
            raise AssertionError("the statements have no lines")

    def together(self, *, workers: int) -> float:
        """Return the seconds some workers take to make all statements in groups, as on the day."""
        bare_sql.forget_statements()
        groups = list(draft_day.groups(at=self.at, among=Taxpayer.objects.filter(pk__in=self.ids)))
        peaks: list[int] = []
        with _workers(workers) as pool:
            took = timed(lambda: peaks.extend(pool.map(_make, [(group, self.at) for group in groups])))
        self.peak = max(self.peak, *peaks)
        return took

    def one_by_one(self) -> float:
        """Return the seconds one worker takes with a transaction for each recipient."""
        bare_sql.forget_statements()
        with _workers(1) as pool:
            told = [(pk, self.period, self.at) for pk in self.ids]
            return timed(lambda: list(pool.map(_compute, told)))

    def path(self) -> HotPath:
        """Two workers against one in the same way, a transaction for each recipient, and one INSERT of all lines."""
        return HotPath(
            "month_end",
            self.rows,
            ours=lambda: self.together(workers=2),
            naive=self.one_by_one,
            limit=lambda: bare_sql.seconds(lambda: bare_sql.insert_lines_again(self.ids, month=self.period.month)),
            targets=(Target("one worker", 1.7, is_least=True),),
            beside={"one worker": lambda: self.together(workers=1)},
            peak=lambda: self.peak,
        )
