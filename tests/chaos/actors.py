"""What people's programs do all the while: decide, in batches too, report, hand files in, compute, file, read.

Each actor is a thread with a mix of its own. Decisions go into the log of acknowledgements; of documents each actor
keeps what it was told last, and of filings the reference it was given.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ims_portal.rules import periods
from ims_portal.rules.documents import Document, Section, financial_year
from invoices import gstr1_out
from returns import large_gstr1
from tests.acks import AckLog, Attempt, Outcome
from tests.chaos.wire import RETURN_FORM, Answer, Line, return_form
from tests.chaos.world import Firm, Program, World

SIZES = (1, 1, 1, 5, 20, 50, 100)
"""Records of a request."""
WAITS = 0.8
"""How often who decides lets a firm's period be closed first."""
SPENDS = 12
"""Requests on one page of records, before it is read anew."""
DOCUMENTS = 25
"""Of an uploaded return, to each of some recipients."""
JOB_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Promise:
    """What a document's supplier was told last: the taxable value in rupees as text, "" where it was taken back."""

    gstin: str
    number: str
    taxable: str


@dataclass(slots=True)
class Kept:
    """What all actors were told, for the oracle."""

    log: AckLog
    documents: dict[tuple[str, str], Promise | None] = field(default_factory=dict)
    """(GSTIN, number) -> the last promise, None where an outcome is unknown."""
    jobs: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    commands: int = 0
    decided: int = 0
    """Commands, and records decided on, that were acknowledged."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def done(self, *, commands: int = 0, decided: int = 0) -> None:
        """Count what was acknowledged."""
        with self._lock:
            self.commands += commands
            self.decided += decided


class Actor(threading.Thread):
    """One program of one firm, at work until its time is over; what breaks it is a finding."""

    def __init__(self, world: World, firm: Firm, program: Program, line: Line, kept: Kept, rng: random.Random) -> None:
        super().__init__(name=f"{type(self).__name__} {program.user}")
        self.world, self.firm, self.program, self.line, self.kept, self.rng = world, firm, program, line, kept, rng

    def run(self) -> None:
        """Play."""
        while time.monotonic() < self.line.until.at:
            try:
                self.turn()
            except Exception as problem:  # noqa: BLE001 - an actor that breaks must not pass for one that is content
                self.line.tally.find(f"{self.name} broke: {problem!r}")
                return

    def turn(self) -> None:
        """Do one thing."""
        raise NotImplementedError

    def get(self, path: str) -> Answer:
        """Read something of the firm."""
        return self.line.get(self.program.token, f"t/{self.firm.gstin}/{path}")

    def send(self, method: str, path: str, body: object, key: uuid.UUID | None = None, **more: str) -> Answer:
        """Send a command of the firm."""
        path = f"t/{self.firm.gstin}/{path}"
        found = self.line.send(method, self.program.token, path, body, key=key or uuid.uuid4(), **more)
        if found.is_good:
            self.kept.done(commands=1)
        return found

    def page(self) -> list[dict[str, Any]]:
        """Return records to decide on, of a random order and place."""
        sort = self.rng.choice(("needs", "tax", "-tax", "date", "-date", "supplier"))
        found = self.get(f"ims/records?rows=200&sort={sort}")
        if found.is_good and found.body["next"] and self.rng.random() < 0.5:
            found = self.get(f"ims/records?rows=200&sort={sort}&after={found.body['next']}")
        return found.body["records"] if found.is_good else []


class Decider(Actor):
    """Decides on records, sometimes over a version that is old, sometimes twice with one key."""

    def turn(self) -> None:
        """Decide on a page of records for a while."""
        if self.firm.is_closing and self.rng.random() < WAITS:
            time.sleep(0.5)
            return
        found = {record["id"]: record for record in self.page()}
        if not found:
            time.sleep(0.2)
        for _time in range(SPENDS if found else 0):
            size = min(self.rng.choice(SIZES), len(found))
            self._decide([found[one] for one in self.rng.sample(sorted(found), size)])
            if self.firm.is_closing:
                return
            if self.rng.random() < 0.05:
                self._trespass()

    def _decide(self, records: Sequence[dict[str, Any]]) -> None:
        items = [self._item(record) for record in records]
        key = uuid.uuid4()
        log = self.kept.log
        attempts = [
            log.attempt(self.program.user, item["record"], item["version"], item["action"], key) for item in items
        ]
        for _again in range(2 if self.rng.random() < 0.05 else 1):
            found = self.send("POST", "ims/actions", {"items": items}, key)
            self._note(attempts, found)
            if found.is_good:
                for record, result in zip(records, found.body["results"], strict=True):
                    record["version"] = result["version"]

    def _item(self, record: dict[str, Any]) -> dict[str, Any]:
        action = self.rng.choice([letter for letter in "ARPN" if letter not in record["barred"]] or ["A"])
        version = record["version"] - 1 if record["version"] and self.rng.random() < 0.02 else record["version"]
        item = {"record": record["id"], "version": version, "action": action}
        if action == "A" and record["reduces"]:
            item["itc"] = {"reduce": "F"}
        if action == "R":
            item["reason_code"] = "DUPLICATE"
        return item

    def _note(self, attempts: Sequence[Attempt], found: Answer) -> None:
        log = self.kept.log
        if found.is_good:
            for attempt, result in zip(attempts, found.body["results"], strict=True):
                is_ok = result["status"] == "ok"
                log.told(attempt, Outcome(result["status"]), result["version"] if is_ok else None)
            self.kept.done(decided=sum(result["status"] == "ok" for result in found.body["results"]))
            return
        outcome = Outcome.REFUSED if found.status else Outcome.UNKNOWN
        for attempt in attempts:
            log.told(attempt, outcome)

    def _trespass(self) -> None:
        other = self.rng.choice([firm for firm in self.world.firms if firm is not self.firm])
        found = self.line.get(self.program.token, f"t/{other.gstin}/ims/counts")
        if found.status not in (0, 404, 503):
            self.line.tally.find(f"{self.program.user} was answered {found.status} about {other.gstin}")


class Batcher(Decider):
    """Decides on many records at once by batches: previewed, confirmed, some of them large enough for a worker."""

    def turn(self) -> None:
        """Preview a batch and confirm it, then decide on some singly."""
        records = [record for record in self.page() if "A" not in record["barred"] and not record["reduces"]]
        action = self.rng.choice("AN")
        if records:
            named = [{"record": record["id"], "version": record["version"]} for record in records]
            found = self.send("POST", "ims/batches", {"records": named, "action": action})
            if found.is_good and found.body["phase"] == "ready":
                self._confirm(records, found.body, action)
        super().turn()

    def _confirm(self, records: Sequence[dict[str, Any]], batch: dict[str, Any], action: str) -> None:
        code = self.program.code() if batch["needs_code"] else ""
        if batch["needs_code"] and not code:
            return
        for record in records:  # what becomes of each is in the batch; the history must hold no other, and none twice
            self.kept.log.attempt(self.program.user, record["id"], record["version"], action, uuid.UUID(batch["id"]))
        self.send("POST", f"ims/batches/{batch['id']}/confirm", {"suppliers_told": True}, code=code)


class Supplier(Actor):
    """Enters, edits and takes back documents of the open GSTR-1, one at a time; no other thread touches its numbers."""

    def __init__(self, *told: Any) -> None:  # noqa: ANN401 - as every actor
        super().__init__(*told)
        self.count = 0
        self.versions: dict[str, int] = {}

    def turn(self) -> None:
        """Change one document."""
        period = self.firm.open_gstr1
        if self.versions and self.rng.random() < 0.6:
            self._change(self.rng.choice(sorted(self.versions)), period)
        else:
            self.count += 1
            self._put(f"{self.program.user[:1]}{self.count:05}".upper(), period, version=None)
        time.sleep(self.rng.uniform(0, 0.3))

    def _change(self, number: str, period: periods.TaxPeriod) -> None:
        found = self.get(f"out/gstr1/{period.wire}/records/{_key(number, period)}")
        if found.status == 404:
            self.versions.pop(number)
        elif found.is_good and self.rng.random() < 0.15:
            self._take_back(number, period, found.body["version"])
        elif found.is_good:
            self._put(number, period, version=found.body["version"], recipient=found.body["recipient"]["gstin"])

    def _put(self, number: str, period: periods.TaxPeriod, *, version: int | None, recipient: str = "") -> None:
        taxable = f"{self.rng.randrange(100, 99_999)}.00"
        others = [firm.gstin for firm in self.world.firms if firm is not self.firm]
        body: dict[str, Any] = {
            "recipient": recipient or self.rng.choice(others),
            "date": period.first_day.isoformat(),
            "pos": "27",
            "lines": [{"rate": "18.00", "taxable": taxable}],
        }
        if version is not None:
            body["version"] = version
        place = (self.firm.gstin, number)
        before, self.kept.documents[place] = self.kept.documents.get(place), None
        found = self.send("PUT", f"out/gstr1/{period.wire}/records/{_key(number, period)}", body)
        if found.is_good:
            self.kept.documents[place] = Promise(*place, taxable)
            self.versions[number] = 0
        elif found.status:
            self._refused(place, before)

    def _take_back(self, number: str, period: periods.TaxPeriod, version: int) -> None:
        place = (self.firm.gstin, number)
        before, self.kept.documents[place] = self.kept.documents.get(place), None
        path = f"out/gstr1/{period.wire}/records/{_key(number, period)}?version={version}"
        found = self.send("DELETE", path, {})
        if found.is_good:
            self.kept.documents[place] = Promise(*place, "")
            self.versions.pop(number)
        elif found.status:
            self._refused(place, before)

    def _refused(self, place: tuple[str, str], before: Promise | None) -> None:
        if before is None:
            self.kept.documents.pop(place)
        else:
            self.kept.documents[place] = before


class Uploader(Actor):
    """Hands in returns of many documents, which workers take in."""

    count = 0

    def turn(self) -> None:
        """Hand one in, and look after it for a while."""
        period = self.firm.open_gstr1
        self.count += 1
        others = [firm.gstin for firm in self.world.firms if firm is not self.firm]
        to = sorted(self.rng.sample(others, min(4, len(others))))
        found = large_gstr1.documents(supplier=self.firm.gstin, period=period, to=to, each=DOCUMENTS)
        renamed = (_renamed(document, f"{self.count:X}") for document in found)
        text = "".join(gstr1_out.write(gstin=self.firm.gstin, period=period.wire, documents=renamed, sums={}))
        answer = self.send("POST", "uploads", return_form(text, period.wire), kind=RETURN_FORM)
        if answer.is_good:
            self.kept.jobs.append(answer.body["id"])
            self._wait(f"uploads/{answer.body['id']}")
        time.sleep(self.rng.uniform(1, 5))

    def _wait(self, path: str) -> None:
        deadline = min(time.monotonic() + JOB_SECONDS, self.line.until.at)
        while time.monotonic() < deadline:
            found = self.get(path)
            if found.is_good and found.body["state"] in ("done", "failed"):
                return
            time.sleep(0.5)


class Filer(Uploader):
    """Brings a firm's months to their end: GSTR-1, GSTR-2B, GSTR-3B, each as soon as the date allows it."""

    def turn(self) -> None:
        """Do what is next of the open period, if it can be done today."""
        if self.firm.open_gstr1.month <= self.firm.open_3b.month:
            self._file_gstr1()
        elif not self._file_3b():
            self._compute()
        time.sleep(self.rng.uniform(0.3, 1.5))

    def _file_gstr1(self) -> None:
        form = f"out/gstr1/{self.firm.open_gstr1.wire}"
        found = self.get(form)
        if not found.is_good:
            return
        if found.body["state"] == "filed":
            self.firm.open_gstr1 = _following(self.firm.open_gstr1)
        elif found.body["filing_refused"] is None and (code := self.program.code()):
            answer = self.send("POST", f"{form}/file", {"digest": found.body["digest"]}, code=code)
            if answer.is_good:
                self.kept.references.append(answer.body["acknowledgement"])

    def _file_3b(self) -> bool:
        """File GSTR-3B where nothing stands in the way; False where a new GSTR-2B may help."""
        return_ = f"3b/{self.firm.open_3b.wire}"
        found = self.get(f"{return_}/review")
        if not found.is_good:
            return True
        stands = (found.body["in_the_way"] or {}).get("code", "")
        self.firm.is_closing = found.body["may_be_filed"] or stands == "RECOMPUTE_REQUIRED"
        if stands == "ALREADY_FILED":
            self.firm.open_3b = _following(self.firm.open_3b)
        elif found.body["may_be_filed"] and (code := self.program.code()):
            seen = {name: found.body[name] for name in ("statement_version", "digest", "net_itc")}
            answer = self.send("POST", f"{return_}/file", seen, code=code)
            if answer.is_good:
                self.kept.references.append(answer.body["reference"])
        return stands not in ("RECOMPUTE_REQUIRED", "GSTR2B_NOT_AVAILABLE")

    def _compute(self) -> None:
        answer = self.send("POST", f"2b/{self.firm.open_3b.wire}/compute", {})
        if answer.is_good:
            self._wait(f"jobs/{answer.body['id']}")


