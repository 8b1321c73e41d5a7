"""The pages that parents open, asked through the whole site: what a browser would wait for before the first byte."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from urllib.parse import quote

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.test import Client

from analysis.bench.pages import LIMITS, Ask, casts
from analysis.bench.questions import questions_of
from analysis.limits import limits_parse
from analysis.limits_request import limits_keep
from analysis.models import RunFeatures

OF_EPISODE = {
    "an episode": "/episodes/{pk}/",
    "an episode to print": "/episodes/{pk}/print/",
    "the card of an episode": "/episodes/{pk}/card/",
    "what is like it, but calmer": "/recommendations/?like={pk}&calmer=1",
    "an evening": "/recommendations/?like={pk}&minutes=45",
}
ALWAYS = {
    "the first page of episodes": "/",
    "a later page of episodes": "/?page={n}",
    "the happiest first": "/?emotion=happy&sort=most",
    "episodes by words": "/?words={word}",
    "search, before it is asked": "/search/",
    "recommendations, before they are asked": "/recommendations/",
    "setting limits": "/limits/",
    "limits while they are moved": "/limits/?limits=" + quote(LIMITS),
    "the quiz": "/quiz/",
    "a question of the quiz": "/quiz/?start=1",
    "the list of characters": "/characters/",
    "runs": "/runs/",
}
WORDS = ("the", "cheese", "storm", "night", "a")


def addresses(per_page: int, seed: int) -> Iterator[Ask]:
    """Kind, address, and the call that opens it; each kind under limits too."""
    rng = random.Random(seed)  # noqa: S311
    liked = list(RunFeatures.objects.filter(readable_ms__gt=0, run__shown__isnull=False).order_by("pk")
                 .values_list("run__episode_id", flat=True))  # fmt: skip
    if not liked:
        return
    for under in ("", ", under limits"):
        client = Client(SERVER_NAME=_host())
        if under:
            kept = HttpResponse()
            limits_keep(kept, limits_parse(LIMITS))
            client.cookies.update(kept.cookies)
        for kind, address in _all(per_page, seed, rng, liked):
            yield kind + under, address, partial(_opened, client, address)


def _all(per_page: int, seed: int, rng: random.Random, liked: Sequence[int]) -> Iterator[tuple[str, str]]:
    for kind, address in ALWAYS.items():
        for _ in range(per_page):
            yield kind, address.format(n=rng.randrange(2, 40), word=rng.choice(WORDS))
    for kind, address in OF_EPISODE.items():
        for pk in rng.choices(liked, k=per_page):
            yield kind, address.format(pk=pk)
    known = casts()
    questions = [q for q in questions_of(known, per_page, seed) if q.page == 1]
    for question in rng.sample(questions, min(4 * per_page, len(questions))):
        yield "a search", f"/search/?q={quote(question.text)}"


def _host() -> str:
    """A name that this site answers to."""
    named = [host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*"))]
    return named[0] if named else "localhost"


def _opened(client: Client, address: str) -> None:
    response: HttpResponseBase = client.get(address, follow=True)
    if response.status_code >= 500:
        raise RuntimeError(f"{address} answers {response.status_code}.")
