"""What a supplier's next GSTR-3B will owe, for programs: low to high, row by row, recipient by recipient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal.access import Right
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Heads, Period, heads, wire
from ims_portal.api.views import TaxpayerView
from returns import forecast, wording
from returns.api.queries import MOST
from returns.forecast import Line, Recipient


class ForecastRowOut(serializers.Serializer[Any]):
    """A row of Table 3.

    `low` is what GSTR-3B would derive now: own returns and fixed add-backs; `high` adds what is provisional, every
    rejection that stands today.
    """

    row = serializers.CharField()
    table = serializers.CharField()
    own = Heads()
    fixed = Heads()
    provisional = Heads()
    low = Heads()
    high = Heads()


class RecipientOut(serializers.Serializer[Any]):
    """What a recipient's rejections add: fixed by its filed GSTR-3B, or provisional; how many records each."""

    gstin = serializers.CharField()
    name = serializers.CharField()
    fixed = Heads()
    fixed_records = serializers.IntegerField()
    provisional = Heads()
    provisional_records = serializers.IntegerField()


class LaterOut(serializers.Serializer[Any]):
    """What would land in a later period, by recipient, the dearest of all `count` first."""

    period = Period()
    together = Heads()
    count = serializers.IntegerField()
    recipients = RecipientOut(many=True)


class ForecastOut(serializers.Serializer[Any]):
    """The first GSTR-3B that is not filed; `gstr1_is_filed` whether its own documents are complete.

    `recipients` are the dearest of all `count`.
    """

    period = Period()
    gstr1_is_filed = serializers.BooleanField()
    rows = ForecastRowOut(many=True)
    total_low = Heads()
    total_high = Heads()
    count = serializers.IntegerField()
    recipients = RecipientOut(many=True)
    later = LaterOut(many=True)


class Forecast(TaxpayerView):
    """A supplier's next GSTR-3B."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="forecast", responses=ForecastOut)
    def get(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """Return what the next GSTR-3B will owe on outward supplies, and which recipients' rejections raise it."""
        taxpayer = self.held.taxpayer
        if taxpayer.is_isd:
            raise RefusedError("WRONG_PERIOD", f"{taxpayer.name} is an input service distributor: it has no GSTR-3B.")
        found = forecast.of(supplier=taxpayer, at=self.at)
        total = found.total
        return Response(
            {
                "period": wire(found.period.month),
                "gstr1_is_filed": found.gstr1_is_filed,
                "rows": [_row(line) for line in found.lines],
                "total_low": heads(total.low),
                "total_high": heads(total.high),
                "count": len(found.recipients),
                "recipients": _dearest(found.recipients),
                "later": [
                    {
                        "period": wire(later.period.month),
                        "together": heads(later.together),
                        "count": len(later.recipients),
                        "recipients": _dearest(later.recipients),
                    }
                    for later in found.later
                ],
            }
        )


def _row(line: Line) -> dict[str, Any]:
    return {
        "row": line.row,
        "table": wording.ROW_NAMES[line.row][0],
        "own": heads(line.own),
        "fixed": heads(line.fixed),
        "provisional": heads(line.provisional),
        "low": heads(line.low),
        "high": heads(line.high),
    }


def _dearest(found: Sequence[Recipient]) -> list[dict[str, Any]]:
    return [
        {
            "gstin": one.gstin,
            "name": one.name,
            "fixed": heads(one.fixed),
            "fixed_records": one.fixed_count,
            "provisional": heads(one.provisional),
            "provisional_records": one.provisional_count,
        }
        for one in found[:MOST]
    ]
