"""manage.py bigworld: plant a recipient with very many records in a sandbox, and say who can sign in."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ims_portal import clock
from returns import bigworld
from returns.management.commands.demo import PASSWORD

FEWEST = 100


class Command(BaseCommand):
    """Makes the big world once, as it stands at the portal's now."""

    help = "Plant a recipient with very many records in its open period (sandbox only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --rows."""
        parser.add_argument("--rows", type=int, default=200_000, help="documents in the open period (200000)")

    def handle(self, *_args: Any, rows: int, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Refuse production, make the world, print the sign-in."""
        if not settings.IMS_SANDBOX:
            message = "A big world has an account with a known password; it is for a sandbox only (IMS_SANDBOX=true)."
            raise CommandError(message)
        if rows < FEWEST:
            raise CommandError(f"A big world has at least {FEWEST} documents.")
        password = os.environ.get("IMS_DEMO_PASSWORD") or PASSWORD
        try:
            made = bigworld.make(rows=rows, at=clock.portal().now(), password=password)
        except bigworld.AlreadyMadeError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{made.records} records of {made.period.label} wait for {made.recipient}.")
        self.stdout.write(f"Its largest supplier: {made.supplier}.")
        self.stdout.write(f"Sign in as {made.owner.username} with the password {password} (a sandbox's).")
