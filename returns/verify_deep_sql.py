"""What `verify --deep` reads: a statement's records as they were reported and chosen, beside the lines it has.

Nothing that the making of lines worked out is read of a record but what stays of its settlement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from ims_portal import sql
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.gstr2b import Unavailable
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.statement import Choice, Version

REPORTED = (
    "id",
    "chain_no",
    "original_id",
    "section",
    "boe_change",
    "reverse_charge",
    "is_ineligible",
    "pos",
    "credit_fy",
    "gstr2b_month",
    "taxable",
    *HEADS,
    "settled_month",
    "settled_as",
    "unavailable",
    "filed_on::text",
    "filed_seq",
    "status",
    "form",
)
PRINTED = ("placement", "reason", "part", "row", "cell", "status", *HEADS, "answer", "remark")


class Stored(NamedTuple):
    """A record's columns of `REPORTED`, behind the State code of its supplier."""

    supplier_state: str
    id: int
    chain_no: int
    original_id: int | None
    section: str
    boe_change: str
    reverse_charge: bool
    is_ineligible: bool
    pos: str
    credit_fy: int
    gstr2b_month: int | None
    taxable: int
    igst: int
    cgst: int
    sgst: int
    cess: int
    settled_month: int | None
    settled_as: str
    unavailable: str
    filed_on: str | None
    filed_seq: int | None
    status: str
    form: str

    @property
    def was_taken_back(self) -> bool:
        """Whether it was filed once: a GSTR-6 may be replaced until a filed GSTR-3B used it (formats 10.2)."""
        return self.status == "W" and self.form == Form.GSTR6

    def came_before(self, seq: int, as_of: str) -> bool | None:
        """Whether it was filed when a statement was computed; None where that is not kept and the day is the same."""
        if self.status != "F" or self.filed_on is None:
            return False
        if self.filed_seq is not None:
            return self.filed_seq < seq
        return None if self.filed_on == as_of else self.filed_on < as_of

    def version(self, month: int) -> Version:
        """Return the filed version as the law sees it from a statement of a month."""
        is_settled = self.settled_month is not None and self.settled_month < month
        return Version(
            number=self.id,
            chain_no=self.chain_no,
            original=self.original_id,
            section=Section(self.section),
            boe_change=self.boe_change,
            is_reverse_charge=self.reverse_charge,
            is_ineligible=self.is_ineligible,
            pos=self.pos,
            supplier_state=self.supplier_state,
            credit_fy=self.credit_fy,
            month=self.gstr2b_month or 0,
            taxable=self.taxable,
            tax=Tax(self.igst, self.cgst, self.sgst, self.cess),
            settled_as=self.settled_as if is_settled else "",
            was_unavailable=is_settled and self.unavailable != Unavailable.NO,
        )


Printed = tuple[object, ...]


class Beside(NamedTuple):
    """A record of a statement's scope, the other versions of its document, what was chosen, and its stored line."""

    record: Stored
    others: list[Stored]
    choice: Choice
    line: Printed | None


def beside(*, recipient_id: int, month: int, version: int, seq: int) -> Iterator[Beside]:
    """Yield every record a version of a statement counts or might count, as a cursor of the server hands them out."""
    state = "coalesce(left({0}.gstin, 2), '')"
    record = ", ".join(f"r.{name}" for name in REPORTED)
    other = ", ".join(f"o.{name}" for name in REPORTED)
    rows = sql.stream(
        f"""
        SELECT {state.format("rs")}, {record}, others.told,
            coalesce(e.action, 'N'), coalesce(e.answer, ''), {", ".join(f"coalesce(e.declared_{h}, 0)" for h in HEADS)},
            coalesce(e.remark, ''), l.id, {", ".join(f'l."{name}"' for name in PRINTED)}
        FROM invoices_record r
        LEFT JOIN ims_portal_taxpayer rs ON rs.id = r.supplier_id
        LEFT JOIN returns_gstr2bline l ON l.recipient_id = r.recipient_id AND l.record_id = r.id
            AND l.month = %(month)s AND l.first_version <= %(version)s
            AND (l.last_version IS NULL OR l.last_version >= %(version)s)
        LEFT JOIN LATERAL (
            SELECT a.* FROM invoices_actionevent a
            WHERE a.recipient_id = r.recipient_id AND a.record_id = r.id AND a.inbox_seq <= %(seq)s
            ORDER BY a.version DESC LIMIT 1) e ON true
        LEFT JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_array({state.format("os")}, {other})) AS told FROM invoices_record o
            LEFT JOIN ims_portal_taxpayer os ON os.id = o.supplier_id
            WHERE o.recipient_id = r.recipient_id AND o.chain = r.chain AND o.id <> r.id) others ON true
        WHERE r.recipient_id = %(recipient)s AND (l.id IS NOT NULL OR (r.status = 'F' AND r.gstr2b_month <= %(month)s
            AND (r.settled_month IS NULL OR r.settled_month >= %(month)s)))
        """,
        {"recipient": recipient_id, "month": month, "version": version, "seq": seq},
    )
    width = len(Stored._fields)
    for row in rows:
        chosen = row[width + 1 : width + 8]
        line = row[width + 8 :]
        yield Beside(
            record=Stored(*row[:width]),  # type: ignore[arg-type]
            others=[Stored(*one) for one in json.loads(str(row[width] or "[]"))],
            choice=Choice(
                Action(str(chosen[0])), str(chosen[1]), Tax(*(int(str(v)) for v in chosen[2:6])), str(chosen[6])
            ),
            line=None if line[0] is None else line[1:],
        )
