"""The heavy work that goes on meanwhile: statements, files in, files out, each begun again once it ended."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

from invoices import gstr1_out
from returns import large_gstr1
from tests.chaos.wire import RETURN_FORM, Answer, Line, return_form
from tests.load.caller import Caller
from tests.load.measured import Job
from tests.load.world import World, period_of

LOOKED = 1.0
"""Seconds between two looks at how far something is, as the page of a job looks."""
AFTERWARDS = 300.0
"""Seconds after the end of the run for which work that was begun is still followed."""
RECIPIENTS = 20
"""Of a return that is handed in, the large recipient among them."""
OVER = ("done", "failed")
Problem = str


class Heavy(threading.Thread):
    """One kind of work, in a loop until the end; what was begun by then is followed to its end, and not measured."""

    kind = ""

    def __init__(self, world: World, line: Line, port: int) -> None:
        super().__init__(name=self.kind, daemon=True)
        self.world, self.line, self.port = world, line, port
        self.jobs: list[Job] = []

    def run(self) -> None:
        """Work."""
        while time.monotonic() < self.line.until.at:
            began = time.monotonic()
            try:
                problem = self.once()
            except Exception as broke:  # noqa: BLE001 - work that breaks must not pass for work that was done
                self.line.tally.find(f"{self.kind} broke: {broke!r}")
                return
            ended = time.monotonic()
            if ended < self.line.until.at or problem:
                self.jobs.append(Job(self.kind, ended - began, problem))

    def once(self) -> Problem:
        """Do it once; return "" or why it was not done."""
        raise NotImplementedError

    def _followed(self, gstin: str, path: str, asked: Answer) -> Problem:
        """Follow what was asked for to its end."""
        if not asked.is_good:
            time.sleep(LOOKED)  # or a refusal would be asked for again at once, and again
            return f"{asked.status} {asked.body}"
        place, found = f"t/{gstin}/{path}/{asked.body['id']}", asked
        while not (found.is_good and found.body["state"] in OVER):
            if time.monotonic() > self.line.until.at + AFTERWARDS:
                return f"not done {AFTERWARDS:.0f} s after the end: {found.body}"
            time.sleep(LOOKED)
            found = self.line.get(self.world.office, place)
        return "" if found.body["state"] == "done" else f"{found.body['problem']} {asked.body['id']}"


class Compute(Heavy):
    """Computes the open GSTR-2B of the large recipient."""

    kind = "compute GSTR-2B"

    def once(self) -> Problem:
        """Compute it."""
        gstin = self.world.hot.gstin
        path = f"t/{gstin}/2b/{self.world.period}/compute"
        return self._followed(gstin, "jobs", self.line.send("POST", self.world.office, path, {}, key=uuid.uuid4()))


class Export(Heavy):
    """Takes all records of the large recipient as a workbook."""

    kind = "export to Excel"

    def once(self) -> Problem:
        """Ask for the file, wait for it, take it."""
        gstin, asked = self.world.hot.gstin, {"kind": "ims-xlsx", "list": "all"}
        made = self.line.send("POST", self.world.office, f"t/{gstin}/exports", asked, key=uuid.uuid4())
        problem = self._followed(gstin, "exports", made)
        if problem:
            return problem
        taken = Caller(self.port, {}, self.world.office).call("GET", f"t/{gstin}/exports/{made.body['id']}/file")
        is_whole = taken.status == 200 and taken.body.startswith(b"PK")
        return "" if is_whole else f"the file was answered {taken.status} with {len(taken.body)} octets"


class Ingest(Heavy):
    """Hands in a GSTR-1 of some 20,000 invoices, of another supplier each time."""

    kind = "ingest GSTR-1"

    def __init__(self, world: World, line: Line, port: int, *, invoices: int) -> None:
        super().__init__(world, line, port)
        self.returns = _returns(world, invoices)

    def once(self) -> Problem:
        """Hand the next one in."""
        gstin, body = next(self.returns, ("", b""))
        if not gstin:
            return "every supplier has handed in"
        asked = self.line.send(
            "POST", self.world.office, f"t/{gstin}/uploads", body, key=uuid.uuid4(), kind=RETURN_FORM
        )
        return self._followed(gstin, "uploads", asked)


def _returns(world: World, invoices: int) -> Iterator[tuple[str, bytes]]:
    """Return who hands in what. The file is made once, before the clock starts: only the supplier's GSTIN differs."""
    to = [world.hot.gstin, *(desk.gstin for desk in world.tail[: RECIPIENTS - 1])]
    first, period = world.handers[0], period_of(world)
    found = large_gstr1.documents(supplier=first, period=period, to=to, each=-(-invoices // len(to)))
    plain = (replace(document, irn="", irn_date=None) for document in found)
    text = "".join(gstr1_out.write(gstin=first, period=period.wire, documents=plain, sums={}))
    return ((gstin, return_form(text.replace(first, gstin), period.wire)) for gstin in world.handers)


def all_of(world: World, line: Callable[[], Line], port: int, *, invoices: int) -> list[Heavy]:
    """Return every kind of heavy work."""
    return [
        Compute(world, line(), port),
        Export(world, line(), port),
        Ingest(world, line(), port, invoices=invoices),
    ]
