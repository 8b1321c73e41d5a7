"""Files that are written whole or not at all, and looked at before the work, not after it."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ml.errors import OutputUnwritable

JsonTarget: TypeAlias = Path | Literal["-"]  # "-": standard output
_OURS = re.compile(rb'\s*\{\s*"format"\s*:\s*\d')  # how every JSON file of ours begins


def json_target(text: str) -> JsonTarget:
    return "-" if text == "-" else Path(text)


def add_json_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=json_target, metavar="OUT", help="write the figures here; - is standard output")
    parser.add_argument("--force", action="store_true", help="write over a file that this program did not write")


def check_json(out: JsonTarget | None, source: Path | None = None, *, force: bool = False) -> None:
    """Raises OutputUnwritable where ``out`` cannot be made, or is a file that is no JSON of ours and not forced."""
    if not isinstance(out, Path):
        return
    check_writable(out, source)
    if out.exists() and not force and not _is_ours(out):
        raise OutputUnwritable(
            f"The result is not written to {out}: that file exists and is no result of ours; --force overwrites it."
        )


def check_absent(out: Path, source: Path, *, force: bool = False) -> None:
    """Raises OutputUnwritable where ``out`` cannot be made, or exists and is not forced."""
    check_writable(out, source)
    if out.exists() and not force:
        raise OutputUnwritable(f"The result is not written to {out}: that file exists; --force overwrites it.")


def _is_ours(out: Path) -> bool:
    try:
        with out.open("rb") as file:
            return _OURS.match(file.read(64)) is not None
    except OSError:
        return False


def write_json(out: JsonTarget, document: Any, indent: int | None = None) -> None:
    """One document and a line end; to a file whole or not at all. Raises OutputUnwritable."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent) + "\n"
    if not isinstance(out, Path):
        sys.stdout.write(text)
        return
    with whole_file(out) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_writable(out: Path, source: Path | None) -> None:
    """Raises OutputUnwritable where ``out`` cannot be made, is no ordinary file, or is the file it is made from."""
    folder = out.parent
    if out.is_dir():
        raise OutputUnwritable(f"The result cannot be written to {out}: that is a folder.")
    if not folder.is_dir():
        raise OutputUnwritable(f"The result cannot be written to {out}: the folder {folder} does not exist.")
    if out.exists() and not out.is_file():
        raise OutputUnwritable(f"The result cannot be written to {out}: that is no ordinary file.")
    if source is not None and out.exists() and source.exists() and out.samefile(source):
        raise OutputUnwritable(f"The result cannot be written to {out}: that is the file it is made from.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise OutputUnwritable(f"The result cannot be written to {out}: {error.strerror}.") from error


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """A temporary name beside ``out``, renamed to it at the end; removed on any error. Raises OutputUnwritable."""
    temporary = out.with_name(f".{out.name[:100]}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(out)
    except OSError as error:
        raise OutputUnwritable(f"The result cannot be written to {out}: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
