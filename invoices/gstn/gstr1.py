"""`returns/gstr1`, `returns/gstr1a`: a return saved, told section by section, and filed (formats 2.4 to 2.6)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request

from ims_portal import clock, one_time_codes
from ims_portal.access import Right
from ims_portal.api import step_up
from ims_portal.api.errors import RefusedError
from ims_portal.gstn import references
from ims_portal.gstn.envelopes import GstnError, wire_code
from ims_portal.gstn.views import Call, GstnView, as_upload, period_of, reference_of
from ims_portal.models import Taxpayer
from ims_portal.one_time_codes import Purpose
from ims_portal.rules import periods
from ims_portal.rules.documents import CREDIT_NOTES, Form
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import gstr1_json, gstr1_out, gstr1_rows, outward, reported, standing, uploads
from invoices.gstn import texts
from invoices.json_writing import rupees
from invoices.kept_files import UploadRefusedError
from invoices.models import SupplierReturn, Upload
from invoices.open_forms import ReturnRefusedError

NOTHING_FOUND, UNKNOWN_JOB, TOO_MANY, OTP_NEEDED, OTP_WRONG = (
    "RET11416",
    "APP-NOT_FOUND",
    "APP-F04",
    "EVCREQUEST",
    "RET13506",
)
MOST_DOCUMENTS = 50_000
"""Documents of a return that are told section by section; a longer one is taken as a file."""

YEAR = re.compile(r"20[0-9]{2}-[0-9]{2}", re.ASCII)

TABLES = {table.upper(): table for table in gstr1_rows.ORDER}
FORM_TYPES = {Form.GSTR1.value: "R1", Form.IFF.value: "R1", Form.GSTR1A.value: "R1A"}


class Gstr1(GstnView):
    """A supplier's GSTR-1, or IFF in the first two months of a quarter."""

    form: ClassVar[Form] = Form.GSTR1
    told: Mapping[str, Any] = {}
    """What the data of a body says of whose return and which period; nothing where there is no body."""

    def outer(self, raw: bytes) -> tuple[str, str]:
        """Return action and GSTIN of a body, and keep the text of its data. Raises UnreadableFileError."""
        action, self.text = texts.split(raw)
        self.told = texts.said(self.text, ("gstin", "fp", "ret_period"))
        found = self.told.get("gstin", "")
        return action, found if isinstance(found, str) else ""

    def _of(self, request: Request) -> tuple[Form, TaxPeriod]:
        """Return the form and the period that are meant: in the first months of a quarter it is the IFF."""
        asked = request.headers.get("ret_period") or request.query_params.get("ret_period")
        month = period_of(asked or self.told.get("ret_period") or self.told.get("fp"))
        own = standing.for_page(self.held, self.at).filer.period(month.month)
        form = Form.IFF if self.form is Form.GSTR1 and own.month != month.month else self.form
        return form, own if form is not Form.IFF else month

    def save(self, request: Request) -> Mapping[str, Any]:
        """Ask for documents to be saved into the form; what is absent stays as it is."""
        form, period = self._of(request)
        try:
            found = uploads.receive(
                taxpayer=self.taxpayer,
                form=form,
                period=period,
                file=as_upload(self.text.encode(), "request.json"),
                actor=self.actor,
                clock=clock.portal(),
                request_id=uuid.uuid4(),
            )
        except UploadRefusedError as refused:
            raise GstnError(wire_code(refused.code), str(refused)) from None
        except ReturnRefusedError as refused:
            raise GstnError(wire_code(refused.refusal.value), str(refused)) from None
        return {"reference_id": found.pk.hex}

    def section(self, request: Request) -> Mapping[str, Any]:
        """Return what a table of the form holds, as it was reported."""
        kept = self._kept(request)
        table = TABLES[request.query_params["action"]]
        totals = reported.totals(kept) if kept else []
        if sum(total.count for total in totals) > MOST_DOCUMENTS:
            raise GstnError(TOO_MANY, "The return is too long to be told by section. Take it as a file.")
        told = _told(self.taxpayer, kept) if kept else {}
        if not told.get(table):
            raise GstnError(NOTHING_FOUND, "No document found for the section.")
        return {table: told[table]}

    def summary(self, request: Request) -> Mapping[str, Any]:
        """Return what each table comes to."""
        _form, period = self._of(request)
        kept = self._kept(request)
        sums = _sums(kept) if kept else []
        chksum = reported.digest(kept) if kept else ""
        return {"gstin": self.taxpayer.gstin, "ret_period": period.wire, "chksum": chksum, "sec_sum": sums}

    def _kept(self, request: Request) -> SupplierReturn | None:
        form, period = self._of(request)
        found = SupplierReturn.objects.filter(supplier=self.taxpayer, form=form.value, month=period.month)
        return found.first()

    def proceed(self, request: Request) -> Mapping[str, Any]:
        """Take note that a return is ready; nothing is frozen by it here."""
        form, _period = self._of(request)
        told = {"form": FORM_TYPES[form.value], "action": "RETNEWPTF"}
        return {"reference_id": references.keep(actor=self.actor, taxpayer=self.taxpayer, **told)}

    def file(self, request: Request) -> Mapping[str, Any]:
        """File the form with all that was saved; the person's one-time code stands in `sid` behind the PAN."""
        form, period = self._of(request)
        prove(self, request)
        try:
            kept = outward.file(
                supplier=self.taxpayer, form=form, period=period, actor=self.actor, clock=clock.portal()
            )
        except ReturnRefusedError as refused:
            raise GstnError(wire_code(refused.refusal.value), str(refused)) from None
        return {"ack_num": kept.acknowledgement}

    calls = {
        **dict.fromkeys((("GET", name) for name in TABLES), Call(Right.VIEW, section)),
        ("GET", "RETSUM"): Call(Right.VIEW, summary),
        ("PUT", "RETSAVE"): Call(Right.SUPPLY, save),
        ("PUT", "RETNEWPTF"): Call(Right.SUPPLY, proceed),
        ("PUT", "RETFILE"): Call(Right.FILE, file),
    }


