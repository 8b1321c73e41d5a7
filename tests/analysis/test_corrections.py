"""What people say of faces is laid over every run, and ratings follow in the right direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction

from analysis.errors import CorrectionInvalid, CorrectionOverlaps, CorrectionWithdrawn, NotAnalysed, RunBusy
from analysis.models import AnalysisRun, Audit, Correction, EmotionProfile, FaceDetection, Publication
from analysis.selectors.timelines import timeline_of
from analysis.services import corrections
from analysis.services.auditing import audit_run
from analysis.services.corrections import CorrectionRequest, correction_add, correction_withdraw
from analysis.services.publishing import run_publish
from catalog.models import Episode
from ml.types import Emotion
from tests.analysis import world
from tests.analysis.world import Mood

pytestmark = pytest.mark.django_db

MOODS: Mapping[str | None, Sequence[Mood]] = {
    "tom": [(3_000, 30_000, Emotion.ANGRY), (30_000, 57_000, Emotion.HAPPY)],
    "jerry": [(3_000, 57_000, Emotion.NEUTRAL)],
    None: [(12_000, 15_000, Emotion.SAD)],
}


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ann", is_staff=True)


@pytest.fixture
def episode() -> Episode:
    episode = world.make_episode(world.make_series(), 1, "The Missing Cheese")
    world.analyse(episode, MOODS)
    return episode


def request(start_ms: int = 6_000, end_ms: int = 9_000, **changes: Any) -> CorrectionRequest:
    values: dict[str, Any] = {"subject": "tom", "character": "tom", "emotion": "sad", **changes}
    return CorrectionRequest(start_ms, end_ms, **values)


def shown(episode: Episode, slug: str = "tom") -> EmotionProfile:
    run = Publication.objects.get(episode=episode, withdrawn_at__isnull=True).run
    return EmotionProfile.objects.get(run=run, character__slug=slug)


def share(episode: Episode, emotion: str, slug: str = "tom") -> float:
    return float(shown(episode, slug).shares[emotion]["share"])


def add(episode: Episode, person: User, **values: Any) -> Correction:
    return correction_add(episode=episode, actor=person, asked=request(**values))


def test_a_correction_moves_shares_the_right_way_and_detections_stay(episode: Episode, person: User) -> None:
    before = {e: share(episode, e) for e in ("angry", "sad", "happy")}
    faces = list(FaceDetection.objects.order_by("pk").values_list("pk", "character_id", "emotion", "angry", "sad"))
    add(episode, person)
    after = {e: share(episode, e) for e in before}
    assert after["sad"] == pytest.approx(before["sad"] + 3 / 54, abs=0.01)
    assert after["angry"] < before["angry"]
    assert after["happy"] == pytest.approx(before["happy"], abs=1e-3)
    assert shown(episode).details["known_ms"] == 3_000
    assert (
        list(FaceDetection.objects.order_by("pk").values_list("pk", "character_id", "emotion", "angry", "sad")) == faces
    )
    assert audit_run(AnalysisRun.objects.get()).equal


def test_a_correction_does_not_spread_to_its_neighbours(episode: Episode, person: User) -> None:
    def spans(run: AnalysisRun) -> list[tuple[int, int, str]]:
        lane = next(x for x in timeline_of(run, 60_000).known if x.character and x.character.slug == "tom")
        return [(s.start_ms, s.end_ms, s.emotion) for s in lane.spans]

    add(episode, person)
    run = AnalysisRun.objects.get()
    assert spans(run) == [(3_000, 6_000, "angry"), (6_000, 9_000, "sad"), (9_000, 30_000, "angry"),
                          (30_000, 57_000, "happy")]  # fmt: skip
    assert list(run.spans.filter(emotion="sad").values_list("start_ms", "end_ms", "strength")) == [(6_000, 9_000, 1.0)]


def test_a_timeline_takes_no_more_queries_where_nothing_was_corrected(
    episode: Episode, person: User, django_assert_num_queries: Any
) -> None:
    for queries in (3, 7):
        run = AnalysisRun.objects.get()
        with django_assert_num_queries(queries):
            timeline_of(run, 60_000)
        if queries == 3:
            add(episode, person)


def test_withdrawing_brings_back_exactly_what_was(episode: Episode, person: User) -> None:
    before = shown(episode).shares
    row = add(episode, person)
    assert shown(episode).shares != before
    correction_withdraw(correction=row, actor=person)
    assert shown(episode).shares == before
    assert AnalysisRun.objects.get().layer == ""
    with pytest.raises(CorrectionWithdrawn):
        correction_withdraw(correction=row, actor=person)
    actions = list(
        Audit.objects.filter(object_type="analysis.correction").order_by("pk").values_list("action", "actor")
    )
    assert actions == [("correction.add", person.pk), ("correction.withdraw", person.pk)]


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"character": "jerry", "emotion": ""}, {"tom": -3_000, "jerry": 0}),  # a moment of one face counts once
        ({"says": "nobody", "character": None, "emotion": ""}, {"tom": -3_000, "jerry": 0}),
        ({"says": "no_face", "character": None, "emotion": ""}, {"tom": -3_000, "jerry": 0}),
        ({"emotion": "unclear"}, {"tom": 0, "jerry": 0}),
    ],
)
def test_who_it_is_and_whether_it_can_be_read(
    episode: Episode, person: User, changes: dict[str, Any], moved: dict[str, int]
) -> None:
    visible = {slug: shown(episode, slug).visible_ms for slug in moved}
    readable = shown(episode).readable_ms
    add(episode, person, **changes)
    assert {slug: shown(episode, slug).visible_ms - visible[slug] for slug in moved} == moved
    assert shown(episode).readable_ms == readable - 3_000
    assert audit_run(AnalysisRun.objects.get()).equal


def test_a_face_of_nobody_is_named_by_its_place(episode: Episode, person: User) -> None:
    """The stranger stands third from the left; Tom and Jerry are left alone."""
    run = AnalysisRun.objects.get()
    box = (240 / 640, 30 / 360, 350 / 640, 150 / 360)
    add(episode, person, start_ms=12_000, end_ms=15_000, subject=None, box=box, character="pip", emotion="")
    pip = EmotionProfile.objects.get(run=run, character__slug="pip")
    assert pip.visible_ms == 3_000
    assert pip.shares["sad"]["raw"] > 0.8
    assert shown(episode).visible_ms == 54_000
    assert timeline_of(AnalysisRun.objects.get(), 60_000).unknown is None


def test_every_run_keeps_it(episode: Episode, person: User) -> None:
    """Another bundle, so another fingerprint, that reads other faces; and the first run is gone."""
    add(episode, person)
    first = AnalysisRun.objects.get()
    world.make_bundle("2")
    other: dict[str | None, Sequence[Mood]] = {**MOODS, "tom": [(3_000, 57_000, Emotion.SCARED)]}
    second = world.analyse(episode, other, bundle="toonemo-2")
    assert second.fingerprint != first.fingerprint
    run_publish(run=second, actor=person)
    assert share(episode, "sad") == pytest.approx(3 / 54, abs=0.01)
    assert share(episode, "angry") < 0.02
    first.delete()
    assert Correction.objects.filter(withdrawn_at__isnull=True).count() == 1
    assert audit_run(second).equal


def test_a_run_that_is_shown_again_has_what_was_corrected_since(episode: Episode, person: User) -> None:
    first = AnalysisRun.objects.get()
    world.make_bundle("2")
    second = world.analyse(episode, MOODS, bundle="toonemo-2")
    run_publish(run=second, actor=person)
    add(episode, person)
    assert EmotionProfile.objects.get(run=first, character__slug="tom").shares["sad"]["share"] < 0.03
    run_publish(run=first, actor=person)
    assert share(episode, "sad") > 0.05
    assert shown(episode).run == first


def test_a_run_that_already_reads_what_was_said_changes_nothing(episode: Episode, person: User) -> None:
    """The face that the first run took for Tom's is Jerry's; the second run knows that. What it shows is kept."""
    run = AnalysisRun.objects.get()
    FaceDetection.objects.filter(run=run, character__slug="jerry").delete()
    add(episode, person, character="jerry", emotion="sad")
    world.make_bundle("2")
    moods: dict[str | None, Sequence[Mood]] = {"jerry": MOODS["tom"]}
    run_publish(run=world.analyse(episode, moods, bundle="toonemo-2"))
    assert share(episode, "sad", "jerry") == pytest.approx(3 / 54, abs=0.01)


def test_a_forgotten_layer_is_noticed(episode: Episode, person: User) -> None:
    add(episode, person)
    AnalysisRun.objects.update(layer="")
    (difference,) = audit_run(AnalysisRun.objects.get()).differences
    assert difference.what == "run: layer of corrections"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start_ms": 9_000, "end_ms": 9_000}, "no stretch"),
        ({"end_ms": 60_001}, "no stretch"),
        ({"subject": None}, "whose face"),
        ({"subject": "spike"}, "slug spike"),
        ({"character": None}, "Name a character"),
        ({"says": "nobody"}, "Name a character"),
        ({"says": "ghost"}, "not ghost"),
        ({"emotion": "bored"}, "not bored"),
        ({"emotion": ""}, "read already"),
        ({"says": "no_face", "character": None}, "no emotion"),
        ({"box": (0.5, 0.0, 0.4, 1.0)}, "x1 < x2"),
        ({"box": (0.0, 0.0, float("nan"), 1.0)}, "x1 < x2"),
        ({"start_ms": 58_000, "end_ms": 59_000}, "nothing would change"),
    ],
)
def test_what_makes_no_sense_is_refused(episode: Episode, person: User, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CorrectionInvalid, match=words):
        add(episode, person, **changes)
    assert not Correction.objects.exists()


def test_an_episode_that_shows_nothing_cannot_be_corrected(person: User) -> None:
    with pytest.raises(NotAnalysed):
        add(world.make_episode(world.make_series(), 2, "Nothing yet"), person)


def test_two_of_one_face_and_time_are_refused_by_code_and_database(episode: Episode, person: User) -> None:
    row = add(episode, person)
    with pytest.raises(CorrectionOverlaps, match=f"Correction {row.pk}"):
        add(episode, person, start_ms=8_999, end_ms=12_000)
    add(episode, person, start_ms=9_000, end_ms=12_000)
    add(episode, person, subject="jerry", character="jerry")
    with pytest.raises(IntegrityError, match="correction_no_overlap"), transaction.atomic():
        Correction.objects.create(
            episode=episode, source_sha256=row.source_sha256, start_ms=7_000, end_ms=8_000, subject=row.subject,
            character=row.character, emotion="happy", made_by=person,
        )  # fmt: skip


def test_history_is_never_rewritten(episode: Episode, person: User) -> None:
    row = add(episode, person)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Correction.objects.filter(pk=row.pk).update(emotion="happy")


def test_a_run_that_is_busy_leaves_nothing_half_done(
    episode: Episode, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "run_finalise", lambda pk, again: None)
    with pytest.raises(RunBusy):
        add(episode, person)
    assert not Correction.objects.exists()
    assert not Audit.objects.filter(action="correction.add").exists()
