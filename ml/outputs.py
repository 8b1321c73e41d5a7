"""Files that are written whole or not at all, and looked at before the work, not after it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml.errors import OutputUnwritable


def check_writable(out: Path, source: Path) -> None:
    """Raises OutputUnwritable where ``out`` cannot be made, or is the video itself."""
    folder = out.parent
    if out.is_dir():
        raise OutputUnwritable(f"The result cannot be written to {out}: that is a folder.")
    if not folder.is_dir():
        raise OutputUnwritable(f"The result cannot be written to {out}: the folder {folder} does not exist.")
    if out.exists() and source.exists() and out.samefile(source):
        raise OutputUnwritable(f"The result cannot be written to {out}: that is the video itself.")
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
