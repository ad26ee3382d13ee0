"""`returns/ims`: counts, records by section, actions saved and reset, what became of a request (formats 3)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from django.utils.translation import override
from rest_framework.request import Request as HttpRequest

from ims_portal import clock, large_answers
from ims_portal.access import Right
from ims_portal.gstn.envelopes import GstnError, wire_code
from ims_portal.gstn.views import Call, GstnView, as_upload, period_of, reference_of
from ims_portal.rules.actions import Action
from ims_portal.rules.periods import TaxPeriod
from ims_portal.rules.sections import BILLS_OF_ENTRY, NOTES, Section
from invoices import exchange, exchange_words, ims_json, ims_parts, ims_reading, ims_rows, inbox, standing
from invoices.exchange import InProgressError
from invoices.filters import IN_IMS, Filters
from invoices.gstn import supplier_view as views_of_suppliers
from invoices.ims_json import Dialect
from invoices.ims_reading import OUTER_ACTIONS
from invoices.inbox_sql import Sum
from invoices.models import ActionFile

RESET = "RESETIMS"
NOTHING_FOUND, IN_PROGRESS, UNKNOWN_JOB = "RET13510", "IMSSAV0015", "APP-NOT_FOUND"

SHORT = {"DN": Section.DN, "DNA": Section.DNA, "CN": Section.CN, "CNA": Section.CNA}
NAMES = {section.value.upper(): section for section in IN_IMS} | SHORT
"""Name of a section in a call -> the section; the portal's own page calls the notes B2BDN and so on."""

WORDS = {Action.NONE: "noaction", Action.ACCEPT: "accept", Action.REJECT: "reject", Action.PENDING: "pending"}
NO_COUNTS = dict.fromkeys(WORDS.values(), 0)
BLOCKS = {
    "ALL_OTH": ("all_oth", tuple(section.value for section in IN_IMS if section not in BILLS_OF_ENTRY)),
    "INV_SUPP_ISD": ("inv_supp_isd", ("isd", "isda", "isdcn", "isdcna")),
    "IMP_GDS": ("imp_gds", tuple(section.value for section in IN_IMS if section in BILLS_OF_ENTRY)),
}
"""`goods_typ` -> the block's key and the sections in it; documents of distributors are never in IMS (R1.4)."""


