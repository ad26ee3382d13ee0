"""An action on many records at once: previewed, confirmed, undone for ten minutes; carried out by a worker."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, QueryDict
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.api import step_up
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Rupees, rupees
from ims_portal.api.views import Strict, TaxpayerView, asked, nothing
from ims_portal.rules.actions import REMARK_LIMIT, Action, Answer, ReasonCode, Refusal
from invoices import actions, bulk, bulk_words, filters
from invoices.bulk import MOST_TICKED, BatchRefusedError, Given, Phase, Which, sums_of
from invoices.bulk_sql import WILL, Sums
from invoices.models import Batch

PATIENCE = timedelta(seconds=2)
"""How long a request waits for its preview; a longer one is left to a worker."""
LONGEST_FILTER = 500
FOR_ALL = [Answer.FULL.value, Answer.NONE.value]
"""Answers that can be given once for many records; parts are told record by record."""
JOB_STATES = Batch.State.values
NOT_REACHED, PUT_BACK = "not_reached", "put_back"
"""What the wire calls records a batch stopped before, and those it put back."""

CODES = {
    "confirmed": "CONFLICT",
    "foreign": "RIGHT_MISSING",
    "unanswered": Refusal.ITC_REDUCTION_REQUIRED.value,
    "nothing": "NOTHING_CHANGED",
    "late": "UNDO_OVER",
    "filed": Refusal.RECORD_FROZEN.value,
}
"""Why a batch refuses -> the code of the wire."""
STATUSES = {"foreign": 403}


class SeenIn(Strict):
    """A record and the version that was seen of it."""

    record = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    version = serializers.IntegerField(min_value=0, max_value=2**31 - 1)


class AnswerIn(Strict):
    """The answer to whether ITC is reduced, for all records that ask it: F fully, N not at all, with a remark."""

    reduce = serializers.ChoiceField(FOR_ALL)


class BatchIn(Strict):
    """Which records, by the query of a list or one by one, and what is decided on all of them."""

    filter = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_FILTER)
    records = SeenIn(many=True, required=False, allow_empty=False, max_length=MOST_TICKED)
    action = serializers.ChoiceField([action.value for action in Action])
    itc = AnswerIn(required=False)
    remark = serializers.CharField(required=False, allow_blank=True, max_length=REMARK_LIMIT)
    reason_code = serializers.ChoiceField([code.value for code in ReasonCode], required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a set that is told twice, or not at all."""
        if ("filter" in attrs) == ("records" in attrs):
            raise serializers.ValidationError({"filter": "Send either filter, as a list's query has it, or records."})
        return attrs

    def validate_records(self, value: list[dict[str, int]]) -> list[dict[str, int]]:
        """Refuse a record that is named twice."""
        if len({line["record"] for line in value}) < len(value):
            raise serializers.ValidationError("A record is named twice. Name each once.")
        return value


class ConfirmIn(Strict):
    """That the price is known: needed where rejecting raises the tax of suppliers."""

    suppliers_told = serializers.BooleanField(required=False, default=False)


class VerdictOut(serializers.Serializer[Any]):
    """Records of one verdict: their tax, and what they change of the open period's ITC and of suppliers' tax."""

    verdict = serializers.CharField()
    count = serializers.IntegerField()
    tax = Rupees()
    itc = Rupees()
    suppliers_tax = Rupees()


class BatchOut(serializers.Serializer[Any]):
    """A batch, which is a job: `phase` says what it is at, and it is over once `state` is done or failed.

    The `counts` are by verdict: will, same, moved (changed by somebody since), left, apart, not_reached, or the code of
    a refusal; as previewed until it is applied, then as it came out. `undone` is the same for undoing, with put_back.
    """

    id = serializers.UUIDField()
    state = serializers.ChoiceField(JOB_STATES)
    phase = serializers.ChoiceField(Batch.Phase.values)
    action = serializers.ChoiceField([action.value for action in Action])
    reduce = serializers.CharField()
    remark = serializers.CharField()
    reason_code = serializers.CharField()
    progress = serializers.IntegerField()
    total = serializers.IntegerField()
    problem = serializers.CharField()
    stopped = serializers.ChoiceField(Batch.Stop.values, allow_blank=True)
    by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    applied_at = serializers.DateTimeField(allow_null=True)
    undo_until = serializers.DateTimeField(allow_null=True)
    may_undo = serializers.BooleanField()
    needs_code = serializers.BooleanField()
    counts = VerdictOut(many=True)
    undone = VerdictOut(many=True)


