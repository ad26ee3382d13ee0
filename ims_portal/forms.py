"""Forms of the ground floor: the sandbox's date, an extension, people, own settings, and the fields forms share."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal

from django import forms
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.utils.translation import gettext_lazy as _

from ims_portal import clock, complaints, engagements, spoken, tokens
from ims_portal.access import Right
from ims_portal.audit_log import Asked as AskedOfLog
from ims_portal.audit_words import EVENTS
from ims_portal.engagements import Terms
from ims_portal.extensions import Asked
from ims_portal.models import NOTIFICATION_LIMIT, REASON_LIMIT, ApiToken, Membership, Taxpayer, User
from ims_portal.rules import gstin, periods, rates, words
from ims_portal.rules.money import LARGEST_PAISE, to_paise
from ims_portal.rules.periods import Frequency, Return, StateGroup, TaxPeriod
from ims_portal.rules.texts import UNWELCOME
from ims_portal.taxpayers import New as NewTaxpayer

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


class UsernameField(PlainTextField):
    """The name by which somebody signs in."""

    def __init__(self, **options: object) -> None:
        told = {"required": _("Write the user name by which they sign in.")}
        super().__init__(max_length=150, error_messages=told, **options)


class GstinField(PlainTextField):
    """A GSTIN as people type it, whatever its letters' case; cleans to one that is right, or "" where none must be."""

    default_error_messages = {"required": _("Write the GSTIN of the taxpayer.")}

    def __init__(self, **options: object) -> None:
        super().__init__(label="GSTIN", max_length=gstin.LENGTH, **options)

    def clean(self, value: object) -> str:
        """Return the GSTIN in capital letters, where its shape and check character are right."""
        found = str(super().clean(value)).upper()
        if found and (why := gstin.problem(found)):
            raise forms.ValidationError(complaints.tell(f"{found} {why}."))
        return found


class RoleForm(forms.Form):
    """A role for the user of a name."""

    username = UsernameField(label=_("User name"))
    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices)


class RowForm(forms.Form):
    """A row of a page of people, by its id, and what is chosen for it."""

    row = forms.IntegerField(min_value=1)
    role = forms.ChoiceField(choices=Membership.Role.choices, required=False)
    file = forms.BooleanField(required=False)


class TermsForm(forms.Form):
    """What an engagement is to be: its rights, filing only by a tick of its own, the first and the last day."""

    rights = forms.MultipleChoiceField(
        label=_("Rights"),
        required=False,
        choices=[(right.value, name) for right, name in engagements.NAMES.items() if right is not Right.FILE],
    )
    file = forms.BooleanField(label=engagements.NAMES[Right.FILE], required=False)
    first = DayField(label=_("First day"), required=False, help_text=_("Empty: from the moment it is accepted."))
    last = DayField(label=_("Last day"), required=False, help_text=_("Empty: until one side ends it."))

    @property
    def days(self) -> list[forms.BoundField]:
        """Its fields of days."""
        return [self["first"], self["last"]]

    @property
    def terms(self) -> Terms:
        """What was asked for; only of a valid form."""
        told = self.cleaned_data
        chosen = {Right(name) for name in told["rights"]} | ({Right.FILE} if told["file"] else set())
        return Terms(frozenset(chosen), told["first"], told["last"])


class OfferForm(TermsForm):
    """An engagement a taxpayer offers to the user of a name."""

    username = UsernameField(label=_("User name of the practitioner"))


class RequestForm(TermsForm):
    """An engagement a practitioner asks a GSTIN for."""

    gstin = GstinField()


def events() -> list[tuple[str, str]]:
    """Return what the log may be asked for, by its name in the reader's language."""
    return [("", _("Any")), *sorted(((code, str(words)) for code, words in EVENTS.items()), key=lambda pair: pair[1])]


class AuditForm(forms.Form):
    """Which events of the log are asked for; what is empty asks for any."""

    actor = UsernameField(label=_("User name"), required=False)
    event = forms.ChoiceField(label=_("Event"), choices=events, required=False)
    gstin = GstinField(required=False)
    first = DayField(label=_("From day"), required=False)
    last = DayField(label=_("To day"), required=False)

    def clean_actor(self) -> User | None:
        """Return the user of the name, whoever they are."""
        name = self.cleaned_data["actor"]
        found = User.objects.filter(username=name).first() if name else None
        if name and found is None:
            told = _("There is no user %(name)s here. Check the spelling, capital letters too.")
            raise forms.ValidationError(told, params={"name": name})
        return found

    def clean_gstin(self) -> Taxpayer | None:
        """Return the taxpayer of the GSTIN."""
        number = self.cleaned_data["gstin"]
        found = Taxpayer.objects.filter(gstin=number).first() if number else None
        if number and found is None:
            told = _("No taxpayer here has the GSTIN %(gstin)s. Check the number.")
            raise forms.ValidationError(told, params={"gstin": number})
        return found

    def clean_first(self) -> date | None:
        """Return the day, if the log can have it."""
        return self._day("first")

    def clean_last(self) -> date | None:
        """Return the day, if the log can have it and it is not before the first."""
        last, first = self._day("last"), self.cleaned_data.get("first")
        if first and last and last < first:
            raise forms.ValidationError(_("The last day is before the first. Choose a later one."))
        return last

    def _day(self, name: str) -> date | None:
        on = self.cleaned_data[name]
        if on and not rates.GST_BEGAN.year <= on.year <= clock.LAST_YEAR:
            years = {"first": rates.GST_BEGAN.year, "last": clock.LAST_YEAR}
            raise forms.ValidationError(
                _("The log has no such day. Choose one from %(first)s to %(last)s."), params=years
            )
        return on

    @property
    def asked(self) -> AskedOfLog:
        """What was asked for; only of a valid form."""
        told = self.cleaned_data
        return AskedOfLog(told["actor"], told["event"], told["gstin"], told["first"], told["last"])


