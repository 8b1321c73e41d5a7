"""Characters known by a few drawings: examples, whom they would name, naming, taking it back, and the pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client

from analysis.errors import ExampleInvalid, NamingImpossible
from analysis.finding.naming import LEAST_THRESHOLD
from analysis.models import (
    AnalysisRun,
    Audit,
    CharacterExample,
    EmotionProfile,
    FaceDetection,
    FaceVector,
    Find,
    LayerChange,
    Naming,
    Track,
)
from analysis.selectors.naming import naming_current, naming_proposal
from analysis.services.asking import layer_catch_up, layers_behind
from analysis.services.auditing import audit_run
from analysis.services.corrections import CorrectionRequest, correction_add
from analysis.services.finalise import run_finalise
from analysis.services.find_index import find_index_update
from analysis.services.finds import find_answer, find_fail
from analysis.services.leases import segment_complete
from analysis.services.naming import (
    example_add_face,
    example_add_picture,
    example_withdraw,
    examples_read,
    naming_confirm,
    naming_withdraw,
)
from analysis.services.publishing import run_publish
from analysis.services.runs import run_request
from catalog.models import Character, Episode
from ml.types import Detection, Emotion
from tests.analysis import world
from tests.analysis.runs_helpers import claim

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
MOODS: Any = {
    "tom": [(3_000, 30_000, Emotion.ANGRY)],
    "jerry": [(3_000, 30_000, Emotion.HAPPY)],
    None: [(s, s + 1_000, Emotion.SAD) for s in range(3_500, 27_000, 3_000)],
}
MIA_UNTIL = 20_000  # the stranger is Mia until then, and somebody else from there on


def direction(who: str, seed: int) -> list[float]:
    """One of its own for everybody, and a little of each drawing's own."""
    base = np.random.default_rng(sum(map(ord, who))).normal(size=128)
    return list(base + 0.3 * np.random.default_rng(seed).normal(size=128))


def look(face: Detection) -> list[float]:
    return direction(face.character or ("mia" if face.pts_ms < MIA_UNTIL else "stranger"), face.pts_ms)


def analyse(episode: Episode, moods: Any, bundle: str = "toonemo-1", **options: Any) -> AnalysisRun:
    """As ``world.analyse``, with faces that look like whom they are of."""
    world.make_bundle()
    run = run_request(episode=episode, bundle_name=bundle, **options)
    for segment in run.segments.all():
        found = world.make_result(segment.start_ms, segment.end_ms, moods)
        faces = tuple(replace(d, embedding=tuple(look(d))) for d in found.detections)
        assert segment_complete(claim(segment).token, replace(found, detections=faces))
    done = run_finalise(run.pk)
    assert done is not None
    find_index_update(run.pk)
    return done


@pytest.fixture
def episode() -> Episode:
    episode = world.make_episode(world.make_series(), 1, "The Missing Cheese", 30_000)
    analyse(episode, MOODS)
    return episode


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", is_staff=True)


@pytest.fixture
def mia(episode: Episode, ann: User) -> Character:
    """Known by three drawings of her first moments."""
    mia = Character.objects.create(slug="mia", name="Mia", series=episode.series)
    for start in (3_500, 6_500, 9_500):
        face = FaceDetection.objects.get(character=None, pts_ms=start + 500)
        example_add_face(character=mia, actor=ann, face_id=face.pk)
    return mia


def visible(slug: str) -> int:
    return sum(EmotionProfile.objects.filter(character__slug=slug).values_list("visible_ms", flat=True))


def follow() -> None:
    for pk in layers_behind():
        assert layer_catch_up(pk)


def test_the_preview_names_who_looks_alike_and_nobody_else(mia: Character) -> None:
    found = naming_proposal(mia)
    assert sorted(t.start_ms for t in found.named) == [3_500, 6_500, 9_500, 12_500, 15_500, 18_500]
    assert (found.unknown, found.episodes, found.milliseconds) == (8, 1, 6_000)
    assert found.others == 18
    assert found.examples.threshold >= LEAST_THRESHOLD
    assert {t.face_id for t in found.named} <= set(FaceDetection.objects.values_list("pk", flat=True))
    assert not Naming.objects.exists()
    assert visible("mia") == 0


