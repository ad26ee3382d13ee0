"""The calendar in force: statutory days of `rules.periods` plus the extensions known, and taxpayers as filers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateField, DateTimeField, IntegerField, OuterRef, Value
from django.db.models.functions import JSONObject

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
    found, in_force_then = of_several([taxpayer], at)
    return found[taxpayer.pk], in_force_then


def beside(at: datetime) -> dict[str, ArraySubquery]:
    """Return what a query of rows that have a taxpayer adds, so that `told` says what `of` would ask for by itself."""
    starts = FilingFrequency.objects.filter(taxpayer=OuterRef("taxpayer")).order_by("from_month")
    known = DueDateExtension.objects.filter(approved_by__isnull=False, known_from__lte=at).order_by("known_from")
    names = ("form", "month", "frequency", "group", "due")
    return {
        "starts": ArraySubquery(starts.values(told=JSONObject(month="from_month", frequency="frequency"))),
        "extensions": ArraySubquery(known.values(told=JSONObject(**{name: name for name in names}))),
    }


def told(taxpayer: Taxpayer, row: Mapping[str, Any]) -> tuple[Filer, Calendar]:
    """Return a taxpayer as a filer and the calendar, of a row of a query with `beside`: no query."""
    starts, extensions = row["starts"], row["extensions"]
    changes = [(one["month"], Frequency(one["frequency"])) for one in starts]
    known = (
        (one["form"], one["month"], one["frequency"], one["group"], date.fromisoformat(one["due"]))
        for one in extensions
    )
    return periods.filer(taxpayer.state, *changes), extended(known)


def of_several(taxpayers: Iterable[Taxpayer], at: datetime) -> tuple[dict[int, Filer], Calendar]:
    """Return taxpayer id -> filer, and the calendar as known at a moment, all with one query."""
    known = {taxpayer.pk: taxpayer for taxpayer in taxpayers}
    no_one, no_day = Value(None, output_field=IntegerField()), Value(None, output_field=DateField())
    no_moment = Value(None, output_field=DateTimeField())
    own = FilingFrequency.objects.filter(taxpayer_id__in=known).annotate(
        form=Value(""), group=Value(""), due=no_day, known_from=no_moment
    )
    extensions = DueDateExtension.objects.filter(approved_by__isnull=False, known_from__lte=at).annotate(whose=no_one)
    names = ("form", "month", "frequency", "group", "due", "known_from")
    rows = own.values_list("taxpayer_id", "form", "from_month", *names[2:]).union(
        extensions.values_list("whose", *names), all=True
    )
    starts, known_from = [], []
    for whose, *row in rows:
        if whose is None:
            known_from.append(row)
        else:
            starts.append((whose, row[1], row[2]))
    in_order = sorted(known_from, key=lambda row: row[-1])
    return _filers(known, sorted(starts)), extended(row[:5] for row in in_order)


def filer(taxpayer: Taxpayer) -> Filer:
    """Return a taxpayer as the calendar sees it: one query for its filing frequencies."""
    return filers([taxpayer])[taxpayer.pk]


def filers(taxpayers: Iterable[Taxpayer]) -> dict[int, Filer]:
    """Return taxpayer id -> filer for several taxpayers, with one query."""
    known = {taxpayer.pk: taxpayer for taxpayer in taxpayers}
    rows = FilingFrequency.objects.filter(taxpayer_id__in=known).order_by("taxpayer_id", "from_month")
    return _filers(known, rows.values_list("taxpayer_id", "from_month", "frequency"))


def _filers(known: Mapping[int, Taxpayer], starts: Iterable[tuple[int, int, str]]) -> dict[int, Filer]:
    changes: dict[int, list[tuple[int, Frequency]]] = {pk: [] for pk in known}
    for pk, start, frequency in starts:
        changes[pk].append((start, Frequency(frequency)))
    return {pk: periods.filer(taxpayer.state, *changes[pk]) for pk, taxpayer in known.items()}
