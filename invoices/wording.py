"""What recipients are told about a record: why an action is refused, what a rejection costs whom, how it counts.

The codes come from the rules; these are their sentences: what, why, what next.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ims_portal.rules import actions, gstr2b, time_limit
from ims_portal.rules.actions import Action, ReasonCode, Refusal
from ims_portal.rules.amendments import Direction
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.gstr2b import Bypass
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Return, TaxPeriod
from ims_portal.rules.table import Dated
from ims_portal.templatetags import ims as show
from invoices.actions import Result, ResultStatus
from invoices.inbox_sql import Sum
from invoices.models import ActionEvent, Record
from invoices.standing import Standing

SECTIONS = {
    Section.B2B: gettext_lazy("B2B invoices"),
    Section.B2BA: gettext_lazy("B2B invoices, amendments"),
    Section.DN: gettext_lazy("Debit notes"),
    Section.DNA: gettext_lazy("Debit notes, amendments"),
    Section.CN: gettext_lazy("Credit notes"),
    Section.CNA: gettext_lazy("Credit notes, amendments"),
    Section.ECO: gettext_lazy("ECO documents u/s 9(5)"),
    Section.ECOA: gettext_lazy("ECO documents u/s 9(5), amendments"),
    Section.IMPG: gettext_lazy("Import of goods"),
    Section.IMPGA: gettext_lazy("Import of goods, amendments"),
    Section.IMPGSEZ: gettext_lazy("Import of goods from SEZ"),
    Section.IMPGSEZA: gettext_lazy("Import of goods from SEZ, amendments"),
}
"""The sections of the inward desk, in its order."""

TYPES = {
    Section.B2B: gettext_lazy("Invoice"),
    Section.B2BA: gettext_lazy("Invoice, amended"),
    Section.DN: gettext_lazy("Debit note"),
    Section.DNA: gettext_lazy("Debit note, amended"),
    Section.CN: gettext_lazy("Credit note"),
    Section.CNA: gettext_lazy("Credit note, amended"),
    Section.ECO: gettext_lazy("ECO document"),
    Section.ECOA: gettext_lazy("ECO document, amended"),
    Section.IMPG: gettext_lazy("Bill of entry"),
    Section.IMPGA: gettext_lazy("Bill of entry, amended"),
    Section.IMPGSEZ: gettext_lazy("Bill of entry, SEZ"),
    Section.IMPGSEZA: gettext_lazy("Bill of entry, SEZ, amended"),
    Section.ISD: gettext_lazy("ISD invoice"),
    Section.ISDCN: gettext_lazy("ISD credit note"),
    Section.RULE_37A: gettext_lazy("Rule 37A reversal"),
}

TABLES = {
    "b2b": gettext_lazy("B2B invoices"),
    "b2ba": gettext_lazy("B2B invoices, amended"),
    "cdnr": gettext_lazy("Credit and debit notes"),
    "cdnra": gettext_lazy("Credit and debit notes, amended"),
    "ecom": gettext_lazy("Section 9(5) documents"),
    "ecoma": gettext_lazy("Section 9(5) documents, amended"),
}
"""The tables of a supplier's form that lead to IMS, as files name them, in words."""

SUPPLIES = {
    InvoiceType.REGULAR: gettext_lazy("Regular"),
    InvoiceType.SEZ_WITH_PAYMENT: gettext_lazy("SEZ supply with payment of tax"),
    InvoiceType.SEZ_WITHOUT_PAYMENT: gettext_lazy("SEZ supply without payment of tax"),
    InvoiceType.DEEMED_EXPORT: gettext_lazy("Deemed export"),
    InvoiceType.BONDED_WAREHOUSE: gettext_lazy("Sale from a bonded warehouse"),
}
"""The types of supply an invoice or note can be of."""

ACTIONS = {
    Action.ACCEPT: gettext_lazy("Accept"),
    Action.REJECT: gettext_lazy("Reject"),
    Action.PENDING: gettext_lazy("Pending"),
    Action.NONE: gettext_lazy("No action"),
}
"""Action -> its word, in the order of the radio groups."""

