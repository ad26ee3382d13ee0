"""Requests nobody would write: never an error of ours, never an answer the schema does not tell."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ims_portal.access import Right
from tests import factories
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
PHASES = "examples,coverage,fuzzing,stateful"
ROLES = {
    "viewer": (Right.VIEW, Right.EXPORT),
    "preparer": USUAL,
    "signatory": (*USUAL, Right.FILE),
}
PERIOD = "name: p\n        schema:\n          type: string"
GSTIN = "name: gstin\n        schema:\n          type: string"
OTHER = "29AAKCT0000P1Z6"


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
    text = token(asha, factories.RECIPIENT, rights=ROLES[role])
    schema = tmp_path / "openapi.yaml"
    some, any_ = f"{GSTIN}\n          enum: [{factories.RECIPIENT}, {OTHER}]", SCHEMA.read_text()
    one = f"{PERIOD}\n          enum: ['102025', '092025']"
    schema.write_text(any_.replace(GSTIN, some).replace(PERIOD, one))  # or nearly every request would end at the door
    command = [str(TOOL), "run", str(schema), "--url", start_web(), "-H", f"Authorization: Bearer {text}"]
    command += ["--phases", PHASES, "--max-examples", "1", "--seed", "20261129"]
    command += ["--checks", ",".join(CHECKS), "--continue-on-failure", "--suppress-health-check", "all", "--no-color"]
    done = subprocess.run(
        command,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.canary"},
        cwd=SCHEMA.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
