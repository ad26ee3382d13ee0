"""Forms of a batch: what is asked once for all of its records."""

from __future__ import annotations

import re

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.forms import PlainTextField
from ims_portal.rules.actions import REMARK_LIMIT, Action, Answer, ReasonCode
from invoices import filters, wording
from invoices.actions import tidy
from invoices.bulk import Which
from invoices.forms import TICK, UnreadableChoiceError

LEAVE = "leave"
ID = re.compile(r"^[0-9]{1,18}\Z", re.ASCII)


class NothingTickedError(ValueError):
    """A preview was asked for of no record at all."""


def which(post: QueryDict, back: str) -> Which:
    """Return the records a list's toolbar was used on. Raises NothingTickedError, UnreadableChoiceError."""
    asked = filters.parse(post.get("list", ""), QueryDict(post.get("query", "")))
    if asked is None or not asked.is_valid or asked.filters.settled:
        raise UnreadableChoiceError("the list")
    ticked: dict[int, int] | None = None
    if post.get("all") != "1":
        found = [TICK.match(value) for value in post.getlist("tick")]
        if not found:
            raise NothingTickedError
        if None in found:
            raise UnreadableChoiceError("a tick")
        ticked = {int(match[1]): int(match[2]) for match in found if match}
    return Which(asked.filters.slug, asked.filters.query(), back, ticked)


def action(post: QueryDict) -> Action:
    """Return the action chosen in a list's toolbar. Raises UnreadableChoiceError."""
    try:
        return Action(post.get("bulk", ""))
    except ValueError:
        raise UnreadableChoiceError("the action") from None


class RemarkForm(forms.Form):
    """A remark for all records of a batch that take one."""

    remark = PlainTextField(
        required=False,
        strip=True,
        max_length=REMARK_LIMIT,
        error_messages={"max_length": gettext_lazy("At most %(limit_value)d characters; this has %(show_value)d.")},
    )

    @property
    def reason_code(self) -> str:
        """The code of a reason, where one is asked for."""
        return ""

    @property
    def text(self) -> str:
        """The remark as it is stored."""
        return tidy(self.cleaned_data["remark"])


class PlainForm(RemarkForm):
    """Nothing to ask: what needs an answer was answered before."""

    remark = None  # type: ignore[assignment] # Django's way to take an inherited field out

    @property
    def text(self) -> str:
        """No remark."""
        return ""


class RejectForm(RemarkForm):
    """Why all of them are rejected, and that the price is known where suppliers pay it."""

    reason = forms.ChoiceField(required=False, choices=[(code.value, wording.REASONS[code]) for code in ReasonCode])
    told = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict | None, *, raises: bool) -> None:
        self.raises = raises
        super().__init__(data)

    @property
    def reason_code(self) -> str:
        """The code of the reason."""
        return str(self.cleaned_data["reason"])

    def clean(self) -> None:
        """Ask for a reason, for words with "other", and for the tick where suppliers' tax rises (our own rules)."""
        reason = self.cleaned_data.get("reason")
        if not reason and "reason" not in self.errors:
            self.add_error("reason", _("Choose why they are rejected."))
        if reason == ReasonCode.OTHER and "remark" not in self.errors and not self.text:
            self.add_error("remark", _("The reason is Other. Write what it is."))
        if self.raises and not self.cleaned_data.get("told"):
            self.add_error("told", _("Tick that they are not yours, or that the suppliers have been told."))


def confirm(action_: Action, data: QueryDict | None, *, raises: bool) -> forms.Form:
    """Return the form that confirms a batch of an action; `raises` says whether a supplier's tax rises."""
    if action_ is Action.REJECT:
        return RejectForm(data, raises=raises)
    return RemarkForm(data) if action_ is Action.PENDING else PlainForm(data)


class AnswerForm(RemarkForm):
    """The ITC question, answered once for all records of a batch that ask it, but those left out."""

    answer = forms.ChoiceField(
        choices=[(Answer.FULL.value, ""), (Answer.NONE.value, ""), (LEAVE, "")],
        error_messages={"required": gettext_lazy("Choose an answer for all of them, or leave all of them out.")},
    )
    checked = forms.BooleanField(error_messages={"required": gettext_lazy("Tick that you checked the answers.")})

    def clean(self) -> None:
        """Ask for a remark with None (R5.2)."""
        if self.cleaned_data.get("answer") == Answer.NONE and "remark" not in self.errors and not self.text:
            self.add_error("remark", _("None needs a remark. Write why no ITC is to be reduced."))

    @property
    def given(self) -> Answer:
        """The answer for those not left out."""
        chosen = self.cleaned_data["answer"]
        return Answer.NOT_GIVEN if chosen == LEAVE else Answer(chosen)

    @property
    def leaves_all(self) -> bool:
        """Whether all of them are left out."""
        return bool(self.cleaned_data["answer"] == LEAVE)

    @staticmethod
    def left(post: QueryDict) -> list[int]:
        """Return the ids of the records ticked to be left out."""
        return [int(value) for value in post.getlist("left") if ID.match(value)]
