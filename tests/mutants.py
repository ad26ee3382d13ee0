"""Programs without one guard of the write protocol each: the suite must fail for every one of them (promises 0.3).

    .venv/bin/python -m tests.mutants [M1 M2 ..]

Each is the project in a folder of its own with one thing changed, and is killed by the tests named beside it, which
the program as it is passes first. tests/shape/test_mutants.py keeps what is changed in step with the code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from ims_portal import embedded

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

    @property
    def is_of_tables(self) -> bool:
        """Whether its tables are others, and so its test database."""
        return any("/migrations/" in change.path for change in self.changes)


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
        (f"{RACES}::test_two_people_on_one_record_have_one_winner_and_the_other_is_told",),
    ),
    Mutant(
        "M2",
        "the check that a statement to be filed is up to date",
        (Change("returns/gstr3b.py", '        "is_stale": stale,\n', '        "is_stale": False,\n'),),
        ("tests/returns/test_gstr3b.py::test_a_statement_out_of_date_stops_filing_before_ims_too",),
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
        (f"{RACES}::test_two_people_on_one_record_have_one_winner_and_the_other_is_told",),
    ),
    Mutant(
        "M4",
        "the count of a supplier's changes",
        (Change("invoices/records_sql.py", "SET seq = i.seq + 1 FROM touched t", "SET seq = i.seq FROM touched t"),),
        ("tests/invoices/test_feeds_bills.py::test_a_draft_made_before_is_out_of_date_only_where_it_is_in_scope",),
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
        (f"{RACES}::test_a_supplier_that_files_while_it_is_charged_files_the_charge",),
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
        (f"{RACES}::test_one_request_sent_ten_times_at_once_has_one_effect_and_one_answer",),
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
        (f"{RACES}::test_one_request_sent_ten_times_at_once_has_one_effect_and_one_answer",),
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
        (f"{RACES}::test_an_action_that_comes_while_its_period_is_filed_is_refused",),
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
        (f"{RACES}::test_a_choice_is_dated_once_its_turn_has_come",),
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
                'heads = ", ".join(f"sum(w.{head})" for head in HEADS)',
                'heads = ", ".join(f"round(sum(w.{head}), -2)" for head in HEADS)',
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


class Bench:
    """The tests' servers, and on them the databases that one mutant after the other is tested with."""

    def __init__(self) -> None:
        self.address = embedded.ensure(kind="test").database_url
        kept = embedded.environment(where=embedded.place(kind="test"))
        self.environment = {**os.environ, **kept}
        self.names: list[str] = []

    def run(self, folder: Path, tests: Iterable[str], *, of: str = "") -> list[str]:
        """Return the tests that fail in a folder, on the database `of` a mutant or the one of most of them.

        Raises SystemExit where tests did not come to pass or to fail.
        """
        name = f"test_ims_{os.getpid()}" + (f"_gw{of}" if of else "")  # left behind, the next session drops it
        anew = [] if name in self.names else ["--create-db"]
        self.names = [*{*self.names, name}]
        pytest = [str(folder / VENV / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--reuse-db"]
        done = subprocess.run(
            [*pytest, *anew, *tests],
            cwd=folder,
            env={**self.environment, "IMS_TEST_DB": name},
            capture_output=True,
            text=True,
            check=False,
        )
        failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
        if bool(done.returncode) is not bool(failed) or "\nERROR tests/" in done.stdout:
            raise SystemExit(f"the tests did not run:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
        return [line.split(" ", 1)[1].split(" - ")[0] for line in failed]

    def close(self) -> None:
        """Drop the databases and give the servers back."""
        with closing(psycopg2.connect(self.address)) as server, server.cursor() as cursor:
            server.autocommit = True
            for name in self.names:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        embedded.release(where=embedded.place(kind="test"))


def test(mutants: Sequence[Mutant], bench: Bench) -> int:
    """Test mutants, print which test killed each, and return how many live."""
    living = 0
    for mutant in mutants:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            folder = made(mutant, Path(place) / "portal")
            by = bench.run(folder, mutant.tests, of=mutant.name[1:] if mutant.is_of_tables else "")
        living += not by
        _say(f"{mutant.name} without {mutant.without}: {f'killed by {by[0]}' if by else 'LIVES'}", began)
    return living


def main(names: list[str]) -> int:
    """Make and test the mutants named, all where none is, and return how many live."""
    mutants = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with closing(Bench()) as bench:
        began = time.monotonic()
        wrong = bench.run(PROJECT, sorted({name for mutant in mutants for name in mutant.tests}))
        if wrong:
            raise SystemExit(f"the program as it is fails {wrong}")
        _say("the program as it is passes their tests", began)
        return test(mutants, bench)


def _say(text: str, began: float) -> None:
    sys.stdout.write(f"{text} ({time.monotonic() - began:.0f} s)\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
