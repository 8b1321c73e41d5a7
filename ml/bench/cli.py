"""The benchmark's command: rendered pictures, everything in turns on one machine, medians.

``ratio_vs_torchvision``: how many times as long torchvision's MobileNetV3-Large-FPN Mask R-CNN at 320 pixels and its
MobileNetV2 at 224 take for the same faces in the same pictures. ``ratio_same_weights``: how many times as long our
detector takes with the same weights run torchvision's way (ml.detect.reference).
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.bundle import DEFAULT_BUNDLE
from ml.detect.base import Frame
from ml.outputs import add_json_arguments, check_json, write_json
from ml.runtime import Models

if TYPE_CHECKING:
    from ml.bench.contenders import Contender

DETECTOR_ONLY = ("crop", "classify")  # stages that are not the detector's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="a bundle's folder or the name of a shipped one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--drawings", type=_count, default=24)
    parser.add_argument("--size", type=_size, default=(640, 480), help="WIDTHxHEIGHT of the pictures")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are processors")
    parser.add_argument("--batch", type=_count, default=2, help="pictures at once, as the pipeline does on a processor")
    parser.add_argument("--rounds", type=_count, default=5, help="turns that everything gets; medians are told")
    add_json_arguments(parser)


def run(args: argparse.Namespace) -> int:
    import torch

    from ml.runtime import load_models

    check_json(args.json, force=args.force)
    width, height = args.size
    torch.set_num_threads(args.threads or os.cpu_count() or 1)
    models = load_models(args.bundle, args.device)
    figures = measure(models, pictures(args.drawings, width, height), args.batch, args.rounds)
    document = {
        "format": 2,
        "machine": {"processor": platform.processor() or platform.machine(), "processors": os.cpu_count()},
        "threads": torch.get_num_threads(),
        "device": models.device,
        "bundle": {"name": models.bundle.name, "version": models.bundle.version, "digest": models.bundle.digest},
        "picture": [width, height],
        **figures,
    }
    for line in table(document):
        _say(line, args)
    if args.json:
        write_json(args.json, document, indent=1)
    return 0


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, such as 640x360")
    return int(found[1]), int(found[2])


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,4}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 99999")
    return int(text)


def pictures(count: int, width: int, height: int) -> list[Frame]:
    """Rendered pictures with a face or two in most of them; the same ones every time."""
    from ml.render.sample import sample_frame

    return [sample_frame(np.random.default_rng([7, n]), (width, height)).rgb for n in range(count)]


def measure(models: Models, frames: list[Frame], batch: int = 2, rounds: int = 5) -> dict[str, Any]:
    """Medians over ``rounds`` turns after one to warm up. Times per drawing are milliseconds."""
    from ml.bench.contenders import Ours, SameWeights, TorchvisionDefault
    from ml.detect.mask_rcnn import MaskRcnnDetector

    ours = Ours(models, batch)
    found = models.detector.detect(frames)
    contenders: dict[str, Contender] = {
        "ours": ours,
        "torchvision": TorchvisionDefault(found, batch, models.device),
    }
    if isinstance(models.detector, MaskRcnnDetector):
        contenders["same_weights"] = SameWeights(models, models.detector, batch)
    turns = take_turns(contenders, frames, rounds)
    ms = {name: _per_drawing(turns[name], len(frames)) for name in turns}
    figures: dict[str, Any] = {
        "drawings": len(frames),
        "faces": sum(len(f) for f in found),
        "batch": batch,
        "rounds": rounds,
        "drawings_per_second": round(1e3 / ms["ours"]["all"]["wall"], 2),
        "ratio_vs_torchvision": _ratio(turns["torchvision"], turns["ours"]),
        "ratio_vs_torchvision_cpu": _ratio(turns["torchvision"], turns["ours"], cpu=True),
        "ms_per_drawing": ms,
    }
    if "same_weights" in turns:
        figures["ratio_same_weights"] = _ratio(turns["same_weights"], turns["ours"], leave_out=DETECTOR_ONLY)
    return figures


Turn = tuple[Mapping[str, float], Mapping[str, float]]


def take_turns(contenders: Mapping[str, Contender], frames: list[Frame], rounds: int) -> dict[str, list[Turn]]:
    """Seconds per stage, wall clock and processor, of every turn; what disturbs the machine disturbs all alike."""
    turns: dict[str, list[Turn]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            contender.clock.take()
            contender.run(frames)
            taken = contender.clock.take()
            if number:
                turns[name].append(taken)
    return turns


def _per_drawing(turns: list[Turn], drawings: int) -> dict[str, dict[str, float]]:
    from ml.bench.contenders import STAGES

    def median(values: list[float]) -> float:
        return round(statistics.median(values) * 1e3 / drawings, 3)

    stages = [s for s in STAGES if s in turns[0][0]]
    told = {s: {"wall": median([w[s] for w, _ in turns]), "cpu": median([c[s] for _, c in turns])} for s in stages}
    whole = [(sum(w.values()), sum(c.values())) for w, c in turns]
    return {**told, "all": {"wall": median([w for w, _ in whole]), "cpu": median([c for _, c in whole])}}


def _ratio(theirs: list[Turn], ours: list[Turn], *, cpu: bool = False, leave_out: tuple[str, ...] = ()) -> float:
    """The median over turns: neighbours in time are compared."""
    ratios = [
        sum(them[cpu].values()) / sum(v for name, v in us[cpu].items() if name not in leave_out)
        for them, us in zip(theirs, ours, strict=True)
    ]
    return round(statistics.median(ratios), 2)


def table(document: Mapping[str, Any]) -> list[str]:
    """The figures for people."""
    ms = document["ms_per_drawing"]
    ours, theirs = ms["ours"], ms["torchvision"]
    bundle, (width, height) = document["bundle"], document["picture"]
    lines = [
        f"{bundle['name']}-{bundle['version']} on {document['device']}, threads: {document['threads']}, "
        f"{document['drawings']} drawings of {width} x {height}, {document['batch']} at once, "
        f"{document['faces']} faces; medians of {document['rounds']} turns",
        "",
        f"{'ms per drawing':24}{'ours':>9}{'torchvision':>13}{'ours, CPU':>12}{'torchvision, CPU':>18}",
    ]
    for name in [s for s in theirs if s != "all"] + ["all"]:
        mine = ours.get(name, {"wall": 0.0, "cpu": 0.0})
        lines.append(
            f"{name:24}{mine['wall']:9.2f}{theirs[name]['wall']:13.2f}{mine['cpu']:12.2f}{theirs[name]['cpu']:18.2f}"
        )
    lines += [
        "",
        f"drawings_per_second: {document['drawings_per_second']}",
        f"ratio_vs_torchvision: {document['ratio_vs_torchvision']} (CPU time: {document['ratio_vs_torchvision_cpu']})",
    ]
    if "ratio_same_weights" in document:
        lines.append(f"ratio_same_weights: {document['ratio_same_weights']}")
    return lines


def _say(line: str, args: argparse.Namespace) -> None:
    """To standard error where the figures themselves go to standard output."""
    stream = sys.stderr if args.json == "-" else sys.stdout
    stream.write(line + "\n")
    stream.flush()
