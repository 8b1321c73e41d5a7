"""``read_labels``: labels of any format that is read, found out from the files where it is not said."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from ml.data.coco import read_coco
from ml.data.encoding import text_of
from ml.data.folders import FERG, FOLDERS, MANGA, is_ferg, is_manga, read_folders
from ml.data.labelme import read_labelme
from ml.data.reading import PICTURES, Classes, Groups, LabelInvalid, Reading, walk
from ml.data.records import Dataset
from ml.data.via import CSV_COLUMNS, read_via
from ml.data.voc import read_voc
from ml.data.yolo import begins_as_yolo, read_yolo

FORMATS = ("via", "coco", "voc", "yolo", "labelme", FOLDERS, FERG, MANGA)
_HEAD = 1 << 16  # bytes that tell what a file is
_LOOKED_AT = 2000  # pictures whose folders are looked at
_FILES: dict[str, tuple[str, ...]] = {
    "via": (".json", ".csv"),
    "coco": (".json",),
    "labelme": (".json",),
    "voc": (".xml",),
}
VIA_3 = "via3"  # recognised, never read
_VIA_3_REASON = "is a project of VIA 3, which is not read: export it as COCO, or label with VIA 2 and export its JSON"
_NEVER = frozenset({"package.json", "dataset_info.json"})


def read_labels(
    path: Path,
    format: str = "auto",
    *,
    strict: bool = False,
    pictures: Path | None = None,
    need_pictures: bool = True,
    classes: Classes = "auto",
    groups: Groups = "auto",
) -> Dataset:
    """Reads a file or a folder of labels; a label that cannot be used becomes a ``Problem`` and costs no other one.

    ``strict``: the first problem is raised. ``pictures``: the folder that names of pictures count from, instead of
    where the labels lie; nothing outside it is opened. ``need_pictures``: False keeps labels whose picture is missing.
    ``classes``: what names of classes are, where they could be either (characters called Joy and Sadness). ``groups``:
    "picture" where every picture stands alone. Raises LabelInvalid where nothing can be read, in one sentence.
    """
    path = Path(path)
    if not path.exists():
        raise LabelInvalid(f"There are no labels at {path}.")
    if pictures is not None and not pictures.is_dir():
        raise LabelInvalid(f"The folder of pictures {pictures} does not exist.")
    if format == "auto":
        format = detect(path)
    elif format not in FORMATS:
        raise LabelInvalid(f"The format {format!r} is not read; it is one of {', '.join(FORMATS)}.")
    root = path if path.is_dir() else _root(path)
    reading = Reading(root, pictures, strict, need_pictures, classes, groups)
    return _read(reading, path, format)


def detect(path: Path) -> str:
    """The format of a file or folder. Raises LabelInvalid that says what was looked for."""
    if path.is_file():
        found = sniff(path)
        if found is None:
            raise LabelInvalid(
                f"{path} is in no format that is read: not JSON of VIA, COCO or labelme, not CSV of VIA, not XML of "
                "Pascal VOC, not YAML with the names of YOLO's classes."
            )
        if found == VIA_3:
            raise LabelInvalid(f"{path} {_VIA_3_REASON}.")
        return found
    formats: dict[str, Path] = {}
    for file in islice(walk(path, {".json", ".xml", ".yaml", ".yml", ".csv"}), _LOOKED_AT):
        found = None if file.name in _NEVER else sniff(file)
        if found is not None:
            formats.setdefault(found, file)
    unread = formats.pop(VIA_3, None)
    if len(formats) > 1:
        listed = ", ".join(f"{name}: {file.relative_to(path)}" for name, file in sorted(formats.items()))
        raise LabelInvalid(f"{path} holds labels of several formats ({listed}); name one of the files, or the format.")
    if formats:
        return next(iter(formats))
    if _has_yolo(path):
        return "yolo"
    some = list(islice(walk(path, PICTURES), _LOOKED_AT))
    if is_ferg(some, path):
        return FERG
    if is_manga(some, path):
        return MANGA
    if unread is not None:
        raise LabelInvalid(f"{unread} {_VIA_3_REASON}.")
    if len({p.parent for p in some} - {path}) > 1:
        return FOLDERS
    raise LabelInvalid(
        f"{path} holds no labels that are read: looked for JSON of VIA, COCO or labelme, CSV of VIA, XML of Pascal "
        "VOC, a data.yaml or text files of YOLO, and pictures in folders named after what they show."
    )


def sniff(file: Path) -> str | None:
    """The format that the beginning of a file looks like, VIA_3 among them; reads no more than that."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(_HEAD)
    except OSError:
        return None
    head = text_of(raw)
    suffix = file.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return "yolo" if re.search(r"^\s*[\"']?names[\"']?\s*:", head, re.M) else None
    if suffix == ".csv":
        if "CSV_HEADER" in head and "spatial_coordinates" in head:
            return VIA_3
        return "via" if all(c in head.partition("\n")[0] for c in CSV_COLUMNS) else None
    if suffix == ".xml":
        return "voc" if "<annotation" in head else None
    return _sniff_json(head) if suffix == ".json" else None


