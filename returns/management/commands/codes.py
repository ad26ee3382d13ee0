"""manage.py codes: what the authenticator apps of a demo's people show now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ims_portal import demo_codes
from ims_portal.models import User
from returns import demo


class Command(BaseCommand):
    """Prints codes; each is good once, for half a minute at most."""

    help = "Print the second-step codes of a demo's people (sandbox with IMS_DEMO_CODES=true only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a user name; without one, everybody of the story."""
        parser.add_argument("user", nargs="?", help="whose code; without it, everybody's of the story")

    def handle(self, *_args: Any, user: str | None, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Refuse where codes are nobody else's to know, and print."""
        if not settings.IMS_DEMO_CODES:
            message = "Codes are known only in a demo (IMS_SANDBOX=true and IMS_DEMO_CODES=true)."
            raise CommandError(message)
        names = [user] if user else [username for username, *_ in demo.PEOPLE]
        found = {row.username: demo_codes.shown(row) for row in User.objects.filter(username__in=names)}
        if user and not found.get(user):
            message = f"{user} is nobody here, or has an app of their own; only that shows their codes."
            raise CommandError(message)
        for username in names:
            if code := found.get(username):
                self.stdout.write(f"  {username:<8} {code.digits}  for {code.seconds} s yet")
