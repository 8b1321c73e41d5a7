"""What is asked of the catalogue to measure it: questions of every kind, and the queries of an episode's page."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial

from analysis.bench.questions import Cast, questions_of
from analysis.models import Publication, ShownEpisode
from analysis.search.answer import search
from analysis.views.episodes import page_of_episode

Ask = tuple[str, str, Callable[[], object]]
PAGE = "an episode's page"


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
    for kind, call in MORE.items():
        for text, ask in call(per_kind, seed):
            yield kind, text, ask


# Other parts of the site are measured by adding an entry: kind -> (how many, seed) -> what is asked, and the call.
MORE: dict[str, Callable[[int, int], Iterator[tuple[str, Callable[[], object]]]]] = {}
