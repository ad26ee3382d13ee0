"""What people look at all day: the summary, the first page of a list and one deep in it, each as a whole page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

from django.conf import settings
from django.template import Context, Template
from django.test import Client
from django.test.utils import instrumented_test_render  # type: ignore[attr-defined]
from django.urls import reverse

from ims_portal import clock, proof
from invoices import inbox, sorting, standing
from invoices.filters import Filters
from returns.bench import HotPath, Target, bare_sql, timed
from returns.bigworld import World

ROWS, DEEP = 50, 2_000
SORT = "date"
OK = 200


@dataclass(frozen=True, slots=True)
class Look:
    """A page: its address, the least SQL that has its figures, and the SQL one would write first."""

    name: str
    address: str
    least: Callable[[], object]
    first: Callable[[], object]


@contextmanager
def _telling_templates() -> Iterator[None]:
    """Let answers say which templates they were made of, and with what, while the block runs."""
    before = Template._render  # type: ignore[attr-defined]  # noqa: SLF001 what Django's test environment swaps
    Template._render = instrumented_test_render  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        yield
    finally:
        Template._render = before  # type: ignore[attr-defined]  # noqa: SLF001


class Pages:
    """A person's visit; the limit of a page is its least SQL and the rendering of its template, nothing else."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
        self.client.force_login(world.owner, backend=settings.AUTHENTICATION_BACKENDS[0])
        session = self.client.session
        proof.enter(session, world.owner)
        session.save()

    def looks(self, *, pages: int = DEEP) -> list[Look]:
        """Return the pages that are measured; `pages` is how deep the deep one lies, at most."""
        pk, firm = self.world.recipient.pk, self.world.recipient.gstin
        by_date = Filters().address(firm, rows=ROWS, sort=SORT)
        deep, place = self._deep(by_date, pages)
        return [
            Look(
                "summary",
                reverse("invoices:inward", args=[firm]),
                lambda: bare_sql.summary(recipient_id=pk),
                lambda: bare_sql.grouped(recipient_id=pk),
            ),
            Look(
                "list_first",
                by_date,
                lambda: bare_sql.page(recipient_id=pk, limit=ROWS),
                lambda: bare_sql.by_offset(recipient_id=pk, limit=ROWS, offset=0),
            ),
            Look(
                "list_deep",
                deep,
                lambda: bare_sql.page(recipient_id=pk, limit=ROWS, after=place),
                lambda: bare_sql.by_offset(recipient_id=pk, limit=ROWS, offset=ROWS * pages),
            ),
        ]

    def _deep(self, address: str, pages: int) -> tuple[str, tuple[object, object]]:
        """Return the address of a page deep in a list, and the record behind which it begins."""
        firm, today = self.world.recipient, standing.of(self.world.recipient, clock.portal().now())
        sort = sorting.parse(SORT)
        page = inbox.page(taxpayer=firm, today=today, filters=Filters(), rows=ROWS, sort=sort, cursor="")
        begin = sorting.read(page.after, sort)
        if begin is None:
            raise AssertionError("there is no second page")
        place = bare_sql.place_at(recipient_id=firm.pk, offset=ROWS * pages - 1)
        beside = replace(begin.beside, values=tuple(str(value) for value in place))
        return f"{address}&after={replace(begin, beside=beside, first=ROWS * pages + 1).signed()}", place

    def paths(self, rows: int) -> list[HotPath]:
        """Return how each page is measured."""
        return [self._path(look, rows) for look in self.looks(pages=min(DEEP, rows // ROWS // 2))]

    def _path(self, look: Look, rows: int) -> HotPath:
        with _telling_templates():
            answered = self.client.get(look.address)
        if answered.status_code != OK:
            raise AssertionError(f"{look.address} answered {answered.status_code}")
        template = answered.templates[0]
        context = Context(cast("list[Context]", answered.context)[0].flatten())
        rendering = lambda: template.render(context)  # noqa: E731
        return HotPath(
            look.name,
            rows,
            ours=lambda: timed(lambda: self.client.get(look.address)),
            naive=lambda: timed(look.first) + timed(rendering),
            limit=lambda: timed(look.least) + timed(rendering),
            targets=(Target("limit", 1.5),),
        )
