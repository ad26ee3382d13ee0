"""The documents a supplier reported, as its lists ask for them: found in the database, counted by recipients' action.

One set of conditions stands behind a number and behind the list it opens to, so both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Case, CharField, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest, Upper

from ims_portal import calendar
from ims_portal.models import Taxpayer
from ims_portal.rules import actions
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.periods import financial_year_of
from invoices import records_sql, reported
from invoices.models import Inbox, Record
from invoices.outward_filters import FIXED, FORMS, NONE, PROVISIONAL, SECTIONS, Wanted

ADDED_BACK = Q(addback__isnull=False)
REJECTED = {"counts_as": Action.REJECT.value}
KEPT_OPEN = ("recipient_id", "gstr2b_month")
BY_ACTION = ("section", "counts_as")


def provisional() -> Q:
    """Return which of `of` would raise the supplier's tax if their recipients filed now (R6.3, R6.4)."""
    return Q(may_cost=True, action=Action.REJECT.value, settled_month=None, superseded_by=None, bypass="")


def of(supplier: Taxpayer, *, at: datetime) -> QuerySet[Record]:
    """Return what a supplier has saved or filed and not withdrawn, with the action as it counts at a moment.

    `counts_as` reads a lapsed Pending as No action (R3.5), and a record outside IMS too (R6.2). Two more queries to
    know what has lapsed where anything that reduces is Pending.
    """
    found = _reported(supplier)
    return _counted(found, _lapsed(found, at))


def rejected(supplier: Taxpayer) -> QuerySet[Record]:
    """Return what recipients rejected of what `of` gives: no query, for a rejection never lapses."""
    return _counted(_reported(supplier).filter(action=Action.REJECT.value), [])


def of_place(supplier: Taxpayer, place: str, *, at: datetime) -> QuerySet[Record]:
    """Return what the lists of a place of the desk start from: what is rejected, or with "" everything."""
    return rejected(supplier) if place else of(supplier, at=at)


def _counted(found: QuerySet[Record], lapsed: Iterable[Q]) -> QuerySet[Record]:
    none, pending = Value(Action.NONE.value), Q(action=Action.PENDING.value)
    counts_as = Case(
        When(~Q(bypass=""), then=none),
        When(pending & Q(settled_month__isnull=False), then=none),
        *(When(pending & one, then=none) for one in lapsed),
        default=F("action"),
        output_field=CharField(),
    )
    return found.annotate(counts_as=counts_as)


def _reported(supplier: Taxpayer) -> QuerySet[Record]:
    cost = RawSQL(records_sql.adds_back("invoices_record"), (), output_field=BooleanField())  # noqa: S611 our own text  # nosec B611
    found = Record.objects.filter(supplier=supplier).exclude(status=Record.Status.WITHDRAWN)
    return found.annotate(may_cost=cost)


def _lapsed(found: QuerySet[Record], at: datetime) -> list[Q]:
    """Return the conditions of Pending that has lapsed, by GSTR-2B month; what is only saved never has."""
    open_ = found.filter(action=Action.PENDING.value, reduces=True, settled_month=None, gstr2b_month__isnull=False)
    waiting = {(recipient, int(month or 0)) for recipient, month in open_.values_list(*KEPT_OPEN).distinct()}
    if not waiting:
        return []
    recipients = Taxpayer.objects.filter(pk__in={recipient for recipient, _month in waiting})
    today = reported.standings(recipients, at=at)
    by_month: dict[int, list[int]] = {}
    for recipient, month in waiting:
        own = today[recipient].filer.period(month).month
        if actions.SPECIFIED.decide(own, reduces=True).outcome and today[recipient].lapsed.holds(own):
            by_month.setdefault(month, []).append(recipient)
    return [Q(reduces=True, gstr2b_month=month, recipient__in=those) for month, those in by_month.items()]


def filtered(found: QuerySet[Record], wanted: Wanted, *, supplier: Taxpayer) -> QuerySet[Record]:
    """Return those of `of` that a list asks for."""
    if wanted.place:
        found = found.filter(**REJECTED)
    if wanted.sections:
        found = found.filter(section__in=wanted.sections)
    if wanted.year is not None:
        told = reported.months(supplier)
        found = found.filter(own_month__in=[month for month in told if financial_year_of(month) == wanted.year])
    if wanted.text:
        found = found.filter(_holds(wanted.text))
    if wanted.recipient:
        found = found.filter(recipient__gstin=wanted.recipient)
    if wanted.filed3b:
        found = found.filter(settled_month__isnull=wanted.filed3b == "0")
    form = FORMS[wanted.form].value if wanted.form else ""
    exact = {"own_month": wanted.month, "form": form, "counts_as": wanted.action, "status": wanted.status}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    return _of_effect(found, wanted, supplier)


