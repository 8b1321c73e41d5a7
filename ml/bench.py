"""``python -m ml bench``: how many drawings a second this machine analyses, stage by stage.

The pictures are drawn here, so the figure needs no file. ``ratio_vs_torchvision``: how many times as long the same
weights take when run as torchvision's Mask R-CNN runs a list of pictures (ml/detect/reference.py), in equal batches.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ml.bundle import DEFAULT_BUNDLE
from ml.detect.base import Face, Frame
from ml.outputs import add_json_arguments, check_json, write_json
from ml.runtime import Models


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="a bundle's folder or the name of a shipped one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--drawings", type=int, default=48)
    parser.add_argument("--size", type=_size, default=(640, 360), help="WIDTHxHEIGHT of the pictures")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are processors")
    add_json_arguments(parser)


def run(args: argparse.Namespace) -> int:
    import torch

    from ml.runtime import load_models

    check_json(args.json, force=args.force)
    width, height = args.size
    torch.set_num_threads(args.threads or os.cpu_count() or 1)
    models = load_models(args.bundle, args.device)
    figures = measure(models, pictures(args.drawings, width, height))
    document = {
        "format": 1,
        "machine": {"processor": platform.processor() or platform.machine(), "processors": os.cpu_count()},
        "threads": torch.get_num_threads(),
        "device": models.device,
        "bundle": {"name": models.bundle.name, "version": models.bundle.version, "digest": models.bundle.digest},
        "picture": [width, height],
        **figures,
    }
    for name, value in figures.items():
        _say(f"{name}: {value}", args)
    if args.json:
        write_json(args.json, document, indent=1)
    return 0


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, such as 640x360")
    return int(found[1]), int(found[2])


def pictures(count: int, width: int, height: int) -> list[Frame]:
    """Rendered pictures with a face or two in most of them; the same ones every time."""
    from ml.render.sample import sample_frame

    return [sample_frame(np.random.default_rng([7, n]), (width, height)).rgb for n in range(count)]


def measure(models: Models, frames: list[Frame], repeats: int = 2) -> dict[str, Any]:
    """Seconds of the best of ``repeats`` rounds per stage, after one round to warm up."""
    found: list[list[Face]] = models.detector.detect(frames)
    models.read_faces(frames[:8], found[:8])
    detect = best_of(repeats, lambda: models.detector.detect(frames))
    read = best_of(repeats, lambda: models.read_faces(frames, found))
    figures: dict[str, Any] = {
        "drawings": len(frames),
        "faces": sum(len(f) for f in found),
        "drawings_per_second": round(len(frames) / (detect + read), 2),
        "stages": {"detect_s": round(detect, 4), "classify_s": round(read, 4)},
    }
    reference = torchvision_seconds(models, frames[:8])
    if reference is not None:
        ours = best_of(repeats, lambda: models.detector.detect(frames[:8]))
        figures["ratio_vs_torchvision"] = round(reference / ours, 2)
    return figures


def best_of(repeats: int, work: Callable[[], object]) -> float:
    """Wall-clock seconds of the fastest run: the one that others disturbed least."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def torchvision_seconds(models: Models, frames: list[Frame]) -> float | None:
    """None where the detector is no Mask R-CNN."""
    from ml.detect.mask_rcnn import MaskRcnnDetector
    from ml.detect.reference import as_torchvision

    detector = models.detector
    if not isinstance(detector, MaskRcnnDetector):
        return None
    reference = as_torchvision(models.bundle, detector.settings, models.device)
    batches = [frames[start : start + detector.batch] for start in range(0, len(frames), detector.batch)]
    reference(batches[0])
    return best_of(2, lambda: [reference(batch) for batch in batches])


def _say(line: str, args: argparse.Namespace) -> None:
    """To standard error where the figures themselves go to standard output."""
    stream = sys.stderr if args.json == "-" else sys.stdout
    stream.write(line + "\n")
    stream.flush()
