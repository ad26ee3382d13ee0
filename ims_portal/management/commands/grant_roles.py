"""manage.py grant_roles: make the roles of the database and grant each what it needs, after every migrate."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ims_portal import grants, grants_sql
from ims_portal.environment import env

PASSWORDS = {grants.APP: "IMS_APP_PASSWORD", grants.AUDIT: "IMS_AUDIT_PASSWORD"}


class Command(BaseCommand):
    """Runs as the one that migrates; the same however often it runs."""

    help = "Make the roles ims_owner, ims_app and ims_audit and grant each what it needs; run it after migrate."

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Put the grants in force; set the passwords that the environment has."""
        passwords = {role: env.str(name, default="") for role, name in PASSWORDS.items()}
        try:
            grants_sql.apply({role: password for role, password in passwords.items() if password})
        except grants_sql.UnknownTableError as problem:
            raise CommandError(f"No grant is written for {problem}. Name it in ims_portal/grants.py.") from None
        self.stdout.write(f"{len(grants_sql.tables())} tables belong to {grants.OWNER}; {grants.APP} works on them, "
                          f"{grants.AUDIT} reads them.")  # fmt: skip
