"""`returns/gstr3b`: the return as it stands, its draft filled, filed (formats 6)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.gstn import references
from ims_portal.gstn.envelopes import GstnError, wire_code
from ims_portal.gstn.views import Call, GstnView, period_of
from ims_portal.rules.gstr2b import CELL, PARTS_B, Part, Placement
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import standing
from invoices.gstn import texts
from invoices.gstn.gstr1 import prove
from invoices.json_writing import rupees
from returns import gstr3b, gstr3b_json, gstr3b_rows, prefill, wording
from returns.gstr3b import ChangedSinceShownError, Draft, Gstr3bRefusedError
from returns.holds import HeldError
from returns.prefill import Reasons, ReasonsMissingError, Verdict

REASON = "As saved by the taxpayer's own software"
"""Why a row is declared otherwise than derived: this wire has no place for a reason (R8.17)."""

CHANGED = "APP-CHANGED_SINCE_SHOWN"
SAME = (Verdict.SAME, Verdict.COMPUTED)
OUTWARD = {
    "osup_3_1a": "t3_1_a",
    "osup_3_1b": "t3_1_b",
    "osup_3_1c": "t3_1_c",
    "isup_3_1d": "t3_1_d",
    "osup_3_1e": "t3_1_e",
    "esup_3_1_1a": "t3_1_1_i",
    "esup_3_1_1b": "t3_1_1_ii",
}
CREDIT = {"itc4a1": "t4A1", "itc4a3": "t4A3", "itc4a4": "t4A4", "itc4a5": "t4A5", "itc4b2": "t4B2", "itc4d2": "t4D2"}
"""Key of `AUTOLIAB` -> row of the form (formats 6.3)."""
BLOCKS = {Placement.AVAILABLE: "itcavl", Placement.NOT_AVAILABLE: "itcunavl", Placement.REVERSAL: "itcrev"}
"""Block of GSTR-2B -> its name in the details of a row."""


class Gstr3b(GstnView):
    """GSTR-3B."""

    told: Mapping[str, Any] = {}
    """What the data of a body says of whose return and which period; nothing where there is no body."""

    def outer(self, raw: bytes) -> tuple[str, str]:
        """Return action and GSTIN of a body, and keep the text of its data."""
        action, self.text = texts.split(raw)
        self.told = texts.said(self.text, ("gstin", "ret_period"))
        found = self.told.get("gstin", "")
        return action, found if isinstance(found, str) else ""

    def _period(self, request: Request) -> TaxPeriod:
        asked = request.headers.get("ret_period") or request.query_params.get("ret_period")
        month = period_of(asked or self.told.get("ret_period"))
        own = standing.for_page(self.held, self.at).filer.period(month.month)
        if self.taxpayer.is_isd or own.month != month.month or own.month < self.taxpayer.first_month:
            raise GstnError(wire_code("WRONG_PERIOD"), f"There is no GSTR-3B of {month.label} for this GSTIN.")
        return own

    def _draft(self, period: TaxPeriod) -> Draft:
        today = standing.for_page(self.held, self.at)
        return gstr3b.draft(taxpayer=self.taxpayer, period=period, at=self.at, today=today)

    def summary(self, request: Request) -> Mapping[str, Any]:
        """Return the return as declared, draft or filed, as its file holds it."""
        return gstr3b_json.body(gstr3b_rows.of(self._draft(self._period(request))))

    def derived(self, request: Request) -> Mapping[str, Any]:
        """Return what the portal works out from GSTR-1 and GSTR-2B, and of what the credit of a row is made."""
        period = self._period(request)
        shown = self._draft(period)
        outward = {key: {"subtotal": _five(shown, row)} for key, row in OUTWARD.items()}
        details = _details(shown)
        credit = {
            key: {"subtotal": _four(shown.derived[row]), **({"det": details[row]} if row in details else {})}
            for key, row in CREDIT.items()
        }
        liable = {"gstin": self.taxpayer.gstin, "ret_period": period.wire, "sup_details": outward, "elgitc": credit}
        return {"r3bautopop": {"error": [], "liabitc": liable}}

    def save(self, request: Request) -> Mapping[str, Any]:
        """Fill what may be filled of the draft, all of it or nothing; what is locked or computed stays."""
        period = self._period(request)
        shown = self._draft(period)
        asked = prefill.read(self.text.encode(), taxpayer=self.taxpayer, period=period)
        wrong = next((faults[0] for faults in asked.faults.values()), "")
        if wrong:
            raise GstnError("APP-G102", wrong)
        try:
            prefill.fill(
                taxpayer=self.taxpayer,
                period=period,
                seen=prefill.preview(shown, asked),
                reasons=Reasons(for_all=REASON),
                actor=self.actor,
                clock=clock.portal(),
                request_id=uuid.uuid4(),
            )
        except Gstr3bRefusedError as refused:
            raise _refused(refused, shown) from None
        except (ChangedSinceShownError, ReasonsMissingError):
            raise GstnError(CHANGED, "The return changed while it was being saved. Save it again.") from None
        told = {"form": "R3B", "action": "RETSAVE"}
        return {"reference_id": references.keep(actor=self.actor, taxpayer=self.taxpayer, **told)}

    def file(self, request: Request) -> Mapping[str, Any]:
        """File the return where it stands as the body says; the one-time code stands in `sid` behind the PAN."""
        period = self._period(request)
        shown = self._draft(period)
        asked = prefill.read(self.text.encode(), taxpayer=self.taxpayer, period=period)
        other = [line.row for line in prefill.judge(shown, asked) if line.verdict not in SAME]
        if other:
            raise GstnError(CHANGED, f"The return does not stand so any more in {', '.join(other)}. Read it again.")
        prove(self, request)
        try:
            filed = gstr3b.file(
                taxpayer=self.taxpayer,
                period=period,
                actor=self.actor,
                clock=clock.portal(),
                shown_digest=shown.digest,
            )
        except Gstr3bRefusedError as refused:
            raise _refused(refused, shown) from None
        except HeldError as held:
            raise GstnError(wire_code(held.code), held.text) from None
        except ChangedSinceShownError:
            raise GstnError(CHANGED, "The return changed while it was being filed. Read it again.") from None
        return {"ack_num": filed.reference}

    calls = {
        ("GET", "RETSUM"): Call(Right.VIEW, summary),
        ("GET", "AUTOLIAB"): Call(Right.VIEW, derived),
        ("PUT", "RETSAVE"): Call(Right.COMPUTE, save),
        ("PUT", "RETFILE"): Call(Right.FILE, file),
    }


def _details(shown: Draft) -> dict[str, dict[str, Any]]:
    """Return row of Table 4 -> the blocks of GSTR-2B it is made of; credit notes stand apart, as what they take off."""
    found: dict[str, dict[str, Tax]] = {}
    for placement, parts in shown.statement.sums.items() if shown.statement else ():
        for part, sections in parts.items():
            row = CELL.decide(shown.period.month, placement=Placement(placement), part=Part(part)).outcome
            tax = sum((Tax(*heads) for _count, *heads in sections.values()), NIL)
            is_less, block = part in PARTS_B, BLOCKS.get(Placement(placement), "")
            if row and block == "itcavl" and is_less:
                block, is_less = "itcavl_cn", False
            if row:
                kept = found.setdefault(row, {})
                kept[block] = kept.get(block, NIL) + (-tax if is_less else tax)
    return {
        row: {
            block: {**{head: rupees(paise) for head, paise in tax.as_dict().items()}, "form": "GSTR2B"}
            for block, tax in blocks.items()
        }
        for row, blocks in found.items()
    }


def _refused(refused: Gstr3bRefusedError, shown: Draft) -> GstnError:
    return GstnError(wire_code(refused.refusal.value), str(wording.filing(refused.refusal, shown=shown).text))


def _four(tax: Tax) -> dict[str, Any]:
    return {key: rupees(getattr(tax, head)) for head, key in gstr3b_json.KEYS.items()}


def _five(shown: Draft, row: str) -> dict[str, Any]:
    return {"txval": rupees(shown.taxable.get(row, 0)), **_four(shown.derived.get(row, Tax()))}
