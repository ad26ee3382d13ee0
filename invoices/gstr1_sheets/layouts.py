"""The sheets of the offline tool's workbook: the list of a return each of them is, and its columns (formats 9.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from invoices.gstr1_json.shapes import SHAPES
from invoices.gstr1_json.summaries import ROWS
from invoices.sheet_cells import plain


class Lines(StrEnum):
    """Where a list keeps rate and amounts: in lines with an `itm_det`, in flat lines, in the row; NONE has no rate."""

    NESTED = "nested"
    FLAT = "flat"
    ROW = "row"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Layout:
    """One sheet: the list of a return it fills, and the template's label of each key of that list.

    `amount` is the key of the value the rate applies to. Besides keys of the list there are `fy` and `omon`, the two
    halves of a month, and `nature`, which says into which of two lists a row goes.
    """

    part: str
    columns: Mapping[str, str]
    lines: Lines = Lines.NESTED
    amount: str = "txval"

    @property
    def has_documents(self) -> bool:
        """Whether its rows are rate lines of documents that reach IMS."""
        return self.part in SHAPES

    @property
    def around(self) -> tuple[str, ...]:
        """The keys that stand around a document or row of its list."""
        if self.has_documents:
            return SHAPES[self.part].group
        return (ROWS[self.part].group,) if ROWS[self.part].group else ()

    @property
    def keys_of_document(self) -> tuple[str, ...]:
        """The keys that make rows lines of one document."""
        shape = SHAPES[self.part]
        return (*shape.group, shape.number, shape.dated)

    @property
    def number(self) -> str:
        """The key of its documents' number."""
        return SHAPES[self.part].number

    @property
    def required(self) -> tuple[str, ...]:
        """The keys whose columns a sheet cannot do without."""
        row = SHAPES[self.part] if self.has_documents else ROWS[self.part]
        wanted = {*self.around, *row.required, "fy", "nature", *(getattr(row, "original", ()))}
        if self.lines is not Lines.NONE:
            wanted |= {"rt", self.amount}
        return tuple(key for key in self.columns if key in wanted)


_TO = {"ctin": "GSTIN/UIN of Recipient"}
_SHARE = {"diff_percent": "Applicable % of Tax Rate"}
_POS = {"pos": "Place Of Supply"}
_OLD_POS = {"pos": "Original Place Of Supply"}
_ETIN = {"etin": "E-Commerce GSTIN"}
_OLD_MONTH = {"fy": "Financial Year", "omon": "Original Month"}
_AMOUNTS = {"rt": "Rate", "txval": "Taxable Value", "csamt": "Cess Amount"}
_IRN = {"irn": "IRN", "irngendate": "IRN date"}

_INVOICE = {"inum": "Invoice Number", "idt": "Invoice date"}
_INVOICE_AGAIN = {
    "oinum": "Original Invoice Number",
    "oidt": "Original Invoice date",
    "inum": "Revised Invoice Number",
    "idt": "Revised Invoice date",
}
_NOTE = {"nt_num": "Note Number", "nt_dt": "Note Date"}
_NOTE_AGAIN = {
    "ont_num": "Original Note Number",
    "ont_dt": "Original Note Date",
    "nt_num": "Revised Note Number",
    "nt_dt": "Revised Note Date",
}
_B2B = {
    "val": "Invoice Value",
    **_POS,
    "rchrg": "Reverse Charge",
    **_SHARE,
    "inv_typ": "Invoice Type",
    **_ETIN,
    **_AMOUNTS,
}
_CDNR = {
    "ntty": "Note Type",
    **_POS,
    "rchrg": "Reverse Charge",
    "inv_typ": "Note Supply Type",
    "val": "Note Value",
    **_SHARE,
    **_AMOUNTS,
}
_CDNUR = {"ntty": "Note Type", **_POS, "val": "Note Value", **_SHARE, **_AMOUNTS}
_EXPORT = {
    "val": "Invoice Value",
    "sbpcode": "Port Code",
    "sbnum": "Shipping Bill Number",
    "sbdt": "Shipping Bill Date",
    **_SHARE,
    **_AMOUNTS,
}
_CONSUMERS = {"typ": "Type", **_POS, **_SHARE, **_AMOUNTS, **_ETIN}
_BEHIND = {"stin": "Supplier GSTIN/UIN"}
_ECO_TO = {"rtin": "Recipient GSTIN/UIN"}
_ECO = {"inum": "Document Number", "idt": "Document Date"}
_ECO_AGAIN = {
    "oinum": "Original Document Number",
    "oidt": "Original Document Date",
    "inum": "Revised Document Number",
    "idt": "Revised Document Date",
}
_ECO_REST = {"val": "Value of supplies made", **_POS, "inv_typ": "Document type", **_AMOUNTS}
_ECO_CONSUMERS = {**_POS, **_AMOUNTS}
_TAXES = {"igst": "Integrated tax", "cgst": "Central tax", "sgst": "State/UT tax", "cess": "Cess"}


