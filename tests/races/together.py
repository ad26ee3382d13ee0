"""Threads released at one moment, each on its own database connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

Answer = TypeVar("Answer")


def run(*works: Callable[[], Answer]) -> list[Answer | Exception]:
    """Return what each work answered, or the exception it raised, after starting all of them at one moment."""
    barrier = threading.Barrier(len(works))

    def one(work: Callable[[], Answer]) -> Answer | Exception:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=10)
            return work()
        except Exception as problem:  # noqa: BLE001 - the test looks at whatever it was
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def of(answers: Sequence[object], kind: type) -> list[object]:
    """Return the answers of a kind."""
    return [answer for answer in answers if isinstance(answer, kind)]
