"""A GSTR-3B in the portal's JSON (formats 6.1): the body its save takes, Tables 3, 4, 5 and 5.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ims_portal.rules.money import HEADS, NIL, Tax
from invoices.json_writing import rupees

if TYPE_CHECKING:
    from returns.table3 import Place

KEYS = {"igst": "iamt", "cgst": "camt", "sgst": "samt", "cess": "csamt"}
"""Our head -> the key of its amount."""

OUTWARD: Mapping[str, Mapping[str, tuple[str, Sequence[str]]]] = {
    "sup_details": {
        "osup_det": ("t3_1_a", HEADS),
        "osup_zero": ("t3_1_b", ("igst", "cess")),
        "osup_nil_exmp": ("t3_1_c", ()),
        "isup_rev": ("t3_1_d", HEADS),
        "osup_nongst": ("t3_1_e", ()),
    },
    "eco_dtls": {"eco_sup": ("t3_1_1_i", HEADS), "eco_reg_sup": ("t3_1_1_ii", ())},
}
"""Part of the file -> its rows of Table 3, each with the heads of tax it has beside its taxable value."""

CREDIT = {
    "itc_avl": {"IMPG": "t4A1", "IMPS": "t4A2", "ISRC": "t4A3", "ISD": "t4A4", "OTH": "t4A5"},
    "itc_rev": {"RUL": "t4B1", "OTH": "t4B2"},
    "itc_inelg": {"RUL": "t4D1", "OTH": "t4D2"},
}
"""List of `itc_elg` -> type -> row of Table 4."""


@dataclass(frozen=True, slots=True)
class Inward:
    """One line of Table 5, inward supplies without credit: their values between and within States, in paise."""

    inter_state: int
    intra_state: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A period's GSTR-3B: row -> tax and, of Table 3, taxable value, as declared, in paise and signed as printed.

    `period` is MMYYYY. `taxable` is empty of returns filed before taxable values were kept, `interest` None of those
    filed before payments were; no late fee is ever charged here. The places are those of Table 3.2, `exempt` and
    `non_gst` Table 5, None where nobody entered it.
    """

    gstin: str
    period: str
    declared: Mapping[str, Tax]
    taxable: Mapping[str, int]
    to_unregistered: Sequence[Place] = ()
    to_uin_holders: Sequence[Place] = ()
    interest: Tax | None = NIL
    exempt: Inward | None = None
    non_gst: Inward | None = None


def body(figures: Figures) -> dict[str, Any]:
    """Return a GSTR-3B as a file holds it, amounts in rupees; what is not known is left out."""
    found: dict[str, Any] = {"gstin": figures.gstin, "ret_period": figures.period}
    for part, rows in OUTWARD.items():
        written = {key: _outward(figures, row, heads) for key, (row, heads) in rows.items()}
        found[part] = {key: amounts for key, amounts in written.items() if amounts}
    found["inter_sup"] = {
        "unreg_details": _places(figures.to_unregistered),
        "comp_details": [],  # a GSTIN does not tell a composition taxable person
        "uin_details": _places(figures.to_uin_holders),
    }
    found["itc_elg"] = _credit(figures.declared)
    if inward := [
        {"ty": kind, "inter": rupees(line.inter_state), "intra": rupees(line.intra_state)}
        for kind, line in (("GST", figures.exempt), ("NONGST", figures.non_gst))
        if line is not None
    ]:
        found["inward_sup"] = {"isup_details": inward}
    if figures.interest is not None:
        late_fee = _tax(NIL, ("cgst", "sgst"))
        found["intr_ltfee"] = {"intr_details": _tax(figures.interest), "ltfee_details": late_fee}
    return found


def _outward(figures: Figures, row: str, heads: Sequence[str]) -> dict[str, Any]:
    value = {"txval": rupees(figures.taxable[row])} if row in figures.taxable else {}
    return value | _tax(figures.declared[row], heads)


def _places(found: Iterable[Place]) -> list[dict[str, Any]]:
    return [{"pos": place.pos, "txval": rupees(place.taxable), "iamt": rupees(place.igst)} for place in found]


def _credit(declared: Mapping[str, Tax]) -> dict[str, Any]:
    lists = {name: [{"ty": kind, **_tax(declared[row])} for kind, row in rows.items()] for name, rows in CREDIT.items()}
    return {
        "itc_avl": lists["itc_avl"],
        "itc_rev": lists["itc_rev"],
        "itc_net": _tax(declared["t4C"]),
        "itc_inelg": lists["itc_inelg"],
    }


def _tax(tax: Tax, heads: Sequence[str] = HEADS) -> dict[str, Any]:
    return {KEYS[head]: rupees(getattr(tax, head)) for head in heads}
