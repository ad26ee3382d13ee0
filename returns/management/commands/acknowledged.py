"""manage.py acknowledged: print what people were told is done; after a restore, name what of that is gone (F29)."""

from __future__ import annotations

import json
from argparse import FileType
from datetime import datetime
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from returns import acknowledged_sql
from returns.acknowledged_sql import Entry


class Command(BaseCommand):
    """Reads only; what it prints is kept on another machine, where the database's end does not reach it."""

    help = "Print what was acknowledged, a JSON line each (--since), or name what of such lines is gone (--gone)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --since and --gone."""
        parser.add_argument(
            "--since", type=datetime.fromisoformat, help="a moment of the portal's clock, with its offset"
        )
        parser.add_argument(
            "--gone", type=FileType(), metavar="FILE", help="lines that were kept; exit 1 if one is gone"
        )

    def handle(self, *_args: Any, since: datetime | None, gone: IO[str] | None, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Print lines, or compare those of a file with the database."""
        if gone is None:
            for entry in acknowledged_sql.since(since):
                self.stdout.write(json.dumps(entry._asdict() | {"at": entry.at.isoformat()}))
            return
        with gone:
            kept = [_entry(line) for line in gone if line.strip()]
        lost = acknowledged_sql.gone(kept)
        for entry in lost:
            self.stdout.write(f"Gone: {entry.what} {entry.id} of {entry.at.isoformat()} {entry.gstin}".rstrip())
        self.stdout.write(f"{len(kept) - len(lost)} of {len(kept)} acknowledged entries are here.")
        if lost:
            raise CommandError(
                f"{len(lost)} acknowledged entries are gone. Tell the people they belong to.", returncode=1
            )


def _entry(line: str) -> Entry:
    """Return the entry of a line. Raises CommandError for one that this command never printed."""
    try:
        told = json.loads(line)
        return Entry(told["what"], int(told["id"]), datetime.fromisoformat(told["at"]), told["gstin"])
    except (ValueError, KeyError, TypeError) as problem:
        raise CommandError(f"Not a line of `manage.py acknowledged`: {line.strip()[:80]}") from problem
