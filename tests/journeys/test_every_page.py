"""Every page of the portal, found as a person finds it: by its links, from the sign-in page on.

Each kind of page is looked at in every language offered, on a phone and in English wide too: axe-clean, nothing to
scroll sideways, nothing said on the console, no link that leads to an error, and no English left in Hindi. An address
no link leads to fails, unless it is named with its reason. `make shots` keeps a picture of each in screenshots/pages.
"""

from __future__ import annotations

import html
import os
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from playwright.sync_api import Page

from ims_portal import clock, tokens
from ims_portal.access import Right
from ims_portal.models import Taxpayer, User
from invoices.actions import ResultStatus
from invoices.models import ActionEvent, Booked, Record, Register
from returns import demo
from tests import english, factories, kept_world
from tests.journeys import axe
from tests.journeys.desk import Desk, set_clock
from tests.signing_in import PASSWORD

SHOTS = Path(__file__).resolve().parents[2] / "screenshots" / "pages"
WIDTHS = (1280, 390)
NARROW = (390,)
"""Enough for the second language: other words change what wraps, which shows on a phone first."""
LINK = re.compile(r'<a [^>]*href="([^"#]+)')
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

R, S = demo.RECIPIENT, demo.WARDHA
STATIONS = {
    "raghav": (
        f"t/{R}/returns/102026/gstr2b/",
        *(f"t/{R}/ims/inward/{section}/" for section in ("all", "b2ba", "b2bcn", "b2bcna", "impg", "impgsez")),
        f"t/{R}/ims/inward/b2b/?action=R",
        f"t/{R}/ims/inward/b2bdn/?action=R",
    ),
    "sunita": (f"t/{S}/returns/102026/gstr3b/",),
    "anand": (),
    "admin1": (),
}
"""Where the walks of a signatory of a recipient, one of a supplier, a practitioner and an administrator begin."""

NO_PAGE = {
    "front": "leads to the first page of one's language",
    "health": "for machines",
    "ready": "for machines",
    "metrics": "for machines",
    "stay": "takes a script's request: keeps a session",
    "gstn-certificate": "for programs",
    "set_language": "takes a form",
    "invoices:act": "takes a form",
    "invoices:bulk": "takes a form",
    "invoices:batch-answer": "takes a form",
    "invoices:batch-apart": "takes a form",
    "invoices:batch-confirm": "takes a form",
    "invoices:batch-stop": "takes a form",
    "invoices:batch-undo": "takes a form",
    "invoices:action-file-apply": "takes a form",
    "invoices:match-tolerance": "takes a form",
    "invoices:match-again": "takes a form",
    "invoices:register-columns": "takes a form",
    "invoices:register-remove": "takes a form",
    "invoices:booked-link": "takes a form",
    "invoices:booked-unlink": "takes a form",
    "invoices:inward-understood": "takes a form",
    "invoices:entry-recipient": "a part of the page of entry, for its script",
    "returns:gstr2b-compute": "takes a form",
    "returns:gstr3b-file": "takes a form",
    "returns:gstr3b-fill": "takes a form",
    "invoices:return-upload": "takes a form",
    "invoices:deadlines-ics": "for calendar programs, by a key",
    "calendar-revoke": "takes a form",
    "token-revoke": "takes a form",
    "clients-archive": "takes a form",
    "control-calendar-approve": "takes a form",
    "control-calendar-withdraw": "takes a form",
}
AFTER_A_STEP = {
    "invoices:outward-record-message": "a rejection not final yet: journey 5, tests/journeys/test_outward.py",
    "invoices:outward-record-repair": "a rejection made final: journey 13",
    "invoices:record-message": "a supplier's request: journey 5, tests/journeys/test_outward.py",
    "invoices:batch": "a preview of many records: journey 7, tests/journeys/test_bulk.py",
    "invoices:batch-file": "a preview of many records: a file of its page",
    "invoices:batch-rows": "a preview of many records: journey 7",
    "returns:whatif": "a choice of rows in a list: journey 12",
    "invoices:act-review": "a save with questions: journeys 3, 4 and 10",
    "invoices:record-edit": "a document saved and not filed: tests/journeys/test_supplier_desk.py",
    "invoices:return-record-delete": "a document saved and not filed: tests/invoices/views/test_outward.py",
    "invoices:delivery": "a large return that is filed: tests/invoices/views/test_deliveries.py",
    "invoices:upload": "an upload: tests/journeys/test_main_job.py",
    "invoices:upload-report": "an upload with problems: a file of its page",
    "clients-archive-file": "files asked for ticked clients: a file of its page",
    "control-audit-extract-file": "a file of the log asked for: a file of its page",
    "codes": "a code asked for by a program: tests/journeys/test_states.py",
    "clients-asked": "something asked for ticked clients: tests/returns/views/test_clients.py",
    "returns:gstr2b-file": "a file to compare: tests/journeys/test_gstr2b_files.py",
    "returns:job": "a computation: tests/journeys/test_main_job.py",
    "invoices:action-file": "an upload: journey 14",
    "invoices:match-template": "a file of the page of matching",
    "returns:export": "a file asked for: tests/journeys/test_files.py",
    "returns:export-file": "a file asked for: a file of its page",
    "returns:gstr3b-receipt": "a filing: journey 10",
    "returns:gstr3b-receipt-json": "a filing: a file of its page",
    "control-feed": "an upload of a feed",
}


