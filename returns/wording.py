"""What people are told when a statement or a return is refused: what happened, why, what to do next, and where.

The codes come from the rules; these are their sentences. `Advice.page` names the page that cures it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules import periods
from ims_portal.rules.actions import Refusal
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices.standing import Standing
from returns.gstr3b import Draft
from returns.holds import HeldError

HEAD_NAMES = {
    "igst": gettext_lazy("Integrated tax"),
    "cgst": gettext_lazy("Central tax"),
    "sgst": gettext_lazy("State/UT tax"),
    "cess": gettext_lazy("Cess"),
}

AMOUNT_NAMES = {"taxable": gettext_lazy("Taxable value"), **HEAD_NAMES}
"""Amount of a row -> its name on the form."""

ROW_NAMES = {
    "t3_1_a": ("3.1(a)", gettext_lazy("Outward taxable supplies (other than zero rated, nil rated and exempted)")),
    "t3_1_b": ("3.1(b)", gettext_lazy("Outward taxable supplies (zero rated)")),
    "t3_1_c": ("3.1(c)", gettext_lazy("Other outward supplies (nil rated, exempted)")),
    "t3_1_d": ("3.1(d)", gettext_lazy("Inward supplies (liable to reverse charge)")),
    "t3_1_e": ("3.1(e)", gettext_lazy("Non-GST outward supplies")),
    "t3_1_1_i": ("3.1.1(i)", gettext_lazy("Taxable supplies on which the e-commerce operator pays tax u/s 9(5)")),
    "t3_1_1_ii": (
        "3.1.1(ii)",
        gettext_lazy(
            "Taxable supplies through an e-commerce operator who pays the tax u/s 9(5), reported by the supplier"
        ),
    ),
    "t3_2": (
        "3.2",
        gettext_lazy("Inter-State supplies to unregistered persons, composition taxable persons and UIN holders"),
    ),
    "t4A1": ("4(A)(1)", gettext_lazy("Import of goods")),
    "t4A2": ("4(A)(2)", gettext_lazy("Import of services")),
    "t4A3": ("4(A)(3)", gettext_lazy("Inward supplies liable to reverse charge (other than 1 and 2 above)")),
    "t4A4": ("4(A)(4)", gettext_lazy("Inward supplies from ISD")),
    "t4A5": ("4(A)(5)", gettext_lazy("All other ITC")),
    "t4B1": ("4(B)(1)", gettext_lazy("As per rules 38, 42 and 43 of CGST Rules and section 17(5)")),
    "t4B2": ("4(B)(2)", gettext_lazy("Others")),
    "t4C": ("4(C)", gettext_lazy("Net ITC available (A) - (B)")),
    "t4D1": ("4(D)(1)", gettext_lazy("ITC reclaimed which was reversed under Table 4(B)(2) in an earlier tax period")),
    "t4D2": ("4(D)(2)", gettext_lazy("Ineligible ITC under section 16(4) and ITC restricted due to place of supply")),
}
"""Row of GSTR-3B -> its number on the form and its heading."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A refusal in words, and the page that cures it: `page` is an address name, `where` its period or row."""

    code: str
    text: str
    page: str = ""
    where: str = ""
    label: str = ""
    row: str = ""


def statement(refusal: Refusal, *, taxpayer: Taxpayer, period: TaxPeriod, today: Standing, open_month: int) -> Advice:
    """Return why a period's GSTR-2B cannot be computed, and what to do (R7.5)."""
    filer = today.filer
    if refusal is Refusal.WRONG_PERIOD:
        return wrong_period(taxpayer, period, filer.period(period.month), "returns:gstr2b")
    if refusal is Refusal.PREVIOUS_3B_NOT_FILED:
        return _file_first(filer.period(open_month), _("then compute GSTR-2B of %(period)s") % {"period": period.label})
    if refusal is Refusal.TOO_EARLY:
        return Advice(
            refusal.value,
            _("GSTR-2B of %(period)s can be computed from %(day)s. Until then you can decide on its records in IMS.")
            % {"period": period.label, "day": show.day(periods.draft_day(filer, period, today.calendar))},
            "invoices:inward",
            label=_("Open IMS"),
        )
    return Advice(
        refusal.value,
        _("GSTR-3B of %(period)s is filed, so its GSTR-2B stays as it was filed. Changes come in a later period.")
        % {"period": period.label},
        "returns:gstr3b",
        period.wire,
        _("Open GSTR-3B"),
    )


