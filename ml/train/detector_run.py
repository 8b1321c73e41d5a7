"""One detector from pictures to figures: training, weights, a bundle of its own, ``evaluation.json``, report."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ml.data.records import Dataset, LabelledImage
from ml.detect.registry import build_network
from ml.evaluate.labelled import measured
from ml.evaluate.report import report
from ml.evaluate.summary import lines
from ml.outputs import write_json
from ml.runtime import load_models
from ml.train.bundling import FinishedRun, bundle_of_runs
from ml.train.crops import UNKNOWN, character_word
from ml.train.detector_task import DetectorTask, class_names
from ml.train.experiment import PartRun, save_weights
from ml.train.fit import fit
from ml.train.recipes import DetectorPart
from ml.train.report import learning_curves
from ml.train.settings import SettingsInvalid
from ml.train.starting import load_start


def train_part(run: PartRun) -> dict[str, Any]:
    """Gives facts for ``run.json``."""
    part = run.part
    assert isinstance(part, DetectorPart)
    names = class_names([image for some in run.split.values() for image in some], part)
    if not names:
        raise SettingsInvalid("A detector needs faces with a character's name, or the setting unknown = true.")
    torch.manual_seed(part.seed)
    network = build_network(part.architecture, part.network, len(names) + 1)
    if part.start:
        run.say(f"{load_start(network, Path(part.start))} tensors from {part.start}")
    task = DetectorTask(part, names, run.split["train"], run.split["valid"], network, run.world.device)
    position = fit(task, part, run.folder, run.fingerprint, run.world, run.say)
    if not run.world.first:
        return {}
    save_weights(network, run.folder / "weights.safetensors")
    facts = {"steps": position.step, "classes": list(names), "architecture": part.architecture, "network": part.network}
    _measure(run, facts)
    return facts


def _of_known(image: LabelledImage, names: Sequence[str]) -> LabelledImage:
    """Faces of characters that it was never to find count nothing."""
    if UNKNOWN in names:
        return image
    faces = tuple(
        face if character_word(face) in names else replace(face, attributes={**face.attributes, "ignore": "true"})
        for face in image.faces
    )
    return replace(image, faces=faces)


def _measure(run: PartRun, facts: Mapping[str, Any]) -> None:
    """Writes ``evaluation.json`` and ``report.html``: what the finished detector finds in the test pictures."""
    images = [_of_known(image, facts["classes"]) for image in run.split["test"]]
    document: dict[str, Any] = {"format": 1, "kind": "evaluation"}
    if not images:
        write_json(run.folder / "evaluation.json", document, indent=1)
        return
    finished = FinishedRun(run.folder, run.recipe, {**run.facts, **facts}, {})
    with tempfile.TemporaryDirectory() as place:
        made = bundle_of_runs([finished], Path(place) / run.recipe.name)
        models = load_models(made.path or place, run.world.device)
        document = measured(models, Dataset("recipe", tuple(images)), images, run.say)
    document["labels"] |= {"file": run.recipe.name, "split": "test", "training_groups_known": True}
    document["history"] = learning_curves(run.folder)
    page = report(document)
    (run.folder / "report.html").write_text(page, encoding="utf-8")
    write_json(run.folder / "evaluation.json", {k: v for k, v in document.items() if k != "raw"}, indent=1)
    for line in lines(document):
        run.say(line)
