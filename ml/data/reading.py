"""What the readers of labels share: limits, reported problems, finding pictures and telling groups. No torch."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from ml.data.encoding import EncodingUnknown, encoding_of
from ml.data.headers import picture_size
from ml.data.records import Dataset, LabelledFace, LabelledImage, Problem
from ml.errors import UserError

Classes = Literal["auto", "character", "emotion"]
Groups = Literal["auto", "picture"]
MAX_JSON_BYTES = 512 << 20  # the largest public label file, COCO's training set, has 450 MB
MAX_TEXT_BYTES = 16 << 20  # one XML, text or YAML file
MAX_FILES = 2_000_000
MAX_SIDE = 65_535  # the most that a JPEG can have
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"})
VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".flv", ".ts", ".mpg", ".mpeg", ".ogv", ".wmv"})
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}
CONTAINERS = frozenset({"images", "image", "imgs", "jpegimages", "pictures", "frames", "labels", "annotations", "data"})
# Words that begin the names of pictures of any set, so that they do not tell one episode from another.
_PLAIN_NAMES = frozenset({"", "im", "img", "image", "frame", "f", "face", "pic", "picture", "photo", "sample", "no"})
_COPY = re.compile(r"(?:_(?:jpe?g|png|bmp|webp))?\.rf\.[0-9A-Za-z]+$")  # Roboflow's mark of an altered copy
_NUMBER = re.compile(r"[\s_.\-#(]*(?:frames?|img|image|f|t)?[\s_.\-#(]*\d+\)?$", re.IGNORECASE)


class LabelInvalid(UserError):
    """A label, or a file or folder of labels, that cannot be read."""

    code = "label_invalid"


class Bad(Exception):
    """Raised inside a reader: this one label cannot be used, for the reason given. Never leaves the reader."""


@dataclass(slots=True)
class Reading:
    """One reading of one data set. ``root``: no picture outside it is opened. ``base``: where pictures are said to lie,
    None for beside the labels. ``needed``: a label whose picture is missing cannot be used.
    """

    root: Path
    base: Path | None = None
    strict: bool = False
    needed: bool = True
    classes: Classes = "auto"
    groups: Groups = "auto"
    images: list[LabelledImage] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files_read: int = 0
    faces_refused: int = 0
    _by_name: dict[str, list[Path]] | None = None
    _places: dict[tuple[Path, int | None], int] = field(default_factory=dict)

    def problem(self, file: Path, line: int, reason: str, *, kept: bool = False, face: bool = False) -> None:
        """Notes a bad label; ``kept``: it is used all the same. ``face``: it says that there is a face.

        Raises LabelInvalid where the reading is strict.
        """
        found = Problem(file, line, reason, kept)
        if self.strict:
            raise LabelInvalid(str(found))
        self.problems.append(found)
        self.faces_refused += face

    def text(self, file: Path, limit: int = MAX_TEXT_BYTES) -> str | None:
        """The file as text without its byte order mark; None, reported, where it cannot be read.

        XML may name its encoding; everything else is UTF-8, or UTF-16 where its first bytes show that.
        """
        try:
            if not file.is_file():
                raise Bad("is no ordinary file")
            if file.stat().st_size > limit:
                raise Bad(f"has more than {limit >> 20} MiB, the most that is read")
            raw = file.read_bytes()
            encoding, doubt = encoding_of(raw)
            text = raw.decode(encoding)
            if doubt:
                self.problem(file, 1, doubt, kept=True)
            return text
        except EncodingUnknown as unknown:
            self.problem(file, 1, str(unknown))
        except UnicodeDecodeError as error:
            line = raw[: error.start].decode(encoding, "replace").count("\n") + 1
            self.problem(file, line, f"the text is not {encoding} (byte {error.start})")
        except OSError as error:
            self.problem(file, 0, f"cannot be read: {error.strerror}")
        except Bad as bad:
            self.problem(file, 0, str(bad))
        return None

    def find(self, name: str, beside: Path) -> Path:
        """The picture or video called ``name`` by a label in the folder ``beside``. Raises Bad.

        Looked for beside the label, in the usual folders around it, then by its bare name in the whole data set. A
        name that leads out of the data set is refused, whether the file exists or not.
        """
        relative = PurePosixPath(name.replace("\\", "/"))
        if (
            not name
            or "\0" in name
            or len(name.encode("utf-8", "replace")) > 2000
            or any(len(p.encode("utf-8", "replace")) > 255 for p in relative.parts)
        ):
            raise Bad("the name of the picture is empty or no name of a file")
        top = self.base or self.root
        folders = [top] if self.base else [beside]
        if ".." not in relative.parts and not self.base:
            folders += _around(beside, self.root)
        inside = False
        for folder in folders:
            path = Path(os.path.normpath(folder / relative))
            if path.is_relative_to(os.path.normpath(top)):
                inside = True
                if path.is_file():
                    return path
        if not inside:
            raise Bad(f"the picture {name!r} lies outside the data set's folder")
        same = self._named(relative.name)
        if len(same) == 1:
            return same[0]
        if same:
            raise Bad(f"several pictures are called {relative.name!r}, and none lies where the label says")
        if self.needed:
            raise Bad(f"the picture {name!r} is missing")
        return Path(os.path.normpath((self.base or beside) / relative))

    def size(self, path: Path, width: int = 0, height: int = 0) -> tuple[int, int]:
        """Width and height of a picture by its header, which must agree with what the label says. Raises Bad."""
        if not 0 <= width <= MAX_SIDE or not 0 <= height <= MAX_SIDE:
            raise Bad(f"the label gives the picture {width} x {height} pixels")
        if path.suffix.lower() in VIDEOS or not path.is_file():
            return width, height
        found = picture_size(path)
        if found is None:
            raise Bad(f"{path.name} is no picture that can be read")
        if 0 not in (width, height) and found != (width, height):
            raise Bad(f"the label says {width} x {height} pixels, but {path.name} has {found[0]} x {found[1]}")
        return found

    def add(self, image: LabelledImage, file: Path, line: int) -> None:
        """Takes a picture in. One that was there already is reported, and gets the faces that it did not have."""
        if self.groups == "picture":
            image = replace(
                image, group=f"{image.path}#{image.pts_ms}" if image.pts_ms is not None else str(image.path)
            )
        at = self._places.setdefault((image.path, image.pts_ms), len(self.images))
        if at == len(self.images):
            self.images.append(image)
            return
        first = self.images[at]
        known = [replace(face, where="") for face in first.faces]
        new = tuple(face for face in image.faces if replace(face, where="") not in known)
        self.problem(file, line, f"{image.path.name} is listed a second time; {len(new)} faces are new", kept=True)
        self.images[at] = replace(first, faces=first.faces + new)

    def group(self, path: Path, label: Path) -> str:
        """Episode of a picture as far as folders and names tell: its folder and what its name begins with."""
        parts = [p for p in relative_parts(path.parent, self.base or self.root) if not _says_nothing(p)]
        start = name_start(path.stem)
        if start:
            parts.append(start)
        if not parts and not _says_nothing(label.stem) and label.suffix == ".json":
            parts.append(label.stem)
        return "/".join(parts) or self.root.name or "all"

    def done(self, format_name: str, attributes: dict[str, str] | None = None) -> Dataset:
        """Raises LabelInvalid where not one file of labels could be read."""
        if not self.files_read:
            reason = str(self.problems[0]) if self.problems else f"{self.root} holds no labels"
            raise LabelInvalid(f"No labels of the format {format_name} could be read: {reason}.")
        return Dataset(format_name, tuple(self.images), tuple(self.problems), attributes or {}, self.faces_refused)

    def _named(self, name: str) -> list[Path]:
        if self._by_name is None:
            self._by_name = {}
            for path in walk(self.base or self.root, PICTURES | VIDEOS):
                self._by_name.setdefault(unicodedata.normalize("NFC", path.name), []).append(path)
        return self._by_name.get(unicodedata.normalize("NFC", name), [])


def walk(folder: Path, suffixes: Iterable[str]) -> Iterator[Path]:
    """Files below ``folder`` in the order of their names, hidden ones left out; raises LabelInvalid for too many."""
    wanted = frozenset(suffixes)
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__MACOSX")))
        for name in sorted(files):
            count += 1
            if count > MAX_FILES:
                raise LabelInvalid(f"{folder} holds more than {MAX_FILES} files; name the folder of the data set.")
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in wanted:  # noqa: PTH122 - in a hot loop
                yield Path(place, name)


def split_of(parts: Iterable[str]) -> str:
    """``train``, ``valid`` or ``test`` where one of the folders, or a word of a file's name, says it; else nothing."""
    found = {SPLITS[p.lower()] for p in parts if p.lower() in SPLITS}
    return found.pop() if len(found) == 1 else ""


def relative_parts(path: Path, root: Path) -> tuple[str, ...]:
    return path.relative_to(root).parts if path.is_relative_to(root) else path.parts[-1:]


def name_start(stem: str) -> str:
    """``tom_ep3_frame_0012`` -> ``tom_ep3``; nothing where only a number is left or a word that every set uses."""
    start = _NUMBER.sub("", _COPY.sub("", stem)).strip(" _.-#(")
    return "" if start.lower() in _PLAIN_NAMES or start == _COPY.sub("", stem) else start


def face_count(faces: Iterable[LabelledFace]) -> str:
    count = len(list(faces))
    return f"{count} face{'' if count == 1 else 's'}"


def _says_nothing(part: str) -> bool:
    low = part.lower()
    return low in SPLITS or low in CONTAINERS or low.startswith(("_annotations", "via_", "annotations", "instances_"))


def _around(beside: Path, root: Path) -> list[Path]:
    names = ("images", "JPEGImages", "frames")
    near = [beside / n for n in names] + [beside.parent / n for n in names]
    return [*near, root, *(root / n for n in names)]
