"""Filing GSTR-3B: what is looked at before, and filing what was looked at, with a one-time code."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.api import step_up
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Heads, Period, Rupees, heads, rupees, wire
from ims_portal.api.views import Strict, asked
from ims_portal.rules.money import HEADS, Tax
from returns import gstr3b, payment_card, review
from returns.api.declaring import HeadsIn
from returns.api.gstr3b import DraftView, Filing3bOut, InTheWayOut, filing_told
from returns.api.queries import MOST_VERSIONS
from returns.gstr3b import ChangedSinceShownError, Draft, Gstr3bRefusedError
from returns.holds import HeldError
from returns.review import Final

DIGEST = r"^[0-9a-f]{64}$"


class CheckOut(serializers.Serializer[Any]):
    """One condition of filing: what must hold, whether it does; where not, the code, what to do, and the source."""

    must_hold = serializers.CharField()
    holds = serializers.BooleanField()
    code = serializers.CharField()
    message = serializers.CharField()
    cite = serializers.CharField()


class FinalOut(serializers.Serializer[Any]):
    """Records that filing makes final: how many, what they add to ITC and take from it."""

    count = serializers.IntegerField()
    adds = Rupees()
    takes = Rupees()


class ReviewOut(serializers.Serializer[Any]):
    """What is looked at before filing. The last three of it, as they stand, are what is sent to file.

    `answered` are records decided on, `deemed` those that count as accepted, `rejected` those rejected; `add_back` is
    what the rejections put into suppliers' returns. `warnings` never stand in the way.
    """

    period = Period()
    may_be_filed = serializers.BooleanField()
    in_the_way = InTheWayOut(allow_null=True)
    checks = CheckOut(many=True)
    answered = FinalOut()
    deemed = FinalOut()
    rejected = FinalOut()
    add_back = Rupees()
    warnings = serializers.ListField(child=serializers.CharField())
    statement_version = serializers.IntegerField(allow_null=True)
    digest = serializers.CharField()
    net_itc = Heads()


class File3bIn(Strict):
    """What was looked at: the version of GSTR-2B, null without one, the digest, and net ITC, 4(C) of Table 4."""

    statement_version = serializers.IntegerField(min_value=1, max_value=MOST_VERSIONS, allow_null=True)
    digest = serializers.RegexField(DIGEST)
    net_itc = HeadsIn()


class FiledOut(Filing3bOut):
    """A filed return, with its reference."""

    period = Period()
    statement_version = serializers.IntegerField(allow_null=True)
    digest = serializers.CharField()
    net_itc = Heads()


class FiguresOut(serializers.Serializer[Any]):
    """What a return is known by."""

    statement_version = serializers.IntegerField(allow_null=True)
    digest = serializers.CharField()
    net_itc = Heads()


class ChangedOut(serializers.Serializer[Any]):
    """Nothing was filed. CHANGED_SINCE_SHOWN brings what was sent and what stands now; other codes neither."""

    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField(required=False)
    request_id = serializers.UUIDField()
    shown = FiguresOut(required=False)
    now = FiguresOut(required=False)


class Review(DraftView):
    """What is looked at before a period's GSTR-3B is filed."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="review_gstr3b", responses=ReviewOut)
    def get(self, request: Request, gstin: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """Return what stands in the way of filing, what filing makes final, and what to send to file."""
        found = review.of(taxpayer=self.held.taxpayer, period=self.period, at=self.at, today=self.today)
        shown = found.draft
        stands = None if shown.refusal is None else review.advice(shown.refusal, shown)
        excess = payment_card.excess(shown.period.month, shown.derived, shown.declared)
        return Response(
            {
                "period": wire(shown.period.month),
                "may_be_filed": found.may_be_filed,
                "in_the_way": {"code": stands.code, "message": stands.text} if stands else None,
                "checks": [
                    {
                        "must_hold": check.text,
                        "holds": check.is_met,
                        "code": check.advice.code if check.advice else "",
                        "message": check.advice.text if check.advice else "",
                        "cite": check.cite,
                    }
                    for check in found.checks
                ],
                "answered": _final(found.answered),
                "deemed": _final(found.deemed),
                "rejected": _final(found.rejected),
                "add_back": rupees(found.add_back),
                "warnings": [
                    *review.above_statement(shown),
                    *(review.pair_warning(pair) for pair in found.pairs),
                    *([excess] if excess else []),
                ],
                **_figures(shown),
            }
        )


_SEEN = {
    "statement_version": 3,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "net_itc": {"igst": "118000.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"},
}


class File(DraftView):
    """Filing a period's GSTR-3B."""

    rights = {"POST": Right.FILE}

    @extend_schema(
        operation_id="file_gstr3b",
        parameters=[step_up.PARAMETER],
        request=File3bIn,
        responses={200: FiledOut, 409: ChangedOut},
        examples=[OpenApiExample("What the review told", value=_SEEN, request_only=True)],
    )
    def post(self, request: Request, gstin: str, p: str) -> Response:  # noqa: ARG002 - of the address
        """File exactly what was looked at, or nothing. A practice filing, without legal effect."""
        sent, key = asked(File3bIn, request, request.data), self.key()
        self._ensure_one_thing(sent)
        step_up.require(request, self.actor)
        try:
            filing = gstr3b.file(
                taxpayer=self.held.taxpayer,
                period=self.period,
                actor=self.actor,
                clock=clock.portal(),
                shown_digest=sent["digest"],
                request_id=key,
            )
        except ChangedSinceShownError as changed:
            seen = {**sent, "net_itc": heads(Tax(**sent["net_itc"]))}
            raise RefusedError(
                changed.code,
                "The figures are not those that were looked at. Nothing was filed. Read the return again.",
                more={"shown": seen, "now": _figures(changed.shown_now)},
            ) from None
        except Gstr3bRefusedError as refused:
            stands = review.advice(refused.refusal, self.draft())
            raise RefusedError(stands.code, stands.text) from None
        except HeldError as held:
            raise RefusedError(held.code, held.text) from None
        return Response(
            {
                "period": wire(filing.month),
                **filing_told(filing),
                "statement_version": filing.statement.version if filing.statement else None,
                "digest": filing.digest,
                "net_itc": heads(Tax(*filing.declared["t4C"])),
            }
        )

    def _ensure_one_thing(self, sent: dict[str, Any]) -> None:
        """Refuse a digest that comes with figures of another return: the digest is of them, and filing compares it."""
        stands = self.draft()
        if sent["digest"] != stands.digest:
            return
        version = stands.statement.version if stands.statement else None
        if sent["statement_version"] != version:
            raise ValidationError({"statement_version": "The digest is of another version. Read the return again."})
        net = stands.declared["t4C"].as_dict()
        for head in HEADS:
            if sent["net_itc"][head] != net[head]:
                raise ValidationError({"net_itc": {head: "The digest is of another amount. Read the return again."}})


def _figures(shown: Draft) -> dict[str, Any]:
    return {
        "statement_version": shown.statement.version if shown.statement else None,
        "digest": shown.digest,
        "net_itc": heads(shown.declared["t4C"]),
    }


def _final(found: Final) -> dict[str, Any]:
    return {"count": found.count, "adds": rupees(found.adds), "takes": rupees(found.taken)}
