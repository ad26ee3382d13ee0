"""Over all periods the credit of a document equals the tax of its last accepted version, whatever happened between.

Histories of versions, choices and filings are drawn at random; the sum of all filed lines must come out (R2.14, R6.12).
"""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from invoices import outward, standing
from invoices.models import Record
from returns import gstr2b, gstr3b
from returns.models import Gstr2bLine
from tests import factories

MONTHS = ("102025", "112025", "122025", "012026", "022026")
FILED_ON = ("2025-11-10", "2025-12-10", "2026-01-10", "2026-02-10", "2026-03-10")
DRAFTED_ON = ("2025-11-15", "2025-12-15", "2026-01-15", "2026-02-15", "2026-03-15")

versions = st.lists(st.tuples(st.integers(1, 400), st.sampled_from("ARPN")), min_size=1, max_size=len(MONTHS))


@pytest.mark.django_db(transaction=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=versions, is_note=st.booleans())
def test_credit_of_a_chain_is_the_tax_of_its_last_accepted_version(
    history: list[tuple[int, str]],
    is_note: bool,
) -> None:
    _empty()
    recipient, supplier = factories.taxpayer(), factories.taxpayer(factories.SUPPLIER)
    for turn, (tax, action) in enumerate(history):
        _report(turn, tax * 18, is_note=is_note)
        _choose(turn, action)
        for owner in (recipient, supplier):
            _close(owner, turn)
    records = list(Record.objects.order_by("chain_no"))
    accepted = [record for record in records if record.settled_as == "A"]
    expected = accepted[-1].tax.total if accepted else 0
    lines = Gstr2bLine.objects.filter(placement="available", last_version=None, recipient=recipient)
    counted = sum(line.tax.total for line in lines)
    assert counted == expected, [(r.tax.total, r.action, r.settled_as, r.superseded_by_id) for r in records]


def _report(turn: int, tax: int, *, is_note: bool) -> None:
    first, later = (Section.CN, Section.CNA) if is_note else (Section.B2B, Section.B2BA)
    factories.filed(
        factories.document(section=later if turn else first, number="D1", tax=tax),
        period=MONTHS[turn],
        on=FILED_ON[turn],
    )


def _choose(turn: int, action: str) -> None:
    record = Record.objects.select_related("recipient").order_by("-chain_no").first()
    today = standing.of(record.recipient, factories.at(DRAFTED_ON[turn]))
    if action in today.allowed(record):
        answer = "F" if action == "A" and today.is_specified(record) else ""
        factories.act(record, action, on=DRAFTED_ON[turn], answer=answer)


def _close(owner: object, turn: int) -> None:
    period, clock = periods.parse(MONTHS[turn]), factories.clock(DRAFTED_ON[turn])
    if owner.gstin == factories.RECIPIENT:
        outward.file(supplier=owner, form=Form.GSTR1, period=period, actor=None, clock=clock)
    gstr2b.compute(taxpayer=owner, period=period, actor=None, clock=clock)
    gstr3b.file(taxpayer=owner, period=period, actor=None, clock=clock)


def _empty() -> None:
    """Empty the tables between examples: one test function is one database to hypothesis."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ims_portal_taxpayer, ims_portal_auditevent CASCADE")
