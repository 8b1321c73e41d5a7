"""What is asked of the catalogue to measure it: questions of every kind, and the queries of an episode's page."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial

from analysis.bench.questions import Cast, questions_of
from analysis.limits import NO_LIMITS, limits_parse
from analysis.models import Publication, RunFeatures, ShownEpisode
from analysis.recommend import Sliders
from analysis.search.answer import search
from analysis.selectors.recommending import Asked, recommendations_for
from analysis.selectors.visible import is_visible
from analysis.views.episodes import page_of_episode

Ask = tuple[str, str, Callable[[], object]]
PAGE = "an episode's page"
LIMITED, LIMITS = "any of these under limits", "angry<=35%, length<=20min"
RECOMMENDED = "what is like it, but calmer"


def casts() -> list[Cast]:
    """Who is seen in the episodes of each series that are shown."""
    rows = ShownEpisode.objects.filter(run__profiles__isnull=False).order_by("series_id", "run__profiles__character_id")
    found: dict[str, list[str]] = defaultdict(list)
    for title, name in rows.values_list("series__title", "run__profiles__character__name").distinct():
        found[title].append(name)
    return [Cast(title, tuple(dict.fromkeys(names))) for title, names in found.items()]


def asked(per_kind: int, seed: int) -> Iterator[Ask]:
    """Kind, what is asked, and the call that asks it."""
    for question in questions_of(casts(), per_kind, seed):
        yield question.kind, question.text, partial(search, question.text, question.page)
    shown = list(Publication.objects.filter(withdrawn_at__isnull=True).values_list("episode_id", flat=True))
    for pk in random.Random(seed).choices(shown, k=per_kind) if shown else []:  # noqa: S311
        yield PAGE, f"/episodes/{pk}/", partial(page_of_episode, pk)
    yield from _limited(per_kind, seed)
    yield from _recommended(per_kind, seed)


def _limited(per_kind: int, seed: int) -> Iterator[Ask]:
    """The same questions under limits."""
    questions = [q for q in questions_of(casts(), per_kind, seed) if q.page == 1]
    for question in random.Random(seed).sample(questions, min(per_kind, len(questions))):  # noqa: S311
        yield LIMITED, f"{question.text} [{LIMITS}]", partial(search, question.text, limits=limits_parse(LIMITS))


def _recommended(per_kind: int, seed: int) -> Iterator[Ask]:
    """Like an episode, but calmer: every second one under limits."""
    rated = RunFeatures.objects.filter(readable_ms__gt=0, run__shown__isnull=False)
    liked = list(rated.order_by("pk").values_list("run__episode_id", flat=True))
    for n, pk in enumerate(random.Random(seed).choices(liked, k=per_kind) if liked else []):  # noqa: S311
        shorter = limits_parse("length<=15min") if n % 2 else NO_LIMITS
        if not n % 2 or is_visible(pk, shorter):
            asked = Asked(like=(pk,), sliders=Sliders(calmer=1), limits=shorter)
            yield RECOMMENDED, f"like {pk}, calmer", partial(recommendations_for, asked)
