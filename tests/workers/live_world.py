"""The world of the chaos tests with a site in it: gunicorn, as a server runs it, and somebody who may everything."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.workers.chaos_world import ROOT, World, until
from tests.workers.clips import write_clip

CLIP_S = 16
SEGMENT_MS = 4000
PARTS = CLIP_S * 1000 // SEGMENT_MS


class LiveWorld(World):
    """Workers take a tenth of a second for a drawing, so that there is time to look at them."""

    def __init__(self) -> None:
        super().__init__()
        self.site: subprocess.Popen[bytes] | None = None
        self.address = ""
        self.token = self.session = ""
        self.episode = 0

    def environment(self) -> dict[str, str]:
        return super().environment() | {"FAKE_MS_PER_DRAWING": "80", "DEBUG": "false", "ALLOWED_HOSTS": "127.0.0.1"}

    def begin(self) -> None:
        self.start()
        clip = self.media / "clip.mp4"
        write_clip(clip, CLIP_S)
        digest = hashlib.sha256(clip.read_bytes()).hexdigest()
        self.episode = self.driver("prepare", clip.name, CLIP_S * 1000, digest)
        self.token, self.session = self.driver("staff", "ada")
        self.site_start()
        self.worker_start()

    def site_start(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "gunicorn", "toonemo_site.wsgi", "--bind", f"127.0.0.1:{port}"]
        with self.log.open("ab") as log:
            self.site = subprocess.Popen(
                [*command, "--threads", "8"], env=self.environment(), cwd=ROOT, stdout=log, stderr=log
            )
        until(self._answers, 60, "the site to answer")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/healthz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        if self.site is not None:
            self.site.terminate()
            self.site.wait(30)
        super().stop()

    def api(self, method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": self.token}
        answer = httpx.request(method, f"{self.address}/api/v1/{path}", headers=headers, json=body or None, timeout=30)
        assert answer.is_success, answer.text
        return answer.json()

    def analyse(self) -> int:
        config = {"segment_ms": SEGMENT_MS}
        return int(
            self.api("POST", f"episodes/{self.episode}/analyse/", bundle="fake-1", config=config, force=True)["id"]
        )

    def ended(self, run: int, seconds: float = 120) -> dict[str, Any]:
        def over() -> Any:
            found = self.api("GET", f"runs/{run}/")
            return found if found["finished_at"] else None

        found = until(over, seconds, f"run {run} to end")
        assert isinstance(found, dict)
        return found


class Follower:
    """Reads a stream of events in a thread, and comes back with Last-Event-ID as a browser does."""

    def __init__(self, world: LiveWorld, path: str = "runs/events/") -> None:
        self.world, self.path = world, path
        self.events: list[tuple[float, str, str, dict[str, Any]]] = []  # (when, event, id, data)
        self.times = 0
        self.last = ""
        self.statuses: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def _live(self) -> None:
        while not self._stop.is_set():
            try:
                self.once()
            except httpx.TransportError:
                time.sleep(0.2)
            if self.statuses[-1:] == [204]:
                return

    def once(self) -> None:
        headers = {"Authorization": self.world.token, "Accept": "text/event-stream"}
        if self.last:
            headers["Last-Event-ID"] = self.last
        address = f"{self.world.address}/api/v1/{self.path}"
        with httpx.stream("GET", address, headers=headers, timeout=httpx.Timeout(30)) as answer:
            self.statuses.append(answer.status_code)
            self.times += 1
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif not line and "event" in fields:
                    self.last = fields.get("id", self.last)
                    told = (time.monotonic(), fields["event"], fields.get("id", ""), json.loads(fields["data"]))
                    self.events.append(told)
                    fields = {}
                if self._stop.is_set():
                    return

    def kinds(self, run: int) -> list[str]:
        return [data["kind"] for _, event, _, data in list(self.events) if event == "run" and data["run"] == run]

    def progress(self, run: int) -> list[dict[str, Any]]:
        return [data for _, event, _, data in list(self.events) if event == "progress" and data["run"] == run]


@contextmanager
def following(world: LiveWorld, path: str = "runs/events/") -> Iterator[Follower]:
    follower = Follower(world, path)
    follower._thread.start()
    until(lambda: follower.times, 30, "the stream to begin")
    try:
        yield follower
    finally:
        follower._stop.set()
        follower._thread.join(20)
