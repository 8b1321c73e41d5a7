"""Face crops with known truth to train the classifier on, cut by the same function that the pipeline uses."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.classify.base import Crop
from ml.detect.base import Face
from ml.face import PAPER_CROP, CropSettings, segmented_face
from ml.render.cast import CAST
from ml.render.crowd import look_alike, random_design
from ml.render.frameset import HEROES, UNKNOWN, FrameSet, Sample, SampleFace
from ml.render.grounds import paint_stage, paint_wild
from ml.render.ink import chance, u
from ml.render.styles import clean_style, wild_style
from ml.types import Emotion

Rng = np.random.Generator
HERO_SHARE = 0.7


def sample_crop(rng: Rng, settings: CropSettings = PAPER_CROP) -> tuple[Crop, str, Emotion, float]:
    """A crop, whose face it is ("unknown" for a stranger), what it shows and how strongly (0..1).

    The box and the mask are a little wrong, as a detector's are. Only readable faces are given.
    """
    while True:
        sample = _portrait(rng)
        readable = [face for face in sample.faces if face.readable]
        if readable:
            face = max(readable, key=lambda f: int(np.count_nonzero(f.mask)))
            crop = segmented_face(sample.rgb, as_detected(rng, face), settings)
            return crop, face.character, face.emotion, face.intensity


def _portrait(rng: Rng) -> Sample:
    """A small picture with one head near its middle and, at times, a neighbour or a thing in front."""
    head = float(np.exp(u(rng, np.log(24), np.log(130))))
    side = round(1.9 * head) + 16
    s = FrameSet(rng, side, side)
    hero = chance(rng, HERO_SHARE)
    if chance(rng, 0.65 if hero else 0.3):
        paint_stage(s.canvas, rng, chance(rng, 0.5))
    else:
        paint_wild(s.canvas, rng)
    if chance(rng, 0.12):
        s.add(UNKNOWN, random_design(rng), u(rng, 0, side), u(rng, 0.2, 0.8) * side, 0.8 * head, 0.9)
    name = HEROES[int(rng.integers(len(HEROES)))] if hero else UNKNOWN
    design = CAST[name] if hero else random_design(rng, look_alike(rng))
    s.add(name, design, side * u(rng, 0.42, 0.58), side * u(rng, 0.42, 0.58), head, 0.9)
    if chance(rng, 0.06):
        s.foreground()
    style = clean_style(rng) if chance(rng, 0.75 if hero else 0.4) else wild_style(rng)
    return s.finish(replace(style, bars=(0.0, 0.0), corner=0.0))


def as_detected(rng: Rng, face: SampleFace) -> Face:
    """The face as a detector might give it: edges off by a few percent, the mask's rim grown or worn."""
    height, width = face.mask.shape
    x1, y1, x2, y2 = face.box
    wobble = rng.normal(0, 0.03, 4) * max(x2 - x1, y2 - y1)
    left, top = max(0.0, x1 + float(wobble[0])), max(0.0, y1 + float(wobble[1]))
    right, bottom = min(float(width), x2 + float(wobble[2])), min(float(height), y2 + float(wobble[3]))
    character = None if face.character == UNKNOWN else face.character
    return Face((left, top, right, bottom), _worn(rng, face.mask), (0, 0), character, u(rng, 0.7, 1.0))


def _worn(rng: Rng, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask at the coarse resolution of a network's mask head, its threshold a little off."""
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    y1, y2, x1, x2 = ys[0], ys[-1] + 1, xs[0], xs[-1] + 1
    patch = mask[y1:y2, x1:x2].astype(np.float32)
    coarse = cv2.resize(patch, (28, 28), interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), u(rng, 0.3, 1.2))
    fine = cv2.resize(coarse, (patch.shape[1], patch.shape[0]), interpolation=cv2.INTER_LINEAR)
    out = np.zeros_like(mask)
    out[y1:y2, x1:x2] = fine > u(rng, 0.35, 0.62)
    return out