def every_name(resolver: URLResolver, space: str = "") -> Iterator[str]:
    """Return the name of every address of the portal; those of signing in are allauth's."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver) and each.namespace in ("api", "gstn", "gstn-standard", "gstn-own"):
            continue  # no pages; tests/api walks them
        if isinstance(each, URLResolver):
            yield from every_name(each, f"{each.namespace}:" if each.namespace else space)
        elif isinstance(each, URLPattern) and each.name and not each.name.startswith(("account_", "mfa_")):
            yield space + each.name


def kind_of(link: str) -> str:
    """Return what makes a page another than the last: its name, the form and the tab it opens."""
    parts = urlsplit(link)
    # Only addresses of the active language resolve; the kinds are the same in all.
    found = resolve(re.sub("^/[a-z]{2}/", "/en/", parts.path))
    tab = parse_qs(parts.query).get("tab", [""])[0]
    return " ".join(filter(None, (found.view_name, str(found.kwargs.get("form", "")), tab)))


class Walk:
    """One person's walk over one page of each kind; what others looked at is only passed through."""

    def __init__(self, desk: Desk, language: str, looked_at: set[str], names: frozenset[str]) -> None:
        self.desk, self.language, self.looked_at = desk, language, looked_at
        self.names = names
        self.titles: dict[str, str] = {}
        self.met: set[str] = set()
        self.waiting: list[str] = []
        self.problems: list[str] = []

    def from_(self, *paths: str) -> None:
        """Look at pages by their address, then follow links until every kind of page was met."""
        for path in paths:
            self.enter(self.desk.base + path, kind=path.strip("/").replace("/", "-"))
        while self.waiting:
            self.enter(self.waiting.pop())

    def note(self, links: list[str]) -> None:
        """Keep the links that lead to a kind of page not met yet."""
        for link in links:
            is_other_language = re.match(r"/[a-z]{2}/", urlsplit(link).path) and f"/{self.language}/" not in link
            if link.startswith(self.desk.base) and not is_other_language and kind_of(link) not in self.met:
                self.met.add(kind_of(link))
                self.waiting.append(link)

    def enter(self, link: str, kind: str = "") -> None:
        """Fetch a page, look at it where nobody has, and note where it leads."""
        answer = self.desk.page.request.get(link, max_retries=2)  # a kept connection may be closed as it is used
        if not answer.ok:
            self.problems.append(f"{answer.status} {link}")
        elif answer.headers["content-type"].startswith("text/html"):
            self.note([urljoin(link, html.unescape(each)) for each in LINK.findall(answer.text())])
            if (kind or kind_of(link)) not in self.looked_at:
                self.looked_at.add(kind or kind_of(link))
                if self.language == "hi":
                    left = english.left_in(answer.text(), data=self.names)
                    self.problems += [f"{link} says in English: {text}" for text in left]
                self.look(link, kind or kind_of(link))

    def look(self, link: str, kind: str) -> None:
        """Open a page at every width of the language."""
        page = self.desk.page
        page.goto(link)
        path = urlsplit(page.url).path
        if self.titles.setdefault(page.title(), path) != path:
            self.problems.append(f"{path} has the title of {self.titles[page.title()]}: {page.title()}")
        for width in WIDTHS if self.language == "en" or os.environ.get("IMS_SHOTS") else NARROW:
            page.set_viewport_size({"width": width, "height": 900})
            if (over := page.evaluate(OVERFLOW)) > 0:
                self.problems.append(f"{link}: {over} px too wide at {width} px")
            self.keep(kind, width)
        self.problems += axe.violations(page, of_words=self.language != "en")

    def keep(self, kind: str, width: int) -> None:
        """Keep a picture, where asked to."""
        if os.environ.get("IMS_SHOTS"):
            kept = re.sub(r"[^a-z0-9A-Z]+", "-", kind)
            name = f"{self.desk.username}-{kept}-{self.language}-{width}.png"
            self.desk.page.screenshot(path=SHOTS / name, full_page=True)


