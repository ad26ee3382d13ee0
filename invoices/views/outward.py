"""The supplier's outward desk: what each recipient decided about what was reported, and what that costs (R6)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ims_portal import calendar, web
from ims_portal.rules import periods
from ims_portal.rules.documents import Section
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices import reported, wording
from invoices.models import Record
from invoices.views.supplier_returns import FORMS, SLUGS, lines_of, reason_of

ROWS = (25, 50, 100, 200)
DEFAULT_ROWS = 50
SECTIONS = [
    section
    for section in Section
    if section
    in (Section.B2B, Section.B2BA, Section.DN, Section.DNA, Section.CN, Section.CNA, Section.ECO, Section.ECOA)
]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters of the list."""

    month: int | None
    slug: str
    section: str
    is_rejected: bool
    rows: int

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.month or self.slug or self.section or self.is_rejected)

    @property
    def query(self) -> str:
        """The filters as an address writes them."""
        month = show.wire(self.month) if self.month else ""
        named = {"p": month, "form": self.slug, "section": self.section, "rejected": "1" if self.is_rejected else ""}
        return urlencode({name: value for name, value in named.items() if value} | {"rows": self.rows})


@require_safe
def outward(request: HttpRequest, gstin: str) -> HttpResponse:
    """List what the supplier reported, with each recipient's action as it counts today and its effect."""
    held = web.enter(request, gstin)
    chosen = _chosen(request)
    records = reported.of(
        held.taxpayer,
        month=chosen.month,
        form=FORMS[chosen.slug].value if chosen.slug else "",
        section=chosen.section,
        rejected=chosen.is_rejected,
    )
    at = request.portal_now  # type: ignore[attr-defined]
    page = reported.page(records, cursor=request.GET.get("after", ""), size=chosen.rows, at=at)
    filer = calendar.filer(held.taxpayer)
    context = {
        "page": page,
        "lines": lines_of(page.rows),
        "chosen": chosen,
        "query": chosen.query,
        "months": [filer.period(month) for month in reported.months(held.taxpayer)],
        "forms": [(slug, form.value) for slug, form in FORMS.items()],
        "sections": [(section.value, wording.SECTIONS[section]) for section in SECTIONS],
        "sizes": ROWS,
    }
    return render(request, "invoices/outward.html", context)


def _chosen(request: HttpRequest) -> Chosen:
    """Return the filters an address names; what makes no sense counts as not chosen."""
    try:
        month = periods.parse(request.GET.get("p", "")).month
    except periods.NotAPeriodError:
        month = None
    form, section, rows = (request.GET.get(name, "") for name in ("form", "section", "rows"))
    return Chosen(
        month=month,
        slug=form if form in FORMS else "",
        section=section if section in {found.value for found in SECTIONS} else "",
        is_rejected=request.GET.get("rejected") == "1",
        rows=int(rows) if rows in {str(size) for size in ROWS} else DEFAULT_ROWS,
    )


@require_safe
def outward_record(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Show one reported record: as reported, what its recipient decided and wrote, and the effect on the supplier."""
    held = web.enter(request, gstin)
    record = reported.record_of(held.taxpayer, pk)
    if record is None or record.supplier_return is None:
        raise Http404("No such page.")
    kept = record.supplier_return
    (row,) = reported.rows([record], at=request.portal_now)  # type: ignore[attr-defined]
    slug = next((slug for form, slug in SLUGS.items() if form.value == kept.form), "")
    return render(
        request,
        "invoices/outward_record.html",
        {
            "record": record,
            "line": lines_of([row])[0],
            "row": row,
            "events": [{"event": event, "reason": reason_of(event.reason_code)} for event in reported.history(record)],
            "kept": kept,
            "slug": slug,
            "is_withdrawn": record.status == Record.Status.WITHDRAWN,
            "period": TaxPeriod(
                kept.month, periods.Frequency.QUARTERLY if kept.is_quarter else periods.Frequency.MONTHLY
            ),
        },
    )
