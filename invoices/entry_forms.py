"""The page on which one document is typed: its fields, its rate lines, and where each complaint belongs.

Only what cannot be read is judged here; everything else is asked of the rules, as for a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import spoken
from ims_portal.complaints import tell
from ims_portal.forms import PlainTextField
from ims_portal.rules import documents, gstin, rates
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.money import HEADS
from ims_portal.templatetags import ims as show
from invoices import entry, wording
from invoices.entry import Complaint, Line, Sums, Typed
from invoices.forms import RupeesField

MOST_LINES = 60
"""A page of lines stays far below the number of fields a form may have; longer documents come by file."""
NOTES = {"C": gettext_lazy("Credit note"), "D": gettext_lazy("Debit note")}
WRITE_DAY = gettext_lazy("Write the date as DD/MM/YYYY, as it stands on the document.")
CHOOSE = ("", gettext_lazy("Choose"))


class MaybeRupeesField(RupeesField):
    """An amount in rupees that may be left empty: None then, for it is worked out."""

    def to_python(self, value: object) -> int | None:
        """Return paise, or None for an empty field."""
        return super().to_python(value) if str(value or "").strip() else None


class HeadForm(forms.Form):
    """Everything of a document but its lines. `fixed` fields are told, not asked."""

    note = forms.ChoiceField(
        choices=list(NOTES.items()), error_messages={"required": gettext_lazy("Choose: a credit note or a debit note.")}
    )
    recipient = PlainTextField(
        max_length=40, error_messages={"required": gettext_lazy("Write the GSTIN of the recipient.")}
    )
    eco_supplier = PlainTextField(required=False, max_length=40)
    number = PlainTextField(
        max_length=60, error_messages={"required": gettext_lazy("Write the number printed on the document.")}
    )
    dated = forms.DateField(
        input_formats=["%d/%m/%Y", "%d-%m-%Y"], error_messages={"required": WRITE_DAY, "invalid": WRITE_DAY}
    )
    pos = forms.ChoiceField(error_messages={"required": gettext_lazy("Choose the place of supply.")})
    inv_type = forms.ChoiceField(choices=[(found.value, word) for found, word in wording.SUPPLIES.items()])
    reverse_charge = forms.BooleanField(required=False)
    differential = forms.BooleanField(required=False)
    value = MaybeRupeesField(required=False)

    def __init__(
        self, data: Mapping[str, object] | None, *, table: str, fixed: Mapping[str, str], initial: Mapping[str, object]
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["pos"].choices = [
            CHOOSE,
            *((code, f"{code} {spoken.say(gstin.STATES[code])}") for code in sorted(gstin.POS_CODES)),
        ]
        is_operators = table in entry.OF_OPERATORS
        absent = set(fixed)
        absent |= {"reverse_charge", "differential"} if is_operators else {"eco_supplier"}
        absent |= set() if table in ("cdnr", "cdnra") else {"note"}
        for name in absent:
            del self.fields[name]
        if is_operators:
            self.fields["inv_type"].choices = [
                (found.value, word)
                for found, word in wording.SUPPLIES.items()
                if found is not InvoiceType.BONDED_WAREHOUSE
            ]

    def clean_recipient(self) -> str:
        """Return the recipient's GSTIN in capitals; one that cannot be is refused with what is wrong with it."""
        return _registration(self.cleaned_data["recipient"])

    def clean_eco_supplier(self) -> str:
        """Return the GSTIN of the supplier behind an operator's document, empty for an unregistered one."""
        return _registration(self.cleaned_data["eco_supplier"]) if self.cleaned_data["eco_supplier"] else ""

    def clean_number(self) -> str:
        """Return the number; one that no document may bear is refused."""
        number = str(self.cleaned_data["number"])
        reason = documents.number_problem(number)
        if reason:
            raise forms.ValidationError(tell(f"The number {reason}"))
        return number


def _registration(typed: str) -> str:
    found = typed.upper().replace(" ", "")
    reason = gstin.problem(found, kinds=gstin.RECIPIENTS)
    if reason:
        raise forms.ValidationError("{} {}".format(tell(f"{found} {reason}."), _("Copy the GSTIN from the order.")))
    return found


