"""The board of runs: who sees and may do what, and what it says of work that goes on, waits or is paused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from analysis.models import AnalysisRun, Audit, Queue, RunPicture, RunStatus
from analysis.services.finalise import run_finalise
from analysis.services.presence import worker_tell
from analysis.services.run_pictures import MOST_PICTURES, picture_keep, pictures_expired
from catalog.models import Episode
from catalog.roles import EDITOR, VIEWER
from tests.analysis.runs_helpers import claim, complete_all, make_bundle, make_episode, make_run
from tests.analysis.test_pages import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("admin", is_staff=True, is_superuser=True))
    return client


def _somebody(role: str) -> Client:
    person = User.objects.create_user(role)
    person.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(person)
    return client


def test_the_board_says_what_waits_and_why(staff: Client) -> None:
    first, second = make_run(100_000), make_run(50_000)
    text = read(staff, "/runs/")
    assert "No worker that reads videos is there" in text
    assert "No worker is there to begin it" in text
    worker_tell(name="celery@here", queues=["inference"], processes=1, begins=True)
    staff.post(f"/runs/{second.pk}/priority", {"to": "top", "back": "runs"})
    text = read(staff, "/runs/")
    assert text.index(f"Run {second.pk} ") < text.index(f"Run {first.pk} ")
    assert "It is the next to be taken." in text
    assert "It was moved forward (priority 1)." in text
    assert "One run goes before it." in text
    claim(second.segments.get(), "celery@here")
    text = read(staff, "/runs/")
    assert "cannot tell yet how long it takes" in text
    assert re.search(r"Alive</span>\s*<code>celery@here", text)
    staff.post("/runs/queue", {"queue": "all", "do": "pause", "reason": "for <b>lunch</b>"})
    text = read(staff, "/runs/")
    assert "for &lt;b&gt;lunch&lt;/b&gt;" in text
    assert "Nothing is begun while the work is paused." in text
    assert Queue.objects.get(name="all").paused_at is not None
    staff.post("/runs/queue", {"queue": "all", "do": "resume"})
    assert Audit.objects.filter(action__startswith="queue.").count() == 2


def test_a_run_page_has_its_log_its_pictures_and_what_may_be_done(staff: Client) -> None:
    run = make_run(100_000)
    token = claim(run.segments.get(index=0), "celery@here").token
    name = default_storage.save("live/picture.jpg", ContentFile(b"\xff\xd8\xffpicture"))
    picture_keep(token, pts_ms=61_000, name=name, faces=[{"character": "tom", "emotion": "angry", "confidence": 0.9}])
    picture = RunPicture.objects.get()
    text = read(staff, f"/runs/{run.pk}/")
    assert "Part begun" in text
    assert "tom: Angry" in text
    address = f"/runs/{run.pk}/pictures/{picture.pk}"
    assert address in text
    assert b"".join(staff.get(address).streaming_content) == b"\xff\xd8\xffpicture"  # type: ignore[attr-defined]
    assert staff.get(f"/runs/{run.pk + 1}/pictures/{picture.pk}").status_code == 404
    default_storage.delete(name)
    assert staff.get(address).status_code == 404
    stranger = Client()
    assert stranger.get(address).status_code == 302
    text = read(stranger, f"/runs/{run.pk}/")
    assert "celery@here" not in text
    assert "Part begun" not in text
    assert address not in text


def test_few_pictures_are_kept_and_a_lost_lease_keeps_none() -> None:
    run = make_run(50_000)
    token = claim(run.segments.get()).token
    gone = [picture_keep(token, pts_ms=n, name=f"live/{n}.jpg", faces=[]) for n in range(MOST_PICTURES + 2)]
    assert gone[-2:] == [["live/0.jpg"], ["live/1.jpg"]]
    assert RunPicture.objects.count() == MOST_PICTURES
    run.segments.update(status="pending", lease_token=None, lease_expires_at=None)
    assert picture_keep(token, pts_ms=5, name="live/late.jpg", faces=[]) is None
    assert pictures_expired() == []
    AnalysisRun.objects.filter(pk=run.pk).update(status=RunStatus.FAILED, finished_at="2025-01-01T00:00:00Z")
    assert len(pictures_expired()) == MOST_PICTURES
    assert not RunPicture.objects.exists()


def test_many_runs_and_episodes_get_one_summary(staff: Client) -> None:
    going, done = make_run(50_000), make_run(50_000)
    complete_all(done)
    run_finalise(done.pk)
    text = staff.post("/runs/bulk", {"action": "cancel", "run": [going.pk, done.pk, "x"]}).content.decode()
    assert "One was done. One was refused." in text
    assert f"Run {done.pk} has succeeded already." in text
    fresh = make_episode(50_000)
    text = read(staff, "/runs/analyse/")
    assert fresh.title in text
    assert done.episode.title not in text
    answer = staff.post("/runs/bulk", {"action": "analyse", "episode": [fresh.pk], "bundle": "test-1"})
    assert "One was done. None was refused." in answer.content.decode()
    assert "Choose some runs first" in staff.post("/runs/bulk", {"action": "cancel"}, follow=True).content.decode()
    assert going.episode.title in read(staff, "/runs/analyse/?state=failed")
    assert done.episode.title in read(staff, "/runs/analyse/?state=shown")
    assert Episode.objects.count() == len(re.findall(r'name="episode"', read(staff, "/runs/analyse/?state=all")))


def test_another_bundle_then_compare_publish_and_back(staff: Client) -> None:
    run = make_run(50_000)
    complete_all(run)
    run_finalise(run.pk)
    make_bundle("2")
    answer = staff.post(f"/runs/{run.pk}/again", {"bundle": "test-2"})
    fresh = AnalysisRun.objects.exclude(pk=run.pk).get()
    assert answer["Location"] == f"/runs/{fresh.pk}/"
    complete_all(fresh)
    run_finalise(fresh.pk)
    assert f"/runs/{run.pk}/compare/{fresh.pk}/" in read(staff, f"/runs/{fresh.pk}/")
    staff.post(f"/runs/{fresh.pk}/publish")
    assert "Show again what the episode showed before" in read(staff, f"/runs/{fresh.pk}/")
    staff.post(f"/runs/{fresh.pk}/rollback")
    assert run.publications.filter(withdrawn_at__isnull=True).exists()
    staff.post(f"/runs/{run.pk}/again", {"bundle": "nobody"})
    assert AnalysisRun.objects.count() == 2


def test_roles_decide_who_steers(settings: Any) -> None:
    run = make_run(50_000)
    viewer, editor = _somebody(VIEWER), _somebody(EDITOR)
    posts = {f"/runs/{run.pk}/priority": {"to": "top"}, "/runs/bulk": {"action": "raise", "run": [run.pk]}}
    for address, body in posts.items():
        assert viewer.post(address, body).status_code == 403
        assert editor.post(address, body).status_code in (200, 302)
    assert "data-live-events" in read(viewer, "/runs/")
    assert viewer.get("/runs/analyse/").status_code == 403
    for client in (viewer, editor):
        assert client.post("/runs/queue", {"queue": "all", "do": "pause"}).status_code == 403
        assert client.post("/runs/bulk", {"action": "publish", "run": [run.pk]}).status_code == 403
        assert client.post(f"/runs/{run.pk}/rollback").status_code == 403
    assert not Queue.objects.exists()


def test_the_api_orders_pauses_and_does_many(staff: Client) -> None:
    first, second = make_run(50_000), make_run(50_000)

    def post(path: str, body: dict[str, Any]) -> Any:
        return staff.post(f"/api/v1/{path}", body, content_type="application/json")

    assert post(f"runs/{second.pk}/priority/", {"to": "top"}).json()["priority"] == 1
    for wrong in ({"to": 1.5}, {"to": "up"}, {"to": 10**9}, {}, {"to": None}, {"to": True}):
        assert post(f"runs/{second.pk}/priority/", wrong).status_code == 400
    paused = post("queue/pause/", {"queue": "inference", "reason": "r"}).json()
    assert (paused["queue"], paused["paused"], paused["by"]) == ("inference", True, "admin")
    assert post("queue/pause/", {"queue": "cheese"}).status_code == 400
    told = staff.get("/api/v1/queue/").json()
    assert [w["run"] for w in told["waiting"]] == [second.pk, first.pk]
    assert [q["queue"] for q in told["queues"] if q["paused"]] == ["inference"]
    assert not post("queue/resume/", {"queue": "inference"}).json()["paused"]
    answer = post("runs/bulk/", {"action": "cancel", "runs": [first.pk, 7]}).json()
    assert [d["id"] for d in answer["done"]] == [first.pk]
    assert [(r["id"], r["code"]) for r in answer["refused"]] == [(7, "run_unknown")]
    for wrong_bulk in ({"action": "cancel"}, {"action": "burn", "runs": [1]}, {"action": "cancel", "runs": ["x"]},
                       {"action": "cancel", "runs": [2**80]}):  # fmt: skip
        assert post("runs/bulk/", wrong_bulk).status_code == 400
    stranger = Client()
    assert stranger.get("/api/v1/queue/").status_code == 401
    assert stranger.post("/api/v1/runs/bulk/", {"action": "cancel"}, content_type="application/json").status_code == 401
