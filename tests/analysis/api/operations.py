"""How each route of the API is asked in a small catalogue, so that every one can be held against the schema.

A new route gets a line in ``OPERATIONS``; its example is written by ``tests/analysis/api/test_contract.py`` when
``TOONEMO_WRITE_EXAMPLES`` is set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.utils import timezone

from analysis.models import AnalysisRun, Certification, Correction, FaceDetection, Find, ModelBundle
from analysis.services.bundle_publishing import bundle_publish
from analysis.services.certify import certification_start
from analysis.services.corrections import CorrectionRequest, correction_add
from analysis.services.features import features_fill
from analysis.services.find_index import find_index_update
from analysis.services.publishing import run_publish
from analysis.services.runs import run_request
from catalog.models import Episode, Series
from ml.masks import encode_mask
from tests.analysis import world
from tests.tokens import bearer

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
EMBEDDING = [0.1] * 128


@dataclass
class Made:
    """``first`` was analysed by two bundles, ``second`` by one; ``waiting`` is a run that no worker has begun."""

    staff: User
    first: Episode
    second: Episode
    runs: tuple[AnalysisRun, AnalysisRun]
    bundles: tuple[ModelBundle, ModelBundle]
    waiting: AnalysisRun
    cancelled: AnalysisRun
    correction: Correction
    sample: Certification
    face: int
    profile: int
    scene: int
    secret: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Of somebody who may everything."""
        if not self.secret:
            self.secret = bearer(self.staff)["Authorization"]
        return {"Authorization": self.secret}

    def client(self, *, by_token: bool = True) -> Client:
        if by_token:
            return Client(headers=self.headers)
        client = Client()
        client.force_login(self.staff)
        return client


@dataclass(frozen=True)
class Asked:
    """``path`` below /api/v1/. ``body``: JSON, files and fields of a form, or bytes of a ``kind``."""

    method: str
    path: str
    status: int = 200
    body: Any = None
    form: bool = False
    kind: str = "application/json"
    headers: Mapping[str, str] | None = None
    by_token: bool = True
    before: Callable[[Made], None] | None = None


@override_settings(TOONEMO_ENOUGH_HALF_WIDTH=0.5, TOONEMO_ENOUGH_SHOTS=3)
def make() -> Made:
    """Little is evidence enough here, so that there is something to rate."""
    staff = User.objects.create_user("admin", is_staff=True)
    first = world.analysed_episode(1, "The Missing Cheese", 60_000, synopsis="A cat looks for what a mouse has eaten.")
    Series.objects.update(year=1941, synopsis="A cat, a mouse, a cheese.")
    second = world.analysed_episode(2, "Storm", 60_000)
    shown = AnalysisRun.objects.get(episode=first)
    _masks(shown)
    other = world.make_bundle("2")
    moods: dict[str | None, Sequence[world.Mood]] = {
        slug: world.make_moods(slug, 60_000, 7) for slug in ("tom", "jerry", "pip")
    }
    again = world.analyse(first, moods, bundle="toonemo-2")
    for run in AnalysisRun.objects.all():
        find_index_update(run.pk)
    features_fill()
    correction = correction_add(
        episode=second,
        actor=staff,
        asked=CorrectionRequest(start_ms=0, end_ms=60_000, subject="tom", character="tom", emotion="angry"),
    )
    sample = certification_start(episode=first, actor=staff, character="tom", shots=5, seed=1)
    waiting = run_request(episode=second, bundle_name="toonemo-2")
    cancelled = run_request(episode=first, bundle_name="toonemo-1", config={"sampling": "per-second"})
    AnalysisRun.objects.filter(pk=cancelled.pk).update(status="cancelled", finished_at=timezone.now())
    cancelled.segments.update(status="cancelled")
    Find.objects.create(
        token="somebody-looks-for-a-face",
        expires_at=timezone.now() + timedelta(hours=1),
        sent_at=timezone.now(),
        status="read",
        bundle=shown.bundle,
        faces=[{"box": [12.0, 8.0, 88.0, 90.0], "score": 0.93, "how": "found", "character": "tom", "emotion": "angry",
                "confidence": 0.81, "embedding": EMBEDDING}],
    )  # fmt: skip
    face = FaceDetection.objects.filter(run=shown, character__slug="tom")[20]
    return Made(
        staff, first, second, (shown, again), (shown.bundle, other), waiting, cancelled, correction, sample,
        face.pk, shown.profiles.get(character__slug="jerry").pk, shown.scenes.order_by("index")[1].pk,
    )  # fmt: skip


def _masks(run: AnalysisRun) -> None:
    rows, columns = np.mgrid[0:360, 0:640]
    for face in FaceDetection.objects.filter(run=run, pts_ms__lt=12_000):
        x, y = (face.box_x1 + face.box_x2) / 2, (face.box_y1 + face.box_y2) / 2
        mask = encode_mask(((columns - x) / 45) ** 2 + ((rows - y) / 50) ** 2 <= 1)
        FaceDetection.objects.filter(pk=face.pk).update(mask={"size": list(mask.size), "counts": mask.counts})


def _publish_second(made: Made) -> None:
    run_publish(run=made.runs[1], actor=made.staff)


def _publish_bundle(made: Made) -> None:
    bundle_publish(bundle=made.bundles[1], actor=made.staff)


