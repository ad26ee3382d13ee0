"""What a page may take: time on the server, size, queries. Measured page by page in a big world.

Times are of the portal's whole answer, from the request to the last byte, without the network; sizes as sent, and as
gzip sends them. The figures are those of docs/portal.md 8.
"""

from __future__ import annotations

import csv
import gzip
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection
from django.db.models import Count
from django.db.models.functions import Abs
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ims_portal import clock, proof
from ims_portal.models import PortalClock
from ims_portal.rules.actions import Action, ReasonCode
from invoices import bulk, kept, register_reading, registers
from invoices.filters import Filters
from invoices.models import Batch, Record
from invoices.register_reading import TEMPLATE
from returns import bigworld, bigworld_sql, exports, gstr2b, practice, program_budgets
from returns.bigworld import World
from returns.export_files import LABELS, Kind

CHOICE = re.compile(r'name="(a\.\d+\.\d+)"')
OK, SEE_OTHER = 200, 303
SOME = 300
"""How many documents an ordinary supplier of a large recipient reports."""

SANDBOX = PortalClock._meta.db_table  # noqa: SLF001 Django's documented interface
"""A portal has no clock of its own to read; only a sandbox asks this table."""

Answer = Callable[[], tuple[int, bytes]]
"""Asks for a page once: nanoseconds it took, what was sent."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most a page may take: milliseconds for all but one in twenty, kB as sent and compressed, queries."""

    milliseconds: int
    raw: int = 0
    compressed: int = 0
    queries: int = 15


@dataclass(frozen=True, slots=True)
class Measured:
    """What one page took, and what of it is over its budget."""

    name: str
    budget: Budget
    p50: int
    p95: int
    raw: int
    compressed: int
    queries: int

    def misses(self, *, of_time: bool = True) -> list[str]:
        """Return what is over the budget; without `of_time` only what a busy machine does not change."""
        over = {
            f"p95 {self.p95} ms": of_time and self.p95 > self.budget.milliseconds,
            f"{self.raw} kB": 0 < self.budget.raw < self.raw,
            f"{self.compressed} kB gzip": 0 < self.budget.compressed < self.compressed,
            f"{self.queries} queries": self.queries > self.budget.queries,
        }
        return [what for what, is_over in over.items() if is_over]

    def as_json(self) -> dict[str, object]:
        """Return the figures as they are written to a file."""
        return {**asdict(self), "misses": self.misses()}


DESK = Budget(300, 90, 14)
SUMMARY = Budget(250, 90, 14)
LISTS = {50: Budget(250, 130, 14, 8), 100: Budget(300, 240, 20, 8), 200: Budget(450, 450, 35, 8)}

RECORD = Budget(200, 90, 14)
SUPPLIER = Budget(500, 130, 14)
"""The plan gives no time for the supplier's pages; one who reported 75,000 documents waits half a second for sums."""

BROAD = Budget(450, 130, 14, 8)
"""Nor for a list whose filter leaves a third of all: what it leaves has to be counted one by one.

Counts kept by supplier too were tried: such a list then took 135 ms, and a bulk action on all 38 s instead of 26.
"""

SAVE = Budget(500, 250, 25, 75)
"""Its queries are those of three requests: the list, the save, the list again; none of them is per row."""

GETINV = Budget(300)
SAVE_ALL = Budget(5_000)

MATCHES = Budget(3_000, 250, 25, 20)
"""The plan gives no time for the purchase register; its tabs are compared anew on each look, 180,000 pairs here.

That took 1.8 to 2.6 seconds on two cores of a shared machine.
"""

CLIENTS = Budget(400, 250, 25)
CLIENTS_OF_A_PRACTICE = 500
DOCUMENTS_OF_A_CLIENT = 24
MATCH = Budget(60_000)
"""What a worker takes to read a register of all documents and to match it."""

DIFF = Budget(400, 250, 25)
PREVIEW = Budget(2500, 90, 14, 60)
"""Two seconds are what a preview waits before it becomes a job; the rest is its page."""


COMPUTE = Budget(6_000)
APPLY = Budget(30_000)
FILE = Budget(40_000)
"""What a worker does, once: no page of its own. The plan gives a workbook its time; the other files are held to it."""


FILES = (Kind.IMS_XLSX, Kind.IMS_JSON, Kind.GSTR2B_XLSX, Kind.GSTR2B_JSON)