def wrong_period(taxpayer: Taxpayer, asked: TaxPeriod, own: TaxPeriod, page: str) -> Advice:
    """Return why a month has no statement or return of its own, with the quarter that has."""
    if taxpayer.is_isd:
        return Advice(
            Refusal.WRONG_PERIOD.value,
            _("%(name)s is an input service distributor: it has GSTR-6, but no GSTR-2B and no GSTR-3B.")
            % {"name": taxpayer.name},
        )
    return Advice(
        Refusal.WRONG_PERIOD.value,
        _("%(name)s files quarterly: %(month)s has no return of its own, it is part of %(quarter)s.")
        % {"name": taxpayer.name, "month": show.period(asked.month), "quarter": own.label},
        page,
        own.wire,
        _("Open %(quarter)s") % {"quarter": own.label},
    )


def _file_first(earlier: TaxPeriod, then: str) -> Advice:
    return Advice(
        Refusal.PREVIOUS_3B_NOT_FILED.value,
        _("GSTR-3B of %(earlier)s is not filed. File it first, %(then)s.") % {"earlier": earlier.label, "then": then},
        "returns:gstr3b",
        earlier.wire,
        _("Open GSTR-3B of %(earlier)s") % {"earlier": earlier.label},
    )


_STANDS_IN_THE_WAY = {
    Refusal.ALREADY_FILED: (
        gettext_lazy("GSTR-3B of %(period)s is filed. Nothing was filed again."),
        "returns:gstr3b-receipt",
        gettext_lazy("Open the receipt"),
    ),
    Refusal.RETURN_TIME_BARRED: (
        gettext_lazy(
            "GSTR-3B of %(period)s was due on %(due)s. More than three years past due, a return cannot be filed any "
            "more."
        ),
        "",
        "",
    ),
    Refusal.GSTR1_NOT_FILED: (
        gettext_lazy("GSTR-1 of %(period)s is not filed. File it first: Table 3 comes from it."),
        "invoices:return",
        gettext_lazy("Open GSTR-1"),
    ),
    Refusal.GSTR2B_NOT_AVAILABLE: (
        gettext_lazy("GSTR-2B of %(period)s does not exist yet. Compute it first: Table 4 comes from it."),
        "returns:gstr2b",
        gettext_lazy("Open GSTR-2B"),
    ),
    Refusal.RECOMPUTE_REQUIRED: (
        gettext_lazy("GSTR-2B of %(period)s is out of date: %(changes)s. Compute it again, then file."),
        "returns:gstr2b",
        gettext_lazy("Open GSTR-2B"),
    ),
    Refusal.WRONG_PERIOD: (
        gettext_lazy("%(period)s is not a return period of this GSTIN."),
        "returns:periods",
        gettext_lazy("Open the periods"),
    ),
}
"""Refusal of a filing -> its sentence, the page that cures it, the words of the link."""