def test_naming_gives_her_a_rating_and_taking_it_back_brings_back_what_was(mia: Character, ann: User) -> None:
    run = AnalysisRun.objects.get()
    strangers, layer = run.strangers, run.layer
    naming_confirm(character=mia, actor=ann)
    assert visible("mia") == 0
    follow()
    run.refresh_from_db()
    assert visible("mia") == 6_000
    assert 0 < run.strangers < strangers
    assert FaceDetection.objects.filter(character=mia).count() == 0  # what was detected stays as it was
    assert audit_run(run).equal
    again = naming_proposal(mia)
    assert len(again.named) == 6
    naming_withdraw(character=mia, actor=ann)
    follow()
    run.refresh_from_db()
    assert (visible("mia"), run.strangers, run.layer) == (0, strangers, layer)
    assert audit_run(run).equal
    with pytest.raises(NamingImpossible):
        naming_withdraw(character=mia, actor=ann)
    actions = Audit.objects.filter(object_type="analysis.naming").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["naming.confirm", "naming.withdraw"]


def test_a_new_run_of_the_same_classifier_knows_her_and_another_does_not(mia: Character, ann: User) -> None:
    naming_confirm(character=mia, actor=ann)
    follow()
    episode = Episode.objects.get()
    same = analyse(episode, MOODS, force=True)
    run_publish(run=same, actor=ann)
    assert EmotionProfile.objects.get(run=same, character=mia).visible_ms == 6_000
    assert audit_run(same).equal
    world.make_bundle("2")
    other = analyse(episode, MOODS, bundle="toonemo-2")
    run_publish(run=other, actor=ann)
    assert not EmotionProfile.objects.filter(run=other, character=mia).exists()


def test_what_people_say_counts_more(mia: Character, ann: User) -> None:
    naming_confirm(character=mia, actor=ann)
    follow()
    episode = Episode.objects.get()
    asked = CorrectionRequest(3_500, 4_500, subject="mia", says="nobody")
    correction_add(episode=episode, actor=ann, asked=asked)
    assert visible("mia") == 5_000
    asked = CorrectionRequest(6_500, 7_500, subject="mia", character="mia", emotion="scared")
    correction_add(episode=episode, actor=ann, asked=asked)
    assert EmotionProfile.objects.get(character=mia).shares["scared"]["raw"] == pytest.approx(0.2, abs=0.05)
    assert audit_run(AnalysisRun.objects.get()).equal


def test_runs_that_it_names_nobody_in_are_not_derived_again(mia: Character, ann: User) -> None:
    other = world.make_episode(world.make_series(), 2, "Without Her", 30_000)
    run = analyse(other, {"tom": MOODS["tom"], "jerry": MOODS["jerry"]})
    tracks = list(Track.objects.filter(run=run).values_list("pk", flat=True))
    naming_confirm(character=mia, actor=ann)
    assert set(LayerChange.objects.values_list("episode__title", flat=True)) == {"The Missing Cheese"}
    follow()
    assert list(Track.objects.filter(run=run).values_list("pk", flat=True)) == tracks
    for one in AnalysisRun.objects.all():
        assert audit_run(one).equal
    naming_withdraw(character=mia, actor=ann)
    follow()
    assert set(AnalysisRun.objects.values_list("layer", flat=True)) == {""}


def test_a_second_naming_takes_the_place_of_the_first(mia: Character, ann: User) -> None:
    naming_confirm(character=mia, actor=ann)
    follow()
    second, _ = naming_confirm(character=mia, actor=ann)
    follow()
    assert (second.version, naming_current(mia)) == (2, second)
    assert visible("mia") == 6_000
    assert audit_run(AnalysisRun.objects.get()).equal
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Naming.objects.filter(pk=second.pk).update(threshold=0.1)


def test_pictures_are_read_by_a_worker(episode: Episode, ann: User) -> None:
    mia = Character.objects.create(slug="mia", name="Mia")
    row = example_add_picture(character=mia, actor=ann, picture=PNG)
    assert examples_read(row.find_id or 0) == 0
    face = {"box": [0, 0, 9, 9], "score": 1, "how": "whole", "character": None, "emotion": "", "confidence": 1}
    assert find_answer(row.find_id or 0, faces=[{**face, "embedding": direction("mia", 1)}], crop=b"png")
    assert examples_read(row.find_id or 0) == 1
    row.refresh_from_db()
    assert row.embedding is not None
    assert bytes(row.crop or b"") == b"png"
    Find.objects.all().delete()
    row.refresh_from_db()
    assert row.embedding is not None
    bad = example_add_picture(character=mia, actor=ann, picture=PNG)
    find_fail(bad.find_id or 0, "picture_unreadable", "There is nothing drawn in the picture.")
    assert examples_read(bad.find_id or 0) == 1
    bad.refresh_from_db()
    assert bad.error == "There is nothing drawn in the picture."
    with pytest.raises(NamingImpossible, match="1 drawings"):
        naming_proposal(mia)


