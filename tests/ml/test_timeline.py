from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ml import timeline
from ml.types import EMOTIONS, Detection, Emotion, Shot, ShotKind


def face(
    pts_ms: int,
    character: str | None = "tom",
    *,
    shown_ms: int = 83,
    x: float = 10,
    emotion: Emotion | None = Emotion.HAPPY,
    score: float = 0.9,
    sure: float = 0.7,
) -> Detection:
    rest = (1 - sure) / (len(EMOTIONS) - 1)
    probabilities = {e: sure if e == (emotion or Emotion.NEUTRAL) else rest for e in EMOTIONS}
    return Detection(pts_ms, shown_ms, character, (x, 10, x + 40, 50), None, score, probabilities, emotion, sure)


def test_shots_are_split_at_cuts_and_take_the_kind_that_covers_most() -> None:
    shots = timeline.shots_from_cuts(1000, [300, 700, 1000, 0], [Shot(0, 290, ShotKind.TITLE), Shot(300, 400)])
    assert shots == (Shot(0, 300, ShotKind.TITLE), Shot(300, 700), Shot(700, 1000))


def test_a_kind_that_covers_less_than_half_does_not_name_the_shot() -> None:
    assert timeline.shots_from_cuts(1000, [], [Shot(0, 400, ShotKind.BLACK)]) == (Shot(0, 1000),)


def test_a_track_never_crosses_a_cut() -> None:
    shots = timeline.shots_from_cuts(2000, [1000])
    tracks = timeline.link_tracks([face(t) for t in range(0, 2000, 100)], shots)
    assert [(t.shot, t.start_ms, len(t.members)) for t in tracks] == [(0, 0, 10), (1, 1000, 10)]


def test_the_majority_names_the_track() -> None:
    shots = timeline.shots_from_cuts(1000, [])
    faces = [face(0), face(100, None), face(200), face(300)]
    (track,) = timeline.link_tracks(faces, shots)
    assert track.character == "tom"
    assert track.members == (0, 1, 2, 3)


def test_two_names_are_two_tracks_even_in_one_place() -> None:
    shots = timeline.shots_from_cuts(1000, [])
    tracks = timeline.link_tracks([face(0, "tom"), face(100, "jerry")], shots)
    assert [t.character for t in tracks] == ["tom", "jerry"]


def test_a_long_gap_ends_a_track() -> None:
    shots = timeline.shots_from_cuts(5000, [])
    tracks = timeline.link_tracks([face(0), face(83 + timeline.LINK_GAP_MS + 1)], shots)
    assert len(tracks) == 2


@example([(0, "tom", 2), (0, None, 2), (1, "tom", 2), (1, "jerry", 2)])
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["tom", "jerry", None]), st.integers(0, 5)), max_size=40))
def test_every_face_is_in_exactly_one_track_whatever_the_order(items: list[tuple[int, str | None, int]]) -> None:
    faces = [face(t * 83, who, x=30.0 * x) for t, who, x in sorted(set(items), key=str)]
    shots = timeline.shots_from_cuts(41 * 83, [1000])
    tracks = timeline.link_tracks(faces, shots)
    assert sorted(i for t in tracks for i in t.members) == list(range(len(faces)))
    back = faces[::-1]
    again = timeline.link_tracks(back, shots)

    def keys(found: list[timeline.FaceTrack], source: list[Detection]) -> set[frozenset[tuple[int, float, str | None]]]:
        return {frozenset((source[i].pts_ms, source[i].box[0], source[i].character) for i in t.members) for t in found}

    assert {len(k) for k in keys(tracks, faces)} == {len(k) for k in keys(again, back)}


