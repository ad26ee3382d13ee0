"""Requests nobody would write: never an error of ours, never an answer the schema does not tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ims_portal.access import Right
from tests import depth, factories
from tests.api.client import USUAL, token

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
TOOL = Path(os.sys.executable).with_name("st")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "tells_nothing_of_others",
)
PHASES = "examples,fuzzing,stateful"
ALL_RIGHTS = "signatory"
"""Whose requests get furthest: every limit of the schema is tried as this one at least."""
ROLES = {
    "viewer": (Right.VIEW, Right.EXPORT),
    "preparer": USUAL,
    "signatory": (*USUAL, Right.FILE),
}
PERIOD = "name: p\n        schema:\n          type: string"
GSTIN = "name: gstin\n        schema:\n          type: string"
OTHER = "29AAKCT0000P1Z6"
HUNG_SECONDS = 10


@pytest.fixture
def world(transactional_db: None) -> None:  # noqa: ARG001 - commits, for the server to see
    """A taxpayer with a few records and a statement, and another one with canaries."""
    factories.taxpayer(OTHER, name="CANARY Limited")
    others = factories.document(number="CANARY-1", recipient=OTHER)
    factories.filed(*(factories.document(number=f"INV{n}", tax=n * 100) for n in (1, 2, 3)), others)
    factories.computed()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.usefixtures("world")
def test_made_up_requests_get_answers_of_the_schema(role: str, start_web: Callable[[], str], tmp_path: Path) -> None:
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    text = token(asha, factories.RECIPIENT, rights=ROLES[role], lasts=timedelta(days=1))
    schema = tmp_path / "openapi.yaml"
    some, any_ = f"{GSTIN}\n          enum: [{factories.RECIPIENT}, {OTHER}]", SCHEMA.read_text()
    one = f"{PERIOD}\n          enum: ['102025', '092025']"
    schema.write_text(any_.replace(GSTIN, some).replace(PERIOD, one))  # or nearly every request would end at the door
    command = [str(TOOL), "run", str(schema), "--url", start_web(), "-H", f"Authorization: Bearer {text}"]
    examples = 1 + depth.FUZZ_CASES // (len(ROLES) * any_.count("operationId:"))
    phases = f"{PHASES},coverage" if role == ALL_RIGHTS or depth.FUZZ_CASES else PHASES
    command += ["--phases", phases, "--max-examples", str(examples), "--seed", str(20261129 + depth.FUZZ_CASES)]
    command += ["--request-timeout", str(HUNG_SECONDS)]
    command += ["--checks", ",".join(CHECKS), "--continue-on-failure", "--suppress-health-check", "all", "--no-color"]
    counts = tmp_path / "counts.json"
    done = subprocess.run(
        command,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.canary", "IMS_FUZZ_COUNTS": str(counts)},
        cwd=SCHEMA.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    told = json.loads(counts.read_text())
    sys.stdout.write(f"{role}: {sum(told['statuses'].values())} requests, {told}\n")
    assert {status for status in told["statuses"] if status >= "5"} <= {"503"}
    assert told["slowest"] < HUNG_SECONDS
