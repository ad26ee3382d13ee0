"""What a token may do, and where."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock, tokens
from ims_portal.access import Right
from ims_portal.api.views import TokenView


class TaxpayerOut(serializers.Serializer[Any]):
    """A GSTIN and the rights a token has on it."""

    gstin = serializers.CharField()
    name = serializers.CharField()
    rights = serializers.ListField(child=serializers.ChoiceField([right.value for right in Right]))


class TokenOut(serializers.Serializer[Any]):
    """A token: what it is known by, until when it lets in, what the portal's moment is, and where it may what.

    `feeds` is whether it hands in feeds.
    """

    prefix = serializers.CharField()
    name = serializers.CharField()
    expires_at = serializers.DateTimeField()
    portal_now = serializers.DateTimeField()
    feeds = serializers.BooleanField()
    taxpayers = TaxpayerOut(many=True)


class Token(TokenView):
    """The token itself."""

    @extend_schema(operation_id="token", responses=TokenOut)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Return what this token may do, and where."""
        at = clock.portal().now()
        found = [
            {"gstin": held.taxpayer.gstin, "name": held.taxpayer.name, "rights": sorted(held.rights)}
            for held in tokens.taxpayers_of(self.token, at)
        ]
        token = self.token
        return Response(
            {
                "prefix": token.prefix,
                "name": token.name,
                "expires_at": token.expires_at.isoformat(),
                "portal_now": at.isoformat(),
                "feeds": token.feeds and token.user.is_staff,
                "taxpayers": found,
            }
        )
