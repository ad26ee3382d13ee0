"""The law as worked cases: every file of tests/cases plays through the domain; the list of those not kept shrinks."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from returns.cases import case, checks, play

CASES = sorted((Path(__file__).parent.parent / "cases").glob("*.json"))
NOT_BUILT_YET: dict[str, str] = {}
"""Case id -> what is missing. Strict: a case that starts to hold must leave this list."""


def _cases() -> list[pytest.param]:
    found = []
    for path in CASES:
        if path.name == "case.schema.json":
            continue
        name = path.name.split("-", 1)[0]
        marks = [pytest.mark.xfail(strict=True, reason=NOT_BUILT_YET[name])] if name in NOT_BUILT_YET else []
        found.append(pytest.param(path, id=path.stem[:60], marks=marks))
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", _cases())
def test_case_holds(path: Path) -> None:
    broken = [
        f"{kept.where}: expected {kept.expected}, found {kept.found}"
        for kept in play.play(case.read(path), checks.check)
        if not kept.holds
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("items", "wrong"),
    [
        ("events", '{"date": "2025-10-31", "type": "compute_2b", "party": "R", "period": "092025"}'),
        ("expect", '{"as_of": "2025-10-31", "check": "ledger", "party": "R", "ledger": "rcm", "balance": {"igst": 0}}'),
    ],
)
def test_a_file_with_something_before_its_start_is_no_case(tmp_path: Path, items: str, wrong: str) -> None:
    raw = json.loads(CASES[0].read_text(encoding="utf-8")) | {"start": "2025-11-01", "expect": []}
    raw["events"] = [{"date": "2025-11-01", "type": "compute_2b", "party": "R", "period": "092025"}]
    path = tmp_path / "T900-early.json"
    path.write_text(json.dumps(raw | {items: [json.loads(wrong)]}), encoding="utf-8")
    with pytest.raises(case.UnreadableCaseError, match=f"{items}/0: .* 2025-10-31 lies before the start 2025-11-01"):
        case.read(path)


BILL = {"type": "boe", "section": "IMPG", "ref": "a", "importer": "R", "boe_date": "2025-11-04", "tax": {"igst": 5}}


@pytest.mark.parametrize(
    ("number", "port", "refusal"),
    [("7", "INBOM4", None), ("7", "INBOM44", "DOCUMENT_INVALID"), ("7" * 31, "INBOM4", "DOCUMENT_INVALID")],
)
@pytest.mark.django_db(transaction=True)
def test_a_bill_of_entry_that_cannot_be_kept_is_a_finding_and_no_crash(
    tmp_path: Path, number: str, port: str, refusal: str | None
) -> None:
    raw = json.loads(CASES[0].read_text(encoding="utf-8")) | {"start": "2025-11-01", "expect": []}
    raw["parties"] = {"R": {"gstin": "27AAACR5055K1Z7", "type": "regular", "filing": "monthly"}}
    action = {"date": "2025-11-06", "type": "ims_action", "party": "R", "record": "a", "action": "P"}
    raw["events"] = [{"date": "2025-11-05", "no": number, "port": port, **BILL}, action]
    path = tmp_path / "T900-bill.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    found = list(play.play(case.read(path), checks.check))
    assert found[0].found == refusal
    assert [kept.holds for kept in found] == ([False, False] if refusal else [True, True])


@pytest.mark.django_db(transaction=True)
def test_the_command_plays_the_cases_of_a_folder_that_holds_their_schema_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("run_case", str(CASES[0].with_name("case.schema.json")), str(CASES[0]))
    said = capsys.readouterr().out
    assert "all kept in 1 cases" in said
    assert "BROKEN" not in said
