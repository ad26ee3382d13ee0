"""What machines ask of the portal: does it live, can it serve, what did it count; what the log says of a request."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import logs, metrics, queue, requests
from returns import gstr2b
from tests import factories
from tests.visitor import Visitor

pytestmark = pytest.mark.django_db
TOKEN = "a-secret-of-thirty-two-characters"


@pytest.fixture
def lines(settings: LazySettings) -> Iterator[Callable[[], list[dict[str, object]]]]:
    """What the portal's own handler writes from here on, outside the sandbox, as the lines it writes."""
    told = logs.configuration(level="INFO", with_texts=False)
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Kept()
    form = dict(told["formatters"]["json"])
    handler.setFormatter(form.pop("()")(**form))
    handler.addFilter(logs.NoTexts(with_texts=False))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written]
    root.removeHandler(handler)
    root.setLevel(level)
    logs.configuration(level="WARNING", with_texts=settings.IMS_SANDBOX)


def test_a_process_that_lives_says_so_without_the_database(client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/health/").json() == {"status": "ok"}
    assert len(asked) == 0


def test_it_can_serve_when_the_database_has_every_migration(client: Client) -> None:
    assert client.get("/ready/").json() == {"status": "ready", "broker": "ok"}
    MigrationRecorder(connection).record_unapplied("returns", "0002_append_only")
    answer = client.get("/ready/")
    assert (answer.status_code, answer.json()["status"]) == (503, "not migrated")


def test_it_cannot_serve_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_recorder: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", gone)
    answer = client.get("/ready/")
    assert (answer.status_code, answer.json()["status"]) == (503, "no database")


def test_a_broken_broker_is_told_and_stops_nobody(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "broker_rests", lambda: True)
    answer = client.get("/ready/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "broker": "resting"})


def test_metrics_are_for_whoever_knows_the_secret(client: Client, settings: LazySettings) -> None:
    settings.IMS_METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.IMS_METRICS_TOKEN = TOKEN
    for sent in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": TOKEN}):
        assert client.get("/metrics", headers=sent).status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_metrics_tell_of_requests_work_and_what_was_made_of_it_and_of_nobody(
    client: Client, settings: LazySettings
) -> None:
    settings.IMS_METRICS_TOKEN = TOKEN
    factories.filed_record()
    factories.computed()
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    client.force_login(asha)
    client.get(f"/en/t/{factories.RECIPIENT}/")
    client.get("/wp-login.php")
    told = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert 'ims_requests_total{method="GET",route="home",status="200"}' in told
    assert 'ims_requests_total{method="GET",route="unknown",status="404"}' in told
    assert re.search(r'ims_request_seconds_bucket{le="0.3",route="home"} \d', told)
    assert "ims_statements 1.0" in told
    assert "ims_filings 0.0" in told
    assert re.search(r"ims_database_connections [1-9]", told)
    assert "ims_broker_failures_total" in told
    for personal in (factories.RECIPIENT, factories.SUPPLIER, "asha", "wp-login", "INV1"):
        assert personal not in told


def test_metrics_tell_how_long_work_waits(client: Client, settings: LazySettings) -> None:
    settings.IMS_METRICS_TOKEN = TOKEN
    factories.filed_record()
    gstr2b.request(
        taxpayer=factories.taxpayer(), period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-14")
    )
    told = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert 'ims_jobs{kind="gstr2bjob",state="waiting"} 1.0' in told
    assert 'ims_job_oldest_seconds{kind="gstr2bjob",state="waiting"}' in told


@pytest.mark.django_db(transaction=True)
def test_counts_of_all_processes_are_added_up(
    start_web: Callable[[], str],
    process_environment: dict[str, str],
) -> None:
    process_environment["IMS_METRICS_TOKEN"] = TOKEN
    visitor = Visitor(start_web())
    for _ in range(12):
        visitor.get("/en/help/")
    told = visitor.get("/metrics", {"Authorization": f"Bearer {TOKEN}"}).text
    assert 'ims_requests_total{method="GET",route="help",status="200"} 12.0' in told


def test_every_answer_has_the_number_its_line_has(client: Client, lines: Callable[[], list[dict[str, object]]]) -> None:
    asha = factories.member(factories.taxpayer(), "viewer", "asha")
    client.force_login(asha)
    answer = client.get(f"/en/t/{factories.RECIPIENT}/")
    (line,) = [line for line in lines() if line["event"] == "request"]
    assert line["request"] == answer.headers[requests.HEADER]
    told = {name: line[name] for name in ("route", "method", "status", "user")}
    assert told == {"route": "home", "method": "GET", "status": 200, "user": asha.pk}
    assert isinstance(line["ms"], int)
    client.get("/health/")
    assert len([line for line in lines() if line["event"] == "request"]) == 1


def test_a_refusal_to_a_program_quotes_the_number(client: Client) -> None:
    answer = client.get("/api/v1/token")
    assert answer.json()["request_id"] == answer.headers[requests.HEADER]


def test_an_error_of_ours_quotes_the_number_and_logs_no_text(
    lines: Callable[[], list[dict[str, object]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise ValueError("CANARY of what somebody typed")

    client = Client(raise_request_exception=False)
    client.force_login(factories.user("asha"))
    monkeypatch.setattr("ims_portal.access.all_of", broken)
    answer = client.get("/en/t/?q=CANARY")
    assert answer.status_code == 500
    assert answer.headers[requests.HEADER] in answer.text
    text = json.dumps(lines())
    assert "ValueError" in text
    assert answer.headers[requests.HEADER] in text
    assert "CANARY" not in text


def test_an_address_that_is_refused_is_logged_by_its_page(
    client: Client, lines: Callable[[], list[dict[str, object]]]
) -> None:
    client.get(f"/en/t/{factories.RECIPIENT}/ims/deadlines.ics?key=CANARY")
    client.get("/CANARY/", headers={"Host": "CANARY.example.in"})
    text = json.dumps(lines())
    assert "CANARY" not in text
    assert factories.RECIPIENT not in text


def test_what_a_failed_task_says_is_only_its_kind() -> None:
    told = ({"name": "t", "exc": "CANARY"},)
    record = logging.LogRecord(
        "celery.app.trace", logging.ERROR, "", 0, "%(name)s: %(exc)s", told, (ValueError, ValueError("CANARY"), None)
    )
    logs.NoTexts(with_texts=False).filter(record)
    assert record.getMessage() == "t: ValueError"


def test_counting_stops_nobody(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def swept(*_labels: str) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(metrics.REQUESTS, "labels", swept)
    monkeypatch.setattr(metrics.BROKER_FAILURES, "inc", swept)
    assert client.get("/health/").status_code == 200
    metrics.broker_failed()
