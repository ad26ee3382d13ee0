"""Which passwords are refused: short, long, common, like the person's name, made of what everybody here knows."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from ims_portal.models import User
from tests import factories, signing_in


def refused(password: str) -> set[str]:
    """Return the reasons for which a password is refused to Lakshmi Iyer."""
    try:
        validate_password(password, User(username="lakshmi", full_name="Lakshmi Iyer"))
    except ValidationError as problem:
        return {one.code for one in problem.error_list}
    return set()


@pytest.mark.parametrize(
    "password", ["correct horse battery", "जय हिन्द मेरा भारत", "x7#Qp2vLm9!z", "swims at the portal of dawn"]
)
def test_a_phrase_of_one_s_own_is_taken(password: str) -> None:
    assert refused(password) == set()


def test_twelve_characters_are_the_least_and_128_the_most() -> None:
    assert refused("hJ7!kd93mZq") == {"password_too_short"}
    assert refused("hJ7!kd93mZqx") == set()
    assert refused("hJ7!" * 32) == set()
    assert refused("hJ7!" * 32 + "k") == {"password_too_long"}


def test_a_common_one_is_refused() -> None:
    assert "password_too_common" in refused("1q2w3e4r5t6y")


@pytest.mark.parametrize("password", ["lakshmi-iyer", "iyerlakshmi1"])
def test_one_like_the_name_is_refused(password: str) -> None:
    assert "password_too_similar" in refused(password)


@pytest.mark.parametrize(
    "password",
    [
        "imsportal2026",
        "GST-Portal-2026!",
        "27AAACR5055K1Z7",
        "27aaacr5055k1z7-gst",
        "Lakshmi@IMS-123",
        "gstin portal gstr",
    ],
)
def test_what_everybody_here_knows_is_not_enough(password: str) -> None:
    assert "password_of_context_words" in refused(password)


@pytest.mark.django_db
def test_the_page_that_changes_it_says_so_and_ends_other_sessions(client: Client) -> None:
    factories.user("asha")
    other, page = Client(), "/en/account/password/change/"
    for somebody in (client, other):
        signing_in.sign_in(somebody, "asha")
    sent = {"oldpassword": signing_in.PASSWORD, "password1": "imsportal2026", "password2": "imsportal2026"}
    assert "at least 8 other characters" in client.post(page, sent).text
    chosen = "another fine battery"
    client.post(page, sent | {"password1": chosen, "password2": chosen})
    assert client.get("/en/me/").status_code == 200
    assert "/login/" in other.get("/en/me/").headers["Location"]
    assert "Password changed" in client.get("/en/me/").text