STATES = {
    Action.NONE: gettext_lazy("No action"),
    Action.ACCEPT: gettext_lazy("Accepted"),
    Action.REJECT: gettext_lazy("Rejected"),
    Action.PENDING: gettext_lazy("Pending"),
}
"""Action -> what a record is after it, in the order of the summary."""

REASONS = {
    ReasonCode.NOT_OURS: gettext_lazy("Not our purchase"),
    ReasonCode.DUPLICATE: gettext_lazy("Duplicate"),
    ReasonCode.WRONG_VALUE: gettext_lazy("Wrong value"),
    ReasonCode.WRONG_TAX: gettext_lazy("Wrong tax or tax head"),
    ReasonCode.NOT_RECEIVED: gettext_lazy("Goods or services not received"),
    ReasonCode.RETURNED: gettext_lazy("Goods returned"),
    ReasonCode.NOT_AGREED: gettext_lazy("Credit note not agreed"),
    ReasonCode.OTHER: gettext_lazy("Other, see remark"),
}

BYPASSES = {
    Bypass.BEFORE_IMS.value: gettext_lazy("its GSTR-2B period is before %(ends)s, when IMS began"),
    Bypass.REVERSE_CHARGE.value: gettext_lazy("you pay its tax under reverse charge"),
    Bypass.PLACE_OF_SUPPLY.value: gettext_lazy("its place of supply gives you no credit"),
    Bypass.TIME_BARRED.value: gettext_lazy("its credit is time-barred by section 16(4)"),
    Bypass.ISD.value: gettext_lazy("an input service distributor passes it on"),
    Bypass.IMPORT.value: gettext_lazy("imports entered IMS only from %(ends)s"),
    Bypass.RULE_37A.value: gettext_lazy("it is a reversal under Rule 37A"),
    Bypass.NO_IMS.value: gettext_lazy("a registration of this kind has no IMS"),
}

DIRECTIONS = {
    Direction.UPWARD: gettext_lazy("Upward"),
    Direction.DOWNWARD: gettext_lazy("Downward"),
    Direction.UNCHANGED: gettext_lazy("Unchanged"),
}

HEADS = {
    "igst": gettext_lazy("Integrated tax"),
    "cgst": gettext_lazy("Central tax"),
    "sgst": gettext_lazy("State/UT tax"),
    "cess": gettext_lazy("Cess"),
}

CAPACITIES = {
    "signatory": gettext_lazy("Signatory"),
    "preparer": gettext_lazy("Preparer"),
    "practitioner": gettext_lazy("Practitioner"),
}
"""In what capacity somebody acted -> its word."""

