"""GSTR-3B for programs: the draft or filed return row by row, and what it pays."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal.access import Right
from ims_portal.api.fields import Heads, Period, Rupees, heads, rupees, wire
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.gstr3b import Carried
from ims_portal.rules.money import HEADS
from returns import gstr3b, payment, payment_card, review, tables
from returns.api.periods import PeriodView
from returns.gstr3b import Draft
from returns.models import Filing
from returns.payment import Payment

ENTRIES = {
    "interest": payment.INTEREST,
    "cash_balance": payment.CASH_BALANCE,
    "igst_credit": payment.IGST_CREDIT,
    "own_credit": payment.OWN_CREDIT,
}
"""Name of an entry in addresses -> its row."""


class CarriedOut(serializers.Serializer[Any]):
    """Tax below zero: brought from earlier returns, used by this one, carried to the next; what remains payable."""

    brought = Heads()
    used = Heads()
    forward = Heads()
    payable = Heads()


class RowOut(serializers.Serializer[Any]):
    """A row of the form. `declared` is what is filed; `taxable` and `declared_taxable` of rows of Table 3 alone.

    `lock` says why a row follows what is derived and cannot be declared, `warning` what may be asked about later.
    """

    row = serializers.ChoiceField(rules.ROWS)
    table = serializers.CharField()
    derived = Heads()
    declared = Heads()
    taxable = Rupees(allow_null=True)
    declared_taxable = Rupees(allow_null=True)
    reason = serializers.CharField()
    is_editable = serializers.BooleanField()
    lock = serializers.CharField()
    warning = serializers.CharField()
    carried = CarriedOut(allow_null=True)


class UseOut(serializers.Serializer[Any]):
    """Credit of a head that pays tax of a head."""

    of = serializers.ChoiceField(HEADS)
    pays = serializers.ChoiceField(HEADS)
    amount = Rupees()


class LateOut(serializers.Serializer[Any]):
    """The return before, filed late: how late, what it left to pay, and the interest the system works out."""

    period = Period()
    due = serializers.DateField()
    filed_on = serializers.DateField()
    days = serializers.IntegerField()
    net = Heads()
    interest = Heads()


class EntriesOut(serializers.Serializer[Any]):
    """What was entered beside the rows, null where nothing was."""

    interest = Heads(allow_null=True)
    cash_balance = Heads(allow_null=True)
    igst_credit = Heads(allow_null=True)
    own_credit = Heads(allow_null=True)


class PaymentOut(serializers.Serializer[Any]):
    """Tables 5.1 and 6.1: `payable` of rows that credit may pay, `cash_only` of those it may not, and what pays them.

    `cash` is all that is paid in cash, interest too, in whole rupees.
    """

    payable = Heads()
    cash_only = Heads()
    credit = Heads()
    uses = UseOut(many=True)
    credit_left = Heads()
    interest = Heads()
    cash = Heads()
    late = LateOut(allow_null=True)
    entries = EntriesOut()


class InTheWayOut(serializers.Serializer[Any]):
    """What filing would be refused for now, and what to do."""

    code = serializers.CharField()
    message = serializers.CharField()


class Filing3bOut(serializers.Serializer[Any]):
    """The filing of a return, with its reference."""

    reference = serializers.CharField()
    filed_at = serializers.DateTimeField()
    filed_by = serializers.CharField()


class Gstr3bOut(serializers.Serializer[Any]):
    """A GSTR-3B as it stands, or as filed. `digest` goes with filing, so that nothing is filed that was not read.

    `statement_version` is the GSTR-2B it derives from, `is_out_of_date` whether that would come out otherwise now.
    `reclaim_room` is how far 4(D)(1) is below its limit, `rcm_room` how far 4(A)(2) and 4(A)(3) are below theirs;
    below zero they are above it. `add_back` is what recipients' rejections put into Table 3. `excess_itc` is the hint
    that ITC stands far above GSTR-2B, "" where it does not.
    """

    period = Period()
    state = serializers.ChoiceField(["draft", "filed"])
    due = serializers.DateField()
    statement_version = serializers.IntegerField(allow_null=True)
    is_out_of_date = serializers.BooleanField()
    digest = serializers.CharField()
    net_itc = Heads()
    rows = RowOut(many=True)
    reclaim_room = Heads()
    rcm_room = Heads()
    add_back = Heads()
    excess_itc = serializers.CharField()
    payment = PaymentOut(allow_null=True)
    in_the_way = InTheWayOut(allow_null=True)
    filing = Filing3bOut(allow_null=True)


class DraftView(PeriodView):
    """A view about a period's GSTR-3B."""

    def draft(self) -> Draft:
        """Return the draft, or the filed return, as it stands now."""
        return gstr3b.draft(taxpayer=self.held.taxpayer, period=self.period, at=self.at, today=self.today)