class Gstr1a(Gstr1):
    """A supplier's GSTR-1A."""

    form = Form.GSTR1A


class Returns(GstnView):
    """`returns`: what became of a return that was saved, and where the parts of a long answer lie."""

    def status(self, request: Request) -> Mapping[str, Any]:
        """Return how far a save is, and what was refused of it."""
        asked = reference_of(request, "ref_id")
        found = Upload.objects.filter(taxpayer=self.taxpayer, pk=asked).first() if asked else None
        if found is None and asked:
            done = references.status(actor=self.actor, taxpayer=self.taxpayer, key=asked)
            if done:
                return done
        if found is None:
            raise GstnError(UNKNOWN_JOB, "There is no such request of this GSTIN.")
        told = {"form_typ": FORM_TYPES[found.form], "action": "SAVE", "error_report": {}}
        if not found.is_over:
            return {"status_cd": "IP", **told}
        report = gstr1_json.wire_problem_report(uploads.problems(found))
        if found.state == Upload.State.FAILED:
            return {"status_cd": "ER", **told, "error_report": report, "err_msg": found.problem}
        return {"status_cd": "PE" if found.refused else "P", **told, "error_report": report}

    def preference(self, request: Request) -> Mapping[str, Any]:
        """Return how often returns are filed in each quarter of a financial year `2026-27`: M or Q.

        Clients ask it to see whether their session lives, so it has to be answered.
        """
        year = request.query_params.get("fy", "")
        if not YEAR.fullmatch(year):
            raise GstnError("APP-G103", "fy is a financial year, such as 2026-27.")
        filer = standing.for_page(self.held, self.at).filer
        firsts = (periods.add_months(int(f"{year[:4]}04"), 3 * quarter) for quarter in range(4))
        told = ["Q" if filer.period(first).is_quarter else "M" for first in firsts]
        return {"response": [{"quarter": f"Q{n}", "preference": one} for n, one in enumerate(told, start=1)]}

    calls = {
        ("GET", "RETSTATUS"): Call(Right.VIEW, status),
        ("GET", "FILEDET"): Call(Right.VIEW, GstnView.parts),
        ("GET", "GETPREF"): Call(Right.VIEW, preference),
    }


def prove(view: GstnView, request: Request) -> None:
    """Let a body through that carries the person's one-time code; refused by the codes clients know.

    By the plain way it is that of the authenticator app, by the sealed way the one that was asked for to file.
    """
    code = texts.code_of(view.raw)
    if view.session is not None:
        _prove_by_code(view, code)
        return
    try:
        step_up.prove(request, view.actor, code)
    except RefusedError as refused:
        raise GstnError(OTP_WRONG if code else OTP_NEEDED, refused.message) from None


def _prove_by_code(view: GstnView, code: str) -> None:
    if not (code and one_time_codes.waits(user=view.actor, taxpayer=view.taxpayer, purpose=Purpose.FILE)):
        raise GstnError(OTP_NEEDED, "Filing needs a code. Ask for one (EVCOTP); the taxpayer reads it on the portal.")
    if not one_time_codes.use(user=view.actor, taxpayer=view.taxpayer, purpose=Purpose.FILE, code=code, at=view.at):
        raise GstnError(OTP_WRONG, "The code is wrong, used or too old. Nothing was filed.")


def _sums(kept: SupplierReturn) -> list[dict[str, Any]]:
    """Return what each table of a form comes to; of notes what debit notes are more than credit notes."""
    found: dict[str, tuple[int, int, Tax]] = {}
    for total in reported.totals(kept):
        table, is_less = gstr1_out.TABLE[total.section], total.section in CREDIT_NOTES
        taxable, tax = (-total.taxable, -total.tax) if is_less else (total.taxable, total.tax)
        _add(found, table, total.count, taxable, tax)
    for line in reported.summaries(kept):
        _add(found, line.section, 1, line.taxable, line.tax)
    return [
        {
            "sec_nm": table.upper(),
            "ttl_rec": count,
            "ttl_tax": rupees(taxable),
            **{f"ttl_{head}": rupees(paise) for head, paise in tax.as_dict().items()},
        }
        for table, (count, taxable, tax) in found.items()
    ]


def _add(found: dict[str, tuple[int, int, Tax]], table: str, count: int, taxable: int, tax: Tax) -> None:
    before = found.get(table, (0, 0, NIL))
    found[table] = before[0] + count, before[1] + taxable, before[2] + tax


def _told(taxpayer: Taxpayer, kept: SupplierReturn) -> dict[str, Any]:
    """Return a return as its file holds it."""
    text = gstr1_out.write(
        gstin=taxpayer.gstin,
        period=TaxPeriod(kept.month).wire,
        documents=gstr1_rows.documents(kept),
        sums=gstr1_rows.sums(kept),
    )
    found: dict[str, Any] = json.loads("".join(text))
    return found
