"""Feeds readers what nobody would write, guided by which of their branches it reaches (promises F41, FZ).

    .venv/bin/pip install atheris~=3.0    # once; no part of requirements.in, for it is 35 MB and not made everywhere
    .venv/bin/python -m tests.fuzz [files|cells|bodies|values ..] [--seconds 3600] [--seed 1] [--kept FOLDER]

A crash is anything raised that is no declared refusal, a hang any input that takes more than ten seconds. Each is kept
once in FOLDER/found with what it raised, and becomes a test; the rest of FOLDER is what further runs begin with.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SLOW_SECONDS, HUNG_SECONDS = 10, 60
LARGEST = 200_000
"""Bytes of the largest input made; files of any size are another test's."""
SHARES = {"files": 0.5, "cells": 0.3, "bodies": 0.1, "values": 0.1}
"""How much of the time each target has."""
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "ims_portal.settings",
    "DATABASE_URL": "postgresql://nobody@localhost/none",
    "REDIS_URL": "redis://localhost/0",
    "CACHE_URL": "redis://localhost/0",
    "SECRET_KEY": "for readers that sign nothing and ask no database anything",
    "IMS_SANDBOX": "true",
    "IMS_HTTPS": "false",
}


def main() -> int:
    """Fuzz each target for its share of the time, in a process of its own; return how many findings there were."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("targets", nargs="*", choices=[*SHARES, []])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=None)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    kept = told.kept or Path(tempfile.mkdtemp(prefix="ims-fuzz-"))
    names = told.targets or list(SHARES)
    if told.alone:
        _fuzz(names[0], kept, told.seconds, told.seed)
    whole = sum(SHARES[name] for name in names)
    for name in names:
        seconds = int(told.seconds * SHARES[name] / whole)
        command = [sys.executable, "-m", "tests.fuzz", name, "--alone", f"--seconds={seconds}"]
        done = subprocess.run(
            [*command, f"--seed={told.seed}", f"--kept={kept}"],
            cwd=PROJECT,
            env=os.environ | SETTINGS | {"IMS_FILES": str(kept)},
            check=False,
        )
        print(f"{name}: ended with {done.returncode}", flush=True)
    found = sorted((kept / "found").glob("*.txt"))
    print(f"{len(found)} findings in {kept / 'found'}", *(path.stem for path in found), sep="\n  ")
    return len(found)


def _fuzz(name: str, kept: Path, seconds: int, seed: int) -> None:
    """Fuzz one target; never returns."""
    import atheris  # noqa: PLC0415 - only where it is fuzzed, and before what it watches

    with atheris.instrument_imports(include=["ims_portal", "invoices", "returns"]):
        import django  # noqa: PLC0415

        django.setup()
        from tests.fuzz import mutation, targets  # noqa: PLC0415

    target = targets.TARGETS[name]
    corpus, found = kept / name, kept / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    others = []
    for data in target.seeds():
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
        try:
            others.append(mutation.parse(data[target.leading :].decode()))
        except ValueError:
            continue

    def change(data: bytes, most: int, number: int) -> bytes:
        """Change a text within its grammar, two times of three; else as libFuzzer does."""
        changed = None
        if target.is_json and number % 3:
            changed = mutation.mutate(data[target.leading :], number, others)
        if changed is None or target.leading + len(changed) > most:
            return bytes(atheris.Mutate(data, most))
        return data[: target.leading] + changed

    options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-timeout={HUNG_SECONDS}", f"-max_len={LARGEST}"]
    options += ["-rss_limit_mb=1500", "-print_final_stats=1", f"-artifact_prefix={found}/{name}-"]
    atheris.Setup([name, *options, str(corpus)], _watched(name, target.run, found), custom_mutator=change)
    atheris.Fuzz()


def _watched(name: str, run: Callable[[bytes], None], found: Path) -> Callable[[bytes], None]:
    """Return a target that keeps what it crashed or hung on, each kind once, and goes on."""

    def watched(data: bytes) -> None:
        begin = time.monotonic()
        try:
            run(data)
        except Exception as crash:  # noqa: BLE001 - whatever it is, is what we look for
            last = traceback.extract_tb(crash.__traceback__)[-1]
            _keep(found / f"{name}-{type(crash).__name__}-{Path(last.filename).stem}-{last.lineno}", data)
        if time.monotonic() - begin > SLOW_SECONDS:
            _keep(found / f"{name}-slow-{hashlib.sha256(data).hexdigest()[:8]}", data)

    return watched


def _keep(path: Path, data: bytes) -> None:
    said = path.with_name(path.name + ".txt")
    if not said.exists():
        path.write_bytes(data)
        said.write_text(traceback.format_exc())
        print(f"found {path.name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
