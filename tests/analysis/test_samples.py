"""A sample that people check: pure parts."""

from __future__ import annotations

from collections import Counter

import numpy as np

from analysis.layer import Says, Seen, Statement, clash, tell
from analysis.ratings import Readings
from analysis.samples import Answers, Faces, Sample, checks_of, draw, main_label, outside_share, settled
from analysis.selectors.certify import pieces_of
from ml.types import Emotion

EMOTIONS = (Emotion.HAPPY, Emotion.SAD)
FRAME = ((0, 1_000), (1_000, 2_000), (5_000, 6_000))


def sample(*people: Answers, picked: tuple[int, ...] = (2, 0)) -> Sample:
    return Sample(7, "tom", FRAME, picked, people, ())


ANN: Answers = {0: ((0, 400, "happy"), (400, 1_000, "unclear")), 2: ((5_000, 6_000, "not_them"),)}
BOB: Answers = {0: ((0, 1_000, "sad"),), 2: ((5_000, 6_000, "not_them"),)}


def readings(*at: int) -> Readings:
    """Drawings of 200 ms that are read as happy."""
    n = len(at)
    return Readings(EMOTIONS, np.array([[1.0, 0.0]] * n), np.array(at), np.full(n, 200), np.zeros(n, dtype=np.int64))


def faces(*at: int) -> Faces:
    return Faces(np.array(at) + 100, np.full(len(at), 200), np.zeros(len(at), dtype=np.bool_))


def test_every_shot_is_as_likely_to_be_drawn_and_the_seed_fixes_it() -> None:
    times = Counter(i for seed in range(3_000) for i in draw(10, 3, seed))
    assert set(times) == set(range(10))
    assert max(times.values()) - min(times.values()) < 150  # 900 each; the spread is about 25
    assert draw(50, 20, 4) == draw(50, 20, 4)
    assert len(set(draw(50, 20, 4))) == 20


def test_most_people_decide_and_of_as_many_who_was_last() -> None:
    said = [(s.start_ms, s.end_ms, s.says, s.emotion, agreed) for s, agreed in settled(sample(ANN, BOB))]
    assert said == [
        (0, 400, Says.CHARACTER, "sad", False),
        (400, 1_000, Says.CHARACTER, "sad", False),
        (5_000, 6_000, Says.NOBODY, "", True),
    ]
    third = [s.emotion for s, _ in settled(sample(ANN, BOB, ANN))]
    assert third == ["happy", "unclear", ""]


def test_two_people_who_differ_count_in_equal_parts() -> None:
    at = (0, 200, 400, 600, 800, 5_000)
    found = checks_of(sample(ANN, BOB), readings(*at), faces(*at), readings(*at), faces(*at))
    assert found.picked.tolist() == [2, 0]
    # Shot 0: Ann reads 400 ms of it as happy and the rest not at all; Bob all of it as sad.
    assert found.truth.tolist() == [[0.0, 0.0], [200.0, 500.0]]
    assert found.said.tolist() == [[1_000.0, 0.0], [0.0, 0.0], [200.0, 0.0]]
    assert outside_share(found) == 0.0


def test_time_outside_of_what_was_drawn_from_is_counted() -> None:
    at = (0, 3_000, 3_200, 9_000)
    found = checks_of(sample(ANN), readings(*at), faces(*at), readings(*at), faces(*at))
    assert (found.outside_ms, outside_share(found)) == (600.0, 0.75)


def test_what_people_said_later_is_sure_and_is_not_part_of_the_comparison() -> None:
    at = (0, 1_000)
    now = readings(*at)
    corrected = Readings(EMOTIONS, np.array([[1.0, 0.0], [0.0, 1.0]]), now.pts_ms, now.shown_ms, now.shot,
                         np.array([True, True]))  # fmt: skip
    found = checks_of(sample(ANN), now, faces(*at), corrected, faces(*at))
    assert found.said[1].tolist() == [200.0, 0.0]
    assert found.sure is not None
    assert found.sure.tolist() == [200.0, 200.0]


def test_what_people_differ_about_is_not_sure_and_what_cannot_be_read_is_not_open() -> None:
    """Of six drawings one is unclear to all, two are disputed, one is somebody else's, and of two nobody spoke."""
    at = (0, 200, 400, 5_000, 1_000, 1_200)
    now = readings(*at)
    told = Readings(EMOTIONS, now.probabilities, now.pts_ms, now.shown_ms, now.shot, np.array([True] * 2 + [False] * 4))
    left = Faces(np.array(at) + 100, np.full(6, 200), np.array([True] * 3 + [False] * 3))
    one: Answers = {0: ((0, 400, "happy"), (400, 1_000, "unclear")), 2: ANN[2]}
    other: Answers = {0: ((0, 400, "sad"), (400, 1_000, "unclear")), 2: ANN[2]}
    found = checks_of(sample(one, other), now, faces(*at), told, left)
    assert found.sure is not None
    assert found.sure.tolist() == [0.0, 0.0]
    assert found.open_ms == 600.0 + 400.0
    alone = checks_of(sample(one), now, faces(*at), told, left)
    assert alone.sure is not None
    assert (alone.sure.tolist(), alone.open_ms) == ([400.0, 0.0], 600.0)


def test_the_main_label_is_that_of_most_time() -> None:
    assert main_label(((0, 400, "happy"), (400, 1_000, "unclear"))) == "unclear"


def test_pieces_are_never_crumbs() -> None:
    assert pieces_of(0, 3_000, [100, 1_000, 1_300, 2_700]) == ((0, 1_000), (1_000, 3_000))
    assert pieces_of(0, 300, [150]) == ((0, 300),)


def statement(**changes: object) -> Statement:
    values = {"start_ms": 0, "end_ms": 1_000, "subject": "tom", "box": None, "says": Says.CHARACTER,
              "character": "tom", "emotion": "sad", **changes}  # fmt: skip
    return Statement(**values)  # type: ignore[arg-type]


def test_of_several_faces_the_box_means_the_nearest() -> None:
    seen = [
        Seen(0, 100, None, (0, 0, 40, 40)),
        Seen(0, 100, "tom", (50, 0, 90, 40)),
        Seen(0, 100, None, (8, 8, 48, 48)),
    ]
    asked = statement(subject=None, box=(0.0, 0.0, 0.4, 0.4))
    assert list(tell(seen, [asked], (100, 100))) == [0]
    assert tell(seen, [statement(subject=None, box=(0.6, 0.6, 0.9, 0.9))], (100, 100)) == {}


def test_a_drawing_belongs_to_the_stretch_that_holds_its_middle() -> None:
    seen = [Seen(900, 400, "tom", (0, 0, 9, 9))]
    assert tell(seen, [statement()], (9, 9)) == {}
    assert tell(seen, [statement(start_ms=1_000, end_ms=1_200)], (9, 9))[0].known is Emotion.SAD


def test_the_last_statement_counts() -> None:
    seen = [Seen(0, 100, "tom", (0, 0, 9, 9))]
    assert tell(seen, [statement(), statement(emotion="happy")], (9, 9))[0].known is Emotion.HAPPY


def test_clashes() -> None:
    assert clash(statement(), statement(start_ms=999, end_ms=2_000))
    assert not clash(statement(), statement(start_ms=1_000, end_ms=2_000))
    assert not clash(statement(), statement(subject="jerry"))
    left, right = statement(box=(0.0, 0.0, 0.4, 1.0)), statement(box=(0.5, 0.0, 1.0, 1.0))
    assert not clash(left, right)
    assert clash(left, statement())
