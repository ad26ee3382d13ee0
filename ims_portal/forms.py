"""Forms of the ground floor: the sandbox's date, an extension, own settings, and the fields forms share."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from ims_portal import spoken
from ims_portal.extensions import Asked
from ims_portal.models import NOTIFICATION_LIMIT, User
from ims_portal.rules import periods, words
from ims_portal.rules.money import LARGEST_PAISE, to_paise
from ims_portal.rules.periods import Frequency, Return, StateGroup, TaxPeriod
from ims_portal.rules.texts import UNWELCOME

RUPEES = re.compile(r"^-?[0-9]+(\.[0-9]{0,2})?\Z", re.ASCII)
MOST_DIGITS = len(str(LARGEST_PAISE)) - 2


class PlainTextField(forms.CharField):
    """One line of text. Controls, halves of characters and turned writing direction are refused (F41)."""

    default_error_messages = {
        "unwelcome": _("The text holds a character that cannot be shown, such as a line break. Write it again by hand.")
    }

    def validate(self, value: str) -> None:
        """Refuse what may stand in no text."""
        super().validate(value)
        if UNWELCOME.search(value):
            raise forms.ValidationError(self.error_messages["unwelcome"], code="unwelcome")


class RupeesField(forms.CharField):
    """An amount in rupees as people type it: digits, one dot, two decimals; commas are taken out. Cleans to paise."""

    default_error_messages = {
        "invalid": _("Write rupees with digits and at most two decimals, for example 9000.00."),
        "digits": _("Write the amount with the digits 0 to 9."),
        "large": _("This amount is larger than any document may carry."),
    }

    def to_python(self, value: object) -> int:
        """Return paise; an empty field is nothing."""
        text = str(value or "").replace(",", "").replace("₹", "").strip()
        if not text:
            return 0
        if any(char.isdigit() and not char.isascii() for char in text):
            raise forms.ValidationError(self.error_messages["digits"], code="digits")
        if not RUPEES.match(text):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        digits = text.lstrip("-0").partition(".")[0]
        paise = to_paise(Decimal(text)) if len(digits) <= MOST_DIGITS else LARGEST_PAISE + 1
        if abs(paise) > LARGEST_PAISE:
            raise forms.ValidationError(self.error_messages["large"], code="large")
        return paise

    def validate(self, value: object) -> None:
        """Accept nothing as nothing."""


class DayField(forms.DateField):
    """A day as people write it, DD/MM/YYYY."""

    default_error_messages = dict.fromkeys(
        ("invalid", "required"), _("Write the day as DD/MM/YYYY, for example 14/11/2026.")
    )

    def __init__(self, **options: object) -> None:
        super().__init__(input_formats=["%d/%m/%Y"], **options)


class PeriodField(forms.CharField):
    """A month as people write it, 10/2026, or as addresses do, 102026. Cleans to YYYYMM, or None for no month."""

    default_error_messages = {"invalid": _("Write the period as MM/YYYY, for example 10/2026.")}

    def clean(self, value: object) -> int | None:
        """Return the month."""
        typed = str(super().clean(value))
        try:
            return periods.parse(typed[:2] + typed[2:].removeprefix("/")).month if typed else None
        except periods.NotAPeriodError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class PortalDateForm(forms.Form):
    """A day and a time of day to which an administrator moves the sandbox's clock."""

    on = DayField(label=_("Day"))
    time = forms.TimeField(
        label=_("Time, 24 hours"),
        input_formats=["%H:%M"],
        initial="10:00",
        error_messages={
            "invalid": _("Write the time as HH:MM, for example 10:00."),
            "required": _("Write the time as HH:MM, for example 10:00."),
        },
    )

    @property
    def moment(self) -> datetime:
        """The Indian moment that was asked for; only of a valid form."""
        return datetime.combine(self.cleaned_data["on"], self.cleaned_data["time"])


def frequencies() -> list[tuple[str, str]]:
    """Return how often a return is filed, with its name in the reader's language."""
    return [(Frequency.MONTHLY.value, _("Monthly")), (Frequency.QUARTERLY.value, _("Quarterly"))]


def groups() -> list[tuple[str, str]]:
    """Return whom an extension is for, with its name in the reader's language: every State, or a group of them."""
    return [("", _("Every State")), *((one.value, spoken.say(words.answer(one))) for one in StateGroup)]


class ExtensionForm(forms.Form):
    """An extension an administrator has read in a notification."""

    form = forms.ChoiceField(label=_("Form"), choices=[(one.value, one.value) for one in Return])
    period = PeriodField(
        label=_("Period, MM/YYYY"), error_messages={"required": PeriodField.default_error_messages["invalid"]}
    )
    frequency = forms.ChoiceField(label=_("Filing frequency"), choices=frequencies)
    group = forms.ChoiceField(label=_("States"), choices=groups, required=False)
    due = DayField(label=_("Extended day"))
    notification = PlainTextField(
        label=_("Notification"),
        max_length=NOTIFICATION_LIMIT,
        error_messages={"required": _("Name the notification that extends the day, with its number and date.")},
    )

    @property
    def asked(self) -> Asked:
        """What was asked for; only of a valid form."""
        told = self.cleaned_data
        return Asked(
            form=Return(told["form"]),
            period=TaxPeriod(told["period"], Frequency(told["frequency"])),
            group=StateGroup(told["group"]) if told["group"] else None,
            due=told["due"],
            notification=told["notification"],
        )


class RulesForm(forms.Form):
    """The day whose law is asked for; an empty one is today."""

    on = DayField(label=_("Day"), required=False)


class SnoozeForm(forms.Form):
    """A deadline somebody puts off in their own view, and until when."""

    item = forms.CharField(max_length=60)
    until = forms.DateField(
        label=_("Show it again on"),
        input_formats=["%d/%m/%Y"],
        error_messages={
            "invalid": _("Write the day as DD/MM/YYYY, for example 14/11/2026."),
            "required": _("Write the day as DD/MM/YYYY, for example 14/11/2026."),
        },
    )


class SettingsForm(forms.ModelForm):
    """What somebody chose for themselves."""

    class Meta:
        model = User
        fields = ("rows", "uses_keys")
