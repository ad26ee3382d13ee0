"""manage.py practice: plant a practitioner with many clients in a sandbox, and say who can sign in."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ims_portal import clock
from returns import practice
from returns.management.commands.demo import PASSWORD


class Command(BaseCommand):
    """Makes the practice once, as it stands at the portal's now."""

    help = "Plant a practitioner with many clients (sandbox only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --clients and --documents."""
        parser.add_argument("--clients", type=int, default=60, help="GSTINs the practitioner acts for (60)")
        parser.add_argument("--documents", type=int, default=120, help="documents of each in its open period (120)")

    def handle(self, *_args: Any, clients: int, documents: int, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Refuse production, make the practice, print the sign-in."""
        if not settings.IMS_SANDBOX:
            message = "A practice has an account with a known password; it is for a sandbox only (IMS_SANDBOX=true)."
            raise CommandError(message)
        if clients < 1 or documents < 1:
            raise CommandError("A practice has at least one client with one document.")
        password = os.environ.get("IMS_DEMO_PASSWORD") or PASSWORD
        try:
            made = practice.make(clients=clients, documents=documents, at=clock.portal().now(), password=password)
        except practice.AlreadyMadeError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{len(made.clients)} clients, {made.period.label} is their open period.")
        self.stdout.write(f"Sign in as {made.user.username} with the password {password} (a sandbox's).")
