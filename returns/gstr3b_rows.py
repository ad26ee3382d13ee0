"""A draft or filed GSTR-3B as its file writes it."""

from __future__ import annotations

from returns import table3
from returns.gstr3b import Draft
from returns.gstr3b_json import Figures


def of(shown: Draft) -> Figures:
    """Return what a GSTR-3B declares, in paise: as filed, or as derived with its adjustments. No query.

    The places of Table 3.2 are always derived, for a declared total says nothing of them; Table 5 has no place here.
    """
    places = table3.by_place(shown.outward)
    return Figures(
        gstin=shown.taxpayer.gstin,
        period=shown.period.wire,
        declared=shown.declared,
        taxable=shown.declared_taxable,
        to_unregistered=places[False],
        to_uin_holders=places[True],
        interest=shown.payment.interest if shown.payment else None,
    )
