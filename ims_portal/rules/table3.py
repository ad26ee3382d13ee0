"""Table 3 of GSTR-3B: which rows the sums of a filed return feed, with which sign, and what amended ones count against.

Sums are what a return reports beside documents for registered recipients: consumers, exports, nil rated, advances,
operators (R8.1). A sum is named by its section and its `Detail`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ims_portal.rules.actions import YES_NO
from ims_portal.rules.table import Dated, Decision, Fact, Facts, always, otherwise, row

AMENDED = {
    "b2csa": "b2cs",
    "b2cla": "b2cl",
    "cdnura": "cdnur",
    "expa": "exp",
    "ata": "at",
    "txpda": "txpd",
    "supecoa": "supeco",
    "ecoma.b2ca": "ecom.b2c",
    "ecoma.urp2ca": "ecom.urp2c",
}
"""Section of amended sums -> the section of their originals."""
BY_NUMBER = ("b2cla", "cdnura", "expa")
"""Amended sections whose originals are single documents; the others name month, supply, place and party."""
SUMMED_SECTIONS = (*AMENDED, *AMENDED.values(), "nil", "other")
"""Sections of a return that never reach IMS and are kept as sums; "other" is what a worked case names so."""
KINDS = ("", "nil", "exempt", "non_gst", "clttx", "paytx")
EXPORTS = ("WPAY", "WOPAY", "EXPWP", "EXPWOP")
SEPARATOR = " | "

_WORDS = {
    "supply": re.compile(r"INTER|INTRA|INTRA?B2[BC]"),
    "pos": re.compile(r"[0-9]{2}"),
    "month": re.compile(r"[0-9]{6}"),
}


@dataclass(frozen=True, slots=True)
class Detail:
    """What a sum of a section is of.

    `kind`: WPAY or WOPAY (exports), B2CL, EXPWP or EXPWOP (notes), nil, exempt or non_gst, clttx or paytx. `month`:
    the period amended, MMYYYY. `number`: the document with its day, or the party; `original`: what it was reported as
    before.
    """

    supply: str = ""
    pos: str = ""
    kind: str = ""
    month: str = ""
    number: str = ""
    original: str = ""

    @property
    def place(self) -> str:
        """Supply, place, kind and month in words: what a sum shown to people is grouped by."""
        return " ".join(part for part in (self.supply, self.pos, self.kind, self.month) if part)

    def __str__(self) -> str:
        keys = (self.number, self.original) if self.original else (self.number,) if self.number else ()
        return SEPARATOR.join((self.place, *keys))

    @classmethod
    def read(cls, text: str) -> Detail:
        """Return the detail a text was written from."""
        place, *keys = text.split(SEPARATOR)
        found: dict[str, str] = {}
        for word in place.split():
            found[next((name for name, pattern in _WORDS.items() if pattern.fullmatch(word)), "kind")] = word
        return cls(**found, **dict(zip(("number", "original"), keys, strict=False)))

    @property
    def amends(self) -> int:
        """The month amended as YYYYMM, 0 where it amends none."""
        return int(self.month[2:] + self.month[:2]) if self.month else 0


_SUM_FACTS: Facts = {"section": SUMMED_SECTIONS, "kind": KINDS, "is_export": YES_NO, "is_inter_state": YES_NO}

SUMMARY_ROW: Dated[str] = always(
    "row of Table 3 that sums of a return outside IMS belong to",
    governed_by="the tax period of GSTR-3B",
    facts=_SUM_FACTS,
    rows=(
        row("t3_1_e", section="nil", kind="non_gst", cite="R8.1: table 8, supplies outside GST"),
        row("t3_1_c", section="nil", cite="R8.1: table 8, nil rated and exempt"),
        row(
            "t3_1_1_ii",
            section=("supeco", "supecoa"),
            kind="paytx",
            cite="R8.1; formats 6.3: table 14(b), the operator pays the tax",
        ),
        row("", section=("supeco", "supecoa"), cite="R8.1: table 14(a) repeats supplies of other tables"),
        row("t3_1_b", section=("exp", "expa"), cite="R8.1: zero-rated, 6A and its amendments in 9"),
        row("t3_1_b", section=("cdnur", "cdnura"), is_export=True, cite="R8.1: notes of exports, 9"),
        row(
            "t3_1_1_i",
            section=("ecom.b2c", "ecom.urp2c", "ecoma.b2ca", "ecoma.urp2ca"),
            cite="R8.1: section 9(5), tables 15 and 15A",
        ),
        otherwise("t3_1_a", cite="R8.1: GSTR-1 5, 7, 9, 10, 11"),
    ),
)

SUMMARY_IN_3_2: Dated[bool] = always(
    "does a sum repeat in Table 3.2, inter-State supplies to unregistered persons",
    governed_by="the tax period of GSTR-3B",
    facts=_SUM_FACTS,
    rows=(
        row(False, is_export=True, cite="R8.1: exports are no supplies to unregistered persons in India"),
        row(
            True,
            section=(
                *("b2cs", "b2csa", "b2cl", "b2cla", "cdnur", "cdnura"),
                *("ecom.b2c", "ecom.urp2c", "ecoma.b2ca", "ecoma.urp2ca"),
            ),
            is_inter_state=True,
            cite="R8.1: 3.2 by place of supply, of 3.1(a) and of 3.1.1(i)",
        ),
        otherwise(False, cite="R8.1"),
    ),
)

DOCUMENT_IN_3_2: Dated[bool] = always(
    "does a document repeat in Table 3.2, inter-State supplies to UIN holders",
    governed_by="the tax period of GSTR-3B",
    facts={"recipient_is_uin": YES_NO, "is_inter_state": YES_NO},
    rows=(
        row(True, recipient_is_uin=True, is_inter_state=True, cite="R8.1: 3.2, UIN holders by place of supply"),
        otherwise(False, cite="R8.1: a GSTIN does not tell a composition taxable person", ours=True),
    ),
)

SUMMARY_SIGN: Dated[int] = always(
    "does a sum add to liability or take from it",
    governed_by="the tax period of GSTR-3B",
    facts={"section": SUMMED_SECTIONS},
    rows=(
        row(-1, section=("txpd", "txpda"), cite="R8.1: 11B, advances of earlier periods adjusted against invoices"),
        otherwise(1, cite="R8.1; credit notes of cdnur come negative already"),
    ),
)

AGAINST: Dated[str] = always(
    "what an amended sum counts against",
    governed_by="the tax period of GSTR-3B",
    facts={"original_is_kept": YES_NO},
    rows=(
        row(
            "its change against what was reported before",
            original_is_kept=True,
            cite="R8.1: amendments by their deltas; R6.12",
        ),
        otherwise("against nothing, for no return kept here reports its original", cite="R6.12: 0 at first", ours=True),
    ),
)


def rows_of_summary(month: int, section: str, detail: str) -> list[str]:
    """Return the rows of Table 3 a summed section feeds in a period; `detail` is a `Detail` as written."""
    facts = _facts(section, detail)
    first = SUMMARY_ROW.decide(month, **facts).outcome
    return [name for name in (first, "t3_2" if SUMMARY_IN_3_2.decide(month, **facts).outcome else "") if name]


def deciding(month: int, section: str, detail: str, name: str) -> Decision[str] | Decision[bool]:
    """Return what decided that a summed section stands in a row of Table 3."""
    rule = SUMMARY_IN_3_2 if name == "t3_2" else SUMMARY_ROW
    return rule.decide(month, **_facts(section, detail))


def _facts(section: str, detail: str) -> dict[str, Fact]:
    told = Detail.read(detail)
    return {
        "section": section,
        "kind": told.kind if told.kind in KINDS else "",
        "is_export": told.kind in EXPORTS,
        "is_inter_state": told.supply == "INTER",
    }
