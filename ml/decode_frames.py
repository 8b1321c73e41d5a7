"""The frames on screen at given times, in the decoding process: one pass where they lie close, a seek where not."""

from __future__ import annotations

import itertools
from typing import Any

import av
import numpy as np

from ml.decode_segment import Pipe, Segment, Timed, pixels
from ml.orientation import Orientation, upright

PASS_GAP_MS = 8000  # decoding on over a gap of this length costs about as much as a seek and what must be decoded then


class Moments(Segment):
    """One pass over ascending times that lie close to each other."""

    def __init__(self, pipe: Pipe, request: dict[str, Any], times_ms: list[int]) -> None:
        span = {"start_ms": times_ms[0], "end_ms": times_ms[-1] + 1, "sampling": "every-1", "thumbs": False}
        super().__init__(pipe, {**request, **span})
        self.due = times_ms

    def run(self) -> None:
        source, frames = self._at_start()
        before: Timed | None = None
        for t, frame in frames:
            self._give(before, t)
            before = (t, frame)
            if not self.due:
                return
            self.pipe.beat(0, t)
        self._give(before, source.clock.end_ms())

    def _give(self, before: Timed | None, until: int) -> None:
        """Sends ``before`` for each time due before ``until``, when the next frame replaces it."""
        while before is not None and self.due and self.due[0] < until:
            picture = self._upright(before[1])
            head = {"t": self.due.pop(0), "at": before[0], "width": picture.shape[1], "height": picture.shape[0]}
            self.pipe.say("D", head, picture)

    def _upright(self, frame: av.VideoFrame) -> np.ndarray[Any, np.dtype[np.uint8]]:
        whole = pixels(self.rgb.reformat(frame, format="rgb24", threads=1))
        return np.ascontiguousarray(upright(whole, Orientation.of(frame)))


def frames(pipe: Pipe, request: dict[str, Any]) -> None:
    """A ``D`` for each of the ascending ``times_ms`` that the video has a frame for."""
    for times in passes(request["times_ms"]):
        Moments(pipe, request, times).run()
    pipe.say("E", {"frames": 0, "end_ms": 0, "eof": False, "errors": 0})


def passes(times_ms: list[int]) -> list[list[int]]:
    """Split where the next time is more than PASS_GAP_MS away."""
    edges = [i for i, (a, b) in enumerate(itertools.pairwise(times_ms), 1) if b - a > PASS_GAP_MS]
    return [times_ms[a:b] for a, b in itertools.pairwise([0, *edges, len(times_ms)]) if b > a]
