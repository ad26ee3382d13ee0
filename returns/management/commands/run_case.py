"""manage.py run_case FILE...: plays worked cases in a throw-away database and prints each check as kept or broken."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from returns import scratch
from returns.cases import case, checks, play

TEMPLATE = f"ims_case_template_{os.getpid()}"
STAGE = f"ims_case_{os.getpid()}"
SCHEMA = ".schema.json"


class Command(BaseCommand):
    """Plays files of the worked-case format; exits 1 when any check is broken, 2 when a file is no case."""

    help = "Play worked cases of the law in a throw-away database; print every check as kept or broken."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the files, and whether to print kept checks too."""
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--broken-only", action="store_true", help="print broken checks only")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 Django's own signature
        """Play each file in a database of its own, copied from one that was migrated once."""
        files = [path for path in options["files"] if not path.name.endswith(SCHEMA)]  # tests/cases/*.json names it too
        try:
            cases = [case.read(path) for path in files]
        except case.UnreadableCaseError as problem:
            raise CommandError(str(problem), returncode=2) from problem
        broken = 0
        with _template():
            for told in cases:
                with _stage():
                    broken += self._play(told, broken_only=options["broken_only"])
        if broken:
            raise CommandError(f"{broken} broken in {len(cases)} cases", returncode=1)
        self.stdout.write(self.style.SUCCESS(f"all kept in {len(cases)} cases"))

    def _play(self, told: case.Case, *, broken_only: bool) -> int:
        self.stdout.write(f"{told.id} {told.title}")
        broken = 0
        for kept in play.play(told, checks.check):
            broken += not kept.holds
            if kept.holds and not broken_only:
                self.stdout.write(f"  kept    {kept.where} = {kept.found}")
            elif not kept.holds:
                self.stdout.write(
                    self.style.ERROR(f"  BROKEN  {kept.where}: expected {kept.expected}, found {kept.found}")
                )
        return broken


@contextmanager
def _template() -> Iterator[None]:
    """Keep a migrated, empty database to copy from while the block runs."""
    scratch.maintain(f'DROP DATABASE IF EXISTS "{TEMPLATE}"', f'CREATE DATABASE "{TEMPLATE}"')
    try:
        with scratch.connected_to(TEMPLATE):
            call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        scratch.maintain(f'DROP DATABASE IF EXISTS "{TEMPLATE}"')


@contextmanager
def _stage() -> Iterator[None]:
    """Connect to a fresh copy of the template while the block runs."""
    scratch.maintain(f'DROP DATABASE IF EXISTS "{STAGE}"', f'CREATE DATABASE "{STAGE}" TEMPLATE "{TEMPLATE}"')
    try:
        with scratch.connected_to(STAGE):
            yield
    finally:
        scratch.maintain(f'DROP DATABASE IF EXISTS "{STAGE}"')
