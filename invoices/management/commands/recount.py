"""manage.py recount: compare kept counts with the records they count, and count afresh where they differ."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ims_portal.models import Taxpayer
from invoices import kept


class Command(BaseCommand):
    """Exits 1 when counts differ and were only to be checked."""

    help = "Compare kept counts with the records, of every recipient or of some; count afresh where they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take GSTINs, and --check."""
        parser.add_argument("gstins", nargs="*", help="whose counts; without any, everybody's")
        parser.add_argument("--check", action="store_true", help="change nothing, fail where counts differ")

    def handle(self, *_args: Any, gstins: list[str], check: bool, **_options: Any) -> None:  # noqa: ANN401 - Django's
        """Compare, say whose counts differ, repair them unless --check."""
        asked = dict(Taxpayer.objects.filter(gstin__in=gstins).values_list("gstin", "pk"))
        if unknown := sorted(set(gstins) - asked.keys()):
            raise CommandError(f"Not known here: {', '.join(unknown)}")
        wrong = kept.wrong(list(asked.values()) if gstins else None)
        for taxpayer in Taxpayer.objects.filter(pk__in=wrong).order_by("gstin"):
            self.stdout.write(f"{taxpayer.gstin} counts differ from the records")
            if not check:
                kept.repair(taxpayer.pk)
        if wrong and check:
            raise CommandError(f"{len(wrong)} to count afresh; run without --check", returncode=1)
        self.stdout.write(f"counted afresh: {len(wrong)}" if wrong else "all counts agree with the records")
