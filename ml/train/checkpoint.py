"""Checkpoints: everything that a run needs to go on as if it had never been stopped.

Weights, optimiser, gradient scaler and ``Position``. Random numbers need no state: what step n draws follows from
(seed, n), see ml.train.fit. The best weights so far lie beside it, in ``best.pt``.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ml.errors import UserError

CHECKPOINT_FILE = "checkpoint.pt"
BEST_FILE = "best.pt"
CHECKPOINT_FORMAT = 1


class CheckpointInvalid(UserError):
    """A run folder's checkpoint cannot be read, or is that of another run."""

    code = "checkpoint_invalid"


@dataclass(slots=True)
class Position:
    """How far a run is. ``epoch``: within the stage; ``batch``: next one within the epoch; ``step``: steps done.

    ``stage_step``: steps done in this stage. ``parts``: slices that a batch is cut into since memory ran out.
    ``best``, ``waited``: least validation loss so far in the whole run, and epochs since this stage had its own
    (``stage_best``). ``sums``: of the losses since the last line of the history, over ``summed`` steps.
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    stage_step: int = 0
    parts: int = 1
    best: float = float("inf")
    stage_best: float = float("inf")
    waited: int = 0
    summed: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    finished: bool = False


def save_tensors(path: Path, state: Mapping[str, Any]) -> None:
    """Whole or not at all, also when the power fails: written beside its place, flushed to the disk, renamed."""
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as stream:
        torch.save(dict(state), stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def read_tensors(path: Path) -> dict[str, Any]:
    """Reads tensors and plain values only, never other objects. Raises CheckpointInvalid."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointInvalid(f"The checkpoint {path} cannot be read: {reason}") from error
    if not isinstance(state, dict) or state.get("format") != CHECKPOINT_FORMAT:
        raise CheckpointInvalid(f"The checkpoint {path} was written by another version.")
    return state


def save_checkpoint(
    folder: Path, position: Position, fingerprint: str, network: Any, optimiser: Any, scaler: Any
) -> None:
    """``fingerprint``: of settings and data; a run goes on only with its own."""
    state = {
        "format": CHECKPOINT_FORMAT,
        "fingerprint": fingerprint,
        "position": asdict(position),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "scaler": scaler.state_dict(),
    }
    save_tensors(folder / CHECKPOINT_FILE, state)


def read_checkpoint(folder: Path, fingerprint: str) -> tuple[Position, dict[str, Any]] | None:
    """None where the folder has none. Raises CheckpointInvalid, also for the checkpoint of other settings or data."""
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    state = read_tensors(path)
    if state["fingerprint"] != fingerprint:
        raise CheckpointInvalid(
            f"{folder} holds a run with other settings or other data; go on with the same ones, or name a new folder."
        )
    return Position(**state["position"]), state