_REFUSALS = {
    Refusal.RECORD_NOT_IN_IMS: gettext_lazy("%(number)s is not in IMS: nothing is to be decided on it."),
    Refusal.RECORD_FROZEN: gettext_lazy(
        "Settled with GSTR-3B of %(settled)s. Only %(supplier)s can change it, by reporting it again."
    ),
    Refusal.RECORD_SUPERSEDED: gettext_lazy(
        "Replaced by a later version of %(number)s in the same GSTR-2B. Decide on that one."
    ),
    Refusal.AMENDMENT_NOT_FILED: gettext_lazy(
        "%(supplier)s saved this amendment but has not filed it. Act after filing."
    ),
    Refusal.ORIGINAL_NOT_SETTLED: gettext_lazy(
        "Decide on the original %(original)s and file GSTR-3B of %(original_period)s first."
    ),
    Refusal.REJECT_NOT_ALLOWED: gettext_lazy("Bills of entry cannot be rejected. Accept or keep pending."),
    Refusal.PENDING_BLOCKED: gettext_lazy(
        "%(number)s cannot be kept pending: the rules of GSTR-2B %(counts)s bar it. Accept or reject it."
    ),
    Refusal.PENDING_EXPIRED: gettext_lazy(
        "%(number)s could be pending until %(until)s. Accept or reject; untouched it is accepted with full reduction."
    ),
    Refusal.ITC_REDUCTION_ONLY_ON_ACCEPT: gettext_lazy(
        "An ITC reduction belongs to Accept. Clear it or choose Accept."
    ),
    Refusal.ITC_REDUCTION_BLOCKED: gettext_lazy("%(number)s does not ask for an ITC reduction. Clear it."),
    Refusal.ITC_REDUCTION_REQUIRED: gettext_lazy("Say whether ITC is reduced for %(number)s."),
    Refusal.DECLARED_NEGATIVE: gettext_lazy("No amount can be below 0.00."),
    Refusal.DECLARED_ZERO: gettext_lazy("All four amounts are 0.00. Choose None, or write what is reduced."),
    Refusal.DECLARED_EXCEEDS_DOCUMENT: gettext_lazy("An amount is above what this record can reduce."),
    Refusal.CGST_SGST_MISMATCH: gettext_lazy("Central tax and State/UT tax must be equal."),
    Refusal.REMARKS_BLOCKED: gettext_lazy(
        "Records with a GSTR-2B period before %(remarks_begin)s take no remark. Clear it."
    ),
    Refusal.REMARKS_TOO_LONG: gettext_lazy("A remark has at most %(limit)s characters. Shorten it."),
    Refusal.REMARKS_NOT_ALLOWED: gettext_lazy("This action takes no remark. Clear it."),
    Refusal.REMARKS_REQUIRED: gettext_lazy("Part and None need a remark."),
    Refusal.REASON_CODE_ONLY_ON_REJECT: gettext_lazy("A reason code belongs to Reject. Clear it."),
}


def refusal(code: Refusal, record: Record | None, today: Standing, *, number: str = "") -> str:
    """Return why an action on a record is refused, and what to do; `record` is None where it is nobody's to see."""
    if record is None:
        return str(_REFUSALS[Refusal.RECORD_NOT_IN_IMS]) % {"number": number or _("This record")}
    original = record.original
    month = today.gstr2b_period(record).month
    return str(_REFUSALS[code]) % {
        **_dates(actions.ACTION_REFUSALS, month),
        "counts": show.period(month),
        "number": record.number,
        "supplier": supplier(record),
        "settled": show.period(record.settled_month),
        "until": show.day(today.pending_until(record)),
        "original": original.number if original else "",
        "original_period": today.gstr2b_period(original).label if original else "",
    }


def refusal_text(code: Refusal, record: Record) -> str:
    """Return the sentence of a refusal that names nothing but the record."""
    month = record.gstr2b_month or record.earliest_month
    return str(_REFUSALS[code]) % {**_dates(actions.ACTION_REFUSALS, month), "number": record.number}


def bypass(why: str, month: int) -> str:
    """Return why a record goes straight into the GSTR-2B of a month, to follow "because"; "" for one in IMS."""
    return str(BYPASSES[why]) % _dates(gstr2b.BYPASS, month) if why else ""


def _dates(rule: Dated[Any], month: int) -> dict[str, object]:
    """Return what sentences name of the law itself: when this version of a rule ends, when remarks begin, how long."""
    return {
        "ends": show.period(rule.ends(month)),
        "remarks_begin": show.period(actions.REMARK_REFUSALS.ends(month)),
        "limit": actions.REMARK_LIMIT,
    }


def supplier(record: Record) -> str:
    """Return who reported a record: the supplier's name, or customs."""
    return record.supplier.name if record.supplier else _("Customs")


def result(told: Result, record: Record | None, today: Standing) -> str:
    """Return what became of one record of a command."""
    if told.status is ResultStatus.CONFLICT and record is not None and told.by == supplier(record):
        return _("%(who)s changed the record at %(time)s, after you opened this page. Look at it and choose again.") % {
            "who": told.by,
            "time": show.moment(told.at),
        }
    if told.status is ResultStatus.CONFLICT:
        return _(
            "%(who)s chose %(action)s at %(time)s, after you opened this page. Yours was not saved. Choose again."
        ) % {
            "who": told.by or _("Somebody"),
            "action": ACTIONS[told.current],
            "time": show.moment(told.at),
        }
    if told.refusal is not None:
        return refusal(told.refusal, record, today, number=told.number)
    return str(ACTIONS[told.current])


