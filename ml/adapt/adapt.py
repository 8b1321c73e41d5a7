"""``adapt``: labels in, a bundle for the show out, with what it gained on shots that it did not see."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

from ml.adapt.budget import Budget
from ml.adapt.card import write_card
from ml.adapt.examples import Show, TooFewLabels, read_show
from ml.adapt.finding import tune_finding
from ml.adapt.heads import FittedEmotions
from ml.adapt.reading import make_gallery, tune_emotions
from ml.adapt.replay import PICTURES, draw_replay
from ml.adapt.whose import FittedGallery
from ml.adapt.work import AdaptSettings, Say, Work
from ml.bundle import Bundle, Part, read_bundle, write_bundle
from ml.classify.small_cnn import SmallCnnClassifier
from ml.data.records import Dataset, LabelledImage
from ml.data.split import SplitLeaks
from ml.detect.mask_rcnn import MaskRcnnDetector
from ml.errors import OutputUnwritable, UserError
from ml.evaluate.splits import group_digests, trained_groups
from ml.runtime import Models, models_of

LEAST_FACES = 5


class CannotAdapt(UserError):
    """The bundle is not of the kind that can be adapted."""

    code = "cannot_adapt"


def adapt(
    base: str | Path,
    dataset: Dataset,
    images: Sequence[LabelledImage],
    out: Path,
    settings: AdaptSettings,
    say: Say,
    begun: float | None = None,
) -> Bundle:
    """Writes the bundle ``out`` with its CARD.md. ``images``: in the order of ml.evaluate.labels.in_order. ``begun``:
    from when the minutes count (time.monotonic), now where it is not given.

    Raises CannotAdapt, TooFewLabels, SplitLeaks, OutputUnwritable, the UserErrors of labels, pictures and bundles.
    """
    budget = Budget(settings.minutes, begun=begun)
    bundle = read_bundle(base)
    models = models_of(bundle, "cpu")
    detector, classifier = models.detector, models.classifier
    if not isinstance(detector, MaskRcnnDetector) or not isinstance(classifier, SmallCnnClassifier):
        raise CannotAdapt(f"{_called(bundle)} has a detector or a classifier of a kind that cannot be adapted.")
    if bundle.named_by(bundle.detector):
        raise CannotAdapt(f"{_called(bundle)} has a detector of its own characters; one of any face can be adapted.")
    images = spread_over(images, settings.pictures)
    _refuse_seen(bundle, images)
    if sum(len(i.faces) for i in images) < LEAST_FACES:
        raise TooFewLabels(f"The labels hold fewer than {LEAST_FACES} faces; adapting needs at least as many.")
    show = _read(models, dataset, images, settings, budget, say)
    pictures = PICTURES if "detector" in settings.parts else 0
    replay = draw_replay(settings.seed, models.crop, budget, pictures=pictures, say=say)
    with tempfile.TemporaryDirectory() as folder:
        work = Work(bundle, models, classifier, show, replay, settings, budget, Path(folder), say)
        return _adapted(work, out)


def spread_over(images: Sequence[LabelledImage], count: int) -> Sequence[LabelledImage]:
    """At most so many, at even distances."""
    if len(images) <= count:
        return images
    return [images[int(i)] for i in (np.arange(count) + 0.5) * len(images) / count]


def _called(bundle: Bundle) -> str:
    return f"The bundle {bundle.name}-{bundle.version}"


def _refuse_seen(bundle: Bundle, images: Sequence[LabelledImage]) -> None:
    """What a bundle learnt cannot show what it gains."""
    if trained_groups(bundle.data) & set(group_digests(images)):
        raise SplitLeaks(
            f"{_called(bundle)} was trained on shots that are among the labels, so what it gains cannot be measured; "
            "start from the bundle that it was made from, with all labels."
        )


def _read(
    models: Models, dataset: Dataset, images: Sequence[LabelledImage], settings: AdaptSettings, budget: Budget, say: Say
) -> Show:
    show = read_show(dataset, images, models.crop, settings.seed, budget, say)
    if show.unread:
        say(f"{show.unread} pictures are left out: reading them takes too long; --minutes allows more")
    if len(show.faces) < LEAST_FACES:
        raise TooFewLabels(f"The labels hold {len(show.faces)} faces; adapting needs at least {LEAST_FACES}.")
    say(f"{len(show.faces)} faces in {len(show.pictures)} pictures of {len(set(show.groups))} shots")
    return show


def _adapted(work: Work, out: Path) -> Bundle:
    parts, weights = work.settings.parts, work.weights()
    emotions = tune_emotions(work) if "emotions" in parts else None
    gallery = make_gallery(work) if "gallery" in parts else None
    tuned = tune_finding(work) if "detector" in parts else None
    bundle = _described(work, emotions, gallery)
    assert bundle.classifier is not None
    weights[bundle.classifier.file] = _classifier_file(work, emotions, bundle.named_by(bundle.classifier))
    if tuned is not None:
        weights[bundle.detector.file] = tuned
    if gallery is not None:
        file = work.folder / "gallery.safetensors"
        save_arrays({"embeddings": gallery.rows.astype(np.float16)}, file)
        weights[file.name] = file
    try:
        written = write_bundle(bundle, {name: weights[name] for name in bundle.files}, out)
        write_card(written, out)
    except OSError as error:
        raise OutputUnwritable(f"The bundle cannot be written to {out}: {error.strerror or error}.") from error
    return written


def _classifier_file(work: Work, emotions: FittedEmotions | None, names: Sequence[str]) -> Path:
    """The base's network with the show's emotion layer; without the head for characters where it has no ``names``."""
    state = load_file(work.bundle.weights(work.bundle.classifier))
    kept = {k: v for k, v in state.items() if names or not k.startswith(("character.", "character_proxies."))}
    if emotions is not None:
        kept["emotion.weight"] = emotions.layer.weight.half().contiguous()
        kept["emotion.bias"] = emotions.layer.bias.half().contiguous()
    file = work.folder / "classifier.safetensors"
    save_file(kept, file)
    return file


def _described(work: Work, emotions: FittedEmotions | None, gallery: FittedGallery | None) -> Bundle:
    """With a gallery its characters alone are known; without one everybody whom the base knows."""
    bundle, show = work.bundle, work.show
    calibration = bundle.calibration
    if emotions is not None:
        calibration = replace(calibration, emotion_temperature=emotions.layer.temperature)
    if gallery is not None:
        assert bundle.classifier is not None
        bundle = replace(
            bundle,
            classifier=replace(bundle.classifier, settings={**bundle.classifier.settings, "names": []}),
            gallery=Part("gallery", "gallery.safetensors", gallery.settings),
            characters=dict(sorted(show.names.items())),
        )
    return replace(
        bundle,
        name=work.settings.name,
        version="1",
        calibration=calibration,
        confusion={},
        metrics={"gained": work.gained},
        data={
            "groups": group_digests(show.images),
            "pictures": len(show.pictures),
            "faces": len(show.faces),
            "unread": show.unread,
            "base": dict(bundle.data),
        },
        made={
            "how": "python -m ml adapt",
            "base": {"name": bundle.name, "version": bundle.version, "digest": bundle.digest},
            "settings": {**asdict(work.settings), "parts": list(work.settings.parts)},
            "seconds": round(work.budget.spent, 1),
            "origin": bundle.made.get("origin", ""),
        },
        digest="",
        path=None,
    )
