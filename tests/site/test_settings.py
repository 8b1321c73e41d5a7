"""Settings as an operator meets them: in a process of its own, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_there_is_no_secret_in_the_tree() -> None:
    for path in (ROOT / "toonemo_site" / "settings").glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("SECRET_KEY ="):
                assert "env." in line or "development_key" in line or "get_random_secret_key" in line, line
