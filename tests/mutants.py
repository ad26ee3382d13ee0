"""Programs without one guard of the write protocol each: the suite must fail for every one of them (promises 0.3).

    .venv/bin/python -m tests.mutants [M1 M2 ..]

Each is the project in a folder of its own with one thing changed, and is killed by the tests named beside it. It is no
test itself, for it takes long; tests/shape/test_mutants.py keeps what it changes in step with the code.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENV = ".venv"
LEFT_OUT = shutil.ignore_patterns(VENV, ".git", ".local", "screenshots", "__pycache__", ".*_cache", ".hypothesis")
RACES, PROPERTIES = "tests/races/test_commands_at_once.py", "tests/properties"


@dataclass(frozen=True, slots=True)
class Change:
    """A text in a file, and what stands there instead, as often as it stands there."""

    path: str
    old: str
    new: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program without a guard, and the tests that must see it."""

    name: str
    without: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]


LOCK = 'select_for_update(no_key=True, of=("self",))'
FILING_LOCKS = "        inboxes = locking.lock({taxpayer.pk} | charged)\n"
LOCKING = "        inbox = locking.lock([taxpayer.pk]).get(taxpayer.pk)\n"
READING = "        at = clock.now()\n"
ASKING = "        held = access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=at) if actor else None\n"
TAKING = LOCKING + READING + ASKING
COUNTED = "any(line.gstr2b_month is not None and line.gstr2b_month <= inbox.open_month for line in telling)"

