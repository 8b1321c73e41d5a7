"""``python -m ml import-matterport FILE.h5 --out BUNDLE``: a bundle from the paper's own weights, or any like them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ml.bundle import Bundle
from ml.detect.matterport_picture import MODES, Preparation
from ml.matterport.bundle import LICENCE, ImportSettings, import_weights


def add_arguments(parser: argparse.ArgumentParser) -> None:
    usual = ImportSettings()
    parser.add_argument("weights", type=Path, metavar="FILE.h5", help="weights of a Matterport Mask R-CNN (Keras)")
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="folder to write, NAME-VERSION")
    parser.add_argument(
        "--characters", type=_slugs, default=(), metavar="A,B", help="what the classes mean, in the weights' order"
    )
    parser.add_argument(
        "--input",
        type=int,
        default=usual.preparation.side,
        metavar="PIXELS",
        help="side of the square that pictures are put into, a multiple of 64 (1024)",
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        default=usual.preparation.mode,
        help="resize: scaled to fit the square; pad: unscaled in its middle, as the paper's own fork does",
    )
    parser.add_argument(
        "--least-short-side",
        type=int,
        default=0,
        metavar="PIXELS",
        help="with resize: enlarge only pictures whose short side is less (0: all that fit)",
    )
    parser.add_argument("--min-confidence", type=_share, default=usual.least_score, help="least score of a face (0.9)")
    parser.add_argument("--nms", type=_share, default=usual.nms, help="boxes that overlap more are one face (0.3)")
    parser.add_argument("--faces", type=int, default=usual.faces, help="most faces in one picture (100)")
    parser.add_argument(
        "--classifier-from", default="", metavar="BUNDLE", help="a bundle whose classifier reads emotions; none: none"
    )
    parser.add_argument("--licence", default=LICENCE, help="of the weights, kept in the bundle")


def run(args: argparse.Namespace) -> int:
    settings = ImportSettings(
        characters=args.characters,
        preparation=Preparation(args.input, args.mode, args.least_short_side),
        least_score=args.min_confidence,
        nms=args.nms,
        faces=args.faces,
        classifier_from=args.classifier_from,
        licence=args.licence,
    )
    bundle = import_weights(args.weights, args.out, settings)
    sys.stdout.write(said(bundle, settings, args.out) + "\n")
    return 0


def said(bundle: Bundle, settings: ImportSettings, out: Path) -> str:
    detector = bundle.detector
    named = "" if settings.characters else " (name them with --characters)"
    emotions = ", ".join(bundle.emotions) or "none: no classifier (--classifier-from lends one)"
    return "\n".join(
        [
            f"wrote {out}: {bundle.name}-{bundle.version}, digest {bundle.digest[:12]}",
            f"network: {detector.settings['backbone']}, classes {', '.join(bundle.characters)}{named}",
            f"pictures: {settings.preparation.said()} (--mode {settings.preparation.mode})",
            f"faces: score from {bundle.thresholds.detection:g}, doubles from an overlap of {bundle.thresholds.nms:g}, "
            f"at most {detector.settings['faces']}",
            f"emotions: {emotions}",
        ]
    )


def _slugs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is outside 0 to 1")
    return value
