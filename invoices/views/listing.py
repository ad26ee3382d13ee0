"""What stands around the rows of a list: its tabs, filter form, active filters, columns' headings and pages.

Everything is an address worked out here from the same filters and order, so that a template only prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ims_portal.rules.actions import Action
from ims_portal.rules.documents import BILLS_OF_ENTRY, InvoiceType
from ims_portal.templatetags import ims as show
from invoices import inbox, wording
from invoices.filters import ALL, FIELDS, IN_IMS, SOURCES, SUPERSEDED, Field, Filters, Match, Parsed
from invoices.inbox_sql import Sum
from invoices.sorting import By, Sort

OPEN_COLUMNS = (Action.NONE, Action.ACCEPT, Action.REJECT, Action.PENDING)
SETTLED_COLUMNS = (Action.ACCEPT, Action.REJECT)
NONE = Filters()
ALWAYS_SHOWN = ("q", "action", "status", "match")
"""The fields of the form that stand outside "More filters"."""

LABELS = {
    "q": gettext_lazy("GSTIN or number begins with, name contains"),
    "action": gettext_lazy("Status"),
    "status": gettext_lazy("Saved or filed"),
    "match": gettext_lazy("Match with books"),
    "needs": gettext_lazy("Needs you"),
    "section": gettext_lazy("Section"),
    "supplier": gettext_lazy("Supplier's GSTIN"),
    "type": gettext_lazy("Type of supply"),
    "source": gettext_lazy("Reported in"),
    "period": gettext_lazy("GSTR-2B period, MM/YYYY"),
    "date_from": gettext_lazy("Dated from, DD/MM/YYYY"),
    "date_to": gettext_lazy("Dated to, DD/MM/YYYY"),
    "tax_from": gettext_lazy("Tax from, rupees"),
    "tax_to": gettext_lazy("Tax to, rupees"),
    "lapses": gettext_lazy("Pending lapses within days"),
    "changed": gettext_lazy("Changed since decided"),
    "reduces": gettext_lazy("Reduces ITC"),
    "limit": gettext_lazy("Credit barred soon"),
    "batch": gettext_lazy("Saved together"),
}
TYPES_OF_SUPPLY = {
    InvoiceType.REGULAR: gettext_lazy("Regular"),
    InvoiceType.DEEMED_EXPORT: gettext_lazy("Deemed export"),
    InvoiceType.SEZ_WITH_PAYMENT: gettext_lazy("SEZ with payment"),
    InvoiceType.SEZ_WITHOUT_PAYMENT: gettext_lazy("SEZ without payment"),
    InvoiceType.BONDED_WAREHOUSE: gettext_lazy("Bonded warehouse"),
}
MATCHES = {
    Match.EXACT: gettext_lazy("Exact"),
    Match.TOLERANCE: gettext_lazy("Within tolerance"),
    Match.MISMATCH: gettext_lazy("Mismatch"),
    Match.ONLY_IN_IMS: gettext_lazy("Only in IMS"),
    Match.AMBIGUOUS: gettext_lazy("Ambiguous"),
}
STATUSES = {"S": gettext_lazy("Saved"), "F": gettext_lazy("Filed")}
SORTS = {
    By.NEEDS: gettext_lazy("Needs you first"),
    By.SUPPLIER: gettext_lazy("Supplier"),
    By.DATE: gettext_lazy("Date"),
    By.TAX: gettext_lazy("Tax"),
    By.LAST: gettext_lazy("Last date"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a list is looked at: whose, which records, in which order, how many to a page (`usual` needs no telling)."""

    gstin: str
    filters: Filters
    sort: Sort
    rows: int
    usual: int

    def url(
        self, filters: Filters | None = None, *, sort: Sort | None = None, rows: int | None = None, after: str = ""
    ) -> str:
        """Return the address of this list with something changed; a list changed otherwise begins at its first page."""
        size = rows or self.rows
        return (filters or self.filters).address(
            self.gstin, rows=size if size != self.usual else "", sort=(sort or self.sort).code, after=after
        )

    @property
    def cleared(self) -> Filters:
        """This list without its filters."""
        return Filters(
            sections=self.filters.sections if self.filters.slug != ALL else IN_IMS, settled=self.filters.settled
        )

    def toggled(self, **wanted: object) -> str:
        """Return the address that sets some filters, or clears them where they are set so already."""
        is_set = all(getattr(self.filters, name) == value for name, value in wanted.items())
        changes = {name: getattr(NONE, name) if is_set else value for name, value in wanted.items()}
        return self.url(self.filters.but(**changes))


@dataclass(frozen=True, slots=True)
class Shown:
    """One field of the filter form."""

    name: str
    label: str
    value: str
    error: str = ""
    kind: str = "text"
    options: list[tuple[str, str, bool]] = field(default_factory=list)
    hint: str = ""

    @property
    def id(self) -> str:
        """The id of its control."""
        return f"f-{self.name}"


