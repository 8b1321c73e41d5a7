"""One detector from pictures to figures: training, weights, a bundle of its own, ``evaluation.json``, report."""

from __future__ import annotations

from typing import Any

from ml.detect.registry import build_network
from ml.train.detector_task import DetectorTask, class_names
from ml.train.experiment import PartRun, save_weights
from ml.train.fit import fit
from ml.train.recipes import DetectorPart
from ml.train.settings import SettingsInvalid


def train_part(run: PartRun) -> dict[str, Any]:
    """Gives facts for ``run.json``."""
    import torch

    part = run.part
    assert isinstance(part, DetectorPart)
    names = class_names([image for some in run.split.values() for image in some], part)
    if not names:
        raise SettingsInvalid("A detector needs faces with a character's name, or the setting unknown = true.")
    torch.manual_seed(part.seed)
    network = build_network(part.architecture, part.network, len(names) + 1)
    task = DetectorTask(part, names, run.split["train"], run.split["valid"], network, run.world.device)
    position = fit(task, part, run.folder, run.fingerprint, run.world, run.say)
    if not run.world.first:
        return {}
    save_weights(network, run.folder / "weights.safetensors")
    return {"steps": position.step, "classes": list(names), "architecture": part.architecture}
