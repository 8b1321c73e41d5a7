"""Rendered shows: a stand-in for cartoons nobody trained on, with as many labels as one likes.

A show has a cast of families that training never draws, one studio's way of acting (``Accent``), one look that is held
out, and shots: one character, one feeling that rises, holds and fades over six drawings. Some emotions are rarer than
others, as in real shows. ``python -m ml.research.shows --out DIR`` draws ``shows.npz``, and ``replay.npz`` with faces
of the training distribution.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.classify.base import Crop
from ml.face import segmented_face
from ml.render.accent import Accent, random_accent
from ml.render.body import draw_character
from ml.render.canvas import Canvas
from ml.render.crop import as_detected, sample_crops
from ml.render.crowd import held_out_cast
from ml.render.design import Design, Pose
from ml.render.drawn_face import Expression
from ml.render.expression import expression_for
from ml.render.frameset import READABLE_SHARE, UNKNOWN, SampleFace, random_pose
from ml.render.grounds import paint_ground
from ml.render.ink import random_ink, u
from ml.render.looks import HELD_OUT_LOOKS, LOOKS, Dress
from ml.render.parts import parts_of
from ml.research.faces import CROP, Faces, joined, write_faces
from ml.types import EMOTIONS, Emotion

Rng = np.random.Generator
COURSE = (0.35, 0.65, 1.0, 1.0, 0.85, 0.7)  # of the intensity, from onset over apex to the fade
_SPREAD = 3.0  # of how often each emotion is shown in a show: larger is more even
_LEAST, _MOST = 44.0, 130.0  # heights of heads in pixels
_YAW = 55.0


@dataclass(frozen=True, slots=True)
class Show:
    """``shares``: how often each of EMOTIONS is shown."""

    name: str
    cast: dict[str, Design]
    accents: dict[str, Accent]
    dress: Dress
    print: int  # seed of paper, dots and glow, the same in all of a show's drawings
    shares: NDArray[np.float64]


def made_show(seed: int) -> Show:
    """The same seed gives the same show."""
    rng = np.random.default_rng([seed, 505])
    look = LOOKS[HELD_OUT_LOOKS[seed % len(HELD_OUT_LOOKS)]]
    cast = held_out_cast(seed)
    way = int(rng.integers(1 << 31))  # one studio; what a design lacks is spoken by the rest of its face
    accents = {name: random_accent(np.random.default_rng(way), design) for name, design in cast.items()}
    shares = 0.6 * rng.dirichlet(np.full(len(EMOTIONS), _SPREAD)) + 0.4 / len(EMOTIONS)
    return Show(f"{seed:02d}-{look.name}", cast, accents, look.dress(rng, 1.0), seed, shares)


def show_faces(seed: int, shots: int) -> Faces:
    """All readable faces of a show's first ``shots`` shots."""
    show = made_show(seed)
    rows = [(n, *row) for n in range(shots) for row in _shot(show, np.random.default_rng([seed, n, 506]))]
    number, name, emotion, order, crops, parts = zip(*rows, strict=True)
    return Faces(
        np.stack(crops),
        np.array(emotion, np.int64),
        np.full(len(rows), show.name),
        np.array([f"{show.name}/{n:03d}" for n in number]),
        np.array([f"{show.name}/{n}" for n in name]),
        np.array(order, np.int64),
        np.array(parts, np.float32),
    )


