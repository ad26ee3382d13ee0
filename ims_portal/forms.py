"""Forms of the ground floor: the sandbox's date, own settings, and the text field every form shares."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from ims_portal.models import User
from ims_portal.rules.texts import UNWELCOME


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


class PortalDateForm(forms.Form):
    """A day and a time of day to which an administrator moves the sandbox's clock."""

    on = forms.DateField(
        label=_("Day"),
        input_formats=["%d/%m/%Y"],
        error_messages={
            "invalid": _("Write the day as DD/MM/YYYY, for example 14/11/2026."),
            "required": _("Write the day as DD/MM/YYYY, for example 14/11/2026."),
        },
    )
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


class RulesForm(forms.Form):
    """The day whose law is asked for; an empty one is today."""

    on = forms.DateField(
        label=_("Day"),
        required=False,
        input_formats=["%d/%m/%Y"],
        error_messages={"invalid": _("Write the day as DD/MM/YYYY, for example 14/11/2026.")},
    )


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