def _advance(label: str) -> dict[str, str]:
    return {**_SHARE, "rt": "Rate", "ad_amt": label, "csamt": "Cess Amount"}


_RECEIVED, _ADJUSTED = _advance("Gross Advance Received"), _advance("Gross Advance Adjusted")

NAMES: dict[str, Layout] = {
    "b2b,sez,de": Layout("b2b", {**_TO, **_INVOICE, **_B2B, **_IRN}),
    "b2ba": Layout("b2ba", {**_TO, **_INVOICE_AGAIN, **_B2B}),
    "b2cl": Layout("b2cl", {**_INVOICE, "val": "Invoice Value", **_POS, **_SHARE, **_AMOUNTS, **_ETIN}),
    "b2cla": Layout("b2cla", {**_INVOICE_AGAIN, **_OLD_POS, "val": "Invoice Value", **_SHARE, **_AMOUNTS, **_ETIN}),
    "b2cs": Layout("b2cs", _CONSUMERS, Lines.ROW),
    "b2csa": Layout("b2csa", {**_OLD_MONTH, **_CONSUMERS}, Lines.FLAT),
    "cdnr": Layout("cdnr", {**_TO, **_NOTE, **_CDNR, **_IRN}),
    "cdnra": Layout("cdnra", {**_TO, **_NOTE_AGAIN, **_CDNR}),
    "cdnur": Layout("cdnur", {"typ": "UR Type", **_NOTE, **_CDNUR}),
    "cdnura": Layout("cdnura", {"typ": "UR Type", **_NOTE_AGAIN, **_CDNUR}),
    "exp": Layout("exp", {"exp_typ": "Export Type", **_INVOICE, **_EXPORT}, Lines.FLAT),
    "expa": Layout("expa", {"exp_typ": "Export Type", **_INVOICE_AGAIN, **_EXPORT}, Lines.FLAT),
    "at": Layout("at", {**_POS, **_RECEIVED}, Lines.FLAT, "ad_amt"),
    "ata": Layout("ata", {**_OLD_MONTH, **_OLD_POS, **_RECEIVED}, Lines.FLAT, "ad_amt"),
    "atadj": Layout("txpd", {**_POS, **_ADJUSTED}, Lines.FLAT, "ad_amt"),
    "atadja": Layout("txpda", {**_OLD_MONTH, **_OLD_POS, **_ADJUSTED}, Lines.FLAT, "ad_amt"),
    "exemp": Layout(
        "nil",
        {
            "sply_ty": "Description",
            "nil_amt": "Nil Rated Supplies",
            "expt_amt": "Exempted (other than nil rated/non GST supply)",
            "ngsup_amt": "Non-GST supplies",
        },
        Lines.NONE,
    ),
    "eco": Layout(
        "supeco.clttx",
        {
            "nature": "Nature of Supply",
            "etin": "GSTIN of E-Commerce Operator",
            "suppval": "Net value of supplies",
            **_TAXES,
        },
        Lines.NONE,
    ),
    "ecoa": Layout(
        "supecoa.clttxa",
        {
            "nature": "Nature of Supply",
            "fy": "Financial Year",
            "omon": "Original Month/Quarter",
            "oetin": "Original GSTIN of E-Commerce Operator",
            "etin": "Revised GSTIN of E-Commerce Operator",
            "suppval": "Revised Net value of supplies",
            **_TAXES,
        },
        Lines.NONE,
    ),
    "ecob2b": Layout("ecom.b2b", {**_BEHIND, **_ECO_TO, **_ECO, **_ECO_REST}),
    "ecourp2b": Layout("ecom.urp2b", {**_ECO_TO, **_ECO, **_ECO_REST}),
    "ecob2c": Layout("ecom.b2c", {**_BEHIND, **_ECO_CONSUMERS}, Lines.ROW),
    "ecourp2c": Layout("ecom.urp2c", _ECO_CONSUMERS, Lines.ROW),
    "ecoab2b": Layout("ecoma.b2ba", {**_BEHIND, **_ECO_TO, **_ECO_AGAIN, **_ECO_REST}),
    "ecoaurp2b": Layout("ecoma.urp2ba", {**_ECO_TO, **_ECO_AGAIN, **_ECO_REST}),
    "ecoab2c": Layout("ecoma.b2ca", {**_OLD_MONTH, **_BEHIND, **_ECO_CONSUMERS}, Lines.FLAT),
    "ecoaurp2c": Layout("ecoma.urp2ca", {**_OLD_MONTH, **_ECO_CONSUMERS}, Lines.FLAT),
}
"""Sheets by the template's name. HSN (`hsn(b2b)`, `hsn(b2c)`), `docs`, `master` and help have no part here."""

