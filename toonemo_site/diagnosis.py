"""What a doctor looks at, one function each: the state, a sentence, and what mends a fault."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from analysis.selectors.runs import segments_due
from toonemo_site import embedded, health
from toonemo_site.celery import app
from toonemo_site.checks import writable

OLDEST_POSTGRES, OLDEST_REDIS = 16, 6
LEAST_FREE_GB, LOW_FREE_GB = 1.0, 5.0
PROBE_S = 120.0
WORKER_COMMAND = "celery -A toonemo_site worker -B -Q default,inference"


class State(StrEnum):
    WELL = "well"
    NOTE = "note"  # works, but is worth knowing
    UNKNOWN = "unknown"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    state: State
    detail: str
    mend: str = ""


def examine() -> Iterator[Finding]:
    """Everything, each as soon as it is known."""
    start = services()
    yield start
    if start.state is State.FAULT:
        for name in ("postgres", "migrations", "redis", "workers"):
            yield Finding(name, State.UNKNOWN, "The embedded servers do not start.")
    else:
        yield from (postgres(), migrations(), broker(), workers())
    yield disk("media", Path(settings.MEDIA_ROOT))
    yield disk("var", settings.VAR_DIR)
    yield from computing()


def services() -> Finding:
    own = [n for n, w in (("PostgreSQL", settings.EMBEDDED.postgres), ("Redis", settings.EMBEDDED.redis)) if w]
    if not own:
        return Finding("services", State.WELL, "DATABASE_URL and REDIS_URL name them.")
    try:
        embedded.ensure(settings.EMBEDDED)
    except embedded.EmbeddedError as error:
        return Finding("services", State.FAULT, str(error), "Follow the sentence, or set DATABASE_URL and REDIS_URL.")
    return Finding("services", State.WELL, f"{' and '.join(own)} from wheels, under {settings.VAR_DIR}.")


def postgres() -> Finding:
    fault = health.database_fault()
    if fault:
        return Finding("postgres", State.FAULT, fault, "Start PostgreSQL, or correct DATABASE_URL.")
    version = connection.cursor().connection.info.server_version // 10_000
    if version < OLDEST_POSTGRES:
        mend = f"Use PostgreSQL {OLDEST_POSTGRES} or newer."
        return Finding("postgres", State.FAULT, f"It is version {version}.", mend)
    with connection.cursor() as cursor:
        cursor.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        row = cursor.fetchone()
    if row is None:
        return Finding(
            "postgres", State.FAULT, "It has no pgvector.", "Install the pgvector extension for this server."
        )
    return Finding("postgres", State.WELL, f"Version {version} with pgvector {row[0]}.")


def migrations() -> Finding:
    if health.database_fault():
        return Finding("migrations", State.UNKNOWN, "The database does not answer.")
    fault = health.migrations_fault()
    if fault:
        return Finding("migrations", State.FAULT, fault.partition(";")[0] + ".", "Run `manage.py migrate`.")
    return Finding("migrations", State.WELL, "All are applied.")


def broker() -> Finding:
    fault = health.redis_fault()
    if fault:
        return Finding("redis", State.FAULT, fault, "Start Redis, or correct REDIS_URL.")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        version = str(client.info("server")["redis_version"])
    if int(version.split(".")[0]) < OLDEST_REDIS:
        return Finding("redis", State.FAULT, f"It is version {version}.", f"Use Redis {OLDEST_REDIS} or newer.")
    return Finding("redis", State.WELL, f"Version {version}.")


def workers() -> Finding:
    if health.redis_fault():
        return Finding("workers", State.UNKNOWN, "They are asked through Redis, which does not answer.")
    names = sorted(app.control.inspect(timeout=2.0).ping() or {})
    if names:
        return Finding("workers", State.WELL, f"{len(names)} answer: {', '.join(names)}.")
    try:
        waiting = segments_due().count()
    except DatabaseError:
        return Finding("workers", State.UNKNOWN, "None answers; whether work waits, the database does not say.")
    mend = f"Start one: {WORKER_COMMAND}"
    if waiting:
        return Finding("workers", State.FAULT, f"None answers, and {waiting} pieces of work wait.", mend)
    return Finding("workers", State.NOTE, "None answers; no work waits.", mend)


def disk(name: str, folder: Path) -> Finding:
    if not writable(folder):
        return Finding(name, State.FAULT, f"{folder} cannot be written to.", "Give it to the user that runs ToonEmo.")
    free = shutil.disk_usage(folder).free / 1e9
    detail = f"{folder}: {free:.1f} GB free."
    if free < LEAST_FREE_GB:
        return Finding(name, State.FAULT, detail, "Make room: imports and analyses are about to fail.")
    return Finding(name, State.NOTE if free < LOW_FREE_GB else State.WELL, detail)


def computing(probe: Callable[[], dict[str, Any] | str] | None = None) -> Iterator[Finding]:
    """Bundles and the device, asked of a process that imports torch. ``probe``: for tests."""
    answer = (probe or _probe)()
    if isinstance(answer, str):
        for name in ("bundles", "device"):
            yield Finding(name, State.UNKNOWN, answer)
        return
    yield _bundles(answer["bundles"])
    yield _device(answer["devices"])


def _bundles(found: list[dict[str, str]]) -> Finding:
    faults = [b["fault"] for b in found if b["fault"]]
    if faults:
        return Finding("bundles", State.FAULT, " ".join(faults), "Bring the bundle's folder back as it was released.")
    names = [b["name"] for b in found]
    asked = settings.TOONEMO_BUNDLE
    if not any(asked in (name, name.rpartition("-")[0]) for name in names):
        detail = f"{asked!r} is not in {settings.TOONEMO_BUNDLE_DIR}; there: {', '.join(names) or 'none'}."
        return Finding("bundles", State.FAULT, detail, "Set TOONEMO_BUNDLE and TOONEMO_BUNDLE_DIR.")
    return Finding("bundles", State.WELL, f"{', '.join(names)}; digests agree.")


def _device(found: dict[str, Any]) -> Finding:
    if found["fault"]:
        mend = "Install the GPU's driver, or set TOONEMO_DEVICE=cpu."
        return Finding("device", State.FAULT, found["fault"], mend)
    gpus = ", ".join(found["gpus"]) or "no GPU"
    detail = f"Workers compute on {found['device']} (torch {found['torch']}, {gpus}, {found['threads']} threads)."
    return Finding("device", State.WELL, detail)


def _probe() -> dict[str, Any] | str:
    """What ``workers.doctor`` says, or a sentence why nobody knows."""
    if find_spec("torch") is None:
        return "torch is not installed here; workers are on other machines."
    command = [sys.executable, "-m", "workers.doctor", str(settings.TOONEMO_BUNDLE_DIR), settings.TOONEMO_DEVICE]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=PROBE_S, cwd=settings.BASE_DIR, check=False
        )
    except subprocess.TimeoutExpired:
        return f"torch did not answer within {PROBE_S:.0f} s."
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        return f"torch cannot be asked: {lines[-1]}"
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
