"""Further drawings of each emotion: what studios draw besides the textbook's faces.

Each rule takes the strength (0..1) and the shorthand for chance, and gives a whole expression. ``takes`` turns any of
them into the exaggerated kind: eyes that leave the head, jaws on the chest, smeared heads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ml.render.drawn_face import Draw, Expression
from ml.types import Emotion

Rule = Callable[[float, Draw], Expression]


def _smug(k: float, d: Draw) -> Expression:
    """Half-shut eyes above a crooked smile."""
    return Expression(
        brow_inner=0.02, brow_outer=0.12 * k, brow_asym=d.side() * 0.12 * k, lid_top=0.34 + 0.1 * k, lid_bottom=0.15,
        gaze_x=d.jitter(0.4), curve=0.4 + 0.5 * k, skew=d.side() * (0.1 + 0.2 * k), mouth_width=0.95, ears=0.1,
    )  # fmt: skip


def _content(k: float, d: Draw) -> Expression:
    """Eyes closed in a quiet smile."""
    return Expression(
        brow_inner=0.1, brow_outer=0.04, eyes="arch", curve=0.35 + 0.5 * k, mouth_width=0.8 + d.jitter(0.1),
        blush=0.5 if d.chance(0.3) else 0.0, ears=0.15,
    )  # fmt: skip


def _beaming(k: float, d: Draw) -> Expression:
    """Wide-open shining eyes, and a mouth as wide as the face."""
    return Expression(
        brow_inner=0.18 + 0.1 * k, brow_outer=0.16 + 0.1 * k, eye_scale=1.1 + 0.15 * k, lid_top=0.0, pupil=1.3,
        mouth="open", opening=0.4 + 0.6 * k, curve=0.9, mouth_width=1.2 + 0.3 * k, teeth=int(d.chance(0.6)),
        tongue=1.0, ears=0.5 * k, stretch=0.08 * k,
    )  # fmt: skip


def _gleeful(k: float, d: Draw) -> Expression:
    """Brows down over a wicked grin: glee that borrows anger's brows."""
    return Expression(
        brow_inner=-0.12 * k, brow_outer=0.14, lid_top=0.15, lid_bottom=0.3, curve=0.7 + 0.3 * k, mouth="grin",
        opening=0.2 + 0.3 * k, teeth=2, mouth_width=1.2 + 0.2 * k, skew=d.jitter(0.1), ears=0.1,
    )  # fmt: skip


def _wistful(k: float, d: Draw) -> Expression:
    """Heavy lids, eyes cast down, hardly any mouth."""
    return Expression(
        brow_inner=0.08 + 0.12 * k, brow_outer=-0.05, lid_top=0.42 + 0.12 * k, lid_angle=-0.25, gaze_y=0.7,
        gaze_x=d.jitter(0.3), curve=-0.15 - 0.3 * k, mouth_width=0.55, ears=-0.5 * k,
    )  # fmt: skip


def _pleading(k: float, d: Draw) -> Expression:
    """Large wet eyes turned up under slanting brows."""
    return Expression(
        brow_inner=0.25 + 0.15 * k, brow_outer=-0.15, eye_scale=1.08 + 0.12 * k, pupil=1.35, lid_angle=-0.25,
        lid_bottom=0.12, gaze_y=-0.25 + d.jitter(0.1), curve=-0.4 - 0.3 * k, mouth_width=0.5,
        tears=0.3 * k if d.chance(0.5) else 0.0, ears=-0.6 * k,
    )  # fmt: skip


def _wailing(k: float, d: Draw) -> Expression:
    """A mouth thrown wide open with its corners down, tears in streams."""
    return Expression(
        brow_inner=0.25, brow_outer=-0.2, eyes="arch" if d.chance(0.3) else "squeeze", mouth="open",
        opening=0.6 + 0.7 * k, curve=-1.0, mouth_width=1.1, tongue=1.0, teeth=int(d.chance(0.5)), tears=0.9, ears=-0.8,
    )  # fmt: skip


def _sulking(k: float, d: Draw) -> Expression:
    """A pout: straight lids, a small mouth pulled down, eyes to the side."""
    return Expression(
        brow_inner=0.05, brow_outer=-0.1, lid_top=0.35, gaze_x=0.7 * d.side(), gaze_y=0.2, curve=-0.7 - 0.3 * k,
        mouth_width=0.5, ears=-0.4, stretch=-0.04,
    )  # fmt: skip


def _glare(k: float, d: Draw) -> Expression:
    """Lids cut straight across, a straight mouth: cold anger."""
    return Expression(
        brow_inner=-0.14 - 0.12 * k, brow_outer=0.02, brow_weight=1.2, lid_top=0.4, lid_angle=0.35 + 0.3 * k,
        pupil=0.75, curve=-0.12 - 0.2 * k, mouth_width=0.8, ears=-0.4, wrinkle=0.5 * k,
    )  # fmt: skip


