"""Without a database every door says that it is away for a moment, and none calls it an error of its own (F23)."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGKILL

import pytest

from ims_portal import children, run, tokens
from tests.live import wait_for

pytestmark = pytest.mark.fault


@pytest.fixture
def port(process_environment: dict[str, str], tmp_path: Path) -> Iterator[int]:
    """A portal whose database cannot be reached."""
    with closing(socket.socket()) as probe:
        probe.bind((run.HOST, 0))
        free = int(probe.getsockname()[1])
    nowhere = {"DATABASE_URL": f"postgresql://ims@/ims?host={tmp_path}", "IMS_ROLE": "web"}
    web = children.start(
        name="web",
        command=run.web_command(port=free),
        environment=process_environment | nowhere,
        log=tmp_path / "web.log",
        if_we_die=SIGKILL,
    )
    wait_for(lambda: "Booting worker" in web.log.read_text(), child=web)
    yield free
    children.kill(children=[web])


def asked(port: int, path: str, headers: dict[str, str]) -> tuple[int, str, str]:
    with closing(http.client.HTTPConnection(run.HOST, port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": "localhost", **headers})
        answer = connection.getresponse()
        return answer.status, answer.headers["Retry-After"], answer.read().decode()


def test_each_door_answers_503_and_says_what_next(port: int) -> None:
    bearer = {"Authorization": f"Bearer {tokens.MARK}_0123abcd_{chr(97) * 43}"}
    for path, headers in (("/en/t/", {"Cookie": "sid=abcdefghijklmnopqrstuvwxyz012345"}), ("/en/accounts/login/", {})):
        status, again, text = asked(port, path, headers)
        assert (status, again) == (503, "2"), (path, text)
        assert "Sending the same form again does nothing twice." in text
    status, again, text = asked(port, "/api/v1/token", bearer)
    assert (status, again, json.loads(text)["code"]) == (503, "2", "BUSY")
    status, again, text = asked(port, "/gstn/returns/ims?action=GETCNT&gstin=29AAKCT0000P1Z6", bearer)
    assert (status, again, json.loads(text)["error"]["error_cd"]) == (503, "2", "APP-BUSY")