def test_what_cannot_be_an_example(mia: Character, ann: User) -> None:
    face = FaceVector.objects.get(character=None, pts_ms=4_000)
    with pytest.raises(ExampleInvalid, match="already"):
        example_add_face(character=mia, actor=ann, face_id=face.pk)
    with pytest.raises(ExampleInvalid, match="no face"):
        example_add_face(character=mia, actor=ann, face_id=10**15)
    row = CharacterExample.objects.filter(character=mia).first()
    assert row is not None
    example_withdraw(example=row, actor=ann)
    with pytest.raises(ExampleInvalid):
        example_withdraw(example=row, actor=ann)
    with pytest.raises(NamingImpossible):
        naming_proposal(mia)


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.content
    return response.content.decode()


def test_the_pages_from_drawings_to_names(mia: Character, ann: User, client: Client) -> None:
    for address in ("/characters/mia/edit/", "/characters/mia/naming/", "/new-character/"):
        assert client.get(address).status_code == 302
    client.force_login(ann)
    text = page(client, "/characters/mia/edit/")
    assert text.count("Take away") == 3
    preview = page(client, "/characters/mia/naming/")
    assert "Name them Mia" in preview
    assert "The most alike" in preview
    assert "Named." in client.post("/characters/mia/naming/save", follow=True).content.decode()
    assert "Take the naming back" in page(client, "/characters/mia/edit/")
    assert "Taken back" in client.post("/characters/mia/naming/save", {"undo": "1"}, follow=True).content.decode()
    row = CharacterExample.objects.filter(character=mia).first()
    assert row is not None
    client.post(f"/characters/mia/drawings/{row.pk}/remove")
    assert "it takes 3" in page(client, "/characters/mia/naming/")
    back = client.post("/characters/mia/drawings", {"face": row.face_id}, follow=True)
    assert "one of the drawings now" in back.content.decode()
    assert "Choose one picture" in client.post("/characters/mia/drawings", follow=True).content.decode()
    upload = SimpleUploadedFile("a.png", PNG)
    assert "being read" in client.post("/characters/mia/drawings", {"picture": upload}, follow=True).content.decode()
    wrong = SimpleUploadedFile("a.png", b"MZ nothing")
    assert "none of PNG" in client.post("/characters/mia/drawings", {"picture": wrong}, follow=True).content.decode()
    waiting = CharacterExample.objects.get(find__isnull=False)
    assert client.get(f"/characters/mia/drawings/{waiting.pk}").status_code == 404
    CharacterExample.objects.filter(pk=waiting.pk).update(crop=b"png")
    assert client.get(f"/characters/mia/drawings/{waiting.pk}")["Content-Type"] == "image/png"
    assert client.get(f"/characters/tom/drawings/{waiting.pk}").status_code == 404


def test_the_list_for_everybody(mia: Character, ann: User, client: Client) -> None:
    text = page(client, "/characters/")
    assert "In 1 episode" in text
    assert "Not seen yet" in text
    assert "New character" not in text
    assert "Tom" not in page(client, "/characters/?words=mia")
    client.force_login(ann)
    assert "It is Mia" in page(client, "/characters/?face=7")
    assert "Nobody here" in page(client, "/characters/?words=zzz")


def test_editors_change_names_and_colours(mia: Character, ann: User, client: Client) -> None:
    client.force_login(ann)
    form = {"name": " Mia  Mole ", "aliases": "the mole\nMia\n\nMia Mole", "series": "cheese", "colour": "#f2c230"}
    text = client.post("/characters/mia/edit/", form, follow=True).content.decode()
    mia.refresh_from_db()
    assert (mia.slug, mia.name, mia.aliases) == ("mia", "Mia Mole", ["the mole", "Mia"])
    assert "hard to tell from the page" in text
    for changes, words in (
        ({"name": ""}, "has a name"), ({"name": "x" * 201}, "has a name"), ({"colour": "red"}, "written like"),
        ({"series": "none"}, "no series"), ({"aliases": "\n".join(map(str, range(40)))}, "at most 30"),
    ):  # fmt: skip
        refused = client.post("/characters/mia/edit/", {**form, **changes})
        assert refused.status_code == 400
        assert words in refused.content.decode()
    assert client.post("/new-character/", {"name": "Mia Mole"}).status_code == 302  # of no series: somebody else
    assert Character.objects.filter(name="Mia Mole").count() == 2
    taken = client.post("/new-character/", {"name": "THE MOLE", "series": "cheese"})
    assert taken.status_code == 400
    assert "is called" in taken.content.decode()
    audit = Audit.objects.filter(object_type="catalog.character", actor=ann).order_by("pk")
    assert list(audit.values_list("action", flat=True)) == ["character.change", "character.create"]
