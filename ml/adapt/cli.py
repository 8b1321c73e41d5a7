"""``python -m ml adapt --labels PATH --out BUNDLE``: a bundle for a show, from a few labelled drawings of it."""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ml.bundle import DEFAULT_BUNDLE
from ml.errors import OutputUnwritable
from ml.outputs import check_writable

if TYPE_CHECKING:
    from ml.adapt.work import AdaptSettings

MOST_PROBLEMS = 10  # of the labels that are told one by one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labels", type=Path, required=True, help="labelled pictures or frames, in any format read")
    parser.add_argument("--images", type=Path, help="where the labelled pictures or videos are")
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="what to start from: a folder or a shipped one's name")
    parser.add_argument("--out", type=Path, required=True, help="the new bundle's folder")
    parser.add_argument("--name", default="", help="of the new bundle; else the folder's name")
    parser.add_argument("--minutes", type=float, default=9.0, help="most that it may take (default 9)")
    parser.add_argument("--steps", type=int, default=160, help="of the detector (default 160)")
    parser.add_argument("--pictures", type=int, default=400, help="most that are learnt from, at even distances (400)")
    parser.add_argument("--only", default="detector,gallery,emotions", help="which parts, divided by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are processors")


def run(args: argparse.Namespace) -> int:
    begun = time.monotonic()  # loading torch can take a while on a busy machine
    import os

    import torch

    from ml.adapt.adapt import adapt
    from ml.evaluate import sources
    from ml.evaluate.labels import in_order

    settings = _settings(args)
    if args.out.exists():
        raise OutputUnwritable(f"The bundle is not written to {args.out}: that exists.")
    check_writable(args.out, args.labels)
    torch.set_num_threads(args.threads or os.cpu_count() or 1)
    dataset = sources.read(args.labels, args.images)
    for problem in dataset.problems[:MOST_PROBLEMS]:
        _say(f"left out: {problem}" if not problem.kept else f"look at: {problem}")
    if len(dataset.problems) > MOST_PROBLEMS:
        _say(f"and {len(dataset.problems) - MOST_PROBLEMS} more; python -m ml labels lists them")
    adapt(args.bundle, dataset, list(in_order(dataset.images)), args.out, settings, _say, begun)
    _say((args.out / "CARD.md").read_text(encoding="utf-8"))
    minutes = (time.monotonic() - begun) / 60
    _say(f"wrote {args.out} in {minutes:.1f} minutes; use it: python -m ml analyse VIDEO --bundle {args.out}")
    return 0


def _settings(args: argparse.Namespace) -> AdaptSettings:
    """Raises SettingsInvalid."""
    from ml.adapt.work import PARTS, AdaptSettings
    from ml.train.settings import SettingsInvalid

    parts = tuple(part.strip() for part in args.only.split(",") if part.strip())
    if not parts or set(parts) - set(PARTS):
        raise SettingsInvalid(f"--only {args.only!r} names what cannot be adapted; {', '.join(PARTS)} can.")
    if not 0 < args.minutes < float("inf") or min(args.steps, args.pictures) < 1 or min(args.threads, args.seed) < 0:
        raise SettingsInvalid("--minutes must be above 0, --steps and --pictures at least 1, --threads and --seed 0.")
    name = args.name or re.sub(r"[-\s]+", "_", args.out.resolve().name)
    if not name or not all(c.isalnum() or c in "._" for c in name):
        raise SettingsInvalid(
            f"A bundle cannot be called {name!r}: letters, digits, dot and underscore only; give --name."
        )
    return AdaptSettings(name, args.minutes, args.steps, args.seed, parts, args.pictures)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
