"""What copying and sending do to a finished picture: blocks of a codec, tape, interlacing. RGB uint8 in and out."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from ml.render.canvas import Image
from ml.render.ink import chance, u
from ml.render.styles import smooth_noise

Rng = np.random.Generator
Wear = Callable[[Image, Rng], Image]


def low_bitrate(picture: Image, rng: Rng) -> Image:
    """One picture of an H.264 stream with hardly any bits, often sent at a smaller size."""
    h, w = picture.shape[:2]
    share = u(rng, 0.45, 1.0) if chance(rng, 0.7) else 1.0
    size = (max(32, round(w * share) // 2 * 2), max(32, round(h * share) // 2 * 2))
    crf = int(rng.integers(32, 45))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(_through_h264(small, crf), (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)


def _through_h264(picture: Image, crf: int) -> Image:
    h, w = picture.shape[:2]
    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = w, h, "yuv420p"
    encoder.time_base, encoder.thread_count = Fraction(1, 24), 1
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": str(crf), "x264-params": "threads=1"}
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    frame.pts = 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    for packet in [*packets, None]:
        for found in decoder.decode(packet):
            return np.asarray(found.to_ndarray(format="rgb24"), np.uint8)
    raise RuntimeError("the encoder gave no picture back")


def hard_jpeg(picture: Image, rng: Rng) -> Image:
    """Saved as JPEG of quality 8 to 25, at times twice and at another size in between."""
    h, w = picture.shape[:2]
    out: Any = picture
    for _ in range(1 + int(chance(rng, 0.3))):
        share = u(rng, 0.4, 0.9) if chance(rng, 0.6) else 1.0
        out = cv2.resize(out, (max(32, round(w * share)), max(32, round(h * share))), interpolation=cv2.INTER_AREA)
        ok, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(8, 26))])
        out = cv2.imdecode(data, cv2.IMREAD_COLOR) if ok else out
    return np.asarray(cv2.resize(out, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)


def combed(picture: Image, rng: Rng) -> Image:
    """Two half pictures a moment apart, woven together: every other row lies a little to the side."""
    shift = max(1, round(u(rng, 0.004, 0.014) * picture.shape[0])) * (1 if chance(rng, 0.5) else -1)
    out = picture.copy()
    out[1::2] = np.roll(picture[1::2], shift, axis=1)
    return out


def tape(picture: Image, rng: Rng) -> Image:
    """Video tape played too often: colour smeared to the right, wavering rows, snow, a torn lower edge."""
    h, w = picture.shape[:2]
    y, cr, cb = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb))
    wide = max(3, round(u(rng, 0.015, 0.05) * h))
    delay = np.array([[1, 0, u(rng, 0.2, 0.8) * wide], [0, 1, u(rng, 0, 2)]], np.float32)
    cr, cb = (cv2.warpAffine(cv2.blur(c, (wide, 3)), delay, (w, h), borderMode=cv2.BORDER_REPLICATE) for c in (cr, cb))
    luma = cv2.GaussianBlur(y, (0, 0), 0.0035 * h, sigmaY=0.3).astype(np.float32)
    luma += 0.5 * (luma - cv2.blur(luma, (max(3, wide // 2), 1)))  # the ringing of a player's sharpening
    luma += rng.standard_normal((h, w), dtype=np.float32) * u(rng, 2, 9)
    for _ in range(int(rng.poisson(1.5))):
        row, left = int(rng.integers(0, h)), int(rng.integers(0, w))
        luma[row : row + 1, left : left + int(rng.integers(w // 20, w // 3))] += u(rng, 40, 140)
    tone = [np.clip(luma, 0, 255).astype(np.uint8), *(_faded(c, u(rng, 0.5, 0.9)) for c in (cr, cb))]
    out = cv2.cvtColor(cv2.merge(tone), cv2.COLOR_YCrCb2RGB)
    waver = smooth_noise(rng, h, 2, 2, 1)[:, :1] * 0.4 + rng.standard_normal((h, 1), dtype=np.float32) * 0.25
    if chance(rng, 0.4):
        torn = max(2, round(u(rng, 0.01, 0.035) * h))
        waver[-torn:] += np.linspace(0, u(rng, 8, 40), torn, dtype=np.float32)[:, None]
    x = np.arange(w, dtype=np.float32)[None] + waver * np.float32(h / 320)
    rows = np.broadcast_to(np.arange(h, dtype=np.float32)[:, None], (h, w))
    return np.asarray(cv2.remap(out, x, np.ascontiguousarray(rows), cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE))


def _faded(channel: Any, share: float) -> Any:
    return cv2.convertScaleAbs(channel, alpha=share, beta=128 * (1 - share))
