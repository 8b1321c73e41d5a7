"""Single training frames and face crops with known truth: the sample cast, a crowd of strangers, and no faces at all.

``python -m ml.render.sample --frames N --seed S --out DIR --size 384x216`` writes frames to disk.

What a face is: skull, muzzle, beak and cheeks; without ears, hats and hair above the skull. A head of which no eye can
be seen is no face. Everything follows from the generator handed in: the same seed gives the same pixels.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ml.render.backgrounds import PLACES, STAGE, Backdrop, paint_place
from ml.render.body import ACTIONS, draw_character
from ml.render.canvas import Canvas, Colour, Linear, mix, polygon, scale_colour, smooth
from ml.render.cast import CAST
from ml.render.crowd import LOOK_ALIKES, random_design
from ml.render.design import Design, Pose
from ml.render.expression import expression_for
from ml.render.head import HeadDrawn, draw_head
from ml.render.props import Ink, chance, draw_body, draw_prop, random_colour, random_ink, u
from ml.render.styles import Style, apply_style, clean_style, hidden, smooth_noise, wild_style
from ml.types import EMOTIONS, Box, Emotion

Rng = np.random.Generator
HEROES = tuple(CAST)
UNKNOWN = "unknown"
CHARACTERS = (*HEROES, UNKNOWN)
SIZE = (384, 216)  # width, height
LEAST_SIDE = 6  # pixels of a face's box
LEAST_SHARE = 0.25  # of a face that must be in sight


@dataclass(frozen=True, slots=True)
class SampleFace:
    """``box``: pixels, exclusive right and lower edges, tight around ``mask`` (bool, height x width: what is in sight).

    ``readable``: large and open enough that a viewer could say what it shows.
    """

    character: str  # one of CHARACTERS
    box: Box
    mask: NDArray[np.bool_]
    emotion: Emotion
    intensity: float
    readable: bool


@dataclass(frozen=True, slots=True)
class Sample:
    rgb: NDArray[np.uint8]
    faces: list[SampleFace]


@dataclass(frozen=True, slots=True)
class _Actor:
    character: str
    emotion: Emotion
    intensity: float
    pose: Pose
    head: HeadDrawn
    drawn: int  # pixels of the face before anything was drawn over it


# ------------------------------------------------------------------------------------------------ actors


class FrameSet:
    """A picture being put together: the canvas (units: pixels) and who stands on it."""

    def __init__(self, rng: Rng, width: int, height: int) -> None:
        self.rng, self.width, self.height = rng, width, height
        self.canvas = Canvas(width, height, supersample=2)
        self.actors: list[_Actor] = []
        self.ink: Ink = random_ink(rng)

    def add(self, character: str, design: Design, x: float, y: float, head: float, whole: float) -> None:
        """Draws a character with the middle of its head at (x, y) and a skull ``head`` pixels high.

        ``whole``: the chance that its own body is drawn rather than a bare head or a head on somebody's body.
        """
        rng, canvas = self.rng, self.canvas
        emotion = EMOTIONS[int(rng.integers(len(EMOTIONS)))]
        intensity = u(rng, 0.35, 1.0) if emotion is not Emotion.NEUTRAL else u(rng, 0.0, 0.5)
        expression = expression_for(emotion, intensity, rng)
        pose = random_pose(rng)
        face = len(self.actors) + 1
        if chance(rng, whole):
            height = head / design.head_share
            ground = y + height * (1.0 - 0.5 * design.head_share)
            drawn = draw_character(canvas, design, expression, pose, x, ground, height, face)
        else:
            if chance(rng, 0.6):
                fill = design.skin if chance(rng, 0.7) else None
                draw_body(canvas, rng, x, y + 0.4 * head, 0.5 * head, fill, self.ink)
            drawn = draw_head(canvas, design, expression, pose, x, y, head, face)
        area = int(np.count_nonzero(canvas.ids == face))
        self.actors.append(_Actor(character, emotion, intensity, pose, drawn, area))

    def add_back(self, x: float, y: float, head: float) -> None:
        """Somebody seen from behind: a head without a face."""
        rng = self.rng
        design = CAST[HEROES[int(rng.integers(len(HEROES)))]] if chance(rng, 0.4) else random_design(rng)
        pose = Pose(yaw=u(rng, 150, 210), roll=float(rng.normal()) * 8, action=_action(rng))
        height = head / design.head_share
        expression = expression_for(Emotion.NEUTRAL, 0.2, rng)
        draw_character(
            self.canvas, design, expression, pose, x, y + height * (1 - 0.5 * design.head_share), height, None
        )

    def foreground(self) -> None:
        """Things in front: at the lower edge, or over a part of somebody's face."""
        rng, canvas = self.rng, self.canvas
        if chance(rng, 0.15):
            size = u(rng, 0.1, 0.35) * self.height
            draw_prop(canvas, rng, u(rng, 0, self.width), self.height * u(rng, 0.9, 1.1), size, self.ink)
        for actor in self.actors:
            if chance(rng, 0.06) and actor.head.eye_places:
                x, y = actor.head.eye_places[0]
                size = math.sqrt(max(actor.drawn, 16)) * u(rng, 0.15, 0.4)
                draw_prop(canvas, rng, x + u(rng, -3, 3) * size, y + u(rng, -1, 3) * size, size, self.ink)

    def finish(self, style: Style) -> Sample:
        rgb = apply_style(self.canvas.image(), style, self.rng)
        ids = self.canvas.ids
        covered = hidden(style, self.height, self.width)
        if covered is not None:
            ids = np.where(covered, 0, ids).astype(np.uint8)
        faces = [face for k, actor in enumerate(self.actors, 1) if (face := _face_of(actor, ids, k)) is not None]
        return Sample(rgb, faces)


