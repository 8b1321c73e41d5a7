"""``python -m ml evaluate``: a bundle on labelled pictures (``--labels``) or rendered episodes (``--episodes``), or how
far annotators agree (``--agreement``).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ml.bundle import DEFAULT_BUNDLE
from ml.outputs import add_json_arguments, check_json, check_writable, whole_file, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="a bundle's folder or the name of a shipped one")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--labels", type=Path, help="labelled pictures in any format that is read, or truth files")
    what.add_argument("--episodes", type=Path, help="a folder of NAME.mp4 with NAME.truth.json")
    what.add_argument("--agreement", type=Path, nargs="+", metavar="FILE", help="labels of two or more annotators")
    parser.add_argument("--images", type=Path, help="where the labelled pictures or videos are")
    parser.add_argument("--split", choices=("all", "train", "valid", "test"), default="all", help="as the labels say")
    parser.add_argument("--every", type=_count, default=1, help="every n-th picture only (then no share error)")
    parser.add_argument("--train-labels", type=Path, action="append", metavar="FILE", help="what was trained on")
    parser.add_argument(
        "--flattering-random-frames",
        action="store_true",
        help="beside the honest figures, those with frames of shots that were trained on",
    )
    parser.add_argument(
        "--masking", action="store_true", help="read every true face with segmentation and without as well"
    )
    parser.add_argument("--rounds", type=_count, default=1000, help="resamplings for the intervals")
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="one page with plots")
    parser.add_argument("--history", type=Path, metavar="FILE", help="the training log, for learning curves")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="pictures to show at the end of the report")
    parser.add_argument("--device", default="auto")
    add_json_arguments(parser)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 10**6:
        raise argparse.ArgumentTypeError(f"a number from 1 to 1000000 is needed, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    check_json(args.json, force=args.force)
    if args.report is not None:
        check_writable(args.report, None)
    if args.pictures is not None and not args.pictures.is_dir():
        from ml.evaluate.sources import NothingToMeasure

        raise NothingToMeasure(f"There is no folder of pictures at {args.pictures}.")
    if args.agreement:
        return _agreement(args)
    return _labels(args) if args.labels is not None else _episodes(args)


def _labels(args: argparse.Namespace) -> int:
    from ml.evaluate.labelled import evaluate_labels
    from ml.evaluate.summary import lines

    document = evaluate_labels(args, lambda line: _say(line, args))
    for line in lines(document):
        _say(line, args)
    _written(args, document)
    return 0


def _written(args: argparse.Namespace, document: dict[str, Any]) -> None:
    if args.json:
        write_json(args.json, document)
    if args.report is not None:
        from ml.data.frames import IMAGE_SUFFIXES, read_image
        from ml.evaluate.report import report

        files = sorted(args.pictures.iterdir()) if args.pictures is not None else []
        pictures = [(f.stem.replace("_", " "), read_image(f)) for f in files if f.suffix.lower() in IMAGE_SUFFIXES]
        with whole_file(args.report) as temporary:
            temporary.write_text(report(document, pictures), encoding="utf-8")


def _agreement(args: argparse.Namespace) -> int:
    from ml.evaluate.annotators import agreement, agreement_lines

    found = agreement(args.agreement)
    for line in agreement_lines(found):
        _say(line, args)
    if args.json:
        write_json(args.json, found, indent=1)
    return 0


def _episodes(args: argparse.Namespace) -> int:
    from ml.evaluate.episodes import TruthInvalid, evaluate, read_truth
    from ml.runtime import load_models

    files = sorted(args.episodes.glob("*.truth.json"))
    if not files:
        raise TruthInvalid(f"{args.episodes} holds no file that ends in .truth.json.")
    truths = [read_truth(file) for file in files]
    models = load_models(args.bundle, args.device)
    figures = evaluate(models, truths, max(1, args.every), lambda line: _say(line, args))
    detection, emotion = figures["detection"], figures["emotion"]
    _say(f"recall {detection['recall']}  precision {detection['precision']}  (IoU 0.5, the character must match)", args)
    _say(
        f"by character: recall {detection['recall_by_character']}  precision {detection['precision_by_character']}",
        args,
    )
    _say(
        f"emotion accuracy {emotion['accuracy']}  macro-F1 {emotion['macro_f1']}  ECE {emotion['ece']}  "
        f"unclear {emotion['unclear']}",
        args,
    )
    _say(f"share error {figures['share_error']}", args)
    if args.json:
        document = {"format": 1, "bundle": models.bundle.name, "digest": models.bundle.digest, **figures}
        write_json(args.json, document, indent=1)
    return 0


def _say(line: str, args: argparse.Namespace) -> None:
    """To standard error where the figures themselves go to standard output."""
    stream = sys.stderr if args.json == "-" else sys.stdout
    stream.write(line + "\n")
    stream.flush()
