"""Guess the feeling: clear moments only, nothing that limits hide, nothing kept."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from analysis.limits import NO_LIMITS, limits_parse
from analysis.models import Correction, EmotionSpan, ModelBundle
from analysis.quiz import Candidate, Game, choices, game_of, pick
from analysis.selectors.quiz import asked, candidates
from catalog.models import Character, Episode
from ml.types import EMOTIONS, Emotion
from tests.analysis import world
from tests.analysis.limits.browser import limited
from tests.analysis.test_pages import read

CALIBRATED = {"name": "toonemo", "calibration": {"emotion_temperature": 0.7}}


@pytest.fixture
def episode() -> Episode:
    """60 s: Tom is angry, then sad, then happy; Jerry is neutral."""
    world.make_bundle()
    ModelBundle.objects.update(card=CALIBRATED)
    found = world.make_episode(world.make_series(), 1, "Three moods")
    tom = [(3_000, 21_000, Emotion.ANGRY), (21_000, 39_000, Emotion.SAD), (39_000, 60_000, Emotion.HAPPY)]
    world.analyse(found, {"tom": tom, "jerry": [(3_000, 60_000, Emotion.NEUTRAL)]})
    return found


def start(client: Client) -> tuple[str, list[int]]:
    answer = client.get("/quiz/?start=1")
    assert (answer.status_code, dict(answer.cookies)) == (302, {})
    (token,) = parse_qs(urlsplit(answer["Location"]).query)["game"]
    return answer["Location"], signing.loads(token, salt="toonemo.quiz")[0]


@pytest.mark.django_db
def test_a_game_is_played_to_its_end_and_leaves_nothing(client: Client, episode: Episode) -> None:
    address, spans = start(client)
    assert len(set(spans)) == 5
    moods = dict(EmotionSpan.objects.values_list("pk", "emotion"))
    assert set(Counter(moods[pk] for pk in spans).values()) <= {1, 2}
    for number, pk in enumerate(spans):
        with CaptureQueriesContext(connection) as queries:
            page = read(client, address)
        assert "How does Tom feel?" in page
        assert f'name="answer" value="{moods[pk]}"' in page
        assert page.count('class="answer"') == 4
        assert not [q for q in queries if not q["sql"].startswith("SELECT")]
        given = moods[pk] if number != 2 else "surprised"
        told = read(client, f"{address}&answer={given}")
        assert ("Yes! Tom looks" in told) is (number != 2)
        assert "it can be wrong" in told
        assert re.search(rf"/episodes/{episode.pk}/\?t=[\d.]+#player", told)
        address = re.findall(r'class="button big" href="([^"]+)"', told)[0]
    assert "4 of 5 as the drawings show it." in read(client, address)
    assert not client.cookies


@pytest.mark.django_db
def test_limits_hide_their_moments(client: Client, episode: Episode) -> None:
    address, spans = start(client)
    limited(client, "angry<=1%")
    assert "There is nothing to guess yet" in read(client, "/quiz/?start=1")
    gone = read(client, address)
    assert "This picture may not be shown now" in gone
    assert "Three moods" not in gone
    assert asked(spans[0], limits_parse("angry<=1%")) is None
    following = re.findall(r'href="(/quiz/[^"]+)">Go on', gone)[0]
    assert signing.loads(parse_qs(urlsplit(following).query)["game"][0], salt="toonemo.quiz")[1] == "-"


@pytest.mark.django_db
def test_only_what_is_sure_or_was_checked_is_asked(client: Client, episode: Episode) -> None:
    assert {c.emotion for c in candidates(NO_LIMITS)} == {"angry", "sad", "happy"}
    ModelBundle.objects.update(card={"name": "toonemo"})
    assert candidates(NO_LIMITS) == [], "a bundle that is not calibrated is never sure"
    first, second = EmotionSpan.objects.filter(emotion="angry").order_by("start_ms")[:2]
    tom, ann = Character.objects.get(slug="tom"), User.objects.create_user("ann")
    for span, emotion in ((first, "angry"), (second, "disgusted")):
        Correction.objects.create(
            episode=episode, source_sha256=episode.source.sha256, start_ms=span.start_ms, end_ms=span.end_ms,  # type: ignore[union-attr]
            subject=tom, says="character", character=tom, emotion=emotion, made_by=ann,
        )  # fmt: skip
    (found,) = candidates(NO_LIMITS)
    assert (found.span_id, found.checked) == (first.pk, True)
    question = asked(first.pk, NO_LIMITS)
    assert question is not None
    assert question.checked
    ModelBundle.objects.update(card=CALIBRATED)
    ids = {c.span_id for c in candidates(NO_LIMITS)}
    assert first.pk in ids
    assert second.pk not in ids, "people say something else of it"
    EmotionSpan.objects.update(strength=0.9)
    assert candidates(NO_LIMITS) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "game",
    ["", "x", "a:b:c", signing.dumps([[1], ""]), "\u0660" * 2_000],
    ids=["empty", "no signature", "wrong signature", "other form", "digits of no number"],
)
def test_an_address_that_was_made_up_is_refused(client: Client, game: str) -> None:
    answer = client.get("/quiz/", {"game": game})
    assert answer.status_code == 400
    assert "This game cannot be read" in answer.content.decode()
    assert client.post("/quiz/").status_code == 405


@pytest.mark.django_db
def test_a_moment_that_is_gone_is_passed_over(client: Client, episode: Episode) -> None:
    game = signing.dumps([[999_999_999], ""], salt="toonemo.quiz")
    assert "may not be shown now" in read(client, f"/quiz/?game={game}")
    over = signing.dumps([[999_999_999], "-"], salt="toonemo.quiz")
    assert "There was nothing to guess" in read(client, f"/quiz/?game={over}")


def test_feelings_take_turns_and_what_was_checked_comes_first() -> None:
    many = [Candidate(n, n % 7, "happy", checked=False) for n in range(100)]
    few = [Candidate(200, 1, "sad", checked=False), Candidate(201, 1, "angry", checked=False)]
    checked = [Candidate(300, 2, "happy", checked=True)]
    for seed in range(20):
        found = pick([*many, *few, *checked], seed)
        assert len(set(found)) == 5
        assert {200, 201, 300} <= set(found)
    assert pick([], 1) == []
    assert sorted(pick(few, 1)) == [200, 201]
    assert pick(many, 3) == pick(many, 3)


@given(st.sampled_from(EMOTIONS), st.sets(st.sampled_from(EMOTIONS)), st.integers(), st.sampled_from([None, *EMOTIONS]))
def test_the_right_word_is_offered_and_no_unfair_one(
    emotion: Emotion, modelled: set[Emotion], seed: int, second: Emotion | None
) -> None:
    found = choices(emotion, modelled, seed, second)
    assert emotion in found
    assert len(found) == len(set(found)) <= 4
    assert all(e == emotion or (e in modelled and e != second and e is not Emotion.NEUTRAL) for e in found)


def test_a_game_is_written_and_read() -> None:
    game = Game((5, 3, 9)).told("y").told("-")
    assert game_of(game.to_list()) == game
    assert (game.number, game.right, game.answered, game.over) == (3, 1, 1, False)
    for wrong in (
        None,
        [],
        [[], ""],
        [[1], "yy"],
        [[1], "x"],
        [["1"], ""],
        [[0], ""],
        [[2**70], ""],
        [list(range(1, 99)), ""],
    ):
        assert game_of(wrong) is None
