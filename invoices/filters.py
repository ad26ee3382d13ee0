"""What a list of inward records shows: one object, read from an address, written back into one, turned into SQL.

Lists, bulk actions, deadlines, what-if and exports mean the same records by the same `Filters`. Reading is strict:
what cannot be read is a problem at its field, never a filter that is not there, for a set that is wider than its
reader believes is how too much gets decided.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.forms import DayField, PeriodField, PlainTextField, RupeesField
from ims_portal.rules import gstin
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form, InvoiceType, Section
from ims_portal.rules.money import to_rupees

IN_IMS = tuple(section for section in Section if section not in (Section.ISD, Section.ISDCN, Section.RULE_37A))
"""The sections of the inward desk, in its order."""

ALL = "all"
"""The list of every section, in an address."""

SUPERSEDED = "S"
"""Stands for a record that a later version in the same GSTR-2B replaced: listed, never counted as open."""

SETTLED_ACTIONS = ("", Action.ACCEPT.value, Action.REJECT.value)
SOURCES = (Form.GSTR1, Form.GSTR1A, Form.IFF, Form.CUSTOMS)
"""The forms whose documents reach IMS (R1.3, R1.5)."""

LONGEST_SEARCH = 40
MOST_DAYS = 366
BESIDE = frozenset({"rows", "sort", "after", "result"})
"""What a list's address carries besides filters: how it is looked at."""


class Match(StrEnum):
    """How a record stands against the purchase register (portal 3.10)."""

    EXACT = "exact"
    TOLERANCE = "tolerance"
    MISMATCH = "mismatch"
    ONLY_IN_IMS = "only"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list shows. An empty value filters nothing.

    `action` is A, R, P, N, S (superseded); `status` S or F; `supplier` a GSTIN; `period` a GSTR-2B month YYYYMM; days
    are inclusive; taxes are paise, inclusive; `lapses_in` means Pending that lapses within so many days; `changed` what
    its supplier changed since it was decided; `batch` the request that saved an action; `reduces` what asks the ITC
    question; `near_limit` what the time limit of section 16(4) bars soon.
    """

    sections: tuple[Section, ...] = IN_IMS
    action: str = ""
    text: str = ""
    status: str = ""
    needs_you: bool = False
    settled: bool = False
    supplier: str = ""
    inv_type: str = ""
    source: str = ""
    period: int | None = None
    date_from: date | None = None
    date_to: date | None = None
    tax_from: int | None = None
    tax_to: int | None = None
    match: str = ""
    lapses_in: int | None = None
    changed: bool = False
    reduces: bool = False
    near_limit: bool = False
    batch: uuid.UUID | None = None

    @property
    def slug(self) -> str:
        """The list of these records in an address: one section's, or that of all."""
        return self.sections[0].value if len(self.sections) == 1 else ALL

    @property
    def active(self) -> list[Field]:
        """The fields that narrow the list, in the order of the form."""
        return [line for line in FIELDS if not is_empty(getattr(self, line.attribute))]

    def pairs(self) -> list[tuple[str, str]]:
        """Return these filters as an address writes them; `parse` reads them back."""
        some = 1 < len(self.sections) < len(IN_IMS)
        sections = [("section", section.value) for section in self.sections] if some else []
        return sections + [(line.name, line.write(getattr(self, line.attribute))) for line in self.active]

    def query(self, **beside: object) -> str:
        """Return these filters as a query string, and after them whatever else has a value; "" for none at all."""
        others = [(name, str(value)) for name, value in beside.items() if value]
        return urlencode([*self.pairs(), *others], safe="/")

    def address(self, gstin_: str, **beside: object) -> str:
        """Return the address of the list that shows these records of a GSTIN."""
        query = self.query(**beside)
        base = reverse("invoices:inward-list", args=[gstin_, self.slug])
        return f"{base}?{query}" if query else base

    def but(self, **changes: object) -> Filters:
        """Return these filters with some of them changed."""
        return replace(self, **changes)  # type: ignore[arg-type] # names and types are the dataclass's own


