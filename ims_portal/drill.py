"""A restore rehearsed: a base backup and archived log brought back as of a moment, on a PostgreSQL of its own.

    python -m ims_portal.drill --backup DIR --archive DIR --until 2026-11-13T10:00:00+05:30 --kept acknowledged.jsonl

Nothing of the running portal is touched: the backup is copied into a fresh folder, its server listens on a socket there
and ends with this. `manage.py verify` then looks at what came back, as the auditor's role, and `manage.py acknowledged
--gone` names what people were told is done and is not there. docs/runbook.md says when to run it and what to do next.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from ims_portal import embedded, engine_start, engines, grants
from ims_portal.engines import EngineError, Place

PATIENCE = 4 * 3600
"""Seconds a recovery may take; the log of a day is many gigabytes."""

EVERYBODY = "local all all trust\n"
"""Who may come to the restored server: whoever gets to its socket, in a folder that only we may enter."""


def restore(*, backup: Path, archive: Path, until: datetime, where: Place) -> None:
    """Bring a base backup and the archived log back as of a moment, and have its server run. Raises EngineError."""
    engine_start.make_private(folder=where.folder)
    where.data.mkdir(mode=0o700)
    engine_start.hand_over(where.data)
    for command in (["cp", "-R", f"{backup}/.", str(where.data)], ["chmod", "0700", str(where.data)]):
        engine_start.run(command, place=where, failure="The base backup could not be copied")
    wanted = {
        "restore_command": f'cp "{archive}/%f" "%p"',
        "recovery_target_time": until.isoformat(),
        "recovery_target_action": "promote",
        "hot_standby": "off",  # or it would ask for as many connections as the server had that was backed up
        "archive_mode": "off",
    }
    settings = "".join(f"{name} = '{value}'\n" for name, value in wanted.items())
    for name, text in (("postgresql.auto.conf", settings), ("pg_hba.conf", EVERYBODY), ("recovery.signal", "")):
        engine_start.run(["tee", where.data / name], place=where, failure=f"{name} was not written", text=text)
    (where.folder / "database_made").touch()  # it comes with the backup
    embedded.ensure_at(where=where)
    deadline = time.monotonic() + where.patience
    while not engines.postgres_is_ready(place=where):
        if engines.postgres_pid(place=where) is None or time.monotonic() > deadline:
            raise EngineError("The recovery did not come to its end.")
        time.sleep(0.1)


def look(*, where: Place, kept: Path | None) -> tuple[bool, str]:
    """Return whether what must hold holds in what came back, and what the commands that looked said."""
    told = embedded.environment(where=where) | {
        "DATABASE_URL": embedded.addresses(where=where, role=grants.AUDIT).database_url,
        "IMS_ROLE": "command",
        "DJANGO_SETTINGS_MODULE": "ims_portal.settings",
    }
    holds, said = _ask(told, "verify")
    if kept:
        said += _ask(told, "acknowledged", "--gone", os.fspath(kept))[1]
    return holds, said


def _ask(environment: dict[str, str], *words: str) -> tuple[bool, str]:
    command = [sys.executable, os.fspath(embedded.PROJECT / "manage.py"), *words]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def _end_of_log(where: Place) -> str:
    """Return the last lines of the server's log, which goes with its folder."""
    log = where.folder / "postgres.log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.exists() else ""


def main() -> int:
    """Rehearse, say how long it took and what was found, and return 0 if what came back holds."""
    parser = argparse.ArgumentParser(description="Rehearse a restore on a server of its own and verify what came back.")
    parser.add_argument("--backup", type=Path, required=True, help="a base backup, as pg_basebackup made it")
    parser.add_argument("--archive", type=Path, required=True, help="the folder of the archived log")
    parser.add_argument("--until", type=datetime.fromisoformat, required=True, help="the moment, with its offset")
    parser.add_argument("--kept", type=Path, help="what `manage.py acknowledged` printed, kept elsewhere")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ims-drill-") as folder:
        where = Place(folder=Path(folder) / "restored", durable=False, patience=PATIENCE)
        began = time.monotonic()
        try:
            restore(backup=asked.backup.absolute(), archive=asked.archive.absolute(), until=asked.until, where=where)
            print(f"Restored as of {asked.until.isoformat()} in {time.monotonic() - began:.0f} s.")
            holds, said = look(where=where, kept=asked.kept)
            print(said.rstrip())
        except EngineError as problem:
            print(problem, _end_of_log(where), sep="\n", file=sys.stderr)
            return 1
        finally:
            embedded.release(where=where)
            engines.stop(place=where)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
