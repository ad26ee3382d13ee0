"""The two views every other one is made from: who enters by which token, and with which right."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import translation
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from ims_portal import clock, tokens
from ims_portal.access import Access, Right
from ims_portal.api.bodies import StrictJson
from ims_portal.api.doors import Bearer, ByToken, HasToken, PerToken

KEY_HEADER = "Idempotency-Key"


class TokenView(ByToken, APIView):
    """A view for tokens, about no GSTIN in particular."""

    authentication_classes: ClassVar[list[type]] = [Bearer]
    permission_classes: ClassVar[list[type]] = [HasToken]
    throttle_classes: ClassVar[list[type]] = [PerToken]
    parser_classes: ClassVar[list[type]] = [StrictJson]
    saves_nothing: ClassVar[bool] = False
    """Whether its POST only asks, and so needs no key."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the framework's
        """Answer in English, whatever language a browser would like: programs read codes, people read these."""
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs)

    def key(self) -> uuid.UUID:
        """Return the request's Idempotency-Key. Raises ValidationError without one."""
        try:
            return uuid.UUID(self.request.headers.get(KEY_HEADER, ""))
        except ValueError:
            raise ValidationError({KEY_HEADER: "Send a UUID of your own, the same when you send this again."}) from None


class TaxpayerView(TokenView):
    """A view about the GSTIN of its address. `rights` says what each method needs; there is no default."""

    rights: ClassVar[Mapping[str, Right]]
    held: Access

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Let in, pace, and open the GSTIN. Raises Http404 and RightMissingError."""
        super().initial(request, *args, **kwargs)
        self.at = clock.portal().now()
        right = self.rights.get("GET" if request.method == "HEAD" else str(request.method))
        if right is None:
            raise MethodNotAllowed(str(request.method))
        self.held = tokens.for_taxpayer(token=self.token, gstin=kwargs["gstin"], at=self.at, right=right)


class Strict(serializers.Serializer[Any]):
    """A body or a query of which nothing is passed over: a key it does not know is refused."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - the framework's signature
        """Return what was sent, read. Raises ValidationError."""
        if isinstance(data, Mapping):
            unknown = [str(key) for key in data if key not in self.fields]
            if unknown:
                raise ValidationError(dict.fromkeys(unknown, "There is no such field. Leave it out."))
        return super().to_internal_value(data)


def asked(kind: type[Strict], request: Request | HttpRequest, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent, read by a serializer. Raises ValidationError."""
    form = kind(data=data, context={"request": request})
    form.is_valid(raise_exception=True)
    found: dict[str, Any] = dict(form.validated_data)
    return found


def nothing(request: Request) -> None:
    """See that a command which needs no body came without one, or with an empty one. Raises ValidationError."""
    asked(Strict, request, request.data)
