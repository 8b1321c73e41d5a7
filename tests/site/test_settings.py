"""Settings as an operator meets them: in a process of its own, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "toonemo_site.settings.production",
    "SECRET_KEY": "".join(chr(48 + 7 * i % 75) for i in range(70)),
    "ALLOWED_HOSTS": "toonemo.example",
    "DATABASE_URL": "postgres://nobody@nowhere/none",
    "REDIS_URL": "redis://nowhere",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    base = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**base, **environment}, capture_output=True, text=True, check=False, timeout=120
    )


def test_production_passes_the_check_for_deployment(tmp_path: Path) -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, MEDIA_ROOT=str(tmp_path))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_what_is_missing_in_production_is_one_sentence(missing: str) -> None:
    done = manage("check", **{k: v for k, v in PRODUCTION.items() if k != missing})
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [
        f"Set the {missing} environment variable. docs/configuration.md explains every setting."
    ]


def test_checks_say_what_mends_a_fault(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    environment = {**PRODUCTION, "MEDIA_ROOT": str(blocked), "TOONEMO_BUNDLE": "none-such"}
    done = manage("check", **environment)
    assert done.returncode == 1
    for part in ("toonemo.E001", "Create the folder", "toonemo.W001", "Set TOONEMO_BUNDLE"):
        assert part in done.stderr


def test_production_without_addresses_warns_that_wheels_would_serve(tmp_path: Path) -> None:
    environment = {**PRODUCTION, "DATABASE_URL": "", "REDIS_URL": "", "MEDIA_ROOT": str(tmp_path)}
    done = manage("check", "--deploy", **environment, TOONEMO_VAR=str(tmp_path))
    assert "toonemo.W002" in done.stderr
    assert "toonemo.W003" in done.stderr
    assert not (tmp_path / "postgres").exists(), "a check starts nothing"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOONEMO_MAX_DURATION_MINUTES", "abc"),
        ("TOONEMO_MAX_DURATION_MINUTES", "-1"),
        ("TOONEMO_LEASE_SECONDS", "nan"),
        ("SECURE_SSL", "ture"),
        ("LOG_LEVEL", "loud"),
        ("TOONEMO_RATE_SEARCH", "often"),
        ("TIME_ZONE", "Atlantis"),
        ("DATABASE_URL", "garbage"),
        ("DATABASE_URL", "mysql://user:secret@host/name"),
        ("DATABASE_URL", "postgres://user:secret@host:port/name"),
        ("REDIS_URL", "garbage"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_its_name(name: str, value: str) -> None:
    done = manage("check", **{**PRODUCTION, name: value})
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith(name)
    assert "secret" not in done.stderr


@pytest.mark.parametrize("command", [("check",), ("search", "happy")])
def test_a_folder_that_cannot_be_made_is_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = manage(*command, TOONEMO_VAR=str(tmp_path / "file" / "var"))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "TOONEMO_VAR" in done.stderr


COMMANDS = [("search", "happy"), ("runs", "list"), ("analyse", "all"), ("import_episodes", __file__)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_database_that_does_not_answer_is_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    environment = {"DATABASE_URL": f"postgres://u:secret@/x?host={tmp_path}", "REDIS_URL": "redis://127.0.0.1:1"}
    done = manage(*command, **environment, TOONEMO_VAR=str(tmp_path / "var"))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.strip().endswith("[database_unavailable]")
    assert "secret" not in done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_database_without_tables_is_one_sentence(service_env: dict[str, str], tmp_path: Path) -> None:
    name = str(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}_empty"')
    try:
        address = service_env["DATABASE_URL"].replace(name, f"{name}_empty")
        for command in COMMANDS:
            done = manage(*command, DATABASE_URL=address, REDIS_URL="redis://127.0.0.1:1", TOONEMO_VAR=str(tmp_path))
            said = "The database has no tables yet; run: manage.py migrate [database_not_migrated]"
            assert (done.returncode, done.stderr.strip()) == (1, said)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}_empty"')


@pytest.mark.parametrize("tls", [True, False])
def test_the_header_of_a_proxy_is_believed_only_with_tls(tls: bool, tmp_path: Path) -> None:
    done = manage(
        "diffsettings", **PRODUCTION, SECURE_SSL=str(tls), SECURE_HSTS_PRELOAD="no", TOONEMO_VAR=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert ("HTTP_X_FORWARDED_PROTO" in done.stdout) is tls
    assert "SECURE_HSTS_PRELOAD = True" not in done.stdout


def test_there_is_no_secret_in_the_tree() -> None:
    for path in (ROOT / "toonemo_site" / "settings").glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("SECRET_KEY ="):
                assert "env." in line or "development_key" in line or "get_random_secret_key" in line, line
