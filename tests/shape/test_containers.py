"""docker-compose.yml and the Dockerfile, checked without an engine: they parse, fit together, and hold no secret."""

import configparser
import re
from typing import Any

import pytest
import yaml

from ims_portal import embedded, environment, grants, limits, sql

COMPOSE: dict[str, Any] = yaml.safe_load((embedded.PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (embedded.PROJECT / "Dockerfile").read_text()
EXAMPLE = (embedded.PROJECT / ".env.example").read_text()
OURS = ("migrate", "web", "worker", "beat")


def test_every_part_of_the_portal_is_a_service() -> None:
    assert set(SERVICES) == {"postgres", "pgbouncer", "redis", "redis-cache", "front", *OURS}


def test_broker_and_cache_are_apart_and_the_broker_evicts_nothing() -> None:
    assert "noeviction" in SERVICES["redis"]["command"]
    assert "allkeys-lru" in SERVICES["redis-cache"]["command"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_lasting_services_restart_and_are_asked_after(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_read_their_settings_from_env_and_hold_no_privilege(name: str) -> None:
    service = SERVICES[name]
    assert service["env_file"] == ".env"
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["environment"]["IMS_ROLE"] == {"migrate": "command"}.get(name, name)


def test_only_what_migrates_knows_the_owner_of_the_database() -> None:
    owner = SERVICES["migrate"]["environment"]
    assert owner == {"IMS_ROLE": "command", "DATABASE_URL": "${OWNER_DATABASE_URL:?write it into .env}"}
    kept = {"POSTGRES_PASSWORD": "", "OWNER_DATABASE_URL": "", "IMS_APP_PASSWORD": "", "IMS_AUDIT_PASSWORD": ""}
    pooled = {"DATABASE_URL": "${WEB_DATABASE_URL:?write it into .env}"}
    for name in ("web", "worker", "beat"):
        own = pooled if name == "web" else {}
        assert SERVICES[name]["environment"] == kept | own | {"IMS_ROLE": name}
    assert re.search(rf"^DATABASE_URL=postgresql://{grants.APP}:", EXAMPLE, re.MULTILINE)
    assert re.search(r"^OWNER_DATABASE_URL=postgresql://ims:", EXAMPLE, re.MULTILINE)


def test_grants_are_put_in_force_after_every_migration() -> None:
    shell, flag, line = SERVICES["migrate"]["command"]
    assert (shell, flag) == ("sh", "-c")
    assert line == "python manage.py migrate --noinput && python manage.py grant_roles"


def test_dependencies_exist_and_have_what_is_waited_for() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            assert wait["condition"] != "service_healthy" or SERVICES[other]["healthcheck"]


def test_volumes_are_declared() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_passwords_have_no_default() -> None:
    text = (embedded.PROJECT / "docker-compose.yml").read_text()
    for name in re.findall(r"\$\{(\w*PASSWORD\w*)", text):
        assert f"${{{name}:?" in text
        assert f"${{{name}:-" not in text
        assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE)
    assert re.search(r"^SECRET_KEY=$", EXAMPLE, re.MULTILINE)


def test_only_the_web_port_is_open_and_only_on_this_machine() -> None:
    opened = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert opened == {"front": ["127.0.0.1:${WEB_PORT:-8000}:8000"]}


def test_web_and_worker_have_two_replicas_behind_one_port() -> None:
    assert {name: SERVICES[name]["deploy"] for name in OURS if "deploy" in SERVICES[name]} == {
        name: {"replicas": 2} for name in ("web", "worker")
    }
    settings = SERVICES["front"]["environment"]["HAPROXY_CFG"]
    assert re.search(r"server-template replica \d+ web:8000 check .* resolvers names", settings)
    # A request that was sent to one replica is never sent to another: it may have been carried out.
    assert re.findall(r"^ *retry-on (.*)$", settings, re.MULTILINE) == ["conn-failure"]
    # The proxy in front names who asks, and only it: what one more adds would be taken for who asks.
    assert "forwardfor" not in settings
    assert not re.search(r"X-Forwarded|http-buffer-request|h1-case|set-header", settings)
    assert "haproxy -W -db -f /tmp/haproxy.cfg" in SERVICES["front"]["command"][0]


@pytest.mark.parametrize("name", ["pgbouncer", "front"])
def test_what_stands_between_holds_no_privilege_and_writes_only_its_settings(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["tmpfs"], service["cap_drop"]) == (True, ["/tmp"], ["ALL"])  # noqa: S108
    assert "env_file" not in service
    assert "no-new-privileges:true" in service["security_opt"]


def test_web_shares_its_sessions_by_transactions_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = configparser.ConfigParser(interpolation=None)
    pool.read_string(SERVICES["pgbouncer"]["environment"]["PGBOUNCER_INI"])
    told = pool["pgbouncer"]
    assert (told["pool_mode"], told["auth_type"]) == ("transaction", "scram-sha-256")
    assert SERVICES["pgbouncer"]["environment"]["IMS_APP_PASSWORD"] == "${IMS_APP_PASSWORD:?write it into .env}"
    assert "password" not in SERVICES["pgbouncer"]["environment"]["PGBOUNCER_INI"]
    # Web sends no settings of a session there, so there are none to be ignored, and to be lost.
    pooled, own = (_database(name, monkeypatch) for name in ("WEB_DATABASE_URL", "DATABASE_URL"))
    assert "options" not in pooled["OPTIONS"]
    assert "ignore_startup_parameters" not in told
    assert (pooled["HOST"], pooled["PORT"]) == ("pgbouncer", int(told["listen_port"]))
    assert (own["HOST"], "options" in own["OPTIONS"]) == ("postgres", True)
    assert SERVICES["web"]["depends_on"]["pgbouncer"] == {"condition": "service_healthy"}
    # A person who waits for a session is told so sooner than a statement would be given up.
    assert int(told["query_wait_timeout"]) < int(limits.STATEMENT["web"].removesuffix("s"))
    assert int(told["default_pool_size"]) + int(told["reserve_pool_size"]) < int(of_postgres()["max_connections"]) / 2


def _database(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the settings make of an address in .env.example."""
    (address,) = re.findall(rf"^{name}=(.*)$", EXAMPLE, re.MULTILINE)
    monkeypatch.setenv(name, address)
    return environment.database(name, options=limits.of("web"), may_be_pooled=True)


def of_postgres() -> dict[str, str]:
    """Return the settings PostgreSQL is started with."""
    program, *told = SERVICES["postgres"]["command"]
    assert program == "postgres"
    assert all(one.startswith("-c") for one in told)
    return dict(one.removeprefix("-c").split("=", 1) for one in told)


@pytest.mark.django_db
def test_settings_of_postgres_exist_and_take_their_values() -> None:
    told = of_postgres()
    assert not told.keys() & {"fsync", "full_page_writes", "synchronous_commit"}
    known = {
        name: (kind, unit, int(low or 0), int(high or 0))
        for name, kind, unit, low, high in sql.run(
            "SELECT lower(name), vartype, coalesce(unit, ''), min_val, max_val FROM pg_settings "
            "WHERE vartype <> 'real' AND lower(name) = ANY(%(names)s)",
            {"names": list(told)},
        )
    }
    assert known.keys() == told.keys()
    for name, value in told.items():
        kind, unit, low, high = known[name]
        if kind == "integer":
            number = int(re.sub(r"\D", "", value)) * IN_UNITS[unit][re.sub(r"\d", "", value)]
            assert low <= number <= high, name


IN_UNITS = {
    "": {"": 1},
    "8kB": {"GB": 131_072},
    "MB": {"GB": 1024},
    "s": {"s": 1, "min": 60},
    "ms": {"s": 1000},
}
"""Unit of a setting -> unit a value is written in -> how many of the first are one of the second."""


def test_image_runs_as_an_ordinary_user_from_hashed_requirements() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert re.search(r"^USER ims$", DOCKERFILE, re.MULTILINE)
    for source in re.findall(r"^COPY (\S+)", DOCKERFILE, re.MULTILINE):
        assert (embedded.PROJECT / source).exists(), source
    assert " gunicorn.conf.py " in DOCKERFILE  # without it headers of GST software are dropped


def test_worker_and_beat_run_the_commands_of_the_demo() -> None:
    for name in ("worker", "beat"):
        assert SERVICES[name]["command"][:3] == ["celery", "-A", "ims_portal.celery"]
        assert name in SERVICES[name]["command"]