class Reader(Actor):
    """Looks at everything."""

    def turn(self) -> None:
        """Look at one thing."""
        p = self.firm.open_3b.wire
        self.get(self.rng.choice(("ims/counts", f"2b/{p}", f"3b/{p}", f"2b/{p}/lines", "ims/outward", "deadlines")))
        time.sleep(self.rng.uniform(0, 0.4))


def cast(world: World, line: Callable[[], Line], kept: Kept, rng: random.Random) -> list[Actor]:
    """Return the actors of a world: two who decide and one of each other kind for every firm, each with own numbers."""
    actors: list[Actor] = []
    for number, firm in enumerate(world.firms):
        one, two = firm.deciders
        second = Batcher if number % 2 else Decider
        parts = [(Decider, one), (second, two), (Supplier, two), (Filer, firm.filer)]
        parts += [((Uploader, Reader)[number % 2], one)]
        actors += [kind(world, firm, program, line(), kept, random.Random(rng.random())) for kind, program in parts]  # noqa: S311
    return actors


def _key(number: str, period: periods.TaxPeriod) -> str:
    return f"{Section.B2B.value}:{financial_year(period.first_day)}:{number}"


def _following(period: periods.TaxPeriod) -> periods.TaxPeriod:
    following = periods.add_months(period.month, 1)
    return periods.parse(f"{following % 100:02}{following // 100}")


def _renamed(document: Document, mark: str) -> Document:
    return replace(document, number=f"{mark}{document.number}"[:16], irn="", irn_date=None)
