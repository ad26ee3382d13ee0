"""What people declare of a GSTR-3B: its rows otherwise than derived, and the entries beside them."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Rupees, rupees
from ims_portal.api.views import Strict, asked
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.actions import Refusal
from ims_portal.rules.money import HEADS, NIL, Tax
from returns import entries, gstr3b, payment_card, wording
from returns.api.gstr3b import ENTRIES, DraftView, Gstr3bOut, told
from returns.entries import EntryTooLowError
from returns.gstr3b import Gstr3bRefusedError


class HeadsIn(Strict):
    """Tax by head, every head said."""

    igst = Rupees()
    cgst = Rupees()
    sgst = Rupees()
    cess = Rupees()


class RowIn(Strict):
    """What a row is declared as: tax by head, in Table 3 the taxable value too, and why where it differs.

    Rows that hold a taxable value alone take no tax. A taxable value that is left out stays as derived.
    """

    tax = HeadsIn(required=False)
    taxable = Rupees(required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=rules.REASON_LIMIT)


class EntryIn(Strict):
    """What is entered, by head: for interest and the cash balance all four, for credit CGST and SGST."""

    igst = Rupees(required=False)
    cgst = Rupees(required=False)
    sgst = Rupees(required=False)
    cess = Rupees(required=False)


_ROW = {
    "tax": {"igst": "900.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"},
    "reason": "Rule 42, first half of the year",
}


class Row(DraftView):
    """One row of a draft."""

    rights = {"PUT": Right.COMPUTE, "DELETE": Right.COMPUTE}

    @extend_schema(
        operation_id="declare_row",
        request=RowIn,
        responses=Gstr3bOut,
        examples=[OpenApiExample("4(B)(1)", value=_ROW, request_only=True)],
    )
    def put(self, request: Request, gstin: str, p: str, row: str) -> Response:  # noqa: ARG002 - of the address
        """Declare a row otherwise than derived, and why. The answer is the draft as it stands then."""
        self._ensure(row)
        sent = asked(RowIn, request, request.data)
        takes_tax, takes_value = row not in rules.VALUE_ONLY, row in rules.TABLE_3
        if takes_tax != ("tax" in sent):
            raise ValidationError({"tax": "Say the tax of every head." if takes_tax else "This row holds no tax."})
        if "taxable" in sent and not takes_value:
            raise ValidationError({"taxable": "This row has no taxable value. Leave it out."})
        if not takes_tax and "taxable" not in sent:
            raise ValidationError({"taxable": "This row is a taxable value alone. Say it."})
        tax = Tax(**sent["tax"]) if takes_tax else NIL
        return self._adjust(row, tax, sent.get("taxable"), sent.get("reason", ""))

    @extend_schema(operation_id="derive_row", request=None, responses={200: Gstr3bOut})
    def delete(self, request: Request, gstin: str, p: str, row: str) -> Response:  # noqa: ARG002 - of the address
        """Set a row back to what is derived. The answer is the draft as it stands then."""
        self._ensure(row)
        return self._adjust(row, None, None, "")

    @staticmethod
    def _ensure(row: str) -> None:
        if row not in rules.ROWS:
            raise Http404("No such row.")

    def _adjust(self, row: str, tax: Tax | None, taxable: int | None, reason: str) -> Response:
        try:
            shown = gstr3b.adjust(
                taxpayer=self.held.taxpayer,
                period=self.period,
                row=row,
                tax=tax,
                taxable=taxable,
                reason=reason,
                actor=self.actor,
                clock=clock.portal(),
                request_id=self.key(),
            )
        except Gstr3bRefusedError as refused:
            code = refused.refusal
            field = "reason" if code is Refusal.REASON_REQUIRED else ""
            message = str(wording.edit(code, period=self.period, row=row))
            raise RefusedError(code.value, message, field=field) from None
        return Response(told(shown))


class Entry(DraftView):
    """One entry beside the rows of a draft."""

    rights = {"PUT": Right.COMPUTE, "DELETE": Right.COMPUTE}

    @extend_schema(operation_id="enter", request=EntryIn, responses=Gstr3bOut)
    def put(self, request: Request, gstin: str, p: str, entry: str) -> Response:  # noqa: ARG002 - of the address
        """Enter interest, the cash balance, or how credit is used. The answer is the draft as it stands then."""
        name = self._row(entry)
        sent = asked(EntryIn, request, request.data)
        wanted = payment_card.ENTRY_HEADS.get(name, HEADS)
        problems = {head: "Say it: 0.00 where there is none." for head in wanted if head not in sent}
        problems |= {head: "This entry has no such head. Leave it out." for head in sent if head not in wanted}
        if problems:
            raise ValidationError(problems)
        return self._enter(name, Tax(**sent))

    @extend_schema(operation_id="take_entry_back", request=None, responses={200: Gstr3bOut})
    def delete(self, request: Request, gstin: str, p: str, entry: str) -> Response:  # noqa: ARG002 - of the address
        """Take an entry back: what the system works out stands again. The answer is the draft as it stands then."""
        return self._enter(self._row(entry), None)

    @staticmethod
    def _row(entry: str) -> str:
        if entry not in ENTRIES:
            raise Http404("No such entry.")
        return ENTRIES[entry]

    def _enter(self, row: str, tax: Tax | None) -> Response:
        try:
            entries.enter(
                taxpayer=self.held.taxpayer,
                period=self.period,
                row=row,
                tax=tax,
                actor=self.actor,
                clock=clock.portal(),
                request_id=self.key(),
            )
        except EntryTooLowError as low:
            least = ", ".join(f"{head} {rupees(paise)}" for head, paise in low.least.as_dict().items())
            raise RefusedError(low.code, f"Nothing was kept. The least that may be entered: {least}.") from None
        except Gstr3bRefusedError as refused:
            message = f"GSTR-3B of {self.period.label} is filed and cannot be changed."
            raise RefusedError(refused.refusal.value, message) from None
        return Response(told(self.draft()))
