"""The doctor: each fault with its mend, unknown things called unknown."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from toonemo_site import diagnosis
from toonemo_site.diagnosis import Finding, State

WELL: dict[str, Any] = {
    "bundles": [{"name": "toonemo-4", "digest": "d", "fault": ""}],
    "devices": {"torch": "2", "threads": 2, "gpus": [], "fault": "", "device": "cpu"},
}


def computing(answer: dict[str, Any] | str) -> dict[str, Finding]:
    return {f.name: f for f in diagnosis.computing(lambda: answer)}


def test_a_machine_in_order() -> None:
    found = computing(WELL)
    assert {f.state for f in found.values()} == {State.WELL}
    assert "cpu" in found["device"].detail


def test_a_gpu_that_was_asked_for_and_is_missing_is_a_fault() -> None:
    found = computing({**WELL, "devices": {**WELL["devices"], "fault": "cuda was asked for, but there is no GPU."}})
    assert found["device"].state is State.FAULT
    assert "TOONEMO_DEVICE=cpu" in found["device"].mend


def test_a_bundle_that_is_not_there_and_one_that_is_broken(settings: Settings) -> None:
    settings.TOONEMO_BUNDLE = "other"
    assert computing(WELL)["bundles"].state is State.FAULT
    settings.TOONEMO_BUNDLE = "toonemo"
    broken = {**WELL, "bundles": [{"name": "toonemo-4", "digest": "", "fault": "A digest differs."}]}
    found = computing(broken)["bundles"]
    assert (found.state, found.detail) == (State.FAULT, "A digest differs.")


@pytest.mark.parametrize(
    ("asked", "state"), [("toonemo-4", State.WELL), ("toonemo", State.WELL), ("toon", State.FAULT)]
)
def test_the_bundle_is_named_with_or_without_its_version(asked: str, state: State, settings: Settings) -> None:
    settings.TOONEMO_BUNDLE = asked
    assert computing(WELL)["bundles"].state is state


def test_without_torch_nothing_is_claimed() -> None:
    found = computing("torch is not installed here; workers are on other machines.")
    assert {f.state for f in found.values()} == {State.UNKNOWN}


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    found = diagnosis.disk("media", blocked / "media")
    assert found.state is State.FAULT
    assert found.mend


def test_little_room_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=0.4e9))
    assert diagnosis.disk("media", tmp_path).state is State.FAULT


@pytest.mark.django_db
def test_services_that_are_well(settings: Settings) -> None:
    assert diagnosis.services().state is State.WELL
    assert diagnosis.postgres().state is State.WELL
    assert diagnosis.migrations().state is State.WELL
    assert diagnosis.broker().state is State.WELL


@pytest.mark.django_db
def test_redis_away_makes_workers_unknown(settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    assert diagnosis.broker().state is State.FAULT
    assert diagnosis.workers().state is State.UNKNOWN


@pytest.mark.parametrize(("state", "status"), [(State.NOTE, 0), (State.UNKNOWN, 0), (State.FAULT, 1)])
def test_only_a_fault_fails_the_command(state: State, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("redis", state, "It is away.", "Start it.")
    monkeypatch.setattr("toonemo_site.management.commands.doctor.examine", lambda: iter([finding]))
    out = StringIO()
    if status:
        with pytest.raises(SystemExit) as ended:
            call_command("doctor", json=True, stdout=out)
        assert ended.value.code == status
    else:
        call_command("doctor", json=True, stdout=out)
    answer = json.loads(out.getvalue())
    expected = {"name": "redis", "state": str(state), "detail": "It is away.", "mend": "Start it."}
    assert answer == {"ok": not status, "checks": [expected]}
