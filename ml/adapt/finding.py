"""The step that trains: the detector, tuned once without some shots to see what that brings, then with all of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.adapt.detector import Tuned, tune_detector
from ml.adapt.measure import found_figures
from ml.adapt.work import Work
from ml.bundle import write_bundle
from ml.detect.mask_rcnn import computes_in_half
from ml.runtime import Models, models_of
from ml.train.store import Picture

HELD_OUT = 0.34  # of the shots, for measuring what the detector gained
LEAST_S = 15.0  # seconds with which tuning is begun at all
ENDING = 0.06  # share of the time for what comes after: measuring once more, and writing
LOOKING, FIRST_RUN = 0.08, 0.4  # shares of what is left: to look at pictures once, to tune for measuring


def tune_finding(work: Work) -> Path | None:
    """The new weights; None, with the reason in ``work.gained``, where the time does not suffice."""
    figures: dict[str, Any] = {}
    work.gained["detector"] = figures
    show = work.show
    test = held_out_groups(show.groups, work.settings.seed)
    figures["shots"] = len(set(show.groups))
    left = _left(work)
    if left < LEAST_S:
        figures["kept"] = "the time was spent before"
        work.say("the detector stays as it is: the time was spent before")
        return None
    kept = work.replay.kept_pictures
    before = found_figures(work.models, kept, LOOKING * left / 2)
    if not test:
        figures["unmeasured"] = "the labels are of fewer than three shots, so none was left out"
    elif left < 4 * LEAST_S:
        figures["unmeasured"] = "the time did not suffice for it"
    else:
        _measure(work, test, left)
    if "unmeasured" in figures:
        work.say(f"what the detector gained is not measured: {figures['unmeasured']}")
    looking = LOOKING * left
    tuned = _tune(work, show.pictures, "all", max(LEAST_S / 2, _left(work) - looking))
    figures["steps"] = tuned.steps
    after = found_figures(_with_detector(work, tuned.weights, "all"), kept[: before["pictures"]])
    figures["remembered"] = {"before": before, "after": after}
    return tuned.weights


def _measure(work: Work, test: set[str], left: float) -> None:
    show, figures = work.show, work.gained["detector"]
    train = [p for p, g in zip(show.pictures, show.groups, strict=True) if g not in test]
    held = spread([p for p, g in zip(show.pictures, show.groups, strict=True) if g in test])
    before = found_figures(work.models, held, LOOKING * left)
    tuned = _tune(work, train, "measured", FIRST_RUN * left)
    after = found_figures(_with_detector(work, tuned.weights, "measured"), held[: before["pictures"]])
    figures |= {
        "how": "tuned on the other shots",
        "test_shots": len(test),
        "steps_measured": tuned.steps,
        "before": before,
        "after": after,
    }
    work.say(
        f"faces on shots not seen: {before['recall']} found -> {after['recall']}; found where there is none, per "
        f"picture: {before['unmatched_per_picture']} -> {after['unmatched_per_picture']}"
    )


def _left(work: Work) -> float:
    return work.budget.left - ENDING * work.settings.minutes * 60


def _tune(work: Work, own: Sequence[Picture], name: str, seconds: float) -> Tuned:
    out = work.folder / f"{name}.safetensors"
    settings, replay = work.settings, work.replay.pictures
    begun = time.monotonic()
    tuned = tune_detector(
        work.bundle, own, replay, out,
        steps=settings.steps, seconds=seconds, seed=settings.seed, half=computes_in_half("cpu"), say=work.say,
    )  # fmt: skip
    work.say(f"detector: {tuned.steps} steps in {time.monotonic() - begun:.0f} s")
    return tuned


def _with_detector(work: Work, weights: Path, name: str) -> Models:
    files = {**work.weights(), work.bundle.detector.file: weights}
    return models_of(write_bundle(work.bundle, files, work.folder / name), "cpu")


def held_out_groups(groups: Sequence[str], seed: int) -> set[str]:
    """About a third of the shots; none where there are fewer than three."""
    names = sorted(set(groups))
    if len(names) < 3:
        return set()
    order = np.random.default_rng([seed, 3]).permutation(len(names))
    return {names[int(i)] for i in order[: max(1, round(HELD_OUT * len(names)))]}


def spread(pictures: Sequence[Picture]) -> list[Picture]:
    """In an order whose beginning has pictures of all parts."""
    step = 7
    return [pictures[i] for first in range(step) for i in range(first, len(pictures), step)]
