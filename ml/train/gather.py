"""Draws training data into shards, as a process beside the training: ``python -m ml.train.gather KIND ...``

frames    pictures of ml.render.sample: the cast in its places, strangers among things, nobody at all
episodes  drawings out of whole scripts, as the pipeline will meet them
crops     faces of ml.render.crop, cut as a detector would
cut       the true faces of gathered pictures, boxes and masks a little wrong
detected  faces that a trained detector found in pictures of the first two kinds, named by the truth they overlap

Every shard follows from (kind, seed, number), so gathering again draws the same pixels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.detect.base import Face
from ml.face import CropSettings, segmented_face
from ml.masks import decode_mask
from ml.render.crop import as_detected, sample_crop
from ml.render.episode import STYLES
from ml.render.sample import UNKNOWN, SampleFace, sample_frame
from ml.render.stage import Stage
from ml.render.story import write_script
from ml.render.styles import apply_style, clean_style
from ml.train.store import Labelled, Picture, read_shard, shards, write_crops, write_shard
from ml.types import Emotion

Rng = np.random.Generator
SIZES = ((568, 320), (568, 320), (568, 320), (428, 320))  # width, height: three wide pictures to one of old film
TRAINING_SEEDS = range(1000, 2000)  # of episodes; every other seed is kept for calibration and evaluation
PICTURES = 40  # in one shard
CROPS = 500
MATCH = 0.5  # IoU from which a found face is the true one


def frames(rng: Rng, count: int = PICTURES) -> Iterator[Picture]:
    for _ in range(count):
        sample = sample_frame(rng, SIZES[int(rng.integers(len(SIZES)))])
        yield Picture(sample.rgb, tuple(_labelled(face) for face in sample.faces))


def _labelled(face: SampleFace) -> Labelled:
    name = None if face.character == UNKNOWN else face.character
    return Labelled(face.box, face.mask, name, str(face.emotion) if face.readable else "")


def episode(rng: Rng, seed: int, count: int = PICTURES) -> Iterator[Picture]:
    """Random moments of the episode with this seed, cards and empty shots too."""
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    script = write_script(seed, 60.0, width=360.0 * width / height)
    stage = Stage(script, width, height)
    style = STYLES[str(rng.choice(list(STYLES), p=_style_weights()))] if rng.random() < 0.8 else clean_style(rng)
    moments = sorted(int(m) for m in rng.choice(script.frames, min(count, script.frames), replace=False))
    for moment in moments:
        shot = next(s for s in script.shots if s.start <= moment < s.start + s.frames)
        drawn = stage.draw(shot, moment - shot.start)
        picture = apply_style(drawn.picture, style, rng)
        faces = []
        for face in drawn.faces:
            x1, y1, x2, y2 = face.box
            name = None if face.character == UNKNOWN else face.character
            mask = decode_mask(face.mask)
            faces.append(Labelled((x1, y1, x2, y2), mask, name, str(face.emotion) if face.readable else ""))
        yield Picture(np.ascontiguousarray(picture), tuple(faces))


def _style_weights() -> list[float]:
    rest = 0.4 / (len(STYLES) - 1)
    return [0.6 if name == "modern" else rest for name in STYLES]


def crops(rng: Rng, settings: CropSettings, count: int = CROPS) -> Iterator[tuple[NDArray[np.uint8], str, str]]:
    for _ in range(count):
        crop, character, emotion, _ = sample_crop(rng, settings)
        yield crop, character, str(emotion)


def cut_out(rng: Rng, picture: Picture, settings: CropSettings) -> Iterator[tuple[NDArray[np.uint8], str, str]]:
    """The true faces of a picture, boxes and masks a little wrong."""
    for face in picture.faces:
        name = face.character or UNKNOWN
        readable = bool(face.emotion)
        emotion = Emotion(face.emotion) if readable else Emotion.NEUTRAL
        worn = as_detected(rng, SampleFace(name, face.box, face.mask, emotion, 1.0, readable))
        yield segmented_face(picture.frame, worn, settings), name, face.emotion


def detected(
    picture: Picture, found: Sequence[Face], settings: CropSettings
) -> Iterator[tuple[NDArray[np.uint8], str, str]]:
    """The found faces that overlap a true one; the others are nobody's and show nothing."""
    for face in found:
        overlaps = [overlap(face.box, truth.box) for truth in picture.faces]
        best = int(np.argmax(overlaps)) if overlaps else -1
        crop = segmented_face(picture.frame, face, settings)
        if best >= 0 and overlaps[best] >= MATCH:
            truth = picture.faces[best]
            yield crop, truth.character or UNKNOWN, truth.emotion
        elif not overlaps or overlaps[best] < 0.1:
            yield crop, UNKNOWN, ""


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def gather(args: argparse.Namespace, say: Callable[[str], None]) -> None:
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    settings = CropSettings(args.crop_size, args.margin, args.outside)
    sources = shards(args.source or [])
    models = None
    if args.kind == "detected":
        from ml.runtime import load_models

        models = load_models(args.bundle, "cpu")
    for number in range(args.first, args.first + args.shards):
        path = args.out / f"{args.kind}-{args.seed}-{number:05d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng([args.seed, number, len(args.kind)])
        if args.kind == "frames":
            done = write_shard(path, frames(rng))
        elif args.kind == "episodes":
            done = write_shard(path, episode(rng, args.episode_seed + number))
        elif args.kind == "crops":
            done = write_crops(path, crops(rng, settings))
        elif args.kind == "cut":
            cuts = (cut_out(rng, p, settings) for p in read_shard(sources[number]))
            done = write_crops(path, (item for part in cuts for item in part))
        else:
            pictures = list(read_shard(sources[number % len(sources)]))
            found: list[list[Face]] = models.detector.detect([p.frame for p in pictures]) if models else []
            parts = [detected(p, f, settings) for p, f in zip(pictures, found, strict=True)]
            done = write_crops(path, (item for part in parts for item in part))
        say(f"{path.name}: {done}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.train.gather", description=__doc__)
    parser.add_argument("kind", choices=("frames", "episodes", "crops", "cut", "detected"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--episode-seed", type=int, default=TRAINING_SEEDS[0], help="of shard 0; the next has the next")
    parser.add_argument("--crop-size", type=int, default=80)
    parser.add_argument("--margin", type=float, default=0.15)
    parser.add_argument("--outside", type=float, default=0.5)
    parser.add_argument("--bundle", type=Path, help="detected: whose detector")
    parser.add_argument("--source", type=Path, nargs="+", help="cut, detected: folders of shards of pictures")
    gather(parser.parse_args(arguments), lambda line: print(line, flush=True))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