def is_empty(value: object) -> bool:
    """Whether a value filters nothing; a limit of 0 does."""
    return value is None or value is False or value == ""


@dataclass(frozen=True, slots=True)
class Field:
    """One filter of the address: its name there, its attribute, how it is read and written, and whether it repeats."""

    name: str
    attribute: str
    reader: forms.Field
    write: Callable[[Any], str] = str
    of_open_only: bool = False

    @property
    def is_flag(self) -> bool:
        """Whether it is yes or nothing."""
        return isinstance(self.reader, _Flag)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an address asks for: its filters, what was typed, and what is wrong with it field by field."""

    filters: Filters
    typed: Mapping[str, str]
    problems: Mapping[str, str]

    @property
    def is_valid(self) -> bool:
        """Whether every filter could be read; if not, no list may be shown for it."""
        return not self.problems


class _OneOf(forms.ChoiceField):
    """One of some codes."""

    default_error_messages = {"invalid_choice": gettext_lazy("%(value)s is not one of the choices. Choose one again.")}

    def __init__(self, codes: Iterable[str]) -> None:
        super().__init__(required=False, choices=[(code, code) for code in codes])


class _Flag(_OneOf):
    """Yes, written 1, or nothing."""

    def __init__(self) -> None:
        super().__init__(["1"])

    def clean(self, value: Any) -> bool:  # noqa: ANN401 - Django's signature
        """Return whether it is set."""
        return bool(super().clean(value))


class _Gstin(PlainTextField):
    """A GSTIN in any case, with or without spaces."""

    def clean(self, value: Any) -> str:  # noqa: ANN401 - Django's signature
        """Return it in capitals; one that cannot exist is refused."""
        typed = str(super().clean(value)).upper().replace(" ", "")
        if typed and gstin.problem(typed) is not None:
            raise ValidationError(
                _("%(gstin)s is not a GSTIN: its form or its check character is wrong. Copy it from the document.")
                % {"gstin": typed}
            )
        return typed


class _Paise(RupeesField):
    """Rupees, of which an empty field is no limit."""

    def clean(self, value: Any) -> int | None:  # noqa: ANN401 - Django's signature
        """Return paise; a document's tax is never below nothing."""
        if not str(value or "").strip():
            return None
        paise = int(super().clean(value))
        if paise < 0:
            raise ValidationError(_("No document carries tax below 0.00. Write an amount from 0.00 on."))
        return paise


class _Batch(forms.UUIDField):
    """The id of a saved command."""

    default_error_messages = {"invalid": gettext_lazy("This is not the number of a save. Open the list from it again.")}


def _days() -> forms.IntegerField:
    wrong = gettext_lazy("Write a number of days from 0 to 366.")
    told = dict.fromkeys(("invalid", "min_value", "max_value"), wrong)
    return forms.IntegerField(required=False, min_value=0, max_value=MOST_DAYS, error_messages=told)


def _search() -> PlainTextField:
    wrong = gettext_lazy("Search for at most 40 characters.")
    return PlainTextField(required=False, max_length=LONGEST_SEARCH, error_messages={"max_length": wrong})


def _write_day(value: date) -> str:
    return value.strftime("%d/%m/%Y")


def _write_period(value: int) -> str:
    return f"{value % 100:02d}/{value // 100}"


def _write_rupees(paise: int) -> str:
    return f"{to_rupees(paise):.2f}"


def _write_flag(_value: object) -> str:
    return "1"


FIELDS = (
    Field("q", "text", _search()),
    Field("action", "action", _OneOf([*(action.value for action in Action), SUPERSEDED])),
    Field("status", "status", _OneOf(["S", "F"])),
    Field("match", "match", _OneOf(list(Match))),
    Field("needs", "needs_you", _Flag(), _write_flag, of_open_only=True),
    Field("supplier", "supplier", _Gstin(required=False)),
    Field("type", "inv_type", _OneOf(list(InvoiceType))),
    Field("source", "source", _OneOf(list(SOURCES))),
    Field("period", "period", PeriodField(required=False), _write_period),
    Field("date_from", "date_from", DayField(required=False), _write_day),
    Field("date_to", "date_to", DayField(required=False), _write_day),
    Field("tax_from", "tax_from", _Paise(required=False), _write_rupees),
    Field("tax_to", "tax_to", _Paise(required=False), _write_rupees),
    Field("lapses", "lapses_in", _days(), of_open_only=True),
    Field("changed", "changed", _Flag(), _write_flag, of_open_only=True),
    Field("reduces", "reduces", _Flag(), _write_flag),
    Field("limit", "near_limit", _Flag(), _write_flag, of_open_only=True),
    Field("batch", "batch", _Batch(required=False)),
    Field("settled", "settled", _Flag(), _write_flag),
)
"""Every filter but the sections, in the order of the form."""

