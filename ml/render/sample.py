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
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco

from ml.render.bodies import draw_body
from ml.render.cast import CAST
from ml.render.crop import sample_crop
from ml.render.crowd import COMPUTER_FAMILIES, FILM_FAMILIES, look_alike, modelled, random_design
from ml.render.frameset import (
    CHARACTERS,
    HEROES,
    UNKNOWN,
    FrameSet,
    Sample,
    SampleFace,
)
from ml.render.grounds import paint_stage, paint_wild, roughen
from ml.render.ink import Ink, chance, u
from ml.render.props import draw_prop
from ml.render.styles import Style, clean_style, computer_style, film_style, wild_style

__all__ = ["CHARACTERS", "SIZE", "UNKNOWN", "Sample", "SampleFace", "sample_crop", "sample_frame", "write_frames"]

Rng = np.random.Generator
SIZE = (384, 216)  # width, height


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


def _wild_frame(s: FrameSet, families: Sequence[str], flat: bool) -> None:
    """Strangers (and at times the cast) anywhere, among things of all kinds.

    ``families``: whom to draw, anybody where it is empty. ``flat``: drawn with ink; else modelled by light alone.
    """
    rng = s.rng
    if not flat:
        s.ink = Ink(width=0.0, tinted=1.0, shading=u(rng, 0.5, 1.0))
    if chance(rng, 0.3 if flat else 0.1):
        paint_stage(s.canvas, rng, chance(rng, 0.3))
    else:
        paint_wild(s.canvas, rng)
    _props(s, 0, 8, 2.5)
    count = int(rng.choice([1, 2, 3, 4, 6], p=[0.42, 0.32, 0.14, 0.07, 0.05]))
    top = 0.75 if count == 1 else 0.55
    heads = [math.exp(u(rng, math.log(0.06), math.log(top))) * s.height for _ in range(count)]
    for head, (x, y) in sorted(zip(heads, _spread(rng, s.width, s.height, heads), strict=True)):
        if chance(rng, 0.18):
            name = HEROES[int(rng.integers(len(HEROES)))]
            s.add(name, CAST[name], x, y, head, 0.8)
        elif chance(rng, 0.2):
            s.add_stranger(x, y, head)
        else:
            _stranger(s, families, flat, x, y, head)
    if not flat:
        roughen(s.canvas, rng)
    if chance(rng, 0.08):
        s.add_back(u(rng, 0, s.width), u(rng, 0.2, 0.9) * s.height, u(rng, 0.08, 0.4) * s.height)
    s.foreground()


def _stranger(s: FrameSet, families: Sequence[str], flat: bool, x: float, y: float, head: float) -> None:
    rng = s.rng
    design = random_design(rng, families[int(rng.integers(len(families)))] if families else None)
    if not flat:
        design = modelled(rng, design)
    twins = chance(rng, 0.05)  # a giant with two heads
    s.add(UNKNOWN, design, x, y, head, 0.0 if twins else 0.55)
    if twins:
        s.add(UNKNOWN, design, x + u(rng, 0.7, 1.1) * head, y + u(rng, -0.15, 0.15) * head, head, 0.0)


def _world(s: FrameSet) -> Style:
    """Draws a wild frame whose people and picture belong together: of film, of a computer, or of anything."""
    rng, kind = s.rng, s.rng.random()
    if kind < 0.2:
        _wild_frame(s, FILM_FAMILIES, True)
        return film_style(rng)
    if kind < 0.38:
        _wild_frame(s, COMPUTER_FAMILIES, False)
        return computer_style(rng)
    _wild_frame(s, (), True)
    return wild_style(rng)


def _empty_frame(s: FrameSet) -> None:
    """No face at all: places, things, headless bodies, heads from behind."""
    rng = s.rng
    if chance(rng, 0.5):
        paint_stage(s.canvas, rng, chance(rng, 0.3))
    else:
        paint_wild(s.canvas, rng)
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
        style = _world(s)
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
