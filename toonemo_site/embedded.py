"""Real PostgreSQL and Redis out of Python wheels, for one machine where nothing is installed.

A process that needs them calls ``ensure``, which starts what does not run yet and holds a shared lock on the folder for
as long as the process lives. Whoever leaves last stops them. The kernel lets go of the lock of a process that was
killed, so there is nothing to repair: the next process finds them running and takes them over.

Servers listen on Unix sockets only, in folders that belong to one user. PostgreSQL refuses to run as root; where root
starts it, it runs as ``nobody``.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from toonemo_site.embedded_servers import EmbeddedError, Postgres, Redis

__all__ = ["EmbeddedError", "Wanted", "broker_url", "database_url", "development_key", "ensure", "redis_url", "release"]

DATABASE = "toonemo"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which servers a process needs under ``var``. ``fast``: a database that need not survive a power cut."""

    var: Path
    postgres: bool = True
    redis: bool = True
    fast: bool = False


_held: dict[Path, tuple[IO[str], Wanted, int]] = {}


def database_url(var: Path) -> str:
    """Where the database is, or will be once ``ensure`` was called. Starts nothing."""
    return f"postgres://postgres@/{DATABASE}?host={quote(str(Postgres(var).socket_dir))}"


def redis_url(var: Path) -> str:
    return f"unix://{Redis(var).socket}?db=0"


def broker_url(url: str) -> str:
    """A redis-py address as Celery writes it."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    number = next((q.removeprefix("db=") for q in query.split("&") if q.startswith("db=")), "0")
    return f"redis+socket://{path}?virtual_host={number}"


def ensure(wanted: Wanted) -> None:
    """Starts what ``wanted`` names and does not run; returns when both answer. Safe to call twice, and at once.

    Raises EmbeddedError, which says what happened and what to do.
    """
    if not (wanted.postgres or wanted.redis):
        return
    if wanted.var in _held:  # a forked child shares its parent's lock, and leaves with it
        return
    try:
        _ensure(wanted)
    except OSError as error:
        raise _unusable(error) from error


def _unusable(error: OSError) -> EmbeddedError:
    where = f" ({error.filename})" if error.filename else ""
    return EmbeddedError(
        f"The folder for what is written while running cannot be used: {error.strerror}{where}; "
        "set TOONEMO_VAR to one that this user may write to."
    )


def _ensure(wanted: Wanted) -> None:
    wanted.var.mkdir(parents=True, exist_ok=True)
    with _starting(wanted.var):
        users = (wanted.var / ".users.lock").open("a")
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            if wanted.postgres:
                Postgres(wanted.var, fast=wanted.fast).start(DATABASE)
            if wanted.redis:
                Redis(wanted.var).start()
        except BaseException:
            _leave(users, wanted)
            raise
        _held[wanted.var] = (users, wanted, os.getpid())
        atexit.register(release, wanted.var)


def release(var: Path) -> None:
    """Says that this process needs the servers no longer; the last one to say so stops them."""
    users, wanted, pid = _held.get(var, (None, None, 0))
    if users is None or wanted is None or pid != os.getpid():
        return
    del _held[var]
    with _starting(var):
        _leave(users, wanted)


def _leave(users: IO[str], wanted: Wanted) -> None:
    """Under the starting lock, so that nobody comes in between."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # somebody else is still there
    else:
        if wanted.redis:
            Redis(wanted.var).stop()
        if wanted.postgres:
            Postgres(wanted.var).stop()
    finally:
        users.close()


@contextmanager
def _starting(var: Path) -> Iterator[None]:
    with (var / ".starting.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def development_key(var: Path) -> str:
    """A secret key of this checkout's own, made once and kept under ``var``, readable by its user only.

    Raises EmbeddedError where it can be neither read nor made.
    """
    try:
        return _development_key(var)
    except OSError as error:
        raise _unusable(error) from error


def _development_key(var: Path) -> str:
    path = var / "secret_key"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        var.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f"{path.name}.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(50), encoding="ascii")
        try:
            path.hardlink_to(made)  # the first of several wins
        except FileExistsError:
            pass
        finally:
            made.unlink()
        return path.read_text(encoding="ascii")
