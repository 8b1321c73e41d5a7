"""``python -m ml labels PATH [--format F] [--to via|coco --out FILE] [--strict] [--json OUT]``"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ml.data.coco_out import write_coco
from ml.data.labels import FORMATS, read_labels
from ml.data.reading import LabelInvalid
from ml.data.records import Dataset
from ml.data.via_out import write_via
from ml.data.vocabulary import map_words
from ml.outputs import add_json_arguments, check_absent, check_json, write_json

SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="a file of labels, or the folder of a data set")
    parser.add_argument("--format", choices=("auto", *FORMATS), default="auto")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="where the names of pictures count from")
    parser.add_argument("--no-pictures", action="store_true", help="keep labels whose picture is missing")
    parser.add_argument("--classes", choices=("auto", "character", "emotion"), default="auto", help="what classes name")
    parser.add_argument("--groups", choices=("auto", "picture"), default="auto", help="picture: each stands alone")
    parser.add_argument("--strict", action="store_true", help="stop at the first bad label")
    parser.add_argument("--to", choices=("via", "coco"), help="write the labels in this format")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write with --to")
    add_json_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if (args.to is None) != (args.out is None):
        raise LabelInvalid("--to and --out belong together: the format to write, and the file to write it to.")
    check_json(args.json, args.path, force=args.force)
    if args.out is not None:
        check_absent(args.out, args.path, force=args.force)
    dataset = read_labels(
        args.path,
        args.format,
        strict=args.strict,
        pictures=args.pictures,
        need_pictures=not args.no_pictures,
        classes=args.classes,
        groups=args.groups,
    )
    stream = sys.stderr if args.json == "-" else sys.stdout
    lines = [*table(dataset), *complaints(dataset)]
    nothing = _nothing(dataset)
    if args.to is not None and not nothing:
        root = (write_via if args.to == "via" else write_coco)(dataset, args.out)
        lines.append(f"written     {args.out}, pictures named from {root}")
    for line in lines:
        stream.write(_printable(line) + "\n")
    if args.json:
        write_json(args.json, figures(dataset), indent=1)
    if nothing:
        raise LabelInvalid(f"Nothing in {args.path} can be used: {nothing}.")
    return 0


def _nothing(dataset: Dataset) -> str:
    """Why nothing of the labels can be used; empty where something can, pictures of nobody among it."""
    if not dataset.images:
        return "not one picture could be read" if dataset.problems else "it lists no picture"
    if dataset.faces_refused and not any(image.faces for image in dataset.images):
        return f"not one of its faces could be read, and {dataset.faces_refused} had to be refused"
    return ""


def table(dataset: Dataset) -> list[str]:
    faces = [face for image in dataset.images for face in image.faces]
    words = map_words(dataset.emotions)
    emotions = Counter(f.emotion for f in faces if f.emotion is not None)
    said = {w: f"{w} = {words.mapping[w]}" if w in words.mapping else f"{w} = (not mapped)" for w in emotions}
    splits = Counter(image.split or "(not said)" for image in dataset.images)
    rows = {
        "format": dataset.format,
        "pictures": f"{len(dataset.images)}, {sum(1 for i in dataset.images if not i.faces)} of them without a face",
        "faces": f"{len(faces)}, {sum(1 for f in faces if f.polygons)} with outlines, "
        f"{sum(1 for f in faces if f.mask)} with masks",
        "characters": _counted(Counter(f.character for f in faces if f.character is not None)),
        "emotions": _counted({said[w]: n for w, n in emotions.items()}),
        "groups": f"{len({i.group for i in dataset.images})}",
        "splits": _counted(splits),
        "problems": f"{len(dataset.problems)}",
    }
    return [f"{name:<11} {value}" for name, value in rows.items()]


def complaints(dataset: Dataset) -> list[str]:
    lines = [f"  {p}{' (used all the same)' if p.kept else ''}" for p in dataset.problems[:SHOWN]]
    more = len(dataset.problems) - SHOWN
    return [*lines, f"  and {more} more"] if more > 0 else lines


def figures(dataset: Dataset) -> dict[str, Any]:
    faces = [face for image in dataset.images for face in image.faces]
    words = map_words(dataset.emotions)
    return {
        "format": 1,
        "labels": dataset.format,
        "pictures": len(dataset.images),
        "faces": len(faces),
        "characters": dict(Counter(_text(f.character) for f in faces if f.character is not None)),
        "emotions": dict(Counter(_text(f.emotion) for f in faces if f.emotion is not None)),
        "canonical": {_text(word): str(emotion) for word, emotion in words.mapping.items()},
        "unmapped": [_text(word) for word in words.unmapped],
        "groups": dict(Counter(_text(i.group) for i in dataset.images)),
        "splits": dict(Counter(_text(i.split) for i in dataset.images)),
        "problems": [{**asdict(p), "file": _text(str(p.file)), "reason": _text(p.reason)} for p in dataset.problems],
    }


def _counted(counts: Mapping[Any, int] | Iterable[Any]) -> str:
    shown = Counter(counts).most_common()
    return (
        ", ".join(f"{name} {count}" for name, count in shown[:SHOWN]) + (" ..." if len(shown) > SHOWN else "") or "none"
    )


def _printable(line: str) -> str:
    """A name out of somebody's file must not steer the terminal: what is no printable character is written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in line)


def _text(text: str | None) -> str:
    return (text or "").encode("utf-8", "backslashreplace").decode()
