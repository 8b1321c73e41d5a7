"""Reads a picture that somebody looks for: which face it shows, and the embedding of that face."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from analysis.models import Find, FindStatus
from analysis.services.finds import find_answer, find_fail
from analysis.services.naming import examples_read
from ml.errors import ToonemoError
from workers.patience import patiently
from workers.runtime import models_for

if TYPE_CHECKING:
    from ml.pictures import Picture, ReadFace
    from ml.types import Box

CROP_SIDE = 192
SHOWN_MARGIN = 0.15

logger = structlog.get_logger(__name__)


def find_read(find_id: int) -> bool:
    """Reads a picture that waits and keeps the answer, or why there is none. False: nothing was to be done."""
    find = patiently(
        lambda: Find.objects.select_related("bundle").filter(pk=find_id, status=FindStatus.WAITING).first()
    )
    if find is None or find.picture is None:
        return False
    bundle = find.bundle
    try:
        faces, crop = read_bytes(
            bytes(find.picture), bundle.name, bundle.version, bundle.digest, _box(find.box), "you sent"
        )
    except ToonemoError as error:
        code, detail = error.code, str(error)
        logger.warning("find_error", find=find_id, code=code, reason=detail)
        return patiently(lambda: _told(find_id, find_fail(find_id, code, detail)))
    except Exception as error:
        # Whoever waits must be told; the log has the trace.
        logger.exception("find_crashed", find=find_id)
        said = f"Reading the picture stopped with a fault of ours ({type(error).__name__}); the log says more."
        return patiently(lambda: _told(find_id, find_fail(find_id, "internal", said)))
    logger.info("find_read", find=find_id, faces=len(faces))
    return patiently(lambda: _told(find_id, find_answer(find_id, faces=faces, crop=crop)))


def _told(find_id: int, kept: bool) -> bool:
    """Whoever waits for the picture to become an example of a character gets what was kept."""
    examples_read(find_id)
    return kept


def _box(box: list[float] | None) -> Box | None:
    return None if box is None else (box[0], box[1], box[2], box[3])


def read_bytes(
    data: bytes, name: str, version: str, digest: str, box: Box | None, called: str
) -> tuple[list[dict[str, Any]], bytes | None]:
    """What is kept of each face, the surest first, and a PNG of that one. ``called``: the file in a sentence.

    Raises PictureUnreadable and what loading a bundle raises.
    """
    from ml.errors import PictureUnreadable
    from ml.pictures import decode_picture, read_drawing
    from ml.video import VideoFile

    with tempfile.TemporaryDirectory(prefix="toonemo-find-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(data)
        with VideoFile(path) as file:
            file.name = called
            picture = decode_picture(file)
    models = models_for(name, version, digest)
    found = [face for face in read_drawing(models, picture, box) if face.reading.embedding]
    if not found:
        raise PictureUnreadable("The model bundle makes nothing of a face that could be compared.")
    return [_kept(models, face) for face in found], _crop(picture, found[0])


def _kept(models: Any, found: ReadFace) -> dict[str, Any]:
    verdict = models.judge(found.face, found.reading)
    return {
        "box": [round(v, 1) for v in found.face.box],
        "score": round(found.face.score, 4),
        "how": found.how,
        "character": verdict.character,
        "emotion": "" if verdict.emotion is None else str(verdict.emotion),
        "confidence": round(verdict.confidence, 4),
        "embedding": list(found.reading.embedding),
    }


def _crop(picture: Picture, found: ReadFace) -> bytes | None:
    import cv2

    from ml.face import CropSettings, segmented_face

    seen = segmented_face(picture, found.face, CropSettings(CROP_SIDE, SHOWN_MARGIN, 1.0))
    worked, data = cv2.imencode(".png", seen[:, :, ::-1])
    return data.tobytes() if worked else None
