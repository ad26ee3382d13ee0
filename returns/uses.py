"""What statements and returns did with a record, for the record's own page: who counted it when, what used it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from ims_portal.models import Taxpayer
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import Tax
from ims_portal.templatetags import ims as show
from invoices.uses import Use, What
from returns import gstr2b_sql, lines, summary, wording
from returns.gstr2b_sql import Told


def read(taxpayer: Taxpayer, record_ids: Collection[int]) -> dict[int, list[Use]]:
    """Return record id -> what statements and returns did with it, oldest first: one query."""
    found: dict[int, list[Use]] = {}
    for line in gstr2b_sql.told(recipient_id=taxpayer.pk, record_ids=record_ids):
        found.setdefault(line.record_id, []).extend(_uses(taxpayer.gstin, line))
    return found


def _uses(gstin: str, line: Told) -> Iterator[Use]:
    """Yield what one line tells: that it began to count, that it stopped, that a return used it."""
    p = show.wire(line.month)
    yield Use(
        What.COUNTED,
        line.month,
        line.began_at,
        line.began_by or "",
        _statement(line.month, line.first_version),
        _counted(line),
        reverse("returns:gstr2b-version", args=[gstin, p, line.first_version]),
        Tax(line.igst, line.cgst, line.sgst, line.cess),
        is_newest=line.last_version is None,
        steps=json.loads(line.steps) if line.steps else (),
    )
    if line.dropped_at is not None and line.last_version is not None and not line.goes_on:
        version = line.last_version + 1
        yield Use(
            What.DROPPED,
            line.month,
            line.dropped_at,
            line.dropped_by or "",
            _statement(line.month, version),
            _("Not counted any more."),
            reverse("returns:gstr2b-version", args=[gstin, p, version]),
        )
    if line.filed_at is not None:
        yield _filed(gstin, line, line.filed_at)


def _filed(gstin: str, line: Told, at: datetime) -> Use:
    says = _("Final. It used GSTR-2B version %(version)s; reference %(reference)s.")
    if line.addback_month is not None:
        says = _(
            "Final. It used GSTR-2B version %(version)s; reference %(reference)s. The rejection raises the supplier's "
            "tax in GSTR-3B of %(month)s."
        )
    names = {"version": line.filed_version, "reference": line.reference, "month": show.period(line.addback_month)}
    return Use(
        What.FILED,
        line.month,
        at,
        line.filed_by or "",
        _("GSTR-3B of %(period)s") % {"period": show.period(line.month)},
        says % names,
        reverse("returns:gstr3b-receipt", args=[gstin, show.wire(line.month)]),
    )


def _statement(month: int, version: int) -> str:
    return _("GSTR-2B of %(period)s, version %(version)s") % {"period": show.period(month), "version": version}


def _counted(line: Told) -> str:
    """Return where a line stands: its section, part, status, and the cell of GSTR-3B it feeds."""
    part = Part(line.part)
    where = [
        str(summary.SECTIONS[Placement(line.placement)][0]),
        _("Part %(letter)s %(number)s") % {"letter": line.part[0], "number": summary.PARTS[part][0]},
        str(lines.STATUS_NAMES[line.status]),
        _("GSTR-3B %(table)s") % {"table": wording.ROW_NAMES[line.cell][0]} if line.cell else "",
    ]
    return ", ".join(text for text in where if text)
