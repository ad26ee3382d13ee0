"""Feeds beside filings and computations: what they bring is in a statement or makes it stale, and never too late."""

from __future__ import annotations

from functools import partial

import pytest

from ims_portal.rules.documents import Form
from ims_portal.rules.money import Tax
from invoices import feeds, outward
from invoices.feeds import FeedRefusedError
from invoices.models import Record
from returns import gstr3b, verify
from returns.models import Filing, Gstr2bLine
from tests import factories
from tests.races import together
from tests.rounds import Begin

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
REVERSED = Tax(igst=500_00)


def ready_to_file() -> None:
    """Let the recipient's October be ready to be filed."""
    record = factories.filed_record()
    when = factories.clock("2025-11-11")
    outward.file(supplier=record.recipient, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=when)
    factories.computed()


def reverse() -> Record:
    """Let a reversal of the recipient's October come in."""
    return feeds.rule_37a(
        recipient=factories.taxpayer(), period=factories.OCTOBER, tax=REVERSED, clock=factories.clock("2025-11-18")
    )


def test_a_reversal_that_comes_while_its_period_is_filed_is_refused() -> None:
    ready_to_file()
    filing = together.Slow("2025-11-18", lambda: together.waiting() > 0)
    file = partial(gstr3b.file, taxpayer=factories.taxpayer(), period=factories.OCTOBER, actor=None, clock=filing)

    def reverse_once_the_filing_has_its_lock() -> Record:
        filing.is_read.wait(timeout=10)
        return reverse()

    filed, reversal = together.run(file, reverse_once_the_filing_has_its_lock)
    assert isinstance(filed, Filing), filed
    assert isinstance(reversal, FeedRefusedError), reversal
    assert list(verify.broken()) == []


def test_a_reversal_beside_a_computation_is_in_it_or_makes_it_stale(rounds: Begin) -> None:
    factories.filed_record()
    for turn in rounds("F04", 6, 200):
        computed, reversal = together.run(partial(factories.computed, on="2025-11-15"), reverse)
        assert isinstance(reversal, Record), reversal
        statement = computed.statement
        is_in_it = Gstr2bLine.objects.filter(record=reversal, first_version__lte=statement.version).exists()
        again = factories.computed(on="2025-11-15")
        assert again.nothing_changed is is_in_it, turn
        assert Gstr2bLine.objects.filter(record=reversal).count() == 1
    assert list(verify.broken()) == []
