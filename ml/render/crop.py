"""Face crops with known truth to train the classifier on, cut by the same function that the pipeline uses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.classify.base import Crop
from ml.detect.base import Face
from ml.face import PAPER_CROP, CropSettings, segmented_face
from ml.render.accent import Accent, random_accent
from ml.render.cast import CAST
from ml.render.crowd import Split, look_alike, modelled, random_design
from ml.render.design import Design
from ml.render.frameset import HEROES, UNKNOWN, FrameSet, Sample, SampleFace
from ml.render.grounds import paint_ground, paint_stage, paint_wild, roughen
from ml.render.ink import Ink, chance, random_ink, u
from ml.render.looks import Dress, random_look
from ml.render.strangers import Look, stranger_look
from ml.render.styles import Style, clean_style, wild_style
from ml.types import EMOTIONS, Emotion

Rng = np.random.Generator
HERO_SHARE = 0.7
_LEAD = 0  # the identity of the character that a portrait is of
_TRIES = 8
_SIDEWAYS = 0.1  # of the made-up characters, those seen in true profile only
_DRESSED, _HERO_DRESSED = 0.7, 0.3  # of the characters: drawn in a look (ml.render.looks)


@dataclass(frozen=True, slots=True)
class CropSample:
    """One crop and the truth about the face in it.

    ``identity``: the number of the character within the call that drew it. ``parts``: one number per name in PARTS,
    NaN where the part does not exist or cannot be seen.
    """

    crop: Crop
    character: str  # one of CHARACTERS
    identity: int
    emotion: Emotion
    intensity: float
    parts: tuple[float, ...]
    readable: bool = True


@dataclass(frozen=True, slots=True)
class _Role:
    """A character as one series draws it."""

    character: str
    design: Design | Look  # a Look is drawn in profile or with its head thrown back
    accent: Accent | None
    ink: Ink
    style: Style | None  # None: every picture has its own
    dress: Dress | None = None  # the look of its series


def sample_crop(
    rng: Rng, settings: CropSettings = PAPER_CROP, split: Split = "training"
) -> tuple[Crop, str, Emotion, float]:
    """A crop, whose face it is ("unknown" for a stranger), what it shows and how strongly (0..1).

    The box and the mask are a little wrong, as a detector's are. Only readable faces are given.
    """
    (one,) = sample_crops(rng, settings, 1, 1, split, HERO_SHARE)
    return one.crop, one.character, one.emotion, one.intensity


def sample_crops(
    rng: Rng,
    settings: CropSettings,
    identities: int = 1,
    each: int = 4,
    split: Split = "training",
    hero_share: float = 0.35,
) -> list[CropSample]:
    """``each`` crops of each of ``identities`` different characters: other feelings, poses, light and places.

    A character keeps its design, its ink and its studio's way of acting; sometimes the look of the picture as well.
    ``hero_share``: how many are of the sample cast; none in the split ``held_out``. Only readable faces are given.
    """
    heroes = [HEROES[int(i)] for i in rng.permutation(len(HEROES))] if split == "training" else []
    found: list[CropSample] = []
    for identity in range(identities):
        name = heroes.pop() if heroes and chance(rng, hero_share) else UNKNOWN
        crops: list[CropSample] = []
        while len(crops) < each:  # a character none of whose faces can be read gives way to another
            role = _role(rng, name, split)
            crops = _crops_of(rng, role, identity, each, settings, split)
        found += crops
    return found


def _role(rng: Rng, name: str, split: Split) -> _Role:
    design: Design | Look
    if name != UNKNOWN:
        design = CAST[name]
        accent = None if chance(rng, 0.4) else random_accent(rng, design)
    elif chance(rng, _SIDEWAYS):
        design, accent = stranger_look(rng, split), random_accent(rng) if chance(rng, 0.8) else None
    else:
        design = random_design(rng, look_alike(rng) if split == "training" else None, split)
        if chance(rng, 0.15):
            design = modelled(rng, design)
        accent = None if chance(rng, 0.12) else random_accent(rng, design)
    hero = name != UNKNOWN
    if chance(rng, _HERO_DRESSED if hero else _DRESSED) or split == "held_out":
        dress = random_look(rng, split).dress(rng, 1.0)
        worn = design if isinstance(design, Look) else dress.design(design)
        return _Role(name, worn, accent, dress.ink(random_ink(rng)), dress.style, dress)
    return _Role(name, design, accent, random_ink(rng), _style(rng, hero) if chance(rng, 0.5) else None)


def _style(rng: Rng, hero: bool) -> Style:
    return clean_style(rng) if chance(rng, 0.7 if hero else 0.4) else wild_style(rng)


def _crops_of(
    rng: Rng, role: _Role, identity: int, each: int, settings: CropSettings, split: Split
) -> list[CropSample]:
    """As many as wanted, or fewer where its faces mostly cannot be read."""
    order = [EMOTIONS[int(i)] for _ in range(each // len(EMOTIONS) + 1) for i in rng.permutation(len(EMOTIONS))]
    crops: list[CropSample] = []
    for emotion in order[:each]:
        for _ in range(_TRIES):
            sample = _portrait(rng, role, emotion, split)
            readable = [f for f in sample.faces if f.readable and f.identity == _LEAD and f.emotion is emotion]
            if readable:
                face = readable[0]
                crop = segmented_face(sample.rgb, as_detected(rng, face), settings)
                truth = (face.emotion, face.intensity, face.parts)
                crops.append(CropSample(crop, role.character, identity, *truth))
                break
        else:
            return crops
    return crops


def _portrait(rng: Rng, role: _Role, emotion: Emotion, split: Split) -> Sample:
    """A small picture with one head near its middle and, at times, a neighbour or a thing in front."""
    head = float(np.exp(u(rng, np.log(24), np.log(130))))
    side = round(1.9 * head) + 16
    s = FrameSet(rng, side, side, split)
    s.ink = role.ink
    s.accents[role.design] = role.accent  # the first, so that its identity is _LEAD
    hero, dress = role.character != UNKNOWN, role.dress
    if chance(rng, 0.65 if hero else 0.3):
        paint_stage(s.canvas, rng, chance(rng, 0.5))
    elif dress is None:
        paint_wild(s.canvas, rng)
    else:
        paint_ground(s.canvas, rng, dress.look.ground, s.ink)
    ground = s.canvas.pixels.copy() if dress is not None and dress.dim < 1.0 else None
    if chance(rng, 0.12):
        other = random_design(rng, None, split)
        s.add(UNKNOWN, other, u(rng, 0, side), u(rng, 0.2, 0.8) * side, 0.8 * head, 0.9)
    place = side * u(rng, 0.42, 0.58), side * u(rng, 0.42, 0.58)
    if isinstance(role.design, Look):
        s.add_stranger(*place, head, role.design, emotion)
    else:
        s.add(role.character, role.design, *place, head, 0.9, emotion)
    if dress is not None:
        if dress.look.modelled:
            roughen(s.canvas, rng)
        if ground is not None:
            dress.before_the_light(s.canvas, ground)
    if chance(rng, 0.06):
        s.foreground()
    style = role.style if role.style is not None else _style(rng, hero)
    if dress is not None:
        dress.develop(s.canvas, rng)
    sample = s.finish(replace(style, bars=(0.0, 0.0), corner=0.0))
    return sample if dress is None else replace(sample, rgb=dress.worn(sample.rgb, rng))


def as_detected(rng: Rng, face: SampleFace) -> Face:
    """The face as a detector might give it: edges off by a few percent, the mask's rim grown or worn."""
    height, width = face.mask.shape
    x1, y1, x2, y2 = face.box
    wobble = rng.normal(0, 0.03, 4) * max(x2 - x1, y2 - y1)
    left, top = max(0.0, x1 + float(wobble[0])), max(0.0, y1 + float(wobble[1]))
    right, bottom = min(float(width), x2 + float(wobble[2])), min(float(height), y2 + float(wobble[3]))
    character = None if face.character == UNKNOWN else face.character
    return Face((left, top, right, bottom), _worn(rng, face.mask), (0, 0), character, u(rng, 0.7, 1.0))


def _worn(rng: Rng, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask at the coarse resolution of a network's mask head, its threshold a little off."""
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    y1, y2, x1, x2 = ys[0], ys[-1] + 1, xs[0], xs[-1] + 1
    patch = mask[y1:y2, x1:x2].astype(np.float32)
    coarse = cv2.resize(patch, (28, 28), interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), u(rng, 0.3, 1.2))
    fine = cv2.resize(coarse, (patch.shape[1], patch.shape[0]), interpolation=cv2.INTER_LINEAR)
    out = np.zeros_like(mask)
    out[y1:y2, x1:x2] = fine > u(rng, 0.35, 0.62)
    return out