_EXAMPLE = {"filter": "section=b2b&action=N&supplier=24AAACS2718C1ZX", "action": "A"}
_REJECT = {"records": [{"record": 17943, "version": 0}], "action": "R", "reason_code": "DUPLICATE"}


class Batches(TaxpayerView):
    """Batches of a recipient."""

    rights = {"POST": Right.ACT}

    @extend_schema(
        operation_id="preview_batch",
        request=BatchIn,
        responses={202: BatchOut},
        examples=[
            OpenApiExample("Accept all of a list", value=_EXAMPLE, request_only=True),
            OpenApiExample("Reject some", value=_REJECT, request_only=True),
        ],
    )
    def post(self, request: Request, gstin: str) -> Response:
        """Preview an action on many records. Nothing of theirs is saved before the batch is confirmed."""
        told, key = asked(BatchIn, request, request.data), self.key()
        action = Action(told["action"])
        given = _given(action, told)
        which = _which(told, reverse("invoices:inward", args=[gstin]))
        batch = bulk.preview(
            taxpayer=self.held.taxpayer,
            which=which,
            action=action,
            actor=self.actor,
            clock=clock.portal(),
            request_id=key,
            given=given,
        )
        if batch.phase == Phase.FINDING:
            bulk.find(batch=batch, clock=clock.portal(), patience=PATIENCE)
        return Response(batch_told(_of(self, batch.pk), self.at), status=202)


def _which(told: Mapping[str, Any], back: str) -> Which:
    if "records" in told:
        return Which(filters.ALL, "", back, {line["record"]: line["version"] for line in told["records"]})
    found = filters.parse(filters.ALL, QueryDict(told["filter"]), beside=("sort", "rows", "after"))
    problems = dict(found.problems) if found else {}
    if not problems and found and found.filters.settled:
        problems["settled"] = "Settled records can no longer be decided on."
    if problems or found is None:
        name, text = next(iter(problems.items()))
        raise serializers.ValidationError({"filter": f"{name}: {text}"})
    return Which(found.filters.slug, found.filters.query(), back)


def _given(action: Action, told: Mapping[str, Any]) -> Given:
    """Return what goes with the action. Raises RefusedError as the pages of a batch do."""
    answer = Answer(told["itc"]["reduce"]) if "itc" in told else Answer.NOT_GIVEN
    remark, reason = actions.tidy(told.get("remark", "")), told.get("reason_code", "")
    if answer is not Answer.NOT_GIVEN and action is not Action.ACCEPT:
        raise RefusedError(
            Refusal.ITC_REDUCTION_ONLY_ON_ACCEPT.value, "An ITC reduction goes with A only.", field="itc"
        )
    if answer is Answer.NONE and not remark:
        text = "Reducing nothing needs a remark. Write why no ITC is to be reduced."
        raise RefusedError(Refusal.REMARKS_REQUIRED.value, text, field="remark")
    if remark and answer is not Answer.NONE and action in (Action.ACCEPT, Action.NONE):
        text = "A remark goes with R, P, or A with reduce N. Leave it out."
        raise RefusedError(Refusal.REMARKS_NOT_ALLOWED.value, text, field="remark")
    if reason and action is not Action.REJECT:
        raise RefusedError(
            Refusal.REASON_CODE_ONLY_ON_REJECT.value, "A reason goes with R only. Leave it out.", field="reason_code"
        )
    if action is Action.REJECT and not reason:
        raise serializers.ValidationError({"reason_code": "Say why they are rejected."})
    if reason == ReasonCode.OTHER and not remark:
        text = "The reason is other. Write in the remark what it is."
        raise RefusedError(Refusal.REMARKS_REQUIRED.value, text, field="remark")
    return Given(answer, remark, reason)


