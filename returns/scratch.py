"""Throw-away databases beside the portal's own: for worked cases, for measuring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection


@contextmanager
def migrated(name: str) -> Iterator[None]:
    """Be connected to a new, migrated database of a name while the block runs; it is gone afterwards."""
    maintain(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"')
    try:
        with connected_to(name):
            call_command("migrate", verbosity=0, interactive=False)
            yield
    finally:
        maintain(f'DROP DATABASE IF EXISTS "{name}"')


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Let everything that asks the database ask another one of the same server while the block runs."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def maintain(*statements: str) -> None:
    """Run statements of the server rather than of a database, which no transaction may hold."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
