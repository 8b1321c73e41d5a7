"""Real PostgreSQL and Redis for every test that asks for a database; each test run has its own, never the demo's."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from toonemo_site import embedded


@pytest.fixture(scope="session")
def services() -> Iterator[None]:
    """PostgreSQL and Redis, started where no address is set; stopped when the last test run ends."""
    embedded.ensure(settings.EMBEDDED)
    embedded.ensure(settings.EMBEDDED_RUN)
    _forget_killed_runs()
    yield
    embedded.release(settings.RUN_DIR)
    shutil.rmtree(settings.RUN_DIR, ignore_errors=True)
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: None) -> None:
    """pytest-django's hook: runs before it makes the test database."""


@pytest.fixture
def service_env(services: None) -> dict[str, str]:
    """The environment for a process that a test starts: the same database and Redis as the test has.

    The test must be marked ``django_db(transaction=True)``, or the process does not see what it wrote.
    """
    found = connection.settings_dict
    host = found.get("OPTIONS", {}).get("host") or found["HOST"]
    server = f"{found['USER']}:{found['PASSWORD']}@".replace(":@", "@")
    address = f"postgres://{server}/{found['NAME']}?host={host}"
    if not host.startswith("/"):
        address = f"postgres://{server}{host}:{found['PORT'] or 5432}/{found['NAME']}"
    keep = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    return {
        **keep,
        "DJANGO_SETTINGS_MODULE": "toonemo_site.settings.test",
        "DATABASE_URL": address,
        "TOONEMO_TEST_RUN": str(settings.RUN),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def test_data() -> Path:
    """A folder with real films and broken files. Set TOONEMO_TEST_DATA where it is not beside the checkout."""
    folder = Path(os.environ.get("TOONEMO_TEST_DATA", settings.BASE_DIR.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}; set TOONEMO_TEST_DATA")
    return folder


def _forget_killed_runs() -> None:
    """Databases and Redis servers of test runs that were killed."""
    for folder in settings.TEST_DIR.glob("run-*"):
        if not _alive(int(folder.name.removeprefix("run-"))):
            wanted = embedded.Wanted(folder, postgres=False)
            embedded.ensure(wanted)  # takes over what still runs, so that it can be stopped
            embedded.release(folder)
            shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Any] = settings.DATABASES["default"]
    pattern = re.compile(rf"test_{re.escape(found['NAME'])}_(\d+)")
    connect = {"host": found["HOST"], "port": found["PORT"] or None, "password": found["PASSWORD"] or None}
    connect = {**connect, **found.get("OPTIONS", {}), "user": found["USER"] or None, "dbname": found["NAME"]}
    with psycopg.connect(autocommit=True, **{k: v for k, v in connect.items() if v}) as server:
        names = [row[0] for row in server.execute("SELECT datname FROM pg_database").fetchall()]
        for name in names:
            match = pattern.fullmatch(name)
            if match and not _alive(int(match[1])):
                with suppress(psycopg.errors.ObjectInUse, psycopg.errors.InvalidCatalogName):
                    server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
