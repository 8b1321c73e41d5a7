"""What a run writes down: lines of JSON, and the same in TensorBoard's own files."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

from ml.evaluate.curves import read_history as read_for_curves
from ml.train.events import crc32c
from ml.train.history import History, read_history
from ml.train.progress import Progress


def events(folder: Path) -> list[dict[int, list[Any]]]:
    """An independent reading of the records: fields of each event by number. Checks both checksums."""
    (file,) = folder.glob("events.out.tfevents.*")
    data, found = file.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        for part, told in ((data[:8], data[8:12]), (data[12 : 12 + length], data[12 + length : 16 + length])):
            crc = crc32c(part)
            assert struct.unpack("<I", told)[0] == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        found.append(fields(data[12 : 12 + length]))
        data = data[16 + length :]
    return found


def fields(data: bytes) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    while data:
        key, data = varint(data)
        value: Any
        if key & 7 == 0:
            value, data = varint(data)
        elif key & 7 == 1:
            value, data = struct.unpack("<d", data[:8])[0], data[8:]
        elif key & 7 == 5:
            value, data = struct.unpack("<f", data[:4])[0], data[4:]
        else:
            length, data = varint(data)
            value, data = data[:length], data[length:]
        found.setdefault(key >> 3, []).append(value)
    return found


def varint(data: bytes) -> tuple[int, bytes]:
    value = shift = 0
    for place, byte in enumerate(data):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, data[place + 1 :]
    raise AssertionError("a number without an end")


def test_checksums_are_castagnoli_s() -> None:
    """The examples of RFC 3720, appendix B.4, and the usual check value."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283


def test_tensorboard_gets_every_number(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add(300, "train", {"loss": 1.5, "rate": 0.25})
    history.add(300, "valid", {"loss": 2.5})
    history.close()
    head, *rest = events(tmp_path / "tensorboard")
    assert head[3] == [b"brain.Event:2"]
    numbers = [(event[2][0], fields(fields(event[5][0])[1][0])) for event in rest]
    assert [(step, value[1][0].decode(), value[2][0]) for step, value in numbers] == [
        (300, "train/loss", 1.5),
        (300, "train/rate", 0.25),
        (300, "valid/loss", 2.5),
    ]


def test_a_run_that_goes_on_forgets_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    history = History(tmp_path)
    for step in (10, 20, 30):
        history.add(step, "train", {"loss": step / 10})
    history.close()
    with (tmp_path / "history.jsonl").open("a") as stream:
        stream.write('{"step": 40, "spl')
    again = History(tmp_path, 20)
    again.add(30, "train", {"loss": 7.0})
    again.close()
    assert [(m.step, m.value) for m in read_history(tmp_path)] == [(10, 1.0), (20, 2.0), (30, 7.0)]
    assert len(events(tmp_path / "tensorboard")) == 4
    assert read_for_curves(tmp_path / "history.jsonl")["loss"]["train"][-1] == (30.0, 7.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only() -> None:
    silent, shown = io.StringIO(), Terminal()
    for stream in (silent, shown):
        bar = Progress(10, stream=stream)
        bar.update(10, "loss 0.5")
        bar.close()
    assert silent.getvalue() == ""
    assert "10/10  loss 0.5  0:00 left" in shown.getvalue()
    assert shown.getvalue().endswith("\r\x1b[K")
