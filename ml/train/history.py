"""What a training run measured, over time: ``history.jsonl``, and the same for TensorBoard in ``tensorboard/``.

One line a number: ``{"step": 40, "split": "train", "name": "loss", "value": 1.25, "time": 1763717466.1}``; ``time`` is
in seconds since 1970. A run that goes on from a checkpoint forgets what it had written after it, so that no step is
there twice.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ml.train.events import EventFile

HISTORY_FILE = "history.jsonl"
TENSORBOARD = "tensorboard"


@dataclass(frozen=True, slots=True)
class Measured:
    """``split``: train, valid or test. ``step``: steps done when it was measured."""

    step: int
    split: str
    name: str
    value: float
    time: float = 0.0


class History:
    """Opens the history in ``folder``, without what came after step ``first``; 0 begins anew."""

    def __init__(self, folder: Path, first: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / HISTORY_FILE
        kept = [m for m in read_history(folder) if m.step <= first] if first else []
        temporary = path.with_suffix(".part")
        temporary.write_text("".join(_line(m) for m in kept), encoding="utf-8")
        temporary.replace(path)
        shutil.rmtree(folder / TENSORBOARD, ignore_errors=True)
        self._events = EventFile(folder / TENSORBOARD, time.time())
        for measured in kept:
            self._events.add(f"{measured.split}/{measured.name}", measured.value, measured.step, measured.time)
        self._events.flush()
        self._stream = path.open("a", encoding="utf-8")

    def add(self, step: int, split: str, values: Mapping[str, float]) -> None:
        now = round(time.time(), 3)
        for name, value in values.items():
            measured = Measured(step, split, name, float(value), now)
            self._stream.write(_line(measured))
            self._events.add(f"{split}/{name}", measured.value, step, now)
        self._stream.flush()
        self._events.flush()

    def close(self) -> None:
        self._stream.close()
        self._events.close()


def read_history(folder: Path) -> Iterator[Measured]:
    """Every number, in the order of writing; a last line that a kill cut short is left out."""
    path = folder / HISTORY_FILE
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield Measured(**json.loads(line))


def _line(measured: Measured) -> str:
    return json.dumps(asdict(measured)) + "\n"