MUTANTS = (
    Mutant(
        "M1",
        "the lock of the inbox",
        (Change("invoices/locking.py", f".{LOCK}", ".all()"),),
        (RACES, "tests/races/test_bulk_at_once.py"),
    ),
    Mutant(
        "M2",
        "the check that a statement to be filed is up to date",
        (Change("returns/gstr3b.py", '        "is_stale": stale,\n', '        "is_stale": False,\n'),),
        (RACES, "tests/returns"),
    ),
    Mutant(
        "M3",
        "the version that was seen",
        (
            Change(
                "invoices/actions_sql.py",
                "return self.is_found and self.version != self.item.version and not self.is_same",
                "return False",
            ),
            Change(
                "invoices/actions_sql.py",
                "AND r.id = c.record_id AND r.version = c.version\n",
                "AND r.id = c.record_id\n",
            ),
        ),
        (RACES,),
    ),
    Mutant(
        "M4",
        "the count of a supplier's changes",
        (Change("invoices/records_sql.py", "SET seq = i.seq + 1 FROM touched t", "SET seq = i.seq FROM touched t"),),
        ("tests/properties/test_behind.py", "tests/properties/test_recompute.py", "tests/invoices"),
    ),
    Mutant(
        "M5",
        "the locks of the suppliers a filing charges",
        (
            Change(
                "returns/gstr3b.py",
                FILING_LOCKS,
                "        inboxes = locking.lock({taxpayer.pk}) | "
                "{one.taxpayer_id: one for one in Inbox.objects.filter(pk__in=charged)}\n",
            ),
        ),
        (RACES,),
    ),
    Mutant(
        "M6",
        "a unique constraint",
        (
            Change(
                "ims_portal/migrations/0001_initial.py",
                "[models.UniqueConstraint(fields=('actor', 'key'), name='one_command_per_request_id')]",
                "[]",
            ),
        ),
        (RACES, "tests/properties/test_replay.py"),
    ),
    Mutant(
        "M7",
        "the request id",
        (
            Change(
                "ims_portal/once.py",
                "return Command.objects.create(actor=actor, key=key, body_hash=body_hash)",
                "return Command.objects.create(actor=actor, key=uuid.uuid4(), body_hash=body_hash)",
            ),
        ),
        (RACES, "tests/races/test_two_people_over_http.py", "tests/properties/test_replay.py"),
    ),
    Mutant(
        "M8",
        "the lock in filing alone",
        (
            Change(
                "returns/gstr3b.py",
                FILING_LOCKS,
                "        inboxes = {one.taxpayer_id: one for one in "
                "Inbox.objects.filter(pk__in={taxpayer.pk} | charged)}\n",
            ),
        ),
        (RACES, "tests/races/test_bulk_at_once.py"),
    ),
    Mutant(
        "M9",
        "the clock read after the lock",
        (
            Change(
                "invoices/actions.py",
                TAKING,
                READING + LOCKING + ASKING,
            ),
        ),
        (RACES,),
    ),
    Mutant(
        "M10",
        "the order of locks",
        (Change("invoices/locking.py", 'rows.order_by("taxpayer__gstin")', 'rows.order_by("?")'),),
        ("tests/races/test_deadlocks_over_http.py",),
    ),
    Mutant(
        "M11",
        "the commit before a message",
        (
            Change(
                "ims_portal/queue.py", "    transaction.on_commit(nudge_after_commit)\n", "    nudge_after_commit()\n"
            ),
        ),
        ("tests/races/test_jobs_at_once.py::test_a_message_is_sent_once_what_it_tells_of_can_be_read",),
    ),
    Mutant(
        "M12",
        "the clock in what has lapsed",
        (Change("invoices/standing.py", "lapsed=periods.lapsed(filer, day, in_force)", "lapsed=periods.Lapsed(0)"),),
        ("tests/returns/test_gstr2b.py::test_a_pending_that_lapsed_makes_a_statement_out_of_date",),
    ),
    Mutant(
        "M13",
        "sums to the paisa",
        (
            Change(
                "returns/gstr2b_sql.py",
                "SELECT placement, part, row, status, count(*), sum(igst), ",
                "SELECT placement, part, row, status, count(*), round(sum(igst), -2), ",
            ),
        ),
        (f"{RACES}::test_statement_sums_are_those_of_its_lines_after_a_storm",),
    ),
    Mutant(
        "M14",
        "what a change of a later period leaves alone",
        (
            Change(
                "invoices/actions.py",
                f"    if {COUNTED}:\n",
                "    if telling:\n",
            ),
        ),
        ("tests/invoices/test_actions.py::test_only_changes_in_scope_of_the_open_period_make_a_statement_stale",),
    ),
    Mutant(
        "M15",
        "the lock of a feed",
        (
            Change("invoices/feeds.py", "            locking.lock(recipients)\n", "", times=2),
            Change("invoices/feeds.py", "        locking.lock(everybody)\n", ""),
        ),
        ("tests/races/test_feeds_at_once.py",),
    ),
    Mutant(
        "M16",
        "the right read after the lock",
        (
            Change(
                "invoices/actions.py",
                TAKING,
                READING + ASKING + LOCKING + READING,
            ),
        ),
        ("tests/races/test_people_at_once.py::test_a_right_that_ends_while_its_turn_is_waited_for_no_longer_counts",),
    ),
)


def made(mutant: Mutant, folder: Path) -> Path:
    """Return the folder of a mutant: the project, its environment, what is changed."""
    shutil.copytree(PROJECT, folder, ignore=LEFT_OUT)
    (folder / VENV).symlink_to(PROJECT / VENV)
    for change in mutant.changes:
        path = folder / change.path
        path.write_text(path.read_text().replace(change.old, change.new))
    return folder


def killer(folder: Path, tests: tuple[str, ...]) -> str:
    """Return the first test that fails in a folder, "" where all pass."""
    command = [str(folder / VENV / "bin" / "python"), "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if done.returncode and not failed:
        raise SystemExit(f"the tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed[0].split(" ", 1)[1].split(" - ")[0] if failed else ""


def main(names: list[str]) -> int:
    """Make and test the mutants named, all where none is; print which test killed each, and return how many live."""
    living = 0
    for mutant in MUTANTS:
        if names and mutant.name not in names:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            by = killer(made(mutant, Path(place) / "portal"), mutant.tests)
        living += not by
        took = f"{time.monotonic() - began:.0f} s"
        told = f"killed by {by}" if by else "LIVES"
        sys.stdout.write(f"{mutant.name} without {mutant.without}: {told} ({took})\n")
        sys.stdout.flush()
    return living


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
