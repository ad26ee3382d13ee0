"""manage.py measure_upload: ingest a large GSTR-1 in a process of its own; exit 1 where its memory grew too much."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from returns import scratch, upload_budget


class Command(BaseCommand):
    """Measures in a throw-away database beside the portal's own, and leaves nothing behind."""

    help = "Measure time and memory of ingesting a large GSTR-1 (sandbox only); exit 1 where the memory grew too much."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --megabytes and --half-broken; the other two are for the child."""
        parser.add_argument("--megabytes", type=int, default=100, help="size of the JSON file (100)")
        parser.add_argument("--half-broken", action="store_true", help="let every second document be refused")
        parser.add_argument("--database", help="for the child this command starts: where the uploads are")
        parser.add_argument("--ingest", nargs="+", help="for the child this command starts: ids of uploads")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Make a supplier and its files, start the child, say what it took."""
        if options["ingest"]:
            with scratch.connected_to(options["database"]):
                self.stdout.write(upload_budget.told(upload_budget.ingested(options["ingest"])))
            return
        if not settings.IMS_SANDBOX:
            raise CommandError("Uploads are measured beside a sandbox only (IMS_SANDBOX=true).")
        found = self._measured(options["megabytes"], is_half_broken=options["half_broken"])
        self.stdout.write(
            f"{options['megabytes']} MB of GSTR-1: {found.stored} documents stored, {found.refused} refused, in "
            f"{found.seconds:.1f} s; the process had {found.before} MB before and {found.peak} MB at its peak, "
            f"{found.growth} MB more; at most {upload_budget.MOST_GROWTH} MB are allowed."
        )
        if found.growth > upload_budget.MOST_GROWTH:
            raise CommandError("The memory grew too much.", returncode=1)

    def _measured(self, megabytes: int, *, is_half_broken: bool) -> upload_budget.Measured:
        with scratch.migrated(f"ims_upload_{os.getpid()}"), tempfile.TemporaryDirectory() as folder:
            supplier, owner, period = upload_budget.supplier()
            files = [
                upload_budget.handed_in(
                    size, by=owner, of=supplier, period=period, folder=Path(folder), is_half_broken=is_half_broken
                )
                for size in (upload_budget.SMALL, megabytes)
            ]
            return upload_budget.in_child(files)
