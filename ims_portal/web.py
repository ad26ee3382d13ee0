"""What every page shares on its way in and out: who may enter, refusals as pages, headers.

A view begins with `enter`; a view that writes checks the form with `expect_form`. What the domain raises and every
page answers alike becomes a page here: a missing right 403, a form of another GSTIN 409, a busy inbox 503.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import structlog
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template import loader
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from ims_portal import access, clock, logs, outages
from ims_portal.access import Access, Right, RightMissingError
from ims_portal.rules.texts import UNWELCOME

log = structlog.get_logger()

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"
LONGEST_ADDRESS = 2_000
STOP_POLLING = 286
"""What htmx takes as "do not ask again"."""

METHOD_NOT_ALLOWED = 405
SIGN_OUT = "account_logout"


class FormRefusedError(Exception):
    """A form that cannot be of this page: another GSTIN's, or without a request id. Nothing was saved."""

    code = "FORM_REFUSED"


def enter(request: HttpRequest, gstin: str, right: Right = Right.VIEW) -> Access:
    """Return the user's access to the address's GSTIN and keep it, with the moment, for the shell.

    This will raise Http404 for a stranger and RightMissingError for a member without the right.
    """
    request.portal_now = at = clock.portal().now()
    request.access = None
    try:
        held = access.for_taxpayer(user=request.user, gstin=gstin, at=at, right=right)
    except RightMissingError:
        # The refusal's page still says whose desk it is; a stranger never gets here.
        request.access = access.for_taxpayer(user=request.user, gstin=gstin, at=at)
        raise
    request.access = held
    return held


def expect_form(request: HttpRequest, gstin: str) -> uuid.UUID:
    """Return a form's request id. This will raise FormRefusedError where the form belongs to another GSTIN."""
    if request.POST.get("gstin") != gstin:
        raise FormRefusedError(
            _("This form was opened for another GSTIN. Nothing was saved. Open the page of %(gstin)s again.")
            % {"gstin": gstin}
        )
    return request_id(request)


def request_id(request: HttpRequest) -> uuid.UUID:
    """Return the request id of a form that belongs to no GSTIN. This will raise FormRefusedError without one."""
    try:
        return uuid.UUID(request.POST.get("request_id", ""))
    except ValueError:
        raise incomplete() from None


def incomplete() -> FormRefusedError:
    """Return the refusal of a form that lacks what its page always sends."""
    return FormRefusedError(_("This form is incomplete. Nothing was saved. Open the page again."))


def errors(form: Form) -> list[tuple[str, str]]:
    """Return what is wrong with a form, for the summary on top: (id of the control or "", text)."""
    told = form.errors.items()
    return [(form[name].id_for_label if name in form.fields else "", text) for name, texts in told for text in texts]


def local(url: str, *, otherwise: str) -> str:
    """Return an address a form asks to go back to, if it is one of ours; a stranger's link leads nowhere else."""
    is_plain = len(url) <= LONGEST_ADDRESS and not UNWELCOME.search(url)
    is_ours = is_plain and url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if is_ours else otherwise


def wanted(request: HttpRequest) -> str:
    """Return the page to come back to once something else is seen to: the one asked for, or a form's or a part's.

    What was sent is not taken then; its page can be shown.
    """
    if request.method == "GET" and not getattr(request, "htmx", False):
        return request.get_full_path()
    told = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    path = told._replace(scheme="", netloc="", fragment="").geturl() if told.netloc == request.get_host() else ""
    return local(path, otherwise="/")


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Return what leads the browser to another page, also where htmx asked for a part of one."""
    return HttpResponse(headers={"HX-Redirect": url}) if getattr(request, "htmx", False) else see_other(url)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say that a request cannot be read: too many fields, or an address no browser would send."""
    text = _("The request could not be read, so nothing was done. Go back, open the page again and repeat it.")
    return render(request, "ims_portal/problem.html", {"code": "BAD_REQUEST", "text": text}, status=400)


def broken(request: HttpRequest) -> HttpResponse:
    """Say that the error is ours, and the number under which the log has it; it asks nothing of the database.

    Django calls it while it handles the exception, wherever that came from: an outage of the database is none of ours.
    """
    if outages.is_one(sys.exc_info()[1]):
        return outages.answer(request)
    page = loader.get_template("500.html").render({"number": logs.request_number()})
    return HttpResponse(page, status=500)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say that a form's token does not fit: too old, from before signing in again, or from another site."""
    text = _("This form is too old, or was opened before you signed in again. Nothing was saved. Open the page again.")
    return render(request, "ims_portal/problem.html", {"code": "FORM_EXPIRED", "text": text}, status=403)


def whole(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    """Return a page that stands for the whole content, also where htmx asked for a part of another one."""
    if getattr(request, "htmx", False):
        with_headers(page, {"HX-Retarget": "#main", "HX-Reselect": "#main", "HX-Reswap": "outerHTML show:window:top"})
    return page


def with_headers(answer: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    """Return an answer after setting headers of it."""
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


class SeeOther(HttpResponseRedirect):
    """The 303 that ends a POST."""

    status_code = 303


def see_other(url: str) -> HttpResponse:
    """Return the 303 that ends a POST, so that reloading repeats nothing."""
    return SeeOther(url)


class Doors:
    """Middleware: expected refusals as pages, and the headers every answer carries."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and say that a signed-in page is nobody else's to keep."""
        response = self.get_response(request)
        if response.status_code == METHOD_NOT_ALLOWED and not response.content:
            response = _wrong_method(request, response)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            add_never_cache_headers(response)
            patch_vary_headers(response, ["HX-Request"])
        if request.method == "POST" and getattr(request.resolver_match, "url_name", "") == SIGN_OUT:
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """Answer what the domain refuses in the same way on every page; anything else is an error of ours."""
        if isinstance(problem, RightMissingError):
            told = {"who_may": problem.who_may, "right": problem.right.value}
            return whole(request, render(request, "403.html", told, status=403))
        code = getattr(problem, "code", "")
        if code in ("FORM_REFUSED", "IDEMPOTENCY_MISMATCH"):
            page = render(request, "ims_portal/problem.html", {"code": code, "text": str(problem)}, status=409)
            return whole(request, page)
        if code == "PROOF_MISSING":
            messages.info(request, _("This weighs much: say first that it is you, then do it again. Nothing was done."))
            return go(request, problem.ask)
        if code == "BUSY":
            usual = _(
                "Another change for this GSTIN is being written. Nothing was saved. Go back, your choices are still "
                "there, and try again."
            )
            text = str(problem) if getattr(problem, "is_worded", False) else usual
            answer = whole(
                request, render(request, "ims_portal/problem.html", {"code": code, "text": text}, status=503)
            )
            answer.headers["Retry-After"] = "2"
            return answer
        return None


def _wrong_method(request: HttpRequest, bare: HttpResponse) -> HttpResponse:
    text = _("This address is not a page: it only takes the form of a page. Nothing was done.")
    told = {"code": "METHOD_NOT_ALLOWED", "text": text}
    answer = render(request, "ims_portal/problem.html", told, status=METHOD_NOT_ALLOWED)
    answer.headers["Allow"] = bare.headers["Allow"]
    return answer
