"""Queries of addresses: read as strictly as bodies are, so that nothing a program asks for is passed over."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from ims_portal.api.views import Strict, asked

USUAL, MOST = 50, 200
MOST_VERSIONS = 999_999


class RowsQuery(Strict):
    """How many rows a page has."""

    rows = serializers.IntegerField(required=False, min_value=1, max_value=MOST, help_text=f"{USUAL} if left out")


def version(**options: Any) -> serializers.IntegerField:  # noqa: ANN401 - the field's own options
    """Return a field that names a version of a statement."""
    return serializers.IntegerField(min_value=1, max_value=MOST_VERSIONS, **options)


def read(kind: type[Strict], request: Request) -> dict[str, Any]:
    """Return the query of a request, read by a serializer. Raises ValidationError, for a name given twice too."""
    twice = [name for name, values in request.query_params.lists() if len(values) > 1]
    if twice:
        raise ValidationError(dict.fromkeys(twice, "This is given twice. Give it once."))
    return asked(kind, request, request.query_params.dict())
