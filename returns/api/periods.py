"""How every address of a period opens: which of the GSTIN's own periods it is, refused in words where it is none."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework.request import Request

from ims_portal.api.errors import RefusedError
from ims_portal.api.views import TaxpayerView
from ims_portal.rules import periods
from ims_portal.rules.periods import TaxPeriod
from invoices import standing
from invoices.standing import Standing
from returns import wording


class PeriodView(TaxpayerView):
    """A view about a period of a GSTIN, MMYYYY in its address, a quarter by its last month."""

    period: TaxPeriod
    today: Standing

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Open the period. Raises Http404 for none, RefusedError for a month whose quarter is meant."""
        super().initial(request, *args, **kwargs)
        try:
            asked = periods.parse(kwargs["p"])
        except periods.NotAPeriodError:
            raise Http404("No such period.") from None
        taxpayer = self.held.taxpayer
        self.today = standing.for_page(self.held, self.at)
        self.period = self.today.filer.period(asked.month)
        if asked.is_quarter or asked.month < taxpayer.first_month:
            raise Http404("No such period.")
        if self.period.month != asked.month or taxpayer.is_isd:
            advice = wording.wrong_period(taxpayer, asked, self.period, "returns:gstr2b")
            raise RefusedError("WRONG_PERIOD", str(advice.text))
