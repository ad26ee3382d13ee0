"""The named amount expressions say the same in Python and in SQL, for any amounts."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ims_portal import sql
from ims_portal.rules import gstr2b
from ims_portal.rules.actions import Answer, BoeChange
from ims_portal.rules.documents import Section
from ims_portal.rules.gstr2b import Measure
from ims_portal.rules.money import LARGEST_PAISE, Tax

amounts = st.integers(min_value=0, max_value=LARGEST_PAISE)
signed = st.integers(min_value=-LARGEST_PAISE, max_value=LARGEST_PAISE)
against_database = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ask(expression: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        return cursor.fetchone()[0]


@pytest.mark.django_db
@against_database
@given(section=st.sampled_from(Section), change=st.sampled_from(BoeChange), tax=amounts, baseline=amounts)
def test_effect_is_the_same_in_both_readers(section: Section, change: BoeChange, tax: int, baseline: int) -> None:
    expression = gstr2b.EFFECT.sql.format(
        section=f"'{section.value}'", boe_change=f"'{change.value}'", tax=tax, baseline=baseline
    )
    assert ask(expression) == gstr2b.EFFECT.python(section, change.value, tax, baseline)


@pytest.mark.django_db
@against_database
@given(
    month=st.sampled_from([202409, 202509, 202510, 202612]),
    effect=signed,
    answer=st.sampled_from(Answer),
    declared=amounts,
)
def test_counted_is_the_same_in_both_readers(month: int, effect: int, answer: Answer, declared: int) -> None:
    measures = {Measure.EFFECT: f"({effect})", Measure.DECLARED: f"-({declared})", Measure.NOTHING: "0"}
    facts = {"adds": f"({effect}) >= 0", "answer": f"'{answer.value}'"}
    expression = sql.dated_case(gstr2b.COUNTED, facts, day=str(month), outcomes=measures)
    in_python = gstr2b.counted(month, effect=Tax(igst=effect), answer=answer.value, declared=Tax(igst=declared))
    assert ask(expression) == in_python.igst


@pytest.mark.django_db
@against_database
@given(effect=signed)
def test_cap_is_never_negative_and_the_same_in_both_readers(effect: int) -> None:
    assert ask(gstr2b.CAP.sql.format(effect=f"({effect})")) == gstr2b.CAP.python(effect) >= 0


@pytest.mark.django_db
@against_database
@given(period=st.sampled_from([202510, 202511, 202512, 202601, 202611]), credit_fy=st.integers(2023, 2026))
def test_time_limit_is_the_same_in_both_readers(period: int, credit_fy: int) -> None:
    limit = sql.dated_case(gstr2b.LIMIT_MONTH, {}, day=str(credit_fy))
    expression = gstr2b.TIME_LIMIT.sql.format(period=period, credit_fy=credit_fy, limit_month=limit)
    assert ask(expression) == gstr2b.TIME_LIMIT.python(period, credit_fy)