class LineForm(forms.Form):
    """One rate line. A line left wholly empty is none."""

    rate = forms.TypedChoiceField(
        coerce=int, empty_value=None, error_messages={"required": gettext_lazy("Choose the rate of tax.")}
    )
    taxable = MaybeRupeesField(required=False)
    igst = MaybeRupeesField(required=False)
    cgst = MaybeRupeesField(required=False)
    sgst = MaybeRupeesField(required=False)
    cess = MaybeRupeesField(required=False)

    def __init__(
        self,
        data: Mapping[str, object] | None,
        *,
        place: int,
        accepted: Iterable[int],
        initial: Mapping[str, object] | None = None,
    ) -> None:
        self.place = place
        super().__init__(data, prefix=f"line-{place}", initial=initial, empty_permitted=False)
        self.fields["rate"].choices = [CHOOSE, *((str(rate), rates.percent(rate)) for rate in accepted)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed."""
        return not any(str(self.data.get(self.add_prefix(name), "")).strip() for name in self.fields)

    def clean(self) -> dict[str, object]:
        """Ask for the taxable value; zero must be written out."""
        cleaned = super().clean() or self.cleaned_data
        if "taxable" not in self.errors and cleaned.get("taxable") is None:
            self.add_error("taxable", _("Write the taxable value of this line; for none write 0.00."))
        return cleaned

    @property
    def line(self) -> Line:
        """The line as far as it can be read; what cannot counts as nothing."""
        cleaned = self.cleaned_data
        return Line(cleaned.get("rate") or 0, cleaned.get("taxable") or 0, *(cleaned.get(head) for head in HEADS))


@dataclass(slots=True)
class Page:
    """A page of entry: the head, the lines, the line to begin with, and complaints that belong to no field."""

    section: Section
    head: HeadForm
    lines: list[LineForm]
    fixed: Typed | None = None
    focus: int | None = None
    at_large: list[str] = field(default_factory=list)

    @property
    def table(self) -> str:
        """The table the page is for."""
        return entry.TABLE_OF[self.section]

    @property
    def filled(self) -> list[LineForm]:
        """The lines in which something stands; of an empty page its first, so that it is asked for."""
        return [line for line in self.lines if not line.is_empty] or self.lines[:1]

    @property
    def unread(self) -> set[str]:
        """The names of fields that could not be read."""
        wrong = set(self.head.errors)
        for line in self.filled:
            wrong |= set(line.errors)
        return wrong

    def typed(self, *, otherwise: date) -> Typed:
        """Return the document as far as it can be read; `otherwise` stands for a date that cannot."""
        self.head.is_valid()
        lines = tuple(line.line for line in self.filled if line.is_valid() or True)
        found = self.head.cleaned_data
        fixed = self.fixed
        section = self.section
        if "note" in found:
            section = next(s for s in entry.TABLES[self.table] if entry.NOTE_TYPES[s] == found["note"])
        return Typed(
            section=section,
            recipient=fixed.recipient if fixed else found.get("recipient", ""),
            number=found.get("number", ""),
            dated=found.get("dated") or otherwise,
            pos=found.get("pos", ""),
            lines=lines,
            inv_type=found.get("inv_type", InvoiceType.REGULAR.value),
            reverse_charge=bool(found.get("reverse_charge")),
            differential=bool(found.get("differential")),
            value=found.get("value"),
            eco_supplier=fixed.eco_supplier if fixed else found.get("eco_supplier", ""),
            original_number=fixed.original_number if fixed else "",
            original_date=fixed.original_date if fixed else None,
        )

    def tell(self, complaints: Iterable[Complaint]) -> None:
        """Put each complaint at its field; what has none is told at large."""
        filled = self.filled
        for complaint in complaints:
            place, text = complaint.line - 1, tell(complaint.text)
            if 0 <= place < len(filled) and complaint.field in filled[place].fields:
                filled[place].add_error(complaint.field, text)
            elif 0 <= place < len(filled):
                filled[place].add_error("taxable", text)
            elif complaint.field in self.head.fields:
                self.head.add_error(complaint.field, text)
            elif complaint.field in LineForm.base_fields and filled:
                filled[0].add_error(complaint.field, text)
            else:
                self.at_large.append(text)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Every complaint for the summary on top: the id of its field, and the text."""
        found = [("", text) for text in self.at_large]
        for form in (self.head, *self.lines):
            if isinstance(form, LineForm) and form not in self.filled:
                continue
            for name, texts in form.errors.items():
                found += [(form[name].id_for_label, str(text)) for text in texts]
        return found


def blank(section: Section, *, accepted: tuple[int, ...], initial: Mapping[str, object] | None = None) -> Page:
    """Return an empty page for a new document."""
    table = entry.TABLE_OF[section]
    head = HeadForm(None, table=table, fixed={}, initial=initial or {})
    return Page(section, head, [LineForm(None, place=0, accepted=accepted)])


def filled_in(typed: Typed, worked_out: Sums, *, accepted: tuple[int, ...]) -> Page:
    """Return a page with a stored document in it, whose recipient and kind stay what they are.

    What equals what is worked out stands empty, so that it follows the values when they change.
    """
    table = entry.TABLE_OF[typed.section]
    initial = {
        "number": typed.number,
        "dated": show.day(typed.dated),
        "pos": typed.pos,
        "inv_type": typed.inv_type,
        "reverse_charge": typed.reverse_charge,
        "differential": typed.differential,
        "value": show.amount(typed.value) if typed.value != worked_out.value else "",
    }
    rates_shown = tuple(sorted({*accepted, *(line.rate for line in typed.lines)}))
    lines = [
        LineForm(
            None,
            place=place,
            accepted=rates_shown,
            initial={
                "rate": str(line.rate),
                "taxable": show.amount(line.taxable),
                **{
                    head: show.amount(getattr(line, head))
                    for head in HEADS
                    if getattr(line, head) != getattr(tax, head)
                },
            },
        )
        for place, (line, tax) in enumerate(zip(typed.lines, worked_out.lines, strict=True))
    ]
    head = HeadForm(None, table=table, fixed=FIXED, initial=initial)
    return Page(typed.section, head, lines or [LineForm(None, place=0, accepted=rates_shown)], typed)


FIXED = {"recipient": "", "note": "", "eco_supplier": ""}
"""What no edit and no amendment may change: whose document it is, and of what kind."""


def sent(data: Mapping[str, str], section: Section, *, accepted: tuple[int, ...], fixed: Typed | None) -> Page:
    """Return a page as it was sent."""
    shown = tuple(sorted({*accepted, *(line.rate for line in (fixed.lines if fixed else ()))}))
    head = HeadForm(data, table=entry.TABLE_OF[section], fixed=FIXED if fixed else {}, initial={})
    lines = [LineForm(data, place=place, accepted=shown) for place in range(_count(data))]
    return Page(section, head, lines, fixed)


def _count(data: Mapping[str, str]) -> int:
    told = str(data.get("lines", ""))
    return min(max(int(told), 1), MOST_LINES) if told.isascii() and told.isdigit() else 1


def with_lines(page: Page, *, more: bool = False, without: int | None = None) -> Page:
    """Return a sent page as it is shown again, nothing judged: with one more line, or without one."""
    accepted = [int(value) for value, _word in page.lines[0].fields["rate"].choices if value]
    kept = [_typed(line) for line in page.lines if line.place != without]
    if (more and len(kept) < MOST_LINES) or not kept:
        kept.append({})
    table = page.table
    head = HeadForm(None, table=table, fixed=FIXED if page.fixed else {}, initial=_typed(page.head))
    lines = [LineForm(None, place=place, accepted=accepted, initial=found) for place, found in enumerate(kept)]
    return Page(page.section, head, lines, page.fixed, focus=len(lines) - 1 if more else None)


def _typed(form: forms.Form) -> dict[str, object]:
    return {name: form.data.get(form.add_prefix(name), "") for name in form.fields}
