"""docker-compose.yml and the Dockerfile, checked without an engine: they parse, fit together, and hold no secret."""

import re
from typing import Any

import pytest
import yaml

from ims_portal import embedded, grants

COMPOSE: dict[str, Any] = yaml.safe_load((embedded.PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (embedded.PROJECT / "Dockerfile").read_text()
EXAMPLE = (embedded.PROJECT / ".env.example").read_text()
OURS = ("migrate", "web", "worker", "beat")


def test_every_part_of_the_portal_is_a_service() -> None:
    assert set(SERVICES) == {"postgres", "redis", "redis-cache", *OURS}


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
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["environment"] == kept | {"IMS_ROLE": name}
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
    assert opened == {"web": ["127.0.0.1:${WEB_PORT:-8000}:8000"]}


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