class Measuring:
    """One person's visit to a big world, page by page."""

    def __init__(self, world: World, *, rounds: int, clients: int = CLIENTS_OF_A_PRACTICE) -> None:
        self.world, self.rounds, self.clients = world, rounds, clients
        self.client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
        self.client.force_login(world.owner, backend=settings.AUTHENTICATION_BACKENDS[0])
        session = self.client.session
        proof.enter(session, world.owner)
        session.save()

    def all(self) -> Iterator[Measured]:
        """Measure every page there is a budget for."""
        for name, address, budget in self._pages():
            yield self._measure(name, budget, partial(self._get, address))
        yield self._measure("save a page of 50", SAVE, self._save)
        yield from self._programs()
        yield self._practice()
        yield self._measure("preview of all, No action to Accept", PREVIEW, self._preview, rounds=min(3, self.rounds))
        for kind in FILES:
            yield self._timed(f"{LABELS[kind]}, all", FILE, partial(self._export, kind))
        yield self._timed("purchase register of nine in ten, read and matched", MATCH, self._match)
        books = reverse("invoices:match", args=[self.world.recipient.gstin])
        for tab in ("exact", "only"):
            yield self._measure(f"match with books, tab {tab}", MATCHES, partial(self._get, f"{books}?tab={tab}"))
        yield self._timed("compute GSTR-2B after it was changed", COMPUTE, self._compute)
        found = self._found()
        yield self._timed("bulk action on all, applied", APPLY, partial(self._apply, found))
        yield self._saves()

    def _programs(self) -> Iterator[Measured]:
        """Measure what programs wait for."""
        software = program_budgets.Software(self.world)
        address, count = software.page()
        yield self._measure(f"GETINV of {count} rows", GETINV, partial(software.get, address))
        if software.is_long:
            yield self._timed("GETINV of all invoices, in parts", FILE, software.in_parts)

    def _saves(self) -> Measured:
        """Measure what a program waits for between SAVE and P, in requests of other rows each, as many as there are."""
        software = program_budgets.Software(self.world)
        saved = [software.save()]
        while len(saved) < self.rounds and saved[-1][1]:
            saved.append(software.save())
        times = sorted(took // 1_000_000 for took, count in saved if count)
        return Measured(
            name=f"SAVE of {saved[0][1]} rows, to P",
            budget=SAVE_ALL,
            p50=times[len(times) // 2],
            p95=times[-1 - len(times) // 20],
            raw=0,
            compressed=0,
            queries=0,
        )

    def _practice(self) -> Measured:
        """Measure the list of clients of a practitioner who has very many."""
        made = practice.make(clients=self.clients, documents=DOCUMENTS_OF_A_CLIENT, at=clock.portal().now())
        theirs = Measuring(replace(self.world, owner=made.user), rounds=self.rounds)
        return theirs._measure(f"list of {self.clients} clients", CLIENTS, partial(theirs._get, reverse("clients")))

    def _pages(self) -> Sequence[tuple[str, str, Budget]]:
        firm, supplier, month = self.world.recipient.gstin, self.world.supplier.gstin, self.world.period.wire
        statement = [firm, month]
        everything = Filters()
        lists = [
            (f"list of all, {rows} rows", everything.address(firm, rows=rows), budget) for rows, budget in LISTS.items()
        ]
        of_section = reverse("invoices:inward-list", args=[firm, "b2b"])
        return [
            ("home", reverse("home", args=[firm]), DESK),
            ("deadline inbox", reverse("invoices:deadlines", args=[firm]), DESK),
            ("inward summary", reverse("invoices:inward", args=[firm]), SUMMARY),
            ("inward summary, settled", reverse("invoices:inward", args=[firm]) + "?tab=settled", SUMMARY),
            *lists,
            ("list of invoices", of_section, LISTS[50]),
            ("list of invoices by tax", f"{of_section}?sort=-tax", LISTS[50]),
            ("list of the largest supplier", everything.but(supplier=supplier).address(firm), BROAD),
            ("list of one with some hundred", everything.but(supplier=self._middling()).address(firm), LISTS[50]),
            ("list, search for some hundred", everything.but(text=self._number()[:-2]).address(firm), LISTS[50]),
            ("list, search for a third of all", everything.but(text=self._number()[:3]).address(firm), BROAD),
            ("invoice with why", self._record("b2b"), RECORD),
            ("credit note of the largest supplier", self._record("b2bcn"), RECORD),
            ("GSTR-2B", reverse("returns:gstr2b", args=statement), RECORD),
            ("GSTR-2B, lines of a section", reverse("returns:gstr2b-lines", args=[*statement, "b2b"]), LISTS[50]),
            ("GSTR-2B, changes since", reverse("returns:gstr2b-changes", args=statement), DIFF),
            ("GSTR-2B, two versions compared", reverse("returns:gstr2b-diff", args=[*statement, 1, 2]), DIFF),
            ("GSTR-3B", reverse("returns:gstr3b", args=statement), RECORD),
            ("supplier's GSTR-1", reverse("invoices:return", args=[supplier, month, "gstr1"]), SUPPLIER),
            ("outward dashboard", reverse("invoices:outward", args=[supplier]), SUPPLIER),
            ("outward invoices", reverse("invoices:outward-section", args=[supplier, "b2b"]), SUPPLIER),
            ("outward, rejected", reverse("invoices:outward-rejected", args=[supplier]), SUPPLIER),
            ("outward, rejected notes", reverse("invoices:outward-rejected-notes", args=[supplier]), SUPPLIER),
        ]

    def _middling(self) -> str:
        """Return the GSTIN of a supplier of a few hundred documents."""
        by_supplier = Record.objects.filter(recipient=self.world.recipient, supplier__isnull=False).values("supplier")
        nearest = by_supplier.annotate(off=Abs(Count("pk") - SOME)).order_by("off", "supplier")
        return str(nearest.values_list("supplier__gstin", flat=True)[0])

    def _number(self) -> str:
        """Return the number of a document of the largest supplier."""
        found = Record.objects.filter(recipient=self.world.recipient, supplier=self.world.supplier, section="b2b")
        return str(found.order_by("id").values_list("number", flat=True)[1000 % found.count()])

    def _record(self, section: str) -> str:
        """Return the address of an open document of the largest supplier."""
        world = self.world
        found = Record.objects.filter(
            recipient=world.recipient, supplier=world.supplier, section=section, settled_month=None
        )
        return reverse("invoices:record", args=[world.recipient.gstin, found.order_by("-id").values_list("pk")[0][0]])

    def _get(self, address: str) -> tuple[int, bytes]:
        began = time.perf_counter_ns()
        answered = self.client.get(address)
        took = time.perf_counter_ns() - began
        if answered.status_code != OK:
            raise AssertionError(f"{address} answered {answered.status_code}")
        return took, answered.content

    def _save(self) -> tuple[int, bytes]:
        """Accept a page of invoices on which nothing was chosen, and look at the list again."""
        firm = self.world.recipient.gstin
        back = Filters(action="N", status="F").address(firm).replace("/all/", "/b2b/")
        shown = self.client.get(back).content.decode()
        fields = dict.fromkeys(CHOICE.findall(shown), "A")
        return self._post(reverse("invoices:act", args=[firm]), back, fields)

    def _preview(self) -> tuple[int, bytes]:
        firm = self.world.recipient.gstin
        asked = Filters(action="N")
        fields = {"list": "all", "query": asked.query(), "all": "1", "bulk": "A"}
        return self._post(reverse("invoices:bulk", args=[firm]), asked.address(firm), fields)

    def _export(self, kind: Kind) -> None:
        """Write a file of the newest statement or of all records."""
        world, portal = self.world, clock.portal()
        of_statement: dict[str, object] = {"month": world.period.month, "version": 2}
        asked = of_statement if kind.value.startswith("gstr2b") else {"section": "all", "query": ""}
        export = exports.request(taxpayer=world.recipient, kind=kind, asked=asked, actor=world.owner, clock=portal)
        exports.write(export=export, clock=portal)
        if not export.path:
            raise AssertionError(export.problem)

    def _match(self) -> None:
        """Hand in a register that holds nine of ten documents as they are, and match it."""
        world, portal = self.world, clock.portal()
        with tempfile.NamedTemporaryFile("w+", suffix=".csv", newline="", encoding="utf-8") as stream:
            lines = csv.writer(stream)
            lines.writerow(TEMPLATE.values())
            lines.writerows(bigworld_sql.booked(world.recipient.pk))
            stream.flush()
            with Path(stream.name).open("rb") as content:
                file = UploadedFile(content, name="register.csv", size=Path(stream.name).stat().st_size)
                found = registers.receive(
                    taxpayer=world.recipient, file=file, actor=world.owner, clock=portal, request_id=uuid.uuid4()
                )
        registers.carry_out(register=found, clock=portal)
        columns = register_reading.guess(found.heading)
        named = registers.name_columns(
            register=found, columns=columns, actor=world.owner, clock=portal, request_id=uuid.uuid4()
        )
        registers.carry_out(register=named, clock=portal)
        if named.problem:
            raise AssertionError(named.problem)

    def _compute(self) -> None:
        world = self.world
        gstr2b.compute(taxpayer=world.recipient, period=world.period, actor=world.owner, clock=clock.portal())

    def _found(self) -> Batch:
        """Return the preview of rejecting whatever may be rejected."""
        world = self.world
        which = bulk.Which(section="all", query="", back="/")
        batch = bulk.preview(
            taxpayer=world.recipient,
            which=which,
            action=Action.REJECT,
            actor=world.owner,
            clock=clock.portal(),
            request_id=uuid.uuid4(),
        )
        bulk.carry_out(batch=batch, clock=clock.portal())
        batch.refresh_from_db()
        return batch

    def _apply(self, batch: Batch) -> None:
        """Reject what a preview found."""
        bulk.apply(
            batch=batch,
            actor=self.world.owner,
            clock=clock.portal(),
            request_id=uuid.uuid4(),
            remark="",
            reason_code=ReasonCode.NOT_RECEIVED.value,
        )
        bulk.carry_out(batch=batch, clock=clock.portal())

    def _post(self, address: str, back: str, fields: dict[str, str]) -> tuple[int, bytes]:
        sent = {**fields, "gstin": self.world.recipient.gstin, "request_id": str(uuid.uuid4()), "back": back}
        began = time.perf_counter_ns()
        answered = self.client.post(address, sent)
        if answered.status_code != SEE_OTHER:
            raise AssertionError(f"{address} answered {answered.status_code}")
        shown = self.client.get(answered["Location"])
        return time.perf_counter_ns() - began, shown.content

    def _be_seen(self) -> None:
        """Let the next request not be the one of a minute that writes down that somebody is there."""
        session = self.client.session
        session["seen"] = int(clock.real().timestamp())
        session.save()

    def _timed(self, name: str, budget: Budget, do: Callable[[], None]) -> Measured:
        began = time.perf_counter_ns()
        do()
        took = (time.perf_counter_ns() - began) // 1_000_000
        return Measured(name, budget, took, took, raw=0, compressed=0, queries=0)

    def _measure(self, name: str, budget: Budget, ask: Answer, *, rounds: int | None = None) -> Measured:
        """Ask once to warm up, once to count queries, then measure."""
        self._be_seen()
        ask()
        with CaptureQueriesContext(connection) as queries:
            _took, content = ask()
            count = sum(SANDBOX not in one["sql"] for one in queries)  # the next request forgets them
        times = sorted(ask()[0] // 1_000_000 for _round in range(rounds or self.rounds))
        return Measured(
            name=name,
            budget=budget,
            p50=times[len(times) // 2],
            p95=times[-1 - len(times) // 20],
            raw=len(content) // 1000,
            compressed=len(gzip.compress(content, 6)) // 1000,
            queries=count,
        )


def world(*, rows: int) -> World:
    """Make a big world in an empty database, at the next day that has a statement to look at; set the clock to it.

    Its GSTR-2B has two versions, and a few changes since.
    """
    at = bigworld.two_days_after_a_draft()
    PortalClock.objects.create(pk=1, ahead=at - clock.real())
    made = bigworld.make(rows=rows, at=at)
    gstr2b.compute(taxpayer=made.recipient, period=made.period, actor=made.owner, clock=clock.portal())
    bigworld.change_minds(made, clock.portal().now())
    kept.fold_one(made.recipient.pk)
    return made


def supplier_share(made: World) -> int:
    """Return how many of the recipient's records the largest supplier reported."""
    found = Record.objects.filter(recipient=made.recipient, supplier=made.supplier)
    return int(found.aggregate(count=Count("pk"))["count"])


def table(found: Sequence[Measured]) -> str:
    """Return the figures as a table for a terminal."""
    head = f"{'page':40} {'p50':>6} {'p95':>6} {'of':>6} {'kB':>5} {'gzip':>5} {'queries':>8}"
    lines = [
        f"{one.name:40} {one.p50:6} {one.p95:6} {one.budget.milliseconds:6} {one.raw:5} {one.compressed:5}"
        f" {one.queries:8}  {'MISS ' + ', '.join(one.misses()) if one.misses() else 'ok'}"
        for one in found
    ]
    return "\n".join([head, *lines])
