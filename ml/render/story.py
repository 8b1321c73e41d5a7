"""Writes the script of an episode: scenes, shots, who feels what when, and how the camera moves. Nothing is drawn here.

Times inside a shot are frames from its start. A script follows from its seed, length and picture format alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ml.render.backgrounds import PLACES, STAGE
from ml.render.cast import CAST, STATURE
from ml.render.crowd import random_design
from ml.render.design import Design
from ml.render.titles import credits_for, title_for
from ml.types import Emotion, ShotKind

FPS = 24
Rng = np.random.Generator

_ACTIONS: dict[Emotion, tuple[str, ...]] = {
    Emotion.HAPPY: ("cheer", "wave", "stand", "jump", "hips", "walk"),
    Emotion.SAD: ("droop", "sit", "droop", "stand"),
    Emotion.ANGRY: ("fists", "point", "fists", "hips", "walk"),
    Emotion.SURPRISED: ("gasp", "jump", "gasp"),
    Emotion.SCARED: ("cower", "run", "gasp", "shrink"),
    Emotion.DISGUSTED: ("shrink", "stand", "hips"),
    Emotion.NEUTRAL: ("stand", "stand", "walk", "sit", "hips"),
}

_CLOSE = {"jump": "gasp", "cheer": "wave", "run": "gasp", "walk": "stand"}  # keeps a close-up's head in the picture

# What may happen between two characters: what A shows in turn, and what B makes of it.
_H, _S, _A, _U, _F, _D, _N = Emotion  # happy, sad, angry, surprised, scared, disgusted, neutral
_GAGS: tuple[tuple[str, tuple[Emotion, ...], tuple[Emotion, ...]], ...] = (
    ("gift", (_N, _H, _H), (_N, _U, _H)),
    ("fright", (_H, _N, _H), (_N, _U, _F)),
    ("ghost", (_U, _F, _F), (_N, _F, _U)),
    ("quarrel", (_N, _A, _A), (_A, _A, _N)),
    ("scolding", (_A, _A, _N), (_N, _S, _S)),
    ("loss", (_N, _U, _S), (_N, _S, _N)),
    ("comfort", (_S, _S, _H), (_N, _H, _H)),
    ("smell", (_N, _D, _D), (_H, _D, _U)),
    ("bad soup", (_H, _U, _D), (_N, _H, _S)),
    ("prank", (_H, _H, _S), (_N, _U, _A)),
    ("chase", (_A, _A, _U), (_F, _F, _H)),
    ("discovery", (_N, _U, _H), (_N, _N, _U)),
    ("mud", (_N, _D, _A), (_H, _H, _H)),
    ("old cheese", (_H, _H, _U), (_N, _D, _D)),
    ("worm", (_N, _U, _D), (_H, _D, _N)),
    ("spider", (_N, _F, _F), (_N, _N, _D)),
    ("envy", (_H, _H, _N), (_N, _D, _A)),
)


@dataclass(frozen=True, slots=True)
class Beat:
    """From frame ``start`` on, the face goes to ``emotion``; ``onset`` frames lead there."""

    start: int
    onset: int
    emotion: Emotion
    intensity: float
    seed: int
    action: str
    yaw: float
    pitch: float
    roll: float
    lively: bool  # talks, shakes, bounces; else the drawing is held


@dataclass(frozen=True, slots=True)
class Actor:
    design: Design
    character: str | None  # None: nobody the sample cast knows
    beats: tuple[Beat, ...]
    x: tuple[float, float]  # stage units at the shot's start and end; the ground between the feet
    y: float
    height: float
    facing: float
    blinks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Camera:
    """Moves from ``start`` to ``end`` between two frames; each is (x, y, zoom) of the picture's middle."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    moves: tuple[int, int]
    shake: tuple[int, int]  # frames during which the picture shakes

    def moving(self, frame: int) -> bool:
        travels = self.start != self.end and self.moves[0] < frame <= self.moves[1]
        return travels or self.shake[0] <= frame <= self.shake[1]


@dataclass(frozen=True, slots=True)
class Prop:
    kind: str
    x: float
    y: float
    size: float
    seed: int
    front: bool


@dataclass(frozen=True, slots=True)
class ShotPlan:
    kind: ShotKind
    start: int  # first frame in the episode
    frames: int
    hold: int = 2  # a new drawing at most every so many frames
    place: str = ""
    place_seed: int = 0
    floor: float = 262.0
    blur: float = 0.0
    actors: tuple[Actor, ...] = ()
    props: tuple[Prop, ...] = ()
    camera: Camera = Camera((0.0, 0.0, 1.0), (0.0, 0.0, 1.0), (0, 0), (-1, -1))
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    seed: int
    title: str
    frames: int
    width: float  # of the stage, in stage units
    shots: tuple[ShotPlan, ...]


