"""Reads settings from the environment; a value that can't be meant stops the start and says what to write."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
POSTGRES_SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
REDIS_SCHEMES = ("redis", "rediss", "unix")
SHORTEST_KEY, FEWEST_KEY_LETTERS = 50, 5  # as Django's own deployment check has it
SHORTEST_SECRET = 32


def yes_or_no(name: str, *, default: bool) -> bool:
    """Return a switch. django-environ's own reader takes every misspelling for no."""
    written = env.str(name, default="").strip().lower()
    if not written:
        return default
    if written not in (*YES, *NO):
        message = f"{name} is {written!r}; write true or false."
        raise ImproperlyConfigured(message)
    return written in YES


def one_of(name: str, *, choices: tuple[str, ...], default: str) -> str:
    """Return one of the words that have a meaning."""
    written = env.str(name, default="") or default
    if written not in choices:
        message = f"{name} is {written!r}; write one of: {', '.join(choices)}."
        raise ImproperlyConfigured(message)
    return written


def only_in_a_sandbox(*, is_sandbox: bool, asked: Mapping[str, bool]) -> None:
    """Stop the start of anything but a sandbox where one of these is asked for: they let people in more easily."""
    found = ", ".join(name for name, is_asked in asked.items() if is_asked)
    if found and not is_sandbox:
        message = f"{found} is for a sandbox only. Take it out; IMS_SANDBOX=true is for places where nothing is real."
        raise ImproperlyConfigured(message)


def number(name: str, *, default: int) -> int:
    """Return a whole number above zero."""
    written = env.str(name, default="").strip()
    if not written:
        return default
    if not (written.isascii() and written.isdigit() and int(written)):
        message = f"{name} is {written!r}; write a whole number above zero."
        raise ImproperlyConfigured(message)
    return int(written)


def words(name: str, *, default: list[str]) -> list[str]:
    """Return the comma-separated parts, without blanks."""
    return [word.strip() for word in env.str(name, default="").split(",") if word.strip()] or default


def needed(name: str, *, why: str) -> str:
    """Return a text that production can't do without."""
    written: str = env.str(name, default="")
    if not written:
        message = f"{name} is not set. {why}"
        raise ImproperlyConfigured(message)
    return written


def secret_key(name: str) -> str:
    """Return Django's secret key if it is hard to guess."""
    written = needed(name, why="It signs sessions and forms; there is no default.")
    if len(written) < SHORTEST_KEY or len(set(written)) < FEWEST_KEY_LETTERS:
        message = (
            f"{name} must be a random text of {SHORTEST_KEY} characters or more. Make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
        raise ImproperlyConfigured(message)
    return written


def secret(name: str) -> str:
    """Return a secret that programs send, or "" for none; one that could be guessed is refused."""
    written: str = env.str(name, default="")
    if written and len(written) < SHORTEST_SECRET:
        message = f"{name} is too short. Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        raise ImproperlyConfigured(message)
    return written


def database(name: str, *, options: Mapping[str, str], may_be_pooled: bool) -> dict[str, Any]:
    """Return Django's description of a PostgreSQL; the options become settings of every connection.

    An address with pooling=transaction is that of a PgBouncer, which lends a session for one transaction: no settings
    are sent there, and no cursor of the server outlives its transaction. Only who may be pooled may write it.
    """
    url = env.str(name)
    if urlsplit(url).scheme not in POSTGRES_SCHEMES:
        message = f"{name} must start with postgresql:// because the portal needs PostgreSQL: exact sums and row locks."
        raise ImproperlyConfigured(message)
    described: dict[str, Any] = env.db_url_config(url)
    parameters = described.setdefault("OPTIONS", {})
    # The folder of a socket arrives as ?host=; as HOST it also serves dbshell.
    described["HOST"] = described["HOST"] or parameters.pop("host", "")
    pooling = parameters.pop("pooling", "")
    if pooling not in ("", "transaction"):
        message = f"pooling in {name} is {pooling!r}; write pooling=transaction, or leave it out."
        raise ImproperlyConfigured(message)
    if pooling and not may_be_pooled:
        message = (
            f"{name} says pooling=transaction, which only web can live with: workers hold their jobs, and commands "
            "their settings, by a session of their own. Write the address of PostgreSQL itself."
        )
        raise ImproperlyConfigured(message)
    if pooling:
        return described | {"DISABLE_SERVER_SIDE_CURSORS": True}
    blank, escaped = " ", r"\ "
    parameters["options"] = " ".join(f"-c {key}={value.replace(blank, escaped)}" for key, value in options.items())
    return described


def redis(name: str) -> str:
    """Return the address of a Redis or Valkey, if it is one."""
    url = needed(name, why="Write the address of a Redis or Valkey.")
    if urlsplit(url).scheme not in REDIS_SCHEMES:
        message = f"{name} must start with redis://, rediss:// or unix://."
        raise ImproperlyConfigured(message)
    return url


def broker(url: str) -> str:
    """Return a Redis address the way Celery writes it: for a unix socket the scheme and the database differ."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    query = [("virtual_host" if key == "db" else key, value) for key, value in parse_qsl(parts.query)]
    return f"redis+socket://{parts.path}?{urlencode(query)}"
