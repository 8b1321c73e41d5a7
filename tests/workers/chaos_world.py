"""A Postgres, a Redis and a Celery worker of the chaos tests' own, so that nobody else's are killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis

from toonemo_site.embedded_servers import Postgres, Redis

ROOT = Path(__file__).parents[2]
DATABASE = "chaos"
LEASE_S = 2
SWEEP_S = 1

RUN_TABLES = {
    "detections": (
        "SELECT s.index, f.index, f.pts_ms, f.shown_ms, c.slug, f.box_x1, f.box_y1, f.box_x2, f.box_y2, f.mask::text,"
        " f.score, f.emotion, f.confidence, f.happy, f.sad, f.angry, f.surprised, f.scared, f.disgusted, f.neutral,"
        " f.embedding::text, t.index FROM analysis_facedetection f JOIN analysis_segment s ON s.id = f.segment_id"
        " LEFT JOIN catalog_character c ON c.id = f.character_id LEFT JOIN analysis_track t ON t.id = f.track_id"
        " WHERE f.run_id = %s ORDER BY 1, 2"
    ),
    "segments": (
        "SELECT index, start_ms, end_ms, status, done_ms, frames, drawings, faces, cuts_ms, kinds::text, error_code"
        " FROM analysis_segment WHERE run_id = %s ORDER BY 1"
    ),
    "shots": "SELECT index, start_ms, end_ms, kind FROM analysis_shot WHERE run_id = %s ORDER BY 1",
    "scenes": "SELECT index, start_ms, end_ms FROM analysis_scene WHERE run_id = %s ORDER BY 1",
    "tracks": (
        "SELECT t.index, t.start_ms, t.end_ms, s.index, c.slug, t.embedding::text FROM analysis_track t"
        " JOIN analysis_shot s ON s.id = t.shot_id LEFT JOIN catalog_character c ON c.id = t.character_id"
        " WHERE t.run_id = %s ORDER BY 1"
    ),
    "scene_emotions": (
        "SELECT s.index, c.slug, e.emotion, e.visible_ms, e.readable_ms, e.share, e.baseline, e.score,"
        " e.best_start_ms, e.best_end_ms FROM analysis_sceneemotion e JOIN analysis_scene s ON s.id = e.scene_id"
        " JOIN catalog_character c ON c.id = e.character_id WHERE e.run_id = %s ORDER BY 1, 2, 3"
    ),
    "profiles": (
        "SELECT c.slug, p.visible_ms, p.readable_ms, p.drawings, p.shots, p.enough, p.shares::text,"
        " p.details::text"
        " FROM analysis_emotionprofile p JOIN catalog_character c ON c.id = p.character_id"
        " WHERE p.run_id = %s ORDER BY 1"
    ),
    "run": "SELECT status, partial, frames, drawings, faces, error_code FROM analysis_analysisrun WHERE id = %s",
}


def until(what: Callable[[], Any], seconds: float, why: str) -> Any:
    """Waits for something true and gives it; fails with ``why`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            found = what()
            if found:
                return found
        time.sleep(0.05)
    raise AssertionError(f"Waited {seconds:.0f} s for: {why}")


class World:
    """Everything lives in one folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="toonemo-chaos-"))
        self.folder.chmod(0o755)  # PostgreSQL runs as somebody else where we are root
        self.media = self.folder / "media"
        self.media.mkdir()
        (self.folder / "bundles").mkdir()
        self.postgres = Postgres(self.folder)
        self.broker = Redis(self.folder)
        self.worker: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "worker.log"
        self._driver: subprocess.Popen[str] | None = None

    # services ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.postgres.start(DATABASE)
        self.broker.start()

    @contextlib.contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        client = redis.Redis(unix_socket_path=str(self.broker.socket))
        try:
            yield client
        finally:
            client.close()

    def redis_restart(self) -> None:
        """The broker dies at once and comes back empty."""
        pid = self.broker.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid), 10, "Redis to die")
        self.broker.start()

    def postgres_restart(self) -> None:
        """Immediately: every connection breaks, and the database recovers from its log."""
        self.postgres.stop(mode="immediate")
        self.postgres.start(DATABASE)

    def stop(self) -> None:
        self.worker_kill()
        if self._driver is not None:
            self._driver.kill()
            self._driver.communicate()
        self.broker.stop()
        self.postgres.stop(mode="immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    # database ---------------------------------------------------------------------------------------------------------

    def url(self) -> str:
        return f"postgres://postgres@/{DATABASE}?host={quote(str(self.postgres.socket_dir))}"

    def database(self) -> psycopg.Connection[tuple[Any, ...]]:
        host = str(self.postgres.socket_dir)
        return psycopg.connect(host=host, user="postgres", dbname=DATABASE, autocommit=True)

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def one(self, sql: str, *values: Any) -> Any:
        return self.ask(sql, *values)[0][0]

    def rows(self, run: int) -> dict[str, list[tuple[Any, ...]]]:
        """All that a run left behind, but keys and times of day."""
        return {name: self.ask(sql, run) for name, sql in RUN_TABLES.items()}

    # processes --------------------------------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """Only what is named here: no ``TOONEMO_*`` of whoever runs the tests."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TOONEMO_", "DJANGO_", "CELERY_"))}
        return kept | {
            "DJANGO_SETTINGS_MODULE": "toonemo_site.settings.dev",
            "DATABASE_URL": self.url(),
            "REDIS_URL": f"unix://{self.broker.socket}?db=0",
            "TOONEMO_VAR": str(self.folder / "var"),
            "MEDIA_ROOT": str(self.media),
            "TOONEMO_BUNDLE_DIR": str(self.folder / "bundles"),
            "TOONEMO_MODEL_LOADER": "tests.workers.fake_models.load",
            "TOONEMO_DEVICE": "cpu",
            "TOONEMO_LEASE_SECONDS": str(LEASE_S),
            "TOONEMO_SWEEP_SECONDS": str(SWEEP_S),
            "FAKE_MS_PER_DRAWING": "25",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }

    def driver(self, *arguments: str | int) -> Any:
        """Asks Django in another process, which is kept: starting one takes seconds."""
        if self._driver is None:
            self._driver = subprocess.Popen(
                [sys.executable, "-m", "tests.workers.chaos_driver"],
                env=self.environment(),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps(arguments) + "\n")
        self._driver.stdin.flush()
        answer = self._driver.stdout.readline()
        assert answer, "the driver died"
        return json.loads(answer)

    def worker_start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "toonemo_site",
            "worker",
            "-B",
            "-s",
            str(self.folder / "beat"),
        ]
        command += ["-Q", "default,inference", "-c", "1", "-l", "INFO", "-n", f"chaos{time.monotonic_ns()}@%h"]
        with self.log.open("ab") as log:
            self.worker = subprocess.Popen(
                command, env=self.environment(), cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )

    def worker_ensure(self) -> None:
        if self.worker is None or self.worker.poll() is not None:
            self.worker_start()

    def worker_kill(self) -> None:
        """``kill -9`` of the parent, its pool and what they started."""
        if self.worker is None:
            return
        for pid in [*descendants(self.worker.pid), self.worker.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.worker.wait()
        self.worker = None

    def parent_kill(self) -> list[int]:
        """``kill -9`` of the worker's parent alone. Gives what it had started."""
        assert self.worker is not None
        below = descendants(self.worker.pid)
        self.worker.kill()
        self.worker.wait()
        self.worker = None
        return below

    def pool_kill(self) -> list[int]:
        """``kill -9`` of the worker's busy pool process alone. Gives what that process had started."""
        busy = until(self._busy, 20, "a pool process that decodes")
        started = descendants(busy)
        os.kill(busy, signal.SIGKILL)
        return started

    def beat_kill(self) -> None:
        """``kill -9`` of the worker's beat alone."""
        assert self.worker is not None
        busy = until(self._busy, 20, "a pool process that decodes")
        for pid in descendants(self.worker.pid):
            if _parent(pid) == self.worker.pid and pid != busy:
                os.kill(pid, signal.SIGKILL)

    def _busy(self) -> int:
        """The pool process that has a decoding process below it; 0: none now."""
        assert self.worker is not None
        children = [pid for pid in descendants(self.worker.pid) if _parent(pid) == self.worker.pid]
        return next((pid for pid in children if descendants(pid)), 0)


def descendants(pid: int) -> list[int]:
    """All processes below ``pid``, deepest last."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                below = [int(n) for n in children.read_text().split()]
                found += below
                waiting += below
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
