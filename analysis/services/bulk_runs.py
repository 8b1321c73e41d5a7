"""One thing done to many runs or episodes. Each stands for itself: what cannot be done stops none of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from analysis.errors import AnalysisError, BulkInvalid
from analysis.models import AnalysisRun
from analysis.services.priorities import LOWER, RAISE, TOP, run_prioritise
from analysis.services.publishing import run_publish, run_rollback
from analysis.services.runs import run_cancel, run_request, run_retry
from catalog.models import Episode

MOST = 500
OF_RUNS = ("cancel", "retry", "publish", "rollback", RAISE, LOWER, TOP, "again")
ANALYSE = "analyse"
ACTIONS = (*OF_RUNS, ANALYSE)
PUBLISHING = ("publish", "rollback")  # these need another right than the rest


@dataclass(frozen=True, slots=True)
class Done:
    """``run``: the one that it is about now; another than ``id`` names where one was asked for."""

    id: int
    run: AnalysisRun


@dataclass(frozen=True, slots=True)
class Refused:
    """``code`` and ``reason`` as of a single request. ``title``: of the episode, empty where nothing has that id."""

    id: int
    title: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of all that was asked, each in one of the two; ``of`` is ``run`` or ``episode``."""

    action: str
    of: str
    done: tuple[Done, ...]
    refused: tuple[Refused, ...]


def runs_bulk(
    *,
    action: str,
    runs: Sequence[int] = (),
    episodes: Sequence[int] = (),
    bundle: str | None = None,
    actor: AbstractBaseUser | None = None,
) -> Summary:
    """``action``: one of OF_RUNS with ids of ``runs``, or ``analyse`` with ids of ``episodes``.

    ``bundle``: with ``analyse`` and ``again``, else the default. Raises BulkInvalid before anything is done.
    """
    of_episodes = action == ANALYSE
    chosen = list(dict.fromkeys(episodes if of_episodes else runs))
    _check(action, chosen, extra=runs if of_episodes else episodes)
    act = _acts(actor, bundle)[action]
    found: dict[int, Any]
    if of_episodes:
        found = Episode.objects.select_related("series", "source").in_bulk(chosen)
    else:
        found = AnalysisRun.objects.select_related("episode__series", "bundle").in_bulk(chosen)
    done, refused = [], []
    for pk in chosen:
        thing: Any = found.get(pk)
        if thing is None:
            what = "episode" if of_episodes else "run"
            refused.append(Refused(pk, "", f"{what}_unknown", f"There is no {what} {pk}."))
            continue
        try:
            done.append(Done(pk, act(thing)))
        except AnalysisError as error:
            title = thing.title if of_episodes else thing.episode.title
            refused.append(Refused(pk, title, error.code, str(error)))
    return Summary(action, "episode" if of_episodes else "run", tuple(done), tuple(refused))


def _check(action: str, chosen: Sequence[int], extra: Sequence[int]) -> None:
    if action not in ACTIONS:
        raise BulkInvalid(f"{action!r} cannot be done to many at once; these can: {', '.join(ACTIONS)}.")
    if not chosen or extra:
        what = "episodes" if action == ANALYSE else "runs"
        raise BulkInvalid(f"Choose some {what} first, and {what} only.")
    if len(chosen) > MOST:
        raise BulkInvalid(f"{len(chosen)} at once are too many; choose at most {MOST}.")


def _acts(actor: AbstractBaseUser | None, bundle: str | None) -> dict[str, Callable[[Any], AnalysisRun]]:
    def ask(episode: Episode, force: bool) -> AnalysisRun:
        return run_request(episode=episode, bundle_name=bundle, requested_by=actor, force=force)

    return {
        "cancel": lambda run: run_cancel(run=run, actor=actor),
        "retry": lambda run: run_retry(run=run, actor=actor),
        "publish": lambda run: run_publish(run=run, actor=actor).run,
        "rollback": lambda run: run_rollback(episode=run.episode, actor=actor).run,
        RAISE: lambda run: run_prioritise(run=run, to=RAISE, actor=actor),
        LOWER: lambda run: run_prioritise(run=run, to=LOWER, actor=actor),
        TOP: lambda run: run_prioritise(run=run, to=TOP, actor=actor),
        "again": lambda run: ask(run.episode, True),
        ANALYSE: lambda episode: ask(episode, False),
    }
