"""Forms of the inward desk: choices of a page, and the answers a choice asks for.

Rupees become paise; what may be declared and remarked is asked of the rules, field by field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.forms import PlainTextField, RupeesField
from ims_portal.rules import actions, gstin
from ims_portal.rules.actions import Action, Answer, ReasonCode, Refusal
from ims_portal.rules.money import HEADS, NIL, Tax
from ims_portal.rules.texts import UNWELCOME
from ims_portal.templatetags import ims as show
from invoices import drafts, inbox, wording
from invoices.actions import Choice, tidy
from invoices.drafts import Picked, Sent
from invoices.inbox import Line
from invoices.models.messages import LONGEST

CHOICE = re.compile(r"^a\.([0-9]{1,18})\.([0-9]{1,9})\Z", re.ASCII)
SHOWN = re.compile(r"^was\.([0-9]{1,18})\Z", re.ASCII)
NOTHING_CHOSEN = "-"
TICK = re.compile(r"^([0-9]{1,18})\.([0-9]{1,9})\Z", re.ASCII)


LONGEST_TYPED = 1_000
"""Characters kept of what was typed into one field; longer ones are refused whatever they say."""


MOST_DIGITS_OF_AN_ID = 18


class UnreadableChoiceError(ValueError):
    """A field of a page of choices that no page of ours makes; nothing was saved."""


def rows(query: QueryDict, *, usual: int) -> int:
    """Return how many rows a page shows; `usual` is what its reader chose for every list."""
    asked = query.get("rows", "")
    return int(asked) if asked in [str(number) for number in inbox.ROWS] else usual


def sent(post: QueryDict, *, back: str) -> Sent:
    """Return a page of choices: each row's own, or for ticked rows the action chosen for all of them."""
    found: dict[int, Picked] = {}
    shown: dict[int, Action | None] = {}
    for name, value in post.items():
        if match := CHOICE.match(name):
            found[int(match[1])] = Picked(int(match[1]), int(match[2]), _action(str(value)))
        elif match := SHOWN.match(name):
            shown[int(match[1])] = None if value == NOTHING_CHOSEN else _action(str(value))
    for_ticked = post.get("with", "")
    if for_ticked:
        for value in post.getlist("tick"):
            match = TICK.match(value)
            if match is None:
                raise UnreadableChoiceError(value)
            found[int(match[1])] = Picked(int(match[1]), int(match[2]), _action(for_ticked))
    return Sent(list(found.values()), shown, back=back, again=post.get("again") == "1")


def _action(letter: str) -> Action:
    try:
        return Action(letter)
    except ValueError:
        raise UnreadableChoiceError(letter) from None


