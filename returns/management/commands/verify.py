"""manage.py verify: look whether what must hold in the database holds; exit 1 where something does not."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from returns import verify
from returns.looking import Only


class Command(BaseCommand):
    """Reads one snapshot, locks nothing, changes nothing; run it after a restore, a deploy, and each night."""

    help = "Look whether what must hold in the database holds (read only); exit 1 where something does not."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whom and what to look at, how deep, and --json."""
        parser.add_argument("--gstin", help="only what is of this GSTIN")
        parser.add_argument("--period", help="only what is of this period: MMYYYY, a quarter by its last month")
        parser.add_argument("--since", type=int, metavar="ID", help="only GSTINs of whom an action event is newer")
        parser.add_argument("--deep", action="store_true", help="compute statements and seals again and compare")
        parser.add_argument("--head", metavar="HASH", help="a hash of manage.py seals that was kept elsewhere")
        parser.add_argument("--json", action="store_true", help="say it as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Run every check, print what does not hold."""
        only, how = _only(options), {"deep": options["deep"], "head": options["head"]}
        broken = list(verify.broken(only, **how))
        count = len(verify.asked(only, **how))
        if options["json"]:
            told = [{"check": one.check.name, "count": one.count, "offenders": one.offenders} for one in broken]
            self.stdout.write(json.dumps({"checks": count, "broken": told}, indent=1))
        else:
            for one in broken:
                first = ", ".join(f"{what} {which}" for what, which in one.offenders)
                self.stdout.write(f"{one.check.name}: {one.check.holds}. {one.count} break this: {first}")
            self.stdout.write(f"{count - len(broken)} of {count} checks hold.")
        if broken:
            raise CommandError(f"{len(broken)} of {count} checks do not hold.", returncode=1)


def _only(options: dict[str, Any]) -> Only:
    """Return what is to be looked at, or raise CommandError for a GSTIN or a period there is not."""
    gstin, period = options["gstin"], options["period"]
    taxpayer = Taxpayer.objects.filter(gstin=gstin).first() if gstin else None
    if gstin and taxpayer is None:
        raise CommandError(f"No taxpayer here has the GSTIN {gstin}.")
    try:
        month = periods.parse(period).month if period else None
    except periods.NotAPeriodError as problem:
        raise CommandError(str(problem)) from problem
    return Only(taxpayer, month, options["since"])
