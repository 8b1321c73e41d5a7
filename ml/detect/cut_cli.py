"""``python -m ml cut-faces``: faces out of videos into one folder per character, as Hill 2017 made his data."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ml.detect.base import Detector
from ml.detect.haar_cli import CASCADE_HELP


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--cascade", action="append", metavar="C", help=CASCADE_HELP)
    how.add_argument("--bundle", help="the detector of a bundle instead")
    parser.add_argument("--out", required=True, type=Path, help="gets one folder per character and faces.csv")
    parser.add_argument(
        "--sampling", default="drawings", type=_sampling, help="drawings (default), per-second or every-N frames"
    )
    parser.add_argument("--device", default="auto", help="for --bundle: auto, cpu, cuda or cuda:N (auto)")


def _sampling(text: str) -> str:
    from ml.sampling import is_sampling

    if not is_sampling(text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither drawings, per-second nor every-N (N from 1 to 99999)")
    return text


def run(args: argparse.Namespace) -> int:
    from ml.detect.haar import HaarDetector, load_cascades
    from ml.detect.haar_tools import cut_faces, parse_option

    detector: Detector
    if args.cascade:
        detector = HaarDetector(load_cascades([parse_option(text) for text in args.cascade]))
    else:
        from ml.runtime import load_models

        detector = load_models(args.bundle, args.device).detector
    for video in args.videos:
        counts = cut_faces(video, detector, args.out, args.sampling)
        said = ", ".join(f"{who} {n}" for who, n in sorted(counts.items())) or "no faces"
        sys.stdout.write(f"{video.name}: {said}\n")
        sys.stdout.flush()
    return 0
