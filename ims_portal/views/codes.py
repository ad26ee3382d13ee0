"""Codes that programs asked for: read by the person they are of, once it is clear who that is (formats 8.3)."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from ims_portal import one_time_codes, proof, web


@require_safe
def page(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show one's own codes for a GSTIN that can still be used. Raises Http404 while no program can ask for one."""
    held = web.enter(request, gstin)
    if not settings.GSTN_ENCRYPTED_PROFILE:
        raise Http404("No such page.")
    here = reverse("codes", args=[held.taxpayer.gstin])
    is_proved = proof.is_fresh(request)
    context = {
        "codes": one_time_codes.waiting(request.user).filter(taxpayer=held.taxpayer) if is_proved else [],
        "is_proved": is_proved,
        "prove": proof.ask(here),
        "here": here,
    }
    return render(request, "ims_portal/codes.html", context)
