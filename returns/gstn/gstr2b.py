"""`returns/gstr2b`: the statement, and asking for it anew (formats 5.5, 5.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from ims_portal import clock, large_answers
from ims_portal.access import Right
from ims_portal.gstn.envelopes import GstnError, wire_code
from ims_portal.gstn.views import Call, GstnView, period_of, reference_of
from ims_portal.rules.actions import Refusal
from ims_portal.rules.periods import TaxPeriod
from invoices import locking, standing
from invoices.models import Inbox
from returns import gstr2b, gstr2b_json, gstr2b_parts, gstr2b_rows, wording
from returns.gstr2b import StatementRefusedError
from returns.models import Gstr2bJob

NOT_MADE, NOT_OF_A_QUARTER, NOTHING_CHANGED, UNKNOWN_JOB = "GTR2B-002", "GTR2B-001", "IMS2005", "APP-NOT_FOUND"
NOTHING_FOUND = "RET2B1016"
OF_A_STATEMENT = {Refusal.WRONG_PERIOD: "IMS2B007", Refusal.ALREADY_FILED: "IMS2B007", Refusal.TOO_EARLY: "RET2B1018"}
"""What refuses a statement, by the codes clients know (formats 8.5)."""

STATES = {Gstr2bJob.State.WAITING: "IP", Gstr2bJob.State.RUNNING: "IP", Gstr2bJob.State.DONE: "P"}


class Gstr2bCalls(GstnView):
    """GSTR-2B."""

    def _period(self, asked: TaxPeriod) -> TaxPeriod:
        """Return the period of the taxpayer that is meant. Raises GstnError for a month without a statement."""
        period = standing.for_page(self.held, self.at).filer.period(asked.month)
        if self.taxpayer.is_isd or period.month != asked.month:
            raise GstnError(NOT_OF_A_QUARTER, f"GSTR-2B is made for {period.label}, not for {asked.label}.")
        return period

    def statement(self, request: Request) -> Mapping[str, Any]:
        """Return the newest version, as its file holds it, or the token of its parts where it is long.

        It is never split by `file_num`: its first file is all of it.
        """
        period = self._period(period_of(request.query_params.get("rtnprd") or request.headers.get("ret_period")))
        if request.query_params.get("file_num", "1") != "1":
            raise GstnError(NOTHING_FOUND, "There is no such file of the statement.")
        made = gstr2b.current(self.taxpayer, period)
        if made is None:
            raise GstnError(NOT_MADE, f"GSTR-2B of {period.label} is not generated yet. Ask for it by GEN2B.")
        rows = large_answers.few(lambda: gstr2b_rows.of(made))
        if rows is None:
            return self.in_parts(gstr2b_parts.KIND, gstr2b_parts.asked(made))
        data = gstr2b_json.statement(gstin=self.taxpayer.gstin, period=period.wire, made_on=made.as_of, rows=rows)
        return gstr2b_json.envelope(data)

    def generate(self, request: Request) -> Mapping[str, Any]:  # noqa: ARG002 - the body is read already
        """Ask for the statement; where nothing changed since the last, say so instead."""
        period = self._period(period_of(self.data.get("itcprd")))
        taxpayer = self.taxpayer
        locking.ensure([taxpayer])
        today, inbox = standing.for_page(self.held, self.at), Inbox.objects.get(pk=taxpayer.pk)
        made = gstr2b.current(taxpayer, period)
        try:
            gstr2b.refuse(taxpayer=taxpayer, period=period, inbox=inbox, at=self.at)
            if made is not None and not gstr2b.is_out_of_date(made, inbox=inbox, today=today):
                raise GstnError(NOTHING_CHANGED, "Nothing changed since the last GSTR-2B, so it was not made again.")
            job = gstr2b.request(taxpayer=taxpayer, period=period, actor=self.actor, clock=clock.portal())
        except StatementRefusedError as refused:
            advice = wording.statement(
                refused.refusal, taxpayer=taxpayer, period=period, today=today, open_month=inbox.open_month
            )
            raise GstnError(_code(refused.refusal), str(advice.text)) from None
        return {"reference_id": job.pk.hex}

    def status(self, request: Request) -> Mapping[str, Any]:
        """Return how far a statement that was asked for is."""
        asked = reference_of(request, "int_tran_id")
        job = Gstr2bJob.objects.filter(taxpayer=self.taxpayer, pk=asked).first() if asked else None
        if job is None:
            raise GstnError(UNKNOWN_JOB, "There is no such request of this GSTIN.")
        if job.state == Gstr2bJob.State.FAILED:
            code = _code(Refusal(job.notice)) if job.notice in set(Refusal) else "APP-FAILED"
            return {"status_cd": "ER", "err_cd": code, "err_msg": job.problem}
        return {"status_cd": STATES[Gstr2bJob.State(job.state)], "err_cd": "", "err_msg": ""}

    calls = {
        ("GET", "GET2B"): Call(Right.VIEW, statement),
        ("GET", "GENSTS2B"): Call(Right.VIEW, status),
        ("PUT", "GEN2B"): Call(Right.COMPUTE, generate),
    }


def _code(refusal: Refusal) -> str:
    return OF_A_STATEMENT.get(refusal) or wire_code(refusal.value)
