"""Videos and thumbnails, served so that a browser can only play or show them.

The content type comes from our own table, never from the file or its name; ``nosniff`` and a sandboxing policy keep
a hostile file from being run as a page. Paths come from rows, never from the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from analysis.limits_request import limits_of
from analysis.models import Publication, Scene
from analysis.selectors.finds import close_up_name, face_shown, moment_name
from analysis.selectors.hidden import hidden_check
from catalog.models import Episode
from catalog.roles import Right, may

CHUNK = 256 * 1024
ASK_AGAIN = "private, no-cache"  # limits may have changed since a browser kept it; if not, the answer is 304
TYPES = (
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("matroska", "video/webm"),
    ("ogg", "video/ogg"),
    ("mpegts", "video/mp2t"),
    ("mpeg", "video/mpeg"),
    ("avi", "video/x-msvideo"),
    ("flv", "video/x-flv"),
    ("asf", "video/x-ms-wmv"),
)
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


def media_type(container: str) -> str:
    """The type for FFmpeg's name of a container."""
    return next((kind for name, kind in TYPES if name in container.lower()), "application/octet-stream")


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """(first, last) of ``Range: bytes=...``; None where the header is to be ignored (no, several or odd ranges).

    Raises ValueError where no byte of the file is asked for (status 416).
    """
    match = RANGE.match(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        if int(last) == 0 or size == 0:
            raise ValueError(header)
        return max(0, size - int(last)), size - 1
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise ValueError(header)
    return start, end


@require_safe
def episode_video(request: HttpRequest, pk: int) -> HttpResponseBase:
    episode = get_object_or_404(Episode.objects.select_related("source"), pk=pk)
    hidden_check(pk, limits_of(request))
    source = episode.source
    if source is None:
        raise Http404
    try:
        stored = default_storage.open(source.stored_name, "rb")
    except (FileNotFoundError, PermissionError) as error:
        raise Http404("The video file is gone.") from error
    return _ranged(request, stored, media_type(source.container), quote_etag(source.sha256))


def _ranged(request: HttpRequest, stored: File[Any], kind: str, etag: str) -> HttpResponseBase:
    size = stored.size
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        stored.close()
        unchanged.headers["Cache-Control"] = ASK_AGAIN
        return _guarded(unchanged)
    wanted = None
    if request.method == "GET" and request.headers.get("If-Range", etag) == etag:  # HEAD knows no ranges (RFC 9110)
        try:
            wanted = byte_range(request.headers.get("Range", ""), size)
        except ValueError:
            stored.close()
            response: HttpResponseBase = HttpResponse(status=416, content_type=kind)
            response.headers["Content-Range"] = f"bytes */{size}"
            response.headers["Accept-Ranges"] = "bytes"
            response.headers["Cache-Control"] = ASK_AGAIN
            return _guarded(response)
    first, last = wanted or (0, size - 1)
    if request.method == "HEAD":
        stored.close()
        response = HttpResponse(content_type=kind)
    else:
        body = _Piece(stored, first, last - first + 1)
        response = StreamingHttpResponse(body, status=206 if wanted else 200, content_type=kind)
        response._resource_closers.append(body.close)  # type: ignore[attr-defined]
    response.headers["Content-Length"] = str(last - first + 1)
    if wanted:
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = ASK_AGAIN
    return _guarded(response)


class _Piece:
    """``length`` bytes of a file from ``first`` on, read in chunks; closes the file."""

    def __init__(self, stored: File[Any], first: int, length: int) -> None:
        self._stored, self._left = stored, length
        stored.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0 and (chunk := self._stored.read(min(CHUNK, self._left))):
            self._left -= len(chunk)
            yield chunk
        self.close()

    def close(self) -> None:
        self._stored.close()


def _guarded(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Content-Disposition"] = "inline"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@require_safe
def scene_thumbnail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The picture of a scene of a published run; who may see runs also sees those of others."""
    scene = get_object_or_404(Scene.objects.select_related("run"), pk=pk)
    shown = Publication.objects.filter(run_id=scene.run_id, withdrawn_at__isnull=True).exists()
    if not scene.thumbnail or not (shown or may(request, Right.SEE_RUNS)):
        raise Http404
    hidden_check(scene.run.episode_id, limits_of(request))
    try:
        stored = default_storage.open(scene.thumbnail, "rb")
    except (FileNotFoundError, PermissionError) as error:
        raise Http404("The picture is gone.") from error
    kind = "image/png" if scene.thumbnail.endswith(".png") else "image/jpeg"
    return picture_answer(request, stored, kind, f"{scene.run_id}-{scene.pk}")


@require_safe
def moment_picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The picture of a moment that can be found; that of its scene as long as a worker has not made it."""
    face = face_shown(pk)
    if face is None:
        raise Http404
    hidden_check(face.run.episode_id, limits_of(request))
    try:
        stored = default_storage.open(moment_name(face.run_id, face.pk), "rb")
    except (FileNotFoundError, PermissionError):
        scenes = Scene.objects.filter(run_id=face.run_id, start_ms__lte=face.pts_ms, end_ms__gt=face.pts_ms)
        scene = scenes.exclude(thumbnail="").first()
        if scene is None:
            raise Http404("There is no picture of it yet.") from None
        response = scene_thumbnail(request, scene.pk)
        response.headers["Cache-Control"] = "no-store"
        return response
    return picture_answer(request, stored, "image/jpeg", f"{face.run_id}-face-{face.pk}")


@require_safe
def moment_face(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The face of a moment that can be found, near; nothing as long as a worker has not drawn it."""
    face = face_shown(pk)
    if face is None:
        raise Http404
    hidden_check(face.run.episode_id, limits_of(request))
    try:
        stored = default_storage.open(close_up_name(face.run_id, face.pk), "rb")
    except (FileNotFoundError, PermissionError) as error:
        raise Http404("There is no picture of it yet.") from error
    return picture_answer(request, stored, "image/jpeg", f"{face.run_id}-near-{face.pk}")


def picture_answer(request: HttpRequest, stored: File[Any], kind: str, name: str) -> HttpResponseBase:
    """A whole file that never changes under its ``name``."""
    tag = quote_etag(f"{name}-{stored.size}")
    unchanged = get_conditional_response(request, etag=tag)
    if unchanged is not None:
        stored.close()
    response = unchanged or FileResponse(stored, content_type=kind)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = ASK_AGAIN
    return _guarded(response)
