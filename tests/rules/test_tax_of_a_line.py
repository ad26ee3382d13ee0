"""The tax of a line whose source names none: rate, share, split, and the kinds that bear no tax."""

from __future__ import annotations

import pytest

from ims_portal.rules.rates import WITHOUT_PAYMENT, Heads, worked_out

IGST, SPLIT = Heads.IGST, Heads.CGST_AND_SGST


@pytest.mark.parametrize(
    ("heads", "is_differential", "kind", "tax"),
    [
        (IGST, False, "R", (18_000, 0, 0)),
        (SPLIT, False, "R", (0, 9_000, 9_000)),
        (IGST, True, "R", (11_700, 0, 0)),
        (IGST, False, "SEWP", (18_000, 0, 0)),
        (IGST, False, "SEWOP", (0, 0, 0)),
        (IGST, False, "WPAY", (18_000, 0, 0)),
        (IGST, False, "WOPAY", (0, 0, 0)),
        (IGST, False, "EXPWP", (18_000, 0, 0)),
        (IGST, False, "EXPWOP", (0, 0, 0)),
    ],
)
def test_tax_is_worked_out_to_the_paisa(
    heads: Heads, is_differential: bool, kind: str, tax: tuple[int, int, int]
) -> None:
    found = worked_out(taxable=100_000, rate=1_800, heads=heads, is_differential=is_differential, kind=kind)
    assert found == tax
    assert (kind in WITHOUT_PAYMENT) == (tax == (0, 0, 0))
