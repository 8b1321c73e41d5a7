"""From a video to its result, from top to bottom: decode and sample, find faces, read them, name them, find shots.

``analyse`` does nothing but ``analyse_segment`` over the pieces of ``plan_segments``, so the command line and a worker
that takes one segment at a time agree to the bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ml import timeline
from ml.classify.base import FaceReading
from ml.detect.base import Face, Frame
from ml.errors import Cancelled, ModelOutputInvalid, VideoDamaged
from ml.masks import encode_mask
from ml.runtime import Models
from ml.sampling import is_sampling
from ml.shots import FrameLooks, read_shots, settle_cards
from ml.timeline import SEGMENT_MS, plan_segments
from ml.types import Detection, EpisodeResult, Progress, SegmentResult
from ml.video import DEFAULT_LIMITS, Drawing, FrameSeen, Limits, SegmentEnd, VideoFile, opened, probe, read_segment

__all__ = ["AnalyseConfig", "analyse", "analyse_segment", "plan_segments"]

CPU_BATCH, GPU_BATCH = 2, 16
STAGES = ("decode", "detect", "classify", "encode", "shots")
OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]
OnDrawing = Callable[[Frame, Sequence[Detection]], None]


@dataclass(frozen=True, slots=True)
class AnalyseConfig:
    """``sampling``: "drawings" (each distinct drawing once), "every-N" frames (the paper: every-15), "per-second".

    ``batch``: pictures given to the detector at once, 0: as many as suit the device (a stop is heeded between batches,
    and a CPU should do that within two seconds); ``face_batch``: least number of faces that the classifier
    waits for, while there are pictures to come. ``segment_ms``: length of the pieces.
    """

    sampling: str = "drawings"
    batch: int = 0
    face_batch: int = 32
    segment_ms: int = SEGMENT_MS
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        if not is_sampling(self.sampling):
            raise ValueError(f"sampling is {self.sampling!r}; it must be drawings, per-second or every-N")
        if self.batch < 0 or min(self.face_batch, self.segment_ms) < 1:
            raise ValueError("batch must be at least 0, face_batch and segment_ms at least 1")

    def batch_on(self, device: str) -> int:
        return self.batch or (CPU_BATCH if device == "cpu" else GPU_BATCH)


@dataclass(slots=True)
class Stopwatch:
    """Seconds per stage."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - begun


def analyse(
    path: str | Path | VideoFile,
    models: Models,
    config: AnalyseConfig = AnalyseConfig(),
    on_progress: OnProgress | None = None,
    should_stop: ShouldStop | None = None,
) -> EpisodeResult:
    """The whole file. Raises the UserErrors of videos, ModelOutputInvalid, or Cancelled.

    ``on_progress`` counts over the whole episode. The file is opened once: it may lose its name meanwhile.
    """
    begun = time.perf_counter()
    with opened(path) as file:
        video = probe(file, config.limits, should_stop=should_stop)
        probed = time.perf_counter() - begun
        results: list[SegmentResult] = []
        for start, end in plan_segments(video.duration_ms, config.segment_ms):
            report = _over_episode(on_progress, results, video.duration_ms)
            results.append(analyse_segment(file, models, config, start, end, report, should_stop))
    cuts = [cut for result in results for cut in result.cuts_ms]
    kinds = [kind for result in results for kind in result.kinds]
    shots = timeline.shots_from_cuts(video.duration_ms, cuts, settle_cards(kinds, video.duration_ms))
    detections = tuple(d for result in results for d in result.detections)
    profiles = timeline.profiles(detections, shots, models.bundle.emotions)
    timings = {stage: sum(r.timings.get(stage, 0.0) for r in results) for stage in STAGES}
    total = time.perf_counter() - begun
    return EpisodeResult(
        video, models.bundle.ref, shots, detections, profiles, {"probe": probed, **timings, "total": total}
    )


def _over_episode(on_progress: OnProgress | None, before: Sequence[SegmentResult], total_ms: int) -> OnProgress | None:
    if on_progress is None:
        return None
    offset = before[-1].end_ms if before else 0
    drawings, faces = sum(r.drawings for r in before), sum(len(r.detections) for r in before)

    def report(now: Progress) -> None:
        on_progress(Progress(offset + now.done_ms, total_ms, drawings + now.drawings, faces + now.faces))

    return report


def analyse_segment(
    path: str | Path | VideoFile,
    models: Models,
    config: AnalyseConfig,
    start_ms: int,
    end_ms: int,
    on_progress: OnProgress | None = None,
    should_stop: ShouldStop | None = None,
    on_drawing: OnDrawing | None = None,
) -> SegmentResult:
    """What is in [start_ms, end_ms). The same file, models and config give the same result, timings apart.

    The picture that stands at ``start_ms`` counts from there, as a drawing of this segment; the last one counts to
    ``end_ms`` or the end of the film. Raises the UserErrors of videos, ModelOutputInvalid, or Cancelled, the latter
    within the time of one batch. ``on_drawing`` is shown each drawing with its faces as they are read; how long it
    shows is not known by then.
    """
    work = _SegmentWork(models, config, start_ms, end_ms, on_progress, should_stop, on_drawing)
    watch = work.watch
    items = read_segment(path, start_ms, end_ms, config.sampling, config.limits, should_stop)
    try:
        while True:
            with watch.stage("decode"):
                item = next(items, None)
            if item is None or isinstance(item, SegmentEnd):
                break
            work.take(item)
    finally:
        items.close()  # ends the decoding process now
    return work.finish(item)


