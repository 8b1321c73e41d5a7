"""``python -m ml make-haar-bundle``: cascades of a user's own as a bundle that analyses."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

CASCADE_HELP = "CHARACTER=FILE[:NEIGHBOURS]; neighbours: candidates that a face needs (20). Give it once a character"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cascade", action="append", required=True, metavar="C", help=CASCADE_HELP)
    parser.add_argument("--out", required=True, type=Path, help="the folder to make")
    parser.add_argument("--name", default="haar", help="the bundle's name (haar)")
    parser.add_argument("--version", default="1", help="its version (1)")
    parser.add_argument("--licence", default="as its cascades", help="what may be done with the cascades")


def run(args: argparse.Namespace) -> int:
    from ml.detect.haar_tools import haar_bundle, parse_option

    cascades = [parse_option(text) for text in args.cascade]
    bundle = haar_bundle(cascades, args.out, name=args.name, version=args.version, licence=args.licence)
    sys.stdout.write(
        f"{args.out}: finds {', '.join(bundle.characters)}; analyse a video with --bundle {args.out} "
        "(there is no classifier in it, so no emotions)\n"
    )
    return 0
