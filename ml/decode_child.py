"""The process that touches the bytes of a video: opens it with PyAV, decodes, samples, writes messages to a pipe.

It is started by ml.video with one open file, limits on memory and CPU time, and no way to open anything else. It must
stay free of torch. Faults of the file end it with an ``X`` message; a crash of a decoder ends only this process.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import av

from ml.decode_frames import frames
from ml.decode_segment import Pipe, Segment, size_of
from ml.decode_source import Handle, Refused, Source, no_frames
from ml.frametimes import TimesRunBackwards

DAMAGED_SHARE = 0.5  # a file most of whose packets do not decode is damaged; a few lost ones are forgiven


def main() -> None:
    request = json.loads(sys.argv[2])
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not become a message
    pipe = Pipe(out)
    _confine(request)
    av.logging.set_level(None)
    try:
        MODES[request["mode"]](pipe, request)
    except Refused as refused:
        if refused.code in ("no_frames", "video_damaged") and _short_of_memory(request["memory_mb"]):
            refused = _too_much_memory(request["memory_mb"])  # a decoder calls its own failed allocation bad data
        pipe.say("X", {"code": refused.code, "reason": refused.reason})
    except TimesRunBackwards as backwards:
        reason = f"is damaged: its times run backwards at {backwards.at_ms / 1000:.1f} s"
        pipe.say("X", {"code": "video_damaged", "reason": reason})
    except (MemoryError, av.MemoryError):
        limit = _too_much_memory(request["memory_mb"])
        pipe.say("X", {"code": limit.code, "reason": limit.reason})
    except BrokenPipeError:
        _leave(0)
    except OSError as error:
        pipe.say("X", {"code": "video_damaged", "reason": f"cannot be read: {error.strerror or error}"})
    _leave(0)


def _too_much_memory(limit_mb: int) -> Refused:
    return Refused("decode_limit", f"needs more than {limit_mb} MB of memory to decode")


def _short_of_memory(limit_mb: int) -> bool:
    """Whether this process has come near its limit of address space."""
    status = Path("/proc/self/status")
    if not status.exists():
        return False
    peak = next((line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmPeak")), "0")
    return int(peak) / 1024 > 0.9 * limit_mb


def _leave(code: int) -> NoReturn:
    os._exit(code)  # nothing to tidy; tearing decoders down can hang on broken input


def _confine(request: dict[str, Any]) -> None:
    memory = request["memory_mb"] << 20
    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, request["cpu_s"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        if what == resource.RLIMIT_AS and sys.platform != "linux":
            continue  # other systems refuse to set it
        resource.setrlimit(what, (limit if hard < 0 else min(limit, hard), hard))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a killed parent leaves no decoder behind
        if os.getppid() != request["parent"]:
            _leave(1)


def check(pipe: Pipe, request: dict[str, Any]) -> None:
    """Opens the file and decodes its first picture."""
    source = Source(Handle(request["fd"]), request)
    if _refuse_long(source, request["max_duration_ms"]):
        source = Source(Handle(request["fd"]), request)
    for _, frame in source.frames():
        pipe.say("I", size_of(frame))
        pipe.say("E", {"frames": 1, "end_ms": 0, "eof": False, "errors": source.errors})
        return
    raise no_frames(source)


def probe(pipe: Pipe, request: dict[str, Any]) -> None:
    """Decodes everything, counts it, and says when the last frame ends."""
    most = request["max_duration_ms"]
    source = Source(Handle(request["fd"]), request)
    if _refuse_long(source, most):
        source = Source(Handle(request["fd"]), request)
    frames = t = 0
    for t, frame in source.frames():
        if frames == 0:
            kinds = {"container": source.container.format.name, "codec": source.stream.codec_context.name}
            pipe.say("I", {**size_of(frame), **kinds})
        if t >= most:
            raise _too_long(most)
        frames += 1
        pipe.beat(frames, t)
    if frames == 0:
        raise no_frames(source)
    if source.errors > DAMAGED_SHARE * (frames + source.errors):
        raise Refused("video_damaged", f"is damaged: {source.errors} of its pictures cannot be decoded, {frames} can")
    end = source.clock.end_ms()
    if end > most:
        raise _too_long(most)
    pipe.say("E", {"frames": frames, "end_ms": end, "eof": True, "errors": source.errors})


def _refuse_long(source: Source, most_ms: int) -> bool:
    """Ends early what claims to be longer than allowed *and* has packets there; a mere claim is no reason.

    True where it has moved the source.
    """
    stream, container = source.stream, source.container
    by_stream = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    claimed_s = max((container.duration or 0) / 1e6, by_stream)
    if claimed_s * 1000 <= most_ms:
        return False
    try:
        base = stream.time_base
        if base is None:
            return False
        start = stream.start_time or 0
        limit = start + int(most_ms / 1000 / base)
        container.seek(limit, stream=stream, backward=False, any_frame=True)
        packet = next(container.demux(stream))
        if packet.size and packet.pts is not None and packet.pts >= limit:
            raise _too_long(most_ms, claimed_s)
    except (av.FFmpegError, StopIteration):
        return True
    return True


def _too_long(most_ms: int, seconds: float | None = None) -> Refused:
    length = "is" if seconds is None else f"is {_minutes(seconds)} long,"
    return Refused("video_too_long", f"{length} longer than the limit of {_minutes(most_ms / 1000)}")


def _minutes(seconds: float) -> str:
    return f"{seconds / 3600:.4g} h" if seconds >= 3600 else f"{seconds / 60:.4g} min"


def segment(pipe: Pipe, request: dict[str, Any]) -> None:
    """Thumbnails of all frames, and the sampled drawings, of [start_ms, end_ms)."""
    Segment(pipe, request).run()


def picture(pipe: Pipe, request: dict[str, Any]) -> None:
    """A still picture; only this mode needs OpenCV."""
    from ml.decode_picture import picture as decode

    decode(pipe, request)


MODES = {"probe": probe, "check": check, "segment": segment, "frames": frames, "picture": picture}
