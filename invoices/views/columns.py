"""The columns of a list as text: every value of a row formatted here, so that the template prints one flat row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from django.urls import reverse
from django.utils.translation import gettext as _

from ims_portal.rules.actions import Action
from ims_portal.rules.documents import BILLS_OF_ENTRY, InvoiceType
from ims_portal.templatetags import ims as show
from invoices import pair_words, wording
from invoices.history import Changed
from invoices.inbox import Line
from invoices.views.listing import TYPES_OF_SUPPLY, Look


@dataclass(frozen=True, slots=True)
class Badge:
    """What is special about a record: a word in a chip, and the rest of the sentence."""

    chip: str
    word: str
    text: str = ""
    changes: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Cells:
    """One record's values as a list prints them; `supplier` is the trade name over the GSTIN, "" where it has none."""

    url: str
    supplier: str
    gstin: str
    gstin_url: str
    day: str
    pos: str
    supply: str
    amends: str
    old_tax: str
    new_tax: str
    reported: str
    status: str
    status_url: str
    value: str
    taxable: str
    igst: str
    cgst: str
    sgst: str
    cess: str
    told_on: str
    badges: Sequence[Badge]


def cells(
    lines: Sequence[Line], look: Look, *, changes: Mapping[int, Sequence[Changed]], told_on: Mapping[int, date]
) -> list[Cells]:
    """Return the cells of each line; `changes` are what an edit took a decision for, `told_on` the days of customs."""
    first = reverse("invoices:record", args=[look.gstin, 0]).removesuffix("0/")
    of_status = {letter: look.toggled(status=letter) for letter in ("S", "F")}
    of_supplier = cache(lambda gstin: look.toggled(supplier=gstin))
    return [_cells(line, of_supplier, first, of_status, changes.get(line.record.pk, ()), told_on) for line in lines]


def _cells(
    line: Line,
    of_supplier: Callable[[str], str],
    first: str,
    of_status: Mapping[str, str],
    changes: Sequence[Changed],
    told_on: Mapping[int, date],
) -> Cells:
    record, original = line.record, line.record.original
    names = {"number": original.number, "day": show.day(original.document_date)} if original else {}
    supplier = record.supplier
    gstin = supplier.gstin if supplier else ""
    return Cells(
        url=f"{first}{record.pk}/",
        supplier=(supplier.trade_name or supplier.legal_name) if supplier else _("Customs"),
        gstin=gstin,
        gstin_url=of_supplier(gstin) if gstin else "",
        day=show.day(record.document_date),
        pos=record.pos,
        supply="" if record.inv_type == InvoiceType.REGULAR else str(TYPES_OF_SUPPLY[InvoiceType(record.inv_type)]),
        amends=_("amends %(number)s of %(day)s") % names if original else "",
        old_tax=show.amount(original.tax.total) if original else "",
        new_tax=show.amount(record.tax.total) if original else "",
        reported=f"{show.period(record.return_month)} {record.form}",
        status=record.status,
        status_url=of_status.get(record.status, ""),
        value=show.amount(record.value),
        taxable=show.amount(record.taxable),
        igst=show.amount(record.igst),
        cgst="" if record.section in BILLS_OF_ENTRY else show.amount(record.cgst),
        sgst="" if record.section in BILLS_OF_ENTRY else show.amount(record.sgst),
        cess=show.amount(record.cess),
        told_on=show.day(told_on.get(record.pk)),
        badges=_badges(line, changes),
    )


def _badges(line: Line, changes: Sequence[Changed]) -> list[Badge]:
    """Return what is special about a record.

    An edit took its decision, it was rejected and reported again, or one other document of the same tax fits it.
    """
    found = []
    if line.record.lost_action:
        action = wording.ACTIONS[Action(line.record.lost_action)]
        text = _("You had chosen %(action)s.") % {"action": action}
        told = [pair_words.changed(change) for change in changes]
        found.append(Badge("stale", _("Changed since decided"), text, told))
    original = line.record.original
    if original is not None and original.settled_as == Action.REJECT:
        names = {"period": show.period(original.settled_month)}
        found.append(Badge("provisional", _("Re-furnished"), _("You rejected it in GSTR-3B of %(period)s.") % names))
    if line.twin is not None:
        number, state = line.twin
        text = _("%(number)s, the same tax: %(state)s") % {"number": number, "state": wording.STATES[state]}
        found.append(Badge("none", _("Pair"), text))
    return found
