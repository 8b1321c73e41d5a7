"""Every address, asked under random limits over random catalogues, and whatever comes out of it looked through.

Each episode has a word in its title, pictures and video that no other has, and each row of it an id from a range that
nothing else in an answer is in; so whatever leaks is seen wherever it stands. A check is one episode and one answer.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from analysis.limits import Limits, limits_format
from analysis.models import AnalysisRun, Correction, EmotionProfile, FaceDetection, Find, ModelBundle, Scene, Segment
from analysis.search.answer import registry_load
from analysis.search.parse import parse
from analysis.search.query_json import query_to_json
from analysis.selectors.features import catalogue_forget
from analysis.services.features import features_fill
from analysis.services.find_index import find_index_update
from catalog.models import SourceFile
from tests.analysis.limits.browser import limited
from tests.analysis.limits.made import limits_random, shows_it
from tests.analysis.search_world import Show, World, store, world_random

TOKEN = "somebody-looks-for-a-face"
EMBEDDING = [0.125] * 64 + [0.0] * 64
FIRST_ID = 7_000_000_000
ID = re.compile(r"(?<!\d)7\d{9}(?!\d)")
WORD = re.compile(r"Zebra(\d+)q")
EXPORTED = ("", "?episode={pk}", "?character=tom")
TABLES = ("catalog_episode", "analysis_analysisrun", "analysis_scene", "analysis_emotionprofile",
          "analysis_sceneemotion", "analysis_emotionspan", "analysis_facedetection",
          "analysis_correction")  # fmt: skip
QUESTIONS = (
    "happiest scenes", "angriest moments", "saddest episodes", "calm episodes", "angriest characters",
    "characters who are never sad", "episodes where Tom is never angry", "episodes where nobody is ever angry",
    "scenes where Tom is sad while Jerry is happy", "episodes where Tom is happy before Jerry is sad",
    "scenes where Tom is happier than Jerry", "moments where Tom is angry for more than 1 s", "scenes with Jerry",
    "episodes with Pip", "scenes from 1936", "episodes under 8 minutes", "episodes about storm", "storm",
    "scenes where Jerry is scared for at least 20 %", "episodes where Tom is always happy", "happiest zebra{n}q scenes",
)  # fmt: skip


@dataclass
class Catalogue:
    """``owner``: id -> place of its show. ``checks``: hidden episodes times answers that were looked through."""

    world: World
    owner: dict[int, int] = field(default_factory=dict)
    pictures: dict[int, int] = field(default_factory=dict)
    profiles: dict[int, int] = field(default_factory=dict)
    corrections: dict[int, int] = field(default_factory=dict)
    faces: dict[int, int] = field(default_factory=dict)
    checks: int = 0
    shown: int = 0
    leaks: list[str] = field(default_factory=list)


def catalogue_made(seed: int, shows: int) -> Catalogue:
    for table in TABLES:
        offset = FIRST_ID + 100_000_000 * TABLES.index(table)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), GREATEST(%s, (SELECT COALESCE(MAX(id), 0) FROM "
                f"{table})))",
                [table, offset],
            )
    world = world_random(seed, shows)
    for place, show in enumerate(world.shows):
        show.title = f"{show.title} Zebra{place}q"
    found = Catalogue(store(world))
    for place, show in enumerate(world.shows):
        _owned(found, place, show)
    _asked_for_a_face(found)
    features_fill()
    catalogue_forget()
    return found


def _owned(found: Catalogue, place: int, show: Show) -> None:
    content = f"film Zebra{place}q".encode()
    name = default_storage.save("sources/fuzz.bin", ContentFile(content))
    SourceFile.objects.filter(episode=show.pk).update(stored_name=name)
    picture = default_storage.save("thumbnails/fuzz.jpg", ContentFile(f"picture Zebra{place}q".encode()))
    Scene.objects.filter(pk=show.scene_pks[0]).update(thumbnail=picture)
    found.pictures[place] = show.scene_pks[0]
    rows = [show.pk, show.run_pk, *show.scene_pks, *(s.pk for s in show.shown), *(s.pk for s in show.spans)]
    profiles = list(EmotionProfile.objects.filter(run_id=show.run_pk).values_list("pk", flat=True))
    if profiles:
        found.profiles[place] = profiles[0]
    person = User.objects.get_or_create(username="editor")[0]
    said = Correction.objects.create(
        episode_id=show.pk, source_sha256="0" * 64, start_ms=0, end_ms=500, says="no_face", box_x1=0.1, box_y1=0.1,
        box_x2=0.2, box_y2=0.2, made_by=person,
    )  # fmt: skip
    found.corrections[place] = said.pk
    found.owner |= dict.fromkeys([*rows, *profiles, said.pk], place)


def _asked_for_a_face(found: Catalogue) -> None:
    """Each show has a face that can be found, and somebody looks for one like it."""
    for place, show in enumerate(found.world.shows):
        run = AnalysisRun.objects.get(pk=show.run_pk)
        segment = Segment.objects.create(run=run, index=0, start_ms=0, end_ms=show.duration_ms, status="done")
        start_ms, _ = show.scenes[0]
        face = FaceDetection.objects.create(
            run=run, segment=segment, index=0, pts_ms=start_ms, shown_ms=100, box_x1=0, box_y1=0, box_x2=9, box_y2=9,
            score=0.9, confidence=0.5, embedding=EMBEDDING,
        )  # fmt: skip
        find_index_update(run.pk)
        found.faces[place] = face.pk
        found.owner[face.pk] = place
    Find.objects.create(
        token=TOKEN, expires_at=timezone.now() + timedelta(hours=1), sent_at=timezone.now(), status="read",
        bundle=ModelBundle.objects.get(name="world"),
        faces=[{"box": [0, 0, 9, 9], "score": 0.9, "how": "found", "character": None, "emotion": "", "confidence": 0.5,
                "embedding": EMBEDDING}],
    )  # fmt: skip


def leaked(found: Catalogue, text: str, visible: set[int]) -> set[int]:
    """Places of hidden shows that the text tells of."""
    told = {int(n) for n in WORD.findall(text)} | {
        found.owner[int(n)] for n in ID.findall(text) if int(n) in found.owner
    }
    return told - visible


Ask = Callable[[Catalogue, Client, random.Random, str], Iterator[tuple[str, int | None, str]]]


def body(response: Any) -> str:
    """What was asked in lower case may be said again; titles have a capital."""
    content = b"".join(response) if response.streaming else response.content
    return f"{content.decode(errors='replace')} {dict(response.headers)}"


def one(
    address: str,
    of: Callable[[Catalogue, int], int | None] = lambda c, p: c.world.shows[p].pk,
    *,
    by_query: bool = False,
) -> Ask:
    """An address of one thing, asked for a hidden and a visible episode. Yields (status and text, place, name).

    ``by_query``: the address has a query of its own.
    """

    def ask(found: Catalogue, client: Client, rng: random.Random, limits: str) -> Iterator[tuple[str, int | None, str]]:
        for place in rng.sample(range(len(found.world.shows)), 2):
            pk = of(found, place)
            if pk is not None:
                response = client.get(address.format(pk=pk), {"limits": limits} if limits and not by_query else None)
                yield f"{response.status_code} {body(response)}", place, address

    return ask


def many(*addresses: str, most: int = 5) -> Ask:
    """Addresses of lists, ``most`` of them at a time; ``{n}`` is any show's place, ``{pk}`` its id."""

    def ask(found: Catalogue, client: Client, rng: random.Random, limits: str) -> Iterator[tuple[str, int | None, str]]:
        for address in rng.sample(addresses, min(most, len(addresses))):
            place = rng.randrange(len(found.world.shows))
            values = {"n": place, "pk": found.world.shows[place].pk, "run": found.world.shows[place].run_pk}
            joint = "&" if "?" in address else "?"
            asked = f"{joint}limits={limits.replace('%', '%25').replace(' ', '+')}" if limits else ""
            response = client.get(address.format(**values) + asked)
            assert response.status_code == 200, (address, response.status_code)
            yield body(response), None, address

    return ask


