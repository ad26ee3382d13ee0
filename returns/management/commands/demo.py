"""manage.py demo: plant the story in a sandbox, and say who can sign in."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from returns import demo

PASSWORD = "practice-portal-2026"  # noqa: S105 - printed on purpose; the command refuses anything but a sandbox  # nosec B105


class Command(BaseCommand):
    """Plays the story once; a second run only prints the sign-ins."""

    help = "Plant the demo's story (sandbox only) and print who can sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --signins."""
        parser.add_argument("--signins", action="store_true", help="only print who can sign in")

    def handle(self, *_args: Any, signins: bool, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Refuse production, play the story, print the sign-ins."""
        if not settings.IMS_SANDBOX:
            message = "The story has accounts with a known password; it is for a sandbox only (IMS_SANDBOX=true)."
            raise CommandError(message)
        password = os.environ.get("IMS_DEMO_PASSWORD") or PASSWORD
        if not signins and demo.seed(password=password):
            self.stdout.write(f"The story is set; the portal's date is {demo.moment(demo.BEGINS):%d/%m/%Y %H:%M} IST.")
        if not signins:
            demo.give_codes()
        self._print_sign_ins(password)

    def _print_sign_ins(self, password: str) -> None:
        names = {gstin: name for gstin, name, *_ in demo.CAST}
        self.stdout.write(f"Sign in with the password {password} (a sandbox's; the one set at the first start counts):")
        for username, full_name, gstin, role in demo.PEOPLE:
            desk = f"{role} of {names[gstin]} ({gstin})" if gstin else role
            self.stdout.write(f"  {username:<8} {full_name}, {desk}")
        if settings.IMS_DEMO_CODES:
            self.stdout.write("Then the portal asks for a code. Its page shows it; so does: manage.py codes [USER]")
            call_command("codes", stdout=self.stdout)