class OneBatch(TaxpayerView):
    """One batch of a recipient."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="batch", responses=BatchOut)
    def get(self, request: Request, gstin: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - of the address
        """Return what a batch would change, how far it is, or what came of it."""
        return Response(batch_told(_of(self, pk), self.at))


class Confirm(TaxpayerView):
    """Confirming a batch."""

    rights = {"POST": Right.ACT}

    @extend_schema(
        operation_id="confirm_batch", request=ConfirmIn, responses={202: BatchOut}, parameters=[step_up.PARAMETER]
    )
    def post(self, request: Request, gstin: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - of the address
        """Carry out what was previewed, each record at the version it then had. A large change asks for a code."""
        told, key = asked(ConfirmIn, request, request.data), self.key()
        batch = _of(self, pk)
        if batch.phase == Phase.FINDING:
            raise RefusedError(
                "IN_PROGRESS", "Its records are still being looked for. Read the batch, then confirm it."
            )
        if batch.phase == Phase.READY:
            _check_told(batch, told["suppliers_told"])
            if bulk.asks_proof(batch):
                step_up.require(request, self.actor)
        try:
            wanted = bulk.apply(
                batch=batch,
                actor=self.actor,
                clock=clock.portal(),
                request_id=key,
                remark=batch.remark,
                reason_code=batch.reason_code,
            )
        except BatchRefusedError as refused:
            raise _refused(refused) from None
        bulk.carry_out_small(batch=wanted, clock=clock.portal())
        return Response(batch_told(_of(self, pk), self.at), status=202)


def _check_told(batch: Batch, is_told: bool) -> None:  # noqa: FBT001 what the body says
    will = sums_of(batch.found).get(WILL, Sums())
    if batch.action == Action.REJECT and will.rise > 0 and not is_told:
        text = (
            f"Rejecting these raises the tax of their suppliers by Rs {rupees(will.rise)}. Send suppliers_told: true "
            "once they are told, or where the documents are not yours."
        )
        raise RefusedError("INVALID", text, field="suppliers_told", status=400)


class Undo(TaxpayerView):
    """Undoing a batch."""

    rights = {"POST": Right.ACT}

    @extend_schema(operation_id="undo_batch", request=None, responses={202: BatchOut})
    def post(self, request: Request, gstin: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - the framework's signature
        """Put back what a batch changed, for ten minutes and until GSTR-3B is filed; what others changed stays."""
        nothing(request)
        key = self.key()
        batch = _of(self, pk)
        if batch.phase in bulk.OPEN_PHASES:
            raise RefusedError("CONFLICT", "This batch is not confirmed, so there is nothing to undo.")
        if batch.phase == Phase.APPLYING:
            raise RefusedError("IN_PROGRESS", "This batch is still being applied. Read it, then undo it.")
        try:
            wanted = bulk.undo(batch=batch, actor=self.actor, clock=clock.portal(), request_id=key)
        except BatchRefusedError as refused:
            raise _refused(refused) from None
        bulk.carry_out_small(batch=wanted, clock=clock.portal())
        return Response(batch_told(_of(self, pk), self.at), status=202)


def _of(view: TaxpayerView, pk: uuid.UUID) -> Batch:
    found = bulk.of(taxpayer=view.held.taxpayer, batch_id=pk)
    if found is None:
        raise Http404("No such batch.")
    return found


def _refused(refused: BatchRefusedError) -> RefusedError:
    return RefusedError(
        CODES.get(refused.why, "INVALID"), str(bulk_words.REFUSED[refused.why]), status=STATUSES.get(refused.why, 0)
    )


def batch_told(batch: Batch, at: datetime) -> dict[str, Any]:
    """Return a batch as `BatchOut` describes it."""
    return {
        "id": str(batch.pk),
        "state": batch.state,
        "phase": batch.phase,
        "action": batch.action,
        "reduce": batch.answer,
        "remark": batch.remark,
        "reason_code": batch.reason_code,
        "progress": batch.progress,
        "total": batch.total,
        "problem": batch.problem,
        "stopped": batch.stop,
        "by": str(batch.requested_by or ""),
        "asked_at": batch.asked_at.isoformat(),
        "applied_at": batch.applied_at.isoformat() if batch.applied_at else None,
        "undo_until": batch.undo_until.isoformat() if batch.undo_until else None,
        "may_undo": bulk.may_undo(batch, at),
        "needs_code": batch.phase == Phase.READY and bulk.asks_proof(batch),
        "counts": _verdicts(batch.became.get("applied") or batch.found, NOT_REACHED),
        "undone": _verdicts(batch.became.get("undone", {}), PUT_BACK),
    }


def _verdicts(kept: Mapping[str, list[int]], nothing: str) -> list[dict[str, Any]]:
    return [
        {
            "verdict": verdict or nothing,
            "count": found.count,
            "tax": rupees(found.tax),
            "itc": rupees(found.itc),
            "suppliers_tax": rupees(found.rise),
        }
        for verdict, found in sorted(sums_of(kept).items())
    ]
