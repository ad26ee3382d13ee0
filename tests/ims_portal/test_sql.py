"""Answers too large to be held are read in pieces."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal import sql

pytestmark = pytest.mark.django_db


def test_a_stream_yields_every_row_of_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "ROWS_READ", 3)
    with CaptureQueriesContext(connection) as asked:
        rows = list(sql.stream("SELECT n, n %% %(by)s FROM generate_series(1, 7) n", {"by": 2}))
    assert rows == [(n, n % 2) for n in range(1, 8)]
    assert len(asked) == 1


def test_a_stream_may_be_left_before_its_end() -> None:
    rows = sql.stream("SELECT n FROM generate_series(1, 1000000) n")
    assert next(rows) == (1,)
    rows.close()
    assert sql.run("SELECT 1") == [(1,)]


def test_a_stream_without_rows_yields_none() -> None:
    assert list(sql.stream("SELECT 1 WHERE FALSE")) == []