def _action(rng: Rng) -> str:
    names = tuple(ACTIONS)
    return names[int(rng.integers(len(names)))]


def random_pose(rng: Rng) -> Pose:
    """Mostly towards the viewer, sometimes in profile, thrown back or lying."""
    yaw = (
        float(np.clip(rng.normal() * 27, -65, 65))
        if chance(rng, 0.85)
        else u(rng, 50, 82) * (-1 if chance(rng, 0.5) else 1)
    )
    pitch = float(np.clip(rng.normal() * 8, -22, 22)) if chance(rng, 0.9) else u(rng, -32, -15)
    roll = float(np.clip(rng.normal() * 9, -28, 28)) if chance(rng, 0.92) else u(rng, -100, 100)
    return Pose(
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        action=_action(rng),
        phase=u(rng, 0, 1),
        facing=1.0 if chance(rng, 0.5) else -1.0,
        lean=float(rng.normal()) * 4,
        blink=u(rng, 0.3, 1.0) if chance(rng, 0.04) else 0.0,
    )


def _face_of(actor: _Actor, ids: NDArray[np.uint8], face: int) -> SampleFace | None:
    mask = ids == face
    area = int(np.count_nonzero(mask))
    if area < LEAST_SHARE * actor.drawn or area < LEAST_SIDE * LEAST_SIDE // 2:
        return None
    seen = sum(_near(mask, x, y) for x, y in actor.head.eye_places)
    if seen == 0:
        return None
    xs, ys = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    box = (float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1))
    short, tall = min(box[2] - box[0], box[3] - box[1]), box[3] - box[1]
    if short < LEAST_SIDE:
        return None
    readable = tall >= 20 and area >= 0.6 * actor.drawn and abs(actor.pose.yaw) <= 65
    return SampleFace(actor.character, box, mask, actor.emotion, actor.intensity, readable)


def _near(mask: NDArray[np.bool_], x: float, y: float) -> bool:
    h, w = mask.shape
    i, j = math.floor(y), math.floor(x)
    return bool(0 <= i < h and 0 <= j < w and mask[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].any())