def filing(refusal: Refusal, *, shown: Draft) -> Advice:
    """Return why a GSTR-3B cannot be filed, and what to do (R8.11)."""
    period = shown.period
    if refusal is Refusal.PREVIOUS_3B_NOT_FILED:
        return _file_first(shown.open_period, _("then GSTR-3B of %(period)s") % {"period": period.label})
    if refusal is Refusal.RECLAIM_EXCEEDS_BALANCE:
        limit = shown.declared["t4D1"] + shown.reclaim_room
        text, label = _limit("4(D)(1)", shown.reclaim_room, limit), _("Change 4(D)(1)")
        return Advice(refusal.value, text, "returns:gstr3b-adjust", period.wire, label, "t4D1")
    if refusal is Refusal.RCM_ITC_EXCEEDS_LIABILITY:
        limit = shown.declared["t4A2"] + shown.declared["t4A3"] + shown.rcm_room
        text, label = _limit("4(A)(2) + 4(A)(3)", shown.rcm_room, limit), _("Change 4(A)(3)")
        return Advice(refusal.value, text, "returns:gstr3b-adjust", period.wire, label, "t4A3")
    sentence, page, words = _STANDS_IN_THE_WAY[refusal]
    where = period.wire if page not in ("", "returns:periods") else ""
    names = {"period": period.label, "due": show.day(shown.due), "changes": _changes(shown)}
    return Advice(refusal.value, str(sentence) % names, page, where, str(words))


def held(stopped: HeldError) -> Advice:
    """Return why a GSTIN may not file anything for now, and who sees to it."""
    return Advice(stopped.code, stopped.text)


def _changes(shown: Draft) -> str:
    """Return what a statement that is out of date does not hold, to follow a colon."""
    if not shown.changes_since:
        return _("a Pending lapsed, or the rules changed, since it was computed")
    text = ngettext("%(count)s saved change is not in it", "%(count)s saved changes are not in it", shown.changes_since)
    return text % {"count": show.count(shown.changes_since)}


def _limit(what: str, room: Tax, limit: Tax) -> str:
    """Return the heads in which a row is above its limit, with the limit of each."""
    over = [
        _("%(head)s: at most %(limit)s") % {"head": HEAD_NAMES[head], "limit": show.inr(limit.as_dict()[head])}
        for head, left in room.as_dict().items()
        if left < 0
    ]
    return f"{what} {', '.join(over)}."


EXPECTED = {
    "is_filed": gettext_lazy("The return is not filed yet"),
    "is_over_three_years": gettext_lazy("The return is at most three years past due"),
    "previous_is_unfiled": gettext_lazy("GSTR-3B of the period before is filed"),
    "gstr1_is_unfiled": gettext_lazy("GSTR-1 of the period is filed"),
    "has_no_statement": gettext_lazy("GSTR-2B of the period exists"),
    "is_stale": gettext_lazy("GSTR-2B holds every saved change"),
    "reclaim_exceeds": gettext_lazy("4(D)(1) is covered by the reclaim balance and 4(B)(2)"),
    "rcm_exceeds": gettext_lazy("4(A)(2) + 4(A)(3) are covered by 3.1(d) and the RCM balance"),
}
"""Fact of FILING_REFUSALS -> what must hold instead, as a line of the review's list."""


def edit(refusal: Refusal, *, period: TaxPeriod, row: str) -> str:
    """Return why a row of GSTR-3B cannot be declared so (R8.17)."""
    number = ROW_NAMES[row][0]
    if refusal is Refusal.FIELD_LOCKED:
        return locked(row)
    return {
        Refusal.FIELD_NOT_EDITABLE: _("%(row)s is computed from the rows above it. Change those."),
        Refusal.REASON_REQUIRED: _("%(row)s is declared otherwise than derived. Say why."),
        Refusal.ALREADY_FILED: _("GSTR-3B of %(period)s is filed and cannot be changed."),
    }[refusal] % {"row": number, "period": period.label}


def locked(row: str) -> str:
    """Return since when a row is locked and where its figures are mended; the date is the rule's own."""
    number = ROW_NAMES[row][0]
    starts = [
        start
        for start, table in rules.EDIT_REFUSALS.versions.items()
        if table.decide(row=row).outcome is Refusal.FIELD_LOCKED
    ]
    if not starts:
        return _("%(row)s is locked: it follows GSTR-2B.") % {"row": number}
    return _("Locked from %(period)s; use GSTR-1A before filing, or amend in a later return.") % {
        "period": show.period(min(starts))
    }