SHEETS = {plain(name): layout for name, layout in NAMES.items()}
SHEETS |= {"b2b": SHEETS["b2bsezde"]}

ALIASES = {
    "originalplaceofsupply": "placeofsupply",
    "placeofsupplypos": "placeofsupply",
    "gstinuin": "gstinuinofrecipient",
    "gstinofrecipient": "gstinuinofrecipient",
    "gstinuinofsupplier": "suppliergstinuin",
    "gstinuinofrecipients": "gstinuinofrecipient",
    "recipientgstinuin": "gstinuinofrecipient",
    "exemptedotherthannilratednongstsupply": "exempted",
    "exemptedsupplies": "exempted",
    "originalmonthquarter": "originalmonth",
    "applicabletaxrate": "applicableoftaxrate",
}
"""Labels, without blanks and signs, that say the same as another."""

TYPES = {
    "regular": "R",
    "regularb2b": "R",
    "sezsupplieswithpayment": "SEWP",
    "sezsupplieswithoutpayment": "SEWOP",
    "deemedexp": "DE",
    "deemedexport": "DE",
    "deemedexports": "DE",
    "salefrombondedwh": "CBW",
}
"""Types of supply as the template spells them."""

INSIDE_WITH_IGST = "intrastatesuppliesattractingigst"
"""A type of the template that is not taken: R10.8 has no such supply."""

DESCRIPTIONS = {
    "interstatesuppliestoregisteredpersons": "INTRB2B",
    "intrastatesuppliestoregisteredpersons": "INTRAB2B",
    "interstatesuppliestounregisteredpersons": "INTRB2C",
    "intrastatesuppliestounregisteredpersons": "INTRAB2C",
}
NATURES = {"liabletocollecttaxus52tcs": "clttx", "liabletopaytaxus95": "paytx"}


def named(label: object) -> str:
    """Return a label as it is compared: without case, blanks and signs, one of several that say the same."""
    found = plain(label)
    return ALIASES.get(found, found)
