"""docker-compose.yml and the Dockerfiles, as far as that can be said without a container engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
SECRETS = {"SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
VARIABLE = re.compile(r"\$\{(\w+)(:[?-][^}]*)?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def test_secrets_come_from_the_environment_and_have_no_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    rules = dict(VARIABLE.findall(text))
    assert rules.keys() >= SECRETS
    for name in SECRETS:
        assert rules[name].startswith(":?"), f"{name} must be required"


def test_every_variable_of_compose_is_documented() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    docs = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    docs += (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    missing = {name for name, _ in VARIABLE.findall(text) if not re.search(rf"\b{name}\b", docs)}
    assert not missing, f"docs/operations.md does not explain {sorted(missing)}"


def test_every_service_has_a_health_check(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if "healthcheck" in service:
            continue
        dockerfile = (ROOT / service["build"]["dockerfile"]).read_text(encoding="utf-8")
        assert "HEALTHCHECK" in dockerfile, name


def test_only_the_site_is_reachable_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert list(ports) == ["web"]
    assert all(str(port).startswith("127.0.0.1:") for port in ports["web"])


def test_volumes_and_dockerfiles_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]
        if "build" in service:
            assert ROOT / service["build"]["dockerfile"] in DOCKERFILES


def test_there_is_one_clock(compose: dict[str, Any]) -> None:
    commands = [service.get("command", []) for service in compose["services"].values()]
    assert sum("--beat" in command for command in commands) == 1


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_an_image_runs_as_an_ordinary_user_and_copies_what_exists(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "USER toonemo" in lines
    last = max(i for i, line in enumerate(lines) if line.startswith(("RUN", "COPY")))
    assert lines.index("USER toonemo") > last
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for line in lines:
        if line.startswith("COPY") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert list(ROOT.glob(source)), f"{path.name} copies {source}, which is not there"
                assert f"!{source.split('/')[0]}" in ignored, f".dockerignore leaves {source} out"


def test_the_image_of_the_site_has_no_torch() -> None:
    web = (ROOT / "docker" / "web.Dockerfile").read_text(encoding="utf-8")
    assert "requirements/web.txt" in web
    assert "worker.txt" not in web
    names = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "web.txt").read_text(encoding="utf-8"), re.M)
    assert not {"torch", "torchvision", "av", "opencv-python-headless"} & set(names)
