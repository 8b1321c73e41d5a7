"""What else is done with cascades: make a bundle of them, and cut faces out of videos as Hill 2017 did."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import cv2

from ml.bundle import Bundle, Calibration, Part, Thresholds, write_bundle
from ml.detect.base import Detector
from ml.detect.cascade import CascadeInvalid, read_cascade
from ml.detect.haar import CascadeSettings
from ml.errors import OutputUnwritable, UserError
from ml.face import cut
from ml.video import Drawing, VideoFile, probe, read_segment

NOBODY = "face"  # the folder of faces that are nobody's in particular
COLUMNS = ("file", "character", "video", "pts_ms", "x1", "y1", "x2", "y2", "score")


class CascadeOption(UserError):
    """``--cascade`` has another form than CHARACTER=FILE[:NEIGHBOURS]."""

    code = "cascade_option"


def parse_option(text: str) -> tuple[CascadeSettings, Path]:
    """``tom=tom.xml:40`` to settings and file; without a number, the default. Raises CascadeOption."""
    name, equals, rest = text.partition("=")
    file, colon, number = rest.rpartition(":")
    if not colon or not number.isdecimal():
        file, number = rest, ""
    if not equals or not file or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or len(name) > 60:
        raise CascadeOption(
            f"{text!r} is no CHARACTER=FILE[:NEIGHBOURS], such as tom=tom.xml:40 (small letters, digits and dashes)."
        )
    path = Path(file)
    settings = CascadeSettings(f"{name}.xml", name)
    try:
        return (replace(settings, neighbours=int(number)) if number else settings), path
    except ValueError as error:
        raise CascadeOption(f"{text!r} cannot be used: {error}.") from error


def haar_bundle(
    cascades: Sequence[tuple[CascadeSettings, Path]],
    out: Path,
    *,
    name: str = "haar",
    version: str = "1",
    licence: str = "as its cascades",
    titles: Mapping[str, str] | None = None,
) -> Bundle:
    """A bundle without a classifier: it finds and names faces and says nothing of what they show.

    ``titles``: slug to name; without, the slug with a capital. Raises CascadeInvalid, OutputUnwritable.
    """
    if not cascades:
        raise CascadeInvalid("A bundle of cascades needs at least one cascade.")
    files = [settings.file for settings, _ in cascades]
    if len(set(files)) != len(files):
        raise CascadeInvalid("A bundle of cascades has one cascade for each character.")
    if out.exists():
        raise OutputUnwritable(f"{out} exists already; a bundle never changes once it is written.")
    for _, path in cascades:
        read_cascade(path)
    slugs = [settings.character for settings, _ in cascades if settings.character is not None]
    bundle = Bundle(
        name=name,
        version=version,
        licence=licence,
        detector=Part("haar", files[0], {"cascades": [asdict(s) for s, _ in cascades]}, tuple(files[1:])),
        classifier=None,
        characters={slug: (titles or {}).get(slug, slug.replace("-", " ").capitalize()) for slug in slugs},
        emotion_labels=(),
        emotion_mapping={},
        preprocessing={"crop": {"size": 60, "margin": 0.0, "outside": 1.0}},
        calibration=Calibration(),
        thresholds=Thresholds(),
        confusion={},
        metrics={},
        data={},
        made={"with": "make-haar-bundle", "scores": "logistic of the margin of the last stage; no probability"},
    )
    try:
        return write_bundle(bundle, {settings.file: path for settings, path in cascades}, out)
    except OSError as error:
        raise OutputUnwritable(f"The bundle cannot be written to {out}: {error.strerror or error}.") from error


def cut_faces(
    video: Path,
    detector: Detector,
    out: Path,
    sampling: str = "drawings",
    on_progress: Callable[[int, int], None] | None = None,
) -> Counter[str]:
    """Each face as a PNG of its box, ``out/CHARACTER/VIDEO_MILLISECONDS_NUMBER.png``, and a row in ``out/faces.csv``.

    ``sampling``: as for an analysis; "every-1" takes every frame, as Hill did, hence each held drawing many times.
    ``on_progress``: milliseconds done, in all. Gives faces per character. The names begin with the video's, so that a
    split by episode stays possible. Raises the UserErrors of videos, or OutputUnwritable.
    """
    counts: Counter[str] = Counter()
    stem = re.sub(r"[^\w.-]+", "_", video.stem).strip("_.")[:80] or "video"
    try:
        out.mkdir(parents=True, exist_ok=True)
        table = out / "faces.csv"
        is_new = not table.exists()
        with VideoFile(video) as file, table.open("a", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            if is_new:
                rows.writerow(COLUMNS)
            length = probe(file).duration_ms
            for item in read_segment(file, 0, length, sampling, thumbs=False):
                if isinstance(item, Drawing):
                    rows.writerows(_write_faces(item, detector, out, stem, counts))
                    if on_progress is not None:
                        on_progress(item.pts_ms, length)
    except OSError as error:
        raise OutputUnwritable(f"The faces cannot be written to {out}: {error.strerror or error}.") from error
    return counts


def _write_faces(
    item: Drawing, detector: Detector, out: Path, stem: str, counts: Counter[str]
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for n, face in enumerate(detector.detect([item.picture])[0]):
        x1, y1, x2, y2 = (round(v) for v in face.box)
        who = face.character or NOBODY
        path = out / who / f"{stem}_{item.pts_ms:08d}_{n}.png"
        path.parent.mkdir(exist_ok=True)
        patch = cv2.cvtColor(cut(item.picture, x1, y1, x2, y2), cv2.COLOR_RGB2BGR)
        path.write_bytes(cv2.imencode(".png", patch)[1].tobytes())
        rows.append((str(path.relative_to(out)), who, stem, item.pts_ms, x1, y1, x2, y2, face.score))
        counts[who] += 1
    return rows
