"""A row of 3.1 below zero: shown negative, nothing payable, carried to the same row of the next GSTR-3B (R8.15)."""

from __future__ import annotations

import pytest

from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from ims_portal.rules.gstr3b import Carried
from ims_portal.rules.money import NIL, Tax
from invoices import outward
from invoices.staging import Summary
from returns import gstr3b, ledgers, tables
from returns.gstr3b import Draft
from returns.models import LedgerEntry
from tests import factories
from tests.factories import RECIPIENT

pytestmark = pytest.mark.django_db

MONTHS = ("102025", "112025", "122025")


def reported(taxpayer: Taxpayer, month: str, igst: int) -> Draft:
    """Return the draft of a month in which consumer supplies brought this IGST, in rupees, and nothing else."""
    period = periods.parse(month)
    outward.file(
        supplier=taxpayer,
        form=Form.GSTR1,
        period=period,
        actor=None,
        clock=factories.clock(_after(month, 10)),
        found=[Summary("b2cs", "INTER 29", 0, Tax(igst=igst * 100))],
    )
    factories.computed(taxpayer, period=month, on=_after(month, 14))
    return gstr3b.draft(taxpayer=taxpayer, period=period, at=factories.at(_after(month, 15)))


def _after(month: str, day: int) -> str:
    following = periods.add_months(periods.parse(month).month, 1)
    return f"{following // 100}-{following % 100:02d}-{day}"


def filed(taxpayer: Taxpayer, month: str) -> None:
    clock = factories.clock(_after(month, 16))
    gstr3b.file(taxpayer=taxpayer, period=periods.parse(month), actor=None, clock=clock)


def rupees(held: Carried) -> tuple[int, ...]:
    """Return brought, used, payable and forward of IGST, in rupees."""
    return tuple(tax.igst // 100 for tax in (held.brought, held.used, held.payable, held.forward))


def test_a_negative_row_is_carried_and_used_by_the_next_returns() -> None:
    taxpayer = factories.taxpayer(RECIPIENT)
    shown = reported(taxpayer, MONTHS[0], -500)
    assert shown.derived["t3_1_a"] == shown.declared["t3_1_a"] == Tax(igst=-500_00)
    assert rupees(shown.carried["t3_1_a"]) == (0, 0, 0, 500)
    assert not LedgerEntry.objects.exists()
    filed(taxpayer, MONTHS[0])
    second = reported(taxpayer, MONTHS[1], 300)
    assert rupees(second.carried["t3_1_a"]) == (500, 300, 0, 200)
    filed(taxpayer, MONTHS[1])
    third = reported(taxpayer, MONTHS[2], 1000)
    assert rupees(third.carried["t3_1_a"]) == (200, 200, 800, 0)
    filed(taxpayer, MONTHS[2])
    moves = LedgerEntry.objects.filter(ledger="negative").order_by("month").values_list("row", "month", "igst")
    assert list(moves) == [
        ("t3_1_a", 202510, 500_00),
        ("t3_1_a", 202511, -300_00),
        ("t3_1_a", 202512, -200_00),
    ]
    assert ledgers.balance(taxpayer, "negative") == NIL


def test_a_filed_return_shows_what_it_was_brought_whatever_follows() -> None:
    taxpayer = factories.taxpayer(RECIPIENT)
    reported(taxpayer, MONTHS[0], -500)
    filed(taxpayer, MONTHS[0])
    reported(taxpayer, MONTHS[1], -100)
    filed(taxpayer, MONTHS[1])
    shown = gstr3b.draft(taxpayer=taxpayer, period=periods.parse(MONTHS[0]), at=factories.at("2026-01-10"))
    assert rupees(shown.carried["t3_1_a"]) == (0, 0, 0, 500)


def test_heads_and_rows_are_kept_apart() -> None:
    declared = {
        **dict.fromkeys(rules.ROWS, NIL),
        "t3_1_a": Tax(igst=-10, cgst=40),
        "t3_1_d": Tax(igst=30),
        "t3_2": Tax(igst=-10),
    }
    found = rules.carried(202510, declared, {"t3_1_a": Tax(igst=5, cgst=15)})
    assert found["t3_1_a"].payable == Tax(cgst=25)
    assert found["t3_1_a"].forward == Tax(igst=15)
    assert found["t3_1_d"].payable == Tax(igst=30)
    assert set(found) == {"t3_1_a", "t3_1_b", "t3_1_d", "t3_1_1_i"}


def test_the_card_of_3_1_tells_what_is_payable() -> None:
    taxpayer = factories.taxpayer(RECIPIENT)
    card = tables.cards(reported(taxpayer, MONTHS[0], -500))[0]
    assert card.total == Tax(igst=-500_00)
    assert card.payable == NIL
    assert [row.number for row in card.carried] == ["3.1(a)"]
