"""What a supplier is told of its rejected records: why it may not write, what reporting again does, why it may not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.templatetags import ims as show
from invoices.messages import Why
from invoices.models import Message, Record
from invoices.repair import Barred, Plan, Way

ASKING: Mapping[Why, Promise] = {
    Why.CLOSED: gettext_lazy(
        "The recipient has filed GSTR-3B with this record: it cannot change its action any more. Report the document "
        "again instead."
    ),
    Why.NOT_REJECTED: gettext_lazy("There is nothing to ask: the record does not stand rejected."),
    Why.WRITTEN: gettext_lazy("You have asked already. Each side writes once about a record."),
    Why.NOT_ASKED: gettext_lazy("Nobody has asked."),
}
ANSWERING: Mapping[Why, Promise] = {
    Why.CLOSED: gettext_lazy("You have filed GSTR-3B with this record, which closed the exchange."),
    Why.NOT_REJECTED: gettext_lazy("There is nothing to answer."),
    Why.WRITTEN: gettext_lazy("You have answered already. Each side writes once about a record."),
    Why.NOT_ASKED: gettext_lazy("The supplier has asked nothing about this record."),
}


def refusal(why: Why, side: Message.Side) -> str:
    """Return why a side may not write, and what it may do instead."""
    return str((ASKING if side is Message.Side.SUPPLIER else ANSWERING)[why])


_BARRED: Mapping[Barred, Promise] = {
    Barred.NOT_REJECTED: gettext_lazy("It does not stand rejected, so there is nothing to repair."),
    Barred.NOT_OWN: gettext_lazy("It was not reported in a return of yours."),
    Barred.REPORTED_AGAIN: gettext_lazy(
        "It is reported again already: %(number)s in %(form)s of %(period)s. What the recipient does with that one "
        "counts."
    ),
    Barred.TIME_LIMIT: gettext_lazy(
        "Documents of %(year)s could be amended until %(day)s. Settle it with the recipient outside GST, or ask an "
        "adviser."
    ),
    Barred.FORM_CLOSED: gettext_lazy("No form takes it today. %(reason)s"),
}


def barred(plan: Plan) -> str:
    """Return why a record cannot be reported again, empty where it can."""
    if plan.barred is None:
        return ""
    if plan.barred is Barred.TIME_LIMIT:
        return too_late(plan.record, plan.last_day)
    again = plan.again
    return str(_BARRED[plan.barred]) % {
        "number": again.number if again else "",
        "form": again.form if again else "",
        "period": show.period(again.return_month) if again else "",
        "reason": plan.reason,
    }


def too_late(record: Record, last_day: date) -> str:
    """Return that a document can no longer be amended, and what is left to do."""
    year = record.credit_fy
    return str(_BARRED[Barred.TIME_LIMIT]) % {"year": f"{year}-{(year + 1) % 100:02d}", "day": show.day(last_day)}


def next_step(plan: Plan) -> str:
    """Return in one sentence how a rejected record is repaired."""
    if plan.barred is not None:
        return barred(plan)
    if plan.way is Way.ASK:
        return _("The recipient has not filed GSTR-3B: ask it to accept. It then only has to compute GSTR-2B again.")
    return _("Report it again unchanged, in %(form)s of %(period)s.") % {
        "form": plan.form.value if plan.form else "",
        "period": plan.period.label if plan.period else "",
    }


def recipients_effect(record: Record) -> str:
    """Return what the recipient's ITC does once it accepts the document reported again (R6.6, R6.7)."""
    amount = show.inr(abs(record.effect.total))
    if record.effect.total < 0:
        return _("Once it accepts, its ITC falls by %(amount)s, in GSTR-2B of the period you report it in.") % {
            "amount": amount
        }
    return _("Once it accepts, it gets ITC of %(amount)s, in GSTR-2B of the period you report it in.") % {
        "amount": amount
    }


def own_effect(plan: Plan) -> str:
    """Return what reporting again does to the supplier's own tax (R6.12)."""
    if not plan.own.total:
        return _("Your tax changes by %(amount)s: the document was counted when you first filed it.") % {
            "amount": show.inr(0)
        }
    return _("Your tax changes by %(amount)s: the rejection added it, reporting again takes it back.") % {
        "amount": show.inr(plan.own.total)
    }
