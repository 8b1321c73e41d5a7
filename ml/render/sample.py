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
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco

from ml.render.bodies import draw_body
from ml.render.captions import caption
from ml.render.cast import CAST
from ml.render.crop import sample_crop
from ml.render.crowd import Split, families_of, look_alike, random_design
from ml.render.design import Design
from ml.render.frameset import (
    CHARACTERS,
    HEROES,
    UNKNOWN,
    FrameSet,
    Sample,
    SampleFace,
)
from ml.render.grounds import paint_ground, paint_stage, roughen
from ml.render.ink import chance, u
from ml.render.looks import Dress, random_look
from ml.render.motion import repeat, smear, whip
from ml.render.props import draw_prop
from ml.render.styles import clean_style

__all__ = ["CHARACTERS", "SIZE", "UNKNOWN", "Sample", "SampleFace", "sample_crop", "sample_frame", "write_frames"]

Rng = np.random.Generator
SIZE = (384, 216)  # width, height
SPLITS: tuple[Split, ...] = ("training", "held_out")
FRIENDS = 0.25  # of the frames: the cast in its own places
EMPTY = 0.08  # of the frames: nobody is there; with those whose faces are hidden or cut off it is about an eighth


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
    paint_stage(s.canvas, rng, close)
    if chance(rng, 0.35):
        _props(s, 1, 3)
    low, high = (0.34, 0.85) if close else (0.16, 0.38) if shot < 0.75 else (0.07, 0.18)
    if close:
        count = min(count, 2)
    heads = [math.exp(u(rng, math.log(low), math.log(high))) * s.height for _ in range(count)]
    names = [HEROES[int(k)] for k in rng.permutation(len(HEROES))[:count]]
    if chance(rng, 0.12):
        names[0] = UNKNOWN
    floor = u(rng, 0.8, 1.05) * s.height
    for name, head, (x, y) in sorted(
        zip(names, heads, _spread(rng, s.width, s.height, heads), strict=True), key=lambda t: t[1]
    ):
        design = CAST[name] if name != UNKNOWN else random_design(rng, look_alike(rng))
        if not close and chance(rng, 0.6):  # feet on the floor
            y = floor - head / design.head_share * (1 - 0.5 * design.head_share) + u(rng, -0.05, 0.12) * s.height
            y = min(max(y, 0.12 * s.height), 0.9 * s.height)
        s.add(name, design, x, y, head, 0.93)
    s.foreground()


