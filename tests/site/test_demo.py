"""The demo: what it says, and that it leaves nothing behind however it ends."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command

from analysis.ratings_table import difference, table
from analysis.selectors.episodes import EpisodeCard
from ml.types import EMOTIONS, Emotion
from toonemo_site.management.commands import demo as command

ROOT = Path(__file__).resolve().parents[2]


def card(identity: str, shares: dict[str, dict[Emotion, float]], *, enough: bool = True) -> EpisodeCard:
    """As much of a card as the table reads."""
    ratings = [
        SimpleNamespace(
            character=SimpleNamespace(slug=slug, name=slug.title()),
            visible_ms=12_400,
            enough=enough,
            emotions=tuple(SimpleNamespace(emotion=e, share=s) for e, s in of.items()),
        )
        for slug, of in shares.items()
    ]
    source = SimpleNamespace(original_name=f"{identity} A Title.mp4")
    episode = SimpleNamespace(identity=identity, title="A Title", source=source)
    return cast(EpisodeCard, SimpleNamespace(episode=episode, ratings=tuple(ratings)))


def write_truth(folder: Path, identity: str, shares: dict[str, dict[str, float]]) -> None:
    profiles = {slug: {"visible_ms": 1000, "shares": of} for slug, of in shares.items()}
    (folder / f"{identity} A Title.truth.json").write_text(json.dumps({"profiles": profiles}), encoding="utf-8")


def test_the_table_shows_every_emotion_and_what_a_bundle_cannot_say() -> None:
    text = table([card("S01E01", {"tom": {Emotion.HAPPY: 0.25, Emotion.SAD: 0.75}})])
    head, row = text.splitlines()[1:3]
    assert head.split() == ["seen", *[str(e) for e in EMOTIONS]]
    assert row.split()[:5] == ["Tom", "12", "s", "25%", "75%"]
    assert row.split()[5:] == ["-"] * 5
    assert "*" not in text


def test_the_table_marks_what_too_little_was_seen_of() -> None:
    text = table([card("S01E01", {"tom": {Emotion.HAPPY: 1.0}}, enough=False)])
    assert "Tom*" in text
    assert "too little was seen" in text


def test_the_difference_counts_a_character_that_was_missed(tmp_path: Path) -> None:
    write_truth(tmp_path, "S01E01", {"tom": {"happy": 1.0}, "jerry": {"sad": 1.0}, "unknown": {"sad": 1.0}})
    found = difference([card("S01E01", {"tom": {Emotion.HAPPY: 0.9, Emotion.SAD: 0.1}})], tmp_path)
    assert found is not None
    assert found.shares == 14
    assert found.mean == pytest.approx((0.1 + 0.1 + 1.0) / 14)
    assert found.largest == 1.0


def test_without_truth_there_is_no_difference(tmp_path: Path) -> None:
    assert difference([card("S01E01", {})], tmp_path) is None


@pytest.fixture
def signals() -> Iterator[None]:
    """What the demo does to them is undone."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_port_in_use_is_said_before_anything_is_done() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} on 127.0.0.1 cannot be used"):
            call_command("demo", port=port)


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("serving", [False, True])
def test_ctrl_c_ends_the_demo_whatever_it_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, serving: bool) -> None:
    """Interrupted before it serves, it never does and says so by its status; while it serves, that is its end."""
    events: list[str] = []

    def interrupted(*args: object, **options: object) -> None:
        events.append("interrupted")
        raise KeyboardInterrupt

    class Worker:
        def __init__(self, *args: object) -> None:
            events.append("worker")

        def __enter__(self) -> None: ...

        def __exit__(self, *args: object) -> None:
            events.append("worker ended")

    monkeypatch.setattr("toonemo_site.embedded.ensure", lambda wanted: None)
    monkeypatch.setattr(command, "_migrate", lambda: None)
    monkeypatch.setattr(command, "_refuse_port_in_use", lambda port: None)
    monkeypatch.setattr(command, "_admin_password", lambda path: "secret")
    monkeypatch.setattr(command, "WorkerProcess", Worker)
    monkeypatch.setattr(command, "serve", interrupted)
    happens = (lambda self: None) if serving else interrupted
    monkeypatch.setattr(command.Command, "_prepare_and_analyse", happens)
    said = io.StringIO()
    if serving:
        call_command("demo", stdout=said)
    else:
        with pytest.raises(SystemExit) as ended:
            call_command("demo", stdout=said)
        assert ended.value.code == 130
    assert events == ["worker", "interrupted", "worker ended"]
    assert ("ToonEmo is at" in said.getvalue()) is serving
    assert "Ending." in said.getvalue()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A demo of its own, in a folder of its own."""
    mine = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    var = tmp_path_factory.mktemp("demo")
    return {**mine, "TOONEMO_VAR": str(var), "DJANGO_SETTINGS_MODULE": "toonemo_site.settings.dev"}


def demo(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "demo", *arguments]
    pipe: Any = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def left_behind(environment: dict[str, str]) -> Iterator[str]:
    """Commands of processes that belong to this demo."""
    mark = f"TOONEMO_VAR={environment['TOONEMO_VAR']}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            of_demo = mark in (folder / "environ").read_bytes() or environment["TOONEMO_VAR"] in words
        except OSError:
            continue
        if of_demo and state != "Z" and folder.name != str(os.getpid()):
            yield words


def wait_until_gone(environment: dict[str, str], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while left := list(left_behind(environment)):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc")
def test_the_whole_demo_twice_and_then_its_end(environment: dict[str, str]) -> None:
    first = demo(environment, "--exit")
    said, _ = first.communicate()
    assert first.returncode == 0, said
    assert len(re.findall(r"^S01E0\d  ", said, re.M)) == 4
    mean = re.search(r"Difference from what was drawn: (\d\.\d+) on average", said)
    assert mean, said
    assert float(mean[1]) <= 0.10
    wait_until_gone(environment, 5)

    started = time.monotonic()
    second = demo(environment, "--exit")
    again, _ = second.communicate()
    assert time.monotonic() - started < 60
    assert "Drawing" not in again
    ratings = "The Sample House: what"
    assert again[again.index(ratings) :] == said[said.index(ratings) :]
    wait_until_gone(environment, 5)

    for number, seconds in ((signal.SIGINT, 5), (signal.SIGTERM, 5), (signal.SIGKILL, 40)):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        serving = demo(environment, "--port", str(port))
        assert serving.stdout is not None
        for line in serving.stdout:
            if f"http://127.0.0.1:{port}/ " in line:
                break
        time.sleep(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=20) as response:
            assert json.load(response) == {"ready": True, "reasons": {}}
        serving.send_signal(number)
        serving.communicate()
        wait_until_gone(environment, seconds)
