"""One document typed by hand: its tax worked out, read as a file's would be, saved into its form.

What was typed becomes the very words a file uses, so that a document is judged and kept the same whichever way it came.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from ims_portal import audit, once
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules import documents, rates
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import SEZ, Document, Form, InvoiceType, Problem, Section
from ims_portal.rules.money import NIL, Tax, to_rupees
from ims_portal.rules.periods import TaxPeriod
from ims_portal.rules.rates import Heads
from invoices import gstr1_json, gstr1_out, outward
from invoices.models import Record

TABLES = {
    "b2b": (Section.B2B,),
    "b2ba": (Section.B2BA,),
    "cdnr": (Section.CN, Section.DN),
    "cdnra": (Section.CNA, Section.DNA),
    "ecom": (Section.ECO,),
    "ecoma": (Section.ECOA,),
}
"""The tables of a form that lead to IMS, as files name them, each with its sections of IMS (R1.3)."""
TABLE_OF = {section: table for table, sections in TABLES.items() for section in sections}
OF_OPERATORS = frozenset({"ecom", "ecoma"})
NOTE_TYPES = {Section.CN: "C", Section.CNA: "C", Section.DN: "D", Section.DNA: "D"}
AMENDED_IN = {original: amendment for amendment, original in documents.ORIGINAL_OF.items()}
"""From a section to that of its amendments; an amendment is amended in its own."""

FIELDS = {
    "ctin": "recipient",
    "rtin": "recipient",
    "stin": "eco_supplier",
    "inum": "number",
    "nt_num": "number",
    "idt": "dated",
    "nt_dt": "dated",
    "pos": "pos",
    "val": "value",
    "inv_typ": "inv_type",
    "ntty": "note",
    "rt": "rate",
    "txval": "taxable",
    "iamt": "igst",
    "camt": "cgst",
    "samt": "sgst",
    "csamt": "cess",
}
"""From a file's key to the field of the page."""
_LINE = re.compile(r"\bline ([0-9]+):")
_BY_DATE = frozenset({"APP-G108", "APP-G109"})
_BY_ALL = frozenset({"APP-G110", "APP-G111", "APP-G112"})


@dataclass(frozen=True, slots=True)
class Line:
    """A rate line as typed: the rate in hundredths of a percent, amounts in paise, a tax left empty None."""

    rate: int
    taxable: int
    igst: int | None = None
    cgst: int | None = None
    sgst: int | None = None
    cess: int | None = None


@dataclass(frozen=True, slots=True)
class Typed:
    """A document as typed, read but not judged. Amounts in paise; an empty value is None and is worked out."""

    section: Section
    recipient: str
    number: str
    dated: date
    pos: str
    lines: tuple[Line, ...]
    inv_type: str = InvoiceType.REGULAR.value
    reverse_charge: bool = False
    differential: bool = False
    value: int | None = None
    eco_supplier: str = ""
    original_number: str = ""
    original_date: date | None = None
    position: str = "entry"

    @property
    def table(self) -> str:
        """The table it stands in, as files name it."""
        return TABLE_OF[self.section]


@dataclass(frozen=True, slots=True)
class Where:
    """Into which form a document is typed, and whether its recipient is an SEZ unit (R10.8)."""

    supplier: Taxpayer
    form: Form
    period: TaxPeriod
    is_to_sez: bool = False

    @property
    def is_sez(self) -> bool:
        """Whether either side is an SEZ unit."""
        return self.is_to_sez or self.supplier.kind == Taxpayer.Kind.SEZ


