"""A client is made from the schema, and what docs/api.md shows is run against a real server, word for word."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from catalog.models import Episode
from tests.analysis import world

DOC = (settings.BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")
HERE = "http://127.0.0.1:8000"
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.M | re.S)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_what_the_guide_shows_works(live_server: Any, tmp_path: Path) -> None:
    episodes = [world.analysed_episode(number, f"E{number}", 20_000) for number in (1, 2)]
    assert [e.pk for e in episodes] == [1, 2]
    (tmp_path / "docs").symlink_to(settings.BASE_DIR / "docs")
    for line in "".join(blocks("sh")).splitlines():
        _command(line.replace(HERE, live_server.url), tmp_path)
    assert (tmp_path / "spans.csv").read_text().startswith("episode,series,title,")
    (code,) = blocks("python")
    printed = _python(code.replace(HERE, live_server.url), tmp_path)
    _check(printed.splitlines(), episodes)


def _command(line: str, folder: Path) -> None:
    """As a shell would, and the answer is no error."""
    assert line.startswith(("curl ", "openapi-python-client ")), line
    if line.startswith("curl ") and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    line = line.replace("curl ", "curl -sS --fail-with-body --noproxy '*' ", 1)
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (line, done.stdout[-800:], done.stderr[-800:])
    assert "WARNING" not in done.stdout, done.stdout[:2_000]
    if line.startswith("curl ") and ">" not in line:
        json.loads(done.stdout)


def _python(code: str, folder: Path) -> str:
    """In a process of its own: whoever uses the client has no Django."""
    (folder / "example.py").write_text(code, encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=folder, env=clean, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def _check(printed: list[str], episodes: list[Episode]) -> None:
    assert printed[:2] == ["1 E1", "2 E2"]
    assert printed[2].startswith("happiest scenes of Jerry [")
    shares = json.loads(re.sub(r"(\d+):", r'"\1":', printed[3]))
    assert set(shares) == {"1", "2"}
    assert all(0 < share <= 1 for share in shares.values())
