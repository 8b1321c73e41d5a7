"""A small picture for each scene of a run. One that cannot be made is left out; a run never fails for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db.models import F

from analysis.models import AnalysisRun, FaceDetection, Publication, Scene
from analysis.selectors.finds import close_up_name, moment_name
from workers.patience import patiently

if TYPE_CHECKING:
    from ml.detect.base import Frame
    from ml.types import Box

WIDTH = 320
NEAR = 360
ROOM = 0.45  # of the face, on each side of it
QUALITY = 85
FOLDERS = ("moments", "thumbnails")  # under MEDIA_ROOT, with a folder for each run
MOST_FORGOTTEN = 200  # runs at once

logger = structlog.get_logger(__name__)


def thumbnails_write(run_id: int) -> int:
    """Writes ``thumbnails/<run>/<scene>.jpg`` under MEDIA_ROOT for each scene that has none; gives how many."""
    run = patiently(lambda: AnalysisRun.objects.select_related("episode__source").filter(pk=run_id).first())
    source = None if run is None else run.episode.source
    if run is None or source is None or source.sha256 != run.source_sha256:
        return 0
    path = Path(settings.MEDIA_ROOT) / source.stored_name
    scenes = patiently(lambda: list(Scene.objects.filter(run=run, thumbnail="").order_by("index")))
    made = 0
    for scene in scenes:
        name = f"thumbnails/{run.pk}/{scene.pk}.jpg"
        pts_ms = patiently(lambda: thumbnail_time(scene))  # noqa: B023 - called at once
        if thumbnail_write(path, pts_ms, scene.end_ms, Path(settings.MEDIA_ROOT) / name):
            made += patiently(lambda: Scene.objects.filter(pk=scene.pk).update(thumbnail=name))  # noqa: B023
    logger.info("thumbnails_written", run=run_id, scenes=len(scenes), made=made)
    return made


def thumbnail_time(scene: Scene) -> int:
    """When the surest known face of the scene shows; its middle where there is none."""
    faces = FaceDetection.objects.filter(run_id=scene.run_id, character__isnull=False)
    inside = faces.filter(pts_ms__gte=scene.start_ms, pts_ms__lt=scene.end_ms)
    best = inside.order_by(F("score").desc(), "pts_ms").values_list("pts_ms", flat=True).first()
    return (scene.start_ms + scene.end_ms) // 2 if best is None else best


def thumbnail_write(video: Path, pts_ms: int, end_ms: int, target: Path, *, box: Box | None = None) -> bool:
    """The picture that shows at ``pts_ms``, ``WIDTH`` pixels wide, as JPEG; with ``box`` a square around that, NEAR
    pixels wide. False, and a line in the log: not made.
    """
    from ml.errors import ToonemoError
    from ml.video import Drawing, read_segment

    try:
        found = read_segment(video, pts_ms, min(pts_ms + 1000, end_ms), thumbs=False)
        drawing = next((item for item in found if isinstance(item, Drawing)), None)
        if drawing is None:
            return False
        if box is None:
            return picture_write(drawing.picture, target)
        return picture_write(around(drawing.picture, box), target, width=NEAR)
    except (ToonemoError, OSError) as error:
        logger.warning("thumbnail_failed", video=video.name, pts_ms=pts_ms, reason=str(error))
        return False


def around(picture: Frame, box: Box) -> Frame:
    """A square that holds the box and ROOM around it, as far as the picture goes."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    side = max(1, min(round((1 + 2 * ROOM) * max(x2 - x1, y2 - y1)), width, height))
    left = min(max(0, round((x1 + x2 - side) / 2)), width - side)
    top = min(max(0, round((y1 + y2 - side) / 2)), height - side)
    return picture[top : top + side, left : left + side]


def picture_write(picture: Frame, target: Path, *, width: int = WIDTH) -> bool:
    """``width`` pixels wide, as JPEG, whole or not at all. False, and a line in the log: not made. Raises OSError."""
    import cv2

    try:
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        how = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
        small = cv2.resize(picture, (width, height), interpolation=how)
        worked, data = cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    except cv2.error as error:
        logger.warning("picture_failed", name=target.name, reason=str(error))
        return False
    if worked:
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(".part")
        half.write_bytes(data.tobytes())
        half.replace(target)
    return bool(worked)


def moment_write(face_id: int) -> bool:
    """The picture of one moment and its face, near: ``moments/<run>/<face>.jpg`` and ``<face>-face.jpg``, where its run
    is shown and they are not there yet.
    """
    shown = Publication.objects.filter(withdrawn_at__isnull=True).values("run_id")
    faces = FaceDetection.objects.select_related("run__episode__source").filter(pk=face_id, run_id__in=shown)
    face = patiently(faces.first)
    source = None if face is None else face.run.episode.source
    if face is None or source is None or source.sha256 != face.run.source_sha256:
        return False
    media = Path(settings.MEDIA_ROOT)
    whole, near = media / moment_name(face.run_id, face.pk), media / close_up_name(face.run_id, face.pk)
    if whole.exists() and near.exists():
        return True
    video, end_ms = media / source.stored_name, face.pts_ms + face.shown_ms
    box = (face.box_x1, face.box_y1, face.box_x2, face.box_y2)
    return thumbnail_write(video, face.pts_ms, end_ms, whole) and thumbnail_write(
        video, face.pts_ms, end_ms, near, box=box
    )


def pictures_forget() -> int:
    """Away with the pictures of runs that are no longer there; gives of how many. A folder that is not ours stays."""
    found = {run_id for folder in FOLDERS for run_id, _ in _folders(folder)}
    left = patiently(lambda: set(AnalysisRun.objects.filter(pk__in=found).values_list("pk", flat=True)))
    gone = sorted(found - left)[:MOST_FORGOTTEN]
    for folder in FOLDERS:
        for run_id, path in _folders(folder):
            if run_id in gone:
                shutil.rmtree(path, ignore_errors=True)  # what cannot go is tried again
    if gone:
        logger.info("pictures_forgotten", runs=len(gone))
    return len(gone)


def _folders(name: str) -> Iterator[tuple[int, Path]]:
    """The id of a run, and the folder that is called so."""
    try:
        inside = list((Path(settings.MEDIA_ROOT) / name).iterdir())
    except OSError:  # nothing was ever made
        return
    for path in inside:
        number = path.name
        if number.isascii() and number.isdecimal() and len(number) <= 18 and not path.is_symlink() and path.is_dir():
            yield int(number), path
