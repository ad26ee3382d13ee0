"""Taxable values of Table 3 beside its tax: derived, declared, filed, shown (R8.1, R8.2, R8.17)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import outward
from invoices.staging import Summary
from returns import gstr3b, tables, why
from returns.gstr3b import Draft, Gstr3bRefusedError
from returns.models import Adjustment, Filing
from tests import factories
from tests.factories import OCTOBER, RECIPIENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready() -> Taxpayer:
    """Return R with exempt, non-GST and operator's supplies, and reverse charge of 90,000 less a note of 10,000."""
    recipient = factories.taxpayer(RECIPIENT)
    factories.filed(
        factories.document(number="RC1", tax=16200, reverse_charge=True),
        factories.document(number="RC2", section=Section.CN, tax=1800, reverse_charge=True),
        factories.document(number="INV1", tax=18000),
    )
    outward.file(
        supplier=recipient,
        form=Form.GSTR1,
        period=OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-10"),
        found=[
            Summary("nil", "INTRAB2C nil", 100_00, Tax()),
            Summary("nil", "INTRB2B exempt", 50_00, Tax()),
            Summary("nil", "INTRAB2C non_gst", 25_00, Tax()),
            Summary("supeco", "paytx | 29AAKCT0000P1C6", 70_00, Tax(cgst=1_75, sgst=1_75)),
            Summary("b2cs", "INTER 29", 1000_00, Tax(igst=180_00)),
        ],
    )
    factories.computed(recipient)
    return recipient


def draft(taxpayer: Taxpayer, on: str = "2025-11-16") -> Draft:
    return gstr3b.draft(taxpayer=taxpayer, period=OCTOBER, at=factories.at(on))


def declare(taxpayer: Taxpayer, row: str, tax: Tax | None, taxable: int | None) -> Draft:
    return gstr3b.adjust(
        taxpayer=taxpayer,
        period=OCTOBER,
        row=row,
        tax=tax,
        taxable=taxable,
        reason="",
        actor=None,
        clock=factories.clock("2025-11-16"),
    )


def file(taxpayer: Taxpayer) -> Filing:
    return gstr3b.file(taxpayer=taxpayer, period=OCTOBER, actor=None, clock=factories.clock("2025-11-18"))


def test_every_row_of_table_3_has_its_taxable_value(ready: Taxpayer) -> None:
    shown = draft(ready)
    assert shown.taxable == {
        "t3_1_a": 1000_00,
        "t3_1_b": 0,
        "t3_1_c": 150_00,
        "t3_1_d": 80000_00,
        "t3_1_e": 25_00,
        "t3_1_1_i": 0,
        "t3_1_1_ii": 70_00,
        "t3_2": 1000_00,
    }
    assert shown.declared_taxable == shown.taxable
    assert [shown.derived[row] for row in rules.VALUE_ONLY] == [Tax()] * 3
    assert shown.derived["t3_1_d"] == Tax(igst=14400_00)


def test_an_amended_reverse_charge_invoice_counts_by_its_change() -> None:
    recipient = factories.taxpayer(RECIPIENT)
    factories.filed(factories.document(number="RC1", tax=16200, reverse_charge=True))
    filing = factories.filed_period(recipient)
    assert filing.taxable["derived"]["t3_1_d"] == 90000_00
    supplier = Taxpayer.objects.get(gstin=factories.SUPPLIER)
    factories.computed(supplier, on="2025-11-18")
    file(supplier)
    factories.filed(
        factories.document(section=Section.B2BA, number="RC1", tax=9000, reverse_charge=True),
        period="112025",
        on="2025-12-10",
    )
    statement = factories.computed(recipient, period="112025", on="2025-12-14").statement
    assert statement.liable_taxable == -40000_00


