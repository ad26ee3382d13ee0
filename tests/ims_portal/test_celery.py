"""Celery against the real broker: a prefork worker, a beat, and a broker that is dead or hangs."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings

from ims_portal import embedded, engines, run
from ims_portal.celery import app
from ims_portal.children import Child
from ims_portal.engines import Place
from ims_portal.environment import broker
from tests.live import wait_for

PUBLISH = """
import django, time
django.setup()
from celery import current_app
before = time.monotonic()
try:
    current_app.send_task("ims_portal.tasks.sweep", retry=False)
except Exception as problem:
    print(type(problem).__name__)
print(time.monotonic() - before)
"""


def test_our_app_is_the_current_one_in_every_process() -> None:
    assert current_app._get_current_object() is app


def test_settings_are_of_what_is_this_process_s_own_however_many_run_the_tests() -> None:
    assert broker(os.environ["REDIS_URL"]) == settings.CELERY_BROKER_URL
    assert os.environ["IMS_FILES"] == settings.MEDIA_ROOT


def test_lost_and_killed_work_is_handed_out_again() -> None:
    options = app.conf.broker_transport_options
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.visibility_timeout == options["visibility_timeout"] > app.conf.task_time_limit
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (5, 1)


def test_message_reaches_a_real_prefork_worker(start_worker: Callable[[], Child]) -> None:
    worker = start_worker()
    app.send_task("ims_portal.tasks.sweep")
    wait_for(lambda: "ims_portal.tasks.sweep" in worker.log.read_text() and " succeeded in " in worker.log.read_text())


def test_killed_worker_leaves_its_place_to_the_next(start_worker: Callable[[], Child]) -> None:
    killed = start_worker()
    os.killpg(killed.process.pid, signal.SIGKILL)
    killed.process.wait()  # a message sent to a dying worker is lost; the sweep is there for that
    app.send_task("ims_portal.tasks.sweep")
    worker = start_worker()
    wait_for(lambda: " succeeded in " in worker.log.read_text())


def test_beat_has_the_sweep_on_its_list(start_process: Callable[[str, list[str]], Child]) -> None:
    assert app.conf.beat_schedule["sweep"] == {"task": "ims_portal.tasks.sweep", "schedule": 30.0}
    beat = start_process("beat", run.beat_command())
    wait_for(lambda: "beat: Starting" in beat.log.read_text(), child=beat)


@pytest.fixture
def broken(tmp_path: Path) -> Place:
    """A broker of its own, to be broken."""
    return Place(folder=tmp_path / "servers", durable=False)


def publish(place: Place) -> tuple[str, float]:
    """Publish from a fresh web process, and return the error and the seconds it took."""
    environment = os.environ | embedded.environment(where=place) | {"IMS_ROLE": "web"}
    command = [sys.executable, "-c", PUBLISH]
    said = subprocess.run(command, cwd=embedded.PROJECT, env=environment, capture_output=True, text=True, check=True)
    *error, seconds = said.stdout.split()
    return " ".join(error), float(seconds)


def test_page_is_not_held_up_by_a_dead_broker(broken: Place) -> None:
    embedded.ensure_at(where=broken)
    embedded.release(where=broken)
    error, seconds = publish(broken)
    assert error == "OperationalError"
    assert seconds < 1


def test_page_is_held_up_a_second_by_a_hanging_broker(broken: Place) -> None:
    embedded.ensure_at(where=broken)
    pid = engines.valkey_pid(place=broken)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        error, seconds = publish(broken)
    finally:
        os.kill(pid, signal.SIGCONT)
        embedded.release(where=broken)
    assert error == "OperationalError"
    assert seconds < 3