@dataclass(frozen=True, slots=True)
class Sums:
    """What a typed document comes to: the tax of each line with empty amounts worked out, and its totals in paise."""

    heads: Heads
    lines: tuple[Tax, ...]
    taxable: int
    tax: Tax
    value: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a typed document: the page's field, its line (0 none), a sentence, the refusal's code."""

    field: str
    line: int
    text: str
    refusal: str = Refusal.DOCUMENT_INVALID.value


@dataclass(frozen=True, slots=True)
class Entered:
    """What a save did: the record, whether anything changed, and warnings that stopped nothing."""

    record_id: int
    has_changed: bool
    warnings: tuple[str, ...] = ()


class RefusedError(Exception):
    """A typed document may not stand; `complaints` says everything that is wrong with it."""

    def __init__(self, complaints: list[Complaint]) -> None:
        self.complaints = complaints
        super().__init__("; ".join(complaint.text for complaint in complaints))


def where(typed: Typed, *, supplier: Taxpayer, form: Form, period: TaxPeriod) -> Where:
    """Return into which form of a supplier a document is typed: one query for its recipient."""
    units = Taxpayer.objects.filter(gstin=typed.recipient, kind=Taxpayer.Kind.SEZ)
    return Where(supplier, form, period, bool(typed.recipient) and units.exists())


def sums(typed: Typed, where: Where) -> Sums:
    """Return what a document comes to; a tax left empty is rate times value to the nearest paisa (R10.8)."""
    heads = rates.heads_due(
        typed.dated,
        is_sez=where.is_sez or typed.inv_type in SEZ,
        is_same_state=where.supplier.state == typed.pos,
    )
    lines = tuple(_tax(typed, line, heads) for line in typed.lines)
    taxable, tax = sum(line.taxable for line in typed.lines), sum(lines, NIL)
    due = taxable + (0 if typed.reverse_charge else tax.total)
    return Sums(heads, lines, taxable, tax, due if typed.value is None else typed.value)


def _tax(typed: Typed, line: Line, heads: Heads) -> Tax:
    due = rates.worked_out(
        taxable=line.taxable,
        rate=line.rate,
        heads=heads,
        is_differential=typed.differential,
        kind=typed.inv_type,
    )
    igst, cgst, sgst = (
        worked_out if amount is None else amount
        for amount, worked_out in zip((line.igst, line.cgst, line.sgst), due, strict=True)
    )
    return Tax(igst, cgst, sgst, line.cess or 0)


def read(typed: Typed, found: Sums) -> Document | list[Problem]:
    """Return the document a file with the same words would give, or what a file's reader would complain of."""
    part, around = gstr1_out.part_of(typed.section, typed.eco_supplier), {"ctin": typed.recipient}
    if typed.table in OF_OPERATORS:
        behind = {"stin": typed.eco_supplier} if typed.eco_supplier else {}
        around = {**behind, "rtin": typed.recipient}
    return gstr1_json.one(_words(typed, found), part=part, around=around, position=typed.position)


def _words(typed: Typed, found: Sums) -> dict[str, Any]:
    """Return a typed document in the words of a file (formats 2.2)."""
    is_note = typed.section in documents.NOTES
    number, dated = ("nt_num", "nt_dt") if is_note else ("inum", "idt")
    words: dict[str, Any] = {
        number: typed.number,
        dated: f"{typed.dated:%d-%m-%Y}",
        "val": to_rupees(found.value),
        "pos": typed.pos,
        "inv_typ": typed.inv_type,
        "itms": [
            {
                "num": place,
                "itm_det": {
                    "rt": to_rupees(line.rate),
                    "txval": to_rupees(line.taxable),
                    **dict(zip(("iamt", "camt", "samt", "csamt"), map(to_rupees, tax), strict=True)),
                },
            }
            for place, (line, tax) in enumerate(zip(typed.lines, found.lines, strict=True), start=1)
        ],
    }
    if is_note:
        words["ntty"] = NOTE_TYPES[typed.section]
    if typed.original_number and typed.original_date:
        original, its_day = ("ont_num", "ont_dt") if is_note else ("oinum", "oidt")
        words |= {original: typed.original_number, its_day: f"{typed.original_date:%d-%m-%Y}"}
    if typed.table in OF_OPERATORS:
        words |= {"flag": "N", "sply_ty": "INTRA" if found.heads is Heads.CGST_AND_SGST else "INTER"}
    else:
        words["rchrg"] = "Y" if typed.reverse_charge else "N"
        if typed.differential:
            words["diff_percent"] = to_rupees(rates.DIFFERENTIAL)
    return words


def complaints(typed: Typed, where: Where, *, unread: Collection[str] = ()) -> list[Complaint]:
    """Return what is wrong with a document by itself, leaving out what rests on fields that could not be read."""
    document = read(typed, sums(typed, where))
    if isinstance(document, list):
        found = document
    else:
        found = documents.problems(
            document,
            supplier=where.supplier.gstin,
            form=where.form,
            period_end=where.period.last_day,
            registered_on=where.supplier.registered_on,
            is_sez=where.is_sez,
            is_operator=where.supplier.kind == Taxpayer.Kind.ECO,
        )
    resting = (_BY_DATE if "dated" in unread else frozenset()) | (_BY_ALL if unread else frozenset())
    told = [_complaint(problem) for problem in found if not problem.is_warning and problem.code not in resting]
    return [complaint for complaint in told if complaint.field not in unread]


def _complaint(problem: Problem) -> Complaint:
    line = _LINE.search(problem.message)
    return Complaint(FIELDS.get(problem.field, ""), int(line[1]) if line else 0, problem.message, problem.refusal)


