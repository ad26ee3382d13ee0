"""What the shell of every page needs: the portal's date, whose GSTIN is open, a fresh request id, the menu's place."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.functional import SimpleLazyObject

from ims_portal import banners, clock, sessions

IN_RETURNS = {
    "return",
    "return-table",
    "return-record",
    "record-edit",
    "record-amend",
    "return-upload",
    "return-file",
    "return-record-delete",
    "entry-new",
    "upload",
}
"""Pages of the app of records that stand under Returns in the menu: the supplier's own forms."""

IN_IMS = {"outward-forecast", "whatif"}
"""Pages of the app of returns that stand under IMS: they begin with records."""

HELP = {
    "inward": "inward",
    "inward-list": "inward",
    "record": "inward",
    "act-review": "reduction",
    "deadlines": "deadlines",
    "deadline-keys": "deadlines",
    "gstr2b": "gstr2b",
    "gstr2b-lines": "gstr2b",
    "gstr2b-why": "gstr2b",
    "gstr2b-diff": "gstr2b",
    "gstr3b": "gstr3b",
    "gstr3b-adjust": "gstr3b",
    "gstr3b-entry": "gstr3b",
    "gstr3b-review": "gstr3b",
    "outward": "outward",
    "outward-record": "outward",
    "outward-rejected": "outward",
    "outward-rejected-notes": "outward",
    "outward-section": "outward",
    "outward-forecast": "outward",
    "outward-repair": "outward",
    "outward-record-repair": "outward",
    "outward-record-message": "outward",
    "messages": "inward",
    "record-message": "inward",
    "return": "returns",
    "return-file": "returns",
    "return-table": "returns",
    "return-record": "returns",
    "record-edit": "returns",
    "record-amend": "returns",
    "entry-new": "returns",
    "people": "people",
    "engagements": "people",
    "tokens": "programs",
    "interface": "programs",
}
"""Name of a page -> the place of the help that is about it."""


def shell(request: HttpRequest) -> dict[str, object]:
    """Return the shell's context. This will read the clock only where the page shows it and the view did not."""
    now = SimpleLazyObject(lambda: getattr(request, "portal_now", None) or clock.portal().now())
    held = getattr(request, "access", None)
    return {
        "portal_now": now,
        "is_sandbox": settings.IMS_SANDBOX,
        "access": held,
        "stale": SimpleLazyObject(lambda: banners.of(held, request.portal_now)) if held else None,
        "signed_out_at": SimpleLazyObject(lambda: now + sessions.left(request)),
        "idle": sessions.IDLE,
        "warned_before": sessions.WARNED_BEFORE,
        "operator": settings.IMS_OPERATOR,
        "contact": settings.IMS_CONTACT,
        "released": settings.IMS_RELEASED,
        "help_at": HELP.get(_name(request), ""),
        "request_id": SimpleLazyObject(uuid.uuid4),
        "menu_at": _menu_at(request),
        "languages": [(code, translate_url(request.get_full_path(), code)) for code, _name in settings.LANGUAGES],
    }


def _name(request: HttpRequest) -> str:
    return str(request.resolver_match.url_name) if request.resolver_match else ""


def _menu_at(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is None:
        return ""
    if match.namespace == "returns" and match.url_name in IN_IMS:
        return "ims"
    if match.namespace == "returns" or (match.namespace == "invoices" and match.url_name in IN_RETURNS):
        return "returns"
    return "ims" if match.namespace == "invoices" else str(match.url_name or "")
