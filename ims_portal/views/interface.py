"""The interface for programs, told to people: its reference, and the schema as a file. Both are open to everybody."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from ims_portal import interface

CHAPTERS = {
    "token": _("The token itself"),
    "taxpayers": _("Taxpayers"),
    "ims": _("IMS: records and what is decided on them"),
    "out": _("Outward supplies"),
    "2b": _("GSTR-2B"),
    "3b": _("GSTR-3B"),
    "uploads": _("Files in"),
    "exports": _("Files out"),
    "jobs": _("Jobs"),
}
"""Tag of the schema -> its heading, in the order people meet them; a tag not named here follows under its own name."""


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show every operation of the interface, and how to enter it."""
    told = interface.told()
    tags = sorted(told.chapters, key=lambda tag: (list(CHAPTERS).index(tag) if tag in CHAPTERS else len(CHAPTERS), tag))
    context = {
        "chapters": [(tag, CHAPTERS.get(tag, ""), told.chapters[tag]) for tag in tags],
        "shapes": told.shapes,
        "errors_told": told.errors,
        "address": request.build_absolute_uri(reverse("api:token")),
    }
    return render(request, "ims_portal/interface.html", context)


@login_not_required
@require_safe
def schema(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Return the schema as it is kept, for programs that make clients of it."""
    answer = HttpResponse(interface.schema(), content_type="application/yaml")
    answer.headers["Content-Disposition"] = 'inline; filename="ims-portal.yaml"'
    return answer
