"""No credit note raises ITC, whatever is declared for it; what a smaller one gives back was taken before (R2.14, R4).

Where less than the cap is declared, a later smaller version still gives back its whole decrease (R2.14, decided):
over a chain ITC may therefore rise by what was left unreduced, and by nothing else.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ims_portal.rules.documents import Section
from ims_portal.rules.money import NIL, Tax
from invoices.models import Record
from returns.models import Gstr2bLine
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import ACROSS, CHOSEN_ON, OCTOBER, RECIPIENT, Wish

versions = st.lists(st.tuples(worlds.taxes(), worlds.wishes), min_size=2, max_size=4)
IN_PART, NOT_AT_ALL, IN_FULL, DEEMED, REJECTED = (
    Wish("A", "P", 3),
    Wish("A", "N"),
    Wish("A", "F"),
    Wish("N"),
    Wish("R"),
)


@pytest.mark.django_db(transaction=True)
@worlds.examples(12)
@given(history=versions)
@example(
    history=[(Tax(90_000), IN_PART), (Tax(40_000, cess=700), IN_FULL), (Tax(70_000), NOT_AT_ALL), (Tax(1), DEEMED)]
)
@example(history=[(Tax(50_000), REJECTED), (Tax(50_000), IN_PART), (Tax(80_000), REJECTED), (Tax(20_000), DEEMED)])
def test_a_chain_of_credit_notes_gives_back_only_what_it_took_or_left_unreduced(
    history: list[tuple[Tax, Wish]],
) -> None:
    worlds.empty()
    net = accepted = unreduced = NIL
    for turn, (tax, wish) in enumerate(history, start=OCTOBER):
        record = _report_and_choose(turn, tax, wish)
        cap = Tax(*(max(0, now - before) for now, before in zip(tax, accepted, strict=True)))
        worlds.close(turn, RECIPIENT, ACROSS)
        record.refresh_from_db()
        counted = _counted(turn)
        net += counted
        for rise, now, before in zip(counted, tax, accepted, strict=True):
            assert rise <= max(0, before - now)
        if record.settled_as == "A":
            unreduced += {"P": cap - record.declared, "N": cap}.get(record.answer, NIL)
            accepted = tax
        assert net == unreduced - accepted


def _report_and_choose(turn: int, tax: Tax, wish: Wish) -> Record:
    section = Section.CNA if turn > OCTOBER else Section.CN
    worlds.report(turn, factories.document(section=section, number="D1", tax=tax))
    record = Record.objects.select_related("recipient").latest("chain_no")
    worlds.take([(record, wish)], on=CHOSEN_ON[turn])
    return record


def _counted(turn: int) -> Tax:
    month = worlds.periods.parse(worlds.MONTHS[turn]).month
    lines = Gstr2bLine.objects.filter(month=month, placement="available", last_version=None)
    return sum((worlds.itc_of(line) for line in lines), NIL)
