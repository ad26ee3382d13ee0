"""manage.py bench: measure every hot path beside a naive way and a limit of the machine, in one run."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from returns import bench, scratch
from returns.bench import Measured, bare_sql, everything

SIZES = (10_000, 200_000, 1_000_000)


class Command(BaseCommand):
    """Measures in a throw-away database beside the portal's own, and leaves nothing behind."""

    help = "Measure each hot path beside a naive way and a limit of the machine (sandbox only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --size, --only, --rounds, --json."""
        parser.add_argument("--size", type=int, default=200_000, help=f"records, such as {', '.join(map(str, SIZES))}")
        parser.add_argument("--only", nargs="+", choices=everything.NAMES, default=everything.NAMES, metavar="NAME")
        parser.add_argument("--rounds", type=int, default=5, help="times each path is measured (5)")
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Make the worlds, measure, print the table; exit 1 where a target is missed."""
        if not settings.IMS_SANDBOX:
            message = "Paths are measured with the sandbox's clock; run this in a sandbox (IMS_SANDBOX=true)."
            raise CommandError(message)
        with scratch.migrated(f"ims_bench_{os.getpid()}"), tempfile.TemporaryDirectory() as folder:
            found: list[Measured] = []
            for one in everything.run(
                size=options["size"], rounds=options["rounds"], only=set(options["only"]), folder=Path(folder)
            ):
                found.append(one)
                self.stdout.write(bench.table([one]).splitlines()[-1 - len(one.beside)])
                self.stdout.flush()
            stored = bare_sql.stored()
        self.stdout.write(bench.table(found))
        for table, (rows, size) in stored.items():
            self.stdout.write(f"{table:24} {rows:9} rows of {size} bytes with their indexes")
        if options["json"]:
            told = {"paths": {one.name: one.as_json() for one in found}, "stored": stored}
            options["json"].write_text(json.dumps(told, indent=1) + "\n")
        over = [one for one in found if one.misses()]
        if over:
            raise CommandError(f"{len(over)} of {len(found)} paths miss a target", returncode=1)
