"""One classifier from pictures to figures: crops, training, weights, temperature, ``evaluation.json``, report."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ml.evaluate import calibration
from ml.outputs import write_json
from ml.train.classifier_task import ClassifierTask, predict
from ml.train.crops import CropSet, cut_crops, labels_of
from ml.train.experiment import PartRun, save_weights
from ml.train.fit import fingerprint_of, fit
from ml.train.measure import classifier_figures, valid_temperature
from ml.train.networks import build_reader
from ml.train.pictures import described
from ml.train.recipes import ClassifierPart
from ml.train.report import learning_curves, report

PREDICTIONS = "predictions.npz"


def train_part(run: PartRun) -> dict[str, Any]:
    """Gives facts for ``run.json``."""
    part = run.part
    assert isinstance(part, ClassifierPart)
    labels = labels_of([image for some in run.split.values() for image in some], part)
    sets = _crops(run, part, labels)
    reader = build_reader(part, labels, run.say)
    task = ClassifierTask(part, sets["train"], sets["valid"], reader, run.world.device)
    position = fit(task, part, run.folder, run.fingerprint, run.world, run.say)
    if not run.world.first:
        return {}
    save_weights(reader.network, run.folder / "weights.safetensors")
    logits = {name: predict(reader, sets[name].crops, part.size, run.world.device) for name in ("valid", "test")}
    temperature = valid_temperature(logits["valid"], sets["valid"].classes)
    test = sets["test"]
    figures = classifier_figures(logits["test"], test.classes, labels, temperature, part)
    document = {
        "format": 1,
        "kind": "classifier-test",
        "recipe": run.recipe.name,
        "labels": list(labels),
        "flattering": run.flatters,
        "faces": {name: len(some.classes) for name, some in sets.items()},
        "test": figures,
        "history": learning_curves(run.folder),
    }
    write_json(run.folder / "evaluation.json", document, indent=1)
    page = report(document, calibration.softmax(logits["test"], temperature), test.classes)
    (run.folder / "report.html").write_text(page, encoding="utf-8")
    np.savez(
        run.folder / PREDICTIONS,
        logits=logits["test"],
        truth=test.classes,
        labels=np.array(labels),
        groups=np.array(test.groups),
        keys=np.array(test.keys),
    )
    run.say(_summary(figures))
    return {
        "steps": position.step,
        "classes": list(labels),
        "architecture": reader.architecture,
        "network": reader.settings,
        "start": reader.start,
        "temperature": round(temperature, 4),
        "parameters": sum(p.numel() for p in reader.network.parameters()),
    }


def _crops(run: PartRun, part: ClassifierPart, labels: tuple[str, ...]) -> dict[str, CropSet]:
    """The first process cuts them, the others read them."""
    how = (part.crop_size, part.segmentation, part.without, part.fit, part.margin, part.outside, part.target, labels)
    sets: dict[str, CropSet] = {}
    for name, images in run.split.items():
        digest = fingerprint_of(json.dumps(how), *(described(image) for image in images))[:10]
        file = run.data / f"crops-{name}-{digest}.npy"
        if run.world.first:
            sets[name] = cut_crops(images, part, labels, file, run.say)
        run.world.wait()
        if not run.world.first:
            sets[name] = cut_crops(images, part, labels, file, lambda _: None)
    return sets


def _summary(figures: dict[str, Any]) -> str:
    if not figures["faces"]:
        return "test: no faces"
    majority = figures["baselines"]["majority"]["accuracy"]
    return (
        f"test: {figures['faces']} faces  accuracy {figures['accuracy']}  macro-F1 {figures['macro_f1']}  "
        f"weighted F1 {figures['weighted']['f1']}  mean one-against-rest accuracy "
        f"{figures['mean_one_against_rest_accuracy']} (flatters)  always the commonest: {majority}"
    )
