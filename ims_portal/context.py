"""What the shell of every page needs: the portal's date, whose GSTIN is open, a fresh request id, the menu's place."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.functional import SimpleLazyObject

from ims_portal import clock

IN_RETURNS = {"return", "return-upload", "return-file", "return-record-delete", "upload"}
"""Pages of the app of records that stand under Returns in the menu: the supplier's own forms."""


def shell(request: HttpRequest) -> dict[str, object]:
    """Return the shell's context. This will read the clock only where the page shows it and the view did not."""
    return {
        "portal_now": SimpleLazyObject(lambda: getattr(request, "portal_now", None) or clock.portal().now()),
        "is_sandbox": settings.IMS_SANDBOX,
        "access": getattr(request, "access", None),
        "request_id": SimpleLazyObject(uuid.uuid4),
        "menu_at": _menu_at(request),
        "languages": [(code, translate_url(request.get_full_path(), code)) for code, _name in settings.LANGUAGES],
    }


def _menu_at(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is None:
        return ""
    if match.namespace == "returns" or (match.namespace == "invoices" and match.url_name in IN_RETURNS):
        return "returns"
    return "ims" if match.namespace == "invoices" else str(match.url_name or "")
