"""What a supplier reported, and how its recipients stand to it: reads for the supplier's pages (R6.1 to R6.4).

Nothing here tells a supplier what its recipient answered to the ITC question, or what it declared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core import signing
from django.db.models import Count, Func, QuerySet, Sum, TextField, Value

from ims_portal import calendar, clock
from ims_portal.models import Taxpayer
from ims_portal.rules import table3
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section
from ims_portal.rules.money import HEADS, NIL, Tax
from ims_portal.rules.periods import Filer
from invoices import reported_sql, standing
from invoices.models import ActionEvent, Record, SupplierReturn
from invoices.standing import Standing

CURSOR_SALT = "invoices.reported.cursor"


class Effect(StrEnum):
    """What a recipient's choice means for the supplier's own liability (R6.3, R6.4)."""

    NONE = "none"
    PROVISIONAL = "provisional"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Row:
    """One reported record as its supplier may see it: the action as it counts today, and what it costs.

    `target_month` is the supplier's period a fixed add-back lands in. A record outside IMS is not actionable and
    shows No action (R6.2).
    """

    record: Record
    action: Action
    is_actionable: bool
    effect: Effect
    addback: Tax
    target_month: int | None

    @property
    def remark(self) -> str:
        """What the recipient wrote to the supplier (R5.4)."""
        return self.record.remark if self.is_actionable else ""

    @property
    def is_settled(self) -> bool:
        """Whether the recipient's GSTR-3B that counts the record is filed."""
        return self.record.settled_month is not None


@dataclass(frozen=True, slots=True)
class SectionTotal:
    """What a form holds of one section: how many documents, how many of them filed, and their sums in paise."""

    section: Section
    count: int
    filed: int
    recipients: int
    taxable: int
    tax: Tax

    @property
    def saved(self) -> int:
        """How many documents are not filed yet."""
        return self.count - self.filed


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a supplier's records, the newest period first, and the cursors of the pages beside it."""

    rows: Sequence[Row]
    first: int
    total: int
    before: str
    after: str

    @property
    def last(self) -> int:
        """The place of the last row in the whole list."""
        return self.first + len(self.rows) - 1 if self.rows else 0


def of(supplier_return: SupplierReturn, *, section: str = "") -> QuerySet[Record]:
    """Return what a form holds and its supplier has not withdrawn, of one section or of all."""
    found = Record.objects.filter(
        supplier_id=supplier_return.supplier_id, own_month=supplier_return.own_month, supplier_return=supplier_return
    ).exclude(status=Record.Status.WITHDRAWN)
    return found.filter(section=section) if section else found


def page(records: QuerySet[Record], *, cursor: str, size: int, at: datetime, total: int | None = None) -> Page:
    """Return one page of records, found by key and never by counting rows (portal 7.2).

    `total` is how many there are, where the caller knows it.
    """
    place, backwards, first, counted = _read_cursor(cursor)
    total = next((known for known in (counted, total) if known is not None), None)
    total = records.count() if total is None else total
    found = list(_beyond(records, place, backwards=backwards).select_related("recipient", "addback")[: size + 1])
    goes_on, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_later = bool(found) and (goes_on or backwards)
    has_earlier = bool(found) and first > 1
    return Page(
        rows=rows(found, at=at),
        first=first if found else 0,
        total=total,
        before=_cursor(found[0], True, max(first - size, 1), total) if has_earlier else "",
        after=_cursor(found[-1], False, first + len(found), total) if has_later else "",
    )


def _beyond(records: QuerySet[Record], place: tuple[int, int] | None, *, backwards: bool) -> QuerySet[Record]:
    if place is not None:
        side = ">" if backwards else "<"
        # A row comparison, because the same written with OR reads every row down to the place.
        records = records.extra(  # noqa: S610 our own column names; the values are parameters  # nosec B610
            where=[f"(invoices_record.own_month, invoices_record.id) {side} (%s, %s)"], params=place
        )
    return records.order_by(*(("own_month", "id") if backwards else ("-own_month", "-id")))


def _cursor(record: Record, backwards: bool, first: int, total: int) -> str:  # noqa: FBT001 as it stands in the text
    return signing.dumps([record.own_month, record.pk, backwards, first, total], salt=CURSOR_SALT)


def is_cursor(text: str) -> bool:
    """Whether a text is a cursor of a list of ours; a page takes what is none for its beginning."""
    return _read_cursor(text)[0] is not None


def _read_cursor(text: str) -> tuple[tuple[int, int] | None, bool, int, int | None]:
    """Return (place, backwards, number of the first row, count of all); anything not ours is the first page."""
    try:
        month, pk, backwards, first, total = signing.loads(text, salt=CURSOR_SALT)
    except (signing.BadSignature, ValueError):
        return None, False, 1, None
    return (int(month), int(pk)), bool(backwards), int(first), int(total)


def rows(records: Sequence[Record], *, at: datetime) -> list[Row]:
    """Return records as their supplier sees them: one query for all their recipients together."""
    today = standings({record.recipient for record in records}, at=at)
    return [_row(record, today[record.recipient_id]) for record in records]