class AnswerForm(forms.Form):
    """What one record asks before its choice is saved. `leave` keeps the record as it is."""

    action: Action
    leave = forms.BooleanField(required=False)
    remark = PlainTextField(required=False, strip=True)

    def __init__(
        self,
        data: Mapping[str, object] | None,
        *,
        choice: Picked,
        line: Line,
        typed: Mapping[str, object] | None = None,
    ) -> None:
        self.choice, self.line = choice, line
        stored = self.stored(line) if line.record.action == choice.action else {}
        super().__init__(data, prefix=f"l.{self.key_of(choice)}", initial=typed or stored)

    @staticmethod
    def key_of(choice: Picked) -> str:
        """Return what names a choice in a form."""
        return f"{choice.record_id}.{choice.version}"

    @property
    def key(self) -> str:
        """What names this line in its page's form."""
        return self.key_of(self.choice)

    @property
    def typed(self) -> dict[str, str]:
        """What was typed, field by field, as it was typed; only of a form that was sent."""
        sent = {name: self.data.get(self.add_prefix(name), "") for name in self.fields}
        return {name: UNWELCOME.sub("", str(value))[:LONGEST_TYPED] for name, value in sent.items() if value}

    @staticmethod
    def stored(line: Line) -> dict[str, object]:
        """Return what was answered when this choice was made before."""
        return {"remark": line.record.remark, "reason": line.record.reason_code}

    @property
    def is_left_out(self) -> bool:
        """Whether the record is to stay as it is."""
        return bool(self.cleaned_data.get("leave"))

    @property
    def result(self) -> Choice:
        """The complete choice, of a valid form."""
        return Choice(self.choice.action, remark=tidy(self.cleaned_data["remark"]))

    def clean(self) -> dict[str, object]:
        """Check what the rules say of the answers; a record left out may answer anything."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("leave"):
            self._errors.clear()
            return cleaned
        self.check()
        if not self.errors:
            self.check_remark(self.result)
        return cleaned

    def check(self) -> None:
        """Check everything but the remark."""

    def check_remark(self, choice: Choice) -> None:
        """Refuse a remark that is missing, too long or out of place (R5)."""
        found = actions.REMARK_REFUSALS.decide(
            self.line.period.month,
            action=choice.action,
            answer=choice.answer,
            remark=actions.remark_fact(choice.remark),
        ).outcome
        if found is Refusal.REMARKS_TOO_LONG:
            self.add_error(
                "remark",
                _("At most %(limit)d characters; this has %(n)d.")
                % {"limit": actions.REMARK_LIMIT, "n": len(choice.remark)},
            )
        elif found is not None:
            self.add_error("remark", wording.refusal_text(found, self.line.record))


class AcceptForm(AnswerForm):
    """Must ITC be reduced for this record? Nothing is preset (R4.1)."""

    answer = forms.ChoiceField(
        required=False, choices=[(letter.value, letter.value) for letter in Answer if letter is not Answer.NOT_GIVEN]
    )
    igst = RupeesField(required=False)
    cgst = RupeesField(required=False)
    sgst = RupeesField(required=False)
    cess = RupeesField(required=False)

    @staticmethod
    def stored(line: Line) -> dict[str, object]:
        """Return the stored answer with its amounts in rupees."""
        record = line.record
        amounts = {head: show.amount(paise) for head, paise in record.declared.as_dict().items() if paise}
        return {"remark": record.remark, "answer": record.answer, **amounts}

    @property
    def result(self) -> Choice:
        """The complete choice; amounts belong to Part, a remark to Part and None."""
        answer = Answer(self.cleaned_data["answer"])
        declared = Tax(*(self.cleaned_data[head] for head in HEADS)) if answer is Answer.PART else NIL
        remark = "" if answer is Answer.FULL else tidy(self.cleaned_data["remark"])
        return Choice(Action.ACCEPT, answer, declared, remark)

    def check(self) -> None:
        """Refuse a missing answer, and amounts the record cannot reduce, at the head they belong to (R4.6)."""
        if not self.cleaned_data.get("answer"):
            if "answer" not in self.errors:
                self.add_error("answer", wording.refusal_text(Refusal.ITC_REDUCTION_REQUIRED, self.line.record))
            return
        if self.cleaned_data["answer"] != Answer.PART:
            for head in HEADS:  # what stands beside another answer was not asked
                self._errors.pop(head, None)
                self.cleaned_data.setdefault(head, 0)
            return
        if not self.errors:
            self._check_part(Tax(*(self.cleaned_data[head] for head in HEADS)), self.line.record.cap)

    def _check_part(self, declared: Tax, cap: Tax) -> None:
        found = actions.DECLARATION_REFUSALS.decide(
            self.line.period.month,
            action=Action.ACCEPT,
            answer=Answer.PART,
            is_specified=self.line.is_specified,
            has_negative=min(declared) < 0,
            is_zero=not declared,
            exceeds_cap=any(typed > most for typed, most in zip(declared, cap, strict=True)),
            cgst_differs=declared.cgst != declared.sgst,
        ).outcome
        if found is None:
            return
        wrong = {
            Refusal.DECLARED_NEGATIVE: lambda typed, _most: typed < 0,
            Refusal.DECLARED_EXCEEDS_DOCUMENT: lambda typed, most: typed > most,
        }.get(found)
        if wrong is None:
            head = (
                "sgst" if found is Refusal.CGST_SGST_MISMATCH else next((h for h in HEADS if getattr(cap, h)), "igst")
            )
            self.add_error(head, _declared_text(found, head, declared, cap))
            return
        for head in HEADS:
            if wrong(getattr(declared, head), getattr(cap, head)):
                self.add_error(head, _declared_text(found, head, declared, cap))


def _declared_text(found: Refusal, head: str, declared: Tax, cap: Tax) -> str:
    names = {
        "head": wording.HEADS[head],
        "typed": show.inr(getattr(declared, head)),
        "cap": show.inr(getattr(cap, head)),
        "cgst": show.inr(declared.cgst),
        "sgst": show.inr(declared.sgst),
    }
    return {
        Refusal.DECLARED_NEGATIVE: _("%(head)s cannot be below 0.00."),
        Refusal.DECLARED_EXCEEDS_DOCUMENT: _("%(head)s: %(typed)s is above the cap %(cap)s."),
        Refusal.DECLARED_ZERO: _("All four amounts are 0.00. Choose None, or write what is reduced."),
        Refusal.CGST_SGST_MISMATCH: _("Central tax %(cgst)s and State/UT tax %(sgst)s must be equal."),
    }[found] % names


class RejectForm(AnswerForm):
    """Why a record is rejected, and that its price is known where the supplier pays it."""

    reason = forms.ChoiceField(required=False, choices=[(code.value, wording.REASONS[code]) for code in ReasonCode])
    told = forms.BooleanField(required=False)

    @property
    def result(self) -> Choice:
        """The complete choice."""
        return Choice(
            Action.REJECT, remark=tidy(self.cleaned_data["remark"]), reason_code=self.cleaned_data.get("reason", "")
        )

    def check(self) -> None:
        """Ask for a reason, for words with "other", and for the tick where the supplier's tax rises (our own rules)."""
        reason = self.cleaned_data.get("reason")
        if not reason and "reason" not in self.errors:
            self.add_error("reason", _("Choose why %(number)s is rejected.") % {"number": self.line.record.number})
        lacks_remark = "remark" not in self.errors and not tidy(self.cleaned_data["remark"])
        if reason == ReasonCode.OTHER and lacks_remark and self.line.takes_remark:
            self.add_error("remark", _("The reason is Other. Write what it is."))
        if self.line.record.adds_back and not self.cleaned_data.get("told"):
            self.add_error("told", _("Tick that it is not yours, or that the supplier has been told."))