def _raging(k: float, d: Draw) -> Expression:
    """Both rows of teeth bared in an open mouth, eyes wide under the lowest brows."""
    return Expression(
        brow_inner=-0.35 - 0.1 * k, brow_outer=0.35, brow_weight=1.5, eye_scale=1.1 + 0.15 * k, lid_top=0.1,
        lid_angle=0.7 + 0.3 * k, pupil=0.5, mouth="open", opening=0.7 + 0.5 * k, teeth=2, mouth_width=1.3,
        curve=-0.6, tongue=0.5, ears=-0.5, wrinkle=1.0, stretch=0.06 * k,
    )  # fmt: skip


def _seething(k: float, d: Draw) -> Expression:
    """A clenched grin that is no smile; one eye twitches."""
    return Expression(
        brow_inner=-0.2 - 0.15 * k, brow_outer=0.1, brow_asym=d.side() * 0.1, lid_top=0.25, lid_bottom=0.3,
        lid_asym=0.2, lid_angle=0.4, pupil=0.6, mouth="clench", opening=0.25 + 0.2 * k, teeth=2, curve=0.25,
        mouth_width=1.1, ears=-0.3, wrinkle=0.8,
    )  # fmt: skip


def _startled(k: float, d: Draw) -> Expression:
    """Only the eyes: wide, with small pupils, above a shut mouth."""
    return Expression(
        brow_inner=0.2 + 0.15 * k, brow_outer=0.2 + 0.1 * k, lid_top=0.0, eye_scale=1.2 + 0.2 * k, pupil=0.6,
        curve=0.0 + d.jitter(0.08), mouth_width=0.5, ears=0.6,
    )  # fmt: skip


def _amazed(k: float, d: Draw) -> Expression:
    """A surprise that is welcome: the open mouth is about to smile."""
    return Expression(
        brow_inner=0.3, brow_outer=0.25, lid_top=0.0, eye_scale=1.15 + 0.2 * k, pupil=1.0, mouth="open",
        opening=0.5 + 0.6 * k, curve=0.15, mouth_width=0.75, tongue=0.8, ears=0.7 * k, stretch=0.08 * k,
    )  # fmt: skip


def _puzzled(k: float, d: Draw) -> Expression:
    """One brow up, the eyes uneven, a little o."""
    return Expression(
        brow_inner=0.18, brow_outer=0.2, brow_asym=d.side() * (0.1 + 0.12 * k), lid_asym=0.1, eye_scale=1.1 + 0.1 * k,
        lid_top=0.0, pupil=0.75, mouth="oval", opening=0.2 + 0.2 * k, mouth_width=0.35, skew=d.jitter(0.2), ears=0.4,
    )  # fmt: skip


def _frozen(k: float, d: Draw) -> Expression:
    """Pin-prick pupils and a tiny shut mouth."""
    return Expression(
        brow_inner=0.25, brow_outer=-0.08, lid_top=0.0, eye_scale=1.15 + 0.2 * k, pupil=0.28, curve=-0.3,
        mouth_width=0.45, sweat=0.5 * k, ears=-0.7, tremble=0.6 * k,
    )  # fmt: skip


def _nervous(k: float, d: Draw) -> Expression:
    """A grin that is all fear: brows up at the nose, teeth set, sweat."""
    return Expression(
        brow_inner=0.22 + 0.1 * k, brow_outer=-0.1, lid_top=0.05, lid_bottom=0.15, eye_scale=1.05, pupil=0.45,
        gaze_x=d.side() * 0.5, mouth="clench", opening=0.25 + 0.1 * k, teeth=2, curve=0.15, mouth_width=1.15,
        sweat=0.7, ears=-0.5,
    )  # fmt: skip


def _shrieking(k: float, d: Draw) -> Expression:
    """The whole lower face is mouth."""
    return Expression(
        brow_inner=0.35, brow_outer=-0.12, lid_top=0.0, eye_scale=1.25 + 0.3 * k, pupil=0.25, mouth="open",
        opening=0.8 + 0.7 * k, curve=-0.7, mouth_width=1.15, teeth=int(d.rng.integers(3)), tongue=0.9, ears=-0.8,
        stretch=0.12 * k, sweat=0.5,
    )  # fmt: skip


def _cringing(k: float, d: Draw) -> Expression:
    """Eyes squeezed shut, shoulders up, teeth together."""
    return Expression(
        brow_inner=0.15, brow_outer=-0.15, eyes="squeeze", mouth="wavy" if d.chance(0.5) else "clench", opening=0.25,
        teeth=2, curve=-0.5, mouth_width=1.0, ears=-0.9, tremble=1.0, sweat=0.4, stretch=-0.08,
    )  # fmt: skip


