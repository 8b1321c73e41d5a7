"""Reads pictures sorted into folders: one face fills each picture, and the folders around it say what it shows.

Any nesting of train/valid/test, characters and emotions in any order; FERG-DB (FERG_DB_256/aia/aia_anger/x.png, Aneja
et al. 2016: 55,767 faces, 6 characters, 7 emotions); the manga set (train and test, seven emotions in each).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ml.data.reading import CONTAINERS, SPLITS, Bad, Reading, name_start, relative_parts, split_of
from ml.data.records import Dataset, LabelledFace, LabelledImage
from ml.data.vocabulary import character_and_emotion, is_emotion, plain_word

FERG = "ferg"
MANGA = "manga"
FOLDERS = "folders"
# The two codings that are told of FERG-DB and of the manga set.
MANGA_CLASSES = (
    frozenset({"angry", "crying", "embarrassed", "happy", "pleased", "sad", "shock"}),
    frozenset({"anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"}),
)


def read_folders(reading: Reading, pictures: Iterable[Path], kind: str = FOLDERS) -> Dataset:
    """``kind``: folders, ferg or manga; it decides which pictures belong together, and FERG's names of folders."""
    for path in pictures:
        parts = relative_parts(path, reading.root)[:-1]
        try:
            character, emotion = _ferg(parts) if kind == FERG else _words(parts, reading.classes)
            if character is None and emotion is None:
                raise Bad("lies in no folder that says what it shows")
            width, height = reading.size(path)
        except Bad as bad:
            reading.problem(path, 0, str(bad), face=True)
            continue
        reading.files_read += 1
        face = LabelledFace((0.0, 0.0, float(width), float(height)), character, emotion, where=str(path))
        group = _group(path, parts, kind, character)
        reading.add(LabelledImage(path, width, height, (face,), None, group, split_of(parts)), path, 0)
    return reading.done(kind)


def is_ferg(paths: Iterable[Path], root: Path) -> bool:
    """Whether most of them lie in CHARACTER/CHARACTER_EMOTION."""
    found = [_ferg_words(relative_parts(p, root)[:-1]) is not None for p in paths]
    return bool(found) and sum(found) * 2 > len(found)


def is_manga(paths: Iterable[Path], root: Path) -> bool:
    classes = {plain_word(p.parent.name) for p in paths}
    splits = {split_of(relative_parts(p, root)[:-1]) for p in paths}
    return any(classes == known for known in MANGA_CLASSES) and splits <= {"train", "test", "valid"}


def _ferg(parts: tuple[str, ...]) -> tuple[str | None, str | None]:
    words = _ferg_words(parts)
    if words is None:
        raise Bad("lies in no folder CHARACTER/CHARACTER_EMOTION")
    return words


def _ferg_words(parts: tuple[str, ...]) -> tuple[str, str] | None:
    if len(parts) < 2 or not parts[-1].lower().startswith(f"{parts[-2].lower()}_"):
        return None
    emotion = parts[-1][len(parts[-2]) + 1 :]
    return (parts[-2], emotion) if is_emotion(emotion) else None


def _words(parts: tuple[str, ...], classes: str) -> tuple[str | None, str | None]:
    """The innermost folder that names a character, and the innermost that names an emotion."""
    character: str | None = None
    emotion: str | None = None
    telling = [p for p in parts if p.lower() not in SPLITS.keys() | CONTAINERS and "dataset" not in p.lower()]
    if classes == "emotion":
        return None, telling[-1] if telling else None
    for part in reversed(telling):
        who, what = character_and_emotion(part, classes)
        character, emotion = character or who, emotion or what
    return character, emotion


def _group(path: Path, parts: tuple[str, ...], kind: str, character: str | None) -> str:
    """FERG's pictures of one character are drawn from one model in small steps; manga pictures stand alone."""
    if kind == FERG:
        return character or ""
    start = name_start(path.stem)
    return start if start and kind == FOLDERS else "/".join((*parts, path.name))