class GlassForm(forms.Form):
    """The GSTIN whose details an administrator asks to see, and why."""

    gstin = GstinField()
    reason = PlainTextField(
        label=_("Reason"),
        max_length=REASON_LIMIT,
        error_messages={"required": _("Say why you have to look: the taxpayer reads it.")},
    )


class SearchForm(forms.Form):
    """How a name or a number begins; empty for all."""

    q = PlainTextField(label=_("Begins with"), max_length=60, required=False)


class TaxpayerForm(forms.Form):
    """A taxpayer an administrator makes."""

    gstin = GstinField()
    legal_name = PlainTextField(
        label=_("Legal name"), max_length=200, error_messages={"required": _("Write the name of the registration.")}
    )
    trade_name = PlainTextField(label=_("Trade name, if any"), max_length=200, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=Taxpayer.Kind.choices)
    first = PeriodField(
        label=_("First period, MM/YYYY"), error_messages={"required": PeriodField.default_error_messages["invalid"]}
    )
    frequency = forms.ChoiceField(label=_("Filing frequency"), choices=frequencies)

    @property
    def new(self) -> NewTaxpayer:
        """What was said; only of a valid form."""
        told = self.cleaned_data
        return NewTaxpayer(
            gstin=told["gstin"],
            legal_name=told["legal_name"],
            trade_name=told["trade_name"],
            kind=Taxpayer.Kind(told["kind"]),
            first=told["first"],
            frequency=Frequency(told["frequency"]),
        )


class UserForm(forms.Form):
    """Somebody an administrator makes a user."""

    username = UsernameField(label=_("User name"), validators=[ASCIIUsernameValidator()])
    name = PlainTextField(
        label=_("Name"), max_length=120, error_messages={"required": _("Write what they are called.")}
    )


class NominationForm(forms.Form):
    """Whom an administrator names as the first signatory of a GSTIN."""

    gstin = GstinField()
    username = UsernameField(label=_("User name"))


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


class TokenForm(forms.Form):
    """What a token of a program is to be. `gstins` are those it may be made for.

    `may_file` says whether it may file, `may_feed` whether it may hand in feeds, which its person then chooses.
    """

    LASTS = (("6", _("6 hours")), ("24", _("1 day")), ("168", _("7 days")), ("720", _("30 days")))
    """Hours, as sent, and their words."""
    LONGEST_NETWORKS = 2_000

    name = PlainTextField(
        label=_("Name"),
        max_length=ApiToken.LONGEST_NAME,
        error_messages={"required": _("Give it a name, so that you know later which program has it.")},
    )
    gstins = forms.MultipleChoiceField(
        label=_("GSTINs"),
        required=False,
        error_messages={
            "invalid_choice": _("A token is made by a signatory, for GSTINs where you are one."),
        },
    )
    rights = forms.MultipleChoiceField(
        label=_("What it may do"),
        required=False,
        choices=[(one.value, name) for one, name in engagements.NAMES.items() if one is not Right.FILE],
        initial=[Right.VIEW.value],
    )
    file = forms.BooleanField(label=engagements.NAMES[Right.FILE], required=False)
    feeds = forms.BooleanField(label=_("Hand in feeds"), required=False)
    lasts = forms.ChoiceField(label=_("How long"), choices=LASTS, initial="6")
    networks = forms.CharField(label=_("Only from these addresses"), max_length=LONGEST_NETWORKS, required=False)

    def __init__(
        self, *args: object, gstins: Collection[str], may_file: bool, may_feed: bool, **options: object
    ) -> None:
        super().__init__(*args, **options)
        self.fields["gstins"].choices = [(gstin, gstin) for gstin in gstins]
        self.may_file, self.may_feed, self.has_gstins = may_file, may_feed, bool(gstins)

    def clean_file(self) -> bool:
        """Return whether it is to file, which takes codes of an app."""
        if self.cleaned_data["file"] and not self.may_file:
            raise forms.ValidationError(_("Filing needs codes of an authenticator app, and you have none yet."))
        return bool(self.cleaned_data["file"])

    def clean_feeds(self) -> bool:
        """Return whether it is to hand in feeds; of an administrator without GSTINs it can be for nothing else."""
        return self.may_feed and (bool(self.cleaned_data["feeds"]) or not self.has_gstins)

    def clean(self) -> dict[str, object]:
        """Refuse a token that is for nothing."""
        told: dict[str, object] = super().clean()
        if "gstins" in told and not told["gstins"] and not told.get("feeds"):
            self.add_error("gstins", _("Choose at least one GSTIN."))
        return told

    @property
    def terms(self) -> tokens.Terms:
        """What was asked for; only of a valid form."""
        told = self.cleaned_data
        rights = {Right(name) for name in told["rights"]} | ({Right.FILE} if told["file"] else set())
        return tokens.Terms(
            name=told["name"],
            gstins=sorted(set(told["gstins"])),
            rights=sorted(rights),
            lasts=timedelta(hours=int(told["lasts"])),
            networks=[line.strip() for line in told["networks"].splitlines() if line.strip()],
            feeds=told["feeds"],
        )


class SettingsForm(forms.ModelForm):
    """What somebody chose for themselves."""

    class Meta:
        model = User
        fields = ("rows", "uses_keys")