RANGES = (("date_from", "date_to"), ("tax_from", "tax_to"))


def parse(slug: str, query: QueryDict, *, has_books: bool = True, beside: Iterable[str] = BESIDE) -> Parsed | None:
    """Return what the address of a list asks for, or None for a section there is none of.

    `has_books` says whether there is a purchase register to match with: where there is none, and it is not said, a
    filter by match finds nothing. `beside` names what else the address may carry.
    """
    known = {section.value: section for section in IN_IMS}
    if slug != ALL and slug not in known:
        return None
    problems = {name: _unknown(name) for name in query if name not in _NAMES and name not in beside}
    sections, wrong = _sections(slug, query.getlist("section"))
    problems |= wrong
    values: dict[str, object] = {}
    for line in FIELDS:
        typed = [value for value in query.getlist(line.name) if value.strip()]
        if len(typed) > 1:
            problems[line.name] = _("This filter is given twice. Keep one of them.")
            continue
        try:
            found = line.reader.clean(typed[0] if typed else "")
        except ValidationError as refused:
            problems[line.name] = " ".join(refused.messages)
            continue
        if not is_empty(found):
            values[line.attribute] = found
    filters = Filters(sections=sections, **values)  # type: ignore[arg-type] # each reader gives its attribute's type
    problems |= {name: text for name, text in _together(filters, has_books=has_books).items() if name not in problems}
    return Parsed(filters, {name: query.get(name, "") for name in _NAMES if name in query}, problems)


_NAMES = frozenset({"section", *(line.name for line in FIELDS)})


def typed(sent: QueryDict) -> str:
    """Return as an address's query what a filter form sent among other fields, read by nobody yet; no empty field."""
    names = [*(name for name in sent if name in _NAMES), *(name for name in sent if name in ("sort", "rows"))]
    return urlencode([(name, value) for name in names for value in sent.getlist(name) if value.strip()], safe="/")


def _sections(slug: str, asked: list[str]) -> tuple[tuple[Section, ...], dict[str, str]]:
    """Return the sections of a list, in the desk's order; one section's own list takes no other."""
    codes = {section.value for section in IN_IMS} if slug == ALL else {slug}
    wanted = {code for code in asked if code}
    if wanted - codes:
        return IN_IMS, {"section": _("This list has no section %(code)s.") % {"code": min(wanted - codes)}}
    chosen = wanted or codes
    return tuple(section for section in IN_IMS if section.value in chosen), {}


def _together(filters: Filters, *, has_books: bool) -> dict[str, str]:
    """Return what is wrong between filters that are each right."""
    problems: dict[str, str] = {}
    for least, most in RANGES:
        low, high = getattr(filters, least), getattr(filters, most)
        if low is not None and high is not None and low > high:
            problems[most] = _("The end is before the beginning. Turn them round.")
    if filters.match and not has_books:
        problems["match"] = _("There is no purchase register yet, so no record is matched. Clear this filter.")
    if filters.settled:
        open_only = [line.name for line in filters.active if line.of_open_only]
        if filters.action not in SETTLED_ACTIONS:
            open_only.append("action")
        problems |= dict.fromkeys(open_only, _("Settled records have no such state. Clear this filter."))
    return problems


def _unknown(name: str) -> str:
    shown = name[:LONGEST_SEARCH]
    return _("There is no filter called %(name)s. Clear the filters and choose again.") % {"name": shown}
