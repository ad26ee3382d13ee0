"""What production's database must be like, looked at by `manage.py check --database default` (F84, promises 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from ims_portal import grants, limits
from ims_portal.models import PortalClock
from ims_portal.sql import run


@register(Tags.database)
def clock_is_real(databases: Sequence[str] | None = None, **_told: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature
    """Refuse a production whose portal date was ever set: a sandbox's data is no production's."""
    if settings.IMS_SANDBOX or not databases or not PortalClock.objects.exists():
        return []
    hint = "Begin with an empty database. What a sandbox holds was decided on days that were none."
    return [Error("The portal date of this database was set, as only a sandbox's is.", hint=hint, id="ims.E001")]


@register(Tags.database)
def role_cannot_rewrite(databases: Sequence[str] | None = None, **_told: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature
    """Refuse a production that serves people as who could rewrite history."""
    if settings.IMS_SANDBOX or not databases or settings.ROLE == "command":
        return []
    (told,) = run("""
        SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            OR has_table_privilege('invoices_actionevent', 'UPDATE, DELETE, TRUNCATE')
    """)
    if not told[1]:
        return []
    hint = f"Run `manage.py grant_roles` as the owner, and name {grants.APP} in DATABASE_URL."
    return [Error(f"The portal works as {told[0]}, who could change history.", hint=hint, id="ims.E002")]


@register(Tags.database)
def limits_hold(databases: Sequence[str] | None = None, **_told: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature
    """Refuse who serves people without time limits: behind a PgBouncer they are those of the role, if it has any."""
    if not databases or settings.ROLE == "command":
        return []
    wanted = limits.of(settings.ROLE)
    found = run(
        """
        SELECT s.name, current_setting(s.name) FROM pg_settings s
        JOIN unnest(%(names)s, %(values)s) AS w(name, value) ON w.name = s.name
        WHERE s.setting <> CASE s.unit WHEN 'ms' THEN (extract(epoch FROM w.value::interval) * 1000)::int::text
            ELSE w.value END ORDER BY s.name
        """,
        {"names": list(wanted), "values": list(wanted.values())},
    )
    hint = f"Run `manage.py grant_roles` as the owner, and name {grants.APP} in DATABASE_URL."
    return [
        Error(f"{name} is {value} in the database, not {wanted[str(name)]}.", hint=hint, id="ims.E003")
        for name, value in found
    ]
