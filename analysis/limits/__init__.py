"""What may be shown: at most this much of an emotion, no longer run of it, no longer episode. Pure: no database."""

from analysis.limits.limit import LENGTH, NO_LIMITS, NOTHING, Limit, Limits, LimitsInvalid
from analysis.limits.text import limits_format, limits_parse

__all__ = [
    "LENGTH",
    "NOTHING",
    "NO_LIMITS",
    "Limit",
    "Limits",
    "LimitsInvalid",
    "limits_format",
    "limits_parse",
]
