"""``python -m ml adapt --labels PATH --out BUNDLE``: a bundle for a show, from a few labelled drawings of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ml.bundle import DEFAULT_BUNDLE
from ml.errors import OutputUnwritable, UserError
from ml.outputs import check_writable

EXAMPLE = "python -m ml analyse VIDEO --bundle"


class NameInvalid(UserError):
    """A bundle's name holds what a name cannot."""

    code = "name_invalid"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labels", type=Path, required=True, help="labelled pictures or frames, in any format read")
    parser.add_argument("--images", type=Path, help="where the labelled pictures or videos are")
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="what to start from: a folder or a shipped one's name")
    parser.add_argument("--out", type=Path, required=True, help="the new bundle's folder")
    parser.add_argument("--name", default="", help="of the new bundle; else the folder's name")
    parser.add_argument("--minutes", type=float, default=9.0, help="most that it may take (default 9)")
    parser.add_argument("--steps", type=int, default=160, help="of the detector (default 160)")
    parser.add_argument("--only", default="detector,gallery,emotions", help="which parts, divided by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are processors")


def run(args: argparse.Namespace) -> int:
    import os

    import torch

    from ml.adapt.adapt import PARTS, AdaptSettings, adapt
    from ml.adapt.card import write_card
    from ml.evaluate import sources
    from ml.evaluate.labels import in_order

    parts = tuple(part.strip() for part in args.only.split(",") if part.strip())
    if not parts or set(parts) - set(PARTS):
        raise NameInvalid(f"--only {args.only!r} names what cannot be adapted; {', '.join(PARTS)} can.")
    if not args.minutes > 0 or args.steps < 1:
        raise NameInvalid("--minutes must be above 0 and --steps at least 1.")
    check_writable(args.out, args.labels)
    if args.out.exists():
        raise OutputUnwritable(f"The bundle is not written to {args.out}: that folder exists.")
    name = args.name or args.out.name
    if not name or not all(c.isalnum() or c in "._" for c in name):
        raise NameInvalid(f"A bundle cannot be called {name!r}: letters, digits, dot and underscore only; give --name.")
    torch.set_num_threads(args.threads or os.cpu_count() or 1)
    dataset = sources.read(args.labels, args.images)
    for problem in dataset.problems[:10]:
        _say(f"left out: {problem}")
    settings = AdaptSettings(name, args.minutes, args.steps, args.seed, parts)
    bundle = adapt(args.bundle, dataset, list(in_order(dataset.images)), args.out, settings, _say)
    _say(write_card(bundle, args.out))
    _say(f"wrote {args.out}; use it: {EXAMPLE} {args.out}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
