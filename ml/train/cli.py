"""``python -m ml train detector|classifier --config F --data FOLDER... --out FOLDER``"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from ml.train.settings import ClassifierTraining, DetectorTraining, read_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("detector", "classifier"))
    parser.add_argument("--config", required=True, type=Path, help="a TOML file, such as those in ml/train/configs")
    parser.add_argument("--data", nargs="+", type=Path, help="folders of shards; else those of the config")
    parser.add_argument("--start", type=Path, help="detector: ImageNet weights of MobileNetV2 (safetensors)")
    parser.add_argument("--out", required=True, type=Path, help="folder for weights and checkpoint; resumes from it")
    parser.add_argument("--steps", type=int, help="instead of the config's")
    parser.add_argument("--threads", type=int, help="instead of the config's")


def run(args: argparse.Namespace) -> int:
    settings: DetectorTraining | ClassifierTraining
    if args.what == "detector":
        settings = read_settings(DetectorTraining, args.config)
    else:
        settings = read_settings(ClassifierTraining, args.config)
    given = {
        "data": tuple(str(p) for p in args.data) if args.data else None,
        "start": str(args.start) if args.start and args.what == "detector" else None,
        "steps": args.steps,
        "threads": args.threads,
    }
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    if isinstance(settings, DetectorTraining):
        from ml.train.detector import train_detector

        path = train_detector(settings, args.out, _say)
    else:
        from ml.train.classifier import train_classifier

        path = train_classifier(settings, args.out, _say)
    _say(f"wrote {path}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
