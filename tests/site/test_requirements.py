"""The pinned files are in step with what they are made from and with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
NAMES = ["uv", "web", "worker", "dev"]
PIN = re.compile(r"^([a-z0-9][a-z0-9-]*)==(\S+)", re.M)


def wanted(name: str) -> set[str]:
    """Every package that ``name.in`` and the files that it includes ask for."""
    found: set[str] = set()
    for line in (FOLDER / f"{name}.in").read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            found |= wanted(line.removeprefix("-r ").removesuffix(".in"))
        elif line:
            match = re.match(r"[A-Za-z0-9._-]+", line)
            assert match, line
            found.add(match[0].lower().replace("_", "-").replace(".", "-"))
    return found


def pinned(name: str) -> dict[str, str]:
    return dict(PIN.findall((FOLDER / f"{name}.txt").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", NAMES)
def test_everything_asked_for_is_pinned_with_hashes(name: str) -> None:
    missing = wanted(name) - pinned(name).keys()
    assert not missing, f"run `make requirements`: {name}.txt lacks {sorted(missing)}"
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]


@pytest.mark.parametrize("name", ["uv", "web", "worker"])
def test_versions_are_those_that_the_tests_ran_with(name: str) -> None:
    dev = pinned("dev")
    other = {p: v for p, v in pinned(name).items() if dev.get(p) != v}
    assert not other, f"run `make requirements`: {name}.txt differs from dev.txt in {other}"


@pytest.mark.parametrize("name", NAMES)
def test_no_download_address_is_written_down(name: str) -> None:
    assert "://" not in (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