def like(address: str) -> Ask:
    """Moments that look like a face of a hidden or a visible episode."""

    def ask(found: Catalogue, client: Client, rng: random.Random, limits: str) -> Iterator[tuple[str, int | None, str]]:
        for place in rng.sample(range(len(found.world.shows)), 2):
            asked = f"&limits={limits.replace('%', '%25').replace(' ', '+')}" if limits else ""
            response = client.get(address.format(pk=found.faces[place]) + asked)
            yield f"{response.status_code} {body(response)}", place, address

    return ask


def found_before(address: str) -> Ask:
    """The answer to a picture, which is made anew each time; refused where nothing may be seen."""

    def ask(found: Catalogue, client: Client, rng: random.Random, limits: str) -> Iterator[tuple[str, int | None, str]]:
        response = client.get(address, {"limits": limits} if limits else {})
        assert response.status_code in (200, 409), response.status_code
        yield body(response), None, address

    return ask


def queries(found: Catalogue, client: Client, rng: random.Random, limits: str) -> Iterator[tuple[str, int | None, str]]:
    for question in rng.sample(QUESTIONS, 4):
        query = parse(question.format(n=0), registry_load()).query
        if query is not None:
            asked = f"?limits={limits.replace('%', '%25').replace(' ', '+')}" if limits else ""
            response = client.post(f"/api/v1/query/{asked}", query_to_json(query), content_type="application/json")
            assert response.status_code == 200
            yield body(response), None, f"query: {question}"


