"""Load: the whole portal as in production, people at work on it at a pace of their own, heavy work meanwhile.

    .venv/bin/python -m tests.load [--rows 200000] [--users 100] [--seconds 600] [--rate 150] [--seed 1] [--json FILE]

Prints what each kind of request took from when it was due, beside the targets of promises 6.2. Exit code 1 where an
acknowledged action is not in the history just once, a check of `verify` is broken, or an answer was an error of ours
(5xx but 503); a target that was missed is told, for it says as much of the machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import django

from tests.chaos.stage import Stage

AS_SERVED = {"IMS_LOG_LEVEL": "INFO"}
"""As in production, where chaos asks for less: every request is a line of the log."""


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load", description="Many people at once, and how long each waits."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=200_000, help="documents of the large recipient (200000)")
    parser.add_argument("--tail", type=int, default=300, help="small recipients (300)")
    parser.add_argument("--users", type=int, default=100, help="people (100)")
    parser.add_argument("--hot", type=float, default=0.15, help="share of them at the large recipient (0.15)")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=150, help="requests a second aimed at, of all together (150)")
    parser.add_argument("--invoices", type=int, default=20_000, help="of a GSTR-1 that is handed in (20000)")
    parser.add_argument("--quiet", action="store_true", help="without the heavy work")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--keep", type=Path, help="a folder that keeps data and logs")
    return parser.parse_args()


def main() -> int:
    """Make the stage, play, and take it away."""
    asked = _asked()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="ims-load-"))
    stage = Stage(folder)
    try:
        os.environ |= {**stage.start_servers(), **AS_SERVED, "IMS_ROLE": "command", "PGAPPNAME": "load"}
        os.environ["CACHE_URL"] = os.environ["REDIS_URL"].replace("db=0", "db=1")
        django.setup()
        from tests.load import playing  # noqa: PLC0415 - Django's settings come first

        return playing.play(asked, stage, partial(print, flush=True))
    finally:
        stage.end()
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
