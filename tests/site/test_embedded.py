"""Servers from wheels: started once however many ask, gone when the last has left, whatever was killed before."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from toonemo_site import embedded
from toonemo_site.embedded_servers import SOCKET_LIMIT, Postgres, Redis

USER = """
import sys
from pathlib import Path
from toonemo_site import embedded
var = Path(sys.argv[1])
embedded.ensure(embedded.Wanted(var, fast=True))
print("up", flush=True)
sys.stdin.read()
"""


def user(var: Path) -> subprocess.Popen[str]:
    """A process that needs the servers until its standard input ends."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", USER, str(var)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)


def wait_until_up(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("var")
    yield folder
    for server in (Redis(folder), Postgres(folder)):
        server.stop()


def test_two_that_start_at_once_share_and_the_last_one_stops(var: Path) -> None:
    first, second = user(var), user(var)
    wait_until_up(first)
    wait_until_up(second)
    postgres, redis = Postgres(var).pid(), Redis(var).pid()
    assert postgres is not None
    assert redis is not None
    leave(first)
    assert Postgres(var).running()
    assert Redis(var).running()
    leave(second)
    assert (Postgres(var).pid(), Redis(var).pid()) == (None, None)


def test_after_kill_9_of_everything_the_data_is_there(var: Path) -> None:
    process = user(var)
    wait_until_up(process)
    with psycopg.connect(host=str(Postgres(var).socket_dir), user="postgres", dbname="toonemo") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    for pid in (process.pid, Postgres(var).pid(), Redis(var).pid()):
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    # The killed server's number now means somebody else: this test.
    server = Postgres(var)
    for pid_file in (server.data / "postmaster.pid", server.socket_dir / ".s.PGSQL.5432.lock"):
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    again = user(var)
    wait_until_up(again)
    with psycopg.connect(host=str(Postgres(var).socket_dir), user="postgres", dbname="toonemo") as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    leave(again)


def test_servers_whose_user_was_killed_are_taken_over(var: Path) -> None:
    killed = user(var)
    wait_until_up(killed)
    before = Postgres(var).pid()
    killed.kill()
    killed.communicate()
    heir = user(var)
    wait_until_up(heir)
    assert Postgres(var).pid() == before
    leave(heir)
    assert Postgres(var).pid() is None


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    for server in (Postgres(deep), Redis(deep)):
        assert len(os.fsencode(server.socket_dir)) < SOCKET_LIMIT
        assert server.socket_dir == type(server)(deep).socket_dir
    redis = Redis(deep)
    redis.start()
    assert redis.running()
    assert stat.S_IMODE(redis.socket_dir.stat().st_mode) == 0o700
    redis.stop()
    assert not redis.running()


def test_a_folder_that_somebody_else_made_for_the_socket_is_refused(tmp_path: Path) -> None:
    redis = Redis(tmp_path / ("c" * 120))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    redis.socket_dir.symlink_to(elsewhere)
    try:
        with pytest.raises(embedded.EmbeddedError, match="belongs to another user"):
            redis.start()
    finally:
        redis.socket_dir.unlink()


def test_starting_nothing_makes_nothing(tmp_path: Path) -> None:
    embedded.ensure(embedded.Wanted(tmp_path / "var", postgres=False, redis=False))
    assert not (tmp_path / "var").exists()


def test_the_development_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    key = embedded.development_key(tmp_path)
    assert len(key) >= 50
    assert embedded.development_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///run/r.sock?db=3", "redis+socket:///run/r.sock?virtual_host=3"),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0"),
        ("redis://host:6379/1", "redis://host:6379/1"),
    ],
)
def test_celery_understands_the_address(url: str, broker: str) -> None:
    assert embedded.broker_url(url) == broker


def test_redis_stops_within_a_second_or_two(tmp_path: Path) -> None:
    redis = Redis(tmp_path)
    redis.start()
    started = time.monotonic()
    redis.stop()
    assert time.monotonic() - started < 10
    assert redis.pid() is None


def test_a_cluster_that_was_killed_while_it_was_made_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    process = user(tmp_path)
    wait_until_up(process)
    assert not half.exists()
    leave(process)
