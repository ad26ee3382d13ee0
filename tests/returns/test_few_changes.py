"""What a new version of a statement reads goes by what changed since, also of a month the planner never counted."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from ims_portal import clock
from ims_portal.models import PortalClock
from invoices import locking
from returns import bigworld, gstr2b
from returns.models import Gstr2bLine
from tests import factories

pytestmark = pytest.mark.django_db
AT = factories.at("2026-12-16")
ROWS, CHANGES = 2_000, 20
MOST_READ_EACH = 20
"""Lines read for each change; all of them are a hundred for each."""


def read_of_lines() -> int:
    """Return how many lines this transaction has read so far, by indexes or without."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'returns_gstr2bline'
        """)
        return int(cursor.fetchone()[0])


def test_few_changes_read_few_lines() -> None:
    PortalClock.objects.create(pk=1, ahead=AT - clock.real())
    world = bigworld.make(rows=ROWS, at=AT, is_computed=False)
    gstr2b.compute(taxpayer=world.recipient, period=world.period, actor=None, clock=clock.portal())
    assert Gstr2bLine.objects.filter(recipient=world.recipient).count() > ROWS // 2
    bigworld.change_minds(world, AT, count=CHANGES)
    with transaction.atomic():
        inbox = locking.lock([world.recipient.pk])[world.recipient.pk]
        read = read_of_lines()
        gstr2b.compute_under_lock(world.recipient, world.period, inbox, None, AT)
        assert read_of_lines() - read < MOST_READ_EACH * CHANGES
    closed = Gstr2bLine.objects.filter(recipient=world.recipient, last_version__isnull=False)
    assert 0 < closed.count() <= CHANGES
