"""How amounts, periods, days and states look on every page. Values in, text out; nothing here asks the database."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import clock, complaints, spoken
from ims_portal.rules import actions, gstr3b, why
from ims_portal.rules.money import to_rupees
from ims_portal.rules.periods import TaxPeriod

register = template.Library()
A_MINUTE = timedelta(minutes=1)

CHIPS = {
    "accepted": gettext_lazy("Accepted"),
    "rejected": gettext_lazy("Rejected"),
    "pending": gettext_lazy("Pending"),
    "none": gettext_lazy("No action"),
    "filed": gettext_lazy("Filed"),
    "saved": gettext_lazy("Saved"),
    "settled": gettext_lazy("Settled"),
    "stale": gettext_lazy("Out of date"),
    "problem": gettext_lazy("Problem"),
    "provisional": gettext_lazy("Provisional"),
}
ACTION_CHIPS = {"A": "accepted", "R": "rejected", "P": "pending", "N": "none"}
STATUS_CHIPS = {"S": "saved", "F": "filed", "W": "none"}


@register.filter
def amount(paise: int | None) -> str:
    """Return whole paise as rupees in Indian grouping without a sign of currency: 12,34,567.00; None is empty."""
    if paise is None or paise == "":
        return ""
    whole, fraction = f"{to_rupees(abs(int(paise))):.2f}".split(".")
    grouped = whole[-3:]
    rest = whole[:-3]
    while rest:
        grouped = f"{rest[-2:]},{grouped}"
        rest = rest[:-2]
    return f"{'-' if int(paise) < 0 else ''}{grouped}.{fraction}"


@register.filter
def inr(paise: int | None) -> str:
    """Return whole paise as ₹12,34,567.00; the minus sign stands first."""
    text = amount(paise)
    return f"-₹{text[1:]}" if text.startswith("-") else f"₹{text}" if text else ""


@register.filter
def count(number: int | None) -> str:
    """Return a count in Indian grouping: 1,23,456."""
    return amount(int(number or 0) * 100)[:-3]


@register.filter
def period(value: TaxPeriod | int | None) -> str:
    """Return a period as people read it, 10/2026; a month may be given as YYYYMM."""
    if not value:
        return ""
    return value.label if isinstance(value, TaxPeriod) else f"{int(value) % 100:02d}/{int(value) // 100}"


@register.filter
def since(version: int) -> str:
    """Return from when a version of a rule is in force, in words."""
    start = why.since(int(version))
    return _("in force from %(start)s") % {"start": start} if start else _("in force since GST began")


@register.filter
def law(text: str) -> str:
    """Return a sentence of the law in the reader's language."""
    return spoken.say(str(text))


@register.filter
def told(complaint: str) -> str:
    """Return what a reader of a file or a job complained of in the reader's language."""
    return complaints.tell(str(complaint))


@register.filter
def laws(texts: list[str]) -> list[str]:
    """Return sentences of the law in the reader's language."""
    return [spoken.say(text) for text in texts]


@register.filter
def wire(value: TaxPeriod | int) -> str:
    """Return a period as addresses write it, MMYYYY; a month may be given as YYYYMM."""
    return value.wire if isinstance(value, TaxPeriod) else f"{int(value) % 100:02d}{int(value) // 100}"


@register.filter
def day(value: date | datetime | None) -> str:
    """Return a day as DD/MM/YYYY; of a moment its Indian day."""
    if value is None or value == "":
        return ""
    found = timezone.localdate(value) if isinstance(value, datetime) else value
    return found.strftime("%d/%m/%Y")


@register.filter
def moment(value: datetime | None) -> str:
    """Return a moment as DD/MM/YYYY HH:MM in Indian time."""
    if value is None or value == "":
        return ""
    return timezone.localtime(value).strftime("%d/%m/%Y %H:%M")


@register.filter
def time_of_day(value: datetime | None) -> str:
    """Return the hour and minute of a moment in Indian time, HH:MM."""
    return timezone.localtime(value).strftime("%H:%M") if value else ""


@register.filter
def ago(value: datetime) -> str:
    """Return how long ago a moment was, in words; below a minute, or ahead by another clock, it is just now."""
    now = clock.real()
    return _("%(when)s ago") % {"when": timesince(value, now)} if now - value >= A_MINUTE else _("just now")


@register.filter
def minutes(seconds: int) -> int:
    """Return how many whole minutes so many seconds are."""
    return int(seconds) // 60


@register.simple_tag
def longest(what: str) -> int:
    """Return how many characters a remark or a reason may have."""
    return {"remark": actions.REMARK_LIMIT, "reason": gstr3b.REASON_LIMIT}[what]


@register.simple_tag(takes_context=True)
def wrong(context: template.Context, field: str, described_by: str = "") -> SafeString:
    """Return what marks a control a form's `errors` name: that it is wrong, and by what it is described."""
    if field not in dict(context.get("errors") or ()):
        return format_html(' aria-describedby="{}"', described_by) if described_by else SafeString("")
    return format_html(' aria-invalid="true" aria-describedby="{}"', f"{field}-error {described_by}".strip())


@register.simple_tag(takes_context=True)
def told_at(context: template.Context, field: str) -> SafeString:
    """Return what a form's `errors` say of one control, to stand beside it."""
    told = [text for name, text in context.get("errors") or () if name == field]
    return format_html('<p class="field-error" id="{}-error">{}</p>', field, " ".join(told)) if told else SafeString("")


@register.simple_tag
def new_request_id() -> uuid.UUID:
    """Return a request id of its own, for a page with several forms that each may be sent."""
    return uuid.uuid4()


@register.simple_tag
def chip(name: str, text: str = "") -> SafeString:
    """Return a chip: always a word, its colour and border by the class; `text` replaces the usual word."""
    return format_html('<span class="chip chip-{}">{}</span>', name, text or CHIPS[name])


@register.simple_tag
def action_chip(letter: str) -> SafeString:
    """Return the chip of a recipient's action, given by the portal's letter."""
    return chip(ACTION_CHIPS[str(getattr(letter, "value", letter))])


@register.simple_tag
def status_chip(letter: str) -> SafeString:
    """Return the chip of a record's Saved, Filed or Withdrawn."""
    found = str(getattr(letter, "value", letter))
    return chip(STATUS_CHIPS[found], _("Withdrawn") if found == "W" else "")
