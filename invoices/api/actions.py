"""What a recipient decides: on up to 5,000 records at once, each with the version that was seen, each answered."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.api.fields import Rupees
from ims_portal.api.views import Strict, TaxpayerView, asked
from ims_portal.rules.actions import REMARK_LIMIT, Action, Answer, ReasonCode
from ims_portal.rules.money import HEADS, NIL, Tax
from invoices import actions, inbox, standing, wording
from invoices.actions import LARGEST_COMMAND, Choice, Item, Result, ResultStatus
from invoices.models import Record
from invoices.standing import Standing

WORDS = {ResultStatus.SAVED: "ok", ResultStatus.UNCHANGED: "ok"}
"""Status -> the word of the wire; saved already is saved."""
REDUCTIONS = [answer.value for answer in Answer if answer.value]


class ItcIn(Strict):
    """The answer to whether ITC is reduced: F fully, N not at all, P by the amounts, which go with P alone."""

    reduce = serializers.ChoiceField(REDUCTIONS)
    igst = Rupees(required=False)
    cgst = Rupees(required=False)
    sgst = Rupees(required=False)
    cess = Rupees(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse amounts that answer nothing."""
        amounts = [head for head in HEADS if head in attrs]
        if amounts and attrs["reduce"] != Answer.PART.value:
            raise serializers.ValidationError({amounts[0]: "Amounts go with reduce P only. Leave them out."})
        return attrs


class ItemIn(Strict):
    """A record, the version that was seen of it, and what is decided; saving replaces all of it as one."""

    record = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    version = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    action = serializers.ChoiceField([action.value for action in Action])
    itc = ItcIn(required=False)
    remark = serializers.CharField(required=False, allow_blank=True, max_length=REMARK_LIMIT)
    reason_code = serializers.ChoiceField([code.value for code in ReasonCode], required=False, allow_blank=True)


class ActionsIn(Strict):
    """Records, each of them once."""

    items = ItemIn(many=True, allow_empty=False, max_length=LARGEST_COMMAND)

    def validate_items(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuse a record that is named twice: which of both would stand, nobody could tell."""
        if len({item["record"] for item in value}) < len(value):
            raise serializers.ValidationError("A record is named twice. Name each once.")
        return value


class NowOut(serializers.Serializer[Any]):
    """What stands instead: who decided it, and when."""

    action = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class ResultOut(serializers.Serializer[Any]):
    """What became of one record. ok: saved, or so already; conflict: somebody was first; refused: the law says no."""

    record = serializers.IntegerField()
    status = serializers.ChoiceField(["ok", "conflict", "refused"])
    code = serializers.CharField()
    message = serializers.CharField()
    version = serializers.IntegerField()
    current = NowOut(required=False)


class ActionsOut(serializers.Serializer[Any]):
    """The results in the order of the items; none takes another down."""

    results = ResultOut(many=True)


_EXAMPLE = {
    "items": [
        {"record": 17943, "version": 0, "action": "A"},
        {
            "record": 17950,
            "version": 2,
            "action": "A",
            "itc": {"reduce": "P", "igst": "900.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"},
            "remark": "half of it was used",
        },
    ]
}


class Actions(TaxpayerView):
    """Actions on records."""

    rights = {"POST": Right.ACT}

    @extend_schema(
        operation_id="act",
        request=ActionsIn,
        responses=ActionsOut,
        examples=[OpenApiExample("Accept one, and one with part of its ITC", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """Decide on records. The answer is 200 even where nothing was saved: each record says for itself."""
        told, key = asked(ActionsIn, request, request.data), self.key()
        taxpayer = self.held.taxpayer
        outcome = actions.take(
            taxpayer=taxpayer,
            items=[_item(item) for item in told["items"]],
            actor=self.actor,
            clock=clock.portal(),
            request_id=key,
        )
        troubled = [result for result in outcome.results if result.status not in WORDS]
        records = inbox.by_ids(taxpayer, [result.record_id for result in troubled]) if troubled else {}
        today = standing.for_page(self.held, self.at)
        return Response({"results": [_result(result, records, today) for result in outcome.results]})


def _item(told: dict[str, Any]) -> Item:
    itc = told.get("itc") or {}
    declared = Tax(*(itc.get(head, 0) for head in HEADS)) if itc else NIL
    choice = Choice(
        Action(told["action"]),
        Answer(itc.get("reduce", "")),
        declared,
        actions.tidy(told.get("remark", "")),
        told.get("reason_code", ""),
    )
    return Item(told["record"], told["version"], choice)


def _result(result: Result, records: dict[int, Record], today: Standing) -> dict[str, Any]:
    word = WORDS.get(result.status, result.status.value)
    found = {"record": result.record_id, "status": word, "code": "", "message": "", "version": result.version}
    if word == "ok":
        return found
    record = records.get(result.record_id)
    found["code"] = result.refusal.value if result.refusal else "CONFLICT"
    found["message"] = wording.result(result, record, today) if record else "There is no such record of this GSTIN."
    if result.status is ResultStatus.CONFLICT:
        found["current"] = {
            "action": result.current.value,
            "by": result.by,
            "at": result.at.isoformat() if result.at else None,
        }
    return found
