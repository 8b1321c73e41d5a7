"""``python -m ml bench``: how many drawings a second this machine analyses, stage by stage.

The pictures are drawn here, so the figure needs no file. ``ratio_vs_torchvision``: how many times as long torchvision's
Mask R-CNN takes on the same backbone with its own heads and its own pre- and postprocessing, a picture at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ml.bundle import DEFAULT_BUNDLE
from ml.detect.base import Face, Frame
from ml.runtime import Models


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="a bundle's folder or the name of a shipped one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--drawings", type=int, default=48)
    parser.add_argument("--size", default="640x360", help="WIDTHxHEIGHT of the pictures")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are processors")
    parser.add_argument("--json", type=Path, help="write all figures here")


def run(args: argparse.Namespace) -> int:
    import torch

    from ml.runtime import load_models

    width, height = (int(v) for v in args.size.split("x"))
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
        _say(f"{name}: {value}")
    if args.json:
        args.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


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
    """The same network called as torchvision's users call it; None where the detector is no Mask R-CNN."""
    import torch

    from ml.detect.mask_rcnn import MaskRcnnDetector
    from ml.detect.reference import as_torchvision

    if not isinstance(models.detector, MaskRcnnDetector):
        return None
    network = as_torchvision(models.detector.settings).to(models.device)
    tensors = [torch.from_numpy(f).permute(2, 0, 1).float().div(255).to(models.device) for f in frames]

    def forward() -> object:
        with torch.inference_mode():
            return [network([t]) for t in tensors]

    forward()
    return best_of(2, forward)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
