"""``adapt``: labels in, a bundle for the show out, with what it gained on shots that it did not see."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

from ml.adapt.detector import tune_detector
from ml.adapt.examples import Show, ShowFace, TooFewLabels, read_show
from ml.adapt.heads import Faces, FittedEmotions, Layer, fit_emotions
from ml.adapt.measure import emotion_figures, found_figures, shuffled
from ml.adapt.whose import FittedGallery, fit_gallery
from ml.bundle import Bundle, Part, read_bundle, write_bundle
from ml.classify.network import FaceOutputs
from ml.classify.small_cnn import SmallCnnClassifier
from ml.data.records import Dataset, LabelledImage
from ml.detect.mask_rcnn import MaskRcnnDetector, computes_in_half
from ml.errors import UserError
from ml.evaluate.splits import group_digests
from ml.runtime import Models, models_of
from ml.train.gather import crops, frames
from ml.train.store import Picture
from ml.types import Emotion

Say = Callable[[str], None]
LEAST_FACES = 5
LEAST_EMOTIONS = 10  # labelled faces from which emotions are read anew
REPLAY_PICTURES, REPLAY_CROPS = 80, 480
HELD_OUT = 0.34  # of the shots, for measuring what the detector gained
BATCH = 32
PARTS = ("detector", "gallery", "emotions")


class CannotAdapt(UserError):
    """The bundle is not of the kind that can be adapted."""

    code = "cannot_adapt"


@dataclass(frozen=True, slots=True)
class AdaptSettings:
    """``minutes``: most that it takes in all. ``steps``: of the detector, twice: once for measuring."""

    name: str
    minutes: float = 9.0
    steps: int = 160
    seed: int = 1
    parts: tuple[str, ...] = PARTS


@dataclass(frozen=True, slots=True)
class _Work:
    bundle: Bundle
    models: Models
    classifier: SmallCnnClassifier
    show: Show
    settings: AdaptSettings
    until: float
    folder: Path
    say: Say


def adapt(
    base: str | Path, dataset: Dataset, images: Sequence[LabelledImage], out: Path, settings: AdaptSettings, say: Say
) -> Bundle:
    """Writes the bundle ``out``. Raises CannotAdapt, TooFewLabels, the UserErrors of labels, pictures and bundles."""
    begun = time.monotonic()
    bundle = read_bundle(base)
    models = models_of(bundle, "cpu")
    if not isinstance(models.detector, MaskRcnnDetector) or not isinstance(models.classifier, SmallCnnClassifier):
        raise CannotAdapt(
            f"The bundle {bundle.name}-{bundle.version} has a detector or a classifier of a kind that cannot be "
            "adapted; toonemo-2 can."
        )
    show = read_show(dataset, images, models.crop, settings.seed, say)
    if len(show.faces) < LEAST_FACES:
        raise TooFewLabels(f"The labels hold {len(show.faces)} faces; adapting needs at least {LEAST_FACES}.")
    with tempfile.TemporaryDirectory() as folder:
        until = begun + settings.minutes * 60
        work = _Work(bundle, models, models.classifier, show, settings, until, Path(folder), say)
        return _adapted(work, out, begun)


def _adapted(work: _Work, out: Path, begun: float) -> Bundle:
    bundle, settings = work.bundle, work.settings
    say = work.say
    rng = np.random.default_rng([settings.seed, 9])
    say("drawing pictures to remember by")
    replay = list(frames(rng, REPLAY_PICTURES)) if "detector" in settings.parts else []
    strangers = list(crops(rng, work.models.crop, 4, REPLAY_CROPS))
    replayed = _replayed(work, [c.picture for c in strangers], [c.emotion for c in strangers])
    weights = {name: bundle.weights(None if name == "" else _part_of(bundle, name), name) for name in bundle.files}
    gained: dict[str, Any] = {}
    emotions = gallery = None
    if "emotions" in settings.parts:
        emotions = _emotions(work, replayed, gained)
    if "gallery" in settings.parts:
        unknown = np.array([c.character == "unknown" for c in strangers])
        gallery = _gallery(work, _embeddings(work, [c.picture for c in strangers])[unknown], gained)
    if "detector" in settings.parts:
        weights[bundle.detector.file] = _detector(work, replay, gained)
    new = _described(work, emotions, gallery, gained, time.monotonic() - begun)
    if bundle.classifier is not None:
        weights[bundle.classifier.file] = _classifier_file(work, emotions)
    if gallery is not None:
        file = work.folder / "gallery.safetensors"
        save_arrays({"embeddings": gallery.rows.astype(np.float32)}, file)
        weights[file.name] = file
    return write_bundle(new, {name: weights[name] for name in new.files}, out)


def _part_of(bundle: Bundle, file: str) -> Part:
    return next(part for part in bundle.parts if file in part.files)


def _emotions(work: _Work, replay: Faces, gained: dict[str, Any]) -> FittedEmotions | None:
    labels = work.bundle.emotion_labels
    read = [f for f in work.show.faces if f.emotion in set(work.bundle.emotion_mapping.values())]
    if len(read) < LEAST_EMOTIONS:
        work.say(f"emotions stay as they are: {len(read)} faces with one, and {LEAST_EMOTIONS} are needed")
        return None
    first = {
        e: next(i for i, name in enumerate(labels) if work.bundle.emotion_mapping[name] == e) for e in _known(read)
    }
    faces = Faces(
        _features(work, [f.views for f in read]),
        np.array([first[f.emotion] for f in read if f.emotion is not None], np.int64),
        tuple(f.group for f in read),
    )
    own = _own_layer(work)
    fitted = fit_emotions(faces, replay, own)
    before = own.logits(faces.features[:, 0])
    temperature = work.bundle.calibration.emotion_temperature
    gained["emotions"] = {
        "how": "each face read by a layer that saw no face of its shot",
        "faces": len(read),
        "shots": len(set(faces.groups)),
        "pull": fitted.pull,
        "before": emotion_figures(before / temperature, faces, labels),
        "after": emotion_figures(fitted.held_out / fitted.temperature, faces, labels),
        "shuffled": emotion_figures(fitted.held_out / fitted.temperature, shuffled(faces, work.settings.seed), labels),
    }
    figures = gained["emotions"]
    work.say(
        f"emotions on shots not seen: accuracy {figures['before']['accuracy']} -> {figures['after']['accuracy']}, "
        f"macro-F1 {figures['before']['macro_f1']} -> {figures['after']['macro_f1']}"
    )
    return fitted


def _known(faces: Sequence[ShowFace]) -> list[Emotion]:
    return sorted({f.emotion for f in faces if f.emotion is not None})


def _gallery(
    work: _Work, strangers: np.ndarray[Any, np.dtype[np.float32]], gained: dict[str, Any]
) -> FittedGallery | None:
    named = [f for f in work.show.faces if f.character is not None]
    if not named:
        work.say("no gallery: no label names a character")
        return None
    views = np.stack([_embeddings(work, list(f.views)) for f in named])
    fitted = fit_gallery(views, [f.character or "" for f in named], [f.group for f in named], strangers)
    gained["gallery"] = {
        "how": "each face named by a gallery without its shot; strangers are rendered",
        "faces": len(named),
        "characters": len({f.character for f in named}),
        "right": fitted.right,
        "wrong": fitted.wrong,
        "unknown": fitted.unknown,
        "strangers_named": fitted.strangers,
        "threshold": fitted.settings["threshold"],
    }
    work.say(f"names on shots not seen: {fitted.right} right, {fitted.wrong} wrong, {fitted.unknown} unknown")
    return fitted


def _detector(work: _Work, replay: Sequence[Picture], gained: dict[str, Any]) -> Path:
    """Tuned on all pictures; before that once on some of the shots, to see on the others what it gains."""
    show, settings = work.show, work.settings
    left = max(30.0, work.until - time.monotonic())
    half = computes_in_half("cpu")

    def tune(own: Sequence[Picture], name: str, seconds: float) -> Path:
        tuned = tune_detector(
            work.bundle, own, replay, work.folder / f"{name}.safetensors",
            steps=settings.steps, seconds=seconds, seed=settings.seed, half=half, say=work.say,
        )  # fmt: skip
        gained.setdefault("detector", {})[f"steps_{name}"] = tuned.steps
        return tuned.weights

    test = held_out_groups(show.groups, settings.seed)
    if test:
        train = [p for p, g in zip(show.pictures, show.groups, strict=True) if g not in test]
        tuned = tune(train, "measured", 0.4 * left)
        held = [p for p, g in zip(show.pictures, show.groups, strict=True) if g in test]
        gained["detector"] |= {"how": "tuned on the other shots", "pictures": len(held), "shots": len(test)}
        gained["detector"]["before"] = found_figures(work.models, held)
        gained["detector"]["after"] = found_figures(_with_detector(work, tuned), held)
        work.say(f"faces on shots not seen: {gained['detector']['before']} -> {gained['detector']['after']}")
    left = max(30.0, work.until - time.monotonic())
    return tune(show.pictures, "all", 0.9 * left)


def _with_detector(work: _Work, weights: Path) -> Models:
    files = {name: work.bundle.weights(_part_of(work.bundle, name), name) for name in work.bundle.files}
    folder = work.folder / "measured"
    return models_of(write_bundle(work.bundle, {**files, work.bundle.detector.file: weights}, folder), "cpu")


def _features(work: _Work, views: Sequence[np.ndarray[Any, np.dtype[np.uint8]]]) -> np.ndarray[Any, Any]:
    """(N, V, size, size, 3) crops -> (N, V, D) what the heads of the network look at."""
    return np.stack([_outputs(work, list(of)).features.float().cpu().numpy() for of in views])


def _embeddings(work: _Work, pictures: Sequence[np.ndarray[Any, np.dtype[np.uint8]]]) -> np.ndarray[Any, Any]:
    """(N, EMBEDDING_SIZE)"""
    parts = [_outputs(work, pictures[i : i + BATCH]).embedding for i in range(0, len(pictures), BATCH)]
    return torch.cat(parts).float().cpu().numpy()


def _outputs(work: _Work, pictures: Sequence[np.ndarray[Any, np.dtype[np.uint8]]]) -> FaceOutputs:
    return work.classifier.outputs(pictures)


def _replayed(work: _Work, pictures: Sequence[np.ndarray[Any, np.dtype[np.uint8]]], emotions: Sequence[str]) -> Faces:
    """Rendered faces with the emotions that the bundle can express; each a view and a group of its own."""
    bundle = work.bundle
    first = {str(bundle.emotion_mapping[label]): i for i, label in reversed(list(enumerate(bundle.emotion_labels)))}
    known = [i for i, e in enumerate(emotions) if e in first]
    features = [
        _outputs(work, [pictures[i] for i in known[start : start + BATCH]]).features
        for start in range(0, len(known), BATCH)
    ]
    rows = torch.cat(features).float().cpu().numpy()[:, None]
    return Faces(rows, np.array([first[emotions[i]] for i in known], np.int64), tuple(map(str, known)))


def _own_layer(work: _Work) -> Layer:
    layer = work.classifier.network.emotion
    return Layer(layer.weight.detach().float().cpu().clone(), layer.bias.detach().float().cpu().clone())


def _classifier_file(work: _Work, emotions: FittedEmotions | None) -> Path:
    """The base's network with the show's emotion layer, and without the head for characters it does not have."""
    state = load_file(work.bundle.weights(work.bundle.classifier))
    kept = {k: v for k, v in state.items() if not k.startswith(("character.", "character_proxies."))}
    if emotions is not None:
        kept["emotion.weight"] = emotions.layer.weight.half().contiguous()
        kept["emotion.bias"] = emotions.layer.bias.half().contiguous()
    file = work.folder / "classifier.safetensors"
    save_file(kept, file)
    return file


def _described(
    work: _Work, emotions: FittedEmotions | None, gallery: FittedGallery | None, gained: dict[str, Any], seconds: float
) -> Bundle:
    bundle, show = work.bundle, work.show
    names = sorted({f.character for f in show.faces if f.character is not None}) if gallery else []
    calibration = bundle.calibration
    if emotions is not None:
        calibration = replace(calibration, emotion_temperature=emotions.temperature)
    assert bundle.classifier is not None
    return replace(
        bundle,
        name=work.settings.name,
        version="1",
        detector=replace(bundle.detector, settings={**bundle.detector.settings, "names": []}),
        classifier=replace(bundle.classifier, settings={**bundle.classifier.settings, "names": []}),
        gallery=Part("gallery", "gallery.safetensors", gallery.settings) if gallery else None,
        characters={name: name.replace("-", " ").title() for name in names},
        calibration=calibration,
        confusion={},
        metrics={"gained": gained},
        data={
            "groups": group_digests(show.images),
            "pictures": len(show.pictures),
            "faces": len(show.faces),
            "base": dict(bundle.data),
        },
        made={
            "how": "python -m ml adapt",
            "base": {"name": bundle.name, "version": bundle.version, "digest": bundle.digest},
            "settings": asdict(work.settings),
            "seconds": round(seconds, 1),
            "origin": bundle.made.get("origin", ""),
        },
        digest="",
        path=None,
    )


def held_out_groups(groups: Sequence[str], seed: int) -> set[str]:
    """About a third of the shots; none where there are fewer than three."""
    names = sorted(set(groups))
    if len(names) < 3:
        return set()
    order = np.random.default_rng([seed, 3]).permutation(len(names))
    return {names[int(i)] for i in order[: max(1, round(HELD_OUT * len(names)))]}
