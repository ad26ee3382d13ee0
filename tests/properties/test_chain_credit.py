"""Over all periods the credit of a document equals the tax of its last accepted version, whatever happened between.

Histories of versions, choices and filings are drawn at random; the sum of all filed lines must come out (R2.14, R6.12).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules.documents import Section
from invoices import standing
from invoices.models import Record
from returns.models import Gstr2bLine
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import ACROSS, CHOSEN_ON, OCTOBER, RECIPIENT, Wish

versions = st.lists(st.tuples(worlds.taxes(), st.sampled_from("ARPN")), min_size=1, max_size=5)


@pytest.mark.django_db(transaction=True)
@worlds.examples(15)
@given(history=versions, is_note=st.booleans())
def test_credit_of_a_chain_is_the_tax_of_its_last_accepted_version(
    history: list[tuple[worlds.Tax, str]],
    is_note: bool,
) -> None:
    worlds.empty()
    for turn, (tax, action) in enumerate(history, start=OCTOBER):
        _report(turn, tax, is_note=is_note)
        _choose(turn, action)
        worlds.close(turn, RECIPIENT, ACROSS)
    records = list(Record.objects.order_by("chain_no"))
    accepted = [record for record in records if record.settled_as == "A"]
    expected = accepted[-1].tax if accepted else worlds.NIL
    lines = Gstr2bLine.objects.filter(placement="available", last_version=None, recipient=worlds.party())
    counted = sum((line.tax for line in lines), worlds.NIL)
    assert counted == expected, [(r.tax, r.action, r.settled_as, r.superseded_by_id) for r in records]


def _report(turn: int, tax: worlds.Tax, *, is_note: bool) -> None:
    first, later = (Section.CN, Section.CNA) if is_note else (Section.B2B, Section.B2BA)
    worlds.report(turn, factories.document(section=later if turn > OCTOBER else first, number="D1", tax=tax))


def _choose(turn: int, action: str) -> None:
    record = Record.objects.select_related("recipient").order_by("-chain_no").first()
    if action in standing.of(record.recipient, factories.at(CHOSEN_ON[turn])).allowed(record):
        worlds.take([(record, Wish(action))], on=CHOSEN_ON[turn])