class _SegmentWork:
    """The state of one pass: drawings that wait for the detector, faces that wait for the classifier."""

    def __init__(
        self,
        models: Models,
        config: AnalyseConfig,
        start_ms: int,
        end_ms: int,
        on_progress: OnProgress | None,
        should_stop: ShouldStop | None,
        on_drawing: OnDrawing | None,
    ) -> None:
        self.models, self.config = models, config
        self.batch = config.batch_on(models.device)
        self.start_ms, self.end_ms = start_ms, end_ms
        self.on_progress, self.should_stop, self.on_drawing = on_progress, should_stop, on_drawing
        self.watch = Stopwatch()
        self.looks = FrameLooks()
        self.drawings: list[Drawing] = []
        self.found: list[tuple[Drawing, list[Face]]] = []
        self.times: list[int] = []
        self.new = 0  # drawings that began in this segment
        self.detections: list[Detection] = []

    def take(self, item: FrameSeen | Drawing | SegmentEnd) -> None:
        if isinstance(item, FrameSeen):
            with self.watch.stage("shots"):
                self.looks.add(item.pts_ms, item.thumb, item.written)
        elif isinstance(item, Drawing):
            self.times.append(item.pts_ms)
            self.new += not item.carried
            self.drawings.append(item)
            if len(self.drawings) >= self.batch:
                self._detect()

    def finish(self, end: SegmentEnd | None) -> SegmentResult:
        if end is None or not self.times:
            raise VideoDamaged(f"The video holds nothing at {self.start_ms / 1000:.1f} s, where it should go on.")
        self._detect()
        self._classify()
        self._report(self.end_ms - self.start_ms)
        with self.watch.stage("shots"):
            cuts, kinds = read_shots(self.looks, self.start_ms, end.end_ms)
        return SegmentResult(
            start_ms=self.start_ms,
            end_ms=self.end_ms,
            frames=end.frames,
            drawings=self.new,
            cuts_ms=cuts,
            kinds=kinds,
            detections=tuple(self._settled(cuts, end.end_ms)),
            timings=dict(self.watch.seconds),
        )

    def _detect(self) -> None:
        self._heed()
        if not self.drawings:
            return
        with self.watch.stage("detect"):
            faces = self.models.detector.detect([d.picture for d in self.drawings])
        self.found += [(d, f) for d, f in zip(self.drawings, faces, strict=True) if f]
        done = self.drawings[-1].pts_ms - self.start_ms
        self.drawings = []
        self._heed()
        if sum(len(f) for _, f in self.found) >= self.config.face_batch:
            self._classify()
        self._report(done)

    def _classify(self) -> None:
        if not self.found:
            return
        frames: list[Frame] = [drawing.picture for drawing, _ in self.found]
        with self.watch.stage("classify"):
            readings = self.models.read_faces(frames, [faces for _, faces in self.found])
        with self.watch.stage("encode"):
            for (drawing, faces), of_drawing in zip(self.found, readings, strict=True):
                first = len(self.detections)
                for face, reading in zip(faces, of_drawing, strict=True):
                    self.detections.append(self._detection(drawing, face, reading))
                if self.on_drawing is not None:
                    self.on_drawing(drawing.picture, self.detections[first:])
        self.found = []
        self._heed()

    def _detection(self, drawing: Drawing, face: Face, reading: FaceReading) -> Detection:
        height, width = drawing.picture.shape[:2]
        verdict = self.models.judge(face, reading)
        numbers = (*face.box, face.score, verdict.confidence, *reading.probabilities.values(), *reading.embedding)
        if not all(math.isfinite(v) for v in numbers):
            raise ModelOutputInvalid("A network gave a number that is not finite.")
        return Detection(
            pts_ms=drawing.pts_ms,
            shown_ms=0,  # known when the next drawing is
            character=verdict.character,
            box=face.box,
            mask=encode_mask(face.full_mask(height, width)),
            score=face.score,
            emotions=dict(reading.probabilities),
            emotion=verdict.emotion,
            confidence=verdict.confidence,
            embedding=reading.embedding,
        )

    def _with_lengths(self, end_ms: int) -> Iterator[Detection]:
        shown = {t: until - t for t, until in zip(self.times, [*self.times[1:], end_ms], strict=True)}
        for d in self.detections:
            values = {name: getattr(d, name) for name in Detection.__dataclass_fields__}
            yield Detection(**{**values, "shown_ms": shown[d.pts_ms]})

    def _settled(self, cuts: Sequence[int], end_ms: int) -> Sequence[Detection]:
        """What tracks keep. A track that goes on in the next segment is judged by the part in this one."""
        found = list(self._with_lengths(end_ms))
        thresholds = self.models.bundle.thresholds
        if thresholds.lowest >= thresholds.detection:
            return found
        return timeline.settle_faces(found, timeline.shots_from_cuts(end_ms, cuts), thresholds.detection)

    def _heed(self) -> None:
        if self.should_stop is not None and self.should_stop():
            raise Cancelled("The analysis was stopped.")

    def _report(self, done_ms: int) -> None:
        if self.on_progress is not None:
            waiting = sum(len(f) for _, f in self.found)
            total = self.end_ms - self.start_ms
            self.on_progress(Progress(done_ms, total, self.new, len(self.detections) + waiting))
