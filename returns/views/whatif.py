"""What-if: what choices would come to, before they are made. Nothing here writes, whatever the method."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ims_portal import web
from ims_portal.access import Right
from ims_portal.models import Taxpayer
from ims_portal.rules.actions import Action, Answer
from invoices import filters, standing, wording
from invoices.filters import Parsed
from invoices.models import Record
from returns import before_after
from returns.whatif import Choices

BESIDE = ("of", "do", "answer", "records", "open", "rows", "sort", "after", "result")
MOST_TICKED = 200
"""Records an address may name: as many as the longest page of a list shows."""

OWN_FIELDS = frozenset({"action", "q"})
"""Filters the page's own form asks for; others come from a list and are carried."""

UNREADABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show what choices would change. A POST, from ticked rows of a list, is led to the same question as an address."""
    held = web.enter(request, gstin)
    if request.method == "POST":
        web.expect_form(request, gstin)
        return web.see_other(f"{reverse('returns:whatif', args=[gstin])}?{_asked_of_list(request.POST)}")
    asked = filters.parse(request.GET.get("of") or filters.ALL, request.GET, beside=BESIDE)
    if asked is None:
        raise Http404("No such list.")
    at = request.portal_now
    today, inbox = standing.for_page(held, at), standing.inbox(held, at)
    choices, problems = _read(request.GET, asked)
    opened = request.GET.get("open", "")
    if not before_after.is_key(opened):
        raise Http404("No such figure.")
    found = None
    if choices is not None and not problems:
        found = before_after.page(taxpayer=held.taxpayer, inbox=inbox, today=today, choices=choices, opened=opened)
    kept = {name: value for name, value in request.GET.items() if name != "open" and value}
    context = {
        "page": found,
        "period": today.filer.period(inbox.open_month),
        "choices": choices,
        "asked": asked,
        "opened": opened,
        "errors": [(f"id_{name}", text) for name, text in problems.items()],
        "problems": problems,
        "lists": [(filters.ALL, _("All inward records")), *((s.value, name) for s, name in wording.SECTIONS.items())],
        "states": [(action.value, word) for action, word in wording.STATES.items()],
        "actions": [(action.value, word) for action, word in wording.ACTIONS.items()],
        "carried": [pair for pair in asked.filters.pairs() if pair[0] not in OWN_FIELDS],
        "records": request.GET.get("records", ""),
        "may_act": held.may(Right.ACT),
        "ticks": _versions(held.taxpayer, choices) if found and choices and choices.records else [],
        "back": request.get_full_path(),
        "list_url": asked.filters.address(gstin),
        "base": f"?{urlencode(kept, safe='/')}",
    }
    return render(request, "returns/whatif.html", context, status=UNREADABLE if problems else 200)


def _asked_of_list(post: QueryDict) -> str:
    """Return as an address's query what a list's toolbar asks about: its filters, its ticked rows, its action."""
    ids = [] if post.get("all") == "1" else [tick.partition(".")[0] for tick in post.getlist("tick")]
    own = {
        "of": post.get("list", ""),
        "records": ".".join(pk for pk in ids if _is_id(pk)),
        "do": post.get("bulk", ""),
    }
    asked = QueryDict(post.get("query", "")).copy()
    asked.update({name: value for name, value in own.items() if value})
    return asked.urlencode(safe="/")


def _versions(taxpayer: Taxpayer, choices: Choices) -> list[str]:
    """Return the ticked records as a list ticks them, at the version they have now."""
    found = Record.objects.filter(recipient=taxpayer, pk__in=choices.records).values_list("pk", "version")
    return [f"{pk}.{version}" for pk, version in found]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19  # noqa: PLR2004 what a bigint holds


def _read(query: QueryDict, asked: Parsed) -> tuple[Choices | None, dict[str, str]]:
    """Return the choices an address asks about, None before any is, and what is wrong with it by field."""
    problems = dict(asked.problems)
    ids = [part for part in query.get("records", "").split(".") if part]
    if len(ids) > MOST_TICKED or not all(map(_is_id, ids)):
        problems["records"] = _("These are not at most 200 records of a list. Go back to the list and tick them again.")
        ids = []
    letter, answer = query.get("do", ""), query.get("answer", "")
    if letter not in {"", *Action}:
        problems["do"] = _("Choose Accept, Reject, Pending or No action.")
    if answer not in {"", Answer.FULL, Answer.NONE}:
        problems["answer"] = _("Choose Full or None.")
    if not letter or problems:
        return None, problems
    is_accept = letter == Action.ACCEPT
    return Choices(
        asked.filters, Action(letter), Answer(answer) if is_accept else Answer.NOT_GIVEN, tuple(map(int, ids))
    ), problems
