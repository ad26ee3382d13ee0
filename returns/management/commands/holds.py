"""manage.py holds: say which GSTINs may not file and why; let one file again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404

from ims_portal import clock
from ims_portal.models import Taxpayer, User
from returns import holds
from returns.models import Hold


class Command(BaseCommand):
    """Lists the holds that are not lifted, or lifts that of one GSTIN in an administrator's name."""

    help = "List the GSTINs whose filing is stopped; with --lift let one file again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --lift with --by and --reason."""
        parser.add_argument("--lift", metavar="GSTIN", help="the GSTIN that may file again")
        parser.add_argument("--by", metavar="USERNAME", default="", help="the administrator who lifts its hold")
        parser.add_argument("--reason", default="", help="what was wrong and how it was put right")

    def handle(self, *_args: Any, lift: str | None, by: str, reason: str, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Lift a hold, or list all."""
        if lift:
            self._lift(lift, by, reason)
            return
        for hold in Hold.objects.filter(lifted_at=None).select_related("taxpayer").order_by("at"):
            told = "; ".join(
                f"{name} ({count}): " + ", ".join(f"{what} {which}" for what, which in first)
                for name, (count, first) in hold.found.items()
            )
            self.stdout.write(f"{hold.taxpayer.gstin} {hold.month} since {hold.at:%d-%b-%Y %H:%M}: {told}")

    def _lift(self, gstin: str, by: str, reason: str) -> None:
        taxpayer = Taxpayer.objects.filter(gstin=gstin).first()
        actor = User.objects.filter(username=by).first()
        if taxpayer is None or actor is None:
            raise CommandError("Name a GSTIN that is here with --lift, and with --by the administrator who lifts it.")
        try:
            holds.lift(taxpayer=taxpayer, actor=actor, reason=reason, clock=clock.portal())
        except Http404:
            raise CommandError(f"{by} is no administrator.") from None
        except holds.LiftRefusedError as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{gstin} may file again.")
