"""Signing in as people do, with password and code, in tests that share the portal's database."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.core.cache import cache
from django.test import Client

from ims_portal import demo_codes

PASSWORD = "correct horse battery"
AT_LEAST = 5
"""Seconds a code is good for yet: one that changes while a busy machine sends it is refused."""
PAGE, CODE_PAGE = "/en/account/login/", "/en/account/2fa/authenticate/"


def code_of(username: str) -> str:
    """Return the code somebody's app shows now; one that was used in this half minute already is taken once more.

    A person would wait for the next one.
    """
    kept = Authenticator.objects.get(user__username=username, type=Authenticator.Type.TOTP)
    secret = decrypt(kept.data["secret"])
    if demo_codes.code(secret).seconds < AT_LEAST:
        time.sleep(demo_codes.code(secret).seconds + 0.1)
    code = demo_codes.code(secret).digits
    cache.delete(kept.wrap()._get_used_cache_key(code))
    return code


def sign_in(client: Client, username: str, password: str = PASSWORD) -> Any:  # noqa: ANN401 - the test client's answer
    """Sign somebody in who has an app, and return the page that follows."""
    asked = client.post(PAGE, {"login": username, "password": password})
    assert asked.headers["Location"] == CODE_PAGE, asked.text
    return client.post(CODE_PAGE, {"code": code_of(username)}, follow=True)
