"""When a decoded frame is shown, in integer milliseconds since the first frame of the video."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

JITTER_MS = 1000  # frames that step back by less are dropped, as a player drops them; more is a damaged file


class TimesRunBackwards(Exception):
    def __init__(self, at_ms: int) -> None:
        super().__init__(at_ms)
        self.at_ms = at_ms


class StreamTimes(Protocol):
    @property
    def time_base(self) -> Fraction | None: ...
    @property
    def average_rate(self) -> Fraction | None: ...
    @property
    def guessed_rate(self) -> Fraction | None: ...


class FrameTimes(Protocol):
    @property
    def pts(self) -> int | None: ...
    @property
    def dts(self) -> int | None: ...
    @property
    def duration(self) -> int: ...


class Clock:
    """Zero is the presentation time of the first frame that decodes, whatever number the file gives it.

    A frame without a time follows the one before at the stream's rate. Times that come out are strictly increasing.
    """

    def __init__(self, stream: StreamTimes) -> None:
        self.base = stream.time_base or Fraction(1, 1000)
        self.rate = stream.average_rate or stream.guessed_rate
        self.origin: int | None = None
        self.restart()

    def restart(self) -> None:
        """After a seek: the next frame may have any time."""
        self._pts: Fraction | None = None
        self._length = Fraction(0)
        self._last_ms = -1

    def pts_at(self, ms: int) -> int:
        """The file's own time for ``ms``; the origin must be known."""
        return (self.origin or 0) + int(Fraction(ms, 1000) / self.base)

    def time_of(self, frame: FrameTimes) -> int | None:
        """None: the frame is not later than the one before and is left out. Raises TimesRunBackwards."""
        pts = self._stated(frame)
        if self.origin is None:
            self.origin = int(pts)
        ms = self._ms(pts)
        if ms <= self._last_ms:
            if self._last_ms - ms > JITTER_MS:
                raise TimesRunBackwards(self._last_ms)
            return None
        self._length = self._shown(frame, pts)
        self._pts, self._last_ms = pts, ms
        return ms

    def end_ms(self) -> int:
        """When the last frame that came ends."""
        if self._pts is None:
            return 0
        return max(self._ms(self._pts + self._length), self._last_ms + 1)

    def _stated(self, frame: FrameTimes) -> Fraction:
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is not None:
            return Fraction(pts)
        return Fraction(self.origin or 0) if self._pts is None else self._pts + self._length

    def _shown(self, frame: FrameTimes, pts: Fraction) -> Fraction:
        """In units of the time base. Where the stated length is the rate's, rounded, the rate is exact."""
        by_rate = 1 / self.rate / self.base if self.rate else None
        stated = Fraction(frame.duration) if frame.duration and frame.duration > 0 else None
        if stated is not None:
            return by_rate if by_rate is not None and abs(stated - by_rate) < 1 else stated
        if self._pts is not None and pts > self._pts:
            return pts - self._pts
        return by_rate if by_rate is not None else Fraction(1, 25) / self.base

    def _ms(self, pts: Fraction) -> int:
        exact = (pts - (self.origin or 0)) * self.base * 1000
        return int((2 * exact.numerator + exact.denominator) // (2 * exact.denominator))