# ------------------------------------------------------------------------------------------------ places


@lru_cache(maxsize=64)
def _backdrop(place: str, seed: int, width: int, blurred: bool) -> Backdrop:
    return paint_place(place, seed, float(width), 1.0, blur=2.5 if blurred else 0.0)


def paint_stage(s: FrameSet, close: bool) -> None:
    """One of the series' places through a moving camera."""
    rng = s.rng
    names = tuple(PLACES)
    place, seed = names[int(rng.integers(len(names)))], int(rng.integers(24))
    width = round(STAGE * s.width / s.height)
    zoom = u(rng, 1.3, 2.4) if close else u(rng, 1.0, 1.5)
    backdrop = _backdrop(place, seed, width, close and chance(rng, 0.5))
    scale = s.height / STAGE * zoom
    slack_x, slack_y = s.width * (zoom - 1), s.height * (zoom - 1)
    with s.canvas.at(-u(rng, -0.15, 1.15) * slack_x, -u(rng, 0.1, 1.1) * slack_y, scale=scale):
        s.canvas.paste(backdrop.picture, backdrop.matrix)


def paint_wild(s: FrameSet) -> None:
    """Flat, graded, clouded or textured grounds, hills, floors and walls."""
    rng, c, w, h = s.rng, s.canvas, s.width, s.height
    a = random_colour(rng)
    b = scale_colour(a, u(rng, 0.4, 0.95)) if chance(rng, 0.6) else random_colour(rng)
    everything = polygon([(0, 0), (w, 0), (w, h), (0, h)])
    if chance(rng, 0.6):
        c.fill(everything, Linear((u(rng, 0, w), 0), (u(rng, 0, w), h), a, b))
    else:
        c.fill(everything, a)
    if chance(rng, 0.5):
        _texture(s, u(rng, 4, 45))
    if chance(rng, 0.3):
        y, colour = u(rng, 0.5, 0.95) * h, random_colour(rng)
        c.fill(
            polygon([(0, y), (w, y), (w, h), (0, h)]),
            Linear((0, y), (0, h), colour, scale_colour(colour, u(rng, 0.5, 1))),
        )
    if chance(rng, 0.25):
        for _ in range(int(rng.integers(1, 4))):
            base = u(rng, 0.4, 0.95) * h
            line = smooth([(w * k / 4, base + u(rng, -0.15, 0.15) * h) for k in range(-1, 6)], closed=False)
            hill: Colour = random_colour(rng)
            c.fill(np.concatenate([line, [(w * 1.3, h * 1.2), (-w * 0.3, h * 1.2)]]), hill)
    if chance(rng, 0.15):
        n, stripe = int(rng.integers(4, 18)), mix(a, random_colour(rng), 0.5)
        for k in range(n):
            c.fill(polygon([(w * k / n, 0), (w * (k + 0.5) / n, 0), (w * (k + 0.5) / n, h), (w * k / n, h)]), stripe)


def _texture(s: FrameSet, strength: float) -> None:
    """Paint strokes, foliage, rock: noise in brightness and, half the time, in colour."""
    rng, pixels = s.rng, s.canvas.pixels
    h, w = s.height, s.width
    cells, octaves, fall = int(rng.integers(3, 24)), int(rng.integers(1, 5)), u(rng, 0.4, 0.95)
    if chance(rng, 0.5):
        noise = np.dstack([smooth_noise(rng, h, w, cells, octaves, fall) for _ in range(3)])
    else:
        noise = np.repeat(smooth_noise(rng, h, w, cells, octaves, fall)[..., None], 3, axis=2)
    if chance(rng, 0.2):
        noise = np.sign(noise)
    large = cv2.resize(noise * np.float32(strength), (pixels.shape[1], pixels.shape[0]))
    np.copyto(pixels, np.clip(pixels + large, 0, 255).astype(np.uint8))


# ------------------------------------------------------------------------------------------------ frames


