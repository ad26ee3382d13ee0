"""Seals: a chain of hashes over the history of actions and the filed returns, so that tampering shows (promises 2.4).

Whoever can rewrite history can rewrite the chain too, all of it from there on; the head kept elsewhere tells.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction

from ims_portal import clock
from returns import seals_sql
from returns.models import Seal
from returns.verify_sql import Invariant

EVERY = timedelta(hours=1)
MOST_ROWS = 100_000
"""Rows of a block: few enough that a block which does not hold is a place to look at."""
PATIENCE = timedelta(seconds=60)
PAUSE = 0.2
"""Seconds between two looks whether the transactions that were running are over."""

HASHES = Invariant("V29 hashes", "no sealed row was changed, removed or put in")
HEAD = Invariant("V29 head", "the head that was kept elsewhere is one of the chain's")


def head() -> Seal | None:
    """Return the newest seal."""
    return Seal.objects.order_by("-id").first()


def is_due() -> bool:
    """Whether nothing was sealed for an hour."""
    newest = head()
    return newest is None or newest.made_at <= clock.real() - EVERY


def seal(*, patience: timedelta = PATIENCE) -> bool:
    """Seal what is not sealed yet, and return whether that could be done; run twice at once it does no harm.

    A smaller id may be committed after a larger one, by a transaction that took its number first. So the newest ids are
    noted, then all transactions waited for that were writing at that moment: each writer locks an inbox before it takes
    a number, so none of the others can have one below. Where one of them outlasts `patience` the next look tries again.
    """
    begun, ends = seals_sql.mark()
    until = time.monotonic() + patience.total_seconds()
    while not seals_sql.are_over(begun):
        if time.monotonic() > until:
            return False
        time.sleep(PAUSE)
    for sealed, end in ends.items():
        while _seal_block(sealed, end):
            pass
    return True


def _seal_block(sealed: str, end: int) -> bool:
    """Seal one block of rows up to an id and return True, or return False where there is none left.

    Two that seal at once would both follow the same seal: only one can, the other finds its block sealed.
    """
    with transaction.atomic(durable=True):
        newest, own = head(), Seal.objects.filter(sealed=sealed).order_by("-id").first()
        begin = own.to_id + 1 if own else 1
        to = seals_sql.block_end(sealed, begin=begin, end=end, most=MOST_ROWS)
        if to is None:
            return False
        made = Seal(
            sealed=sealed,
            prev_hash=newest.hash if newest else "",
            from_id=begin,
            to_id=to,
            made_at=clock.real(),
        )
        made.hash, made.rows = _hashed(made)
        Seal.objects.bulk_create([made], ignore_conflicts=True)
        return True


def _hashed(one: Seal) -> tuple[str, int]:
    """Return the hash that a seal must have over the rows there are, and how many they are."""
    found = hashlib.sha256(f"{one.prev_hash} {one.sealed} {one.from_id} {one.to_id}\n".encode())
    rows = 0
    for text in seals_sql.texts(one.sealed, begin=one.from_id, end=one.to_id):
        found.update(text.encode() + b"\n")
        rows += 1
    return found.hexdigest(), rows


def broken() -> Iterator[Seal]:
    """Yield the seals whose block is not what was sealed. This will join the caller's transaction."""
    for one in Seal.objects.order_by("id").iterator():
        if _hashed(one)[0] != one.hash:
            yield one


def holds(kept: str) -> bool:
    """Whether a head that was kept elsewhere is one of the chain's hashes."""
    return Seal.objects.filter(hash=kept).exists()
