"""What is drawn over an episode's picture."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from analysis.layer import Says
from analysis.models import AnalysisRun, FaceDetection, Publication
from analysis.selectors.timelines import timeline_of
from analysis.services.corrections import CorrectionRequest, correction_add
from catalog.models import Character, Episode
from ml.masks import encode_mask
from ml.types import Emotion
from tests.analysis import world

pytestmark = pytest.mark.django_db
TOM = [(3_000, 6_000, Emotion.ANGRY), (6_000, 9_000, Emotion.SAD)]


@pytest.fixture
def episode() -> Episode:
    found = world.make_episode(world.make_series(), 1, "The Missing Cheese", 12_000)
    world.analyse(found, {"tom": TOM, None: [(8_000, 9_000, Emotion.SCARED)]})
    mask = np.zeros((360, 640), bool)
    mask[50:130, 20:90] = True
    encoded = encode_mask(mask)
    FaceDetection.objects.filter(character__slug="tom").update(
        mask={"size": list(encoded.size), "counts": encoded.counts}
    )
    return found


def get(client: Client, episode: Episode, query: str = "", status: int = 200, tag: str = "") -> Any:
    headers = {"If-None-Match": tag} if tag else {}
    response = client.get(f"/api/v1/episodes/{episode.pk}/overlays/{query}", headers=headers)
    assert response.status_code == status, response.content
    return response.json() if status != 304 else None


def test_each_drawing_of_the_stretch_says_where_faces_are_and_what_they_show(client: Client, episode: Episode) -> None:
    found = get(client, episode, "?from_ms=5000&to_ms=7000")
    assert (found["width"], found["height"], found["from_ms"], found["to_ms"]) == (640, 360, 5_000, 7_000)
    assert found["characters"] == [{"slug": "tom", "name": "Tom", "colour": "#8a8f98"}]
    times = [d["pts_ms"] for d in found["drawings"]]
    assert times == sorted(times)
    assert times[0] == 5_000
    assert times[-1] == 6_875
    emotions = {d["pts_ms"]: d["faces"][0]["emotion"] for d in found["drawings"]}
    assert (emotions[5_000], emotions[6_875]) == ("angry", "sad")
    (face,) = found["drawings"][0]["faces"]
    assert (face["character"], face["corrected"], len(face["box"])) == ("tom", False, 4)
    ((left, top), *_) = face["outline"][0]
    assert 19 <= left <= 91
    assert 49 <= top <= 131


def test_a_drawing_that_began_before_is_shown_as_long_as_it_stays(client: Client, episode: Episode) -> None:
    assert [d["pts_ms"] for d in get(client, episode, "?from_ms=5100&to_ms=5101")["drawings"]] == [5_000]
    assert get(client, episode, "?from_ms=11000")["drawings"] == []
    assert get(client, episode, "?from_ms=2000000000")["drawings"] == []


def test_emotions_are_those_of_the_timeline(client: Client) -> None:
    episode = world.analysed_episode(1, "E", 60_000)
    lanes = {lane.character.slug: lane.spans for lane in timeline_of(AnalysisRun.objects.get(), 60_000).known
             if lane.character is not None}  # fmt: skip
    drawings = get(client, episode, "?from_ms=20000&to_ms=40000")["drawings"]
    faces = [(d["pts_ms"], f) for d in drawings for f in d["faces"] if f["character"]]
    assert len(faces) > 100
    for at, face in faces:
        shown = [s.emotion for s in lanes[face["character"]] if s.start_ms <= at < s.end_ms]
        assert not shown or face["emotion"] in shown, at  # what is shorter than a fifth of a second has no span


def test_whom_nobody_knows_has_no_name_and_a_face_without_a_mask_keeps_its_box(
    client: Client, episode: Episode
) -> None:
    stranger = next(f for d in get(client, episode, "?from_ms=8500&to_ms=8600")["drawings"] for f in d["faces"]
                    if f["character"] is None)  # fmt: skip
    assert stranger["outline"] == []  # the stored mask is none that can be read
    assert stranger["box"][2] > stranger["box"][0]


def test_what_a_person_said_shows_at_once(client: Client, episode: Episode) -> None:
    tag = client.get(f"/api/v1/episodes/{episode.pk}/overlays/?from_ms=3000&to_ms=4000")["ETag"]
    person = User.objects.create_user("admin", is_staff=True)
    asked = CorrectionRequest(start_ms=3_000, end_ms=6_000, subject="tom", emotion="happy", character="tom")
    correction_add(episode=episode, actor=person, asked=asked)
    found = get(client, episode, "?from_ms=3000&to_ms=4000", tag=tag)
    assert {(f["emotion"], f["corrected"]) for d in found["drawings"] for f in d["faces"]} == {("happy", True)}
    face = FaceDetection.objects.filter(character=None)[0]
    place = (face.box_x1 / 640, face.box_y1 / 360, face.box_x2 / 640, face.box_y2 / 360)
    asked = CorrectionRequest(start_ms=8_000, end_ms=9_000, subject=None, box=place, says=Says.NO_FACE)
    correction_add(episode=episode, actor=person, asked=asked)
    found = get(client, episode, "?from_ms=8000&to_ms=9000")
    assert all(f["character"] == "tom" for d in found["drawings"] for f in d["faces"])


def test_what_did_not_change_is_not_sent_again(
    client: Client, episode: Episode, django_assert_num_queries: Any
) -> None:
    tag = client.get(f"/api/v1/episodes/{episode.pk}/overlays/")["ETag"]
    assert tag.startswith('W/"')
    with django_assert_num_queries(4):
        get(client, episode, "", 304, tag=tag)
    get(client, episode, "?to_ms=9999", 200, tag=tag)
    Character.objects.filter(slug="tom").update(name="Thomas")
    assert get(client, episode, "", 200, tag=tag)["characters"][0]["name"] == "Thomas"


@pytest.mark.parametrize(
    "query",
    ["?from_ms=-1", "?from_ms=x", "?from_ms=5&to_ms=5", "?to_ms=60001", "?from_ms=9&to_ms=3", "?from_ms=99999999999"],
)
def test_a_stretch_that_cannot_be_is_refused_by_name(client: Client, episode: Episode, query: str) -> None:
    answer = get(client, episode, query, 400)
    assert answer["code"] == "invalid_request"
    assert set(answer["errors"]) <= {"from_ms", "to_ms"}


def test_the_picture_of_a_moment_is_one_that_a_browser_shows(client: Client, episode: Episode) -> None:
    Character.objects.filter(slug="tom").update(name='Tom <"&>')
    response = client.get(f"/api/v1/episodes/{episode.pk}/overlay.svg?at_ms=8500", headers={"Accept": "image/*"})
    assert (response.status_code, response["Content-Type"]) == (200, "image/svg+xml")
    assert "default-src 'none'" in response["Content-Security-Policy"]
    picture = ET.fromstring(response.content.decode())
    assert picture.get("viewBox") == "0 0 640 360"
    assert [t.text for t in picture.iter("{http://www.w3.org/2000/svg}text")] == ['Tom <"&>: sad', "?: scared"]
    assert client.get(f"/api/v1/episodes/{episode.pk}/overlay.svg?at_ms=-1").status_code == 400


def test_only_what_is_shown_is_drawn(client: Client, episode: Episode) -> None:
    Publication.objects.all().delete()
    assert get(client, episode, "", 404)["detail"] == "The episode shows no analysis yet."
    assert client.get("/api/v1/episodes/999/overlays/").status_code == 404