def names_and_remarks() -> frozenset[str]:
    """Return what people, taxpayers and files are called and what people wrote: these keep their writers' language."""
    found = {str(person) for person in User.objects.all()} | {person.username for person in User.objects.all()}
    found |= {taxpayer.name for taxpayer in Taxpayer.objects.all()}
    found |= {*Register.objects.values_list("file_name", flat=True), *Booked.objects.values_list("number", flat=True)}
    return frozenset(found | set(ActionEvent.objects.values_list("remark", flat=True)))


@pytest.fixture
def portal(transactional_db: None, start_web: Callable[[], str]) -> str:  # noqa: ARG001 - commits, for the processes to see
    """Return the address of a portal two days after the demo begins: two statements, and a change in neither."""
    kept_world.world(f"demo, {PASSWORD}", lambda: demo.seed(password=PASSWORD))
    set_clock("2026-11-15 10:00")
    recipient = Taxpayer.objects.get(gstin=demo.RECIPIENT)
    invoice = Record.objects.get(recipient=recipient, number="KMF/26-27/1004")
    factories.computed(recipient, period="102026", on="2026-11-14")
    rejected = factories.act(invoice, "R", on="2026-11-15", reason="NOT_RECEIVED", remark="not ordered")
    factories.computed(recipient, period="102026", on="2026-11-15")
    kept = factories.act(invoice, "P", on="2026-11-15", remark="goods are on the way")
    assert rejected.of(ResultStatus.SAVED)
    assert kept.of(ResultStatus.SAVED)
    terms = tokens.Terms("ERP", [demo.RECIPIENT], [Right.FILE], networks=["203.0.113.0/24"])
    signatory = User.objects.get(username="raghav")
    tokens.make(user=signatory, terms=terms, clock=clock.portal(), request_id=uuid.uuid4())
    return start_web()


@pytest.mark.journey
@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_page_that_links_lead_to_is_clean(language: str, portal: str, person: Callable[[], Page]) -> None:
    met: set[str] = set()
    looked_at: set[str] = set()
    problems: list[str] = []
    names = names_and_remarks()
    for username, paths in STATIONS.items():
        walk = Walk(Desk(person(), portal, username), language, looked_at, names)
        walk.from_(f"/{language}/t/", *(f"/{language}/{path}" for path in paths))
        met |= {kind.partition(" ")[0] for kind in walk.met}
        problems += [f"{username}: {problem}" for problem in walk.problems]
    assert problems == [], "\n".join(problems)
    missed = set(every_name(get_resolver())) - met - NO_PAGE.keys() - AFTER_A_STEP.keys()
    assert missed == set(), "no link leads to these"