def played(found: Catalogue, client: Client, rng: random.Random, limits: str) -> Iterator[tuple[str, int | None, str]]:
    """A game that is drawn, and one about a stretch of any episode, such as an address from before the limits."""
    drawn = client.get("/quiz/?start=1", follow=True)
    assert drawn.status_code == 200
    yield body(drawn), None, "/quiz/?start=1"
    for place in rng.sample(range(len(found.world.shows)), 2):
        for span in found.world.shows[place].spans[:1]:
            game = signing.dumps([[span.pk], ""], salt="toonemo.quiz")
            for answer in ("", "&answer=happy"):
                response = client.get(f"/quiz/?game={game}{answer}")
                assert response.status_code == 200
                yield body(response), None, f"/quiz/?game={answer}"


def likes(*addresses: str) -> Ask:
    """Addresses that name episodes as liked; one that is visible may still be too little known."""

    def ask(found: Catalogue, client: Client, rng: random.Random, limits: str) -> Iterator[tuple[str, int | None, str]]:
        asked = f"&limits={limits.replace('%', '%25').replace(' ', '+')}" if limits else ""
        places = [(address, place) for address in addresses for place in range(0, len(found.world.shows), 5)]
        for address, place in places:
            response = client.get(address.format(pk=found.world.shows[place].pk) + asked)
            yield f"{response.status_code} {body(response)}", place, address
        for address in addresses:
            response = client.get(address.replace("like={pk}", "calmer=1") + asked)
            assert response.status_code == 200, (address, response.status_code)
            yield body(response), None, address

    return ask