def _holds(text: str) -> Q:
    """Return the condition of a search: a number or a GSTIN that begins with it, a name that contains it."""
    begins = text.upper()
    named = Taxpayer.objects.annotate(trade=Upper("trade_name"), legal=Upper("legal_name")).filter(
        Q(gstin__startswith=begins) | Q(trade__contains=begins) | Q(legal__contains=begins)
    )
    return Q(number_key__startswith=begins) | Q(recipient__in=named.values("pk"))


def _of_effect(found: QuerySet[Record], wanted: Wanted, supplier: Taxpayer) -> QuerySet[Record]:
    """Return those with an effect on the supplier, and whose add-back lands in a period or would."""
    effects = {PROVISIONAL: provisional(), FIXED: ADDED_BACK, NONE: ~(provisional() | ADDED_BACK)}
    if wanted.effect:
        found = found.filter(effects[wanted.effect])
    if wanted.into is None:
        return found
    fixed = ADDED_BACK & Q(addback__target_month=wanted.into)
    return found.filter(fixed | (provisional() & _would_land(supplier, wanted.into)))


def _would_land(supplier: Taxpayer, month: int) -> Q:
    """Return whose add-back would land in a period were it fixed now: in the first unfiled after its own (R6.4)."""
    filer = calendar.filer(supplier)
    period, first = filer.period(month), filer.period(open_month(supplier))
    before = filer.previous(period)
    if period.month < first.month:
        return Q(pk__in=[])
    if period == first:
        return Q(own_month__lte=before.month)
    return Q(own_month__range=(before.first_month, before.month))


def open_month(supplier: Taxpayer) -> int:
    """Return the last month of the supplier's first period whose GSTR-3B is not filed."""
    kept = Inbox.objects.filter(pk=supplier.pk).values_list("open_month", flat=True).first()
    return supplier.first_month if kept is None else kept


@dataclass(frozen=True, slots=True)
class Counted:
    """One category by its recipients' action: (how many, their tax in paise) by letter, and all together."""

    section: Section
    by_action: dict[str, tuple[int, int]]

    @property
    def total(self) -> tuple[int, int]:
        """How many documents, and their tax."""
        return _sum(self.by_action.values())


def counts(found: QuerySet[Record]) -> list[Counted]:
    """Return every category of the desk by action; an operator's only where there are such documents."""
    tax = Sum(F("igst") + F("cgst") + F("sgst") + F("cess"))
    rows = found.values(*BY_ACTION).order_by().annotate(count=Count("pk"), taxes=tax)
    held: dict[str, dict[str, tuple[int, int]]] = {section.value: {} for section in SECTIONS}
    for row in rows:
        held[row["section"]][row["counts_as"]] = (row["count"], int(row["taxes"]))
    operators = (Section.ECO, Section.ECOA)
    return [
        Counted(section, held[section.value]) for section in SECTIONS if held[section.value] or section not in operators
    ]


def _sum(found: Iterable[tuple[int, int]]) -> tuple[int, int]:
    pairs = list(found)
    return sum(count for count, _tax in pairs), sum(tax for _count, tax in pairs)


def all_of(found: Sequence[Counted], letter: str = "") -> tuple[int, int]:
    """Return all categories together, of one action or of any."""
    return _sum(line.by_action.get(letter, (0, 0)) if letter else line.total for line in found)


@dataclass(frozen=True, slots=True)
class Costs:
    """What rejections mean for the supplier: how many there are and have each effect, and the tax they add."""

    count: int

    provisional_count: int
    provisional: Tax
    fixed_count: int
    fixed: Tax
    none_count: int


def costs(found: QuerySet[Record]) -> Costs:
    """Return what the documents of a list mean for the supplier's tax: one query."""
    may, fixed = provisional(), ADDED_BACK
    told = found.aggregate(
        open=Count("pk", filter=may),
        fixed=Count("pk", filter=fixed),
        all=Count("pk"),
        **{f"open_{head}": Sum(Greatest(Value(0), -F(f"effect_{head}")), filter=may) for head in HEADS},
        **{f"fixed_{head}": Sum(f"addback__{head}") for head in HEADS},
    )
    open_tax, fixed_tax = (Tax(*(int(told[f"{kind}_{head}"] or 0) for head in HEADS)) for kind in ("open", "fixed"))
    none = told["all"] - told["open"] - told["fixed"]
    return Costs(told["all"], told["open"], open_tax, told["fixed"], fixed_tax, none)
