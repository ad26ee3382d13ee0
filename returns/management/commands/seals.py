"""manage.py seals: print the head of the chain of seals, to be kept elsewhere."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from returns import seals
from returns.models import Seal


class Command(BaseCommand):
    """Prints what must be kept outside the database: without it a chain rewritten as a whole looks sound."""

    help = "Print the head of the chain of seals, to be kept elsewhere; verify --deep --head compares it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --json."""
        parser.add_argument("--json", action="store_true", help="say it as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Print the newest hash, when it was made, and up to which ids history is sealed."""
        head = seals.head()
        upto = {
            sealed.value: Seal.objects.filter(sealed=sealed).order_by("-id").values_list("to_id", flat=True).first()
            for sealed in Seal.Sealed
        }
        if options["json"]:
            told = {"head": head and head.hash, "number": head and head.pk, "upto": upto}
            self.stdout.write(json.dumps(told | {"made_at": head and head.made_at.isoformat()}))
        elif head is None:
            self.stdout.write("Nothing is sealed yet.")
        else:
            ends = ", ".join(f"{sealed} up to {end}" for sealed, end in upto.items() if end is not None)
            self.stdout.write(f"{head.hash}\nSeal {head.pk} of {head.made_at:%d-%b-%Y %H:%M} UTC: {ends}.")
