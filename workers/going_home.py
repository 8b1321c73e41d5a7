"""Whether this worker was told to stop (SIGTERM). The parent writes one shared byte, its children read it.

Celery's parent keeps the signal to itself and waits for its children, for minutes if need be; with this a child stops
within a heartbeat and hands its segment back.
"""

from __future__ import annotations

import mmap

_flag = mmap.mmap(-1, 1)  # anonymous and shared: made before the pool forks


def going_home() -> bool:
    return _flag[0] != 0


def go_home() -> None:
    _flag[0] = 1


def stay() -> None:
    _flag[0] = 0
