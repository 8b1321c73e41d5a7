"""How a body stands, runs or cowers: the offsets of its joints through an action's cycle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Joints:
    """Offsets from the standing rest, for a body that faces right. Index 0 is the far limb, 1 the near one.

    ``hands`` are relative to the shoulders, in arm lengths (y down); ``feet`` are relative to where they stand.
    """

    hips: Point = (0.0, 0.0)
    neck: Point = (0.0, 0.0)
    head: Point = (0.0, 0.0)
    hands: tuple[Point, Point] = ((-0.45, 0.85), (0.45, 0.85))
    feet: tuple[Point, Point] = ((-0.07, 0.0), (0.07, 0.0))
    front: bool = False  # the hands are drawn before the head
    bend: float = 1.0  # which way the elbows go, and how far
    roll: float = 0.0


def _stand(t: float) -> Joints:
    breath = 0.006 * math.sin(2 * math.pi * t)
    return Joints(neck=(0.0, breath), head=(0.0, breath))


def _walk(t: float) -> Joints:
    s, c = math.sin(2 * math.pi * t), math.cos(2 * math.pi * t)
    bob = -0.02 * abs(c)
    return Joints(
        hips=(0.0, bob),
        neck=(0.02, bob),
        head=(0.01, bob),
        hands=((-0.5 * s, 0.85), (0.5 * s, 0.85)),
        feet=((0.12 * s, -0.05 * max(0.0, c)), (-0.12 * s, -0.05 * max(0.0, -c))),
        roll=2.5 * s,
    )


def _run(t: float) -> Joints:
    s, c = math.sin(2 * math.pi * t), math.cos(2 * math.pi * t)
    bob = -0.05 * abs(s)
    return Joints(
        hips=(0.0, bob),
        neck=(0.08, bob + 0.02),
        head=(0.05, bob + 0.02),
        hands=((-0.3 - 0.6 * s, 0.35 - 0.25 * s), (0.3 + 0.6 * s, 0.35 + 0.25 * s)),
        feet=((0.2 * s, -0.11 * max(0.0, c)), (-0.2 * s, -0.11 * max(0.0, -c))),
        bend=-1.4,
        roll=6.0,
    )


def _jump(t: float) -> Joints:
    up = math.sin(math.pi * t)
    return Joints(
        hips=(0.0, -0.16 * up),
        neck=(0.0, -0.17 * up),
        head=(0.0, -0.17 * up),
        hands=((-0.75, -0.4 - 0.35 * up), (0.75, -0.4 - 0.35 * up)),
        feet=((-0.12 * up - 0.05, -0.16 * up), (0.12 * up + 0.05, -0.16 * up)),
        bend=-1.0,
    )


def _sit(t: float) -> Joints:
    return Joints(
        hips=(-0.02, 0.12),
        neck=(0.0, 0.11),
        head=(0.0, 0.11 + 0.004 * math.sin(2 * math.pi * t)),
        hands=((-0.35, 0.8), (0.55, 0.75)),
        feet=((0.1, 0.0), (0.22, 0.0)),
    )


def _point(t: float) -> Joints:
    shake = 0.05 * math.sin(4 * math.pi * t)
    return Joints(neck=(0.02, 0.0), head=(0.02, 0.0), hands=((-0.4, 0.75), (1.15, -0.25 + shake)), bend=0.4, roll=3.0)


def _wave(t: float) -> Joints:
    s = math.sin(4 * math.pi * t)
    return Joints(hands=((-0.42, 0.85), (0.75 + 0.22 * s, -0.75)), bend=-0.6, roll=2.0 * s)


def _cheer(t: float) -> Joints:
    s = abs(math.sin(2 * math.pi * t))
    return Joints(
        hips=(0.0, -0.03 * s),
        neck=(0.0, -0.05 * s),
        head=(0.0, -0.05 * s),
        hands=((-0.85, -0.7 - 0.2 * s), (0.85, -0.7 - 0.2 * s)),
        feet=((-0.08, -0.03 * s), (0.08, -0.03 * s)),
        bend=-0.8,
    )


def _cower(t: float) -> Joints:
    s = 0.008 * math.sin(12 * math.pi * t)
    return Joints(
        hips=(-0.03 + s, 0.08),
        neck=(-0.02 + s, 0.09),
        head=(-0.02 + s, 0.1),
        hands=((0.06, -0.32), (-0.02, -0.3)),
        feet=((-0.05, 0.0), (0.05, 0.0)),
        front=True,
        bend=1.6,
        roll=-4.0,
    )


def _droop(t: float) -> Joints:
    s = 0.005 * math.sin(2 * math.pi * t)
    return Joints(
        hips=(-0.01, 0.015),
        neck=(0.02, 0.03 + s),
        head=(0.035, 0.045 + s),
        hands=((-0.12, 1.0), (0.3, 1.0)),
        bend=0.3,
        roll=7.0,
    )


def _fists(t: float) -> Joints:
    s = 0.04 * math.sin(6 * math.pi * t)
    return Joints(
        neck=(0.02, 0.005),
        head=(0.03, 0.01),
        hands=((-0.62, 0.62 + s), (0.72, 0.5 - s)),
        feet=((-0.1, 0.0), (0.1, 0.0)),
        bend=1.5,
    )


def _shrink(t: float) -> Joints:
    return Joints(
        hips=(-0.03, 0.0),
        neck=(-0.06, 0.0),
        head=(-0.07, 0.005),
        hands=((0.25, 0.25), (0.75, 0.15 + 0.05 * math.sin(2 * math.pi * t))),
        bend=1.0,
        roll=-8.0,
    )


def _gasp(t: float) -> Joints:
    return Joints(
        hips=(0.0, -0.01),
        neck=(-0.01, -0.025),
        head=(-0.02, -0.035),
        hands=((-0.8, -0.05), (0.8, -0.05)),
        bend=-0.9,
        roll=-3.0,
    )


def _hips(t: float) -> Joints:
    return Joints(hands=((-0.3, 0.62), (0.3, 0.62)), bend=2.6, roll=2.0 * math.sin(2 * math.pi * t))


ACTIONS: dict[str, Callable[[float], Joints]] = {
    "stand": _stand,
    "walk": _walk,
    "run": _run,
    "jump": _jump,
    "sit": _sit,
    "point": _point,
    "wave": _wave,
    "cheer": _cheer,
    "cower": _cower,
    "droop": _droop,
    "fists": _fists,
    "shrink": _shrink,
    "gasp": _gasp,
    "hips": _hips,
}
