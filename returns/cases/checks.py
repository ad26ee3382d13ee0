"""What a worked case asks of the portal: each check compares only the keys it carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ims_portal import calendar
from ims_portal.rules import gstr3b as rules3b
from ims_portal.rules import periods
from ims_portal.rules.actions import Action
from ims_portal.rules.gstr2b import Placement
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Return
from invoices import standing
from invoices.models import Inbox, Record
from invoices.standing import Standing
from returns import gstr2b, gstr3b, ledgers, statement_sums
from returns.cases.case import day, tax, written
from returns.cases.play import Kept, Story
from returns.models import Addback, Gstr2b, Gstr2bLine

Check = Mapping[str, Any]
ABOUT = {"as_of", "check", "party", "record", "period", "ledger", "note"}
BLOCKS = {
    "itc_available": Placement.AVAILABLE,
    "itc_not_available": Placement.NOT_AVAILABLE,
    "itc_rejected": Placement.REJECTED,
}


def check(story: Story, asked: Check) -> Iterator[Kept]:
    """Yield one comparison for every key a check carries besides what it is about."""
    where = f"{asked['as_of']} {asked['check']} {asked['party']} " + " ".join(
        str(asked[key]) for key in ("record", "period", "ledger") if key in asked
    )
    if "record" in asked and asked["record"] not in story.records:
        yield Kept(where.strip(), "a record", "no document of that ref was kept")
        return
    yield from _CHECKS[asked["check"]](story, asked, where.strip())


def _plain(asked: Check, found: Mapping[str, Callable[[], object]], where: str) -> Iterator[Kept]:
    for key, expected in asked.items():
        if key not in ABOUT:
            yield Kept(f"{where}: {key}", _expected(key, expected), found[key]())


def _expected(key: str, value: Any) -> object:  # noqa: ANN401 whatever JSON holds
    if key in ("tax", "max_reduction", "balance") and value is not None:
        return written(tax(value))
    if key in ("allowed_actions", "locked", "warnings"):
        return sorted(value)
    if key == "itc_reduction" and value is not None:
        declared = value["declared"]
        return {"answer": value["answer"], "declared": None if declared is None else written(tax(declared))}
    if key == "addback" and value is not None:
        return {**value, "tax": written(tax(value["tax"]))}
    return value


def _ims_record(story: Story, asked: Check, where: str) -> Iterator[Kept]:
    record = story.record(asked["record"])
    today = standing.of(record.recipient, story.clock.at)
    specified = today.is_specified(record)
    until = today.pending_until(record)
    effective = today.effective_action(record)
    yield from _plain(
        asked,
        {
            "present": lambda: _is_present(record, today),
            "filed": lambda: record.is_filed,
            "action": lambda: effective.value,
            "tax": lambda: written(record.tax),
            "gstr2b_period": lambda: today.gstr2b_period(record).name,
            "allowed_actions": lambda: sorted(action.value for action in today.allowed(record)),
            "pending_blocked": lambda: Action.PENDING not in today.allowed(record),
            "pending_lapsed": lambda: today.pending_lapsed(record),
            "pending_until": lambda: until.isoformat() if until else None,
            "itc_reduction_blocked": lambda: not specified,
            "remarks_blocked": lambda: today.remarks_blocked(record),
            "itc_reduction": lambda: _reduction(record),
            "max_reduction": lambda: written(record.cap) if specified else None,
            "remarks": lambda: record.remark or None,
            "reason_code": lambda: record.reason_code or None,
            "superseded_by": lambda: story.ref_of(record.superseded_by_id),
            "settled_in": lambda: today.filer.period(record.settled_month).name if record.settled_month else None,
        },
        where,
    )


def _is_present(record: Record, today: Standing) -> bool:
    if record.status == Record.Status.WITHDRAWN or today.bypass(record) or record.settled_month is not None:
        return False
    later = record.superseded_by
    while later is not None and later.superseded_by is not None:
        later = later.superseded_by
    return later is None or later.settled_month is None


def _reduction(record: Record) -> dict[str, object] | None:
    if not record.answer:
        return None
    declared = written(record.declared) if record.answer == "P" else None
    return {"answer": "N" if record.answer == "N" else "Y", "declared": declared}


def _supplier_view(story: Story, asked: Check, where: str) -> Iterator[Kept]:
    record = story.record(asked["record"])
    today = standing.of(record.recipient, story.clock.at)
    bypasses = today.bypass(record) != ""
    yield from _plain(
        asked,
        {
            "present": lambda: record.status != Record.Status.WITHDRAWN,
            "action": lambda: "N" if bypasses else today.effective_action(record).value,
            "remarks": lambda: record.remark or None,
            "reason_code": lambda: record.reason_code or None,
            "actionable_by_recipient": lambda: not (bypasses or record.settled_month or record.superseded_by_id),
            "addback": lambda: _addback(record, today),
        },
        where,
    )


def _addback(record: Record, today: Standing) -> dict[str, object] | None:
    fixed = Addback.objects.filter(record=record).first()
    if fixed is not None:
        supplier = calendar.filer(fixed.supplier)
        return {"status": "fixed", "tax": written(fixed.tax), "period": supplier.period(fixed.target_month).name}
    may_cost = today.may_add_back(record)
    return {"status": "provisional", "tax": written(record.cap), "period": None} if may_cost else None


def _gstr2b(story: Story, asked: Check, where: str) -> Iterator[Kept]:
    taxpayer, period = story.taxpayers[asked["party"]], periods.parse(asked["period"])
    statement = gstr2b.current(taxpayer, period) if story.filers[asked["party"]].owns(period) else None
    if statement is None:
        for key, expected in asked.items():
            if key not in ABOUT:
                yield Kept(f"{where}: {key}", expected, False if key == "generated" else "there is no GSTR-2B")
        return
    for key, expected in asked.items():
        if key in BLOCKS:
            yield from _block(statement, BLOCKS[key], expected, f"{where}: {key}")
        elif key == "lines":
            yield from _lines(story, statement, expected, f"{where}: line")
        elif key not in ABOUT:
            yield _statement_fact(story, statement, key, expected, where)


def _statement_fact(story: Story, statement: Gstr2b, key: str, expected: Any, where: str) -> Kept:  # noqa: ANN401
    if key == "itc_reversal":
        sums = statement_sums.by_part(statement)
        found = sum((amount for (placement, _part), amount in sums.items() if placement is Placement.REVERSAL), Tax())
        return Kept(f"{where}: {key}", written(tax(expected)), written(found))
    facts: dict[str, Callable[[], object]] = {
        "generated": lambda: True,
        "computed_on": statement.as_of.isoformat,
        "out_of_date": lambda: gstr2b.is_out_of_date(
            statement,
            inbox=Inbox.objects.get(pk=statement.recipient_id),
            today=standing.of(statement.recipient, story.clock.at),
        ),
    }
    return Kept(f"{where}: {key}", expected, facts[key]())


def _block(statement: Gstr2b, placement: Placement, expected: Check, where: str) -> Iterator[Kept]:
    parts = statement.sums.get(placement.value, {})
    for name, amount in expected.items():
        if name == "rows":
            for row, row_amount in amount.items():
                counted = sum((Tax(*rows[row][1:]) for rows in parts.values() if row in rows), Tax())
                yield Kept(f"{where} row {row}", written(tax(row_amount)), written(counted))
        else:
            counted = sum((Tax(*line[1:]) for line in parts.get(name, {}).values()), Tax())
            yield Kept(f"{where} {name}", written(tax(amount)), written(counted))


def _lines(story: Story, statement: Gstr2b, expected: Check, where: str) -> Iterator[Kept]:
    found = {line.record_id: line for line in gstr2b.lines(statement)}
    for ref, asked in expected.items():
        line = found.get(story.records.get(ref, 0))
        if asked is None or line is None:
            yield Kept(f"{where} {ref}", asked, None if line is None else _line(line))
            continue
        told = _line(line)
        for key, value in asked.items():
            yield Kept(f"{where} {ref} {key}", written(tax(value)) if key == "tax" else value, told[key])


def _line(line: Gstr2bLine) -> dict[str, object]:
    return {
        "section": line.placement,
        "part": line.part,
        "row": line.row,
        "tax": written(line.tax),
        "status": line.status or None,
        "reason": line.reason or None,
        "remarks": line.remark or None,
    }


def _gstr3b(story: Story, asked: Check, where: str) -> Iterator[Kept]:
    taxpayer, period = story.taxpayers[asked["party"]], periods.parse(asked["period"])
    draft = gstr3b.draft(taxpayer=taxpayer, period=period, at=story.clock.at)
    filing = draft.filing
    facts: dict[str, object] = {
        "filed": draft.facts["is_filed"],
        "filed_on": filing.filed_on.isoformat() if filing else None,
        "locked": sorted(set(draft.locked) - set(rules3b.VALUE_ONLY)),  # cases name the rows that hold tax
        "warnings": sorted(draft.warnings),
        "refusal": draft.refusal.value if draft.refusal else None,
        "ims_addback": written(draft.addback),
    }
    for key, expected in asked.items():
        if key in ("derived", "declared"):
            rows: Mapping[str, Tax] = getattr(draft, key)
            for row, amount in expected.items():
                yield Kept(f"{where}: {key} {row}", written(tax(amount)), written(rows[row]))
        elif key not in ABOUT:
            value = written(tax(expected)) if key == "ims_addback" else expected
            yield Kept(f"{where}: {key}", sorted(value) if isinstance(value, list) else value, facts[key])


def _ledger(story: Story, asked: Check, where: str) -> Iterator[Kept]:
    found = ledgers.balance(story.taxpayers[asked["party"]], asked["ledger"])
    yield Kept(f"{where}: balance", written(tax(asked["balance"])), written(found))


def _due_dates(story: Story, asked: Check, where: str) -> Iterator[Kept]:
    period, filer = periods.parse(asked["period"]), story.filers[asked["party"]]
    in_force = calendar.in_force(story.clock.at)
    for key, form in (("gstr1", Return.GSTR1), ("gstr2b", Return.GSTR2B), ("gstr3b", Return.GSTR3B)):
        if key in asked:
            yield Kept(f"{where}: {key}", day(asked[key]), in_force.due(form, period, filer.group))


_CHECKS: dict[str, Callable[[Story, Check, str], Iterator[Kept]]] = {
    "ims_record": _ims_record,
    "supplier_view": _supplier_view,
    "gstr2b": _gstr2b,
    "gstr3b": _gstr3b,
    "ledger": _ledger,
    "due_dates": _due_dates,
}
