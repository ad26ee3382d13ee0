"""The calendar in force: statutory days of `rules.periods` plus the extensions known, and taxpayers as filers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import DateField, DateTimeField, Value

from ims_portal.models import DueDateExtension, FilingFrequency, Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.periods import Calendar, Filer, Frequency, Return, StateGroup, TaxPeriod


def in_force(at: datetime) -> Calendar:
    """Return the calendar as known at a moment: one query, approved extensions whose notification is out."""
    rows = DueDateExtension.objects.filter(approved_by__isnull=False, known_from__lte=at).order_by("known_from")
    return extended(rows.values_list("form", "month", "frequency", "group", "due"))


def extended(rows: Iterable[tuple[str, int, str, str, date]]) -> Calendar:
    """Return the calendar with extensions as stored, the later known after the earlier: no query."""
    extensions: dict[tuple[Return, TaxPeriod, StateGroup | None], date] = {}
    for form, month, frequency, group, due in rows:
        period = TaxPeriod(month, Frequency(frequency))
        extensions[Return(form), period, StateGroup(group) if group else None] = due
    return Calendar(extensions)


def of(taxpayer: Taxpayer, at: datetime) -> tuple[Filer, Calendar]:
    """Return a taxpayer as a filer and the calendar as known at a moment, both with one query."""
    no_day, no_moment = Value(None, output_field=DateField()), Value(None, output_field=DateTimeField())
    own = FilingFrequency.objects.filter(taxpayer=taxpayer).annotate(
        form=Value(""), group=Value(""), due=no_day, known_from=no_moment
    )
    extensions = DueDateExtension.objects.filter(approved_by__isnull=False, known_from__lte=at)
    rows = own.values_list("form", "from_month", "frequency", "group", "due", "known_from").union(
        extensions.values_list("form", "month", "frequency", "group", "due", "known_from"), all=True
    )
    found = list(rows)
    changes = sorted((month, Frequency(frequency)) for form, month, frequency, *_rest in found if not form)
    known = sorted((row for row in found if row[0]), key=lambda row: row[5])
    return periods.filer(taxpayer.state, *changes), extended(row[:5] for row in known)


def filer(taxpayer: Taxpayer) -> Filer:
    """Return a taxpayer as the calendar sees it: one query for its filing frequencies."""
    return filers([taxpayer])[taxpayer.pk]


def filers(taxpayers: Iterable[Taxpayer]) -> dict[int, Filer]:
    """Return taxpayer id -> filer for several taxpayers, with one query."""
    known = {taxpayer.pk: taxpayer for taxpayer in taxpayers}
    changes: dict[int, list[tuple[int, Frequency]]] = {pk: [] for pk in known}
    rows = FilingFrequency.objects.filter(taxpayer_id__in=known).order_by("taxpayer_id", "from_month")
    for pk, start, frequency in rows.values_list("taxpayer_id", "from_month", "frequency"):
        changes[pk].append((start, Frequency(frequency)))
    return {pk: periods.filer(known[pk].state, *starts) for pk, starts in changes.items()}
