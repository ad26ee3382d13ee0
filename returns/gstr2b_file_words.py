"""What two statements say of a document, side by side and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ims_portal.rules.gstin import STATES
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.templatetags import ims as show
from invoices.wording import HEADS as HEAD_NAMES
from returns import summary
from returns.gstr2b_json import BLOCKS, BUCKET_OF
from returns.models import StatementDifference, StatementFile

DECLARED = "declared_"
FIELDS: dict[str, Promise | str] = {
    "placement": _("Where it counts"),
    "reason": _("Reason why ITC is not available"),
    "kind": _("Kind of document"),
    "type": _("Type of supply"),
    "day": _("Date"),
    "pos": _("Place of supply"),
    "reverse": _("Reverse charge"),
    "percent": _("Percent of the tax rate"),
    "value": _("Value"),
    "taxable": _("Taxable value"),
    **HEAD_NAMES,
    "period": _("Supplier's period"),
    "filed": _("Filed on"),
    "answer": _("ITC reduced"),
    **{f"{DECLARED}{head}": _("Declared reduction") for head in HEAD_NAMES},
    "remark": _("Remarks"),
    "was_kind": _("Original: kind"),
    "was_number": _("Original: number"),
    "was_day": _("Original: date"),
    "corrected_number": _("Corrects: number"),
    "corrected_day": _("Corrects: date"),
    "irn": "IRN",
    "irn_day": _("IRN date"),
    "eligible": _("Eligible"),
    "port": _("Port code"),
    "referred": _("Icegate reference date"),
    "received": _("Received on"),
    "amends": _("Type of amendment"),
}
"""What a file says of a document -> its name on the page."""

LISTS = {
    "b2b": _("Invoices"),
    "b2ba": _("Invoices (Amendment)"),
    "cdnr": _("Credit and debit notes"),
    "cdnra": _("Credit and debit notes (Amendment)"),
    "ecom": _("ECO documents"),
    "ecoma": _("ECO documents (Amendment)"),
    "isd": _("ISD documents"),
    "isda": _("ISD documents (Amendment)"),
    "impg": _("Imports from overseas"),
    "impga": _("Imports from overseas (Amendment)"),
    "impgsez": _("Imports from SEZ"),
    "impgseza": _("Imports from SEZ (Amendment)"),
}
"""List of a statement -> its name; those of Rule 37A are told as such."""

AMOUNTS = frozenset({"value", "taxable", *HEAD_NAMES, *(f"{DECLARED}{head}" for head in HEAD_NAMES)})
DAYS = frozenset({"day", "filed", "was_day", "corrected_day", "irn_day", "referred", "received"})
BLOCK_OF = {block: placement for placement, block in BLOCKS.items()}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing two statements say otherwise of a document."""

    name: str
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class Row:
    """A document as listed: `fields` is what differs, or the amounts of a document that only one side has."""

    found: StatementDifference
    kind: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of the summary head by head, in paise, theirs and ours."""

    section: str
    part: str
    heads: list[tuple[str, int, int]]

    @property
    def differs(self) -> bool:
        """Whether any head is another on the other side."""
        return any(theirs != ours for _name, theirs, ours in self.heads)


def row(found: StatementDifference) -> Row:
    """Return a difference in words."""
    kind = found.list.removeprefix("itcrev.")
    name = str(LISTS[kind])
    if kind != found.list:
        name = f"{name}, {summary.SECTIONS[Placement.REVERSAL][0]}"
    return Row(found, name, list(_fields(found.theirs, found.ours)))


def _fields(theirs: Mapping[str, object] | None, ours: Mapping[str, object] | None) -> Iterator[Field]:
    """Yield what both say otherwise, the amounts where only one says anything."""
    for name in FIELDS:
        both = theirs is not None and ours is not None
        if theirs is not None and name in theirs and both:
            is_told = theirs[name] != (ours or {}).get(name)
        else:
            is_told = not both and name in ("taxable", *HEAD_NAMES) and bool((theirs or ours or {}).get(name))
        if is_told:
            their_text, our_text = (value(name, said.get(name)) if said else "" for said in (theirs, ours))
            yield Field(_label(name), their_text, our_text)


def _label(name: str) -> str:
    if not name.startswith(DECLARED):
        return str(FIELDS[name])
    return f"{FIELDS[name]}, {HEAD_NAMES[name.removeprefix(DECLARED)]}"


def value(name: str, said: object) -> str:
    """Return what a file says as its page shows it."""
    if said in (None, ""):
        return ""
    if name in AMOUNTS and isinstance(said, int):
        return show.amount(said)
    if name in DAYS:
        return show.day(date.fromisoformat(str(said)))
    if name == "placement" and said in set(Placement):
        return str(summary.SECTIONS[Placement(str(said))][0])
    if name == "pos":
        return f"{said} {STATES.get(str(said), '')}".strip()
    if name == "period":
        return f"{str(said)[:2]}/{str(said)[2:]}"
    return str(said)


def sums(file: StatementFile) -> list[Sum]:
    """Return the sums of a file beside ours, in the order of the statement."""
    parts = {bucket: part for part, bucket in reversed(BUCKET_OF.items())}
    return [_sum(str(block), parts[str(bucket)], theirs, ours) for block, bucket, theirs, ours in file.sums]


def _sum(block: str, part: Part, theirs: list[int], ours: list[int]) -> Sum:
    heading = _("Credit notes") if BUCKET_OF[part] == "othersup" else summary.PARTS[part][1]
    heads = [(str(name), *pair) for name, pair in zip(HEAD_NAMES.values(), zip(theirs, ours, strict=True), strict=True)]
    return Sum(str(summary.SECTIONS[BLOCK_OF[block]][0]), str(heading), heads)
