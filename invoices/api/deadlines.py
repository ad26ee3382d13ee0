"""What a GSTIN must do by when, for programs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import agenda
from ims_portal.access import Right
from ims_portal.agenda import Group, Item
from ims_portal.api.fields import Rupees, rupees
from ims_portal.api.views import TaxpayerView


class DeadlineOut(serializers.Serializer[Any]):
    """One thing to do by a day: how many records and how much tax are at stake, what happens if nothing is done.

    `key` names it for good. `snoozed_until` is set where the token's person put it off in their own view.
    """

    key = serializers.CharField()
    title = serializers.CharField()
    if_nothing = serializers.CharField()
    on = serializers.DateField()
    when = serializers.ChoiceField([group.value for group in Group])
    records = serializers.IntegerField(allow_null=True)
    tax = Rupees(allow_null=True)
    page = serializers.CharField()
    snoozed_until = serializers.DateField(allow_null=True)


class DeadlinesOut(serializers.Serializer[Any]):
    """All there is to do, the next first, as of a day; `notes` say what could not be looked at."""

    day = serializers.DateField()
    deadlines = DeadlineOut(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class Deadlines(TaxpayerView):
    """The deadlines of a GSTIN."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="deadlines", responses=DeadlinesOut)
    def get(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """Return what falls due when, with what is at stake, in order of days."""
        found = agenda.of(self.held, self.at)
        until = {item.key: day.isoformat() for item, day in found.snoozed}
        return Response(
            {
                "day": found.day.isoformat(),
                "deadlines": [_told(item, found.group(item), until.get(item.key)) for item in found.all],
                "notes": list(found.notes),
            }
        )


def _told(item: Item, group: Group, until: str | None) -> dict[str, Any]:
    return {
        "key": item.key,
        "title": item.title,
        "if_nothing": item.if_nothing,
        "on": item.on.isoformat(),
        "when": group.value,
        "records": item.count,
        "tax": None if item.tax is None else rupees(item.tax),
        "page": item.url,
        "snoozed_until": until,
    }
