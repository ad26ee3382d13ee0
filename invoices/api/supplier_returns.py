"""A supplier's form of a period for programs: what it holds, whether it takes anything, filing it."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock, once
from ims_portal.access import Right
from ims_portal.api import step_up
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Heads, Period, Rupees, heads, rupees, wire
from ims_portal.api.views import Strict, TaxpayerView, asked
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import TaxPeriod
from invoices import open_forms, outward, reported
from invoices.models import SupplierReturn
from invoices.open_forms import Look, NoSuchReturnError, ReturnRefusedError
from invoices.outward import ChangedSinceShownError

STATES = ["draft", "saved", "filed"]
CHANGED = "The figures changed since this digest was read. Nothing was filed. Read the form again, then file it."


class FormView(TaxpayerView):
    """A view about a form of a supplier: gstr1, gstr1a or iff, and its period MMYYYY, in its address."""

    form: Form
    period: TaxPeriod

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Open the form. Raises Http404 for none, RefusedError for a month it is not filed for."""
        super().initial(request, *args, **kwargs)
        self.form, self.period = form_of(self, kwargs["p"], kwargs["form"])


def form_of(view: TaxpayerView, p: str, slug: str) -> tuple[Form, TaxPeriod]:
    """Return the form and own period of the GSTIN a program names. Raises Http404, RefusedError with WRONG_PERIOD."""
    filer, _calendar = view.held.calendar(view.at)
    try:
        return open_forms.form_of(view.held.taxpayer, p, slug, filer)
    except NoSuchReturnError as problem:
        text = (
            f"{problem.form.value} of {problem.month.label} is none of this GSTIN's: its period is {problem.own.label}."
        )
        raise RefusedError(Refusal.WRONG_PERIOD.value, text) from None


class TableOut(serializers.Serializer[Any]):
    """What a form holds of one section."""

    section = serializers.CharField()
    saved = serializers.IntegerField()
    filed = serializers.IntegerField()
    recipients = serializers.IntegerField()
    taxable = Rupees()
    tax = Heads()


class OutsideOut(serializers.Serializer[Any]):
    """Sums of a section that never reaches IMS."""

    section = serializers.CharField()
    detail = serializers.CharField()
    taxable = Rupees()
    tax = Heads()


class ReasonOut(serializers.Serializer[Any]):
    """Why something would be refused now."""

    code = serializers.CharField()
    message = serializers.CharField()


class FilingOut(serializers.Serializer[Any]):
    """That a form was filed: when, by whom, under which number."""

    form = serializers.CharField()
    period = Period()
    filed_on = serializers.DateField()
    filed_at = serializers.DateTimeField()
    filed_by = serializers.CharField()
    acknowledgement = serializers.CharField()


class FormOut(serializers.Serializer[Any]):
    """A form: its state, why it takes nothing or cannot be filed now (null where it can), and what is in it.

    `digest` stands for all of it: filing names it, so that nothing else is filed than was read.
    """

    form = serializers.CharField()
    period = Period()
    state = serializers.ChoiceField(STATES)
    filing = FilingOut(allow_null=True)
    saving_refused = ReasonOut(allow_null=True)
    filing_refused = ReasonOut(allow_null=True)
    digest = serializers.CharField()
    tables = TableOut(many=True)
    outside_ims = OutsideOut(many=True)


class FileIn(Strict):
    """The digest of the form as it was read."""

    digest = serializers.RegexField("^[0-9a-f]{64}$")


class OneForm(FormView):
    """A supplier's form."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="out_form", responses=FormOut)
    def get(self, request: Request, gstin: str, form: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """Return what a form holds, table by table, and what may be done with it now."""
        filer, _calendar = self.held.calendar(self.at)
        look = open_forms.look(supplier=self.held.taxpayer, form=self.form, period=self.period, at=self.at, filer=filer)
        kept = look.kept
        totals, outside = (reported.totals(kept), reported.summaries(kept)) if kept else ([], [])
        return Response(
            {
                "form": self.form.value,
                "period": wire(self.period.month),
                "state": _state(look),
                "filing": _filing(kept) if kept and kept.is_filed else None,
                "saving_refused": _reason(look.saving),
                "filing_refused": _reason(look.filing),
                "digest": reported.digest_of(look.opened.supplier_return, totals, outside),
                "tables": [_table(total) for total in totals],
                "outside_ims": [_outside(line) for line in outside],
            }
        )


class FileForm(FormView):
    """Filing a form."""

    rights = {"POST": Right.FILE}

    @extend_schema(operation_id="file_out_form", request=FileIn, responses=FilingOut, parameters=[step_up.PARAMETER])
    def post(self, request: Request, gstin: str, form: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """File a form as it was read. This is final, so the request carries a code of the authenticator app."""
        told, key = asked(FileIn, request, request.data), self.key()
        supplier = self.held.taxpayer
        body = {"do": "file", "gstin": supplier.gstin, "form": self.form.value, "month": self.period.month, **told}
        before = once.earlier(actor=self.actor, key=key, body=body)
        if before:
            return Response(before)
        step_up.require(request, self.actor)

        def keep(filed: SupplierReturn) -> None:
            once.answered(once.claim(actor=self.actor, key=key, body=body), _filing(filed))

        try:
            filed = outward.file(
                supplier=supplier,
                form=self.form,
                period=self.period,
                actor=self.actor,
                clock=clock.portal(),
                shown_digest=told["digest"],
                finishing=keep,
            )
        except (ReturnRefusedError, ChangedSinceShownError) as refused:
            before = once.earlier(actor=self.actor, key=key, body=body)  # a twin was first
            if before:
                return Response(before)
            raise refused_form(refused) from None
        return Response(_filing(filed))


def refused_form(problem: ReturnRefusedError | ChangedSinceShownError) -> RefusedError:
    """Return why a form refused, as programs are told."""
    if isinstance(problem, ChangedSinceShownError):
        return RefusedError(problem.code, CHANGED, field="digest")
    return RefusedError(problem.refusal.value, str(problem))


def _state(look: Look) -> str:
    if look.kept is None:
        return "draft"
    return "filed" if look.kept.is_filed else "saved"


def _reason(refused: ReturnRefusedError | None) -> dict[str, str] | None:
    return {"code": refused.refusal.value, "message": str(refused)} if refused else None


def _filing(filed: SupplierReturn) -> dict[str, Any]:
    return {
        "form": filed.form,
        "period": wire(filed.month),
        "filed_on": filed.filed_on.isoformat() if filed.filed_on else None,
        "filed_at": filed.filed_at.astimezone(UTC).isoformat() if filed.filed_at else None,
        "filed_by": str(filed.filed_by or ""),
        "acknowledgement": filed.acknowledgement,
    }


def _table(total: reported.SectionTotal) -> dict[str, Any]:
    return {
        "section": total.section.value,
        "saved": total.saved,
        "filed": total.filed,
        "recipients": total.recipients,
        "taxable": rupees(total.taxable),
        "tax": heads(total.tax),
    }


def _outside(line: reported.Outside) -> dict[str, Any]:
    return {"section": line.section, "detail": line.detail, "taxable": rupees(line.taxable), "tax": heads(line.tax)}