def save(
    typed: Typed,
    where: Where,
    *,
    actor: User,
    clock: Clock,
    request_id: uuid.UUID,
    replaced: Record | None = None,
    seen: int = 0,
) -> Entered:
    """Save a typed document: a new one, or in place of a saved record seen at version `seen`.

    The recipient sees it at once (R1.4); its action on a replaced record is reset (R2.3). The same request again gives
    the same answer. Raises RefusedError with everything that is wrong, outward.ReturnRefusedError where the form is
    not open, outward.ChangedMeanwhileError, once.MismatchError, access.RightMissingError, locking.BusyError.
    """
    document = read(typed, sums(typed, where))
    if isinstance(document, list):
        raise RefusedError([_complaint(problem) for problem in document])
    supplier, form, period = where.supplier, where.form, where.period
    body: dict[str, object] = {"do": "enter", "gstin": supplier.gstin, "form": form.value, "month": period.month}
    body |= {"document": asdict(document), "record": replaced.pk if replaced else None}
    before = _earlier(actor, request_id, body)
    if before:
        return before

    done: list[Entered] = []

    def finishing(saved: outward.Saved) -> None:
        done.append(_kept(saved, replaced, actor, request_id, body))
        _audit(done[-1], where, actor, request_id, clock.now())

    try:
        outward.save(
            supplier=supplier,
            form=form,
            period=period,
            found=[document],
            actor=actor,
            clock=clock,
            replacing={document.position: replaced.pk} if replaced else None,
            keys_replace=False,
            all_or_nothing=True,
            seen={replaced.pk: seen} if replaced else None,
            finishing=finishing,
        )
    except (outward.ReturnRefusedError, outward.ChangedMeanwhileError) as refused:
        # The same click twice: its twin was first, and what it saved now stands in the way.
        before = _earlier(actor, request_id, body)
        if before:
            return before
        if getattr(refused, "problems", None):
            raise RefusedError([_complaint(problem) for problem in refused.problems]) from None  # type: ignore[union-attr]
        raise
    return done[-1]


def _kept(
    saved: outward.Saved, replaced: Record | None, actor: User, request_id: uuid.UUID, body: Mapping[str, object]
) -> Entered:
    """Return what a save did, and keep it as the answer of its request. This will join the transaction of the save."""
    old = replaced.pk if replaced else 0
    kept = Entered(
        saved.record_ids[0] if saved.record_ids else old,
        bool(saved.added or saved.changed),
        tuple(problem.message for problem in saved.problems),
    )
    once.answered(once.claim(actor=actor, key=request_id, body=body), asdict(kept))
    return kept


def _audit(kept: Entered, where: Where, actor: User, request_id: uuid.UUID, at: datetime) -> None:
    audit.record(
        event="document.saved",
        at=at,
        actor=actor,
        taxpayer=where.supplier,
        request_id=request_id,
        subject=f"{where.form.value} {where.period.name}",
        details={"record": kept.record_id, "changed": kept.has_changed},
    )


def _earlier(actor: User, request_id: uuid.UUID, body: Mapping[str, object]) -> Entered | None:
    kept: dict[str, Any] = once.earlier(actor=actor, key=request_id, body=body)
    return Entered(kept["record_id"], kept["has_changed"], tuple(kept["warnings"])) if kept else None


def of_record(record: Record) -> Typed:
    """Return a stored record as its supplier would type it; one query for its lines."""
    kept, original = record.detail, record.original
    return Typed(
        section=Section(record.section),
        recipient=record.recipient.gstin,
        number=record.number,
        dated=record.document_date,
        pos=record.pos,
        lines=tuple(Line(rate, taxable, *tax) for rate, taxable, *tax in kept.items),
        inv_type=record.inv_type,
        reverse_charge=record.reverse_charge,
        differential=kept.differential,
        value=record.value,
        eco_supplier=kept.eco_supplier,
        original_number=original.number if original else "",
        original_date=original.document_date if original else None,
    )


def worked_out(typed: Typed) -> Typed:
    """Return a document with every tax and the value left to be worked out; cess is no rate's and stays."""
    lines = tuple(Line(line.rate, line.taxable, cess=line.cess) for line in typed.lines)
    return replace(typed, lines=lines, value=None)


def amending(record: Record) -> Typed:
    """Return a filed record as an amendment that changes nothing yet: it names the record it amends."""
    typed = of_record(record)
    return replace(
        typed,
        section=AMENDED_IN.get(typed.section, typed.section),
        original_number=record.number,
        original_date=record.document_date,
    )
