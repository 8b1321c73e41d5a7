"""``python -m ml``: the pipeline and its tools. Each command is imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ml.errors import Cancelled, ToonemoError, UserError

COMMANDS = {
    "analyse": ("ml.analyse_cli", "find faces and what they show in a video"),
    "render": ("ml.render.cli", "draw cartoon episodes with known truth"),
    "train": ("ml.train.cli", "train a detector or a classifier"),
    "adapt": ("ml.adapt.cli", "make a bundle for a show from a few labelled drawings of it"),
    "evaluate": ("ml.evaluate.cli", "measure a bundle on labelled pictures or rendered episodes"),
    "compare": ("ml.evaluate.compare", "compare measured runs, with intervals of their differences"),
    "label": ("ml.label.cli", "draw faces and choose what they show on frames, in a local page"),
    "make-haar-bundle": ("ml.detect.haar_cli", "make a bundle of Haar cascades"),
    "cut-faces": ("ml.detect.cut_cli", "cut faces out of videos, a folder per character"),
    "import-yolo": ("ml.detect.yolo_cli", "make a bundle of an exported YOLO model"),
    "import-matterport": ("ml.matterport.cli", "make a bundle of Matterport Mask R-CNN weights (the paper's)"),
    "labels": ("ml.data.labels_cli", "read labels that people made, say what is wrong with them, convert them"),
    "bench": ("ml.bench", "measure the speed of this machine"),
}


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done, 2 the input is at fault, 1 we are, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGTERM, _terminated)
    try:
        args = _parse(given)
        status = int(args.run(args))
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _end("\nstopped", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on; the exit must not complain
        return 1
    except UserError as error:
        return _fault(given, error.code, str(error), 2)
    except Cancelled:
        return _end("stopped", 130)
    except ToonemoError as error:
        return _fault(given, error.code, str(error), 1)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line for people, a trace on request
        return _fault(given, "internal", f"A fault of ours, {type(error).__name__}: {error}", 1)


def _parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml", description="Emotions of cartoon characters in video files.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    given = [_as_path(word) for word in given]
    asked = next((word for word in given if not word.startswith("-")), "")
    for name, (module, what) in COMMANDS.items():
        one = commands.add_parser(name, help=what, description=what)
        one.add_argument("--debug", action="store_true", help="show where a fault came from")
        if name == asked:
            command = importlib.import_module(module)
            command.add_arguments(one)
            one.set_defaults(run=command.run)
    return parser.parse_args(given)


def _as_path(word: str) -> str:
    """A file whose name begins with one dash is meant as a file, not as an option."""
    dashed = word.startswith("-") and not word.startswith("--") and word not in ("-", "-h")
    return f"./{word}" if dashed and Path(word).is_file() else word


def _fault(given: list[str], code: str, sentence: str, status: int) -> int:
    if "--debug" in given:
        traceback.print_exc()
    return _end(f"error [{code}]: {' '.join(sentence.split())}", status)


def _end(line: str, status: int) -> int:
    sys.stderr.write(line + "\n")
    return status


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
