"""When something that was not taken is sent again: soon at first, then ever more rarely, for about a day."""

from __future__ import annotations

MINUTE, HOUR = 60, 3600
WAITS_S = (5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR)
MOST_ASKED_S = HOUR  # a receiver that asks for more patience is not given more than this


def wait_after(attempts: int, *, asked_s: int = 0, lot: float = 0.5) -> int | None:
    """Seconds until the next attempt after so many; None: that was the last one.

    ``asked_s``: what ``Retry-After`` said. ``lot``: in [0, 1), spreads what failed together by up to a tenth.
    """
    if attempts > len(WAITS_S):
        return None
    usual = WAITS_S[attempts - 1] * (1 + 0.1 * lot)
    return round(max(usual, min(asked_s, MOST_ASKED_S)))
