"""A GSTR-3B as the portal's JSON: that of the story is the samples', key by key, as a draft, once filed, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.money import HEADS, NIL, Tax
from returns import demo, gstr2b, gstr3b, gstr3b_json, gstr3b_reading, gstr3b_rows
from returns.gstr3b_json import Figures, Inward
from returns.table3 import Place
from tests.returns import story

TABLE_5 = {"exempt": Inward(0, 6000_00), "non_gst": Inward(0, 2500_00)}
"""What the samples' people entered by hand, and the portal asks nobody for."""
ROWS = ("t3_1_a", "t3_1_b", "t3_1_c", "t3_1_d", "t3_1_e", "t3_1_1_i", "t3_1_1_ii")
CREDIT = ("t4A1", "t4A2", "t4A3", "t4A4", "t4A5", "t4B1", "t4B2", "t4C", "t4D1", "t4D2")
NOTHING = Figures("29AAKCT0000P1Z6", "102026", dict.fromkeys((*ROWS, *CREDIT), NIL), dict.fromkeys(ROWS, 0))


def sample() -> dict[str, Any]:
    return json.loads((story.DATA / "gstr3b.json").read_text())


def written(figures: Figures) -> dict[str, Any]:
    """Return what a file of these figures holds, read back from text."""
    return json.loads(json.dumps(gstr3b_json.body(figures)))


def assert_read_back(figures: Figures) -> None:
    """The samples' file is read as the figures it was written from, to the paisa, and asks a draft of them nothing."""
    found = gstr3b_reading.read((story.DATA / "gstr3b.json").read_bytes())
    assert (found.gstin, found.period, found.faults) == (figures.gstin, figures.period, {})
    for row in (*ROWS, *CREDIT):
        told = dict(found.cells[row])
        assert told.pop("taxable", None) == figures.taxable.get(row)
        assert told == {head: paise for head, paise in figures.declared[row].as_dict().items() if head in told}
        assert set(HEADS) - told.keys() <= {"cgst", "sgst"} or row in rules.VALUE_ONLY
    assert found.places == {"unregistered": {one.pos: [one.taxable, one.igst] for one in figures.to_unregistered}}
    assert found.cells["t5_1"] == NIL.as_dict()
    assert found.cells["late_fee"] == {"cgst": 0, "sgst": 0}
    inward = {"t5_exempt": figures.exempt, "t5_non_gst": figures.non_gst}
    for name, line in inward.items():
        assert line is not None
        assert found.cells[name] == {"inter": line.inter_state, "intra": line.intra_state}


def figures(recipient: Taxpayer, on: str) -> Figures:
    """Return October's GSTR-3B of the story as it stands at a moment."""
    return gstr3b_rows.of(gstr3b.draft(taxpayer=recipient, period=story.OCTOBER, at=demo.moment(on)))


def adjust(recipient: Taxpayer, row: str, tax: Tax, on: str) -> None:
    gstr3b.adjust(
        taxpayer=recipient,
        period=story.OCTOBER,
        row=row,
        tax=tax,
        reason="rule 42",
        actor=None,
        clock=Fixed(demo.moment(on)),
    )


@pytest.mark.django_db
def test_the_story_s_return_is_that_of_the_samples_as_a_draft_and_as_filed(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    recipient = story.told_so_far()
    story.save(recipient, "2026-11-16")
    at = Fixed(demo.moment("2026-11-16 11:00"))
    gstr2b.compute(taxpayer=recipient, period=story.OCTOBER, actor=None, clock=at)

    unadjusted = written(figures(recipient, "2026-11-17"))
    assert unadjusted["itc_elg"]["itc_rev"][0] == {"ty": "RUL", "iamt": 0, "camt": 0, "samt": 0, "csamt": 0}
    assert unadjusted["itc_elg"]["itc_net"]["iamt"] == 178925.09
    adjust(recipient, "t4B1", Tax(igst=2000_00), "2026-11-17")
    drafted = figures(recipient, "2026-11-17")
    assert written(replace(drafted, **TABLE_5)) == sample()
    assert written(drafted) == {key: value for key, value in sample().items() if key != "inward_sup"}
    assert_read_back(replace(drafted, **TABLE_5))

    gstr3b.file(taxpayer=recipient, period=story.OCTOBER, actor=None, clock=Fixed(demo.moment("2026-11-17 12:00")))
    filed = gstr3b.draft(taxpayer=recipient, period=story.OCTOBER, at=demo.moment("2026-12-01"))
    with django_assert_num_queries(0):
        assert written(replace(gstr3b_rows.of(filed), **TABLE_5)) == sample()


def test_a_return_filed_before_values_and_payments_were_kept_leaves_them_out() -> None:
    found = written(replace(NOTHING, taxable={}, interest=None))
    assert found["sup_details"].keys() == {"osup_det", "osup_zero", "isup_rev"}
    assert found["sup_details"]["osup_zero"] == {"iamt": 0, "csamt": 0}
    assert found["eco_dtls"].keys() == {"eco_sup"}
    assert "intr_ltfee" not in found


def test_the_keys_stand_in_the_order_of_the_samples() -> None:
    def order(found: Any) -> Any:  # noqa: ANN401 JSON
        if isinstance(found, dict):
            return [(key, order(value)) for key, value in found.items()]
        return [order(one) for one in found] if isinstance(found, list) else None

    whole = replace(NOTHING, to_unregistered=[Place("33", 0, 0)], **TABLE_5)
    assert order(written(whole)) == order(sample())


def test_amounts_are_rupees_with_at_most_two_decimals_and_may_be_negative() -> None:
    declared = {**NOTHING.declared, "t3_1_a": Tax(-1, 150, 150, 999_999_999_999_999)}
    found = replace(NOTHING, declared=declared, taxable={**NOTHING.taxable, "t3_1_a": -10_010})
    text = json.dumps(gstr3b_json.body(found)["sup_details"]["osup_det"])
    assert text == '{"txval": -100.1, "iamt": -0.01, "camt": 1.5, "samt": 1.5, "csamt": 9999999999999.99}'


def test_uin_holders_interest_and_both_lines_of_table_5_have_their_places() -> None:
    found = written(
        replace(NOTHING, to_uin_holders=[Place("07", 30_000, 5_400)], interest=Tax(igst=1250), exempt=Inward(1, 200))
    )
    assert found["inter_sup"]["uin_details"] == [{"pos": "07", "txval": 300, "iamt": 54}]
    assert found["intr_ltfee"]["intr_details"] == {"iamt": 12.5, "camt": 0, "samt": 0, "csamt": 0}
    assert found["inward_sup"] == {"isup_details": [{"ty": "GST", "inter": 0.01, "intra": 2}]}
