"""Suppliers of the same hundreds of recipients file at one moment, and those act beside (F10): nobody waits in a ring.

A deadlock would not show in an answer: PostgreSQL ends one of both after a second, and the command begins again. So
the server's own count of deadlocks is what is looked at; it must not move.
"""

from __future__ import annotations

import pytest
from django.db import connection

from ims_portal.models import Taxpayer
from invoices.models import Record
from tests import factories
from tests.live import cut_off
from tests.races import together
from tests.races.over_http import Person, Portal, gstin
from tests.rounds import Begin

pytestmark = pytest.mark.race
RECIPIENTS = 180  # with no more than 200 a return is filed under the locks of all of them
CLERKS = 4
"""Recipients whose people act meanwhile."""


def deadlocks() -> int:
    """Return how many deadlocks the database had; what a session counted it tells at its end, so they are ended."""
    cut_off()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def seller(portal: Portal, turn: int, state: str, to: list[Taxpayer]) -> Person:
    """Return the signatory of a supplier who saved a document for each recipient, in their order."""
    owner = factories.taxpayer(gstin(turn, state))
    made = [
        factories.document(recipient=one.gstin, supplier=owner.gstin, number=f"D{turn}-{n}") for n, one in enumerate(to)
    ]
    factories.saved(*made, supplier=owner.gstin)
    return portal.person(owner, f"kiran{turn}-{state}", files=True)


def test_two_suppliers_in_reversed_order_and_their_recipients_never_wait_in_a_ring(
    portal: Portal, rounds: Begin
) -> None:
    recipients = [factories.taxpayer(gstin(1000 + n)) for n in range(RECIPIENTS)]
    clerks = [portal.person(one, f"clerk{one.pk}") for one in recipients[:: RECIPIENTS // CLERKS]]
    begun = deadlocks()
    for turn in rounds("F10", 2, 10):
        oldest = factories.taxpayer(gstin(5000 + turn, "33"))
        for clerk in clerks:
            bill = factories.document(recipient=clerk.gstin, supplier=oldest.gstin, number=f"O{clerk.taxpayer.pk}")
            factories.saved(bill, supplier=oldest.gstin)
        acts = [
            portal.acting(clerk, Record.objects.get(recipient=clerk.taxpayer, supplier=oldest), action="A")
            for clerk in clerks
        ]
        pair = [seller(portal, turn, "24", recipients), seller(portal, turn, "29", recipients[::-1])]
        with together.held(recipients[RECIPIENTS // 2].pk, others=2):
            answers = portal.at_once(*(portal.filing_out(one) for one in pair), *acts)
        assert [answer.status for answer in answers] == [200] * len(answers), answers
        assert [answer.statuses for answer in answers[2:]] == [["ok"]] * CLERKS
        filed = Record.objects.filter(supplier__in=[one.taxpayer for one in pair], status=Record.Status.FILED)
        assert filed.count() == 2 * RECIPIENTS
    assert deadlocks() == begun