class _Writer:
    """Keeps the random numbers, who may appear, and where in the episode the story is."""

    def __init__(self, seed: int, width: float, cast: Mapping[str, Design]) -> None:
        self.cast = dict(cast)
        self.rng = np.random.default_rng([seed, 7])
        self.width = width
        self.mood = self.rng.dirichlet(np.full(len(_GAGS), 0.7))  # an episode leans towards some gags
        self.shots: list[ShotPlan] = []
        self.frame = 0

    def add(self, plan: ShotPlan) -> None:
        self.shots.append(plan)
        self.frame += plan.frames

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def between(self, a: float, b: float) -> float:
        return float(self.rng.uniform(a, b))

    def seed(self) -> int:
        return int(self.rng.integers(1 << 31))

    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]


def write_script(
    seed: int, duration_s: float, width: float = 640.0, cast: Mapping[str, Design] | None = None
) -> Script:
    """``width`` is the picture's width when its height is 360; ``cast``: who acts, by slug (the four friends).

    Raises ValueError for a length under one second and for a cast of fewer than two.
    """
    actors = CAST if cast is None else cast
    if len(actors) < 2:
        raise ValueError(f"an episode needs a cast of at least two, not {len(actors)}")
    frames = round(duration_s * FPS)
    if frames < FPS:
        raise ValueError(f"an episode lasts at least one second, not {duration_s} s")
    w = _Writer(seed, width, actors)
    title = title_for(seed)
    card = min(round(2.5 * FPS), frames // 6)
    dark = min(12, frames // 20)
    w.add(ShotPlan(ShotKind.BLACK, 0, dark))
    w.add(ShotPlan(ShotKind.TITLE, w.frame, card, place_seed=w.seed(), lines=(title.upper(),)))
    end = frames - card - dark
    _story(w, end)
    w.add(ShotPlan(ShotKind.CREDITS, w.frame, card, place_seed=w.seed(), lines=credits_for(seed)))
    w.add(ShotPlan(ShotKind.BLACK, w.frame, frames - w.frame))
    return Script(seed, title, frames, width, tuple(w.shots))


def _story(w: _Writer, end: int) -> None:
    """Scenes one after another until frame ``end``; short black pauses and an empty shot now and then."""
    place = ""
    while w.frame < end:
        if place and end - w.frame > 5 * FPS and w.chance(0.3):
            w.add(ShotPlan(ShotKind.BLACK, w.frame, int(w.rng.integers(6, 14))))
        place = w.pick(tuple(p for p in PLACES if p != place))
        last = end - w.frame < 14 * FPS
        _scene(w, place, end if last else w.frame + int(w.rng.integers(9, 14)) * FPS)


def _scene(w: _Writer, place: str, end: int) -> None:
    """One place, one or more gags between two of the cast at a time."""
    place_seed, floor = w.seed(), w.between(248.0, 275.0)
    names = [str(n) for n in w.rng.permutation(list(w.cast))]
    if w.chance(0.35) and end - w.frame > 4 * FPS:  # an empty shot to open
        frames = int(w.rng.integers(20, 36))
        w.add(ShotPlan(ShotKind.STORY, w.frame, frames, 2, place, place_seed, floor, camera=_camera(w, frames, 0.6)))
    while w.frame < end:
        gag = int(w.rng.choice(len(_GAGS), p=0.5 * w.mood + 0.5 / len(_GAGS)))
        _, first, second = _GAGS[gag]
        a, b = names[0], names[1]
        feelings = {a: list(first), b: list(second)}
        if first[1] is Emotion.ANGRY and end - w.frame > 90 and w.chance(0.6):
            _chase(w, place, place_seed, floor, b, a, int(w.rng.integers(34, 52)))
        _gag_shots(w, place, place_seed, floor, feelings, end)
        names = names[1:] + names[:1] if w.chance(0.6) else [*names[1:], names[0]]


def _gag_shots(
    w: _Writer, place: str, place_seed: int, floor: float, feelings: dict[str, list[Emotion]], end: int
) -> None:
    """A shot of both, then close-ups that react: three or four shots, cut short at ``end``."""
    a, b = feelings
    wide = int(w.rng.integers(50, 92))
    plans: list[tuple[tuple[str, ...], int, slice]] = [((a, b), wide, slice(0, 2))]
    plans.append(((b,), int(w.rng.integers(30, 62)), slice(1, 3)))
    if w.chance(0.75):
        plans.append(((a,), int(w.rng.integers(30, 62)), slice(1, 3)))
    if w.chance(0.3):
        plans.append(((a, b), int(w.rng.integers(36, 66)), slice(2, 3)))
    for who, frames, part in plans:
        left = end - w.frame
        if left <= 0:
            return
        if left - frames < 20:  # no shot shorter than most of a second is left over
            frames = left
        frames = min(frames, 150, left)
        if left - frames and left - frames < 20:
            frames = left // 2
        _shot(w, place, place_seed, floor, who, {n: feelings[n][part] for n in who}, frames)


def _shot(
    w: _Writer,
    place: str,
    place_seed: int,
    floor: float,
    who: tuple[str, ...],
    feelings: dict[str, list[Emotion]],
    frames: int,
) -> None:
    hold = 2 if w.chance(0.7) else 3
    close = len(who) == 1 and w.chance(0.8)
    size = w.between(0.34, 0.46) if close else w.between(0.24, 0.34) if len(who) == 1 else w.between(0.17, 0.27)
    places = [0.5 + w.between(-0.14, 0.14)] if len(who) == 1 else [w.between(0.22, 0.33), w.between(0.67, 0.78)]
    actors = []
    cast: list[tuple[Design, str | None, list[Emotion]]] = [(w.cast[n], n, feelings[n]) for n in who]
    if w.chance(0.10):  # somebody passing by
        cast.append((_stranger(w), None, [list(Emotion)[int(w.rng.integers(7))]]))
        places = [0.2, 0.5, 0.8] if len(cast) == 3 else [0.33, 0.72]
        size = min(size, 0.27)
    for k, (design, name, emotions) in enumerate(cast):
        others = [p for j, p in enumerate(places) if j != k]
        actors.append(_actor(w, design, name, emotions, places[k], others, size, frames, len(cast) > 1, close))
    shocked = any(b.emotion is Emotion.SURPRISED and b.start > 0 for actor in actors for b in actor.beats)
    w.add(
        ShotPlan(
            ShotKind.STORY,
            w.frame,
            frames,
            hold,
            place,
            place_seed,
            floor,
            blur=1.6 if close else 0.0,
            actors=tuple(actors),
            props=_props(w, place, close, actors),
            camera=_camera(w, frames, 0.38, shake=_shock(actors) if shocked and w.chance(0.4) else None, close=close),
        )
    )


def _stranger(w: _Writer) -> Design:
    """Somebody made up on the spot, neither so dark nor so pale that the drawing on the face is lost."""
    for _ in range(20):
        design = random_design(w.rng)
        if 80.0 < sum(design.skin) / 3.0 < 236.0:
            break
    return design


def _chase(w: _Writer, place: str, place_seed: int, floor: float, runner: str, hunter: str, frames: int) -> None:
    """One runs across the picture with the other behind."""
    way = 1.0 if w.chance(0.5) else -1.0
    size = w.between(0.19, 0.26)
    feelings = {runner: Emotion.SCARED if w.chance(0.6) else Emotion.HAPPY, hunter: Emotion.ANGRY}
    actors = []
    for name, ahead in ((hunter, 0.0), (runner, w.between(0.26, 0.36))):
        actor = _actor(w, w.cast[name], name, [feelings[name]], 0.5, [0.5 + 0.1 * way], size, frames, True, False)
        beats = tuple(replace(b, action="run", yaw=way * w.between(24, 46), lively=True) for b in actor.beats)
        start = 0.5 + way * (ahead - 0.62)
        path = (start * w.width, (start + way * w.between(0.85, 1.0)) * w.width)
        actors.append(replace(actor, beats=beats, x=path, facing=way))
    camera = _camera(w, frames, 0.4)
    w.add(ShotPlan(ShotKind.STORY, w.frame, frames, 2, place, place_seed, floor, actors=tuple(actors), camera=camera))


def _shock(actors: list[Actor]) -> int:
    return min(b.start for actor in actors for b in actor.beats if b.emotion is Emotion.SURPRISED and b.start > 0)


def _actor(
    w: _Writer,
    design: Design,
    name: str | None,
    emotions: list[Emotion],
    place: float,
    others: list[float],
    size: float,
    frames: int,
    shared: bool,
    close: bool,
) -> Actor:
    own = size * w.between(0.94, 1.06) * (STATURE.get(name or "", 1.0) if shared else 1.0)
    height = own * STAGE / design.head_share
    # The head's middle lies in the upper half; the feet stand wherever the body then ends.
    head_y = w.between(0.40, 0.52) if close else w.between(0.36, 0.5)
    y = head_y * STAGE + height * (1.0 - 0.5 * design.head_share)
    if not close and y < 0.8 * STAGE:
        y = w.between(0.82, 0.95) * STAGE
    x = place * w.width
    target = np.mean([o - place for o in others]) if others else w.between(-1.0, 1.0)
    facing = 1.0 if target >= 0 else -1.0
    beats = _beats(w, emotions, frames, facing, shared, close)
    drift = facing * w.between(20, 60) if any(b.action in ("walk", "run") for b in beats) and not close else 0.0
    if not close and w.chance(0.06):  # comes in from outside the picture
        drift = (x + 0.12 * w.width if facing > 0 else x - 1.12 * w.width) * 0.9
    blinks = tuple(int(f) for f in np.cumsum(w.rng.integers(34, 80, size=4)) if f < frames - 6)
    return Actor(design, name, beats, (x - drift, x + min(40.0, max(-40.0, 0.5 * drift))), y, height, facing, blinks)


def _beats(
    w: _Writer, emotions: list[Emotion], frames: int, facing: float, shared: bool, close: bool
) -> tuple[Beat, ...]:
    """Each emotion gets its part of the shot, at least three quarters of a second where there is room."""
    count = max(1, min(len(emotions), frames // 18))
    chosen = emotions[-count:]
    cuts = [0] + [round(frames * (k + w.between(-0.15, 0.15)) / count) for k in range(1, count)]
    beats: list[Beat] = []
    previous: Emotion | None = None
    for start, emotion in zip(cuts, chosen, strict=True):
        strength = 0.0 if emotion is Emotion.NEUTRAL else w.between(0.55, 1.0)
        yaw = facing * w.between(8, 42) if shared else facing * w.between(-22, 34)
        if w.chance(0.08):
            yaw = facing * w.between(42, 58)
        if w.chance(0.02) and count > 1 and not beats:  # stands with the back to us, then turns round
            yaw = facing * w.between(140, 180)
        action = w.pick(_ACTIONS[emotion])
        pitch = {Emotion.SAD: 9.0, Emotion.SURPRISED: -6.0, Emotion.HAPPY: -3.0}.get(emotion, 0.0) + w.between(-6, 6)
        beats.append(
            Beat(
                start=start,
                onset=int(w.rng.integers(3, 7)) if start else 0,
                emotion=emotion,
                intensity=strength,
                seed=w.seed(),
                action=_CLOSE.get(action, action) if close else action,
                yaw=yaw,
                pitch=pitch,
                roll=w.between(-9, 9),
                lively=w.chance(0.7) and emotion is not previous,
            )
        )
        previous = emotion
    return tuple(beats)


def _camera(w: _Writer, frames: int, likely: float, shake: int | None = None, close: bool = False) -> Camera:
    """Still, a pan, or a slow push in or out; close shots of the place use a part of the painting."""
    middle = (w.width / 2, STAGE / 2)
    rest = (*middle, 1.0)
    span = (-1, -1) if shake is None else (shake, shake + int(w.rng.integers(5, 10)))
    if not w.chance(likely):
        return Camera(rest, rest, (0, 0), span)
    first = int(w.between(0.0, 0.3) * frames)
    last = min(frames - 1, first + int(w.between(0.4, 0.8) * frames))
    kind = w.rng.integers(3)
    if kind == 0:
        dx = w.between(14, 40) * (1 if w.chance(0.5) else -1)
        start, end = (middle[0] - dx / 2, middle[1], 1.06), (middle[0] + dx / 2, middle[1], 1.06)
    else:
        zoom = w.between(1.08, 1.16 if close else 1.28)
        start, end = rest, (middle[0] + w.between(-12, 12), middle[1] - w.between(0, 10), zoom)
        if kind == 2:
            start, end = end, start
    return Camera(start, end, (first, last), span)


_INDOORS = ("kitchen", "parlour", "bedroom")


def _props(w: _Writer, place: str, close: bool, actors: list[Actor]) -> tuple[Prop, ...]:
    props = []
    if w.chance(0.3) and not close:  # things on the ground behind the characters
        kind = w.pick(("cheese", "ball", "barrel", "vase", "flower", "rock"))
        x, y = w.between(0.05, 0.95) * w.width, w.between(280, 318)
        props.append(Prop(kind, x, y, w.between(16, 30), w.seed(), False))
    if w.chance(0.3):  # something in front, which may hide part of a character, and now and then of a face
        actor = actors[int(w.rng.integers(len(actors)))]
        kind = w.pick(("crate", "table", "post")) if place in _INDOORS else w.pick(("bush", "bush", "crate", "post"))
        size = w.between(46, 84)
        chin = actor.y - actor.height * (1.0 - actor.design.head_share)
        y = max(0.74 * STAGE, chin + w.between(-0.05, 0.5) * STAGE) + size
        x = actor.x[0] + w.between(-0.16, 0.16) * w.width
        if kind == "post":
            x = actor.x[0] + w.between(18, 60) * (1.0 if w.chance(0.5) else -1.0)
        props.append(Prop(kind, x, y, size, w.seed(), True))
    return tuple(props)
