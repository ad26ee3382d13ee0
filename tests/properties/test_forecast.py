"""The forecast of a GSTR-3B comes true: low is what is filed, provisional what gets fixed (R6.4)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Section
from ims_portal.rules.money import NIL, Tax
from invoices.models import Record
from returns import forecast, gstr3b
from returns.forecast import Forecast
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import ACROSS, CHOSEN_ON, CLOSED_ON, MONTHS, OCTOBER, RECIPIENT, Wish

turns = st.lists(st.tuples(worlds.taxes(), worlds.wishes, st.booleans()), min_size=1, max_size=4)
REJECTED, DEEMED = Wish("R"), Wish("N")


@pytest.mark.django_db(transaction=True)
@worlds.examples(8)
@given(history=turns)
@example(history=[(Tax(90_000), REJECTED, True), (Tax(90_000), REJECTED, False), (Tax(40_000), DEEMED, True)])
@example(history=[(Tax(50_000), REJECTED, False), (Tax(80_000, cess=9), REJECTED, True)])
def test_what_is_forecast_is_what_is_filed(history: list[tuple[Tax, Wish, bool]]) -> None:
    """A note and its amendments, each rejected or not; the supplier files before its recipient, or after it."""
    worlds.empty()
    for turn, (tax, wish, supplier_is_first) in enumerate(history, start=OCTOBER):
        section = Section.CNA if turn > OCTOBER else Section.CN
        worlds.report(turn, factories.document(section=section, number="D1", tax=tax))
        record = Record.objects.select_related("recipient").latest("chain_no")
        worlds.take([(record, wish)], on=CHOSEN_ON[turn])
        supplier = worlds.party(ACROSS)
        if supplier_is_first:
            _supplier_files(supplier, turn)
        before = _landing(_told(supplier, turn))
        worlds.close(turn, RECIPIENT)
        after = _told(supplier, turn)
        assert _landing(after) == before
        assert after.total.provisional == NIL
        if not supplier_is_first:
            _supplier_files(supplier, turn)


def _told(supplier: Taxpayer, turn: int) -> Forecast:
    return forecast.of(supplier=supplier, at=factories.at(CLOSED_ON[turn]))


def _supplier_files(supplier: Taxpayer, turn: int) -> None:
    """File the supplier's GSTR-3B of a turn: its outward tax is the forecast's low, nothing of its own notes in it."""
    period = periods.parse(MONTHS[turn])
    told = _told(supplier, turn)
    assert told.period == period
    worlds.close(turn, ACROSS)
    filed = gstr3b.draft(taxpayer=supplier, period=period, at=factories.at(CLOSED_ON[turn]))
    assert filed.filing is not None
    assert {line.row: line.low for line in told.lines} == {row: filed.derived[row] for row in forecast.ROWS}


def _landing(told: Forecast) -> dict[int, Tax]:
    """Return what rejections add, fixed or not, by the period they land in."""
    found = {told.period.month: sum((one.together for one in told.recipients), NIL)}
    found |= {later.period.month: later.together for later in told.later}
    return {month: tax for month, tax in found.items() if tax != NIL}
