"""A statement's kept sums and the rows of GSTR-3B are the sums of its lines, in every version (R7.6, R8.6)."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules import periods
from ims_portal.rules.money import NIL, Tax
from returns import gstr2b, gstr3b
from returns.models import Filing, Gstr2b, Gstr2bLine
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import CHOSEN_ON, CLOSED_ON, MONTHS, NOVEMBER, RECIPIENT, Chain, Wish

PERIOD = periods.parse(MONTHS[NOVEMBER])
AVAILABLE_CELLS = {"A_I": "t4A5", "A_II": "t4A4", "A_III": "t4A3", "A_IV": "t4A1"}
"""R8.6; Part B subtracts from the row of its Part A."""

entries = st.dictionaries(
    st.sampled_from(["t4A1", "t4A2", "t4A5", "t4B1", "t4B2", "t4D1", "t4D2"]),
    st.builds(Tax, igst=st.integers(-9_999, 999_999), cess=st.integers(0, 999)),
    max_size=4,
)
saves = st.lists(st.lists(worlds.wishes, min_size=3, max_size=12), min_size=1, max_size=3)


@pytest.mark.django_db(transaction=True)
@worlds.examples(8)
@given(drawn=worlds.several_chains, told=saves, declared=entries)
def test_sums_and_rows_are_those_of_the_lines(
    drawn: list[Chain], told: list[list[Wish]], declared: dict[str, Tax]
) -> None:
    records = worlds.open_november(drawn)
    for wishes in told:
        worlds.take(list(zip(records, wishes, strict=False)), on=CHOSEN_ON[NOVEMBER])
        worlds.compute(NOVEMBER)
    for statement in Gstr2b.objects.filter(recipient=worlds.party()):
        lines = list(gstr2b.lines(statement))
        assert _kept(statement) == _by_row(lines)
        assert statement.line_count == len(lines)
    rows = _rows(gstr2b.lines(worlds.statement(NOVEMBER)))
    assert {name: tax for name, tax in worlds.table_4(NOVEMBER).items() if tax} == rows
    for row, tax in declared.items():
        _declare(row, tax)
    _check_4c(worlds.close(NOVEMBER, RECIPIENT)[0], rows, declared)


def _kept(statement: Gstr2b) -> dict[tuple[str, str, str], tuple[int, Tax]]:
    return {
        (placement, part, row): (count, Tax(*heads))
        for placement, parts in statement.sums.items()
        for part, rows in parts.items()
        for row, (count, *heads) in rows.items()
    }


def _by_row(lines: Iterable[Gstr2bLine]) -> dict[tuple[str, str, str], tuple[int, Tax]]:
    counts, sums = Counter(), {}
    for line in lines:
        place = line.placement, line.part, line.row
        counts[place] += 1
        sums[place] = sums.get(place, NIL) + line.tax
    return {place: (counts[place], tax) for place, tax in sums.items()}


def _rows(lines: Iterable[Gstr2bLine]) -> dict[str, Tax]:
    """Return the rows that lines derive, as R8.6 writes them; nil rows are left out."""
    rows: dict[str, Tax] = {}
    for line in lines:
        change, part_a = worlds.itc_of(line), line.part.replace("B_III", "A_III").replace("B_II", "A_II")
        cells = {
            "available": [AVAILABLE_CELLS[part_a.replace("B_I", "A_I")], "t4C"],
            "not_available": ["t4D2"],
            "reversal": ["t4B2"],
            "rejected": [],
        }[line.placement]
        if part_a == "A_III" and line.placement != "rejected":
            cells.append("t3_1_d")
        for cell in cells:
            rows[cell] = rows.get(cell, NIL) + change
        if line.placement == "reversal":
            rows["t4C"] = rows.get("t4C", NIL) - change
    return {cell: tax for cell, tax in rows.items() if tax}


def _declare(row: str, tax: Tax) -> None:
    gstr3b.adjust(
        taxpayer=worlds.party(),
        period=PERIOD,
        row=row,
        tax=tax,
        reason="books differ",
        actor=None,
        clock=factories.clock(CLOSED_ON[NOVEMBER]),
    )


def _check_4c(filing: Filing, derived: dict[str, Tax], declared: dict[str, Tax]) -> None:
    """Net ITC is what 4(A) declares less what 4(B) does; rows nobody touched are filed as derived."""
    filed = {row: Tax(*heads) for row, heads in filing.declared.items()}
    taken = sum((filed[row] for row in ("t4A1", "t4A2", "t4A3", "t4A4", "t4A5")), NIL)
    assert filed["t4C"] == taken - filed["t4B1"] - filed["t4B2"]
    for row in filed.keys() - {"t4C", "t3_1_a", "t3_1_b", "t3_1_1_i", "t3_2"}:
        assert filed[row] == declared.get(row, derived.get(row, NIL))
