"""Where a recipe's pictures come from: labels somebody made, or episodes drawn by ml.render.

Both give ``LabelledImage``s. Drawn pictures are kept in the run folder under ``data/`` with their truth, so that a run
that goes on finds the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ml.data.frames import load_image
from ml.data.records import LabelledFace, LabelledImage
from ml.errors import UserError
from ml.evaluate.sources import read as read_labels
from ml.evaluate.splits import picture_key
from ml.render.episode import STYLES, frame_ms
from ml.render.stage import Stage
from ml.render.story import Script, ShotPlan, write_script
from ml.render.styles import apply_style, clean_style
from ml.types import Mask, ShotKind

UNKNOWN = "unknown"
FIRST_SEED = 20_000  # of drawn episodes: no other training and no test of ours draws these
EPISODE_S = 60.0
INDEX_FILE = "pictures.json"


class NothingToLearn(UserError):
    """No picture is of use."""

    code = "nothing_to_learn"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which drawn pictures are of use: with a face of one of ``characters`` that shows one of ``emotions``.

    Empty: any. ``height`` of the pictures, which are 16:9 or, every fourth episode, 4:3.
    """

    pictures: int
    height: int = 360
    characters: tuple[str, ...] = ()
    emotions: tuple[str, ...] = ()


def drawn_pictures(wanted: Wanted, folder: Path, say: Callable[[str], None]) -> tuple[LabelledImage, ...]:
    """Draws them into ``folder``, or finds those that an earlier call with the same ``wanted`` drew there."""
    index = folder / INDEX_FILE
    asked = json.loads(json.dumps(asdict(wanted)))
    if index.exists() and json.loads(index.read_text(encoding="utf-8"))["asked"] == asked:
        return kept_pictures(folder)
    folder.mkdir(parents=True, exist_ok=True)
    each = min(24, max(2, wanted.pictures // 12))  # pictures of one episode
    images: list[LabelledImage] = []
    episode = 0
    while len(images) < wanted.pictures:
        images += _episode(FIRST_SEED + episode, wanted, min(each, wanted.pictures - len(images)), folder)
        episode += 1
        if episode > 50 * wanted.pictures:
            raise NothingToLearn(f"No drawn picture shows {wanted.emotions} on a face of {wanted.characters}.")
    say(f"drew {len(images)} pictures of {episode} episodes")
    document = {"format": 1, "asked": asked, "images": [_entry(image) for image in images]}
    temporary = index.with_suffix(".part")
    temporary.write_text(json.dumps(document), encoding="utf-8")
    temporary.replace(index)
    return tuple(images)


def kept_pictures(folder: Path) -> tuple[LabelledImage, ...]:
    """Those that ``drawn_pictures`` drew into ``folder``."""
    kept = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    return tuple(_image_of(entry, folder) for entry in kept["images"])


def _episode(seed: int, wanted: Wanted, most: int, folder: Path) -> list[LabelledImage]:
    """Up to ``most`` pictures of use from all over one episode, in an order that follows from its seed."""
    rng = np.random.default_rng([seed, 3])
    height = wanted.height // 2 * 2
    width = round(height * (4 / 3 if seed % 4 == 3 else 16 / 9) / 2) * 2
    script = write_script(seed, EPISODE_S, width=360.0 * width / height)
    stage = Stage(script, width, height)
    style = clean_style(rng) if rng.random() < 0.6 else STYLES[str(rng.choice(sorted(STYLES)))]
    images: list[LabelledImage] = []
    for moment in rng.permutation(script.frames)[: 3 * most].tolist():
        if len(images) == most:
            break
        shot = _shot_at(script, moment)
        if shot.kind is not ShotKind.STORY:
            continue
        frame = stage.draw(shot, moment - shot.start)
        faces = tuple(
            LabelledFace(
                tuple(float(v) for v in f.box),  # type: ignore[arg-type]
                None if f.character == UNKNOWN else f.character,
                str(f.emotion) if f.readable else None,
                mask=f.mask,
            )
            for f in frame.faces
        )
        if not any(_is_of_use(face, wanted) for face in faces):
            continue
        picture = apply_style(frame.picture, style, rng)
        path = folder / f"{seed}-{frame_ms(moment):06d}.jpg"
        if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95]):
            raise OSError(f"{path} cannot be written")
        images.append(LabelledImage(path, width, height, faces, group=f"episode {seed}"))
    return images


def _shot_at(script: Script, moment: int) -> ShotPlan:
    return next(s for s in script.shots if s.start <= moment < s.start + s.frames)


def _is_of_use(face: LabelledFace, wanted: Wanted) -> bool:
    if wanted.characters and face.character not in wanted.characters:
        return False
    return not wanted.emotions or face.emotion in wanted.emotions


def _entry(image: LabelledImage) -> dict[str, Any]:
    faces = [
        {"box": f.box, "character": f.character, "emotion": f.emotion, "mask": asdict(f.mask) if f.mask else None}
        for f in image.faces
    ]
    size = {"width": image.width, "height": image.height}
    return {"file": image.path.name, "group": image.group, **size, "faces": faces}


def _image_of(entry: Mapping[str, Any], folder: Path) -> LabelledImage:
    faces = tuple(
        LabelledFace(
            tuple(f["box"]),
            f["character"],
            f["emotion"],
            mask=Mask(tuple(f["mask"]["size"]), f["mask"]["counts"]) if f["mask"] else None,
        )
        for f in entry["faces"]
    )
    return LabelledImage(folder / entry["file"], entry["width"], entry["height"], faces, group=entry["group"])


def labelled_pictures(
    labels: Path, pictures: Path | None, folder: Path, say: Callable[[str], None]
) -> tuple[LabelledImage, ...]:
    """In any format that is read, or those that another run drew (its ``data/drawn-...``). Frames of videos are kept
    in ``folder`` as PNG, so that they are decoded once.

    Raises the UserErrors of the readers, of pictures and of videos.
    """
    if (labels / INDEX_FILE).is_file():
        return kept_pictures(labels)
    dataset = read_labels(labels, pictures)
    for problem in dataset.problems[:20]:
        say(f"left out: {problem}")
    if len(dataset.problems) > 20:
        say(f"left out: {len(dataset.problems) - 20} more")
    return tuple(_still(image, folder) if image.pts_ms is not None else image for image in dataset.images)


def _still(image: LabelledImage, folder: Path) -> LabelledImage:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{image.path.stem}-{image.pts_ms:08d}.png"
    if not path.exists():
        temporary = path.with_name(f".{path.name}")
        if not cv2.imwrite(str(temporary), cv2.cvtColor(load_image(image), cv2.COLOR_RGB2BGR)):
            raise OSError(f"{path} cannot be written")
        temporary.replace(path)
    return replace(image, path=path, pts_ms=None)


def described(image: LabelledImage) -> str:
    """Everything of a picture that training depends on but its pixels."""
    faces = [(f.box, f.character, f.emotion, f.polygons, f.mask) for f in image.faces]
    return repr((picture_key(image), image.group, faces))