def _spread(rng: Rng, width: int, height: int, heads: Sequence[float]) -> list[tuple[float, float]]:
    """A place for each head (diameters in pixels), most of them apart from one another."""
    places: list[tuple[float, float]] = []
    for k, head in enumerate(heads):
        x, y = 0.5 * width, 0.4 * height
        for _ in range(12):
            x, y = u(rng, 0.04, 0.96) * width, u(rng, 0.12, 0.85) * height
            gaps = (math.hypot(x - p, y - q) - 0.55 * (head + heads[i]) for i, (p, q) in enumerate(places[:k]))
            if all(gap > 0 for gap in gaps) or chance(rng, 0.04):
                break
        places.append((x, y))
    return places


def _props(s: FrameSet, least: int, most: int, large: float = 1.0) -> None:
    rng = s.rng
    for _ in range(int(rng.integers(least, most + 1))):
        size = math.exp(u(rng, math.log(0.03), math.log(0.24))) * s.height * (large if chance(rng, 0.3) else 1.0)
        draw_prop(s.canvas, rng, u(rng, 0, s.width), u(rng, 0, s.height), size, s.ink if chance(rng, 0.7) else None)


def _episode_frame(s: FrameSet) -> None:
    """The cast in its own places, as the sample series shows it."""
    rng = s.rng
    count = int(rng.choice([1, 2, 3], p=[0.42, 0.4, 0.18]))
    shot = rng.random()
    close = bool(shot < 0.3)
    paint_stage(s, close)
    if chance(rng, 0.35):
        _props(s, 1, 3)
    low, high = (0.34, 0.72) if close else (0.16, 0.38) if shot < 0.75 else (0.07, 0.18)
    if close:
        count = min(count, 2)
    names = [HEROES[int(i)] for i in rng.permutation(len(HEROES))[:count]]
    if chance(rng, 0.22):
        names[int(rng.integers(len(names)))] = UNKNOWN
    elif chance(rng, 0.15):
        names.append(UNKNOWN)
    heads = [math.exp(u(rng, math.log(low), math.log(high))) * s.height for _ in names]
    floor = u(rng, 0.55, 0.9) * s.height
    for name, head, (x, y) in sorted(
        zip(names, heads, _spread(rng, s.width, s.height, heads), strict=True), key=lambda t: t[1]
    ):
        design = CAST[name] if name != UNKNOWN else random_design(rng, look_alike(rng))
        if not close and chance(rng, 0.6):  # feet on the floor
            y = floor - head / design.head_share * (1 - 0.5 * design.head_share) + u(rng, -0.05, 0.12) * s.height
            y = min(max(y, 0.12 * s.height), 0.9 * s.height)
        s.add(name, design, x, y, head, 0.93)
    s.foreground()


def look_alike(rng: Rng) -> str | None:
    return LOOK_ALIKES[int(rng.integers(len(LOOK_ALIKES)))] if chance(rng, 0.35) else None


def _wild_frame(s: FrameSet) -> None:
    """Strangers (and at times the cast) anywhere, among things of all kinds."""
    rng = s.rng
    if chance(rng, 0.3):
        paint_stage(s, chance(rng, 0.3))
    else:
        paint_wild(s)
    _props(s, 0, 8, 2.5)
    count = int(rng.choice([1, 2, 3, 4, 6], p=[0.42, 0.32, 0.14, 0.07, 0.05]))
    top = 0.75 if count == 1 else 0.55
    heads = [math.exp(u(rng, math.log(0.06), math.log(top))) * s.height for _ in range(count)]
    for head, (x, y) in sorted(zip(heads, _spread(rng, s.width, s.height, heads), strict=True)):
        if chance(rng, 0.18):
            name = HEROES[int(rng.integers(len(HEROES)))]
            s.add(name, CAST[name], x, y, head, 0.8)
        else:
            s.add(UNKNOWN, random_design(rng), x, y, head, 0.55)
    if chance(rng, 0.08):
        s.add_back(u(rng, 0, s.width), u(rng, 0.2, 0.9) * s.height, u(rng, 0.08, 0.4) * s.height)
    s.foreground()


