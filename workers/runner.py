"""One segment from claim to rows. Correct because of the lease token, however often a message comes or goes astray."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from structlog.contextvars import bind_contextvars

from analysis.errors import ResultInvalid
from analysis.services.leases import (
    Claim,
    segment_cancel,
    segment_claim_next,
    segment_complete,
    segment_fail,
    segment_release,
)
from ml.errors import (
    BundleInvalid,
    BundleMissing,
    Cancelled,
    DeviceMissing,
    InternalError,
    ToonemoError,
    UserError,
    VideoMissing,
)
from ml.types import SegmentResult
from workers.album import Album
from workers.heart import Heart, Stop
from workers.patience import patiently
from workers.runtime import models_for
from workers.stoppable import stoppable

if TYPE_CHECKING:
    from ml.runtime import Models

logger = structlog.get_logger(__name__)

# Another worker, or this one after it was mended, may do better with these; the video is not at fault.
_OURS = (InternalError, BundleInvalid, BundleMissing, DeviceMissing)


class Outcome(StrEnum):
    NOT_MINE = "not_mine"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RELEASED = "released"
    LOST = "lost"


@dataclass(slots=True)
class _Watch:
    """Milliseconds per stage, for the one summary line."""

    stages: dict[str, int] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self.stages[f"{stage}_ms"] = round(1000 * (now - self._last))
        self._last = now


def segment_run(hint: int, worker: str) -> Outcome:
    """Claims, analyses and writes the segment that is first now; says how it went. Never raises for what it did.

    ``hint``: the segment that the message named. As many messages come as segments wait, so each does one of them.
    """
    watch = _Watch()
    claim = patiently(lambda: segment_claim_next(worker))
    watch.lap("claim")
    if claim is None:
        return Outcome.NOT_MINE
    bind_contextvars(run=claim.run_id, segment=claim.segment_id)
    log = logger.bind(run=claim.run_id, episode=claim.episode_id, segment=claim.segment_id, attempt=claim.attempt)
    log.debug("segment_claimed", hint=hint)
    outcome, result = _work(claim, watch, log)
    found = {} if result is None else {"drawings": result.drawings, "faces": len(result.detections)}
    log.info("segment_ended", outcome=str(outcome), worker=worker, **found, **watch.stages)
    return outcome


def _work(claim: Claim, watch: _Watch, log: structlog.stdlib.BoundLogger) -> tuple[Outcome, SegmentResult | None]:
    heart = Heart(claim)
    try:
        with heart:
            result = _analyse(claim, heart, watch)
            watch.lap("analyse")
            kept = patiently(lambda: segment_complete(claim.token, result))
        watch.lap("write")
        return (Outcome.DONE if kept else Outcome.LOST), result
    except Cancelled:
        watch.lap("stopped")
        return _stopped(claim, heart), None
    except ToonemoError as error:
        log.warning("segment_error", code=error.code, reason=str(error))
        final = isinstance(error, UserError) and not isinstance(error, _OURS)
        return _failed(claim, error.code, str(error), final=final), None
    except ResultInvalid as error:
        log.warning("segment_error", code=error.code, reason=str(error))
        return _failed(claim, error.code, str(error)), None
    except Exception as error:
        # The lease must end whatever happens; the log has the trace, the segment one sentence.
        log.exception("segment_crashed")
        detail = f"The analysis stopped with a fault of ours ({type(error).__name__}); the log says more."
        return _failed(claim, "internal", detail), None


def _analyse(claim: Claim, heart: Heart, watch: _Watch) -> SegmentResult:
    if not claim.stored_name:
        raise VideoMissing(f"The video {claim.original_name!r} was replaced or removed since the run was asked for.")
    path = Path(settings.MEDIA_ROOT) / claim.stored_name
    if not path.is_file():
        raise VideoMissing(f"The video {claim.original_name!r} is no longer in the media folder.")
    models = stoppable(lambda: _models(claim), heart.should_stop)
    from ml.pipeline import AnalyseConfig, analyse_segment
    from ml.video import VideoFile, shown_name

    config = AnalyseConfig(sampling=claim.config["sampling"])
    watch.lap("load")
    with VideoFile(path) as file:
        file.name = shown_name(claim.original_name)  # what people called it, for the sentences of errors
        return analyse_segment(
            file,
            models,
            config,
            claim.start_ms,
            claim.end_ms,
            on_progress=heart.note,
            should_stop=heart.should_stop,
            on_drawing=Album(claim).show,
        )


def _models(claim: Claim) -> Models:
    import ml.pipeline  # torch comes in here and nowhere earlier  # noqa: F401

    return models_for(claim.bundle_name, claim.bundle_version, claim.bundle_digest)


def _stopped(claim: Claim, heart: Heart) -> Outcome:
    match heart.reason:
        case Stop.CANCELLED:
            held = patiently(lambda: segment_cancel(claim.token))
            return Outcome.CANCELLED if held else Outcome.LOST
        case Stop.LOST:
            return Outcome.LOST
        case _:
            held = patiently(lambda: segment_release(claim.token))
            return Outcome.RELEASED if held else Outcome.LOST


def _failed(claim: Claim, code: str, detail: str, *, final: bool = False) -> Outcome:
    held = patiently(lambda: segment_fail(claim.token, code, detail, final=final))
    return Outcome.FAILED if held else Outcome.LOST
