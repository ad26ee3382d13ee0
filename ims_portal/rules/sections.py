"""The kinds of documents: forms, sections, supply types, number classes, and what belongs to what (R1.3, R10.5).

Everybody but the rules reads these names from `documents`.
"""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """The form that reported a record. The first three are the supplier's; the others are feeds."""

    GSTR1 = "GSTR-1"
    GSTR1A = "GSTR-1A"
    IFF = "IFF"
    GSTR6 = "GSTR-6"
    CUSTOMS = "ICEGATE"
    RULE_37A = "RULE-37A"


class Section(StrEnum):
    """The section of IMS or GSTR-2B a record stands in, by the portal's own code (R1.3, R7.6)."""

    B2B = "b2b"
    B2BA = "b2ba"
    DN = "b2bdn"
    DNA = "b2bdna"
    CN = "b2bcn"
    CNA = "b2bcna"
    ECO = "ecom"
    ECOA = "ecoma"
    ISD = "isd"
    ISDCN = "isdcn"
    IMPG = "impg"
    IMPGA = "impga"
    IMPGSEZ = "impgsez"
    IMPGSEZA = "impgseza"
    RULE_37A = "r37a"


class InvoiceType(StrEnum):
    """Supply type as GSTR-1 writes it (formats 1.1)."""

    REGULAR = "R"
    DEEMED_EXPORT = "DE"
    SEZ_WITH_PAYMENT = "SEWP"
    SEZ_WITHOUT_PAYMENT = "SEWOP"
    BONDED_WAREHOUSE = "CBW"


class NumberClass(StrEnum):
    """Documents whose numbers may not repeat within a supplier and financial year (R10.5)."""

    INVOICE = "I"
    NOTE = "N"
    BILL_OF_ENTRY = "B"


CREDIT_NOTES = frozenset({Section.CN, Section.CNA, Section.ISDCN})
SEZ = frozenset({InvoiceType.SEZ_WITH_PAYMENT, InvoiceType.SEZ_WITHOUT_PAYMENT})
AMENDMENTS = frozenset({Section.B2BA, Section.DNA, Section.CNA, Section.ECOA, Section.IMPGA, Section.IMPGSEZA})
ECO = frozenset({Section.ECO, Section.ECOA})
NOTES = frozenset({Section.DN, Section.DNA, Section.CN, Section.CNA})
BILLS_OF_ENTRY = frozenset({Section.IMPG, Section.IMPGA, Section.IMPGSEZ, Section.IMPGSEZA})
ORIGINAL_OF = {
    Section.B2BA: Section.B2B,
    Section.DNA: Section.DN,
    Section.CNA: Section.CN,
    Section.ECOA: Section.ECO,
    Section.IMPGA: Section.IMPG,
    Section.IMPGSEZA: Section.IMPGSEZ,
}

SECTION_OF = {
    ("b2b", ""): Section.B2B,
    ("b2ba", ""): Section.B2BA,
    ("cdnr", "C"): Section.CN,
    ("cdnr", "D"): Section.DN,
    ("cdnra", "C"): Section.CNA,
    ("cdnra", "D"): Section.DNA,
    ("ecom", ""): Section.ECO,
    ("ecoma", ""): Section.ECOA,
}
"""From a section of GSTR-1 and its note type to the section of IMS (R1.3, formats 2.7). Anything else: KeyError."""

_FROM_GSTR1 = frozenset(SECTION_OF.values())
REPORTED_IN = {
    Form.GSTR1: _FROM_GSTR1,
    Form.GSTR1A: _FROM_GSTR1,
    Form.IFF: _FROM_GSTR1,
    Form.GSTR6: frozenset({Section.ISD, Section.ISDCN}),
    Form.CUSTOMS: BILLS_OF_ENTRY,
    Form.RULE_37A: frozenset({Section.RULE_37A}),
}
"""The sections each form may report (R1.3, R1.5, R9.1, R9.3). An IFF has the same as GSTR-1 (formats 2.5)."""

NUMBER_CLASSES = {
    **dict.fromkeys((Section.B2B, Section.B2BA, Section.ECO, Section.ECOA, Section.ISD), NumberClass.INVOICE),
    **dict.fromkeys((*NOTES, Section.ISDCN), NumberClass.NOTE),
    **dict.fromkeys(BILLS_OF_ENTRY, NumberClass.BILL_OF_ENTRY),
}

NAMES = {
    Section.B2B: "Invoice",
    Section.B2BA: "Amended invoice",
    Section.DN: "Debit note",
    Section.DNA: "Amended debit note",
    Section.CN: "Credit note",
    Section.CNA: "Amended credit note",
    Section.ECO: "E-commerce document",
    Section.ECOA: "Amended e-commerce document",
    Section.ISD: "ISD invoice",
    Section.ISDCN: "ISD credit note",
    Section.IMPG: "Bill of entry",
    Section.IMPGA: "Amended bill of entry",
    Section.IMPGSEZ: "SEZ bill of entry",
    Section.IMPGSEZA: "Amended SEZ bill of entry",
    Section.RULE_37A: "Rule 37A reversal",
}


def number_class(section: Section) -> NumberClass:
    """Return the class within which a number may not repeat (R10.5); a Rule 37A reversal has none: KeyError."""
    return NUMBER_CLASSES[section]