@pytest.mark.parametrize(
    ("period", "locked"),
    [
        (202506, set()),
        (202507, {"t3_1_a", "t3_1_b", "t3_1_1_i", "t3_1_1_ii"}),
        (202511, {"t3_1_a", "t3_1_b", "t3_1_1_i", "t3_1_1_ii", "t3_2"}),
    ],
)
def test_the_lock_holds_the_rows_the_law_names(period: int, locked: set[str]) -> None:
    refused = {row for row in rules.TABLE_3 if gstr3b.edit_refusal(TaxPeriod(period), row) is Refusal.FIELD_LOCKED}
    assert refused == locked


def test_a_taxable_value_is_declared_without_a_reason_and_set_back(ready: Taxpayer) -> None:
    before = draft(ready)
    shown = declare(ready, "t3_1_c", Tax(igst=5), 900_00)
    assert (shown.declared_taxable["t3_1_c"], shown.taxable["t3_1_c"]) == (900_00, 150_00)
    assert shown.declared["t3_1_c"] == Tax()
    assert shown.digest != before.digest
    assert tables.row(shown, "t3_1_c").is_adjusted
    back = declare(ready, "t3_1_c", None, None)
    assert back.declared_taxable == back.taxable
    assert not Adjustment.objects.exists()


def test_own_reverse_charge_is_added_by_hand_with_its_value(ready: Taxpayer) -> None:
    shown = declare(ready, "t3_1_d", Tax(igst=15300_00), 85000_00)
    assert (shown.declared["t3_1_d"], shown.declared_taxable["t3_1_d"]) == (Tax(igst=15300_00), 85000_00)


def test_a_locked_value_is_not_typed_over(ready: Taxpayer) -> None:
    with pytest.raises(Gstr3bRefusedError) as caught:
        declare(ready, "t3_1_1_ii", Tax(), 1)
    assert caught.value.refusal is Refusal.FIELD_LOCKED


def test_filing_keeps_the_values_whatever_follows(ready: Taxpayer) -> None:
    declare(ready, "t3_1_e", Tax(), 30_00)
    filing = file(ready)
    assert (filing.taxable["derived"]["t3_1_e"], filing.taxable["declared"]["t3_1_e"]) == (25_00, 30_00)
    shown = draft(ready, on="2025-12-30")
    assert (shown.taxable, shown.declared_taxable) == (filing.taxable["derived"], filing.taxable["declared"])
    assert shown.digest == filing.digest
    receipt = tables.receipt(taxpayer=ready, period=OCTOBER)
    assert receipt is not None
    assert {row.number: row.taxable for row in receipt.rows}["3.1(e)"] == 30_00


def test_a_return_filed_before_values_were_kept_has_none_and_its_own_digest(ready: Taxpayer) -> None:
    filing = file(ready)
    old_rows = [row for row in rules.ROWS if row not in rules.VALUE_ONLY]
    old = Filing(
        **{
            name: getattr(filing, name)
            for name in ("taxpayer", "return_period", "month", "statement", "seq", "filed_on", "filed_at", "reference")
        },
        derived={row: filing.derived[row] for row in old_rows},
        declared={row: filing.declared[row] for row in old_rows},
        why={"t3_1_a": {**filing.why["t3_1_a"], "summands": [["GSTR-1", [1, 0, 0, 0], "R8.1", 0]]}},
    )
    shown = replace(draft(ready, on="2025-12-30"), filing=old, taxable={}, declared_taxable={}, payment=None)
    as_digested_then = {
        "gstin": ready.gstin,
        "period": "102025",
        "statement": [shown.statement.pk, shown.statement.version] if shown.statement else None,
        "derived": old.derived,
        "declared": old.declared,
        "reasons": {},
    }
    assert gstr3b.digest(shown) == hashlib.sha256(json.dumps(as_digested_then, sort_keys=True).encode()).hexdigest()
    assert tables.row(shown, "t3_1_a").declared_taxable is None
    assert why.kept(old.why["t3_1_a"])["summands"] == [("GSTR-1", [1, 0, 0, 0], "R8.1", 0, None)]