def overtaken_choice(event: ActionEvent | None, choice: Action) -> str:
    """Return why an unsaved choice is to be made again: who overtook it; None is the person's own save elsewhere."""
    if event is None:
        return _("You saved something else for this record after you chose %(choice)s here. Choose again.") % {
            "choice": ACTIONS[choice]
        }
    told = {"choice": ACTIONS[choice], "time": show.moment(event.at), "who": str(event.actor or supplier(event.record))}
    if event.cause != ActionEvent.Cause.CHOSEN:
        return (
            _(
                "%(who)s changed the record at %(time)s, after you opened this page. Your choice, %(choice)s, was not "
                "saved. Look at it and choose again."
            )
            % told
        )
    return _(
        "%(who)s chose %(action)s at %(time)s, after you opened this page. Yours, %(choice)s, was not saved. "
        "Choose again."
    ) % {**told, "action": ACTIONS[Action(event.action)]}


def overtaken(event: ActionEvent) -> str:
    """Return who overtook a choice that waited for answers."""
    return _("%(number)s: %(who)s chose %(action)s at %(time)s, before you answered. Yours was not saved.") % {
        "number": event.record.number,
        "who": event.actor or supplier(event.record),
        "action": ACTIONS[Action(event.action)],
        "time": show.moment(event.at),
    }


def rejection_cost(record: Record) -> tuple[str, bool]:
    """Return what rejecting a record does to whom, and whether its supplier's tax rises (R6.3)."""
    names = {"supplier": supplier(record), "tax": show.inr(record.effect.total), "cap": show.inr(record.cap.total)}
    if record.adds_back:
        names["period"] = show.period(record.own_month)
        return _("Your ITC stays. %(supplier)s's tax rises by %(cap)s in a GSTR-3B after %(period)s.") % names, True
    if record.section == Section.CNA:
        return _("You give up %(tax)s of ITC this amendment returns.") % names, False
    return _("You get no ITC of %(tax)s. %(supplier)s's tax does not change.") % names, False


_REMARKS = (
    gettext_lazy("We did not order this and did not receive it."),
    gettext_lazy("Goods not received yet."),
    gettext_lazy("The amount differs from our purchase order. Please amend it."),
    gettext_lazy("Please correct the GSTIN or the tax head."),
    gettext_lazy("Goods returned; please issue a credit note."),
    gettext_lazy("ITC was never claimed on this document."),
    gettext_lazy("ITC was already reversed on this document."),
)
"""Remarks offered ready-made, in every language: the supplier may read another one than whoever writes."""


def remark_templates() -> list[tuple[str, str]]:
    """Return (language, text) of each ready-made remark."""
    found = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found += [(code, str(text)) for text in _REMARKS]
    return list({text: (code, text) for code, text in reversed(found)}.values())[::-1]


def reduces_in_all(tax: str, number: int | str, total: int) -> str:
    """Return by how much the answers given so far reduce ITC, in rupees, on how many of the records asked about."""
    return _("Reduces your ITC by %(tax)s on %(number)s of %(total)s records.") % {
        "tax": tax,
        "number": number,
        "total": total,
    }


def until_when(record: Record, settles_in: TaxPeriod) -> str:
    """Return until when a choice can be changed, and who can repair it after."""
    return _(
        "You can change this until GSTR-3B of %(period)s is filed; after that only %(supplier)s can repair it, by "
        "reporting it again."
    ) % {"period": settles_in.label, "supplier": supplier(record)}


