"""What-if for programs: what choices would come to before they are made. Nothing is saved by asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal.access import Right
from ims_portal.api.fields import Heads, Period, Rupees, heads, rupees, wire
from ims_portal.api.views import Strict, TaxpayerView, asked
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.money import NIL, Tax
from invoices import filters, standing
from invoices.filters import Filters
from returns import before_after, whatif, wording
from returns.api.lines import PARTS, PLACES, TABLES
from returns.api.queries import MOST
from returns.whatif import Answered, Choices

LETTERS = [action.value for action in Action]
ANSWERS = [Answer.FULL.value, Answer.NONE.value]
LONGEST_FILTER = 200


class WhatIfIn(Strict):
    """A choice for all records a list shows by its filters, or for some of them.

    `list` names a section, or all; `filters` are those of the list of records. `reduce` answers whether ITC is reduced,
    F or N, where accepting asks it.
    """

    action = serializers.ChoiceField(LETTERS)
    reduce = serializers.ChoiceField(ANSWERS, required=False)
    list = serializers.SlugField(required=False, max_length=20, default=filters.ALL)
    filters = serializers.DictField(child=serializers.CharField(max_length=LONGEST_FILTER), required=False)
    records = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, min_length=1, max_length=MOST
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse an answer nothing asks for."""
        if "reduce" in attrs and attrs["action"] != Action.ACCEPT:
            raise serializers.ValidationError({"reduce": "Only accepting asks whether ITC is reduced. Leave it out."})
        return attrs


class WhatIfVerdictOut(serializers.Serializer[Any]):
    """What would become of records: "will", "same", "later", or the code the law bars it with; how many, their tax."""

    verdict = serializers.CharField()
    message = serializers.CharField()
    count = serializers.IntegerField()
    tax = Rupees()


class WhatIfSumOut(serializers.Serializer[Any]):
    """What a row of a part of a section comes to."""

    records = serializers.IntegerField()
    tax = Heads()


class WhatIfPartOut(serializers.Serializer[Any]):
    """A row of a part of a section of GSTR-2B before and after; Part B is told positive where it takes off."""

    section = serializers.ChoiceField(PLACES)
    part = serializers.ChoiceField(PARTS)
    row = serializers.ChoiceField(TABLES)
    before = WhatIfSumOut()
    after = WhatIfSumOut()


class WhatIfRowOut(serializers.Serializer[Any]):
    """A row of Table 4, derived, before and after; t4C is net ITC."""

    row = serializers.ChoiceField(before_after.TABLE_4)
    table = serializers.CharField()
    before = Heads()
    after = Heads()
    change = Heads()


class ChargedOut(serializers.Serializer[Any]):
    """A supplier whose tax would change: what the rejections of the period add to it, before and after."""

    gstin = serializers.CharField()
    name = serializers.CharField()
    records = serializers.IntegerField()
    before = Rupees()
    after = Rupees()
    change = Rupees()


class WhatIfOut(serializers.Serializer[Any]):
    """What choices would come to in the open period.

    `version` is the statement that is `before`, null where computing now would already differ from the newest one.
    `suppliers` are the most affected of all `supplier_count`.
    """

    period = Period()
    version = serializers.IntegerField(allow_null=True)
    verdicts = WhatIfVerdictOut(many=True)
    sums = WhatIfPartOut(many=True)
    table_4 = WhatIfRowOut(many=True)
    supplier_count = serializers.IntegerField()
    suppliers = ChargedOut(many=True)


_EXAMPLE = {"action": "R", "list": "b2bcn", "filters": {"supplier": "24AAACS2718C1ZX"}}


class WhatIf(TaxpayerView):
    """Choices as if they were made."""

    rights = {"POST": Right.VIEW}
    saves_nothing = True

    @extend_schema(
        operation_id="whatif",
        request=WhatIfIn,
        responses=WhatIfOut,
        examples=[OpenApiExample("Reject a supplier's credit notes", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """Return what choices would change of GSTR-2B, of Table 4 and of suppliers' tax. Nothing is saved."""
        sent = asked(WhatIfIn, request, request.data)
        choices = Choices(
            _filters(sent["list"], sent.get("filters", {})),
            Action(sent["action"]),
            Answer(sent.get("reduce", "")),
            tuple(sent.get("records", ())),
        )
        found = whatif.ask(
            taxpayer=self.held.taxpayer,
            inbox=standing.inbox(self.held, self.at),
            today=standing.for_page(self.held, self.at),
            choices=choices,
        )
        return Response(_told(found))


def _filters(slug: str, sent: Mapping[str, str]) -> Filters:
    query = QueryDict(mutable=True)
    query.update(sent)
    found = filters.parse(slug, query, beside=())
    if found is None:
        raise ValidationError({"list": "There is no such list. Name a section, or all."})
    if found.problems:
        raise ValidationError({"filters": found.problems})
    return found.filters


def _told(found: Answered) -> dict[str, Any]:
    before, after = found.table_4(found.before), found.table_4(found.after)
    return {
        "period": wire(found.period.month),
        "version": found.version,
        "verdicts": [
            {"verdict": name, "message": str(before_after.VERDICTS[name]), "count": count, "tax": rupees(tax)}
            for name, (count, tax) in found.verdicts.items()
        ],
        "sums": [
            {
                "section": key[0],
                "part": key[1],
                "row": key[2],
                "before": _sum(found.before.get(key)),
                "after": _sum(found.after.get(key)),
            }
            for key in sorted({*found.before, *found.after})
        ],
        "table_4": [
            {
                "row": row,
                "table": wording.ROW_NAMES[row][0],
                "before": heads(before[row]),
                "after": heads(after[row]),
                "change": heads(after[row] - before[row]),
            }
            for row in before_after.TABLE_4
        ],
        "supplier_count": found.charged.count,
        "suppliers": [
            {
                "gstin": one.gstin,
                "name": one.name,
                "records": one.count,
                "before": rupees(one.before),
                "after": rupees(one.after),
                "change": rupees(one.change),
            }
            for one in found.charged.suppliers
        ],
    }


def _sum(line: tuple[int, Tax] | None) -> dict[str, Any]:
    count, tax = line or (0, NIL)
    return {"records": count, "tax": heads(tax)}