def operations(made: Made) -> dict[str, Asked]:
    """By the operation's id."""
    episode, shown, other = made.first.pk, made.runs[0].pk, made.runs[1].pk
    one, two = (bundle.pk for bundle in made.bundles)
    start, end = made.sample.frame[made.sample.picked[0]]
    answer = {"character": "tom", "place": made.sample.picked[0],
              "pieces": [{"start_ms": start, "end_ms": end, "label": "angry"}]}  # fmt: skip
    query = {"version": 2, "target": "scenes", "order": "most", "emotion": "happy", "character": "jerry", "where": []}
    said = {"episode": made.second.pk, "start_ms": 0, "end_ms": 60_000, "subject": "jerry", "says": "character",
            "character": "jerry", "emotion": "happy"}  # fmt: skip
    exports = {
        f"export_{kind}_{form}": Asked("get", f"export/{kind}.{form}")
        for kind in ("episodes", "profiles", "scenes", "spans")
        for form in ("csv", "ndjson")
    }
    return exports | {
        "bundles_list": Asked("get", "bundles/"),
        "bundles_retrieve": Asked("get", f"bundles/{one}/"),
        "bundles_compare_retrieve": Asked("get", f"bundles/{one}/compare/{two}/"),
        "bundles_publish_create": Asked("post", f"bundles/{two}/publish/", body={"dry_run": True}),
        "bundles_rollback_create": Asked("post", f"bundles/{two}/rollback/", before=_publish_bundle),
        "certification_list": Asked("get", f"episodes/{episode}/certification/"),
        "certification_start": Asked(
            "post", f"episodes/{episode}/certification/", 201, {"character": "jerry", "shots": 6}
        ),
        "certification_withdraw": Asked("delete", f"episodes/{episode}/certification/?character=tom", 204),
        "certification_answer": Asked("post", f"episodes/{episode}/certification/answers/", body=answer),
        "characters_list": Asked("get", "characters/"),
        "characters_retrieve": Asked("get", "characters/tom/"),
        "corrections_list": Asked("get", "corrections/"),
        "corrections_create": Asked("post", "corrections/", 201, said),
        "corrections_retrieve": Asked("get", f"corrections/{made.correction.pk}/"),
        "corrections_destroy": Asked("delete", f"corrections/{made.correction.pk}/"),
        "episodes_list": Asked("get", "episodes/?character=tom&sort=title"),
        "episodes_retrieve": Asked("get", f"episodes/{episode}/"),
        "episodes_analyse_create": Asked("post", f"episodes/{made.second.pk}/analyse/", 202, {"bundle": "toonemo-2"}),
        "episodes_overlay_svg": Asked("get", f"episodes/{episode}/overlay.svg?at_ms=10000"),
        "episodes_overlays": Asked("get", f"episodes/{episode}/overlays/?from_ms=9000&to_ms=12000"),
        "episodes_subtitles_srt": Asked("get", f"episodes/{episode}/subtitles.srt"),
        "episodes_subtitles_vtt": Asked("get", f"episodes/{episode}/subtitles.vtt"),
        "episodes_timeline_retrieve": Asked("get", f"episodes/{episode}/timeline/"),
        "find": Asked("post", "find/", 202, {"picture": PNG, "bundle": "toonemo-1"}, form=True),
        "find_answer": Asked("get", "find/somebody-looks-for-a-face/?emotion=angry"),
        "find_like": Asked("get", f"find/?face={made.face}"),
        "profiles_list": Asked("get", f"profiles/?episode={episode}&limit=2"),
        "profiles_retrieve": Asked("get", f"profiles/{made.profile}/"),
        "query": Asked("post", "query/", body=query),
        "recommendations": Asked("get", f"recommendations/?like={episode}&calmer=1"),
        "recommendations_post": Asked("post", "recommendations/", body={"like": [episode], "sliders": {"calmer": 1}}),
        "recommendations_evening": Asked("get", f"recommendations/evening/?minutes=5&like={episode}"),
        "recommendations_evening_post": Asked(
            "post", "recommendations/evening/", body={"minutes": 5, "sliders": {"calmer": 1}}
        ),
        "runs_list": Asked("get", "runs/"),
        "runs_retrieve": Asked("get", f"runs/{shown}/"),
        "runs_cancel_create": Asked("post", f"runs/{made.waiting.pk}/cancel/"),
        "runs_compare_retrieve": Asked("get", f"runs/{shown}/compare/{other}/"),
        "runs_publish_create": Asked("post", f"runs/{other}/publish/"),
        "runs_retry_create": Asked("post", f"runs/{made.cancelled.pk}/retry/"),
        "runs_rollback_create": Asked("post", f"runs/{other}/rollback/", before=_publish_second),
        "scenes_list": Asked("get", f"scenes/?episode={episode}&limit=2"),
        "scenes_retrieve": Asked("get", f"scenes/{made.scene}/"),
        "search": Asked("get", "search/?q=happiest+Jerry+scenes&explain=1"),
        "series_list": Asked("get", "series/"),
        "series_retrieve": Asked("get", "series/cheese/"),
    }


def ask(client: Client, asked: Asked) -> Any:
    address = f"/api/v1/{asked.path}"
    if asked.form:
        fields = {k: SimpleUploadedFile("a.png", v) if isinstance(v, bytes) else v for k, v in asked.body.items()}
        return client.post(address, fields)
    call, headers = getattr(client, asked.method), dict(asked.headers or {})
    if asked.body is not None:
        return call(address, asked.body, content_type=asked.kind, headers=headers)
    if asked.method == "get":
        return call(address, headers=headers)
    return client.generic(asked.method.upper(), address, headers=headers)


def text_of(response: Any) -> str:
    content: bytes = b"".join(response) if response.streaming else response.content
    return content.decode()
