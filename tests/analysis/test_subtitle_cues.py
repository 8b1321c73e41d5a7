"""When which line stands on the screen: exact, steady, never two cues at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.selectors.timelines import LaneSpan, Reading, lane_spans
from analysis.subtitles.cues import Cue, cues_of, edges_of
from analysis.subtitles.lines import BRIDGE_MS, LEAST_MS, Line, lines_of, stays
from ml.types import UNCLEAR

Drawn = tuple[int, int, str]


@dataclass(frozen=True)
class Part:
    """A character of a made-up episode: each face with what it shows, and the spans that the timeline makes of it."""

    who: str
    faces: tuple[Drawn, ...]

    @property
    def drawings(self) -> list[tuple[int, int]]:
        return [(start, end) for start, end, _ in self.faces]

    @property
    def spans(self) -> tuple[LaneSpan, ...]:
        return lane_spans(Reading(start, end, emotion, 0.9) for start, end, emotion in self.faces)

    def lines(self, cuts_ms: Sequence[int] = ()) -> list[Line]:
        return lines_of(self.who, self.spans, self.drawings, cuts_ms)


def drawn(who: str, *moods: tuple[int, int, str], every_ms: int = 100) -> Part:
    """Faces of ``every_ms`` that show what ``moods`` say; the last of a mood may be shorter."""
    faces = [(t, min(t + every_ms, end), mood) for start, end, mood in moods for t in range(start, end, every_ms)]
    return Part(who, tuple(faces))


def cues(*parts: Part, cuts_ms: Sequence[int] = ()) -> tuple[Cue, ...]:
    lines = [line for part in parts for line in part.lines(cuts_ms)]
    return cues_of(lines, edges_of(drawing for part in parts for drawing in part.drawings))


def said(found: Sequence[Cue]) -> list[tuple[int, int, str]]:
    return [(c.start_ms, c.end_ms, ", ".join(f"{line.who} {line.emotion}" for line in c.lines)) for c in found]


def spans_of(*moods: tuple[int, int, str]) -> list[LaneSpan]:
    return [LaneSpan(start, end, mood, 0.9) for start, end, mood in moods]


def test_a_line_begins_and_ends_with_the_drawings_that_show_it() -> None:
    tom = drawn("tom", (1_003, 2_917, "angry"), (2_917, 4_001, "sad"), every_ms=41)
    assert said(cues(tom)) == [(1_003, 2_917, "tom angry"), (2_917, 4_001, "tom sad")]


def test_what_is_too_short_to_be_read_is_left_out() -> None:
    tom = drawn("tom", (0, LEAST_MS - 1, "angry"), (3_000, 3_000 + LEAST_MS, "sad"))
    assert said(cues(tom)) == [(3_000, 3_500, "tom sad")]


def test_an_emotion_that_is_lost_for_a_moment_goes_on() -> None:
    away = drawn("tom", (0, 1_000, "happy"), (1_000 + BRIDGE_MS, 3_000, "happy"))
    other = drawn("tom", (0, 1_000, "happy"), (1_000, 1_000 + BRIDGE_MS, "neutral"), (1_400, 3_000, "happy"))
    assert said(cues(away)) == said(cues(other)) == [(0, 3_000, "tom happy")]
    longer = drawn("tom", (0, 1_000, "happy"), (1_001 + BRIDGE_MS, 3_000, "happy"))
    assert said(cues(longer)) == [(0, 1_000, "tom happy"), (1_401, 3_000, "tom happy")]


def test_spans_that_alternate_give_one_cue() -> None:
    moods = [(t, t + 40, ("happy", "sad")[n % 2]) for n, t in enumerate(range(0, 2_000, 40))]
    lines = lines_of("tom", spans_of(*moods), [(a, b) for a, b, _ in moods], ())
    assert said(cues_of(lines)) == [(0, 1_960, "tom happy")]


def test_of_emotions_that_alternate_the_one_that_is_shown_longer_stays() -> None:
    moods = [(t, t + length, mood) for at in range(0, 3_000, 500)
             for t, length, mood in [(at, 200, "happy"), (at + 200, 300, "sad")]]  # fmt: skip
    lines = lines_of("tom", spans_of(*moods), [(a, b) for a, b, _ in moods], ())
    assert said(cues_of(lines)) == [(200, 3_000, "tom sad")]


def test_an_emotion_keeps_what_lies_before_and_after_one_that_won() -> None:
    moods = [(0, 600, "sad"), (600, 1_600, "happy"), (1_600, 1_800, "sad"), (1_800, 3_000, "happy"),
             (3_000, 3_700, "sad")]  # fmt: skip
    lines = lines_of("tom", spans_of(*moods), [(0, 3_700)], ())
    assert said(cues_of(lines)) == [(0, 600, "tom sad"), (600, 3_000, "tom happy"), (3_000, 3_700, "tom sad")]


def test_how_sure_a_line_is_goes_by_time_and_leaves_gaps_out() -> None:
    spans = [LaneSpan(0, 1_000, "happy", 0.5), LaneSpan(1_300, 1_600, "happy", 0.9)]
    (line,) = lines_of("tom", spans, [(0, 1_600)], ())
    assert line.sure == pytest.approx((0.5 * 1_000 + 0.9 * 300) / 1_300)


def test_a_line_ends_at_a_cut_where_the_face_is_gone_for_a_moment() -> None:
    tom = drawn("tom", (0, 2_000, "happy"), (2_200, 4_000, "happy"))
    assert said(cues(tom)) == [(0, 4_000, "tom happy")]
    for cut in (2_000, 2_100, 2_200):
        assert said(cues(tom, cuts_ms=[cut])) == [(0, 2_000, "tom happy"), (2_200, 4_000, "tom happy")]
    assert said(cues(tom, cuts_ms=[1_900, 2_300])) == [(0, 4_000, "tom happy")]


def test_a_line_goes_on_over_a_cut_where_the_face_stays() -> None:
    tom = drawn("tom", (0, 4_000, "happy"))
    assert said(cues(tom, cuts_ms=[1_000, 2_000, 2_050])) == [(0, 4_000, "tom happy")]
    assert stays(tom.drawings, [1_000, 2_000, 2_050]) == [(0, 4_000)]


def test_several_characters_are_lines_of_one_cue_in_an_order_that_stays() -> None:
    jerry = drawn("jerry", (0, 3_000, "happy"))
    tom = drawn("tom", (1_000, 2_000, "angry"), (4_000, 5_000, "sad"))
    assert said(cues(jerry, tom)) == [
        (0, 1_000, "jerry happy"),
        (1_000, 2_000, "jerry happy, tom angry"),
        (2_000, 3_000, "jerry happy"),
        (4_000, 5_000, "tom sad"),
    ]
    assert said(cues(tom, jerry))[1] == (1_000, 2_000, "tom angry, jerry happy")


def test_two_that_come_almost_together_come_together() -> None:
    assert said(cues(drawn("tom", (0, 3_000, "sad")), drawn("jerry", (100, 3_000, "happy")))) == [
        (100, 3_000, "tom sad, jerry happy")
    ]


def test_nobody_blinks_where_another_goes_and_comes_again_at_once() -> None:
    pip = drawn("pip", (0, 4_000, "happy"))
    tom = drawn("tom", (0, 2_000, "angry"), (2_000, 2_200, "scared"), (2_200, 4_000, "sad"))
    assert said(cues(pip, tom)) == [
        (0, 1_700, "pip happy, tom angry"),
        (1_700, 2_200, "pip happy"),
        (2_200, 4_000, "pip happy, tom sad"),
    ]


def test_one_after_the_other_without_a_third_both_are_exact() -> None:
    found = cues(drawn("tom", (0, 2_000, "angry")), drawn("jerry", (2_040, 4_000, "sad"), every_ms=40))
    assert said(found) == [(0, 2_000, "tom angry"), (2_040, 4_000, "jerry sad")]


def test_of_two_that_cannot_both_be_shown_whole_the_one_that_comes_is_in_time() -> None:
    found = cues(drawn("tom", (0, 2_300, "angry")), drawn("jerry", (2_000, 4_000, "sad")))
    assert said(found) == [(0, 2_000, "tom angry"), (2_000, 4_000, "jerry sad")]


def test_nothing_gives_no_cue() -> None:
    assert cues() == ()
    assert cues(Part("tom", ())) == ()
    assert cues_of([], [0, 40, 80]) == ()


MOODS = ("happy", "sad", "neutral", UNCLEAR)
LENGTHS = st.sampled_from([33, 40, 41, 42, 83, 125, 200, 250, 700])
GAPS = st.sampled_from([0, 0, 0, 0, 1, 40, 300, 401, 900])


STRETCHES = st.lists(st.tuples(LENGTHS, GAPS, st.sampled_from(MOODS), st.integers(1, 12)), max_size=9)


def part(who: str, first_ms: int, stretches: Sequence[tuple[int, int, str, int]]) -> Part:
    """Stretches of so many drawings of one length and mood, each followed by a gap."""
    at, faces = first_ms, []
    for length, gap, mood, times in stretches:
        faces += [(at + n * length, at + (n + 1) * length, mood) for n in range(times)]
        at += times * length + gap
    return Part(who, tuple(faces))


def parts(who: str) -> st.SearchStrategy[Part]:
    return st.builds(part, st.just(who), st.integers(0, 400), STRETCHES)


CASTS = st.tuples(parts("tom"), parts("jerry"), parts("pip"))
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CUTS = st.lists(st.integers(0, 12_000), max_size=6).map(sorted)


@QUICK
@given(CASTS, CUTS)
def test_cues_never_overlap_and_last_long_enough_and_begin_and_end_with_a_drawing(
    cast: tuple[Part, ...], cuts: list[int]
) -> None:
    edges = set(edges_of(drawing for part in cast for drawing in part.drawings))
    found = cues(*cast, cuts_ms=cuts)
    for cue in found:
        assert cue.end_ms - cue.start_ms >= LEAST_MS
        assert {cue.start_ms, cue.end_ms} <= edges
        assert [line.who for line in cue.lines] == [p.who for p in cast if p.who in {line.who for line in cue.lines}]
        assert cue.lines
    for one, other in itertools.pairwise(found):
        assert one.end_ms <= other.start_ms
        assert one.end_ms < other.start_ms or one.lines != other.lines


@QUICK
@given(CASTS, CUTS)
def test_a_cue_says_only_what_the_faces_show_throughout_it(cast: tuple[Part, ...], cuts: list[int]) -> None:
    of = {part.who: part for part in cast}
    for cue in cues(*cast, cuts_ms=cuts):
        for line in cue.lines:
            assert line.start_ms <= cue.start_ms
            assert cue.end_ms <= line.end_ms
            own = [(a, b) for a, b, mood in of[line.who].faces
                   if mood == line.emotion and line.start_ms <= a and b <= line.end_ms]  # fmt: skip
            assert (own[0][0], own[-1][1]) == (line.start_ms, line.end_ms)
            assert all(b[0] - a[1] <= BRIDGE_MS for a, b in itertools.pairwise(own))
            whole = of[line.who].drawings
            for cut in cuts:
                if line.start_ms < cut < line.end_ms:
                    gone = max(b for a, b in whole if a < cut)
                    back = min(a for a, b in whole if b > cut)
                    assert back <= gone, "the character was gone at the cut"


@QUICK
@given(CASTS, CUTS)
def test_a_line_that_goes_does_not_come_back(cast: tuple[Part, ...], cuts: list[int]) -> None:
    found = cues(*cast, cuts_ms=cuts)
    for line in {line for cue in found for line in cue.lines}:
        shown = [cue for cue in found if line in cue.lines]
        assert all(a.end_ms == b.start_ms for a, b in itertools.pairwise(shown))


@QUICK
@given(CASTS, CUTS)
def test_a_line_is_shown_unless_others_crowd_it_out(cast: tuple[Part, ...], cuts: list[int]) -> None:
    """Alone it is shown exactly; among others it is there when it lasts, and what is lost at its ends is short."""
    lines = [line for part in cast for line in part.lines(cuts)]
    found = cues(*cast, cuts_ms=cuts)
    for line in lines:
        shown = [cue for cue in found if line in cue.lines]
        others = [o for o in lines if o is not line and o.start_ms < line.end_ms + 2_000
                  and o.end_ms > line.start_ms - 2_000]  # fmt: skip
        if not others:
            assert [(c.start_ms, c.end_ms) for c in shown] == [(line.start_ms, line.end_ms)]
        if line.end_ms - line.start_ms >= 4 * LEAST_MS:
            assert shown


@QUICK
@given(parts("tom"), CUTS)
def test_a_character_alone_is_shown_exactly(tom: Part, cuts: list[int]) -> None:
    assert said(cues(tom, cuts_ms=cuts)) == [
        (line.start_ms, line.end_ms, f"tom {line.emotion}") for line in tom.lines(cuts)
    ]