def standings(taxpayers: Iterable[Taxpayer], *, at: datetime) -> dict[int, Standing]:
    """Return how several recipients stand at a moment, by id: one query."""
    known = {taxpayer.pk: taxpayer for taxpayer in taxpayers}
    filers, in_force = calendar.of_several(known.values(), at)
    # Who files alike stands alike: of hundreds of recipients only a few are worked out.
    alike: dict[tuple[bool, Filer], Standing] = {}
    found: dict[int, Standing] = {}
    for pk, filer in filers.items():
        key = (known[pk].has_ims, filer)
        if key not in alike:
            alike[key] = standing.on_day(known[pk], filer, in_force, clock.day(at))
        found[pk] = alike[key]
    return found


def _row(record: Record, today: Standing) -> Row:
    is_actionable = not today.bypass(record)
    action = today.effective_action(record) if is_actionable else Action.NONE
    effect, addback, month = Effect.NONE, NIL, None
    # The add-back belongs to the returns, which stand above: it is reached from the record, never imported.
    fixed = getattr(record, "addback", None)
    if fixed is not None:
        effect, addback, month = Effect.FIXED, fixed.tax, fixed.target_month
    elif today.may_add_back(record):
        effect, addback = Effect.PROVISIONAL, record.cap
    return Row(record, action, is_actionable, effect, addback, month)


def record_of(supplier: Taxpayer, pk: int) -> Record | None:
    """Return one record of a supplier, withdrawn ones too, with what its page shows."""
    found = Record.objects.select_related("recipient", "addback", "detail", "original", "supplier_return")
    return found.filter(supplier=supplier, pk=pk).first()


def history(record: Record) -> list[ActionEvent]:
    """Return the changes of a record that its supplier may see, the newest first.

    A change of the answer to the ITC question alone would give that answer away, so it is left out.
    """
    seen: tuple[str, str, str] = ("N", "", "")
    shown: list[ActionEvent] = []
    events = ActionEvent.objects.filter(recipient_id=record.recipient_id, record=record).order_by("version")
    for event in events:
        now = (event.action, event.remark, event.reason_code)
        if now != seen or event.cause in (ActionEvent.Cause.EDITED, ActionEvent.Cause.WITHDRAWN):
            shown.append(event)
        seen = now
    return shown[::-1]


def totals(supplier_return: SupplierReturn) -> list[SectionTotal]:
    """Return what a form holds, section by section: one query."""
    kept = reported_sql.totals(supplier_return.pk)
    return [_total(section, *kept[section.value]) for section in Section if section.value in kept]


def _total(section: Section, count: int, filed: int, recipients: int, taxable: int, *tax: int) -> SectionTotal:
    return SectionTotal(section, count, filed, recipients, taxable, Tax(*tax))


def recipient_count(supplier_return: SupplierReturn) -> int:
    """Return how many recipients a form names."""
    found = Record.objects.filter(supplier_return=supplier_return).exclude(status=Record.Status.WITHDRAWN)
    return int(found.aggregate(count=Count("recipient_id", distinct=True))["count"])


@dataclass(frozen=True, slots=True)
class Outside:
    """What a form reports of a section outside IMS, by supply, place and kind, in paise."""

    section: str
    detail: str
    taxable: int
    tax: Tax


def summaries(supplier_return: SupplierReturn) -> list[Outside]:
    """Return the sums of a form that never reach IMS; documents and parties named in them are summed up."""
    place = Func("detail", Value(table3.SEPARATOR), Value(1), function="split_part", output_field=TextField())
    found = supplier_return.summaries.annotate(place=place).values_list("section", "place")
    rows: Iterable[tuple[Any, ...]] = found.annotate(*map(Sum, ("taxable", *HEADS))).order_by("section", "place")
    return [Outside(section, detail, int(taxable), Tax(*map(int, tax))) for section, detail, taxable, *tax in rows]


def digest(supplier_return: SupplierReturn) -> str:
    """Return the SHA-256 of what filing a form would file now: counts and sums, of documents and of the rest.

    A form nothing was ever saved in has one too: it can be filed as nil.
    """
    if supplier_return.pk is None:
        return digest_of(supplier_return, [], [])
    return digest_of(supplier_return, totals(supplier_return), summaries(supplier_return))


def digest_of(supplier_return: SupplierReturn, held: Sequence[SectionTotal], outside: Sequence[Outside]) -> str:
    """Return the digest of a form whose totals and sums were read already."""
    documents = [[line.section.value, line.count, line.recipients, line.taxable, *line.tax] for line in held]
    rest = [[line.section, line.detail, line.taxable, *line.tax] for line in outside]
    content = [supplier_return.form, supplier_return.month, documents, rest]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def months(supplier: Taxpayer) -> list[int]:
    """Return the supplier's own periods it has reported anything in, the newest first."""
    found = SupplierReturn.objects.filter(supplier=supplier).values_list("own_month", flat=True).distinct()
    return sorted(found, reverse=True)
