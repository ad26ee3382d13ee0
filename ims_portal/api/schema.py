"""How the published schema describes who enters, the key of writes, and the errors that every answer may be."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from ims_portal.api.views import KEY_HEADER

WRITES = ("POST", "PUT", "PATCH", "DELETE")
ERRORS = {
    400: "the request cannot be read: correct it, with a new key",
    401: "no token, or one that lets nobody in",
    403: "the token, or its person, lacks the right",
    404: "no such thing, or not yours: the same either way",
    409: "the state has moved: read again and decide again",
    413: "the body is too large",
    415: "the body is not what the interface takes",
    422: "refused by the law, or by what the key was used for earlier",
    429: "too many requests: wait as Retry-After says, same key",
    503: "busy: send the same again, with its key",
}
OF_READING = (400, 401, 403, 404, 422, 429)
ERROR = {
    "type": "object",
    "description": "What went wrong: a stable code, what and what next, the field it is about, a number to quote.",
    "properties": {
        "code": {"type": "string", "example": "INVALID"},
        "message": {"type": "string"},
        "field": {"type": "string", "example": "items[0].version"},
        "request_id": {"type": "string", "format": "uuid"},
    },
    "required": ["code", "message", "request_id"],
}


class Bearer(OpenApiAuthenticationExtension):
    """Names our tokens in the schema."""

    target_class = "ims_portal.api.doors.Bearer"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002 - the framework's
        """Return how a request shows it may enter."""
        return {"type": "http", "scheme": "bearer"}


class Schema(AutoSchema):
    """Adds the key to every write, and sorts operations by what they are about."""

    def get_override_parameters(self) -> list[Any]:
        """Return the header every write needs."""
        if self.method not in WRITES or self.view.saves_nothing:
            return []
        text = "a UUID of your own, one for each intention: the same again is answered as before, with no second effect"
        kind = {"type": "string", "format": "uuid"}
        return [OpenApiParameter(KEY_HEADER, kind, OpenApiParameter.HEADER, required=True, description=text)]

    def get_tags(self) -> list[str]:
        """Return the part of the address behind the GSTIN."""
        parts = [part for part in self.path.removeprefix("/api/v1/").split("/") if part not in ("t", "{gstin}")]
        return parts[:1]


def with_errors(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Return a schema in which every operation may answer with an error."""
    result["components"]["schemas"]["Error"] = ERROR
    told = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for methods in result["paths"].values():
        for method, operation in methods.items():
            codes = ERRORS if method.upper() in WRITES else OF_READING
            for code in codes:
                operation["responses"].setdefault(str(code), {"description": ERRORS[code], "content": told})
    return result
