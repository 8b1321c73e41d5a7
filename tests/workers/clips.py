"""A small drawn clip for tests of workers: coloured blobs that move on twos over grounds that change with each shot."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 192, 112, 24
COLOURS = ((200, 20, 20), (20, 180, 20), (20, 20, 210))


def write_clip(path: Path, seconds: int, *, shot_s: float = 3.0) -> None:
    """H.264 in MP4, ``FPS`` pictures a second, a cut every ``shot_s`` seconds. Equal arguments, equal files."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "18", "threads": "1"}
        for n in range(seconds * FPS):
            frame = av.VideoFrame.from_ndarray(_picture(n - n % 2, int(n / FPS / shot_s)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _picture(drawing: int, shot: int) -> NDArray[np.uint8]:
    picture = np.full((HEIGHT, WIDTH, 3), 110 + 60 * (shot % 3), np.uint8)
    picture[HEIGHT // 2 :, :] = 90 + 50 * (shot % 2)
    for i, colour in enumerate(COLOURS):
        if (shot + i) % 4 == 3:
            continue  # this one is not in the shot
        x = 10 + 60 * i + int(8 * np.sin(drawing / 7 + i))
        y = 30 + int(20 * np.cos(drawing / 5 + i))
        shade = 0.75 + 0.25 * np.sin(drawing / 11 + 2 * i)
        picture[y : y + 36, x : x + 36] = (np.array(colour) * shade).astype(np.uint8)
    return picture
