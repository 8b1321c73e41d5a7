"""Everything at once on one machine: services, sample series, analysis, ratings, site."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.servers.basehttp import get_internal_wsgi_application
from django.core.servers.basehttp import run as serve
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from analysis import ratings_table
from analysis.selectors.episodes import EpisodeFilter, episode_cards, episodes_annotated, episodes_find
from catalog.models import Series
from catalog.sample import SERIES, sample_cast_create
from toonemo_site import embedded
from toonemo_site.worker_process import WorkerProcess

SEED = 5001  # and those after it: no model was trained on them
# Seconds of each episode. The short ones show what too little evidence looks like; the long one is rated.
LENGTHS = (40, 40, 40, 150)
HOST = "127.0.0.1"
FOLDER = f"sample-{SEED}"


class Command(BaseCommand):
    help = "Draws the sample series, has a worker analyse it, prints the ratings and serves the site."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--exit", action="store_true", help="end after the ratings instead of serving the site")
        parser.add_argument("--port", type=int, default=8000, help="of the site, on 127.0.0.1 (8000)")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger().setLevel(logging.WARNING)
        self._serving = False  # Ctrl-C is how serving ends, and an interruption before
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored for background jobs
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, _end)
        try:
            if not options["exit"]:
                _refuse_port_in_use(options["port"])
            self._everything(serving=not options["exit"], port=options["port"])
        except KeyboardInterrupt:
            self._say("\nEnding.")
            if not self._serving:
                raise SystemExit(130) from None
        except embedded.EmbeddedError as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            log = settings.VAR_DIR / "log" / "postgres.log"
            raise CommandError(f"The database went away; {log} may say why.") from error
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what remains is to leave in order

    def _everything(self, *, serving: bool, port: int) -> None:
        with self._step("PostgreSQL and Redis"):
            embedded.ensure(settings.EMBEDDED)
        with self._step("database"):
            _migrate()
        log = settings.VAR_DIR / "log" / "worker.log"
        self._worker_died = False
        try:
            with WorkerProcess(log, self._on_worker_death) as worker:
                self._prepare_and_analyse()
                if serving:
                    self._serve(port)
        except SystemExit:
            if self._worker_died:
                raise CommandError(f"The worker ended by itself. {log} says:\n{worker.last_words}") from None
            raise

    def _prepare_and_analyse(self) -> None:
        folder = settings.VAR_DIR / "demo" / FOLDER
        if not folder.exists():
            self._say(f"Drawing {len(LENGTHS)} episodes of {SERIES}; this happens once.")
            _render(folder)
        with self._step("sample series"):
            sample_cast_create()
            call_command("import_episodes", str(folder), series=SERIES, stdout=_Nowhere(), stderr=self.stderr)
        series = Series.objects.get(title=SERIES)
        wanted = EpisodeFilter(series=series.slug)
        ids = [str(pk) for pk in episodes_find(wanted, episodes_annotated()).values_list("pk", flat=True)]
        call_command("analyse", *ids, wait=True, stdout=_Nowhere(), stderr=self.stderr)
        cards = episode_cards(list(episodes_find(wanted, episodes_annotated())))
        self._say(f"\n{SERIES}: what each character's face shows, as shares of the time in which it can be read\n")
        self._say(ratings_table.table(cards))
        difference = ratings_table.difference(cards, folder)
        if difference is not None:
            self._say(
                f"\nDifference from what was drawn: {difference.mean:.3f} on average, {difference.largest:.2f} at most"
                f" ({difference.shares} shares)"
            )

    def _serve(self, port: int) -> None:
        password = _admin_password(settings.VAR_DIR / "demo" / "admin-password")
        self._say(f"\nToonEmo is at http://{HOST}:{port}/   Ctrl-C ends it.")
        self._say(f"Administration: http://{HOST}:{port}/admin/   user admin, password {password}\n")
        self._serving = True
        try:
            serve(HOST, port, get_internal_wsgi_application(), threading=True)
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used: {error.strerror}. Choose another with --port.") from error

    def _on_worker_death(self) -> None:
        self._worker_died = True
        os.kill(os.getpid(), signal.SIGTERM)

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._say(f"{what:.<28} {time.monotonic() - started:5.1f} s")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class _Nowhere:
    """Takes what a called command says on success; its errors go to the real place."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return False


def _end(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def _refuse_port_in_use(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OverflowError:
            raise CommandError(f"{port} is not a port; choose one from 1 to 65535.") from None
        except OSError as error:
            raise CommandError(
                f"Port {port} on {HOST} cannot be used ({error.strerror}); perhaps ToonEmo is running there already."
                f" Choose another: make demo ARGS='--port {port + 1}'"
            ) from error


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def _render(folder: Path) -> None:
    """Into a folder that gets its name when all is drawn: one that was interrupted is drawn anew."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for number, seconds in enumerate(LENGTHS, start=1):
        options = ["--episodes", 1, "--first", number, "--seed", SEED + number - 1, "--duration", seconds]
        command = [sys.executable, "-m", "ml", "render", "--out", str(part), *map(str, options)]
        done = subprocess.run(command, check=False, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL)  # noqa: S603
        if done.returncode:
            raise CommandError("The sample series could not be drawn; the lines above say why.")
    part.rename(folder)


def _admin_password(path: Path) -> str:
    """Of the user ``admin``, made once; this database is reached from this machine only."""
    try:
        password = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        password = secrets.token_urlsafe(9)
        path.touch(mode=0o600)
        path.write_text(f"{password}\n", encoding="ascii")
    if not User.objects.filter(username="admin").exists():
        User.objects.create_superuser("admin", password=password)
    return password
