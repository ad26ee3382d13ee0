"""manage.py distribute: spread the database over machines by Citus, or say exactly what that would do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ims_portal import grants_sql, placing, placing_sql
from ims_portal.placing_sql import Plan, Step

MISSING = {
    "missing": "PostgreSQL here has no extension citus: install it on every machine, name it in"
    " shared_preload_libraries, restart, and let a superuser CREATE EXTENSION citus in this database.",
    "available": "The extension citus is installed and not in this database: let a superuser CREATE EXTENSION citus.",
}


class Command(BaseCommand):
    """Runs as the one that migrates, while web, workers and beat are stopped; what was broken off goes on."""

    help = (
        "Spread the database over machines by Citus: tables by recipient, small ones copied; --dry-run prints the SQL."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to print only, to look only, or to go on without asking."""
        parser.add_argument("--dry-run", action="store_true", help="print the SQL, as psql takes it; change nothing")
        parser.add_argument("--check", action="store_true", help="print what of the schema Citus would refuse, and why")
        parser.add_argument("--yes", action="store_true", help="there is a backup, and nobody is at the portal")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Print, look, or distribute; exit 1 where that cannot be."""
        if options["check"]:
            self._check()
            return
        there = placing_sql.extension()
        placed = placing_sql.placed() if there == "ready" else frozenset()
        plan = placing_sql.plan(placed=placed)
        if options["dry_run"]:
            self.stdout.write("\n".join(script(plan)))
            return
        if there != "ready":
            raise CommandError(f"{MISSING[there]} Nothing was changed. It would {counted(plan)}; --dry-run prints it.")
        if not options["yes"]:
            raise CommandError(f"It would {counted(plan)}. Stop web, workers and beat, have a backup, and add --yes.")
        others = placing_sql.others()
        if others:
            raise CommandError(f"Others are connected: {', '.join(others)}. Nothing was changed.")
        placing_sql.apply(plan)
        grants_sql.apply({})
        self.stdout.write(f"It did {counted(plan)}; roles have their grants. Now manage.py verify.")

    def _check(self) -> None:
        found = list(placing_sql.obstacles())
        for one in found:
            self.stdout.write(f"{one.what}: {one.answer or 'UNFORESEEN'}")
        unforeseen = sum(not one.answer for one in found)
        self.stdout.write(f"{len(found)} in Citus's way, {unforeseen} of them unforeseen.")
        if unforeseen:
            raise CommandError("Name what is unforeseen in ims_portal/placing.py.")


def counted(plan: Plan) -> str:
    """Return how much a plan holds, in words."""
    return (
        f"prepare by {len(plan.prepare)} statements, place {len(plan.place)} tables,"
        f" make {len(plan.refer)} foreign keys"
    )


def script(plan: Plan) -> Iterator[str]:
    """Yield the lines of a plan as SQL, with what stays on the coordinator as comments."""
    yield "-- As the owner, while nobody is at the portal: psql -v ON_ERROR_STOP=1 -f THIS; then manage.py grant_roles"
    yield from (f"-- stays on the coordinator: {table}: {why}" for table, why in placing.LOCAL.items())
    yield "BEGIN;"
    yield from _lines(plan.prepare)
    yield "COMMIT;"
    yield from _lines(plan.place)
    yield from _lines(plan.refer)


def _lines(steps: Iterable[Step]) -> Iterator[str]:
    yield from (f"-- {step.why}\n{step.sql};" for step in steps)