SEARCHES = tuple(q.replace(" ", "+") for q in QUESTIONS)
VISITED: dict[str, Ask] = {
    "browse": many("/", "/?page=2", "/?emotion=happy&sort=most", "/?words=zebra{n}q", "/?character=tom&sort=newest"),
    "episode": one("/episodes/{pk}/"),
    "episode-print": one("/episodes/{pk}/print/"),
    "episode-moments": one("/episodes/{pk}/moments/?character=tom&emotion=happy"),
    "card": one("/episodes/{pk}/card/"),
    "oembed": one("/oembed?url=http://testserver/episodes/{pk}/", by_query=True),
    "episode-video": one("/episodes/{pk}/video"),
    "scene-thumbnail": one("/scenes/{pk}/thumbnail", lambda c, p: c.pictures[p]),
    "character": many("/characters/tom/", "/characters/jerry/"),
    "characters": many("/characters/", "/characters/?words=t"),
    "find": like("/find/?face={pk}"),
    "find-answer": found_before(f"/find/{TOKEN}/"),
    "moment-picture": one("/moments/{pk}/picture", lambda c, p: c.faces[p]),
    "moment-face": one("/moments/{pk}/face", lambda c, p: c.faces[p]),
    "runs-compare": one("/runs/{pk}/compare/{pk}/", lambda c, p: c.world.shows[p].run_pk),
    "api-find": like("/api/v1/find/?face={pk}"),
    "api-find-answer": found_before(f"/api/v1/find/{TOKEN}/"),
    "api-run-compare": one("/api/v1/runs/{pk}/compare/{pk}/", lambda c, p: c.world.shows[p].run_pk),
    "search": many("/search/", *(f"/search/?q={q}" for q in SEARCHES)),
    "quiz": played,
    "recommendations": likes("/recommendations/?like={pk}", "/recommendations/?like={pk}&minutes=5"),
    "api-recommendations": likes("/api/v1/recommendations/?like={pk}"),
    "api-evening": likes("/api/v1/recommendations/evening/?minutes=5&like={pk}"),
    "runs": many("/runs/", "/runs/?status=succeeded&page=2"),
    "run": one("/runs/{pk}/", lambda c, p: c.world.shows[p].run_pk),
    "api-series-list": many("/api/v1/series/"),
    "api-series-detail": many("/api/v1/series/mice/"),
    "api-episode-list": many("/api/v1/episodes/?limit=200", "/api/v1/episodes/?words=zebra{n}q&limit=1",
                             "/api/v1/episodes/?emotion=angry&sort=least"),
    "api-episode-detail": one("/api/v1/episodes/{pk}/"),
    "api-episode-timeline": one("/api/v1/episodes/{pk}/timeline/"),
    "api-overlays": one("/api/v1/episodes/{pk}/overlays/"),
    "api-overlay-svg": one("/api/v1/episodes/{pk}/overlay.svg"),
    "api-correction-list": many("/api/v1/corrections/?limit=200", "/api/v1/corrections/?episode={pk}"),
    "api-correction-detail": one("/api/v1/corrections/{pk}/", lambda c, p: c.corrections[p]),
    "api-certification": one("/api/v1/episodes/{pk}/certification/"),
    "api-subtitles-vtt": one("/api/v1/episodes/{pk}/subtitles.vtt"),
    "api-subtitles-srt": one("/api/v1/episodes/{pk}/subtitles.srt"),
    "api-character-list": many("/api/v1/characters/"),
    "api-character-detail": many("/api/v1/characters/tom/"),
    "api-run-list": many("/api/v1/runs/?limit=200", "/api/v1/runs/?episode={pk}"),
    "api-run-detail": one("/api/v1/runs/{pk}/", lambda c, p: c.world.shows[p].run_pk),
    "api-bundle-list": many("/api/v1/bundles/"),
    "api-profile-list": many("/api/v1/profiles/?limit=200", "/api/v1/profiles/?episode={pk}",
                             "/api/v1/profiles/?run={run}"),
    "api-profile-detail": one("/api/v1/profiles/{pk}/", lambda c, p: c.profiles.get(p)),
    "api-scene-list": many("/api/v1/scenes/?limit=200", "/api/v1/scenes/?episode={pk}",
                           "/api/v1/scenes/?run={run}&emotion=happy"),
    "api-scene-detail": one("/api/v1/scenes/{pk}/", lambda c, p: c.world.shows[p].scene_pks[-1]),
    **{f"api-export-{kind}-{form}": many(*(f"/api/v1/export/{kind}.{form}{query}" for query in EXPORTED))
       for kind in ("episodes", "profiles", "scenes", "spans") for form in ("csv", "ndjson")},
    "api-search": many(*(f"/api/v1/search/?explain=1&q={q}" for q in SEARCHES)),
    "api-query": queries,
}  # fmt: skip
ALLOWED = {
    "healthz": "says that the process lives",
    "readyz": "says whether services answer",
    "set_language": "POST that sets a cookie",
    "words-for-scripts": "words of scripts, without episodes",
    "limits": "whoever sets limits sees there what they hide, and by which number",
    "patterns": "made of samples, only while DEBUG is on",
    "certify": "for staff, who look after every episode",
    "certify-start": "POST by staff, who look after every episode",
    "certify-answer": "POST by staff, who look after every episode",
    "certify-withdraw": "POST by staff, who look after every episode",
    "correct": "for staff, who look after every episode",
    "correct-next": "for editors, who look after every episode",
    "correct-undo": "POST by editors, who look after every episode",
    "correct-skip": "POST by editors, who look after every episode",
    "correct-work-in": "POST by editors, who look after every episode",
    "correct-disputed": "for editors, who look after every episode",
    "correct-settle": "POST by editors, who look after every episode",
    "correct-agreement": "for editors, who look after every episode",
    "character-new": "for editors; a character, without episodes",
    "character-edit": "for editors, who look after every character",
    "character-drawing-add": "POST by editors, who look after every character",
    "character-drawing": "for editors: what one of them sent, drawn anew",
    "character-drawing-remove": "POST by editors, who look after every character",
    "character-naming": "for editors, who look after every episode",
    "character-naming-save": "POST by editors, who look after every character",
    "api-faces-next": "for editors, who look after every episode",
    "api-faces-answers": "for editors, who look after every episode",
    "api-faces-last": "DELETE by editors, of what they said",
    "api-faces-settle": "POST by editors, who look after every episode",
    "api-agreement": "for editors; numbers over all episodes",
    "api-drawings": "for editors, who look after every character",
    "api-drawing": "DELETE by editors, who look after every character",
    "api-naming": "for editors, who look after every episode",
    "correction-withdraw": "POST by staff, who look after every episode",
    "api-certification-answers": "POST by staff, of what api-certification shows",
    "add": "for those who add episodes, who look after every episode",
    "add-send": "POST by those who add episodes",
    "add-preview": "POST by those who add episodes",
    "add-folder": "for those who add episodes: folders of the server",
    "add-remove": "POST by those who add episodes",
    "add-plan": "for those who add episodes, who look after every episode",
    "add-confirm": "POST by those who add episodes",
    "add-discard": "POST by those who add episodes",
    "add-name": "for those who add episodes, who look after every episode",
    "api-uploads": "for those who add episodes: what they sent themselves",
    "api-upload": "for those who add episodes: what they sent themselves",
    "api-upload-known": "for those who add episodes, who look after every episode",
    "api-imports": "for those who add episodes, who look after every episode",
    "api-import": "for those who add episodes, who look after every episode",
    "api-import-confirm": "POST by those who add episodes",
    "api-import-file": "PUT by those who add episodes",
    "api-import-folders": "for those who add episodes: folders of the server",
    "find-picture": "what the visitor sent, drawn anew",
    "api-run-rollback": "POST by staff, who look after every run",
    "api-bundle-compare": "for staff, who look after every run",
    "api-bundle-publish": "POST by staff, who look after every run",
    "api-bundle-rollback": "POST by staff, who look after every run",
    "episode-analyse": "POST by staff; leads to the run",
    "run-cancel": "POST by staff, who look after every run",
    "run-retry": "POST by staff, who look after every run",
    "run-publish": "POST by staff, who look after every run",
    "run-rollback": "POST by those who publish",
    "run-priority": "POST by those who look after every run",
    "run-again": "POST by those who look after every run; leads to the new run",
    "run-picture": "for those who look after every run",
    "runs-analyse": "for those who look after every episode",
    "runs-bulk": "POST by those who look after every run",
    "runs-queue": "POST by those who look after the work",
    "api-runs-events": "for those who look after every run",
    "api-run-events": "for those who look after every run",
    "api-run-priority": "POST by those who look after every run",
    "api-runs-bulk": "POST by those who look after every run",
    "api-queue": "for those who look after every run",
    "api-queue-pause": "POST by those who look after the work",
    "api-queue-resume": "POST by those who look after the work",
    "api-episode-analyse": "POST by staff",
    "api-run-cancel": "POST by staff, who look after every run",
    "api-run-retry": "POST by staff, who look after every run",
    "api-run-publish": "POST by staff, who look after every run",
    "api-bundle-detail": "a model, without episodes",
    "sign-in": "of people, without episodes",
    "sign-out": "of people, without episodes",
    "tokens": "of people, without episodes",
    "token-revoke": "POST, of people",
    "audit": "for admins, who look after every episode",
    "api-audit-list": "for admins, who look after every episode",
    "api-token-list": "of people, without episodes",
    "api-token-detail": "DELETE, of people",
    "webhooks": "for admins, who look after every episode",
    "webhook": "for admins, who look after every episode",
    "webhook-act": "POST by admins",
    "webhook-again": "POST by admins",
    "api-webhook-list": "for admins, without episodes",
    "api-webhook-detail": "for admins, without episodes",
    "api-webhook-test": "POST by admins",
    "api-webhook-rotate": "POST by admins",
    "api-webhook-deliveries": "for admins, who look after every episode",
    "api-webhook-again": "POST by admins",
    "/admin/login/": "leads to sign-in",
    "api-nothing": "404 for every other address",
    "api-schema": "made of code",
    "api-docs": "made of code",
    "api-redoc": "made of code",
}
ADMINISTRATION = "admin"  # its namespace: for staff, who look after everything


