"""Draw to find: which faces are near, exactly and along the graph; the page and the API that tell of them."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis.errors import FindBusy, FindImpossible, FindRefused
from analysis.finding import nearest as near
from analysis.finding.alike import Alike, part_of, signature_of, ways_of
from analysis.finding.moments import Like, moments
from analysis.finding.nearest import NearFace, Wanted, nearest
from analysis.limits import NO_LIMITS, NOTHING
from analysis.models import (
    AnalysisRun,
    EmotionProfile,
    FaceDetection,
    FaceVector,
    Find,
    ModelBundle,
    Publication,
    Scene,
    SceneEmotion,
    Segment,
)
from analysis.selectors.finds import Filters, comparable, find_by_face, find_like, runs_to_index
from analysis.services.find_index import find_index_update
from analysis.services.finds import find_answer, find_fail, find_request, finds_forget, finds_resend, is_picture
from catalog.models import Character
from tests.analysis.runs_helpers import digest
from tests.analysis.test_pages import read
from tests.factories import EpisodeFactory

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
HALVES = {"classifier": {"file": "c", "settings": {"halves": True}}, "files": {"c": {"sha256": "a"}}}
CARD = {**HALVES, "preprocessing": {"crop": {"size": 96}}}


def vectors(count: int, seed: int = 1) -> list[list[float]]:
    """Unit vectors of two halves of equal length, around a few centres."""
    rng = np.random.default_rng(seed)
    found = []
    for half in range(2):
        centres = np.random.default_rng(half).standard_normal((5, 64))
        rows = centres[rng.integers(5, size=count)] + 0.6 * rng.standard_normal((count, 64))
        found.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return [[float(x) for x in row] for row in np.concatenate(found, 1) / 2**0.5]


MOODS = ("happy", "scared", "angry", "")
STEP_MS, SCENE_MS, FACES = 300, 6_000, 160


def bundle(name: str = "toonemo", card: dict[str, Any] | None = None) -> ModelBundle:
    made, _ = ModelBundle.objects.get_or_create(
        digest=digest(name),
        defaults={
            "name": name,
            "version": "1",
            "characters": [],
            "emotions": [],
            "card": CARD if card is None else card,
        },
    )
    return made


def analysed(title: str, of: ModelBundle, seed: int = 1) -> AnalysisRun:
    """An episode that shows a run in which Tom and Jerry take turns; its faces cannot be found yet."""
    episode = EpisodeFactory.create(title=title)
    run = AnalysisRun.objects.create(
        episode=episode, bundle=of, source_sha256=digest(title), fingerprint=digest(title), status="succeeded",
        finished_at=timezone.now(),
    )  # fmt: skip
    Publication.objects.create(episode=episode, run=run)
    length = FACES * STEP_MS
    segment = Segment.objects.create(run=run, index=0, start_ms=0, end_ms=length, status="done")
    Scene.objects.bulk_create(
        Scene(run=run, index=i, start_ms=start, end_ms=start + SCENE_MS)
        for i, start in enumerate(range(0, length, SCENE_MS))
    )
    cast = [Character.objects.get_or_create(slug=s, defaults={"name": s.title()})[0] for s in ("tom", "jerry")]
    for who in cast:
        EmotionProfile.objects.create(
            run=run, character=who, visible_ms=1, readable_ms=1, drawings=1, shots=1, enough=False
        )
    FaceDetection.objects.bulk_create(
        FaceDetection(
            run=run, segment=segment, character=cast[i % 2], index=i, pts_ms=STEP_MS * i, shown_ms=STEP_MS, box_x1=0,
            box_y1=0, box_x2=9, box_y2=9, score=0.9, emotion=MOODS[i // 2 % 4], confidence=0.8, embedding=v,
        )
        for i, v in enumerate(vectors(FACES, seed))
    )  # fmt: skip
    return run


@pytest.fixture
def run() -> AnalysisRun:
    """Its faces can be found."""
    cache.clear()
    made = analysed("The Missing Cheese", bundle())
    assert find_index_update(made.pk) == FACES
    return made


def brute(run: AnalysisRun, query: list[float], alike: Alike, most: int) -> list[int]:
    rows = list(FaceVector.objects.filter(run=run).values_list("pk", "embedding"))
    asked = np.array(part_of(query, alike))
    table = np.array([part_of(list(e), alike) for _, e in rows])
    cosines = table @ asked / np.linalg.norm(table, axis=1) / np.linalg.norm(asked)
    order = sorted(range(len(rows)), key=lambda i: (-round(float(cosines[i]), 4), rows[i][0]))
    return [rows[i][0] for i in order[:most]]


@pytest.mark.parametrize("alike", list(Alike))
@pytest.mark.parametrize("exact", [True, False])
def test_the_nearest_are_those_of_brute_force(run: AnalysisRun, alike: Alike, exact: bool) -> None:
    for query in vectors(4, seed=9):
        found = nearest(Wanted(tuple(query), alike, (run.pk,)), 10, exact=exact)
        assert found.exact is exact
        expected = brute(run, query, alike, 10)
        got = [f.face_id for f in found.faces]
        assert len(set(got) & set(expected)) >= (10 if exact else 9)
        assert [f.similarity for f in found.faces] == sorted((f.similarity for f in found.faces), reverse=True)


def test_a_wide_question_walks_the_graph_and_a_narrow_one_does_not(
    run: AnalysisRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "EXACT_MOST", 100)
    wide = Wanted(tuple(vectors(1)[0]), Alike.BOTH, (run.pk,))
    assert not nearest(wide, 10).exact
    scared = FaceVector.objects.filter(run=run, character__slug="jerry", emotion="scared")
    assert scared.count() == FACES // 8
    jerry = scared[0].character_id
    narrow = Wanted(wide.embedding, Alike.BOTH, (run.pk,), jerry, "scared")
    found = nearest(narrow, 500)
    assert found.exact
    assert {f.face_id for f in found.faces} == set(scared.values_list("pk", flat=True))
    filtered = nearest(narrow, 5, exact=False)
    assert len(filtered.faces) == 5, "the walk goes on until enough faces pass the filter"


@pytest.mark.parametrize("alike", list(Alike))
def test_the_planner_takes_the_graph(alike: Alike, run: AnalysisRun) -> None:
    wanted = Wanted(tuple(vectors(1)[0]), alike, (1,))
    with connection.cursor() as cursor:
        with near.along_the_graph(cursor):
            cursor.execute("EXPLAIN " + near.nearest_sql(wanted, exact=False), {**near._parameters(wanted), "most": 10})
            plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("SHOW enable_sort")
        assert cursor.fetchone()[0] == "on", "what comes later in the transaction is planned as ever"
    assert {Alike.BOTH: "both_hnsw", Alike.CHARACTER: "who_hnsw", Alike.EXPRESSION: "what_hnsw"}[alike] in plan


def test_moments_are_few_per_scene_apart_and_never_the_one_asked_about() -> None:
    faces = [NearFace(i, 1, None, "", pts, 0.9) for i, pts in enumerate([0, 500, 3_000, 6_000, 9_000, 30_000])]
    scene_of = {i: 1 if pts < 20_000 else 2 for i, pts in enumerate([0, 500, 3_000, 6_000, 9_000, 30_000])}
    assert [f.pts_ms for f in moments(faces, scene_of, 12)] == [0, 3_000, 30_000]
    assert [f.pts_ms for f in moments(faces, scene_of, 12, Like(1, 400))] == [3_000, 6_000, 30_000]
    assert [f.pts_ms for f in moments(faces, scene_of, 1)] == [0]


def test_only_shown_runs_are_found_and_a_lost_message_is_noticed(run: AnalysisRun) -> None:
    assert runs_to_index() == []
    Publication.objects.update(withdrawn_at=timezone.now())
    assert runs_to_index() == [run.pk]
    with pytest.raises(FindImpossible, match="nothing to find"):
        comparable()
    assert find_index_update(run.pk) == 0
    assert not FaceVector.objects.exists()
    assert runs_to_index() == []
    assert find_index_update(10**9) is None


def test_limits_hide_moments_and_their_pictures(client: Client, run: AnalysisRun) -> None:
    face = FaceVector.objects.order_by("pk")[5]
    assert find_by_face(face.pk, Filters(limits=NO_LIMITS)) is not None
    assert find_by_face(face.pk, Filters(limits=NOTHING)) is None
    with pytest.raises(FindImpossible):
        comparable(limits=NOTHING)
    client.cookies["limits"] = "altered"
    assert client.get(f"/find/?face={face.pk}").status_code == 404
    assert client.get(reverse("moment-picture", args=[face.pk])).status_code == 404
    assert "nothing to find" in client.get("/find/").content.decode()
    assert client.get(f"/api/v1/find/?face={face.pk}").status_code == 403, "limits that cannot be read close everything"


def test_bundles_that_read_otherwise_are_left_out_and_said(run: AnalysisRun) -> None:
    strange = bundle("strange", {})
    analysed("Other", strange, seed=2)
    third = analysed("Third", bundle(), seed=3)
    found = comparable(run.bundle)
    assert (found.others, found.pending) == (1, 1), "the third is not findable yet"
    find_index_update(third.pk)
    assert len(comparable().runs) == 2
    assert comparable().bundle == run.bundle, "which most episodes were read by"
    assert comparable(strange).ways == (Alike.BOTH,)


def test_what_can_be_compared_goes_by_classifier_and_crop() -> None:
    assert ways_of(CARD) == (Alike.BOTH, Alike.EXPRESSION, Alike.CHARACTER)
    assert ways_of({"classifier": {"settings": {}}}) == (Alike.BOTH,)
    assert ways_of({"classifier": None}) == ()
    assert signature_of(CARD, "1") == signature_of({**CARD, "name": "adapted"}, "2")
    assert signature_of(CARD, "1") != signature_of({**CARD, "preprocessing": {"crop": {"size": 80}}}, "1")
    assert signature_of({}, "1") != signature_of({}, "2")


def test_a_face_of_ours_finds_its_like_and_filters_hold(run: AnalysisRun) -> None:
    face = FaceVector.objects.order_by("pk")[40]
    found = find_by_face(face.pk, Filters())
    assert found is not None
    assert found.moments
    assert all(abs(m.pts_ms - face.pts_ms) >= 1_500 for m in found.moments)
    happy = find_by_face(face.pk, Filters(character="jerry", emotion="happy", alike=Alike.EXPRESSION))
    assert happy is not None
    assert happy.moments
    assert {(m.character.slug if m.character else "", m.emotion) for m in happy.moments} == {("jerry", "happy")}
    again = find_by_face(face.pk, Filters())
    assert again is not None
    assert again.moments == found.moments
    with pytest.raises(FindRefused, match="no character 'nobody'"):
        find_by_face(face.pk, Filters(character="nobody"))


def test_requests_are_checked_before_anything_is_kept(run: AnalysisRun, settings: Any) -> None:
    asked = run.bundle
    for data, why in ((b"", "none of PNG"), (b"GIF hello", "none of"), (PNG + b"\0" * (9 << 20), "larger than 8 MB")):
        with pytest.raises(FindRefused, match=why):
            find_request(picture=data, bundle=asked)
    for box in ([1.0, 2.0, 1.0, 5.0], [0.0, float("nan"), 5.0, 5.0], [1.0, 2.0, 3.0]):
        with pytest.raises(FindRefused, match="four numbers"):
            find_request(picture=PNG, bundle=asked, box=box)
    assert not Find.objects.exists()
    settings.TOONEMO_FIND_WAITING = 1
    find_request(picture=PNG, bundle=asked)
    with pytest.raises(FindBusy):
        find_request(picture=PNG, bundle=asked)
    assert is_picture(b"RIFF1234WEBP")
    assert not is_picture(b"RIFF1234WAVE")


def test_a_picture_is_forgotten_when_read_and_its_answer_when_expired(run: AnalysisRun) -> None:
    find = find_request(picture=PNG, bundle=run.bundle)
    assert finds_resend() == []
    Find.objects.update(sent_at=timezone.now() - timedelta(minutes=5))
    assert finds_resend() == [find.pk]
    assert finds_resend() == []
    assert find_answer(find.pk, faces=[answered()], crop=PNG)
    assert not find_fail(find.pk, "late", "A second worker was slower."), "the first answer stays"
    find.refresh_from_db()
    assert (find.status, find.picture) == ("read", None)
    assert finds_forget() == 0
    Find.objects.update(expires_at=timezone.now())
    assert finds_forget() == 1


def answered() -> dict[str, Any]:
    face = {"box": [1, 2, 30, 40], "score": 0.9, "how": "found", "character": "tom", "emotion": "happy"}
    return {**face, "confidence": 0.8, "embedding": vectors(1)[0]}


def sent(data: bytes = PNG) -> SimpleUploadedFile:
    return SimpleUploadedFile("drawing.exe", data, content_type="text/html")


def test_the_page_takes_a_picture_waits_and_shows_what_was_found(client: Client, run: AnalysisRun) -> None:
    assert "multipart/form-data" in read(client, reverse("find"))
    response = client.post(reverse("find"), {"picture": sent(), "emotion": "happy", "box": "1, 2, 30, 40"})
    assert response.status_code == 302
    address = response["Location"]
    assert address.endswith("/?emotion=happy")
    waiting = read(client, address)
    assert 'hx-trigger="every 1s"' in waiting
    assert f'<a href="{address}">look again</a>' in waiting, "without JavaScript too"
    assert client.get(address, headers={"HX-Request": "true"}).status_code == 200
    find = Find.objects.get()
    find_answer(find.pk, faces=[answered(), {**answered(), "character": None, "emotion": ""}], crop=PNG)
    text = read(client, address)
    assert "2 faces found" in text
    assert text.count('class="result"') > 3
    assert "happy" in text
    assert "every 1s" not in text
    assert client.get(address, headers={"HX-Request": "true"}).status_code == 286
    picture = client.get(reverse("find-picture", args=[find.token]))
    assert (picture["Content-Type"], picture["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "sandbox" in picture["Content-Security-Policy"]


def test_a_refused_and_a_failed_picture_say_why(client: Client, run: AnalysisRun) -> None:
    for data in (b"%PDF", b""):
        response = client.post(reverse("find"), {"picture": sent(data)})
        assert response.status_code == 400
        assert 'role="alert"' in response.content.decode()
    assert client.post(reverse("find"), {}).status_code == 400
    find = find_request(picture=PNG, bundle=run.bundle)
    find_fail(find.pk, "picture_unreadable", "The file you sent is <b>damaged</b>.")
    text = read(client, reverse("find-answer", args=[find.token]))
    assert "&lt;b&gt;damaged" in text
    assert "picture_unreadable" in text
    Find.objects.update(expires_at=timezone.now())
    assert "answer is gone" in read(client, reverse("find-answer", args=[find.token]), 404)
    assert client.get(reverse("find-picture", args=[find.token])).status_code == 404


def test_an_empty_house_says_that_there_is_nothing_to_find(client: Client) -> None:
    assert "nothing to find" in read(client, reverse("find"))
    assert client.post(reverse("find"), {"picture": sent()}).status_code == 400


def test_a_scene_leads_to_its_like(client: Client, run: AnalysisRun) -> None:
    scene = Scene.objects.filter(run=run).order_by("index")[1]
    SceneEmotion.objects.create(
        scene=scene, run=run, character=Character.objects.get(slug="tom"), emotion="happy", visible_ms=3_000,
        readable_ms=3_000, share=0.8, baseline=0.2, score=0.5,
    )  # fmt: skip
    assert f"?scene={scene.pk}" in read(client, reverse("episode", args=[run.episode_id]))
    assert 'class="result"' in read(client, reverse("find") + f"?scene={scene.pk}")
    for wrong in ("?scene=999999", "?face=999999"):
        assert client.get(reverse("find") + wrong).status_code == 404
    assert "no character" in read(client, reverse("find") + f"?scene={scene.pk}&character=nobody")


def test_the_api_answers_the_same(client: Client, run: AnalysisRun) -> None:
    response = client.post("/api/v1/find/", {"picture": sent()})
    assert response.status_code == 202
    body = response.json()
    assert body["status"] == "waiting"
    find = Find.objects.get()
    find_answer(find.pk, faces=[answered()], crop=None)
    got = client.get(body["url"] + "?alike=expression&character=jerry&limit=3").json()
    assert (got["status"], got["alike"], got["exact"], len(got["results"])) == ("read", "expression", True, 3)
    assert "embedding" not in got["faces"][0]
    assert {r["character"] for r in got["results"]} == {"jerry"}
    expected = find_like(tuple(vectors(1)[0]), comparable(), Filters(Alike.EXPRESSION, "jerry"), 3)
    assert [r["face"] for r in got["results"]] == [m.face_id for m in expected.moments]
    like = client.get(f"/api/v1/find/?face={got['results'][0]['face']}")
    assert like.status_code == 200
    assert client.get(body["url"] + "?n=2").json()["detail"].startswith("In the picture one face was read; there is no")
    assert "there is no face number 2" in read(client, reverse("find-answer", args=[find.token]) + "?n=2")
    second = client.get(f"/api/v1/find/?face={got['results'][0]['face']}&n=2")
    assert (second.status_code, second.json()["code"]) == (400, "find_refused")
    for address, status in (
        ("/api/v1/find/", 400),
        ("/api/v1/find/?face=999999", 404),
        ("/api/v1/find/nonsense/", 404),
        (body["url"] + "?alike=odd", 400),
        (body["url"] + "?character=odd", 400),
    ):
        assert client.get(address).status_code == status, address
    assert client.post("/api/v1/find/", {"picture": sent(b"no")}).json()["code"] == "find_refused"
    assert client.post("/api/v1/find/", {"picture": io.BytesIO(PNG), "box": "a,b"}).status_code == 400


def test_a_moment_shows_its_scene_until_it_has_a_picture(
    client: Client, run: AnalysisRun, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    face = FaceVector.objects.order_by("pk")[5]
    address = reverse("moment-picture", args=[face.pk])
    assert client.get(address).status_code == 404
    target = tmp_path / "moments" / str(face.run_id) / f"{face.pk}.jpg"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"picture")
    assert b"".join(client.get(address).streaming_content) == b"picture"  # type: ignore[attr-defined]
    Publication.objects.update(withdrawn_at=timezone.now())
    assert client.get(address).status_code == 404
