"""How far a file is, in SQL of its own connection."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from ims_portal.models import Download


def keeper(download: Download) -> Callable[[int, int], None]:
    """Return what keeps how far a file is, beside the snapshot it is read in: its page must see it at once."""
    aside, table = connection.copy(), download._meta.db_table  # noqa: SLF001 Django's documented interface

    def keep(count: int, total: int) -> None:
        with aside.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET progress = %s, total = %s, changed_at = now() WHERE id = %s",
                [count, max(count, total), download.pk],
            )
        aside.close()

    return keep
