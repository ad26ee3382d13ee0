"""What a GSTIN's current statement lacks: how many records changed since, and what net ITC gains and loses by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.core.cache.backends.locmem import LocMemCache

from ims_portal.access import Access
from ims_portal.models import Taxpayer
from ims_portal.rules.periods import TaxPeriod
from invoices import standing
from invoices.models import Inbox
from invoices.standing import Standing
from returns import behind_sql, gstr2b, since_sql
from returns.models import Gstr2b
from returns.since_sql import Since

_known = LocMemCache("returns.behind", {"TIMEOUT": 86_400, "OPTIONS": {"MAX_ENTRIES": 5_000}})
"""Sums by statement, counter and what has lapsed: whatever could change them changes one of these (R7.11)."""


MANY = 5_000
"""Changes that are added up while a page waits; of more, as after a bulk action, only the number is told."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A statement that is out of date. `count` records changed since; net ITC gains `gain` and loses `-loss`, in paise.

    `is_of_other_law`: the rules changed since, so that any record may count otherwise; nothing is summed then.
    `is_lapse`: nobody changed anything, but Pending lapsed.
    `has_many`: more than MANY changes were saved, which no page adds up in passing; `count` is MANY then.
    """

    period: TaxPeriod
    version: int
    computed_at: datetime
    is_of_other_law: bool = False
    is_lapse: bool = False
    has_many: bool = False
    count: int = 0
    gain: int = 0
    loss: int = 0


def of(*, taxpayer: Taxpayer, today: Standing) -> Behind | None:
    """Return what the newest statement of the open period lacks, None where it is current or there is none.

    One query while it is current, whatever the recipient's size; two more the first time after each change, over what
    changed since alone.
    """
    newest = behind_sql.newest(recipient_id=taxpayer.pk)
    if newest is None:
        return None
    statement = Gstr2b(
        pk=newest.pk,
        version=newest.version,
        computed_at=newest.computed_at,
        recipient_id=taxpayer.pk,
        month=newest.open_month,
        seq=newest.at_seq,
        as_of=newest.as_of,
        engine=newest.engine,
    )
    inbox = Inbox(taxpayer_id=taxpayer.pk, seq=newest.seq, open_month=newest.open_month)
    return lacking(statement, inbox, today)


def lacking(statement: Gstr2b, inbox: Inbox, today: Standing) -> Behind | None:
    """Return what a statement lacks, the newest of the open period; None where it is current."""
    if not gstr2b.is_out_of_date(statement, inbox=inbox, today=today):
        return None
    period = today.filer.period(inbox.open_month)
    if gstr2b.is_of_other_law(statement):
        return Behind(period, statement.version, statement.computed_at, is_of_other_law=True)
    key = f"{statement.pk}.{inbox.seq}.{today.lapsed.upto}.{'-'.join(map(str, today.lapsed.still_open))}"
    found = _known.get(key)
    if found is None:
        found = _sums(gstr2b.since(statement, today), today)
        _known.set(key, found)
    is_lapse = inbox.seq == statement.seq
    return replace(Behind(period, statement.version, statement.computed_at, is_lapse=is_lapse), **found)


def _sums(since_: Since, today: Standing) -> dict[str, int]:
    if since_sql.has_many(since_, more_than=MANY):
        return {"has_many": True, "count": MANY}
    count, gain, loss = behind_sql.sums(since_, today)
    return {"count": count, "gain": gain, "loss": loss}


def known(held: Access, at: datetime, newest: Gstr2b | None, inbox: Inbox, today: Standing) -> Behind | None:
    """Return `of` for a page that has read the newest statement: it is not read again, here or in `for_page`."""
    return held.once("behind", at, lambda: lacking(newest, inbox, today) if newest else None)


def for_page(held: Access, at: datetime) -> Behind | None:
    """Return `of` for a page, read once for all its parts."""
    return held.once("behind", at, lambda: of(taxpayer=held.taxpayer, today=standing.for_page(held, at)))
