"""``python -m ml import-yolo FILE.onnx --out BUNDLE``: an exported YOLOv8 or YOLO11 model as a bundle."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ml.bundle import Bundle, Calibration, Part, Thresholds, write_bundle
from ml.errors import OutputUnwritable

if TYPE_CHECKING:
    from ml.detect.yolo_onnx import Layout

DETECTION, NMS = 0.25, 0.7  # what YOLO's own prediction takes unless told otherwise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.onnx", help="an export without its own suppression (nms)")
    parser.add_argument("--out", required=True, type=Path, help="the bundle's folder to make")
    parser.add_argument("--unnamed", action="store_true", help="its classes are no characters: every face is anybody's")
    parser.add_argument("--name", default="yolo", help="the bundle's name (yolo)")
    parser.add_argument("--version", default="1", help="its version (1)")
    parser.add_argument("--licence", default="as its model", help="what may be done with the model")


def run(args: argparse.Namespace) -> int:
    bundle = yolo_bundle(
        args.file, args.out, unnamed=args.unnamed, name=args.name, version=args.version, licence=args.licence
    )
    who = ", ".join(bundle.characters.values()) or "faces"
    sys.stdout.write(
        f"{args.out}: finds {who}, {'with' if bundle.detector.settings['masks'] else 'without'} masks; "
        f"analyse a video with --bundle {args.out} (there is no classifier in it, so no emotions)\n"
    )
    return 0


def yolo_bundle(
    file: Path,
    out: Path,
    *,
    unnamed: bool = False,
    name: str = "yolo",
    version: str = "1",
    licence: str = "as its model",
) -> Bundle:
    """Each class becomes a character, unless ``unnamed``. Raises OnnxMissing, OnnxInvalid or OutputUnwritable."""
    from ml.detect.yolo_onnx import YoloModel

    if out.exists():
        raise OutputUnwritable(f"{out} exists already; a bundle never changes once it is written.")
    layout = YoloModel(file).layout
    slugs = [None] * len(layout.names) if unnamed else slugs_of(layout.names, file)
    bundle = Bundle(
        name=name,
        version=version,
        licence=licence,
        detector=Part("yolo_seg_onnx", "detector.onnx", _settings(layout, slugs)),
        classifier=None,
        characters={slug: title for slug, title in zip(slugs, layout.names, strict=True) if slug is not None},
        emotion_labels=(),
        emotion_mapping={},
        preprocessing={"crop": {"size": 224, "margin": 0.0, "outside": 0.0}},
        calibration=Calibration(),
        thresholds=Thresholds(detection=DETECTION, nms=NMS),
        confusion={},
        metrics={},
        data={},
        made={"with": "import-yolo", "from": file.name},
    )
    try:
        return write_bundle(bundle, {"detector.onnx": file}, out)
    except OSError as error:
        raise OutputUnwritable(f"The bundle cannot be written to {out}: {error.strerror or error}.") from error


def _settings(layout: Layout, slugs: Sequence[str | None]) -> dict[str, object]:
    return {"characters": list(slugs), "classes": list(layout.names), "masks": layout.masks, "size": list(layout.size)}


def slugs_of(names: Sequence[str], file: Path) -> list[str | None]:
    """``Anger Smith`` to ``anger-smith``. Raises OnnxInvalid where two classes would be one character."""
    from ml.detect.yolo_onnx import OnnxInvalid

    slugs = [re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or f"class-{n}" for n, name in enumerate(names)]
    if len(set(slugs)) != len(slugs):
        raise OnnxInvalid(f"{file} has two classes whose names differ too little to be two characters.")
    return list(slugs)
