"""Draws training data into numbered shards: ``python -m ml.train.gather frames|crops --out DIR --shards N``

frames  pictures of ml.render.sample, with everybody and nobody in them
crops   faces of ml.render.crop, cut a little wrong, as a detector cuts them; several of each design side by side

A shard follows from (kind, seed, number) alone. Training draws what it needs by itself; this draws ahead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ml.face import CropSettings
from ml.render.crop import sample_crops
from ml.render.crowd import Split
from ml.render.sample import UNKNOWN, SampleFace, sample_frame
from ml.train.store import Labelled, LabelledCrop, Picture, write_crops, write_shard

Rng = np.random.Generator
SIZES = ((568, 320), (568, 320), (568, 320), (428, 320))  # width, height: three wide pictures to one of old film
PICTURES = 40  # in one shard
CROPS = 480
DESIGNS = 6  # drawn in one go


def frames_path(folder: Path, seed: int, number: int) -> Path:
    return folder / f"frames-{seed}-{number:05d}.npz"


def crops_path(folder: Path, seed: int, number: int) -> Path:
    return folder / f"crops-{seed}-{number:05d}.npz"


def draw_frames(folder: Path, seed: int, number: int, split: Split = "training") -> None:
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, number, 1])
    write_shard(frames_path(folder, seed, number), frames(rng, PICTURES, split))


def draw_crops(
    folder: Path, seed: int, settings: CropSettings, each: int, number: int, split: Split = "training"
) -> None:
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, number, 2])
    write_crops(crops_path(folder, seed, number), crops(rng, settings, each, CROPS, split))


def frames(rng: Rng, count: int, split: Split = "training") -> Iterator[Picture]:
    for _ in range(count):
        sample = sample_frame(rng, SIZES[int(rng.integers(len(SIZES)))], split)
        yield Picture(sample.rgb, tuple(_labelled(face) for face in sample.faces))


def _labelled(face: SampleFace) -> Labelled:
    name = None if face.character == UNKNOWN else face.character
    return Labelled(face.box, face.mask, name, str(face.emotion) if face.readable else "")


def crops(rng: Rng, settings: CropSettings, each: int, count: int, split: Split = "training") -> Iterator[LabelledCrop]:
    for start in range(0, count, DESIGNS * each):
        for c in sample_crops(rng, settings, DESIGNS, each, split):
            identity = start // each + c.identity
            yield LabelledCrop(c.crop, c.character, str(c.emotion), identity, c.parts)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.train.gather", description=__doc__)
    parser.add_argument("kind", choices=("frames", "crops"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", choices=("training", "held_out"), default="training")
    parser.add_argument("--crop-size", type=int, default=96)
    parser.add_argument("--margin", type=float, default=0.15)
    parser.add_argument("--outside", type=float, default=0.5)
    parser.add_argument("--each", type=int, default=4)
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    settings = CropSettings(args.crop_size, args.margin, args.outside)
    for number in range(args.first, args.first + args.shards):
        if args.kind == "frames" and not frames_path(args.out, args.seed, number).exists():
            draw_frames(args.out, args.seed, number, args.split)
        if args.kind == "crops" and not crops_path(args.out, args.seed, number).exists():
            draw_crops(args.out, args.seed, settings, args.each, number, args.split)
        sys.stdout.write(f"{args.kind} {number}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