def test_smoothing_mends_one_odd_drawing_and_keeps_a_real_change() -> None:
    calm, odd = [0.9, 0.1], [0.3, 0.7]
    noisy = np.array([calm] * 10 + [odd] + [calm] * 10)
    assert timeline.smooth(noisy, range(0, 21 * 83, 83)).argmax(axis=1).tolist() == [0] * 21
    change = np.array([calm] * 12 + [[0.1, 0.9]] * 12)
    assert timeline.smooth(change, range(0, 24 * 83, 83)).argmax(axis=1).tolist() == [0] * 12 + [1] * 12


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=30))
def test_smoothed_rows_are_probabilities(rows: list[list[float]]) -> None:
    table = np.array(rows) + 1e-9
    table /= table.sum(axis=1, keepdims=True)
    out = timeline.smooth(table, range(0, 100 * len(rows), 100))
    assert np.isfinite(out).all()
    assert np.allclose(out.sum(axis=1), 1)


def test_spans_start_high_end_low_fill_short_gaps_and_drop_crumbs() -> None:
    strength = np.array([0.2, 0.7, 0.5, 0.45, 0.3, 0.3, 0.7, 0.2, 0.2, 0.2, 0.2, 0.2, 0.9])
    pts = list(range(0, 1300, 100))
    assert [(s.start_ms, s.end_ms) for s in timeline.find_spans(strength, pts, [100] * 13)] == [(100, 700)]


def test_scenes_cover_the_episode_and_keep_titles_apart() -> None:
    shots = (Shot(0, 10, ShotKind.TITLE), Shot(10, 20), Shot(20, 30), Shot(30, 40), Shot(40, 50))
    casts = [frozenset(s) for s in ((), ("tom",), ("tom", "jerry"), ("pip",), ())]
    assert timeline.group_scenes(shots, casts) == [(0, 0), (1, 2), (3, 4)]


def test_a_profile_counts_each_moment_once_and_only_readable_time_for_shares() -> None:
    shots = (Shot(0, 1000), Shot(1000, 2000, ShotKind.CREDITS))
    faces = [
        face(0, shown_ms=500),
        face(0, shown_ms=500, x=200, score=0.5, emotion=Emotion.SAD),
        face(500, shown_ms=500, emotion=None, sure=0.2),
        face(1000, shown_ms=1000, emotion=Emotion.ANGRY),
    ]
    profile = timeline.profiles(faces, shots)["tom"]
    assert profile.visible_ms == 2000
    assert sum(profile.shares.values()) == pytest.approx(1)
    assert max(profile.shares, key=lambda e: profile.shares[e]) is Emotion.HAPPY


def test_repeating_a_drawing_changes_no_share() -> None:
    shots = timeline.shots_from_cuts(4000, [])
    once = [face(0, shown_ms=2000), face(2000, shown_ms=2000, emotion=Emotion.SAD)]
    held_longer = [dataclasses.replace(f, pts_ms=f.pts_ms * 2, shown_ms=f.shown_ms * 2) for f in once]
    shares = timeline.profiles(once, shots)["tom"].shares
    assert shares[Emotion.HAPPY] == pytest.approx(shares[Emotion.SAD], abs=1e-9)
    longer = timeline.profiles(held_longer, timeline.shots_from_cuts(8000, []))["tom"].shares
    assert longer[Emotion.HAPPY] == pytest.approx(shares[Emotion.HAPPY], abs=0.02)


def test_an_emotion_that_is_not_modelled_has_no_share() -> None:
    few = (Emotion.HAPPY, Emotion.SAD)
    shares = timeline.profiles([face(0)], timeline.shots_from_cuts(100, []), few)["tom"].shares
    assert set(shares) == set(few)


def test_a_track_with_one_strong_face_keeps_its_weak_ones_and_others_go() -> None:
    shots = (Shot(0, 4000),)

    def scored(x: float, *scores: float) -> list[Detection]:
        return [face(100 * n, x=x, score=score) for n, score in enumerate(scores)]

    strong, weak = scored(10, 0.3, 0.8, 0.35), scored(200, 0.45, 0.45)
    assert timeline.settle_faces([*strong, *weak], shots, 0.6) == strong
    assert timeline.settle_faces([*weak, *strong], shots, 0.4) == [*weak, *strong]
    cut = (Shot(0, 100), Shot(100, 4000))
    assert timeline.settle_faces(strong, cut, 0.6) == strong[1:]  # a cut ends a track
