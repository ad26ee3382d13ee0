"""New migrations run beside old code: they only add, lock little, or their docstring says why not (F27, runbook 5)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

OURS = ("ims_portal", "invoices", "returns")
BEFORE = {"ims_portal": 12, "invoices": 25, "returns": 10}
"""Number of each app's last migration that was made before anybody's data was on a portal."""

NOTE = "Beside old code:"
ADDS = (migrations.CreateModel, AddIndexConcurrently, migrations.AlterModelOptions, migrations.AlterModelManagers)


def new() -> list[tuple[str, str]]:
    """Return app and name of each migration that has to run beside old code."""
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return sorted(key for key in found if key[0] in OURS and int(key[1][:4]) > BEFORE[key[0]])


def in_the_way(operations: list[Operation]) -> Iterator[str]:
    """Yield what of a migration old code would stumble over, or wait for."""
    fresh = {operation.name.lower() for operation in operations if isinstance(operation, migrations.CreateModel)}
    for operation in operations:
        of_fresh = getattr(operation, "model_name", "").lower() in fresh
        if isinstance(operation, ADDS) or of_fresh or _adds_what_old_code_leaves_out(operation):
            continue
        yield operation.describe()


def _adds_what_old_code_leaves_out(operation: Operation) -> bool:
    """Whether this adds a column that old code's INSERT, which does not name it, may leave out."""
    if not isinstance(operation, migrations.AddField):
        return False
    field = operation.field
    return field.null or field.many_to_many or field.db_default is not models.NOT_PROVIDED


@pytest.mark.parametrize("key", new(), ids="-".join)
def test_a_new_migration_runs_beside_old_code_or_says_why_not(key: tuple[str, str]) -> None:
    module = importlib.import_module(f"{apps.get_app_config(key[0]).name}.migrations.{key[1]}")
    stumbles = list(in_the_way(module.Migration.operations))
    assert stumbles == [] or NOTE in (module.__doc__ or ""), f"write a sentence that begins with {NOTE!r}: {stumbles}"


@pytest.mark.parametrize(
    ("operation", "is_in_the_way"),
    [
        (migrations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True))]), False),
        (migrations.AddIndex("fresh", models.Index(fields=["id"], name="i")), False),
        (migrations.AddField("record", "seen", models.DateTimeField(null=True)), False),
        (migrations.AddField("record", "seen", models.BooleanField(db_default=False)), False),
        (migrations.AddField("record", "seen", models.BooleanField(default=False)), True),
        (migrations.RemoveField("record", "igst"), True),
        (migrations.RenameField("record", "igst", "tax"), True),
        (migrations.AlterField("record", "igst", models.TextField()), True),
        (migrations.AddIndex("record", models.Index(fields=["igst"], name="i")), True),
        (migrations.RunSQL("LOCK TABLE invoices_record"), True),
    ],
)
def test_the_rule_itself(operation: Operation, is_in_the_way: bool) -> None:
    fresh = migrations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True))])
    assert bool(list(in_the_way([fresh, operation]))) == is_in_the_way
