"""Threads released at one moment, each on its own database connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TypeVar

from django.db import connection

from invoices import locking
from tests import factories
from tests.live import wait_for

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


def waiting() -> int:
    """Return how many sessions of this database wait for a lock; the server has those of other tests beside it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction else sees the sessions as it first saw them
        cursor.execute("""
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event <> 'extend'
        """)
        return int(cursor.fetchone()[0])


class Slow:
    """A clock that is read and then stands still until something is so, or it has waited long enough."""

    def __init__(self, at: str, until: Callable[[], bool]) -> None:
        self.at, self.until, self.is_read = factories.at(at), until, threading.Event()

    def now(self) -> datetime:
        """Return the moment, late."""
        self.is_read.set()
        with suppress(AssertionError):
            wait_for(self.until, seconds=2)
        return self.at


@contextmanager
def held(taxpayer_id: int, *, others: int = 1, meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a taxpayer's inbox while the block runs, until so many others wait; then do something and let it go."""
    has_it = threading.Event()

    def work() -> None:
        locking.lock([taxpayer_id])
        has_it.set()
        wait_for(lambda: waiting() >= others)
        meanwhile()

    def hold() -> None:
        try:
            locking.transact(work)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert has_it.wait(timeout=10)
        yield
        holding.result()
