"""What training does to a picture each time it sees it: mirror, zoom, colour. Deterministic from the generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.detect.base import Frame
from ml.train.store import Labelled, Picture

Rng = np.random.Generator
MIN_VISIBLE = 0.5  # a face that a crop leaves less of than this share is no longer a face to learn


def augmented(picture: Picture, rng: Rng, size: tuple[int, int], wear: float = 0.0) -> Picture:
    """Fitted into ``size`` (height, width), aspect kept, the rest black; zoomed by 0.6 to 1.5, shifted, mirrored.

    ``wear``: share of pictures that are changed as no film changes them (``worn``).
    """
    height, width = size
    old_height, old_width = picture.frame.shape[:2]
    fit = min(height / old_height, width / old_width)
    zoom = fit * float(np.exp(rng.uniform(-0.5, 0.4))) if rng.random() < 0.6 else fit
    free_x, free_y = width - old_width * zoom, height - old_height * zoom
    dx, dy = free_x * rng.random(), free_y * rng.random()
    mirror = rng.random() < 0.5
    matrix = np.array([[zoom, 0, dx], [0, zoom, dy]], np.float64)
    if mirror:
        matrix[0] = [-zoom, 0, width - dx]
    flags = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    frame = cv2.warpAffine(picture.frame, matrix, (width, height), flags=flags)
    faces = [moved for face in picture.faces if (moved := _moved(face, matrix, size)) is not None]
    coloured = recoloured(np.asarray(frame, np.uint8), rng)
    if wear and rng.random() < wear:
        coloured = worn(coloured, rng)
    return Picture(coloured, tuple(faces))


def worn(frame: Frame, rng: Rng) -> Frame:
    """What a reader of drawings should not mind, one of ``WEARS`` by lot; the size stays."""
    return WEARS[int(rng.integers(len(WEARS)))](frame, rng)


def _negative(frame: Frame, rng: Rng) -> Frame:
    return np.asarray(255 - frame, np.uint8)


def _solarised(frame: Frame, rng: Rng) -> Frame:
    return np.asarray(np.where(frame > int(rng.integers(96, 200)), 255 - frame, frame), np.uint8)


def _few_levels(frame: Frame, rng: Rng) -> Frame:
    step = 256 // int(rng.integers(3, 7))
    return np.asarray(np.minimum(frame // step * step + step // 2, 255), np.uint8)


def _other_channels(frame: Frame, rng: Rng) -> Frame:
    return np.ascontiguousarray(frame[:, :, rng.permutation(3)])


def _hard_jpeg(frame: Frame, rng: Rng) -> Frame:
    height, width = frame.shape[:2]
    low = float(rng.uniform(0.4, 0.9))
    small = cv2.resize(frame, (round(width * low), round(height * low)), interpolation=cv2.INTER_AREA)
    _, blob = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(6, 25))])
    decoded: Any = cv2.imdecode(blob, cv2.IMREAD_COLOR)
    return np.asarray(cv2.resize(decoded, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _toned(frame: Frame, rng: Rng) -> Frame:
    """Every tone becomes another by a bent curve, nearly the same one for all channels."""
    knots = np.linspace(0, 255, 6)
    curve = np.sort(rng.uniform(0, 255, 6)) if rng.random() < 0.6 else rng.uniform(0, 255, 6)
    tables = [np.interp(np.arange(256), knots, np.clip(curve + rng.normal(0, 12, 6), 0, 255)) for _ in range(3)]
    return np.asarray(cv2.LUT(frame, np.stack(tables, 1).astype(np.uint8)[None]), np.uint8)


def _speckled(frame: Frame, rng: Rng) -> Frame:
    """Noise from single pixels to small patches, that darkens and lightens or is laid on top."""
    height, width = frame.shape[:2]
    patch = float(rng.uniform(1.0, 3.0))
    noise = rng.standard_normal((max(2, round(height / patch)), max(2, round(width / patch))), dtype=np.float32)
    grain = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)[:, :, None]
    strength = float(rng.uniform(0.1, 0.45))
    laid: Any = frame * (1 + strength * grain) if rng.random() < 0.6 else frame + 90 * strength * grain
    return np.asarray(np.clip(laid, 0, 255), np.uint8)


def _edges(frame: Frame, rng: Rng) -> Frame:
    """Lines more than fills: fills pale towards one grey, outlines and creases stay."""
    picture: Any = frame.astype(np.float32)
    sigma = float(rng.uniform(0.02, 0.06)) * min(frame.shape[:2])
    local = cv2.GaussianBlur(picture, (0, 0), sigma)
    level = float(rng.uniform(60, 200))
    return np.asarray(np.clip(level + (picture - local) * rng.uniform(0.8, 1.6), 0, 255), np.uint8)


WEARS: tuple[Callable[[Frame, Rng], Frame], ...] = (
    _negative, _solarised, _few_levels, _other_channels, _hard_jpeg, _toned, _speckled, _speckled, _edges,
)  # fmt: skip


def _moved(face: Labelled, matrix: NDArray[np.float64], size: tuple[int, int]) -> Labelled | None:
    height, width = size
    x1, y1, x2, y2 = face.box
    xs = np.array([x1, x2]) * matrix[0, 0] + matrix[0, 2]
    ys = np.array([y1, y2]) * matrix[1, 1] + matrix[1, 2]
    area = float(np.ptp(xs) * np.ptp(ys))
    left, right = np.clip(np.sort(xs), 0, width)
    top, bottom = np.clip(np.sort(ys), 0, height)
    if min(right - left, bottom - top) < 8 or (right - left) * (bottom - top) < MIN_VISIBLE * area:
        return None
    mask = cv2.warpAffine(face.mask.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST).astype(bool)
    return Labelled((float(left), float(top), float(right), float(bottom)), mask, face.character, face.emotion)


def recoloured(frame: Frame, rng: Rng) -> Frame:
    """Light, contrast, saturation and blur as other films have them; a tenth of the pictures grey."""
    picture: Any = frame.astype(np.float32)
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = 0.0 if rng.random() < 0.08 else float(rng.uniform(0.75, 1.25))
    picture = grey[:, :, None] * (1 - saturation) + picture * saturation
    contrast, light = rng.uniform(0.8, 1.2), rng.uniform(-18, 18)
    tint = rng.uniform(0.94, 1.06, 3).astype(np.float32)
    picture = ((picture - 128) * contrast + 128 + light) * tint
    if rng.random() < 0.15:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.1)))
    if rng.random() < 0.15:
        picture += rng.normal(0, rng.uniform(1, 6), picture.shape[:2]).astype(np.float32)[:, :, None]
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