def _shot(show: Show, rng: Rng) -> Iterator[tuple[str, int, int, Crop, tuple[float, ...]]]:
    name = list(show.cast)[int(rng.integers(len(show.cast)))]
    number = int(rng.choice(len(EMOTIONS), p=show.shares))
    emotion = EMOTIONS[number]
    peak = u(rng, 0.0, 0.5) if emotion is Emotion.NEUTRAL else u(rng, 0.5, 1.0)
    head, pose = float(np.exp(u(rng, np.log(_LEAST), np.log(_MOST)))), _upright(random_pose(rng))
    drawing, ground = int(rng.integers(1 << 31)), int(rng.integers(1 << 31))
    for order, share in enumerate(COURSE):
        # Mostly the same drawing, stronger or weaker; at times another of the same feeling.
        own = rng if rng.random() < 0.25 else np.random.default_rng(drawing)
        expression = expression_for(emotion, share * peak, own, show.accents[name])
        moved = _moved(rng, pose)
        design = show.dress.design(show.cast[name])
        found = _portrait(show, design, expression, moved, head, rng, ground, emotion)
        if found is not None:
            yield name, number, order, found, parts_of(expression, design, moved)


def _upright(pose: Pose) -> Pose:
    return replace(pose, yaw=float(np.clip(pose.yaw, -_YAW, _YAW)), roll=float(np.clip(pose.roll, -30, 30)), blink=0.0)


def _moved(rng: Rng, pose: Pose) -> Pose:
    yaw, roll, pitch = (float(v) for v in rng.normal(0, (6, 3, 3)))
    blink = u(rng, 0.4, 1.0) if rng.random() < 0.04 else 0.0
    return replace(pose, yaw=pose.yaw + yaw, roll=pose.roll + roll, pitch=pose.pitch + pitch, blink=blink)


def _portrait(
    show: Show, design: Design, expression: Expression, pose: Pose, head: float, rng: Rng, ground: int, emotion: Emotion
) -> Crop | None:
    """The crop; None where too little of the face is in sight."""
    dress, side = show.dress, round(1.9 * head) + 16
    canvas = Canvas(side, side, supersample=2)
    place = np.random.default_rng(ground)
    paint_ground(canvas, place, dress.look.ground, dress.ink(random_ink(place)))
    height = head / design.head_share
    x, y = (side * u(rng, 0.45, 0.55) for _ in range(2))
    drawn = draw_character(canvas, design, expression, pose, x, y + height * (1 - 0.5 * design.head_share), height, 1)
    whole = canvas.whole_area(1)
    dress.develop(canvas, np.random.default_rng(show.print))
    mask = canvas.ids == 1
    if not drawn.eye_places or mask.sum() < max(60.0, READABLE_SHARE * whole):
        return None
    xs, ys = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    box = (float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1))
    face = SampleFace(UNKNOWN, box, mask, emotion, 1.0, True)
    style = replace(dress.style, bars=(0.0, 0.0), corner=0.0)
    picture = replace(dress, style=style).project(canvas.image(), rng)
    return segmented_face(picture, as_detected(rng, face), CROP)


def replay_faces(seed: int, count: int) -> Faces:
    """``count`` rendered faces (rounded to fours) as training draws them: what a base model has seen."""
    rng = np.random.default_rng([seed, 507])
    samples = [s for _ in range(count // 4) for s in sample_crops(rng, CROP, 1, 4)]
    shots = np.array([f"replay/{n // 4:05d}" for n in range(len(samples))])
    return Faces(
        np.stack([s.crop for s in samples]),
        np.array([EMOTIONS.index(s.emotion) for s in samples], np.int64),
        np.full(len(samples), "replay"),
        shots,
        shots,
        np.arange(len(samples), dtype=np.int64),
        np.array([s.parts for s in samples], np.float32),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.research.shows", description="Draws shows to measure on.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shows", type=int, default=15)
    parser.add_argument("--shots", type=int, default=40)
    parser.add_argument("--replay", type=int, default=1600)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    shows = []
    for seed in range(options.shows):
        shows.append(show_faces(seed, options.shots))
        sys.stderr.write(f"show {seed}: {len(shows[-1])} faces\n")
    write_faces(options.out / "shows.npz", joined(shows))
    write_faces(options.out / "replay.npz", replay_faces(0, options.replay))
    return 0


if __name__ == "__main__":
    sys.exit(main())