def _revolted(k: float, d: Draw) -> Expression:
    """A wavering shut mouth, lids half down, brows at odds."""
    s = d.side()
    return Expression(
        brow_inner=-0.08 - 0.1 * k, brow_outer=0.05, brow_asym=s * 0.12, lid_top=0.35, lid_bottom=0.3, lid_asym=s * 0.1,
        mouth="wavy", curve=-0.5, mouth_width=0.9, wrinkle=0.9, gaze_x=0.6 * d.side(), ears=-0.3, skew=s * 0.2,
    )  # fmt: skip


def _squinting(k: float, d: Draw) -> Expression:
    """One eye almost shut, the lip curled on that side."""
    s = d.side()
    return Expression(
        brow_inner=-0.18, brow_outer=-0.02, brow_asym=s * 0.2, lid_top=0.35, lid_bottom=0.4, lid_asym=s * 0.25,
        curve=-0.5 - 0.3 * k, skew=s * 0.35, mouth="snarl" if d.chance(0.5) else "line", opening=0.25, teeth=1,
        mouth_width=0.9, wrinkle=1.0,
    )  # fmt: skip


def _gagging(k: float, d: Draw) -> Expression:
    """The tongue hangs far out, the eyes are half shut and turn up."""
    return Expression(
        brow_inner=0.1, brow_outer=-0.1, lid_top=0.3, lid_bottom=0.2, gaze_y=-0.6, mouth="tongue",
        opening=0.5 + 0.4 * k, tongue=1.0, curve=-0.5, mouth_width=0.95, wrinkle=0.6, sweat=0.3 * k, ears=-0.3,
    )  # fmt: skip


def _talking(k: float, d: Draw) -> Expression:
    return Expression(
        brow_inner=0.04 + d.jitter(0.05), brow_outer=0.03 + d.jitter(0.05), lid_top=d.between(0.05, 0.25),
        gaze_x=d.jitter(0.35), gaze_y=d.jitter(0.15), mouth="open" if d.chance(0.7) else "oval",
        opening=d.between(0.12, 0.45), curve=d.jitter(0.12), mouth_width=d.between(0.45, 0.9),
        teeth=int(d.chance(0.4)), tongue=float(d.chance(0.5)),
    )  # fmt: skip


def _bored(k: float, d: Draw) -> Expression:
    return Expression(
        brow_inner=0.02, brow_outer=0.0, lid_top=d.between(0.3, 0.5), gaze_x=d.jitter(0.4), curve=d.jitter(0.08),
        mouth_width=0.7, ears=d.jitter(0.15),
    )  # fmt: skip


def _attentive(k: float, d: Draw) -> Expression:
    return Expression(
        brow_inner=0.08 + d.jitter(0.04), brow_outer=0.08 + d.jitter(0.04), lid_top=d.between(0.0, 0.1),
        gaze_x=d.jitter(0.5), gaze_y=d.jitter(0.25), curve=0.08 + d.jitter(0.08), mouth_width=0.7,
        ears=d.between(0.0, 0.4),
    )  # fmt: skip


MORE: dict[Emotion, tuple[Rule, ...]] = {
    Emotion.HAPPY: (_smug, _content, _beaming, _gleeful),
    Emotion.SAD: (_wistful, _pleading, _wailing, _sulking),
    Emotion.ANGRY: (_glare, _raging, _seething),
    Emotion.SURPRISED: (_startled, _amazed, _puzzled),
    Emotion.SCARED: (_frozen, _nervous, _shrieking, _cringing),
    Emotion.DISGUSTED: (_revolted, _squinting, _gagging),
    Emotion.NEUTRAL: (_talking, _bored, _attentive),
}


def takes(e: Expression, emotion: Emotion, d: Draw) -> Expression:
    """``e`` exaggerated beyond anatomy, each part by its own amount."""
    values: dict[str, Any] = {}
    if emotion in (Emotion.SURPRISED, Emotion.SCARED, Emotion.ANGRY) and e.eyes == "open":
        values["eye_scale"] = e.eye_scale * d.between(1.1, 1.7)
        values["pupil"] = e.pupil * d.between(0.5, 0.9)
    if e.mouth in ("open", "oval", "tongue"):
        values["opening"] = min(2.0, e.opening * d.between(1.1, 1.8))
        values["jaw"] = d.between(0.1, 0.7) if emotion is not Emotion.DISGUSTED else 0.0
    elif e.mouth in ("grin", "clench"):
        values["opening"] = e.opening * d.between(1.3, 2.4)
        values["mouth_width"] = e.mouth_width * d.between(1.1, 1.4)
    if d.chance(0.6):
        values["stretch"] = e.stretch + d.between(-0.2, 0.35)
    if d.chance(0.25):
        values["smear"] = d.between(0.1, 0.45)
    values["brow_inner"] = e.brow_inner * d.between(1.0, 1.5)
    values["brow_outer"] = e.brow_outer * d.between(1.0, 1.5)
    return replace(e, **values)