class Ims(GstnView):
    """Inward records of IMS."""

    def counts(self, request: HttpRequest) -> Mapping[str, Any]:
        """Return how many open records each section has by action; one block, or all."""
        wanted = request.query_params.get("goods_typ", "")
        if wanted and wanted not in BLOCKS:
            raise GstnError("APP-G104", f"goods_typ is one of {', '.join(BLOCKS)}.")
        found = inbox.summary(taxpayer=self.taxpayer, today=standing.for_page(self.held, self.at))
        counted = {
            one.section.value: {word: one.by_action.get(letter, Sum()).count for letter, word in WORDS.items()}
            for one in found
        }
        return {
            key: {
                **{section: counted.get(section, NO_COUNTS) for section in sections},
                "ttl_cnt": sum(sum(counted.get(section, NO_COUNTS).values()) for section in sections),
            }
            for name, (key, sections) in BLOCKS.items()
            if wanted in ("", name)
        }

    def records(self, request: HttpRequest) -> Mapping[str, Any]:
        """Return the open records of a section, or the token of its parts where they are many."""
        section = NAMES.get(request.query_params.get("section", "").upper())
        status = request.query_params.get("status", "")
        if section is None:
            raise GstnError("APP-G104", f"section is one of {', '.join(NAMES)}.")
        if status and status not in set(Action):
            raise GstnError("APP-G104", "status is one of A, R, P, N.")
        today = standing.for_page(self.held, self.at)
        wanted = Filters(sections=(section,), action=status)
        rows = large_answers.few(lambda: ims_rows.of(self.taxpayer, today, wanted, with_superseded=False))
        if rows is None:
            return self.in_parts(ims_parts.KIND, ims_parts.asked(section, status))
        if not rows:
            raise GstnError(NOTHING_FOUND, "No record found for the section.")
        recipient = self.taxpayer.gstin
        return {section.value: [ims_json.as_row(row, recipient=recipient, dialect=Dialect.API) for row in rows]}

    def outer(self, raw: bytes) -> tuple[str, str]:
        """Return action and GSTIN of a request to save or reset. Raises UnreadableFileError."""
        told = ims_reading.header(io.BytesIO(raw))
        if not told.is_api:
            raise GstnError("APP-F03", "The body is no request: it needs an action, and data with invdata in it.")
        action = OUTER_ACTIONS[told.request]
        self.is_reset = action == RESET
        return action, told.rtin

    def save(self, request: HttpRequest) -> Mapping[str, Any]:  # noqa: ARG002 - its bytes are kept already
        """Ask for actions to be saved or reset, each as far as the law allows."""
        try:
            found = exchange.request(
                taxpayer=self.taxpayer,
                body=as_upload(self.raw, "request.json"),
                actor=self.actor,
                clock=clock.portal(),
                is_reset=self.is_reset,
            )
        except InProgressError:
            raise GstnError(IN_PROGRESS, "An earlier save or reset is in progress. Try again after it.") from None
        return {"reference_id": found.pk.hex}

    def status(self, request: HttpRequest) -> Mapping[str, Any]:
        """Return what became of a request (formats 3.5)."""
        asked = reference_of(request, "int_tran_id")
        found = exchange.of(taxpayer=self.taxpayer, file_id=asked) if asked else None
        if found is None or not found.is_direct:
            raise GstnError(UNKNOWN_JOB, "There is no such request of this GSTIN.")
        return _report(found, standing.for_page(self.held, self.at))

    def supplier_view(self, request: HttpRequest) -> Mapping[str, Any]:
        """Return one's own documents of a month with what their recipients decided."""
        kind, table = request.query_params.get("rtn_typ", ""), request.query_params.get("section", "").lower()
        if kind not in views_of_suppliers.OF_TYPE:
            raise GstnError("APP-G104", "rtn_typ is R1 or R1A.")
        return views_of_suppliers.told(
            self.taxpayer,
            period=period_of(request.query_params.get("ret_period") or request.headers.get("ret_period")),
            parts=views_of_suppliers.OF_TYPE[kind],
            tables=(table,) if table else (),
            at=self.at,
        )

    calls = {
        ("GET", "SUPVIEW"): Call(Right.VIEW, supplier_view),
        ("GET", "GETCNT"): Call(Right.VIEW, counts),
        ("GET", "GETINV"): Call(Right.VIEW, records),
        ("GET", "FILEDET"): Call(Right.VIEW, GstnView.parts),
        ("GET", "REQSTS"): Call(Right.VIEW, status),
        ("PUT", "SAVE"): Call(Right.ACT, save),
        ("PUT", RESET): Call(Right.ACT, save),
    }


def _report(file: ActionFile, today: standing.Standing) -> Mapping[str, Any]:
    refused = file.refused if file.is_over else 0
    report = {
        "status_cd": "PE" if refused else "P",
        "transTypCd": "RESET" if file.is_reset else "SAVE",
        "proc_cnt": str(file.total if file.is_over else 0),
        "err_cnt": str(refused),
        "err_cd": "",
        "err_msg": "",
    }
    if not file.is_over:
        return report | {"status_cd": "IP"}
    if file.state == ActionFile.State.FAILED:
        return report | {"status_cd": "ER", "proc_cnt": "0", "err_cd": "APP-F01", "err_msg": file.problem}
    return report | {"error_report": _errors(file, today)} if refused else report


def _errors(file: ActionFile, today: standing.Standing) -> Mapping[str, Any]:
    """Return why records were refused, by section: what clients match by supplier and number."""
    found: dict[str, list[dict[str, Any]]] = {}
    with override("en"):
        for one in exchange_words.problems(file, today):
            row = one.row
            document = {"nt_num" if row.section in NOTES else "inum": row.number}
            if row.section in BILLS_OF_ENTRY:
                document = {"portcd": row.port, "boenum": row.number}
            if one.record is not None:
                document["rtnprd"] = TaxPeriod(one.record.return_month).wire
            found.setdefault(row.section or "other", []).append(
                {
                    "stin": row.supplier_gstin,
                    "error_cd": wire_code(row.code or row.verdict),
                    "error_msg": one.text,
                    "inv": [document],
                }
            )
    return found
