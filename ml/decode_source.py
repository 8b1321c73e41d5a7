"""Opens a video from an open file and hands out its frames with their times. Runs in the decoding process only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ml import containers
from ml.frametimes import Clock


class Refused(Exception):
    """The file is at fault. ``code`` as in ml.errors; ``reason`` completes the sentence "The file X ..."."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Handle:
    """Reads an open file at its own position, so that several readers of one descriptor never meet."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.position = 0
        self.length = os.fstat(fd).st_size

    def read(self, size: int = -1) -> bytes:
        data = self.read_at(self.position, self.length - self.position if size < 0 else size)
        self.position += len(data)
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        return os.pread(self.fd, max(size, 0), offset)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.length}[whence]
        return self.position

    def tell(self) -> int:
        return self.position


class Source:
    """One opened video: yields (time in ms, frame) in the order of presentation, each time later than the last."""

    def __init__(self, handle: Handle, request: dict[str, Any]) -> None:
        self.handle = handle
        self.request = request
        self.errors = 0
        self.container, self.stream = self._open()
        self.clock = Clock(self.stream)

    def _open(self) -> tuple[InputContainer, VideoStream]:
        head = self.handle.read_at(0, 4096)
        if not head:
            raise Refused("video_empty", "is empty: it has 0 bytes")
        what = containers.refusal(head)
        if what is not None:
            raise Refused("not_a_video", f"is {what}, not a video")
        if containers.is_sound(head):
            raise Refused("no_video_stream", "holds sound but no pictures")
        self.handle.seek(0)
        container = self._container(head)
        return container, self._video_stream(container)

    def _container(self, head: bytes) -> InputContainer:
        options = {
            "format_whitelist": ",".join(containers.FORMATS),
            "protocol_whitelist": "none",
            "max_pixels": str(self.request["max_pixels"]),
        }
        try:
            container = av.open(self.handle, "r", options=options, metadata_errors="replace", buffer_size=1 << 16)
        except av.MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            if containers.looks_like_video(head):
                raise Refused("video_damaged", "is damaged: its index cannot be read") from error
            raise Refused("not_a_video", f"is no video that can be read; known are {containers.CONTAINERS}") from error
        return container

    def _video_stream(self, container: InputContainer) -> VideoStream:
        streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            sound = "holds sound but no pictures" if container.streams.audio else "holds no video stream"
            raise Refused("no_video_stream", sound)
        stream = max(streams, key=lambda s: (bool(s.disposition & av.stream.Disposition.default), -s.index))
        if containers.has_encrypted_video(self.handle.read_at, self.handle.length):
            raise Refused("video_encrypted", "is encrypted, so its pictures cannot be read")
        context = stream.codec_context
        if context is None:
            raise Refused("no_frames", "is stored in a way that no decoder here can read")
        self._check_size(context.width, context.height)
        context.thread_count = self.request["threads"]
        context.thread_type = "AUTO" if self.request["threads"] != 1 else "NONE"
        context.options = {"max_pixels": str(self.request["max_pixels"]), **self.request.get("codec_options", {})}
        return stream

    def _check_size(self, width: int, height: int) -> None:
        least, most = self.request["min_side"], self.request["max_pixels"]
        if width * height > most:
            raise Refused("video_too_large", f"has pictures of {width} x {height} pixels; the limit is {most} in all")
        if (width or height) and min(width, height) < least:
            raise Refused(
                "video_too_small", f"has pictures of {width} x {height} pixels; each side needs at least {least}"
            )

    def seek(self, target_ms: int) -> None:
        self.container.seek(self.clock.pts_at(target_ms), stream=self.stream, backward=True)
        self.clock.restart()

    def frames(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Every frame that decodes from here on. Raises Refused where the file turns out encrypted."""
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except av.MemoryError:
                raise
            except av.FFmpegError as error:
                if packet.has_sidedata("encryption_info"):
                    raise Refused("video_encrypted", "is encrypted, so its pictures cannot be read") from error
                self.errors += 1
                continue
            for frame in decoded:
                if isinstance(frame, av.VideoFrame):
                    self._check_size(frame.width, frame.height)
                    t = self.clock.time_of(frame)
                    if t is not None:
                        yield t, frame

    def _packets(self) -> Iterator[Packet[Any]]:
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.MemoryError:
                raise
            except av.FFmpegError:  # the rest cannot be read: flush what the decoder still holds
                self.errors += 1
                yield Packet()
                return
            yield packet


def no_frames(source: Source) -> Refused:
    claimed = source.stream.frames
    claim = f"it claims {claimed}, but not one can be decoded" if claimed else "not one can be decoded"
    return Refused("no_frames", f"holds no pictures: {claim}")