class _Scene:
    """A picture of any studio: strangers (and at times the cast) in one look, among things of all kinds."""

    def __init__(self, s: FrameSet, dress: Dress, split: Split) -> None:
        self.s, self.dress, self.split = s, dress, split
        s.ink = dress.ink(s.ink)

    def ground(self) -> None:
        s, rng = self.s, self.s.rng
        if chance(rng, 0.1 if self.dress.look.modelled else 0.2):
            paint_stage(s.canvas, rng, chance(rng, 0.3))
        else:
            paint_ground(s.canvas, rng, self.dress.look.ground, s.ink)

    def people(self) -> None:
        rng, canvas = self.s.rng, self.s.canvas
        ground = canvas.pixels.copy() if self.dress.dim < 1.0 else None
        kind = rng.random()
        if kind < 0.16:
            self._crowd()
        elif kind < 0.32:
            self._close_up()
        else:
            self._few()
        if self.dress.look.modelled:
            roughen(canvas, rng)
        if ground is not None:
            self.dress.before_the_light(canvas, ground)

    def _few(self) -> None:
        s, rng = self.s, self.s.rng
        count = int(rng.choice([1, 2, 3, 4], p=[0.45, 0.33, 0.14, 0.08]))
        top = 0.75 if count == 1 else 0.55
        heads = [math.exp(u(rng, math.log(0.06), math.log(top))) * s.height for _ in range(count)]
        for head, (x, y) in sorted(zip(heads, _spread(rng, s.width, s.height, heads), strict=True)):
            self._moving(x, y, head)
        if chance(rng, 0.12):
            s.add_back(u(rng, 0, s.width), u(rng, 0.2, 0.9) * s.height, u(rng, 0.08, 0.4) * s.height)

    def _crowd(self) -> None:
        """Six to twenty heads, most of them small, in a row, in ranks or anywhere; some turn their backs."""
        s, rng = self.s, self.s.rng
        count, size = int(rng.integers(6, 21)), math.exp(u(rng, math.log(0.045), math.log(0.14))) * s.height
        heads = [size * math.exp(u(rng, -0.3, 0.3)) for _ in range(count)]
        if chance(rng, 0.5):  # ranks, the hindmost first
            ranks, level = int(rng.integers(1, 4)), u(rng, 0.2, 0.6) * s.height
            each = math.ceil(count / ranks)
            places = [
                (
                    (k % each + u(rng, 0.3, 0.7)) * s.width / each,
                    level + (k // each) * 1.3 * size + u(rng, -0.2, 0.2) * size,
                )
                for k in range(count)
            ]
        else:
            places = _spread(rng, s.width, s.height, heads)
        kinds = [self._stranger() for _ in range(int(rng.integers(2, 6)))]  # guards, sheep, a choir
        alike = chance(rng, 0.5)
        for head, (x, y) in zip(heads, places, strict=True):
            if chance(rng, 0.08):
                s.add_back(x, y, head)
            else:
                design = kinds[int(rng.integers(len(kinds)))] if alike else self._stranger()
                s.add(UNKNOWN, design, x, y, head, 0.45)

    def _close_up(self) -> None:
        """A face that fills the picture, cut by its edges as often as not."""
        s, rng = self.s, self.s.rng
        head = u(rng, 0.6, 1.1) * s.height
        self._moving(u(rng, 0.25, 0.75) * s.width, u(rng, 0.35, 0.65) * s.height, head)

    def _moving(self, x: float, y: float, head: float) -> None:
        """One character, which in one picture of nine moves too fast to be seen sharply."""
        s, rng = self.s, self.s.rng
        r = rng.random()
        before = s.canvas.pixels.copy() if r < 0.11 else None
        self._one(x, y, head)
        if before is None:
            return
        if r < 0.05:
            repeat(s.canvas, before, rng, head)
        else:
            length = u(rng, 0.08, 0.45) * head
            smear(s.canvas, before, rng, length)
            if length > 0.2 * head:
                s.actors[-1] = replace(s.actors[-1], legible=False)

    def _one(self, x: float, y: float, head: float) -> None:
        s, rng = self.s, self.s.rng
        if self.split == "training" and chance(rng, 0.1):
            name = HEROES[int(rng.integers(len(HEROES)))]
            s.add(name, self.dress.design(CAST[name]), x, y, head, 0.8)
        elif chance(rng, 0.15):
            s.add_stranger(x, y, head)
        else:
            design = self._stranger()
            twins = chance(rng, 0.04) and head < 0.5 * s.height  # a giant with two heads
            s.add(UNKNOWN, design, x, y, head, 0.0 if twins else 0.6)
            if twins:
                s.add(UNKNOWN, design, x + u(rng, 0.7, 1.1) * head, y + u(rng, -0.15, 0.15) * head, head, 0.0)

    def _stranger(self) -> Design:
        rng, among = self.s.rng, self.dress.look.families
        families = families_of(self.split, among) if among else ()
        family = families[int(rng.integers(len(families)))] if families else None
        return self.dress.design(random_design(rng, family, self.split))

    def nobody(self) -> None:
        """No face at all: things, headless bodies, heads from behind."""
        s, rng = self.s, self.s.rng
        _props(s, 2, 14, 3.0)
        if chance(rng, 0.4):
            x, y, size = u(rng, 0, s.width), u(rng, -0.3, 0.7) * s.height, u(rng, 0.06, 0.4) * s.height
            draw_body(s.canvas, rng, x, y, size, None, s.ink)
        for _ in range(int(rng.integers(0, 3))):
            s.add_back(u(rng, 0, s.width), u(rng, 0.2, 0.9) * s.height, u(rng, 0.1, 0.5) * s.height)


def sample_frame(rng: Rng, size: tuple[int, int] = SIZE, split: Split = "training") -> Sample:
    """One frame of ``size`` (width, height).

    ``split`` "training": a quarter like the sample series, an eighth without any face, the rest in any training look.
    "held_out": looks and kinds of characters that no training frame shows, and nobody of the cast.
    """
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}; there are {', '.join(SPLITS)}")
    width, height = size
    s = FrameSet(rng, width, height, split)
    kind = rng.random() if split == "training" else u(rng, FRIENDS, 1.0)
    if kind < FRIENDS:
        _episode_frame(s)
        if chance(rng, 0.75):
            return s.finish(clean_style(rng))
        return _finish(s, random_look(rng).dress(rng, width / height))
    dress = random_look(rng, split).dress(rng, width / height)
    scene = _Scene(s, dress, split)
    scene.ground()
    if kind > 1.0 - EMPTY:
        scene.nobody()
    else:
        _props(s, 0, 8, 2.5)
        scene.people()
        s.foreground()
        if chance(rng, 0.04):
            whip(s.canvas, rng, u(rng, 0.02, 0.2) * height)
    if chance(rng, 0.16):
        caption(s.canvas, rng)
    return _finish(s, dress)


def _finish(s: FrameSet, dress: Dress) -> Sample:
    dress.develop(s.canvas, s.rng)
    sample = s.finish(dress.style)
    return replace(sample, rgb=dress.worn(sample.rgb, s.rng))


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
            options = [cv2.IMWRITE_JPEG_QUALITY, 95] if suffix == ".jpg" else []
            if not cv2.imwrite(str(out / name), bgr, options):
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
