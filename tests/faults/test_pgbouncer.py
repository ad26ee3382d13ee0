"""Web behind a PgBouncer that lends a session of the database for one transaction: all of it works, nothing is lost.

Two sessions for all of web, so that what one request leaves in its session another one meets. Workers go to PostgreSQL
itself, for a claim on a job is a session's.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from ims_portal import children, embedded, limits, run
from ims_portal.children import Child
from ims_portal.engines import USER
from ims_portal.models import PortalClock, Taxpayer
from invoices import bulk, drafts
from invoices.models import Batch, Record, SupplierReturn, Upload
from returns import large_gstr1, verify
from returns.models import Filing, Gstr2b, Gstr2bJob
from tests import factories, live, pooler
from tests.acks import AckLog, Outcome
from tests.chaos import actors, oracle, world
from tests.chaos.wire import Line, Tally, Until
from tests.pooler import Pool
from tests.visitor import Page, Visitor

pytestmark = pytest.mark.fault
SECONDS = 30
FIRMS = 4
BEGINS = "2025-11-16"
"""After the 14th, so that everything can be computed and filed."""
SIZES = (3, 3, 3, 3, bulk.AT_ONCE + 20)
"""Records of each firm; so many as the last one has are decided on by a worker."""


@pytest.fixture
def pooled_web(pool: Pool, process_environment: dict[str, str], tmp_path: Path) -> Iterator[int]:
    """Start web behind the pool and return its port."""
    port = pooler.free_port()
    web = children.start(
        name="web",
        command=run.web_command(port=port),
        environment={**process_environment, "IMS_ROLE": "web", "DATABASE_URL": pool.address()},
        log=tmp_path / "web.log",
        if_we_die=signal.SIGKILL,
    )
    live.wait_for(lambda: live.answers(port), child=web)
    yield port
    children.kill(children=[web])


def shown(pool: Pool, *names: str) -> list[str]:
    """Return settings of PostgreSQL as a client of the pool sees them who asked for nothing."""
    with closing(pool.connect()) as client, client.cursor() as cursor:
        found = []
        for name in names:
            cursor.execute(f"SHOW {name}")
            found += [value for (value,) in cursor.fetchall()]
        return found


def test_the_limits_of_web_hold_though_nobody_can_ask_for_them(pool: Pool) -> None:
    wanted = limits.of("web")
    assert shown(pool, *wanted) == list(wanted.values())
    with closing(pool.connect()) as client, client.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20ms'")
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("SELECT pg_sleep(5)")
    assert shown(pool, "statement_timeout") == ["15s"]


def test_a_start_without_limits_is_refused_by_the_check(pool: Pool, process_environment: dict[str, str]) -> None:
    def told(address: str) -> str:
        environment = process_environment | {"DATABASE_URL": address, "IMS_ROLE": "web"}
        command = [sys.executable, embedded.PROJECT / "manage.py", "check", "--database", "default"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert "no issues" in told(pool.address())
    refused = told(pool.address(USER))  # who owns everything has no limits of its role
    assert "(ims.E003) statement_timeout is 0 in the database, not 15s." in refused


def test_whoever_asks_the_pool_for_settings_of_a_session_is_refused(pool: Pool) -> None:
    asked = pool.address().partition("?")[0] + "?options=-c%20statement_timeout%3D15s"
    with pytest.raises(psycopg2.OperationalError, match="unsupported startup parameter"):
        psycopg2.connect(asked)


def test_everything_is_done_by_programs_at_once_and_nothing_is_lost(
    pooled_web: int, pool: Pool, start_worker: Callable[[], Child], start_process: Callable[[str, list[str]], Child]
) -> None:
    everybody = world.make(firms=FIRMS)
    stand_at(BEGINS)
    start_worker()
    start_process("beat", run.beat_command())
    kept, tally, until = actors.Kept(AckLog()), Tally(), Until(time.monotonic() + SECONDS)
    rng = random.Random(7)  # noqa: S311 - a play, not a secret
    players = actors.cast(everybody, lambda: Line(pooled_web, tally, until, rng), kept, rng)
    for player in players:
        player.start()
    clients, sessions = watched(pool, until)
    for player in players:
        player.join()
        player.line.close()

    broken = [*oracle.liveness(everybody.administrator), *tally.findings, *oracle.faults(kept)]
    assert not broken, "\n".join(broken)
    assert clients > sessions == pooler.SESSIONS
    assert min(kept.decided, kept.commands, len(kept.documents), len(kept.references)) > 0, kept
    assert Batch.objects.filter(phase=bulk.Phase.APPLIED).exists()
    assert Upload.objects.filter(state=Upload.State.DONE).exists()
    assert Gstr2bJob.objects.filter(state=Gstr2bJob.State.DONE).exists()
    assert not left_behind()


def test_pages_do_everything_for_many_people_at_once(
    pooled_web: int, pool: Pool, start_worker: Callable[[], Child]
) -> None:
    stand_at("2025-11-10")
    worker = start_worker()
    firms = [factories.taxpayer(gstin) for gstin in large_gstr1.recipients(len(SIZES))]
    factories.filed(
        *(
            factories.document(number=f"{firm.pk}/{n}", recipient=firm.gstin)
            for firm, size in zip(firms, SIZES, strict=True)
            for n in range(size)
        )
    )
    log = AckLog()
    base = f"http://localhost:{pooled_web}"
    with ThreadPoolExecutor(len(firms)) as together:
        desks = [Desk(base, firm.gstin, f"asha-{n}", log) for n, firm in enumerate(firms)]
        list(together.map(Desk.before_the_draft, desks))
        stand_at(BEGINS)
        live.wait_for(lambda: all(batch.is_over for batch in Batch.objects.all()), child=worker)
        list(together.map(Desk.ask_for_the_draft, desks))
        live.wait_for(lambda: all(job.is_over for job in Gstr2bJob.objects.all()), child=worker)
        list(together.map(Desk.file_the_period, desks))

    log.check()
    assert log.count(Outcome.OK) == sum(SIZES)
    assert set(Batch.objects.values_list("phase", flat=True)) == {bulk.Phase.APPLIED}
    assert Gstr2b.objects.count() == Filing.objects.count() == len(firms)
    assert not list(verify.broken(deep=True))
    assert not left_behind()
    assert len(pool.show("SERVERS")) == pooler.SESSIONS


class Desk:
    """A signatory of a firm at its pages: signs in, reports, files, decides, has GSTR-2B computed."""

    def __init__(self, base: str, gstin: str, who: str, log: AckLog) -> None:
        factories.member(Taxpayer.objects.get(gstin=gstin), "signatory", who)
        self.visitor, self.gstin, self.who, self.log = Visitor(base), gstin, who, log
        self.records = list(Record.objects.filter(recipient__gstin=gstin).order_by("pk"))

    def before_the_draft(self) -> None:
        """Report a document, file the return, decide on one record and then on all others at once."""
        try:
            self.visitor.sign_in(self.who)
            self._report()
            self._file()
            self._decide()
            self._decide_on_many()
        finally:
            connection.close()  # this thread's

    def ask_for_the_draft(self) -> None:
        """Ask for GSTR-2B."""
        self._send("returns/102025/gstr2b/", "/compute/", "returns/102025/gstr2b/compute/")

    def file_the_period(self) -> None:
        """File GSTR-3B as it was reviewed."""
        page = self._send("returns/102025/gstr3b/review/", "/gstr3b/file/", "returns/102025/gstr3b/file/")
        assert "/receipt/" in page.url, page.text

    def _report(self) -> None:
        document = {"recipient": factories.RECIPIENT, "number": "INV1", "dated": "05/10/2025", "pos": "27"}
        line = {"line-0-rate": "1800", "line-0-taxable": "1,00,000.00"}
        here = "returns/102025/gstr1/b2b/new/"
        page = self._send(here, "/new/", here, do="save", inv_type="R", lines="1", **document, **line)
        assert "INV1 is saved in GSTR-1 of 10/2025" in page.text, page.text

    def _file(self) -> None:
        here = "returns/102025/gstr1/file/"
        page = self.visitor.post(self._path(here), self._page(here).form_with("shown"))
        kept = SupplierReturn.objects.get(supplier__gstin=self.gstin)
        assert kept.acknowledgement
        assert kept.acknowledgement in page.text, page.text

    def _decide(self) -> None:
        first = self.records[0]
        page = self._page("ims/inward/b2b/")
        fields = page.form("/ims/act/") | {f"a.{first.pk}.0": "A", "only": ""}
        asked = self.log.attempt(self.who, first.pk, 0, "A", drafts.outcome_key(uuid.UUID(fields["request_id"])))
        page = self.visitor.post(self._path("ims/act/"), fields)
        assert page.status == 200, page.text
        self.log.told(asked, Outcome.OK, 1)

    def _decide_on_many(self) -> None:
        fields = self._page("ims/inward/all/").form("/ims/act/")
        wanted = {"list": "all", "query": "action=N", "all": "1", "bulk": "A"}
        page = self.visitor.post(self._path("ims/bulk/"), fields | wanted)
        batch = Batch.objects.get(taxpayer__gstin=self.gstin)
        asked = [self.log.attempt(self.who, one.pk, 0, "A", batch.pk) for one in self.records[1:]]
        page = self.visitor.post(self._path(f"ims/batches/{batch.pk}/confirm/"), page.form("/confirm/"))
        assert page.status == 200, page.text
        for one in asked:
            self.log.told(one, Outcome.OK, 1)

    def _send(self, shown: str, form: str, to: str, **more: str) -> Page:
        page = self.visitor.post(self._path(to), self._page(shown).form(form) | more)
        assert page.status == 200, page.text
        return page

    def _page(self, path: str) -> Page:
        page = self.visitor.get(self._path(path))
        assert page.status == 200, page.text
        return page

    def _path(self, path: str) -> str:
        return f"/en/t/{self.gstin}/{path}"


def watched(pool: Pool, until: Until) -> tuple[int, int]:
    """Return the most clients and the most sessions the pool had while programs played."""
    clients = sessions = 0
    while time.monotonic() < until.at:
        clients = max(clients, len(pool.show("CLIENTS")))
        sessions = max(sessions, len(pool.show("SERVERS")))
        time.sleep(0.5)
    return clients, sessions


def left_behind() -> list[str]:
    """Return what sessions of the database still hold that should have ended with a transaction or a job."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'")
        tables = [str(name) for (name,) in cursor.fetchall()]
        cursor.execute("SELECT 'lock ' || pid FROM pg_locks WHERE locktype = 'advisory' AND database = "
                       "(SELECT oid FROM pg_database WHERE datname = current_database())")  # fmt: skip
        return tables + [str(lock) for (lock,) in cursor.fetchall()]


def stand_at(text: str) -> None:
    """Set the portal's clock."""
    PortalClock.objects.update_or_create(pk=1, defaults={"ahead": factories.at(text) - timezone.now()})