class PendingForm(AnswerForm):
    """A remark to a record kept pending, if there is one."""


FORMS: dict[Action, type[AnswerForm]] = {
    Action.ACCEPT: AcceptForm,
    Action.REJECT: RejectForm,
    Action.PENDING: PendingForm,
}


def answers(asking: drafts.Asking, data: QueryDict | None) -> list[AnswerForm]:
    """Return one form per record of a draft that waits for its answer; of those sent in, if any were."""
    named = set(data.getlist("line")) if data is not None else None
    return [
        FORMS[choice.action](data, choice=choice, line=line, typed=asking.answers[choice.record_id])
        for choice, line in asking.lines
        if named is None or AnswerForm.key_of(choice) in named
    ]


def paise(typed: object) -> int:
    """Return a typed amount in paise; 0 for what is none."""
    try:
        return RupeesField(required=False).clean(typed)
    except forms.ValidationError:
        return 0


def answered_alike(sent_in: list[AnswerForm], answer: Answer, remark: str) -> dict[int, dict[str, str]]:
    """Return what was typed, with every acceptance that lacks an answer given one, and a remark where it needs one."""
    found = {}
    for form in sent_in:
        typed = form.typed
        if form.choice.action is Action.ACCEPT and not typed.get("answer") and not typed.get("leave"):
            typed["answer"] = answer.value
            if answer is Answer.NONE and remark:
                typed.setdefault("remark", UNWELCOME.sub("", remark)[:LONGEST_TYPED])
        found[form.choice.record_id] = typed
    return found


class FindForm(forms.Form):
    """The supplier's GSTIN, empty for a bill of entry, and the number of a document."""

    gstin = PlainTextField(required=False, max_length=20)
    number = PlainTextField(
        max_length=30,
        error_messages={"required": gettext_lazy("Write the number of the document, as the supplier printed it.")},
    )

    def clean_gstin(self) -> str:
        """Return the GSTIN in capitals; one that cannot exist is refused with what is wrong with it."""
        typed = str(self.cleaned_data["gstin"]).upper().replace(" ", "")
        if typed and gstin.problem(typed) is not None:
            raise forms.ValidationError(
                _("%(gstin)s is not a GSTIN: its form or its check character is wrong. Copy it from the document.")
                % {"gstin": typed}
            )
        return typed


class MessageField(forms.CharField):
    """A message of some lines: line breaks are kept as one character each, other controls are refused."""

    def to_python(self, value: object) -> str:
        """Return the text with plain line breaks, without blanks around it."""
        return str(value or "").replace("\r\n", "\n").replace("\r", "\n").strip()

    def validate(self, value: str) -> None:
        """Refuse an empty message and what may stand in no text."""
        super().validate(value)
        if UNWELCOME.search(value.replace("\n", " ")):
            raise forms.ValidationError(self.error_messages["unwelcome"], code="unwelcome")


class MessageForm(forms.Form):
    """What one side writes about a rejected record."""

    text = MessageField(
        max_length=LONGEST,
        error_messages={
            "required": gettext_lazy("Write your message."),
            "max_length": gettext_lazy("A message has at most %(limit_value)d characters; this has %(show_value)d."),
            "unwelcome": gettext_lazy("The message holds a character that cannot be shown. Write it again by hand."),
        },
    )
