"""The forecast of a supplier's next GSTR-3B: what its recipients' rejections add, fixed and provisional."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ims_portal import charts, web
from ims_portal.charts import AddBack, Figure
from ims_portal.rules.periods import TaxPeriod
from invoices.outward_filters import FIXED, PROVISIONAL, Wanted
from returns import forecast, wording
from returns.forecast import Forecast, Line, Recipient


@require_safe
def page(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show the supplier's next GSTR-3B from low to high, row by row, head by head, recipient by recipient."""
    held = web.enter(request, gstin)
    at: datetime = request.portal_now
    if held.taxpayer.is_isd:
        return render(request, "returns/forecast.html", {"place": "forecast", "is_isd": True})
    found = forecast.of(supplier=held.taxpayer, at=at)
    context = {
        "place": "forecast",
        "forecast": found,
        "rows": [_row(gstin, found, line) for line in found.lines if _is_told(line)],
        "heads": _heads(found.total),
        "fixed_url": _list(gstin, found.period, FIXED),
        "provisional_url": _list(gstin, found.period, PROVISIONAL),
        "recipients": [_recipient(gstin, found.period, one) for one in found.recipients],
        "later": [
            (later.period, [_recipient(gstin, later.period, one) for one in later.recipients], later.together)
            for later in found.later
        ],
        "figure": _figure(gstin, found),
    }
    return render(request, "returns/forecast.html", context)


def _is_told(line: Line) -> bool:
    return line.row == forecast.ROWS[0] or any((*line.own, *line.fixed, *line.provisional))


def _row(gstin: str, found: Forecast, line: Line) -> dict[str, object]:
    number, name = wording.ROW_NAMES[line.row]
    return {
        "number": number,
        "name": name,
        "line": line,
        "url": reverse("returns:gstr3b-adjust", args=[gstin, found.period.wire, line.row]),
    }


def _heads(total: Line) -> list[tuple[str, Sequence[int], int]]:
    """Return the steps from low to high, each by head and together."""
    steps = (
        (_("Own filed returns"), total.own),
        (_("+ fixed add-backs"), total.fixed),
        (_("= low"), total.low),
        (_("+ provisional add-backs"), total.provisional),
        (_("= high"), total.high),
    )
    return [(name, tuple(tax), tax.total) for name, tax in steps]


def _list(gstin: str, period: TaxPeriod, effect: str, recipient: str = "") -> str:
    """Return the address of the rejected records behind a figure."""
    return Wanted(place="rejected", effect=effect, into=period.month, recipient=recipient).address(gstin)


def _recipient(gstin: str, period: TaxPeriod, one: Recipient) -> dict[str, object]:
    return {
        "one": one,
        "fixed_url": _list(gstin, period, FIXED, one.gstin),
        "provisional_url": _list(gstin, period, PROVISIONAL, one.gstin),
        "url": _list(gstin, period, "", one.gstin),
    }


def _figure(gstin: str, found: Forecast) -> Figure | None:
    """Return chart C6, None where nothing is added to this return."""
    lines = [
        AddBack(one.name, one.fixed.total, one.provisional.total, _list(gstin, found.period, "", one.gstin))
        for one in found.recipients
    ]
    return charts.add_backs(lines) if lines else None
