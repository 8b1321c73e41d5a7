"""People check a random sample of shots, and the rating becomes a checked one: services, API and pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import Client

from analysis.errors import AnswerInvalid, CertificationOpen, CertificationUnknown, SampleImpossible
from analysis.models import AnalysisRun, Audit, Certification, CertificationAnswer, EmotionProfile, Publication
from analysis.selectors.certify import certifications_of, question_next
from analysis.selectors.profiles import rating_of
from analysis.services.auditing import audit_run
from analysis.services.certify import certification_answer, certification_start, certification_withdraw
from analysis.services.corrections import CorrectionRequest, correction_add
from analysis.services.publishing import run_publish
from catalog.models import Episode
from ml.types import Emotion
from tests.analysis import world
from tests.analysis.test_pages import read
from tests.analysis.world import Mood
from tests.tokens import bearer

pytestmark = pytest.mark.django_db

DURATION = 150_000  # 49 story shots of 3 s
MOODS: Mapping[str | None, Sequence[Mood]] = {
    "tom": [(3_000, 90_000, Emotion.ANGRY), (90_000, 147_000, Emotion.HAPPY)],
    "jerry": [(3_000, 12_000, Emotion.NEUTRAL)],
}
Truth = Callable[[int], str]


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", is_staff=True)


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", is_staff=True)


@pytest.fixture
def episode() -> Episode:
    episode = world.make_episode(world.make_series(), 1, "The Missing Cheese", DURATION)
    world.analyse(episode, MOODS)
    return episode


def as_read(start_ms: int) -> str:
    return "angry" if start_ms < 90_000 else "happy"


def start(episode: Episode, actor: User, shots: int = 20, seed: int = 5) -> Certification:
    return certification_start(episode=episode, actor=actor, character="tom", shots=shots, seed=seed)


def answer_all(row: Certification, actor: User, truth: Truth = as_read) -> None:
    for place in row.picked:
        begin, end = row.frame[place]
        certification_answer(certification=row, actor=actor, place=place, pieces=[(begin, end, truth(begin))])


def tom(episode: Episode) -> EmotionProfile:
    run = Publication.objects.get(episode=episode, withdrawn_at__isnull=True).run
    return EmotionProfile.objects.get(run=run, character__slug="tom")


def widths(profile: EmotionProfile) -> float:
    return float(sum(e["high"] - e["low"] for e in profile.shares.values())) / len(profile.shares)


def test_a_sample_is_fixed_before_anybody_answers(episode: Episode, ann: User) -> None:
    row = start(episode, ann)
    assert len(row.frame) == 48
    assert row.frame[0] == [3_000, 6_000]
    assert len(set(row.picked)) == 20
    assert Audit.objects.filter(action="certification.start", actor=ann, object_id=row.pk).exists()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Certification.objects.filter(pk=row.pk).update(picked=list(range(20)))
    with pytest.raises(CertificationOpen):
        start(episode, ann)
    place = next(p for p in range(48) if p not in row.picked)
    with pytest.raises(AnswerInvalid, match="nobody picks"):
        certification_answer(certification=row, actor=ann, place=place, pieces=[(0, 1, "sad")])


def test_the_rating_is_narrower_marked_and_audited_once_all_is_answered(episode: Episode, ann: User) -> None:
    before = tom(episode)
    row = start(episode, ann)
    for place in row.picked[:-1]:
        begin, end = row.frame[place]
        certification_answer(certification=row, actor=ann, place=place, pieces=[(begin, end, as_read(begin))])
    assert tom(episode).shares == before.shares  # a part of a sample changes nothing
    answer_all(row, ann)
    after = tom(episode)
    checked = rating_of(after).checked
    assert checked is not None
    assert (checked.shots, checked.of, checked.people, checked.applied, checked.wider) == (20, 48, 1, True, False)
    assert checked.power == pytest.approx(1.0, abs=0.05)
    assert widths(after) < 0.9 * widths(before)
    assert after.shares["angry"]["low"] <= 87 / 144 <= after.shares["angry"]["high"]
    assert after.shares["angry"]["share"] == pytest.approx(87 / 144, abs=0.02)
    assert audit_run(AnalysisRun.objects.get()).equal


def test_answers_move_the_share_of_all_shots_not_of_their_own_alone(episode: Episode, ann: User) -> None:
    """In each checked shot that is read as angry, Tom is sad: so he is in most of the others too."""
    answer_all(start(episode, ann), ann, lambda at: "sad" if at < 90_000 else "happy")
    shares = tom(episode).shares
    assert shares["sad"]["share"] > 0.5
    assert shares["angry"]["share"] < 0.15
    assert shares["sad"]["low"] > 0.3


def test_not_them_and_unclear_leave_the_denominator(episode: Episode, ann: User) -> None:
    answer_all(start(episode, ann), ann, lambda at: "not_them" if at < 90_000 else "happy")
    assert tom(episode).shares["happy"]["share"] > 0.8


def test_every_run_keeps_a_sample(episode: Episode, ann: User) -> None:
    """Another bundle reads everything wrong; the sample knows."""
    row = start(episode, ann)
    answer_all(row, ann)
    world.make_bundle("2")
    wrong: dict[str | None, Sequence[Mood]] = {"tom": [(3_000, 147_000, Emotion.SCARED)]}
    second = world.analyse(episode, wrong, bundle="toonemo-2")
    run_publish(run=second, actor=ann)
    AnalysisRun.objects.exclude(pk=second.pk).delete()
    after = tom(episode)
    assert after.run == second
    assert after.shares["angry"]["share"] == pytest.approx(87 / 144, abs=0.12)
    assert after.shares["scared"]["share"] < 0.1
    assert after.shares["scared"]["raw"] > 0.5
    assert audit_run(second).equal


def test_a_run_that_sees_much_more_is_not_covered_and_says_so(episode: Episode, ann: User) -> None:
    world.make_bundle("2")
    less: dict[str | None, Sequence[Mood]] = {"tom": [(3_000, 60_000, Emotion.ANGRY)]}
    second = world.analyse(episode, less, bundle="toonemo-2")
    run_publish(run=second, actor=ann)
    row = certification_start(episode=episode, actor=ann, character="tom", shots=10, seed=1)
    assert len(row.frame) == 19
    answer_all(row, ann)
    run_publish(run=AnalysisRun.objects.exclude(pk=second.pk).get(), actor=ann)
    checked = rating_of(tom(episode)).checked
    assert checked is not None
    assert not checked.applied
    assert tom(episode).details["checked"]["outside"] == pytest.approx(87 / 144, abs=0.02)


def test_a_run_that_sees_nobody_in_the_checked_shots_says_so(client: Client, episode: Episode, ann: User) -> None:
    row = certification_start(episode=episode, actor=ann, character="tom", shots=5, seed=1)
    answer_all(row, ann)
    checked = {row.frame[place][0] for place in row.picked}
    elsewhere = [(a, b, Emotion.ANGRY) for a, b in row.frame if a not in checked]
    world.make_bundle("2")
    run_publish(run=world.analyse(episode, {"tom": elsewhere}, bundle="toonemo-2"), actor=ann)
    found = rating_of(tom(episode)).checked
    assert found is not None
    assert not found.applied
    assert "Withdraw it and draw a new sample" in read(client, f"/episodes/{episode.pk}/")


def test_what_was_corrected_beside_the_sample_is_not_taken_for_a_part_of_it(episode: Episode, ann: User) -> None:
    """Twenty checked shots are right. Somebody who looked for mistakes found five; the rest is not wrong for that."""
    row = start(episode, ann)
    answer_all(row, ann)
    before = tom(episode).shares["sad"]
    free = [row.frame[place] for place in range(28) if place not in row.picked][:5]
    for begin, end in free:
        asked = CorrectionRequest(begin, end, subject="tom", character="tom", emotion="sad")
        correction_add(episode=episode, actor=ann, asked=asked)
    after = tom(episode).shares["sad"]
    assert before["share"] < 0.02
    assert after["share"] == pytest.approx(15 / 144, abs=0.01)  # no less than what is sure, and no more
    assert after["low"] == pytest.approx(15 / 144, abs=0.01)
    assert audit_run(AnalysisRun.objects.get()).equal


def test_what_was_corrected_before_the_sample_is_part_of_what_it_mends(episode: Episode, ann: User) -> None:
    asked = CorrectionRequest(3_000, 18_000, subject="tom", character="tom", emotion="sad")
    correction_add(episode=episode, actor=ann, asked=asked)
    answer_all(start(episode, ann, seed=8), ann, lambda at: "sad" if at < 18_000 else as_read(at))
    checked = rating_of(tom(episode)).checked
    assert checked is not None
    assert checked.power == pytest.approx(1.0, abs=0.05)
    assert tom(episode).shares["sad"]["share"] == pytest.approx(15 / 144, abs=0.02)


def test_the_audit_knows_whether_a_sample_is_that_of_its_seed(episode: Episode, ann: User) -> None:
    answer_all(start(episode, ann, shots=5, seed=5), ann)
    run = AnalysisRun.objects.get()
    found = audit_run(run)
    assert found.equal
    assert "Laid over what was detected: 0 corrections and 1 checked samples." in found.notes
    with connection.cursor() as cursor:  # the trigger refuses it to everybody else
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE analysis_certification DISABLE TRIGGER USER")
        cursor.execute("UPDATE analysis_certification SET seed = 6")
    assert [d.what for d in audit_run(run).differences] == ["sample of tom: picked"]


def test_withdrawing_a_sample_brings_back_what_was(episode: Episode, ann: User) -> None:
    before = tom(episode).shares
    row = start(episode, ann)
    answer_all(row, ann)
    assert tom(episode).shares != before
    certification_withdraw(certification=row, actor=ann)
    assert tom(episode).shares == before
    with pytest.raises(CertificationUnknown):
        certification_withdraw(certification=row, actor=ann)
    assert start(episode, ann, seed=6).picked != row.picked


def test_a_second_person_and_how_far_they_agree(episode: Episode, ann: User, bob: User) -> None:
    row = start(episode, ann, shots=10)
    answer_all(row, ann)
    alone = tom(episode).shares["happy"]["share"]
    answer_all(row, bob, lambda at: "sad" if at >= 90_000 else "angry")
    (state,) = certifications_of(episode, bob.pk)
    (pair,) = state.agreements
    happy = sum(row.frame[p][0] >= 90_000 for p in row.picked)
    assert (state.people, state.answered, pair.same, pair.of) == (2, 10, 10 - happy, 10)
    shares = tom(episode).shares
    assert shares["happy"]["share"] < alone
    assert shares["sad"]["share"] == pytest.approx(shares["happy"]["share"], abs=0.1)
    assert audit_run(AnalysisRun.objects.get()).equal


def test_answering_again_replaces_and_keeps_the_history(episode: Episode, ann: User) -> None:
    row = start(episode, ann, shots=5)
    answer_all(row, ann)
    answer_all(row, ann, lambda at: "sad")
    assert CertificationAnswer.objects.filter(certification=row).count() == 10
    assert CertificationAnswer.objects.filter(certification=row, withdrawn_at__isnull=True).count() == 5
    assert Audit.objects.filter(action="certification.answer", before__isnull=False).count() == 5


def test_few_shots_are_wider_and_it_is_said(client: Client, episode: Episode, ann: User) -> None:
    before = tom(episode)
    answer_all(start(episode, ann, shots=5), ann)
    after = tom(episode)
    assert widths(after) > widths(before)
    checked = rating_of(after).checked
    assert checked is not None
    assert checked.wider
    assert "They are wider than the model’s own" in read(client, f"/episodes/{episode.pk}/")


@pytest.mark.parametrize(
    ("character", "shots", "words"),
    [("spike", 10, "slug spike"), ("jerry", 10, "3 story shots"), ("tom", 4, "5 to 48"), ("tom", 49, "5 to 48")],
)
def test_a_sample_that_cannot_be_drawn(episode: Episode, ann: User, character: str, shots: int, words: str) -> None:
    with pytest.raises(SampleImpossible, match=words):
        certification_start(episode=episode, actor=ann, character=character, shots=shots)


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [(0, 1_000, "sad")],
        [(0, 3_000, "bored")],
        [(0, 1_000, "sad"), (1_500, 3_000, "sad")],
        [(0, 2_000, "sad"), (1_000, 3_000, "sad")],
        [(0, 3_500, "sad"), (3_500, 3_000, "sad")],
    ],
)
def test_an_answer_fills_its_shot(episode: Episode, ann: User, pieces: list[tuple[int, int, str]]) -> None:
    row = start(episode, ann)
    place = row.picked[0]
    at = row.frame[place][0]
    moved = [(at + a, at + b, label) for a, b, label in pieces]
    with pytest.raises(AnswerInvalid):
        certification_answer(certification=row, actor=ann, place=place, pieces=moved)


def test_questions_come_in_the_order_of_the_lot_and_hide_what_the_model_says(episode: Episode, ann: User) -> None:
    row = start(episode, ann)
    run = AnalysisRun.objects.get()
    first = question_next(row, run, ann.pk)
    assert first is not None
    assert (first.place, first.number, first.of) == (row.picked[0], 1, 20)
    begin, end = row.frame[first.place]
    certification_answer(certification=row, actor=ann, place=first.place, pieces=[(begin, end, "sad")])
    second = question_next(row, run, ann.pk)
    assert second is not None
    assert second.place == row.picked[1]
    again = question_next(row, run, ann.pk, place=first.place, cuts=[begin + 1_000])
    assert again is not None
    assert again.pieces == ((begin, begin + 1_000), (begin + 1_000, end))


@pytest.fixture
def staff(ann: User) -> Client:
    return Client(headers=bearer(ann))


def test_the_api_from_a_sample_to_a_checked_rating(client: Client, staff: Client, episode: Episode) -> None:
    address = f"/api/v1/episodes/{episode.pk}/certification"
    made = staff.post(f"{address}/", {"character": "tom", "shots": 5}, content_type="application/json")
    assert made.status_code == 201, made.content
    state = made.json()
    while (question := state["next"]) is not None:
        pieces = [{"start_ms": a, "end_ms": b, "label": as_read(a)} for a, b in question["pieces"]]
        body = {"character": "tom", "place": question["place"], "pieces": pieces}
        answered = staff.post(f"{address}/answers/", body, content_type="application/json")
        assert answered.status_code == 200, answered.content
        state = answered.json()
    assert (state["answered"], state["people"], state["shots"], state["of"]) == (5, 1, 5, 48)
    (public,) = client.get(address).json()
    assert (public["answered"], public["next"]) == (0, None)
    (profile,) = client.get(f"/api/v1/profiles?episode={episode.pk}&character=tom").json()["results"]
    assert profile["checked"]["shots"] == 5
    assert profile["known_ms"] > 0
    assert staff.delete(f"{address}/?character=tom").status_code == 204
    gone = staff.delete(f"{address}/?character=tom")
    assert (gone.status_code, gone.json()["code"]) == (404, "certification_unknown")


def test_the_api_adds_lists_and_withdraws_corrections(client: Client, staff: Client, episode: Episode) -> None:
    body = {"episode": episode.pk, "start_ms": 6_000, "end_ms": 9_000, "subject": "tom", "character": "tom",
            "emotion": "sad"}  # fmt: skip
    made = staff.post("/api/v1/corrections/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    row = made.json()
    assert "ann" not in made.content.decode()
    again = staff.post("/api/v1/corrections/", body, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "correction_overlaps")
    wrong = staff.post("/api/v1/corrections/", {**body, "end_ms": 5_000}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "correction_invalid")
    assert client.get(f"/api/v1/corrections?episode={episode.pk}").json()["results"] == [row]
    assert staff.delete(f"/api/v1/corrections/{row['id']}/").json()["withdrawn_at"] is not None
    assert client.get("/api/v1/corrections").json()["results"] == []
    assert len(client.get("/api/v1/corrections?withdrawn=1").json()["results"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "corrections/"),
        ("delete", "corrections/1/"),
        ("post", "episodes/{}/certification/"),
        ("delete", "episodes/{}/certification/?character=tom"),
        ("post", "episodes/{}/certification/answers/"),
    ],
)
def test_only_staff_write(client: Client, episode: Episode, method: str, path: str) -> None:
    address = f"/api/v1/{path.format(episode.pk)}"
    assert getattr(client, method)(address, {}, content_type="application/json").status_code == 401
    client.force_login(User.objects.create_user("guest"))
    assert getattr(client, method)(address, {}, content_type="application/json").status_code == 403


def test_the_pages_work_without_javascript(client: Client, episode: Episode, ann: User) -> None:
    address = f"/episodes/{episode.pk}/certify/"
    assert client.get(address).status_code == 302  # to the sign-in page
    client.force_login(ann)
    assert "Nothing of this episode is being checked" in read(client, address)
    response = client.post(f"{address}start", {"character": "tom", "shots": "5"})
    assert response["Location"] == f"{address}?character=tom"
    row = Certification.objects.get()
    for number in range(1, 6):
        text = read(client, f"{address}?character=tom")
        assert f"Tom, shot {number} of 5" in text
        assert text.count('type="radio"') == 9
        place = row.picked[number - 1]
        begin, end = row.frame[place]
        form: dict[str, Any] = {"character": "tom", "place": place, "label-0": as_read(begin), "label-1": "unclear"}
        form |= {"start": [begin, begin + 1_000], "end": [begin + 1_000, end]}
        client.post(f"{address}answer", form)
    assert "You have answered every shot of Tom" in read(client, f"{address}?character=tom")
    assert "Checked by a person" in read(client, f"/episodes/{episode.pk}/")
    client.post(f"{address}withdraw", {"character": "tom"})
    assert not Certification.objects.filter(withdrawn_at__isnull=True).exists()
    assert client.get(f"{address}?character=tom").status_code == 404


def test_a_shot_can_be_divided_where_the_expression_changes(client: Client, episode: Episode, ann: User) -> None:
    client.force_login(ann)
    row = start(episode, ann)
    at = row.frame[row.picked[0]][0] / 1000 + 1
    text = read(client, f"/episodes/{episode.pk}/certify/?character=tom&cut={at:g}&cut=nonsense")
    assert text.count('type="radio"') == 18
    assert text.count("<legend>") == 2


def test_a_wrong_answer_is_told_in_words(client: Client, episode: Episode, ann: User) -> None:
    client.force_login(ann)
    address = f"/episodes/{episode.pk}/certify/"
    row = start(episode, ann)
    form = {"character": "tom", "place": row.picked[0], "start": "1", "end": "2", "label-0": "sad"}
    response = client.post(f"{address}answer", form, follow=True)
    assert "The pieces have to fill the shot" in response.content.decode()
    response = client.post(f"{address}start", {"character": "jerry", "shots": "x"}, follow=True)
    assert "3 story shots" in response.content.decode()


def test_the_form_for_corrections(client: Client, episode: Episode, ann: User) -> None:
    address = f"/episodes/{episode.pk}/correct/"
    assert client.get(address).status_code == 302
    client.force_login(ann)
    assert "Another moment" in read(client, address)
    given = {"start": "6", "end": "0:09", "subject": "tom", "says": "character", "character": "tom", "emotion": "sad"}
    assert client.post(address, given).status_code == 302
    text = read(client, address)
    assert "Withdraw" in text
    assert "ann" in text
    for changes, words in (({"start": "soon"}, "Give both times"), ({"box": "1 2 3"}, "four numbers"), ({}, "speaks")):
        refused = client.post(address, {**given, **changes})
        assert refused.status_code == 400
        assert words in refused.content.decode()
    row = episode.corrections.get()
    client.post(f"/corrections/{row.pk}/withdraw")
    assert "None." in read(client, address)