def _empty_frame(s: FrameSet) -> None:
    """No face at all: places, things, headless bodies, heads from behind."""
    rng = s.rng
    if chance(rng, 0.5):
        paint_stage(s, chance(rng, 0.3))
    else:
        paint_wild(s)
    _props(s, 1, 10, 3.0)
    if chance(rng, 0.4):
        draw_body(
            s.canvas, rng, u(rng, 0, s.width), u(rng, -0.3, 0.7) * s.height, u(rng, 0.06, 0.4) * s.height, None, s.ink
        )
    if chance(rng, 0.35):
        s.add_back(u(rng, 0, s.width), u(rng, 0.2, 0.9) * s.height, u(rng, 0.1, 0.5) * s.height)


def sample_frame(rng: Rng, size: tuple[int, int] = SIZE) -> Sample:
    """One frame of ``size`` (width, height): 45 % like the sample series, 45 % wild, 10 % without any face."""
    width, height = size
    s = FrameSet(rng, width, height)
    kind = rng.random()
    if kind < 0.45:
        _episode_frame(s)
        style = clean_style(rng) if chance(rng, 0.85) else wild_style(rng)
    elif kind < 0.9:
        _wild_frame(s)
        style = wild_style(rng)
    else:
        _empty_frame(s)
        style = wild_style(rng) if chance(rng, 0.6) else clean_style(rng)
    return s.finish(style)


# ------------------------------------------------------------------------------------------------ to disk


def face_json(face: SampleFace) -> dict[str, object]:
    counts = coco.encode(np.asfortranarray(face.mask.astype(np.uint8)))["counts"]
    return {
        "character": face.character,
        "box": list(face.box),
        "mask": {"size": list(face.mask.shape), "counts": str(counts, "ascii")},
        "emotion": str(face.emotion),
        "intensity": round(face.intensity, 4),
        "readable": face.readable,
    }


def write_frames(out: Path, seed: int, numbers: Sequence[int], size: tuple[int, int], suffix: str = ".jpg") -> Path:
    """Draws the frames with these numbers; frame n of a seed is the same whoever draws it. Gives the label file."""
    out.mkdir(parents=True, exist_ok=True)
    labels = out / f"labels-{seed}-{numbers[0]:07d}.jsonl"
    temporary = labels.with_suffix(".part")
    with temporary.open("w") as stream:
        for n in numbers:
            sample = sample_frame(np.random.default_rng([seed, n]), size)
            name = f"{seed}-{n:07d}{suffix}"
            bgr = cv2.cvtColor(sample.rgb, cv2.COLOR_RGB2BGR)
            if not cv2.imwrite(str(out / name), bgr, [cv2.IMWRITE_JPEG_QUALITY, 95]):
                raise OSError(f"{out / name} cannot be written")
            stream.write(json.dumps({"file": name, "faces": [face_json(face) for face in sample.faces]}) + "\n")
    temporary.replace(labels)
    return labels


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.render.sample", description="Draws training frames to disk.")
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", default=f"{SIZE[0]}x{SIZE[1]}", help="WIDTHxHEIGHT")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--png", action="store_true", help="lossless files")
    options = parser.parse_args(arguments)
    width, height = (int(v) for v in options.size.split("x"))
    parts = [list(range(k, min(k + 250, options.frames))) for k in range(0, options.frames, 250)]
    suffix = ".png" if options.png else ".jpg"
    if options.jobs <= 1:
        for part in parts:
            write_frames(options.out, options.seed, part, (width, height), suffix)
        return 0
    with ProcessPoolExecutor(options.jobs) as pool:
        work = [pool.submit(write_frames, options.out, options.seed, part, (width, height), suffix) for part in parts]
        for job in work:
            job.result()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
