"""Turns a scripted actor at one moment into a drawable pose and expression, and says what it portrays."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ml.render.design import Pose
from ml.render.expression import Expression, blend, expression_for
from ml.render.story import Actor, Beat
from ml.types import Emotion

_WIDE = (Emotion.SURPRISED, Emotion.SCARED)
_TALK = (1.0, 0.55, 0.85, 0.3, 1.0, 0.7)
_BOUNCE = (0.0, 1.0, 0.4, -0.5, 0.2, -0.3)


@dataclass(frozen=True, slots=True)
class Moment:
    """One actor at one drawing. ``emotion`` and ``intensity`` (0..1) are what the truth file says."""

    expression: Expression
    pose: Pose
    x: float
    emotion: Emotion
    intensity: float


def _ease(t: float) -> float:
    return t * t * (3.0 - 2.0 * t)


def beat_expression(beat: Beat) -> Expression:
    return expression_for(beat.emotion, beat.intensity, np.random.default_rng(beat.seed))


def act(actor: Actor, frame: int, hold: int, frames: int) -> Moment:
    """The actor at ``frame`` of a shot of ``frames``; drawings change only every ``hold`` frames."""
    now = frame - frame % hold
    index = max(k for k, beat in enumerate(actor.beats) if k == 0 or beat.start <= now)
    beat, before = actor.beats[index], actor.beats[max(0, index - 1)]
    since = now - beat.start
    t = 1.0 if index == 0 or beat.onset <= 0 else _ease(min(1.0, since / beat.onset))
    expression = blend(beat_expression(before), beat_expression(beat), t)
    shown, strength = (beat, beat.intensity * t) if t >= 0.5 else (before, before.intensity * (1.0 - t))
    moving = shown.action in ("walk", "run")
    step = since // (2 * hold) if shown.lively else 0
    expression, roll, pitch = _liven(expression, shown, step)
    if index and t >= 0.5:
        expression = replace(expression, stretch=expression.stretch + _overshoot(since - beat.onset, hold, beat))
    blink = 0.0
    if shown.emotion not in _WIDE and any(b <= now < b + 2 * hold for b in actor.blinks):
        blink = 1.0
    cycle = now / (14.0 if shown.action == "run" else 22.0) if moving else step / 6.0
    pose = Pose(
        yaw=before.yaw + (beat.yaw - before.yaw) * t,
        pitch=before.pitch + (beat.pitch - before.pitch) * t + pitch,
        roll=before.roll + (beat.roll - before.roll) * t + roll,
        action=shown.action,
        phase=(cycle if moving or shown.lively else 0.25) % 1.0,
        facing=actor.facing,
        blink=blink,
    )
    x = actor.x[0] + (actor.x[1] - actor.x[0]) * now / max(1, frames - 1)
    if shown.lively and shown.emotion is Emotion.SCARED:
        x += 1.4 if step % 2 else -1.4
    neutral = shown.emotion is Emotion.NEUTRAL
    return Moment(expression, pose, x, shown.emotion, 0.0 if neutral else round(strength, 4))


def _overshoot(after: int, hold: int, beat: Beat) -> float:
    """The squash and stretch that follows a change of mind, settled within ten frames."""
    if after < 0 or after > 10:
        return 0.0
    step = after // hold
    return 0.10 * beat.intensity * math.cos(math.pi * step * 0.9) * (0.55**step)


def _liven(e: Expression, beat: Beat, step: int) -> tuple[Expression, float, float]:
    """Talk, shake or bounce: the expression, and what to add to roll and pitch."""
    if not beat.lively:
        return e, 0.0, 0.0
    talk, bounce = _TALK[step % len(_TALK)], _BOUNCE[step % len(_BOUNCE)]
    if e.mouth == "open":
        e = replace(e, opening=e.opening * (0.55 + 0.45 * talk))
    if beat.emotion is Emotion.HAPPY:
        return replace(e, stretch=e.stretch + 0.025 * bounce), 2.0 * bounce, -3.0 * bounce
    if beat.emotion is Emotion.ANGRY:
        return e, 2.4 * bounce, 2.0 * bounce
    if beat.emotion is Emotion.SAD:
        return e, 0.8 * bounce, 3.0 * max(0.0, bounce)
    if beat.emotion is Emotion.SCARED:
        return e, 1.5 * bounce, 0.0
    if beat.emotion is Emotion.NEUTRAL and e.mouth == "line" and step % 6 in (1, 3, 4):
        return replace(e, mouth="open", opening=0.07 + 0.07 * talk, mouth_width=0.6 * e.mouth_width + 0.1), 0.0, 1.0
    return e, 1.2 * bounce, 0.0
