"""The names of the ways to sample. Imports nothing heavy, so that a command line can check one."""

from __future__ import annotations

import re

_SAMPLING = re.compile(r"drawings|per-second|every-[1-9][0-9]{0,4}")


def is_sampling(name: str) -> bool:
    return _SAMPLING.fullmatch(name) is not None
