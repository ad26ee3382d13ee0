"""A code of the authenticator app in the same request: asked for, taken once, and not to be guessed."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import RequestFactory
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from ims_portal.api import step_up
from ims_portal.api.errors import RefusedError
from ims_portal.models import User
from tests import factories
from tests.api.client import one_time_code

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


def sent(code: str) -> Request:
    """Return a request with a code."""
    return Request(RequestFactory().post("/api/v1/", headers={step_up.HEADER: code} if code else {}))


def refused(code: str, user: User) -> str:
    """Return how a code is refused."""
    with pytest.raises(RefusedError) as problem:
        step_up.require(sent(code), user)
    assert (problem.value.code, problem.value.status) == ("STEP_UP_REQUIRED", 403)
    return str(problem.value)


def test_who_has_no_app_is_told_where_one_is_added() -> None:
    assert "account" in refused("123456", factories.user(has_app=False))


def test_a_code_is_asked_for_and_taken_once() -> None:
    asha = factories.user()
    code = one_time_code(asha)
    assert step_up.HEADER in refused("", asha)
    step_up.require(sent(code), asha)
    assert "used already" in refused(code, asha)


def test_a_code_of_somebody_else_is_wrong() -> None:
    asha, ravi = factories.user("asha"), factories.user("ravi")
    one_time_code(asha)
    assert "wrong" in refused(one_time_code(ravi), asha)


@pytest.mark.parametrize("code", ["x", "\u0661\u0662\u0663\u0664\u0665\u0666", "1234567", "12345", "000 000"])
def test_what_is_no_code_is_refused(code: str) -> None:
    asha = factories.user()
    one_time_code(asha)
    assert "wrong" in refused(code, asha)


def test_codes_cannot_be_guessed() -> None:
    asha = factories.user()
    code = one_time_code(asha)
    for _time in range(5):
        refused("abcdef", asha)
    with pytest.raises(Throttled):
        step_up.require(sent(code), asha)
