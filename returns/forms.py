"""Forms of GSTR-3B: four amounts in rupees as people type them, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.forms import PlainTextField
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.money import HEADS, Tax
from returns import wording
from returns.prefill import Reasons

RUPEES = re.compile(r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?")


class RupeesField(forms.CharField):
    """An amount in rupees, signed, with at most two decimals; commas are for eyes. Its value is whole paise."""

    def __init__(self, **options: object) -> None:
        super().__init__(
            max_length=24, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **options
        )

    def clean(self, value: object) -> int:
        """Return whole paise; a text that is no amount is refused with the way to write it."""
        text = str(super().clean(value)).replace(",", "").strip()
        if not RUPEES.fullmatch(text):
            raise forms.ValidationError(_problem(text, str(self.label)))
        sign = -1 if text.startswith("-") else 1
        whole, _dot, fraction = text.lstrip("-").partition(".")
        return sign * (int(whole) * 100 + int(fraction.ljust(2, "0") or "0"))


def _problem(text: str, label: str) -> str:
    if any(letter.isdigit() and not letter.isascii() for letter in text):
        return _("%(field)s: write the amount with the digits 0 to 9.") % {"field": label}
    return _("%(field)s: write rupees as 12,34,567.00, with at most two decimals; a minus sign may stand first.") % {
        "field": label
    }


TAXABLE = "taxable"


def has_amount(row: str, name: str) -> bool:
    """Whether a row of GSTR-3B has an amount: a taxable value in Table 3, a head of tax unless it holds none."""
    return row in rules.TABLE_3 if name == TAXABLE else row not in rules.VALUE_ONLY


def _amount(label: Promise | str) -> RupeesField:
    return RupeesField(
        label=label,
        error_messages={"required": _("%(field)s: write an amount, 0 where there is none.") % {"field": label}},
    )


class EntryForm(forms.Form):
    """Amounts in rupees, by name: heads of tax, or a taxable value."""

    def __init__(self, names: Sequence[str], *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.fields = {**{name: _amount(wording.AMOUNT_NAMES[name]) for name in names}, **self.fields}

    @property
    def tax(self) -> Tax:
        """The amounts of tax, in paise; a head that is not asked is nil."""
        return Tax(*(self.cleaned_data.get(head, 0) for head in HEADS))

    @property
    def told(self) -> list[tuple[str, str]]:
        """Every problem with the id of its field, for the summary on top."""
        return [
            (f"id_{name}" if name in self.fields else "", text) for name, texts in self.errors.items() for text in texts
        ]


class DeclareForm(EntryForm):
    """What a row is declared as, in Table 3 its taxable value, head by head its tax, and why."""

    reason = PlainTextField(max_length=rules.REASON_LIMIT, required=False, strip=True)

    def __init__(self, *args: object, row: str, **options: object) -> None:
        super().__init__([name for name in (TAXABLE, *HEADS) if has_amount(row, name)], *args, **options)

    @property
    def taxable(self) -> int | None:
        """The taxable value in paise, None where the row has none."""
        return self.cleaned_data.get(TAXABLE)


class ReasonsForm(forms.Form):
    """Why rows filled from a file differ from what is derived: of each row, or of all that need it and have none."""

    reason = PlainTextField(
        label=gettext_lazy("One reason for all rows that need one"),
        max_length=rules.REASON_LIMIT,
        required=False,
        strip=True,
    )

    def __init__(self, rows: Sequence[str], *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.rows = rows
        for row in rows:
            label = " ".join(map(str, wording.ROW_NAMES[row]))
            self.fields[f"reason-{row}"] = PlainTextField(
                label=label, max_length=rules.REASON_LIMIT, required=False, strip=True
            )

    @property
    def reasons(self) -> Reasons:
        """What was said; only of a valid form."""
        own = {row: self.cleaned_data[f"reason-{row}"] for row in self.rows}
        return Reasons(own, self.cleaned_data["reason"])