class Return(DraftView):
    """A period's GSTR-3B."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="gstr3b", responses=Gstr3bOut)
    def get(self, request: Request, gstin: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """Return the draft as it stands now, or the return as it was filed."""
        return Response(told(self.draft()))


def told(shown: Draft) -> dict[str, Any]:
    """Return a return as `Gstr3bOut` describes it."""
    filing = shown.filing
    stands = None if filing or shown.refusal is None else review.advice(shown.refusal, shown)
    return {
        "period": wire(shown.period.month),
        "state": "filed" if filing else "draft",
        "due": shown.due.isoformat(),
        "statement_version": shown.statement.version if shown.statement else None,
        "is_out_of_date": shown.is_out_of_date,
        "digest": shown.digest,
        "net_itc": heads(shown.declared["t4C"]),
        "rows": [_row(tables.row(shown, name)) for name in rules.ROWS],
        "reclaim_room": heads(shown.reclaim_room),
        "rcm_room": heads(shown.rcm_room),
        "add_back": heads(shown.addback),
        "excess_itc": payment_card.excess(shown.period.month, shown.derived, shown.declared),
        "payment": _payment(shown.payment, shown) if shown.payment else None,
        "in_the_way": {"code": stands.code, "message": stands.text} if stands else None,
        "filing": filing_told(filing) if filing else None,
    }


def filing_told(filing: Filing) -> dict[str, Any]:
    """Return a filing as `Filing3bOut` describes it."""
    return {
        "reference": filing.reference,
        "filed_at": filing.filed_at.astimezone(UTC).isoformat(),
        "filed_by": str(filing.filed_by or ""),
    }


def _row(found: tables.Row) -> dict[str, Any]:
    return {
        "row": found.name,
        "table": found.number,
        "derived": heads(found.derived),
        "declared": heads(found.declared),
        "taxable": None if found.taxable is None else rupees(found.taxable),
        "declared_taxable": None if found.declared_taxable is None else rupees(found.declared_taxable),
        "reason": found.reason,
        "is_editable": found.is_editable,
        "lock": found.lock,
        "warning": found.warning,
        "carried": _carried(found.carried) if found.carried is not None else None,
    }


def _carried(found: Carried) -> dict[str, Any]:
    return {
        "brought": heads(found.brought),
        "used": heads(found.used),
        "forward": heads(found.forward),
        "payable": heads(found.payable),
    }


def _payment(paid: Payment, shown: Draft) -> dict[str, Any]:
    done, late = paid.set_off, paid.late
    return {
        "payable": heads(done.payable),
        "cash_only": heads(done.cash_only),
        "credit": heads(done.credit),
        "uses": [
            {"of": gives, "pays": head, "amount": rupees(amount)} for (gives, head), amount in sorted(done.uses.items())
        ],
        "credit_left": heads(done.credit - done.used),
        "interest": heads(paid.interest),
        "cash": heads(paid.cash),
        "late": late
        and {
            "period": wire(late.month),
            "due": late.due.isoformat(),
            "filed_on": late.paid.isoformat(),
            "days": late.days,
            "net": heads(late.net),
            "interest": heads(late.interest),
        },
        "entries": {name: heads(shown.entries[row]) if row in shown.entries else None for name, row in ENTRIES.items()},
    }
