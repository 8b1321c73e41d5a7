"""``evaluate --labels``: a bundle on labelled pictures, from the labels to the document of figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ml.data.records import Dataset, LabelledImage
from ml.data.split import SplitLeaks
from ml.evaluate import sources, splits
from ml.evaluate.bootstrap import ROUNDS
from ml.evaluate.cost import TIMED, size_of, speed_of
from ml.evaluate.curves import read_history
from ml.evaluate.figures import figures_of
from ml.evaluate.labels import LOWEST_SCORE, chosen_images, counted, in_order, observe, with_low_threshold
from ml.runtime import Models, load_models

Say = Callable[[str], None]


def evaluate_labels(args: argparse.Namespace, say: Say) -> dict[str, Any]:
    """The document of one run. Raises UserErrors: of labels, pictures and bundles, SplitLeaks, NothingToMeasure."""
    dataset = sources.read(args.labels, args.images)
    images = chosen(dataset, args)
    models = load_models(args.bundle, args.device)
    trained, trained_pictures = _training(models, args.train_labels or [])
    near: list[LabelledImage] = []
    if args.flattering_random_frames:
        images, near = splits.parted(images, trained, trained_pictures)
        if not images:
            raise SplitLeaks("Every picture is of a group that was trained on: there is no honest figure.")
    else:
        splits.refuse_leaks(images, trained)
    document = measured(models, dataset, images, say, args.rounds, args.masking)
    timed = sources.pictures_of(dataset, images[:TIMED])
    document["cost"] = {"parts": size_of(models), **speed_of(models, [frame for _, frame in timed])}
    if args.history is not None:
        document["history"] = read_history(args.history)
    document["labels"] |= {"file": args.labels.name, "split": args.split, "every": args.every}
    document["labels"]["training_groups_known"] = bool(trained)
    if args.flattering_random_frames:
        document["flattering"] = _flattering(models, dataset, [*images, *near], say, args.rounds)
    return document


def chosen(dataset: Dataset, args: argparse.Namespace) -> list[LabelledImage]:
    images = chosen_images(list(in_order(dataset.images)), args.split, args.every)
    if not images:
        raise sources.NothingToMeasure(f"{args.labels} has no picture in the split {args.split!r}.")
    return images


def measured(
    models: Models,
    dataset: Dataset,
    images: Sequence[LabelledImage],
    say: Say,
    rounds: int = ROUNDS,
    masking: bool = False,
) -> dict[str, Any]:
    low = with_low_threshold(models)
    seen = observe(low, sources.pictures_of(dataset, images), say, masking=masking)
    bundle = models.bundle
    return {
        "format": 1,
        "kind": "evaluation",
        "bundle": {"name": bundle.name, "version": bundle.version, "digest": bundle.digest},
        "labels": {
            "format": dataset.format,
            **counted(images),
            "problems": len(dataset.problems),
        },
        "lowest_score": LOWEST_SCORE,
        **figures_of(seen, bundle, rounds),
    }


def _training(models: Models, files: Sequence[Path]) -> tuple[set[str], set[str]]:
    """Digests of the groups, and names of the pictures, that were trained on as far as bundle and labels tell."""
    groups, pictures = splits.trained_groups(models.bundle.data), set()
    for file in files:
        images = sources.read(file).images
        groups |= set(splits.group_digests(images))
        pictures |= {splits.picture_key(i) for i in images}
    return groups, pictures


def _flattering(models: Models, dataset: Dataset, images: list[LabelledImage], say: Say, rounds: int) -> dict[str, Any]:
    """The same figures with near-copies of training pictures let in, to show how much that flatters."""
    document = measured(models, dataset, list(in_order(images)), say, rounds)
    return {
        "name": "flattering: frames of shots that were trained on are among these; the honest figures stand above",
        "labels": document["labels"],
        "detection": document["detection"],
        "emotions": document["emotions"],
    }
