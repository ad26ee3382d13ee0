"""Why is told from the tables themselves: every fact and answer has words, and each change named really changes it."""

import itertools

import pytest

from ims_portal import rulebook
from ims_portal.rules import actions, gstr2b, rates, words
from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.documents import Section
from ims_portal.rules.table import Dated, Table, otherwise, row
from ims_portal.rules.why import explain, since

RULES = {
    f"{module.__name__.rsplit('.', 1)[-1]}.{name}": value
    for module, _title in rulebook.CHAPTERS
    for name, value in vars(module).items()
    if isinstance(value, Dated)
}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())


@every_rule
def test_every_fact_and_every_value_has_words(rule: Dated) -> None:
    for table in rule.versions.values():
        for name, values in table.facts.items():
            assert name in words.FACTS
            for value in values:
                assert words.facts(name, [value])


@every_rule
def test_every_answer_has_words_of_its_own(rule: Dated) -> None:
    outcomes = {line.outcome for table in rule.versions.values() for line in table.rows}
    told = {words.answer(outcome) for outcome in outcomes}
    assert len(told) == len(outcomes)
    enums = [outcome for outcome in outcomes if hasattr(outcome, "value") and not isinstance(outcome, rates.Heads)]
    assert all(words.answer(outcome) != outcome.value for outcome in enums)


@every_rule
def test_every_row_of_every_version_explains_itself(rule: Dated) -> None:
    for start, table in rule.versions.items():
        seen: set[int] = set()
        for facts in itertools.islice(table.combinations(), 3_000):
            decided = table.decide(**facts)
            if decided.index not in seen:
                seen.add(decided.index)
                step = explain(rule, start, **facts)
                assert (step.says, step.cite, step.version) == (words.answer(decided.outcome), decided.cite, start)


def test_a_named_change_is_one_that_changes_the_answer() -> None:
    facts = {"action": "A", "reduces": False, "pending_lapsed": False}
    step = explain(actions.EFFECTIVE_ACTION, 202510, **facts)
    named = {change.when for change in step.changes}
    for letter in Action:
        changes = actions.EFFECTIVE_ACTION.decide(202510, **{**facts, "action": letter}).outcome != Action.ACCEPT
        assert (words.facts("action", [letter]) in named) is changes


def test_a_rejected_credit_note_says_who_could_change_it_and_how() -> None:
    step = explain(gstr2b.PLACEMENT, 202510, bypass="", unavailable="", action="R", is_barred=False)
    assert step.says == "It stands under ITC rejected"
    assert step.because == ("your action is Reject",)
    assert ("your action is Accept", "It stands under ITC available", "you") in [
        (change.when, change.then, change.mover) for change in step.changes
    ]


def test_the_last_row_names_the_facts_that_alone_could_have_changed_it() -> None:
    facts = {"section": Section.B2B, "is_reverse_charge": False, "is_pos_ineligible": False, "is_time_barred": False}
    facts["recipient_has_ims"] = True
    step = explain(gstr2b.BYPASS, 202510, **facts)
    assert "no reverse charge applies" in step.because
    assert "the place of supply allows credit" in step.because


def test_a_later_version_that_decides_otherwise_is_named_with_its_date() -> None:
    step = explain(
        gstr2b.BYPASS,
        202509,
        section="impg",
        is_reverse_charge=False,
        is_pos_ineligible=False,
        is_time_barred=False,
        recipient_has_ims=True,
    )
    assert [(change.when, change.then) for change in step.changes if change.mover == words.TIME] == [
        ("the rule in force from 10/2025 applied", "It is in IMS")
    ]


def test_a_fact_without_words_is_named_by_itself() -> None:
    rule = Dated(
        "made up", "a period", {0: Table("x", {"a": (1, 2)}, (row(1, a=1, cite="R0.0"), otherwise(2, cite="R0.0")))}
    )
    assert explain(rule, 0, a=1).because == ("a is 1",)


@pytest.mark.parametrize(("version", "text"), [(0, ""), (202510, "10/2025"), (20250922, "22/09/2025")])
def test_the_start_of_a_version_is_written_as_people_read_it(version: int, text: str) -> None:
    assert since(version) == text


def test_every_refusal_has_words() -> None:
    assert set(words.REFUSALS) == set(Refusal)
