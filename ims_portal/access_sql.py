"""The rights of somebody, read so that they hold: whoever ends them waits until the reader's transaction is over.

FOR KEY SHARE, which readers share with one another and with what refers to the row; only the FOR UPDATE of an ending
waits for it, and is waited for.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from ims_portal.sql import run

_IN_FORCE = """
    user_id = %(user)s AND taxpayer_id = %(taxpayer)s
    AND valid_from <= %(at)s AND (valid_to IS NULL OR valid_to > %(at)s)"""


def role(*, user_id: int, taxpayer_id: int, at: datetime) -> str | None:
    """Return the role a user holds on a taxpayer at a moment, and keep it from ending."""
    statement = f"SELECT role FROM ims_portal_membership WHERE {_IN_FORCE} FOR KEY SHARE"
    rows = run(statement, {"user": user_id, "taxpayer": taxpayer_id, "at": at})
    return str(rows[0][0]) if rows else None


def engaged(*, user_id: int, taxpayer_id: int, at: datetime) -> list[str] | None:
    """Return the rights a user is engaged with for a taxpayer at a moment, and keep them from ending."""
    agreed = f"{_IN_FORCE} AND accepted_by_id IS NOT NULL"
    statement = f"SELECT rights FROM ims_portal_engagement WHERE {agreed} FOR KEY SHARE"
    rows = run(statement, {"user": user_id, "taxpayer": taxpayer_id, "at": at})
    return cast("list[str]", rows[0][0]) if rows else None