def _sniff_json(head: str) -> str | None:
    keys = set(re.findall(r'"(\w+)"\s*:', head))
    if {"project", "config"} <= keys and keys & {"vid_list", "data_format_version"}:
        return VIA_3
    if "_via_img_metadata" in keys or ("filename" in keys and keys & {"regions", "file_attributes"}):
        return "via"
    if "shapes" in keys and keys & {"imagePath", "flags", "version"}:
        return "labelme"
    if "images" in keys and keys & {"annotations", "categories", "file_name"}:
        return "coco"
    if "annotations" in keys and keys & {"image_id", "category_id", "categories"}:
        return "coco"
    return None


def _read(reading: Reading, path: Path, format_name: str) -> Dataset:
    if format_name == "yolo":
        return read_yolo(reading, path if path.is_file() else _yaml(path))
    if format_name in (FOLDERS, FERG, MANGA):
        return read_folders(reading, walk(reading.root, PICTURES), format_name)
    readers: dict[str, Callable[..., Dataset]] = {
        "via": read_via,
        "coco": read_coco,
        "voc": read_voc,
        "labelme": read_labelme,
    }
    found: dict[Path, str | None]
    if path.is_file():
        found = {path: format_name if sniff(path) != VIA_3 else VIA_3}
    else:
        found = {f: sniff(f) for f in walk(path, _FILES[format_name]) if f.name not in _NEVER}
    for file in (f for f, kind in found.items() if kind == VIA_3):
        reading.problem(file, 1, _VIA_3_REASON)
    sure = [f for f, kind in found.items() if kind == format_name or (kind is None and _looks_broken(f))]
    return readers[format_name](reading, sure or [f for f, kind in found.items() if kind is None])


def _looks_broken(file: Path) -> bool:
    """A label file cut off or overwritten is reported, where a JSON of something else is left alone."""
    try:
        with file.open("rb") as stream:
            head = stream.read(1024).strip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return True
    return file.suffix.lower() != ".csv" and not head.startswith((b"{", b"[", b"<"))


def _root(file: Path) -> Path:
    """COCO and Pascal VOC keep labels in a folder beside that of the pictures."""
    folder = file.parent
    return folder.parent if folder.name.lower() in ("annotations", "labels") else folder


def _yaml(folder: Path) -> Path | None:
    return next((f for f in walk(folder, {".yaml", ".yml"}) if sniff(f) == "yolo"), None)


def _has_yolo(folder: Path) -> bool:
    for file in islice(walk(folder, {".txt"}), 200):
        try:
            with file.open("rb") as stream:
                first = text_of(stream.read(200))
        except OSError:
            continue
        if begins_as_yolo(first):
            return True
    return False
