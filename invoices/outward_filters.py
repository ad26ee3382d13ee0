"""What a list of reported documents shows: one object, read from an address and written back into one.

As strict as the recipient's filters: what cannot be read is a problem at its field, never a filter that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.forms import PeriodField, PlainTextField
from ims_portal.rules import gstin
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form, Section

SECTIONS = (
    Section.B2B,
    Section.DN,
    Section.CN,
    Section.B2BA,
    Section.DNA,
    Section.CNA,
    Section.ECO,
    Section.ECOA,
)
"""The categories of the outward desk, in its order; the last two are an e-commerce operator's."""

NOTES = (Section.CN, Section.CNA)
PLACES = {"rejected": (), "rejected-notes": NOTES}
"""Lists of what is rejected -> their sections, none for all."""

FORMS = {"gstr1": Form.GSTR1, "gstr1a": Form.GSTR1A, "iff": Form.IFF}
"""The supplier's forms, by their name in an address."""

ALL = "all"
LONGEST_SEARCH = 40
PROVISIONAL, FIXED, NONE = "provisional", "fixed", "none"
BESIDE = frozenset({"rows", "after"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reported documents a list shows. An empty value filters nothing.

    `place` is "" for all documents, `rejected` or `rejected-notes`; `section` one category's code. `year` is the first
    year of a financial year, `month` one of the supplier's own periods (YYYYMM). `action` counts as it does today.
    `effect` is what a rejection means for the supplier, `into` its period that an add-back lands in, or would if its
    recipient filed now. `filed3b`: "1" where the recipient's GSTR-3B has made the action final, "0" where not.
    """

    place: str = ""
    section: str = ""
    year: int | None = None
    month: int | None = None
    form: str = ""
    text: str = ""
    action: str = ""
    status: str = ""
    recipient: str = ""
    effect: str = ""
    into: int | None = None
    filed3b: str = ""

    @property
    def sections(self) -> tuple[Section, ...]:
        """The categories to show, none for all."""
        return (Section(self.section),) if self.section else PLACES.get(self.place, ())

    @property
    def slug(self) -> str:
        """Which list these filters stand on, in one word; `parse_list` reads it back."""
        return self.section or self.place or ALL

    @property
    def is_filtered(self) -> bool:
        """Whether the form or a link narrows the list beyond its place."""
        return bool(self.pairs())

    def pairs(self) -> list[tuple[str, str]]:
        """Return these filters as an address writes them, in the order of the form; `parse` reads them back."""
        told = {
            "fy": str(self.year or ""),
            "p": _write(self.month),
            "form": self.form,
            "q": self.text,
            "action": self.action,
            "status": self.status,
            "recipient": self.recipient,
            "effect": self.effect,
            "in": _write(self.into),
            "filed3b": self.filed3b,
        }
        return [(name, value) for name, value in told.items() if value]

    def query(self, **beside: object) -> str:
        """Return these filters as a query string, and after them whatever else has a value."""
        return urlencode([*self.pairs(), *((name, str(value)) for name, value in beside.items() if value)])

    def address(self, gstin_: str) -> str:
        """Return the address of the list that shows these documents of a GSTIN."""
        if self.section:
            base = reverse("invoices:outward-section", args=[gstin_, self.section])
        else:
            base = reverse(f"invoices:outward-{self.place}" if self.place else "invoices:outward", args=[gstin_])
        query = self.query()
        return f"{base}?{query}" if query else base

    def but(self, **changes: object) -> Wanted:
        """Return these filters with some of them changed."""
        return replace(self, **changes)  # type: ignore[arg-type] # names and types are the dataclass's own


def _write(month: int | None) -> str:
    return f"{month % 100:02d}{month // 100}" if month else ""


class OutwardForm(forms.Form):
    """The filters of an address, each read strictly."""

    fy = forms.IntegerField(
        required=False,
        min_value=1000,
        max_value=9999,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            gettext_lazy("Write the financial year by the year it begins in, for example 2025."),
        ),
    )
    p = PeriodField(required=False)
    form = forms.ChoiceField(required=False, choices=[(slug, slug) for slug in FORMS])
    q = PlainTextField(
        required=False,
        max_length=LONGEST_SEARCH,
        error_messages={"max_length": gettext_lazy("Search for at most 40 characters.")},
    )
    action = forms.ChoiceField(required=False, choices=[(action.value, action.value) for action in Action])
    status = forms.ChoiceField(required=False, choices=[("S", "S"), ("F", "F")])
    recipient = PlainTextField(required=False, max_length=15)
    effect = forms.ChoiceField(required=False, choices=[(code, code) for code in (PROVISIONAL, FIXED, NONE)])
    into = PeriodField(required=False)
    filed3b = forms.ChoiceField(required=False, choices=[("0", "0"), ("1", "1")])

    def clean_recipient(self) -> str:
        """Return a GSTIN in capitals; one that cannot exist is refused."""
        typed = str(self.cleaned_data["recipient"]).upper()
        if typed and gstin.problem(typed) is not None:
            raise forms.ValidationError(_("This is not a GSTIN. Choose a recipient in the list again."))
        return typed


NAMES = {name: "in" if name == "into" else name for name in OutwardForm.base_fields}
"""Field -> its name in an address."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an address asks for, and what is wrong with it, by the name in the address."""

    wanted: Wanted
    problems: Mapping[str, str]


def parse(query: QueryDict, *, place: str = "", section: str = "") -> Parsed:
    """Return what the address of a list asks for."""
    known = {*NAMES.values(), *BESIDE}
    problems = {name: _unknown(name) for name in query if name not in known}
    problems |= {name: _("This filter is given twice. Keep one of them.") for name in _twice(query)}
    form = OutwardForm({field: query.get(name, "") for field, name in NAMES.items()})
    if not form.is_valid():
        problems |= {NAMES[field]: " ".join(map(str, texts)) for field, texts in form.errors.items()}
        return Parsed(Wanted(place, section), problems)
    told = form.cleaned_data
    wanted = Wanted(
        place=place,
        section=section,
        year=told["fy"],
        month=told["p"],
        form=told["form"],
        text=told["q"],
        action=told["action"],
        status=told["status"],
        recipient=told["recipient"],
        effect=told["effect"],
        into=told["into"],
        filed3b=told["filed3b"],
    )
    return Parsed(wanted, problems)


def parse_list(slug: str, query: QueryDict) -> Parsed | None:
    """Return what the list of a slug asks for, None where there is no such list."""
    if slug in PLACES:
        return parse(query, place=slug)
    if slug in {section.value for section in SECTIONS}:
        return parse(query, section=slug)
    return parse(query) if slug == ALL else None


def _twice(query: QueryDict) -> list[str]:
    return [name for name, values in query.lists() if len([value for value in values if str(value).strip()]) > 1]


def _unknown(name: str) -> str:
    shown = name[:LONGEST_SEARCH]
    return _("There is no filter called %(name)s. Clear the filters and choose again.") % {"name": shown}