def context(look: Look, asked: Parsed, problems: Mapping[str, str], *, has_books: bool) -> dict[str, object]:
    """Return what the filter form, its chips and the page's own addresses need; also of filters that cannot be read."""
    shown = [_shown(line, asked, problems, has_books=has_books) for line in FIELDS if line.name in LABELS]
    more = [line for line in shown if line.name not in ALWAYS_SHOWN]
    if look.filters.slug == ALL or "section" in problems:
        more.insert(0, _sections(look.filters, problems))
    more = [line for line in more if line.name != "batch" or line.value]
    used = [line for line in more if line.value or line.error or any(chosen for _v, _l, chosen in line.options)]
    return {
        "look": look,
        "first_fields": [line for line in shown if line.name in ALWAYS_SHOWN],
        "more_fields": [line for line in more if line.kind != "checkbox"],
        "more_ticks": [line for line in more if line.kind == "checkbox"],
        "more_count": len(used),
        "active": _active(look),
        "list_url": look.url(look.cleared),
        "form_url": Filters(sections=look.cleared.sections).address(look.gstin),
        "sizes": [(size, look.url(rows=size), size == look.rows) for size in inbox.ROWS],
        "sorts": [(word, look.url(sort=Sort(by)), by is look.sort.by) for by, word in SORTS.items()],
        "headings": {by.value: _heading(look, by) for by in By},
    }


def _heading(look: Look, by: By) -> dict[str, str]:
    is_here = look.sort.by is by
    aria = ("descending" if look.sort.descends else "ascending") if is_here else "none"
    return {"url": look.url(sort=look.sort.next(by)), "aria": aria}


def _options(name: str) -> Mapping[str, object]:
    states = {action.value: word for action, word in wording.STATES.items()} | {SUPERSEDED: _("Superseded")}
    return {
        "action": states,
        "status": STATUSES,
        "match": {code.value: word for code, word in MATCHES.items()},
        "type": {code.value: word for code, word in TYPES_OF_SUPPLY.items()},
        "source": {form.value: form.value for form in SOURCES},
    }.get(name, {})


def _shown(line: Field, asked: Parsed, problems: Mapping[str, str], *, has_books: bool) -> Shown:
    value = getattr(asked.filters, line.attribute)
    typed = asked.typed.get(line.name, "")
    is_written = line in asked.filters.active and line.name not in problems
    written = line.write(value) if is_written else typed if line.name in problems else ""
    error = problems.get(line.name, "")
    label = str(LABELS[line.name])
    if line.is_flag:
        return Shown(line.name, label, written, error, "checkbox")
    choices = _options(line.name)
    options = [(code, str(word), code == written) for code, word in choices.items()]
    is_barred = line.name == "match" and not has_books
    hint = _("No purchase register yet, so nothing is matched.") if is_barred else ""
    kind = "barred" if is_barred else "select" if options else "text"
    return Shown(line.name, label, written, error, kind, options, hint)


def _sections(filters: Filters, problems: Mapping[str, str]) -> Shown:
    is_whole = filters.sections == IN_IMS
    options = [(code.value, str(wording.SECTIONS[code]), not is_whole and code in filters.sections) for code in IN_IMS]
    return Shown("section", str(LABELS["section"]), "", problems.get("section", ""), "several", options)


def _active(look: Look) -> list[dict[str, str]]:
    """Return the filters in force but those the tabs say: each in words, with the address of the list without it."""
    found = []
    filters = look.filters
    if filters.slug == ALL and filters.sections != IN_IMS:
        words = ", ".join(str(wording.SECTIONS[code]) for code in filters.sections)
        found.append({"text": words, "url": look.url(filters.but(sections=IN_IMS))})
    for line in filters.active:
        if line.name in ("action", "settled"):
            continue
        written = line.write(getattr(filters, line.attribute))
        label = str(LABELS[line.name])
        word = str(_options(line.name).get(written, written))
        text = label if line.is_flag else _("%(filter)s: %(value)s") % {"filter": label, "value": word}
        without = filters.but(**{line.attribute: getattr(NONE, line.attribute)})
        found.append({"text": text, "url": look.url(without)})
    return found


def tabs(look: Look, found: inbox.Page) -> list[dict[str, object]]:
    """Return one tab per state with its count and tax, and that of all."""
    filters = look.filters
    shown = SETTLED_COLUMNS if filters.settled else OPEN_COLUMNS
    names = [(action.value, str(wording.STATES[action])) for action in shown]
    if found.by_action.get(SUPERSEDED):
        names.append((SUPERSEDED, _("Superseded")))
    names = [("", _("All")), *names]
    return [
        {
            "name": name,
            "url": look.url(filters.but(action=letter)),
            "word": f"{name} {show.count(_sum(found, letter).count)}",
            "sum": _sum(found, letter),
            "is_here": filters.action == letter,
        }
        for letter, name in names
    ]


def _sum(found: inbox.Page, letter: str) -> Sum:
    return found.by_action.get(letter, Sum()) if letter else sum(found.by_action.values(), Sum())


def nothing(look: Look, settled: tuple[int, int] | None) -> str:
    """Return why a list is empty: its filters, nothing settled yet, or nothing reported.

    `settled` is the latest month whose GSTR-3B settled records of these sections, and how many.
    """
    if look.filters != look.cleared:
        return _("No record matches these filters.")
    if look.filters.settled:
        return _("Nothing is settled here yet: records settle when your GSTR-3B is filed.")
    if settled is not None:
        told = ngettext(
            "Nothing is open here. %(count)s record was settled with GSTR-3B of %(period)s.",
            "Nothing is open here. %(count)s records were settled with GSTR-3B of %(period)s.",
            settled[1],
        )
        return told % {"count": show.count(settled[1]), "period": show.period(settled[0])}
    return _("No open records. Suppliers' documents appear here as soon as they save them.")


def is_of_bills(filters: Filters) -> bool:
    """Whether a list holds bills of entry alone: they have a port, no value and no State's tax."""
    return set(filters.sections) <= BILLS_OF_ENTRY
