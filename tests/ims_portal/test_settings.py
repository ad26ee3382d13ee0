"""What the settings make of an environment, each read in a process of its own, and of the database and the pages."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from ims_portal import embedded

KEY = "k3y-" + "abcdefgh" * 8
PRODUCTION = {
    "DATABASE_URL": "postgresql://ims:pa%2Fss@db.example.in:5433/ims",
    "REDIS_URL": "redis://:secret@redis.example.in:6379/0",
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "ims.example.in, localhost",
    "IMS_FILES": "/tmp",  # noqa: S108 - only named, never written to
}
SHOW = """
import json, sys
from ims_portal import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def read(*names: str, **changes: str | None) -> dict[str, Any]:
    """Return settings as a fresh process reads them in production, with changes to its environment (None: not set)."""
    done = run(["-c", SHOW, *names], **changes)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refusal(**changes: str | None) -> str:
    """Return the last line of what a start with these changes says; it must fail."""
    done = run(["-c", SHOW], **changes)
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


def run(arguments: list[str], **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with a production environment and nothing else of ours."""
    ours = ("IMS_", "GSTN_", "DJANGO_", "DATABASE_", "REDIS_", "CACHE_", "SECRET_", "ALLOWED_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = kept | PRODUCTION | changes
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=embedded.PROJECT,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_is_the_default_and_safe() -> None:
    found = read(
        "DEBUG", "IMS_SANDBOX", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SECURE_SSL_REDIRECT", "ALLOWED_HOSTS"
    )
    assert found == {
        "DEBUG": False,
        "IMS_SANDBOX": False,
        "SESSION_COOKIE_NAME": "__Host-sid",
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "SECURE_SSL_REDIRECT": True,
        "ALLOWED_HOSTS": ["ims.example.in", "localhost"],
    }


def test_deployment_check_is_clean() -> None:
    done = run(["manage.py", "check", "--deploy", "--fail-level=WARNING"])
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


def test_cookies_drop_their_prefix_without_https() -> None:
    found = read("SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SECURE_HSTS_SECONDS", IMS_HTTPS="false")
    assert found == {"SESSION_COOKIE_NAME": "sid", "SESSION_COOKIE_SECURE": False, "SECURE_HSTS_SECONDS": 0}


def test_forwarded_protocol_is_believed_only_behind_our_proxy() -> None:
    assert read("SECURE_PROXY_SSL_HEADER", IMS_BEHIND_PROXY="true")["SECURE_PROXY_SSL_HEADER"][1] == "https"
    assert run(["-c", "from ims_portal.settings import SECURE_PROXY_SSL_HEADER"]).returncode == 1


def test_failures_to_sign_in_are_counted_by_the_database_and_the_address_behind_the_proxy() -> None:
    found = read(
        "IMS_FAILURES_PER_ADDRESS", "ALLAUTH_TRUSTED_PROXY_COUNT", "IMS_MFA", "CACHES", IMS_BEHIND_PROXY="true"
    )
    assert found.pop("CACHES")["default"]["BACKEND"] == "django.core.cache.backends.db.DatabaseCache"
    assert found == {"IMS_FAILURES_PER_ADDRESS": 20, "ALLAUTH_TRUSTED_PROXY_COUNT": 1, "IMS_MFA": "required"}
    assert read("IMS_FAILURES_PER_ADDRESS", IMS_SANDBOX="true")["IMS_FAILURES_PER_ADDRESS"] == 600


def test_database_address_is_read_whole() -> None:
    database = read("DATABASES")["DATABASES"]["default"]
    assert [database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "ims", "ims", "pa/ss", "db.example.in", 5433,
    ]  # fmt: skip
    assert database["CONN_HEALTH_CHECKS"]
    assert not database["ATOMIC_REQUESTS"]


def test_web_may_share_its_sessions_of_the_database_and_sends_nothing_then() -> None:
    pooled = "postgresql://ims_app:pa%2Fss@pool.example.in:6432/ims?pooling=transaction"
    database = read("DATABASES", DATABASE_URL=pooled)["DATABASES"]["default"]
    assert (database["HOST"], database["PORT"], database["OPTIONS"]) == ("pool.example.in", 6432, {})
    assert database["DISABLE_SERVER_SIDE_CURSORS"]
    assert "DISABLE_SERVER_SIDE_CURSORS" not in read("DATABASES")["DATABASES"]["default"]
    for role in ("worker", "beat", "command"):
        assert "Write the address of PostgreSQL itself." in refusal(DATABASE_URL=pooled, IMS_ROLE=role)
    assert "write pooling=transaction" in refusal(DATABASE_URL=pooled.replace("transaction", "statement"))


def test_socket_folders_keep_their_letter_case() -> None:
    found = read(
        "DATABASES",
        "CELERY_BROKER_URL",
        DATABASE_URL="postgresql://ims@/ims?host=/Srv/Sockets",
        REDIS_URL="unix:///Srv/Sockets/valkey.sock?db=3",
    )
    assert found["DATABASES"]["default"]["HOST"] == "/Srv/Sockets"
    assert found["CELERY_BROKER_URL"] == "redis+socket:///Srv/Sockets/valkey.sock?virtual_host=3"


@pytest.mark.parametrize(
    ("role", "statement", "publish"),
    [("web", "15s", {"socket_timeout": 1, "socket_connect_timeout": 1}), ("worker", "120s", {}), ("command", "0", {})],
)
def test_role_sets_how_long_a_statement_and_the_broker_may_take(
    role: str, statement: str, publish: dict[str, int]
) -> None:
    found = read("DATABASES", "CELERY_BROKER_TRANSPORT_OPTIONS", IMS_ROLE=role)
    assert f"statement_timeout={statement} " in found["DATABASES"]["default"]["OPTIONS"]["options"]
    options = found["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert {name: options[name] for name in options if name.startswith("socket")} == publish
    assert options["visibility_timeout"] == 600


def test_celery_knows_its_role_from_its_command_line() -> None:
    script = "from ims_portal import celery; from django.conf import settings; print(settings.ROLE)"
    script = f"import sys; sys.argv = ['celery', 'worker']; {script}"
    assert run(["-c", script]).stdout == "worker\n"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY is not set."),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be a random text of 50 characters"),
        ({"REDIS_URL": None}, "REDIS_URL is not set."),
        ({"REDIS_URL": "amqp://x"}, "REDIS_URL must start with redis://"),
        ({"CACHE_URL": "memcache://x"}, "CACHE_URL must start with redis://"),
        ({"DATABASE_URL": "sqlite:///ims.db"}, "DATABASE_URL must start with postgresql://"),
        ({"IMS_FILES": None}, "IMS_FILES is not set."),
        ({"IMS_SANDBOX": "treu"}, "IMS_SANDBOX is 'treu'; write true or false."),
        ({"IMS_MFA": "optional"}, "IMS_MFA=optional is for a sandbox only."),
        ({"IMS_DEMO_CODES": "true"}, "IMS_DEMO_CODES=true is for a sandbox only."),
        ({"IMS_MFA": "never"}, "IMS_MFA is 'never'; write one of: required, optional."),
        ({"IMS_HTTPS": "maybe"}, "IMS_HTTPS is 'maybe'"),
        ({"IMS_ROLE": "wrok"}, "IMS_ROLE is 'wrok'; write one of: web, worker"),
        ({"IMS_MAIL": "pigeon"}, "IMS_MAIL is 'pigeon'"),
        ({"IMS_LOG_LEVEL": "loud"}, "IMS_LOG_LEVEL is 'loud'"),
        ({"IMS_UPLOAD_LIMIT": "-5"}, "IMS_UPLOAD_LIMIT is '-5'; write a whole number above zero."),
    ],
)
def test_bad_value_stops_the_start_with_a_sentence(changes: dict[str, str | None], sentence: str) -> None:
    assert sentence in refusal(**changes)


def test_missing_servers_are_explained(tmp_path: Path) -> None:
    said = refusal(DATABASE_URL=None, REDIS_URL=None, IMS_LOCAL=str(tmp_path))
    assert "DATABASE_URL is not set and no demo runs in this folder. Start one with 'make demo'" in said


def test_every_setting_of_the_environment_is_explained() -> None:
    readers = ("settings.py", "binaries.py", "embedded.py", "management/commands/grant_roles.py")
    code = "".join((embedded.PROJECT / "ims_portal" / name).read_text() for name in readers)
    explained = (embedded.PROJECT / ".env.example").read_text()
    names = {line.partition("=")[0] for line in explained.splitlines() if line and not line.startswith("#")}
    for_compose = {
        "OWNER_DATABASE_URL",
        "WEB_DATABASE_URL",
        "POSTGRES_PASSWORD",
        "BROKER_PASSWORD",
        "CACHE_PASSWORD",
        "WEB_PORT",
    }
    assert {name for name in names - for_compose if f'"{name}"' not in code} == set()
    asked = {word for word in code.replace("(", '"').split('"') if word.isupper() and word.startswith("IMS_")}
    assert asked - names == set()


@pytest.mark.django_db
def test_connections_have_the_limits_that_locks_rely_on() -> None:
    names = ("transaction_isolation", "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    with connection.cursor() as cursor:
        cursor.execute(f"select {', '.join(f'current_setting({name!r})' for name in names)}")
        assert cursor.fetchone() == ("read committed", "5s", "15s", "30s")


@pytest.mark.django_db
def test_pages_carry_exactly_the_policy_of_the_portal() -> None:
    answer = Client().get("/en/account/login/")
    policy = {part.strip() for part in answer.headers["Content-Security-Policy"].split(";")}
    assert policy == {
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    }
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_nobody_signs_up_by_themselves() -> None:
    answer = Client().post("/en/account/signup/", {"username": "sneaky", "password1": KEY, "password2": KEY})
    assert b"sneaky" not in answer.content
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from ims_portal_user")
        assert cursor.fetchone() == (0,)
