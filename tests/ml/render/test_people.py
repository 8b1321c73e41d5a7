"""Made-up people: what is held out stays out, parts are told truthfully, crops belong together."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ml.face import CropSettings
from ml.render import covers
from ml.render.accent import Accent, random_accent, resting
from ml.render.canvas import Canvas
from ml.render.cast import CAST
from ml.render.crop import sample_crops
from ml.render.crowd import (
    COMPUTER_FAMILIES,
    FILM_FAMILIES,
    HELD_OUT_FAMILIES,
    TRAINING_FAMILIES,
    families_of,
    held_out_cast,
    random_design,
    training_cast,
)
from ml.render.design import Design, Pose
from ml.render.drawn_face import Expression
from ml.render.expression import expression_for
from ml.render.frameset import UNKNOWN, FrameSet, eyes_tell
from ml.render.head import HeadDrawn, draw_head
from ml.render.ink import Ink
from ml.render.looks import HELD_OUT_LOOKS, TRAINING_LOOKS, Look, random_look
from ml.render.parts import BROW_PARTS, MOUTH_PARTS, PARTS, hide_parts, parts_of
from ml.render.strangers import draw_stranger, stranger_look, stranger_parts
from ml.render.styles import CLEAN
from ml.render.telling import evidence
from ml.types import EMOTIONS, Emotion

SETTINGS = CropSettings(48, 0.15, 0.5)


def part(parts: tuple[float, ...], name: str) -> float:
    return parts[PARTS.index(name)]


# ------------------------------------------------------------------------------------------------ splits and casts


def test_held_out_families_are_nowhere_in_training() -> None:
    assert len(HELD_OUT_FAMILIES) >= 5
    assert not set(HELD_OUT_FAMILIES) & (set(TRAINING_FAMILIES) | set(FILM_FAMILIES) | set(COMPUTER_FAMILIES))
    assert families_of("held_out", FILM_FAMILIES) == HELD_OUT_FAMILIES
    assert families_of("training", FILM_FAMILIES) == FILM_FAMILIES
    for family, split in (("frog", "training"), ("human", "held_out")):
        with pytest.raises(ValueError, match=family):
            random_design(np.random.default_rng(0), family, split)  # type: ignore[arg-type]


def of_held_out_geometry(d: Design) -> bool:
    return (
        d.bumps or d.discs > 0 or d.nose in ("trunk", "carrot") or d.horns in ("ridge", "antennae") or d.gear == "wool"
    )


def test_what_makes_a_held_out_family_is_drawn_in_that_split_only() -> None:
    for n in range(150):
        assert of_held_out_geometry(random_design(np.random.default_rng(n), None, "held_out"))
        assert not of_held_out_geometry(random_design(np.random.default_rng(n)))


@pytest.mark.parametrize("family", HELD_OUT_FAMILIES)
def test_every_held_out_family_draws_faces_that_can_be_seen(family: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(3):
        scene = FrameSet(rng, 120, 120, "held_out")
        scene.add(UNKNOWN, random_design(rng, family, "held_out"), 60.0, 60.0, 60.0, 0.0)
        assert np.count_nonzero(scene.canvas.ids == 1) > 300


@pytest.mark.parametrize("make", [training_cast, held_out_cast])
def test_casts_are_four_named_characters_that_a_seed_repeats(make) -> None:  # type: ignore[no-untyped-def]
    cast = make(3)
    assert len(cast) == 4
    assert all(design.name == slug for slug, design in cast.items())
    assert not set(cast) & set(CAST)
    assert make(3) == cast
    assert make(4) != cast
    assert all(of_held_out_geometry(d) == (make is held_out_cast) for d in cast.values())


# ------------------------------------------------------------------------------------------------ parts


def test_parts_lie_in_their_ranges() -> None:
    rng = np.random.default_rng(2)
    for n in range(200):
        design = random_design(rng)
        parts = parts_of(expression_for(EMOTIONS[n % 7], 0.9, rng, random_accent(rng, design)), design)
        assert len(parts) == len(PARTS)
        assert all(math.isnan(value) or -1.0 <= value <= 1.0 for value in parts)


def test_parts_tell_the_emotions_apart_on_average() -> None:
    def mean(emotion: Emotion, name: str) -> float:
        rng = np.random.default_rng(5)
        return float(np.nanmean([part(parts_of(expression_for(emotion, 0.9, rng)), name) for _ in range(30)]))

    assert mean(Emotion.HAPPY, "mouth_curve") > 0.5 > -0.3 > mean(Emotion.SAD, "mouth_curve")
    assert mean(Emotion.ANGRY, "brow_inner") < -0.5 < 0.5 < mean(Emotion.SAD, "brow_inner")
    assert mean(Emotion.SCARED, "pupil") < mean(Emotion.SURPRISED, "pupil") < mean(Emotion.HAPPY, "pupil")
    assert mean(Emotion.SURPRISED, "mouth_open") > mean(Emotion.NEUTRAL, "mouth_open") + 0.2


def test_what_a_design_lacks_or_a_lid_hides_is_nan() -> None:
    bare = replace(CAST["pip"], brow_thickness=0.0, ears="none")
    parts = parts_of(Expression(brow_inner=0.3, ears=0.5), bare)
    assert all(math.isnan(part(parts, name)) for name in (*BROW_PARTS, "ears"))
    assert part(parts_of(Expression(brow_inner=0.3), CAST["tom"]), "brow_inner") == pytest.approx(0.75)
    shut = parts_of(Expression(eyes="arch"), CAST["tom"])
    assert part(shut, "eyes_shut") == 1.0
    assert math.isnan(part(shut, "pupil"))
    assert part(parts_of(Expression(), CAST["tom"], Pose(blink=1.0)), "eyes_shut") == 1.0
    assert all(math.isnan(part(hide_parts(shut, MOUTH_PARTS), name)) for name in MOUTH_PARTS)


# ------------------------------------------------------------------------------------------------ accents


def test_no_accent_draws_the_textbook() -> None:
    for emotion in EMOTIONS:
        plain = expression_for(emotion, 0.7, np.random.default_rng(3))
        assert plain == expression_for(emotion, 0.7, np.random.default_rng(3), None)
        assert plain.jaw == plain.smear == 0.0


def test_an_accent_without_brows_leaves_them_at_rest() -> None:
    accent = Accent(brows=0.0, own=0.5)
    rest = resting(accent)
    moved = [expression_for(Emotion.ANGRY, 0.3, np.random.default_rng(n), accent).brow_inner for n in range(20)]
    assert max(abs(value - rest.brow_inner) for value in moved) < 0.15
    assert expression_for(Emotion.ANGRY, 0.3, np.random.default_rng(1)).brow_inner < -0.2


def test_accents_leave_enough_for_a_person_to_tell() -> None:
    for n in range(300):
        rng = np.random.default_rng(n)
        accent = replace(random_accent(rng), talk=0.0, blink=0.0)
        emotion = EMOTIONS[n % 6]  # all but neutral
        assert evidence(expression_for(emotion, 0.8, rng, accent), resting(accent)) > 0.5


def test_studios_draw_one_emotion_differently() -> None:
    drawn = [expression_for(Emotion.SAD, 0.8, rng, random_accent(rng)) for rng in map(np.random.default_rng, range(60))]
    assert len({(e.eyes, e.mouth) for e in drawn}) >= 7
    assert np.std([e.brow_inner for e in drawn]) > 0.06


# ------------------------------------------------------------------------------------------------ pictures


def test_a_design_drawn_twice_has_one_identity() -> None:
    rng = np.random.default_rng(3)
    scene = FrameSet(rng, 420, 120)
    one, two = (random_design(rng, "dog") for _ in range(2))
    for k, design in enumerate((one, two, one)):
        scene.add(UNKNOWN, design, 60.0 + 140 * k, 60.0, 60.0, 0.0, covered=0.0)
    scene.add_stranger(390.0, 60.0, 40.0)
    faces = sorted(scene.finish(CLEAN).faces, key=lambda face: face.box[0])
    first, second, third, *rest = (face.identity for face in faces)
    assert first == third != second
    assert all(identity not in (first, second) for identity in rest)


def head(name: str = "tom") -> tuple[Canvas, HeadDrawn]:
    canvas = Canvas(160, 160)
    return canvas, draw_head(canvas, CAST[name], Expression(), Pose(), 80.0, 84.0, 90.0, 1)


@pytest.mark.parametrize("worn", [covers._bandage, covers._plaster, covers._splat, covers._kerchief, covers._glasses])
def test_what_is_worn_leaves_the_face_whole(worn) -> None:  # type: ignore[no-untyped-def]
    canvas, drawn = head()
    before, picture = np.count_nonzero(canvas.ids == 1), canvas.image()
    with covers._within(canvas, drawn):
        worn(covers._Place(canvas, np.random.default_rng(1), drawn, Ink()))
    assert np.count_nonzero(canvas.ids == 1) == before
    assert not np.array_equal(canvas.image(), picture)


@pytest.mark.parametrize("held", [covers._bars, covers._cup, covers._rim, covers._brim])
def test_what_is_held_before_it_hides_the_face_but_not_both_eyes(held) -> None:  # type: ignore[no-untyped-def]
    for seed in range(6):
        canvas, drawn = head()
        before = np.count_nonzero(canvas.ids == 1)
        with covers._within(canvas, drawn):
            held(covers._Place(canvas, np.random.default_rng(seed), drawn, Ink()))
        assert 0.3 * before < np.count_nonzero(canvas.ids == 1) < before


def test_a_mouth_that_something_hides_is_not_told() -> None:
    scene = FrameSet(np.random.default_rng(5), 200, 160)
    scene.add("tom", CAST["tom"], 100.0, 80.0, 80.0, 0.0, Emotion.HAPPY, covered=0.0)
    place = scene.actors[0].head.mouth_place
    assert place is not None
    (face,) = scene.finish(CLEAN).faces
    assert not math.isnan(part(face.parts, "mouth_curve"))
    with scene.canvas.at(*place):
        scene.canvas.fill(np.array([(-9.0, -6.0), (9.0, -6.0), (9.0, 6.0), (-9.0, 6.0)]), (0.0, 0.0, 0.0), 0)
    (face,) = scene.finish(CLEAN).faces
    assert all(math.isnan(part(face.parts, name)) for name in MOUTH_PARTS)
    assert not math.isnan(part(face.parts, "eye_open"))


def test_brows_and_lids_tell_where_they_move() -> None:
    assert eyes_tell(Expression(brow_inner=-0.3, brow_outer=0.2, lid_angle=0.5))
    assert not eyes_tell(Expression(curve=1.0, mouth="open", opening=1.0))


def head_of(name: str, expression: Expression, pose: Pose) -> tuple[np.ndarray, HeadDrawn]:
    """The brightness of a picture of 160 x 160 with one head in its middle, and the head."""
    canvas = Canvas(160, 160)
    head = draw_head(canvas, CAST[name], expression, pose, 80.0, 80.0, 80.0, 1)
    return canvas.image().astype(float).mean(axis=2), head


def middle_of_ink(picture: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """x and y of what is darker in ``picture`` than in ``other``."""
    ink = np.clip(other - picture, 0.0, None)
    assert ink.sum() > 0.0
    rows, columns = np.indices(ink.shape)
    return float(np.average(columns, weights=ink)), float(np.average(rows, weights=ink))


@pytest.mark.parametrize("yaw", [-40.0, 0.0, 40.0])
@pytest.mark.parametrize("name", sorted(CAST))
def test_a_gaze_is_told_to_the_side_where_the_pupils_lie(name: str, yaw: float) -> None:
    pose = Pose(yaw=yaw, roll=12.0)
    left, right = Expression(gaze_x=-0.7), Expression(gaze_x=0.7)
    to_left, to_right = head_of(name, left, pose)[0], head_of(name, right, pose)[0]
    assert middle_of_ink(to_left, to_right)[0] < middle_of_ink(to_right, to_left)[0]
    assert part(parts_of(left, CAST[name], pose), "gaze_x") < 0.0 < part(parts_of(right, CAST[name], pose), "gaze_x")


@pytest.mark.parametrize("yaw", [-40.0, 0.0, 40.0])
@pytest.mark.parametrize("name", sorted(name for name, design in CAST.items() if design.brow_thickness > 0.0))
def test_the_brow_told_to_be_higher_is_drawn_higher(name: str, yaw: float) -> None:
    pose = Pose(yaw=yaw)
    one, other = Expression(brow_asym=0.12), Expression(brow_asym=-0.12)
    (left_up, head), (right_up, _) = head_of(name, one, pose), head_of(name, other, pose)
    between = round(sum(x for x, _ in head.eye_places) / 2)
    for columns, sign in ((slice(0, between), 1.0), (slice(between, None), -1.0)):
        raised = middle_of_ink(left_up[:, columns], right_up[:, columns])[1]
        lowered = middle_of_ink(right_up[:, columns], left_up[:, columns])[1]
        assert sign * (lowered - raised) > 0.0
    assert (
        part(parts_of(one, CAST[name], pose), "brow_asym") > 0.0 > part(parts_of(other, CAST[name], pose), "brow_asym")
    )


def test_heads_of_one_look_keep_their_shape() -> None:
    for n in range(12):
        look = stranger_look(np.random.default_rng(n))
        masks = []
        for expression in (Expression(), Expression(brow_inner=0.3, lid_top=0.4, curve=-0.8)):
            canvas, rng = Canvas(120, 120), np.random.default_rng([n, 1])
            draw_stranger(canvas, rng, look, Ink(), expression, 60.0, 60.0, 60.0, 1, back=False)
            masks.append(canvas.ids == 1)
        assert np.array_equal(*masks)
    assert math.isnan(part(stranger_parts(Expression(), back=True), "mouth_open"))


@pytest.mark.parametrize("split", ["training", "held_out"])
def test_crops_are_drawn_in_the_looks_of_their_split_and_in_no_other(  # type: ignore[no-untyped-def]
    split, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def noted(rng: np.random.Generator, asked: str = "training") -> Look:
        look = random_look(rng, asked)  # type: ignore[arg-type]
        drawn.append(look.name)
        return look

    monkeypatch.setattr("ml.render.crop.random_look", noted)
    sample_crops(np.random.default_rng(3), SETTINGS, identities=24, each=1, split=split, hero_share=0.3)
    allowed = HELD_OUT_LOOKS if split == "held_out" else TRAINING_LOOKS
    assert set(drawn) <= set(allowed)
    assert len(set(drawn)) >= 4


@pytest.mark.parametrize("split", ["training", "held_out"])
def test_crops_of_one_identity_show_one_character_in_many_moods(split) -> None:  # type: ignore[no-untyped-def]
    crops = sample_crops(np.random.default_rng(7), SETTINGS, identities=4, each=3, split=split, hero_share=0.6)
    assert [c.identity for c in crops] == [k for k in range(4) for _ in range(3)]
    for k in range(4):
        own = crops[3 * k : 3 * k + 3]
        assert len({c.character for c in own}) == 1
        assert len({c.emotion for c in own}) == 3
        assert all(c.crop.shape == (48, 48, 3) and c.readable and len(c.parts) == len(PARTS) for c in own)
        assert not np.array_equal(own[0].crop, own[1].crop)
    heroes = [crops[3 * k].character for k in range(4) if crops[3 * k].character != UNKNOWN]
    assert len(set(heroes)) == len(heroes)
    assert bool(heroes) == (split == "training")
    again = sample_crops(np.random.default_rng(7), SETTINGS, identities=1, each=3, split=split, hero_share=0.6)
    assert all(np.array_equal(a.crop, b.crop) for a, b in zip(crops[:3], again, strict=True))
