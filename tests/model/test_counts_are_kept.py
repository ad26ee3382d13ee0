"""Kept counts say at every moment of random histories what counting the records says, by whatever they are asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest

from ims_portal.models import Taxpayer
from invoices import inbox_sql, kept, kept_sql, standing
from invoices.filters import Filters
from invoices.models import KeptCount, Record
from tests.model import histories
from tests.model.play_both import Play, _at

HISTORIES = 20
ASKED = (
    Filters(),
    Filters(settled=True),
    Filters(status="S"),
    Filters(reduces=True),
    Filters(changed=True),
    Filters(near_limit=True),
    Filters(lapses_in=30),
)
NOTHING_LESS = {"tax_from": 0}
"""A filter that keeps every record, and that kept counts do not know: with it the records are counted themselves."""


@pytest.mark.parametrize("seed", [4])
@pytest.mark.django_db(transaction=True)
def test_kept_counts_agree_with_the_records_all_along(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 a history, not a secret
    world = histories.world(rng, histories.STARTS[seed % len(histories.STARTS)])
    play = Play(world, [histories.history(rng, world, f"c{n}") for n in range(HISTORIES)], 900 + seed)
    steps = sorted((step for step in play._steps() if step[0] <= world.last_day), key=lambda line: line[:2])
    for place, (day, _order, step) in enumerate(steps):
        play.clock.at = _at(day)
        step(day)
        if place % 9 == 0:
            agree(rng.choice(play.all).taxpayer, play.clock.at)
        if place % 20 == 0:
            kept.fold_one(rng.choice(play.all).taxpayer.pk)
    assert kept.wrong() == []
    for both in play.all:
        for later in (0, 40):  # what depends on the day is right by the clock alone
            agree(both.taxpayer, play.clock.at + timedelta(days=later))
    seen = Record.objects.all()
    assert seen.filter(superseded_by__isnull=False).exists()
    assert seen.filter(status="W").exists()
    assert seen.filter(settled_month__isnull=False).exists()


def agree(taxpayer: Taxpayer, at: datetime) -> None:
    today = standing.of(taxpayer, at)
    for filters in ASKED:
        by_counts = inbox_sql.sums(taxpayer.pk, today, filters)
        assert by_counts == inbox_sql.sums(taxpayer.pk, today, filters.but(**NOTHING_LESS)), filters
    assert kept_sql.differing(taxpayer.pk) == []


def test_the_filters_compared_are_read_from_different_tables() -> None:
    assert all(inbox_sql._may_be_read_from_counts(filters) for filters in ASKED)
    assert not inbox_sql._may_be_read_from_counts(Filters(**NOTHING_LESS))
    assert set(KeptCount.FACTS) | set(KeptCount.SUMS) < {field.name for field in KeptCount._meta.fields}