def if_untouched(record: Record, settles_in: TaxPeriod) -> str:
    """Return what happens to a record on which nothing is decided (R2.1, R4.8)."""
    names = {"period": settles_in.label, "tax": show.inr(abs(record.effect.total))}
    if record.reduces:
        return _("Untouched, it is accepted with full reduction: your ITC of %(period)s falls by %(tax)s.") % names
    return _("Untouched, it counts as accepted: %(tax)s of ITC in GSTR-2B of %(period)s.") % names


def origin(record: Record, today: Standing) -> str:
    """Return where a record comes from and why it counts in which GSTR-2B (R7.2)."""
    names = {
        "supplier": supplier(record),
        "form": record.form,
        "period": show.period(record.return_month),
        "filed": show.day(record.filed_on),
        "counts": today.gstr2b_period(record).label,
    }
    if record.status == Record.Status.WITHDRAWN:
        return _("%(supplier)s reported it in %(form)s of %(period)s and withdrew it before filing.") % names
    if record.is_filed:
        return (
            _(
                "%(supplier)s reported it in %(form)s of %(period)s, filed on %(filed)s: it counts in "
                "GSTR-2B of %(counts)s."
            )
            % names
        )
    return (
        _(
            "%(supplier)s saved it in %(form)s of %(period)s and has not filed it. It counts only once filed; filed "
            "today it would stand in GSTR-2B of %(counts)s."
        )
        % names
    )


def near_limit(credit_fy: int, found: Sum, today: Standing) -> str:
    """Return the warning that credit of a financial year is barred soon (R7.9)."""
    told = ngettext(
        "%(count)s record of %(year)s is pending or without action, credit %(tax)s.",
        "%(count)s records of %(year)s are pending or without action, credit %(tax)s.",
        found.count,
    )
    names = {
        "count": show.count(found.count),
        "year": f"{credit_fy}-{(credit_fy + 1) % 100:02d}",
        "tax": show.inr(found.tax),
    }
    return f"{told % names} {_limit(credit_fy, today)}"


def _limit(credit_fy: int, today: Standing) -> str:
    return _(
        "GSTR-3B of %(last)s is the last that can take this credit: what is still pending then is barred by section "
        "16(4) from the next period on."
    ) % {"last": time_limit.last_period(today.filer, credit_fy).label}


def record_near_limit(record: Record, today: Standing) -> str:
    """Return the warning that a record's credit is barred soon (R7.9)."""
    return _limit(record.credit_fy, today)


def last_day(settles_in: TaxPeriod, today: Standing) -> str:
    """Return when the GSTR-3B falls due that settles a record."""
    due = today.calendar.due(Return.GSTR3B, settles_in, today.filer.group)
    return _("GSTR-3B of %(period)s, which makes the choice final, falls due on %(day)s.") % {
        "period": settles_in.label,
        "day": show.day(due),
    }


def answer(record: Record) -> str:
    """Return the stored ITC reduction in words, empty where none was asked."""
    return reduction(record.answer, record.declared)


def reduction(letter: str, declared: Tax) -> str:
    """Return an ITC reduction in words."""
    if letter == actions.Answer.FULL:
        return _("Full")
    if letter == actions.Answer.PART:
        return _("Part %(amount)s") % {"amount": show.inr(declared.total)}
    return _("None") if letter == actions.Answer.NONE else ""


def not_reported(gstin: str, today: Standing) -> str:
    """Return what to do about a document nobody reported, with the next GSTR-1 that could report it (R7.2)."""
    if not gstin:
        return _(
            "No bill of entry of this number is among your records. Customs sends them by the reference date; look at "
            "the number and the port, then ask your customs broker."
        )
    month = TaxPeriod(today.saved_monthly)
    return _(
        "%(gstin)s has not reported this number to you. Ask the supplier to report it: a GSTR-1 of %(period)s, due on "
        "%(day)s, brings it into that month's GSTR-2B. Without it you have no ITC, and nothing to decide here."
    ) % {
        "gstin": gstin,
        "period": month.label,
        "day": show.day(today.calendar.due(Return.GSTR1, month, today.filer.group)),
    }
