"""How every page of a period opens: who may, which of the GSTIN's own periods, how it stands today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from ims_portal import web
from ims_portal.access import Access, Right
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.periods import TaxPeriod
from invoices import standing
from invoices.standing import Standing
from returns import wording

Given = ParamSpec("Given")


@dataclass(frozen=True, slots=True)
class Opened:
    """A period's page, opened by somebody who may."""

    held: Access
    period: TaxPeriod
    at: datetime
    today: Standing

    @property
    def taxpayer(self) -> Taxpayer:
        """Whose page it is."""
        return self.held.taxpayer

    def may(self, right: Right) -> bool:
        """Whether the visitor holds a right here."""
        return self.held.may(right)

    def url(self, name: str, *more: object) -> str:
        """Return the address of another page of this period."""
        return reverse(f"returns:{name}", args=[self.taxpayer.gstin, self.period.wire, *more])

    def render(
        self, request: HttpRequest, template: str, context: dict[str, object], status: int = 200
    ) -> HttpResponse:
        """Return a page of this period."""
        shared = {
            "gstin": self.taxpayer.gstin,
            "taxpayer": self.taxpayer,
            "period": self.period,
            "p": self.period.wire,
            "may_compute": self.may(Right.COMPUTE),
            "may_file": self.may(Right.FILE),
        }
        return render(request, template, {**shared, **context}, status=status)


Page = Callable[Concatenate[HttpRequest, Opened, Given], HttpResponse]


def of_period(
    right: Right = Right.VIEW, page: str = "returns:gstr2b", posting: Right | None = None
) -> Callable[[Page[Given]], Callable[Concatenate[HttpRequest, str, str, Given], HttpResponse]]:
    """Open a view for a GSTIN's own period. A month that is none gets a page with the quarter that holds it.

    `posting` is the right a POST needs where a GET needs less; `page` the one the quarter's link leads to.
    """

    def wrap(view: Page[Given]) -> Callable[Concatenate[HttpRequest, str, str, Given], HttpResponse]:
        @wraps(view)
        def opened(request: HttpRequest, gstin: str, p: str, *args: Given.args, **rest: Given.kwargs) -> HttpResponse:
            held = web.enter(request, gstin, posting if posting and request.method == "POST" else right)
            asked = month_of(p)
            at = request.portal_now
            today = standing.for_page(held, at)
            own = today.filer.period(asked.month)
            if asked.month < held.taxpayer.first_month:
                raise Http404("Before the first period.")
            if own.month != asked.month or held.taxpayer.is_isd:
                advice = wording.wrong_period(held.taxpayer, asked, own, page)
                return render(
                    request,
                    "returns/wrong_period.html",
                    {"advice": advice, "gstin": gstin, "taxpayer": held.taxpayer, "asked": asked},
                    status=200 if request.method in ("GET", "HEAD") else 409,
                )
            return view(request, Opened(held, own, at, today), *args, **rest)

        return opened

    return wrap


def month_of(text: str) -> TaxPeriod:
    """Return the month of an address, MMYYYY; anything else is no page."""
    try:
        found = periods.parse(text)
    except periods.NotAPeriodError:
        raise Http404("No such period.") from None
    if found.is_quarter:
        raise Http404("Addresses name a quarter by its last month.")
    return found
