"""A Celery worker as a child of this process, for one machine: it never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

MOST_CHILDREN = 2
GOES_HOME_S = 25.0


class WorkerProcess:
    """``with WorkerProcess(log) as worker``: started on entry, ended on exit with everything that it started.

    ``on_death``: called from a thread where the worker ends by itself.
    """

    def __init__(self, log: Path, on_death: Callable[[], None]) -> None:
        self.log = log
        self.on_death = on_death
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = False

    def __enter__(self) -> WorkerProcess:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        children = min(MOST_CHILDREN, os.cpu_count() or 1)
        threads = max(1, (os.cpu_count() or 1) // children)
        command = [sys.executable, "-m", "celery", "-A", "toonemo_site", "worker", "-B", "-Q", "default,inference"]
        command += ["--concurrency", str(children), "-n", f"here-{os.getpid()}@%h", "--without-gossip"]
        environment = {"OMP_NUM_THREADS": str(threads), **os.environ, "TOONEMO_DIE_WITH_PARENT": str(os.getpid())}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the parent, which ends this one in order
            )
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        self._ending = True
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GOES_HOME_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what is left of its children
        process.wait()

    @property
    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-5:])

    def _watch(self) -> None:
        assert self._process is not None
        self._process.wait()
        if not self._ending:
            self.on_death()
