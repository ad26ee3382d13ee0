"""What a supplier sees of its recipients' actions, in the shape of its return (formats 3.7).

Never what only the recipient may know: how much ITC it reduces, its books, its GSTR-2B (promises 3).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.periods import TaxPeriod
from invoices import gstr1_out, gstr1_rows, outward_list, staging
from invoices.gstr1_json.shapes import SHAPES
from invoices.models import Record

PARTS = {"gstr1": (Form.GSTR1.value, Form.IFF.value), "gstr1a": (Form.GSTR1A.value,)}
OF_TYPE = {"R1": ("gstr1",), "R1A": ("gstr1a",), "": tuple(PARTS)}
"""`rtn_typ` of a call -> the parts of the answer; absent means both (F15)."""

SECTIONS = tuple(gstr1_out.TABLE)
FLAG = {True: "Y", False: "N"}


def told(
    supplier: Taxpayer, *, period: TaxPeriod, parts: Collection[str], tables: Collection[str], at: datetime
) -> dict[str, Any]:
    """Return a supplier's documents of a month, each with its recipient's action and remark: one query a part."""
    sections = [section.value for section in SECTIONS if not tables or gstr1_out.TABLE[section] in tables]
    found: dict[str, Any] = {"gstin": supplier.gstin, "rtnprd": period.wire}
    for part in parts:
        rows = outward_list.of(supplier, at=at).filter(
            return_month=period.month, form__in=PARTS[part], section__in=sections
        )
        shown = rows.select_related("recipient", "original", "detail").order_by(
            gstr1_rows.TABLE, "-detail__eco_supplier", "recipient__gstin", "id"
        )
        found[part] = _lists(supplier.gstin, shown.iterator(chunk_size=gstr1_rows.PIECE))
    return found


def _lists(supplier: str, records: Iterable[Record]) -> dict[str, Any]:
    """Return the lists of a form, by list and recipient."""
    found: dict[str, Any] = {}
    for (part, behind, recipient), few in groupby(records, _place):
        shape = SHAPES[part]
        rows, settled = [], True
        for record in few:
            rows.append(_row(record, supplier))
            settled = settled and record.settled_month is not None
        around = {"stin": behind, shape.recipient: recipient}
        group = {key: around[key] for key in shape.group}
        if "ctin" in group:
            group["cfs"] = FLAG[settled]
        table, _dot, inner = part.partition(".")
        lists = found.setdefault(table, {}) if inner else found
        lists.setdefault(inner or table, []).append({**group, shape.documents: rows})
    return found


def _place(record: Record) -> tuple[str, str, str]:
    behind = record.detail.eco_supplier
    return gstr1_out.part_of(Section(record.section), behind), behind, record.recipient.gstin


def _row(record: Record, supplier: str) -> dict[str, Any]:
    """Return a document as reported, with what its recipient decided; `counts_as` is the list's own annotation."""
    said = gstr1_out.row(staging.document_of(record), supplier)
    action = {"imsactn": str(vars(record)["counts_as"])}
    return {**said, "updby": "S", "flag": "U", **action, **({"remarks": record.remark} if record.remark else {})}
