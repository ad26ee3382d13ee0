"""manage.py budgets: measure every page in a big world of its own, and exit 1 where one is over its budget."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from returns import budgets, scratch


class Command(BaseCommand):
    """Measures in a throw-away database beside the portal's own, and leaves nothing behind."""

    help = "Measure every page at very many records (sandbox only); exit 1 where one is over its budget."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --rows, --rounds, --clients, --json."""
        parser.add_argument("--rows", type=int, default=200_000, help="documents in the open period (200000)")
        parser.add_argument("--rounds", type=int, default=20, help="times each page is asked for (20)")
        parser.add_argument("--clients", type=int, default=500, help="clients of a practitioner (500)")
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Make the world, measure, print the table."""
        if not settings.IMS_SANDBOX:
            message = "Budgets are measured with the sandbox's clock; run them in a sandbox (IMS_SANDBOX=true)."
            raise CommandError(message)
        with scratch.migrated(f"ims_budgets_{os.getpid()}"):
            world = budgets.world(rows=options["rows"])
            self.stdout.write(
                f"{world.records} records in {world.period.label}, "
                f"{budgets.supplier_share(world)} of one supplier; p50 and p95 of {options['rounds']} rounds, ms"
            )
            found = list(budgets.Measuring(world, rounds=options["rounds"], clients=options["clients"]).all())
        self.stdout.write(budgets.table(found))
        if options["json"]:
            told = {"rows": options["rows"], "rounds": options["rounds"], "pages": [one.as_json() for one in found]}
            options["json"].write_text(json.dumps(told, indent=1) + "\n")
        over = [one for one in found if one.misses()]
        if over:
            raise CommandError(f"{len(over)} of {len(found)} pages are over budget", returncode=1)