def routes() -> set[str]:
    """Names of all addresses; an address without a name is its own."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield pattern.name or f"{before}{pattern.pattern}"
            elif pattern.namespace != ADMINISTRATION:
                yield from walk(pattern.url_patterns, f"{before}{pattern.pattern}")

    return set(walk(get_resolver().url_patterns, "/"))


def visit(found: Catalogue, limits: Limits, rng: random.Random, *, thorough: bool = True) -> None:
    """Asks every address under the limits, by cookie or by parameter; adds to ``checks`` and ``leaks``."""
    shows = found.world.shows
    visible = {place for place, show in enumerate(shows) if shows_it(show, limits)}
    text = limits_format(limits)
    client = Client()
    if rng.random() < 0.2:
        client.force_login(User.objects.get_or_create(username="someone")[0])
    for name, ask in VISITED.items():
        by_parameter = name.startswith("api-") and rng.random() < 0.5
        limited(client, "" if by_parameter else text)
        for answer, place, address in ask(found, client, rng, text if by_parameter else ""):
            for other in leaked(found, answer, visible):
                found.leaks.append(f"{address} under {text} tells of {shows[other].title}")
            if place is not None:
                _look_at_one(found, answer, place, visible, f"{address} under {text}")
            else:
                found.checks += len(shows) - len(visible)
                found.shown += len({int(n) for n in WORD.findall(answer)} & visible)
    if thorough:
        _command(found, text, visible, rng)


def _look_at_one(found: Catalogue, answer: str, place: int, visible: set[int], where: str) -> None:
    status = answer[:3]
    found.checks += place not in visible
    if place not in visible and status != "404":
        found.leaks.append(f"{where}: status {status} for a hidden episode")
    if place in visible and status == "404" and ("hide this episode" in answer or "hidden_by_limits" in answer):
        found.leaks.append(f"{where}: a visible episode is hidden")
    found.shown += status == "200"


def _command(found: Catalogue, text: str, visible: set[int], rng: random.Random) -> None:
    question = rng.choice(QUESTIONS[:12])
    out = StringIO()
    call_command("search", question, max=[text], json=True, stdout=out)
    assert json.loads(out.getvalue())["answer"] == "results"
    for other in leaked(found, out.getvalue(), visible):
        found.leaks.append(f"search {question} under {text} tells of {found.world.shows[other].title}")
    out = StringIO()
    call_command("recommend", calmer=1, max=[text], json=True, stdout=out)
    for other in leaked(found, out.getvalue(), visible):
        found.leaks.append(f"recommend under {text} tells of {found.world.shows[other].title}")
    found.checks += len(found.world.shows) - len(visible)


def fuzz(seed: int, shows: int, times: int) -> Catalogue:
    rng = random.Random(f"leaks {seed}")
    found = catalogue_made(seed, shows)
    for _ in range(times):
        visit(found, limits_random(rng), rng)
    return found
