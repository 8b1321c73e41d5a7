"""Every page of the site in its main states, and a catalogue in which each has something to show.

``pages`` is held against the routes: a new page has to be put in, or into ``NO_PAGE`` with a reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext

from analysis.limits import limits_parse
from analysis.limits_request import COOKIE, limits_keep
from analysis.models import AnalysisRun, Certification, EmotionSpan, FaceDetection, Find, ModelBundle
from analysis.selectors.asking import SECOND, Scope, asks_next
from analysis.services.asking import face_answer
from analysis.services.certify import certification_start
from analysis.services.corrections import CorrectionRequest
from analysis.services.find_index import find_index_update
from analysis.services.leases import segment_claim, segment_heartbeat
from analysis.services.runs import run_cancel, run_request
from analysis.services.webhooks import webhook_create
from catalog.access.services.tokens import token_create
from catalog.models import Episode, ImportPlan
from catalog.services.plans import plan_of_uploads
from tests.analysis.world import make_episode, make_series
from tests.catalog.incoming_helpers import looked, sent
from tests.e2e.conftest import Site

ANYBODY, EDITOR, ADMIN, ROOT = "", "editor", "admin", "root"
TOKEN = "a-picture-that-was-looked-at"
LONG = "The Very Long Evening on Which Everybody Waited for the Cheese That Nobody Had Thought of Buying"


@dataclass(frozen=True)
class Place:
    """``name``: of its pictures. ``route``: the name of its address. ``who``: the role that it is opened in."""

    name: str
    route: str
    address: str
    who: str = ANYBODY
    status: int = 200


# Routes that are no page of ours: what answers with a file or JSON, what only takes a POST, what others made.
NO_PAGE = {
    "healthz": "JSON", "readyz": "JSON", "oembed": "JSON", "episode-video": "a film", "scene-thumbnail": "a picture",
    "moment-picture": "a picture", "moment-face": "a picture", "find-picture": "a picture", "run-picture": "a picture",
    "character-drawing": "a picture", "/admin/login/": "leads to sign-in", "episode-analyse": "POST",
    "certify-start": "POST", "certify-answer": "POST", "certify-withdraw": "POST", "correct-undo": "POST",
    "correct-skip": "POST", "correct-work-in": "POST", "correct-settle": "POST", "correction-withdraw": "POST",
    "character-drawing-add": "POST", "character-drawing-remove": "POST", "character-naming-save": "POST",
    "add-send": "POST", "add-preview": "POST", "add-remove": "POST", "add-confirm": "POST", "add-discard": "POST",
    "runs-bulk": "POST", "runs-queue": "POST", "run-cancel": "POST", "run-retry": "POST", "run-publish": "POST",
    "run-rollback": "POST", "run-priority": "POST", "run-again": "POST", "webhook-act": "POST",
    "webhook-again": "POST", "sign-out": "POST", "token-revoke": "POST",
    "set_language": "POST", "words-for-scripts": "a script", "api-docs": "Swagger's page", "api-redoc": "ReDoc's page",
}  # fmt: skip


def person(role: str) -> User:
    user, made = User.objects.get_or_create(
        username=role, defaults={"is_staff": role == ROOT, "is_superuser": role == ROOT}
    )
    if made and role != ROOT:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def sign_in(context: BrowserContext, site: Site, role: str) -> None:
    """Nobody is signed in where the role is empty. Streams of events are cut off: they outlive the page that asked."""
    context.route(re.compile(r"/events/(\?|$)"), lambda route: route.abort())
    context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    if role:
        client = Client()
        client.force_login(person(role))
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": site.address}])


def limit(context: BrowserContext, site: Site, text: str) -> None:
    """As if the limits had been set in this browser."""
    kept = HttpResponse()
    limits_keep(kept, limits_parse(text))
    context.add_cookies([{"name": COOKIE, "value": kept.cookies[COOKIE].coded_value, "url": site.address}])


@dataclass(frozen=True)
class Furnished:
    """What stands beside the published episodes. ``runs``: by status."""

    first: int
    bare: int
    runs: dict[str, int]
    game: str
    plan: int
    webhook: int
    face: int


def furnish(site: Site) -> Furnished:
    """Runs in every state, people who differ, a sample to check, a token, a webhook, uploads and a preview."""
    root, editor = person(ROOT), person(EDITOR)
    bare = make_episode(make_series("Winter Nights", "nights"), 1, LONG)
    face, span = (model.objects.order_by("pk").first() for model in (FaceDetection, EmotionSpan))
    assert face is not None
    assert span is not None
    Find.objects.create(
        token=TOKEN, expires_at=timezone.now() + timedelta(hours=1), sent_at=timezone.now(), status="read",
        bundle=ModelBundle.objects.get(), faces=[{"box": [0, 0, 9, 9], "score": 0.9, "how": "found", "character": None,
        "emotion": "", "confidence": 0.5, "embedding": [0.125] * 64 + [0.0] * 64}],
    )  # fmt: skip
    for run in AnalysisRun.objects.all():
        find_index_update(run.pk)
    differ(editor, root)
    certification_start(episode=site.episodes[1], actor=editor, character="tom", shots=5, seed=1)
    token_create(owner=editor, name="the living room", scopes=["read"])
    events = ["run.finished"]
    hook = webhook_create(name="House", url="https://house.example/told", events=events, actor=root)
    game = signing.dumps([[span.pk], ""], salt="toonemo.quiz")
    return Furnished(site.episodes[0].pk, bare.pk, _runs(bare), game, _plan(editor).pk, hook.pk, face.pk)


def differ(one: User, other: User) -> None:
    """Two people who say different things of one face."""
    for who, look, emotion in ((one, "new", "sad"), (other, SECOND, "happy")):
        ask = asks_next(who.pk, Scope(look=look), 1)[0]
        slug = ask.subject.slug
        asked = CorrectionRequest(ask.start_ms, ask.end_ms, subject=slug, character=slug, emotion=emotion)
        face_answer(episode=ask.episode, actor=who, asked=asked)


def _runs(bare: Episode) -> dict[str, int]:
    done = AnalysisRun.objects.order_by("pk").first()
    assert done is not None
    found = {"succeeded": done.pk}
    for number, status in enumerate(("queued", "running", "cancelled"), 2):
        episode = make_episode(make_series("Winter Nights", "nights"), number, f"Night {number}", 150_000)
        run = run_request(episode=episode, bundle_name="toonemo-1")
        found[status] = run.pk
        if status == "running":
            claim = segment_claim(run.segments.order_by("index")[0].pk, "worker@kitchen")
            assert claim is not None
            segment_heartbeat(claim.token, done_ms=30_000, drawings=240, faces=310)
        if status == "cancelled":
            run_cancel(run=run, actor=None)
    return found


def _plan(editor: User) -> ImportPlan:
    """One file that would be added, one that is no video."""
    uploads = [sent(editor, f"{LONG} S01E07.mkv"), sent(editor, "Popeye S01E05 The Cat.mkv")]
    plan = plan_of_uploads(owner=editor, tokens=[u.token for u in uploads], series="")
    looked(plan)
    sent(editor, "notes.mp4", b"words")
    sent(editor, "Betty Boop S01E02.mkv", check=False)
    return plan


def pages(made: Furnished) -> list[Place]:
    one, runs = f"/episodes/{made.first}", made.runs
    return [
        Place("browse", "browse", "/"),
        Place("browse-filtered", "browse", "/?emotion=happy&sort=most&character=tom"),
        Place("browse-nothing", "browse", "/?words=nothing+is+called+so"),
        Place("browse-sentence", "browse", "/?q=calm+episodes"),
        Place("episode", "episode", f"{one}/"),
        Place("episode-bare", "episode", f"/episodes/{made.bare}/"),
        Place("moments", "episode-moments", f"{one}/moments/?character=tom&emotion=happy"),
        Place("print", "episode-print", f"{one}/print/"),
        Place("card", "card", f"{one}/card/"),
        Place("search", "search", "/search/"),
        Place("search-found", "search", "/search/?q=happiest+Tom+scenes"),
        Place("search-not-understood", "search", "/search/?q=purple+monkey+dishwasher"),
        Place("recommendations", "recommendations", "/recommendations/"),
        Place("recommendations-found", "recommendations", f"/recommendations/?like={made.first}&calmer=1&minutes=5"),
        Place("quiz", "quiz", "/quiz/"),
        Place("quiz-question", "quiz", f"/quiz/?game={made.game}"),
        Place("quiz-answer", "quiz", f"/quiz/?game={made.game}&answer=happy"),
        Place("limits", "limits", "/limits/"),
        Place("limits-shared", "limits", "/limits/?limits=angry<=10%25"),
        Place("find", "find", "/find/"),
        Place("find-like", "find", f"/find/?face={made.face}"),
        Place("find-answer", "find-answer", f"/find/{TOKEN}/"),
        Place("characters", "characters", "/characters/"),
        Place("character", "character", "/characters/tom/"),
        Place("characters-compared", "character", "/characters/tom/?with=jerry"),
        Place("runs-visitor", "runs", "/runs/"),
        Place("run-visitor", "run", f"/runs/{runs['succeeded']}/"),
        Place("compare", "runs-compare", f"/runs/{runs['succeeded']}/compare/{runs['succeeded']}/"),
        Place("not-found", "nothing", "/nothing/", status=404),
        Place("sign-in", "sign-in", "/sign-in/"),
        Place("add", "add", "/add/", EDITOR),
        Place("add-folder", "add-folder", "/add/folder/?at=0", EDITOR),
        Place("add-plan", "add-plan", f"/add/{made.plan}/", EDITOR),
        Place("add-name", "add-name", f"/add/{made.plan}/files/1/", EDITOR),
        Place("runs", "runs", "/runs/", EDITOR),
        Place("run-running", "run", f"/runs/{runs['running']}/", EDITOR),
        Place("run", "run", f"/runs/{runs['succeeded']}/", EDITOR),
        Place("runs-analyse", "runs-analyse", "/runs/analyse/", EDITOR),
        Place("episode-editor", "episode", f"{one}/", EDITOR),
        Place("correct", "correct-next", "/correct/", EDITOR),
        Place("correct-episode", "correct", f"{one}/correct/", EDITOR),
        Place("disputed", "correct-disputed", "/correct/disputed/", EDITOR),
        Place("agreement", "correct-agreement", "/correct/agreement/", EDITOR),
        Place("certify", "certify", f"{one}/certify/", EDITOR),
        Place("certify-asked", "certify", _certify(), EDITOR),
        Place("character-new", "character-new", "/new-character/", EDITOR),
        Place("character-edit", "character-edit", "/characters/tom/edit/", EDITOR),
        Place("naming", "character-naming", "/characters/tom/naming/", EDITOR),
        Place("tokens", "tokens", "/tokens/", EDITOR),
        Place("refused", "audit", "/audit/", EDITOR, 403),
        Place("runs-admin", "runs", "/runs/", ADMIN),
        Place("webhooks", "webhooks", "/webhooks/", ADMIN),
        Place("webhook", "webhook", f"/webhooks/{made.webhook}/", ADMIN),
        Place("audit", "audit", "/audit/", ADMIN),
        Place("patterns", "patterns", "/patterns/"),
    ]


def _certify() -> str:
    sample = Certification.objects.get()
    return f"/episodes/{sample.episode_id}/certify/?character={sample.character.slug}"


def empty_pages() -> list[Place]:
    """What a parent and an editor see before there is any episode."""
    said = {"browse": "/", "search": "/search/?q=happiest+scenes", "recommendations": "/recommendations/",
            "quiz": "/quiz/", "limits": "/limits/", "find": "/find/", "characters": "/characters/"}  # fmt: skip
    mine = {"add": "/add/", "runs": "/runs/", "runs-analyse": "/runs/analyse/", "correct-next": "/correct/",
            "correct-agreement": "/correct/agreement/", "correct-disputed": "/correct/disputed/"}  # fmt: skip
    return [
        *(Place(f"empty-{route}", route, address) for route, address in said.items()),
        *(Place(f"empty-{route}", route, address, EDITOR) for route, address in mine.items()),
    ]


def places_of(who: str, found: list[Place]) -> list[Place]:
    return [place for place in found if place.who == who]
